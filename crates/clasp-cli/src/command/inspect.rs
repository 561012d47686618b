//! `clasp inspect`: says in plain words what a file holds.

use crate::failure::Failure;
use crate::output;
use crate::pem;
use clasp_x509::{
    CertStatus, Certificate, CertificateRequest, Crl, Moment, OcspResponse, PublicKey, describe_private_key,
};
use rustls_pki_types::pem::SectionKind;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Say what a file holds: certificates, keys, requests, revocation lists, OCSP responses, in PEM or DER.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    file: PathBuf,
    /// As JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// What is known of one thing: what it is, then facts in order.
struct Sheet {
    title: &'static str,
    facts: Vec<(&'static str, Value)>,
}

/// Entries of a revocation list that are shown.
const SHOWN: usize = 20;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let bytes = pem::read(&arguments.file)?;
    let sections = pem::sections(&bytes);
    let sheets: Vec<Sheet> = if sections.is_empty() {
        let unknown = || Failure::no(format_args!("{}: nothing that is known", arguments.file.display()));
        vec![any(&bytes).ok_or_else(unknown)?]
    } else {
        sections.iter().map(|(kind, der)| section(*kind, der)).collect()
    };
    for (number, sheet) in sheets.iter().enumerate() {
        if arguments.json {
            let mut object = Map::new();
            object.insert("kind".into(), sheet.title.into());
            object.extend(sheet.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            output::line(Value::Object(object))?;
        } else {
            let gap = if number > 0 { "\n" } else { "" };
            output::line(format_args!("{gap}{}", text(sheet)))?;
        }
    }
    Ok(())
}

/// A fact a line; a list has its items below each other.
fn text(sheet: &Sheet) -> String {
    let mut lines = vec![sheet.title.to_owned()];
    for (name, value) in &sheet.facts {
        let name = name.replace('_', " ");
        let mut fact = |name: &str, value: &str| lines.push(format!("  {name:<20} {value}"));
        match value {
            Value::Null => {}
            Value::Bool(yes) => fact(&name, if *yes { "yes" } else { "no" }),
            Value::String(text) => fact(&name, text),
            Value::Array(list) => {
                for (number, item) in list.iter().enumerate() {
                    let item = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                    fact(if number == 0 { &name } else { "" }, &item);
                }
            }
            other => fact(&name, &other.to_string()),
        }
    }
    lines.join("\n")
}

fn section(kind: SectionKind, der: &[u8]) -> Sheet {
    let unreadable = |field: &str| Sheet { title: "Unreadable", facts: vec![("fault", field.into())] };
    let read = match kind {
        SectionKind::Certificate => Certificate::parse(der).map(|c| certificate(&c)),
        SectionKind::Crl => Crl::parse(der).map(|c| list(&c)),
        SectionKind::Csr => CertificateRequest::parse(der).map(|r| request(&r)),
        SectionKind::PublicKey => public_key(der).ok_or("subjectPublicKeyInfo"),
        _ => any(der).ok_or("not known"),
    };
    read.unwrap_or_else(unreadable)
}

/// DER that does not say what it is.
fn any(der: &[u8]) -> Option<Sheet> {
    Certificate::parse(der)
        .map(|c| certificate(&c))
        .or_else(|_| Crl::parse(der).map(|c| list(&c)))
        .or_else(|_| OcspResponse::parse(der).map(|r| response(&r)))
        .or_else(|_| CertificateRequest::parse(der).map(|r| request(&r)))
        .ok()
        .or_else(|| public_key(der))
        .or_else(|| {
            let what = describe_private_key(der)?;
            Some(Sheet { title: "Private key", facts: vec![("key", what.into())] })
        })
}

fn public_key(der: &[u8]) -> Option<Sheet> {
    match PublicKey::parse(der) {
        PublicKey::Malformed => None,
        key => Some(Sheet { title: "Public key", facts: vec![("key", key.to_string().into())] }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn moment(at: i64) -> Value {
    Moment(at).to_string().into()
}

fn texts<'a>(list: impl Iterator<Item = &'a [u8]>) -> Value {
    list.map(|text| Value::from(String::from_utf8_lossy(text).escape_debug().to_string())).collect()
}

fn certificate(c: &Certificate<'_>) -> Sheet {
    let purposes = c.extended_key_usage().map(|list| list.map(|oid| oid.to_string()).collect::<Vec<_>>().join(", "));
    let authority = match (c.is_authority(), c.path_length()) {
        (false, _) => "no".into(),
        (true, None) => "yes".into(),
        (true, Some(n)) => format!("yes, with {n} more below it at most"),
    };
    let timestamps = match c.timestamps() {
        Ok(list) => list
            .iter()
            .map(|sct| {
                let at = i64::try_from(sct.timestamp() / 1000).unwrap_or(i64::MAX);
                Value::from(format!("{} by log {}", Moment(at), hex(sct.log())))
            })
            .collect(),
        Err(fault) => Value::from(format!("unreadable: {fault}")),
    };
    let facts = vec![
        ("subject", c.subject().into()),
        ("issuer", c.issuer().into()),
        ("names", c.alt_names().map(|name| Value::from(name.to_string())).collect()),
        ("valid_from", moment(c.not_before())),
        ("valid_until", moment(c.not_after())),
        ("key", c.public_key().to_string().into()),
        ("signed_with", c.signature_algorithm().into()),
        ("serial_number", c.serial().into()),
        ("version", c.version().into()),
        ("authority", authority.into()),
        ("key_usage", c.key_usage().map(|usage| usage.to_string()).into()),
        ("purposes", purposes.into()),
        ("key_identifier", c.subject_key_id().map(hex).into()),
        ("issuer_key_identifier", c.authority_key_id().map(hex).into()),
        ("issuer_at", texts(c.issuer_addresses())),
        ("ocsp_at", texts(c.ocsp_addresses())),
        ("must_staple", c.must_staple().into()),
        ("timestamps", timestamps),
        ("sha256", hex(&c.fingerprint()).into()),
    ];
    Sheet { title: "Certificate", facts }
}

fn list(c: &Crl<'_>) -> Sheet {
    let mut entries: Vec<Value> = c
        .entries()
        .take(SHOWN)
        .map(|e| Value::from(format!("{} on {}, {}", e.serial(), Moment(e.date()), e.reason())))
        .collect();
    if c.len() > SHOWN {
        entries.push(format!("and {} more", c.len() - SHOWN).into());
    }
    let facts = vec![
        ("issuer", c.issuer().into()),
        ("this_update", moment(c.this_update())),
        ("next_update", c.next_update().map_or(Value::Null, moment)),
        ("number", c.number().into()),
        ("delta", c.is_delta().into()),
        ("indirect", c.is_indirect().into()),
        ("signed_with", c.signature_algorithm().into()),
        ("revoked_count", c.len().into()),
        ("revoked", entries.into()),
    ];
    Sheet { title: "Revocation list", facts }
}

fn response(r: &OcspResponse<'_>) -> Sheet {
    let answers: Vec<Value> = r
        .responses()
        .map(|single| {
            let status = match single.status() {
                CertStatus::Good => "good".into(),
                CertStatus::Revoked(at, reason) => format!("revoked on {}, {reason}", Moment(at)),
                CertStatus::Unknown => "unknown to the responder".into(),
            };
            let next = single.next_update().map_or_else(String::new, |at| format!(" to {}", Moment(at)));
            json!(format!("{} {status}, from {}{next}", single.serial(), Moment(single.this_update())))
        })
        .collect();
    let facts = vec![
        ("responder", r.responder().into()),
        ("produced", moment(r.produced_at())),
        ("signed_with", r.signature_algorithm().into()),
        ("answers", answers.into()),
    ];
    Sheet { title: "OCSP response", facts }
}

fn request(r: &CertificateRequest<'_>) -> Sheet {
    let facts = vec![
        ("subject", r.subject().into()),
        ("names", r.alt_names().map(|name| Value::from(name.to_string())).collect()),
        ("key", r.public_key().to_string().into()),
        ("signed_with", r.signature_algorithm().into()),
        ("signature_good", r.is_signed().into()),
    ];
    Sheet { title: "Certificate request", facts }
}
