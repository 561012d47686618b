//! `Link`: what a conversation sees of the outside. Sending and key changes are operations on an ordered list that the
//! connection (or QUIC) interprets after each poll; the only waits are for a message and for an [`Answer`].

use super::transcript::Transcript;
use crate::answer::Answer;
use crate::error::{Error, PeerError, Result};
use crate::record::{OpenKeys, SealKeys};
use crate::trace::Level;
use crate::wire::Writer;
use crate::wire::code::{CipherSuite, HandshakeType, ProtocolVersion};
use crate::wire::message::{self, Checked, Message};
use core::future::poll_fn;
use core::task::Poll;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a conversation is waiting for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// It is not waiting.
    #[default]
    Nothing,
    /// One of these messages of the peer.
    Message(&'static str),
    /// A party outside: the signer, the verifier, the session store.
    Outside(&'static str),
}

/// What the connection hands to the conversation.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A whole handshake message, header included.
    Message(Vec<u8>),
    /// ChangeCipherSpec (TLS 1.2: a message in all but type).
    ChangeCipherSpec,
}

/// What a conversation asks of whoever carries its bytes; applied in order.
pub(crate) enum Operation {
    /// Send these handshake messages under the current write keys.
    Messages(Vec<u8>),
    /// Send a ChangeCipherSpec record.
    ChangeCipherSpec,
    /// Send the ChangeCipherSpec of the middlebox compatibility mode: RFC 9846 D.4.
    CompatibilityCcs,
    /// Everything received from here on is protected by these keys.
    Read(Level, CipherSuite, OpenKeys),
    /// Everything sent from here on is protected by these keys.
    Write(Level, CipherSuite, SealKeys),
    /// What is sent from here on goes in the clear again: a client's second hello after early data.
    WritePlain,
    /// Client: this much early data may be sent.
    EarlyData(u32),
    /// Client: what early data was sent did not arrive.
    EarlyDataRefused,
    /// Server: this much early data is taken.
    TakeEarlyData(u32),
    /// Server: early data is on its way and is skipped, up to this many bytes of records.
    SkipEarlyData(usize),
    /// TLS 1.3 records are padded to multiples of this.
    Padding(usize),
    /// The version is known: record versions and ChangeCipherSpec rules follow it.
    Version(ProtocolVersion),
    /// The peer takes records of at most this many plaintext bytes.
    SendLimit(usize),
    /// We announced that we take records of at most this many plaintext bytes.
    ReceiveLimit(usize),
    /// Tell the observer of a choice.
    Chose(&'static str, u16, &'static str),
    /// Tell the observer of a resumption.
    Resumed(&'static str),
}

/// The state shared by a conversation and its carrier. Locked only inside methods of [`Link`] and [`Shared`] users in
/// `connection`, never across an await.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) operations: Vec<Operation>,
    pub(crate) inbox: VecDeque<Incoming>,
    pub(crate) spare: Vec<Vec<u8>>,
    pub(crate) waiting: Waiting,
}

/// Locks the shared state. A panic elsewhere cannot leave it half-changed: each critical section is a single push, pop
/// or assignment, so a poisoned lock is taken as it is.
pub(crate) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A conversation's end of the connection.
pub(crate) struct Link {
    shared: Arc<Mutex<Shared>>,
    /// The bytes of the conversation so far.
    pub(crate) transcript: Transcript,
}

impl Link {
    pub(crate) fn new(shared: Arc<Mutex<Shared>>) -> Self {
        Self { shared, transcript: Transcript::new() }
    }

    fn push(&self, operation: Operation) {
        lock(&self.shared).operations.push(operation);
    }

    /// Sends one handshake message and adds it to the transcript.
    pub(crate) fn send(&mut self, kind: HandshakeType, body: impl FnOnce(&mut Writer<'_>)) {
        let mut bytes = lock(&self.shared).spare.pop().unwrap_or_default();
        bytes.clear();
        message::frame(&mut bytes, kind, body);
        self.send_bytes(bytes);
    }

    /// Sends a handshake message that is encoded already (header included) and adds it to the transcript.
    pub(crate) fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.transcript.add(&bytes);
        self.push(Operation::Messages(bytes));
    }

    /// Receives the next message, which must be an `M`, and adds it to the transcript.
    pub(crate) async fn recv<M: Message>(&mut self) -> Result<Checked<M>> {
        let bytes = self.next(M::NAME).await;
        self.take(bytes)
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
        self.wait(wanted, |shared| {
            shared.inbox.front().map(|incoming| match incoming {
                Incoming::Message(bytes) => Some(HandshakeType(bytes.first().copied().unwrap_or(0))),
                Incoming::ChangeCipherSpec => None,
            })
        })
        .await
    }

    /// Receives ChangeCipherSpec: RFC 5246 7.1. Nothing else may stand in its place (SMACK, CVE-2014-0224).
    pub(crate) async fn recv_change_cipher_spec(&mut self) -> Result<()> {
        match self.next("ChangeCipherSpec").await {
            Incoming::ChangeCipherSpec => Ok(()),
            Incoming::Message(bytes) => Err(unexpected(&bytes, "ChangeCipherSpec")),
        }
    }

    fn take<M: Message>(&mut self, incoming: Incoming) -> Result<Checked<M>> {
        let bytes = match incoming {
            Incoming::Message(bytes) => bytes,
            Incoming::ChangeCipherSpec => {
                return Err(Error::from(PeerError::UnexpectedChangeCipherSpec).wanted(M::NAME));
            }
        };
        if bytes.first() != Some(&M::TYPE.0) {
            return Err(unexpected(&bytes, M::NAME));
        }
        self.transcript.add(&bytes);
        Checked::new(bytes).map_err(|e| Error::from(e).in_message(M::NAME))
    }

    async fn next(&mut self, wanted: &'static str) -> Incoming {
        self.wait(wanted, |shared| shared.inbox.pop_front()).await
    }

    async fn wait<T>(&mut self, wanted: &'static str, mut ready: impl FnMut(&mut Shared) -> Option<T>) -> T {
        poll_fn(|_| {
            let mut shared = lock(&self.shared);
            match ready(&mut shared) {
                Some(value) => {
                    shared.waiting = Waiting::Nothing;
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
                lock(&self.shared).waiting = Waiting::Nothing;
                value
            }
        }
    }

    /// Gives a message's buffer back for the next one.
    pub(crate) fn recycle<M: Message>(&self, message: Checked<M>) {
        let mut shared = lock(&self.shared);
        if shared.spare.len() < SPARE_BUFFERS {
            shared.spare.push(message.into_bytes());
        }
    }

    pub(crate) fn send_change_cipher_spec(&self) {
        self.push(Operation::ChangeCipherSpec);
    }

    pub(crate) fn send_compatibility_ccs(&self) {
        self.push(Operation::CompatibilityCcs);
    }

    pub(crate) fn install_read(&self, level: Level, suite: CipherSuite, keys: OpenKeys) {
        self.push(Operation::Read(level, suite, keys));
    }

    pub(crate) fn install_write(&self, level: Level, suite: CipherSuite, keys: SealKeys) {
        self.push(Operation::Write(level, suite, keys));
    }

    pub(crate) fn write_plain(&self) {
        self.push(Operation::WritePlain);
    }

    /// Client: early data may be sent from here on.
    pub(crate) fn early_data(&self, max: u32) {
        self.push(Operation::EarlyData(max));
    }

    pub(crate) fn early_data_refused(&self) {
        self.push(Operation::EarlyDataRefused);
    }

    pub(crate) fn take_early_data(&self, max: u32) {
        self.push(Operation::TakeEarlyData(max));
    }

    pub(crate) fn skip_early_data(&self, max: usize) {
        self.push(Operation::SkipEarlyData(max));
    }

    pub(crate) fn padding(&self, block: usize) {
        if block > 1 {
            self.push(Operation::Padding(block));
        }
    }

    pub(crate) fn version(&self, version: ProtocolVersion) {
        self.push(Operation::Version(version));
        self.chose("version", version.0, version.name());
    }

    pub(crate) fn limits(&self, send: Option<usize>, receive: Option<usize>) {
        if let Some(limit) = send {
            self.push(Operation::SendLimit(limit));
        }
        if let Some(limit) = receive {
            self.push(Operation::ReceiveLimit(limit));
        }
    }

    pub(crate) fn chose(&self, what: &'static str, picked: u16, name: &'static str) {
        self.push(Operation::Chose(what, picked, name));
    }

    pub(crate) fn resumed(&self, by: &'static str) {
        self.push(Operation::Resumed(by));
    }
}

/// How many message buffers are kept for reuse in one handshake.
const SPARE_BUFFERS: usize = 2;

fn unexpected(bytes: &[u8], wanted: &'static str) -> Error {
    let seen = HandshakeType(bytes.first().copied().unwrap_or(0));
    Error::from(PeerError::UnexpectedMessage).seen(seen.name()).wanted(wanted)
}
