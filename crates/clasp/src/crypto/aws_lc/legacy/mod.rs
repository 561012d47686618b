//! What the classic suites need: CBC with HMAC, finite-field Diffie-Hellman, RSA key transport.

mod block;
mod cbc_hmac;
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "constant time: rewritten only where `timing paths` can judge it"
)]
mod cbc_sha256;
mod cbc_stitched;
mod dh;
mod ffdhe_primes;
#[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "as in `cbc_sha256`")]
mod rsa_transport;

pub(super) use rsa_transport::RsaTransportKey;

use crate::code::NamedGroup;
use crate::crypto::{BlockKey, CbcHmacKey, CbcId, CryptoResult, HashId, KeyShare, Legacy, SharedSecret, Use};

pub(super) const LEGACY: Option<&'static dyn Legacy> = Some(&AwsLegacy);

struct AwsLegacy;

impl Legacy for AwsLegacy {
    fn cbc_hmac(&self, id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
        cbc_stitched::key(id, mac_key, key, usage).or_else(|| unstitched(id, mac_key, key, usage))
    }

    fn block(&self, key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
        block::key(key, usage)
    }

    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
        dh::start(p, g)
    }

    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])> {
        let p: &'static [u8] = match group {
            NamedGroup::Ffdhe2048 => &ffdhe_primes::FFDHE2048,
            NamedGroup::Ffdhe3072 => &ffdhe_primes::FFDHE3072,
            NamedGroup::Ffdhe4096 => &ffdhe_primes::FFDHE4096,
            NamedGroup::Ffdhe6144 => &ffdhe_primes::FFDHE6144,
            NamedGroup::Ffdhe8192 => &ffdhe_primes::FFDHE8192,
            _ => return None,
        };
        Some((p, &[2]))
    }

    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>> {
        use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
        let key = PublicEncryptingKey::from_der(spki).map_err(|_| crate::crypto::CryptoError)?;
        let key = Pkcs1PublicEncryptingKey::new(key)?;
        let mut ciphertext = vec![0; key.ciphertext_size()];
        key.encrypt(premaster.expose(), &mut ciphertext)?;
        Ok(ciphertext)
    }
}

/// The ciphers that are there on every processor.
fn unstitched(id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
    match (id.key_len, id.mac) {
        (32, HashId::Sha256) if key.len() == 32 => Some(cbc_sha256::key(mac_key, key, usage)),
        _ => cbc_hmac::key(id, mac_key, key, usage),
    }
}
