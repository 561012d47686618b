//! `clasp inspect`: says in plain words what a file holds.

use crate::failure::Failure;
use crate::input;
use crate::output;
use clasp::crypto::Provider;
use clasp::ech::{EchConfig, EchConfigList};
use clasp_x509::kind::{self, Kind};
use clasp_x509::pem::{self, PemError, Section};
use clasp_x509::{
    CertStatus, Certificate, CertificateRequest, Crl, DistributionPoint, Moment, Name, OcspError, OcspResponse,
    ParseError, Proof, PublicKey, SubjectAltName, Unreadable,
};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use zeroize::Zeroizing;

const HELP: &str = "\
Examples:
  clasp inspect chain.pem
  clasp inspect ca/crl.pem --json
Nothing is judged: what stands in a file is shown, whether or not it holds; clasp verify judges. Of a revocation list the first 20
entries are shown.
Exit codes: 0 all of it can be read; 1 something cannot; 2 no such file";

/// Say what a file holds: certificates, keys, requests, revocation lists, OCSP responses, in PEM or DER, and configurations of
/// Encrypted Client Hello. Exit code 0 if all of it can be read, 1 if not.
#[derive(clap::Args)]
#[command(after_help = HELP)]
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

/// What cannot be read has this title.
const UNREADABLE: &str = "Unreadable";

/// Entries of a revocation list that are shown.
const SHOWN: usize = 20;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let bytes = Zeroizing::new(input::bytes(&arguments.file)?);
    let (sheets, fault) = sheets(&bytes);
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
    let file = arguments.file.display();
    let unreadable = sheets.iter().filter(|sheet| sheet.title == UNREADABLE).count();
    match fault {
        Some(fault) => Err(Failure::no(format_args!("{file}: {fault}"))),
        None if unreadable > 0 => {
            Err(Failure::no(format_args!("{file}: {unreadable} of {} cannot be read", sheets.len())))
        }
        None => Ok(()),
    }
}

/// What a file holds, and where it cannot be read on.
fn sheets(bytes: &[u8]) -> (Vec<Sheet>, Option<PemError>) {
    if let Some(kind) = kind::of(bytes) {
        return (vec![sheet(kind, "", 0, bytes)], None);
    }
    // As the wire has it, or as a zone file.
    let published = str::from_utf8(bytes).ok().and_then(|text| EchConfigList::from_base64(text).ok());
    if let Some(list) = published.or_else(|| EchConfigList::parse(bytes).ok()) {
        return (ech_configs(&list), None);
    }
    let (sections, fault) = pem::read_on(bytes);
    if !sections.is_empty() {
        let of = |s: &Section| match (s.kind(), EchConfigList::parse(s.der())) {
            (Kind::EchConfigs, Ok(list)) => ech_configs(&list),
            _ => vec![sheet(s.kind(), s.label(), s.line(), s.der())],
        };
        let all = sections.iter().flat_map(of).collect();
        return (all, fault);
    }
    if let Some((kind, behind)) = kind::first_of(bytes) {
        let first = bytes.get(..bytes.len().saturating_sub(behind)).unwrap_or_default();
        return (vec![sheet(kind, "", 0, first)], fault);
    }
    // DER that is nothing whole: perhaps a certificate of which something can be read.
    match Unreadable::of(bytes) {
        Some(what) if what.issuer.is_some() => (vec![unreadable_certificate(&what, 0)], None),
        _ => (Vec::new(), fault),
    }
}

fn sheet(kind: Kind, label: &str, line: usize, der: &[u8]) -> Sheet {
    let fact = |title: &'static str, name: &'static str, what: Option<String>| match what {
        Some(what) => Ok(Sheet { title, facts: vec![(name, what.into())] }),
        None => Err(vec![("fault", "content".into())]),
    };
    let read = match kind {
        Kind::Certificate => match Unreadable::of(der) {
            Some(what) => return unreadable_certificate(&what, line),
            None => Certificate::parse(der).map(|c| certificate(&c)).map_err(fault),
        },
        Kind::Crl => Crl::parse(der).map(|c| list(&c)).map_err(fault),
        Kind::Request => CertificateRequest::parse(der).map(|r| request(&r)).map_err(fault),
        Kind::OcspResponse => match OcspResponse::parse(der) {
            Ok(r) => Ok(response(&r)),
            Err(OcspError::Refused(why)) => fact("OCSP response", "refused", Some(why.into())),
            Err(OcspError::Malformed(error)) => Err(fault(error)),
            Err(_) => Err(vec![("fault", "content".into())]),
        },
        Kind::PublicKey => fact("Public key", "key", public_key(der)),
        Kind::PrivateKey => fact("Private key", "key", kind::private_key(der)),
        Kind::Parameters => fact("Parameters", "of", kind::parameters(der)),
        Kind::EncryptedKey => fact("Encrypted private key", "decrypt_with", Some("openssl pkey -in FILE".into())),
        Kind::Messages if label.is_empty() => {
            fact("PKCS #7", "read_with", Some("openssl pkcs7 -inform DER -print_certs -in FILE".into()))
        }
        Kind::Messages => fact("PKCS #7", "read_with", Some("openssl pkcs7 -print_certs -in FILE".into())),
        Kind::EchConfigs => Err(match EchConfigList::parse(der) {
            Err(error) => vec![("fault", error.to_string().into())],
            Ok(_) => vec![("fault", "content".into())],
        }),
        Kind::Pkcs12 => fact("PKCS #12", "read_with", Some("openssl pkcs12 -in FILE".into())),
        _ => Err(vec![("fault", "label, which is not known".into())]),
    };
    read.unwrap_or_else(|fault| {
        let mut facts = vec![("label", quoted(label)), ("line", number(line))];
        facts.extend(fault);
        Sheet { title: UNREADABLE, facts }
    })
}

/// The field that cannot be read, and where.
fn fault(error: ParseError) -> Vec<(&'static str, Value)> {
    vec![
        ("fault", error.field().into()),
        ("at_byte", error.offset().into()),
        ("found", error.found().to_string().into()),
        ("wanted", error.wanted().to_string().into()),
    ]
}

/// Null for what a file in DER has not.
fn number(line: usize) -> Value {
    if line > 0 { line.into() } else { Value::Null }
}

fn quoted(label: &str) -> Value {
    if label.is_empty() { Value::Null } else { label.escape_debug().to_string().into() }
}

fn unreadable_certificate(what: &Unreadable, line: usize) -> Sheet {
    let mut facts = vec![("label", "CERTIFICATE".into()), ("line", number(line))];
    facts.extend(fault(what.error));
    facts.extend([
        ("subject", what.subject.clone().into()),
        ("issuer", what.issuer.clone().into()),
        ("serial_number", what.serial.clone().into()),
    ]);
    Sheet { title: UNREADABLE, facts }
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

fn public_key(der: &[u8]) -> Option<String> {
    match PublicKey::parse(der) {
        PublicKey::Malformed => kind::rsa_public_key(der),
        key => Some(key.to_string()),
    }
}

/// A whole name, however long it is.
fn name(der: &[u8]) -> Value {
    format!("{:#}", Name(der)).into()
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

/// A name with its kind: a name constraint for a host is none for mailboxes there.
fn kinded(name: &SubjectAltName<'_>) -> Value {
    let (kind, base) = match name {
        SubjectAltName::Dns(base) => ("DNS", base),
        SubjectAltName::Ip(base) => ("IP", base),
        SubjectAltName::Uri(base) => ("URI", base),
        SubjectAltName::Email(base) => ("e-mail", base),
        SubjectAltName::Directory(base) => ("directory", base),
        other => return format!("{other:#}").into(),
    };
    if base.is_empty() { format!("{kind}: every one").into() } else { format!("{kind}: {name:#}").into() }
}

/// What holds for a path from some certificate on.
fn after(what: &str, count: u32) -> String {
    match count {
        0 => format!("{what} from the next certificate on"),
        n => format!("{what} after {n} more certificates"),
    }
}

fn points<'a>(list: impl Iterator<Item = DistributionPoint<'a>>) -> Value {
    list.map(|point| Value::from(point.to_string())).collect()
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
        ("subject", name(c.subject_der())),
        ("issuer", name(c.issuer_der())),
        ("names", c.alt_names().map(|name| Value::from(format!("{name:#}"))).collect()),
        ("valid_from", moment(c.not_before())),
        ("valid_until", moment(c.not_after())),
        ("key", kind::public_key(c.spki()).into()),
        ("signed_with", c.signature_algorithm().into()),
        ("serial_number", c.serial().into()),
        ("version", c.version().into()),
        ("authority", authority.into()),
        ("key_usage", c.key_usage().map(|usage| usage.to_string()).into()),
        ("purposes", purposes.into()),
        ("key_identifier", c.subject_key_id().map(hex).into()),
        ("issuer_key_identifier", c.authority_key_id().map(hex).into()),
        ("permitted_names", c.permitted_names().map(|name| kinded(&name)).collect()),
        ("excluded_names", c.excluded_names().map(|name| kinded(&name)).collect()),
        ("policies", c.policies().map(|policy| Value::from(policy.to_string())).collect()),
        (
            "policy_mappings",
            c.policy_mappings().map(|(own, below)| Value::from(format!("{own} = {below} below"))).collect(),
        ),
        ("explicit_policy", c.explicit_policy_after().map(|n| after("a policy must be there", n)).into()),
        ("policy_mapping", c.no_policy_mapping_after().map(|n| after("no policy is mapped", n)).into()),
        ("any_policy", c.no_any_policy_after().map(|n| after("anyPolicy is none", n)).into()),
        ("issuer_at", texts(c.issuer_addresses())),
        ("ocsp_at", texts(c.ocsp_addresses())),
        ("lists_at", points(c.list_points())),
        ("deltas_at", points(c.fresh_list_points())),
        ("must_staple", c.must_staple().into()),
        ("unknown_critical", c.unprocessed().map(|oid| format!("{oid}: the certificate is refused for it")).into()),
        ("timestamps", timestamps),
        ("sha256", hex(&c.fingerprint()).into()),
        ("pin", clasp::config::KeyPin::of_key(c.spki()).to_string().into()),
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
        ("issuer", name(c.issuer_der())),
        ("this_update", moment(c.this_update())),
        ("next_update", c.next_update().map_or(Value::Null, moment)),
        ("number", c.number().into()),
        ("delta", c.is_delta().into()),
        ("changes", c.base_number().map(|number| format!("the list with number {number}, and later ones")).into()),
        ("indirect", c.is_indirect().into()),
        ("about", c.scope().map(|scope| scope.to_string()).into()),
        ("deltas_at", points(c.fresh_list_points())),
        ("unknown_critical", c.unprocessed().map(|oid| format!("{oid}: the list says nothing for it")).into()),
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

/// A sheet for each configuration whose version is known.
fn ech_configs(list: &EchConfigList) -> Vec<Sheet> {
    let title = "ECH configuration";
    if list.configs().is_empty() {
        return vec![Sheet { title, facts: vec![("usable", "no: none of a version that is known".into())] }];
    }
    let of = |config: &EchConfig| {
        let usable = config.suite(Provider::builtin());
        let pairs = config.suites().map(|suite| Value::from(format!("{} with {}", suite.aead, suite.kdf))).collect();
        let facts = vec![
            ("id", config.id().into()),
            ("public_name", String::from_utf8_lossy(config.public_name()).escape_debug().to_string().into()),
            ("kem", config.kem().to_string().into()),
            ("public_key", hex(config.public_key()).into()),
            ("algorithms", Value::Array(pairs)),
            ("longest_name", config.max_name_length().into()),
            ("usable", usable.map_or_else(|why| format!("no: {why}"), |_| "yes".into()).into()),
        ];
        Sheet { title, facts }
    };
    list.configs().iter().map(of).collect()
}

fn request(r: &CertificateRequest<'_>) -> Sheet {
    let proof = match r.proof() {
        Proof::Good => true.into(),
        Proof::Wrong => false.into(),
        Proof::NotChecked => "not checked: no algorithm, or no key, that is supported here".into(),
    };
    let facts = vec![
        ("subject", name(r.subject_der())),
        ("names", r.alt_names().map(|name| Value::from(format!("{name:#}"))).collect()),
        ("key", kind::public_key(r.spki()).into()),
        ("signed_with", r.signature_algorithm().into()),
        ("signature_good", proof),
    ];
    Sheet { title: "Certificate request", facts }
}
