//! The keys of records.

use super::{OpenKeys, SealKeys};
use crate::crypto::{CryptoResult, Provider};
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial};

/// Makes the keys of records, with the ciphers of a provider.
#[derive(Clone, Copy)]
pub(crate) struct RecordKeys(pub(crate) &'static Provider);

impl KeyMaker for RecordKeys {
    type Open = OpenKeys;
    type Seal = SealKeys;

    fn labels(&self) -> &'static KeyLabels {
        &KeyLabels::TLS
    }

    fn open(&self, material: &KeyMaterial<'_>) -> CryptoResult<OpenKeys> {
        OpenKeys::new(self.0, material)
    }

    fn seal(&self, material: &KeyMaterial<'_>) -> CryptoResult<SealKeys> {
        SealKeys::new(self.0, material)
    }
}
