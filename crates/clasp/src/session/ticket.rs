//! Session tickets (RFC 5077): the server's state, sealed, kept by the client. Keys rotate without losing a ticket; several
//! machines share tickets from one secret and the clock.

use super::epochs::{Belief, Tree, derive};
use crate::answer::Answer;
use crate::crypto::{AeadId, AeadKey, Hash, HashId, Provider, TAG_LEN};
use crate::error::{Error, Misuse, Outside, Result};
use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use zeroize::Zeroizing;

/// Seals sessions into tickets and opens them again. A key service may take its time. What is sealed holds the secrets of
/// a session: whoever can open a ticket can read what its next connection sends early, and what a connection without a
/// fresh key exchange sends at all.
pub trait TicketSealer: Send + Sync {
    /// Seals a session; `None` gives no ticket.
    fn seal<'a>(&'a self, now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>>;

    /// Opens a ticket of ours. `None` for everything else: that costs a full handshake, never a connection. What comes
    /// back must be what was sealed, bit by bit; a ticket that anyone could alter is no ticket.
    fn open<'a>(&'a self, now: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>>;

    /// How long a ticket opens.
    fn lifetime(&self) -> Duration;
}

impl TicketSealer for TicketKeys {
    fn seal<'a>(&'a self, now: SystemTime, session: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        let mut ticket = Vec::new();
        // Without randomness there is no ticket; the connection does not need one.
        Answer::Now(Self::seal(self, now, session, &mut ticket).is_ok().then_some(ticket))
    }

    fn open<'a>(&'a self, now: SystemTime, ticket: &'a [u8]) -> Answer<'a, Option<Opened>> {
        Answer::Now(Self::open(self, now, ticket))
    }

    fn lifetime(&self) -> Duration {
        Self::lifetime(self)
    }
}

/// Ticket keys from one secret and the clock, a new one in each epoch.
///
/// - **A fleet** shares tickets without talking: machines with the same secret, epoch and clock have the same keys, however
///   long each was idle and whenever it was started. A clock may be behind another's by an epoch.
/// - **A ticket opens for a lifetime**, by the clock that opens it, and never after; the time it was made at is sealed in it.
/// - **Keys of epochs gone by cannot be made again** (forward secrecy): once an epoch is a lifetime behind the clock, what
///   its key was derived from is wiped. This asks for belief in a clock, and clocks err; so one that leaps ahead by more
///   than a lifetime (or has just been met, in a process that starts) is believed when it has gone on from there for a
///   lifetime, or has leapt again. Meanwhile the older keys are in memory, though they open nothing that is too old.
/// - **A clock that leaps and comes back within a lifetime** has done no harm. After a longer excursion the keys of its own
///   time are gone: from then on this machine seals under keys that are as far ahead as it was. They rotate, and every
///   machine opens such tickets; but what others seal costs a full handshake here, until the process starts again or time
///   catches up.
///
/// Whatever the clock does costs the same: some sixty derivations at most (30 µs).
pub struct TicketKeys {
    provider: &'static Provider,
    hash: &'static dyn Hash,
    epoch: Duration,
    lifetime: Duration,
    /// What tickets of this secret begin with.
    fleet: [u8; FLEET_LEN],
    ring: Mutex<Ring>,
}

struct Ring {
    tree: Tree,
    belief: Belief,
    /// Keys in use, set up.
    keys: Vec<EpochKey>,
}

#[derive(Clone)]
struct EpochKey {
    epoch: u64,
    /// Set up once; shared so that nobody waits for another's ticket. An `Arc<dyn AeadKey>` made of the box would be a copy,
    /// and leave the key behind in the box's memory.
    #[allow(clippy::redundant_allocation)]
    key: Arc<Box<dyn AeadKey>>,
}

const FLEET_LEN: usize = 8;
/// A key's name: the fleet, and the epoch. Whoever asks for tickets in every epoch can tell them apart anyway.
const NAME_LEN: usize = FLEET_LEN + 8;
const NONCE_LEN: usize = 12;
/// When the ticket was made, in milliseconds since 1970. It is sealed: what a client says of its ticket's age is
/// obfuscated, lest the connection it came from be known by it (RFC 9846 C.4).
const TIME_LEN: usize = 8;
/// Bytes a ticket has more than its content.
const OVERHEAD: usize = NAME_LEN + NONCE_LEN + TIME_LEN + TAG_LEN;
/// What the field of a ticket has room for: RFC 5077 3.3, RFC 9846 4.6.1.
const MAX_TICKET: usize = (1 << 16) - 1;
/// The shortest epoch: bounds how many keys are in use.
const MIN_EPOCH: Duration = Duration::from_secs(600);
/// Keys that are kept set up, at most: a week of the shortest epochs, and the next.
const MAX_KEYS: usize = 7 * 24 * 6 + 2;

/// A ticket that opened.
#[derive(Debug)]
pub struct Opened {
    /// What was sealed.
    pub plain: Zeroizing<Vec<u8>>,
    /// It was sealed under an older key: give a new one.
    pub renew: bool,
}

impl TicketKeys {
    /// Keys of this process alone. A new key every `epoch` (at least ten minutes); tickets open for `lifetime`.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn random(provider: &'static Provider, epoch: Duration, lifetime: Duration) -> Result<Self> {
        let mut root = Zeroizing::new([0; 32]);
        provider.random.fill(&mut *root)?;
        Self::shared(provider, &root, epoch, lifetime)
    }

    /// Keys that every machine with the same secret, epoch and clock has: a fleet needs nothing else in common. The
    /// secret must be 32 random bytes.
    ///
    /// # Errors
    /// If the secret is a constant (all bytes the same), as GnuTLS's was (CVE-2020-13777).
    pub fn shared(provider: &'static Provider, root: &[u8; 32], epoch: Duration, lifetime: Duration) -> Result<Self> {
        if root.iter().all(|b| *b == root[0]) {
            return Err(Error::from(Misuse::BadTicketSecret).wanted("32 bytes from a random generator"));
        }
        provider.aead(AeadId::Aes256Gcm)?;
        let hash = provider.hash(HashId::Sha256)?;
        let epoch = Duration::from_secs(epoch.max(MIN_EPOCH).as_secs());
        let mut fleet = [0; FLEET_LEN];
        hash.keyed(root, &mut |hmac| hmac.sign(&[b"clasp ticket name"], &mut fleet));
        // A step of less than an epoch is none.
        let belief = Belief::new(lifetime.max(epoch).as_secs());
        let ring = Mutex::new(Ring { tree: Tree::new(hash, root), belief, keys: Vec::new() });
        Ok(Self { provider, hash, epoch, lifetime, fleet, ring })
    }

    /// How long a ticket opens.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    fn number(&self, seconds: u64) -> u64 {
        seconds.checked_div(self.epoch.as_secs()).unwrap_or_default()
    }

    /// The epoch to seal in. What a believed clock says is too old is dropped, and cannot be made again.
    fn advance(&self, ring: &mut Ring, now: Duration) -> u64 {
        let Ring { tree, belief, keys } = ring;
        let time = belief.look(now.as_secs(), |time| tree.is_forgotten(self.number(time)));
        let oldest = self.number(belief.time().saturating_sub(self.lifetime.as_secs()));
        if tree.forget_before(oldest) {
            keys.retain(|key| key.epoch >= oldest);
        }
        self.number(time)
    }

    /// The key of an epoch, unless that was forgotten, and whether it is new. The lock ends before the work begins, which a
    /// client that makes epochs up can ask for; so a key is kept only where it has opened something.
    fn key(&self, ring: MutexGuard<'_, Ring>, epoch: u64) -> Result<Option<(EpochKey, bool)>> {
        if let Some(known) = ring.keys.iter().find(|known| known.epoch == epoch) {
            return Ok(Some((known.clone(), false)));
        }
        let branch = ring.tree.above(epoch);
        drop(ring);
        let Some(branch) = branch else { return Ok(None) };
        let secret = derive(self.hash, &branch.epoch(epoch), b"clasp ticket key");
        let key = self.provider.aead(AeadId::Aes256Gcm)?.key(&*secret)?;
        Ok(Some((EpochKey { epoch, key: Arc::new(key) }, true)))
    }

    /// Keeps a new key; the one that has been there longest goes when there are too many.
    fn keep(&self, key: EpochKey) {
        let mut ring = self.lock();
        if ring.tree.is_forgotten(key.epoch) || ring.keys.iter().any(|known| known.epoch == key.epoch) {
            return;
        }
        if ring.keys.len() >= MAX_KEYS {
            ring.keys.remove(0);
        }
        ring.keys.push(key);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals `plain` under the key of `now`, behind what `out` holds.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn seal(&self, now: SystemTime, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let now = since_1970(now);
        let mut ring = self.lock();
        let epoch = self.advance(&mut ring, now);
        let (key, new) = self.key(ring, epoch)?.ok_or(Outside::Bug)?;
        let mut nonce = [0; NONCE_LEN];
        self.provider.random.fill(&mut nonce)?;
        let mut name = [0; NAME_LEN];
        name[..FLEET_LEN].copy_from_slice(&self.fleet);
        name[FLEET_LEN..].copy_from_slice(&epoch.to_be_bytes());
        let made = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        out.reserve(OVERHEAD.saturating_add(plain.len()));
        out.extend_from_slice(&name);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plain);
        out.extend_from_slice(&made.to_be_bytes());
        let sealed = out.get_mut(start..).ok_or(Outside::Bug)?;
        let mut tag = [0; TAG_LEN];
        key.key.seal(&nonce, &name, sealed, &mut tag)?;
        out.extend_from_slice(&tag);
        if new {
            self.keep(key);
        }
        Ok(())
    }

    /// Opens a ticket. `None` for everything that is not a ticket of ours, or too old: that costs a full handshake,
    /// never a connection.
    pub fn open(&self, now: SystemTime, ticket: &[u8]) -> Option<Opened> {
        if ticket.len() > MAX_TICKET {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<NAME_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (fleet, epoch) = name.split_first_chunk::<FLEET_LEN>()?;
        if *fleet != self.fleet {
            return None;
        }
        let epoch = u64::from_be_bytes(*epoch.first_chunk()?);
        let now = since_1970(now);
        let mut ring = self.lock();
        let current = self.advance(&mut ring, now);
        let (key, new) = self.key(ring, epoch).ok()??;
        let mut plain = Zeroizing::new(sealed.to_vec());
        let len = key.key.open(nonce, name, &mut plain).ok()?;
        plain.truncate(len);
        let made = Duration::from_millis(u64::from_be_bytes(*plain.last_chunk()?));
        if new {
            self.keep(key);
        }
        // RFC 9846 4.6.1. A clock that is ahead of ours by no more than an epoch is borne.
        if now.saturating_sub(made) > self.lifetime || made.saturating_sub(now) > self.epoch {
            return None;
        }
        plain.truncate(len.saturating_sub(TIME_LEN));
        Some(Opened { plain, renew: epoch != current })
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKeys(every {:?}, for {:?}, [secret])", self.epoch, self.lifetime)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn keys(seed: u8) -> TicketKeys {
        let mut root = [seed; 32];
        root[0] ^= 1;
        TicketKeys::shared(Provider::builtin(), &root, HOUR, 12 * HOUR).unwrap()
    }

    fn at(hours: u32) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000) + HOUR * hours
    }

    fn sealed(keys: &TicketKeys, now: SystemTime) -> Vec<u8> {
        let mut out = Vec::new();
        keys.seal(now, b"state", &mut out).unwrap();
        out
    }

    #[test]
    fn ticket_keys_of_zeros_are_refused() {
        let made = |root| TicketKeys::shared(Provider::builtin(), &root, HOUR, HOUR);
        assert!(made([0; 32]).is_err());
        assert!(made([0xff; 32]).is_err());
    }

    #[test]
    fn rotation_loses_no_ticket_within_its_lifetime() {
        let keys = keys(3);
        let ticket = sealed(&keys, at(0));
        for hour in 0..12 {
            let opened = keys.open(at(hour), &ticket).unwrap();
            assert_eq!(&opened.plain[..], b"state");
            assert_eq!(opened.renew, hour > 0, "hour {hour}");
        }
        assert!(keys.open(at(14), &ticket).is_none(), "a ticket past its lifetime");
        assert!(keys.open(at(1), &ticket).is_none(), "a key of an epoch gone by was made again");
    }

    #[test]
    fn machines_with_one_secret_share_tickets_and_others_do_not() {
        let (a, b, other) = (keys(3), keys(3), keys(4));
        let ticket = sealed(&a, at(100));
        assert!(b.open(at(100), &ticket).is_some());
        assert!(b.open(at(99), &ticket).is_some(), "a clock an epoch behind");
        assert!(other.open(at(100), &ticket).is_none());
    }

    #[test]
    fn garbled_and_cut_tickets_are_no_tickets() {
        let keys = keys(3);
        let ticket = sealed(&keys, at(0));
        for bit in 0..ticket.len() * 8 {
            let mut altered = ticket.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(keys.open(at(0), &altered).is_none());
        }
        for len in 0..ticket.len() {
            assert!(keys.open(at(0), &ticket[..len]).is_none());
        }
        assert!(keys.open(at(0), &vec![0; MAX_TICKET + 1]).is_none());
        assert!(keys.open(at(0), &[&ticket[..], &[0; MAX_TICKET]].concat()).is_none());
    }

    /// A fleet's tickets begin with its name, which tells them from another's before any key is looked for.
    #[test]
    fn tickets_begin_with_the_name_of_their_fleet() {
        let name = |keys: &TicketKeys, hour| sealed(keys, at(hour))[..FLEET_LEN].to_vec();
        let (a, b, other) = (keys(3), keys(3), keys(4));
        assert_eq!([name(&a, 0), name(&a, 5)], [name(&b, 0), name(&b, 1)]);
        assert_ne!(name(&a, 0), name(&other, 0));
        assert_ne!(name(&a, 0), [0; FLEET_LEN]);
    }

    /// A key that has opened or sealed something is set up once; what opened nothing is not kept.
    #[test]
    fn keys_that_are_of_use_are_kept_set_up() {
        let (sealing, opening) = (keys(3), keys(3));
        let kept = |keys: &TicketKeys| keys.lock().keys.iter().map(|key| key.epoch).collect::<Vec<_>>();
        let first = sealed(&sealing, at(0));
        assert_eq!(kept(&sealing).len(), 1);
        sealed(&sealing, at(0));
        assert_eq!(kept(&sealing).len(), 1, "the same key");
        let mut forged = first.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert!(opening.open(at(0), &forged).is_none());
        assert_eq!(kept(&opening), [0; 0]);
        assert!(opening.open(at(0), &first).is_some() && opening.open(at(0), &first).is_some());
        assert_eq!(kept(&opening), kept(&sealing));
        let second = sealed(&sealing, at(1));
        assert!(opening.open(at(1), &second).is_some());
        assert_eq!((kept(&opening).len(), kept(&opening)), (2, kept(&sealing)));
        sealed(&sealing, at(13));
        assert_eq!(kept(&sealing).len(), 2, "the first is a lifetime behind, and gone");
    }

    /// Keys are no more than there may be; the oldest goes.
    #[test]
    fn no_more_keys_are_kept_than_there_may_be() {
        let root = *b"0123456789abcdef0123456789abcdef";
        let year = Duration::from_secs(366 * 86_400);
        let keys = TicketKeys::shared(Provider::builtin(), &root, MIN_EPOCH, year).unwrap();
        let most = u32::try_from(MAX_KEYS).unwrap();
        let moment = |n: u32| UNIX_EPOCH + Duration::from_secs(1_795_000_200) + MIN_EPOCH * n;
        for n in 0..most + 3 {
            sealed(&keys, moment(n));
        }
        let kept: Vec<u64> = keys.lock().keys.iter().map(|key| key.epoch).collect();
        let first = 1_795_000_200 / 600;
        assert_eq!(kept, (first + 3..first + 3 + u64::from(most)).collect::<Vec<_>>());
    }

    /// To the millisecond: a lifetime behind, an epoch ahead; and as long as the field has room for.
    #[test]
    fn a_ticket_opens_to_the_end_of_its_lifetime_and_its_length() {
        let (milli, sealing) = (Duration::from_millis(1), keys(3));
        let ticket = sealed(&sealing, at(0));
        for (now, opens) in [(at(12), true), (at(12) + milli, false)] {
            assert_eq!(keys(3).open(now, &ticket).is_some(), opens, "{now:?}");
        }
        let ahead = sealed(&sealing, at(1));
        for (now, opens) in [(at(0), true), (at(0) - milli, false)] {
            assert_eq!(keys(3).open(now, &ahead).is_some(), opens, "{now:?}");
        }
        for (length, opens) in [(MAX_TICKET, true), (MAX_TICKET + 1, false)] {
            let mut ticket = Vec::new();
            sealing.seal(at(1), &vec![7; length - OVERHEAD], &mut ticket).unwrap();
            assert_eq!((ticket.len(), sealing.open(at(1), &ticket).is_some()), (length, opens));
        }
        assert_eq!(TicketSealer::lifetime(&sealing), 12 * HOUR);
        let short = TicketKeys::shared(Provider::builtin(), b"0123456789abcdef0123456789abcdef", HOUR / 60, HOUR);
        assert_eq!(format!("{:?}", short.unwrap()), "TicketKeys(every 600s, for 3600s, [secret])");
    }
}
