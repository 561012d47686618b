//! What is found out of a revocation list once, so that it need not be again however long the list is.

use crate::profile::Rules;
use crate::signature::Checker;
use aws_lc_rs::digest::{SHA256, digest};
use core::fmt;
use std::sync::{Mutex, PoisonError};

/// What was found out when the list was read.
pub(crate) struct Index {
    pub(crate) count: usize,
    /// A critical extension of an entry that is not understood.
    pub(crate) unknown_critical: Option<Vec<u8>>,
    /// An entry names an issuer, which holds for those after it: then all have to be gone through.
    pub(crate) names_issuers: bool,
    /// The whole list's hash.
    pub(crate) digest: [u8; 32],
    /// Entries by a hash of their serial numbers, and where they stand; those of one hash in their order.
    places: Vec<(u32, u32)>,
    /// The keys that its signature was good with: an authority's, and few more.
    signers: Mutex<Vec<Signer>>,
}

/// A key that a list's signature was good with, by whose rules, and who checked it.
struct Signer {
    spki: Vec<u8>,
    rules: &'static Rules,
    face: String,
}

/// Keys that are remembered for a list.
const MAX_SIGNERS: usize = 8;

impl Index {
    /// Of a list with these serial numbers, each at its place among the entries; `None` where they do not fit. Of the entries are
    /// told an extension that is critical and not understood, and whether one names an issuer.
    pub(super) fn new<'a>(
        der: &[u8],
        (unknown_critical, names_issuers): (Option<&[u8]>, bool),
        entries: impl Iterator<Item = (usize, &'a [u8])>,
    ) -> Option<Self> {
        let mut places = entries
            .map(|(place, serial)| Some((hash(serial), u32::try_from(place).ok()?)))
            .collect::<Option<Vec<(u32, u32)>>>()?;
        places.sort_unstable();
        Some(Self {
            count: places.len(),
            unknown_critical: unknown_critical.map(<[u8]>::to_vec),
            names_issuers,
            digest: sha256(der),
            places,
            signers: Mutex::default(),
        })
    }

    /// Where entries with this serial number may stand, in their order.
    pub(crate) fn places(&self, serial: &[u8]) -> impl Iterator<Item = usize> + '_ {
        let wanted = hash(serial);
        let from = self.places.partition_point(|(hash, _)| *hash < wanted);
        let found = self.places.get(from..).unwrap_or_default().iter().take_while(move |(hash, _)| *hash == wanted);
        found.filter_map(|(_, place)| usize::try_from(*place).ok())
    }

    /// Whether the list's signature is `good` with a key, found out once. Keys that it is not good with can be made by
    /// anybody, and are not remembered.
    pub(crate) fn is_signed<E>(
        &self,
        spki: &[u8],
        checker: &Checker<'_>,
        good: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let Checker { face, rules } = *checker;
        let known = |signers: &[Signer]| {
            signers.iter().any(|s| s.spki == spki && core::ptr::eq(s.rules, rules) && s.face == face.name())
        };
        if known(&self.signers()) {
            return Ok(());
        }
        good()?;
        let mut signers = self.signers();
        if signers.len() < MAX_SIGNERS && !known(&signers) {
            signers.push(Signer { spki: spki.to_vec(), rules, face: face.name().to_owned() });
        }
        Ok(())
    }

    /// A panic elsewhere leaves a list that is whole.
    fn signers(&self) -> std::sync::MutexGuard<'_, Vec<Signer>> {
        self.signers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} entries)", self.count)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::signature::AwsLc;

    #[test]
    fn keys_are_remembered_that_a_list_is_good_with_and_few_of_them() {
        let index = Index::new(b"list", (None, false), core::iter::empty()).unwrap();
        let checker = |profile| Checker { face: &AwsLc, rules: Rules::of(profile) };
        let web = checker(Profile::WebPki);
        let says = |key: u8, checker: &Checker<'_>, good: bool| {
            index.is_signed(&[key], checker, || if good { Ok(()) } else { Err(()) }).is_ok()
        };
        assert!(!says(0, &web, false));
        assert!(says(0, &web, true), "a wrong key was not remembered");
        assert!(says(0, &web, false), "a good one was");
        assert!(!says(1, &web, false), "another key");
        assert!(!says(0, &checker(Profile::Legacy), false), "by other rules");
        for key in 0..20 {
            assert!(says(key, &web, true));
        }
        assert_eq!(index.signers().len(), MAX_SIGNERS);
        assert!(says(7, &web, false) && !says(8, &web, false));
    }

    /// Serial numbers of one hash stand beside each other, in the order of the list.
    #[test]
    fn entries_of_one_hash_are_all_found() {
        let (one, other) = ([0x1a, 0x7d, 0x39, 0xc0, 0x54, 0x75], [0x3e, 0xb9, 0x90, 0x41, 0xd5, 0xb0]);
        assert_eq!(hash(&one), hash(&other));
        // A value that is published with FNV.
        assert_eq!(hash(b"foobar"), 0xbf9c_f968);
        let serials: [&[u8]; 5] = [&other, b"x", &one, b"y", &other];
        let entries = serials.iter().enumerate().map(|(at, serial)| (at, *serial));
        let index = Index::new(b"list", (None, false), entries).unwrap();
        assert_eq!((index.count, format!("{index:?}")), (5, "Index(5 entries)".into()));
        for serial in [one, other] {
            assert_eq!(index.places(&serial).collect::<Vec<_>>(), [0, 2, 4]);
        }
        assert_eq!(index.places(b"y").collect::<Vec<_>>(), [3]);
        assert_eq!(index.places(b"z").count(), 0);
    }
}
