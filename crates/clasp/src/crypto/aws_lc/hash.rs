//! Hashes and HMAC.

use crate::crypto::{Digest, Hash, HashContext, HashId, HmacKey};
use aws_lc_rs::{digest, hmac};

pub(in crate::crypto) struct AwsHash {
    id: HashId,
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
}

pub(in crate::crypto) static SHA1: AwsHash =
    AwsHash { id: HashId::Sha1, digest: &digest::SHA1_FOR_LEGACY_USE_ONLY, hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY };
pub(in crate::crypto) static SHA256: AwsHash =
    AwsHash { id: HashId::Sha256, digest: &digest::SHA256, hmac: hmac::HMAC_SHA256 };
pub(in crate::crypto) static SHA384: AwsHash =
    AwsHash { id: HashId::Sha384, digest: &digest::SHA384, hmac: hmac::HMAC_SHA384 };
pub(in crate::crypto) static SHA512: AwsHash =
    AwsHash { id: HashId::Sha512, digest: &digest::SHA512, hmac: hmac::HMAC_SHA512 };

impl Hash for AwsHash {
    fn id(&self) -> HashId {
        self.id
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(digest::Context::new(self.digest)))
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = digest::Context::new(self.digest);
        parts.iter().for_each(|p| context.update(p));
        Digest::new(context.finish().as_ref())
    }

    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Key(hmac::Key::new(self.hmac, key)))
    }

    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        then(&Key(hmac::Key::new(self.hmac, key)));
    }
}

struct Context(digest::Context);

impl HashContext for Context {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn value(&self) -> Digest {
        Digest::new(self.0.clone().finish().as_ref())
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(Self(self.0.clone()))
    }
}

struct Key(hmac::Key);

impl HmacKey for Key {
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut context = hmac::Context::with_key(&self.0);
        parts.iter().for_each(|p| context.update(p));
        let mac = context.sign();
        out.iter_mut().zip(mac.as_ref()).for_each(|(o, m)| *o = *m);
    }
}

/// SHA-256 at once.
pub(in crate::crypto) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut value = [0; 32];
    value.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()).for_each(|(v, d)| *v = *d);
    value
}
