//! What a conversation asks of whoever carries its bytes, by audience: messages, keys and facts concern every carrier, early
//! data those that carry it, and [`Record`] those that have records.
//!
//! The flows know no carrier: for them a link's list is `dyn Ask`. The list itself is a carrier's own, [`Asked`], with the
//! keys that carrier makes and the operations on records that it can carry out; the others never come to stand on it. So the
//! `match` with which a carrier goes through its list is complete, and nothing in it is unreachable. Flows generic over the
//! carrier would come to the same and be compiled once for each.

use super::transcript::Transcript;
use super::wiring::Wiring;
use crate::code::{CipherSuite, Direction, ProtocolVersion};
use crate::crypto::CryptoResult;
use crate::facts::Event;
use crate::keys::kept13::Kept13;
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial, Way};
use crate::trace::{Derivations, Level};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One of them; carried out in order.
pub(crate) enum Operation<C: Carrier> {
    /// Send the next message of the flight, of this many bytes, under the current write keys.
    Message(usize),
    /// Everything received from here on is protected by these keys.
    Read(Level, CipherSuite, C::Open),
    /// Everything sent from here on is protected by these keys.
    Write(Level, CipherSuite, C::Seal),
    Fact(Fact),
    Early(Early),
    Record(C::Record),
}

/// What every carrier, or its observer, is told.
pub(crate) enum Fact {
    /// The version is known: record versions and ChangeCipherSpec rules follow it.
    Version(ProtocolVersion),
    /// A choice: what it is about, the code, its name.
    Chose(&'static str, u16, &'static str),
    /// Why the client gets no tickets.
    NoTickets(&'static str),
    /// By what a session was resumed.
    Resumed(&'static str),
    /// What a caller has asked to be told before the end.
    Event(Event),
    /// A secret has been derived: its name, and its value for an observer who is shown secrets.
    Derived(&'static str, Option<Zeroizing<Box<[u8]>>>),
    /// What the ClientHello before hides, for an observer.
    HiddenHello(Direction, Vec<u8>),
    /// The client may be asked for its certificate after the handshake, and this is what there is of the conversation.
    MayBeAskedLater(Transcript),
    /// What the peer's carrier says to ours.
    #[cfg_attr(not(feature = "quic"), expect(dead_code, reason = "no other carrier says anything"))]
    Parameters(Vec<u8>),
}

/// Early data (0-RTT).
pub(crate) enum Early {
    /// Client: this much may be sent, under what the server's carrier said when the session was made.
    #[cfg_attr(not(feature = "quic"), expect(dead_code, reason = "no other carrier says anything"))]
    Allow(u32, Option<Arc<[u8]>>),
    /// Client: what was sent did not arrive.
    Refused,
    /// Server: this much is taken.
    Take(u32),
    /// Server: what is kept, before the client has finished: keying material may be exported from here on.
    HalfWay(Kept13),
}

/// What concerns records alone.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    /// Send a ChangeCipherSpec.
    ChangeCipherSpec,
    /// Send the ChangeCipherSpec of the middlebox compatibility mode: RFC 9846 E.4.
    CompatibilityCcs,
    /// What is sent from here on goes in the clear again: a client's second hello after early data.
    WritePlain,
    /// Server: early data is on its way and is skipped, up to this many bytes of what its records hold.
    SkipEarlyData(usize),
    /// TLS 1.3 records are padded to multiples of this.
    Padding(usize),
    /// The peer takes records of at most this many plaintext bytes.
    SendLimit(usize),
    /// We announced that we take records of at most this many plaintext bytes; in the clear too, if that is so.
    ReceiveLimit { limit: usize, clear: bool },
}

/// Whoever brings a conversation's messages to the peer, and what it makes keys of.
pub(crate) trait Carrier: KeyMaker<Open: Send, Seal: Send> + Send + 'static {
    /// The operations on records that it carries out: those of TLS all of them, a carrier without records none.
    type Record: Send;

    /// What it makes different in the conversations.
    fn wiring(&self) -> &'static Wiring;

    /// What it says to the peer's carrier (RFC 9001 8.2). A carrier that says nothing hears nothing either.
    fn parameters(&self) -> Option<&[u8]> {
        None
    }

    /// Server: what early data may count on, as far as the carrier says: a session keeps it.
    fn promises(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Server: whether what a session's early data counts on holds today.
    fn holds(&self, promises: &[u8]) -> bool {
        promises.is_empty()
    }

    /// What an operation on records is to this carrier, if it is anything.
    fn record(operation: Record) -> Option<Self::Record>;
}

/// What a carrier is asked for.
pub(crate) struct Asked<C: Carrier> {
    carrier: C,
    /// The caller wants to hear of events.
    pub(super) tells_events: bool,
    /// What an observer hears of derivations.
    pub(super) derivations: Derivations,
    pub(super) operations: Vec<Operation<C>>,
}

/// Operations between two polls: room for most, so that it is taken once.
const OPERATIONS: usize = 20;

impl<C: Carrier> Asked<C> {
    pub(super) fn of(carrier: C) -> Self {
        Self {
            carrier,
            tells_events: false,
            derivations: Derivations::Untold,
            operations: Vec::with_capacity(OPERATIONS),
        }
    }
}

/// A carrier's list, as the flows see it.
pub(super) trait Ask: Send {
    fn message(&mut self, len: usize);

    /// The names under which the carrier has its keys expanded.
    fn labels(&self) -> &'static KeyLabels;

    fn keys(&mut self, way: Way, level: Level, suite: CipherSuite, material: &KeyMaterial<'_>) -> CryptoResult<()>;

    fn fact(&mut self, fact: Fact);

    /// What the carrier says to the peer's.
    fn parameters(&self) -> Option<&[u8]>;

    fn promises(&self) -> Vec<u8>;

    fn holds(&self, promises: &[u8]) -> bool;

    /// Whether the caller wants to hear of events.
    fn tells_events(&self) -> bool;

    /// What an observer hears of derivations.
    fn derivations(&self) -> Derivations;

    fn early(&mut self, early: Early);

    fn record(&mut self, operation: Record);
}

impl<C: Carrier> Ask for Asked<C> {
    fn message(&mut self, len: usize) {
        self.operations.push(Operation::Message(len));
    }

    fn labels(&self) -> &'static KeyLabels {
        self.carrier.labels()
    }

    fn keys(&mut self, way: Way, level: Level, suite: CipherSuite, material: &KeyMaterial<'_>) -> CryptoResult<()> {
        self.operations.push(match way {
            Way::Read => Operation::Read(level, suite, self.carrier.open(material)?),
            Way::Write => Operation::Write(level, suite, self.carrier.seal(material)?),
        });
        Ok(())
    }

    fn fact(&mut self, fact: Fact) {
        self.operations.push(Operation::Fact(fact));
    }

    fn parameters(&self) -> Option<&[u8]> {
        self.carrier.parameters()
    }

    fn promises(&self) -> Vec<u8> {
        self.carrier.promises()
    }

    fn holds(&self, promises: &[u8]) -> bool {
        self.carrier.holds(promises)
    }

    fn tells_events(&self) -> bool {
        self.tells_events
    }

    fn derivations(&self) -> Derivations {
        self.derivations
    }

    fn early(&mut self, early: Early) {
        self.operations.push(Operation::Early(early));
    }

    fn record(&mut self, operation: Record) {
        self.operations.extend(C::record(operation).map(Operation::Record));
    }
}
