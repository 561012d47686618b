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
    /// If the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self(Mutex::new(options.open(path)?)))
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &'static str, client_random: &[u8; 32], secret: &[u8]) {
        let mut line = String::with_capacity(label.len() + 2 * (32 + secret.len()) + 3);
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
