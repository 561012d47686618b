//! What this crate gives its callers may go to another thread and be shared among several: every public name stands here.

use clasp_hyper::{HttpFetch, HttpsConnector, HttpsStream};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[expect(clippy::extra_unused_type_parameters, reason = "the bound is the test")]
fn send_sync<T: Send + Sync>(name: &'static str) -> &'static str {
    name
}

#[test]
fn every_public_type_is_send_and_sync() {
    let held = [
        // A future, which goes to another thread and is polled by one at a time.
        "Connecting",
        send_sync::<HttpFetch>("HttpFetch"),
        send_sync::<HttpsConnector>("HttpsConnector"),
        send_sync::<HttpsStream<TokioIo<TcpStream>>>("HttpsStream"),
    ];
    let source = include_str!("../src/lib.rs");
    let used: String = source.lines().filter(|line| line.starts_with("pub use ")).collect();
    for name in used.split(|c: char| !c.is_alphanumeric()).filter(|word| word.starts_with(char::is_uppercase)) {
        assert!(held.contains(&name), "{name} is public, and not in the list");
    }
}
