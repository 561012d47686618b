// On the ground.
//! Answers that may come later.

use core::future::Future;
use core::pin::Pin;

/// What a slow thing outside (a private key, a verifier, a session store) returns: the answer now, or a future of it.
///
/// An implementation that is ready at once returns [`Answer::Now`] and costs no allocation. One that must wait for a
/// network, a token or another process returns [`Answer::Later`]; the connection then reports
/// [`Want::Outside`](crate::Want::Outside) until the future's waker fires.
///
/// ```
/// use clasp::Answer;
/// fn quick<'a>() -> Answer<'a, u32> { Answer::Now(7) }
/// fn slow<'a>() -> Answer<'a, u32> { Answer::later(async { 7 }) }
/// assert!(matches!(quick(), Answer::Now(7)));
/// assert!(matches!(slow(), Answer::Later(_)));
/// ```
pub enum Answer<'a, T> {
    /// The answer is here.
    Now(T),
    /// The answer comes when this future is ready.
    Later(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
}

impl<'a, T> Answer<'a, T> {
    /// Boxes a future as an answer that comes later.
    pub fn later(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self::Later(Box::pin(future))
    }

    /// The answer if it is here already.
    pub fn now(self) -> Option<T> {
        match self {
            Self::Now(value) => Some(value),
            Self::Later(_) => None,
        }
    }
}

impl<T> core::fmt::Debug for Answer<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Answer::Now",
            Self::Later(_) => "Answer::Later",
        })
    }
}
