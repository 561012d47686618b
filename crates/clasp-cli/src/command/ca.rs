//! `clasp ca`: a small local certificate authority in a directory.

use super::ca_status;
use crate::failure::Failure;
use crate::output::{self, note};
use crate::pem;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, SerialNumber,
};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What is valid for no day is expired from the start; 100 years are enough for anybody.
fn days() -> clap::builder::RangedI64ValueParser {
    clap::value_parser!(i64).range(1..=36_500)
}

/// A small local certificate authority in a directory.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make the root in DIR (and an intermediate that issues); does nothing where one is
    Init {
        dir: PathBuf,
        /// The root's common name
        #[arg(long, default_value = "Clasp Local CA")]
        name: String,
        /// Issue from an intermediate, so that the root's key can be put away
        #[arg(long)]
        intermediate: bool,
        /// rsa, ecdsa or ed25519
        #[arg(long, default_value = "ecdsa")]
        key: KeyKind,
        /// Days of validity
        #[arg(long, default_value_t = 3650, value_parser = days())]
        days: i64,
    },
    /// Issue a certificate for NAMES (DNS names and IP addresses)
    Issue {
        dir: PathBuf,
        #[arg(required = true)]
        names: Vec<String>,
        /// For a client instead of a server
        #[arg(long)]
        client: bool,
        /// rsa, ecdsa or ed25519
        #[arg(long, default_value = "ecdsa")]
        key: KeyKind,
        /// Days of validity
        #[arg(long, default_value_t = 397, value_parser = days())]
        days: i64,
    },
    /// List what was issued
    List {
        dir: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Mark a certificate as revoked, by its serial number or its file's name
    Revoke { dir: PathBuf, which: String },
    /// Write the revocation list, crl.pem
    Crl {
        dir: PathBuf,
        /// Days until the next one
        #[arg(long, default_value_t = 7, value_parser = days())]
        days: i64,
    },
    /// Write an OCSP response for a certificate, by its serial number or its file's name
    Ocsp {
        dir: PathBuf,
        which: String,
        /// Days until the next one
        #[arg(long, default_value_t = 7, value_parser = days())]
        days: i64,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum KeyKind {
    Rsa,
    Ecdsa,
    Ed25519,
}

impl KeyKind {
    fn generate(self) -> Result<KeyPair, Failure> {
        KeyPair::generate_for(match self {
            Self::Rsa => &PKCS_RSA_SHA256,
            Self::Ecdsa => &PKCS_ECDSA_P256_SHA256,
            Self::Ed25519 => &PKCS_ED25519,
        })
        .map_err(Failure::cannot)
    }
}

/// One certificate in the index.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) serial: String,
    pub(super) file: String,
    names: Vec<String>,
    usage: String,
    not_after: String,
    pub(super) revoked: Option<String>,
}

pub(super) const ROOT: &str = "root";
pub(super) const INTERMEDIATE: &str = "intermediate";
const INDEX: &str = "index.json";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.verb {
        Verb::Init { dir, name, intermediate, key, days } => init(dir, name, *intermediate, *key, *days),
        Verb::Issue { dir, names, client, key, days } => issue(dir, names, *client, *key, *days),
        Verb::List { dir, json } => list(dir, *json),
        Verb::Revoke { dir, which } => revoke(dir, which),
        Verb::Crl { dir, days } => ca_status::crl(dir, *days),
        Verb::Ocsp { dir, which, days } => ca_status::ocsp(dir, which, *days),
    }
}

fn init(dir: &Path, name: &str, intermediate: bool, key: KeyKind, days: i64) -> Result<(), Failure> {
    let root = dir.join("root.pem");
    if root.exists() {
        note(format_args!("{} is there already; nothing to do", root.display()));
        return Ok(());
    }
    make_root(dir, name, intermediate, key, days)?;
    output::line(root.display())
}

fn make_root(dir: &Path, name: &str, intermediate: bool, key: KeyKind, days: i64) -> Result<(), Failure> {
    fs::create_dir_all(dir).map_err(|e| Failure::file(dir, e))?;
    let root_key = key.generate()?;
    let mut params = authority(name, days, BasicConstraints::Unconstrained)?;
    let certificate = params.self_signed(&root_key).map_err(Failure::cannot)?;
    write_new(&dir.join("root-key.pem"), &root_key.serialize_pem(), true)?;
    write_new(&dir.join("root.pem"), &certificate.pem(), false)?;
    if intermediate {
        let issuer = Issuer::new(params, root_key);
        let key = key.generate()?;
        params = authority(&format!("{name} Intermediate"), days, BasicConstraints::Constrained(0))?;
        let certificate = params.signed_by(&key, &issuer).map_err(Failure::cannot)?;
        write_new(&dir.join("intermediate-key.pem"), &key.serialize_pem(), true)?;
        write_new(&dir.join("intermediate.pem"), &certificate.pem(), false)?;
    }
    Ok(())
}

fn authority(name: &str, days: i64, constraints: BasicConstraints) -> Result<CertificateParams, Failure> {
    let mut params = base(name, days)?;
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn base(name: &str, days: i64) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    // Clocks differ; a certificate of this minute should work on the next machine.
    params.not_before = now - Duration::hours(1);
    params.not_after = now
        .checked_add(Duration::days(days))
        .ok_or_else(|| Failure::cannot(format_args!("{days} days are too many")))?;
    let mut serial = [0; 16];
    clasp::crypto::Provider::builtin().random.fill(&mut serial).map_err(Failure::cannot)?;
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A certificate that was issued: where it and its key stand.
pub(crate) struct Issued {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

/// A server certificate for localhost, made with its CA where there is none yet; for `clasp serve`.
pub(crate) fn for_localhost(dir: &Path) -> Result<(PathBuf, Issued), Failure> {
    let root = dir.join("root.pem");
    if !root.exists() {
        make_root(dir, "Clasp Local CA", false, KeyKind::Ecdsa, 3650)?;
    }
    let issued = Issued { chain: dir.join("localhost.pem"), key: dir.join("localhost-key.pem") };
    if !issued.chain.exists() {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        make(dir, &names, false, KeyKind::Ecdsa, 397)?;
    }
    Ok((root, issued))
}

fn issue(dir: &Path, names: &[String], client: bool, key: KeyKind, days: i64) -> Result<(), Failure> {
    let issued = make(dir, names, client, key, days)?;
    output::line(format_args!("{}\n{}", issued.chain.display(), issued.key.display()))
}

fn make(dir: &Path, names: &[String], client: bool, key: KeyKind, days: i64) -> Result<Issued, Failure> {
    let by = if dir.join("intermediate.pem").exists() { INTERMEDIATE } else { ROOT };
    let issuer_path = dir.join(format!("{by}.pem"));
    let no_ca = |_| {
        Failure::cannot(format_args!("{}: no CA is here", dir.display()))
            .hint(format!("clasp ca init {}", dir.display()))
    };
    let issuer_pem = fs::read_to_string(&issuer_path).map_err(no_ca)?;
    let issuer_key = fs::read_to_string(dir.join(format!("{by}-key.pem"))).map_err(no_ca)?;
    let issuer_key = KeyPair::from_pem(&issuer_key).map_err(Failure::cannot)?;
    let issuer = Issuer::from_ca_cert_pem(&issuer_pem, issuer_key).map_err(|e| Failure::file(&issuer_path, e))?;

    let first = names.first().map_or("certificate", String::as_str);
    let stem: String =
        first.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_@".contains(c) { c } else { '_' }).collect();
    let stem = match (client, stem.as_str()) {
        (_, ROOT | INTERMEDIATE) => format!("{stem}-leaf"),
        (true, _) => format!("{stem}-client"),
        (false, _) => stem,
    };
    let issued = Issued { chain: dir.join(format!("{stem}.pem")), key: dir.join(format!("{stem}-key.pem")) };
    let mut params = base(first, days)?;
    params.subject_alt_names = CertificateParams::new(names.to_vec()).map_err(Failure::cannot)?.subject_alt_names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if matches!(key, KeyKind::Rsa) && !client {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    let usage = if client { ExtendedKeyUsagePurpose::ClientAuth } else { ExtendedKeyUsagePurpose::ServerAuth };
    params.extended_key_usages = vec![usage];
    let key = key.generate()?;
    let certificate = params.signed_by(&key, &issuer).map_err(Failure::cannot)?;
    let chain = if by == INTERMEDIATE { certificate.pem() + &issuer_pem } else { certificate.pem() };
    write_new(&issued.key, &key.serialize_pem(), true)?;
    write_new(&issued.chain, &chain, false)?;

    let parsed = clasp_x509::Certificate::parse(certificate.der()).map_err(Failure::cannot)?;
    let mut index = read_index(dir)?;
    index.push(Entry {
        serial: parsed.serial(),
        file: format!("{stem}.pem"),
        names: names.to_vec(),
        usage: if client { "client" } else { "server" }.into(),
        not_after: params.not_after.date().to_string(),
        revoked: None,
    });
    write_index(dir, &index)?;
    Ok(issued)
}

fn list(dir: &Path, json: bool) -> Result<(), Failure> {
    let index = read_index(dir)?;
    if json {
        return output::line(serde_json::to_string_pretty(&index).map_err(Failure::cannot)?);
    }
    for e in &index {
        let state = e.revoked.as_ref().map_or("good".into(), |on| format!("revoked {on}"));
        output::line(format_args!(
            "{}  {:<6}  until {}  {:<20}  {}  {}",
            e.serial,
            e.usage,
            e.not_after,
            state,
            e.file,
            e.names.join(",")
        ))?;
    }
    if index.is_empty() {
        note(format_args!("nothing was issued in {}", dir.display()));
    }
    Ok(())
}

fn revoke(dir: &Path, which: &str) -> Result<(), Failure> {
    let mut index = read_index(dir)?;
    let entry = index.iter_mut().find(|e| e.serial == which || e.file == which);
    let entry = entry.ok_or_else(|| {
        Failure::no(format_args!("no certificate {which} was issued here"))
            .hint(format!("clasp ca list {}", dir.display()))
    })?;
    match &entry.revoked {
        Some(on) => note(format_args!("{which} was revoked on {on} already")),
        None => entry.revoked = Some(OffsetDateTime::now_utc().date().to_string()),
    }
    write_index(dir, &index)
}

pub(super) fn read_index(dir: &Path) -> Result<Vec<Entry>, Failure> {
    let path = dir.join(INDEX);
    if !path.exists() {
        return if dir.join("root.pem").exists() {
            Ok(Vec::new())
        } else {
            Err(Failure::cannot(format_args!("{}: no CA is here", dir.display()))
                .hint(format!("clasp ca init {}", dir.display())))
        };
    }
    serde_json::from_slice(&pem::read(&path)?).map_err(|e| Failure::file(&path, e))
}

/// Written beside and moved into place, so that a crash leaves the old index or the new one.
fn write_index(dir: &Path, index: &[Entry]) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(index).map_err(Failure::cannot)?;
    let (new, path) = (dir.join("index.json.new"), dir.join(INDEX));
    fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(|e| Failure::file(&path, e))
}

/// Creates a file that must not be there yet; a secret one is its owner's alone from the start.
fn write_new(path: &Path, text: &str, secret: bool) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    let failure = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::cannot(format_args!("{} is there already and is not overwritten", path.display()))
                .hint("move it away first")
        }
        _ => Failure::file(path, e),
    };
    options.open(path).and_then(|mut f| f.write_all(text.as_bytes())).map_err(failure)
}
