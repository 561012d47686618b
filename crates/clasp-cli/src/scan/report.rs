//! What a scan found, as data: the JSON is this, field by field (docs/scan.md).

use super::suites::Strength;
use serde::Serialize;

/// The number of the form of the JSON; it changes when a field goes or means something else.
pub(crate) const FORMAT: u32 = 1;

/// A server, looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) target: String,
    pub(crate) address: String,
    pub(crate) server_name: Option<String>,
    pub(crate) starttls: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) connections: usize,
    /// Why there is nothing to tell.
    pub(crate) failed: Option<String>,
    pub(crate) grade: Option<char>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) versions: Vec<Version>,
    pub(crate) suites: Vec<Suites>,
    pub(crate) groups: Vec<Groups>,
    pub(crate) schemes: Vec<Schemes>,
    pub(crate) diffie_hellman: Option<DiffieHellman>,
    pub(crate) extensions: Extensions,
    pub(crate) renegotiation: Option<Renegotiation>,
    pub(crate) hello: Vec<Tried>,
    pub(crate) handshakes: Vec<Handshake>,
    pub(crate) chains: Vec<Chain>,
    pub(crate) resumption: Vec<Resumed>,
    pub(crate) alpn: Vec<String>,
    pub(crate) http: Option<Http>,
    pub(crate) client_certificate: Option<&'static str>,
    pub(crate) quic: Option<Vec<String>>,
    pub(crate) attacks: Vec<Attack>,
    pub(crate) policies: Vec<PolicyVerdict>,
}

impl Report {
    pub(crate) fn speaks(&self, version: &str) -> bool {
        self.versions.iter().any(|v| v.name == version && v.spoken)
    }

    /// All suites of all versions before TLS 1.3, each once.
    pub(crate) fn old_suites(&self) -> Vec<u16> {
        let mut all: Vec<u16> = self.suites.iter().filter(|s| s.version != "TLS 1.3").flat_map(Suites::codes).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn suites_of(&self, version: &str) -> Vec<u16> {
        self.suites.iter().filter(|suites| suites.version == version).flat_map(Suites::codes).collect()
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Version {
    pub(crate) name: &'static str,
    pub(crate) spoken: bool,
    /// What the server said instead.
    pub(crate) words: Option<String>,
}

/// Whose preference decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    Server,
    Client,
    /// There is but one, or the server did not say the same twice.
    #[default]
    Unknown,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Suites {
    pub(crate) version: &'static str,
    pub(crate) order: Order,
    /// In the order in which the server takes them.
    pub(crate) suites: Vec<Suite>,
}

impl Suites {
    fn codes(&self) -> impl Iterator<Item = u16> {
        self.suites.iter().map(|suite| suite.code)
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Suite {
    pub(crate) code: u16,
    pub(crate) name: String,
    pub(crate) strength: Strength,
    pub(crate) forward_secrecy: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Groups {
    pub(crate) version: &'static str,
    pub(crate) order: Order,
    pub(crate) groups: Vec<Group>,
    /// Whether a hello whose key shares the server does not want brings a HelloRetryRequest (TLS 1.3).
    pub(crate) retries: Option<bool>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) code: u16,
    pub(crate) name: String,
    pub(crate) post_quantum: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Schemes {
    pub(crate) version: &'static str,
    pub(crate) schemes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct DiffieHellman {
    pub(crate) bits: usize,
    /// Whose prime it is, where that is known.
    pub(crate) prime: Option<&'static str>,
    /// Nothing where it is too long to be looked at.
    pub(crate) is_prime: Option<bool>,
    /// Whether (p - 1) / 2 is a prime as well.
    pub(crate) safe_prime: Option<bool>,
    /// The server's public value was the same twice.
    pub(crate) reused: bool,
}

impl DiffieHellman {
    pub(crate) const fn whose(&self) -> &'static str {
        match (self.is_prime, self.prime) {
            (Some(false), _) => "a modulus that is no prime",
            (None, _) => "a modulus too long to be looked at",
            (_, Some(whose)) => whose,
            (_, None) => "a prime of its own",
        }
    }
}

/// What the server's hellos answered before TLS 1.3.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Extensions {
    pub(crate) secure_renegotiation: Option<bool>,
    pub(crate) extended_master_secret: Option<bool>,
    pub(crate) encrypt_then_mac: Option<bool>,
    pub(crate) heartbeat: Option<bool>,
    pub(crate) compression: Option<bool>,
    pub(crate) fallback_scsv: Option<bool>,
    /// The server's ECDHE value was the same twice.
    pub(crate) ecdhe_reused: Option<bool>,
}

/// What a server does when its client asks for another handshake within the connection (TLS 1.2).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Renegotiation {
    /// Whether it begins one; null where it could not be asked.
    pub(crate) allowed: Option<bool>,
    pub(crate) words: String,
}

impl Renegotiation {
    pub(crate) const fn name(&self) -> &'static str {
        match self.allowed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        }
    }
}

/// A way of saying hello, and whether the server bears it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tried {
    pub(crate) name: &'static str,
    pub(crate) good: bool,
    pub(crate) words: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Chain {
    /// By which key's kind it was asked for.
    pub(crate) key: String,
    pub(crate) signature: String,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    pub(crate) names: Vec<String>,
    pub(crate) not_before: String,
    pub(crate) not_after: String,
    pub(crate) days_left: i64,
    pub(crate) fingerprint: String,
    pub(crate) length: usize,
    pub(crate) accepted: bool,
    pub(crate) reason: Option<String>,
    pub(crate) repair: Option<String>,
    pub(crate) stapled: bool,
    /// What the staple says: good, revoked, unknown, or not looked at.
    pub(crate) staple: Option<&'static str>,
    pub(crate) must_staple: bool,
    /// Certificate timestamps: in the certificate, in the handshake, in the OCSP response.
    pub(crate) timestamps: usize,
    /// In PEM, the peer's own first.
    pub(crate) pem: String,
    /// Each certificate's subject and issuer.
    pub(crate) path: Vec<String>,
}

impl Chain {
    pub(crate) fn staple_words(&self) -> &'static str {
        match self.staple {
            Some("good") => "stapled OCSP response",
            Some("revoked") => "stapled OCSP response that says revoked",
            Some("not looked at") => "stapled OCSP response whose issuer was not sent",
            Some(_) => "stapled OCSP response of no use",
            None if self.stapled => "stapled OCSP response that cannot be read",
            None => "nothing stapled",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Resumed {
    pub(crate) by: &'static str,
    /// Nothing where it could not be tried.
    pub(crate) works: Option<bool>,
    /// How long a session may be resumed, in seconds, where the server says it.
    pub(crate) lifetime: Option<u32>,
    /// Bytes of early data that the server takes.
    pub(crate) early_data: Option<u32>,
    pub(crate) tickets: Option<usize>,
    pub(crate) words: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Http {
    pub(crate) status: String,
    pub(crate) strict_transport_security: Option<String>,
    /// The age that it names, in seconds.
    pub(crate) hsts_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Safe,
    Vulnerable,
    Unknown,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// The identifier of its first report.
    pub(crate) id: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) words: String,
}

/// Whether a handshake by a version that is spoken comes to where the server has proven to have its key.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Handshake {
    pub(crate) version: &'static str,
    pub(crate) completes: bool,
    /// Why none does.
    pub(crate) words: String,
    /// The server said no to all that Clasp has, before it showed anything.
    #[serde(skip)]
    pub(crate) is_refused: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct PolicyVerdict {
    pub(crate) policy: &'static str,
    pub(crate) connects: bool,
    /// What is agreed, or why nothing is.
    pub(crate) words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Somebody can read or forge.
    Bad,
    /// Better to be changed.
    Warning,
    /// Worth knowing.
    Note,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// What is to be said of the server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Its name, which stays from version to version.
    pub(crate) id: &'static str,
    pub(crate) level: Level,
    /// The best grade that a server with it can have.
    pub(crate) caps: char,
    pub(crate) what: String,
    pub(crate) repair: String,
}

pub(crate) fn suite(code: u16) -> Suite {
    Suite {
        code,
        name: super::suites::name(code),
        strength: super::suites::strength(code),
        forward_secrecy: super::suites::has_forward_secrecy(code),
    }
}

/// A group's name: also of those that Clasp does not speak.
pub(crate) fn group(code: u16) -> Group {
    let known = clasp::NamedGroup(code);
    let name = match code {
        0x0200 => "MLKEM512",
        0x6399 => "X25519Kyber768Draft00",
        9 => "sect283k1",
        10 => "sect283r1",
        11 => "sect409k1",
        12 => "sect409r1",
        13 => "sect571k1",
        14 => "sect571r1",
        15 => "secp160k1",
        16 => "secp160r1",
        17 => "secp160r2",
        18 => "secp192k1",
        19 => "secp192r1",
        20 => "secp224k1",
        21 => "secp224r1",
        22 => "secp256k1",
        26 => "brainpoolP256r1",
        27 => "brainpoolP384r1",
        28 => "brainpoolP512r1",
        31 => "brainpoolP256r1tls13",
        32 => "brainpoolP384r1tls13",
        33 => "brainpoolP512r1tls13",
        34 => "GC256A",
        35 => "GC256B",
        41 => "curveSM2",
        _ => "",
    };
    let name = if name.is_empty() { known.to_string() } else { name.into() };
    Group { code, name, post_quantum: known.is_post_quantum() || matches!(code, 0x0200 | 0x6399) }
}

/// A scheme's name: also of those that Clasp does not speak.
pub(crate) fn scheme(code: u16) -> String {
    let name = match code {
        0x0101 => "rsa_md5",
        0x0103 => "ecdsa_md5",
        0x0202 => "dsa_sha1",
        0x0301 => "rsa_pkcs1_sha224",
        0x0302 => "dsa_sha224",
        0x0303 => "ecdsa_sha224",
        0x0402 => "dsa_sha256",
        0x0502 => "dsa_sha384",
        0x0602 => "dsa_sha512",
        0x0708 => "sm2sig_sm3",
        0x081a => "ecdsa_brainpoolP256r1tls13_sha256",
        0x081b => "ecdsa_brainpoolP384r1tls13_sha384",
        0x081c => "ecdsa_brainpoolP512r1tls13_sha512",
        _ => return clasp::SignatureScheme(code).to_string(),
    };
    name.into()
}
