//! What an idle blocking stream costs in memory after traffic, though nobody has told it to rest: on a transport that does
//! not block, which is how one thread has many. Run with `--nocapture` to see the figure.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use clasp::{ClientConfig, ServerConfig, Stream};
use clasp_testkit::idle::{Wire, check_idle_streams};
use clasp_testkit::{KeyKind, authority};
use std::io::{ErrorKind, Read, Write};

/// Both handshakes, each as far as it comes with what the other has said.
fn handshake(client: &mut Stream<Wire>, server: &mut Stream<Wire>) {
    for _ in 0..10 {
        match (client.handshake(), server.handshake()) {
            (Ok(_), Ok(_)) => return,
            (client, server) => {
                for error in [client.err(), server.err()].into_iter().flatten() {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                }
            }
        }
    }
    unreachable!("nobody has anything more to say");
}

#[test]
fn an_idle_stream_holds_neither_buffers_nor_ciphers() {
    let client = ClientConfig::builder().trust(authority().roots()).no_sessions().build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).no_sessions().build().unwrap();
    let (up, down) = Wire::pair();
    let mut data = vec![7; 16 * 1024];
    check_idle_streams(|| {
        let name = "localhost".try_into().unwrap();
        let mut client = Stream::new(client.connect(name), up.clone());
        let mut server = Stream::new(server.accept(), down.clone());
        handshake(&mut client, &mut server);
        client.write_all(&data).unwrap();
        server.read_exact(&mut data).unwrap();
        server.write_all(&data).unwrap();
        client.read_exact(&mut data).unwrap();
        for stream in [&mut client, &mut server] {
            assert_eq!(stream.read(&mut data).unwrap_err().kind(), ErrorKind::WouldBlock);
        }
        (client, server)
    });
}
