//! The conversations, each a straight-line `async fn` in the order of the messages on the wire, and the verbs they
//! share.

mod client12;
mod credential;
pub(crate) mod hello;
mod key_exchange;
pub(crate) mod link;
mod negotiate;
mod server12;
mod transcript;

pub(crate) use client12::client;
pub(crate) use server12::server;

use crate::connection::Facts;
use crate::crypto::HashId;
use crate::error::{Error, PeerError, Result};
use crate::keys::schedule12::{Master, Side, VERIFY_DATA_LEN, Vault12};
use crate::wire::code::HandshakeType;
use crate::wire::message::Finished;
use link::Link;
use subtle::ConstantTimeEq;

/// What is left of a handshake when it is done.
pub(crate) struct Established {
    pub(crate) facts: Facts,
    pub(crate) hash: HashId,
    pub(crate) master: Master,
    pub(crate) client_random: [u8; 32],
    pub(crate) server_random: [u8; 32],
    /// The first Finished of the conversation: `tls-unique` (RFC 5929 3).
    pub(crate) first_finished: [u8; VERIFY_DATA_LEN],
}

/// Sends Finished: RFC 5246 7.4.9.
fn send_finished(
    link: &mut Link,
    vault: &Vault12,
    hash: &dyn crate::crypto::Hash,
    side: Side,
) -> [u8; VERIFY_DATA_LEN] {
    let verify_data = vault.verify_data(hash, side, link.transcript.hash().as_ref());
    link.send(HandshakeType::Finished, |w| w.bytes(&verify_data));
    verify_data
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
    if bool::from(finished.view().ct_eq(&wanted[..])) {
        Ok(wanted)
    } else {
        Err(Error::from(PeerError::BadFinished).in_message("Finished"))
    }
}
