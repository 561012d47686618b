//! What the shim says and wants to hear, from the first byte to the close.

use crate::config::{self, World};
use crate::doubles::Chooser;
use crate::failure::Failure;
use crate::flags::Flags;
use crate::mock_quic::MockQuic;
use crate::records::Records;
use crate::wire::{Got, Socket, Wire};
use crate::{errors, expect};
use clasp::quic::{Parameters, Version};
use clasp::wire::code::AlertDescription;
use clasp::{EarlyData, ServerName};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A conversation that is going on.
struct Conversation<'a> {
    wire: Box<dyn Wire>,
    world: &'a World,
    /// What holds now: those of the retry, once early data was refused.
    flags: &'a Flags,
    retry: &'a Flags,
    resume: bool,
    chooser: Arc<Chooser>,
    /// Whether the first write went as early data.
    wrote: bool,
    /// What of it was over the limit: it follows when it may.
    rest: Vec<u8>,
    /// Whether early data was offered.
    offered: bool,
}

/// Runs one connection.
pub(crate) fn run(world: &World, flags: &Flags, retry: &Flags, resume: bool) -> Result<(), Failure> {
    expect::knows_messages(flags)?;
    let _before = world.messages.taken();
    let socket = Socket::connect(flags)?;
    let (wire, chooser) = start(world, flags, retry, socket)?;
    let mut conversation =
        Conversation { wire, world, flags, retry, resume, chooser, wrote: false, rest: Vec::new(), offered: false };
    conversation.hello()?;
    let result = conversation.whole();
    conversation.wire.finish();
    result
}

type Started = (Box<dyn Wire>, Arc<Chooser>);

fn start(world: &World, flags: &Flags, retry: &Flags, socket: Socket) -> Result<Started, Failure> {
    if flags.quic {
        return start_quic(world, flags, retry, socket);
    }
    let (tls, chooser) = if flags.server {
        let (config, chooser) = config::server(world, flags, retry)?;
        (config.accept(), chooser)
    } else {
        let (config, chooser) = config::client(world, flags, retry)?;
        (config.connect(name(flags)?), chooser)
    };
    if flags.transport_parameters.is_some() {
        // Only `connect_quic` and `accept_quic` take them.
        return Err(Failure::new("QUIC_TRANSPORT_PARAMETERS_MISCONFIGURED: over TCP Clasp has no way to say them"));
    }
    Ok((Box::new(Records::new(tls, socket, flags.async_)), chooser))
}

fn start_quic(world: &World, flags: &Flags, retry: &Flags, socket: Socket) -> Result<Started, Failure> {
    if flags.quic_use_legacy_codepoint.is_some_and(|n| n != 0) {
        return Err(Failure::unimplemented("-quic-use-legacy-codepoint: the code point of QUIC's drafts"));
    }
    // The runner's are no parameters of RFC 9000.
    let parameters = Parameters::opaque(flags.transport_parameters.clone().unwrap_or_default());
    let (tls, chooser) = if flags.server {
        let (config, chooser) = config::server(world, flags, retry)?;
        (config.accept_quic(Version::V1, parameters)?, chooser)
    } else {
        let (config, chooser) = config::client(world, flags, retry)?;
        (config.connect_quic(name(flags)?, Version::V1, parameters)?, chooser)
    };
    let shared = (world.key_log.clone(), world.sessions.clone());
    Ok((Box::new(MockQuic::new(tls, socket, (flags.server, flags.async_), shared)), chooser))
}

fn name(flags: &Flags) -> Result<ServerName<'static>, Failure> {
    ServerName::try_from(flags.name().to_owned()).map_err(|_| Failure::unimplemented("this server name"))
}

impl Conversation<'_> {
    /// A client's hello goes before anything is read.
    fn hello(&mut self) -> Result<(), Failure> {
        if !self.flags.server {
            self.wire.begin()?;
            // What was put so far is a TLS 1.2 session put back.
            self.world.sessions.made();
        }
        self.world.store.puts.store(0, Ordering::Relaxed);
        Ok(())
    }

    fn whole(&mut self) -> Result<(), Failure> {
        let flags = self.flags;
        let opened = self.open().map_err(|failure| without_renegotiation(failure, flags));
        // A hidden hello that was not heard had its early data refused with it.
        let flags = if self.offered { self.retry } else { self.flags };
        expect::not_heard(self.wire.failure(), flags)?;
        if opened? {
            expect::messages(&*self.wire, self.world, self.flags)?;
            expect::sessions(&*self.wire, self.world, self.flags)?;
            self.close()?;
        }
        Ok(())
    }

    /// Everything up to the close; whether there is anything left to close.
    fn open(&mut self) -> Result<bool, Failure> {
        self.offered = self.early_data()?;
        self.handshake()?;
        self.early_data_refused(self.offered)?;
        expect::handshake(&*self.wire, self.world, self.flags, self.resume, &self.chooser)?;
        self.exports()?;
        if self.flags.send_alert {
            self.wire.abort(AlertDescription::DecompressionFailure)?;
            return Ok(false);
        }
        self.application_data()?;
        if self.flags.expect_total_renegotiations.is_some_and(|n| n > 0) {
            return Err(Failure::unimplemented("renegotiation"));
        }
        Ok(true)
    }

    fn initial(&self) -> Vec<u8> {
        self.flags.shim_initial_write.clone().unwrap_or_else(|| "hello".into()).into_bytes()
    }

    fn repeat(&self) -> u64 {
        self.flags.repeat_shim_initial_write.unwrap_or(1)
    }

    /// Whether any was offered.
    fn early_data(&mut self) -> Result<bool, Failure> {
        let offered = self.wire.takes_early_data();
        if self.resume && self.flags.expect_no_offer_early_data && offered {
            return Err(Failure::new("early data was offered unexpectedly"));
        }
        if !offered {
            return Ok(false);
        }
        // The runner's library calls the handshake done as soon as early data may go; Clasp exports nothing yet.
        if self.flags.export_keying_material.is_some() && self.wire.export(b"early", None, &mut [0; 32]).is_err() {
            return Err(Failure::new("HANDSHAKE_NOT_COMPLETE"));
        }
        if let Some(kind) = self.flags.early_write_after_message {
            while u64::from(self.world.messages.last()) != kind {
                if !matches!(self.wire.pull()?, Got::Nothing) {
                    return Err(Failure::new("the message for the early write did not come"));
                }
            }
        }
        if self.flags.shim_writes_first {
            let initial = self.initial();
            for _ in 0..self.repeat() {
                let sent = write_early(&mut *self.wire, &initial)?;
                self.rest.extend_from_slice(&initial[sent..]);
            }
            self.wrote = true;
        }
        Ok(true)
    }

    /// Data that comes with it is early data.
    fn handshake(&mut self) -> Result<(), Failure> {
        while self.wire.is_handshaking() {
            match self.wire.pull()? {
                // A server answers early data at once.
                Got::Data(data) if self.wire.is_handshaking() => echo(&mut *self.wire, self.flags, &data)?,
                Got::Data(data) => self.wire.put_back(data),
                Got::Nothing => {}
                Got::Closed => return Err(Failure::new("closed during the handshake")),
            }
        }
        self.wire.failure().map_or(Ok(()), |error| Err(Failure::new(errors::text(error))))
    }

    /// From here on the flags of the retry hold, and what was written is written again.
    fn early_data_refused(&mut self, offered: bool) -> Result<(), Failure> {
        let facts = self.wire.facts().ok_or_else(|| Failure::new("HANDSHAKE_NOT_COMPLETE"))?;
        if !(self.resume && offered && facts.early_data == EarlyData::Rejected) {
            return Ok(());
        }
        if !self.flags.expect_reject_early_data {
            return Err(Failure::new("early data was rejected unexpectedly"));
        }
        self.wire.forget_early_data();
        self.flags = self.retry;
        self.wrote = false;
        self.rest.clear();
        Ok(())
    }

    /// Secrets that the runner compares with its own.
    fn exports(&mut self) -> Result<(), Failure> {
        let (flags, wire) = (self.flags, &mut self.wire);
        if let Some(len) = flags.export_keying_material {
            let mut material = vec![0; usize::try_from(len).map_err(|_| Failure::new("a long export"))?];
            let context = flags.export_context.clone().unwrap_or_default();
            let context = Some(context.as_bytes()).filter(|_| flags.use_export_context);
            let label = flags.export_label.clone().unwrap_or_default();
            if wire.export(label.as_bytes(), context, &mut material).is_err() {
                return Err(Failure::new("failed to export keying material"));
            }
            wire.send(&material)?;
        }
        if flags.export_traffic_secrets {
            let (client, server) = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0");
            let (read, write) = if flags.server { (client, server) } else { (server, client) };
            let (read, write) = (self.world.key_log.secret(read), self.world.key_log.secret(write));
            let len = u16::try_from(read.len()).map_err(|_| Failure::new("a long secret"))?;
            wire.send(&[&len.to_le_bytes()[..], &read, &write].concat())?;
        }
        if flags.tls_unique {
            let unique = wire.tls_unique().map_err(|_| Failure::new("failed to get tls-unique"))?;
            wire.send(&unique)?;
        }
        Ok(())
    }

    fn application_data(&mut self) -> Result<(), Failure> {
        if (self.flags.shim_writes_first || self.flags.read_with_unfinished_write) && !self.wrote {
            let initial = self.initial();
            for _ in 0..self.repeat() {
                self.wire.send(&initial)?;
            }
        }
        if !self.rest.is_empty() {
            self.wire.send(&self.rest)?;
        }
        if self.flags.shim_shuts_down { Ok(()) } else { echo_loop(&mut *self.wire, self.flags) }
    }

    fn close(&mut self) -> Result<(), Failure> {
        let (wire, flags) = (&mut self.wire, self.flags);
        wire.close()?;
        // Otherwise the peer has gone already, with close_notify or without: the runner's library makes no difference there.
        if !(flags.shim_shuts_down && flags.check_close_notify) {
            return Ok(());
        }
        while !wire.peer_closed() {
            if wire.ended() {
                return Err(Failure::new("Unexpected SSL_shutdown result: -1 != 1"));
            }
            if let Got::Data(_) = wire.pull()? {
                return Err(Failure::new("APPLICATION_DATA_ON_SHUTDOWN"));
            }
        }
        Ok(())
    }
}

/// Clasp refuses to renegotiate, where these flags want it done.
fn without_renegotiation(failure: Failure, flags: &Flags) -> Failure {
    let wanted = flags.renegotiate_freely || flags.renegotiate_once || flags.renegotiate_explicit;
    if wanted && failure.refused_renegotiation { Failure::unimplemented("renegotiation") } else { failure }
}

fn write_early(wire: &mut dyn Wire, data: &[u8]) -> Result<usize, Failure> {
    let mut sent = 0;
    while sent < data.len() && wire.takes_early_data() {
        sent += wire.send_early(&data[sent..])?;
    }
    Ok(sent)
}

fn echo(wire: &mut dyn Wire, flags: &Flags, data: &[u8]) -> Result<(), Failure> {
    for chunk in data.chunks(flags.chunk()) {
        if flags.key_update {
            wire.update_keys()?;
        }
        let flipped: Vec<u8> = chunk.iter().map(|b| b ^ 0xff).collect();
        wire.send(&flipped)?;
    }
    Ok(())
}

fn echo_loop(wire: &mut dyn Wire, flags: &Flags) -> Result<(), Failure> {
    loop {
        if flags.key_update_before_read {
            wire.update_keys()?;
        }
        match wire.pull()? {
            Got::Data(data) => echo(wire, flags, &data)?,
            Got::Nothing => {}
            Got::Closed => return Ok(()),
        }
    }
}
