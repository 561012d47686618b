//! Digests that name things and protect nothing: no provider need have them.

use super::aws_lc;
use md5::{Digest, Md5};

/// MD5, which JA3 is made with.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    aws_lc::hash::sha256(bytes)
}
