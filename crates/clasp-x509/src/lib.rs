//! Certificate path validation that says why: DER, path building, signatures, constraints, policies, names, revocation.
//! No TLS in it.
//!
//! ```no_run
//! use clasp_x509::{Options, Roots, Usage, verify};
//! use rustls_pki_types::{ServerName, UnixTime};
//! # fn run(chain: Vec<Vec<u8>>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut roots = Roots::empty();
//! roots.add_pem(&std::fs::read("ca.pem")?)?;
//! let name = ServerName::try_from("example.com")?;
//! let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
//! let accepted = verify(&chain, &roots, &Options::new(UnixTime::now(), Usage::Server).name(&name))?;
//! println!("{}, by {}", accepted.leaf().subject(), accepted.root());
//! # Ok(()) }
//! ```
//!
//! What is checked, and how the [profiles](Profile) differ, stands in the guide, docs/certificates.md.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod cache;
mod certificate;
mod der;
mod extension;
pub mod kind;
mod name;
mod oid;
mod parse_error;
mod path;
pub mod pem;
mod profile;
mod request;
mod revocation;
mod roots;
mod sct;
mod signature;
mod signed;
mod spki;
#[cfg(any(feature = "native-roots", feature = "bundled-roots"))]
mod stores;
mod text;
mod time;

pub use cache::Verdicts;
pub use certificate::usage::{KeyUsage, Usage};
pub use certificate::{Certificate, DistributionPoint, Identifier, Unreadable};
pub use kind::private_key as describe_private_key;
pub use name::Name;
pub use name::general::SubjectAltName;
pub use oid::Oid;
pub use parse_error::ParseError;
pub use path::{Accepted, Attempt, Finding, Options, Origin, PolicyInputs, Reason, Rejection, Step, standing, verify};
pub use profile::{MIN_RSA_BITS, Profile};
pub use request::{CertificateRequest, Proof};
pub use revocation::{
    CertStatus, Check, Crl, Entry, IssuingDistributionPoint, KnownCrl, OcspError, OcspResponse, Revocation,
    RevocationReason, Scope, SingleResponse, Standing, Trouble, UnsignedOcsp,
};
pub use roots::{Roots, RootsError};
pub use rustls_pki_types as pki_types;
pub use sct::{Logs, Sct, SctEntry, SctVerdict};
pub use signature::{
    AwsLc, Curve, MAX_RSA_BITS, PreparedKey, SignatureAlgorithm, SignatureError, SignatureHash, SignatureRefusal,
    VerifySignature, verify_signature,
};
pub use spki::{PublicKey, Spki, rsa_pss_spki};
pub use text::is_deceptive;
pub use time::Moment;

/// The example of the crate's page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
