//! The carrier itself: what a conversation asks for, carried out.

use super::connection::{Connection, Output};
use super::{DirectionKeys, Level, Parameters, Side, Version};
use crate::code::HandshakeType;
use crate::crypto::{CryptoResult, Provider};
use crate::error::{Error, Outside, PeerError, Result};
use crate::facts::{EarlyData, Event};
use crate::handshake::operation::{Carrier, Early, Fact, Operation, Record};
use crate::handshake::tickets13::{NewTicket, read_ticket};
use crate::handshake::wiring::Wiring;
use crate::keys::kept13::Kept13;
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial, Way};
use crate::keys::schedule13::TrafficKeys;
use crate::record::limits::MAX_TICKETS;
use crate::trace;
use core::convert::Infallible;
use core::task::{Context, Poll};
use std::sync::Arc;

/// Makes the keys of packets.
#[derive(Clone)]
pub(super) struct Packets {
    pub(super) provider: &'static Provider,
    pub(super) version: Version,
    /// What we say of ourselves.
    pub(super) own: Arc<Parameters>,
}

impl KeyMaker for Packets {
    type Open = DirectionKeys;
    type Seal = DirectionKeys;

    fn labels(&self) -> &'static KeyLabels {
        self.version.labels()
    }

    fn open(&self, material: &KeyMaterial<'_>) -> CryptoResult<DirectionKeys> {
        DirectionKeys::new(self.provider, material)
    }

    fn seal(&self, material: &KeyMaterial<'_>) -> CryptoResult<DirectionKeys> {
        DirectionKeys::new(self.provider, material)
    }
}

impl Carrier for Packets {
    /// There are none.
    type Record = Infallible;

    fn wiring(&self) -> &'static Wiring {
        self.version.wiring()
    }

    fn parameters(&self) -> Option<&[u8]> {
        Some(self.own.as_bytes())
    }

    fn promises(&self) -> Vec<u8> {
        // What cannot be kept holds for nobody.
        self.own.promises(self.provider).unwrap_or_default()
    }

    fn holds(&self, promises: &[u8]) -> bool {
        self.own.hold(promises, self.provider)
    }

    fn record(_: Record) -> Option<Infallible> {
        None
    }
}

impl Connection {
    /// Polls the conversation and carries out, in order, what it asked for.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let outcome = live.poll(cx);
        let (mut operations, mut flight) = live.take_operations();
        let mut messages = &flight[..];
        for operation in operations.drain(..) {
            match operation {
                Operation::Message(len) => {
                    let (message, rest) = messages.split_at_checked(len).ok_or(Outside::Bug)?;
                    messages = rest;
                    self.send(message);
                }
                Operation::Read(level, _, keys) => self.install_read(level, keys),
                Operation::Write(level, _, keys) => {
                    if level != trace::Level::Early {
                        self.writing = level.into();
                    }
                    self.output.push_back(Output::SendKeys { level: level.into(), keys });
                }
                Operation::Fact(fact) => self.take_fact(fact)?,
                Operation::Early(early) => self.take_early(early)?,
                Operation::Record(none) => match none {},
            }
        }
        flight.clear();
        if let Some(live) = &self.live {
            live.give_back(operations, flight);
        }
        if let Poll::Ready(result) = outcome {
            self.establish(result?)?;
        }
        Ok(())
    }

    /// A message of ours: behind the others of its level, as long as no keys stand between.
    fn send(&mut self, message: &[u8]) {
        if let Some(live) = &mut self.live {
            live.last_sent = message.first().copied().map(HandshakeType);
        }
        match self.output.back_mut() {
            Some(Output::Crypto { bytes, .. }) => bytes.extend_from_slice(message),
            _ => self.output.push_back(Output::Crypto { level: self.writing, bytes: message.to_vec() }),
        }
    }

    fn install_read(&mut self, level: trace::Level, keys: DirectionKeys) {
        // Early data comes beside handshake messages, which go on at their own level.
        if level != trace::Level::Early {
            self.reading = level.into();
        }
        // A server's of 1-RTT have been told of already, half way.
        if self.half_way.is_none() || level != trace::Level::Application {
            self.output.push_back(Output::ReceiveKeys { level: level.into(), keys });
        }
    }

    fn take_fact(&mut self, fact: Fact) -> Result<()> {
        match fact {
            Fact::Event(Event::ClientHello { server_name, .. }) => self.known.server_name = server_name,
            Fact::Event(Event::Protocol(protocol)) => self.known.protocol = protocol,
            Fact::Parameters(theirs) => {
                self.packets.own.check_peer(&theirs, self.side.other())?;
                self.known.parameters = Some(theirs.into());
            }
            // For an observer, for another version, or for what may follow over TCP.
            Fact::Event(Event::Established)
            | Fact::Version(_)
            | Fact::Chose(..)
            | Fact::NoTickets(_)
            | Fact::Resumed(_)
            | Fact::Derived(..)
            | Fact::HiddenHello(..)
            | Fact::MayBeAskedLater(_) => {}
        }
        Ok(())
    }

    fn take_early(&mut self, early: Early) -> Result<()> {
        match early {
            // How much there may be, the transport parameters say.
            Early::Allow(_, parameters) => self.known.remembered = parameters,
            Early::Refused => self.known.early_data = Some(EarlyData::Rejected),
            Early::Take(_) => self.known.early_data = Some(EarlyData::Accepted),
            Early::HalfWay(kept) => {
                let keys = self.half_way_keys(&kept)?;
                self.output.push_back(Output::ReceiveKeys { level: Level::OneRtt, keys });
                self.half_way = Some(kept);
            }
        }
        Ok(())
    }

    /// The keys that open what the client sends once it has finished.
    fn half_way_keys(&self, kept: &Kept13) -> Result<DirectionKeys> {
        let mut keys = TrafficKeys::default();
        Ok(self.packets.open(&kept.material(Way::Read, self.packets.labels(), &mut keys))?)
    }

    /// A message behind the handshake. There are tickets for clients, and nothing else: RFC 9001 4.4, 6.
    pub(super) fn after_handshake(&mut self, message: Vec<u8>) -> Result<()> {
        let kind = HandshakeType(message.first().copied().unwrap_or(0));
        match (self.side, kind) {
            (Side::Client, HandshakeType::NewSessionTicket) => self.keep_ticket(message),
            (Side::Client, HandshakeType::CertificateRequest) => Err(PeerError::CertificateRequestOverQuic.into()),
            _ => Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("nothing behind the handshake")),
        }
    }

    fn keep_ticket(&mut self, message: Vec<u8>) -> Result<()> {
        let NewTicket { message, max_early_data } = read_ticket(message)?;
        if ![0, u32::MAX].contains(&max_early_data) {
            let error = Error::from(PeerError::TicketBoundsEarlyData).in_message("NewSessionTicket");
            return Err(error.seen(format_args!("{max_early_data} bytes")).wanted("4294967295, or no early data"));
        }
        // As over TCP: what nobody will use costs no key, and no room in the store.
        self.tickets = self.tickets.saturating_add(1);
        if self.tickets > MAX_TICKETS {
            return Ok(());
        }
        let parameters = self.known.parameters.clone().filter(|p| p.len() <= super::limits::MAX_REMEMBERED);
        let max_early_data = if parameters.is_some() { max_early_data } else { 0 };
        let established = self.established.as_ref().ok_or(Outside::Bug)?;
        let sessions = &self.packets.version.wiring().sessions;
        established.keep_ticket(sessions, &message.view(), (max_early_data, parameters))
    }
}
