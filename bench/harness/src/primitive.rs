//! The bare primitives: what a handshake or a record cannot do without.

use crate::scenario::{Aead, Key};

/// A group whose key pairs are measured alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Curve {
    X25519,
    P256,
}

/// One primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Primitive {
    /// Encrypts this many bytes in place with a key that is set up.
    Seal(Aead, usize),
    /// Decrypts this many bytes in place.
    Open(Aead, usize),
    /// Sets an AEAD key up.
    AeadKey(Aead),
    /// AES-128-CBC with HMAC-SHA-1 over this many bytes, MAC then encrypt, with the padding of TLS.
    CbcSeal(usize),
    CbcOpen(usize),
    /// Makes an ephemeral key pair, its public value encoded.
    KeyPair(Curve),
    /// The same, and agrees with a public value: ephemeral keys are used once, and some libraries have no other way.
    Exchange(Curve),
    /// ML-KEM-768: makes a key pair, its public key encoded.
    KemKeyPair,
    /// The same, and decapsulates: a client's part.
    KemExchange,
    /// Reads a public key and encapsulates to it: a server's part.
    Encapsulate,
    /// Signs over SHA-256: ECDSA, or RSASSA-PSS.
    Sign(Key),
    /// Checks such a signature, the public key as it comes from a certificate.
    Verify(Key),
    /// HMAC-SHA-256 over 32 bytes with a key that is set up.
    Hmac,
    /// HKDF-Expand-Label (RFC 8446 7.1) to 32 bytes with a new secret: HMAC-SHA-256 with a new key.
    ExpandLabel,
    /// SHA-256 over 1 KiB.
    Hash,
    /// 32 random bytes.
    Random,
}

/// The sizes records are measured at.
pub const RECORDS: [usize; 3] = [64, 1024, 16 * 1024];

impl Primitive {
    /// All of them.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for aead in Aead::ALL {
            all.extend(RECORDS.iter().flat_map(|n| [Self::Seal(aead, *n), Self::Open(aead, *n)]));
            all.push(Self::AeadKey(aead));
        }
        all.extend(RECORDS.iter().flat_map(|n| [Self::CbcSeal(*n), Self::CbcOpen(*n)]));
        for curve in [Curve::X25519, Curve::P256] {
            all.extend([Self::KeyPair(curve), Self::Exchange(curve)]);
        }
        all.extend([Self::KemKeyPair, Self::KemExchange, Self::Encapsulate]);
        for key in [Key::EcdsaP256, Key::Rsa2048] {
            all.extend([Self::Sign(key), Self::Verify(key)]);
        }
        all.extend([Self::Hmac, Self::ExpandLabel, Self::Hash, Self::Random]);
        all
    }

    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Seal(aead, n) => format!("{} seal {}", aead.name(), size(n)),
            Self::Open(aead, n) => format!("{} open {}", aead.name(), size(n)),
            Self::AeadKey(aead) => format!("{} key set-up", aead.name()),
            Self::CbcSeal(n) => format!("AES-128-CBC-SHA1 seal {}", size(n)),
            Self::CbcOpen(n) => format!("AES-128-CBC-SHA1 open {}", size(n)),
            Self::KeyPair(Curve::X25519) => "X25519 key pair".into(),
            Self::KeyPair(Curve::P256) => "P-256 key pair".into(),
            Self::Exchange(Curve::X25519) => "X25519 key pair, agree".into(),
            Self::Exchange(Curve::P256) => "P-256 key pair, agree".into(),
            Self::KemKeyPair => "ML-KEM-768 key pair".into(),
            Self::KemExchange => "ML-KEM-768 key pair, decapsulate".into(),
            Self::Encapsulate => "ML-KEM-768 encapsulate".into(),
            Self::Sign(key) => format!("{} sign", key.name()),
            Self::Verify(key) => format!("{} verify", key.name()),
            Self::Hmac => "HMAC-SHA-256 32 B".into(),
            Self::ExpandLabel => "HKDF-Expand-Label".into(),
            Self::Hash => "SHA-256 1 KiB".into(),
            Self::Random => "random 32 B".into(),
        }
    }
}

/// A number of bytes, for people.
pub fn size(bytes: usize) -> String {
    match bytes {
        n if n % (1 << 20) == 0 => format!("{} MiB", n >> 20),
        n if n % (1 << 10) == 0 => format!("{} KiB", n >> 10),
        n => format!("{n} B"),
    }
}

/// The TLS 1.3 additional data of a record of `plain` bytes (RFC 8446 5.2), so that all libraries authenticate the same.
pub fn additional_data(plain: usize) -> [u8; 5] {
    let length = u16::try_from(plain + 16).unwrap_or(u16::MAX).to_be_bytes();
    [23, 3, 3, length[0], length[1]]
}

/// The label structure of HKDF-Expand-Label for `key` material of 32 bytes and a hash (RFC 8446 7.1).
pub fn expand_label_info() -> Vec<u8> {
    let label = b"tls13 c hs traffic";
    let mut info = vec![0, 32, u8::try_from(label.len()).unwrap_or(u8::MAX)];
    info.extend_from_slice(label);
    info.push(32);
    info.extend_from_slice(&[7; 32]);
    info
}
