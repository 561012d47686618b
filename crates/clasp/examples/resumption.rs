//! The second connection saves the certificates and their checks. Nothing has to be asked for: connections of one
//! configuration share its sessions.
#![allow(clippy::print_stdout)]

mod common;

use clasp::{ClientConfig, Resumption, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::net::TcpStream;

fn main() -> Result {
    let authority = Authority::new()?;
    let server = ServerConfig::builder().identity(authority.issue("localhost")?).build()?;
    let (address, served) = serve(&server, 2, |_| Ok("hello".into()))?;

    let config = ClientConfig::builder().trust(authority.roots()?).build()?;
    let mut how = Vec::new();
    for _ in 0..2 {
        let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
        let facts = tls.handshake()?;
        println!("resumed: {:?}", facts.resumed);
        how.push(facts.resumed);
        rest(&mut tls)?; // a session of TLS 1.3 comes behind the handshake, before the server's first bytes
    }
    assert_eq!(how, [None, Some(Resumption::Ticket)]);
    served.join().map_err(|_| "the server panicked")?.into_iter().try_for_each(|one| one.map(drop))
}

#[test]
fn runs() {
    main().unwrap();
}
