// Above `error`.
//! What an observer of a connection sees: every record, message, key change, choice and wait, in order, once.

use crate::code::{AlertDescription, CipherSuite, ContentType, HandshakeType};
use crate::error::Error;
use crate::wire::fields::Field;
use core::fmt;
use std::time::SystemTime;

/// Which way something went, seen from the observed side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From us to the peer.
    Sent,
    /// From the peer to us.
    Received,
}

/// The keys in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// No protection.
    Plain,
    /// 0-RTT keys (TLS 1.3).
    Early,
    /// Handshake keys (TLS 1.3).
    Handshake,
    /// Application keys; in TLS 1.2 everything after ChangeCipherSpec.
    Application,
}

/// Receives the facts of a connection as they happen. One observer may serve many connections.
///
/// ```
/// use clasp::trace::{Observation, Observer, What};
/// struct Print;
/// impl Observer for Print {
///     fn observe(&self, seen: &Observation<'_>) {
///         if let What::Message { kind, bytes, .. } = &seen.what {
///             println!("flight {}: {} of {} bytes", seen.flight, kind.name(), bytes.len());
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Called for every fact, in order. It must not block: the connection waits for it.
    fn observe(&self, seen: &Observation<'_>);
}

/// One fact of one connection.
#[derive(Debug)]
pub struct Observation<'a> {
    /// A number that tells connections of this process apart.
    pub connection: u64,
    /// When, by the configuration's clock.
    pub at: SystemTime,
    /// How many times the direction of handshake traffic has changed so far: 1 for the first flight.
    pub flight: u8,
    /// The fact.
    pub what: What<'a>,
}

/// A fact of a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum What<'a> {
    /// A record went over the wire.
    Record {
        /// Which way.
        direction: Direction,
        /// Under which keys.
        level: Level,
        /// Its content type, after decryption.
        content: ContentType,
        /// Bytes on the wire, header included.
        wire_len: usize,
        /// Bytes of content.
        plain_len: usize,
    },
    /// A handshake message, as its whole bytes with the header.
    Message {
        /// Which way.
        direction: Direction,
        /// Under which keys.
        level: Level,
        /// Its type.
        kind: HandshakeType,
        /// Header and body.
        bytes: &'a [u8],
    },
    /// New keys are in force for a direction.
    Keys {
        /// Which way.
        direction: Direction,
        /// What they are for.
        level: Level,
        /// The suite they belong to.
        suite: CipherSuite,
    },
    /// A choice among what both sides offered.
    Chose {
        /// What was chosen: `"version"`, `"cipher suite"`, `"group"`, `"signature scheme"`.
        what: &'static str,
        /// The code that was picked.
        picked: u16,
        /// Its name.
        name: &'a str,
    },
    /// The handshake waits for a party outside.
    Waiting {
        /// Whom it waits for.
        on: &'static str,
    },
    /// A session was resumed.
    Resumed {
        /// By what: `"session ID"`, `"ticket"`, `"PSK"`.
        by: &'static str,
    },
    /// The server gives no tickets although it could.
    NoTickets {
        /// Why.
        why: &'static str,
    },
    /// ChangeCipherSpec went over the wire.
    ChangeCipherSpec {
        /// Which way.
        direction: Direction,
    },
    /// An alert went over the wire.
    Alert {
        /// Which way.
        direction: Direction,
        /// Whether it ends the connection.
        fatal: bool,
        /// The alert.
        alert: AlertDescription,
    },
    /// The handshake is done.
    Established,
    /// The connection failed.
    Failed(&'a Error),
}

impl<'a> What<'a> {
    /// The decoded fields of a message, in wire order; empty for every other fact.
    pub fn fields(&self) -> Vec<Field<'a>> {
        match self {
            Self::Message { bytes, .. } => crate::wire::fields::message(bytes),
            _ => Vec::new(),
        }
    }
}

/// Numbers facts and counts flights for one connection. The halves of a connection have one each.
#[derive(Clone)]
pub(crate) struct Tracer {
    observer: std::sync::Arc<dyn Observer>,
    connection: u64,
    flight: u8,
    last: Option<Direction>,
}

impl Tracer {
    pub(crate) fn new(observer: std::sync::Arc<dyn Observer>) -> Self {
        use core::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { observer, connection: NEXT.fetch_add(1, Ordering::Relaxed), flight: 0, last: None }
    }

    pub(crate) fn tell(&mut self, at: SystemTime, what: What<'_>) {
        let direction = match &what {
            What::Message { direction, .. } | What::ChangeCipherSpec { direction } => Some(*direction),
            What::Record { direction, content: ContentType::ApplicationData, .. } => Some(*direction),
            _ => None,
        };
        if direction.is_some() && direction != self.last {
            self.last = direction;
            self.flight = self.flight.saturating_add(1);
        }
        self.observer.observe(&Observation { connection: self.connection, at, flight: self.flight, what });
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tracer(connection {}, flight {})", self.connection, self.flight)
    }
}
