//! Asking a client for its certificate, and what it answers, in the handshake and after: RFC 9846 4.3.2, 4.4.2, 4.4.3.

use super::credential;
use super::extension::{Request, Row, TABLE};
use super::judge::Judge;
use super::link::Link;
use super::tickets13::grease;
use crate::code::{ExtensionType, HandshakeType};
use crate::config::{ClientAuth, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::facts::Facts;
use crate::keys::schedule12::Side;
use crate::wire::Writer;

/// CertificateRequest: RFC 9846 4.3.2.
pub(super) fn send_request(link: &mut Link, config: &ServerConfig, auth: &ClientAuth) -> Result<()> {
    let request = request(config, auth, &[])?;
    link.send(HandshakeType::CertificateRequest, request)
}

/// What writes a CertificateRequest, to be echoed with `context`.
pub(crate) fn request<'a>(
    config: &'a ServerConfig,
    auth: &ClientAuth,
    context: &'a [u8],
) -> Result<impl FnOnce(&mut Writer<'_>) + 'a> {
    let grease = grease(config)?;
    let names = credential::fitting_authorities(auth, |names, w| write(config, names, grease, context, w));
    Ok(move |w: &mut Writer<'_>| write(config, &names, grease, context, w))
}

/// Writes a CertificateRequest that names these issuers.
pub(super) fn write(
    config: &ServerConfig,
    authorities: &[Vec<u8>],
    grease: Option<ExtensionType>,
    context: &[u8],
    w: &mut Writer<'_>,
) {
    w.vec8(|w| w.bytes(context));
    w.vec16(|w| {
        TABLE.request(&Request { config, authorities }, w);
        grease.into_iter().for_each(|typ| w.extension(typ, |_| ()));
    });
}

/// The client's Certificate and CertificateVerify: RFC 9846 4.4.2, 4.4.3.
pub(super) async fn recv_client_proof(
    link: &mut Link,
    config: &ServerConfig,
    auth: &ClientAuth,
    context: &[u8],
    facts: &mut Facts,
) -> Result<()> {
    let asked = |row: &Row| row.is_requested(config);
    let presented = credential::recv_chain13(link, &config.compression, context, asked).await?;
    if presented.chain.is_empty() {
        return match auth {
            ClientAuth::Request(_) => Ok(()),
            ClientAuth::Require(_) => Err(Error::from(PeerError::NoCertificate)
                .in_message("Certificate")
                .hint("give the client a certificate and its key")),
        };
    }
    let judge = Judge::of_client(config, auth, facts.peer_type);
    let proof = judge.recv_proof13(link, Side::Client, &presented).await?;
    facts.client_scheme = Some(proof.scheme);
    facts.authenticated_until = proof.until;
    facts.peer = config.recent_peers.share(presented);
    facts.client_authenticated = true;
    Ok(())
}
