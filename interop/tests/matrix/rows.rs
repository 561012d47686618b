//! What is tried with every peer, in both directions.

mod tls12;
mod tls13;

use clasp::suite::{Auth, Bulk, Kx, Suite, Suite13};
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion};
use clasp_testkit::KeyKind;

/// Every row.
pub(crate) fn all() -> Vec<Row> {
    let mut rows = tls12::rows();
    rows.extend(tls13::rows());
    rows
}

/// Which side Clasp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Client,
    Server,
}

impl Ours {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Client => "clasp client",
            Self::Server => "clasp server",
        }
    }
}

/// An extension that both sides use unless one does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    OffOurs,
    OffTheirs,
}

/// Client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientCert {
    NotAsked,
    /// Required, and sent.
    Sent(KeyKind),
    /// Required, and the client has none: refused.
    Missing,
    /// Requested, and the client has none: served.
    Empty,
}

impl ClientCert {
    /// Whether one is sent whose key signs with ECDSA.
    pub(crate) const fn is_ecdsa(self) -> bool {
        matches!(self, Self::Sent(KeyKind::P256 | KeyKind::P384))
    }
}

/// What the last of the connections resumes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    Never,
    SessionId,
    Ticket,
    /// A ticket of another server that has the same ticket secret and nothing else in common.
    Fleet,
}

/// A certificate that must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The server's is by an authority of the right name and another key.
    StrangersServer,
    /// The server's is for another name.
    OtherName,
    /// The client's is by an authority of the right name and another key.
    StrangersClient,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client says close_notify first, the server answers.
    Client,
    /// The server says close_notify first, the client answers.
    Server,
    /// The peer's TCP connection ends without close_notify: Clasp must say that data may be missing.
    Cut,
}

/// What rows want to know of a suite of either version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSuite {
    pub(crate) code: CipherSuite,
    /// None in TLS 1.3, whose suites leave it open.
    pub(crate) kx: Option<Kx>,
    pub(crate) bulk: Bulk,
}

/// One thing to try.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: RowSuite,
    pub(crate) group: Option<NamedGroup>,
    /// The server's key.
    pub(crate) key: KeyKind,
    pub(crate) extended_master_secret: Switch,
    pub(crate) encrypt_then_mac: Switch,
    pub(crate) client_cert: ClientCert,
    pub(crate) fault: Fault,
    /// The client offers `ALPN_OFFERED`, the server has `ALPN` alone.
    pub(crate) alpn: bool,
    pub(crate) resume: Resume,
    /// The client's first share is of a group that the server does not take: HelloRetryRequest.
    pub(crate) hello_retry: bool,
    /// The connection that resumes begins with early data.
    pub(crate) early_data: bool,
    /// Clasp moves its keys on in the middle of the data, and asks the peer to do the same.
    pub(crate) key_update: bool,
    /// Bytes of application data, each way.
    pub(crate) bytes: usize,
    /// The way to the server does not matter.
    pub(crate) only_to_client: bool,
    pub(crate) end: End,
    /// Whether the closing itself is looked at; many programs do not answer a close_notify.
    pub(crate) checks_close: bool,
}

pub(crate) const SMALL: usize = 4 * 1024;
const LARGE: usize = 4 * 1024 * 1024;
/// The groups of RFC 7919.
const FFDHE: [NamedGroup; 5] =
    [NamedGroup::Ffdhe2048, NamedGroup::Ffdhe3072, NamedGroup::Ffdhe4096, NamedGroup::Ffdhe6144, NamedGroup::Ffdhe8192];
/// What a client offers where the row is about ALPN, the first of which no server has.
pub(crate) const ALPN_OFFERED: [&str; 2] = ["h2", ALPN];
/// What a server has, and both agree on.
pub(crate) const ALPN: &str = "http/1.1";
/// Bytes of early data.
pub(crate) const EARLY: usize = 64;

impl Row {
    fn new(name: impl Into<String>, version: ProtocolVersion, suite: RowSuite, key: KeyKind) -> Self {
        Self {
            name: name.into(),
            version,
            suite,
            group: None,
            key,
            extended_master_secret: Switch::On,
            encrypt_then_mac: Switch::On,
            client_cert: ClientCert::NotAsked,
            fault: Fault::None,
            alpn: false,
            resume: Resume::Never,
            hello_retry: false,
            early_data: false,
            key_update: false,
            bytes: SMALL,
            only_to_client: false,
            end: End::Client,
            checks_close: false,
        }
    }

    fn tls12(name: impl Into<String>, code: CipherSuite) -> Self {
        let suite = Suite::find(code).expect("a suite Clasp has");
        let key = if suite.auth == Auth::Rsa { KeyKind::Rsa } else { KeyKind::P256 };
        let suite = RowSuite { code, kx: Some(suite.kx), bulk: suite.bulk };
        Self::new(name, ProtocolVersion::Tls12, suite, key)
    }

    fn tls13(name: &str, code: CipherSuite) -> Self {
        let suite = Suite13::find(code).expect("a suite Clasp has");
        let suite = RowSuite { code, kx: None, bulk: Bulk::Aead(suite.aead) };
        Self::new(format!("TLS 1.3 {name}"), ProtocolVersion::Tls13, suite, KeyKind::P256)
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Whose certificate is refused, if one is: the row's server refuses its client, or the other way.
    pub(crate) fn is_refused(&self, by: Ours) -> bool {
        match self.fault {
            Fault::StrangersServer | Fault::OtherName => by == Ours::Client,
            Fault::StrangersClient => by == Ours::Server,
            Fault::None => by == Ours::Server && self.client_cert == ClientCert::Missing,
        }
    }

    /// How many connections are made one after the other.
    pub(crate) const fn connections(&self) -> usize {
        match self.resume {
            Resume::Never => 1,
            _ => 2,
        }
    }

    pub(crate) fn is_tls13(&self) -> bool {
        self.version == ProtocolVersion::Tls13
    }

    /// The kind of the server's key, as suites of TLS 1.2 name it.
    pub(crate) fn auth(&self) -> Auth {
        if matches!(self.key, KeyKind::Rsa | KeyKind::RsaPss) { Auth::Rsa } else { Auth::Ecdsa }
    }

    /// The client's key, if it sends a certificate.
    pub(crate) const fn client_key(&self) -> Option<KeyKind> {
        match self.client_cert {
            ClientCert::Sent(kind) => Some(kind),
            _ => None,
        }
    }

    /// Whether a side's key is for RSASSA-PSS alone.
    pub(crate) fn has_pss_key(&self) -> bool {
        self.key == KeyKind::RsaPss || self.client_key() == Some(KeyKind::RsaPss)
    }

    pub(crate) const fn is_cbc(&self) -> bool {
        matches!(self.suite.bulk, Bulk::Cbc(_))
    }

    /// What the client offers where the row is about one group: that, and behind it in TLS 1.2 the curve of the
    /// server's key, without which the server may not use its key (RFC 8422 5.3). Where the row is about a
    /// HelloRetryRequest, a group that the server does not take stands in front.
    pub(crate) fn groups(&self) -> Option<Vec<NamedGroup>> {
        let group = self.group?;
        if self.is_tls13() {
            let first = self.hello_retry.then_some(NamedGroup::X25519);
            return Some(first.into_iter().chain([group]).collect());
        }
        let curve = match self.key {
            KeyKind::P256 => Some(NamedGroup::Secp256r1),
            KeyKind::P384 => Some(NamedGroup::Secp384r1),
            KeyKind::Rsa | KeyKind::RsaPss | KeyKind::Ed25519 => None,
        };
        Some([group].into_iter().chain(curve.filter(|c| *c != group)).collect())
    }

    /// OpenSSL's name of the suite.
    pub(crate) fn openssl_suite(&self) -> String {
        if self.is_tls13() {
            return self.suite.code.name().to_owned();
        }
        let name = self.suite.code.name().trim_start_matches("TLS_").replace("RSA_WITH_", "RSA-");
        let name = name.replace("ECDSA_WITH_", "ECDSA-").replace("AES_", "AES").replace("_CBC", "").replace('_', "-");
        let name = name.replace("POLY1305-SHA256", "POLY1305");
        if self.suite.kx == Some(Kx::Rsa) { name.trim_start_matches("RSA-").to_owned() } else { name }
    }
}
