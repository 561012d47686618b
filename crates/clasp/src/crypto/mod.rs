// Above `wire`.
//! Cryptography behind one narrow face that works on bytes. Record formats, nonces and additional data
//! belong to the record layer, never to a back end. This folder alone names a crypto library.

mod aead;
mod aws_lc;
mod builtin;
mod classic;
mod error;
pub(crate) mod fingerprint;
mod group;
mod hash;
mod key_der;
mod provider;
#[cfg(feature = "ring")]
mod ring;
#[cfg(feature = "rust-crypto")]
mod rust_crypto;
mod scheme;
mod secret;

pub use aead::{Aead, AeadId, AeadKey, MaskKey, SAMPLE_LEN, TAG_LEN};
pub use aws_lc::sign::PrivateKey;
pub use clasp_x509::VerifySignature;
pub use classic::{BlockKey, CbcHmacKey, CbcId, Legacy, Use};
pub use error::{CryptoError, CryptoResult, RandomError};
pub use group::{Group, KeyShare, StaticKey};
pub use hash::{Digest, Hash, HashContext, HashId, HmacKey};
pub use key_der::AnyKeyDer;
pub use provider::{Provider, Random};
pub use secret::SharedSecret;
pub(crate) use secret::overwrite_stack;
