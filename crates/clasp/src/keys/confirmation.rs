//! accept_confirmation of Encrypted Client Hello: RFC 9849 7.2.

use super::schedule13::{expand_label, extract};
use crate::crypto::Hash;
use zeroize::Zeroizing;

/// Bytes of it.
pub(crate) const CONFIRMATION_LEN: usize = 8;

/// In which message it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Confirms {
    ServerHello,
    HelloRetryRequest,
}

/// Says that who sent this has read the hidden hello, whose random nobody else knows. `transcript` is the hash of the conversation
/// down to the message it stands in, in which zeros stand for it.
pub(crate) fn confirmation(
    hash: &dyn Hash,
    random: &[u8; 32],
    which: Confirms,
    transcript: &[u8],
) -> [u8; CONFIRMATION_LEN] {
    let label: &[u8] = match which {
        Confirms::ServerHello => b"ech accept confirmation",
        Confirms::HelloRetryRequest => b"hrr ech accept confirmation",
    };
    let mut secret = Zeroizing::new(vec![0; hash.id().len()]);
    extract(hash, &[], random, &mut secret);
    let mut out = [0; CONFIRMATION_LEN];
    expand_label(hash, &secret, label, transcript, &mut out);
    out
}
