//! An authority of one's own: what it issued is taken, and a client that does not know it says why not.
#![allow(clippy::print_stdout)]

mod common;

use clasp::{ClientConfig, Error, Roots, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::net::TcpStream;

fn main() -> Result {
    let authority = Authority::new()?;
    let server = ServerConfig::builder().identity(authority.issue("localhost")?).build()?;
    let (address, served) = serve(&server, 2, |_| Ok("hello".into()))?;

    // Roots that are added are one's own: RFC 5280 is asked of their chains, not the rules of the web.
    let config = ClientConfig::builder().trust(authority.roots()?).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    println!("who knows the authority: {}", rest(&mut tls)?);

    let mut strangers = Roots::empty();
    strangers.add_pem(another_root()?.as_bytes())?;
    let config = ClientConfig::builder().trust(strangers).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    let refused = tls.handshake().err().ok_or("it was taken")?;
    let why: &Error = refused.get_ref().and_then(|e| e.downcast_ref()).ok_or("an error of TLS")?;
    println!("who does not: {why}");

    let served = served.join().map_err(|_| "the server panicked")?;
    assert!(served[0].is_ok() && served[1].is_err(), "{served:?}");
    Ok(())
}

fn another_root() -> Result<String> {
    let key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    Ok(params.self_signed(&key)?.pem())
}

#[test]
fn runs() {
    main().unwrap();
}
