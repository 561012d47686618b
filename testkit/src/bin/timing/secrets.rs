//! Does a branch or an address hang on a secret? Langley's ctgrind: memcheck, valgrind's tool for memory that was never
//! written, takes secrets for such memory, and complains wherever a program decides or looks something up by it. It sees
//! what the code at hand does with them, whatever the values: one run of each path is enough.
//!
//! What may hang on a secret stands in `memcheck.supp`, each with its reason. One case has a leak on purpose.

use crate::marked::{MARKED_KEYS, marked};
use crate::memcheck::{listens, make_outcome_public, make_public, make_secret, secrecy};
use crate::{bleichenbacher, lucky13};
use clasp::config::PreSharedKey;
use clasp::crypto::{HashId, Provider};
use clasp::session::{ClientSessionCache, TicketKeys};
use clasp::suite::SUITES;
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientConfig, Connection, Policy, Resumption, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use core::task::{Context, Waker};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A name, and what is done.
type Case = (&'static str, fn());

const CASES: &[Case] = &[
    ("TLS 1.3: schedule and Finished", finished_tls13),
    ("TLS 1.3: PSK from a ticket, binders, Finished", resumed_tls13),
    ("TLS 1.3: PSK from outside, chosen among several", external_psk),
    ("TLS 1.2: schedule and Finished", finished_tls12),
    ("TLS 1.2: resumed by ticket and by session ID", resumed_tls12),
    ("TLS 1.2: encrypt-then-MAC", encrypt_then_mac),
    ("RSA key transport, all kinds of bad padding", rsa_key_transport),
    ("CBC records opened, all kinds of bad ones", cbc_opening),
    (PLANTED, planted),
];

/// It must be found.
const PLANTED: &str = "planted: a MAC compared byte by byte until one differs";

/// What memcheck says when it has complained.
const FOUND: i32 = 99;

/// Runs this program under memcheck once for each case. True if nothing was found but what was planted.
pub(crate) fn run() -> bool {
    if !cfg!(target_arch = "x86_64") {
        println!("not run: how to speak to valgrind is written for x86-64 alone");
        return true;
    }
    let suppressions = concat!("--suppressions=", env!("CARGO_MANIFEST_DIR"), "/src/bin/timing/memcheck.supp");
    let mut as_wanted = true;
    for (n, (name, _)) in CASES.iter().enumerate() {
        let output = Command::new("valgrind")
            .args(["--quiet", "--num-callers=30", &format!("--error-exitcode={FOUND}"), suppressions])
            .args(["--gen-suppressions=all", "--track-origins=yes"])
            .arg(std::env::current_exe().unwrap())
            .args(["secret", &n.to_string()])
            .output()
            .expect("valgrind cannot be run: the Debian package is `valgrind`");
        let found = output.status.code() == Some(FOUND);
        let fits = if *name == PLANTED { found } else { output.status.success() };
        let word = match (fits, found) {
            (true, false) => "nothing hangs on a secret",
            (true, true) => "found, as it should be",
            (false, true) => "SOMETHING HANGS ON A SECRET",
            (false, false) => "FAILED",
        };
        println!("{name:<58} {word}");
        if !fits {
            println!("{}", String::from_utf8_lossy(&output.stderr));
        }
        as_wanted &= fits;
    }
    as_wanted
}

/// One case: what the program does under memcheck.
pub(crate) fn one(case: &str) -> bool {
    assert!(listens(), "started by `timing secrets`, not by hand");
    CASES[case.parse::<usize>().unwrap()].1();
    true
}

/// What goes over the wire is no secret; the rest is as `Pair::drive` has it.
fn drive(pair: &mut Pair) {
    loop {
        let mut cx = Context::from_waker(Waker::noop());
        pair.client.advance(&mut cx, &mut pair.to_server).unwrap();
        pair.server.advance(&mut cx, &mut pair.to_client).unwrap();
        make_public(&pair.to_server);
        make_public(&pair.to_client);
        let moved = !pair.to_server.is_empty() || !pair.to_client.is_empty();
        hand_over(&mut pair.server, core::mem::take(&mut pair.to_server), &mut pair.to_client);
        hand_over(&mut pair.client, core::mem::take(&mut pair.to_client), &mut pair.to_server);
        if !moved {
            return;
        }
    }
}

fn hand_over(to: &mut Connection, mut input: Vec<u8>, out: &mut Vec<u8>) {
    make_public(&input);
    let mut start = 0;
    while start < input.len() {
        let used = to.receive(&mut input[start..], out).unwrap().used;
        assert!(used > 0, "flights come whole");
        start += used;
    }
}

/// A handshake to its end, whose record keys were secret.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, resumed: Option<Resumption>) {
    let before = MARKED_KEYS.load(Ordering::Relaxed);
    let mut pair = Pair::new(client, server);
    drive(&mut pair);
    let facts = pair.client.facts().unwrap();
    assert_eq!(facts.resumed, resumed);
    let keys = MARKED_KEYS.load(Ordering::Relaxed) - before;
    assert!(keys >= 4, "marks were lost on the way: {keys} marked keys");
    let mut exported = [0; 32];
    pair.client.export(b"EXPORTER-test", None, &mut exported).unwrap();
    assert!(secrecy(&exported).iter().all(|bits| *bits == 0xff), "an exported key is secret");
}

/// A client and a server that keep sessions; the server in tickets, or behind IDs.
fn configs(policy: Policy, tickets: bool) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let rsa = policy.suites().iter().any(|suite| suite.name().starts_with("TLS_RSA"));
    let kind = if rsa { KeyKind::Rsa } else { KeyKind::P256 };
    let provider = marked();
    let mut server = ServerConfig::builder()
        .identity(authority().issue(kind, &["localhost"]).identity())
        .policy(Policy::legacy())
        .provider(provider);
    if tickets {
        let month = Duration::from_secs(30 * 24 * 3600);
        server = server.tickets(Arc::new(TicketKeys::random(provider, month, month).unwrap()));
    }
    let client = ClientConfig::builder()
        .trust(authority().roots())
        .policy(policy)
        .sessions(Arc::new(ClientSessionCache::new(4)))
        .provider(provider);
    (client.build().unwrap(), server.build().unwrap())
}

fn tls12(suite: CipherSuite) -> Policy {
    let policy = Policy::legacy().with_versions([ProtocolVersion::Tls12]).with_suites([suite]);
    if suite.name().starts_with("TLS_RSA") { policy.with_groups([]) } else { policy }
}

fn finished_tls13() {
    for suite in [CipherSuite::TLS_AES_128_GCM_SHA256, CipherSuite::TLS_AES_256_GCM_SHA384] {
        let (client, server) = configs(Policy::modern().with_suites([suite]), true);
        handshake(&client, &server, None);
    }
}

fn resumed_tls13() {
    for tickets in [true, false] {
        let (client, server) = configs(Policy::modern(), tickets);
        handshake(&client, &server, None);
        handshake(&client, &server, Some(Resumption::Ticket));
        handshake(&client, &server, Some(Resumption::Ticket));
    }
}

fn external_psk() {
    let secret = |fill: u8| {
        let key = vec![fill; 32];
        make_secret(&key);
        key
    };
    let key = |name: &[u8], fill| PreSharedKey::external(name, &secret(fill), HashId::Sha256).unwrap();
    let provider = marked();
    let server = ServerConfig::builder()
        .pre_shared_keys_only([key(b"one", 1), key(b"two", 2), key(b"three", 3)])
        .policy(Policy::modern())
        .provider(provider)
        .build()
        .unwrap();
    let client = ClientConfig::builder()
        .trust(authority().roots())
        .policy(Policy::modern())
        .provider(provider)
        .pre_shared_key(key(b"nobody's", 9))
        .pre_shared_key(key(b"two", 2))
        .build()
        .unwrap();
    handshake(&client, &server, Some(Resumption::ExternalPsk));
}

fn finished_tls12() {
    for suite in [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ] {
        let (client, server) = configs(tls12(suite), true);
        handshake(&client, &server, None);
    }
}

fn resumed_tls12() {
    for (tickets, by) in [(true, Resumption::Ticket), (false, Resumption::SessionId)] {
        let (client, server) = configs(tls12(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), tickets);
        handshake(&client, &server, None);
        handshake(&client, &server, Some(by));
    }
}

fn encrypt_then_mac() {
    let cbc = SUITES.iter().find(|suite| suite.code == CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA);
    let (client, server) = configs(tls12(cbc.unwrap().code), true);
    let mut pair = Pair::new(&client, &server);
    drive(&mut pair);
    pair.client_sends(&[7; 1000]).unwrap();
    drive(&mut pair);
    assert!(MARKED_KEYS.load(Ordering::Relaxed) >= 4);
}

/// The ciphertext is marked, so that the plaintext is.
fn rsa_key_transport() {
    bleichenbacher::each_class(marked(), |server, message| {
        let before = MARKED_KEYS.load(Ordering::Relaxed);
        let body = message.len() - bleichenbacher::MODULUS;
        make_secret(&message[body..]);
        let mut out = Vec::new();
        server.receive(message, &mut out).unwrap();
        // The keys are made from it, whatever it was; a Finished that does not fit them ends the conversation.
        server.receive(&mut [20, 3, 3, 0, 1, 1], &mut out).unwrap();
        let mut finished = [&[22, 3, 3, 0, 40][..], &[0xab; 40]].concat();
        assert!(server.receive(&mut finished, &mut out).is_err());
        let made = MARKED_KEYS.load(Ordering::Relaxed) - before;
        assert!(made > 0, "marks were lost on the way");
    });
}

/// The ciphertext is marked: so are content, MAC and padding.
fn cbc_opening() {
    lucky13::each_class(|opener, record, good| {
        make_secret(record);
        let opened = opener(record);
        make_outcome_public(&opened);
        assert_eq!(opened.is_ok(), good);
    });
}

/// What Clasp does not do, with what it does it to.
fn planted() {
    let provider = Provider::builtin();
    let key = [7; 32];
    make_secret(&key);
    let (mut wanted, seen) = ([0; 32], [9; 32]);
    provider.hash(HashId::Sha256).unwrap().hmac(&key).sign(&[b"transcript"], &mut wanted);
    let mut same = true;
    for (one, other) in wanted.iter().zip(&seen) {
        if core::hint::black_box(*one) != *other {
            same = false;
            break;
        }
    }
    core::hint::black_box(same);
}
