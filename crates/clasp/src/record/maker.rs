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
        match material {
            KeyMaterial::Tls12 { suite, keys, encrypt_then_mac } => {
                OpenKeys::tls12(self.0, suite, keys, *encrypt_then_mac)
            }
            KeyMaterial::Tls13 { aead, keys } => OpenKeys::tls13(self.0, *aead, keys),
        }
    }

    fn seal(&self, material: &KeyMaterial<'_>) -> CryptoResult<SealKeys> {
        match material {
            KeyMaterial::Tls12 { suite, keys, encrypt_then_mac } => {
                SealKeys::tls12(self.0, suite, keys, *encrypt_then_mac)
            }
            KeyMaterial::Tls13 { aead, keys } => SealKeys::tls13(self.0, *aead, keys),
        }
    }
}
