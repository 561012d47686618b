"use strict";
(() => {
const D = JSON.parse(document.getElementById("data").textContent);
const pool = Uint8Array.from(atob(D.pool), c => c.charCodeAt(0));
const SIDES = ["client", "server"], LEVELS = ["plain", "early", "handshake", "application"];
const TRAVELS = ["message", "change_cipher_spec", "alert", "data"];

// What the page itself says, in English and Chinese. What things are for stands in the table of explanations.
const WORDS = {
  client: ["client", "客户端"], server: ["server", "服务器"], network: ["network", "网络"], middle: ["man in the middle", "中间人"],
  plain: ["in the clear", "明文"], early: ["0-RTT keys", "0-RTT 密钥"],
  handshake: ["handshake keys", "握手密钥"], application: ["session keys", "会话密钥"],
  other: ["中文", "English"], show: ["Show", "查看"], beside: ["beside", "并排对照"], none: ["nothing", "无"],
  estimated: ["clock estimated", "时钟为估计值"], of: ["{0} to {1}", "{0} → {1}"],
  sent: ["sent at {0} by the clock of the {1}", "{1}时钟 {0} 发出"],
  came: ["received at {0} by the clock of the {1}", "{1}时钟 {0} 收到"],
  guess: ["received about {0}", "约 {0} 收到"], left: ["sent about {0}", "约 {0} 发出"],
  bytes: ["{0} bytes", "{0} 字节"], record: ["in record {0}", "在第 {0} 条记录中"],
  sealed: ["On the wire it was enciphered: {0} bytes with the record's header and its authentication.", "在线路上是密文：连同记录头和认证标签共 {0} 字节。"],
  data: ["What is inside is the application's own, and is not shown; these are the bytes on the wire.", "内容属于应用程序，这里不显示；以下是线路上的字节。"],
  hint: ["Choose a message to see its bytes and its fields.", "点选一条消息，查看它的字节和字段。"],
  point: ["Point at a byte or a field; a click holds it.", "指向任意字节或字段即可对照；点击可固定。"],
  bytesOf: ["Bytes of {0}", "{0} 的字节"], fieldsOf: ["Fields of {0}", "{0} 的字段"],
  fault: ["Not well formed: {0}", "格式有误：{0}"], bad: ["Left out, because there was too much: {0}", "因数量过多而未保留：{0}"],
  timeline: ["Timeline", "时间线"], keys: ["Key schedule", "密钥调度"], wire: ["What an eavesdropper sees", "窃听者看到什么"],
  diagram: ["Messages between client and server; time goes down, to scale", "客户端与服务器之间的消息；时间自上而下，按真实比例"],
  derived: ["derived {0}", "导出 {0}"], writes: ["writes under {0} from now on", "从现在起发送使用{0}"],
  reads: ["reads under {0} from now on", "从现在起接收使用{0}"], waiting: ["waits for {0}", "等待 {0}"],
  resumed: ["session resumed by {0}", "会话恢复，依据 {0}"], no_tickets: ["no tickets: {0}", "不发会话票证：{0}"],
  established: ["handshake done", "握手完成"], failed: ["failed: {0}", "失败：{0}"],
  keysTold: ["Faint: not derived in this handshake. Point at a secret to see what it is for.", "淡色：本次握手没有导出。指向某个密钥可看它的用途。"],
  psk: ["pre-shared key, or zeros", "预共享密钥，没有则为零"], dhe: ["key exchange", "密钥交换结果"], zeros: ["zeros", "零"],
  premaster: ["premaster secret", "预主密钥"], session: ["from the session before", "来自上一次会话"],
  rsaTold: ["sent by the client, encrypted to the certificate's key", "由客户端生成，用证书公钥加密传送"],
  dheTold: ["computed by both from their shares", "双方由各自的公钥算出"],
  twoRandoms: ["both randoms", "两个随机数"], randoms: ["both randoms, or the whole handshake", "两个随机数，或整个握手"], noKeys: ["No secret was derived.", "没有导出任何密钥。"],
  learns: ["Whoever listens on the way learns", "途中的窃听者由此得知"],
  lName: ["the name of the server: {0}", "要访问的域名：{0}"], lNoName: ["no name of a server: the client sent none", "没有域名：客户端未发送"],
  lOffer: ["what the client offers: {0} cipher suites, protocols {1}", "客户端提供了什么：{0} 个密码套件，协议 {1}"],
  lChose: ["what was agreed: {0}", "商定了什么：{0}"],
  lCert: ["the certificate of the server, in the clear", "服务器证书，明文可见"], lCertClient: ["the certificate of the client, in the clear", "客户端证书，明文可见"],
  lNoCert: ["no certificate: it was enciphered", "看不到证书：已加密"],
  lSize: ["how much was said, when, and in which direction: {0} records", "何时、朝哪个方向、说了多少：共 {0} 条记录"],
  lSteal: ["everything, later: RSA key transport opens with the server's private key", "将来得知全部内容：RSA 密钥传输在服务器私钥泄露后即可解开"],
  lForward: ["nothing more later, even with the server's private key: forward secrecy", "即使日后拿到服务器私钥也得不到更多：前向保密"],
  visible: ["readable", "可读"], hidden: ["enciphered", "密文"], looks: ["looks like {0}", "看起来是 {0}"], is: ["type {0}", "类型 {0}"],
};
let zh = D.lang ? D.lang === "zh" : (navigator.language || "").startsWith("zh");
const w = (key, ...values) => values.reduce((text, v, i) => text.split("{" + i + "}").join(v), WORDS[key][zh ? 1 : 0]);
const size = n => n === 1 && !zh ? "1 byte" : w("bytes", n);
const ms = v => (v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2)) + " ms";

// The table of explanations.
const table = new Map(D.table.map(row => [row[0] + " " + row[1], row]));
const explained = (kind, name) => {
  const row = table.get(kind + " " + name);
  return row && { what: row[zh ? 5 : 3], why: row[zh ? 6 : 4], rfc: row[2] };
};

// The traces, unpacked.
const bytesAt = ([at, length]) => pool.subarray(at, at + length);
const hex = bytes => Array.from(bytes, b => b.toString(16).padStart(2, "0")).join("");
const traces = D.traces.map(T => ({ ...T,
  lanes: T.middle ? ["client", "middle", "server"] : SIDES,
  events: T.events.map(([kind, by, client, server, name, level, length, at, form, fault, records, leg]) =>
    ({ kind: D.kinds[kind], by, leg, at: [client, server], name: D.names[name], level: LEVELS[level], length, bytes: bytesAt(at),
       form, fault, records, travels: TRAVELS.includes(D.kinds[kind]) })),
  records: T.records.map(([by, client, server, level, content, plain, at, leg]) =>
    ({ by, leg, at: [client, server], level: LEVELS[level], content: D.names[content], plain, bytes: bytesAt(at) })) }));
// A form has five numbers a field: name, place in a list, length, depth and whether it holds no other, value.
function fieldsOf(event) {
  if (event.fields) return event.fields;
  const form = D.forms[event.form], fields = [];
  for (let i = 0, at = 0; i < form.length; i += 5) {
    const [name, index, length, nested, value] = form.slice(i, i + 5), leaf = nested % 2 === 1, start = at, end = at + length;
    if (leaf) at = end;
    // The bytes stand beside it, all of them.
    const shown = () => length > 64 ? hex(event.bytes.subarray(start, start + 56)) + "… (" + size(length) + ")" : hex(event.bytes.subarray(start, end));
    const told = value ? D.names[value - 1] : leaf ? shown() : size(length);
    fields.push({ name: D.names[name], index: index ? index - 1 : null, start, end, depth: nested >> 1, leaf, value: told });
  }
  return event.fields = fields;
}
const titleOf = T => zh && T.zh ? T.zh[0] : T.title;
const travel = (trace, { by, at, leg }) => {
  const [sent, came, delay] = [at[by], at[1 - by], (leg ? trace.farWay : trace.oneWay) || 0];
  if (sent !== null) return [sent, Math.max(sent, came ?? sent + delay)];
  return [Math.max(0, came - delay), came];
};
const when = e => e.at[0] ?? e.at[1] ?? 0;
const field = (event, name) => event && fieldsOf(event).filter(f => f.name === name && f.leaf).map(f => f.value.replace(/^"(.*)"$/, "$1"));
const message = (trace, name, by) => trace.events.find(e => e.kind === "message" && !e.leg && e.name === name && (by === undefined || e.by === by));
// Who sent something, or knows it; whom it was sent to.
const lane = (trace, e) => trace.lanes[e.leg + e.by], toward = (trace, e) => trace.lanes[e.leg + 1 - e.by];

// Elements. Text is text: nothing that a peer said is ever read as markup.
const make = (element, attributes, children) => {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
};
const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => make(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const LINE = 22, PAD = 5, GAP = 6, TOP = 14, HEAD = 40;
const ends = trace => Math.max(0.001, ...trace.events.map(e => e.travels ? travel(trace, e)[1] : when(e)));
// What one side says before the other does, or before it waits for long.
function flights(trace, leg) {
  const all = [], end = ends(trace);
  let last = null;
  trace.events.forEach((event, place) => {
    if (!event.travels || event.leg !== leg) return;
    const [sent] = travel(trace, event);
    if (last && last.by === event.by && sent - last.sent <= end / 12) all[all.length - 1].push(place);
    else all.push([place]);
    last = { by: event.by, sent };
  });
  return all;
}
// Pixels of a millisecond that leave room for the names.
function scaleOf(trace) {
  const room = Math.max(...[0, 1].map(leg => flights(trace, leg).reduce((sum, f) => sum + f.length * LINE + 2 * PAD + GAP, 0)));
  return Math.max(160, room * 1.15) / ends(trace);
}

class Column {
  constructor(number, place) { Object.assign(this, { number, place, picked: null, tab: "timeline" }); }
  get trace() { return traces[this.place]; }

  draw(scale) {
    const T = this.trace, id = "c" + this.number;
    this.scale = scale;
    this.stage = h("div", { class: "stage", tabindex: T.middle ? 0 : null, role: T.middle ? "region" : null, "aria-label": T.middle ? w("diagram") : null });
    this.detail = h("div", { class: "detail", "aria-live": "polite" });
    this.panel = h("div", { role: "tabpanel", id: id + "panel", "aria-labelledby": id + this.tab });
    const tabs = ["timeline", "keys", "wire"].map(name => h("button", { type: "button", role: "tab", id: id + name,
      "aria-selected": String(name === this.tab), "aria-controls": id + "panel", tabindex: name === this.tab ? 0 : -1,
      onclick: () => this.choose(name), onkeydown: e => this.turn(e, name) }, w(name)));
    this.tabs = tabs;
    const levels = LEVELS.filter(l => T.events.some(e => e.level === l));
    this.element = h("section", { class: "trace", "aria-labelledby": id + "h" },
      h("h2", { id: id + "h" }, titleOf(T)),
      h("p", { class: T.good ? "good" : "bad" }, (T.good ? "✓ " : "✗ ") + (zh && T.zh ? T.zh[1] : T.outcome)),
      h("ul", { class: "legend" }, levels.map(l => h("li", {}, s("svg", { width: 30, height: 8, style: "width:30px", "aria-hidden": "true" },
        s("path", { class: "a " + l, d: "M0 4h30" })), w(l)))),
      h("div", { class: "parts" }, this.stage, this.detail),
      T.leftOut ? h("p", { class: "soft" }, w("bad", T.leftOut)) : null,
      h("div", { class: "tabs", role: "tablist" }, tabs), this.panel);
    return this.element;
  }

  // Once it has a width.
  fill() { this.diagram(); this.open(this.picked, false); this.show(); }

  choose(name) {
    this.tab = name;
    this.tabs.forEach(tab => {
      const on = tab.id.endsWith(name);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (on) tab.focus();
    });
    this.panel.setAttribute("aria-labelledby", "c" + this.number + name);
    this.show();
  }

  turn(event, name) {
    const names = ["timeline", "keys", "wire"], step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) this.choose(names[(names.indexOf(name) + step + 3) % 3]);
  }

  show() { this.panel.replaceChildren(...this[this.tab]()); }

  told(event) {
    const { name } = event;
    if (event.kind === "keys") return w(name, w(event.level));
    if (event.kind === "note") return explained("note", name)?.what ?? name;
    return WORDS[event.kind] && !event.travels ? w(event.kind, name) : name;
  }

  subject(event) {
    if (event.kind === "message") return explained("message", event.name);
    if (event.kind === "alert") return explained("alert", event.name.split(" ").pop());
    return explained(event.kind === "derived" ? "derived" : "wire", event.name);
  }

  diagram() {
    const T = this.trace, last = T.lanes.length - 1, width = Math.max(last > 1 ? 640 : 300, Math.round(this.stage.clientWidth || 640));
    const left = 62, right = width - 62, x = n => left + (right - left) * n / last, y = v => HEAD + TOP + v * this.scale;
    // Beside a lane in the middle stand its clock's times.
    const half = Math.min(150, (right - left) / 2 / last - (last > 1 ? 26 : 14));
    const label = n => s("text", { class: "who", x: Math.min(x(n), width - 58), y: 16 }, w(T.lanes[n]));
    const about = n => T.observed.includes(n) ? null : s("text", { class: "between", x: x(n), y: 31 }, w("estimated"));
    const under = [], boxes = [], rows = [];
    T.events.forEach((event, place) => {
      if (!event.travels) {
        const dot = s("circle", { class: "dot", cx: x(event.leg + event.by), cy: y(when(event)), r: 3.2 }, s("title", {}, this.told(event)));
        return void boxes.push(dot);
      }
      const [sent, came] = travel(T, event), [from, to] = [x(event.leg + event.by), x(event.leg + 1 - event.by)];
      const [a, b, back] = [y(sent), y(came), event.by ? 1 : -1], lift = (b - a) / Math.abs(to - from) * 9;
      const level = event.level || "plain";
      under.push(s("g", { "data-arrow": place },
        s("path", { class: "a " + level, d: `M${from} ${a}L${to} ${b}` }),
        s("path", { class: "a head " + level, d: `M${to + back * 9} ${b - lift - 4.5}L${to} ${b}L${to + back * 9} ${b - lift + 4.5}` })));
    });
    let low = HEAD, free = HEAD;
    for (const leg of [0, 1]) for (const [n, flight] of flights(T, leg).entries()) {
      const middle = x(leg + .5) + (leg ? 24 : 0);
      if (!n) free = HEAD;
      const mid = flight.reduce((sum, p) => { const [a, b] = travel(T, T.events[p]); return sum + (a + b) / 2; }, 0) / flight.length;
      const height = flight.length * LINE + 2 * PAD, at = y(mid), top = Math.max(free, at - height / 2);
      if (at < top) under.push(s("path", { class: "leader", d: `M${middle} ${at}V${top}` }));
      boxes.push(s("rect", { class: "box", x: middle - half, y: top, width: 2 * half, height, rx: 6 }));
      flight.forEach((place, n) => rows.push(this.name(place, middle - half, top + PAD + n * LINE, 2 * half)));
      free = top + height + GAP;
      low = Math.max(low, free);
    }
    const height = Math.max(low, y(ends(T))) + TOP, all = T.lanes.map((_, n) => n);
    const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": w("diagram"), style: last > 1 ? `min-width:${width}px` : null },
      all.map(label), all.map(about), all.slice(1).map(n => s("text", { class: "between", x: x(n - .5), y: 16 }, w("network"))),
      all.map(n => s("path", { class: "lane", d: `M${x(n)} ${HEAD}V${height}` })), under, all.flatMap(n => this.clocks(y, x(n), n)), boxes, rows);
    this.stage.replaceChildren(svg);
  }

  clocks(y, x, n) {
    const of = e => e.leg + e.by === n ? travel(this.trace, e)[0] : e.leg + 1 - e.by === n ? travel(this.trace, e)[1] : null;
    const times = this.trace.events.filter(e => e.travels).map(of).filter(time => time !== null).sort((a, b) => a - b);
    const guess = this.trace.observed.includes(n) ? "" : "≈", all = [];
    let last = -99;
    for (const time of times) {
      if (y(time) - last < 13) continue;
      last = y(time);
      all.push(s("text", { class: "clock", x: n ? x + 6 : x - 8, y: last + 4, "text-anchor": n ? "start" : "end" }, guess + ms(time)));
    }
    return all;
  }

  name(place, x, y, width) {
    const event = this.trace.events[place], level = event.level || "plain";
    const words = [event.name, this.way(event), w(level), size(event.length), ms(travel(this.trace, event)[0])];
    const long = width > 230 ? s("text", { class: "clock", x: x + width - 8, y: y + 15, "text-anchor": "end" }, event.length + " B") : null;
    const go = step => {
      const rows = [...this.stage.querySelectorAll("[data-event]")];
      rows[rows.findIndex(r => r.dataset.event === String(place)) + step]?.focus();
    };
    return s("g", { role: "button", tabindex: 0, "data-event": place, "aria-label": words.join(", "), "aria-pressed": String(place === this.picked),
      onclick: () => this.open(place, true), onmouseenter: () => this.light(place, true), onmouseleave: () => this.light(place, false),
      onfocus: () => this.light(place, true), onblur: () => this.light(place, false),
      onkeydown: e => {
        if (e.key === "Enter" || e.key === " ") this.open(place, true); else if (e.key === "ArrowDown") go(1); else if (e.key === "ArrowUp") go(-1); else return;
        e.preventDefault();
      } },
      s("rect", { class: "hit", x: x + 2, y, width: width - 4, height: LINE, rx: 4 }),
      s("path", { class: "a " + level, d: event.by ? `M${x + 30} ${y + 11}H${x + 9}m5 -4l-5 4l5 4` : `M${x + 9} ${y + 11}H${x + 30}m-5 -4l5 4l-5 4` }),
      s("text", { x: x + 37, y: y + 15.5 }, event.name), long);
  }

  light(place, on) {
    this.stage.querySelectorAll(`[data-arrow="${place}"] path`).forEach(path => path.classList.toggle("picked", on || place === this.picked));
  }

  // A message, opened.
  open(place, asked) {
    const before = this.picked;
    this.picked = place;
    this.stage.querySelectorAll("[data-event]").forEach(row => row.setAttribute("aria-pressed", String(row.dataset.event === String(place))));
    [before, place].forEach(p => p !== null && this.light(p, false));
    const event = place === null ? null : this.trace.events[place];
    if (!event) return this.detail.replaceChildren(h("p", { class: "soft" }, w("hint")));
    const told = this.subject(event), wire = event.records.map(r => this.trace.records[r]).filter(Boolean);
    const sealed = wire.length && event.level && event.level !== "plain" && event.kind !== "data" ? wire.reduce((n, r) => n + r.bytes.length, 0) : 0;
    this.detail.replaceChildren(...[
      h("h3", {}, event.name, h("span", { class: "chip " + (event.level || "plain") }, w(event.level || "plain"))),
      h("p", { class: "soft" }, this.times(event)),
      told && h("p", {}, told.what), told && h("p", {}, told.why, " ", h("span", { class: "soft" }, told.rfc)),
      event.kind === "data" && h("p", {}, w("data")), sealed ? h("p", { class: "soft" }, w("sealed", sealed)) : null,
      event.fault && h("p", { class: "bad" }, w("fault", event.fault)),
      ...this.pair(event)].filter(Boolean));
    if (asked && innerWidth < 1080) this.detail.scrollIntoView?.({ block: "start", behavior: matchMedia("(prefers-reduced-motion:reduce)").matches ? "auto" : "smooth" });
  }

  way(event) { return w("of", w(lane(this.trace, event)), w(toward(this.trace, event))); }

  times(event) {
    const [sent, came] = travel(this.trace, event), [from, to] = [event.by, 1 - event.by];
    return [this.way(event),
      event.at[from] === null ? w("left", ms(sent)) : w("sent", ms(sent), w(lane(this.trace, event))),
      event.at[to] === null ? w("guess", ms(came)) : w("came", ms(came), w(toward(this.trace, event))),
      size(event.length), event.records.length ? w("record", event.records.map(r => r + 1).join(", ")) : null].filter(Boolean).join(" · ");
  }

  // Bytes beside fields; what is pointed at on one side shows on the other.
  pair(event) {
    const fields = fieldsOf(event), { bytes } = event, spans = [], leaf = new Array(bytes.length).fill(-1);
    fields.forEach((f, n) => { if (f.leaf) leaf.fill(n, f.start, f.end); });
    const room = this.detail.clientWidth, per = room >= 860 ? 16 : 8;
    const dump = h("div", { class: "bytes", role: "group", "aria-label": w("bytesOf", event.name), tabindex: 0 });
    for (let at = 0; at < bytes.length; at += per) {
      const row = Array.from(bytes.subarray(at, at + per), (byte, n) => {
        const span = h("b", { "data-byte": at + n }, byte.toString(16).padStart(2, "0"));
        spans.push(span);
        return span;
      });
      const text = Array.from(bytes.subarray(at, at + per), b => b > 31 && b < 127 ? String.fromCharCode(b) : "·").join("");
      dump.append(h("div", { class: "row" }, h("i", {}, at.toString(16).padStart(4, "0")), row, h("u", { "aria-hidden": "true" }, text)));
    }
    const note = h("div", { class: "told", role: "status" }, w("point"));
    let pinned = null;
    const items = fields.map((f, n) => h("li", { role: "treeitem", "aria-level": f.depth + 1, tabindex: n ? -1 : 0, "data-field": n, style: `padding-left:${4 + f.depth * 14}px` },
      f.name + (f.index === null ? "" : `[${f.index}]`), ": ", h("span", {}, f.value)));
    const tree = h("ul", { class: "fields", role: "tree", "aria-label": w("fieldsOf", event.name) }, items);
    const mark = (n, name) => {
      [...spans, ...items].forEach(e => e.classList.remove(name, "near"));
      const f = fields[n];
      if (!f) return;
      spans.slice(f.start, f.end).forEach(span => span.classList.add(name));
      items[n].classList.add(name);
      // Within which it stands.
      for (let k = n, depth = f.depth; k >= 0; k--) if (fields[k].depth < depth) { items[k].classList.add("near"); depth = fields[k].depth; }
    };
    const tell = n => {
      const f = fields[n];
      if (!f) return note.replaceChildren(w("point"));
      // The extension that it is, or stands in.
      const around = fields.filter((o, k) => k <= n && o.start <= f.start && o.end >= f.end).reverse();
      const certificate = around.some(o => o.name === "cert_data" || o.name === "certificate");
      const told = around.map(o => (certificate && explained("certificate", o.name)) || explained("extension", o.name)).find(Boolean);
      note.replaceChildren(h("code", {}, `${f.name}${f.index === null ? "" : `[${f.index}]`} · ${f.start}–${f.end - 1} · ${size(f.end - f.start)}`),
        h("br"), told && f.leaf && f.end - f.start < 200 ? h("span", {}, f.value, h("br")) : null, told ? [told.what, zh ? "" : " ", told.why, " "].join("") : f.value, told ? h("span", { class: "soft" }, told.rfc) : "");
    };
    const point = n => { mark(n, "hot"); tell(n ?? pinned); };
    const into = (box, element) => {
      if (!element) return;
      const top = element.offsetTop, low = top + element.offsetHeight;
      if (top < box.scrollTop || low > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
    };
    const byteAt = e => e.target.closest("[data-byte]"), itemAt = e => e.target.closest("[data-field]");
    const pin = n => { pinned = n === pinned ? null : n; mark(pinned, "pinned"); tell(pinned); };
    const fromByte = (e, act) => { const b = byteAt(e); if (b) { const n = leaf[b.dataset.byte]; act(n); into(tree, items[n]); } };
    const fromItem = (e, act) => { const i = itemAt(e); if (i) { const n = +i.dataset.field; act(n); into(dump, spans[fields[n].start]?.parentNode); } };
    dump.addEventListener("mouseover", e => fromByte(e, point));
    dump.addEventListener("click", e => fromByte(e, pin));
    tree.addEventListener("mouseover", e => fromItem(e, point));
    tree.addEventListener("focusin", e => fromItem(e, point));
    tree.addEventListener("click", e => fromItem(e, pin));
    [dump, tree].forEach(box => box.addEventListener("mouseleave", () => point(null)));
    tree.addEventListener("keydown", e => {
      const n = items.indexOf(document.activeElement), step = { ArrowDown: 1, ArrowUp: -1, Home: -n, End: items.length - 1 - n }[e.key];
      if (e.key === "Enter" || e.key === " ") pin(n); else if (step === undefined) return; else if (items[n + step]) {
        items[n].tabIndex = -1; items[n + step].tabIndex = 0; items[n + step].focus();
      }
      e.preventDefault();
    });
    return [note, h("div", { class: room >= 480 ? "pair beside" : "pair" }, dump, tree)];
  }

  timeline() {
    return [h("ol", { class: "list" }, this.trace.events.map((event, place) => {
      const time = event.at.map((at, side) => at === null || side && at === event.at[0] ? null : ms(at)).filter(Boolean).join(" / ");
      const from = this.trace.middle ? this.way(event) + ": " : "";
      const words = event.travels
        ? h("button", { type: "button", onclick: () => this.open(place, true) }, `${event.by ? "◀" : "▶"} ${from}${event.name}`)
        : `${w(lane(this.trace, event))}: ${this.told(event)}`;
      return h("li", {}, h("time", {}, time), h("div", {}, words));
    }))];
  }

  wire() {
    const T = this.trace, hello = message(T, "ClientHello"), names = field(hello, "host_name") || [];
    const offered = (field(hello, "cipher_suites") || []).filter(n => !n.startsWith("GREASE")).length;
    const protocols = (field(hello, "ProtocolName") || []).join(", ") || w("none");
    const chosen = message(T, "ServerHello"), clear = by => T.events.some(e => e.name === "Certificate" && !e.leg && e.by === by && e.level === "plain");
    const secret = T.events.some(e => !e.leg && (e.name === "Certificate" || e.name === "CompressedCertificate") && e.level !== "plain" && e.by === 1);
    const suite = (field(chosen, "cipher_suite") || [])[0], transport = /^TLS_RSA_/.test(suite || "");
    const learned = [hello && (names.length ? w("lName", names.join(", ")) : w("lNoName")), hello && w("lOffer", offered, protocols),
      suite && w("lChose", suite), clear(1) && w("lCert"), clear(0) && w("lCertClient"), secret && w("lNoCert"), w("lSize", T.records.length),
      suite && w(transport ? "lSteal" : "lForward")].filter(Boolean);
    return [h("h4", {}, w("learns")), h("ul", { class: "learned" }, learned.map(text => h("li", {}, text))),
      h("ol", { class: "list" }, T.records.map((r, n) => {
        const outer = r.bytes[0], type = { 20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data" }[outer] || outer;
        const open = r.level === "plain", inner = open || type === r.content ? w("is", type) : w("looks", type);
        return h("li", {}, h("time", {}, `${n + 1}. ${ms(when(r))}`), h("div", {}, `${r.by ? "◀" : "▶"} ${T.middle ? this.way(r) + " " : ""}`,
          h("span", { class: "chip " + r.level }, w(open ? "visible" : "hidden")), ` ${inner} · ${size(r.bytes.length)}`, h("br"),
          h("code", {}, hex(r.bytes.subarray(0, 5)) + " " + hex(r.bytes.subarray(5, 45)) + (r.bytes.length > 45 ? "…" : ""))));
      }))];
  }

  keys() {
    const have = new Set(this.trace.events.filter(e => e.kind === "derived" && !e.leg).map(e => e.name));
    if (!have.size) return [h("p", { class: "soft" }, w("noKeys"))];
    const note = h("div", { class: "told", role: "status" }, w("keysTold"));
    const old = have.has("key_block"), resumed = old && !have.has("master_secret");
    const rsa = /^TLS_RSA_/.test((field(message(this.trace, "ServerHello"), "cipher_suite") || [])[0] || "");
    const stages = old ? [
      [resumed ? w("session") : w(rsa ? "rsaTold" : "dheTold"), w("premaster"), []],
      [w("randoms"), "master_secret", []],
      [w("twoRandoms"), "key_block", ["client", "server"].map(side => [...have].filter(name => name.startsWith(side + "_write_")).join(", "))],
    ] : [
      [w("psk"), "Early Secret", ["binder_key", "client_early_traffic_secret", "early_exporter_secret"]],
      [w("dhe"), "Handshake Secret", ["client_handshake_traffic_secret", "server_handshake_traffic_secret"]],
      [w("zeros"), "Main Secret", ["client_application_traffic_secret_0", "server_application_traffic_secret_0", "exporter_secret", "resumption_secret"]],
    ];
    const width = Math.max(320, Math.min(760, this.panel.clientWidth || 640)), box = Math.min(200, width * .34), out = box + 20, parts = [];
    let y = 4;
    const levelOf = name => /early|binder/.test(name) ? "early" : /handshake_traffic/.test(name) ? "handshake" : /traffic|write|exporter|resumption/.test(name) ? "application" : "";
    const made = name => !old && /traffic_secret/.test(name) ? [...have].filter(key => key.startsWith(name.split("_")[0] + "_write_")).join(", ") : "";
    const item = (name, x, top, wide, height, on) => {
      const told = explained("derived", name.split(",")[0]), show = () => told && note.replaceChildren(h("b", {}, name), h("br"), told.what, zh ? "" : " ", told.why, " ", h("span", { class: "soft" }, told.rfc), made(name) && h("br"), made(name) && "→ " + made(name));
      return s("g", { class: on ? "" : "faint", tabindex: told ? 0 : null, role: told ? "button" : null, "aria-label": name, onmouseenter: show, onfocus: show, onclick: show },
        s("rect", { class: "box secret " + levelOf(name), x, y: top, width: wide, height, rx: 5 }), s("text", { x: x + 8, y: top + height / 2 + 4, style: "font-size:" + (wide < 250 ? "10.5" : "13") + "px" }, name));
    };
    stages.forEach(([input, name, outputs], n) => {
      const rows = Math.max(1, outputs.length), height = 34;
      const early = have.has("binder_key") || have.has(name), on = old ? (name === w("premaster") ? !resumed : have.has(name) || resumed) : n ? have.has(name) : early;
      parts.push(s("text", { class: "between", style: "text-anchor:start", x: 14, y: y + 12 }, "↓ " + input), item(name, 2, y + 18, box, height, on));
      outputs.forEach((o, k) => {
        const top = y + 18 + k * 28;
        parts.push(s("path", { class: "leader", d: `M${box + 2} ${y + 35}C${box + 16} ${y + 35} ${box + 10} ${top + 12} ${out} ${top + 12}` }), item(o, out, top, width - out - 2, 24, old ? on : have.has(o)));
      });
      const next = y + 18 + Math.max(height, rows * 28) + 10;
      if (n < stages.length - 1) parts.unshift(s("path", { class: "lane", d: `M8 ${y + 18 + height}V${next + 18}` }));
      y = next;
    });
    return [note, s("svg", { viewBox: `0 0 ${width} ${y}`, style: `max-width:${width}px`, role: "group", "aria-label": w("keys") }, parts)];
  }
}

const columns = [new Column(0, D.first || 0), null];
const main = document.getElementById("main"), choice = document.getElementById("choice"), language = document.getElementById("language");
function menu(number, label, value, extra) {
  const options = [...extra, ...traces.map((T, n) => [n, titleOf(T)])];
  const select = h("select", { id: "choose" + number, onchange: e => pick(number, e.target.value) },
    options.map(([n, title]) => h("option", { value: n, selected: String(n) === String(value) ? "" : null }, title)));
  return h("label", {}, label, select);
}
function first(trace) {
  const place = trace.events.findIndex(e => e.travels);
  return place < 0 ? null : place;
}
function pick(number, value) {
  columns[number] = value === "" ? null : new Column(number, +value);
  if (columns[number]) columns[number].picked = first(columns[number].trace);
  draw();
  document.getElementById("choose" + number)?.focus();
}
function draw() {
  document.documentElement.lang = zh ? "zh" : "en";
  language.textContent = w("other");
  language.setAttribute("lang", zh ? "en" : "zh");
  traces.forEach(T => T.events.forEach(e => { e.fields = null; }));
  choice.replaceChildren(...(traces.length > 1
    ? [menu(0, w("show"), columns[0].place, []), menu(1, w("beside"), columns[1]?.place ?? "", [["", w("none")]])] : []));
  const shown = columns.filter(Boolean);
  main.className = shown.length > 1 ? "two" : "";
  // Side by side, a millisecond is as long on both.
  const scale = Math.max(...shown.map(c => scaleOf(c.trace)));
  main.replaceChildren(...shown.map(c => c.draw(scale)));
  shown.forEach(c => c.fill());
}
let explore = null;
/*EXPLORER*/
language.addEventListener("click", () => { zh = !zh; draw(); explore?.(); });
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(); } });
if (traces.length) {
  if (D.beside !== null && traces[D.beside]) columns[1] = new Column(1, D.beside);
  columns.filter(Boolean).forEach(c => { c.picked = first(c.trace); });
  draw();
  explore?.();
}
})();
