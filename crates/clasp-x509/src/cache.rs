//! Verdicts that are remembered, for peers that come again.

use crate::path::{self, Accepted, Options};
use crate::reason::Rejection;
use crate::roots::Roots;
use aws_lc_rs::digest::{Context, SHA256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Remembers chains that were accepted, up to a number of them; the oldest make room.
///
/// A verdict counts for the same chain, roots, name, profile, policies and revocation answers, from the moment it was
/// made until the first certificate or answer of it ends. Refusals are not remembered: anybody can make new ones.
#[derive(Debug)]
pub struct Verdicts {
    capacity: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<[u8; 32], Verdict>,
    order: VecDeque<[u8; 32]>,
}

#[derive(Clone, Debug)]
struct Verdict {
    from: i64,
    until: i64,
    path: Vec<usize>,
    root: Arc<[u8]>,
}

impl Verdicts {
    /// Remembers up to `capacity` chains.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.lock().by_key.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.lock() = Entries::default();
    }

    /// Does what [`verify`](path::verify) does, or remembers what it said.
    ///
    /// # Errors
    /// As there.
    pub fn verify<'a>(
        &self,
        chain: &[&'a [u8]],
        roots: &Roots,
        options: &Options<'_>,
    ) -> Result<Accepted<'a>, Box<Rejection>> {
        let key = key(chain, roots, options);
        let now = options.now();
        let known = self.lock().by_key.get(&key).filter(|v| (v.from..=v.until).contains(&now)).cloned();
        if let Some(accepted) = known.and_then(|v| Accepted::again(chain, &v.path, v.root, v.until)) {
            return Ok(accepted);
        }
        let accepted = path::verify(chain, roots, options)?;
        let (path, root) = (accepted.path().to_vec(), accepted.shared_root());
        self.keep(key, Verdict { from: now, until: accepted.until(), path, root });
        Ok(accepted)
    }

    fn keep(&self, key: [u8; 32], verdict: Verdict) {
        if self.capacity == 0 {
            return;
        }
        let mut entries = self.lock();
        if entries.by_key.insert(key, verdict).is_none() {
            entries.order.push_back(key);
        }
        while entries.order.len() > self.capacity {
            if let Some(oldest) = entries.order.pop_front() {
                entries.by_key.remove(&oldest);
            }
        }
    }

    /// A panic elsewhere leaves a map that is whole: nothing here panics between its two halves.
    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything the verdict depends on but the time, each part with its length, so that none passes for two.
fn key(chain: &[&[u8]], roots: &Roots, options: &Options<'_>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        hash.update(&bytes.len().to_be_bytes());
        hash.update(bytes);
    };
    let Options {
        usage, name, mailbox, profile, common_name, key_usage, max_intermediates, policies, revocation, ..
    } = options;
    let count = |list: usize| list.to_be_bytes();
    part(roots.digest());
    part(&count(chain.len()));
    chain.iter().for_each(|certificate| part(certificate));
    part(format!("{usage:?} {profile:?} {common_name:?} {key_usage:?} {max_intermediates:?}").as_bytes());
    part(format!("{name:?} {mailbox:?}").as_bytes());
    let crate::policy::PolicyInputs { acceptable, require_explicit, inhibit_mapping, inhibit_any } = policies;
    part(format!("{acceptable:?} {require_explicit} {inhibit_mapping} {inhibit_any}").as_bytes());
    let crate::revocation::Revocation {
        check,
        scope,
        lists,
        stapled,
        responses,
        nonce,
        max_age,
        asked_for_staple,
        indirect,
    } = revocation;
    part(format!("{check:?} {scope:?} {nonce:?} {max_age:?} {asked_for_staple} {indirect:?}").as_bytes());
    part(&count(lists.len()));
    for list in *lists {
        part(list.tbs);
        part(list.signature);
    }
    part(stapled.unwrap_or_default());
    part(&count(responses.len()));
    responses.iter().for_each(|response| part(response));
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}
