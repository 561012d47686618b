//! What rows share: certificates in files, payloads, ports, and the exchange itself.

use crate::rows::{Fault, Ours, Row};
use clasp_interop::ports::Ports;
use clasp_testkit::{Authority, Issued, KeyKind, authority, other_authority};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No single read or write of a socket may take longer.
pub(crate) const SOCKET_LIMIT: Duration = Duration::from_secs(10);

/// A certificate in files.
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) issued: Issued,
}

/// The laboratory: a directory that goes when it goes.
pub(crate) struct Lab {
    dir: tempfile::TempDir,
    pub(crate) ca: PathBuf,
    server: Vec<(KeyKind, Files)>,
    client: Vec<(KeyKind, Files)>,
    /// Certificates that must be refused.
    faulty: Vec<(Fault, Files)>,
    ports: Ports,
    payloads: Mutex<HashMap<usize, PathBuf>>,
}

pub(crate) const KEY_KINDS: [KeyKind; 5] =
    [KeyKind::Rsa, KeyKind::RsaPss, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519];

impl Lab {
    pub(crate) fn new() -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("clasp-interop-").tempdir()?;
        let ca = dir.path().join("ca.pem");
        fs::write(&ca, authority().pem())?;
        for (name, pem) in DH_PARAMETERS {
            fs::write(dir.path().join(name), pem)?;
        }
        let mut serial = 0_u64;
        let mut one = |by: &Authority, role: &str, names: &[&str], kind: KeyKind| -> io::Result<Files> {
            // NSS tells certificates apart by serial number, which would come from the key and RSA's is shared, and
            // by subject, which is the first name.
            serial += 1;
            let subject = format!("{role}-{kind:?}.example").to_ascii_lowercase();
            let names = [&[subject.as_str()], names].concat();
            let issued = by.issue_with(kind, &names, |p| p.serial_number = Some(serial.into()));
            let [cert, key] = ["cert", "key"].map(|what| dir.path().join(format!("{role}-{kind:?}-{what}.pem")));
            fs::write(&cert, &issued.chain_pem)?;
            fs::write(
                &key,
                if kind == KeyKind::Ed25519 { plain_ed25519(&issued.key)? } else { issued.key_pem.clone() },
            )?;
            Ok(Files { cert, key, issued })
        };
        let here: &[&str] = &["localhost", "127.0.0.1"];
        let (mut server, mut client) = (Vec::new(), Vec::new());
        for kind in KEY_KINDS {
            server.push((kind, one(authority(), "server", here, kind)?));
            client.push((kind, one(authority(), "client", &[], kind)?));
        }
        let mut faulty = Vec::new();
        for (fault, by, role, names) in [
            (Fault::StrangersServer, other_authority(), "strangers-server", here),
            (Fault::OtherName, authority(), "elsewhere", &[]),
            (Fault::StrangersClient, other_authority(), "strangers-client", &[]),
        ] {
            faulty.push((fault, one(by, role, names, KeyKind::P256)?));
        }
        Ok(Self { server, client, faulty, ca, dir, ports: Ports::new(), payloads: Mutex::default() })
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The certificate of the row's server.
    pub(crate) fn server(&self, row: &Row) -> &Files {
        let faulty = if row.is_refused(Ours::Client) { self.faulty(row.fault) } else { None };
        faulty.unwrap_or_else(|| find(&self.server, row.key))
    }

    /// The certificate of the row's client, of this kind.
    pub(crate) fn client(&self, row: &Row, kind: KeyKind) -> &Files {
        let faulty = if row.is_refused(Ours::Server) { self.faulty(row.fault) } else { None };
        faulty.unwrap_or_else(|| find(&self.client, kind))
    }

    fn faulty(&self, fault: Fault) -> Option<&Files> {
        self.faulty.iter().find(|(f, _)| *f == fault).map(|(_, files)| files)
    }

    /// Every certificate with its key, and its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (String, KeyKind, &Files)> {
        let good = [("server", &self.server), ("client", &self.client)];
        let good =
            good.into_iter().flat_map(|(role, all)| all.iter().map(move |(k, f)| (format!("{role}-{k:?}"), *k, f)));
        good.chain(self.faulty.iter().map(|(fault, f)| (format!("{fault:?}"), KeyKind::P256, f)))
    }

    /// A port for a peer's server. Somebody else may still take it: whoever starts a server on it tries again with
    /// another.
    pub(crate) fn port(&self) -> io::Result<u16> {
        self.ports.next()
    }

    /// A file with the payload of this length.
    pub(crate) fn payload_file(&self, bytes: usize) -> io::Result<PathBuf> {
        let mut payloads = self.payloads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = payloads.get(&bytes) {
            return Ok(path.clone());
        }
        let path = self.file(&format!("payload-{bytes}.txt"));
        fs::write(&path, payload(bytes))?;
        payloads.insert(bytes, path.clone());
        Ok(path)
    }
}

/// An Ed25519 key as RFC 8410 7 has it first: without the public key (RFC 5958 version 2), which OpenSSL 3.0 cannot read.
fn plain_ed25519(key: &[u8]) -> io::Result<String> {
    let missing = || io::Error::other("an Ed25519 key without its seed");
    let at = key.windows(4).position(|w| w == [0x04, 0x22, 0x04, 0x20]).ok_or_else(missing)? + 4;
    let seed = key.get(at..at + 32).ok_or_else(missing)?;
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    Ok(pem("PRIVATE KEY", &[&head, seed].concat()))
}

/// DER as PEM, of less than one line.
fn pem(label: &str, der: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for triple in der.chunks(3) {
        let bits = triple.iter().enumerate().fold(0_usize, |bits, (i, b)| bits | usize::from(*b) << (16 - 8 * i));
        for i in 0..4 {
            let letter = ALPHABET[bits >> (18 - 6 * i) & 63];
            text.push(if i <= triple.len() { char::from(letter) } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn find(files: &[(KeyKind, Files)], kind: KeyKind) -> &Files {
    files.iter().find(|(k, _)| *k == kind).map(|(_, f)| f).expect("every kind was made")
}

/// The groups of RFC 7919, for servers that take parameters from a file.
const DH_PARAMETERS: [(&str, &str); 5] = [
    ("ffdhe2048.pem", include_str!("scripts/ffdhe2048.pem")),
    ("ffdhe3072.pem", include_str!("scripts/ffdhe3072.pem")),
    ("ffdhe4096.pem", include_str!("scripts/ffdhe4096.pem")),
    ("ffdhe6144.pem", include_str!("scripts/ffdhe6144.pem")),
    ("ffdhe8192.pem", include_str!("scripts/ffdhe8192.pem")),
];

/// Lines of 63 random letters. Lower case, because some programs take lines that begin otherwise for commands.
pub(crate) fn payload(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (1..=bytes)
        .map(|i| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if i % 64 == 0 { b'\n' } else { b'a' + u8::try_from(state >> 32 & 0xff).unwrap_or(0) % 26 }
        })
        .collect()
}

/// How much is on its way at once, so that nobody's buffer can fill: whole lines, one record.
const CHUNK: usize = 16 * 1024;

/// Sends the payload piece by piece and checks that each comes back.
pub(crate) fn echo(peer: &mut (impl Read + Write), payload: &[u8]) -> io::Result<()> {
    for (i, piece) in payload.chunks(CHUNK).enumerate() {
        peer.write_all(piece)?;
        peer.flush()?;
        let mut back = vec![0; piece.len()];
        peer.read_exact(&mut back)?;
        if back != piece {
            let at = back.iter().zip(piece).position(|(a, b)| a != b).unwrap_or(0);
            return Err(io::Error::other(format!("byte {} came back changed", i * CHUNK + at)));
        }
    }
    Ok(())
}
