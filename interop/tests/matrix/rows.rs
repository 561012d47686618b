//! What is tried with every peer, in both directions.

use clasp::suite::{Auth, Bulk, Kx, SUITES, Suite};
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion};
use clasp_testkit::KeyKind;

/// Which side Clasp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Client,
    Server,
}

impl Ours {
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

/// What the last of the connections resumes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    Never,
    SessionId,
    Ticket,
    /// A ticket of another server that has the same ticket secret and nothing else in common.
    Fleet,
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

/// One thing to try.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) suite: &'static Suite,
    pub(crate) group: Option<NamedGroup>,
    /// The server's key.
    pub(crate) key: KeyKind,
    pub(crate) extended_master_secret: Switch,
    pub(crate) encrypt_then_mac: Switch,
    pub(crate) client_cert: ClientCert,
    pub(crate) resume: Resume,
    /// Bytes of application data, each way.
    pub(crate) bytes: usize,
    /// The way to the server does not matter.
    pub(crate) only_to_client: bool,
    pub(crate) end: End,
    /// Whether the closing itself is looked at; many programs do not answer a close_notify.
    pub(crate) checks_close: bool,
}

const SMALL: usize = 4 * 1024;
const LARGE: usize = 4 * 1024 * 1024;

impl Row {
    fn new(name: impl Into<String>, code: CipherSuite) -> Self {
        let suite = Suite::find(code).expect("a suite Clasp has");
        Self {
            name: name.into(),
            version: ProtocolVersion::Tls12,
            suite,
            group: None,
            key: if suite.auth == Auth::Rsa { KeyKind::Rsa } else { KeyKind::P256 },
            extended_master_secret: Switch::On,
            encrypt_then_mac: Switch::On,
            client_cert: ClientCert::NotAsked,
            resume: Resume::Never,
            bytes: SMALL,
            only_to_client: false,
            end: End::Client,
            checks_close: false,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// How many connections are made one after the other.
    pub(crate) const fn connections(&self) -> usize {
        match self.resume {
            Resume::Never => 1,
            _ => 2,
        }
    }

    pub(crate) const fn is_cbc(&self) -> bool {
        matches!(self.suite.bulk, Bulk::Cbc(_))
    }

    /// What the client offers where the row is about one group: that, and behind it the curve of the server's key,
    /// without which the server may not use its key (RFC 8422 5.3).
    pub(crate) fn groups(&self) -> Option<Vec<NamedGroup>> {
        let group = self.group?;
        let curve = match self.key {
            KeyKind::P256 => Some(NamedGroup::Secp256r1),
            KeyKind::P384 => Some(NamedGroup::Secp384r1),
            KeyKind::Rsa | KeyKind::Ed25519 => None,
        };
        Some([group].into_iter().chain(curve.filter(|c| *c != group)).collect())
    }

    /// OpenSSL's name of the suite.
    pub(crate) fn openssl_suite(&self) -> String {
        let name = self.suite.code.name().trim_start_matches("TLS_").replace("RSA_WITH_", "RSA-");
        let name = name.replace("ECDSA_WITH_", "ECDSA-").replace("AES_", "AES").replace("_CBC", "").replace('_', "-");
        let name = name.replace("POLY1305-SHA256", "POLY1305");
        if self.suite.kx == Kx::Rsa { name.trim_start_matches("RSA-").to_owned() } else { name }
    }
}

/// The rows of TLS 1.2.
pub(crate) fn tls12() -> Vec<Row> {
    let mut rows: Vec<Row> =
        SUITES.iter().map(|s| Row::new(s.code.name().trim_start_matches("TLS_"), s.code)).collect();
    rows.extend(groups_and_keys());
    rows.extend(extensions());
    rows.extend(client_certificates());
    rows.extend(resumption());
    rows.extend(transfers_and_closing());
    rows
}

const RSA_CBC: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
const ECDHE_RSA: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256;
const ECDHE_ECDSA: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
const ECDHE_CBC: CipherSuite = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA;
const CHACHA: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
const DHE_RSA: CipherSuite = CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256;

fn groups_and_keys() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, suite) in [("ECDHE_RSA", ECDHE_RSA), ("ECDHE_ECDSA", ECDHE_ECDSA)] {
        for group in [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1, NamedGroup::Secp521r1] {
            let row = Row::new(format!("{name} over {}", group.name()), suite);
            rows.push(row.with(|r| {
                r.group = Some(group);
                if (group, r.key) == (NamedGroup::Secp384r1, KeyKind::P256) {
                    r.key = KeyKind::P384;
                }
            }));
        }
    }
    for group in [NamedGroup::Ffdhe2048, NamedGroup::Ffdhe3072, NamedGroup::Ffdhe4096] {
        rows.push(Row::new(format!("DHE_RSA over {}", group.name()), DHE_RSA).with(|r| r.group = Some(group)));
    }
    for (name, key) in [("P-384", KeyKind::P384), ("Ed25519", KeyKind::Ed25519)] {
        rows.push(Row::new(format!("a server key of {name}"), ECDHE_ECDSA).with(|r| r.key = key));
    }
    rows
}

fn extensions() -> Vec<Row> {
    let mut rows = Vec::new();
    for (who, switch) in [("clasp", Switch::OffOurs), ("the peer", Switch::OffTheirs)] {
        for (name, suite) in [("RSA AES_128_CBC_SHA", RSA_CBC), ("ECDHE AES_256_CBC_SHA", ECDHE_CBC)] {
            let row = Row::new(format!("encrypt-then-MAC off at {who}, {name}"), suite);
            rows.push(row.with(|r| r.encrypt_then_mac = switch));
        }
        for (name, suite) in [("RSA", RSA_CBC), ("ECDHE", ECDHE_RSA)] {
            let row = Row::new(format!("extended master secret off at {who}, {name}"), suite);
            rows.push(row.with(|r| r.extended_master_secret = switch));
        }
    }
    rows
}

fn client_certificates() -> Vec<Row> {
    let row =
        |name: &str, cert| Row::new(format!("client certificate {name}"), ECDHE_RSA).with(|r| r.client_cert = cert);
    vec![
        row("required, RSA sent", ClientCert::Sent(KeyKind::Rsa)),
        row("required, P-256 sent", ClientCert::Sent(KeyKind::P256)),
        row("required, P-384 sent", ClientCert::Sent(KeyKind::P384)),
        row("required, none sent: refused", ClientCert::Missing),
        row("requested, none sent", ClientCert::Empty),
        Row::new("client certificate required, RSA sent, RSA key transport", RSA_CBC)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::Rsa)),
    ]
}

fn resumption() -> Vec<Row> {
    let row = |name: &str, suite, resume| Row::new(format!("resumption {name}"), suite).with(|r| r.resume = resume);
    vec![
        row("by session ID, RSA CBC", RSA_CBC, Resume::SessionId),
        row("by session ID, ECDHE GCM", ECDHE_ECDSA, Resume::SessionId),
        row("by session ID, no extended master secret", ECDHE_RSA, Resume::SessionId)
            .with(|r| r.extended_master_secret = Switch::OffOurs),
        row("by ticket, RSA CBC", RSA_CBC, Resume::Ticket),
        row("by ticket, ECDHE GCM", ECDHE_ECDSA, Resume::Ticket),
        row("by ticket, with a client certificate", ECDHE_RSA, Resume::Ticket)
            .with(|r| r.client_cert = ClientCert::Sent(KeyKind::P256)),
        row("by ticket across two servers with one secret", ECDHE_RSA, Resume::Fleet),
    ]
}

fn transfers_and_closing() -> Vec<Row> {
    let large = |name: &str, suite| Row::new(format!("4 MiB each way, {name}"), suite).with(|r| r.bytes = LARGE);
    let closing = |name: &str, end| {
        Row::new(name, ECDHE_RSA).with(|r| {
            r.end = end;
            r.checks_close = true;
        })
    };
    vec![
        large("AES-GCM", ECDHE_RSA),
        large("ChaCha20-Poly1305", CHACHA),
        large("CBC", RSA_CBC),
        large("CBC without encrypt-then-MAC", RSA_CBC).with(|r| r.encrypt_then_mac = Switch::OffOurs),
        large("AES-GCM", ECDHE_RSA).with(|r| {
            r.name = "4 MiB to the client, AES-GCM".into();
            r.only_to_client = true;
        }),
        closing("the client closes first", End::Client),
        closing("the server closes first", End::Server),
        closing("a cut connection is an error", End::Cut),
    ]
}
