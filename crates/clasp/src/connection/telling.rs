//! What an observer is told, where there is one.

use super::Connection;
use crate::keys::maker::Way;
use crate::trace::{Direction, What};

impl Connection {
    pub(super) fn tell(&mut self, what: What<'_>) {
        if let Some(tracer) = &mut self.tracer {
            tracer.tell(self.clock.now(), what);
        }
    }

    /// The traffic secret of a direction has moved on: RFC 9846 7.2.
    pub(super) fn tell_update(&mut self, way: Way) {
        let name = match (way, self.server) {
            (Way::Read, true) | (Way::Write, false) => "client_application_traffic_secret_N+1",
            (Way::Read, false) | (Way::Write, true) => "server_application_traffic_secret_N+1",
        };
        let Self { tracer, established, clock, .. } = self;
        if let Some((tracer, secret)) = tracer.as_mut().zip(established.as_ref().and_then(|e| e.traffic(way))) {
            tracer.derived(clock.now(), name, secret);
        }
    }

    /// A handshake message of ours, on its way.
    pub(super) fn tell_message(&mut self, bytes: &[u8]) {
        if let Some(tracer) = &mut self.tracer {
            tracer.message(self.clock.now(), Direction::Sent, self.write_level, bytes);
        }
    }
}
