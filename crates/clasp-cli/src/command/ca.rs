//! `clasp ca`: a small local certificate authority in a directory.

mod index;
mod names;
mod status;

use crate::failure::Failure;
use crate::input;
use crate::output;
use crate::pem;
use crate::terminal::note;
use clasp::Identity;
use index::{Entry, INDEX, INTERMEDIATE, LIST, Locked, ROOT, find, is_there, no_ca, not_issued, read};
use names::Name;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, SerialNumber,
};
use std::fs;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// What is valid for no day is expired from the start; 100 years are enough for anybody.
fn days() -> clap::builder::RangedI64ValueParser {
    clap::value_parser!(i64).range(1..=36_500)
}

const HELP: &str = "\
Examples:
  clasp ca init ca --intermediate
  clasp ca issue ca localhost 127.0.0.1 ::1
  clasp ca issue ca alice --client --key ed25519
  clasp ca list ca --json
  clasp ca revoke ca localhost.pem && clasp ca crl ca
Keys are readable by their owner alone (0600). No key or certificate is ever overwritten; lists and OCSP responses are made anew.
Exit codes: 0 done; 1 no such certificate; 2 could not do it";

/// A small local certificate authority in a directory.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make the root in DIR (and an intermediate that issues); does nothing where one is, and refuses options then
    Init {
        dir: PathBuf,
        /// The root's common name [default: Clasp Local CA]
        #[arg(long)]
        name: Option<String>,
        /// Issue from an intermediate, so that the root's key can be put away
        #[arg(long)]
        intermediate: bool,
        /// rsa, ecdsa or ed25519 [default: ecdsa]
        #[arg(long)]
        key: Option<KeyKind>,
        /// Days of validity [default: 3650]
        #[arg(long, value_parser = days())]
        days: Option<i64>,
    },
    /// Issue a certificate for NAMES: DNS names and IP addresses; e-mail addresses too for a client
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
    /// Mark a certificate as revoked: what clients are told of it is said by `ca crl` and `ca ocsp`
    Revoke {
        dir: PathBuf,
        /// Its serial number (hexadecimal, with or without colons), its file's name in DIR, or a path to the certificate
        which: String,
    },
    /// Write the revocation list, crl.pem
    Crl {
        dir: PathBuf,
        /// Days until the next one
        #[arg(long, default_value_t = 7, value_parser = days())]
        days: i64,
    },
    /// Write an OCSP response for a certificate
    Ocsp {
        dir: PathBuf,
        /// Its serial number (hexadecimal, with or without colons), its file's name in DIR, or a path to the certificate
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

const NAME: &str = "Clasp Local CA";
/// A certificate of `clasp serve` is renewed this long before its end.
const EARLY: Duration = Duration::days(30);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.verb {
        Verb::Init { dir, name, intermediate, key, days } => init(dir, name.as_deref(), *intermediate, *key, *days),
        Verb::Issue { dir, names, client, key, days } => issue(dir, names, *client, *key, *days),
        Verb::List { dir, json } => list(dir, *json),
        Verb::Revoke { dir, which } => revoke(dir, which),
        Verb::Crl { dir, days } => status::crl(dir, *days),
        Verb::Ocsp { dir, which, days } => status::ocsp(dir, which, *days),
    }
}

fn init(
    dir: &Path,
    name: Option<&str>,
    intermediate: bool,
    key: Option<KeyKind>,
    days: Option<i64>,
) -> Result<(), Failure> {
    let lock = made(dir)?;
    let root = dir.join("root.pem");
    if root.exists() {
        let given = [
            (name.is_some(), "--name"),
            (intermediate, "--intermediate"),
            (key.is_some(), "--key"),
            (days.is_some(), "--days"),
        ];
        if let Some((_, option)) = given.iter().find(|(given, _)| *given) {
            return Err(Failure::cannot(format_args!(
                "{} is there already: {option} would change nothing",
                root.display()
            ))
            .hint("choose another directory, or move this one away"));
        }
        note(format_args!("{} is there already; nothing to do", root.display()));
        return Ok(());
    }
    make_root(&lock, name.unwrap_or(NAME), intermediate, key.unwrap_or(KeyKind::Ecdsa), days.unwrap_or(3650))?;
    output::line(root.display())
}

/// The directory, made if need be, and ours to change.
fn made(dir: &Path) -> Result<Locked, Failure> {
    fs::create_dir_all(dir).map_err(|e| Failure::file(dir, e))?;
    Locked::new(dir)
}

/// The root's certificate comes last: it says that all else is there. What a crash left of an authority before that has issued
/// nothing.
fn make_root(lock: &Locked, name: &str, intermediate: bool, key: KeyKind, days: i64) -> Result<(), Failure> {
    let dir = lock.dir();
    for left in ["root-key.pem", "intermediate-key.pem", "intermediate.pem"] {
        lock.set_aside(left)?;
    }
    let root_key = key.generate()?;
    let mut params = authority(name, days, BasicConstraints::Unconstrained)?;
    let certificate = params.self_signed(&root_key).map_err(Failure::cannot)?;
    lock.write_new(&dir.join("root-key.pem"), &root_key.serialize_pem(), true)?;
    let root = certificate.pem();
    if intermediate {
        let issuer = Issuer::new(params, root_key);
        let key = key.generate()?;
        params = authority(&format!("{name} Intermediate"), days, BasicConstraints::Constrained(0))?;
        let certificate = params.signed_by(&key, &issuer).map_err(Failure::cannot)?;
        lock.write_new(&dir.join("intermediate-key.pem"), &key.serialize_pem(), true)?;
        lock.write_new(&dir.join("intermediate.pem"), &certificate.pem(), false)?;
    }
    if !dir.join(INDEX).exists() {
        lock.write_index(&[])?;
    }
    lock.write_new(&dir.join("root.pem"), &root, false)
}

fn authority(name: &str, days: i64, constraints: BasicConstraints) -> Result<CertificateParams, Failure> {
    let mut params = base(name, days)?;
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn base(name: &str, days: i64) -> Result<CertificateParams, Failure> {
    // RFC 5280 A.1, ub-common-name.
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Failure::cannot(format_args!("{name:?} is no common name")).hint("1 to 64 characters"));
    }
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

/// A server certificate for localhost, made with its CA where there is none yet, or none that lasts; for `clasp serve`.
pub(crate) fn for_localhost(dir: &Path) -> Result<(PathBuf, Issued), Failure> {
    let lock = made(dir)?;
    let root = dir.join("root.pem");
    if root.exists() && !lasts(&root) {
        note(format_args!("{} comes to its end: a new CA is made, which clients have to be given", root.display()));
        for file in ["root.pem", "root-key.pem"] {
            let (old, aside) = (dir.join(file), dir.join(format!("ended-{file}")));
            fs::rename(&old, &aside).map_err(|e| Failure::file(&old, e))?;
        }
    }
    if !root.exists() {
        make_root(&lock, NAME, false, KeyKind::Ecdsa, 3650)?;
    }
    let issued = Issued { chain: dir.join("localhost.pem"), key: dir.join("localhost-key.pem") };
    let is_good =
        lasts(&issued.chain) && is_by(&issued.chain, &root) && pem::identity(&issued.chain, &issued.key, None).is_ok();
    if !is_good {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        make(&lock, &Wanted { names: &names, client: false, key: KeyKind::Ecdsa, days: 397, renews: true })?;
    }
    Ok((root, issued))
}

/// Whether the certificate of a file is good for some time yet.
fn lasts(path: &Path) -> bool {
    first(path, |c| c.not_after() > (OffsetDateTime::now_utc() + EARLY).unix_timestamp())
}

fn is_by(path: &Path, issuer: &Path) -> bool {
    let Some(issuer) = pem::certificates(issuer).ok().and_then(|all| all.into_iter().next()) else { return false };
    let Ok(issuer) = clasp_x509::Certificate::parse(&issuer) else { return false };
    first(path, |c| c.authority_key_id() == issuer.subject_key_id())
}

fn first(path: &Path, holds: impl Fn(&clasp_x509::Certificate<'_>) -> bool) -> bool {
    let all = pem::certificates(path).unwrap_or_default();
    all.first().and_then(|der| clasp_x509::Certificate::parse(der).ok()).is_some_and(|c| holds(&c))
}

fn issue(dir: &Path, names: &[String], client: bool, key: KeyKind, days: i64) -> Result<(), Failure> {
    let lock = Locked::of(dir)?;
    let issued = make(&lock, &Wanted { names, client, key, days, renews: false })?;
    output::line(format_args!("{}\n{}", issued.chain.display(), issued.key.display()))
}

/// What is to be issued.
struct Wanted<'a> {
    names: &'a [String],
    client: bool,
    key: KeyKind,
    days: i64,
    /// In place of what stands there.
    renews: bool,
}

/// Who issues here: the certificate, and the key with it.
fn issuer(dir: &Path) -> Result<(&'static str, String, KeyPair), Failure> {
    let by = status::issuing(dir)?;
    let read = |name: String| {
        let path = dir.join(name);
        if path.exists() { input::text(&path) } else { Err(no_ca(dir)) }
    };
    let (certificate, key) = (read(format!("{by}.pem"))?, read(format!("{by}-key.pem"))?);
    Ok((by, certificate.to_string(), KeyPair::from_pem(&key).map_err(Failure::cannot)?))
}

/// Where a certificate for this name stands. The authority's own files have their names.
fn stem(name: &Name, client: bool) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_@".contains(c) { c } else { '_' };
    let stem: String = name.to_string().chars().map(plain).collect();
    if client {
        return format!("{stem}-client");
    }
    let key = |of: &str| format!("{of}-key");
    let ours = [ROOT, INTERMEDIATE, LIST]
        .iter()
        .any(|own| stem.eq_ignore_ascii_case(own) || stem.eq_ignore_ascii_case(&key(own)));
    if ours { format!("{stem}-leaf") } else { stem }
}

fn make(lock: &Locked, wanted: &Wanted<'_>) -> Result<Issued, Failure> {
    let dir = lock.dir();
    let names = names::all(wanted.names, wanted.client)?;
    let first = names.first().ok_or_else(|| Failure::cannot("no name"))?;
    let (by, issuer_pem, issuer_key) = issuer(dir)?;
    let issuer = Issuer::from_ca_cert_pem(&issuer_pem, issuer_key).map_err(Failure::cannot)?;
    let stem = stem(first, wanted.client);
    let issued = Issued { chain: dir.join(format!("{stem}.pem")), key: dir.join(format!("{stem}-key.pem")) };
    if let Some(path) = [&issued.chain, &issued.key].into_iter().find(|p| p.exists() && !wanted.renews) {
        return Err(is_there(path));
    }
    let common = names.iter().map(Name::to_string).find(|n| n.len() <= 64);
    let mut params = base(common.as_deref().unwrap_or("a long name"), wanted.days)?;
    let end = end_of(&dir.join(format!("{by}.pem")))?;
    if end < params.not_after && !wanted.renews {
        note(format_args!("it ends as its issuer does, on {}, and not after {} days", end.date(), wanted.days));
    }
    params.not_after = params.not_after.min(end);
    params.subject_alt_names = names.iter().map(Name::to_san).collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    if matches!(wanted.key, KeyKind::Rsa) && !wanted.client {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
    }
    let usage = if wanted.client { ExtendedKeyUsagePurpose::ClientAuth } else { ExtendedKeyUsagePurpose::ServerAuth };
    params.extended_key_usages = vec![usage];
    let key = wanted.key.generate()?;
    let certificate = params.signed_by(&key, &issuer).map_err(Failure::cannot)?;
    let chain = if by == INTERMEDIATE { certificate.pem() + &issuer_pem } else { certificate.pem() };

    let parsed = clasp_x509::Certificate::parse(certificate.der()).map_err(Failure::cannot)?;
    let mut index = read(dir)?;
    index.push(Entry {
        serial: parsed.serial(),
        file: format!("{stem}.pem"),
        names: names.iter().map(Name::to_string).collect(),
        usage: if wanted.client { "client" } else { "server" }.into(),
        not_after: params.not_after.date().to_string(),
        revoked: None,
    });
    // First of all: what is in the index can be revoked, whatever becomes of us behind it.
    lock.write_index(&index)?;
    if wanted.renews {
        lock.replace(&issued.key, key.serialize_pem().as_bytes(), true)?;
        lock.replace(&issued.chain, chain.as_bytes(), false)?;
    } else {
        lock.write_new(&issued.key, &key.serialize_pem(), true)?;
        lock.write_new(&issued.chain, &chain, false)?;
    }
    Ok(issued)
}

/// An identity for a server of this name, for the moment: for somebody in the middle whom the authority's owner has put there. It stands in
/// no file and in no index, and ends within a day. With an RSA key for clients that know no other.
pub(crate) fn mint(dir: &Path, name: &str, rsa: bool) -> Result<Identity, Failure> {
    let names = names::all(&[name.to_owned()], false)?;
    let (by, certificate, key) = issuer(dir)?;
    let above = if by == INTERMEDIATE { pem::certificates(&dir.join(format!("{by}.pem")))? } else { Vec::new() };
    let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(Failure::cannot)?;
    // RFC 5280 A.1, ub-common-name.
    let mut params = base(if name.len() <= 64 { name } else { "a long name" }, 1)?;
    let end = OffsetDateTime::now_utc() + Duration::days(1);
    params.not_after = end.min(end_of(&dir.join(format!("{by}.pem")))?);
    params.subject_alt_names = names.iter().map(Name::to_san).collect::<Result<_, _>>()?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = if rsa {
        params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        KeyKind::Rsa.generate()?
    } else {
        KeyKind::Ecdsa.generate()?
    };
    let certificate = params.signed_by(&key, &issuer).map_err(Failure::cannot)?;
    let chain = [vec![certificate.der().to_vec()], above].concat();
    let key = key.serialize_der();
    Ok(Identity::from_der(chain.into_iter().map(Into::into).collect(), &*key)?)
}

/// When an authority ends; what it issues ends with it at the latest.
fn end_of(path: &Path) -> Result<OffsetDateTime, Failure> {
    let all = pem::certificates(path)?;
    let end = all.first().and_then(|der| Some(clasp_x509::Certificate::parse(der).ok()?.not_after()));
    let end = end.and_then(|end| OffsetDateTime::from_unix_timestamp(end).ok());
    let end = end.ok_or_else(|| Failure::file(path, "the certificate cannot be read"))?;
    if end <= OffsetDateTime::now_utc() {
        return Err(Failure::file(path, format_args!("this authority has ended on {}", end.date()))
            .hint("make a new one: clasp ca init in another directory"));
    }
    Ok(end)
}

fn list(dir: &Path, json: bool) -> Result<(), Failure> {
    let index = read(dir)?;
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
    let lock = Locked::of(dir)?;
    let mut index = read(dir)?;
    let at = find(dir, &index, which)?;
    let entry = index.get_mut(at).ok_or_else(|| not_issued(dir, which))?;
    match &entry.revoked {
        Some(on) => note(format_args!("{which} was revoked on {on} already")),
        None => entry.revoked = Some(OffsetDateTime::now_utc().date().to_string()),
    }
    lock.write_index(&index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_minted_stands_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for_localhost(folder.path()).unwrap();
        let files = || fs::read_dir(folder.path()).unwrap().count();
        let before = files();
        let identity = mint(folder.path(), "site.example", false).unwrap();
        let leaf = clasp_x509::Certificate::parse(&identity.chain()[0]).unwrap();
        assert_eq!((leaf.subject().to_string().as_str(), files()), ("CN=site.example", before));
        assert!(leaf.not_after() <= (OffsetDateTime::now_utc() + Duration::days(1)).unix_timestamp());
        for no_name in ["", "a b", "*", "999.1"] {
            assert!(mint(folder.path(), no_name, false).is_err(), "{no_name:?}");
        }
    }
}
