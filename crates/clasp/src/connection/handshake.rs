//! The carrier of TLS records: what a conversation asks for is carried out on the two halves of a connection.

use super::Connection;
use crate::code::{ContentType, HandshakeType, ProtocolVersion};
use crate::error::{PeerError, Result};
use crate::established::Established;
use crate::facts::Event;
use crate::handshake::link::Waiting;
use crate::handshake::live;
use crate::handshake::operation::{Carrier, Fact, Operation, Record};
use crate::handshake::wiring::Wiring;
use crate::record::{RecordKeys, Sealer};
use crate::trace::{Direction, Level, Secret, What};
use core::task::{Context, Poll};

/// A conversation over TLS records.
pub(super) type Live<T = Established> = live::Live<RecordKeys, T>;

impl Carrier for RecordKeys {
    type Record = Record;

    fn wiring(&self) -> &'static Wiring {
        &Wiring::RECORDS
    }

    fn record(operation: Record) -> Option<Record> {
        Some(operation)
    }
}

/// The messages of one poll: which are sealed already, and which are to go out together.
struct Flight<'a> {
    messages: &'a [u8],
    sealed: usize,
    end: usize,
}

impl<'a> Flight<'a> {
    /// One message more, of `len` bytes.
    fn next(&mut self, len: usize) -> &'a [u8] {
        let start = self.end;
        self.end = start.saturating_add(len);
        self.messages.get(start..self.end).unwrap_or_default()
    }

    /// Those that are not sealed yet.
    fn unsealed(&mut self) -> &'a [u8] {
        let start = core::mem::replace(&mut self.sealed, self.end);
        self.messages.get(start..self.end).unwrap_or_default()
    }
}

impl Connection {
    /// Polls the conversation and applies, in order, what it asked for.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<()> {
        let Some(live) = &mut self.live else { return self.drive_post_auth(cx, out) };
        let outcome = live.poll(cx);
        let (mut operations, mut flight) = live.take_operations();
        self.apply(&mut operations, &flight, out)?;
        flight.clear();
        if let Some(live) = &mut self.live {
            live.give_back(operations, flight);
        }
        if let Poll::Ready(result) = outcome {
            self.establish(result?)?;
        } else if let Waiting::Outside(on) = self.waiting() {
            self.common.tell(What::Waiting { on });
        }
        Ok(())
    }

    fn set_version(&mut self, version: ProtocolVersion) {
        let tls13 = version == ProtocolVersion::Tls13;
        (self.common.tls13, self.inbound.drops_ccs) = (tls13, tls13);
        // The records of TLS 1.3 say 1.2: RFC 9846 5.1.
        self.outbound.sealer.set_version(version.min(ProtocolVersion::Tls12));
        if let Some(live) = &mut self.live {
            live.phase = match (self.common.server, tls13) {
                (false, false) => "client TLS 1.2",
                (false, true) => "client TLS 1.3",
                (true, false) => "server TLS 1.2",
                (true, true) => "server TLS 1.3",
            };
        }
    }

    fn establish(&mut self, established: Established) -> Result<()> {
        if self.live.take().is_some_and(|live| !live.has_taken_all()) {
            return Err(PeerError::DataAtKeyChange.into());
        }
        if let Some(beside) = &mut self.beside {
            beside.post_auth.take_if(|post| !post.has_begun());
        }
        self.common.established = Some(established);
        self.settle_early();
        self.add_event(Event::Established);
        self.common.tell(What::Established);
        Ok(())
    }

    pub(super) fn apply(
        &mut self,
        operations: &mut Vec<Operation<RecordKeys>>,
        messages: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        // Messages under the same keys go out in as few records as they fit in.
        let mut flight = Flight { messages, sealed: 0, end: 0 };
        for operation in operations.drain(..) {
            match operation {
                // Nothing follows close_notify (RFC 9846 6.1): these are a server's tickets.
                Operation::Message(len) if self.outbound.closed => {
                    let _unsaid = (flight.next(len), flight.unsealed());
                }
                Operation::Message(len) => {
                    self.tell_sent(flight.next(len));
                }
                Operation::Read(level, suite, keys) => {
                    self.inbound.opener.install(keys);
                    self.inbound.level = level;
                    self.end_skipping();
                    self.common.tell(What::Keys { direction: Direction::Received, level, suite });
                }
                Operation::Write(level, suite, keys) => {
                    self.flush(&mut flight, out)?;
                    // Protected records say 1.2, whatever the first hello's said: RFC 9846 5.1.
                    self.outbound.sealer.set_version(ProtocolVersion::Tls12);
                    self.outbound.sealer.install(keys);
                    self.outbound.level = level;
                    self.common.tell(What::Keys { direction: Direction::Sent, level, suite });
                }
                Operation::Fact(fact) => self.take_fact(fact),
                Operation::Early(early) => self.take_early(early),
                Operation::Record(operation) => self.apply_record(operation, &mut flight, out)?,
            }
        }
        self.flush(&mut flight, out)
    }

    fn apply_record(&mut self, operation: Record, flight: &mut Flight<'_>, out: &mut Vec<u8>) -> Result<()> {
        match operation {
            Record::ChangeCipherSpec => {
                self.flush(flight, out)?;
                self.outbound.seal(&mut self.common, ContentType::ChangeCipherSpec, &[1], out)?;
                self.common.tell(What::ChangeCipherSpec { direction: Direction::Sent });
            }
            Record::CompatibilityCcs => {
                self.flush(flight, out)?;
                let start = out.len();
                Sealer::compatibility_ccs(out);
                self.common.tell_compatibility_ccs(Direction::Sent, out.get(start..).unwrap_or_default());
            }
            Record::WritePlain => {
                self.flush(flight, out)?;
                self.outbound.sealer.uninstall();
                self.outbound.level = Level::Plain;
            }
            Record::SkipEarlyData(max) => self.skip_early(max),
            Record::Padding(block) => self.outbound.sealer.set_padding(block),
            Record::SendLimit(limit) => self.outbound.sealer.set_limit(limit),
            Record::ReceiveLimit { limit, clear } => self.inbound.opener.set_limit(limit, clear),
        }
        Ok(())
    }

    fn take_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Version(version) => self.set_version(version),
            Fact::Chose(what, picked, name) => self.common.tell(What::Chose { what, picked, name }),
            Fact::NoTickets(why) => self.common.tell(What::NoTickets { why }),
            Fact::Resumed(by) => self.common.tell(What::Resumed { by }),
            Fact::Derived(name, value) => {
                self.common.tell(What::Derived { name, value: value.as_ref().map(|value| Secret::new(value)) });
            }
            Fact::HiddenHello(direction, hello) => {
                self.common.tell(What::HiddenHello { direction, bytes: &hello });
            }
            Fact::Event(event) => self.add_event(event),
            // Nothing is said of records, so nothing is heard.
            Fact::Parameters(_) => {}
            Fact::MayBeAskedLater(transcript) => {
                if let Some(post) = self.post_auth_mut() {
                    post.begin(transcript);
                }
            }
        }
    }

    fn flush(&mut self, flight: &mut Flight<'_>, out: &mut Vec<u8>) -> Result<()> {
        let messages = flight.unsealed();
        if !messages.is_empty() {
            self.outbound.seal(&mut self.common, ContentType::Handshake, messages, out)?;
        }
        Ok(())
    }

    pub(super) fn tell_sent(&mut self, bytes: &[u8]) {
        let kind = HandshakeType(bytes.first().copied().unwrap_or(0));
        if let Some(live) = &mut self.live {
            live.last_sent = Some(kind);
        }
        self.common.tell_message(Direction::Sent, self.outbound.level, bytes);
    }
}
