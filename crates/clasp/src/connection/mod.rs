// Above `handshake`.
//! What a caller holds: drives the conversation and the record layer. No sockets, no threads.

mod after;
mod begin;
mod beside;
mod bindings;
mod data;
mod early;
mod ending;
mod events;
mod floods;
mod handshake;
mod post_auth;
mod refusal;
mod rest;
mod split;
mod telling;
mod warm;

pub use data::{HEADROOM, Moved, TAILROOM};
pub use split::{Receiver, Sender};

use crate::code::{AlertDescription, ContentType, HandshakeType, ProtocolVersion};
use crate::config::{ClientConfig, Clock, ServerConfig};
use crate::crypto::Provider;
use crate::error::{Error, PeerError, Result};
use crate::established::Established;
use crate::facts::Facts;
use crate::handshake::link::Waiting;
use crate::record::{self, Joiner, Opener, RecordError, RecordKeys, Sealer, frame, limits};
use crate::trace::{Direction, Level, Tracer, Watch, What};
use beside::Beside;
use core::fmt;
use core::ops::Range;
use core::task::{Context, Waker};
use floods::{Flood, Floods, OwnUpdates};
use handshake::Live;
use post_auth::PostAuth;
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::time::SystemTime;

/// What [`Connection::receive`] did with the input.
#[derive(Debug)]
pub struct Received<'b> {
    /// This many bytes at the front of the input are done with.
    pub used: usize,
    /// Where `data` stands in the input.
    pub at: usize,
    /// Application data, decrypted in place; empty if there was none.
    pub data: &'b mut [u8],
    /// The data is early data (0-RTT): an attacker may have made it arrive again, and the client is not proven yet.
    pub early: bool,
}

/// What a connection wants next. A carrier over datagrams will have one more thing to want, to be called again at a deadline
/// (RFC 9147 5.8): whoever does not know what is wanted waits for bytes of the peer, and calls [`Connection::advance`] when
/// there are some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// Bytes from the peer.
    Bytes,
    /// An answer from outside: call [`Connection::advance`] when the waker fires.
    Outside,
    /// Nothing: the handshake is done, or the connection is closed.
    Nothing,
}

/// One end of a TLS connection.
///
/// Bytes of the peer go into [`receive`](Self::receive); bytes for the peer come out of every call that takes `out`.
/// The first thing a client does is [`advance`](Self::advance), which gives its ClientHello.
pub struct Connection {
    server: bool,
    opener: Opener,
    sealer: Sealer,
    /// Handshake messages after the handshake, while one is not whole.
    joiner: Option<Box<Joiner>>,
    live: Option<Box<Live>>,
    established: Option<Established>,
    tracer: Option<Box<Tracer>>,
    clock: Arc<dyn Clock>,
    provider: &'static Provider,
    failed: Option<Error>,
    seen_record: bool,
    reading: Reading,
    closed: bool,
    floods: Floods,
    /// TLS 1.3 was agreed.
    tls13: bool,
    /// A ChangeCipherSpec during the handshake means nothing: TLS 1.3 was agreed, or may still be.
    drops_ccs: bool,
    read_level: Level,
    write_level: Level,
    leave: Leave,
    beside: Option<Box<Beside>>,
    post_auth: Option<Box<PostAuth>>,
    /// Keys that were put aside: both directions rest then.
    warm: warm::Claim,
    /// The right to keep them while waiting.
    seat: warm::Seat,
    own_updates: OwnUpdates,
    owes: Owes,
}

/// What the configuration lets a side do that others may not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    Nothing,
    /// A server may send before the client has finished: nobody asks for the client's certificate.
    HalfRtt,
    /// A TLS 1.2 server that asks for another handshake gets no answer, and no end either.
    IgnoreRenegotiation,
}

/// Whether more comes from the peer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// It has said close_notify.
    Closed,
    /// The transport has ended without it.
    CutOff,
}

/// The KeyUpdate that goes in front of the next data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owes {
    Nothing,
    Update,
    /// One that asks the peer for its own.
    Request,
}

/// A HelloRequest is a header and nothing else: RFC 5246 7.4.1.1.
const HELLO_REQUEST_LEN: usize = 4;

/// What one record came to.
enum Taken {
    Nothing,
    Data(Range<usize>),
}

impl Connection {
    pub(crate) fn client(config: &Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self> {
        let config = config.clone();
        let (observer, clock, provider) = (config.observer.clone(), config.clock.clone(), config.provider);
        let leave = if config.ignore_renegotiation { Leave::IgnoreRenegotiation } else { Leave::Nothing };
        let post_auth = PostAuth::client(&config);
        // RFC 9846 5: from the first hello on.
        let drops_ccs = config.policy.speaks(ProtocolVersion::Tls13);
        let live =
            Live::new("client", RecordKeys(provider), |link| Box::pin(crate::handshake::client(link, config, name)));
        Ok(Self { leave, post_auth, drops_ccs, ..Self::new(false, live, observer, clock, provider) })
    }

    pub(crate) fn server(config: &Arc<ServerConfig>) -> Self {
        let asks_nobody = config.client_auth.is_none();
        let config = config.clone();
        let (observer, clock, provider) = (config.observer.clone(), config.clock.clone(), config.provider);
        let post_auth = PostAuth::server(&config);
        let live = Live::new("server", RecordKeys(provider), |link| Box::pin(crate::handshake::server(link, config)));
        let leave = if asks_nobody { Leave::HalfRtt } else { Leave::Nothing };
        Self { leave, post_auth, ..Self::new(true, live, observer, clock, provider) }
    }

    fn new(server: bool, live: Live, watch: Option<Watch>, clock: Arc<dyn Clock>, provider: &'static Provider) -> Self {
        if let Some(watch) = &watch {
            live.tell_derivations(watch.derivations());
        }
        Self {
            server,
            opener: Opener::default(),
            sealer: Sealer::default(),
            joiner: None,
            live: Some(Box::new(live)),
            established: None,
            tracer: watch.map(|watch| Box::new(Tracer::new(watch, server))),
            clock,
            provider,
            failed: None,
            seen_record: false,
            reading: Reading::Open,
            closed: false,
            floods: Floods::default(),
            tls13: false,
            drops_ccs: false,
            read_level: Level::Plain,
            write_level: Level::Plain,
            leave: Leave::Nothing,
            beside: None,
            post_auth: None,
            warm: warm::Claim::default(),
            seat: warm::Seat::default(),
            own_updates: OwnUpdates::default(),
            owes: Owes::Nothing,
        }
    }

    /// Takes whole records from the front of `input`, decrypting in place, up to and including the first with
    /// application data. Bytes of a record that is not whole yet stay with the caller; nothing else need be kept
    /// between calls. What the peer is to be told is appended to `out`, also when this fails: send it before the next call.
    /// One call takes no more records once it has had 16 KiB to say, so that a peer that does not read cannot make `out`
    /// grow.
    ///
    /// # Errors
    /// The connection has failed; its alert stands in `out`.
    pub fn receive<'b>(&mut self, input: &'b mut [u8], out: &mut Vec<u8>) -> Result<Received<'b>> {
        self.check_reading()?;
        let before = out.len();
        let mut used = 0;
        let mut data = 0..0;
        let mut early = false;
        while self.takes_more(out.len().saturating_sub(before)) {
            let step = self.next_record(input, used, out);
            match step {
                Ok(None) => break,
                Ok(Some((len, taken))) => {
                    let start = used;
                    used = start.saturating_add(len);
                    if let Taken::Data(range) = taken {
                        data = start.saturating_add(range.start)..start.saturating_add(range.end);
                        early = self.live.is_some();
                        break;
                    }
                }
                Err(error) => return Err(self.fail(error, out)),
            }
        }
        Ok(Received { used, at: data.start, data: input.get_mut(data).unwrap_or_default(), early })
    }

    /// Whether another record is taken in a call that has said this many bytes.
    fn takes_more(&self, said: usize) -> bool {
        let enough = self.live.is_none() && said >= limits::MAX_SAID;
        !self.peer_closed() && !enough && !self.waits_outside()
    }

    fn next_record(&mut self, input: &mut [u8], used: usize, out: &mut Vec<u8>) -> Result<Option<(usize, Taken)>> {
        let rest = input.get_mut(used..).unwrap_or_default();
        match frame::next(rest, !self.seen_record)? {
            frame::Frame::Partial(_) => Ok(None),
            frame::Frame::Record { content, len } => {
                self.seen_record = true;
                let record = rest.get_mut(..len).unwrap_or_default();
                let taken = self.take_record(content, record, None, out)?;
                Ok(Some((len, taken)))
            }
        }
    }

    /// Takes one record; its content is decrypted in place, or to `data` if that is given.
    fn take_record(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        mut data: Option<&mut [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<Taken> {
        self.wake_reading()?;
        if self.drops_ccs && self.live.is_some() && self.in_the_clear(content, record, out)? {
            return Ok(Taken::Nothing);
        }
        if self.opener.is_protected() && record.get(1..3) != Some(&[3, 3]) {
            let seen = record.get(1..3).and_then(|v| v.try_into().ok()).map_or(0, u16::from_be_bytes);
            return Err(RecordError::WrongVersion(seen).into());
        }
        if !self.opener.is_protected() && self.skips(content, record.len())? {
            return Ok(Taken::Nothing);
        }
        let level = self.read_level;
        let opened = match data.as_deref_mut() {
            None => self.opener.open(content, record),
            Some(data) => self.opener.open_to(content, record, data),
        };
        let record::Opened { content, range } = match opened {
            Err(RecordError::BadMac) if self.skips(content, record.len())? => return Ok(Taken::Nothing),
            opened => opened?,
        };
        if self.opener.is_protected() {
            self.end_skipping();
        }
        let direction = Direction::Received;
        self.tell(What::Record { direction, level, content, wire_len: record.len(), plain_len: range.len() });
        let plain = data.as_deref().unwrap_or(record).get(range.clone()).unwrap_or_default();
        if self.holds_part() && content != ContentType::Handshake && content != ContentType::Alert {
            return Err(RecordError::Interleaved.into());
        }
        match content {
            ContentType::ApplicationData => return self.take_data(range),
            ContentType::Handshake => self.take_handshake(plain, out)?,
            ContentType::ChangeCipherSpec => self.take_change_cipher_spec(plain, out)?,
            ContentType::Alert => self.take_alert(plain, out)?,
            // Only what stands inside a record of TLS 1.3 can be of no known type here.
            ContentType(unknown) => return Err(RecordError::UnknownType(unknown).into()),
        }
        Ok(Taken::Nothing)
    }

    /// TLS 1.3, during the handshake: the compatibility ChangeCipherSpec is dropped (RFC 9846 5), and a peer that fails
    /// before it has keys says why in the clear. True if the record is dealt with.
    fn in_the_clear(&mut self, content: ContentType, record: &[u8], out: &mut Vec<u8>) -> Result<bool> {
        let body = record.get(limits::HEADER_LEN..).unwrap_or_default();
        match content {
            ContentType::ChangeCipherSpec => {
                if body != [1] {
                    return Err(RecordError::BadChangeCipherSpecTls13.into());
                }
                self.floods.count(Flood::CompatibilityCcs)?;
                Ok(true)
            }
            ContentType::Alert if self.opener.is_tls13() && self.opener.is_fresh() && body.len() == 2 => {
                self.take_alert(body, out).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn take_data(&mut self, range: Range<usize>) -> Result<Taken> {
        let checking = self.post_auth.as_ref().is_some_and(|post| post.is_checking());
        if checking || self.live.is_some() && self.read_level != Level::Early {
            return Err(PeerError::UnexpectedApplicationData.into());
        }
        if self.live.is_some() {
            self.count_early(range.len())?;
        }
        if !range.is_empty() {
            self.floods.data_came();
            return Ok(Taken::Data(range));
        }
        self.floods.count(Flood::EmptyRecord)?;
        Ok(Taken::Nothing)
    }

    /// Whether part of a handshake message waits for its rest.
    pub(super) fn holds_part(&self) -> bool {
        self.live.as_ref().map_or(self.joiner.is_some(), |live| live.is_partial())
    }

    fn take_handshake(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let Self { live, joiner, tracer, clock, read_level: level, .. } = self;
        let (direction, level) = (Direction::Received, *level);
        let tell = |bytes: &[u8]| {
            if let Some(tracer) = tracer {
                tracer.message(clock.now(), direction, level, bytes);
            }
        };
        match live {
            Some(live) => live.deliver(plain, tell)?,
            None => joiner.get_or_insert_default().add(plain, tell)?,
        }
        if self.live.is_some() {
            return self.drive(&mut Context::from_waker(Waker::noop()), out);
        }
        let Some(mut joiner) = self.joiner.take() else { return Ok(()) };
        let mut message = Vec::new();
        while joiner.take(&mut message) {
            let kind = HandshakeType(message.first().copied().unwrap_or(0));
            if !self.tls13 {
                self.renegotiation_asked(&message)?;
                continue;
            }
            self.after_handshake(kind, core::mem::take(&mut message), joiner.is_empty())?;
        }
        // An idle connection holds no buffer.
        self.joiner = Some(joiner).filter(|joiner| !joiner.is_empty());
        self.drive_post_auth(&mut Context::from_waker(Waker::noop()), out)
    }

    /// After a TLS 1.2 handshake the peer can only ask for another, which is refused (RFC 5746 4.5), or passed over if
    /// the configuration says so (RFC 5246 7.4.1.1).
    fn renegotiation_asked(&mut self, message: &[u8]) -> Result<()> {
        let kind = HandshakeType(message.first().copied().unwrap_or(0));
        let wanted = if self.server { HandshakeType::ClientHello } else { HandshakeType::HelloRequest };
        if kind != wanted {
            return Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data"));
        }
        if kind == HandshakeType::HelloRequest && message.len() > HELLO_REQUEST_LEN {
            return Err(PeerError::BadHelloRequest.into());
        }
        match self.leave {
            Leave::IgnoreRenegotiation => self.floods.count(Flood::HelloRequest),
            Leave::Nothing | Leave::HalfRtt => Err(PeerError::RenegotiationRefused.into()),
        }
    }

    fn take_change_cipher_spec(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if plain != [1] {
            return Err(RecordError::BadChangeCipherSpec.into());
        }
        self.tell(What::ChangeCipherSpec { direction: Direction::Received });
        match &self.live {
            Some(live) => live.deliver_change_cipher_spec()?,
            None => return Err(PeerError::UnexpectedChangeCipherSpec.into()),
        }
        self.drive(&mut Context::from_waker(Waker::noop()), out)
    }

    /// RFC 5246 7.2.
    fn take_alert(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        const WARNING: u8 = 1;
        const FATAL: u8 = 2;
        let [level, description] = *plain else {
            // RFC 9846 5.1: without content it is not even that.
            return Err(if plain.is_empty() { RecordError::Empty } else { RecordError::BadAlert }.into());
        };
        if !matches!(level, WARNING | FATAL) {
            return Err(RecordError::BadAlertLevel(level).into());
        }
        let alert = AlertDescription(description);
        self.tell(What::Alert { direction: Direction::Received, fatal: level == FATAL, alert });
        if alert == AlertDescription::CloseNotify {
            if self.live.is_some() {
                // RFC 5246 7.2.1, RFC 9846 6.1: who closes without having failed says so.
                self.say_close(out)?;
                return Err(PeerError::ClosedDuringHandshake.into());
            }
            self.reading = Reading::Closed;
            return Ok(());
        }
        // RFC 9846 6: in TLS 1.3 all alerts but one are errors, whatever they say of themselves.
        if level == FATAL || self.tls13 && alert != AlertDescription::UserCanceled {
            return Err(self.peer_refused(alert));
        }
        // RFC 9846 5.1: no record stands between those of one message.
        if self.holds_part() {
            return Err(RecordError::Interleaved.into());
        }
        self.floods.count(Flood::Warning)
    }

    /// Polls the conversation: call it first thing, and whenever the context's waker fires.
    ///
    /// # Errors
    /// The connection has failed; its alert stands in `out`.
    pub fn advance(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<Want> {
        self.check_failed()?;
        if let Err(error) = self.drive(cx, out) {
            return Err(self.fail(error, out));
        }
        Ok(match (&self.live, self.waits_outside()) {
            (_, true) => Want::Outside,
            (Some(_), false) => Want::Bytes,
            (None, false) => Want::Nothing,
        })
    }

    /// What the handshake settled, once it is done.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.established.as_ref().map(|established| &established.facts)
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.live.is_some() && self.failed.is_none()
    }

    /// Whether the peer has said close_notify.
    pub fn peer_closed(&self) -> bool {
        self.reading == Reading::Closed
    }

    /// Whether we have: nothing more is sent.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The error that ended the connection.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// What the connection waits for: during the handshake, and while a certificate is shown or checked after it.
    pub fn waiting(&self) -> Waiting {
        match (&self.live, &self.post_auth) {
            (Some(live), _) => live.waiting(),
            (None, Some(post)) => post.waiting(),
            (None, None) => Waiting::Nothing,
        }
    }

    /// Since when it has waited for that, by the configuration's clock.
    pub fn waiting_since(&self) -> Option<SystemTime> {
        match (&self.live, &self.post_auth) {
            (Some(live), _) => live.waiting_since(),
            (None, Some(post)) => post.waiting_since(),
            (None, None) => None,
        }
    }

    fn waits_outside(&self) -> bool {
        matches!(self.waiting(), Waiting::Outside(_))
    }

    fn check_failed(&self) -> Result<()> {
        self.failed.as_ref().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// Whether more can be received.
    fn check_reading(&self) -> Result<()> {
        self.check_failed()?;
        if self.reading == Reading::CutOff { Err(PeerError::Truncated.into()) } else { Ok(()) }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .field("waiting", &self.waiting())
            .field("facts", &self.facts())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
