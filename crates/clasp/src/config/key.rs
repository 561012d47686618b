//! What a public key is good for in TLS.

use crate::code::{NamedGroup, SignatureScheme};
use crate::suite::Auth;
use clasp_x509::PublicKey;

/// What kind of TLS 1.2 suite a key authenticates. A key for RSASSA-PSS alone has none.
pub(crate) const fn auth_of(key: PublicKey<'_>) -> Option<Auth> {
    match key {
        PublicKey::Rsa { pss_only: None, .. } => Some(Auth::Rsa),
        // RFC 8422 5.10: the suites named ECDSA take both.
        PublicKey::P256 | PublicKey::P384 | PublicKey::P521 | PublicKey::OtherCurve(_) | PublicKey::Ed25519 => {
            Some(Auth::Ecdsa)
        }
        _ => None,
    }
}

/// The curve of an ECDSA key.
pub(crate) const fn curve_of(key: PublicKey<'_>) -> Option<NamedGroup> {
    match key {
        PublicKey::P256 => Some(NamedGroup::Secp256r1),
        PublicKey::P384 => Some(NamedGroup::Secp384r1),
        PublicKey::P521 => Some(NamedGroup::Secp521r1),
        _ => None,
    }
}

/// Whether a signature scheme is one of this key: RFC 9846 4.2.3. A key for RSASSA-PSS alone has none of ours.
pub(crate) fn fits_key(scheme: SignatureScheme, key: PublicKey<'_>) -> bool {
    use SignatureScheme as S;
    match scheme {
        S::EcdsaSecp256r1Sha256 | S::EcdsaSecp384r1Sha384 | S::EcdsaSecp521r1Sha512 => curve_of(key).is_some(),
        S::Ed25519 => key == PublicKey::Ed25519,
        // Each parameter set is a key of its own (RFC 9881 2).
        S::MlDsa44 => key == PublicKey::MlDsa(44),
        S::MlDsa65 => key == PublicKey::MlDsa(65),
        S::MlDsa87 => key == PublicKey::MlDsa(87),
        _ => auth_of(key) == Some(Auth::Rsa),
    }
}

/// Whether the scheme's curve is that of the key: RFC 9846 4.2.3. TLS 1.2 does not ask.
pub(crate) fn fits_curve(scheme: SignatureScheme, key: PublicKey<'_>) -> bool {
    let curve = match scheme {
        SignatureScheme::EcdsaSecp256r1Sha256 => NamedGroup::Secp256r1,
        SignatureScheme::EcdsaSecp384r1Sha384 => NamedGroup::Secp384r1,
        SignatureScheme::EcdsaSecp521r1Sha512 => NamedGroup::Secp521r1,
        _ => return true,
    };
    curve_of(key) == Some(curve)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9881 2: a parameter set is a kind of key. A signature by another is a scheme that does not fit, not a signature
    /// that is wrong (RFC 9846 6.2).
    #[test]
    fn an_ml_dsa_scheme_fits_the_keys_of_its_own_set() {
        let sets = [SignatureScheme::MlDsa44, SignatureScheme::MlDsa65, SignatureScheme::MlDsa87];
        for (n, own) in (0x11..).zip(sets) {
            let spki = [&b"\x30\x12\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03"[..], &[n, 3, 3, 0, 1, 2]].concat();
            let key = PublicKey::parse(&spki);
            for scheme in sets {
                assert_eq!(fits_key(scheme, key), scheme == own, "{scheme} for a key of {own}");
            }
            assert!(!fits_key(SignatureScheme::Ed25519, key) && !fits_key(SignatureScheme::RsaPssRsaeSha256, key));
        }
        let other = PublicKey::parse(b"\x30\x0a\x30\x05\x06\x03\x2b\x65\x71\x03\x01\x00");
        assert!(sets.iter().all(|scheme| !fits_key(*scheme, other)), "Ed448");
    }
}
