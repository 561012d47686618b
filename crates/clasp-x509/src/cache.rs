//! Verdicts that are remembered, for peers that come again.

use crate::path::{self, Accepted, Options, PLAIN, PolicyInputs, Rejection, Standings};
use crate::revocation::Revocation;
use crate::roots::Roots;
use crate::signed::Signed;
use aws_lc_rs::digest::{Context, SHA256};
use rustls_pki_types::ServerName;
use smallvec::SmallVec;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Remembers chains that were accepted, up to a number of them; the oldest make room.
///
/// A verdict counts for the same chain, roots, name, profile, policies, revocation answers and checker of signatures, from the moment it was
/// made until the first certificate of it ends or the first answer changes, and for [an hour](Self::MAX_AGE) at most.
/// Refusals are not remembered: anybody can make new ones.
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
    path: SmallVec<[usize; PLAIN]>,
    root: Arc<[u8]>,
    standings: Standings,
}

impl Verdict {
    fn counts(&self, now: i64) -> bool {
        let until = self.until.min(self.from.saturating_add(Verdicts::MAX_AGE));
        (self.from..=until).contains(&now)
    }
}

impl Verdicts {
    /// How long a verdict is remembered, in seconds. RFC 5280 knows no such limit: it bounds what a clock that was wrong,
    /// or a mistake in the reckoning of [`Accepted::until`], can do.
    pub const MAX_AGE: i64 = 3600;

    /// Remembers up to `capacity` chains, in about 300 bytes each; with 0 none.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Mutex::default() }
    }

    /// How many are remembered at most.
    pub const fn capacity(&self) -> usize {
        self.capacity
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
        if self.capacity == 0 {
            return path::verify(chain, roots, options);
        }
        let key = Question::of(chain, roots, options);
        let now = options.now();
        let known = self.lock().by_key.get(&key).filter(|v| v.counts(now)).cloned();
        if let Some(accepted) = known.and_then(|v| Accepted::again(chain, &v.path, v.root, v.until, v.standings)) {
            return Ok(accepted);
        }
        let accepted = path::verify(chain, roots, options)?;
        let (path, root) = (accepted.path().into(), accepted.shared_root());
        let standings = accepted.standings().into();
        self.keep(key, Verdict { from: now, until: accepted.until(), path, root, standings });
        Ok(accepted)
    }

    fn keep(&self, key: [u8; 32], verdict: Verdict) {
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

/// A hash of everything that a verdict depends on but the time. Each part has its length before it, so that none passes
/// for two.
struct Question(Context);

impl Question {
    fn of(chain: &[&[u8]], roots: &Roots, options: &Options<'_>) -> [u8; 32] {
        let mut question = Self(Context::new(&SHA256));
        question.bytes(roots.digest());
        question.count(chain.len());
        chain.iter().for_each(|certificate| question.bytes(certificate));
        question.options(options);
        let mut hash = [0; 32];
        hash.copy_from_slice(question.0.finish().as_ref());
        hash
    }

    fn options(&mut self, options: &Options<'_>) {
        // By their names, so that no new setting is forgotten here.
        let Options {
            time: _,
            usage,
            name,
            mailbox,
            profile,
            common_name,
            key_usage,
            max_intermediates,
            policies: PolicyInputs { acceptable, require_explicit, inhibit_mapping, inhibit_any },
            revocation,
            signatures,
            proof_follows,
        } = *options;
        self.0.update(&[usage as u8, profile.map_or(u8::MAX, |profile| profile as u8), choice(common_name)]);
        self.0.update(&[require_explicit, inhibit_mapping, inhibit_any, proof_follows].map(u8::from));
        self.bytes(signatures.name().as_bytes());
        self.optional(key_usage.map(|usage| usage.0.to_be_bytes()));
        self.optional(max_intermediates.map(u32::to_be_bytes));
        self.optional(mailbox);
        self.name(name);
        self.count(acceptable.len());
        acceptable.iter().for_each(|policy| self.bytes(policy));
        self.revocation(&revocation);
    }

    fn name(&mut self, name: Option<&ServerName<'_>>) {
        self.optional(name.map(|name| match name {
            ServerName::DnsName(_) => "dns",
            _ => "address",
        }));
        self.optional(name.map(ServerName::to_str).as_deref());
    }

    fn revocation(&mut self, revocation: &Revocation<'_>) {
        let Revocation { check, scope, lists, stapled, responses, nonce, max_age, asked_for_staple, indirect } =
            *revocation;
        self.0.update(&[check as u8, scope as u8, u8::from(asked_for_staple), choice(indirect)]);
        self.optional(nonce);
        self.optional(max_age.map(u64::to_be_bytes));
        self.optional(stapled);
        self.count(lists.len());
        for list in lists {
            self.count(usize::from(list.index.is_some()));
            match list.index {
                Some(index) => self.bytes(&index.digest),
                None => {
                    let Signed { data, algorithm, signature } = list.signed;
                    [algorithm, data, signature].into_iter().for_each(|part| self.bytes(part));
                }
            }
        }
        self.count(responses.len());
        responses.iter().for_each(|response| self.bytes(response));
    }

    fn count(&mut self, count: usize) {
        self.0.update(&count.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        self.count(usize::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            self.bytes(bytes.as_ref());
        }
    }
}

/// Yes, no, or nothing said.
const fn choice(said: Option<bool>) -> u8 {
    match said {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_counts_from_when_it_was_made_for_an_hour_or_less() {
        let verdict = |until| Verdict {
            from: 1000,
            until,
            path: SmallVec::new(),
            root: Arc::new([]),
            standings: Standings::new(),
        };
        let counts = |until| [999, 1000, 1500, 1501, 4600, 4601].map(|now| verdict(until).counts(now));
        assert_eq!(counts(1500), [false, true, true, false, false, false]);
        assert_eq!(counts(i64::MAX), [false, true, true, true, true, false]);
    }
}
