//! Key logs: the secrets of a connection for those who may read it (SSLKEYLOGFILE, RFC 9850).

use core::fmt;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// The label of a TLS 1.2 master secret.
pub const CLIENT_RANDOM: &str = "CLIENT_RANDOM";

/// The secret of early data (TLS 1.3).
pub const CLIENT_EARLY_TRAFFIC_SECRET: &str = "CLIENT_EARLY_TRAFFIC_SECRET";
/// The client's handshake traffic secret.
pub const CLIENT_HANDSHAKE_TRAFFIC_SECRET: &str = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
/// The server's handshake traffic secret.
pub const SERVER_HANDSHAKE_TRAFFIC_SECRET: &str = "SERVER_HANDSHAKE_TRAFFIC_SECRET";
/// The client's first application traffic secret.
pub const CLIENT_TRAFFIC_SECRET_0: &str = "CLIENT_TRAFFIC_SECRET_0";
/// The server's first application traffic secret.
pub const SERVER_TRAFFIC_SECRET_0: &str = "SERVER_TRAFFIC_SECRET_0";
/// The exporter secret.
pub const EXPORTER_SECRET: &str = "EXPORTER_SECRET";
/// The early exporter secret.
pub const EARLY_EXPORTER_SECRET: &str = "EARLY_EXPORTER_SECRET";

/// Is told the secrets of connections. Whoever has them reads the traffic: for debugging only.
pub trait KeyLog: Send + Sync {
    /// Whether secrets with this label are wanted.
    fn wants(&self, label: &'static str) -> bool {
        let _every_label = label;
        true
    }
    /// One secret.
    fn log(&self, label: &'static str, client_random: &[u8; 32], secret: &[u8]);
}

/// Appends to a file in the SSLKEYLOGFILE format, which Wireshark reads.
#[derive(Debug)]
pub struct KeyLogFile(Mutex<File>);

impl KeyLogFile {
    /// Opens the file for appending; a new one is readable by its owner alone.
    ///
    /// # Errors
    /// If the file cannot be opened; or if it, or a pipe in its place, is there already and is somebody else's, or others than its
    /// owner can read or write it, because whoever reads it reads the traffic.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        refuse_shared(&file)?;
        Ok(Self(Mutex::new(file)))
    }
}

/// What has been opened is looked at, and not what the path names by now.
#[cfg(unix)]
fn refuse_shared(file: &File) -> io::Result<()> {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    let mode = metadata.permissions().mode() & 0o777;
    let refused = match whose(metadata.uid(), effective_user()?) {
        Whose::AnothersOwn => {
            format!("it belongs to the user {}, and it would hold keys: name a new file", metadata.uid())
        }
        // Who may write to a terminal or to /dev/null learns nothing from it.
        Whose::Ours if (kind.is_file() || kind.is_fifo()) && mode & 0o077 != 0 => format!(
            "others can read or write it (mode {mode:03o}), and it would hold keys: chmod 600 it, or name a new file"
        ),
        Whose::Ours => return Ok(()),
    };
    Err(io::Error::new(io::ErrorKind::PermissionDenied, refused))
}

#[cfg(unix)]
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    AnothersOwn,
}

/// Root can open everything, and everybody's files are readable to root.
#[cfg(unix)]
fn whose(owner: u32, us: u32) -> Whose {
    if owner == us || owner == 0 { Whose::Ours } else { Whose::AnothersOwn }
}

/// As whom this process makes files: who a pipe of its own belongs to. It is in no folder, so nobody else can have it.
#[cfg(unix)]
fn effective_user() -> io::Result<u32> {
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;
    let (ours, _) = io::pipe()?;
    Ok(File::from(OwnedFd::from(ours)).metadata()?.uid())
}

/// Room for a label, a random and a secret of SHA-512's length.
const LONGEST_LINE: usize = 256;

impl KeyLog for KeyLogFile {
    fn log(&self, label: &'static str, client_random: &[u8; 32], secret: &[u8]) {
        let mut line = String::with_capacity(LONGEST_LINE);
        line.push_str(label);
        for bytes in [&client_random[..], secret] {
            line.push(' ');
            bytes.iter().for_each(|b| {
                line.extend(char::from_digit(u32::from(b >> 4), 16));
                line.extend(char::from_digit(u32::from(b & 15), 16));
            });
        }
        line.push('\n');
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end a connection: the log is a convenience, and its absence is its own message.
        let _lost = file.write_all(line.as_bytes());
    }
}

/// The secrets of a key log that was written by whoever took part.
#[derive(Default)]
pub struct Secrets(HashMap<(&'static str, [u8; 32]), Zeroizing<Vec<u8>>>);

/// The labels that say something here; of TLS 1.3's, those of traffic.
const KNOWN: [&str; 6] = [
    CLIENT_RANDOM,
    CLIENT_EARLY_TRAFFIC_SECRET,
    CLIENT_HANDSHAKE_TRAFFIC_SECRET,
    SERVER_HANDSHAKE_TRAFFIC_SECRET,
    CLIENT_TRAFFIC_SECRET_0,
    SERVER_TRAFFIC_SECRET_0,
];

impl Secrets {
    /// Reads a log in the SSLKEYLOGFILE format. Comments, empty lines and labels that are not known are passed over: RFC 9850 2.
    ///
    /// # Errors
    /// The number of the first line, from 1, that has no such form.
    pub fn parse(text: &str) -> Result<Self, BadLine> {
        let mut secrets = HashMap::new();
        for (line, number) in text.lines().zip(1..) {
            let mut words = line.split_ascii_whitespace();
            let Some(label) = words.next().filter(|label| !label.starts_with('#')) else { continue };
            let Some(label) = KNOWN.into_iter().find(|known| *known == label) else { continue };
            let row = (|| {
                let random = bytes(words.next()?)?;
                let secret = bytes(words.next()?).filter(|secret| (1..=MAX_SECRET).contains(&secret.len()))?;
                Some((<[u8; 32]>::try_from(&random[..]).ok()?, secret))
            })();
            let (random, secret) = row.ok_or(BadLine(number))?;
            secrets.insert((label, random), secret);
        }
        Ok(Self(secrets))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn find(&self, label: &'static str, client_random: &[u8; 32]) -> Option<&[u8]> {
        self.0.get(&(label, *client_random)).map(|secret| &secret[..])
    }
}

/// SHA-384's length, and a master secret's.
const MAX_SECRET: usize = 48;

fn bytes(hex: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    // At its whole length at once, and wiped wherever it ends: a secret that grows leaves copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(hex.len().div_ceil(2)));
    for digits in hex.as_bytes().chunks(2) {
        bytes.push(pair(digits)?);
    }
    Some(bytes)
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} of them)", self.len())
    }
}

/// A line of a key log that has no form of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadLine(pub usize);

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} is no line of a key log: wanted a label, 32 bytes of random and a secret, in hexadecimal",
            self.0
        )
    }
}

impl core::error::Error for BadLine {}

#[cfg(test)]
mod reading {
    use super::*;

    #[test]
    fn a_key_log_is_read_and_its_secrets_do_not_print() {
        let random = "ab".repeat(32);
        let text = format!("# a comment\n\nEXPORTER_SECRET x\nCLIENT_RANDOM {random} {}\r\n", "cd".repeat(48));
        let secrets = Secrets::parse(&text).unwrap();
        assert_eq!(secrets.find(CLIENT_RANDOM, &[0xab; 32]), Some(&[0xcd; 48][..]));
        assert_eq!(
            (secrets.find(CLIENT_RANDOM, &[0; 32]), format!("{secrets:?}")),
            (None, "Secrets(1 of them)".into())
        );
        for bad in [
            "CLIENT_RANDOM",
            "CLIENT_RANDOM ab cd",
            &format!("CLIENT_RANDOM {random} c"),
            &format!("CLIENT_RANDOM {random} xy"),
        ] {
            assert_eq!(Secrets::parse(&format!("\n{bad}")).unwrap_err(), BadLine(2));
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_others_can_read_gets_no_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.log");
        drop(KeyLogFile::open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(KeyLogFile::open(&path).unwrap());
        for mode in [0o644, 0o640, 0o620, 0o604, 0o666, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = KeyLogFile::open(&path).unwrap_err();
            assert!(refused.kind() == io::ErrorKind::PermissionDenied && refused.to_string().contains("chmod 600"));
        }
        assert!(KeyLogFile::open("/dev/null").is_ok());
    }

    /// Root can open what others have laid out: a file, or a pipe at whose other end they read.
    #[test]
    fn what_belongs_to_another_gets_no_keys() {
        assert_eq!(
            [(7, 7), (0, 0), (0, 7), (7, 0), (7, 8)].map(|(owner, us)| whose(owner, us)),
            [Whose::Ours, Whose::Ours, Whose::Ours, Whose::AnothersOwn, Whose::AnothersOwn]
        );
        let folder = tempfile::tempdir().unwrap();
        let us = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&folder).unwrap());
        assert_eq!(effective_user().unwrap(), us);
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        // Its other end, so that opening it does not wait.
        let _reader = OpenOptions::new().read(true).write(true).open(path("pipe")).unwrap();
        for name in ["file", "pipe"] {
            let path = path(name);
            let open = || KeyLogFile::open(&path).map(drop).map_err(|refused| refused.to_string());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(open().is_err_and(|words| words.contains("mode 644")), "{name}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(open(), Ok(()), "{name}");
            // Only root can give a file away, and only root can open what is another's then.
            if us == 0 {
                std::os::unix::fs::chown(&path, Some(65534), None).unwrap();
                assert!(open().is_err_and(|words| words.contains("the user 65534")), "{name}");
            }
        }
    }
}
