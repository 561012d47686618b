//! What this crate gives its callers may go to another thread and be shared among several. Every public name of the modules that are
//! read here stands in one of the two lists.

use clasp::config::*;
use clasp::crypto::*;
use clasp::ech::*;
use clasp::error::*;
use clasp::hello::*;
use clasp::keys::log::{BadLine, KeyLogFile, Secrets};
use clasp::session::*;
use clasp::suite::*;
use clasp::trace::*;
use clasp::*;
use std::collections::BTreeSet;
use std::net::TcpStream;

const SOURCES: &[&str] = &[
    include_str!("../src/lib.rs"),
    include_str!("../src/config/mod.rs"),
    include_str!("../src/crypto/mod.rs"),
    include_str!("../src/ech/mod.rs"),
    include_str!("../src/error/mod.rs"),
    include_str!("../src/hello/mod.rs"),
    include_str!("../src/keys/log.rs"),
    include_str!("../src/session/mod.rs"),
    include_str!("../src/suite.rs"),
    include_str!("../src/trace.rs"),
];

/// Traits, which say it themselves; names of others' types; and an answer that is awaited in one place, as futures are.
const NOT_HELD: &[&str] = &[
    "Admission",
    "Aead",
    "AeadKey",
    "Answer",
    "BlockKey",
    "CbcHmacKey",
    "CertificateCompression",
    "ClientIdentity",
    "ClientSessions",
    "Clock",
    "CryptoResult",
    "EchKeys",
    "FetchIssuer",
    "Group",
    "Hash",
    "HashContext",
    "HmacKey",
    "KeyLog",
    "KeyShare",
    "KnownKeys",
    "Legacy",
    "MaskKey",
    "Observer",
    "Random",
    "Readme",
    "Resolver",
    "Result",
    "ServerName",
    "ServerSessions",
    "Signer",
    "StaticKey",
    "TicketSealer",
    "Verifier",
    "VerifySignature",
];

fn send_sync<T: Send + Sync>() {}

macro_rules! held {
    ($($name:ident $(<$($of:tt),+>)?),+ $(,)?) => {
        fn held() -> BTreeSet<&'static str> {
            $(send_sync::<$name $(<$($of),+>)?>();)+
            BTreeSet::from([$(stringify!($name)),+])
        }
    };
}

held! {
    AeadId, AlertDescription, CipherSuite, Kx, NamedGroup, ProtocolVersion, SignatureScheme, AnyClientIdentity, AnyKeyDer<'static>, AnyResolver, Auth, BadLine, Blame, Bulk, Cause, CbcId, CertificateError, CertificateRequestFacts,
    ClientAuth, ClientBuilder<Ready>, ClientConfig, ClientHello, ClientHelloFacts, ClientSessionCache, Connection, CryptoError,
    DangerousAcceptAnyone, DecodeError, DecodeKind, Digest, Direction, EarlyData, EarlyDataRefusal, EchConfig, EchConfigList, EchError, EchFacts, EchKey, EchKeyRing, EchKeyStore, EchMode, EchParameters, Error, Event, Exchange, Facts,
    FirstUse, HashId, HelloReader, Identities, Identity, KeyLogFile, KeyPin, KnownKeysFile, Level, Misuse, MissingIssuers, Moved,
    NeedsIdentity, NeedsTrust, Observation<'static>, Opened, Outside, PeerError, PeerIdentity, PeerKey, PinnedKeys, Place, Policy, Pool, PoolSizes,
    PreSharedKey, PresentedIdentity<'static>, PrivateKey, Profile, Progress, Provider, RandomError, RawPublicKeys, Ready, Received<'static>,
    Receiver, RecordError, Reloadable, Resumption, Roots, Secret<'static>, Secrets, Sender, ServerBuilder<Ready>, ServerConfig,
    ServerSessionCache, Session, SharedSecret, Stream<TcpStream>, StreamReader<TcpStream>, StreamWriter<TcpStream>, Suite, Suite13,
    SystemClock, TicketKeys, TimeLimits, Unfit, Use, Verified, Waiting, Want, WebPki, What<'static>,
}

/// The types and traits that a file makes public; constants and functions are none.
fn public(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (at, _) in source.match_indices("\npub ") {
        let item = &source[at + "\npub ".len()..];
        let end = item.find(['{', '(', ';', '<', ':', '=']).unwrap_or(item.len());
        let words: &str = match item.split_whitespace().next() {
            Some("use") => item.split(';').next().unwrap_or_default(),
            Some("struct" | "enum" | "trait" | "type") => &item[..end],
            _ => continue,
        };
        let is_type = |word: &&str| word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase);
        names.extend(words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(is_type));
    }
    names
}

#[test]
fn every_public_type_is_send_and_sync() {
    let public: BTreeSet<&str> = SOURCES.iter().flat_map(|source| public(source)).collect();
    let listed: BTreeSet<&str> = held().into_iter().chain(NOT_HELD.iter().copied()).collect();
    let missing: Vec<_> = public.difference(&listed).collect();
    assert!(missing.is_empty(), "in neither list: {missing:?}");
    let stale: Vec<_> = listed.difference(&public).collect();
    assert!(stale.is_empty(), "listed, and not public: {stale:?}");
    assert!(public.len() > 100, "{public:?}");
}
