//! record_size_limit: RFC 8449. In TLS 1.3 both sides count the byte of the content type (4).

use super::max_fragment_length;
use super::row::Block::{ClientHello, EncryptedExtensions, ServerHello12};
use super::row::{Asked, Row, ServerResponse};
use crate::code::{ExtensionType, MaxFragmentLength, ProtocolVersion};
use crate::config::{ClientConfig, Policy};
use crate::error::{PeerError, Result};
use crate::handshake::hello::{ClientOffer, Settled};
use crate::handshake::offer::Offered;
use crate::wire::{Extension, Extensions, Writer, extension};

pub(super) static ROW: Row = Row {
    offer,
    read_offer,
    asked: |config, _| config.record_size_limit.is_some(),
    answer,
    read_answer,
    ..Row::new(ExtensionType::RecordSizeLimit, &[ClientHello, ServerHello12, EncryptedExtensions])
};

fn offer(config: &ClientConfig, _: &Offered, w: &mut Writer<'_>) {
    if let Some(limit) = config.record_size_limit {
        let limit = announced(&config.policy, limit);
        w.extension(ExtensionType::RecordSizeLimit, |w| w.u16(limit));
    }
}

/// What the peer's and our own limits on records come to, in bytes of plaintext.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecordLimits {
    pub(crate) send: Option<usize>,
    pub(crate) receive: Option<usize>,
    /// What is received in the clear is limited too.
    pub(crate) clear: bool,
}

impl RecordLimits {
    /// max_fragment_length: every record from the hellos on, both ways (RFC 6066 4).
    pub(super) fn fragment(length: MaxFragmentLength) -> Self {
        Self { send: length.bytes(), receive: length.bytes(), clear: true }
    }

    /// record_size_limit: protected records alone (RFC 8449 4).
    const fn record_size(send: usize, receive: usize) -> Self {
        Self { send: Some(send), receive: Some(receive), clear: false }
    }

    /// What the peer may send, for people.
    pub(crate) fn of_peer(self) -> Option<u16> {
        self.receive.and_then(|bytes| u16::try_from(bytes).ok())
    }
}

/// What a client's says: it does not know the version yet.
fn announced(policy: &Policy, limit: u16) -> u16 {
    limit.saturating_add(u16::from(policy.speaks(ProtocolVersion::Tls13)))
}

fn read_offer(offer: &mut ClientOffer<'_>, e: Extension<'_>) -> Result<()> {
    offer.record_size_limit = Some(extension::record_size_limit(e)?);
    Ok(())
}

/// The client's and ours, if there are both.
pub(super) fn agreed(answer: &ServerResponse<'_>) -> Option<(u16, u16)> {
    answer.offer.record_size_limit.zip(answer.config.record_size_limit)
}

/// The byte of the content type, where it counts.
fn content_type(suite12: Option<&crate::suite::Suite>) -> u16 {
    u16::from(suite12.is_none())
}

impl ServerResponse<'_> {
    /// What it comes to for the records.
    pub(crate) fn limits(&self) -> RecordLimits {
        match (agreed(self), max_fragment_length::agreed(self)) {
            (Some((theirs, ours)), _) => {
                RecordLimits::record_size(theirs.saturating_sub(content_type(self.suite12)).into(), ours.into())
            }
            (None, Some(length)) => RecordLimits::fragment(length),
            (None, None) => RecordLimits::default(),
        }
    }
}

fn answer(answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
    if let Some((_, ours)) = agreed(answer) {
        let limit = ours.saturating_add(content_type(answer.suite12));
        w.extension(ExtensionType::RecordSizeLimit, |w| w.u16(limit));
    }
}

fn read_answer(settled: &mut Settled, asked: &Asked<'_>, e: Extension<'_>) -> Result<()> {
    let Asked { config, suite12, .. } = *asked;
    let ours = config.record_size_limit.ok_or(PeerError::UnsolicitedExtension)?;
    let ours = if suite12.is_some() { announced(&config.policy, ours) } else { ours };
    let theirs = extension::record_size_limit(e)?.saturating_sub(content_type(suite12));
    settled.limits = RecordLimits::record_size(theirs.into(), ours.into());
    Ok(())
}

/// RFC 8449 5: a server answers max_fragment_length or record_size_limit, never both.
pub(super) fn check_one_limit(answer: Extensions<'_>) -> Result<()> {
    let both = [ExtensionType::MaxFragmentLength, ExtensionType::RecordSizeLimit].map(|typ| answer.find(typ).is_some());
    if both == [true; 2] { Err(PeerError::TwoRecordLimits.into()) } else { Ok(()) }
}
