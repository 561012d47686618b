//! The pages of `clasp trace`, `clasp demo`, `clasp serve` and `clasp scan`, in a browser: Chromium, headless, wide and narrow, light and dark. `page.js`
//! and `page_scan.js` do what a reader does.
//!
//! axe-core, which `.ci/run` gets from npm, looks for what a screen reader or a keyboard would stumble over; nothing of it is kept here.
//!
//! Needs `chromium`. Without it the tests say so and pass; with `CLASP_INTEROP=require` they fail.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{clasp, clasp_fed, issued, serve, text};
use std::path::Path;
use std::process::{Command, Stdio};

const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/node_modules/axe-core/axe.min.js");
const BROWSERS: [&str; 2] = ["chromium", "chromium-browser"];
const WIDE: &str = "--window-size=1400,900";
const NARROW: &str = "--window-size=390,844";
const DARK: &str = "--force-dark-mode";

/// A browser, and what it finds wrong with pages.
struct Reader<'h> {
    browser: &'static str,
    axe: String,
    home: &'h Path,
}

impl<'h> Reader<'h> {
    /// None where there is no browser: that is said, or a failure.
    fn new(home: &'h Path) -> Option<Self> {
        if std::env::var("CLASP_INTEROP").as_deref() == Ok("off") {
            eprintln!("skipped: switched off by CLASP_INTEROP");
            return None;
        }
        let required = std::env::var("CLASP_INTEROP").as_deref() == Ok("require");
        let is_there = |browser: &&str| Command::new(browser).arg("--version").output().is_ok();
        let Some(browser) = BROWSERS.into_iter().find(is_there) else {
            assert!(!required, "no chromium");
            eprintln!("skipped: no chromium");
            return None;
        };
        let axe = std::fs::read_to_string(AXE).unwrap_or_default();
        if axe.is_empty() {
            assert!(!required, "no axe-core: {AXE}");
            eprintln!("without axe-core: {AXE} is not there");
        }
        Some(Self { browser, axe, home })
    }

    /// Has a page read as this script reads it; the verdict. A page whose policy allows no script has it allow this one.
    fn reads(&self, page: &str, script: &str, options: &[&str]) -> String {
        let strict = "content=\"default-src 'none'; style-src 'unsafe-inline'\"";
        let page = page
            .replace(strict, "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"");
        let (page, rest) = page.rsplit_once("</body>").unwrap();
        let path = self.home.join("read.html");
        let axe = &self.axe;
        std::fs::write(&path, format!("{page}<script>{axe}</script><script>{script}</script></body>{rest}")).unwrap();
        let profile = format!("--user-data-dir={}", self.home.join("profile").display());
        let address = format!("file://{}", path.display());
        let mut command = Command::new(self.browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", &profile]).args(options);
        command.args(["--virtual-time-budget=60000", "--dump-dom", &address]);
        command.env("HOME", self.home).env("XDG_CONFIG_HOME", self.home).stdin(Stdio::null());
        let loaded = command.output().unwrap();
        let document = text(&loaded.stdout);
        let verdict = document.split_once("id=\"verdict\">").map(|(_, rest)| rest.split("</pre>").next().unwrap());
        verdict.map_or_else(|| format!("no verdict: {}", text(&loaded.stderr)), str::to_owned)
    }
}

#[test]
fn a_reader_finds_his_way_through_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let Some(reader) = Reader::new(home) else { return };
    let (root, chain, key) = issued(home);
    let server = serve(&["--cert", &chain, "--key", &key], home);
    let target = format!("localhost:{}", server.port());
    let path = home.join("t.html");
    let html = path.to_str().unwrap();
    let trace = |version| ["trace", "connect", &target, "--ca", &root, "--resume", "--lang", "en", "--tls", version];
    for (line, options) in
        [(&trace("1.3")[..], &[WIDE][..]), (&trace("1.2"), &[NARROW, DARK]), (&["demo"], &[WIDE, "--lang=en"])]
    {
        let written = clasp(&[line, &["--html", html]].concat());
        assert!(written.status.success(), "{}", text(&written.stderr));
        let verdict = reader.reads(&std::fs::read_to_string(&path).unwrap(), include_str!("page.js"), options);
        assert_eq!(verdict, "ALL WELL", "{line:?} {options:?}");
    }
    // The status page, with the explorer.
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
    let answer = clasp_fed(&["connect", &target, "--ca", &root, "--alpn", "http/1.1"], request);
    let answer = text(&answer.stdout);
    let (_, page) = answer.split_once("\r\n\r\n").unwrap();
    for options in [&[WIDE, "--lang=en"][..], &[NARROW, DARK]] {
        assert_eq!(reader.reads(page, include_str!("page.js"), options), "ALL WELL", "status page {options:?}");
    }
}

#[test]
fn a_report_of_a_scan_is_read_like_any_page() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let Some(reader) = Reader::new(home) else { return };
    let (root, chain, key) = issued(home);
    let [good, old] =
        ["default", "legacy"].map(|policy| serve(&["--cert", &chain, "--key", &key, "--policy", policy], home));
    let html = home.join("s.html");
    let [good, old] = [&good, &old].map(|server| format!("localhost:{}", server.port()));
    let scanned = clasp(&["scan", "--ca", &root, &good, &old, "--html", html.to_str().unwrap()]);
    assert!(scanned.status.success(), "{}", text(&scanned.stderr));
    let page = std::fs::read_to_string(&html).unwrap();
    for (options, wanted) in [(&[WIDE][..], "ALL WELL"), (&[NARROW, DARK], "ALL WELL, dark")] {
        assert_eq!(reader.reads(&page, include_str!("page_scan.js"), options), wanted, "{options:?}");
    }
}
