//! A served connection's socket: what one turn of the connection says leaves together, and it closes so that our last words
//! arrive.

use super::backlog::Backlog;
use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;

/// The socket as TLS sees it. What is written is held back until the turn ends: a ticket, an answer and a close_notify are
/// one call of the kernel then, and so are the answers to many requests.
pub(super) struct Lent(Arc<Mutex<Socket>>);

/// The socket as its connection's task sees it.
pub(super) struct End(Arc<Mutex<Socket>>);

struct Socket {
    tcp: TcpStream,
    held: Vec<u8>,
    backlog: Backlog,
    /// Why what was held could not be sent, for the next who writes.
    failed: Option<io::Error>,
    /// Our side has been closed, and the peer's.
    closed: Closed,
}

/// Which directions of a socket have come to their end.
#[derive(Clone, Copy, Default)]
struct Closed {
    ours: bool,
    peers: bool,
}

/// Bytes that are held back at most.
const MOST: usize = 32 << 10;

thread_local! {
    /// Memory to gather a turn's bytes in. Where nothing is left over, the next turn on this thread has it again.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends a socket.
pub(super) fn lend(tcp: TcpStream) -> (Lent, End) {
    // What is sent has been gathered already; a socket that refuses works all the same.
    let _unset = tcp.set_nodelay(true);
    let socket = Socket { tcp, held: Vec::new(), backlog: Backlog::default(), failed: None, closed: Closed::default() };
    let socket = Arc::new(Mutex::new(socket));
    (Lent(Arc::clone(&socket)), End(socket))
}

fn lock(socket: &Mutex<Socket>) -> MutexGuard<'_, Socket> {
    socket.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Socket {
    /// Sends what is held.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let n = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.held))?;
            self.held.drain(..n);
            self.backlog.take(n);
        }
        self.backlog.set(false);
        if self.held.capacity() > 0 {
            SPARE.set(core::mem::take(&mut self.held));
        }
        Poll::Ready(Ok(()))
    }

    /// Half-closes and reads what is left, so that our alert arrives and no reset overtakes it.
    async fn drain(mut self) -> io::Result<()> {
        self.tcp.write_all(&self.held).await?;
        // What the peer said last has been read: a close resets nothing.
        if self.closed.peers {
            return Ok(());
        }
        if !self.closed.ours {
            self.tcp.shutdown().await?;
        }
        let mut enough = 1 << 20;
        loop {
            let ready = self.tcp.ready(Interest::READABLE).await?;
            // After its end nothing more comes than what is there.
            if skip(&self.tcp, &mut enough)? || ready.is_read_closed() || enough == 0 {
                return Ok(());
            }
        }
    }
}

/// Reads what is there. True at the end.
fn skip(tcp: &TcpStream, enough: &mut usize) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    while *enough > 0 {
        match tcp.try_read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(n) => {
                *enough = enough.saturating_sub(n);
                if n < buffer.len() {
                    return Ok(false);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(e),
        }
    }
    Ok(false)
}

impl End {
    /// Runs what has the [`Lent`] end, and sends what each of its turns left.
    pub(super) async fn turns<T>(&self, talk: impl Future<Output = T>) -> T {
        let mut talk = pin!(talk);
        poll_fn(|cx| {
            let outcome = talk.as_mut().poll(cx);
            let mut socket = lock(&self.0);
            if let Poll::Ready(Err(error)) = socket.poll_out(cx) {
                socket.held = Vec::new();
                socket.backlog.set(false);
                socket.failed = Some(error);
            }
            outcome
        })
        .await
    }

    /// Closes, once the other end has been dropped.
    pub(super) async fn drain(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        if let Some(socket) = Arc::into_inner(self.0) {
            let socket = socket.into_inner().unwrap_or_else(PoisonError::into_inner);
            // The peer has been told, or is gone; how its side ends is its own affair.
            let _ended = tokio::time::timeout(PATIENCE, socket.drain()).await;
        }
    }
}

impl Lent {
    pub(super) fn backlog(&self) -> Backlog {
        lock(&self.0).backlog.clone()
    }
}

impl AsyncRead for Lent {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut socket = lock(&self.0);
        let (before, room) = (buf.filled().len(), buf.remaining());
        let outcome = Pin::new(&mut socket.tcp).poll_read(cx, buf);
        if matches!(outcome, Poll::Ready(Ok(()))) && buf.filled().len() == before && room > 0 {
            socket.closed.peers = true;
        }
        outcome
    }
}

impl AsyncWrite for Lent {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut socket = lock(&self.0);
        if let Some(error) = socket.failed.take() {
            return Poll::Ready(Err(error));
        }
        if socket.held.len() + buf.len() <= MOST {
            if socket.held.capacity() == 0 {
                socket.held = SPARE.take();
            }
            socket.held.extend_from_slice(buf);
            socket.backlog.set(true);
            return Poll::Ready(Ok(buf.len()));
        }
        ready!(socket.poll_out(cx))?;
        Pin::new(&mut socket.tcp).poll_write(cx, buf)
    }

    /// Nothing: the turn that asks for it ends soon. What the kernel does not take then is the [`Backlog`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = lock(&self.0);
        ready!(socket.poll_out(cx))?;
        let outcome = Pin::new(&mut socket.tcp).poll_shutdown(cx);
        socket.closed.ours |= matches!(outcome, Poll::Ready(Ok(())));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn sockets() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn a_client_that_still_speaks_gets_our_last_words() {
        for shut in [false, true] {
            let (mut client, server) = sockets().await;
            let (mut lent, end) = lend(server);
            client.write_all(&[7; 100_000]).await.unwrap();
            lent.write_all(b"last words").await.unwrap();
            if shut {
                lent.shutdown().await.unwrap();
            }
            drop(lent);
            let mut said = Vec::new();
            let hear = async {
                client.read_to_end(&mut said).await.unwrap();
                drop(client);
            };
            tokio::join!(end.drain(), hear);
            assert_eq!(said, b"last words");
        }
    }

    #[tokio::test]
    async fn a_client_that_has_closed_is_not_waited_for() {
        let (mut client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        client.write_all(b"all").await.unwrap();
        client.shutdown().await.unwrap();
        // No room is no end.
        assert_eq!(lent.read(&mut []).await.unwrap(), 0);
        assert!(!lock(&end.0).closed.peers);
        let mut all = Vec::new();
        lent.read_to_end(&mut all).await.unwrap();
        assert!(lock(&end.0).closed.peers);
        lent.write_all(b"last words").await.unwrap();
        drop(lent);
        end.drain().await;
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"last words");
    }

    #[tokio::test]
    async fn what_a_turn_says_leaves_when_it_ends() {
        let (mut client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        for part in [&b"a ticket, "[..], b"an answer, ", b"a goodbye"] {
            lent.write_all(part).await.unwrap();
            lent.flush().await.unwrap();
        }
        assert_eq!(lock(&end.0).held, b"a ticket, an answer, a goodbye");
        end.turns(core::future::ready(())).await;
        assert!(lock(&end.0).held.is_empty());
        let mut said = [0; 30];
        client.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"a ticket, an answer, a goodbye");
    }

    #[tokio::test]
    async fn more_than_is_held_goes_out_in_order() {
        let (mut client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        // More than a socket takes, in pieces of all sizes.
        let sizes: Vec<usize> = (0..400).map(|n| n * 97 % 40_000).collect();
        let all: Vec<u8> = (0..251).cycle().take(sizes.iter().sum()).collect();
        let say = async {
            let mut rest = &all[..];
            for &size in &sizes {
                let (now, later) = rest.split_at(size);
                lent.write_all(now).await.unwrap();
                rest = later;
            }
            lent.shutdown().await.unwrap();
        };
        let mut said = Vec::new();
        let (_, heard) = tokio::join!(end.turns(say), client.read_to_end(&mut said));
        heard.unwrap();
        assert!(said == all, "{} bytes of {}", said.len(), all.len());
    }

    #[tokio::test]
    async fn what_the_kernel_does_not_take_is_known_until_it_does() {
        let (mut client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        let backlog = lent.backlog();
        let mut said = 0;
        // A turn each, until nothing more fits: flushed is not gone.
        while !backlog.is_any() {
            let turn = async {
                lent.write_all(&[7; 16 << 10]).await.unwrap();
                lent.flush().await.unwrap();
            };
            end.turns(turn).await;
            said += 16 << 10;
        }
        let taken = backlog.taken();
        let mut heard = vec![0; said];
        let gone = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if backlog.is_any() { Poll::Pending } else { Poll::Ready(()) }
        });
        let both = async { tokio::join!(end.turns(gone), client.read_exact(&mut heard)).1.map(drop) };
        tokio::time::timeout(Duration::from_secs(30), both).await.unwrap().unwrap();
        assert!(backlog.taken() > taken && !backlog.is_any());
        assert!(heard.iter().all(|byte| *byte == 7));
    }

    #[tokio::test]
    async fn what_could_not_be_sent_is_an_error_for_the_next_writer() {
        let (client, server) = sockets().await;
        let (mut lent, end) = lend(server);
        // A close with bytes unread is a reset.
        lent.write_all(b"unread").await.unwrap();
        end.turns(core::future::ready(())).await;
        client.readable().await.unwrap();
        drop(client);
        lent.read(&mut [0]).await.unwrap_err();
        lent.write_all(b"more").await.unwrap();
        end.turns(core::future::ready(())).await;
        assert!(lent.write_all(b"more").await.is_err());
    }
}
