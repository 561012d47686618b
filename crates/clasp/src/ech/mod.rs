// Above `suite` and `hpke`.
//! Encrypted Client Hello (RFC 9849): what a server publishes of itself, in its DNS record, so that clients can hide whom they
//! ask for; and the keys that open what they hide.
//!
//! ```
//! use clasp::{crypto::Provider, ech::{EchConfigList, EchKey, EchParameters}};
//! let key = EchKey::generate(Provider::builtin(), &EchParameters::new("public.example"))?;
//! println!("example. HTTPS 1 . ech={}", key.list().to_base64());
//!
//! let published = EchConfigList::from_base64(&key.list().to_base64())?;
//! assert_eq!(published.configs()[0].public_name(), b"public.example");
//! let kept = EchKey::from_pem(Provider::builtin(), key.to_pem()?.as_bytes())?;
//! assert_eq!(kept.list(), &published);
//! # Ok::<(), clasp::ech::EchError>(())
//! ```

mod config;
mod encode;
mod error;
mod inner;
mod key;
mod keyring;
mod mode;
mod name;
mod open;
mod pkcs8;
mod seal;
#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests;

pub use config::{EchConfig, EchConfigList, Unfit};
pub(crate) use encode::{Layout, padded};
pub use error::EchError;
pub(crate) use inner::uncover;
pub use key::{EchKey, EchParameters};
pub use keyring::{EchKeyRing, EchKeyStore, EchKeys, MAX_ECH_CONFIGS};
pub use mode::EchMode;
pub(crate) use mode::{Chosen, Plan};
pub(crate) use open::{open, open_again};
pub(crate) use seal::{Hider, grease};
