//! Timers, where there are any.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::time::Sleep;

/// A time limit that runs.
#[derive(Debug)]
pub(crate) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// None outside a tokio runtime: there is nobody to keep the time.
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        let limit = limit.filter(|_| tokio::runtime::Handle::try_current().is_ok());
        Self(limit.map(|limit| Box::pin(tokio::time::sleep(limit))))
    }

    /// Whether anybody keeps the time.
    pub(crate) fn is_running(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it has run out; whoever asks is woken when it does.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(cx))
    }
}

/// The limit of one wait for a party outside.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) since: Option<SystemTime>,
    pub(crate) timer: Timer,
}
