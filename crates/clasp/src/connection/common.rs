//! What both directions of a connection need: what is left of the handshake, the observer, the end. The halves of a
//! connection have one each.

use super::refusal;
use crate::code::{AlertDescription, ContentType, HandshakeType};
use crate::config::Clock;
use crate::crypto::Provider;
use crate::error::{Error, Misuse, Result};
use crate::established::Established;
use crate::facts::Facts;
use crate::keys::maker::{KeyMaker, Way};
use crate::keys::schedule12::Side;
use crate::record::RecordKeys;
use crate::trace::{Derivations, Direction, Level, Tracer, Watch, What};
use std::sync::Arc;

/// What both directions need.
pub(super) struct Common {
    /// Which side we are.
    pub(super) server: bool,
    /// TLS 1.3 was agreed.
    pub(super) tls13: bool,
    pub(super) established: Option<Established>,
    watched: Option<Box<Watched>>,
    pub(super) provider: &'static Provider,
    /// What ended the connection.
    pub(super) failed: Option<Error>,
}

/// What an observer is told by, and when that was.
#[derive(Clone)]
struct Watched {
    tracer: Tracer,
    clock: Arc<dyn Clock>,
}

impl Common {
    pub(super) fn new(server: bool, watch: Option<Watch>, clock: &Arc<dyn Clock>, provider: &'static Provider) -> Self {
        let watched = watch.map(|watch| Box::new(Watched { tracer: Tracer::new(watch, server), clock: clock.clone() }));
        Self { server, tls13: false, established: None, watched, provider, failed: None }
    }

    /// For the two halves, that which receives first.
    pub(super) fn split(self) -> (Self, Self) {
        let (receiving, sending) = self.established.map(Established::split).unzip();
        let other = Self { established: sending, watched: self.watched.clone(), failed: None, ..self };
        (Self { established: receiving, ..self }, other)
    }

    pub(super) fn established(&self) -> Result<&Established> {
        self.established.as_ref().ok_or_else(|| Misuse::HandshakeUnfinished.into())
    }

    pub(super) fn facts(&self) -> Option<&Arc<Facts>> {
        self.established.as_ref().map(|established| &established.facts)
    }

    pub(super) fn check_failed(&self) -> Result<()> {
        self.failed.as_ref().map_or(Ok(()), |first| Err(first.clone()))
    }

    /// What an observer hears of what is derived, where there is one.
    pub(super) fn derivations(&self) -> Option<Derivations> {
        self.watched.as_ref().map(|watched| watched.tracer.derivations())
    }

    /// Tells the observer, where there is one.
    pub(super) fn tell(&mut self, what: What<'_>) {
        if let Some(Watched { tracer, clock }) = self.watched.as_deref_mut() {
            tracer.tell(clock.now(), what);
        }
    }

    /// Whether there is an observer.
    pub(super) const fn is_observed(&self) -> bool {
        self.watched.is_some()
    }

    /// Tells of records as they stand on the wire, which hold so much.
    pub(super) fn tell_records(
        &mut self,
        (direction, level): (Direction, Level),
        content: ContentType,
        bytes: &[u8],
        plain_len: usize,
    ) {
        self.tell(What::Record { direction, level, content, wire_len: bytes.len(), plain_len, bytes });
    }

    /// Tells of the record of a ChangeCipherSpec that means nothing, in the clear whatever keys there are: RFC 9846 E.4. It is no part
    /// of a flight, and nothing else is to be told of it.
    pub(super) fn tell_compatibility_ccs(&mut self, direction: Direction, record: &[u8]) {
        self.tell_records((direction, Level::Plain), ContentType::ChangeCipherSpec, record, 1);
    }

    /// The same of a handshake message.
    pub(super) fn tell_message(&mut self, direction: Direction, level: Level, bytes: &[u8]) {
        if let Some(Watched { tracer, clock }) = self.watched.as_deref_mut() {
            tracer.message(clock.now(), direction, level, bytes);
        }
    }

    /// The traffic secret of a direction has moved on, and its keys with it: RFC 9846 7.2, 7.3.
    pub(super) fn tell_update(&mut self, way: Way) -> Result<()> {
        let (name, writer) = match (way, self.server) {
            (Way::Read, true) | (Way::Write, false) => ("client_application_traffic_secret_N+1", Side::Client),
            (Way::Read, false) | (Way::Write, true) => ("server_application_traffic_secret_N+1", Side::Server),
        };
        let Self { watched: Some(watched), established: Some(established), provider, .. } = self else { return Ok(()) };
        let Watched { tracer, clock } = &mut **watched;
        if let Some(secret) = established.traffic(way) {
            tracer.derived(clock.now(), name, secret);
        }
        established.keys(provider, way, RecordKeys(provider).labels(), |material| {
            tracer.parts(clock.now(), material, writer);
            Ok(())
        })
    }

    /// The peer has ended the connection; `last` is what we had said, while the handshake is going on.
    pub(super) fn refused(&self, alert: AlertDescription, last: Option<HandshakeType>) -> Error {
        let error = Error::from(alert);
        let error = match last {
            Some(kind) => error.seen(format_args!("as the answer to our {kind}")),
            None => error,
        };
        match refusal::advice(alert, last, self.server) {
            Some(advice) => error.hint(advice),
            None => error,
        }
    }

    /// The end, of which the peer has been told.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        // An end without close_notify, and a warning, are no fatal alerts: RFC 5246 7.2.1, 7.2.2.
        let fatal = !error.is_truncation() && error.alert() != AlertDescription::NoRenegotiation;
        if let Some(established) = self.established.as_ref().filter(|_| fatal) {
            established.forget_session();
        }
        self.tell(What::Failed(&error));
        self.failed.insert(error).clone()
    }
}
