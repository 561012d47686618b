// Above `established`.
//! The conversations, each a straight-line `async fn` in the order of the messages on the wire, and the
//! verbs they share.

mod admit;
mod client;
mod client12;
mod client13;
mod client_auth13;
mod client_hello;
mod compression;
mod credential;
mod derived;
mod ech13;
pub(crate) mod extension;
mod fits;
mod grease;
pub(crate) mod hello;
mod hiding13;
pub(crate) mod judge;
mod key_exchange;
pub(crate) mod link;
pub(crate) mod live;
mod negotiate;
mod offer;
pub(crate) mod operation;
pub(crate) mod post_auth;
mod proof;
mod retry13;
mod server;
mod server12;
mod server13;
pub(crate) mod tickets13;
pub(crate) mod transcript;
pub(crate) mod wiring;

pub(crate) use client::client;
pub(crate) use client_auth13::request;
pub(crate) use credential::read_post_request;
pub(crate) use server::server;

use crate::code::HandshakeType;
use crate::error::{Error, PeerError, Result};
use crate::keys::maker::Way;
use crate::keys::schedule12::{Side, VERIFY_DATA_LEN, Vault12};
use crate::keys::schedule13::{Vault13, same_mac};
use crate::wire::Reader;
use crate::wire::decode::DecodeKind;
use crate::wire::message::Finished;
use link::{Link, Protected12};
use subtle::ConstantTimeEq;

/// Sends Finished of TLS 1.3: RFC 9846 4.4.4.
fn send_finished13(link: &mut Link, vault: &mut Vault13, side: Side) -> Result<()> {
    let verify_data = vault.verify_data(side, link.transcript.hash().as_ref());
    link.send(HandshakeType::Finished, |w| w.bytes(verify_data.as_ref()))
}

/// Receives the peer's Finished of TLS 1.3 and checks it, in constant time.
async fn recv_finished13(link: &mut Link, vault: &mut Vault13, side: Side) -> Result<()> {
    let wanted = vault.verify_data(side, link.transcript.hash().as_ref());
    let finished = link.recv::<Finished>().await?;
    check_verify_data(finished.view(), wanted.as_ref().len())?;
    if !same_mac(&wanted, finished.view()) {
        return Err(Error::from(PeerError::BadFinished).in_message("Finished"));
    }
    link.recycle(finished);
    Ok(())
}

/// Verify data of another length than it has is no wrong value, it cannot be read: RFC 9846 6, RFC 5246 7.2.2.
pub(crate) fn check_verify_data(theirs: &[u8], wanted: usize) -> Result<()> {
    if theirs.len() == wanted {
        return Ok(());
    }
    let error = Reader::new(theirs).error("verify_data", DecodeKind::BadLength(theirs.len()));
    Err(Error::from(error).in_message("Finished"))
}

/// Says that what follows is protected, and has it so: RFC 5246 7.1.
fn change_write_keys(link: &Link, vault: &Vault12, side: Side, how: Protected12<'_>) -> Result<()> {
    link.send_change_cipher_spec();
    link.install12(Way::Write, vault, side, how)
}

/// Waits until the peer says that what follows is protected.
async fn change_read_keys(link: &mut Link, vault: &Vault12, side: Side, how: Protected12<'_>) -> Result<()> {
    link.recv_change_cipher_spec().await?;
    link.install12(Way::Read, vault, side, how)
}

/// Sends Finished: RFC 5246 7.4.9.
fn send_finished(
    link: &mut Link,
    vault: &Vault12,
    hash: &dyn crate::crypto::Hash,
    side: Side,
) -> Result<[u8; VERIFY_DATA_LEN]> {
    let verify_data = vault.verify_data(hash, side, link.transcript.hash().as_ref());
    link.send(HandshakeType::Finished, |w| w.bytes(&verify_data))?;
    Ok(verify_data)
}

/// Receives the peer's Finished and checks it, in constant time.
async fn recv_finished(
    link: &mut Link,
    vault: &Vault12,
    hash: &dyn crate::crypto::Hash,
    side: Side,
) -> Result<[u8; VERIFY_DATA_LEN]> {
    let wanted = vault.verify_data(hash, side, link.transcript.hash().as_ref());
    let finished = link.recv::<Finished>().await?;
    check_verify_data(finished.view(), wanted.len())?;
    if !bool::from(finished.view().ct_eq(&wanted[..])) {
        return Err(Error::from(PeerError::BadFinished).in_message("Finished"));
    }
    link.recycle(finished);
    Ok(wanted)
}
