// What a reader does with the page, and what he must see. It stands behind the page's own script, and writes its verdict into the page.
(() => {
  const wrong = [], is = (what, seen) => { if (!seen) wrong.push(what); };
  const all = selector => [...document.querySelectorAll(selector)];
  const one = selector => document.querySelector(selector);
  const say = (element, type, more) => element.dispatchEvent(new MouseEvent(type, { bubbles: true, ...more }));
  const press = (element, key) => element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  try {
    const row = name => all("[data-event]").find(r => r.getAttribute("aria-label").startsWith(name + ","));
    is("messages", row("ClientHello") && row("ServerHello") && row("Finished"));
    is("each message has a name, a role and a place in the order", all("[data-event]").every(r => r.getAttribute("role") === "button" && r.getAttribute("tabindex") === "0"));
    is("each control has a name", all("button, select").every(e => e.textContent.trim() || e.getAttribute("aria-label")));

    say(row("ServerHello"), "click");
    is("a click opens a message", one(".detail h3").textContent.startsWith("ServerHello"));
    is("and says so", row("ServerHello").getAttribute("aria-pressed") === "true");
    const fields = all("[data-field]"), random = fields.findIndex(f => f.textContent.startsWith("random:"));
    is("its bytes stand beside its fields", all("[data-byte]").length > 60 && random > 0);
    say(fields[random], "mouseover");
    is("a field shows its 32 bytes", all(".row .hot").length === 32);
    say(one('[data-byte="0"]'), "mouseover");
    is("a byte shows its field", fields[0].classList.contains("hot") && all(".row .hot").length === 1);
    say(one('[data-byte="0"]'), "click");
    say(one(".bytes"), "mouseleave");
    is("a click holds it", all(".row .pinned").length === 1);
    const extension = fields.findIndex(f => f.textContent.startsWith("extension_type: "));
    say(fields[extension], "mouseover");
    is("an extension is explained", one(".detail .told").textContent.includes("RFC"));

    row("ServerHello").focus();
    press(row("ServerHello"), "ArrowUp");
    is("arrows go through the messages", document.activeElement === row("ClientHello"));
    press(row("ClientHello"), "Enter");
    is("Enter opens", one(".detail h3").textContent.startsWith("ClientHello"));
    const first = one("[data-field]");
    first.focus();
    press(first, "ArrowDown");
    is("arrows go through the fields", document.activeElement === all("[data-field]")[1]);

    is("nothing is wider than the window", document.documentElement.scrollWidth <= Math.max(innerWidth, document.documentElement.clientWidth));

    one("#c0keys").click();
    is("the key schedule", one("[role=tabpanel]").textContent.includes("Handshake Secret") || one("[role=tabpanel]").textContent.includes("master_secret"));
    one("#c0wire").click();
    is("the eavesdropper", one("[role=tabpanel]").textContent.includes("localhost"));
    press(one("#c0wire"), "ArrowLeft");
    is("arrows go through the tabs", one("#c0keys").getAttribute("aria-selected") === "true");

    one("#language").click();
    is("Chinese", document.documentElement.lang === "zh" && one(".detail").textContent.includes("客户端") && one("#c0keys").textContent === "密钥调度");
    is("the same message is open", one(".detail h3").textContent.startsWith("ClientHello"));
    one("#language").click();
    is("English again", document.documentElement.lang === "en" && one("#c0keys").textContent === "Key schedule");

    const second = one("#choose1");
    if (second) {
      second.value = "";
      second.dispatchEvent(new Event("change"));
      is("one alone", all("main .trace").length === 1);
      one("#choose1").value = "1";
      one("#choose1").dispatchEvent(new Event("change"));
      is("two side by side", all("main .trace").length === 2);
    }
    if (!one("#explorer").hidden) explorer();
  } catch (error) {
    wrong.push(String(error));
  }

  // The demonstration's page, and the status page of a server: there, what is chosen stands beside the visitor's own.
  function explorer() {
    const kind = n => one(`[data-kind="${n}"]`), slide = (name, value) => {
      one("#" + name).value = value;
      one("#" + name).dispatchEvent(new Event("input", { bubbles: true }));
    };
    const own = all("[data-kind]").length === 8, shown = own ? 1 : 0, mine = () => all("[data-kind]")[0];
    if (own) {
      one("#way").click();
      is("a way to the explorer, which stands behind one's own", document.activeElement.dataset.kind && one("#main").compareDocumentPosition(one("#explorer")) === Node.DOCUMENT_POSITION_FOLLOWING);
      mine().click();
      is("one's own handshake, on the same link", mine().getAttribute("aria-checked") === "true" && mine().textContent.includes("your connection: TLS 1.3") && mine().textContent.includes("112 ms") && all("main .trace").length === 1);
    }
    is("the classic figures", kind(0).textContent.includes("168 ms") && kind(1).textContent.includes("112 ms"));
    slide("latency", 100);
    is("of one's own, too", !own || mine().textContent.includes("256 ms"));
    is("a longer way", kind(0).textContent.includes("456 ms") && kind(4).textContent.includes("256 ms"));
    slide("tcp", 0);
    is("without TCP's handshake", kind(0).textContent.includes("400 ms") && kind(5).textContent.includes("0.00 ms"));
    kind(0).click();
    is("the drawing follows", [...document.querySelectorAll(".clock")].some(c => c.textContent === "400 ms"));
    slide("latency", 28);
    slide("tcp", 56);
    kind(0).focus();
    press(kind(0), "ArrowDown");
    is("arrows choose a kind", kind(1).getAttribute("aria-checked") === "true" && document.activeElement === kind(1) && one("#choose" + shown).value === "1");
    is("one's own stays", !own || (all("main .trace").length === 2 && one("main h2").textContent === "Your connection, on this link"));
    is("and follows the sliders", !own || [...one("main .trace").querySelectorAll(".clock")].some(c => c.textContent === "112 ms"));
    const [stolen, between, flip] = all("#explorer section");
    const status = section => section.querySelector("[role=status]").textContent;
    is("nothing is stolen yet", status(stolen).includes("enciphered") && !stolen.textContent.includes("opens:"));
    stolen.querySelector("button").click();
    is("a stolen key opens RSA key transport, and no ECDHE", status(stolen).includes("not one opens") && stolen.textContent.includes("opens: application_data, 5 bytes") && stolen.textContent.includes("stays closed"));
    is("where the chain breaks", between.querySelector(".broken").textContent.includes("signatureValue"));
    const signatures = [...between.querySelectorAll(".broken code")].map(c => c.textContent), issuers = [...between.querySelectorAll("tr:nth-child(2) code")].map(c => c.textContent);
    is("one name, two signatures", signatures[0] && signatures[0] !== signatures[1] && issuers[0] === issuers[1] && issuers[0].includes("Clasp Demo CA"));
    flip.querySelector('[data-cell="20"]').click();
    is("a flipped byte is refused", status(flip).includes("bad_record_mac"));
    press(flip.querySelector('[data-cell="20"]'), "ArrowRight");
    is("arrows go through the bytes", document.activeElement.dataset.cell === "21");
    is("as is every other", flip.textContent.includes("none was taken"));
    between.querySelector("button").click();
    is("three lanes", all("svg .who").length === (own ? 5 : 3));
    one("#language").click();
    is("the explorer in Chinese", one("#explorerTitle").textContent === "动手看看" && all("main h2")[shown].textContent.includes("中间人") && (!own || (one("main h2").textContent.includes("你的连接") && mine().textContent.includes("你的连接：TLS 1.3"))));
    is("nothing is wider than the window, with the explorer too", document.documentElement.scrollWidth <= Math.max(innerWidth, document.documentElement.clientWidth));
    one("#language").click();
    kind(0).click();
  }

  const finish = () => {
    const verdict = document.createElement("pre");
    verdict.id = "verdict";
    verdict.textContent = wrong.length ? "WRONG: " + wrong.join("; ") : "ALL WELL";
    document.body.append(verdict);
  };
  // axe-core, where the test has brought it: what a screen reader or a keyboard would stumble over.
  if (!window.axe) return finish();
  axe.run(document, { resultTypes: ["violations"] }).then(found => {
    for (const { id, help, nodes } of found.violations) wrong.push(`axe: ${id}: ${help}: ` + nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary).join(" | "));
  }, error => wrong.push(String(error))).then(finish);
})();
