//! Elliptic-curve key exchange: X25519 and the NIST curves.

use crate::code::NamedGroup;
use crate::crypto::{CryptoError, CryptoResult, Group, KeyShare, SharedSecret, StaticKey};
use aws_lc_rs::agreement::{self, EphemeralPrivateKey, PrivateKey, PublicKey, UnparsedPublicKey};
use aws_lc_rs::rand::SystemRandom;

pub(super) static X25519: Curve = Curve(NamedGroup::X25519, &agreement::X25519);
pub(super) static P256: Curve = Curve(NamedGroup::Secp256r1, &agreement::ECDH_P256);
pub(super) static P384: Curve = Curve(NamedGroup::Secp384r1, &agreement::ECDH_P384);
pub(super) static P521: Curve = Curve(NamedGroup::Secp521r1, &agreement::ECDH_P521);

#[derive(Clone, Copy)]
pub(super) struct Curve(NamedGroup, &'static agreement::Algorithm);

impl Group for Curve {
    fn id(&self) -> NamedGroup {
        self.0
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        self.share().map(|share| Box::new(share) as Box<dyn KeyShare>)
    }

    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        let share = self.share()?;
        public.extend_from_slice(share.public());
        share.agree(peer, secret)
    }

    fn static_key(&self, private: &[u8]) -> CryptoResult<Box<dyn StaticKey>> {
        // AWS-LC refuses zero, and what is not below the group's order.
        let key = PrivateKey::from_private_key(self.1, private).map_err(|_| CryptoError)?;
        let public = key.compute_public_key()?;
        Ok(Box::new(Static { curve: *self, key, public }))
    }
}

impl Curve {
    /// A peer's public value, if it has the form that TLS and HPKE write.
    fn peer(self, public: &[u8]) -> CryptoResult<UnparsedPublicKey<&[u8]>> {
        let right_form = match self.0 {
            NamedGroup::X25519 => public.len() == 32,
            _ => public.first() == Some(&UNCOMPRESSED) && public.len() == self.public_len(),
        };
        if right_form { Ok(UnparsedPublicKey::new(self.1, public)) } else { Err(CryptoError) }
    }

    const fn public_len(self) -> usize {
        match self.0 {
            NamedGroup::Secp256r1 => 65,
            NamedGroup::Secp384r1 => 97,
            NamedGroup::Secp521r1 => 133,
            _ => 32,
        }
    }

    fn share(self) -> CryptoResult<Share> {
        let key = EphemeralPrivateKey::generate(self.1, &SystemRandom::new())?;
        let public = key.compute_public_key()?;
        Ok(Share { curve: self, key, public })
    }
}

struct Share {
    curve: Curve,
    key: EphemeralPrivateKey,
    public: PublicKey,
}

/// SEC 1 2.3.3: the only point format TLS still has (RFC 8422 5.1.2, RFC 9846 4.2.8.2).
const UNCOMPRESSED: u8 = 4;

impl KeyShare for Share {
    fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        self.agree(peer, secret)
    }
}

impl Share {
    fn agree(self, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        // AWS-LC refuses points off the curve, and an all-zero X25519 result.
        agreement::agree_ephemeral(self.key, self.curve.peer(peer)?, CryptoError, |shared| {
            secret.fill(shared.len()).copy_from_slice(shared);
            Ok(())
        })
    }
}

struct Static {
    curve: Curve,
    key: PrivateKey,
    public: PublicKey,
}

impl StaticKey for Static {
    fn public(&self) -> &[u8] {
        self.public.as_ref()
    }

    fn agree(&self, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        agreement::agree(&self.key, self.curve.peer(peer)?, CryptoError, |shared| {
            secret.fill(shared.len()).copy_from_slice(shared);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static GROUPS: [&Curve; 4] = [&X25519, &P256, &P384, &P521];

    fn agree(group: &dyn Group, peer: &[u8]) -> CryptoResult<()> {
        group.start()?.finish(peer, &mut SharedSecret::default())
    }

    #[test]
    fn both_sides_agree() {
        for group in GROUPS {
            let (a, b) = (group.start().unwrap(), group.start().unwrap());
            let (a_public, b_public) = (a.public().to_vec(), b.public().to_vec());
            let (mut a_secret, mut b_secret) = (SharedSecret::default(), SharedSecret::default());
            a.finish(&b_public, &mut a_secret).unwrap();
            b.finish(&a_public, &mut b_secret).unwrap();
            assert_eq!(a_secret.expose(), b_secret.expose());
            assert!(!a_secret.expose().is_empty());
        }
    }

    #[test]
    fn bad_public_values_are_refused() {
        for group in GROUPS {
            let good = group.start().unwrap().public().to_vec();
            assert!(agree(group, &[]).is_err());
            assert!(agree(group, &good[1..]).is_err());
            assert!(agree(group, &vec![0; good.len()]).is_err(), "{} takes zeros", group.id());
            if group.id() != NamedGroup::X25519 {
                let mut off_curve = good.clone();
                *off_curve.last_mut().unwrap() ^= 1;
                assert!(agree(group, &off_curve).is_err(), "{} takes a point off the curve", group.id());
                let mut compressed = good[..=good.len() / 2].to_vec();
                compressed[0] = 2 | (good.last().unwrap() & 1);
                assert!(agree(group, &compressed).is_err(), "{} takes a compressed point", group.id());
            }
        }
    }
}
