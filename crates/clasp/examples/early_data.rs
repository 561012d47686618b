//! A request in the first flight, before the server has said a word. Whoever is on the path can make it arrive twice:
//! both sides have to want it, and nothing belongs in it that does harm when it happens twice.
#![allow(clippy::print_stdout)]

mod common;

use clasp::{ClientConfig, EarlyData, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::io::{Read, Write};
use std::net::TcpStream;

const REQUEST: &[u8] = b"GET /weather";

fn main() -> Result {
    let authority = Authority::new()?;
    let server = ServerConfig::builder().identity(authority.issue("localhost")?).max_early_data(1024).build()?;
    let (address, served) = serve(&server, 2, |tls| {
        let (mut early, mut buf) = (Vec::new(), [0; 256]);
        loop {
            match tls.read_early(&mut buf)? {
                0 => break, // and the handshake is done
                n => early.extend_from_slice(&buf[..n]),
            }
        }
        if early.is_empty() {
            tls.read_exact(&mut buf[..REQUEST.len()])?;
            return Ok("an answer to what came after the handshake".into());
        }
        assert_eq!(early, REQUEST);
        Ok("an answer to early data".into())
    })?;

    let config = ClientConfig::builder().trust(authority.roots()?).early_data(true).build()?;
    let mut taken = Vec::new();
    for _ in 0..2 {
        let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
        let sent = tls.send_early(REQUEST)?; // 0 without a session that allows it
        let again = tls.refused_early_data()?; // ends the handshake; what the server did not take
        tls.write_all(&again)?;
        tls.write_all(&REQUEST[sent..])?;
        let facts = tls.handshake()?;
        println!("early data {:?}: {}", facts.early_data, rest(&mut tls)?);
        taken.push(facts.early_data == EarlyData::Accepted);
    }
    assert_eq!(taken, [false, true]);
    served.join().map_err(|_| "the server panicked")?.into_iter().try_for_each(|one| one.map(drop))
}

#[test]
fn runs() {
    main().unwrap();
}
