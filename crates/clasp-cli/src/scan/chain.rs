//! A chain of certificates, judged, with what would repair it.

use super::report::Chain;
use crate::report;
use crate::terminal::shown;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clasp::pki_types::{CertificateDer, UnixTime};
use clasp::{Facts, Roots, ServerName};
use clasp_x509::{Certificate, Check, Moment, Options, Origin, Reason, Rejection, Revocation, Usage, verify};

/// What came with a chain in its handshake.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) staple: Option<Vec<u8>>,
    /// Certificate timestamps in the handshake.
    pub(crate) timestamps: usize,
}

impl From<&Facts> for Shown {
    fn from(facts: &Facts) -> Self {
        let timestamps = facts.timestamps().and_then(|list| clasp_x509::Sct::read_list(list).ok());
        Self {
            chain: facts.peer_chain().to_vec(),
            staple: facts.ocsp().map(<[u8]>::to_vec),
            timestamps: timestamps.map_or(0, |list| list.len()),
        }
    }
}

/// Judges it for this name.
pub(crate) fn judged(shown_: &Shown, key: &str, roots: &Roots, name: &ServerName<'_>) -> Chain {
    let mut chain =
        Chain { key: key.to_owned(), length: shown_.chain.len(), stapled: shown_.staple.is_some(), ..Chain::default() };
    chain.pem = shown_.chain.iter().map(|der| pem(der)).collect();
    let presented: Vec<&[u8]> = shown_.chain.iter().map(AsRef::as_ref).collect();
    for der in &presented {
        chain.path.push(match Certificate::parse(der) {
            Ok(c) => format!("{}, issued by {}", shown(&c.subject()), shown(&c.issuer())),
            Err(error) => format!("unreadable: {error}"),
        });
    }
    let Some(leaf) = presented.first().and_then(|der| Certificate::parse(der).ok()) else {
        chain.reason = Some("the certificate cannot be read".into());
        return chain;
    };
    describe(&mut chain, &leaf);
    chain.timestamps = shown_.timestamps + leaf.timestamps().map_or(0, |list| list.len());
    chain.staple =
        shown_.staple.as_deref().and_then(|staple| report::staple(&shown_.chain, staple)).map(|(says, _)| says);
    let mut options = Options::new(UnixTime::now(), Usage::Server).by_roots();
    options.name = Some(name);
    // As `WebPki` asks of whoever connects: what the server says of itself counts.
    let stapled = shown_.staple.as_deref();
    options.revocation = Revocation { check: Check::Prefer, stapled, asked_for_staple: true, ..Revocation::default() };
    match verify(&presented, roots, &options) {
        Ok(_) => chain.accepted = true,
        Err(rejection) => {
            chain.reason = Some(rejection.to_string());
            chain.repair = Some(repair(&rejection, &leaf, &presented));
        }
    }
    chain
}

/// Shown by whoever has not proven to have its key.
pub(crate) fn unproven(chain: &mut Chain, why: &str) {
    if chain.accepted {
        chain.accepted = false;
        let why = if why.is_empty() { "no handshake was held" } else { why };
        chain.reason = Some(format!("the server has not proven that it has the key: {why}"));
        chain.repair = Some("see what the handshake fails by: clasp connect".into());
    }
}

fn describe(chain: &mut Chain, leaf: &Certificate<'_>) {
    chain.key = leaf.public_key().to_string();
    chain.signature = leaf.signature_algorithm();
    chain.subject = shown(&leaf.subject());
    chain.issuer = shown(&leaf.issuer());
    chain.names = leaf.alt_names().map(|name| shown(&name.to_string())).collect();
    chain.not_before = Moment(leaf.not_before()).to_string();
    chain.not_after = Moment(leaf.not_after()).to_string();
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    chain.days_left = leaf.not_after().saturating_sub(now).div_euclid(86_400);
    chain.fingerprint = leaf.fingerprint().iter().map(|byte| format!("{byte:02x}")).collect();
    chain.must_staple = leaf.must_staple();
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).filter_map(|at| text.get(at..text.len().min(at + 64))).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What its operator can do.
fn repair(rejection: &Rejection, leaf: &Certificate<'_>, presented: &[&[u8]]) -> String {
    let finding = rejection.nearest();
    let of_leaf = finding.origin == Origin::Presented(0);
    match finding.reason {
        Reason::Expired if of_leaf => "renew the certificate".into(),
        Reason::Expired => format!("send the newer certificate of {}, or leave it out", shown(&finding.subject)),
        Reason::NotYetValid => "look at the server's clock and at the certificate's first day".into(),
        Reason::NameMismatch => {
            let names: Vec<String> = leaf.alt_names().map(|name| shown(&name.to_string())).collect();
            format!("have a certificate issued for this name; this one is for {}", names.join(", "))
        }
        Reason::UnknownIssuer => missing(presented),
        Reason::BadSignature => "the issuer that was sent has another key: send the one that signed it".into(),
        Reason::UnsupportedAlgorithm => {
            "have it issued anew, with RSA of 2048 bits or more, or P-256, and SHA-256".into()
        }
        Reason::WrongUsage => "have it issued for serverAuth".into(),
        Reason::Revoked => "have a new one issued, for a new key: this one has been revoked".into(),
        Reason::StatusUnknown => "staple a response of its issuer that is of today and says good".into(),
        _ => "have it issued anew by an authority that follows RFC 5280".into(),
    }
}

/// The chain ends at somebody whom we do not know: with a certificate too few, or at an authority of one's own.
fn missing(presented: &[&[u8]]) -> String {
    let last = presented.iter().rev().find_map(|der| Certificate::parse(der).ok());
    match last {
        Some(last) if last.subject_der() == last.issuer_der() => {
            format!("{} is its own authority: clients need it among their roots (--ca FILE)", shown(&last.subject()))
        }
        Some(last) => {
            format!("send the certificate of {} behind the others, or have clients trust it", shown(&last.issuer()))
        }
        None => "send a certificate".into(),
    }
}
