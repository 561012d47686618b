//! What this crate gives its callers may go to another thread and be shared among several: every public name stands here.

use clasp_tokio::{AcceptError, Acceptor, Connecting, Connector, Listener, PassThrough, PeekError, Pending, TlsStream};
use tokio::net::TcpStream;

#[expect(clippy::extra_unused_type_parameters, reason = "the bound is the test")]
fn send_sync<T: Send + Sync>(name: &'static str) -> &'static str {
    name
}

#[test]
fn every_public_type_is_send_and_sync() {
    let held = [
        send_sync::<AcceptError<TcpStream>>("AcceptError"),
        send_sync::<Acceptor>("Acceptor"),
        send_sync::<Connecting<TcpStream>>("Connecting"),
        send_sync::<Connector>("Connector"),
        send_sync::<Listener>("Listener"),
        send_sync::<PassThrough<TcpStream>>("PassThrough"),
        send_sync::<PeekError<TcpStream>>("PeekError"),
        send_sync::<Pending<TcpStream>>("Pending"),
        send_sync::<TlsStream<TcpStream>>("TlsStream"),
    ];
    let source = include_str!("../src/lib.rs");
    let used: String = source.lines().filter(|line| line.starts_with("pub use ")).collect();
    for name in used.split(|c: char| !c.is_alphanumeric()).filter(|word| word.starts_with(char::is_uppercase)) {
        assert!(held.contains(&name), "{name} is public, and not in the list");
    }
}
