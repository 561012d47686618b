//! Certificates on both sides: the server serves whom its authority has named, and nobody else.
#![allow(clippy::print_stdout)]

mod common;

use clasp::config::WebPki;
use clasp::{ClientAuth, ClientConfig, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::net::TcpStream;
use std::sync::Arc;

fn main() -> Result {
    let (servers, clients) = (Authority::new()?, Authority::new()?);
    let verifier = WebPki::clients(Arc::new(clients.roots()?));
    let server = ServerConfig::builder()
        .identity(servers.issue("localhost")?)
        .client_auth(ClientAuth::Require(Arc::new(verifier)))
        .build()?;
    let (address, served) = serve(&server, 2, |tls| {
        let facts = tls.handshake()?;
        let who = facts.peer_identifiers().first().map_or_else(|| "nobody".into(), ToString::to_string);
        Ok(format!("hello, {who}"))
    })?;

    let alice = clients.issue("alice.example")?;
    let config = ClientConfig::builder().trust(servers.roots()?).identity(alice).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    let answer = rest(&mut tls)?;
    println!("with a certificate: {answer}");
    assert!(answer.contains("alice.example"), "{answer}");

    // In TLS 1.3 a client is done before the server has seen its certificate: the refusal comes with the first read.
    let config = ClientConfig::builder().trust(servers.roots()?).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    println!("without one: {}", rest(&mut tls).err().ok_or("it was served")?);

    let served = served.join().map_err(|_| "the server panicked")?;
    assert!(served[0].is_ok() && served[1].is_err(), "{served:?}");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
