//! One connection with the runner: always a TCP client, whichever side of TLS it plays.

use crate::config::{self, World};
use crate::doubles::Chooser;
use crate::flags::Flags;
use crate::{Failure, errors, expect};
use clasp::wire::code::AlertDescription;
use clasp::{Connection, EarlyData, ServerName, Want};
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

/// One end of a test connection.
pub(crate) struct Wire {
    pub(crate) tls: Connection,
    socket: TcpStream,
    input: Vec<u8>,
    /// How much of the input is shown to the connection: one byte more at a time under `-async`.
    shown: usize,
    slow: bool,
    ended: bool,
    /// Data that came with the last of the handshake.
    unread: VecDeque<Vec<u8>>,
}

/// What a read came to.
pub(crate) enum Got {
    Data(Vec<u8>),
    Nothing,
    Closed,
}

pub(crate) fn run(world: &World, flags: &Flags, retry: &Flags, resume: bool) -> Result<(), Failure> {
    let socket = connect(flags)?;
    let (mut tls, chooser) = start(world, flags, retry)?;
    if !flags.server {
        let mut out = Vec::new();
        while tls.advance(&mut Context::from_waker(Waker::noop()), &mut out)? == Want::Outside {}
        // What was put so far is a TLS 1.2 session put back.
        world.sessions.made();
        world.store.puts.store(0, std::sync::atomic::Ordering::Relaxed);
        let mut wire = Wire {
            tls,
            socket,
            input: Vec::new(),
            shown: 0,
            slow: flags.async_,
            ended: false,
            unread: VecDeque::new(),
        };
        wire.write(&out)?;
        return finish(wire, |wire| talk(wire, world, flags, retry, resume, &chooser));
    }
    world.store.puts.store(0, std::sync::atomic::Ordering::Relaxed);
    let wire =
        Wire { tls, socket, input: Vec::new(), shown: 0, slow: flags.async_, ended: false, unread: VecDeque::new() };
    finish(wire, |wire| talk(wire, world, flags, retry, resume, &chooser))
}

fn start(world: &World, flags: &Flags, retry: &Flags) -> Result<(Connection, Arc<Chooser>), Failure> {
    if flags.server {
        let (config, chooser) = config::server(world, flags, retry)?;
        return Ok((config.accept(), chooser));
    }
    let (config, chooser) = config::client(world, flags, retry)?;
    let name = flags.host_name.clone().unwrap_or_else(|| "test".into());
    let name = ServerName::try_from(name).map_err(|_| Failure::unimplemented("this server name"))?;
    Ok((config.connect(name)?, chooser))
}

fn connect(flags: &Flags) -> Result<TcpStream, Failure> {
    let port = flags.port.and_then(|p| u16::try_from(p).ok()).ok_or_else(|| Failure::new("no -port"))?;
    let mut socket = if flags.ipv6 {
        TcpStream::connect((Ipv6Addr::LOCALHOST, port))?
    } else {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port))?
    };
    socket.set_nodelay(true)?;
    socket.write_all(&flags.shim_id.unwrap_or(0).to_le_bytes())?;
    Ok(socket)
}

/// Half-closes and drains, so that the runner reads our alert and not a reset.
fn finish(mut wire: Wire, talk: impl FnOnce(&mut Wire) -> Result<(), Failure>) -> Result<(), Failure> {
    let result = talk(&mut wire);
    let _closed_already = wire.socket.shutdown(Shutdown::Write);
    let _no_time_limit = wire.socket.set_read_timeout(Some(Duration::from_secs(10)));
    let mut sink = [0; 4096];
    while matches!(wire.socket.read(&mut sink), Ok(n) if n > 0) {}
    result
}

impl Wire {
    fn write(&mut self, out: &[u8]) -> Result<(), Failure> {
        match self.socket.write_all(out) {
            // The runner may be gone once it has seen what it wanted; what it says then is read below.
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Calls the connection and sends what it had to say, whether it failed or not.
    pub(crate) fn step<R>(
        &mut self,
        act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> clasp::Result<R>,
    ) -> Result<R, Failure> {
        let mut out = Vec::new();
        let result = act(&mut self.tls, &mut out);
        self.write(&out)?;
        Ok(result?)
    }

    pub(crate) fn send(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.step(|tls, out| tls.send(&[IoSlice::new(data)], out)).map(drop)
    }

    /// Lets the connection take what is there, or reads more.
    pub(crate) fn pull(&mut self) -> Result<Got, Failure> {
        if let Some(data) = self.unread.pop_front() {
            return Ok(Got::Data(data));
        }
        let want = self.step(|tls, out| tls.advance(&mut Context::from_waker(Waker::noop()), out))?;
        if want == Want::Outside {
            return Ok(Got::Nothing);
        }
        let shown = if self.slow { self.shown.min(self.input.len()) } else { self.input.len() };
        let mut input = core::mem::take(&mut self.input);
        let taken = self.step(|tls, out| {
            let received = tls.receive(&mut input[..shown], out)?;
            Ok((received.used, received.data.to_vec()))
        });
        self.input = input;
        let (used, data) = taken?;
        if used > 0 {
            self.input.drain(..used);
            self.shown = 0;
            return Ok(if data.is_empty() { Got::Nothing } else { Got::Data(data) });
        }
        if self.tls.peer_closed() {
            return Ok(Got::Closed);
        }
        if self.slow && self.shown < self.input.len() {
            self.shown += 1;
            return Ok(Got::Nothing);
        }
        self.read()
    }

    fn read(&mut self) -> Result<Got, Failure> {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => {
                self.ended = true;
                if self.tls.is_handshaking() {
                    self.tls.transport_ended()?;
                }
                Ok(Got::Closed)
            }
            Ok(n) => {
                self.input.extend_from_slice(&buffer[..n]);
                Ok(Got::Nothing)
            }
            Err(e) => Err(e.into()),
        }
    }
}

fn talk(
    wire: &mut Wire,
    world: &World,
    flags: &Flags,
    retry: &Flags,
    resume: bool,
    chooser: &Chooser,
) -> Result<(), Failure> {
    let open = converse(wire, world, flags, retry, resume, chooser);
    let Some(flags) = open.map_err(|failure| without_renegotiation(failure, flags))? else { return Ok(()) };
    expect::sessions(wire, world, flags)?;
    close(wire, flags)
}

/// Everything up to the close. Gives the flags that hold by then, if there is anything left to close.
fn converse<'f>(
    wire: &mut Wire,
    world: &World,
    flags: &'f Flags,
    retry: &'f Flags,
    resume: bool,
    chooser: &Chooser,
) -> Result<Option<&'f Flags>, Failure> {
    let mut flags = flags;
    let initial = flags.shim_initial_write.clone().unwrap_or_else(|| "hello".into()).into_bytes();
    let repeat = flags.repeat_shim_initial_write.unwrap_or(1);
    let in_early = wire.tls.early_data_left() > 0;
    if resume && flags.expect_no_offer_early_data && in_early {
        return Err(Failure::new("early data was offered unexpectedly"));
    }
    let mut wrote = false;
    let mut rest = Vec::new();
    if in_early && flags.export_keying_material.is_some() {
        // The runner's library calls the handshake done as soon as early data may go; Clasp exports nothing yet.
        if wire.tls.export(b"early", None, &mut [0; 32]).is_err() {
            return Err(Failure::new("HANDSHAKE_NOT_COMPLETE"));
        }
    }
    if let Some(kind) = flags.early_write_after_message.filter(|_| in_early) {
        while u64::from(world.last_message.kind()) != kind {
            if !matches!(wire.pull()?, Got::Nothing) {
                return Err(Failure::new("the message for the early write did not come"));
            }
        }
    }
    if in_early && flags.shim_writes_first {
        for _ in 0..repeat {
            let sent = write_early(wire, &initial)?;
            // What is over the limit follows when it may.
            rest.extend_from_slice(&initial[sent..]);
        }
        wrote = true;
    }

    // The handshake; data that comes with it is early data.
    while wire.tls.is_handshaking() {
        match wire.pull()? {
            // A server answers early data at once.
            Got::Data(data) if wire.tls.is_handshaking() => echo(wire, flags, &data)?,
            Got::Data(data) => wire.unread.push_back(data),
            Got::Nothing => {}
            Got::Closed => return Err(Failure::new("closed during the handshake")),
        }
    }
    if let Some(error) = wire.tls.failure() {
        return Err(Failure::new(errors::text(error)));
    }
    let facts = wire.tls.facts().cloned().ok_or_else(|| Failure::new("HANDSHAKE_NOT_COMPLETE"))?;
    if resume && in_early && facts.early_data == EarlyData::Rejected {
        if !flags.expect_reject_early_data {
            return Err(Failure::new("early data was rejected unexpectedly"));
        }
        let _sent_again_below = wire.tls.take_refused_early_data();
        flags = retry;
        wrote = false;
        rest.clear();
    }
    expect::handshake(wire, world, flags, resume, chooser)?;

    if let Some(len) = flags.export_keying_material {
        let mut material = vec![0; usize::try_from(len).map_err(|_| Failure::new("a long export"))?];
        let context = flags.export_context.clone().unwrap_or_default();
        let context = Some(context.as_bytes()).filter(|_| flags.use_export_context);
        let label = flags.export_label.clone().unwrap_or_default();
        if wire.tls.export(label.as_bytes(), context, &mut material).is_err() {
            return Err(Failure::new("failed to export keying material"));
        }
        wire.send(&material)?;
    }
    if flags.export_traffic_secrets {
        let (client, server) = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0");
        let (read, write) = if flags.server { (client, server) } else { (server, client) };
        let (read, write) = (world.key_log.secret(read), world.key_log.secret(write));
        let len = u16::try_from(read.len()).map_err(|_| Failure::new("a long secret"))?;
        wire.send(&[&len.to_le_bytes()[..], &read, &write].concat())?;
    }
    if flags.tls_unique {
        let unique = wire.tls.tls_unique().map_err(|_| Failure::new("failed to get tls-unique"))?;
        wire.send(&unique)?;
    }
    if flags.send_alert {
        wire.step(|tls, out| tls.abort(AlertDescription::DecompressionFailure, out))?;
        return Ok(None);
    }
    if (flags.shim_writes_first || flags.read_with_unfinished_write) && !wrote {
        for _ in 0..repeat {
            wire.send(&initial)?;
        }
    }
    if !rest.is_empty() {
        wire.send(&rest)?;
    }
    if !flags.shim_shuts_down {
        echo_loop(wire, flags)?;
    }
    if flags.expect_total_renegotiations.is_some_and(|n| n > 0) {
        return Err(Failure::unimplemented("renegotiation"));
    }
    Ok(Some(flags))
}

/// Clasp refuses to renegotiate, where these flags want it done.
fn without_renegotiation(failure: Failure, flags: &Flags) -> Failure {
    let wanted = flags.renegotiate_freely || flags.renegotiate_once || flags.renegotiate_explicit;
    if wanted && failure.refused_renegotiation { Failure::unimplemented("renegotiation") } else { failure }
}

fn write_early(wire: &mut Wire, data: &[u8]) -> Result<usize, Failure> {
    let mut sent = 0;
    while sent < data.len() && wire.tls.early_data_left() > 0 {
        sent += wire.step(|tls, out| tls.send_early(&data[sent..], out))?;
    }
    Ok(sent)
}

fn echo(wire: &mut Wire, flags: &Flags, data: &[u8]) -> Result<(), Failure> {
    for chunk in data.chunks(flags.chunk()) {
        if flags.key_update {
            wire.step(|tls, out| tls.update_keys(false, out))?;
        }
        let flipped: Vec<u8> = chunk.iter().map(|b| b ^ 0xff).collect();
        wire.send(&flipped)?;
    }
    Ok(())
}

fn echo_loop(wire: &mut Wire, flags: &Flags) -> Result<(), Failure> {
    loop {
        if flags.key_update_before_read {
            wire.step(|tls, out| tls.update_keys(false, out))?;
        }
        match wire.pull()? {
            Got::Data(data) => echo(wire, flags, &data)?,
            Got::Nothing => {}
            Got::Closed => return Ok(()),
        }
    }
}

fn close(wire: &mut Wire, flags: &Flags) -> Result<(), Failure> {
    wire.step(|tls, out| tls.close(out))?;
    if flags.shim_shuts_down && !flags.check_close_notify {
        return Ok(());
    }
    while !wire.tls.peer_closed() {
        if wire.ended {
            return Err(Failure::new("Unexpected SSL_shutdown result: -1 != 1"));
        }
        if let Got::Data(_) = wire.pull()? {
            return Err(Failure::new("APPLICATION_DATA_ON_SHUTDOWN"));
        }
    }
    Ok(())
}
