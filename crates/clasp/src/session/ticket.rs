//! Session tickets (RFC 5077): the server's state, sealed, kept by the client. A ring of keys rotates without losing a
//! ticket; several machines share tickets from one secret and the clock.

use crate::answer::Answer;
use crate::crypto::{AeadId, AeadKey, HashId, Provider, TAG_LEN};
use crate::error::{Error, Misuse, Outside, Result};
use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
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

/// A ring of ticket keys: one per epoch, each derived from a secret that is ratcheted forward, so that keys of epochs
/// gone by cannot be recomputed.
pub struct TicketKeys {
    provider: &'static Provider,
    epoch: Duration,
    lifetime: Duration,
    ring: Mutex<Ring>,
}

struct Ring {
    /// The epoch whose key is at the front of `keys`.
    first: u64,
    keys: VecDeque<EpochKey>,
    /// Derives the key of the epoch behind the last of `keys`.
    root: Zeroizing<[u8; 32]>,
}

struct EpochKey {
    name: [u8; NAME_LEN],
    /// Set up once; shared so that nobody waits for another's ticket. An `Arc<dyn AeadKey>` made of the box would be a copy,
    /// and leave the key behind in the box's memory.
    #[allow(clippy::redundant_allocation)]
    key: Arc<Box<dyn AeadKey>>,
}

const NAME_LEN: usize = 16;
const NONCE_LEN: usize = 12;
/// Bytes a ticket has more than its content.
const OVERHEAD: usize = NAME_LEN + NONCE_LEN + TAG_LEN;
/// A longer ticket is not looked at: RFC 5077 has a 16-bit length, and ours are far smaller.
const MAX_TICKET: usize = 16 * 1024;
/// Ratcheting starts at the beginning of 2026, so that a fresh process reaches today in few steps.
const ORIGIN: u64 = 1_767_225_600;
/// The shortest epoch: bounds those steps, and the ring.
const MIN_EPOCH: Duration = Duration::from_secs(600);

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
        provider.hash(HashId::Sha256)?;
        let ring = Ring { first: 0, keys: VecDeque::new(), root: Zeroizing::new(*root) };
        let epoch = Duration::from_secs(epoch.max(MIN_EPOCH).as_secs());
        Ok(Self { provider, epoch, lifetime, ring: Mutex::new(ring) })
    }

    /// How long a ticket opens.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    fn number(&self, time: SystemTime) -> u64 {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        seconds.saturating_sub(ORIGIN) / self.epoch.as_secs()
    }

    /// Brings the ring to `now`: keys from the oldest epoch a ticket may have to the next one, for clocks that are
    /// ahead of ours. Older keys are dropped and cannot be made again. A clock set back finds the keys that are left.
    fn advance(&self, ring: &mut Ring, now: SystemTime) -> Result<()> {
        let oldest = self.number(now.checked_sub(self.lifetime).unwrap_or(UNIX_EPOCH));
        let next = self.number(now) + 1;
        while ring.first + (ring.keys.len() as u64) <= next {
            let number = ring.first + ring.keys.len() as u64;
            let hmac = self.provider.hash(HashId::Sha256)?.hmac(&*ring.root);
            let derive = |label: &[u8]| {
                let mut out = Zeroizing::new([0; 32]);
                hmac.sign(&[label, &number.to_be_bytes()], &mut *out);
                out
            };
            if number >= oldest {
                let mut name = [0; NAME_LEN];
                name.copy_from_slice(&derive(b"clasp ticket name")[..NAME_LEN]);
                let key = self.provider.aead(AeadId::Aes256Gcm)?.key(&*derive(b"clasp ticket key"))?;
                ring.keys.push_back(EpochKey { name, key: Arc::new(key) });
            } else {
                ring.first = number + 1;
            }
            *ring.root = *derive(b"clasp ticket ratchet");
        }
        while ring.first < oldest && ring.keys.len() > 2 {
            ring.keys.pop_front();
            ring.first += 1;
        }
        Ok(())
    }

    /// Seals `plain` under the key of `now`, behind what `out` holds.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub fn seal(&self, now: SystemTime, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        self.advance(&mut ring, now)?;
        let place = usize::try_from(self.number(now).saturating_sub(ring.first)).unwrap_or(usize::MAX);
        let EpochKey { name, key } = ring.keys.get(place.min(ring.keys.len() - 1)).ok_or(Outside::Bug)?;
        let (name, key) = (*name, key.clone());
        drop(ring);
        let mut nonce = [0; NONCE_LEN];
        self.provider.random.fill(&mut nonce)?;
        let start = out.len();
        out.reserve(OVERHEAD + plain.len());
        out.extend_from_slice(&name);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let sealed = &mut out[start + NAME_LEN + NONCE_LEN..];
        let mut tag = [0; TAG_LEN];
        key.seal(&nonce, &name, sealed, &mut tag)?;
        out.extend_from_slice(&tag);
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
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        self.advance(&mut ring, now).ok()?;
        let place = ring.keys.iter().position(|k| k.name == *name)?;
        let key = ring.keys.get(place)?.key.clone();
        let renew = ring.first + place as u64 != self.number(now);
        drop(ring);
        let mut plain = Zeroizing::new(sealed.to_vec());
        let len = key.open(nonce, name, &mut plain).ok()?;
        plain.truncate(len);
        Some(Opened { plain, renew })
    }
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketKeys(every {:?}, for {:?}, [secret])", self.epoch, self.lifetime)
    }
}

#[cfg(test)]
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
    }
}
