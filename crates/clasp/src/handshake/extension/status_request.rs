//! status_request: RFC 6066 8, RFC 9846 4.4.2.1. In TLS 1.3 the response stands beside the certificate, in TLS 1.2 in a
//! message of its own that the answer promises.

use super::row::Block::{Certificate, CertificateRequest, ClientHello, ServerHello12};
use super::row::{Asked, Request, Row, ServerResponse, Staple};
use crate::code::ExtensionType;
use crate::config::{CertificateRequestFacts, ClientConfig};
use crate::error::Result;
use crate::facts::PeerIdentity;
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::extension::{self, certificate};
use crate::wire::{Extension, Writer};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |config, _| config.request_status,
    answer,
    read_answer,
    requested: |config| config.request_status,
    request,
    read_request,
    staple,
    read_staple,
    ..Row::new(ExtensionType::StatusRequest, &[ClientHello, ServerHello12, CertificateRequest, Certificate])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if config.request_status {
        extension::write_status_request(w);
    }
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.status_request = extension::status_request(e)?;
    Ok(())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if answer.said12.status {
        w.extension(ExtensionType::StatusRequest, |_| ());
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.status = extension::flag(e, "status_request")?;
    Ok(())
}

fn request(request: &Request<'_>, w: &mut Writer<'_>) {
    if request.config.request_status {
        w.extension(ExtensionType::StatusRequest, |_| ());
    }
}

fn read_request(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    facts.status = extension::flag(e, "status_request")?;
    Ok(())
}

fn staple(staple: &Staple<'_>, w: &mut Writer<'_>) {
    if let Some(ocsp) = staple.identity.staple().filter(|_| staple.status) {
        certificate::write_status(ocsp, w);
    }
}

fn read_staple(presented: &mut PeerIdentity, e: Extension<'_>) -> Result<()> {
    let ocsp = certificate::status(e)?;
    if presented.chain.is_empty() {
        presented.ocsp = Some(ocsp.to_vec());
    }
    Ok(())
}
