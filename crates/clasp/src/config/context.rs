//! What a session of a configuration hangs on: the [`Context`] that sessions carry is made here.

use super::objects::Objects;
use super::{ClientAuth, ClientConfig, ClientIdentity, Policy, PreSharedKey, ServerConfig, Verifier, clash};
use crate::crypto::{HashId, Provider};
use crate::error::Result;
use crate::session::{CONTEXT_LEN, Context, ServerSessionCache, ServerSessions};
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

static VERIFIERS: Objects<dyn Verifier> = Objects::new();
static IDENTITIES: Objects<dyn ClientIdentity> = Objects::new();
static STORES: Objects<dyn ServerSessions> = Objects::new();

/// Parts to be hashed, each with its length before it, so that none passes for two.
pub(super) struct Parts(Vec<u8>);

impl Parts {
    /// `what` keeps digests for different ends apart.
    pub(super) fn of(what: &str) -> Self {
        let mut parts = Self(Vec::with_capacity(256));
        parts.bytes(what.as_bytes());
        parts
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// What decides the same in whatever order it was found.
    pub(super) fn set<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) {
        let mut parts: Vec<&[u8]> = parts.collect();
        parts.sort_unstable();
        self.bytes(&(parts.len() as u64).to_be_bytes());
        parts.into_iter().for_each(|part| self.bytes(part));
    }

    /// What an object says of itself, or its own name where it says nothing.
    fn object(&mut self, says: Option<Vec<u8>>, name: impl FnOnce() -> Result<[u8; 16]>) -> Result<()> {
        match says {
            Some(says) => {
                self.bytes(b"says");
                self.bytes(&says);
            }
            None => {
                self.bytes(b"object");
                self.bytes(&name()?);
            }
        }
        Ok(())
    }

    /// What decides on certificates: a verifier, and who checks signatures, its and those of proofs.
    fn verifier(&mut self, verifier: &Arc<dyn Verifier>, provider: &Provider) -> Result<()> {
        self.bytes(provider.signatures.name().as_bytes());
        self.object(verifier.session_context(), || VERIFIERS.name(verifier, provider.random))
    }

    /// A policy but for its suites: a session has one suite, which is held against the policy by itself.
    fn policy(&mut self, policy: &Policy) {
        // By their names, so that no new setting is forgotten here.
        let Policy {
            versions: _,
            suites: _,
            tiers: _,
            groups,
            schemes,
            require_extended_master_secret,
            require_secure_renegotiation,
        } = policy;
        // Those that it speaks, whether they were named or not.
        self.codes(policy.versions().iter().map(|version| version.0));
        self.codes(groups.iter().map(|group| group.0));
        self.codes(schemes.iter().map(|scheme| scheme.0));
        self.bytes(&[u8::from(*require_extended_master_secret)]);
        self.bytes(require_secure_renegotiation.map(u8::from).as_slice());
    }

    fn codes(&mut self, codes: impl Iterator<Item = u16>) {
        self.bytes(&codes.flat_map(u16::to_be_bytes).collect::<Vec<u8>>());
    }

    /// The parts, as what stands for them in others.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The front of their digest.
    fn short(&self, provider: &Provider) -> Result<[u8; CONTEXT_LEN]> {
        let digest = provider.hash(HashId::Sha256)?.digest(&[&self.0]);
        Ok(*digest.as_ref().first_chunk().ok_or(crate::error::Outside::Bug)?)
    }
}

impl Context {
    /// What a client's sessions hang on.
    pub(super) fn of_client(config: &ClientConfig, name: Option<&[u8]>) -> Result<Self> {
        if let Some(name) = name {
            return Self::named("client", name, config.provider);
        }
        let mut parts = Parts::of("clasp client sessions");
        parts.verifier(&config.verifier, config.provider)?;
        // What a verifier is shown hangs on what was asked for.
        let asked = [config.keys_only, config.request_status, config.request_timestamps, config.identity.is_some()];
        parts.bytes(&asked.map(u8::from));
        if let Some(identity) = &config.identity {
            parts.object(identity.session_context(), || IDENTITIES.name(identity, config.provider.random))?;
        }
        parts.policy(&config.policy);
        Ok(Self(parts.short(config.provider)?))
    }

    /// The same, when the client's identity has changed so often.
    pub(super) fn after(self, generation: u64) -> Self {
        let mut mark = [0; CONTEXT_LEN];
        mark.iter_mut().zip(generation.to_be_bytes()).for_each(|(place, byte)| *place = byte);
        self.and(&Self(mark))
    }

    /// What a server's sessions hang on. Its own certificate is not among it: whom the client takes is for the client to say.
    pub(super) fn of_server(config: &ServerConfig, name: Option<&[u8]>) -> Result<Self> {
        if let Some(name) = name {
            return Self::named("server", name, config.provider);
        }
        let mut parts = Parts::of("clasp server sessions");
        parts.bytes(&[config.keys_only, config.request_status, config.request_timestamps].map(u8::from));
        match &config.client_auth {
            None => parts.bytes(b"asks nobody"),
            Some(auth) => {
                parts.bytes(match auth {
                    ClientAuth::Request(_) => b"requests",
                    ClientAuth::Require(_) => b"requires",
                });
                parts.verifier(auth.verifier(), config.provider)?;
            }
        }
        parts.policy(&config.policy);
        Ok(Self(parts.short(config.provider)?))
    }

    /// The application says by a name what shares sessions.
    fn named(side: &str, name: &[u8], provider: &Provider) -> Result<Self> {
        if name.is_empty() {
            return Err(clash::bad_value("session_context", "an empty name", "a name, or leave the setting out"));
        }
        let mut parts = Parts::of("clasp sessions by name");
        parts.bytes(side.as_bytes());
        parts.bytes(name);
        Ok(Self(parts.short(provider)?))
    }
}

/// Whether a verifier is asked again about sessions if nobody says: where it costs nothing, and where it may say another thing
/// than it said. What it decides by is the same where a session counts, if it has told, and until when as well; unless
/// sessions are shared by name.
pub(super) fn asked_again(verifier: &Arc<dyn Verifier>, by_name: bool) -> bool {
    verifier.is_quick() && (by_name || verifier.session_context().is_none())
}

/// The widest window for early data of this process's configurations, in milliseconds.
static WIDEST: AtomicU64 = AtomicU64::new(0);

/// How long a hello can look fresh to some configuration that its claim is for.
pub(crate) fn claims_last(window: Duration) -> Duration {
    window.max(Duration::from_millis(WIDEST.load(Ordering::Relaxed))).saturating_mul(2)
}

/// Where the claims on early data are kept that make it arrive once. A configuration with a wider window would take the same
/// early data when they are gone: in this process they last for the widest; elsewhere nobody knows of others, and the window
/// is part of the name.
pub(super) fn claims_of(
    store: Option<&Arc<dyn ServerSessions>>,
    window: Duration,
    provider: &Provider,
) -> Result<Option<[u8; CONTEXT_LEN]>> {
    let Some(store) = store else { return Ok(None) };
    let mut parts = Parts::of("clasp claims");
    let says = store.claims_context();
    let millis = window.as_millis();
    WIDEST.fetch_max(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    if !says.as_ref().is_some_and(|says| ServerSessionCache::is_claims_context(says)) {
        parts.bytes(&millis.to_be_bytes());
    }
    parts.object(says, || STORES.name(store, provider.random))?;
    parts.short(provider).map(Some)
}

/// A session that a pre-shared key authenticated ends with it; where keys are all there is, no other will do.
pub(crate) fn key_holds(of: Option<&[u8; CONTEXT_LEN]>, keys: &[PreSharedKey], keys_only: bool) -> bool {
    of.map_or(!keys_only, |mark| key_of(mark, keys).is_some())
}

/// The key that authenticated a session, if it is there still.
pub(crate) fn key_of<'a>(mark: &[u8; CONTEXT_LEN], keys: &'a [PreSharedKey]) -> Option<&'a PreSharedKey> {
    keys.iter().find(|key| key.mark == *mark)
}
