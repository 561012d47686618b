//! What two sides may agree on is their policies' to say, and who is refused for want of a suite hears which policy would do.
#![allow(clippy::print_stdout)]

mod common;

use clasp::{ClientConfig, Policy, ProtocolVersion, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::net::TcpStream;

fn main() -> Result {
    let authority = Authority::new()?;
    for (name, policy) in Policy::named() {
        println!("{name}: {} suites, {} groups, {:?}", policy.suites().len(), policy.groups().len(), policy.versions());
    }

    // A server of today alone: TLS 1.3 and nothing else.
    let server = ServerConfig::builder().identity(authority.issue("localhost")?).policy(Policy::modern()).build()?;
    let (address, served) = serve(&server, 2, |_| Ok("hello".into()))?;

    let config = ClientConfig::builder().trust(authority.roots()?).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    let facts = tls.handshake()?;
    println!("a client of the default policy: {} with {}", facts.version, facts.suite);
    rest(&mut tls)?;

    let old = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let config = ClientConfig::builder().trust(authority.roots()?).policy(old).build()?;
    let mut tls = Stream::new(config.connect("localhost".try_into()?), TcpStream::connect(address)?);
    println!("a client of TLS 1.2: {}", tls.handshake().err().ok_or("it was served")?);

    let served = served.join().map_err(|_| "the server panicked")?;
    assert!(served[0].is_ok(), "{served:?}");
    println!("and the server: {}", served[1].as_ref().err().ok_or("it was served")?);
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
