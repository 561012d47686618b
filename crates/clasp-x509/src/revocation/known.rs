//! Revocation lists that are kept, and asked again and again: read, hashed and indexed once, however long they are.

use super::crl::Crl;
use super::index::Index;
use core::fmt;

/// A revocation list to check many certificates with: what depends on its length is done once. [`crl`](Self::crl) is then
/// as quick for a list of 14 MB as for an empty one, and so is looking a certificate up in it.
pub struct KnownCrl {
    der: Vec<u8>,
    index: Index,
}

impl KnownCrl {
    /// Reads a list (DER), and every entry of it.
    ///
    /// # Errors
    /// Names the field that is not as RFC 5280 5.1 has it.
    pub fn read(der: Vec<u8>) -> Result<Self, &'static str> {
        let crl = Crl::parse(&der)?;
        let index = Index::new(&der, crl.unknown_critical_of_entries(), crl.places());
        let index = index.ok_or("a list of more than 4 GB")?;
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
    pub fn crl(&self) -> Result<Crl<'_>, &'static str> {
        Crl::parse_indexed(&self.der, &self.index)
    }
}

impl fmt::Debug for KnownCrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownCrl({} entries, {} bytes)", self.index.count, self.der.len())
    }
}
