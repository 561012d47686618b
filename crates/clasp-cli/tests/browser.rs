//! A browser of today loads a page from `clasp serve`: Chromium, headless, which asks for a hybrid with ML-KEM.
//!
//! Needs `chromium` and NSS's `certutil`. Without them the test says so and passes; with `CLASP_INTEROP=require` (in
//! `.ci/run`) it fails.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{issued, serve, text};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BROWSERS: [&str; 2] = ["chromium", "chromium-browser"];

fn run(home: &Path, program: &str, arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", home).env("XDG_CONFIG_HOME", home).stdin(Stdio::null()).output()
}

/// The browser, or why the test cannot run.
fn browser(home: &Path) -> Result<&'static str, String> {
    let is_there = |program: &str, argument: &str| run(home, program, &[argument]).is_ok();
    if !is_there("certutil", "-H") {
        return Err("no certutil (Debian: libnss3-tools)".into());
    }
    BROWSERS.into_iter().find(|b| is_there(b, "--version")).ok_or_else(|| "no chromium".into())
}

#[test]
fn chromium_loads_a_page_over_a_hybrid_group() {
    if std::env::var("CLASP_INTEROP").as_deref() == Ok("off") {
        return eprintln!("skipped: switched off by CLASP_INTEROP");
    }
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let browser = match browser(home) {
        Ok(browser) => browser,
        Err(why) => {
            assert_ne!(std::env::var("CLASP_INTEROP").as_deref(), Ok("require"), "{why}");
            return eprintln!("skipped: {why}");
        }
    };
    let (root, chain, key) = issued(home);
    trust(home, &root);
    let server = serve(&["--cert", &chain, "--key", &key, "--json"], home);
    let profile = format!("--user-data-dir={}", home.join("profile").display());
    let page = format!("https://localhost:{}/", server.port());
    let options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        "--no-first-run",
        &profile,
        "--dump-dom",
        &page,
    ];
    let loaded = run(home, browser, &options).unwrap();
    let (document, said) = (text(&loaded.stdout), text(&loaded.stderr));
    assert!(document.contains("This page came over TLS by Clasp."), "{document}\n{said}");
    // Drawn by its script, from the bytes of this very connection.
    assert!(document.contains("ClientHello") && document.contains("<svg"), "{document}\n{said}");
    let line = server.line("\"version\"");
    for wanted in ["\"group\":\"X25519MLKEM768\"", "\"version\":\"TLS 1.3\"", "\"alpn\":\"h2\""] {
        assert!(line.contains(wanted), "{wanted} is not in {line}");
    }
}

/// Makes the browser trust a CA, through the certificates of its user.
fn trust(home: &Path, root: &str) {
    let folder = home.join(".pki/nssdb");
    std::fs::create_dir_all(&folder).unwrap();
    let database = format!("sql:{}", folder.display());
    for arguments in [&["-N", "--empty-password"][..], &["-A", "-n", "clasp", "-t", "C,,", "-i", root]] {
        let done = run(home, "certutil", &[&["-d", &database], arguments].concat()).unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
    }
}
