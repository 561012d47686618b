//! What an idle blocking stream costs in memory after traffic, though nobody has told it to rest: on a transport that does
//! not block, which is how one thread has many. Run with `--nocapture` to see the figure.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use clasp::{ClientConfig, ServerConfig, Stream};
use clasp_testkit::{KeyKind, authority};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

/// A transport in memory; all pairs use the same one, one after another, so that it is on nobody's account.
#[derive(Clone, Default)]
struct Wire {
    from_peer: Rc<RefCell<Vec<u8>>>,
    to_peer: Rc<RefCell<Vec<u8>>>,
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut waiting = self.from_peer.borrow_mut();
        if waiting.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let n = waiting.len().min(buf.len());
        waiting.drain(..n).zip(buf).for_each(|(byte, place)| *place = byte);
        Ok(n)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.to_peer.borrow_mut().extend_from_slice(buf);
        Ok(buf.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Resident memory of this process.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

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

/// With everything: the stream itself, Rust's heap and the C library's, and its share of what the process keeps for those
/// that waited last.
const MOST: usize = 1536;

#[test]
fn an_idle_stream_holds_neither_buffers_nor_ciphers() {
    const PAIRS: usize = 10_000;
    let client = ClientConfig::builder().trust(authority().roots()).no_sessions().build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).no_sessions().build().unwrap();
    let up = Wire::default();
    let down = Wire { from_peer: up.to_peer.clone(), to_peer: up.from_peer.clone() };
    let mut data = vec![7; 16 * 1024];
    let mut pair = || {
        let name = "localhost".try_into().unwrap();
        let mut client = Stream::new(client.connect(name).unwrap(), up.clone());
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
    };
    let warm: Vec<_> = (0..100).map(|_| pair()).collect();
    let before = resident();
    let pairs: Vec<_> = (0..PAIRS).map(|_| pair()).collect();
    let grown = resident().saturating_sub(before) / (2 * PAIRS);
    let own = size_of::<Stream<Wire>>();
    println!("{PAIRS} idle pairs of streams, bytes a side: {grown} resident, {own} of them the stream itself");
    assert!((own..=MOST).contains(&grown), "{grown} bytes for an idle stream");
    drop((warm, pairs));
}
