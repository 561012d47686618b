//! signature_algorithms and signature_algorithms_cert: RFC 9846 4.2.3, RFC 5246 7.4.1.4.1. The second is checked to be well
//! formed and not used: chains are signed as their authorities saw fit.

use super::row::Block::{CertificateRequest, ClientHello};
use super::row::{Request, Row};
use crate::code::{ExtensionType, ProtocolVersion, SignatureScheme};
use crate::config::{CertificateRequestFacts, ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::ClientOffer;
use crate::handshake::offer::Offered;
use crate::wire::{Codes, Extension, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    if_missing,
    request,
    read_request,
    ..Row::new(ExtensionType::SignatureAlgorithms, &[ClientHello, CertificateRequest])
};

fn offer(config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
    let policy = &config.policy;
    if policy.schemes.is_empty() {
        return;
    }
    let ours = policy.schemes_for(policy.speaks(ProtocolVersion::Tls13)).map(|s| s.0);
    let grease = offered.grease.iter().map(|g| g.scheme);
    extension::write_codes(ExtensionType::SignatureAlgorithms, grease.chain(ours), w);
}

pub(super) static CERT: Row = Row {
    read_offer: |_, e| read(e).map(drop),
    read_request: |_, e| read(e).map(drop),
    ..Row::new(ExtensionType::SignatureAlgorithmsCert, &[ClientHello, CertificateRequest])
};

fn read(e: Extension<'_>) -> Result<Codes<'_>> {
    Ok(extension::codes(e, "supported_signature_algorithms")?)
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.schemes = read(e)?;
    Ok(())
}

/// RFC 9846 9.2.
fn if_missing(_: &ServerConfig, offer: &ClientOffer<'_>, version: ProtocolVersion) -> Result<()> {
    if version != ProtocolVersion::Tls13 || offer.psks.is_some() || !offer.schemes.is_empty() {
        return Ok(());
    }
    Err(Error::from(PeerError::MissingExtension).wanted("signature_algorithms"))
}

fn request(request: &Request<'_>, w: &mut Writer<'_>) {
    let schemes = request.config.policy.schemes.iter().map(|s| s.0);
    extension::write_codes(ExtensionType::SignatureAlgorithms, schemes, w);
}

fn read_request(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    facts.schemes = read(e)?.iter().map(SignatureScheme).collect();
    Ok(())
}
