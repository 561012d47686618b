//! The keys of a server at one time, and who gives them.

use super::config::{EchConfig, EchConfigList};
use super::error::EchError;
use super::key::EchKey;
use crate::answer::Answer;
use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// So many configurations are tried at most, each with one HPKE open: what a stranger's hello can cost.
pub const MAX_ECH_CONFIGS: usize = 8;

/// The keys of a server at one time: the one that is published now, and those that clients may still know.
#[derive(Debug)]
pub struct EchKeyRing {
    keys: Vec<EchKey>,
    retry: Option<EchConfigList>,
    any_id: bool,
}

impl EchKeyRing {
    /// These keys. A client whose hello none of them opens is told to try again with the first. Without any, a server opens
    /// nothing itself, and takes what another in front of it has opened (split mode).
    ///
    /// # Errors
    /// If they have more than [`MAX_ECH_CONFIGS`] configurations.
    pub fn new(keys: impl IntoIterator<Item = EchKey>) -> Result<Self, EchError> {
        let keys: Vec<EchKey> = keys.into_iter().collect();
        if keys.iter().flat_map(EchKey::configs).count() > MAX_ECH_CONFIGS {
            return Err(EchError::TooManyConfigs);
        }
        let retry = keys.first().map(|key| EchConfigList::of(key.configs())).transpose()?;
        Ok(Self { keys, retry, any_id: false })
    }

    /// Tries keys whose `config_id` the client does not name, too (RFC 9849 10.3): for clients that hide which they use. It is
    /// off by default, as each hello with random bytes costs as many trials as there are configurations then.
    #[must_use]
    pub fn try_any_id(mut self, yes: bool) -> Self {
        self.any_id = yes;
        self
    }

    /// Tells a client whose hello no key opens to try again with these, in place of those of the first key: where several keys are
    /// published at once, as for clients that have other KEMs.
    ///
    /// # Errors
    /// If there is none, or one of them is of no key here: whoever tried again with that would be refused again.
    pub fn retry_with(mut self, list: EchConfigList) -> Result<Self, EchError> {
        let own = |config: &EchConfig| self.keys.iter().flat_map(EchKey::configs).any(|own| own == config);
        if list.configs().is_empty() || !list.configs().iter().all(own) {
            return Err(EchError::NoKey);
        }
        self.retry = Some(list);
        Ok(self)
    }

    /// What a client is told to try again with.
    pub fn retry_configs(&self) -> Option<&EchConfigList> {
        self.retry.as_ref()
    }

    pub(super) fn keys(&self) -> &[EchKey] {
        &self.keys
    }

    pub(super) const fn any_id(&self) -> bool {
        self.any_id
    }
}

/// Gives a server the keys that open what clients hide. It is asked once for each hello that hides something; what it gives
/// serves the connection to its end, so that keys can change at any time.
pub trait EchKeys: Send + Sync {
    /// The keys of this moment.
    fn keys(&self) -> Answer<'_, Arc<EchKeyRing>>;
}

/// Keys that are at hand, and can be replaced while a server runs: connections that have begun go on with the old ones.
///
/// ```
/// use clasp::{crypto::Provider, ech::{EchKey, EchKeyRing, EchKeyStore, EchParameters}};
/// use std::sync::Arc;
/// let key = || EchKey::generate(Provider::builtin(), &EchParameters::new("public.example"));
/// let store = Arc::new(EchKeyStore::new(EchKeyRing::new([key()?])?));
/// // `ServerConfig::builder().identity(identity).encrypted_client_hello(store.clone())`, and later:
/// store.replace(EchKeyRing::new([key()?])?);
/// # Ok::<(), clasp::ech::EchError>(())
/// ```
pub struct EchKeyStore(RwLock<Arc<EchKeyRing>>);

impl EchKeyStore {
    /// These, to begin with.
    pub fn new(ring: EchKeyRing) -> Self {
        Self(RwLock::new(Arc::new(ring)))
    }

    /// These from now on. Put the new key first, and keep the old ones for as long as clients may know them: the time that the
    /// DNS record lives.
    pub fn replace(&self, ring: EchKeyRing) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }
}

impl EchKeys for EchKeyStore {
    fn keys(&self) -> Answer<'_, Arc<EchKeyRing>> {
        Answer::Now(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for EchKeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.read().unwrap_or_else(PoisonError::into_inner).fmt(f)
    }
}
