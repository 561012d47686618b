//! What a public key is good for in TLS.

use crate::code::NamedGroup;
use crate::suite::Auth;
use clasp_x509::PublicKey;

/// What kind of TLS 1.2 suite a key authenticates. One for RSASSA-PSS alone signs in those of RSA (RFC 9846 4.2.3), and
/// does not decrypt ([`decrypts`]).
pub(crate) const fn auth_of(key: PublicKey<'_>) -> Option<Auth> {
    match key {
        PublicKey::Rsa { .. } => Some(Auth::Rsa),
        // RFC 8422 5.10: the suites named ECDSA take both.
        PublicKey::P256 | PublicKey::P384 | PublicKey::P521 | PublicKey::OtherCurve(_) | PublicKey::Ed25519 => {
            Some(Auth::Ecdsa)
        }
        _ => None,
    }
}

/// Whether a key may be one of RSA key transport: RFC 4055 1.2 has those for RSASSA-PSS do nothing else.
pub(crate) const fn decrypts(key: PublicKey<'_>) -> bool {
    matches!(key, PublicKey::Rsa { pss_only: None, .. })
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
