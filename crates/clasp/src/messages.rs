// Above `handshake`.
//! The smallest carrier there can be, for tests: handshake messages from one conversation to the other, each with the level
//! that it belongs to, and no records, no data and no encryption. What the four conversations ask of whoever has no records
//! is seen here alone: QUIC carries them so, in CRYPTO frames (RFC 9001 4). It is no protocol, and nothing here is secret.

use crate::code::{HandshakeType, ProtocolVersion};
use crate::config::{ClientConfig, ServerConfig};
use crate::crypto::{CryptoError, CryptoResult, HashId, Provider};
use crate::error::{Error, Outside, PeerError, Result};
use crate::established::Established;
use crate::facts::Facts;
use crate::handshake::link::Waiting;
use crate::handshake::live::Live;
use crate::handshake::operation::{Carrier, Fact, Operation, Record};
use crate::handshake::tickets13::{NewTicket, read_ticket};
use crate::handshake::wiring::Wiring;
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial};
use crate::record::RecordError;
use crate::trace::Level;
use core::convert::Infallible;
use core::fmt;
use core::task::{Context, Poll, Waker};
use rustls_pki_types::ServerName;
use std::collections::VecDeque;
use std::sync::Arc;

/// Handshake messages on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The level they belong to.
    pub level: Level,
    /// The keys of that level.
    pub keys: KeyName,
    /// The messages, each with its header.
    pub messages: Vec<u8>,
}

/// A digest of keys: the two sides have the same ones if they have the same of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyName([u8; 32]);

/// Makes names of keys.
struct Names(&'static Provider);

impl Names {
    fn name(&self, material: &KeyMaterial<'_>) -> CryptoResult<KeyName> {
        let hash = self.0.hash(HashId::Sha256)?;
        let digest = match material {
            KeyMaterial::Tls12 { keys, .. } => hash.digest(&[keys.mac, keys.key, keys.iv]),
            KeyMaterial::Tls13 { keys, .. } => hash.digest(&[&keys.key, &keys.iv]),
        };
        Ok(KeyName(digest.as_ref().try_into().map_err(|_| CryptoError)?))
    }
}

impl KeyMaker for Names {
    type Open = KeyName;
    type Seal = KeyName;

    fn labels(&self) -> &'static KeyLabels {
        &KeyLabels { key: b"message key", iv: b"message iv", hp: b"", update: b"message ku" }
    }

    fn open(&self, material: &KeyMaterial<'_>) -> CryptoResult<KeyName> {
        self.name(material)
    }

    fn seal(&self, material: &KeyMaterial<'_>) -> CryptoResult<KeyName> {
        self.name(material)
    }
}

impl Carrier for Names {
    /// There are none.
    type Record = Infallible;

    fn wiring(&self) -> &'static Wiring {
        &Wiring::MESSAGES
    }

    fn record(_: Record) -> Option<Infallible> {
        None
    }
}

/// One direction: what its messages go under. Early keys are for data alone, and stand beside.
#[derive(Default)]
struct Way {
    under: Option<(Level, KeyName)>,
    early: Option<KeyName>,
}

impl Way {
    fn install(&mut self, level: Level, keys: KeyName) {
        match level {
            Level::Early => self.early = Some(keys),
            level => self.under = Some((level, keys)),
        }
    }

    fn under(&self) -> (Level, KeyName) {
        self.under.unwrap_or((Level::Plain, KeyName::default()))
    }
}

/// One end.
pub struct Messages {
    server: bool,
    live: Option<Live<Names>>,
    established: Option<Established>,
    version: Option<ProtocolVersion>,
    reading: Way,
    writing: Way,
    /// What came before its keys were there.
    held: VecDeque<Carried>,
    failed: Option<Error>,
}

impl Messages {
    /// The end that speaks first.
    pub fn client(config: &Arc<ClientConfig>, name: ServerName<'static>) -> Self {
        let (config, clock, names) = (config.clone(), config.clock.clone(), Names(config.provider));
        Self::new(
            false,
            Live::new("client", names, clock, |link| Box::pin(crate::handshake::client(link, config, name))),
        )
    }

    /// The end that answers.
    pub fn server(config: &Arc<ServerConfig>) -> Self {
        let (config, clock, names) = (config.clone(), config.clock.clone(), Names(config.provider));
        Self::new(true, Live::new("server", names, clock, |link| Box::pin(crate::handshake::server(link, config))))
    }

    fn new(server: bool, live: Live<Names>) -> Self {
        Self {
            server,
            live: Some(live),
            established: None,
            version: None,
            reading: Way::default(),
            writing: Way::default(),
            held: VecDeque::new(),
            failed: None,
        }
    }

    /// Polls the conversation; gives what is to be carried to the peer.
    ///
    /// # Errors
    /// The conversation has failed.
    pub fn advance(&mut self, cx: &mut Context<'_>) -> Result<Vec<Carried>> {
        let mut out = Vec::new();
        self.attempt(|end| {
            end.drive(cx, &mut out)?;
            end.take_held(&mut out)
        })?;
        Ok(out)
    }

    /// Takes what came; gives what is to be carried back. What comes before its keys are there waits for them.
    ///
    /// # Errors
    /// The conversation has failed.
    pub fn receive(&mut self, carried: Carried) -> Result<Vec<Carried>> {
        let mut out = Vec::new();
        self.held.push_back(carried);
        self.attempt(|end| end.take_held(&mut out))?;
        Ok(out)
    }

    /// What the handshake settled, once it is done.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.established.as_ref().map(|established| &established.facts)
    }

    /// What the conversation waits for.
    pub fn waiting(&self) -> Waiting {
        self.live.as_ref().map_or(Waiting::Nothing, Live::waiting)
    }

    /// The keys of early data, of a server that takes it, and of a client that may send it.
    pub fn early_keys(&self) -> Option<KeyName> {
        if self.server { self.reading.early } else { self.writing.early }
    }

    fn attempt(&mut self, act: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        if let Some(first) = &self.failed {
            return Err(first.clone());
        }
        act(self).map_err(|error| {
            let error = match &self.live {
                Some(live) => error.in_phase(live.phase),
                None => error,
            };
            self.live = None;
            self.failed.insert(error).clone()
        })
    }

    fn take_held(&mut self, out: &mut Vec<Carried>) -> Result<()> {
        while !matches!(self.waiting(), Waiting::Outside(_)) {
            let (level, keys) = self.reading.under();
            let Some(at) = self.held.iter().position(|held| held.level <= level) else {
                if !self.change_cipher_spec(out)? {
                    break;
                }
                continue;
            };
            let Some(carried) = self.held.remove(at) else { return Ok(()) };
            if carried.level != level {
                return Err(PeerError::DataAtKeyChange.into());
            }
            if carried.keys != keys {
                return Err(RecordError::BadMac.into());
            }
            self.take(carried.messages, out)?;
        }
        Ok(())
    }

    /// TLS 1.2: a message of the next level stands for the ChangeCipherSpec before it (RFC 5246 7.1). Whether that was so.
    fn change_cipher_spec(&mut self, out: &mut Vec<Carried>) -> Result<bool> {
        let tls12 = self.version == Some(ProtocolVersion::Tls12) && !self.held.is_empty();
        let Some(live) = self.live.as_ref().filter(|live| tls12 && live.has_taken_all()) else { return Ok(false) };
        live.deliver_change_cipher_spec()?;
        self.drive(&mut Context::from_waker(Waker::noop()), out)?;
        Ok(true)
    }

    fn take(&mut self, messages: Vec<u8>, out: &mut Vec<Carried>) -> Result<()> {
        match &self.live {
            Some(live) => live.deliver(&messages, |_| ())?,
            None => return self.after_handshake(messages),
        }
        self.drive(&mut Context::from_waker(Waker::noop()), out)
    }

    /// After the handshake only tickets come, one at a time; keys are not changed here.
    fn after_handshake(&mut self, message: Vec<u8>) -> Result<()> {
        let kind = HandshakeType(message.first().copied().unwrap_or(0));
        let tls13 = self.version == Some(ProtocolVersion::Tls13);
        if self.server || !tls13 || kind != HandshakeType::NewSessionTicket {
            return Err(Error::from(PeerError::UnexpectedMessage).seen(kind));
        }
        let NewTicket { message, max_early_data } = read_ticket(message)?;
        let established = self.established.as_ref().ok_or(Outside::Bug)?;
        established.keep_ticket(&Wiring::MESSAGES.sessions, &message.view(), (max_early_data, None))
    }

    fn drive(&mut self, cx: &mut Context<'_>, out: &mut Vec<Carried>) -> Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let outcome = live.poll(cx);
        let (operations, flight) = live.take_operations();
        let mut messages = &flight[..];
        for operation in operations {
            match operation {
                Operation::Message(len) => {
                    let (message, rest) = messages.split_at_checked(len).ok_or(Outside::Bug)?;
                    messages = rest;
                    let (level, keys) = self.writing.under();
                    out.push(Carried { level, keys, messages: message.to_vec() });
                }
                Operation::Read(level, _, keys) => self.reading.install(level, keys),
                Operation::Write(level, _, keys) => self.writing.install(level, keys),
                Operation::Fact(Fact::Version(version)) => self.version = Some(version),
                // For an observer, and for what may follow; early data is none of the handshake's messages.
                Operation::Fact(
                    Fact::Chose(..)
                    | Fact::NoTickets(_)
                    | Fact::Resumed(_)
                    | Fact::Event(_)
                    | Fact::Derived(..)
                    | Fact::HiddenHello(..)
                    | Fact::MayBeAskedLater(_)
                    | Fact::Parameters(_),
                )
                | Operation::Early(_) => {}
                Operation::Record(none) => match none {},
            }
        }
        if let Poll::Ready(result) = outcome {
            self.established = Some(result?);
            if self.live.take().is_some_and(|live| !live.has_taken_all()) {
                return Err(PeerError::DataAtKeyChange.into());
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("server", &self.server)
            .field("waiting", &self.waiting())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
