//! What a connection came to, as text and JSON.

use crate::terminal::{shown, shown_bytes};
use clasp::pki_types::{CertificateDer, UnixTime};
use clasp::suite::{Kx, Suite};
use clasp::{EarlyData, Facts};
use clasp_x509::{Certificate, Moment, Options, Revocation, Standing, Usage, standing};
use serde_json::{Value, json};

/// The facts as JSON.
pub(crate) fn json(facts: &Facts) -> Value {
    let chain: Vec<Value> = facts
        .peer_chain()
        .iter()
        .map(|der| match Certificate::parse(der) {
            Ok(c) => json!({ "subject": shown(&c.subject()), "issuer": shown(&c.issuer()), "serial": c.serial(),
                             "not_before": c.not_before(), "not_after": c.not_after() }),
            Err(error) => json!({ "unreadable": error.to_string() }),
        })
        .collect();
    json!({
        "version": facts.version.name(),
        "suite": facts.suite.name(),
        "group": facts.group.map(|g| g.name()),
        "signature": facts.signature_scheme.map(|s| s.name()),
        "alpn": facts.alpn.as_deref().map(shown_bytes),
        "server_name": facts.server_name.as_deref().map(shown),
        "ech": facts.encrypted_client_hello.as_ref().map(|ech| json!({
            "accepted": ech.accepted, "outer_name": ech.outer_name.as_deref().map(shown) })),
        "hello_retry_request": facts.hello_retried,
        "early_data": early_data(facts),
        "resumed": facts.resumed.map(|r| r.name()),
        "client_certificate": facts.client_authenticated,
        "extended_master_secret": facts.extended_master_secret,
        "encrypt_then_mac": facts.encrypt_then_mac,
        "staple": stapled(facts).map(|(standing, why)| json!({ "standing": standing, "why": why })),
        "peer_chain": chain,
    })
}

/// What the peer's staple says of its certificate: one that says nothing of use stops nobody, and is not to pass in silence
/// (RFC 6066 8). Asked of the issuer that was sent along: one that was not cannot be asked.
pub(crate) fn staple(chain: &[CertificateDer<'_>], stapled: &[u8]) -> Option<(&'static str, Option<String>)> {
    let mut chain = chain.iter().filter_map(|der| Certificate::parse(der).ok());
    let leaf = chain.next()?;
    let issuers: Vec<Certificate<'_>> = chain.filter(|c| c.subject_der() == leaf.issuer_der()).collect();
    if issuers.is_empty() {
        return Some(("not looked at", Some("the certificate's issuer was not sent along".into())));
    }
    let mut options = Options::new(UnixTime::now(), Usage::Server);
    options.revocation = Revocation { stapled: Some(stapled), ..Revocation::default() };
    Some(match standing(&leaf, &issuers, &options) {
        Standing::Good => ("good", None),
        Standing::Revoked { at, reason } => ("revoked", Some(format!("on {}, {reason}", Moment(at)))),
        Standing::Unknown(trouble) => ("unknown", Some(shown(&trouble.to_string()))),
    })
}

fn stapled(facts: &Facts) -> Option<(&'static str, Option<String>)> {
    staple(facts.peer_chain(), facts.ocsp()?)
}

/// What became of early data, if there was any.
fn early_data(facts: &Facts) -> Option<&'static str> {
    match facts.early_data {
        EarlyData::NotOffered => None,
        EarlyData::Accepted => Some("taken"),
        EarlyData::Rejected => Some("not taken"),
    }
}

/// The facts as lines.
pub(crate) fn lines(facts: &Facts) -> Vec<String> {
    let mut lines = vec![
        format!("version   {}", facts.version),
        format!("suite     {}", facts.suite),
        format!(
            "exchange  {}",
            match (facts.group, facts.resumed) {
                (Some(group), _) => group.to_string(),
                (None, Some(by)) => format!("none: resumed by {}", by.name()),
                (None, None) => match Suite::find(facts.suite).map(|suite| suite.kx) {
                    Some(Kx::Dhe) => "DHE, in a group without a name".into(),
                    Some(Kx::Ecdhe) => "ECDHE".into(),
                    _ => "RSA key transport (no forward secrecy)".into(),
                },
            }
        ),
    ];
    if let Some(scheme) = facts.signature_scheme {
        lines.push(format!("signature {scheme}"));
    }
    lines.push(format!("resumed   {}", facts.resumed.map_or("no", |r| r.name())));
    if let Some(what) = early_data(facts) {
        lines.push(format!("early     {what}"));
    }
    if let Some(protocol) = &facts.alpn {
        lines.push(format!("alpn      {}", shown_bytes(protocol)));
    }
    if let Some(ech) = &facts.encrypted_client_hello {
        let outer = ech.outer_name.as_deref().map_or_else(|| "no name".into(), shown);
        let heard = if ech.accepted { "accepted: hidden behind" } else { "not opened: said" };
        lines.push(format!("ech       {heard} {outer}"));
    }
    match stapled(facts) {
        None => {}
        Some(("good", _)) => lines.push("staple    its issuer says that the certificate is good".into()),
        Some((standing, why)) => {
            let standing = if standing == "unknown" { "of no use" } else { standing };
            lines.push(format!("staple    {standing}: {}", why.unwrap_or_default()));
        }
    }
    for (place, der) in facts.peer_chain().iter().enumerate() {
        let text = match Certificate::parse(der) {
            Ok(c) => format!("{}, issued by {}", shown(&c.subject()), shown(&c.issuer())),
            Err(error) => format!("unreadable: {error}"),
        };
        lines.push(format!("chain {place}   {text}"));
    }
    lines
}
