//! The body of an answer: a page from memory, or a file that is read piece by piece as the client takes it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::fs::File;
use std::io::{self, Read};
use tokio::task::{JoinHandle, spawn_blocking};

/// What is read at once, and what HTTP is given at once. Whoever takes one file slowly holds no more of it than this, and what
/// hyper and TLS buffer.
pub(super) const AT_ONCE: usize = 32 << 10;
const PIECE: usize = 16 << 10;

/// The bytes of an answer.
pub(super) enum Content {
    Whole(Bytes),
    Pieces(Pieces),
}

/// A file on its way.
pub(super) struct Pieces {
    /// What HTTP has not been given.
    left: u64,
    ready: Bytes,
    state: State,
}

enum State {
    Waits(File),
    Reads(JoinHandle<io::Result<(File, Bytes)>>),
    Done,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Pieces(pieces) => pieces.left,
        }
    }
}

impl Pieces {
    /// A file of this length, of which the front has been read.
    pub(super) const fn new(file: File, front: Bytes, length: u64) -> Self {
        Self { left: length, ready: front, state: State::Waits(file) }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        while self.left > 0 {
            if !self.ready.is_empty() {
                let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE).min(self.ready.len());
                let piece = self.ready.split_to(most);
                self.left = self.left.saturating_sub(u64::try_from(most).unwrap_or(u64::MAX));
                return Poll::Ready(Some(Ok(piece)));
            }
            match core::mem::replace(&mut self.state, State::Done) {
                State::Waits(file) => self.state = State::Reads(spawn_blocking(move || read(file))),
                State::Reads(mut reading) => match Pin::new(&mut reading).poll(cx) {
                    Poll::Pending => {
                        self.state = State::Reads(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(read) => {
                        let (file, bytes) = read.map_err(io::Error::other)??;
                        if bytes.is_empty() {
                            // Its length has been said: the client must see that this is not all.
                            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                        }
                        (self.ready, self.state) = (bytes, State::Waits(file));
                    }
                },
                State::Done => return Poll::Ready(None),
            }
        }
        Poll::Ready(None)
    }
}

/// Blocks while the disk works.
fn read(mut file: File) -> io::Result<(File, Bytes)> {
    let mut buffer = Vec::with_capacity(AT_ONCE);
    (&mut file).take(u64::try_from(AT_ONCE).unwrap_or(u64::MAX)).read_to_end(&mut buffer)?;
    Ok((file, buffer.into()))
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(core::mem::take(bytes))))),
            Self::Pieces(pieces) => Poll::Ready(ready!(pieces.poll(cx)).map(|piece| piece.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len())
    }
}
