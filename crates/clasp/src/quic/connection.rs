//! One end of a handshake that QUIC carries.

use super::carrier::Packets;
use super::limits::MAX_HELD;
use super::{DirectionKeys, Level, NextKeys, PacketKey, Parameters, Side, Version, alert_of};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::established::{Established, export13};
use crate::facts::{EarlyData, Facts};
use crate::handshake::link::Waiting;
use crate::handshake::live::Live;
use crate::keys::kept13::Kept13;
use crate::keys::maker::{KeyMaterial, Way};
use crate::keys::schedule13::TrafficKeys;
use crate::record::Joiner;
use core::fmt;
use core::task::Context;
use rustls_pki_types::ServerName;
use std::collections::VecDeque;
use std::sync::Arc;

/// The TLS of one end of a QUIC connection. The module's page says what is whose.
pub struct Connection {
    pub(super) side: Side,
    pub(super) packets: Packets,
    pub(super) live: Option<Box<Live<Packets>>>,
    /// Server: what is kept, as long as the client has not finished.
    pub(super) half_way: Option<Kept13>,
    pub(super) established: Option<Established>,
    pub(super) reading: Level,
    pub(super) writing: Level,
    /// Behind the handshake: parts of messages.
    joiner: Joiner,
    pub(super) tickets: u8,
    pub(super) output: VecDeque<Output>,
    pub(super) known: Known,
    /// How often keys have moved on while what is kept was half way.
    moved: u32,
    failed: Option<Error>,
}

/// What is known before the end.
#[derive(Default)]
pub(super) struct Known {
    pub(super) server_name: Option<String>,
    pub(super) protocol: Option<Vec<u8>>,
    /// What the peer says of itself.
    pub(super) parameters: Option<Arc<[u8]>>,
    /// Client: what the server said when the session was made that early data goes with.
    pub(super) remembered: Option<Arc<[u8]>>,
    pub(super) early_data: Option<EarlyData>,
}

/// What is for the QUIC stack to do, in this order.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// Send these bytes in CRYPTO frames of the level, behind those before.
    Crypto {
        /// The level.
        level: Level,
        /// What is sent.
        bytes: Vec<u8>,
    },
    /// Packets of this level can be sent from here on.
    SendKeys {
        /// The level.
        level: Level,
        /// What they are protected with.
        keys: DirectionKeys,
    },
    /// Packets of this level can be opened from here on. A server has those of 1-RTT as soon as it may send at that level, and
    /// does not use them before the handshake is done (RFC 9001 5.7).
    ReceiveKeys {
        /// The level.
        level: Level,
        /// What they are opened with.
        keys: DirectionKeys,
    },
}

impl ClientConfig {
    /// Begins the TLS of a QUIC connection to the server of this name. What a configuration has for TLS over TCP alone (TLS 1.2, limits
    /// and padding of records, middlebox compatibility, authentication after the handshake) does not count; with
    /// [`early_data`](crate::config::ClientBuilder::early_data) there is 0-RTT where a session allows it. Sessions of QUIC are kept in
    /// the same store as others, and never mixed with them.
    ///
    /// # Errors
    /// If the configuration has no application protocol ([`alpn`](crate::config::ClientBuilder::alpn); RFC 9001 8.1), or does not
    /// speak TLS 1.3.
    pub fn connect_quic(
        self: &Arc<Self>,
        name: ServerName<'static>,
        version: Version,
        parameters: Parameters,
    ) -> Result<Connection> {
        let config = self.for_quic()?.of_now();
        let (packets, clock) = (Packets::new(config.provider, version, parameters), config.clock.clone());
        let known = Known { server_name: Some(name.to_str().into_owned()), ..Known::default() };
        let live = Live::new("QUIC client", packets.clone(), clock, |link| {
            Box::pin(crate::handshake::client(link, config, name))
        });
        Ok(Connection::new(Side::Client, packets, live, known))
    }
}

impl ServerConfig {
    /// Begins the TLS of a QUIC connection with whoever speaks first. What a configuration has for TLS over TCP alone does not count, as
    /// with [`ClientConfig::connect_quic`]. Where [`max_early_data`](crate::config::ServerBuilder::max_early_data) is more than
    /// nothing, 0-RTT is taken; how much of it there may be, the transport parameters say.
    ///
    /// # Errors
    /// As [`ClientConfig::connect_quic`].
    pub fn accept_quic(self: &Arc<Self>, version: Version, parameters: Parameters) -> Result<Connection> {
        let config = self.for_quic()?;
        let (packets, clock) = (Packets::new(config.provider, version, parameters), config.clock.clone());
        let live =
            Live::new("QUIC server", packets.clone(), clock, |link| Box::pin(crate::handshake::server(link, config)));
        Ok(Connection::new(Side::Server, packets, live, Known::default()))
    }
}

impl Packets {
    fn new(provider: &'static crate::crypto::Provider, version: Version, own: Parameters) -> Self {
        Self { provider, version, own: Arc::new(own) }
    }
}

impl Connection {
    fn new(side: Side, packets: Packets, live: Live<Packets>, known: Known) -> Self {
        live.tell_events();
        Self {
            side,
            packets,
            live: Some(Box::new(live)),
            half_way: None,
            established: None,
            reading: Level::Initial,
            writing: Level::Initial,
            joiner: Joiner::default(),
            tickets: 0,
            output: VecDeque::new(),
            known,
            moved: 0,
            failed: None,
        }
    }

    /// Goes on with the conversation as far as that is possible: what came is taken, and whoever answers later is asked. Call it at first,
    /// after each [`read_crypto`](Self::read_crypto), and whenever the waker has been woken.
    ///
    /// # Errors
    /// The handshake has failed; [`error_code`](super::error_code) has what the peer is told.
    pub fn advance(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.attempt(|connection| connection.drive(cx))
    }

    /// Takes bytes of CRYPTO frames of a level, in the order of their offsets and each byte once, however they are cut.
    ///
    /// # Errors
    /// They are at a level that is over or not there yet, more than can be held, or no handshake message.
    pub fn read_crypto(&mut self, level: Level, bytes: &[u8]) -> Result<()> {
        self.attempt(|connection| connection.take(level, bytes))
    }

    /// What is to be sent or installed next, if there is anything.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// The level whose CRYPTO frames are read at present: what comes at those below it is refused.
    pub fn read_level(&self) -> Level {
        self.reading
    }

    /// What the conversation waits for. A party outside is waited for by the waker of [`advance`](Self::advance).
    pub fn waiting(&self) -> Waiting {
        self.live.as_ref().map_or(Waiting::Nothing, |live| live.waiting())
    }

    /// Whether the handshake is still going on.
    pub fn is_handshaking(&self) -> bool {
        self.live.is_some()
    }

    /// What the handshake settled, once it is done.
    pub fn facts(&self) -> Option<&Arc<Facts>> {
        self.established.as_ref().map(|established| &established.facts)
    }

    /// What ended it, if something has.
    pub fn failure(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// The name of the server; of a server, the one that the client asks for, as soon as it has said hello.
    pub fn server_name(&self) -> Option<&str> {
        self.known.server_name.as_deref()
    }

    /// The application protocol, as soon as it is chosen. On the server that is before the client is authenticated, on the
    /// client before the server is.
    pub fn protocol(&self) -> Option<&[u8]> {
        self.known.protocol.as_deref()
    }

    /// The peer's transport parameters, as soon as they have come; authenticated once the handshake is done (RFC 9001 8.2).
    pub fn peer_parameters(&self) -> Option<&[u8]> {
        self.known.parameters.as_deref()
    }

    /// Client: the server's transport parameters of the session that 0-RTT goes with, if it does: they bound what is sent in it (RFC 9000
    /// 7.4.1).
    pub fn remembered_parameters(&self) -> Option<&[u8]> {
        self.known.remembered.as_deref()
    }

    /// What became of early data, as soon as that is known.
    pub fn early_data(&self) -> Option<EarlyData> {
        self.known.early_data
    }

    /// Keying material that only the two ends have: RFC 9846 7.5. A server has it before the client has finished.
    ///
    /// # Errors
    /// If the handshake is not that far, or the label, the context or the length cannot be.
    pub fn export(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        match (&self.established, &self.half_way) {
            (Some(established), _) => established.export(self.packets.provider, label, Some(context), out),
            (None, Some(kept)) => export13(kept, label, context, out),
            (None, None) => Err(Misuse::HandshakeUnfinished.into()),
        }
    }

    /// The 1-RTT keys behind the next key update, of both directions: RFC 9001 6. The keys of headers stay. When they are used, the
    /// stack decides, which has the key phase; the secrets of before are gone.
    ///
    /// # Errors
    /// If there are no 1-RTT keys yet.
    pub fn next_keys(&mut self) -> Result<NextKeys> {
        let (packets, labels) = (&self.packets, self.packets.version.update_labels());
        let made = |material: &KeyMaterial<'_>| PacketKey::new(packets.provider, material);
        if let Some(established) = &mut self.established {
            let mut next = |way| {
                established.update(way, labels)?;
                established.keys(packets.provider, way, labels, made)
            };
            return Ok(NextKeys { local: next(Way::Write)?, remote: next(Way::Read)? });
        }
        let kept = self.half_way.as_mut().ok_or(Misuse::HandshakeUnfinished)?;
        let mut next = |way| {
            kept.update(way, labels);
            made(&kept.material(way, labels, &mut TrafficKeys::default()))
        };
        let next = NextKeys { local: next(Way::Write)?, remote: next(Way::Read)? };
        self.moved = self.moved.saturating_add(1);
        Ok(next)
    }

    /// The peer has ended the connection with a CONNECTION_CLOSE frame of this code (type 0x1c): gives what that means. The
    /// handshake goes on no more.
    pub fn peer_closed(&mut self, code: u64) -> Error {
        let error = match alert_of(code) {
            Some(alert) => Error::from(alert),
            None => Error::from(PeerError::ClosedDuringHandshake).seen(format_args!("QUIC's error {code:#x}")),
        };
        self.end(error)
    }

    /// The stack will not wait any longer for what is waited for ([`waiting`](Self::waiting)): gives the error, which says who was too
    /// slow. The handshake goes on no more.
    pub fn give_up(&mut self) -> Error {
        let error = match self.waiting() {
            Waiting::Outside(who) => Error::from(Outside::TookTooLong).wanted(format_args!("an answer from {who}")),
            Waiting::Message(wanted) => Error::from(PeerError::TookTooLong).wanted(wanted),
            Waiting::Nothing => PeerError::TookTooLong.into(),
        };
        self.end(error)
    }

    /// The end, unless there was one before.
    fn end(&mut self, error: Error) -> Error {
        match self.attempt(|_| Err::<(), _>(error.clone())) {
            Err(error) => error,
            Ok(()) => error,
        }
    }

    fn attempt<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
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

    /// RFC 9001 4.1.3.
    fn take(&mut self, level: Level, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if level != self.reading {
            let error = Error::from(PeerError::WrongCryptoLevel).seen(format_args!("{level:?}"));
            return Err(error.wanted(format_args!("{:?}", self.reading)));
        }
        let held = self.live.as_ref().map_or(0, |live| live.held());
        if held.saturating_add(bytes.len()) > MAX_HELD {
            let error = Error::from(PeerError::TooMuchCrypto).seen(format_args!("{} bytes", bytes.len()));
            return Err(error.wanted(format_args!("at most {}", MAX_HELD.saturating_sub(held))));
        }
        if let Some(live) = &self.live {
            return live.deliver(bytes, |_| ());
        }
        self.joiner.add(bytes, |_| ())?;
        let mut message = Vec::new();
        while self.joiner.take(&mut message) {
            self.after_handshake(core::mem::take(&mut message))?;
        }
        Ok(())
    }

    /// The handshake is done.
    pub(super) fn establish(&mut self, mut established: Established) -> Result<()> {
        if self.live.take().is_some_and(|live| !live.has_taken_all()) {
            return Err(PeerError::DataAtKeyChange.into());
        }
        self.half_way = None;
        for _ in 0..core::mem::take(&mut self.moved) {
            for way in [Way::Read, Way::Write] {
                established.update(way, self.packets.version.update_labels())?;
            }
        }
        let early_data = established.facts.early_data;
        self.known.early_data = Some(early_data);
        if let (EarlyData::Accepted, Some(before), Some(now)) =
            (early_data, &self.known.remembered, &self.known.parameters)
        {
            self.packets.own.check_kept(before, now)?;
        }
        self.established = Some(established);
        Ok(())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("quic::Connection")
            .field("side", &self.side)
            .field("version", &self.packets.version)
            .field("waiting", &self.waiting())
            .field("facts", &self.facts())
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
