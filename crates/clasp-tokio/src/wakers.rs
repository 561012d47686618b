//! Who waits for the transport's sending side.
//!
//! A transport keeps the waker that polled it last. Whoever reads a TLS stream sends too (what a write left behind, an answer
//! of the connection's own), so that with reader and writer on two tasks either may replace the other's. Once anybody has
//! had to wait, the transport is given one waker that wakes both, and whoever gets through wakes the other.

use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

/// Which of the two polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Reader,
    Writer,
}

/// Those that wait. Without any it holds no memory.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Option<Arc<Both>>);

#[derive(Debug, Default)]
struct Both(Mutex<[Option<Waker>; 2]>);

impl Both {
    fn set(&self, side: Side, waker: Option<&Waker>) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [reader, writer] = &mut *both;
        let place = if side == Side::Reader { reader } else { writer };
        match (place, waker) {
            (Some(known), Some(waker)) => known.clone_from(waker),
            (place, waker) => *place = waker.cloned(),
        }
    }

    fn wake_all(&self) {
        let waiting = core::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

impl Wakers {
    /// Polls the transport's sending side for one of the two.
    pub(crate) fn poll<R>(
        &mut self,
        side: Side,
        cx: &mut Context<'_>,
        mut act: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        if self.0.is_none() {
            let outcome = act(cx);
            if outcome.is_ready() {
                return outcome;
            }
        }
        let both = self.0.get_or_insert_default();
        both.set(side, Some(cx.waker()));
        let waker = Waker::from(both.clone());
        let outcome = act(&mut Context::from_waker(&waker));
        if outcome.is_ready() {
            both.set(side, None);
            both.wake_all();
            self.0 = None;
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_gets_through_leaves_nothing_behind() {
        let mut wakers = Wakers::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(wakers.poll(Side::Writer, &mut cx, |_| Poll::<()>::Pending).is_pending());
        assert!(wakers.poll(Side::Reader, &mut cx, |_| Poll::<()>::Pending).is_pending());
        assert!(wakers.poll(Side::Writer, &mut cx, |_| Poll::Ready(())).is_ready());
        assert!(wakers.0.is_none(), "an idle stream holds no memory");
    }
}
