//! Revocation lists that are kept, and asked again and again: read, hashed and indexed once, however long they are.

use super::crl::Crl;
use crate::profile::Rules;
use crate::signature;
use aws_lc_rs::digest::{SHA256, digest};
use core::fmt;
use std::sync::{Mutex, PoisonError};

/// A revocation list to check many certificates with: what depends on its length is done once. [`crl`](Self::crl) is then
/// as quick for a list of 14 MB as for an empty one, and so is looking a certificate up in it.
pub struct KnownCrl {
    der: Vec<u8>,
    known: Known,
}

/// What was found out when the list was read.
pub(crate) struct Known {
    pub(crate) count: usize,
    /// A critical extension of an entry that is not understood.
    pub(crate) unknown_critical: Option<Vec<u8>>,
    /// The whole list's hash.
    pub(crate) digest: [u8; 32],
    /// Entries by a hash of their serial numbers, and where they stand; those of one hash in their order.
    index: Vec<(u32, u32)>,
    /// The keys that its signature was good with, and by whose rules: an authority's, and few more.
    signers: Mutex<Vec<(Vec<u8>, &'static Rules)>>,
}

/// Keys that are remembered for a list.
const MAX_SIGNERS: usize = 8;

impl KnownCrl {
    /// Reads a list (DER), and every entry of it.
    ///
    /// # Errors
    /// Names the field that is not as RFC 5280 5.1 has it.
    pub fn read(der: Vec<u8>) -> Result<Self, &'static str> {
        let crl = Crl::parse(&der)?;
        let mut index = Vec::with_capacity(crl.len());
        for (place, serial) in crl.places() {
            index.push((hash(serial), u32::try_from(place).map_err(|_| "a list of more than 4 GB")?));
        }
        index.sort_unstable();
        let known = Known {
            count: crl.len(),
            unknown_critical: crl.unknown_critical_of_entries().map(<[u8]>::to_vec),
            digest: sha256(&der),
            index,
            signers: Mutex::default(),
        };
        Ok(Self { der, known })
    }

    /// The whole list's hash (SHA-256).
    pub const fn digest(&self) -> &[u8; 32] {
        &self.known.digest
    }

    /// The list.
    ///
    /// # Errors
    /// None: it was read before.
    pub fn crl(&self) -> Result<Crl<'_>, &'static str> {
        Crl::parse_known(&self.der, &self.known)
    }
}

impl fmt::Debug for KnownCrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KnownCrl({} entries, {} bytes)", self.known.count, self.der.len())
    }
}

impl Known {
    /// Where entries with this serial number may stand, in their order.
    pub(crate) fn places(&self, serial: &[u8]) -> impl Iterator<Item = usize> + '_ {
        let wanted = hash(serial);
        let from = self.index.partition_point(|(hash, _)| *hash < wanted);
        let found = self.index.get(from..).unwrap_or_default().iter().take_while(move |(hash, _)| *hash == wanted);
        found.filter_map(|(_, place)| usize::try_from(*place).ok())
    }

    /// Whether the list's signature is good with a key, found out once. Keys that it is not good with can be made by
    /// anybody, and are not remembered.
    pub(crate) fn is_signed(&self, list: &Crl<'_>, spki: &[u8], rules: &'static Rules) -> bool {
        let known = |signers: &[(Vec<u8>, &'static Rules)]| {
            signers.iter().any(|(key, by)| key == spki && core::ptr::eq(*by, rules))
        };
        if known(&self.signers()) {
            return true;
        }
        let good = signature::verify(list.signature_algorithm, spki, list.tbs, list.signature, rules).is_ok();
        let mut signers = self.signers();
        if good && signers.len() < MAX_SIGNERS && !known(&signers) {
            signers.push((spki.to_vec(), rules));
        }
        good
    }

    /// A panic elsewhere leaves a list that is whole.
    fn signers(&self) -> std::sync::MutexGuard<'_, Vec<(Vec<u8>, &'static Rules)>> {
        self.signers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({} entries)", self.count)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// FNV-1a. Whoever could choose serial numbers that collide is the authority itself.
fn hash(serial: &[u8]) -> u32 {
    serial.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
