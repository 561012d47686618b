//! The page of `clasp trace` and `clasp demo`, in a browser: Chromium, headless, wide and narrow, light and dark. `page.js` does what a reader does.
//!
//! axe-core, which `.ci/run` gets from npm, looks for what a screen reader or a keyboard would stumble over; nothing of it is kept here.
//!
//! Needs `chromium`. Without it the test says so and passes; with `CLASP_INTEROP=require` it fails.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{clasp, issued, serve, text};
use std::process::{Command, Stdio};

const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers/node_modules/axe-core/axe.min.js");
const BROWSERS: [&str; 2] = ["chromium", "chromium-browser"];

#[test]
fn a_reader_finds_his_way_through_the_page() {
    if std::env::var("CLASP_INTEROP").as_deref() == Ok("off") {
        return eprintln!("skipped: switched off by CLASP_INTEROP");
    }
    let is_there = |browser: &&str| Command::new(browser).arg("--version").output().is_ok();
    let Some(browser) = BROWSERS.into_iter().find(is_there) else {
        assert_ne!(std::env::var("CLASP_INTEROP").as_deref(), Ok("require"), "no chromium");
        return eprintln!("skipped: no chromium");
    };
    let axe = std::fs::read_to_string(AXE).unwrap_or_default();
    if axe.is_empty() {
        assert_ne!(std::env::var("CLASP_INTEROP").as_deref(), Ok("require"), "no axe-core: {AXE}");
        eprintln!("without axe-core: {AXE} is not there");
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let (root, chain, key) = issued(home);
    let server = serve(&["--cert", &chain, "--key", &key], home);
    let target = format!("localhost:{}", server.port());
    let path = home.join("t.html");
    let html = path.to_str().unwrap();
    let trace = |version| ["trace", "connect", &target, "--ca", &root, "--resume", "--lang", "en", "--tls", version];
    for (line, window, more) in [
        (&trace("1.3")[..], "1400,900", ""),
        (&trace("1.2"), "390,844", "--force-dark-mode"),
        (&["demo"], "390,844", ""),
        (&["demo"], "1400,900", "--lang=en"),
    ] {
        let written = clasp(&[line, &["--html", html]].concat());
        assert!(written.status.success(), "{}", text(&written.stderr));
        let page = std::fs::read_to_string(&path).unwrap();
        let (page, rest) = page.rsplit_once("</body>").unwrap();
        let script = include_str!("page.js");
        std::fs::write(&path, format!("{page}<script>{axe}</script><script>{script}</script></body>{rest}")).unwrap();
        let profile = format!("--user-data-dir={}", home.join("profile").display());
        let window = format!("--window-size={window}");
        let address = format!("file://{html}");
        let mut command = Command::new(browser);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", &profile, &window]);
        command.args(Some(more).filter(|more| !more.is_empty())).args([
            "--virtual-time-budget=60000",
            "--dump-dom",
            &address,
        ]);
        let loaded = command.env("HOME", home).env("XDG_CONFIG_HOME", home).stdin(Stdio::null()).output().unwrap();
        let document = text(&loaded.stdout);
        let verdict = document.split_once("id=\"verdict\">").map(|(_, rest)| rest.split("</pre>").next().unwrap());
        assert_eq!(verdict, Some("ALL WELL"), "{line:?} {window} {more}: {}", text(&loaded.stderr));
    }
}
