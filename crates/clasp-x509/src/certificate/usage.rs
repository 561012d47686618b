//! What a certificate, and its key, may be used for: RFC 5280 4.2.1.3 and 4.2.1.12.

use crate::oid;
use core::fmt;

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Usage {
    /// To be a TLS server (id-kp-serverAuth).
    Server,
    /// To be a TLS client (id-kp-clientAuth).
    Client,
    /// Nothing in particular: extKeyUsage is not looked at.
    Any,
}

impl Usage {
    /// The purpose wanted in extKeyUsage.
    pub(crate) const fn purpose(self) -> Option<&'static [u8]> {
        match self {
            Self::Server => Some(oid::SERVER_AUTH),
            Self::Client => Some(oid::CLIENT_AUTH),
            Self::Any => None,
        }
    }

    /// What a keyUsage that is there has at least one of: RFC 5280 4.2.1.12. Without it no handshake takes the key.
    pub(crate) const fn key_usages(self) -> Option<KeyUsage> {
        let signs = KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_AGREEMENT);
        match self {
            Self::Server => Some(signs.and(KeyUsage::KEY_ENCIPHERMENT)),
            Self::Client => Some(signs),
            Self::Any => None,
        }
    }
}

/// The keyUsage bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(pub(crate) u16);

const NAMES: [(u16, &str); 9] = [
    (0x8000, "digitalSignature"),
    (0x4000, "nonRepudiation"),
    (0x2000, "keyEncipherment"),
    (0x1000, "dataEncipherment"),
    (0x0800, "keyAgreement"),
    (0x0400, "keyCertSign"),
    (0x0200, "cRLSign"),
    (0x0100, "encipherOnly"),
    (0x0080, "decipherOnly"),
];

impl KeyUsage {
    /// Every usage: what a certificate without the extension allows.
    pub const ANY: Self = Self(0xff80);
    /// Signing handshakes.
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    /// Having a premaster secret encrypted.
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    /// Agreeing on keys.
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    /// Signing certificates.
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    /// Signing revocation lists.
    pub const CRL_SIGN: Self = Self(0x0200);
    pub(crate) const ONLY: Self = Self(0x0180);

    /// May sign handshakes.
    pub const fn digital_signature(self) -> bool {
        self.has(Self::DIGITAL_SIGNATURE)
    }

    /// May have a premaster secret encrypted to it.
    pub const fn key_encipherment(self) -> bool {
        self.has(Self::KEY_ENCIPHERMENT)
    }

    /// May sign certificates.
    pub const fn key_cert_sign(self) -> bool {
        self.has(Self::KEY_CERT_SIGN)
    }

    /// May sign revocation lists.
    pub const fn crl_sign(self) -> bool {
        self.has(Self::CRL_SIGN)
    }

    /// Whether all of `wanted` are allowed.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Whether any of `wanted` is allowed.
    pub(crate) const fn has_any(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but for those.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// By its name in RFC 5280 4.2.1.3.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, n)| *n == name).map(|(bit, _)| Self(*bit))
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (bit, name) in NAMES {
            if self.0 & bit != 0 {
                write!(f, "{comma}{name}")?;
                comma = ", ";
            }
        }
        if comma.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}
