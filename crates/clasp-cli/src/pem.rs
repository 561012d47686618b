//! Loading certificates and keys from files.

use crate::failure::Failure;
use clasp::{Identity, Roots};
use rustls_pki_types::pem::{SectionKind, from_buf};
use std::path::Path;
use std::sync::Arc;

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::file(path, e))
}

/// The roots of a PEM file, or the system's.
pub(crate) fn roots(ca: Option<&Path>) -> Result<Arc<Roots>, Failure> {
    let Some(path) = ca else {
        return Ok(Arc::new(Roots::native().map_err(Failure::cannot)?));
    };
    let mut roots = Roots::empty();
    roots.add_pem(&read(path)?).map_err(|e| Failure::file(path, e))?;
    Ok(Arc::new(roots))
}

/// The roots of these files, PEM or DER, or the system's where there are none.
pub(crate) fn roots_of(files: &[std::path::PathBuf]) -> Result<Arc<Roots>, Failure> {
    if files.is_empty() {
        return roots(None);
    }
    let mut roots = Roots::empty();
    for path in files {
        for certificate in certificates(path)? {
            roots.add_der(&certificate).map_err(|e| Failure::file(path, e))?;
        }
    }
    Ok(Arc::new(roots))
}

/// The sections of a PEM file; none if it is not one.
pub(crate) fn sections(bytes: &[u8]) -> Vec<(SectionKind, Vec<u8>)> {
    let mut rest = bytes;
    let mut out = Vec::new();
    while let Ok(Some(section)) = from_buf(&mut rest) {
        out.push(section);
    }
    out
}

/// What a file has of one kind, in PEM, or the whole of it as DER.
fn of_kind(path: &Path, wanted: SectionKind, what: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = read(path)?;
    let sections = sections(&bytes);
    if sections.is_empty() {
        return Ok(vec![bytes]);
    }
    let found: Vec<Vec<u8>> = sections.into_iter().filter(|(kind, _)| *kind == wanted).map(|(_, der)| der).collect();
    if found.is_empty() { Err(Failure::file(path, format_args!("no {what} in it"))) } else { Ok(found) }
}

/// The certificates of a file, PEM or DER.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    of_kind(path, SectionKind::Certificate, "certificate")
}

/// The revocation lists of a file, PEM or DER.
pub(crate) fn lists(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    of_kind(path, SectionKind::Crl, "revocation list")
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
