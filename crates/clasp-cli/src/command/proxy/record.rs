//! What is told of a connection: one line when it has ended.

use super::header::Ends;
use super::metrics::Traffic;
use super::settings::Form;
use super::wire::Peer;
use crate::output;
use crate::terminal::{note, shown, shown_bytes};
use clasp::error::Cause;
use clasp::{Error, Facts};
use serde_json::json;
use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;
use time::macros::format_description;

/// A connection's story.
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) listener: Arc<str>,
    pub(super) peer: Peer,
    /// Who has told us of the peer, if somebody has.
    pub(super) via: Option<Peer>,
    /// Both ends of the client's connection, as far as they are known.
    pub(super) ends: Option<Ends>,
    began: Instant,
    pub(super) server_name: Option<String>,
    pub(super) facts: Option<Arc<Facts>>,
    /// How long the handshake with the client took.
    pub(super) handshake: Option<Duration>,
    pub(super) backend: Option<String>,
    pub(super) traffic: Arc<Traffic>,
}

/// How it ended: a label of a few that there are, and words where there is more to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) label: String,
    pub(super) why: Option<String>,
    /// Whether that is a failure.
    pub(super) failed: bool,
}

impl Reason {
    /// It went as it should.
    pub(super) fn good(label: &str) -> Self {
        Self { label: label.into(), why: None, failed: false }
    }

    pub(super) fn failed(label: impl Into<String>, why: impl Into<String>) -> Self {
        Self { label: label.into(), why: Some(why.into()), failed: true }
    }

    /// What an I/O error is about, or the TLS error in it.
    pub(super) fn of(side: &str, error: &io::Error) -> Self {
        Self::failed(format!("{side}_{}", label(error)), error.to_string())
    }
}

impl Reason {
    /// What a client's HTTP came to.
    pub(super) fn of_http(error: &hyper::Error) -> Self {
        let inside = core::iter::successors(core::error::Error::source(error), |error| error.source());
        match inside.take(8).find_map(|error| error.downcast_ref::<io::Error>()) {
            Some(error) if error.kind() == io::ErrorKind::TimedOut => Self::good("idle"),
            Some(error) => Self::of("client", error),
            None => Self::failed("client_http", error.to_string()),
        }
    }
}

/// A word for an error, of a set that no peer can add to.
fn label(error: &io::Error) -> String {
    if let Some(tls) = Error::from_io(error) {
        return match tls.cause() {
            Cause::Decode(_) => "decode".into(),
            Cause::Record(e) => snake(&format!("{e:?}")),
            Cause::Peer(e) => snake(&format!("{e:?}")),
            Cause::Certificate(e) => format!("certificate_{}", snake(&format!("{e:?}"))),
            Cause::Alert(alert) => format!("alert_{}", if alert.is_known() { alert.name() } else { "unknown" }),
            Cause::Outside(e) => snake(&format!("{e:?}")),
            Cause::Refused(_) => "refused".into(),
            _ => "misuse".into(),
        };
    }
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => "refused",
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => "reset",
        Kind::TimedOut => "timeout",
        Kind::NotFound => "not_found",
        Kind::HostUnreachable | Kind::NetworkUnreachable => "unreachable",
        Kind::UnexpectedEof => "closed",
        _ => "io",
    }
    .into()
}

/// The name of a variant as a label: `NoCommonSuite` is no_common_suite. What it holds is left out.
fn snake(variant: &str) -> String {
    let mut out = String::new();
    for c in variant.chars().take_while(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

impl Record {
    pub(super) fn new(id: u64, listener: Arc<str>, peer: Peer, traffic: Traffic) -> Self {
        let traffic = Arc::new(traffic);
        Self {
            id,
            listener,
            peer,
            via: None,
            ends: None,
            began: Instant::now(),
            server_name: None,
            facts: None,
            handshake: None,
            backend: None,
            traffic,
        }
    }

    /// Who the client's certificate says it is.
    fn client(&self) -> Option<String> {
        let facts = self.facts.as_ref().filter(|facts| facts.client_authenticated)?;
        facts.peer_identifiers().first().map(|name| name.to_string().chars().take(200).collect())
    }

    pub(super) fn write(&self, form: Form, reason: &Reason) {
        match form {
            // The proxy goes on when nobody reads its log any more.
            Form::Json => drop(output::line(self.json(reason))),
            Form::Text => note(self.text(reason)),
        }
    }

    fn json(&self, reason: &Reason) -> serde_json::Value {
        let facts = self.facts.as_deref();
        let (bytes_in, bytes_out) = self.traffic.so_far();
        json!({
            "time": now(),
            "id": self.id,
            "listener": shown(&self.listener),
            "peer": self.peer.to_string(),
            "via": self.via.map(|via| via.to_string()),
            "server_name": self.server_name.as_deref().map(shown),
            "version": facts.map(|f| f.version.name()),
            "suite": facts.map(|f| f.suite.name()),
            "group": facts.and_then(|f| f.group).map(|g| g.name()),
            "alpn": facts.and_then(|f| f.alpn.as_deref()).map(shown_bytes),
            "resumed": facts.map(|f| f.resumed.is_some()),
            "client": self.client().as_deref().map(shown),
            "backend": self.backend.as_deref().map(shown),
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
            "handshake_ms": self.handshake.map(milliseconds),
            "duration_ms": milliseconds(self.began.elapsed()),
            "end": reason.label,
            "failed": reason.failed,
            "why": reason.why.as_deref().map(shown),
        })
    }

    fn text(&self, reason: &Reason) -> String {
        let mut line = format!("{} #{} {}", now(), self.id, self.peer);
        let mut add = |key: &str, value: &str| {
            // To a String there is always room.
            let _written = if value.contains([' ', '"', '=', '\\']) || value.is_empty() {
                write!(line, " {key}=\"{}\"", shown(&value.replace('\\', "\\\\").replace('"', "\\\"")))
            } else {
                write!(line, " {key}={}", shown(value))
            };
        };
        if let Some(via) = self.via {
            add("via", &via.to_string());
        }
        if let Some(name) = &self.server_name {
            add("name", name);
        }
        if let Some(facts) = &self.facts {
            add("version", facts.version.name());
            add("suite", facts.suite.name());
            if let Some(protocol) = &facts.alpn {
                add("alpn", &shown_bytes(protocol));
            }
            if let Some(by) = facts.resumed {
                add("resumed", by.name());
            }
        }
        if let Some(client) = self.client() {
            add("client", &client);
        }
        if let Some(backend) = &self.backend {
            add("to", backend);
        }
        let (bytes_in, bytes_out) = self.traffic.so_far();
        add("in", &bytes_in.to_string());
        add("out", &bytes_out.to_string());
        add("ms", &milliseconds(self.began.elapsed()).to_string());
        add("end", &reason.label);
        if let Some(why) = &reason.why {
            add("why", why);
        }
        line
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The time of day, in UTC, to the millisecond.
fn now() -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from(SystemTime::now()).format(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clasp::code::AlertDescription;
    use clasp::error::{CertificateError, PeerError};

    #[test]
    fn a_label_is_of_a_closed_set() {
        let of = |error: Error| label(&io::Error::from(error));
        assert_eq!(of(PeerError::NoCommonSuite.into()), "no_common_suite");
        assert_eq!(of(AlertDescription::UnknownCa.into()), "alert_unknown_ca");
        assert_eq!(of(AlertDescription(251).into()), "alert_unknown");
        assert!(of(CertificateError::Expired.into()).starts_with("certificate_"));
        assert_eq!(label(&io::ErrorKind::ConnectionReset.into()), "reset");
        assert_eq!(label(&io::Error::other("what a peer said")), "io");
    }

    #[test]
    fn no_peer_can_write_a_line_or_a_field_of_its_own() {
        let mut record = Record::new(7, "l".into(), Peer(None), super::super::metrics::Metrics::new().traffic("l"));
        record.server_name = Some("a\" end=done\n2026".into());
        let text = record.text(&Reason::failed("x", "line\r\nforged"));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(r#"name="a\" end=done\u{a}2026""#), "{text}");
        assert!(
            text.contains(r#"why="line\u{d}\u{a}forged""#) || text.contains("why=line\\u{d}\\u{a}forged"),
            "{text}"
        );
        let json = record.json(&Reason::good("done")).to_string();
        assert_eq!(json.lines().count(), 1, "{json}");
    }
}
