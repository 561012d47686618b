//! Counts of what goes on, as Prometheus reads them. Every label is of a set that no peer can add to.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What the answer of `/metrics` is.
pub(super) const TEXT: &str = prometheus_text::CONTENT_TYPE;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Socket {
    listener: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    listener: String,
    end: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    listener: String,
    direction: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Shaken {
    listener: String,
    result: String,
    version: &'static str,
    suite: &'static str,
    resumed: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Resumed {
    resumed: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfFile {
    file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

/// All there are.
pub(super) struct Metrics {
    registry: Registry,
    connections: Family<Ended, Counter>,
    open: Family<Socket, Gauge>,
    handshakes: Family<Shaken, Counter>,
    seconds: Family<Resumed, Histogram, fn() -> Histogram>,
    bytes: Family<Direction, Counter>,
    certificates: Family<OfFile, Gauge>,
    reloads: Family<Outcome, Counter>,
}

/// From a quarter of a millisecond to sixteen seconds.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.00025, 2.0, 17))
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("clasp_proxy");
        let connections = Family::default();
        registry.register("connections", "Connections that have ended, by how they did", connections.clone());
        let open = Family::default();
        registry.register("connections_open", "Connections that there are", open.clone());
        let handshakes = Family::default();
        registry.register("handshakes", "Handshakes with clients, by what they came to", handshakes.clone());
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        let help = "How long handshakes with clients took that went well";
        registry.register_with_unit("handshake_duration", help, Unit::Seconds, seconds.clone());
        let bytes = Family::default();
        registry.register("bytes", "Bytes that were passed on: in, from clients; out, from backends", bytes.clone());
        let certificates = Family::default();
        registry.register(
            "certificate_not_after_timestamp_seconds",
            "When the certificates that clients see end, in seconds since 1970",
            certificates.clone(),
        );
        let reloads = Family::default();
        registry.register("reloads", "How often settings and certificates were read again", reloads.clone());
        Self { registry, connections, open, handshakes, seconds, bytes, certificates, reloads }
    }

    /// A connection has come; it is open until what is given is dropped.
    pub(super) fn came(&self, listener: &str) -> Guard {
        let open = self.open.get_or_create_owned(&Socket { listener: listener.into() });
        open.inc();
        Guard(open)
    }

    pub(super) fn ended(&self, listener: &str, end: &str) {
        self.connections.get_or_create(&Ended { listener: listener.into(), end: end.into() }).inc();
    }

    /// A handshake has gone well.
    pub(super) fn shook(&self, listener: &str, facts: &clasp::Facts, took: Duration) {
        let resumed = if facts.resumed.is_some() { "yes" } else { "no" };
        let (version, suite) = (facts.version.name(), facts.suite.name());
        let of = Shaken { listener: listener.into(), result: "ok".into(), version, suite, resumed };
        self.handshakes.get_or_create(&of).inc();
        self.seconds.get_or_create(&Resumed { resumed }).observe(took.as_secs_f64());
    }

    pub(super) fn did_not_shake(&self, listener: &str, why: &str) {
        let of = Shaken { listener: listener.into(), result: why.into(), version: "", suite: "", resumed: "" };
        self.handshakes.get_or_create(&of).inc();
    }

    /// Counters of the bytes of a connection, which count while it goes on.
    pub(super) fn traffic(&self, listener: &str) -> Traffic {
        let of = |direction| {
            let all = self.bytes.get_or_create_owned(&Direction { listener: listener.into(), direction });
            (all, AtomicU64::new(0))
        };
        Traffic { from_client: of("in"), from_backend: of("out") }
    }

    pub(super) fn reloaded(&self, well: bool) {
        self.reloads.get_or_create(&Outcome { result: if well { "ok" } else { "failed" } }).inc();
    }

    /// The certificates that are shown from now on, and when they end.
    pub(super) fn certificates(&self, files: &[(String, i64)]) {
        self.certificates.clear();
        for (file, end) in files {
            self.certificates.get_or_create(&OfFile { file: file.clone() }).set(*end);
        }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // To a String there is always room.
        let _written = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// A connection that is open.
pub(super) struct Guard(Gauge);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The bytes of a connection, which count among those of its listener.
pub(super) struct Traffic {
    from_client: (Counter, AtomicU64),
    from_backend: (Counter, AtomicU64),
}

impl Traffic {
    /// So many more have been passed on.
    pub(super) fn add(&self, from_client: usize, from_backend: usize) {
        for (n, (all, own)) in [(from_client, &self.from_client), (from_backend, &self.from_backend)] {
            let n = u64::try_from(n).unwrap_or(u64::MAX);
            all.inc_by(n);
            own.fetch_add(n, Relaxed);
        }
    }

    /// From the client, and from the backend, until now.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.from_client.1.load(Relaxed), self.from_backend.1.load(Relaxed))
    }
}
