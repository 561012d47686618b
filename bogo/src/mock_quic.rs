//! TLS over the runner's play QUIC: no packets, and nothing secret. A record tells its level, its suite and its secret in the
//! clear, so that each side sees whether the other has the same.
//!
//! ```text
//! content type (1)  level (1)  suite (2)  length of the rest (4)  secret  content
//! ```
//!
//! Under Initial keys suite and secret are empty. The end of the transport is the close.

use crate::doubles::{ShimKeyLog, ShimSessions};
use crate::failure::Failure;
use crate::wire::{Got, Socket, Wire};
use clasp::keys::log;
use clasp::quic::{Connection, Level, Output};
use clasp::wire::code::{AlertDescription, CipherSuite, ContentType, HandshakeType};
use clasp::{Facts, Waiting};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Waker};

/// In the order of their numbers on the wire.
const LEVELS: [Level; 4] = [Level::Initial, Level::ZeroRtt, Level::Handshake, Level::OneRtt];
const HEADER_LEN: usize = 8;
/// The longest content that the runner takes.
const MAX_CONTENT: usize = 1 << 14;
/// What the runner's alerts begin with.
const FATAL: u8 = 2;

/// One end of a test connection.
pub(crate) struct MockQuic {
    tls: Connection,
    socket: Socket,
    server: bool,
    /// Shows the connection one byte at a time.
    slow: bool,
    input: Vec<u8>,
    ended: bool,
    unread: VecDeque<Vec<u8>>,
    key_log: Arc<ShimKeyLog>,
    sessions: Arc<ShimSessions>,
    reading: Secrets,
    writing: Secrets,
    /// The level of what is said now, but for early data.
    level: Level,
    /// The server's handshake messages under Initial keys: they tell the suite, as nothing else does before the end.
    hellos: Vec<u8>,
}

/// The secrets of one direction, where there are keys: none is needed for Initial packets.
#[derive(Default)]
struct Secrets([Option<Vec<u8>>; LEVELS.len()]);

impl Secrets {
    fn of(&self, level: Level) -> Option<&[u8]> {
        match level {
            Level::Initial => Some(&[]),
            level => self.0[number(level)].as_deref(),
        }
    }
}

fn number(level: Level) -> usize {
    LEVELS.iter().position(|l| *l == level).unwrap_or_default()
}

impl MockQuic {
    pub(crate) fn new(
        tls: Connection,
        socket: Socket,
        (server, slow): (bool, bool),
        (key_log, sessions): (Arc<ShimKeyLog>, Arc<ShimSessions>),
    ) -> Self {
        Self {
            tls,
            socket,
            server,
            slow,
            input: Vec::new(),
            ended: false,
            unread: VecDeque::new(),
            key_log,
            sessions,
            reading: Secrets::default(),
            writing: Secrets::default(),
            level: Level::Initial,
            hellos: Vec::new(),
        }
    }

    /// Calls the connection and does what it says; if it failed, with an alert in place of CONNECTION_CLOSE.
    fn step<R>(&mut self, act: impl FnOnce(&mut Connection) -> clasp::Result<R>) -> Result<R, Failure> {
        let result = act(&mut self.tls);
        while let Some(output) = self.tls.poll_output() {
            self.carry_out(output)?;
        }
        if let Err(error) = &result {
            self.alert(error.alert())?;
        }
        Ok(result?)
    }

    fn carry_out(&mut self, output: Output) -> Result<(), Failure> {
        match output {
            Output::Crypto { level, bytes } => {
                if level == Level::Initial && self.server {
                    self.hellos.extend_from_slice(&bytes);
                }
                for content in bytes.chunks(MAX_CONTENT) {
                    self.record(ContentType::Handshake, level, content)?;
                }
            }
            Output::SendKeys { level, .. } => {
                self.writing.0[number(level)] = Some(self.secret(level, !self.server));
                if level != Level::ZeroRtt {
                    self.level = level;
                }
            }
            Output::ReceiveKeys { level, .. } => {
                self.reading.0[number(level)] = Some(self.secret(level, self.server));
            }
            other => return Err(Failure::unimplemented(format!("{other:?}"))),
        }
        Ok(())
    }

    /// The connection gives keys alone; what they are made of, the key log has.
    fn secret(&self, level: Level, of_client: bool) -> Vec<u8> {
        self.key_log.secret(match (level, of_client) {
            (Level::Handshake, true) => log::CLIENT_HANDSHAKE_TRAFFIC_SECRET,
            (Level::Handshake, false) => log::SERVER_HANDSHAKE_TRAFFIC_SECRET,
            (Level::OneRtt, true) => log::CLIENT_TRAFFIC_SECRET_0,
            (Level::OneRtt, false) => log::SERVER_TRAFFIC_SECRET_0,
            (Level::Initial | Level::ZeroRtt, _) => log::CLIENT_EARLY_TRAFFIC_SECRET,
        })
    }

    fn suite(&self, level: Level) -> CipherSuite {
        let suite = match level {
            Level::Initial => None,
            Level::ZeroRtt if !self.server => self.sessions.offered().map(|session| session.suite()),
            _ => chosen(&self.hellos),
        };
        suite.unwrap_or(CipherSuite(0))
    }

    fn alert(&mut self, alert: AlertDescription) -> Result<(), Failure> {
        self.record(ContentType::Alert, self.level, &[FATAL, alert.0])
    }

    fn record(&mut self, kind: ContentType, level: Level, content: &[u8]) -> Result<(), Failure> {
        let secret = self.writing.of(level).ok_or_else(|| Failure::new(format!("no keys to write at {level:?}")))?;
        let len = u32::try_from(secret.len() + content.len()).map_err(|_| Failure::new("a long record"))?;
        let number = u8::try_from(number(level)).map_err(|_| Failure::new("a level without a number"))?;
        let record =
            [&[kind.0, number][..], &self.suite(level).0.to_be_bytes(), &len.to_be_bytes(), secret, content].concat();
        self.socket.write(&record)
    }

    /// Goes on until nobody outside is asked any more.
    fn drive(&mut self) -> Result<(), Failure> {
        loop {
            self.step(|tls| tls.advance(&mut Context::from_waker(Waker::noop())))?;
            if !matches!(self.tls.waiting(), Waiting::Outside(_)) {
                return Ok(());
            }
        }
    }

    /// The next record, if it is there whole: its type, its level and its content.
    fn next_record(&mut self) -> Result<Option<(ContentType, Level, Vec<u8>)>, Failure> {
        loop {
            let Some(([kind, level, suite @ .., a, b, c, d], rest)) = self.input.split_first_chunk::<HEADER_LEN>()
            else {
                return Ok(None);
            };
            let len = u32::from_be_bytes([*a, *b, *c, *d]);
            let whole = usize::try_from(len).ok().and_then(|len| rest.get(..len));
            let Some(whole) = whole.map(<[u8]>::to_vec) else { return Ok(None) };
            let (kind, level, suite) = (ContentType(*kind), usize::from(*level), u16::from_be_bytes(*suite));
            self.input.drain(..HEADER_LEN + whole.len());
            let level = *LEVELS.get(level).ok_or_else(|| Failure::new(format!("a record of level {level}")))?;
            let Some(secret) = self.reading.of(level) else {
                if level == Level::ZeroRtt {
                    // Early data that is not taken.
                    continue;
                }
                return Err(Failure::new(format!("no keys to read at {level:?}")));
            };
            let wanted = self.suite(level);
            if suite != wanted.0 {
                return Err(Failure::new(format!("suite {suite:#06x} at {level:?}, wanted {wanted}")));
            }
            let content = whole.strip_prefix(secret);
            let content = content.ok_or_else(|| Failure::new(format!("the peer has another secret at {level:?}")))?;
            return Ok(Some((kind, level, content.to_vec())));
        }
    }

    fn crypto(&mut self, level: Level, bytes: &[u8]) -> Result<(), Failure> {
        if level == Level::Initial && !self.server {
            self.hellos.extend_from_slice(bytes);
        }
        let size = if self.slow { 1 } else { bytes.len().max(1) };
        for part in bytes.chunks(size) {
            self.step(|tls| tls.read_crypto(level, part))?;
            self.drive()?;
        }
        Ok(())
    }
}

/// The suite of the last ServerHello or HelloRetryRequest among messages.
fn chosen(mut messages: &[u8]) -> Option<CipherSuite> {
    let mut found = None;
    while let Some(([kind, a, b, c], rest)) = messages.split_first_chunk::<4>() {
        let len = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).ok()?;
        let (body, rest) = rest.split_at_checked(len)?;
        messages = rest;
        if HandshakeType(*kind) == HandshakeType::ServerHello {
            // Version and random; then the echo of the session ID.
            let (id, rest) = body.get(2 + 32..)?.split_first()?;
            let suite = rest.get(usize::from(*id)..)?.first_chunk::<2>()?;
            found = Some(CipherSuite(u16::from_be_bytes(*suite)));
        }
    }
    found
}

impl Wire for MockQuic {
    fn begin(&mut self) -> Result<(), Failure> {
        self.drive()
    }

    fn pull(&mut self) -> Result<Got, Failure> {
        if let Some(data) = self.unread.pop_front() {
            return Ok(Got::Data(data));
        }
        self.drive()?;
        match self.next_record()? {
            Some((ContentType::Handshake, level, bytes)) => {
                self.crypto(level, &bytes)?;
                Ok(Got::Nothing)
            }
            Some((ContentType::ApplicationData, _, data)) => Ok(Got::Data(data)),
            Some((kind, ..)) => Err(Failure::new(format!("a record of type {kind}"))),
            None if self.socket.read(&mut self.input)? => Ok(Got::Nothing),
            None => {
                self.ended = true;
                Ok(Got::Closed)
            }
        }
    }

    fn put_back(&mut self, data: Vec<u8>) {
        self.unread.push_back(data);
    }

    fn send(&mut self, data: &[u8]) -> Result<(), Failure> {
        data.chunks(MAX_CONTENT).try_for_each(|data| self.record(ContentType::ApplicationData, Level::OneRtt, data))
    }

    fn takes_early_data(&self) -> bool {
        !self.server && self.writing.of(Level::ZeroRtt).is_some() && self.tls.early_data().is_none()
    }

    fn send_early(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.record(ContentType::ApplicationData, Level::ZeroRtt, data)?;
        Ok(data.len())
    }

    /// There are no copies: QUIC sends its streams anew.
    fn forget_early_data(&mut self) {}

    fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    fn facts(&self) -> Option<Arc<Facts>> {
        self.tls.facts().cloned()
    }

    fn failure(&self) -> Option<&clasp::Error> {
        self.tls.failure()
    }

    /// TLS 1.3 knows no difference between no context and an empty one.
    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> clasp::Result<()> {
        self.tls.export(label, context.unwrap_or_default(), out)
    }

    fn tls_unique(&self) -> Result<Vec<u8>, Failure> {
        Err(Failure::new("tls-unique is of TLS 1.2"))
    }

    fn peer_parameters(&self) -> Option<&[u8]> {
        self.tls.peer_parameters()
    }

    fn update_keys(&mut self) -> Result<(), Failure> {
        Err(Failure::unimplemented("key updates, which QUIC's packets have and the runner's records do not"))
    }

    fn abort(&mut self, alert: AlertDescription) -> Result<(), Failure> {
        self.alert(alert)
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn peer_closed(&self) -> bool {
        self.ended
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn finish(&mut self) {
        self.socket.finish();
    }
}
