//! Waiting for parties outside. quinn's sessions have no waker, so what waits is either asked again at the peer's next packet, or its
//! connection's task waits where it is.

use clasp::Waiting;
use clasp::quic::Connection;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Goes on, and leaves whoever is slow for later.
pub(crate) fn advance(tls: &mut Connection) -> clasp::Result<()> {
    tls.advance(&mut Context::from_waker(Waker::noop()))
}

/// Goes on, and waits for whoever is slow, at most so long. The other tasks of a runtime with several threads go on meanwhile; one with a
/// single thread has nobody else to run them.
pub(crate) fn advance_waiting(tls: &mut Connection, limit: Duration) -> clasp::Result<()> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    tls.advance(&mut Context::from_waker(&waker))?;
    if !is_outside(tls) {
        return Ok(());
    }
    let several = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if several { tokio::task::block_in_place(|| wait(tls, &waker, limit)) } else { wait(tls, &waker, limit) }
}

fn wait(tls: &mut Connection, waker: &Waker, limit: Duration) -> clasp::Result<()> {
    let begun = Instant::now();
    while is_outside(tls) {
        let Some(left) = limit.checked_sub(begun.elapsed()) else { return Err(tls.give_up()) };
        thread::park_timeout(left);
        tls.advance(&mut Context::from_waker(waker))?;
    }
    Ok(())
}

pub(crate) fn is_outside(tls: &Connection) -> bool {
    matches!(tls.waiting(), Waiting::Outside(_))
}
