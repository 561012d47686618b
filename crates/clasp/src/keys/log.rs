//! Key logs: the secrets of a connection for those who may read it (SSLKEYLOGFILE, RFC 9850).

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

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
    /// If the file cannot be opened; or if it is there already and others than its owner can read or write it, because whoever
    /// reads it reads the traffic.
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

/// What has been opened is looked at, and not what the path names by now. A pipe or a terminal is whose it is.
#[cfg(unix)]
fn refuse_shared(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o777;
    if !metadata.is_file() || mode & 0o077 == 0 {
        return Ok(());
    }
    let words = format!(
        "others can read or write it (mode {mode:03o}), and it would hold keys: chmod 600 it, or name a new file"
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
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
}
