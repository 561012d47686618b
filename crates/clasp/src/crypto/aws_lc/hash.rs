//! Hashes and HMAC.

use crate::crypto::{Digest, Hash, HashContext, HashId, HmacKey};
use aws_lc_rs::{digest, hmac};

pub(super) struct AwsHash {
    id: HashId,
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
}

pub(super) static SHA1: AwsHash =
    AwsHash { id: HashId::Sha1, digest: &digest::SHA1_FOR_LEGACY_USE_ONLY, hmac: hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY };
pub(super) static SHA256: AwsHash = AwsHash { id: HashId::Sha256, digest: &digest::SHA256, hmac: hmac::HMAC_SHA256 };
pub(super) static SHA384: AwsHash = AwsHash { id: HashId::Sha384, digest: &digest::SHA384, hmac: hmac::HMAC_SHA384 };
pub(super) static SHA512: AwsHash = AwsHash { id: HashId::Sha512, digest: &digest::SHA512, hmac: hmac::HMAC_SHA512 };

impl Hash for AwsHash {
    fn id(&self) -> HashId {
        self.id
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(digest::Context::new(self.digest)))
    }

    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Key(hmac::Key::new(self.hmac, key)))
    }
}

struct Context(digest::Context);

impl HashContext for Context {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(Self(self.0.clone()))
    }

    fn finish(self: Box<Self>) -> Digest {
        Digest::new(self.0.finish().as_ref())
    }
}

struct Key(hmac::Key);

impl HmacKey for Key {
    fn sign(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        Digest::new(context.sign().as_ref())
    }
}
