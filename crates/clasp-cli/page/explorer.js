// The explorer: the seven handshakes on a link of any length, and what becomes of their bytes in an attacker's hands. All bytes and all
// verdicts are recorded ones; the browser computes times alone.
const X = D.explorer;
Object.assign(WORDS, {
  explore: ["Explore", "动手看看"],
  exploreTold: ["Seven handshakes of one client with one server. Move the sliders: all times below follow. Choose one to see it in full.", "同一个客户端与同一台服务器的七种握手。拖动滑块，下面所有时间随之变化；点选一种可查看全过程。"],
  exploreOwn: ["Your own connection beside seven handshakes, as each would be on a link of this length. Move the sliders: all times follow. Choose one to see it in full beside yours.", "你自己的连接与七种握手放在同一条链路上比较。拖动滑块，所有时间随之变化；点选一种，可与你的连接并排查看全过程。"],
  own: ["your connection: {0}", "你的连接：{0}"], again: ["{0}, resumed", "{0}，会话恢复"],
  latency: ["One way between the two", "两端之间的单程时间"], tcp: ["TCP's own handshake", "TCP 握手用时"],
  kinds: ["Kind of handshake", "握手的种类"],
  leaves: ["data leaves at {0}", "{0} 发出数据"], saves: ["{0} earlier", "早 {0}"], same: ["the longest", "最慢"],
  trips: ["TCP, then {0} round trips", "TCP，再加 {0} 个往返"], trip: ["TCP, then 1 round trip", "TCP，再加 1 个往返"], noTrip: ["TCP, then no waiting", "TCP，之后不再等待"],
  k0: ["RSA key transport", "RSA 密钥传输"], k1: ["resumed by session ID", "用会话 ID 恢复"], k2: ["ECDHE", "ECDHE"], k3: ["resumed by ticket", "用会话票证恢复"],
  k4: ["TLS 1.3", "TLS 1.3"], k5: ["TLS 1.3, 0-RTT", "TLS 1.3，0-RTT"], k6: ["TLS 1.3, HelloRetryRequest", "TLS 1.3，HelloRetryRequest"],
  steal: ["Steal the key later", "日后窃取私钥"],
  stealTold: ["Somebody has kept the enciphered records of both handshakes. Years later he gets the server's private key.", "有人把两次握手的密文都存了下来，多年以后拿到了服务器的私钥。"],
  stealDo: ["Steal the server's private key", "窃取服务器私钥"],
  stealNone: ["Without the key, {0} and {1} records stay enciphered.", "没有私钥时，两边各有 {0} 条和 {1} 条记录是密文。"],
  stolen: ["RSA key transport: all {0} enciphered records open, the data among them. ECDHE: of {1} not one opens. The key signed the exchange, and was not in it: forward secrecy.",
    "RSA 密钥传输：{0} 条密文记录全部解开，包括数据。ECDHE：{1} 条一条也解不开。私钥只用来签名，没有参与生成密钥：这就是前向保密。"],
  closed: ["stays closed", "解不开"], opens: ["opens: {0}, {1}", "解开：{0}，{1}"],
  between: ["Somebody in the middle", "中间人"],
  betweenTold: ["He asks the real server, and shows the client a certificate of the same name. He cannot show the real one: he has not its private key.", "他先去找真正的服务器，再给客户端看一张同名证书。真证书他用不了，因为没有它的私钥。"],
  betweenDo: ["Show the conversation", "查看这段对话"], real: ["the server's", "服务器的"], forged: ["the middle's", "中间人的"],
  part: ["Field", "字段"], certificates: ["The two certificates", "两张证书"], breaks: ["Here the chain breaks", "证书链断在这里"],
  betweenWhy: ["Names say what anybody likes. The issuer's name is the same, but another key made the signature, and the client checks it with the key of the CA that it trusts.", "名字谁都能写。颁发者的名字一模一样，签名却出自另一个私钥，而客户端用自己信任的 CA 的公钥来验证。"],
  flip: ["Flip a byte", "改动一个字节"],
  flipTold: ["A record of the RSA handshake with five bytes of data: header, then what is enciphered. Choose a byte; one bit of it changes on the way.", "RSA 握手之后的一条记录，内含五字节数据：先是记录头，其后是密文。点选一个字节，它在途中会变一个比特。"],
  flipAll: ["All {0} bytes were tried, one after the other: none was taken.", "{0} 个字节逐一试过：没有一个被接受。"], flipSome: ["All {0} bytes were tried: {1} were refused.", "{0} 个字节逐一试过：拒绝了 {1} 个。"],
  v0: ["Byte {0}, {1} now {2}: the record opens. This byte of the header is not what keys protect.", "第 {0} 字节，{1} 变为 {2}：记录仍能解开。密钥保护的不是记录头的这个字节。"],
  v1: ["Byte {0}, {1} now {2}: the MAC does not fit. bad_record_mac: the record is thrown away whole, and the connection ends.", "第 {0} 字节，{1} 变为 {2}：MAC 对不上。bad_record_mac：整条记录丢弃，连接终止。"],
  v2: ["Byte {0}, {1} now {2}: no whole record any more. What comes is refused, or waited for in vain.", "第 {0} 字节，{1} 变为 {2}：已不是一条完整的记录，要么被拒绝，要么永远等不到下文。"],
  byte: ["byte {0}: {1}", "第 {0} 字节：{1}"], recordBytes: ["Bytes of the record", "记录的字节"],
});
const explorer = document.getElementById("explorer"), net = { latency: X.delay, tcp: 2 * X.delay };
// One's own once more, on the link: what others stand beside.
const own = X.own ?? null, linked = own === null ? null : traces.push({ ...traces[own], title: "Your connection, on this link", zh: ["你的连接，放在这条链路上", ...traces[own].zh.slice(1)], observed: [0, 1],
  events: traces[own].events.map(e => ({ ...e })), records: traces[own].records.map(r => ({ ...r })) }) - 1;
const two = n => n.toString(16).padStart(2, "0");
// The recorded times are those of the link; each is a sum of TCP's handshake and of ways.
const recorded = new Map(X.kinds.map(k => [k, traces[k].events.concat(traces[k].records).map(e => e.at)]));
const scaled = at => at === null ? null : at <= 2 * X.delay ? at / (2 * X.delay) * net.tcp : net.tcp + (at - 2 * X.delay) / X.delay * net.latency;
function rescale() {
  if (linked !== null) relink();
  for (const k of X.kinds) traces[k].events.concat(traces[k].records).forEach((e, n) => { e.at = recorded.get(k)[n].map(scaled); });
}
const leaves = k => traces[k].events.find(e => e.kind === "data" && !e.by)?.at[0] ?? 0;
const state = { stolen: false, byte: 5 };

function slider(name, least, most) {
  const value = h("output", { for: name, class: "value" }, ms(net[name]));
  const input = h("input", { id: name, type: "range", min: least, max: most, value: net[name], oninput: e => {
    net[name] = +e.target.value;
    value.textContent = ms(net[name]);
    e.target.setAttribute("aria-valuetext", ms(net[name]));
    rescale();
    chart();
    draw();
  }, "aria-valuetext": ms(net[name]) });
  return h("label", { class: "slider" }, w(name), input, value);
}

// The visitor's own handshake, where there is one: a server's clock alone saw it, and on another link. What it comes to on this one follows
// from whose turn it was how often, up to the last Finished; of TLS 1.3's tickets behind it nobody waits.
const places = own === null ? X.kinds : [own, ...X.kinds];
function turns() {
  const said = traces[own].events.filter(e => e.travels), last = said.findLastIndex(e => e.name === "Finished");
  let ways = 0, by = 0;
  for (const e of said.slice(0, last + 1)) if (e.kind !== "data" && e.by !== by) { ways += 1; by = e.by; }
  return said.find(e => e.kind === "data" && !e.by)?.level === "early" ? 0 : ways + by;
}
function mine() {
  const T = traces[own], ways = turns(), suite = (field(message(T, "ServerHello"), "cipher_suite") || [])[0] || "";
  const resumed = T.events.find(e => e.kind === "resumed")?.name, old = T.events.some(e => e.name === "key_block");
  const modern = !ways ? "k5" : message(T, "HelloRetryRequest") ? "k6" : "k4", classic = resumed === "ticket" ? "k3" : resumed ? "k1" : suite.startsWith("TLS_RSA_") ? "k0" : "k2";
  const name = w(old ? classic : modern);
  return { at: net.tcp + ways * net.latency, trips: ways / 2, name: w("own", !old && resumed && ways ? w("again", name) : name) };
}
// All of it, on this link: what is said leaves when what it answers has come, and to compute takes no time.
function relink() {
  const T = traces[linked], at = n => net.tcp + n * net.latency, first = turns();
  let [client, server, data, by] = [0, -1, false, 0];
  for (const e of T.events) {
    if (e.travels) {
      if (e.by) server = client + 1; else if (e.kind === "data" && !data) client = first; else if (by || e.kind !== "data") client = Math.max(client, server + 1);
      data ||= e.kind === "data" && !e.by;
      by = e.by;
    }
    const n = e.by ? (e.travels ? server : client + 1) : client;
    e.at = e.travels ? (e.by ? [at(n + 1), at(n)] : [at(n), at(n + 1)]) : [null, at(n)];
  }
  T.events.sort((a, b) => (a.travels ? a.at[a.by] : a.at[1]) - (b.travels ? b.at[b.by] : b.at[1]));
  T.records.forEach((r, n) => { r.at = T.events.find(e => e.records.includes(n))?.at ?? [at(0), at(0)]; });
}
function entry(k) {
  if (k === own) return mine();
  const sent = recorded.get(k)[traces[k].events.findIndex(e => e.kind === "data" && !e.by)][0];
  return { at: leaves(k), trips: Math.round((sent - 2 * X.delay) / (2 * X.delay)), name: w("k" + X.kinds.indexOf(k)) };
}

// A bar a kind, on one scale; the chosen one is drawn in full: below, or beside the visitor's own.
let bars = null;
const chosen = () => own === null ? columns[0].place : columns[1]?.place ?? own;
function chart() {
  const all = places.map(entry), most = Math.max(...all.map(one => one.at), 1), now = chosen();
  const focused = document.activeElement?.dataset?.kind;
  bars.replaceChildren(...places.map((k, n) => {
    const { at, trips, name } = all[n];
    const saved = most - at, words = [ms(at), saved > .5 ? w("saves", ms(saved)) : w("same"), trips > 1 ? w("trips", trips) : w(trips ? "trip" : "noTrip")];
    const on = k === now, last = places.includes(now) ? on : !n;
    const bar = part => Math.max(0, part / most * 100).toFixed(2) + "%";
    const step = d => { const to = places[(n + d + places.length) % places.length]; choose(to); bars.querySelector(`[data-kind="${to}"]`)?.focus(); };
    const pick = () => { choose(k); if (own !== null) main.scrollIntoView?.(); };
    return h("div", { role: "radio", class: "kind", "data-kind": k, tabindex: last ? 0 : -1, "aria-checked": String(on), "aria-label": name + ": " + w("leaves", words[0]) + ", " + words.slice(1).join(", "),
      onclick: pick, onkeydown: e => {
        const d = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
        if (d) step(d); else if (e.key === " " || e.key === "Enter") pick(); else return;
        e.preventDefault();
      } },
      h("span", { class: "kind-name" }, name),
      h("span", { class: "bar", "aria-hidden": "true" }, h("i", { class: "bar-tcp", style: "width:" + bar(Math.min(net.tcp, at)) }), h("i", { class: "bar-tls", style: "width:" + bar(at - net.tcp) })),
      h("span", { class: "kind-told" }, words.join(" · ")));
  }));
  if (focused !== undefined) bars.querySelector(`[data-kind="${focused}"]`)?.focus();
}
// What is chosen stands alone, or beside the visitor's own.
function put(k) {
  const column = (slot, place) => { columns[slot] = Object.assign(new Column(slot, place), { picked: first(traces[place]) }); };
  if (own === null) return column(0, k);
  if (k === own) { columns[1] = null; return column(0, own); }
  column(0, linked);
  column(1, k);
}
function choose(k) {
  put(k);
  chart();
  draw();
}

function steal() {
  const list = h("div", { class: "thefts" }), told = h("p", { role: "status", class: "told" });
  const sealed = k => traces[k].records.filter(r => r.level !== "plain").length;
  const button = h("button", { type: "button", "aria-pressed": String(state.stolen), onclick: () => { state.stolen = !state.stolen; fill(); } }, w("stealDo"));
  const fill = () => {
    button.setAttribute("aria-pressed", String(state.stolen));
    list.replaceChildren(...X.stolen.map(([k, opens], n) => h("div", {}, h("h4", {}, w("k" + (n ? 2 : 0))),
      h("ol", { class: "list" }, traces[k].records.map((r, i) => {
        const open = r.level === "plain", key = open ? "visible" : !state.stolen ? "hidden" : opens[i] ? "visible" : "hidden";
        const what = open ? w("is", r.content) : !state.stolen ? size(r.bytes.length) : opens[i] ? w("opens", r.content, size(r.plain)) : w("closed");
        return h("li", {}, h("span", {}, `${i + 1}. ${r.by ? "◀" : "▶"}`), h("div", {}, h("span", { class: "chip " + (key === "visible" ? "plain" : r.level) }, w(key)), " " + what));
      })))));
    const opened = X.stolen.map(([k, opens]) => traces[k].records.filter((r, i) => r.level !== "plain" && opens[i]).length);
    told.textContent = state.stolen ? (opened[0] === sealed(X.stolen[0][0]) && !opened[1] ? w("stolen", opened[0], sealed(X.stolen[1][0])) : opened.join(" / ")) : w("stealNone", ...X.stolen.map(([k]) => sealed(k)));
  };
  fill();
  return h("section", { "aria-labelledby": "xsteal" }, h("h3", { id: "xsteal" }, w("steal")), h("p", {}, w("stealTold")), button, told, list);
}

function between() {
  const T = traces[X.middle], certificate = leg => T.events.find(e => e.name === "Certificate" && e.leg === leg);
  const [real, forged] = [certificate(1), certificate(0)].map(e => e && fieldsOf(e));
  if (!real || !forged) return null;
  // The text of a name, the first bytes of what is long.
  const inside = (fields, name, leaf) => {
    const at = fields.findIndex(f => f.name === name && (leaf || !f.leaf)), f = fields[at];
    const found = f && (f.leaf ? f : fields.slice(at).find(o => o.leaf && o.start >= f.start && o.end <= f.end && ["value", "r", "dNSName", "keyIdentifier", "modulus"].includes(o.name)));
    return found ? found.value.slice(0, 40) + (found.value.length > 40 ? "…" : "") : "";
  };
  const rows = [["subjectAltName"], ["issuer"], ["validity", true], ["serialNumber", true], ["subjectPublicKey"], ["signatureValue"]].filter(([name]) => name !== "validity");
  return h("section", { "aria-labelledby": "xbetween" }, h("h3", { id: "xbetween" }, w("between")), h("p", {}, w("betweenTold")),
    h("button", { type: "button", onclick: () => { put(X.middle); if (own === null) columns[1] = null; chart(); draw(); main.scrollIntoView?.(); } }, w("betweenDo")),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": w("certificates") }, h("table", {},
      h("thead", {}, h("tr", {}, ["part", "real", "forged"].map(name => h("th", { scope: "col" }, w(name))))),
      h("tbody", {}, rows.map(([name, leaf]) => {
        const [a, b] = [inside(real, name, leaf), inside(forged, name, leaf)], broken = name === "signatureValue";
        return h("tr", { class: broken ? "broken" : null }, h("th", { scope: "row" }, name, broken ? h("span", { class: "bad" }, " ✗ " + w("breaks")) : null), h("td", {}, h("code", {}, a)), h("td", {}, h("code", {}, b)));
      })))),
    h("p", {}, w("betweenWhy")), h("p", { class: "bad" }, T.zh && zh ? T.zh[1] : T.outcome));
}

function flip() {
  const F = X.flip;
  if (!F) return null;
  const bytes = traces[F.trace].records[F.record].bytes, told = h("p", { role: "status", class: "told" }), refused = F.verdicts.filter(Boolean).length;
  const cells = Array.from(bytes, (byte, n) => h("button", { type: "button", class: "cell" + (n < 5 ? " header" : ""), tabindex: n === state.byte ? 0 : -1, "data-cell": n,
    onclick: () => pick(n), onkeydown: e => {
      const d = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 8, ArrowUp: -8, Home: -n, End: bytes.length - 1 - n }[e.key];
      if (d === undefined || !cells[n + d]) return;
      cells[n].tabIndex = -1; cells[n + d].tabIndex = 0; cells[n + d].focus();
      e.preventDefault();
    } }));
  const pick = n => {
    state.byte = n;
    cells.forEach((cell, k) => {
      cell.textContent = two(k === n ? bytes[k] ^ 1 : bytes[k]);
      cell.setAttribute("aria-label", w("byte", k, two(bytes[k])));
      cell.setAttribute("aria-pressed", String(k === n));
      cell.tabIndex = k === n ? 0 : -1;
    });
    told.textContent = w("v" + F.verdicts[n], n, two(bytes[n]), two(bytes[n] ^ 1));
  };
  pick(state.byte);
  return h("section", { "aria-labelledby": "xflip" }, h("h3", { id: "xflip" }, w("flip")), h("p", {}, w("flipTold")),
    h("div", { class: "cells", role: "group", "aria-label": w("recordBytes") }, cells), told,
    h("p", { class: "soft" }, refused === bytes.length ? w("flipAll", bytes.length) : w("flipSome", bytes.length, refused)));
}

explore = () => {
  bars = h("div", { role: "radiogroup", "aria-label": w("kinds"), class: "kinds" });
  explorer.className = "trace explorer";
  explorer.replaceChildren(h("h2", { id: "explorerTitle" }, w("explore")), h("p", {}, w(own === null ? "exploreTold" : "exploreOwn")),
    h("div", { class: "sliders" }, slider("latency", 1, 300), slider("tcp", 0, 600)), bars, h("div", { class: "attacks" }, [steal(), between(), flip()].filter(Boolean)));
  chart();
};
explorer.hidden = false;
rescale();
if (own !== null) {
  // One's own comes first, and the way to the rest stands above.
  main.after(explorer);
  const told = () => { way.textContent = w("explore"); };
  const way = h("button", { id: "way", type: "button", onclick: () => { explorer.scrollIntoView?.(); (bars.querySelector("[tabindex='0']") || explorer).focus({ preventScroll: true }); } });
  const within = explore;
  explore = () => { within(); told(); };
  language.before(way);
}
