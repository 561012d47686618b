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
use std::io::IoSlice;

/// A conversation over TLS records.
pub(super) type Live<T = Established> = live::Live<RecordKeys, T>;

impl Carrier for RecordKeys {
    type Record = Record;

    const WIRING: &'static Wiring = &Wiring::RECORDS;

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
        let outcome = live.poll(&*self.clock, cx);
        let (mut operations, mut flight) = live.take_operations();
        self.apply(&mut operations, &flight, out)?;
        flight.clear();
        if let Some(live) = &mut self.live {
            live.give_back(operations, flight);
        }
        if let Poll::Ready(result) = outcome {
            self.establish(result?)?;
        } else if let Waiting::Outside(on) = self.waiting() {
            self.tell(What::Waiting { on });
        }
        Ok(())
    }

    fn set_version(&mut self, version: ProtocolVersion) {
        self.tls13 = version == ProtocolVersion::Tls13;
        self.drops_ccs = self.tls13;
        // The records of TLS 1.3 say 1.2: RFC 9846 5.1.
        self.sealer.set_version(version.min(ProtocolVersion::Tls12));
        if let Some(live) = &mut self.live {
            live.phase = match (self.server, self.tls13) {
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
        self.post_auth = self.post_auth.take().filter(|post| post.has_begun());
        self.established = Some(established);
        self.settle_early();
        self.add_event(Event::Established);
        self.tell(What::Established);
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
                Operation::Message(len) if self.closed => {
                    let _unsaid = (flight.next(len), flight.unsealed());
                }
                Operation::Message(len) => {
                    self.tell_sent(flight.next(len));
                }
                Operation::Read(level, suite, keys) => {
                    self.opener.install(keys);
                    self.read_level = level;
                    self.end_skipping();
                    self.tell(What::Keys { direction: Direction::Received, level, suite });
                }
                Operation::Write(level, suite, keys) => {
                    self.flush(&mut flight, out)?;
                    // Protected records say 1.2, whatever the first hello's said: RFC 9846 5.1.
                    self.sealer.set_version(ProtocolVersion::Tls12);
                    self.sealer.install(keys);
                    self.write_level = level;
                    self.tell(What::Keys { direction: Direction::Sent, level, suite });
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
                self.sealer.seal(ContentType::ChangeCipherSpec, &[IoSlice::new(&[1])], out)?;
                self.tell(What::ChangeCipherSpec { direction: Direction::Sent });
            }
            Record::CompatibilityCcs => {
                self.flush(flight, out)?;
                Sealer::compatibility_ccs(out);
            }
            Record::WritePlain => {
                self.flush(flight, out)?;
                self.sealer.uninstall();
                self.write_level = Level::Plain;
            }
            Record::SkipEarlyData(max) => self.skip_early(max),
            Record::Padding(block) => self.sealer.set_padding(block),
            Record::SendLimit(limit) => self.sealer.set_limit(limit),
            Record::ReceiveLimit { limit, clear } => self.opener.set_limit(limit, clear),
        }
        Ok(())
    }

    fn take_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Version(version) => self.set_version(version),
            Fact::Chose(what, picked, name) => self.tell(What::Chose { what, picked, name }),
            Fact::NoTickets(why) => self.tell(What::NoTickets { why }),
            Fact::Resumed(by) => self.tell(What::Resumed { by }),
            Fact::Derived(name, value) => {
                self.tell(What::Derived { name, value: value.as_ref().map(|value| Secret::new(value)) });
            }
            Fact::Event(event) => self.add_event(event),
            Fact::MayBeAskedLater(transcript) => {
                if let Some(post) = &mut self.post_auth {
                    post.begin(transcript);
                }
            }
        }
    }

    fn flush(&mut self, flight: &mut Flight<'_>, out: &mut Vec<u8>) -> Result<()> {
        let messages = flight.unsealed();
        if !messages.is_empty() {
            self.sealer.seal(ContentType::Handshake, &[IoSlice::new(messages)], out)?;
        }
        Ok(())
    }

    pub(super) fn tell_sent(&mut self, bytes: &[u8]) {
        let kind = HandshakeType(bytes.first().copied().unwrap_or(0));
        if let Some(live) = &mut self.live {
            live.last_sent = Some(kind);
        }
        self.tell_message(bytes);
    }
}
