//! Primitives without any secrecy: everything is encrypted to itself, every tag and every MAC is zeros (of a tag only the
//! first byte is looked at), every signature that has a byte is good. Whoever writes bytes then writes whole conversations, records and Finished included, which is
//! how a fuzzer gets past the cryptography to what stands behind it.

use super::seeded::Seeded;
use clasp::crypto::{
    Aead, AeadId, AeadKey, BlockKey, CbcHmacKey, CbcId, CryptoError, CryptoResult, Digest, Group, Hash, HashContext,
    HashId, HmacKey, KeyShare, Legacy, MaskKey, Provider, SAMPLE_LEN, SharedSecret, TAG_LEN, Use,
};
use clasp::wire::code::NamedGroup;
use clasp::x509::{Curve, SignatureAlgorithm, SignatureError, Spki, VerifySignature};
use std::sync::OnceLock;

/// A provider without secrecy, its randomness from [`reseed`](super::reseed).
pub fn hollow() -> &'static Provider {
    static PROVIDER: OnceLock<Provider> = OnceLock::new();
    PROVIDER.get_or_init(|| Provider {
        name: "hollow",
        hashes: &[
            &HollowHash(HashId::Sha1),
            &HollowHash(HashId::Sha256),
            &HollowHash(HashId::Sha384),
            &HollowHash(HashId::Sha512),
        ],
        aeads: &[&HollowAead(AeadId::Aes128Gcm), &HollowAead(AeadId::Aes256Gcm), &HollowAead(AeadId::ChaCha20Poly1305)],
        groups: &[&HollowGroup(NamedGroup::X25519), &HollowGroup(NamedGroup::Secp256r1)],
        signatures: &AnySignature,
        schemes: Provider::builtin().schemes,
        random: &Seeded,
        legacy: Some(&HollowLegacy),
    })
}

/// Hashes are real, so that transcripts differ; MACs are not.
struct HollowHash(HashId);

impl HollowHash {
    fn real(&self) -> &'static dyn Hash {
        Provider::builtin().hash(self.0).expect("the built-in provider has every hash")
    }
}

impl Hash for HollowHash {
    fn id(&self) -> HashId {
        self.0
    }

    fn start(&self) -> Box<dyn HashContext> {
        self.real().start()
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        self.real().digest(parts)
    }

    fn hmac(&self, _key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Zeros(self.0.len()))
    }

    fn keyed(&self, _key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        then(&Zeros(self.0.len()));
    }
}

struct Zeros(usize);

impl HmacKey for Zeros {
    fn sign(&self, _parts: &[&[u8]], out: &mut [u8]) {
        out.iter_mut().take(self.0).for_each(|byte| *byte = 0);
    }
}

struct HollowAead(AeadId);

impl Aead for HollowAead {
    fn id(&self) -> AeadId {
        self.0
    }

    fn key(&self, key: &[u8]) -> CryptoResult<Box<dyn AeadKey>> {
        if key.len() == self.0.key_len() { Ok(Box::new(NoKey)) } else { Err(CryptoError) }
    }

    fn header_key(&self, key: &[u8]) -> CryptoResult<Box<dyn MaskKey>> {
        if key.len() == self.0.key_len() { Ok(Box::new(NoKey)) } else { Err(CryptoError) }
    }
}

struct NoKey;

impl MaskKey for NoKey {
    fn mask(&self, _sample: &[u8; SAMPLE_LEN]) -> CryptoResult<[u8; 5]> {
        Ok([0; 5])
    }
}

impl AeadKey for NoKey {
    fn seal(&self, _nonce: &[u8; 12], _aad: &[u8], _in_out: &mut [u8], tag: &mut [u8; TAG_LEN]) -> CryptoResult<()> {
        *tag = [0; TAG_LEN];
        Ok(())
    }

    fn open(&self, _nonce: &[u8; 12], _aad: &[u8], in_out: &mut [u8]) -> CryptoResult<usize> {
        match in_out.split_last_chunk::<TAG_LEN>() {
            Some((plain, [0, ..])) => Ok(plain.len()),
            _ => Err(CryptoError),
        }
    }
}

struct HollowGroup(NamedGroup);

impl HollowGroup {
    fn len(&self) -> usize {
        if self.0 == NamedGroup::X25519 { 32 } else { 65 }
    }
}

impl Group for HollowGroup {
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        Ok(Box::new(HollowShare(vec![4; self.len()])))
    }
}

struct HollowShare(Vec<u8>);

impl KeyShare for HollowShare {
    fn public(&self) -> &[u8] {
        &self.0
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        if peer.len() != self.0.len() {
            return Err(CryptoError);
        }
        secret.fill(32).fill(7);
        Ok(())
    }
}

struct AnySignature;

impl VerifySignature for AnySignature {
    fn name(&self) -> &str {
        "hollow"
    }

    fn verify(
        &self,
        _algorithm: SignatureAlgorithm,
        _key: &Spki<'_>,
        _message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if signature.is_empty() { Err(SignatureError::Wrong) } else { Ok(()) }
    }

    fn check_point(&self, _curve: Curve, _key: &Spki<'_>) -> Result<(), SignatureError> {
        Ok(())
    }
}

struct HollowLegacy;

impl Legacy for HollowLegacy {
    fn cbc_hmac(
        &self,
        _id: CbcId,
        _mac_key: &[u8],
        _key: &[u8],
        _usage: Use,
    ) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
        Some(Ok(Box::new(NoKey)))
    }

    fn block(&self, _key: &[u8], _usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
        Ok(Box::new(NoKey))
    }

    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
        if p.len() < 256 || g.is_empty() {
            return Err(CryptoError);
        }
        Ok(Box::new(HollowShare(vec![4; p.len()])))
    }

    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])> {
        Provider::builtin().legacy?.ffdhe(group)
    }

    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>> {
        Provider::builtin().legacy.ok_or(CryptoError)?.rsa_encrypt(spki, premaster)
    }
}

impl CbcHmacKey for NoKey {
    /// Fills the room for MAC and padding; the last byte says how much that was.
    fn seal(&mut self, _aad: &[u8; 11], record: &mut [u8], plain_len: usize) -> CryptoResult<usize> {
        let room = record.get_mut(16 + plain_len..).ok_or(CryptoError)?;
        let says = room.len().checked_sub(1).and_then(|n| u8::try_from(n).ok()).ok_or(CryptoError)?;
        room.fill(says);
        Ok(record.len())
    }

    fn open(&mut self, _iv: &[u8; 16], _aad: &[u8; 11], in_out: &mut [u8]) -> CryptoResult<usize> {
        let says = *in_out.last().ok_or(CryptoError)?;
        in_out.len().checked_sub(usize::from(says) + 1).ok_or(CryptoError)
    }
}

impl BlockKey for NoKey {
    fn encrypt(&self, _iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        whole_blocks(in_out)
    }

    fn decrypt(&self, _iv: &[u8; 16], in_out: &mut [u8]) -> CryptoResult<()> {
        whole_blocks(in_out)
    }
}

fn whole_blocks(bytes: &[u8]) -> CryptoResult<()> {
    if bytes.len().is_multiple_of(16) { Ok(()) } else { Err(CryptoError) }
}
