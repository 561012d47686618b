//! A conversation that is going on: the future, and the state that it shares with whoever carries its bytes. A carrier
//! delivers what came, polls, and carries out in order what the conversation has asked for meanwhile.

use super::link::{Link, Shared, Waiting, lock};
use super::operation::{Asked, Carrier, Operation};
use super::transcript::Transcript;
use crate::code::HandshakeType;
use crate::config::Clock;
use crate::crypto::overwrite_stack;
use crate::error::{PeerError, Result};
use crate::established::Established;
use crate::record::Joiner;
use crate::trace::Derivations;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

type Flow<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A handshake that is going on, or what may follow it.
pub(crate) struct Live<C: Carrier, T = Established> {
    /// Never locked: whoever polls has it to himself. A future that is not `Sync` would keep every connection, and whatever
    /// holds one across an await, from being shared.
    flow: Mutex<Flow<T>>,
    shared: Arc<Mutex<Shared<Asked<C>>>>,
    clock: Arc<dyn Clock>,
    /// Which conversation, for errors.
    pub(crate) phase: &'static str,
    /// The last message we sent, for the peer's alerts.
    pub(crate) last_sent: Option<HandshakeType>,
    /// Which wait it is that goes on, and since when.
    waits: Option<(u32, SystemTime)>,
}

impl<C: Carrier, T> Live<C, T> {
    pub(crate) fn new(
        phase: &'static str,
        carrier: C,
        clock: Arc<dyn Clock>,
        flow: impl FnOnce(Link) -> Flow<T>,
    ) -> Self {
        Self::with_transcript(phase, carrier, clock, Transcript::new(), flow)
    }

    /// Goes on from a conversation that there was.
    pub(crate) fn with_transcript(
        phase: &'static str,
        carrier: C,
        clock: Arc<dyn Clock>,
        transcript: Transcript,
        flow: impl FnOnce(Link) -> Flow<T>,
    ) -> Self {
        let wiring = carrier.wiring();
        let shared = Arc::new(Mutex::new(Shared::new(Asked::of(carrier))));
        overwrite_stack();
        Self {
            flow: Mutex::new(flow(Link::new(shared.clone(), wiring, transcript))),
            shared,
            clock,
            phase,
            last_sent: None,
            waits: None,
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let flow = self.flow.get_mut().unwrap_or_else(PoisonError::into_inner);
        let outcome = flow.as_mut().poll(cx);
        let wait = lock(&self.shared).waits;
        if outcome.is_pending() && self.waits.is_none_or(|(known, _)| known != wait) {
            self.waits = Some((wait, self.clock.now()));
        }
        outcome
    }

    /// When what it waits for came to be waited for.
    pub(crate) fn waiting_since(&self) -> Option<SystemTime> {
        self.waits.filter(|_| self.waiting() != Waiting::Nothing).map(|(_, since)| since)
    }

    /// An observer hears of derivations from here on.
    pub(crate) fn tell_derivations(&self, derivations: Derivations) {
        lock(&self.shared).asked.derivations = derivations;
    }

    /// The caller wants to hear of events from here on.
    pub(crate) fn tell_events(&self) {
        lock(&self.shared).asked.tells_events = true;
    }

    /// Delivers the payload of a handshake record; `tell` hears of every message that is now whole.
    pub(crate) fn deliver(&self, payload: &[u8], tell: impl FnMut(&[u8])) -> Result<()> {
        Ok(lock(&self.shared).inbox.add(payload, tell)?)
    }

    /// Delivers a ChangeCipherSpec; one that came before must have been taken.
    pub(crate) fn deliver_change_cipher_spec(&self) -> Result<()> {
        let again = core::mem::replace(&mut lock(&self.shared).change_cipher_spec, true);
        if again { Err(PeerError::UnexpectedChangeCipherSpec.into()) } else { Ok(()) }
    }

    /// Whether part of a message waits for its rest.
    pub(crate) fn is_partial(&self) -> bool {
        lock(&self.shared).inbox.is_partial()
    }

    /// Whether the conversation has taken all that came.
    pub(crate) fn has_taken_all(&self) -> bool {
        lock(&self.shared).has_taken_all()
    }

    /// Bytes that came and that it has not taken.
    #[cfg(feature = "quic")]
    pub(crate) fn held(&self) -> usize {
        lock(&self.shared).inbox.len()
    }

    /// The messages that came and that it has not taken.
    pub(crate) fn take_untaken(&self) -> Joiner {
        core::mem::take(&mut lock(&self.shared).inbox)
    }

    pub(crate) fn waiting(&self) -> Waiting {
        lock(&self.shared).waiting
    }

    /// What the conversation asked for, and the messages it is to send.
    pub(crate) fn take_operations(&self) -> (Vec<Operation<C>>, Vec<u8>) {
        let mut shared = lock(&self.shared);
        (core::mem::take(&mut shared.asked.operations), core::mem::take(&mut shared.flight))
    }

    /// The buffers of both, empty, for the next poll.
    pub(crate) fn give_back(&self, operations: Vec<Operation<C>>, flight: Vec<u8>) {
        let mut shared = lock(&self.shared);
        shared.asked.operations = operations;
        shared.flight = flight;
    }
}
