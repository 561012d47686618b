//! SHA-256 and SHA-384, and their HMAC. The states wipe themselves on drop (feature `zeroize`).

use crate::crypto::{Digest, Hash, HashContext, HashId, HmacKey};
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::digest::{FixedOutput, Output, OutputSizeUser, Update};
use sha2::{Sha256, Sha384};
use std::marker::PhantomData;
use zeroize::Zeroize;

pub(in crate::crypto) struct Sha2<D>(HashId, PhantomData<fn() -> D>);

pub(in crate::crypto) static SHA256: Sha2<Sha256> = Sha2(HashId::Sha256, PhantomData);
pub(in crate::crypto) static SHA384: Sha2<Sha384> = Sha2(HashId::Sha384, PhantomData);

impl<D> Hash for Sha2<D>
where
    D: EagerHash + Default + Update + FixedOutput + Clone + Send + Sync + 'static,
    Hmac<D>: Clone + Send + Sync,
{
    fn id(&self) -> HashId {
        self.0
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Context(D::default()))
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = D::default();
        parts.iter().for_each(|p| Update::update(&mut context, p));
        Digest::filled(self.0.len(), |out| end(context, out))
    }

    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        Box::new(Key::<D>::new(key))
    }

    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        then(&Key::<D>::new(key));
    }
}

/// As much of the value as `out` takes. All of it is written once, where it stays: a copy that is wiped after costs a
/// seventh of an HMAC.
#[inline(always)]
fn end<D: FixedOutput>(context: D, out: &mut [u8]) {
    if let Ok(whole) = <&mut Output<D>>::try_from(&mut *out) {
        return context.finalize_into(whole);
    }
    let mut value = context.finalize_fixed();
    out.iter_mut().zip(&value).for_each(|(o, v)| *o = *v);
    // The bytes at once: `Array` itself wipes them one by one.
    value.as_mut_slice().zeroize();
}

struct Context<D>(D);

impl<D: Update + FixedOutput + Clone + Send + Sync + 'static> HashContext for Context<D> {
    fn update(&mut self, bytes: &[u8]) {
        Update::update(&mut self.0, bytes);
    }

    fn value(&self) -> Digest {
        Digest::filled(<D as OutputSizeUser>::output_size(), |out| end(self.0.clone(), out))
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(Self(self.0.clone()))
    }
}

struct Key<D: EagerHash>(Hmac<D>);

impl<D: EagerHash> Key<D> {
    #[expect(clippy::expect_used, reason = "RFC 2104 2: keys may have any length, and it is the one thing looked at")]
    fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of every length"))
    }
}

impl<D: EagerHash> HmacKey for Key<D>
where
    Hmac<D>: Clone + Send + Sync,
{
    fn sign(&self, parts: &[&[u8]], out: &mut [u8]) {
        let mut mac = self.0.clone();
        parts.iter().for_each(|p| Mac::update(&mut mac, p));
        end(mac, out);
    }
}
