//! certificate_authorities: RFC 9846 4.2.4. A client of ours sends none.

use super::row::Block::{CertificateRequest, ClientHello};
use super::row::{Request, Row};
use crate::code::{ExtensionType, ProtocolVersion};
use crate::config::CertificateRequestFacts;
use crate::error::Result;
use crate::handshake::hello::ClientOffer;
use crate::wire::extension::certificate;
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    read_offer,
    request,
    read_request,
    ..Row::new(ExtensionType::CertificateAuthorities, &[ClientHello, CertificateRequest])
};

fn read_offer<'a>(offer: &mut ClientOffer<'a>, e: Extension<'a>) -> Result<()> {
    offer.authorities = Some(certificate::authorities(e)?);
    Ok(())
}

fn request(request: &Request<'_>, w: &mut Writer<'_>) {
    if !request.authorities.is_empty() {
        certificate::write_authorities(request.authorities, w);
    }
}

fn read_request(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    facts.authorities = certificate::authorities(e)?.iter().map(<[u8]>::to_vec).collect();
    Ok(())
}
