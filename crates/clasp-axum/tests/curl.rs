//! The example of this crate, asked by curl.
//!
//! Without `curl` the test says so and passes; with `CLASP_INTEROP=require` (in CI) it fails.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use clasp_axum::{TlsInfo, TlsListener};
use clasp_testkit::{KeyKind, authority};
use std::path::Path;
use tokio::process::Command;

async fn curl(port: u16, folder: &Path, more: &[&str]) -> (bool, String) {
    let out = Command::new("curl")
        .current_dir(folder)
        .args(["--silent", "--show-error", "--noproxy", "*", "--cacert", "ca.pem"])
        .args(more)
        .arg(format!("https://localhost:{port}/"))
        .output()
        .await
        .unwrap();
    (out.status.success(), String::from_utf8_lossy(if out.status.success() { &out.stdout } else { &out.stderr }).into())
}

#[tokio::test]
async fn curl_shows_its_certificate_over_either_version_of_http() {
    let interop = std::env::var("CLASP_INTEROP").unwrap_or_default();
    if interop == "off" {
        return eprintln!("skipped: switched off by CLASP_INTEROP");
    }
    if Command::new("curl").arg("--version").output().await.is_err() {
        assert_ne!(interop, "require", "there is no curl");
        return eprintln!("skipped: there is no curl");
    }
    let folder = tempfile::tempdir().unwrap();
    let alice = authority().issue(KeyKind::P256, &["alice.example"]);
    for (file, pem) in [("ca.pem", authority().pem()), ("cert.pem", &alice.chain_pem), ("key.pem", &alice.key_pem)] {
        std::fs::write(folder.path().join(file), pem).unwrap();
    }
    let listener = TlsListener::bind("127.0.0.1:0", common::server_config(true)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = common::app().into_make_service_with_connect_info::<TlsInfo>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let own = ["--cert", "cert.pem", "--key", "key.pem"];
    let words = |version: &str| (true, format!("{version} alice.example,CN=alice.example"));
    assert_eq!(curl(port, folder.path(), &[&own[..], &["--http2"]].concat()).await, words("HTTP/2.0"));
    assert_eq!(curl(port, folder.path(), &[&own[..], &["--http1.1"]].concat()).await, words("HTTP/1.1"));
    let (served, error) = curl(port, folder.path(), &[]).await;
    assert!(!served && error.contains("certificate required"), "{error}");
}
