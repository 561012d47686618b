//! What connections share: who is trusted, who we are, what may be negotiated.

mod client;
mod clock;
mod identity;
mod policy;
mod psk;
mod server;
pub mod suite;
mod verifier;

pub use client::{ClientBuilder, ClientConfig};
pub use clock::{Clock, SystemClock};
pub use identity::{CertificateRequestFacts, ClientHelloFacts, ClientIdentity, Identities, Identity, Resolver, Signer};
pub use policy::Policy;
pub use psk::PreSharedKey;
pub use server::{ClientAuth, ServerBuilder, ServerConfig};
pub(crate) use verifier::may_sign;
pub use verifier::{DangerousAcceptAnyone, PresentedIdentity, RawPublicKeys, Verified, Verifier, WebPki};

pub use clasp_x509::Profile;

pub(crate) use identity::{auth_of, fits_key, is_public_key};

/// Builder stage: the client does not know yet whom to trust.
#[derive(Debug)]
pub struct NeedsTrust(());

/// Builder stage: the server has no identity yet.
#[derive(Debug)]
pub struct NeedsIdentity(());

/// Builder stage: everything needed is there.
#[derive(Debug)]
pub struct Ready(());

/// Checks ALPN protocol names: 1 to 255 bytes each, RFC 7301 3.1.
fn check_alpn(protocols: &[Vec<u8>]) -> crate::error::Result<()> {
    match protocols.iter().find(|p| p.is_empty() || p.len() > 255) {
        None => Ok(()),
        Some(bad) => Err(crate::error::Error::from(crate::error::Misuse::BadAlpn)
            .seen(format_args!("{} bytes", bad.len()))
            .wanted("1 to 255 bytes")),
    }
}

/// Checks that certificates can be compressed with these algorithms: the cargo feature `compression` has them.
fn check_compression(algorithms: &[crate::wire::code::CompressionAlgorithm]) -> crate::error::Result<()> {
    match algorithms.iter().find(|a| !crate::handshake::compression::available(**a)) {
        None => Ok(()),
        Some(bad) => Err(crate::error::Error::from(crate::error::Misuse::BadPolicy)
            .seen(format_args!("certificate compression with {bad}"))
            .wanted("zlib, brotli or zstd, and the cargo feature `compression`")),
    }
}
