//! HTTP/3's streams: what h3 asks of a QUIC connection, from quinn's. h3-quinn is not it: h3 holds a frame until it has come whole, so
//! how long one may be is looked at here, before h3 has it; and a server has to know that an answer has arrived.

mod frames;

use crate::failure::Failure;
use clasp::Facts;
use clasp::code::AlertDescription;
use clasp_quinn::HandshakeData;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use frames::Frames;
use h3::error::Code;
use h3::quic::{self, ConnectionErrorIncoming, StreamErrorIncoming, StreamId, WriteBuf};
use hyper::body::{Buf, Bytes};
use quinn::{ConnectionError, ReadError, VarInt, WriteError};
use std::sync::Arc;

/// The name of HTTP/3 in ALPN (RFC 9114 3.1).
pub(crate) const PROTOCOL: &str = "h3";
/// What a section of fields may have, as RFC 9114 4.2.2 counts.
pub(crate) const FIELDS: u64 = 64 << 10;
/// What is read at once.
const PIECE: usize = 8 << 10;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The next stream, while it is waited for.
struct Next<T>(Option<Boxed<Result<T, ConnectionError>>>);

impl<T> Next<T> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        begin: impl FnOnce() -> Boxed<Result<T, ConnectionError>>,
    ) -> Poll<Result<T, ConnectionError>> {
        let outcome = ready!(self.0.get_or_insert_with(begin).as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(outcome)
    }
}

/// When a stream that we send on counts as finished.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    /// Once all is said.
    Said,
    /// Once the peer has acknowledged all of it.
    Arrived,
}

/// A QUIC connection for h3.
pub(crate) struct Connection {
    quic: quinn::Connection,
    bidi: Next<(quinn::SendStream, quinn::RecvStream)>,
    uni: Next<quinn::RecvStream>,
    opener: Opener,
}

/// What opens streams of one.
pub(crate) struct Opener {
    quic: quinn::Connection,
    finish: Finish,
    bidi: Next<(quinn::SendStream, quinn::RecvStream)>,
    uni: Next<quinn::SendStream>,
}

impl Connection {
    /// A client's.
    pub(crate) fn client(quic: quinn::Connection) -> Self {
        Self::new(quic, Finish::Said)
    }

    /// A server's: an answer is finished when it has arrived.
    pub(crate) fn server(quic: quinn::Connection) -> Self {
        Self::new(quic, Finish::Arrived)
    }

    fn new(quic: quinn::Connection, finish: Finish) -> Self {
        let opener = Opener::new(quic.clone(), finish);
        Self { quic, bidi: Next(None), uni: Next(None), opener }
    }
}

impl Opener {
    const fn new(quic: quinn::Connection, finish: Finish) -> Self {
        Self { quic, finish, bidi: Next(None), uni: Next(None) }
    }
}

impl quic::Connection<Bytes> for Connection {
    type RecvStream = RecvStream;
    type OpenStreams = Opener;

    fn poll_accept_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<RecvStream, ConnectionErrorIncoming>> {
        let quic = &self.quic;
        let accept = || -> Boxed<_> {
            let quic = quic.clone();
            Box::pin(async move { quic.accept_uni().await })
        };
        let stream = ready!(self.uni.poll(cx, accept)).map_err(lost)?;
        Poll::Ready(Ok(RecvStream::new(stream, Frames::of_one_way())))
    }

    fn poll_accept_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<BidiStream, ConnectionErrorIncoming>> {
        let quic = &self.quic;
        let accept = || -> Boxed<_> {
            let quic = quic.clone();
            Box::pin(async move { quic.accept_bi().await })
        };
        let streams = ready!(self.bidi.poll(cx, accept)).map_err(lost)?;
        Poll::Ready(Ok(BidiStream::new(streams, self.opener.finish)))
    }

    fn opener(&self) -> Opener {
        Opener::new(self.quic.clone(), self.opener.finish)
    }
}

impl quic::OpenStreams<Bytes> for Connection {
    type BidiStream = BidiStream;
    type SendStream = SendStream;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<BidiStream, StreamErrorIncoming>> {
        self.opener.poll_open_bidi(cx)
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, StreamErrorIncoming>> {
        self.opener.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.opener.close(code, reason);
    }
}

impl quic::OpenStreams<Bytes> for Opener {
    type BidiStream = BidiStream;
    type SendStream = SendStream;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<BidiStream, StreamErrorIncoming>> {
        let quic = &self.quic;
        let open = || -> Boxed<_> {
            let quic = quic.clone();
            Box::pin(async move { quic.open_bi().await })
        };
        let streams = ready!(self.bidi.poll(cx, open)).map_err(lost_stream)?;
        Poll::Ready(Ok(BidiStream::new(streams, self.finish)))
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<SendStream, StreamErrorIncoming>> {
        let quic = &self.quic;
        let open = || -> Boxed<_> {
            let quic = quic.clone();
            Box::pin(async move { quic.open_uni().await })
        };
        let stream = ready!(self.uni.poll(cx, open)).map_err(lost_stream)?;
        Poll::Ready(Ok(SendStream::new(stream, self.finish)))
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.quic.close(error_code(code.value()), reason);
    }
}

/// As quinn has it. None of HTTP/3's is too large.
fn error_code(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::MAX)
}

/// The end of a connection that nobody wants anything more of.
pub(crate) fn in_peace() -> VarInt {
    error_code(Code::H3_NO_ERROR.value())
}

fn lost(error: ConnectionError) -> ConnectionErrorIncoming {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            ConnectionErrorIncoming::ApplicationClose { error_code: close.error_code.into() }
        }
        ConnectionError::TimedOut => ConnectionErrorIncoming::Timeout,
        error => ConnectionErrorIncoming::Undefined(Arc::new(error)),
    }
}

fn lost_stream(error: ConnectionError) -> StreamErrorIncoming {
    StreamErrorIncoming::ConnectionErrorIncoming { connection_error: lost(error) }
}

/// A stream of both directions.
pub(crate) struct BidiStream {
    send: SendStream,
    receive: RecvStream,
}

impl BidiStream {
    fn new((send, receive): (quinn::SendStream, quinn::RecvStream), finish: Finish) -> Self {
        let receive = RecvStream::new(receive, Frames::of_request());
        Self { send: SendStream::new(send, finish), receive }
    }
}

impl quic::BidiStream<Bytes> for BidiStream {
    type SendStream = SendStream;
    type RecvStream = RecvStream;

    fn split(self) -> (SendStream, RecvStream) {
        (self.send, self.receive)
    }
}

impl quic::RecvStream for BidiStream {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        self.receive.poll_data(cx)
    }

    fn stop_sending(&mut self, code: u64) {
        self.receive.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.receive.recv_id()
    }
}

impl quic::SendStream<Bytes> for BidiStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.send.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_finish(cx)
    }

    fn reset(&mut self, code: u64) {
        self.send.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.send.send_id()
    }
}

/// A stream's number. QUIC has none that is none of HTTP/3's.
fn id(number: quinn::StreamId) -> StreamId {
    StreamId::try_from(u64::from(number)).unwrap_or_else(|_| unreachable!("{number}"))
}

/// A stream that the peer sends on.
pub(crate) struct RecvStream {
    stream: quinn::RecvStream,
    frames: Frames,
    /// All has come, or no more is wanted.
    is_over: bool,
}

impl RecvStream {
    const fn new(stream: quinn::RecvStream, frames: Frames) -> Self {
        Self { stream, frames, is_over: false }
    }

    fn stop(&mut self, code: Code) {
        quic::RecvStream::stop_sending(self, code.value());
    }
}

impl quic::RecvStream for RecvStream {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        let mut buffer = [0; PIECE];
        let count = match ready!(self.stream.poll_read(cx, &mut buffer)) {
            Ok(count) => count,
            Err(error) => {
                self.is_over = true;
                return Poll::Ready(Err(match error {
                    ReadError::Reset(code) => StreamErrorIncoming::StreamTerminated { error_code: code.into() },
                    ReadError::ConnectionLost(error) => lost_stream(error),
                    error => StreamErrorIncoming::Unknown(Box::new(error)),
                }));
            }
        };
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            self.is_over = true;
            return Poll::Ready(Ok(None));
        }
        if self.frames.follow(piece).is_err() {
            // h3 drops a request of which this is said, and a connection whose control stream it is.
            self.stop(Code::H3_EXCESSIVE_LOAD);
            return Poll::Ready(Err(StreamErrorIncoming::StreamTerminated {
                error_code: Code::H3_EXCESSIVE_LOAD.value(),
            }));
        }
        Poll::Ready(Ok(Some(Bytes::copy_from_slice(piece))))
    }

    fn stop_sending(&mut self, code: u64) {
        self.is_over = true;
        // One that has ended already needs no stop.
        let _ended = self.stream.stop(error_code(code));
    }

    fn recv_id(&self) -> StreamId {
        id(self.stream.id())
    }
}

impl Drop for RecvStream {
    /// quinn would say 0, which is no error of HTTP/3 (RFC 9114 8.1).
    fn drop(&mut self) {
        if !self.is_over {
            self.stop(Code::H3_NO_ERROR);
        }
    }
}

/// A stream that we send on.
pub(crate) struct SendStream {
    stream: quinn::SendStream,
    writing: Option<WriteBuf<Bytes>>,
    finish: Finish,
    /// Finished, or reset.
    is_over: bool,
    arriving: Option<Boxed<Result<Option<VarInt>, quinn::StoppedError>>>,
}

impl SendStream {
    const fn new(stream: quinn::SendStream, finish: Finish) -> Self {
        Self { stream, writing: None, finish, is_over: false, arriving: None }
    }
}

impl quic::SendStream<Bytes> for SendStream {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        while let Some(data) = self.writing.as_mut().filter(|data| data.has_remaining()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, data.chunk())) {
                Ok(count) => data.advance(count),
                Err(error) => {
                    return Poll::Ready(Err(match error {
                        WriteError::Stopped(code) => StreamErrorIncoming::StreamTerminated { error_code: code.into() },
                        WriteError::ConnectionLost(error) => lost_stream(error),
                        error => StreamErrorIncoming::Unknown(Box::new(error)),
                    }));
                }
            }
        }
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        if self.writing.is_some() {
            let misused = ConnectionErrorIncoming::InternalError("more is said than there is room for".into());
            return Err(StreamErrorIncoming::ConnectionErrorIncoming { connection_error: misused });
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        if !self.is_over {
            self.is_over = true;
            if let Err(error) = self.stream.finish() {
                return Poll::Ready(Err(StreamErrorIncoming::Unknown(Box::new(error))));
            }
        }
        if self.finish == Finish::Said {
            return Poll::Ready(Ok(()));
        }
        let stream = &self.stream;
        let arriving = self.arriving.get_or_insert_with(|| Box::pin(stream.stopped()));
        // Who stops us has as much of it as is wanted; who has gone, no use for it.
        let _arrived = ready!(arriving.as_mut().poll(cx));
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self, code: u64) {
        self.is_over = true;
        // One that has ended already needs no reset.
        let _ended = self.stream.reset(error_code(code));
    }

    fn send_id(&self) -> StreamId {
        id(self.stream.id())
    }
}

impl Drop for SendStream {
    /// quinn would finish it, and what was cut off would look whole.
    fn drop(&mut self) {
        if !self.is_over {
            quic::SendStream::reset(self, Code::H3_REQUEST_CANCELLED.value());
        }
    }
}

/// What its handshake settled; none before it is done.
pub(crate) fn facts(quic: &quinn::Connection) -> Option<Arc<Facts>> {
    quic.handshake_data()?.downcast::<HandshakeData>().ok()?.facts
}

/// What a connection ended with, in the words that TLS over TCP has for it.
pub(crate) enum End {
    /// In peace: nobody wanted anything more.
    InPeace,
    /// TLS refused, on the one side or the other: what the peer says comes as an alert.
    Alert(clasp::Error),
    /// No packet came for too long.
    Silence,
    /// There is no way to it.
    Unreachable(Failure),
    Otherwise(Failure),
}

/// Tells what ended a connection.
pub(crate) fn end(error: &ConnectionError) -> End {
    match error {
        ConnectionError::LocallyClosed => End::InPeace,
        ConnectionError::ApplicationClosed(close) if Code::from(u64::from(close.error_code)) == Code::H3_NO_ERROR => {
            End::InPeace
        }
        ConnectionError::ApplicationClosed(close) => {
            let code = Code::from(u64::from(close.error_code));
            End::Otherwise(Failure::no(format_args!("the peer closed the connection: HTTP/3's {code}")))
        }
        ConnectionError::ConnectionClosed(close) => match clasp::quic::alert_of(u64::from(close.error_code)) {
            Some(alert) => End::Alert(alert.into()),
            None => End::Otherwise(Failure::no(format_args!("the peer closed the connection: {close}"))),
        },
        ConnectionError::TransportError(ours) => End::Otherwise(ended_it(ours.code.into(), &ours.reason)),
        ConnectionError::TimedOut => End::Silence,
        ConnectionError::Reset => {
            End::Otherwise(Failure::no("the peer knows nothing of this connection (a stateless reset)"))
        }
        ConnectionError::VersionMismatch => {
            End::Otherwise(Failure::no("the peer does not speak version 1 of QUIC, and nothing else is spoken here"))
        }
        other @ ConnectionError::CidsExhausted => End::Otherwise(Failure::cannot(other)),
    }
}

/// Why we ended it: the words are those of TLS, where it is TLS that did.
fn ended_it(code: u64, reason: &str) -> Failure {
    const INTERNAL: u64 = 0x1;
    let alert = clasp::quic::alert_of(code);
    let is_ours = alert.map_or(code == INTERNAL, |alert| alert == AlertDescription::InternalError);
    let failure = |message: &str| if is_ours { Failure::cannot(message) } else { Failure::no(message) };
    // As the library writes an error that has a hint.
    match reason.split_once("; hint: ").filter(|_| alert.is_some()) {
        Some((message, hint)) => failure(message).library_hint(hint),
        None => failure(reason),
    }
}
