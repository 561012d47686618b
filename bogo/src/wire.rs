//! One end of a connection with the runner: always a TCP client, whichever side of TLS it plays.

use crate::failure::Failure;
use crate::flags::Flags;
use clasp::{Connection, Want};
use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
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
    pub(crate) ended: bool,
    /// Data that came with the last of the handshake.
    pub(crate) unread: VecDeque<Vec<u8>>,
}

/// What a read came to.
pub(crate) enum Got {
    Data(Vec<u8>),
    Nothing,
    Closed,
}

/// Reaches the runner, and says which of its shims this is.
pub(crate) fn connect(flags: &Flags) -> Result<TcpStream, Failure> {
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

impl Wire {
    pub(crate) fn new(tls: Connection, socket: TcpStream, flags: &Flags) -> Self {
        Self { tls, socket, input: Vec::new(), shown: 0, slow: flags.async_, ended: false, unread: VecDeque::new() }
    }

    /// Half-closes and drains, so that the runner reads our alert and not a reset.
    pub(crate) fn finish(&mut self) {
        let _closed_already = self.socket.shutdown(Shutdown::Write);
        let _no_time_limit = self.socket.set_read_timeout(Some(Duration::from_secs(10)));
        let mut sink = [0; 4096];
        while matches!(self.socket.read(&mut sink), Ok(n) if n > 0) {}
    }

    pub(crate) fn write(&mut self, out: &[u8]) -> Result<(), Failure> {
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
