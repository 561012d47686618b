//! compress_certificate: RFC 8879 3.

use super::row::Block::{CertificateRequest, ClientHello};
use super::row::{Request, Row};
use crate::code::{CompressionAlgorithm, ExtensionType, ProtocolVersion};
use crate::config::{CertificateRequestFacts, ClientConfig};
use crate::error::Result;
use crate::handshake::compression::algorithms;
use crate::handshake::hello::ClientOffer;
use crate::handshake::offer::Offered;
use crate::wire::extension::certificate;
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    offer,
    read_offer,
    request,
    read_request,
    ..Row::new(ExtensionType::CompressCertificate, &[ClientHello, CertificateRequest])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if !config.compression.is_empty() {
        certificate::write_compression(algorithms(&config.compression), w);
    }
}

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.compression = certificate::compression(e)?;
    Ok(())
}

fn request(request: &Request<'_>, w: &mut Writer<'_>) {
    if !request.config.compression.is_empty() {
        certificate::write_compression(algorithms(&request.config.compression), w);
    }
}

fn read_request(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    facts.compression = certificate::compression(e)?.iter().map(CompressionAlgorithm).collect();
    Ok(())
}
