//! HKDF with HPKE's labels: RFC 9180 4, RFC 5869.

use crate::crypto::{CryptoError, CryptoResult, Hash};
use zeroize::Zeroizing;

/// The longest hash.
const MAX_HASH: usize = 64;

/// "version identifier"
const VERSION: &[u8] = b"HPKE-v1";

/// What was extracted: as long as the hash. Wiped on drop.
pub(super) struct Extracted {
    bytes: Zeroizing<[u8; MAX_HASH]>,
    len: usize,
}

impl Extracted {
    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A hash, and the suite that all it derives is bound to.
#[derive(Clone)]
pub(super) struct Labeled {
    hash: &'static dyn Hash,
    suite: Vec<u8>,
}

impl Labeled {
    /// `name` and `codes` make the `suite_id`.
    pub(super) fn new(hash: &'static dyn Hash, name: &[u8], codes: &[u16]) -> Self {
        let codes = codes.iter().flat_map(|code| code.to_be_bytes());
        Self { hash, suite: name.iter().copied().chain(codes).collect() }
    }

    /// Bytes of what is extracted.
    pub(super) fn len(&self) -> usize {
        self.hash.id().len()
    }

    /// `LabeledExtract`.
    pub(super) fn extract(&self, salt: &[u8], label: &[u8], secret: &[u8]) -> Extracted {
        let mut out = Extracted { bytes: Zeroizing::new([0; MAX_HASH]), len: self.len() };
        let parts = [VERSION, &self.suite, label, secret];
        self.hash.keyed(salt, &mut |key| key.sign(&parts, &mut *out.bytes));
        out
    }

    /// `LabeledExpand`, as long as the hash.
    pub(super) fn expanded(&self, secret: &Extracted, label: &[u8], info: &[&[u8]]) -> CryptoResult<Extracted> {
        let mut out = Extracted { bytes: Zeroizing::new([0; MAX_HASH]), len: self.len() };
        let bytes = out.bytes.get_mut(..out.len).ok_or(CryptoError)?;
        self.expand(secret.get(), label, info, bytes)?;
        Ok(out)
    }

    /// `LabeledExpand`, as long as `out` is.
    ///
    /// # Errors
    /// If that is longer than HKDF gives.
    pub(super) fn expand(&self, secret: &[u8], label: &[u8], info: &[&[u8]], out: &mut [u8]) -> CryptoResult<()> {
        let length = u16::try_from(out.len()).map_err(|_| CryptoError)?.to_be_bytes();
        // RFC 5869 2.3: "L <= 255*HashLen".
        if out.len() > self.len().saturating_mul(255) {
            return Err(CryptoError);
        }
        let mut block = Zeroizing::new([0; MAX_HASH]);
        self.hash.keyed(secret, &mut |key| {
            for (number, chunk) in (1..=u8::MAX).zip(out.chunks_mut(self.len())) {
                let (before, number) = (Zeroizing::new(*block), [number]);
                // The first has no block before it.
                let before = if number == [1] { &[][..] } else { before.get(..self.len()).unwrap_or_default() };
                let mut parts = vec![before, &length, VERSION, &self.suite, label];
                parts.extend_from_slice(info);
                parts.push(&number);
                key.sign(&parts, &mut *block);
                chunk.iter_mut().zip(&*block).for_each(|(out, byte)| *out = *byte);
            }
        });
        Ok(())
    }
}
