//! Trusted roots, indexed by name.

use crate::certificate::Certificate;
use core::fmt;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::HashMap;

/// The certificate authorities that are trusted. Looking one up costs the same for 150 as for one.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    by_subject: HashMap<Vec<u8>, Vec<Anchor>>,
    count: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) spki: Vec<u8>,
}

/// A root that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootsError {
    /// Not a certificate; the field that cannot be read.
    NotACertificate(&'static str),
    /// The PEM file cannot be read, or has no certificate.
    NoPem,
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACertificate(field) => write!(f, "a root is not a certificate: its {field} cannot be read"),
            Self::NoPem => f.write_str("no certificate in PEM was found"),
        }
    }
}

impl core::error::Error for RootsError {}

impl Roots {
    /// Trusts nobody yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Trusts a certificate (DER): its name and key. Its dates and constraints are not looked at (RFC 5280 6.1.1 d).
    ///
    /// # Errors
    /// If it is not a certificate.
    pub fn add_der(&mut self, der: &[u8]) -> Result<(), RootsError> {
        let root = Certificate::parse(der).map_err(RootsError::NotACertificate)?;
        let anchors = self.by_subject.entry(root.subject_der().to_vec()).or_default();
        if !anchors.iter().any(|a| a.spki == root.spki()) {
            anchors.push(Anchor { spki: root.spki().to_vec() });
            self.count += 1;
        }
        Ok(())
    }

    /// Trusts every certificate of a PEM file; gives their number.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<usize, RootsError> {
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self.add_der(&certificate.map_err(|_| RootsError::NoPem)?)?;
            count += 1;
        }
        if count == 0 { Err(RootsError::NoPem) } else { Ok(count) }
    }

    /// How many are trusted.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The names of all roots, DER.
    pub fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.by_subject.keys().map(Vec::as_slice)
    }

    pub(crate) fn named(&self, subject: &[u8]) -> &[Anchor] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }
}
