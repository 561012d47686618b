//! What this crate gives its callers may go to another thread and be shared among several: every public name stands here.

use clasp_testkit::{not_held, send_sync};
use clasp_tokio::{AcceptError, Acceptor, Connecting, Connector, Listener, PassThrough, PeekError, Pending, TlsStream};
use tokio::net::TcpStream;

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
    assert_eq!(not_held(include_str!("../src/lib.rs"), &held), [""; 0], "public, and not in the list");
}
