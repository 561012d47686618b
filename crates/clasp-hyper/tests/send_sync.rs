//! What this crate gives its callers may go to another thread and be shared among several: every public name stands here.

use clasp_hyper::{HttpFetch, HttpsConnector, HttpsStream};
use clasp_testkit::{not_held, send_sync};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

#[test]
fn every_public_type_is_send_and_sync() {
    let held = [
        // A future, which goes to another thread and is polled by one at a time.
        "Connecting",
        send_sync::<HttpFetch>("HttpFetch"),
        send_sync::<HttpsConnector>("HttpsConnector"),
        send_sync::<HttpsStream<TokioIo<TcpStream>>>("HttpsStream"),
    ];
    assert_eq!(not_held(include_str!("../src/lib.rs"), &held), [""; 0], "public, and not in the list");
}
