//! Many clients at once.

use crate::acceptor::LINGER;
use crate::{Acceptor, TlsStream};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Sleep;

/// Handshakes that go on at once, unless another number is said.
const HANDSHAKES: usize = 1024;
/// How long to wait where the system has no socket to give: out of file descriptors, say.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts TLS clients of a TCP listener, their handshakes side by side: one that is slow holds up no other.
///
/// ```no_run
/// # async fn run(config: std::sync::Arc<clasp::ServerConfig>) -> std::io::Result<()> {
/// let tcp = tokio::net::TcpListener::bind("[::]:443").await?;
/// let mut listener = clasp_tokio::Listener::new(tcp, clasp_tokio::Acceptor::new(config))
///     .on_error(|peer, error| eprintln!("{peer:?}: {error}"));
/// loop {
///     let (tls, peer) = listener.accept().await;
///     tokio::spawn(async move { /* serve `tls` */ drop((tls, peer)) });
/// }
/// # }
/// ```
///
/// What goes wrong is told to [`on_error`](Self::on_error), and the next is accepted: a client that is refused, a client that
/// leaves, a system without file descriptors, a verifier of the application's own that panics. A handshake takes as long as the acceptor's
/// [`TimeLimits`](clasp::TimeLimits) say. Dropping the listener ends the handshakes that are going on. It works in a tokio
/// runtime with timers and IO.
pub struct Listener {
    tcp: TcpListener,
    acceptor: Acceptor,
    handshakes: JoinSet<Outcome>,
    most: usize,
    no_delay: bool,
    on_error: Option<Box<OnError>>,
    pause: Option<Pin<Box<Sleep>>>,
}

type Outcome = Result<(TlsStream<TcpStream>, SocketAddr), (io::Error, SocketAddr)>;
type OnError = dyn Fn(Option<SocketAddr>, &io::Error) + Send + Sync;

impl Listener {
    /// Up to 1024 handshakes at once; sockets without Nagle's delay.
    pub fn new(tcp: TcpListener, acceptor: Acceptor) -> Self {
        Self {
            tcp,
            acceptor,
            handshakes: JoinSet::new(),
            most: HANDSHAKES,
            no_delay: true,
            on_error: None,
            pause: None,
        }
    }

    /// How many handshakes may go on at once; those that are done and that nobody has taken yet count too. Further clients
    /// wait in the system's queue. Less than 1 counts as 1.
    #[must_use]
    pub fn max_handshakes(mut self, most: usize) -> Self {
        self.most = most.max(1);
        self
    }

    /// Whether sockets are without Nagle's delay (`TCP_NODELAY`); on by default: what is written is written to be sent.
    #[must_use]
    pub fn no_delay(mut self, yes: bool) -> Self {
        self.no_delay = yes;
        self
    }

    /// Who is told what went wrong, and with which client, if it is known: [`clasp::Error`] inside the error, where it was
    /// TLS. Without it nobody is told.
    #[must_use]
    pub fn on_error(mut self, tell: impl Fn(Option<SocketAddr>, &io::Error) + Send + Sync + 'static) -> Self {
        self.on_error = Some(Box::new(tell));
        self
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// The next client whose handshake is done. Cancellation safe: handshakes go on, and none is lost.
    pub async fn accept(&mut self) -> (TlsStream<TcpStream>, SocketAddr) {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// As [`accept`](Self::accept), for whoever polls.
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<(TlsStream<TcpStream>, SocketAddr)> {
        loop {
            self.poll_begin(cx);
            // One that is done makes room for the next.
            match self.handshakes.poll_join_next(cx) {
                Poll::Ready(Some(Ok(Ok(done)))) => return Poll::Ready(done),
                Poll::Ready(Some(Ok(Err((error, peer))))) => self.tell(Some(peer), &error),
                // What a client can bring about in one handshake must not end the others: its task alone has panicked.
                Poll::Ready(Some(Err(ended))) => self.tell(None, &io::Error::other(ended)),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Begins as many handshakes as there are clients, and room for.
    fn poll_begin(&mut self, cx: &mut Context<'_>) {
        while self.handshakes.len() < self.most {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return;
                }
                self.pause = None;
            }
            match self.tcp.poll_accept(cx) {
                Poll::Ready(Ok((tcp, peer))) => self.begin(tcp, peer),
                Poll::Ready(Err(error)) => {
                    // What is about the client that just left is no reason to wait.
                    if !is_of_client(&error) {
                        self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
                    }
                    self.tell(None, &error);
                }
                Poll::Pending => return,
            }
        }
    }

    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) {
        let acceptor = self.acceptor.clone();
        // A socket that takes no option is one whose peer has left: the handshake will say so.
        let _left = tcp.set_nodelay(self.no_delay);
        self.handshakes.spawn(async move {
            match acceptor.accept(tcp).await {
                Ok(tls) => Ok((tls, peer)),
                // There are timers, whatever the limits: nobody keeps a seat by not closing.
                Err(refused) => Err((refused.close_within(Some(LINGER)).await, peer)),
            }
        });
    }

    fn tell(&self, peer: Option<SocketAddr>, error: &io::Error) {
        if let Some(tell) = &self.on_error {
            tell(peer, error);
        }
    }
}

/// Whether the client is the reason, and not the system.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("tcp", &self.tcp)
            .field("handshakes", &self.handshakes.len())
            .finish_non_exhaustive()
    }
}
