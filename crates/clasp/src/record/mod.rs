// Above `keys`.
//! Records: framing and protection. RFC 5246 6, RFC 7366.

mod error;
pub mod frame;
mod join;
pub mod limits;
mod maker;
mod open;
mod seal;
mod source;

pub use error::RecordError;
pub(crate) use join::Joiner;
pub(crate) use maker::RecordKeys;
pub use open::{OpenKeys, Opened, Opener};
pub use seal::{MAX_BACK, MAX_FRONT, SealKeys, Sealer};

use crate::code::ContentType;

/// The additional data of TLS 1.2: seq_num, type, version, length (RFC 5246 6.2.3.3).
fn additional_data(sequence: u64, content: ContentType, version: [u8; 2], length: usize) -> [u8; 13] {
    let mut aad = [0; 13];
    aad[..8].copy_from_slice(&sequence.to_be_bytes());
    aad[8] = content.0;
    aad[9..11].copy_from_slice(&version);
    // A record's length is bounded by 2^14 + 2048 long before it gets here.
    aad[11..].copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    aad
}

/// The nonce of RFC 7905 2: the fixed IV with the sequence number folded into its end.
fn xored_nonce(iv: &[u8; 12], sequence: u64) -> [u8; 12] {
    let mut nonce = *iv;
    for (n, s) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *n ^= s;
    }
    nonce
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests;
