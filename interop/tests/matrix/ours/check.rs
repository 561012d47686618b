//! What one connection must have seen.

use super::{Data, Seen};
use crate::peers::Habits;
use crate::rows::{ALPN, ClientCert, End, Fault, Ours, Resume, Row, Switch};
use clasp::error::{Cause, PeerError};
use clasp::suite::Kx;
use clasp::wire::code::{ProtocolVersion, SignatureScheme};
use clasp::{EarlyData, Facts, Resumption};
use clasp_testkit::KeyKind;
use std::io::ErrorKind;

/// What keys for RSASSA-PSS alone sign with (RFC 9846 4.2.3).
const PSS_ALONE: [SignatureScheme; 3] =
    [SignatureScheme::RsaPssPssSha256, SignatureScheme::RsaPssPssSha384, SignatureScheme::RsaPssPssSha512];

/// Whether the handshake has to be refused, and by whom.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    No,
    ByThem,
    ByUs,
}

impl Refused {
    /// Who refuses whom in this row, seen from Clasp's side.
    pub(super) fn by(row: &Row, ours: Ours) -> Self {
        match () {
            () if row.is_refused(ours) => Self::ByUs,
            () if row.is_refused(ours.other()) => Self::ByThem,
            () => Self::No,
        }
    }
}

/// Holds what one connection came to against its row.
pub(super) fn check(
    row: &Row,
    habits: &Habits,
    ours: Ours,
    n: usize,
    seen: &Seen,
    refused: Refused,
) -> Result<(), String> {
    let wrong = |what: String| Err(format!("connection {}: {what}", n + 1));
    let cause = seen.end.as_ref().err().and_then(clasp::Error::from_io);
    match (refused, &seen.end, cause) {
        (Refused::ByThem, Err(_), Some(e)) if e.peer_alert().is_some() || silent(row, habits, e) => return Ok(()),
        (Refused::ByUs, Err(_), Some(e)) if is_refusal(row, e.cause()) => return Ok(()),
        (Refused::ByThem | Refused::ByUs, end, _) => return wrong(format!("no refusal, but {end:?}")),
        (Refused::No, Err(_), Some(e)) if row.end == End::Cut && e.is_truncation() => {}
        // A program that dies with something unread resets the connection.
        (Refused::No, Err(e), None) if row.end == End::Cut && e.kind() == ErrorKind::ConnectionReset => {}
        (Refused::No, Ok(()), _) if row.end == End::Cut => return wrong("a cut connection looked like its end".into()),
        (Refused::No, Err(_), Some(e)) if forgiven(row, habits, ours, e) => {}
        (Refused::No, Err(e), _) => {
            return wrong(format!("{e}, after {:?}, facts: {:?}", seen.data, seen.facts.as_deref().map(brief)));
        }
        (Refused::No, Ok(()), _) => {}
    }
    let Some(facts) = &seen.facts else { return wrong("no handshake".into()) };
    check_facts(row, habits, ours, n, facts).or_else(|what| wrong(format!("{what}; facts: {}", brief(facts))))?;
    let wanted = usize::from(row.key_update && !(ours == Ours::Server && habits.client_updates_late));
    if seen.key_updates < wanted {
        return wrong("the peer did not move its keys on".into());
    }
    let empty = ours == Ours::Server && row.connections() > 1 && n < habits.empty_connections;
    match seen.data {
        Data::Checked(0) if empty => Ok(()),
        Data::Checked(n) if n == row.bytes => Ok(()),
        Data::Own(n) if n > 0 || row.end == End::Cut => Ok(()),
        other => wrong(format!("{other:?} is the data that came, not {} bytes", row.bytes)),
    }
}

/// Whether a peer that only goes has refused a certificate as it does.
fn silent(row: &Row, habits: &Habits, error: &clasp::Error) -> bool {
    let gone = error.is_truncation() || *error.cause() == Cause::Peer(PeerError::ClosedDuringHandshake);
    let missing = row.fault == Fault::None && !row.is_tls13() && habits.server_refuses_in_silence;
    gone && (missing || row.fault != Fault::None && habits.judges_late)
}

/// Whether Clasp says what is wrong with the certificate of the row.
fn is_refusal(row: &Row, cause: &Cause) -> bool {
    match row.fault {
        Fault::None => *cause == Cause::Peer(no_certificate(row)),
        _ => matches!(cause, Cause::Certificate(_)),
    }
}

const fn no_certificate(row: &Row) -> PeerError {
    match row.version {
        ProtocolVersion::Tls13 => PeerError::NoCertificate,
        _ => PeerError::NoCertificateTls12,
    }
}

/// A peer that hangs up without its close_notify, where the row is about something else.
fn forgiven(row: &Row, habits: &Habits, ours: Ours, error: &clasp::Error) -> bool {
    let rude = match ours {
        Ours::Client => habits.server_hangs_up,
        Ours::Server => habits.client_hangs_up,
    };
    rude && !row.checks_close && error.is_truncation()
}

fn check_facts(row: &Row, habits: &Habits, ours: Ours, n: usize, facts: &Facts) -> Result<(), String> {
    let last = n + 1 == row.connections();
    let resumed = match row.resume {
        Resume::SessionId if last => Some(Resumption::SessionId),
        Resume::Ticket | Resume::Fleet if last => Some(Resumption::Ticket),
        _ => None,
    };
    // RFC 7627 5.4, the triple handshake: a client with a certificate does not resume what has no extended master secret.
    let unbound = !row.is_tls13() && !habits.extended_master_secret;
    let guarded = ours == Ours::Client && unbound && row.client_cert != ClientCert::NotAsked;
    let resumed = resumed.filter(|_| !guarded);
    same("version", &facts.version, &row.version)?;
    same("suite", &facts.suite, &row.suite.code)?;
    same("resumption", &facts.resumed, &resumed)?;
    let alpn = facts.alpn.as_deref().map(String::from_utf8_lossy);
    same("the application protocol", &alpn, &row.alpn.then_some(ALPN))?;
    let full = resumed.is_none() || row.is_tls13();
    match row.group.filter(|_| full) {
        Some(group) if row.suite.kx != Some(Kx::Rsa) => same("group", &facts.group, &Some(group))?,
        _ if full && matches!(row.suite.kx, None | Some(Kx::Ecdhe)) => {
            same("whether there is a group", &facts.group.is_some(), &true)?;
        }
        _ => {}
    }
    // What the peer has signed with; of our own signatures not every flow keeps it.
    let (key, scheme) = match ours {
        Ours::Client => (Some(row.key), facts.signature_scheme),
        Ours::Server => (row.client_key(), facts.client_scheme),
    };
    if full && key == Some(KeyKind::RsaPss) {
        same("a scheme of RSASSA-PSS keys alone", &scheme.is_some_and(|scheme| PSS_ALONE.contains(&scheme)), &true)?;
    }
    if row.is_tls13() {
        let early = if row.early_data && last { EarlyData::Accepted } else { EarlyData::NotOffered };
        same("early data", &facts.early_data, &early)?;
        // A client that remembers the group need not be asked again.
        if row.hello_retry && n == 0 {
            same("whether the hello was asked for again", &facts.hello_retried, &true)?;
        }
    } else {
        check_facts12(row, habits, ours, facts)?;
    }
    // A client that resumes does not prove its certificate anew; the server remembers that it did.
    let proved = matches!(row.client_cert, ClientCert::Sent(_)) && (ours == Ours::Server || resumed.is_none());
    same("whether the client proved a certificate", &facts.client_authenticated, &proved)
}

/// What TLS 1.2 alone has.
fn check_facts12(row: &Row, habits: &Habits, ours: Ours, facts: &Facts) -> Result<(), String> {
    let ems = row.extended_master_secret == Switch::On && habits.extended_master_secret;
    same("extended master secret", &facts.extended_master_secret, &ems)?;
    let etm = row.encrypt_then_mac == Switch::On && habits.encrypt_then_mac && row.is_cbc();
    same("encrypt-then-MAC", &facts.encrypt_then_mac, &etm)?;
    let without = ours == Ours::Server && habits.client_without_secure_renegotiation;
    same("secure renegotiation", &facts.secure_renegotiation, &!without)
}

fn same(what: &str, seen: &dyn core::fmt::Debug, wanted: &dyn core::fmt::Debug) -> Result<(), String> {
    let (seen, wanted) = (format!("{seen:?}"), format!("{wanted:?}"));
    if seen == wanted { Ok(()) } else { Err(format!("{what} is {seen}, wanted {wanted}")) }
}

/// The facts of one line.
fn brief(facts: &Facts) -> String {
    let group = facts.group.map_or("-", |g| g.name());
    format!(
        "{:?} {} group {group} resumed {:?} EMS {} EtM {}",
        facts.version,
        facts.suite.name(),
        facts.resumed,
        facts.extended_master_secret,
        facts.encrypt_then_mac
    )
}
