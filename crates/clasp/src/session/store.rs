//! Sessions kept by the server under session IDs: RFC 5246 F.1.4.

use super::shard::Shard;
use super::strikes::StrikeRegister;
use crate::answer::Answer;
use crate::crypto::Provider;
use crate::error::Result;
use core::fmt;
use core::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// A store of sessions. One in memory answers at once; one over the network may answer later. A store that fails costs
/// a full handshake, never a connection.
pub trait ServerSessions: Send + Sync {
    /// Keeps `sealed` under `id` until the time given.
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>>;
    /// What is kept under `id`.
    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>>;
    /// Takes `id` for the first time: true once, false ever after, until the time given. This is what makes the early data
    /// of one ClientHello arrive once only (RFC 9846 8.2), so an implementation that several machines share must decide
    /// atomically. The clock may have been set back: what is known to have been taken until a time is taken until then,
    /// forgotten or not, so one that forgets must refuse what it may have forgotten.
    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>>;
    /// Forgets `id`, because a connection of TLS 1.2 with that session has ended with a fatal alert (RFC 5246 7.2.2). Nobody
    /// waits for the answer: what comes later is polled once, so it had better hand its work on.
    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()>;
    /// What all stores say whose claims are the same ones, as bytes: those of a service that several machines share. Early data
    /// is taken only where the claims are kept of whoever gave the ticket, so that no other can take it a second time. By
    /// default this says nothing, and an object stands for itself alone.
    fn claims_context(&self) -> Option<Vec<u8>> {
        None
    }
}

/// All stores in memory have their claims in common, so that two configurations of a process that share ticket keys do not
/// take the same early data, and one that is made anew still takes what belongs to the tickets of the last.
static CLAIMS: LazyLock<Claims> = LazyLock::new(|| {
    let mut name = [0; 16];
    let drawn = Provider::builtin().random.fill(&mut name);
    Claims { register: StrikeRegister::default(), name: drawn.is_ok().then_some(name) }
});

struct Claims {
    register: StrikeRegister,
    /// Tells this process from others; without randomness, each store stands for itself.
    name: Option<[u8; 16]>,
}

/// Shards keep two cores from waiting for one another.
const SHARDS: usize = 16;

/// Sessions in this process: bounded in bytes, least recently used out first, expired ones not given. Putting and getting
/// take the same time however many there are. An ID longer than 32 bytes is not kept (RFC 5246 7.4.1.2).
pub struct ServerSessionCache {
    shards: [Apart; SHARDS],
    hasher: RandomState,
}

/// In cache lines of its own, so that one core's lock is not in the way of another's.
#[repr(align(128))]
struct Apart(Mutex<Shard>);

impl ServerSessionCache {
    /// A store of at most `bytes` bytes: about 185 for a session without a client's certificate. Its index, a fortieth
    /// of that, is taken at once.
    pub fn new(bytes: usize) -> Self {
        let hasher = RandomState::new();
        let shard = || Apart(Mutex::new(Shard::new(bytes / SHARDS, hasher.clone())));
        Self { shards: core::array::from_fn(|_| shard()), hasher }
    }

    /// Whether this is what the stores of this process say of their claims.
    pub(crate) fn is_claims_context(says: &[u8]) -> bool {
        CLAIMS.name.is_some_and(|name| name == says)
    }

    /// How many sessions are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shard that an ID belongs to, and the ID's hash.
    #[expect(clippy::indexing_slicing, reason = "a remainder is less than what was divided by")]
    fn shard(&self, id: &[u8]) -> (MutexGuard<'_, Shard>, u64) {
        let hash = self.hasher.hash_one(id);
        let [low, ..] = hash.to_le_bytes();
        (lock(&self.shards[usize::from(low) % SHARDS]), hash)
    }
}

fn lock(shard: &Apart) -> MutexGuard<'_, Shard> {
    shard.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whole seconds since 1970, until 2106.
fn seconds(since_1970: Duration) -> u32 {
    u32::try_from(since_1970.as_secs()).unwrap_or(u32::MAX)
}

impl ServerSessions for ServerSessionCache {
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>> {
        let until = seconds(until.duration_since(UNIX_EPOCH).unwrap_or_default());
        let (mut shard, hash) = self.shard(id);
        shard.put(hash, id, sealed, until);
        Answer::Now(Ok(()))
    }

    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>> {
        // Rounded up, as the end is rounded down: nothing is given too late.
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(Duration::from_nanos(999_999_999));
        let (mut shard, hash) = self.shard(id);
        Answer::Now(Ok(shard.get(hash, id, seconds(now))))
    }

    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>> {
        Answer::Now(Ok(CLAIMS.register.claim(id, now, until)))
    }

    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()> {
        let (mut shard, hash) = self.shard(id);
        shard.forget(hash, id);
        Answer::Now(())
    }

    /// That of the process.
    fn claims_context(&self) -> Option<Vec<u8>> {
        CLAIMS.name.map(|name| name.to_vec())
    }
}

impl fmt::Debug for ServerSessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerSessionCache({} sessions)", self.len())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::super::shard::SLOT_BYTES;
    use super::*;

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
    fn bounded_in_bytes() {
        let cache = ServerSessionCache::new(SHARDS * 10 * SLOT_BYTES);
        for n in 0..10_000_u32 {
            put(&cache, &n.to_be_bytes(), &[7; 100], 100);
        }
        assert_eq!(cache.len(), SHARDS * 10);
        put(&cache, b"larger", &vec![0; 1 << 20], 100);
        assert_eq!(get(&cache, b"larger", 1), None, "an entry larger than the store is kept");
    }

    #[test]
    fn nothing_is_lost_between_two_cores() {
        let cache = ServerSessionCache::new(1 << 22);
        std::thread::scope(|scope| {
            for side in [0_u8, 1] {
                let cache = &cache;
                scope.spawn(move || {
                    for n in 0..5000_u32 {
                        let id = [&[side][..], &n.to_be_bytes()].concat();
                        put(cache, &id, &id, 100);
                        assert_eq!(get(cache, &id, 1).as_deref(), Some(&id[..]));
                    }
                });
            }
        });
        assert_eq!(cache.len(), 10_000);
    }
}
