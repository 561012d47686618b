//! With the types of a program that speaks rustls: certificates and keys go in as rustls-pki-types has them, and chains come
//! out so.
#![allow(clippy::print_stdout)]

mod common;

use clasp::config::WebPki;
use clasp::pki_types::pem::PemObject;
use clasp::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use clasp::{ClientAuth, ClientConfig, Identity, ServerConfig, Stream};
use common::{Authority, Result, rest, serve};
use std::net::TcpStream;
use std::sync::Arc;

fn main() -> Result {
    let authority = Authority::new()?;
    // As `CertificateDer::pem_file_iter("cert.pem")` and `PrivateKeyDer::from_pem_file("key.pem")` give them.
    let (chain, key): (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) = {
        let (cert_pem, key_pem) = authority.issue_pem("localhost")?;
        let chain = CertificateDer::pem_slice_iter(cert_pem.as_bytes()).collect::<core::result::Result<_, _>>()?;
        (chain, PrivateKeyDer::from_pem_slice(key_pem.as_bytes())?)
    };

    // By value: it is wiped when it has been read. By reference (`&key`) it stays the caller's.
    let server = Identity::from_der(chain.clone(), key)?;
    let server = ServerConfig::builder()
        .identity(server)
        .client_auth(ClientAuth::Require(Arc::new(WebPki::clients(Arc::new(authority.roots()?)))))
        .build()?;
    let (address, served) = serve(&server, 1, |tls| {
        let facts = tls.handshake()?;
        let shown: &[CertificateDer<'static>] = facts.peer_chain();
        Ok(format!("{} certificate, {:02x?}...", shown.len(), shown[0].get(..2).unwrap_or_default()))
    })?;

    let config =
        ClientConfig::builder().trust(authority.roots()?).identity(authority.issue("alice.example")?).build()?;
    let name: ServerName<'static> = "localhost".try_into()?;
    let mut tls = Stream::new(config.connect(name), TcpStream::connect(address)?);
    println!("the server has seen {}", rest(&mut tls)?);
    let facts = tls.handshake()?;
    assert_eq!(facts.peer_chain(), chain);
    let served = served.join().map_err(|_| "the server panicked")?;
    assert_eq!(served[0].as_ref().ok().map(String::as_str), Some("1 certificate, [30, 82]..."), "{served:?}");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
