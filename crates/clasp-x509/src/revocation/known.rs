//! Revocation lists that are kept, and asked again and again: read, hashed and indexed once, however long they are.

use super::crl::Crl;
use super::index::Index;
use crate::der::Der;
use crate::parse_error::ParseError;
use core::fmt;
use rustls_pki_types::CertificateRevocationListDer;

/// A revocation list to check many certificates with: what depends on its length is done once. [`crl`](Self::crl) is then
/// as quick for a list of 14 MB as for an empty one, and so is looking a certificate up in it.
pub struct KnownCrl {
    der: CertificateRevocationListDer<'static>,
    index: Index,
}

impl KnownCrl {
    /// Reads a list, and every entry of it.
    ///
    /// # Errors
    /// Says what is not as RFC 5280 5.1 has it, and where.
    pub fn read(der: impl Into<CertificateRevocationListDer<'static>>) -> Result<Self, ParseError> {
        let der = der.into();
        let crl = Crl::parse(&der)?;
        let index = Index::new(&der, crl.oddities_of_entries(), crl.places());
        let too_long = || Der(&der).wrong("CertificateList", "a list of less than 4 GB").within(&der);
        let index = index.ok_or_else(too_long)?;
        Ok(Self { der, index })
    }

    /// The whole list's hash (SHA-256).
    pub const fn digest(&self) -> &[u8; 32] {
        &self.index.digest
    }

    /// The list.
    ///
    /// # Errors
    /// None: it was read before.
    pub fn crl(&self) -> Result<Crl<'_>, ParseError> {
        Crl::parse_indexed(&self.der, &self.index)
    }
}

impl fmt::Debug for KnownCrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownCrl({} entries, {} bytes)", self.index.count, self.der.len())
    }
}
