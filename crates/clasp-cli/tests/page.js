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
    is("an extension is explained", one(".told").textContent.includes("RFC"));

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
      is("one alone", all(".trace").length === 1);
      one("#choose1").value = "1";
      one("#choose1").dispatchEvent(new Event("change"));
      is("two side by side", all(".trace").length === 2);
    }
  } catch (error) {
    wrong.push(String(error));
  }
  const verdict = document.createElement("pre");
  verdict.id = "verdict";
  verdict.textContent = wrong.length ? "WRONG: " + wrong.join("; ") : "ALL WELL";
  document.body.append(verdict);
})();
