// Above `session`.
//! What connections share: who is trusted, who we are, what may be negotiated.

mod chooser;
mod clash;
mod client;
mod clock;
mod compression;
mod context;
mod ech;
#[cfg(feature = "encrypted-keys")]
mod encrypted;
mod first_use;
mod identity;
mod issuers;
mod key;
mod objects;
mod pinned;
mod policy;
mod psk;
#[cfg(feature = "quic")]
mod quic;
mod reloadable;
mod server;
mod settings;
mod verifier;

pub use crate::suite;
pub use chooser::{
    AnyClientIdentity, AnyResolver, CertificateRequestFacts, ClientHelloFacts, ClientIdentity, Identities, Resolver,
};
pub use client::{ClientBuilder, ClientConfig};
pub use clock::{Clock, SystemClock};
pub use compression::CertificateCompression;
pub(crate) use compression::Compressor;
use context::asked_again;
pub(crate) use context::{claims_last, key_holds, key_of};
pub use first_use::{FirstUse, KnownKeys, KnownKeysFile};
pub use identity::{Identity, Signer};
pub use issuers::{FetchIssuer, MissingIssuers};
pub use pinned::{KeyPin, PinnedKeys};
pub use policy::Policy;
pub use psk::PreSharedKey;
pub use reloadable::Reloadable;
pub use server::{Admission, ClientAuth, ServerBuilder, ServerConfig};
pub(crate) use verifier::may_sign;
pub use verifier::{DangerousAcceptAnyone, PresentedIdentity, RawPublicKeys, Verified, Verifier, WebPki};

pub use clasp_x509::Profile;

pub(crate) use key::{auth_of, curve_of, decrypts};

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
        None => match clash::twice(protocols) {
            Some(name) => {
                let name = String::from_utf8_lossy(name);
                Err(clash::bad_value("alpn", format_args!("{} twice", name.escape_debug()), "each protocol once"))
            }
            None => Ok(()),
        },
        Some(bad) => Err(crate::error::Error::from(crate::error::Misuse::BadAlpn)
            .seen(format_args!("{} bytes", bad.len()))
            .wanted("1 to 255 bytes")),
    }
}

/// Checks that certificates can be compressed with these algorithms: the cargo feature `compression` has the built-in
/// ones. Each number stands for one algorithm.
fn check_compression(compressors: &[Compressor]) -> crate::error::Result<()> {
    let bad = |algorithm: crate::code::CompressionAlgorithm, wanted: &str| {
        let error = crate::error::Error::from(crate::error::Misuse::BadPolicy);
        Err(error.seen(format_args!("certificate compression with {algorithm}")).wanted(wanted))
    };
    if let Some(lacking) = compressors.iter().find(|compressor| !compressor.is_available()) {
        return bad(lacking.algorithm(), "zlib, brotli or zstd, and the cargo feature `compression`");
    }
    let algorithms: Vec<_> = compressors.iter().map(Compressor::algorithm).collect();
    clash::twice(&algorithms).map_or(Ok(()), |again| bad(*again, "each algorithm once"))
}

/// Where pre-shared keys stand in for certificates there is nothing but TLS 1.3: the policy is narrowed to it.
fn check_keys_only(only: bool, keys: &[PreSharedKey], policy: &mut Policy) -> crate::error::Result<()> {
    if !only {
        return Ok(());
    }
    let bad = |wanted| Err(crate::error::Error::from(crate::error::Misuse::BadPreSharedKey).wanted(wanted));
    if keys.is_empty() {
        return bad("at least one key");
    }
    if !policy.speaks(crate::code::ProtocolVersion::Tls13) {
        return bad("a policy that speaks TLS 1.3");
    }
    policy.versions = Some(vec![crate::code::ProtocolVersion::Tls13]);
    Ok(())
}
