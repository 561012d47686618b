//! A socket of either kind, and what was read from it too early.

use super::address::Address;
use core::cell::Cell;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use listenfd::ListenFd;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

/// Bytes that are read at once.
const MOST: usize = 32 << 10;

thread_local! {
    /// Memory to read into. A socket has it only while something of it is on its way.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A connected socket.
#[derive(Debug)]
pub(super) enum Wire {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Does the same with whichever it is.
macro_rules! either {
    ($wire:expr, $socket:ident => $act:expr) => {
        match $wire {
            Wire::Tcp($socket) => $act,
            #[cfg(unix)]
            Wire::Unix($socket) => $act,
        }
    };
}

impl Wire {
    /// The peer's address, and ours.
    pub(super) fn addresses(&self) -> Option<(SocketAddr, SocketAddr)> {
        match self {
            Self::Tcp(tcp) => tcp.peer_addr().ok().zip(tcp.local_addr().ok()),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }

    pub(super) async fn connect(to: &Address) -> io::Result<Self> {
        match to {
            Address::Tcp(to) => {
                let tcp = TcpStream::connect(to.as_str()).await?;
                Ok(Self::tcp(tcp))
            }
            #[cfg(unix)]
            Address::Unix(path) => Ok(Self::Unix(UnixStream::connect(path).await?)),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            Address::Passed(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn tcp(tcp: TcpStream) -> Self {
        // What is sent has been gathered already; a socket that refuses works all the same.
        let _unset = tcp.set_nodelay(true);
        Self::Tcp(tcp)
    }

    /// Closes so that the peer sees that something is missing: with a reset, where there are such.
    pub(super) fn reset(&self) {
        if let Self::Tcp(tcp) = self {
            // A socket that refuses is closed the other way.
            let _unset = tcp.set_zero_linger();
        }
    }
}

/// A socket, and in front of it what has been read from it already.
#[derive(Debug)]
pub(super) struct Plain {
    wire: Wire,
    front: Vec<u8>,
    /// How much of `front` has been taken.
    taken: usize,
}

impl Plain {
    pub(super) const fn new(wire: Wire) -> Self {
        Self { wire, front: Vec::new(), taken: 0 }
    }

    /// Puts back what was read, to be read again.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>) {
        bytes.extend_from_slice(self.rest());
        (self.front, self.taken) = (bytes, 0);
    }

    pub(super) const fn wire(&self) -> &Wire {
        &self.wire
    }

    fn rest(&self) -> &[u8] {
        self.front.get(self.taken..).unwrap_or_default()
    }

    fn take(&mut self, n: usize) {
        self.taken = self.taken.saturating_add(n);
        if self.taken >= self.front.len() {
            self.taken = 0;
            let mut front = core::mem::take(&mut self.front);
            if front.capacity() >= MOST {
                front.clear();
                SPARE.set(front);
            }
        }
    }

    /// Reads into memory that is had for as long as there is something in it.
    fn poll_front(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.rest().is_empty() {
            ready!(either!(&self.wire, socket => socket.poll_read_ready(cx)))?;
            let mut front = SPARE.take();
            front.reserve(MOST);
            match either!(&self.wire, socket => socket.try_read_buf(&mut front)) {
                Ok(0) => {
                    SPARE.set(front);
                    break;
                }
                Ok(_) => (self.front, self.taken) = (front, 0),
                Err(error) => {
                    SPARE.set(front);
                    if error.kind() != io::ErrorKind::WouldBlock {
                        return Poll::Ready(Err(error));
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Plain {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.rest().is_empty() {
            return either!(&mut this.wire, socket => Pin::new(socket).poll_read(cx, buf));
        }
        let n = this.rest().len().min(buf.remaining());
        buf.put_slice(this.rest().get(..n).unwrap_or_default());
        this.take(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Plain {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_front(cx))?;
        Poll::Ready(Ok(this.rest()))
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().take(n);
    }
}

impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(&mut self.get_mut().wire, socket => Pin::new(socket).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(&mut self.get_mut().wire, socket => Pin::new(socket).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.get_mut().wire, socket => Pin::new(socket).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut self.get_mut().wire, socket => Pin::new(socket).poll_shutdown(cx))
    }
}

/// A listening socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, std::path::PathBuf),
    /// Whose name is the service manager's.
    #[cfg(unix)]
    PassedUnix(UnixListener),
}

impl Socket {
    pub(super) async fn bind(at: &Address) -> io::Result<Self> {
        match at {
            Address::Tcp(at) => match at.strip_prefix(':') {
                // A host without IPv6 has no `[::]`.
                Some(port) => match TcpListener::bind(format!("[::]:{port}")).await {
                    Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                        TcpListener::bind(format!("0.0.0.0:{port}")).await.map(Self::Tcp)
                    }
                    outcome => outcome.map(Self::Tcp),
                },
                None => TcpListener::bind(at.as_str()).await.map(Self::Tcp),
            },
            #[cfg(unix)]
            Address::Unix(path) => {
                let bound = match UnixListener::bind(path) {
                    // Where nobody answers any more, a server has left its name behind.
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                        let left = UnixStream::connect(path).await;
                        if left.is_ok() {
                            return Err(error);
                        }
                        std::fs::remove_file(path)?;
                        UnixListener::bind(path)
                    }
                    outcome => outcome,
                };
                Ok(Self::Unix(bound?, path.clone()))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            Address::Passed(number) => passed(*number),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Wire, Peer)> {
        match self {
            Self::Tcp(listener) => {
                listener.accept().await.map(|(tcp, peer)| (Wire::tcp(tcp), Peer(Some(canonical(peer)))))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) | Self::PassedUnix(listener) => {
                listener.accept().await.map(|(unix, _)| (Wire::Unix(unix), Peer(None)))
            }
        }
    }

    /// Where it listens, with the port that the system has chosen.
    pub(super) fn at(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Tcp(listener) => Address::Tcp(listener.local_addr()?.to_string()),
            #[cfg(unix)]
            Self::Unix(_, path) => Address::Unix(path.clone()),
            #[cfg(unix)]
            Self::PassedUnix(listener) => {
                Address::Unix(listener.local_addr()?.as_pathname().unwrap_or(std::path::Path::new("")).to_owned())
            }
        })
    }
}

#[cfg(unix)]
impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Somebody may have put another there by now, or taken it away.
            let _gone = std::fs::remove_file(path);
        }
    }
}

/// An IPv4 address that came by an IPv6 socket is one all the same.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A socket that was opened for us (sd_listen_fds). Each is had once.
fn passed(number: usize) -> io::Result<Socket> {
    static ALL: LazyLock<Mutex<ListenFd>> = LazyLock::new(|| Mutex::new(ListenFd::from_env()));
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let none =
        || io::Error::new(io::ErrorKind::NotFound, "no socket of this number was passed, or it was taken before");
    match all.take_tcp_listener(number) {
        Ok(listener) => {
            let listener = listener.ok_or_else(none)?;
            listener.set_nonblocking(true)?;
            Ok(Socket::Tcp(TcpListener::from_std(listener)?))
        }
        #[cfg(unix)]
        Err(_) => {
            let listener = all.take_unix_listener(number)?.ok_or_else(none)?;
            listener.set_nonblocking(true)?;
            Ok(Socket::PassedUnix(UnixListener::from_std(listener)?))
        }
        #[cfg(not(unix))]
        Err(error) => Err(error),
    }
}

/// Who has connected; nothing is known of who came by a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer(pub(super) Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => write!(f, "{address}"),
            None => f.write_str("unix"),
        }
    }
}
