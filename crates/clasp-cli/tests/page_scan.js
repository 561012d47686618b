// The page of `clasp scan`, which has no script of its own: what its reader must find. The test has put this one into it.
(() => {
  const wrong = [], is = (what, seen) => { if (!seen) wrong.push(what); };
  const all = selector => [...document.querySelectorAll(selector)];
  is("a title, a heading, a section a server", document.title && all("h1").length === 1 && all("main > section > h2").length === 2);
  is("each table has a name, and each column", all("table").length > 8 && all("table").every(t => t.caption?.textContent.trim() && [...t.tHead.rows[0].cells].every(c => c.scope === "col" && c.textContent.trim())));
  is("a finding says how much it weighs, in words", all(".findings li").length > 0 && all(".findings li").every(li => /^(bad|warning|note) /.test(li.textContent)));
  is("nothing is wider than the window", document.documentElement.scrollWidth <= Math.max(innerWidth, document.documentElement.clientWidth));
  for (const box of all(".scroll").filter(box => box.scrollWidth > box.clientWidth)) {
    box.focus();
    is("a keyboard comes to what is wider: " + box.textContent.slice(0, 30), document.activeElement === box && box.getAttribute("aria-label"));
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches, [red] = getComputedStyle(document.body).backgroundColor.match(/\d+/g);
  is("dark where the system is", dark === (+red < 100));
  const finish = () => {
    const verdict = document.createElement("pre");
    verdict.id = "verdict";
    verdict.textContent = wrong.length ? "WRONG: " + wrong.join("; ") : (dark ? "ALL WELL, dark" : "ALL WELL");
    document.body.append(verdict);
  };
  if (!window.axe) return finish();
  axe.run(document, { resultTypes: ["violations"] }).then(found => {
    for (const { id, help, nodes } of found.violations) wrong.push(`axe: ${id}: ${help}: ` + nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary).join(" | "));
  }, error => wrong.push(String(error))).then(finish);
})();
