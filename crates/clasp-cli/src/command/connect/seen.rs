//! What `clasp connect` has seen of a handshake, and what a failure means in its light.

use super::arguments::Peer;
use crate::failure::{Failure, is_reset};
use clasp::code::{AlertDescription, HandshakeType};
use clasp::error::{Cause, PeerError};
use clasp::trace::{Direction, Observation, Observer, What};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Marks of one connection at a time.
#[derive(Default)]
pub(crate) struct Seen {
    key_updates: AtomicUsize,
    tickets: AtomicUsize,
    answered: AtomicBool,
    asked_for_certificate: AtomicBool,
    finished: AtomicBool,
    established: AtomicBool,
}

impl Observer for Seen {
    fn observe(&self, seen: &Observation<'_>) {
        let What::Message { direction, kind, .. } = seen.what else {
            if let What::Established = seen.what {
                self.established.store(true, Relaxed);
            }
            return;
        };
        match (direction, kind) {
            (Direction::Received, HandshakeType::KeyUpdate) => drop(self.key_updates.fetch_add(1, Relaxed)),
            (Direction::Received, HandshakeType::NewSessionTicket) => drop(self.tickets.fetch_add(1, Relaxed)),
            (Direction::Received, HandshakeType::ServerHello) => self.answered.store(true, Relaxed),
            (Direction::Received, HandshakeType::CertificateRequest) => self.asked_for_certificate.store(true, Relaxed),
            (Direction::Sent, HandshakeType::Finished) => self.finished.store(true, Relaxed),
            _ => {}
        }
    }
}

impl Seen {
    /// A connection begins.
    pub(crate) fn begin(&self) {
        self.tickets.store(0, Relaxed);
        for mark in [&self.answered, &self.asked_for_certificate, &self.finished, &self.established] {
            mark.store(false, Relaxed);
        }
    }

    /// A connection over QUIC, which tells no observer, behind its handshake: what the server says against a certificate is against ours.
    pub(crate) fn behind_the_handshake() -> Self {
        let seen = Self::default();
        for mark in [&seen.answered, &seen.asked_for_certificate, &seen.finished, &seen.established] {
            mark.store(true, Relaxed);
        }
        seen
    }

    /// How often the server moved its keys on.
    pub(crate) fn key_updates(&self) -> usize {
        self.key_updates.load(Relaxed)
    }

    /// Whether the server has given a ticket, which in TLS 1.3 nobody gets whom it refuses.
    pub(crate) fn has_ticket(&self) -> bool {
        self.tickets.load(Relaxed) > 0
    }

    /// What went wrong, and what to change on this command line.
    pub(crate) fn explain(&self, error: io::Error, peer: &Peer) -> Failure {
        if let Some(tls) = clasp::Error::from_io(&error) {
            let failure = Failure::from(tls.clone());
            let hint = match tls.cause() {
                Cause::Alert(alert) => self.refused(*alert, peer),
                Cause::Peer(PeerError::ClosedDuringHandshake | PeerError::Truncated) => self.cut(peer),
                Cause::Peer(PeerError::NoCommonVersion | PeerError::LegacyVersionSelected) => Some(no_version(peer)),
                Cause::Peer(PeerError::EchRejected | PeerError::EchDisabled) => Some(super::ech::hint(tls)),
                _ => return failure,
            };
            return match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            };
        }
        let in_handshake = !self.established.load(Relaxed);
        if error.kind() == io::ErrorKind::TimedOut {
            let what = if in_handshake { "the handshake was not done" } else { "the server said and took nothing" };
            return Failure::no(format_args!("{what} within {} s", peer.timeout))
                .hint("--timeout SECONDS waits longer; is it a port for TLS?");
        }
        if is_reset(&error) && (in_handshake || self.cut(peer).is_some()) {
            let failure = Failure::no(format_args!("the server reset the connection during the handshake: {error}"));
            return failure.hint(self.cut(peer).unwrap_or_else(|| {
                "it, or something between, takes nothing like our ClientHello, and says no alert: is it a port for TLS? \
                 If so, try --tls 1.2, --groups x25519,secp256r1, --no-grease or --no-status-request"
                    .into()
            }));
        }
        Failure::from_io(error)
    }

    /// The server wanted a certificate, had our last word, and ended it there.
    fn cut(&self, peer: &Peer) -> Option<String> {
        let had_all = self.asked_for_certificate.load(Relaxed) && self.finished.load(Relaxed);
        had_all.then(|| certificate_hint(peer))
    }

    fn refused(&self, alert: AlertDescription, peer: &Peer) -> Option<String> {
        use AlertDescription as A;
        let of_certificate = matches!(
            alert,
            A::HandshakeFailure
                | A::CertificateRequired
                | A::NoCertificate
                | A::BadCertificate
                | A::UnsupportedCertificate
                | A::CertificateUnknown
                | A::CertificateExpired
                | A::CertificateRevoked
                | A::UnknownCa
                | A::AccessDenied
                | A::DecryptError
        );
        if of_certificate && self.asked_for_certificate.load(Relaxed) && self.finished.load(Relaxed) {
            return Some(certificate_hint(peer));
        }
        match alert {
            A::HandshakeFailure | A::InsufficientSecurity if self.answered.load(Relaxed) => {
                Some("the server had agreed on version and suite before; its log may tell more".into())
            }
            A::HandshakeFailure | A::InsufficientSecurity => Some(nothing_in_common(peer)),
            A::ProtocolVersion => Some(no_version(peer)),
            A::UnrecognizedName => {
                Some("the server has no site of this name: --servername NAME asks for another".into())
            }
            A::NoApplicationProtocol => Some("the server speaks none of these protocols: change --alpn".into()),
            _ => None,
        }
    }
}

fn certificate_hint(peer: &Peer) -> String {
    match &peer.cert {
        None => "the server asked for a certificate and we have none: --cert FILE --key FILE".into(),
        Some(cert) => format!(
            "the server asked for a certificate and does not take {}, or it is of a kind that was not asked for",
            cert.display()
        ),
    }
}

/// What of the command line narrows the offer; without any, there is no wider one.
fn nothing_in_common(peer: &Peer) -> String {
    let negotiation = &peer.negotiation;
    let mut ways = Vec::new();
    if let Some(version) = negotiation.version() {
        ways.push(format!("without --tls {version}: the server may speak the other version alone"));
    }
    if negotiation.names_groups() {
        ways.push("without --groups".into());
    }
    if !peer.schemes.is_empty() {
        ways.push("without --schemes".into());
    }
    // A policy widens what TLS 1.2 offers, and the groups; TLS 1.3 has the same suites in each.
    let widest = negotiation.policy_name() == "legacy";
    if !widest && negotiation.version() != Some("1.3") {
        ways.push("--policy legacy, for old servers".into());
    }
    if ways.is_empty() {
        return "no cipher suite, group or signature scheme in common, though everything was offered that Clasp has; or \
                the server wants another name: --servername NAME"
            .into();
    }
    format!("no cipher suite, group or signature scheme in common: try {}", ways.join("; or "))
}

fn no_version(peer: &Peer) -> String {
    match (peer.negotiation.version(), peer.negotiation.policy_name()) {
        (Some(version), _) => format!("the server does not speak TLS {version}: try without --tls {version}"),
        (None, "modern") => "the server does not speak TLS 1.3: try --policy default".into(),
        (None, _) => "the server speaks neither TLS 1.3 nor TLS 1.2, and Clasp nothing older".into(),
    }
}
