//! One end of a connection with the runner, whichever carrier brings its handshake: always a TCP client, whichever side of
//! TLS it plays.

use crate::failure::Failure;
use crate::flags::Flags;
use clasp::Facts;
use clasp::wire::code::AlertDescription;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What a read came to.
pub(crate) enum Got {
    Data(Vec<u8>),
    Nothing,
    Closed,
}

/// What a carrier does for a conversation with the runner.
pub(crate) trait Wire {
    /// A client says hello.
    fn begin(&mut self) -> Result<(), Failure>;
    /// Lets the connection take what is there, or reads more.
    fn pull(&mut self) -> Result<Got, Failure>;
    /// Data that came with the last of the handshake: the next that is pulled.
    fn put_back(&mut self, data: Vec<u8>);
    fn send(&mut self, data: &[u8]) -> Result<(), Failure>;

    /// Whether early data can be sent now.
    fn takes_early_data(&self) -> bool;
    /// How much of it went.
    fn send_early(&mut self, data: &[u8]) -> Result<usize, Failure>;
    /// What was refused is written anew by the conversation, and by nobody else.
    fn forget_early_data(&mut self);

    fn is_handshaking(&self) -> bool;
    fn facts(&self) -> Option<Arc<Facts>>;
    fn failure(&self) -> Option<&clasp::Error>;
    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> clasp::Result<()>;
    fn tls_unique(&self) -> Result<Vec<u8>, Failure>;
    /// QUIC's transport parameters of the peer.
    fn peer_parameters(&self) -> Option<&[u8]>;

    fn update_keys(&mut self) -> Result<(), Failure>;
    fn abort(&mut self, alert: AlertDescription) -> Result<(), Failure>;
    fn close(&mut self) -> Result<(), Failure>;
    /// Whether the peer has said that it is done.
    fn peer_closed(&self) -> bool;
    /// Whether the transport is at its end.
    fn ended(&self) -> bool;
    /// Half-closes and drains, so that the runner reads our alert and not a reset.
    fn finish(&mut self);
}

/// The way to the runner.
pub(crate) struct Socket(TcpStream);

impl Socket {
    /// Reaches the runner, and says which of its shims this is.
    pub(crate) fn connect(flags: &Flags) -> Result<Self, Failure> {
        let port = flags.port.and_then(|p| u16::try_from(p).ok()).ok_or_else(|| Failure::new("no -port"))?;
        let mut socket = if flags.ipv6 {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port))?
        } else {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port))?
        };
        socket.set_nodelay(true)?;
        socket.write_all(&flags.shim_id.unwrap_or(0).to_le_bytes())?;
        Ok(Self(socket))
    }

    pub(crate) fn write(&mut self, out: &[u8]) -> Result<(), Failure> {
        match self.0.write_all(out) {
            // The runner may be gone once it has seen what it wanted; what it says then is read later.
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Reads what is there behind what has been read; false at the end.
    pub(crate) fn read(&mut self, input: &mut Vec<u8>) -> Result<bool, Failure> {
        let mut buffer = [0; 16 * 1024];
        let n = self.0.read(&mut buffer)?;
        input.extend_from_slice(&buffer[..n]);
        Ok(n > 0)
    }

    pub(crate) fn finish(&mut self) {
        let _closed_already = self.0.shutdown(Shutdown::Write);
        let _no_time_limit = self.0.set_read_timeout(Some(Duration::from_secs(10)));
        let mut sink = [0; 4096];
        while matches!(self.0.read(&mut sink), Ok(n) if n > 0) {}
    }
}
