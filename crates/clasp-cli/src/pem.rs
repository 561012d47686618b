//! Loading certificates and keys from files.

use crate::failure::Failure;
use clasp::{Identity, Policy, Roots};
use std::path::Path;
use std::sync::Arc;

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::file(path, e))
}

/// The roots of a PEM file, or the system's.
pub(crate) fn roots(ca: Option<&Path>) -> Result<Arc<Roots>, Failure> {
    let mut roots = Roots::empty();
    match ca {
        Some(path) => {
            roots.add_pem(&read(path)?).map_err(|e| Failure::file(path, e))?;
        }
        None => {
            for certificate in rustls_native_certs::load_native_certs().certs {
                // A root of the system's that cannot be read is one that is not trusted.
                let _unreadable = roots.add_der(&certificate);
            }
        }
    }
    Ok(Arc::new(roots))
}

/// A certificate chain and its key.
pub(crate) fn identity(chain: &Path, key: &Path) -> Result<Identity, Failure> {
    Identity::from_pem(&read(chain)?, &read(key)?).map_err(|e| {
        let failure = Failure::cannot(format_args!("{} with {}: {e}", chain.display(), key.display()));
        match e.hint_text() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// A policy by its name.
pub(crate) fn policy(name: &str) -> Result<Policy, Failure> {
    match Policy::named().into_iter().find(|(n, _)| *n == name) {
        Some((_, policy)) => Ok(policy),
        None => {
            Err(Failure::cannot(format_args!("there is no policy {name}"))
                .hint("use --policy default or --policy legacy"))
        }
    }
}
