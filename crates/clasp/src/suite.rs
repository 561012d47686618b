// Above `crypto`.
//! The cipher suites Clasp can speak, and what each is made of.

use crate::code::CipherSuite;
use crate::crypto::{AeadId, CbcId, HashId};

pub use crate::wire::message::Kx;

/// What kind of key a suite authenticates the server with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Auth {
    /// RSA.
    Rsa,
    /// ECDSA, or Ed25519 (RFC 8422 5.10).
    Ecdsa,
}

/// How a suite protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bulk {
    /// An AEAD.
    Aead(AeadId),
    /// CBC with HMAC.
    Cbc(CbcId),
}

/// A TLS 1.2 cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suite {
    /// Its code.
    pub code: CipherSuite,
    /// Its key exchange.
    pub kx: Kx,
    /// Its authentication.
    pub auth: Auth,
    /// Its record protection.
    pub bulk: Bulk,
    /// The hash of its PRF and Finished.
    pub hash: HashId,
}

impl Suite {
    /// The suite with this code, if Clasp can speak it.
    ///
    /// ```
    /// use clasp::suite::{Kx, Suite};
    /// use clasp::code::CipherSuite;
    /// assert_eq!(Suite::find(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA).map(|s| s.kx), Some(Kx::Rsa));
    /// assert_eq!(Suite::find(CipherSuite::TLS_RSA_WITH_RC4_128_SHA), None);
    /// ```
    pub fn find(code: CipherSuite) -> Option<&'static Self> {
        SUITES.iter().find(|s| s.code == code)
    }

    /// Bytes of the implicit part of the nonce: 4 for GCM (RFC 5288 3), 12 for ChaCha20 (RFC 7905 2).
    pub const fn fixed_iv_len(&self) -> usize {
        match self.bulk {
            Bulk::Aead(AeadId::ChaCha20Poly1305) => 12,
            Bulk::Aead(_) => 4,
            Bulk::Cbc(_) => 0,
        }
    }

    /// Whether the suite needs `Policy::legacy()` and the feature `legacy`: RSA key transport, CBC or DHE.
    pub const fn is_legacy(&self) -> bool {
        !matches!(self.kx, Kx::Ecdhe) || matches!(self.bulk, Bulk::Cbc(_))
    }
}

const fn suite(code: CipherSuite, kx: Kx, auth: Auth, bulk: Bulk, hash: HashId) -> Suite {
    Suite { code, kx, auth, bulk, hash }
}

const GCM128: Bulk = Bulk::Aead(AeadId::Aes128Gcm);
const GCM256: Bulk = Bulk::Aead(AeadId::Aes256Gcm);
const CHACHA: Bulk = Bulk::Aead(AeadId::ChaCha20Poly1305);
const CBC128_SHA: Bulk = Bulk::Cbc(CbcId { key_len: 16, mac: HashId::Sha1 });
const CBC256_SHA: Bulk = Bulk::Cbc(CbcId { key_len: 32, mac: HashId::Sha1 });
const CBC128_SHA256: Bulk = Bulk::Cbc(CbcId { key_len: 16, mac: HashId::Sha256 });
const CBC256_SHA256: Bulk = Bulk::Cbc(CbcId { key_len: 32, mac: HashId::Sha256 });
const CBC256_SHA384: Bulk = Bulk::Cbc(CbcId { key_len: 32, mac: HashId::Sha384 });

/// Every suite, best first.
pub static SUITES: &[Suite] = {
    use Auth::{Ecdsa, Rsa};
    use CipherSuite as C;
    use HashId::{Sha256, Sha384};
    use Kx::{Dhe, Ecdhe};
    &[
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Ecdhe, Ecdsa, GCM128, Sha256),
        suite(C::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Ecdhe, Rsa, GCM128, Sha256),
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, Ecdhe, Ecdsa, GCM256, Sha384),
        suite(C::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, Ecdhe, Rsa, GCM256, Sha384),
        suite(C::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, Ecdhe, Ecdsa, CHACHA, Sha256),
        suite(C::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, Ecdhe, Rsa, CHACHA, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, Dhe, Rsa, GCM128, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, Dhe, Rsa, GCM256, Sha384),
        suite(C::TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, Dhe, Rsa, CHACHA, Sha256),
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, Ecdhe, Ecdsa, CBC128_SHA256, Sha256),
        suite(C::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, Ecdhe, Rsa, CBC128_SHA256, Sha256),
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, Ecdhe, Ecdsa, CBC256_SHA384, Sha384),
        suite(C::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, Ecdhe, Rsa, CBC256_SHA384, Sha384),
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Ecdhe, Ecdsa, CBC128_SHA, Sha256),
        suite(C::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Ecdhe, Rsa, CBC128_SHA, Sha256),
        suite(C::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, Ecdhe, Ecdsa, CBC256_SHA, Sha256),
        suite(C::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, Ecdhe, Rsa, CBC256_SHA, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_128_CBC_SHA256, Dhe, Rsa, CBC128_SHA256, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_256_CBC_SHA256, Dhe, Rsa, CBC256_SHA256, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_128_CBC_SHA, Dhe, Rsa, CBC128_SHA, Sha256),
        suite(C::TLS_DHE_RSA_WITH_AES_256_CBC_SHA, Dhe, Rsa, CBC256_SHA, Sha256),
        suite(C::TLS_RSA_WITH_AES_128_GCM_SHA256, Kx::Rsa, Rsa, GCM128, Sha256),
        suite(C::TLS_RSA_WITH_AES_256_GCM_SHA384, Kx::Rsa, Rsa, GCM256, Sha384),
        suite(C::TLS_RSA_WITH_AES_128_CBC_SHA256, Kx::Rsa, Rsa, CBC128_SHA256, Sha256),
        suite(C::TLS_RSA_WITH_AES_256_CBC_SHA256, Kx::Rsa, Rsa, CBC256_SHA256, Sha256),
        suite(C::TLS_RSA_WITH_AES_128_CBC_SHA, Kx::Rsa, Rsa, CBC128_SHA, Sha256),
        suite(C::TLS_RSA_WITH_AES_256_CBC_SHA, Kx::Rsa, Rsa, CBC256_SHA, Sha256),
    ]
};

/// A TLS 1.3 cipher suite: it says how records are protected and what is hashed, and nothing of keys or certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suite13 {
    /// Its code.
    pub code: CipherSuite,
    /// Its record protection.
    pub aead: AeadId,
    /// The hash of its key schedule.
    pub hash: HashId,
}

impl Suite13 {
    /// The suite with this code, if Clasp can speak it.
    pub fn find(code: CipherSuite) -> Option<&'static Self> {
        SUITES13.iter().find(|s| s.code == code)
    }
}

/// Every TLS 1.3 suite, best first: RFC 9846 B.4.
pub static SUITES13: &[Suite13] = &[
    Suite13 { code: CipherSuite::TLS_AES_128_GCM_SHA256, aead: AeadId::Aes128Gcm, hash: HashId::Sha256 },
    Suite13 { code: CipherSuite::TLS_AES_256_GCM_SHA384, aead: AeadId::Aes256Gcm, hash: HashId::Sha384 },
    Suite13 { code: CipherSuite::TLS_CHACHA20_POLY1305_SHA256, aead: AeadId::ChaCha20Poly1305, hash: HashId::Sha256 },
];
