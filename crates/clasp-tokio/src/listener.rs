//! Many clients at once.

use crate::acceptor::LINGER;
use crate::time::Timer;
use crate::{AcceptError, Acceptor, TlsStream};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::{Context, Poll};
use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, Sleep};

/// Handshakes that go on at once, unless another number is said.
const HANDSHAKES: usize = 1024;
/// How long a client may take until its hello is whole, unless another time is said: a round trip, with a lost packet or two.
const HELLO: Duration = Duration::from_secs(5);
/// For how long a client without a hello keeps its seat for certain. Of many who come at once from afar none makes way for the next.
const GRACE: Duration = Duration::from_secs(1);
/// How long to wait where the system has no socket to give: out of file descriptors, say.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts TLS clients of a TCP listener, their handshakes side by side, and so many at once and no more. Who says nothing holds up
/// no other: a client has five seconds until its hello is whole ([`hello_within`](Self::hello_within)), and where every seat is taken,
/// whoever has sat there the longest without one, and for a second at least, makes way. A client that has said hello keeps its seat
/// as long as a handshake may take.
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
    hello: Duration,
    /// Those who have not said hello, in the order in which they came, and others that have since.
    silent: VecDeque<Seat>,
    /// Those who made way, until their tasks have ended.
    gone: HashMap<Id, SocketAddr>,
    /// Until somebody may have to make way.
    grace: Option<Pin<Box<Sleep>>>,
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
            hello: HELLO,
            silent: VecDeque::new(),
            gone: HashMap::new(),
            grace: None,
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

    /// How long a client may take until its hello is whole; five seconds by default. The acceptor's limits hold beside it.
    #[must_use]
    pub fn hello_within(mut self, limit: Duration) -> Self {
        self.hello = limit;
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
            let ended = match self.handshakes.poll_join_next_with_id(cx) {
                Poll::Ready(Some(ended)) => ended,
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            };
            let gone = self.gone.remove(&ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id));
            self.forget_safe();
            match ended {
                Ok((_, Ok(done))) => return Poll::Ready(done),
                Ok((_, Err((error, peer)))) => self.tell(Some(peer), &error),
                Err(ended) if ended.is_cancelled() => {
                    let words = "it had not said hello, and made way for another client (Listener::max_handshakes)";
                    self.tell(gone, &io::Error::new(io::ErrorKind::TimedOut, words));
                }
                // What a client can bring about in one handshake must not end the others: its task alone has panicked.
                Err(panicked) => self.tell(None, &io::Error::other(panicked)),
            }
        }
    }

    /// Begins as many handshakes as there are clients, and room for.
    fn poll_begin(&mut self, cx: &mut Context<'_>) {
        while self.has_room(cx) {
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

    fn has_free_seats(&self) -> bool {
        self.handshakes.len().saturating_sub(self.gone.len()) < self.most
    }

    /// Whether there is a seat for another client, or somebody who would make way.
    fn has_room(&mut self, cx: &mut Context<'_>) -> bool {
        if self.has_free_seats() {
            return true;
        }
        self.forget_safe();
        let Some(longest) = self.silent.front() else { return false };
        if longest.since.elapsed() >= GRACE {
            return true;
        }
        let until = longest.since + GRACE;
        let grace = self.grace.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        grace.as_mut().reset(until);
        grace.as_mut().poll(cx).is_ready()
    }

    /// Those who need not make way, up to the first who has to. A handle keeps the memory of a task that has ended.
    fn forget_safe(&mut self) {
        while self.silent.front().is_some_and(Seat::is_safe) {
            self.silent.pop_front();
        }
    }

    /// Has whoever has been silent for the longest make way, if there is no seat else.
    fn make_room(&mut self) {
        if !self.has_free_seats()
            && let Some(longest) = self.silent.pop_front()
        {
            longest.task.abort();
            self.gone.insert(longest.task.id(), longest.peer);
        }
    }

    fn begin(&mut self, tcp: TcpStream, peer: SocketAddr) {
        self.make_room();
        let acceptor = self.acceptor.clone();
        // A socket that takes no option is one whose peer has left: the handshake will say so.
        let _left = tcp.set_nodelay(self.no_delay);
        let heard = Arc::new(AtomicBool::new(false));
        let (hears, hello) = (heard.clone(), self.hello);
        let task = self.handshakes.spawn(async move {
            match accept(&acceptor, tcp, hello, &hears).await {
                Ok(tls) => Ok((tls, peer)),
                // There are timers, whatever the limits: nobody keeps a seat by not closing.
                Err(refused) => Err((refused.close_within(Some(LINGER)).await, peer)),
            }
        });
        self.silent.push_back(Seat { heard, since: Instant::now(), task, peer });
        // Behind one that is silent there may be many that have spoken.
        if self.silent.len() > self.most.saturating_mul(2) {
            self.silent.retain(|seat| !seat.is_safe());
        }
    }

    fn tell(&self, peer: Option<SocketAddr>, error: &io::Error) {
        if let Some(tell) = &self.on_error {
            tell(peer, error);
        }
    }
}

/// A client that has not said hello yet, as far as is known.
struct Seat {
    heard: Arc<AtomicBool>,
    since: Instant,
    task: AbortHandle,
    peer: SocketAddr,
}

impl Seat {
    /// It has said hello, or is gone.
    fn is_safe(&self) -> bool {
        self.heard.load(Relaxed) || self.task.is_finished()
    }
}

/// Reads the hello in its time, and does the rest in that of a handshake, which began with the hello.
async fn accept(
    acceptor: &Acceptor,
    tcp: TcpStream,
    hello: Duration,
    heard: &AtomicBool,
) -> Result<TlsStream<TcpStream>, AcceptError<TcpStream>> {
    let limit = acceptor.limits().for_handshake();
    let timer = Timer::new(limit);
    let mut stream = acceptor.begin(tcp);
    let came = stream.hello_within(Timer::new(Some(limit.map_or(hello, |limit| limit.min(hello))))).await;
    if came.is_err() {
        return stream.outcome(came);
    }
    heard.store(true, Relaxed);
    stream.accepted_within(timer).await
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
