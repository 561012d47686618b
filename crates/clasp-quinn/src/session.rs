//! One conversation, as quinn asks for it.

use crate::config::HandshakeData;
use crate::packets::{Flag, OneWay, Told, both_ways, one_way, updated};
use crate::waits;
use clasp::EarlyData;
use clasp::crypto::Provider;
use clasp::quic::{Connection, DirectionKeys, Level, Output, Side, Version, error_code, retry_tag};
use clasp::wire::code::HandshakeType;
use quinn_proto::crypto::{self, ExportKeyingMaterialError, KeyPair, Keys, PacketKey};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectionId, TransportError, TransportErrorCode};
use std::any::Any;
use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

/// See [`crypto::Session`].
pub(crate) struct Session {
    tls: Option<Connection>,
    provider: &'static Provider,
    version: Version,
    side: Side,
    limit: Duration,
    /// What the conversation has said, and quinn has not taken.
    output: VecDeque<Output>,
    /// The level that quinn sends at, and the one it reads: it has been given their keys.
    sending: Level,
    reading: Level,
    early: Option<Arc<DirectionKeys>>,
    /// Keys of the next level, until there are both.
    next: (Option<DirectionKeys>, Option<DirectionKeys>),
    failed: Option<TransportError>,
    /// The same, for the keys of the handshake.
    flag: Flag,
    /// quinn has been told that there is handshake data.
    told: bool,
    /// A packet has been sealed. That is done by the connection's own task alone, and every call from there on is of that task.
    sealed: Flag,
    /// A server that waits has said the first byte of its answer.
    begun: bool,
}

impl Session {
    fn new(
        tls: Option<Connection>,
        provider: &'static Provider,
        version: Version,
        side: Side,
        limit: Duration,
    ) -> Self {
        Self {
            tls,
            provider,
            version,
            side,
            limit,
            output: VecDeque::new(),
            sending: Level::Initial,
            reading: Level::Initial,
            early: None,
            next: (None, None),
            failed: None,
            flag: Flag::default(),
            told: false,
            sealed: Flag::default(),
            begun: false,
        }
    }

    /// # Errors
    /// If there is no hello.
    pub(crate) fn client(
        mut tls: Connection,
        provider: &'static Provider,
        version: Version,
        limit: Duration,
    ) -> clasp::Result<Self> {
        // Nobody would send a packet before there is one, so whoever is asked about a session's server is waited for.
        waits::advance_waiting(&mut tls, limit)?;
        Ok(Self::new(Some(tls), provider, version, Side::Client, limit))
    }

    pub(crate) fn server(
        tls: clasp::Result<Connection>,
        provider: &'static Provider,
        version: Version,
        limit: Duration,
    ) -> Self {
        let failed = tls.as_ref().err().map(transport_error);
        Self { failed, ..Self::new(tls.ok(), provider, version, Side::Server, limit) }
    }

    /// Goes on. A server's first packet, and all that have come before somebody accepts it, are taken while quinn's endpoint serves nobody
    /// else, and nobody is waited for; with the next one the connection's own task does, which has sealed a packet by then. There
    /// is a next one: the client acknowledges what it has heard of the handshake, which is something: see [`Session::begin`].
    fn advance(&mut self) -> Result<(), TransportError> {
        self.check_failed()?;
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let may_wait = self.side == Side::Client || self.sealed.is_set();
        let gone_on = if may_wait { waits::advance_waiting(tls, self.limit) } else { waits::advance(tls) };
        while let Some(output) = tls.poll_output() {
            self.output.push_back(output);
        }
        gone_on.map_err(|error| self.fail(&error))
    }

    fn check_failed(&self) -> Result<(), TransportError> {
        self.failed.as_ref().map_or(Ok(()), |error| Err(error.clone()))
    }

    fn fail(&mut self, error: &clasp::Error) -> TransportError {
        self.flag.set();
        self.failed.insert(transport_error(error)).clone()
    }

    /// The first byte of a server's answer, whatever that will be, while somebody is waited for before there is an answer. A client that has
    /// heard only that its hello has come does not always probe: one with early data in flight need not (RFC 9002 A.8, where
    /// the anti-deadlock timer stands under "no ack-eliciting packets in flight"), and would say nothing more.
    fn begin(&mut self, buf: &mut Vec<u8>) {
        let is_silent = self.side == Side::Server && self.sending == Level::Initial && self.output.is_empty();
        if is_silent && !self.begun && self.tls.as_ref().is_some_and(waits::is_outside) {
            self.begun = true;
            buf.push(HandshakeType::ServerHello.0);
        }
    }

    /// Takes what is next, up to keys that quinn has to be given: both of a level at once.
    fn take(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        loop {
            if matches!(self.output.front(), Some(Output::Crypto { level, .. }) if *level != self.sending) {
                return None;
            }
            match self.output.pop_front()? {
                Output::Crypto { bytes, .. } => {
                    let said = usize::from(core::mem::take(&mut self.begun));
                    buf.extend_from_slice(bytes.get(said..).unwrap_or_default());
                }
                Output::SendKeys { level: Level::ZeroRtt, keys }
                | Output::ReceiveKeys { level: Level::ZeroRtt, keys } => {
                    self.early = Some(Arc::new(keys));
                }
                Output::SendKeys { keys, .. } => self.next.0 = Some(keys),
                Output::ReceiveKeys { keys, .. } => self.next.1 = Some(keys),
                _ => {}
            }
            if let (Some(_), Some(_)) = &self.next
                && let (Some(local), Some(remote)) = core::mem::take(&mut self.next)
            {
                self.sending = if self.sending == Level::Initial { Level::Handshake } else { Level::OneRtt };
                let flag = self.flag.clone();
                let failed = (self.sending == Level::Handshake).then_some(flag);
                return Some(both_ways(local, remote, Told { failed, sealed: None }));
            }
        }
    }

    /// Keys that nobody else has. quinn hears of errors where it gives us something to read, and a client that waits for its server
    /// gives nothing. A server that fails meanwhile, before there are keys of the handshake, can tell quinn so when it asks for
    /// the client's transport parameters, which it does once there are.
    fn keys_to_fail_with(&mut self) -> Option<Keys> {
        let cannot_say = self.side == Side::Server && self.sending == Level::Initial && self.failed.is_some();
        let mut secret = [0; 20];
        self.provider.random.fill(&mut secret).ok().filter(|()| cannot_say)?;
        let keys = clasp::quic::Keys::initial(self.provider, self.version, &secret, Side::Server).ok()?;
        self.sending = Level::Handshake;
        Some(both_ways(keys.local, keys.remote, Told::default()))
    }
}

impl crypto::Session for Session {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: quinn_proto::Side) -> Keys {
        let side = if side.is_client() { Side::Client } else { Side::Server };
        match clasp::quic::Keys::initial(self.provider, self.version, dst_cid, side) {
            Ok(keys) => both_ways(keys.local, keys.remote, Told { failed: None, sealed: Some(self.sealed.clone()) }),
            // A configuration whose provider cannot make them was refused.
            Err(error) => unreachable!("{error}"),
        }
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        let tls = self.tls.as_ref().filter(|_| self.told)?;
        Some(Box::new(HandshakeData {
            protocol: tls.protocol().map(<[u8]>::to_vec),
            server_name: tls.server_name().map(str::to_owned),
            facts: tls.facts().cloned(),
        }))
    }

    /// `Vec<CertificateDer<'static>>`, as it is with rustls.
    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        let chain = self.tls.as_ref()?.facts()?.peer_chain();
        (!chain.is_empty()).then(|| Box::new(chain.to_vec()) as Box<dyn Any>)
    }

    fn early_crypto(&self) -> Option<OneWay> {
        self.early.as_ref().map(one_way)
    }

    fn early_data_accepted(&self) -> Option<bool> {
        let of_client = self.tls.as_ref().filter(|_| self.side == Side::Client)?;
        Some(of_client.early_data() == Some(EarlyData::Accepted))
    }

    fn is_handshaking(&self) -> bool {
        self.failed.is_some() || self.tls.as_ref().is_none_or(Connection::is_handshaking)
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.check_failed()?;
        if let Some(tls) = &mut self.tls {
            // What quinn gives belongs to the level that it has keys of, whatever the conversation has come to within this packet.
            if let Err(error) = tls.read_crypto(self.reading, buf) {
                return Err(self.fail(&error));
            }
        }
        self.advance()?;
        let known = self.tls.as_ref().is_some_and(|tls| tls.protocol().is_some());
        Ok(known && !core::mem::replace(&mut self.told, known))
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.check_failed()?;
        let Some(tls) = &self.tls else { return Ok(None) };
        let Some(bytes) = tls.peer_parameters().or_else(|| tls.remembered_parameters()) else { return Ok(None) };
        let side = match self.side {
            Side::Client => quinn_proto::Side::Client,
            Side::Server => quinn_proto::Side::Server,
        };
        Ok(Some(TransportParameters::read(side, &mut Cursor::new(bytes))?))
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        if self.advance().is_err() {
            return self.keys_to_fail_with();
        }
        let keys = self.take(buf);
        self.begin(buf);
        // A server reads at the level of the handshake until the client has finished.
        self.reading = match (self.is_handshaking(), self.sending) {
            (true, Level::Initial) => Level::Initial,
            (true, _) => Level::Handshake,
            (false, _) => Level::OneRtt,
        };
        keys
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        let keys = self.tls.as_mut()?.next_keys().ok()?;
        Some(KeyPair { local: updated(keys.local), remote: updated(keys.remote) })
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        let Some((token, tag)) = payload.split_last_chunk::<16>() else { return false };
        let packet = [header, token].concat();
        retry_tag(self.provider, self.version, orig_dst_cid, &packet).is_ok_and(|ours| ours == *tag)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        let tls = self.tls.as_ref().ok_or(ExportKeyingMaterialError)?;
        tls.export(label, context, output).map_err(|_| ExportKeyingMaterialError)
    }
}

/// An error in quinn's words.
fn transport_error(error: &clasp::Error) -> TransportError {
    let code = match error_code(error) {
        0x08 => TransportErrorCode::TRANSPORT_PARAMETER_ERROR,
        0x0a => TransportErrorCode::PROTOCOL_VIOLATION,
        0x0d => TransportErrorCode::CRYPTO_BUFFER_EXCEEDED,
        code => u8::try_from(code & 0xff).map_or(TransportErrorCode::INTERNAL_ERROR, TransportErrorCode::crypto),
    };
    TransportError { code, frame: None, reason: error.to_string() }
}
