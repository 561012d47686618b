//! Answers to HTTP/2 requests, as they are asked.

use core::future::Future;
use core::task::{Context, Waker};
use hyper::rt::Executor;

/// Runs what is ready at once where it stands, and all else as a task of its own. A page from memory costs no task then,
/// and the answers to requests that came together leave together.
#[derive(Clone)]
pub(super) struct AtOnce;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for AtOnce {
    fn execute(&self, future: F) {
        let mut future = Box::pin(future);
        // Nobody needs to be woken: the task polls again, first of all.
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_is_ready_is_done_at_once_and_what_is_not_later() {
        let (say, mut hear) = oneshot::channel();
        AtOnce.execute(async move { say.send(1).unwrap() });
        assert_eq!(hear.try_recv(), Ok(1));

        let (wait, waits) = oneshot::channel::<u8>();
        let (say, mut hear) = oneshot::channel();
        AtOnce.execute(async move { say.send(waits.await.unwrap()).unwrap() });
        assert!(hear.try_recv().is_err());
        wait.send(2).unwrap();
        assert_eq!(hear.await, Ok(2));
    }
}
