//! Connections from clients.

use crate::TlsStream;
use crate::time::Timer;
use clasp::code::AlertDescription;
use clasp::hello::HelloReader;
use clasp::{Error, ServerConfig, TimeLimits};
use core::fmt;
use core::pin::pin;
use core::task::Poll;
use std::future::{Future as _, poll_fn};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// How long a client that was refused may take to close, and what it may say meanwhile, in bytes.
pub(crate) const LINGER: Duration = Duration::from_secs(2);
const MOST_DRAINED: usize = 1 << 20;

/// Takes TLS connections from clients.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    limits: TimeLimits,
    hello_limit: usize,
}

impl Acceptor {
    /// With this configuration.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        Self { config, limits: TimeLimits::default(), hello_limit: HelloReader::default().limit_bytes() }
    }

    /// With other limits than the usual ones, for the handshakes and for what is awaited later.
    #[must_use]
    pub fn with_limits(self, limits: TimeLimits) -> Self {
        Self { limits, ..self }
    }

    /// How much a client may send until [`peek`](Self::peek) has its hello whole, in bytes; 16 KiB by default.
    #[must_use]
    pub fn hello_limit(self, bytes: usize) -> Self {
        Self { hello_limit: bytes, ..self }
    }

    pub(crate) fn begin<T: AsyncRead + AsyncWrite + Unpin>(&self, transport: T) -> TlsStream<T> {
        TlsStream::new(self.config.accept(), transport, self.limits)
    }

    pub(crate) const fn limits(&self) -> TimeLimits {
        self.limits
    }

    pub(crate) const fn hello_bytes(&self) -> usize {
        self.hello_limit
    }

    /// Completes a handshake with a client. On failure the transport has been given the alert, unless it has not taken it
    /// within a second (at once, without limits), and is given back so that it can be closed in a way in which the alert
    /// arrives.
    ///
    /// # Errors
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`]; with the transport. `?` makes an [`io::Error`] of it.
    pub async fn accept<T>(&self, transport: T) -> Result<TlsStream<T>, AcceptError<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        self.begin(transport).accepted().await
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> TlsStream<T> {
    /// Completes the handshake, or gives the transport back.
    pub(crate) async fn accepted(self) -> Result<Self, AcceptError<T>> {
        let timer = Timer::new(self.limits().for_handshake());
        self.accepted_within(timer).await
    }

    /// The same, in what is left of this time.
    pub(crate) async fn accepted_within(mut self, timer: Timer) -> Result<Self, AcceptError<T>> {
        let done = self.handshake_within(timer).await;
        self.outcome(done)
    }

    /// Turns the peer away after its handshake with this alert: `access_denied`, say, where its certificate is good and its holder
    /// is not let in. The transport has a second to take it (at once, without limits); the [`AcceptError`] has the transport, and
    /// [closes](AcceptError::close) it in a way in which the alert arrives.
    ///
    /// ```no_run
    /// # async fn serve(acceptor: clasp_tokio::Acceptor, tcp: tokio::net::TcpStream) -> std::io::Result<()> {
    /// use clasp::code::AlertDescription;
    /// let tls = acceptor.accept(tcp).await?;
    /// if tls.facts().peer_identifiers().is_empty() {
    ///     return Err(tls.refuse(AlertDescription::AccessDenied).await.close().await);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn refuse(mut self, alert: AlertDescription) -> AcceptError<T> {
        // A connection that has failed already has said why.
        let _said_before = self.exchange().call(|connection, out| connection.abort(alert, out));
        self.last_words().await;
        let limits = self.limits();
        AcceptError { error: Error::refused(alert).into(), transport: self.into_parts().1, limits }
    }

    /// What has become of the handshake, or of its beginning.
    pub(crate) fn outcome(self, done: io::Result<()>) -> Result<Self, AcceptError<T>> {
        match done {
            Ok(()) => Ok(self),
            Err(error) => {
                let limits = self.limits();
                Err(AcceptError { error, transport: self.into_parts().1, limits })
            }
        }
    }
}

/// Why a client was not accepted, and the transport on which it came.
///
/// ```no_run
/// # async fn serve(acceptor: clasp_tokio::Acceptor, tcp: tokio::net::TcpStream) -> std::io::Result<()> {
/// let tls = acceptor.accept(tcp).await?; // as an io::Error
/// # Ok(()) }
/// ```
pub struct AcceptError<T> {
    pub(crate) error: io::Error,
    pub(crate) transport: T,
    /// Where there are none, there may be no timers.
    pub(crate) limits: TimeLimits,
}

impl<T> AcceptError<T> {
    /// The transport's error, or [`clasp::Error`] inside an [`io::Error`].
    pub const fn error(&self) -> &io::Error {
        &self.error
    }

    /// The transport, so that it can be closed in a way in which the alert arrives.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Both.
    pub fn into_parts(self) -> (io::Error, T) {
        (self.error, self.transport)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AcceptError<T> {
    /// Closes the transport in a way in which the alert arrives: its sending side, and then the rest, when the client has
    /// closed too, or has said 1 MiB more, or two seconds have passed (not with [`TimeLimits::none`], nor where there is no
    /// timer). A socket that is closed with something unread is reset, and the reset may overtake the alert. Gives the error.
    pub async fn close(self) -> io::Error {
        let limit = (self.limits != TimeLimits::none()).then_some(LINGER);
        self.close_within(limit).await
    }

    pub(crate) async fn close_within(mut self, limit: Option<Duration>) -> io::Error {
        let mut timer = Timer::new(limit);
        let mut closing = pin!(drained(&mut self.transport));
        poll_fn(|cx| match closing.as_mut().poll(cx) {
            Poll::Pending => timer.poll(cx),
            // How the client ends is its own affair.
            Poll::Ready(_) => Poll::Ready(()),
        })
        .await;
        self.error
    }
}

async fn drained<T: AsyncRead + AsyncWrite + Unpin>(transport: &mut T) -> io::Result<()> {
    transport.shutdown().await?;
    let mut left = MOST_DRAINED;
    let mut buffer = vec![0; 4096];
    while left > 0 {
        match transport.read(&mut buffer).await? {
            0 => break,
            n => left = left.saturating_sub(n),
        }
    }
    Ok(())
}

impl<T> From<AcceptError<T>> for io::Error {
    fn from(refused: AcceptError<T>) -> Self {
        refused.error
    }
}

/// Reads as the error does: whoever unwraps wants to know why. `{:#?}` is the structure.
impl<T> fmt::Debug for AcceptError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { fmt::Debug::fmt(&self.error, f) } else { fmt::Display::fmt(&self.error, f) }
    }
}

impl<T> fmt::Display for AcceptError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<T> std::error::Error for AcceptError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
