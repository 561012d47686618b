//! What the signature schemes of TLS are made with: RFC 9846 4.2.3.

use crate::code::{NamedGroup, SignatureScheme};
use clasp_x509::{Curve, PublicKey, SignatureAlgorithm, SignatureHash};

impl SignatureScheme {
    /// The algorithm that it stands for with a key, if it is one of the key's. TLS 1.2 has an ECDSA scheme say the hash and leaves
    /// the curve to the key (RFC 8422 5.1.1); where TLS 1.3 is spoken, hold it against [`has_curve_of`](Self::has_curve_of) too.
    ///
    /// RSASSA-PSS has schemes for plain RSA keys (rsa_pss_rsae), and others for keys that are for it alone (rsa_pss_pss), which
    /// may limit the hash and the salt (RFC 4055 3.3).
    pub fn algorithm(self, key: PublicKey<'_>) -> Option<SignatureAlgorithm> {
        use SignatureAlgorithm as A;
        let pss = |hash: SignatureHash| A::RsaPss { hash, salt: hash.length() };
        Some(match (key, self) {
            (PublicKey::Rsa { pss_only: None, .. }, scheme) => match scheme {
                Self::RsaPssRsaeSha256 => pss(SignatureHash::Sha256),
                Self::RsaPssRsaeSha384 => pss(SignatureHash::Sha384),
                Self::RsaPssRsaeSha512 => pss(SignatureHash::Sha512),
                Self::RsaPkcs1Sha256 => A::RsaPkcs1(SignatureHash::Sha256),
                Self::RsaPkcs1Sha384 => A::RsaPkcs1(SignatureHash::Sha384),
                Self::RsaPkcs1Sha512 => A::RsaPkcs1(SignatureHash::Sha512),
                _ => return None,
            },
            (PublicKey::Rsa { pss_only: Some(_), .. }, scheme) => {
                let algorithm = match scheme {
                    Self::RsaPssPssSha256 => pss(SignatureHash::Sha256),
                    Self::RsaPssPssSha384 => pss(SignatureHash::Sha384),
                    Self::RsaPssPssSha512 => pss(SignatureHash::Sha512),
                    _ => return None,
                };
                return algorithm.fits(key).then_some(algorithm);
            }
            (PublicKey::P256, scheme) => A::Ecdsa(Curve::P256, scheme.ecdsa()?.1),
            (PublicKey::P384, scheme) => A::Ecdsa(Curve::P384, scheme.ecdsa()?.1),
            (PublicKey::P521, scheme) => A::Ecdsa(Curve::P521, scheme.ecdsa()?.1),
            (PublicKey::Ed25519, Self::Ed25519) => A::Ed25519,
            // Each parameter set is a key of its own (RFC 9881 2).
            (PublicKey::MlDsa(44), Self::MlDsa44) => A::MlDsa44,
            (PublicKey::MlDsa(65), Self::MlDsa65) => A::MlDsa65,
            (PublicKey::MlDsa(87), Self::MlDsa87) => A::MlDsa87,
            _ => return None,
        })
    }

    /// Whether the curve in its name is that of the key, or there is none.
    pub fn has_curve_of(self, key: PublicKey<'_>) -> bool {
        self.ecdsa().is_none_or(|(curve, _)| curve == key)
    }

    /// The curve in its name, as a group.
    pub(crate) const fn curve(self) -> Option<NamedGroup> {
        match self {
            Self::EcdsaSecp256r1Sha256 => Some(NamedGroup::Secp256r1),
            Self::EcdsaSecp384r1Sha384 => Some(NamedGroup::Secp384r1),
            Self::EcdsaSecp521r1Sha512 => Some(NamedGroup::Secp521r1),
            _ => None,
        }
    }

    /// The curve in its name, as the kind of key that is on it, and the hash.
    const fn ecdsa(self) -> Option<(PublicKey<'static>, SignatureHash)> {
        match self {
            Self::EcdsaSecp256r1Sha256 => Some((PublicKey::P256, SignatureHash::Sha256)),
            Self::EcdsaSecp384r1Sha384 => Some((PublicKey::P384, SignatureHash::Sha384)),
            Self::EcdsaSecp521r1Sha512 => Some((PublicKey::P521, SignatureHash::Sha512)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9881 2: a parameter set is a kind of key. A signature by another is a scheme that does not fit, not a signature
    /// that is wrong (RFC 9846 6.2).
    #[test]
    fn an_ml_dsa_scheme_fits_the_keys_of_its_own_set() {
        let sets = [SignatureScheme::MlDsa44, SignatureScheme::MlDsa65, SignatureScheme::MlDsa87];
        fn fits(scheme: SignatureScheme, key: PublicKey<'_>) -> bool {
            scheme.algorithm(key).is_some()
        }
        for (n, own) in (0x11..).zip(sets) {
            let spki = [&b"\x30\x12\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03"[..], &[n, 3, 3, 0, 1, 2]].concat();
            let key = PublicKey::parse(&spki);
            for scheme in sets {
                assert_eq!(fits(scheme, key), scheme == own, "{scheme} for a key of {own}");
            }
            assert!(!fits(SignatureScheme::Ed25519, key) && !fits(SignatureScheme::RsaPssRsaeSha256, key));
        }
        let other = PublicKey::parse(b"\x30\x0a\x30\x05\x06\x03\x2b\x65\x71\x03\x01\x00");
        assert!(sets.iter().all(|scheme| !fits(*scheme, other)), "Ed448");
    }

    /// RFC 8422 5.1.1, RFC 9846 4.2.3.
    #[test]
    fn an_ecdsa_scheme_says_the_hash_and_in_tls_1_3_the_curve() {
        use SignatureScheme as S;
        for (scheme, hash) in [
            (S::EcdsaSecp256r1Sha256, SignatureHash::Sha256),
            (S::EcdsaSecp384r1Sha384, SignatureHash::Sha384),
            (S::EcdsaSecp521r1Sha512, SignatureHash::Sha512),
        ] {
            for (key, curve, own) in [
                (PublicKey::P256, Curve::P256, S::EcdsaSecp256r1Sha256),
                (PublicKey::P384, Curve::P384, S::EcdsaSecp384r1Sha384),
                (PublicKey::P521, Curve::P521, S::EcdsaSecp521r1Sha512),
            ] {
                assert_eq!(scheme.algorithm(key), Some(SignatureAlgorithm::Ecdsa(curve, hash)));
                assert_eq!(scheme.has_curve_of(key), scheme == own);
            }
            assert_eq!(scheme.algorithm(PublicKey::Ed25519), None);
        }
        assert!(S::Ed25519.has_curve_of(PublicKey::Ed25519), "no curve in its name");
    }
}
