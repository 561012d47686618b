//! The socket of `clasp connect`: no wait on it is without an end.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often a writer that waits looks whether the wait is the peer's fault.
const LOOK: Duration = Duration::from_millis(500);
/// A wait of no time would be one without an end to the system.
const LEAST: Duration = Duration::from_millis(1);

/// A socket whose reads and writes end in time.
pub(crate) struct Patient {
    tcp: TcpStream,
    /// How long one read or write may take.
    limit: Duration,
    /// When all reads end, whatever they have brought: a peer must not be able to stretch a handshake byte by byte.
    until: Option<Instant>,
    /// Whoever reads us has no room, so that we do not read, and the peer need not.
    held_up: Arc<AtomicBool>,
}

impl Patient {
    /// Connects to the first address that answers; all of them have `limit` together.
    pub(crate) fn connect(target: &str, limit: Duration) -> io::Result<Self> {
        let until = Instant::now() + limit;
        let addresses: Vec<_> = target.to_socket_addrs()?.collect();
        let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            // One that swallows our packets leaves the others their part.
            let share = until.saturating_duration_since(Instant::now()) / left.max(1);
            left = left.saturating_sub(1);
            match TcpStream::connect_timeout(&address, share.max(LEAST)) {
                Ok(tcp) => {
                    tcp.set_nodelay(true)?;
                    return Ok(Self { tcp, limit, until: None, held_up: Arc::default() });
                }
                Err(e) => failed = e,
            }
        }
        Err(failed)
    }

    /// A socket that somebody else opened.
    pub(crate) fn accepted(tcp: TcpStream, limit: Duration) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, limit, until: None, held_up: Arc::default() })
    }

    /// Ends all reads after this time, until told otherwise.
    pub(crate) fn end_reads(&mut self, within: Option<Duration>) {
        self.until = within.map(|d| Instant::now() + d);
    }

    /// A second handle of the socket, for a reader that looks up from it every `tick`.
    pub(crate) fn reader(&self, tick: Duration) -> io::Result<TcpStream> {
        let reader = self.tcp.try_clone()?;
        reader.set_read_timeout(Some(tick))?;
        Ok(reader)
    }

    /// To be set while nobody takes what we have read.
    pub(crate) fn held_up(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.held_up)
    }
}

impl Read for Patient {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let limit = self.until.map_or(self.limit, |u| u.saturating_duration_since(Instant::now()));
        self.tcp.set_read_timeout(Some(limit.max(LEAST)))?;
        self.tcp.read(buf).map_err(in_words)
    }
}

impl Write for Patient {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(LOOK))?;
        let mut since = Instant::now();
        loop {
            match self.tcp.write(buf).map_err(in_words) {
                Err(e) if e.kind() == io::ErrorKind::TimedOut => {
                    if self.held_up.load(Relaxed) {
                        since = Instant::now();
                    } else if since.elapsed() >= self.limit {
                        return Err(e);
                    }
                }
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Systems have two names for a time that has passed.
fn in_words(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}
