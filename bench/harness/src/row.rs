//! Which rows there are. Controller and workers are built from the same list; they name rows by their `id`.

use crate::primitive::{Primitive, size};
use crate::scenario::{Aead, Cipher, Exchange, Key, Resume, Scenario, Version};

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Row {
    /// Short and stable: what `--only` looks in, and what JSON is keyed by.
    pub id: String,
    pub work: Work,
}

/// What is done in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Whole handshakes, from making both ends to dropping them.
    Handshake(Scenario),
    /// Writes of so many bytes on an open connection, one way.
    Bulk(Scenario, usize),
    /// What a connection holds and how often it allocates.
    Heap(Scenario),
    Primitive(Primitive),
}

/// Sizes of writes.
pub const WRITES: [usize; 4] = [64, 1024, 16 * 1024, 1024 * 1024];

/// All rows, in the order of the report.
pub fn all() -> Vec<Row> {
    let mut rows: Vec<Row> = handshakes().into_iter().map(|(id, s)| row(id, Work::Handshake(s))).collect();
    for (name, scenario) in ciphers() {
        rows.extend(WRITES.map(|n| row(&format!("bulk/{name}/{}", slug(&size(n))), Work::Bulk(scenario, n))));
    }
    for (id, scenario) in handshakes() {
        if matches!(id, "hs13/x25519/ecdsa" | "hs13/hybrid/ecdsa" | "hs12/x25519/ecdsa" | "resumed13/psk/x25519") {
            rows.push(row(&format!("heap/{id}"), Work::Heap(scenario)));
        }
    }
    rows.extend(Primitive::all().into_iter().map(|p| row(&format!("bare/{}", slug(&p.name())), Work::Primitive(p))));
    rows
}

/// The handshakes, by id.
pub fn handshakes() -> Vec<(&'static str, Scenario)> {
    use Exchange::{Hybrid, P256, Rsa, X25519};
    let (t13, t12) = (Scenario::tls13, Scenario::tls12);
    vec![
        ("hs13/x25519/ecdsa", t13(X25519)),
        ("hs13/p256/ecdsa", t13(P256)),
        ("hs13/hybrid/ecdsa", t13(Hybrid)),
        ("hs13/x25519/rsa", t13(X25519).key(Key::Rsa2048)),
        ("hs13/x25519/ecdsa/mutual", t13(X25519).mutual()),
        ("hs13/hybrid/ecdsa/mutual", t13(Hybrid).mutual()),
        ("hs13/x25519/ecdsa/known", t13(X25519).known()),
        ("hs13/x25519/ecdsa/mutual/known", t13(X25519).mutual().known()),
        ("hs12/x25519/ecdsa", t12(X25519)),
        ("hs12/p256/ecdsa", t12(P256)),
        ("hs12/x25519/rsa", t12(X25519).key(Key::Rsa2048)),
        ("hs12/x25519/ecdsa/mutual", t12(X25519).mutual()),
        ("hs12/rsakt/gcm", t12(Rsa).key(Key::Rsa2048)),
        ("hs12/rsakt/cbc", t12(Rsa).key(Key::Rsa2048).cipher(Cipher::CbcSha1)),
        ("resumed13/psk/x25519", t13(X25519).resumed(Resume::Ticket)),
        ("resumed13/psk/hybrid", t13(Hybrid).resumed(Resume::Ticket)),
        ("resumed12/id", t12(X25519).resumed(Resume::SessionId)),
        ("resumed12/ticket", t12(X25519).resumed(Resume::Ticket)),
    ]
}

fn ciphers() -> Vec<(String, Scenario)> {
    let aeads = Aead::ALL.map(|a| (slug(a.name()), Scenario::tls13(Exchange::X25519).cipher(Cipher::Aead(a))));
    let cbc = Scenario::tls12(Exchange::X25519).cipher(Cipher::CbcSha1);
    aeads.into_iter().chain([("aes-128-cbc-sha1".to_string(), cbc)]).collect()
}

fn row(id: &str, work: Work) -> Row {
    Row { id: id.to_string(), work }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(", ", "-").replace(' ', "-")
}

impl Work {
    /// In words, for tables.
    pub fn title(&self) -> String {
        match self {
            Self::Handshake(s) | Self::Heap(s) => s.title(),
            Self::Bulk(s, n) => format!("{}, {}", s.bulk_name(), size(*n)),
            Self::Primitive(p) => p.name(),
        }
    }
}

impl Scenario {
    /// In words, for tables.
    pub fn title(&self) -> String {
        let version = match self.version {
            Version::Tls12 => "1.2",
            Version::Tls13 => "1.3",
        };
        match (self.resume, self.version) {
            (Resume::SessionId, _) => return format!("{version} resumed by session ID"),
            (Resume::Ticket, Version::Tls12) => return format!("{version} resumed by ticket"),
            (Resume::Ticket, Version::Tls13) => {
                return format!("{version} resumed, PSK-DHE {}", self.exchange.name());
            }
            (Resume::Full, _) => {}
        }
        let mutual = if self.mutual { ", mutual" } else { "" };
        let known = if self.known { ", chains known" } else { "" };
        match (self.exchange, self.cipher) {
            (Exchange::Rsa, Cipher::CbcSha1) => format!("{version} RSA key transport, CBC"),
            (Exchange::Rsa, Cipher::Aead(_)) => format!("{version} RSA key transport, GCM"),
            _ => format!("{version} full, {}, {}{mutual}{known}", self.exchange.name(), self.key.name()),
        }
    }

    /// The cipher, for tables of bulk data.
    pub fn bulk_name(&self) -> &'static str {
        match self.cipher {
            Cipher::Aead(aead) => aead.name(),
            Cipher::CbcSha1 => "AES-128-CBC-SHA1 (1.2)",
        }
    }
}
