//! On whose account a step goes.

use crate::{clock, heap};

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// Something that watches what each side does.
pub(crate) trait Meter {
    /// Runs `step` on the account of `side`.
    fn on<R>(&mut self, side: Side, step: impl FnOnce() -> R) -> R;
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Both<T> {
    pub client: T,
    pub server: T,
}

impl<T> Both<T> {
    pub(crate) fn of(&mut self, side: Side) -> &mut T {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

/// Watches nothing: for warming up.
pub(crate) struct Unmetered;

impl Meter for Unmetered {
    fn on<R>(&mut self, _: Side, step: impl FnOnce() -> R) -> R {
        step()
    }
}

/// Nanoseconds of processor time of each side.
#[derive(Debug, Default)]
pub(crate) struct Time(pub Both<u64>);

impl Meter for Time {
    fn on<R>(&mut self, side: Side, step: impl FnOnce() -> R) -> R {
        let start = clock::now();
        let result = step();
        *self.0.of(side) += (clock::now() - start).saturating_sub(clock::overhead());
        result
    }
}

/// What each side does to the heap.
#[derive(Debug, Default)]
pub(crate) struct Heap(pub Both<heap::Account>);

impl Meter for Heap {
    fn on<R>(&mut self, side: Side, step: impl FnOnce() -> R) -> R {
        heap::count_on(self.0.of(side), step)
    }
}
