//! The certificates that `clasp serve` was given, read again when their files have changed.

use crate::changes::Changes;
use crate::failure::Failure;
use crate::pem;
use crate::terminal::note;
use clasp::Identity;
use clasp::config::Reloadable;
use clasp::x509::{Certificate, PublicKey, SubjectAltName};
use clasp_x509::Moment;
use rustls_pki_types::UnixTime;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The files, and what they held when they were read last.
pub(super) struct Given {
    certs: Vec<PathBuf>,
    keys: Vec<PathBuf>,
    password: Option<PathBuf>,
    current: Arc<Reloadable>,
}

impl Given {
    /// Reads them.
    pub(super) fn new(certs: &[PathBuf], keys: &[PathBuf], password: Option<PathBuf>) -> Result<Self, Failure> {
        let current = Arc::new(Reloadable::new(identities(certs, keys, password.as_deref())?)?);
        Ok(Self { certs: certs.to_vec(), keys: keys.to_vec(), password, current })
    }

    /// What is served now.
    pub(super) fn current(&self) -> Arc<Reloadable> {
        Arc::clone(&self.current)
    }

    fn changes(&self) -> io::Result<Changes> {
        let files = self.certs.iter().chain(&self.keys).chain(&self.password).cloned();
        Changes::new(files.collect(), LOOK)
    }

    /// Reads them again for ever, whenever they have changed or SIGHUP says so. What cannot be read is said; the old ones go on.
    pub(super) fn watch(self) -> io::Result<impl Future<Output = ()> + Send> {
        let mut changes = self.changes()?;
        let given = Arc::new(self);
        Ok(async move {
            loop {
                changes.next().await;
                let again = Arc::clone(&given);
                match spawn_blocking(move || again.read()).await {
                    Ok(Ok(())) => note("reloaded: the certificates were read again"),
                    Ok(Err(failure)) => {
                        let hint = failure.hint_text().map_or(String::new(), |hint| format!(" (hint: {hint})"));
                        note(format_args!("reload: the old certificates go on: {}{hint}", failure.message()));
                    }
                    Err(panicked) => note(format_args!("reload: the old certificates go on: {panicked}")),
                }
            }
        })
    }

    fn read(&self) -> Result<(), Failure> {
        let read = identities(&self.certs, &self.keys, self.password.as_deref())?;
        Ok(self.current.replace(read)?)
    }
}

/// What these files hold, each chain with the key at the same place. One that would never be chosen is refused.
pub(crate) fn identities(
    certs: &[PathBuf],
    keys: &[PathBuf],
    password: Option<&Path>,
) -> Result<Vec<Identity>, Failure> {
    if certs.len() != keys.len() {
        return Err(Failure::cannot(format_args!("{} --cert and {} --key", certs.len(), keys.len()))
            .hint("give each --cert its --key, in the same order"));
    }
    pem::check_password(keys, password)?;
    let pairs = certs.iter().zip(keys);
    let identities = pairs.map(|(cert, key)| pem::identity(cert, key, password)).collect::<Result<Vec<_>, _>>()?;
    let claims: Vec<Option<Claim>> = identities.iter().map(claim).collect();
    for (at, later) in claims.iter().enumerate() {
        // What is chosen by name and by the client's algorithms is never this one where an earlier one has both.
        let shadows = |earlier: &Option<Claim>| match (earlier, later) {
            (Some(e), Some(l)) => e.kind == l.kind && l.names.iter().all(|n| e.names.contains(n)),
            _ => false,
        };
        let first = claims.iter().take(at).position(shadows);
        if let Some((first, second)) = first.and_then(|n| certs.get(n)).zip(certs.get(at)) {
            return Err(Failure::cannot(format_args!(
                "--cert {} and --cert {} exclude each other: the first has all names of the second and a key of the same \
                 kind, so that the second would never be chosen",
                first.display(),
                second.display()
            )));
        }
    }
    for (cert, identity) in certs.iter().zip(&identities) {
        if let Some(words) = out_of_time(identity) {
            note(format_args!("warning: {} {words}", cert.display()));
        }
    }
    Ok(identities)
}

/// What clients would refuse whatever else it says. It is served all the same: clocks differ, and a renewed one may come any moment.
fn out_of_time(identity: &Identity) -> Option<String> {
    let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    let leaf = Certificate::parse(identity.chain().first()?).ok()?;
    match (leaf.not_before(), leaf.not_after()) {
        (begin, _) if now < begin => Some(format!("is valid from {} on: clients refuse it until then", Moment(begin))),
        (_, end) if now > end => Some(format!("has expired on {}: clients refuse it", Moment(end))),
        _ => None,
    }
}

/// What an identity is chosen for.
struct Claim {
    names: Vec<String>,
    /// The key's algorithm, and its curve.
    kind: String,
}

fn claim(identity: &Identity) -> Option<Claim> {
    let leaf = Certificate::parse(identity.chain().first()?).ok()?;
    let names = leaf.alt_names().filter_map(|name| match name {
        SubjectAltName::Dns(dns) => Some(String::from_utf8_lossy(dns).to_ascii_lowercase()),
        SubjectAltName::Ip(ip) => Some(format!("{ip:?}")),
        _ => None,
    });
    // How long an RSA key is, no client says; which curve it takes, each does.
    let kind = match leaf.public_key() {
        PublicKey::Rsa { pss_only, .. } => format!("RSA {}", pss_only.is_some()),
        other => other.to_string(),
    };
    Some(Claim { names: names.collect(), kind })
}
