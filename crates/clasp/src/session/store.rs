//! Sessions kept by the server under session IDs: RFC 5246 F.1.4.

use super::strikes::StrikeRegister;
use crate::answer::Answer;
use crate::error::Result;
use core::fmt;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use zeroize::Zeroizing;

/// A store of sessions. One in memory answers at once; one over the network may answer later. A store that fails costs
/// a full handshake, never a connection.
pub trait ServerSessions: Send + Sync {
    /// Keeps `sealed` under `id` until the time given.
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>>;
    /// What is kept under `id`.
    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>>;
    /// Takes `id` for the first time: true once, false ever after, until the time given. This is what makes early data
    /// arrive once only (RFC 9846 8.1), so an implementation that several machines share must decide atomically.
    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>>;
    /// Forgets `id`.
    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()>;
}

/// Shards keep two cores from waiting for one another.
const SHARDS: usize = 16;
/// What an entry costs besides its bytes: the maps' nodes.
const ENTRY_OVERHEAD: usize = 128;

/// Sessions in this process: bounded in bytes, least recently used out first, expired ones not given.
pub struct ServerSessionCache {
    shards: Vec<Mutex<Shard>>,
    shard_bytes: usize,
    claims: StrikeRegister,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Vec<u8>, Entry>,
    by_use: BTreeMap<u64, Vec<u8>>,
    clock: u64,
    bytes: usize,
}

struct Entry {
    sealed: Zeroizing<Vec<u8>>,
    until: SystemTime,
    used: u64,
}

impl ServerSessionCache {
    /// A store of at most about `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, shard_bytes: bytes / SHARDS, claims: StrikeRegister::default() }
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|s| s.lock().unwrap_or_else(PoisonError::into_inner).entries.len()).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Session IDs are random, so any byte of them spreads.
    fn shard(&self, id: &[u8]) -> MutexGuard<'_, Shard> {
        let place = id.last().map_or(0, |b| usize::from(*b) % SHARDS);
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn remove(&mut self, id: &[u8]) {
        if let Some(entry) = self.entries.remove(id) {
            self.by_use.remove(&entry.used);
            self.bytes -= cost(id, &entry.sealed);
        }
    }

    fn touch(&mut self, id: &[u8]) {
        self.clock += 1;
        if let Some(entry) = self.entries.get_mut(id) {
            self.by_use.remove(&entry.used);
            entry.used = self.clock;
            self.by_use.insert(self.clock, id.to_vec());
        }
    }
}

fn cost(id: &[u8], sealed: &[u8]) -> usize {
    2 * id.len() + sealed.len() + ENTRY_OVERHEAD
}

impl ServerSessions for ServerSessionCache {
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>> {
        let cost = cost(id, sealed);
        if cost <= self.shard_bytes {
            let mut shard = self.shard(id);
            shard.remove(id);
            while shard.bytes + cost > self.shard_bytes {
                let Some((_, oldest)) = shard.by_use.pop_first() else { break };
                shard.remove(&oldest);
            }
            shard.bytes += cost;
            shard.entries.insert(id.to_vec(), Entry { sealed: Zeroizing::new(sealed.to_vec()), until, used: 0 });
            shard.touch(id);
        }
        Answer::Now(Ok(()))
    }

    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>> {
        let mut shard = self.shard(id);
        let found = shard.entries.get(id).map(|e| (e.until >= now).then(|| e.sealed.clone()));
        match found {
            Some(Some(_)) => shard.touch(id),
            Some(None) => shard.remove(id),
            None => {}
        }
        Answer::Now(Ok(found.flatten()))
    }

    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>> {
        Answer::Now(Ok(self.claims.claim(id, now, until)))
    }

    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()> {
        self.shard(id).remove(id);
        Answer::Now(())
    }
}

impl fmt::Debug for ServerSessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerSessionCache({} sessions)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn get(cache: &ServerSessionCache, id: &[u8], now: u64) -> Option<Vec<u8>> {
        let now = UNIX_EPOCH + Duration::from_secs(now);
        cache.get(id, now).now().unwrap().unwrap().map(|v| v.to_vec())
    }

    fn put(cache: &ServerSessionCache, id: &[u8], sealed: &[u8], until: u64) {
        cache.put(id, sealed, UNIX_EPOCH + Duration::from_secs(until)).now().unwrap().unwrap();
    }

    #[test]
    fn keeps_expires_and_forgets() {
        let cache = ServerSessionCache::new(1 << 20);
        put(&cache, &[1; 32], b"one", 100);
        assert_eq!(get(&cache, &[1; 32], 100).as_deref(), Some(&b"one"[..]));
        assert_eq!(get(&cache, &[2; 32], 100), None);
        assert_eq!(get(&cache, &[1; 32], 101), None, "expired");
        assert!(cache.is_empty(), "an expired session is dropped when it is met");
        put(&cache, &[1; 32], b"one", 100);
        cache.forget(&[1; 32]);
        assert_eq!(get(&cache, &[1; 32], 1), None);
    }

    #[test]
    fn bounded_and_least_recently_used_goes_first() {
        let cache = ServerSessionCache::new(SHARDS * 4 * (64 + 100 + ENTRY_OVERHEAD));
        let id = |n: u8| [[n; 31].as_slice(), &[0]].concat();
        for n in 0..4 {
            put(&cache, &id(n), &[n; 100], 100);
        }
        assert!(get(&cache, &id(0), 1).is_some());
        put(&cache, &id(4), &[4; 100], 100);
        assert_eq!(cache.len(), 4);
        assert!(get(&cache, &id(1), 1).is_none(), "the least recently used stays");
        assert!(get(&cache, &id(0), 1).is_some(), "a session in use goes");
        put(&cache, &id(5), &vec![0; 1 << 20], 100);
        assert_eq!(get(&cache, &id(5), 1), None, "an entry larger than the store is kept");
    }
}
