//! Certificate path validation: DER, path building, signatures, validity, constraints, usage and names. No TLS in it.
//!
//! ```no_run
//! use clasp_x509::{Options, Roots, Usage, verify};
//! use rustls_pki_types::{ServerName, UnixTime};
//! # fn run(chain: Vec<Vec<u8>>) -> Result<(), Box<dyn std::error::Error>> {
//! let mut roots = Roots::empty();
//! roots.add_pem(&std::fs::read("ca.pem")?)?;
//! let name = ServerName::try_from("example.com")?;
//! let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
//! let options = Options { time: UnixTime::now(), usage: Usage::Server, name: Some(&name) };
//! let leaf = verify(&chain, &roots, &options)?;
//! println!("{}", leaf.subject());
//! # Ok(()) }
//! ```
//!
//! What this first form does not do, and refuses rather than passes over: name constraints and any other critical
//! extension it does not know. Revocation and policies are not looked at.
#![forbid(unsafe_code)]

mod certificate;
mod der;
mod name;
mod path;
mod reason;
mod roots;
mod signature;

pub use certificate::{Certificate, KeyUsage, SubjectAltName};
pub use path::{Options, Usage, verify};
pub use reason::{Reason, Rejection};
pub use roots::{Roots, RootsError};
