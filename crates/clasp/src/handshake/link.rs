//! `Link`: what a conversation sees of the outside. Sending and key changes are operations on an ordered list that its carrier
//! goes through after each poll; the only waits are for a message and for an [`Answer`].

use super::extension::RecordLimits;
use super::hello::ClientOffer;
use super::operation::{Ask, Early, Fact, Record};
use super::transcript::Transcript;
use super::wiring::Wiring;
use crate::answer::Answer;
use crate::code::{CipherSuite, Direction, ExtensionType, HandshakeType, ProtocolVersion};
use crate::crypto::overwrite_stack;
use crate::error::{Error, PeerError, Result};
use crate::facts::Event;
use crate::keys::kept13::Kept13;
use crate::keys::maker::{KeyLabels, KeyMaterial, Way};
use crate::keys::schedule12::{Side, Vault12};
use crate::keys::schedule13::{Traffic, Vault13};
use crate::record::Joiner;
use crate::record::limits::MIN_EARLY_DATA_SKIPPED;
use crate::session::Context;
use crate::suite::{Suite, Suite13};
use crate::trace::{Derivations, Level};
use crate::wire::Writer;
use crate::wire::message::{self, Checked, Message};
use core::future::poll_fn;
use core::task::Poll;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// What a conversation is waiting for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// It is not waiting.
    #[default]
    Nothing,
    /// One of these messages of the peer.
    Message(&'static str),
    /// A party outside: the signer, the verifier, the session store.
    Outside(&'static str),
}

/// The state shared by a conversation and its carrier. Locked only inside methods of [`Link`] and of [`Live`](super::live::Live),
/// never across an await.
pub(crate) struct Shared<A: ?Sized> {
    /// The messages to send, one behind the other.
    pub(super) flight: Vec<u8>,
    /// The messages that came.
    pub(super) inbox: Joiner,
    /// A ChangeCipherSpec came (TLS 1.2: a message in all but type), behind what `inbox` held.
    pub(super) change_cipher_spec: bool,
    pub(super) waiting: Waiting,
    /// How many waits there have been, so that two of one name are told apart.
    pub(super) waits: u32,
    /// What the carrier is asked for.
    pub(super) asked: A,
}

impl<A> Shared<A> {
    pub(super) fn new(asked: A) -> Self {
        Self {
            flight: Vec::with_capacity(FLIGHT),
            inbox: Joiner::default(),
            change_cipher_spec: false,
            waiting: Waiting::Nothing,
            waits: 0,
            asked,
        }
    }
}

/// Bytes of a flight: room for most, so that it is taken once.
const FLIGHT: usize = 2048;

/// Locks the shared state. A poisoned lock is taken as it is: most critical sections are a single push, pop or
/// assignment, and a conversation that panicked while it wrote a message is never polled again.
pub(super) fn lock<A: ?Sized>(shared: &Mutex<Shared<A>>) -> MutexGuard<'_, Shared<A>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the records of a TLS 1.2 connection are protected.
#[derive(Clone, Copy)]
pub(crate) struct Protected12<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) encrypt_then_mac: bool,
}

/// A conversation's end of the connection.
pub(crate) struct Link {
    shared: Arc<Mutex<Shared<dyn Ask>>>,
    /// What the carrier makes different.
    pub(crate) wiring: &'static Wiring,
    /// The bytes of the conversation so far.
    pub(crate) transcript: Transcript,
    /// The buffer of a message that is done with.
    spare: Vec<u8>,
}

impl Link {
    pub(super) fn new(shared: Arc<Mutex<Shared<dyn Ask>>>, wiring: &'static Wiring, transcript: Transcript) -> Self {
        Self { shared, wiring, transcript, spare: Vec::new() }
    }

    fn fact(&self, fact: Fact) {
        lock(&self.shared).asked.fact(fact);
    }

    fn early(&self, early: Early) {
        lock(&self.shared).asked.early(early);
    }

    fn record(&self, operation: Record) {
        lock(&self.shared).asked.record(operation);
    }

    /// Sends one handshake message and adds it to the transcript. Whoever is answered has nothing more to say before: what
    /// is not taken yet is too much.
    ///
    /// # Errors
    /// If something is left, or if the message cannot be written; it is not sent then.
    pub(crate) fn send(&mut self, kind: HandshakeType, body: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
        let mut shared = lock(&self.shared);
        shared.check_all_taken()?;
        let start = shared.flight.len();
        message::frame(&mut shared.flight, kind, body).map_err(|e| Error::from(e).in_message(kind.name()))?;
        self.transcript.add(shared.flight.get(start..).unwrap_or_default());
        let len = shared.flight.len().saturating_sub(start);
        shared.asked.message(len);
        Ok(())
    }

    /// Sends a message that is no part of the conversation, a ticket: it stays out of the transcript.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(crate) fn send_beside(&self, kind: HandshakeType, body: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
        let mut shared = lock(&self.shared);
        shared.check_all_taken()?;
        let start = shared.flight.len();
        message::frame(&mut shared.flight, kind, body).map_err(|e| Error::from(e).in_message(kind.name()))?;
        let len = shared.flight.len().saturating_sub(start);
        shared.asked.message(len);
        Ok(())
    }

    /// Sends one handshake message whose end hangs on its beginning: `encode` is given the conversation before it, and
    /// writes it whole, header included.
    pub(crate) fn send_whole(&mut self, encode: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<()>) -> Result<()> {
        let mut shared = lock(&self.shared);
        shared.check_all_taken()?;
        let start = shared.flight.len();
        encode(self.transcript.bytes(), &mut shared.flight)?;
        self.transcript.add(shared.flight.get(start..).unwrap_or_default());
        let len = shared.flight.len().saturating_sub(start);
        shared.asked.message(len);
        Ok(())
    }

    /// Receives the next message, which must be an `M`, and adds it to the transcript.
    pub(crate) async fn recv<M: Message>(&mut self) -> Result<Checked<M>> {
        let mut bytes = core::mem::take(&mut self.spare);
        let came = self.wait(M::NAME, |shared| shared.next(&mut bytes)).await;
        if came == Came::ChangeCipherSpec {
            return Err(Error::from(PeerError::UnexpectedChangeCipherSpec).wanted(M::NAME));
        }
        if bytes.first() != Some(&M::TYPE.0) {
            return Err(unexpected(&bytes, M::NAME));
        }
        self.transcript.add(&bytes);
        Checked::new(bytes).map_err(|e| Error::from(e).in_message(M::NAME))
    }

    /// Receives the next message if it is an `M`; leaves any other for the next call.
    pub(crate) async fn recv_optional<M: Message>(&mut self) -> Result<Option<Checked<M>>> {
        if self.peek(M::NAME).await != Some(M::TYPE) {
            return Ok(None);
        }
        self.recv().await.map(Some)
    }

    /// The type of the next message, left in place; `None` is ChangeCipherSpec.
    pub(crate) async fn peek(&mut self, wanted: &'static str) -> Option<HandshakeType> {
        self.wait(wanted, |shared| match shared.inbox.front() {
            Some(message) => Some(Some(HandshakeType(message.first().copied().unwrap_or(0)))),
            None => shared.change_cipher_spec.then_some(None),
        })
        .await
    }

    /// Receives ChangeCipherSpec: RFC 5246 7.1. Nothing else may stand in its place (SMACK, CVE-2014-0224).
    pub(crate) async fn recv_change_cipher_spec(&mut self) -> Result<()> {
        let mut bytes = core::mem::take(&mut self.spare);
        let came = self.wait("ChangeCipherSpec", |shared| shared.next(&mut bytes)).await;
        if came == Came::Message {
            return Err(unexpected(&bytes, "ChangeCipherSpec"));
        }
        self.spare = bytes;
        Ok(())
    }

    async fn wait<T>(&mut self, wanted: &'static str, mut ready: impl FnMut(&mut Shared<dyn Ask>) -> Option<T>) -> T {
        poll_fn(|_| {
            let mut shared = lock(&self.shared);
            match ready(&mut shared) {
                Some(value) => {
                    shared.waiting = Waiting::Nothing;
                    shared.waits = shared.waits.wrapping_add(1);
                    Poll::Ready(value)
                }
                None => {
                    shared.waiting = Waiting::Message(wanted);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Waits for a party outside, if it is not ready at once.
    pub(crate) async fn outside<T>(&self, who: &'static str, answer: Answer<'_, T>) -> T {
        match answer {
            Answer::Now(value) => value,
            Answer::Later(future) => {
                lock(&self.shared).waiting = Waiting::Outside(who);
                let value = future.await;
                let mut shared = lock(&self.shared);
                shared.waiting = Waiting::Nothing;
                shared.waits = shared.waits.wrapping_add(1);
                value
            }
        }
    }

    /// Gives a message's buffer back for the next one.
    pub(crate) fn recycle<M: Message>(&mut self, message: Checked<M>) {
        self.spare = message.into_bytes();
    }

    /// What sessions hang on that are made or resumed here.
    pub(crate) fn context_of(&self, configuration: Context) -> Context {
        configuration.and(&self.wiring.sessions)
    }

    pub(crate) fn send_change_cipher_spec(&self) {
        self.record(Record::ChangeCipherSpec);
    }

    pub(crate) fn send_compatibility_ccs(&self) {
        self.record(Record::CompatibilityCcs);
    }

    /// Has the carrier make its keys of a traffic secret.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub(crate) fn install13(&self, way: Way, vault: &mut Vault13, suite: &Suite13, which: Traffic) -> Result<()> {
        let (level, writer) = match which {
            Traffic::Early => (Level::Early, Side::Client),
            Traffic::Handshake(side) => (Level::Handshake, side),
            Traffic::Application(side) => (Level::Application, side),
        };
        self.install((way, writer), level, suite.code, |labels| vault.material(which, suite.aead, labels))
    }

    /// Has the carrier make its keys of a side's share of the key block.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub(crate) fn install12(&self, way: Way, vault: &Vault12, writer: Side, how: Protected12<'_>) -> Result<()> {
        let Protected12 { suite, encrypt_then_mac } = how;
        self.install((way, writer), Level::Application, suite.code, |_| KeyMaterial::Tls12 {
            suite,
            keys: vault.keys(suite, writer),
            encrypt_then_mac,
        })
    }

    /// What goes this way from here on is protected by keys that the carrier makes now. A message belongs to the keys under
    /// which it was opened: what came under the old ones and is not taken yet could be taken for what comes under the new
    /// ones, so nothing may be left (RFC 9846 5.1, RFC 5246 7.1, RFC 9001 4.1.3). Nothing can come either before the keys are
    /// in place: whoever delivers does so between polls, and carries out what a poll asked for first.
    ///
    /// # Errors
    /// If something is left, or the keys cannot be made.
    fn install<'v>(
        &self,
        direction: (Way, Side),
        level: Level,
        suite: CipherSuite,
        material: impl FnOnce(&KeyLabels) -> KeyMaterial<'v>,
    ) -> Result<()> {
        self.make_keys(direction, level, suite, material)?;
        // The keys of the moment lie on the stack, and what is made next goes to the heap with its padding: futures, facts, a
        // session.
        overwrite_stack();
        Ok(())
    }

    fn make_keys<'v>(
        &self,
        (way, writer): (Way, Side),
        level: Level,
        suite: CipherSuite,
        material: impl FnOnce(&KeyLabels) -> KeyMaterial<'v>,
    ) -> Result<()> {
        let mut shared = lock(&self.shared);
        if way == Way::Read {
            shared.check_all_taken()?;
        }
        let material = material(shared.asked.labels());
        shared.derived(|| material.named(writer));
        Ok(shared.asked.keys(way, level, suite, &material)?)
    }

    pub(crate) fn write_plain(&self) {
        self.record(Record::WritePlain);
    }

    /// Client: early data may be sent from here on, under what the server's carrier said when the session was made.
    pub(crate) fn early_data(&self, max: u32, parameters: Option<Arc<[u8]>>) {
        self.early(Early::Allow(max, parameters));
    }

    pub(crate) fn early_data_refused(&self) {
        self.early(Early::Refused);
    }

    pub(crate) fn take_early_data(&self, max: u32) {
        self.early(Early::Take(max));
    }

    /// Server: early data that is refused is skipped: as much as tickets allow (RFC 9846 4.2.10), and an
    /// eighth for padding, which nobody can tell from data then (4.6.1).
    pub(crate) fn skip_early_data(&self, allowed: u32) {
        let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
        self.record(Record::SkipEarlyData(allowed.saturating_add(allowed / 8).max(MIN_EARLY_DATA_SKIPPED)));
    }

    pub(crate) fn half_way(&self, kept: Kept13) {
        self.early(Early::HalfWay(kept));
    }

    pub(crate) fn padding(&self, block: usize) {
        if block > 1 {
            self.record(Record::Padding(block));
        }
    }

    pub(crate) fn version(&self, version: ProtocolVersion) {
        self.fact(Fact::Version(version));
        self.chose("version", version.0, version.name());
    }

    pub(crate) fn limits(&self, RecordLimits { send, receive, clear }: RecordLimits) {
        if let Some(limit) = send {
            self.record(Record::SendLimit(limit));
        }
        if let Some(limit) = receive {
            self.record(Record::ReceiveLimit { limit, clear });
        }
    }

    pub(crate) fn chose(&self, what: &'static str, picked: u16, name: &'static str) {
        self.fact(Fact::Chose(what, picked, name));
    }

    /// Tells an observer that these have been derived, and their values if he is shown secrets.
    pub(crate) fn derived(&self, secrets: &[(&'static str, &[u8])]) {
        lock(&self.shared).derived(|| secrets.iter().copied());
    }

    /// Tells an observer of the hello that the last one hides.
    pub(crate) fn hidden(&self, direction: Direction, hello: &[u8]) {
        let mut shared = lock(&self.shared);
        if !matches!(shared.asked.derivations(), Derivations::Untold) {
            shared.asked.fact(Fact::HiddenHello(direction, hello.to_vec()));
        }
    }

    /// Tells the caller, if he wants to hear it.
    pub(crate) fn event(&self, event: impl FnOnce() -> Event) {
        let mut shared = lock(&self.shared);
        if shared.asked.tells_events() {
            shared.asked.fact(Fact::Event(event()));
        }
    }

    /// The application protocol is settled.
    ///
    /// # Errors
    /// If there is none where the carrier must have one.
    pub(crate) fn protocol(&self, protocol: Option<&[u8]>) -> Result<()> {
        if self.wiring.protocol_required && protocol.is_none() {
            return Err(Error::from(PeerError::NoCommonProtocol).seen("no application protocol"));
        }
        self.event(|| Event::Protocol(protocol.map(<[u8]>::to_vec)));
        Ok(())
    }

    /// What our carrier says to the peer's: RFC 9001 8.2.
    pub(crate) fn own_parameters(&self) -> Option<Box<[u8]>> {
        lock(&self.shared).asked.parameters().map(Into::into)
    }

    /// What the peer's carrier says to ours.
    ///
    /// # Errors
    /// If it says something over a carrier where there is nothing to say, or nothing where there is: RFC 9001 8.2.
    pub(crate) fn peer_parameters(&self, theirs: Option<&[u8]>) -> Result<()> {
        let mut shared = lock(&self.shared);
        let wrong = match (shared.asked.parameters().is_some(), theirs) {
            (false, None) => return Ok(()),
            (true, Some(theirs)) => {
                shared.asked.fact(Fact::Parameters(theirs.to_vec()));
                return Ok(());
            }
            (false, Some(_)) => PeerError::UnsolicitedExtension,
            (true, None) => PeerError::MissingExtension,
        };
        Err(Error::from(wrong).in_extension(ExtensionType::QuicTransportParameters))
    }

    /// Server: what the carrier makes of a client's hello.
    ///
    /// # Errors
    /// As [`peer_parameters`](Self::peer_parameters); or if the client provides for middleboxes where there are none.
    pub(crate) fn check_hello(&self, version: ProtocolVersion, offer: &ClientOffer<'_>) -> Result<()> {
        let provides = version == ProtocolVersion::Tls13 && !offer.session_id.is_empty();
        if provides && !self.wiring.middlebox_compatibility {
            return Err(Error::from(PeerError::SessionIdOverQuic).wanted("an empty legacy_session_id"));
        }
        self.peer_parameters(offer.parameters)
    }

    /// Server: what early data may count on in later connections, as far as the carrier says.
    pub(crate) fn promises(&self) -> Vec<u8> {
        lock(&self.shared).asked.promises()
    }

    /// Server: whether what a session's early data counts on holds today.
    pub(crate) fn holds(&self, promises: &[u8]) -> bool {
        lock(&self.shared).asked.holds(promises)
    }

    /// The client may be asked for its certificate later: what is signed then begins with this conversation.
    pub(crate) fn may_be_asked_later(&self) {
        self.fact(Fact::MayBeAskedLater(self.transcript.fork()));
    }

    pub(crate) fn no_tickets(&self, why: &'static str) {
        self.fact(Fact::NoTickets(why));
    }

    pub(crate) fn resumed(&self, by: &'static str) {
        self.fact(Fact::Resumed(by));
    }
}

impl Shared<dyn Ask> {
    /// Tells an observer that these have been derived, and their values if he is shown secrets.
    fn derived<'s, I: Iterator<Item = (&'static str, &'s [u8])>>(&mut self, secrets: impl FnOnce() -> I) {
        let shown = match self.asked.derivations() {
            Derivations::Untold => return,
            Derivations::Names => false,
            Derivations::Values => true,
        };
        for (name, value) in secrets() {
            self.asked.fact(Fact::Derived(name, shown.then(|| Zeroizing::new(value.into()))));
        }
    }
}

/// What a wait for the next message came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    Message,
    ChangeCipherSpec,
}

impl<A: ?Sized> Shared<A> {
    /// Takes what came next; a message is moved into `buffer`.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Option<Came> {
        if self.inbox.take(buffer) {
            return Some(Came::Message);
        }
        core::mem::take(&mut self.change_cipher_spec).then_some(Came::ChangeCipherSpec)
    }

    /// Whether the conversation has taken all that came, down to parts of messages.
    pub(super) fn has_taken_all(&self) -> bool {
        self.inbox.is_empty() && !self.change_cipher_spec
    }

    fn check_all_taken(&self) -> Result<()> {
        if self.has_taken_all() {
            return Ok(());
        }
        let error = Error::from(PeerError::DataAtKeyChange);
        Err(match self.inbox.front().and_then(|message| message.first()) {
            Some(kind) => error.seen(HandshakeType(*kind).name()),
            None => error,
        })
    }
}

fn unexpected(bytes: &[u8], wanted: &'static str) -> Error {
    let seen = HandshakeType(bytes.first().copied().unwrap_or(0));
    Error::from(PeerError::UnexpectedMessage).seen(seen.name()).wanted(wanted)
}
