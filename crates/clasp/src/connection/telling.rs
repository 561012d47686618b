//! What an observer is told, where there is one.

use super::Connection;
use crate::trace::{Direction, What};

impl Connection {
    pub(super) fn tell(&mut self, what: What<'_>) {
        if let Some(tracer) = &mut self.tracer {
            tracer.tell(self.clock.now(), what);
        }
    }

    /// A handshake message of ours, on its way.
    pub(super) fn tell_message(&mut self, bytes: &[u8]) {
        if let Some(tracer) = &mut self.tracer {
            tracer.message(self.clock.now(), Direction::Sent, self.write_level, bytes);
        }
    }
}
