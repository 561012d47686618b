//! Hybrids of an elliptic curve with ML-KEM: draft-ietf-tls-ecdhe-mlkem, FIPS 203. Either half alone keeps the secret.

use super::kx;
use crate::code::NamedGroup;
use crate::crypto::{CryptoError, CryptoResult, Group, KeyShare, SharedSecret};
use aws_lc_rs::kem::{self, AlgorithmId, Ciphertext, DecapsulationKey, EncapsulationKey};

pub(super) static GROUPS: [Hybrid; 3] = [
    Hybrid {
        group: NamedGroup::X25519MlKem768,
        curve: &kx::X25519,
        curve_len: 32,
        kem: &kem::ML_KEM_768,
        key_len: 1184,
        ciphertext_len: 1088,
        kem_first: true,
    },
    Hybrid {
        group: NamedGroup::SecP256r1MlKem768,
        curve: &kx::P256,
        curve_len: 65,
        kem: &kem::ML_KEM_768,
        key_len: 1184,
        ciphertext_len: 1088,
        kem_first: false,
    },
    Hybrid {
        group: NamedGroup::SecP384r1MlKem1024,
        curve: &kx::P384,
        curve_len: 97,
        kem: &kem::ML_KEM_1024,
        key_len: 1568,
        ciphertext_len: 1568,
        kem_first: false,
    },
];

pub(super) struct Hybrid {
    group: NamedGroup,
    curve: &'static kx::Curve,
    curve_len: usize,
    kem: &'static kem::Algorithm<AlgorithmId>,
    key_len: usize,
    ciphertext_len: usize,
    /// The draft puts ML-KEM first with X25519, and the curve first with the NIST curves.
    kem_first: bool,
}

impl Hybrid {
    /// Splits a public value of `kem_len` bytes of ML-KEM and a curve point: (ML-KEM, curve).
    fn split<'a>(&self, value: &'a [u8], kem_len: usize) -> CryptoResult<(&'a [u8], &'a [u8])> {
        if value.len() != kem_len.saturating_add(self.curve_len) {
            return Err(CryptoError);
        }
        let (first, second) = value.split_at(if self.kem_first { kem_len } else { self.curve_len });
        Ok(if self.kem_first { (first, second) } else { (second, first) })
    }

    fn join(&self, kem: &[u8], curve: &[u8]) -> Vec<u8> {
        if self.kem_first { [kem, curve].concat() } else { [curve, kem].concat() }
    }

    fn combine(&self, kem: &[u8], curve: &SharedSecret, secret: &mut SharedSecret) {
        let curve = curve.expose();
        let out = secret.fill(kem.len().saturating_add(curve.len()));
        let (first, second) = if self.kem_first { (kem, curve) } else { (curve, kem) };
        let (a, b) = out.split_at_mut(first.len());
        a.copy_from_slice(first);
        b.copy_from_slice(second);
    }
}

impl Group for Hybrid {
    fn id(&self) -> NamedGroup {
        self.group
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        let key = DecapsulationKey::generate(self.kem)?;
        let curve = self.curve.start()?;
        let public = self.join(key.encapsulation_key()?.key_bytes()?.as_ref(), curve.public());
        let hybrid = GROUPS.iter().find(|g| g.group == self.group).ok_or(CryptoError)?;
        Ok(Box::new(Share { hybrid, key, curve, public }))
    }

    /// The server's half: encapsulates to the client's ML-KEM key.
    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        let (key, point) = self.split(peer, self.key_len)?;
        // AWS-LC checks the key's encoding (FIPS 203 7.2).
        let key = EncapsulationKey::new(self.kem, key).map_err(|_| CryptoError)?;
        let (ciphertext, kem_secret) = key.encapsulate()?;
        let mut curve_secret = SharedSecret::default();
        public.reserve(self.ciphertext_len.saturating_add(self.curve_len));
        if self.kem_first {
            public.extend_from_slice(ciphertext.as_ref());
        }
        self.curve.answer(point, &mut curve_secret, public)?;
        if !self.kem_first {
            public.extend_from_slice(ciphertext.as_ref());
        }
        self.combine(kem_secret.as_ref(), &curve_secret, secret);
        Ok(())
    }
}

struct Share {
    hybrid: &'static Hybrid,
    key: DecapsulationKey<AlgorithmId>,
    curve: Box<dyn KeyShare>,
    public: Vec<u8>,
}

impl KeyShare for Share {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        let Self { hybrid, key, curve, .. } = *self;
        let (ciphertext, point) = hybrid.split(peer, hybrid.ciphertext_len)?;
        let kem_secret = key.decapsulate(Ciphertext::from(ciphertext))?;
        let mut curve_secret = SharedSecret::default();
        curve.finish(point, &mut curve_secret)?;
        hybrid.combine(kem_secret.as_ref(), &curve_secret, secret);
        Ok(())
    }

    fn also(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.hybrid.curve.id(), self.curve.public()))
    }

    fn finish_also(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.curve.finish(peer, secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_and_the_curve_half_alone_too() {
        for group in &GROUPS {
            let client = group.start().unwrap();
            let (mut ours, mut theirs) = (SharedSecret::default(), SharedSecret::default());
            let mut answer = Vec::new();
            group.answer(client.public(), &mut theirs, &mut answer).unwrap();
            client.finish(&answer, &mut ours).unwrap();
            assert_eq!(ours.expose(), theirs.expose());
            assert!(ours.expose().len() >= 64);

            let client = group.start().unwrap();
            let (curve, public) = client.also().map(|(g, p)| (g, p.to_vec())).unwrap();
            assert_eq!(curve, group.curve.id());
            answer.clear();
            group.curve.answer(&public, &mut theirs, &mut answer).unwrap();
            client.finish_also(&answer, &mut ours).unwrap();
            assert_eq!(ours.expose(), theirs.expose());
        }
    }

    #[test]
    fn bad_values_are_refused() {
        for group in &GROUPS {
            let public = group.start().unwrap().public().to_vec();
            let (mut secret, out) = (SharedSecret::default(), &mut Vec::new());
            assert!(group.answer(&public[1..], &mut secret, out).is_err(), "{} takes a short value", group.group);
            assert!(group.answer(&[], &mut secret, out).is_err());
            // FIPS 203 7.2: coefficients of the key are below q.
            let start = if group.kem_first { 0 } else { group.curve_len };
            let mut unreduced = public.clone();
            unreduced[start..start + 3].fill(0xff);
            assert!(group.answer(&unreduced, &mut secret, out).is_err(), "{} takes an unreduced key", group.group);
            assert!(group.start().unwrap().finish(&public[..40], &mut secret).is_err());
        }
    }
}
