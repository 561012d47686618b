//! signed_certificate_timestamp: RFC 6962 3.3.1, RFC 9846 4.4.2.1.

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
    asked: |config, _| config.request_timestamps,
    answer,
    read_answer,
    requested: |config| config.request_timestamps,
    request,
    read_request,
    staple,
    read_staple,
    ..Row::new(
        ExtensionType::SignedCertificateTimestamp,
        &[ClientHello, ServerHello12, CertificateRequest, Certificate],
    )
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if config.request_timestamps {
        w.extension(ExtensionType::SignedCertificateTimestamp, |_| ());
    }
}

/// Asks for the list, of whichever side.
fn asks(e: Extension<'_>) -> Result<bool> {
    Ok(extension::flag(e, "signed_certificate_timestamp")?)
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.timestamps = asks(e)?;
    Ok(())
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if let Some(list) = answer.said12.timestamps.filter(|_| answer.offer.timestamps && !answer.resumed) {
        w.extension(ExtensionType::SignedCertificateTimestamp, |w| w.bytes(list));
    }
}

fn read_answer(settled: &mut Settled, _: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    settled.timestamps = Some(certificate::timestamps(e)?.to_vec());
    Ok(())
}

fn request(request: &Request<'_>, w: &mut Writer<'_>) {
    if request.config.request_timestamps {
        w.extension(ExtensionType::SignedCertificateTimestamp, |_| ());
    }
}

fn read_request(facts: &mut CertificateRequestFacts, e: Extension<'_>) -> Result<()> {
    facts.timestamps = asks(e)?;
    Ok(())
}

fn staple(staple: &Staple<'_>, w: &mut Writer<'_>) {
    if let Some(list) = staple.identity.timestamp_list().filter(|_| staple.timestamps) {
        w.extension(ExtensionType::SignedCertificateTimestamp, |w| w.bytes(list));
    }
}

fn read_staple(presented: &mut PeerIdentity, e: Extension<'_>) -> Result<()> {
    let list = certificate::timestamps(e)?;
    if presented.chain.is_empty() {
        presented.timestamps = Some(list.to_vec());
    }
    Ok(())
}
