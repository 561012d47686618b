//! What an authority has issued, kept in its directory; one process at a time changes it.

use crate::failure::Failure;
use crate::input;
use crate::pem;
use crate::terminal::note;
use clasp_x509::Certificate;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The names of the authority's own files, without what ends them.
pub(super) const ROOT: &str = "root";
pub(super) const INTERMEDIATE: &str = "intermediate";
/// What `clasp ca crl` writes.
pub(super) const LIST: &str = "crl";
pub(super) const INDEX: &str = "index.json";

/// One certificate in the index.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) serial: String,
    pub(super) file: String,
    pub(super) names: Vec<String>,
    pub(super) usage: String,
    pub(super) not_after: String,
    /// Whoever is not revoked has null here: where the key itself is missing, nobody knows.
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) revoked: Option<String>,
}

/// Of a file's name, which may have had others before it was renewed; of a serial number, as other programs write them too; or of
/// the certificate that stands in a file, wherever that is.
pub(super) fn find(dir: &Path, index: &[Entry], which: &str) -> Result<usize, Failure> {
    let of_serial = |serial: &str| index.iter().rposition(|e| plain(&e.serial).as_deref() == Some(serial));
    let named = index.iter().rposition(|e| e.file == which);
    if let Some(found) = named.or_else(|| of_serial(&plain(which)?)) {
        return Ok(found);
    }
    let path = Path::new(which);
    if !path.is_file() {
        return Err(not_issued(dir, which));
    }
    let all = pem::certificates(path)?;
    let certificate = all.first().map(|der| Certificate::parse(der)).transpose();
    let certificate = certificate.map_err(|e| Failure::file(path, e))?;
    let certificate = certificate.ok_or_else(|| Failure::file(path, "no certificate"))?;
    let serial = certificate.serial();
    let found = plain(&serial).and_then(|serial| of_serial(&serial));
    // Another authority's may have the same number.
    found
        .filter(|_| is_ours(dir, &certificate))
        .ok_or_else(|| not_issued(dir, &format!("{serial} (that of {which}, by {})", certificate.issuer())))
}

/// Whether an authority of this directory signed a certificate: the one that issues now, or one that has ended.
fn is_ours(dir: &Path, certificate: &Certificate<'_>) -> bool {
    let ours = [format!("{INTERMEDIATE}.pem"), format!("{ROOT}.pem"), format!("ended-{ROOT}.pem")];
    ours.iter().filter_map(|name| pem::certificates(&dir.join(name)).ok()).flatten().any(|der| {
        Certificate::parse(&der).is_ok_and(|c| {
            c.subject_der() == certificate.issuer_der() && c.subject_key_id() == certificate.authority_key_id()
        })
    })
}

/// A serial number as this program writes it, without the zeros in front: 0a1b, 0A:1B, 0x0A1B and `serial=0A1B` are one.
fn plain(text: &str) -> Option<String> {
    let text = text.strip_prefix("serial=").unwrap_or(text).to_ascii_lowercase();
    let text = text.strip_prefix("0x").unwrap_or(&text);
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    let good = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    good.then(|| digits.trim_start_matches('0').to_owned())
}

pub(super) fn read(dir: &Path) -> Result<Vec<Entry>, Failure> {
    let path = dir.join(INDEX);
    if !path.exists() {
        if !dir.join("root.pem").exists() {
            return Err(no_ca(dir));
        }
        // An empty one would have revoked nothing.
        return Err(Failure::cannot(format_args!(
            "{}: what this authority has issued and revoked is not there",
            path.display()
        ))
        .hint("bring it back; where nothing was ever issued, write [] into it"));
    }
    serde_json::from_slice(&input::bytes(&path)?).map_err(|e| Failure::file(&path, e))
}

pub(super) fn no_ca(dir: &Path) -> Failure {
    Failure::cannot(format_args!("{}: no CA is here", dir.display())).hint(format!("clasp ca init {}", dir.display()))
}

/// The right to change a directory. Whoever else wants it waits: two who read the index and write it back would lose what one of
/// them issued, which could then never be revoked.
pub(super) struct Locked {
    dir: PathBuf,
    _file: fs::File,
}

impl Locked {
    /// Waits for it.
    pub(super) fn new(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("index.lock");
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = |file: fs::File| fs4::FileExt::lock(&file).map(|()| file);
        let file = options.open(&path).and_then(lock).map_err(|e| Failure::file(&path, e))?;
        // The system gives it back when the file is closed, whatever becomes of us.
        Ok(Self { dir: dir.into(), _file: file })
    }

    /// The same of an authority that is there.
    pub(super) fn of(dir: &Path) -> Result<Self, Failure> {
        if dir.join("root.pem").exists() { Self::new(dir) } else { Err(no_ca(dir)) }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn write_index(&self, index: &[Entry]) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(index).map_err(Failure::cannot)?;
        self.replace(&self.dir.join(INDEX), text.as_bytes(), false)
    }

    /// Creates a file that must not be there yet; a secret one is its owner's alone from the start.
    pub(super) fn write_new(&self, path: &Path, text: &str, secret: bool) -> Result<(), Failure> {
        create(path, text.as_bytes(), secret).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => is_there(path),
            _ => Failure::file(path, e),
        })
    }

    /// Moves a file that is in the way to a name of its own. Nothing is thrown away.
    pub(super) fn set_aside(&self, name: &str) -> Result<(), Failure> {
        let path = self.dir.join(name);
        if !path.exists() {
            return Ok(());
        }
        let mut names = (1..).map(|number: u32| self.dir.join(format!("unfinished-{number}-{name}")));
        let aside = names.find(|aside| !aside.exists()).unwrap_or_default();
        fs::rename(&path, &aside).map_err(|e| Failure::file(&path, e))?;
        note(format_args!(
            "{} was left by an authority that was never finished: it is {} now",
            path.display(),
            aside.display()
        ));
        Ok(())
    }

    /// Written beside and moved into place, so that a crash leaves the old file or the new one.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8], secret: bool) -> Result<(), Failure> {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        // What a crash left: nobody else writes here now.
        let _absent = fs::remove_file(&new);
        create(&new, bytes, secret).and_then(|()| fs::rename(&new, path)).map_err(|e| Failure::file(path, e))
    }
}

pub(super) fn is_there(path: &Path) -> Failure {
    Failure::cannot(format_args!("{} is there already and is not overwritten", path.display()))
        .hint("move it away first")
}

pub(super) fn not_issued(dir: &Path, which: &str) -> Failure {
    Failure::no(format_args!("no certificate {which} was issued here")).hint(format!(
        "clasp ca list {} has them: give the serial number (hexadecimal), the file's name, or a path to the certificate",
        dir.display()
    ))
}

fn create(path: &Path, bytes: &[u8], secret: bool) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if secret { 0o600 } else { 0o644 });
    options.open(path)?.write_all(bytes)
}
