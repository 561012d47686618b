//! Ways of saying hello that are right, and that some servers do not bear.

use super::answer::Until;
use super::dial::{Dial, Reply};
use super::hello::{Cut, Hello, TLS12, TLS13};
use super::report::Tried;
use super::{choices, hello, suites};
use clasp::code::ExtensionType as E;

/// What is tried: for what, how, and whether it is something that a server has to bear.
struct Way {
    name: &'static str,
    hello: Hello,
    cut: Cut,
}

/// A hello that the server took before, with everything that it speaks.
pub(crate) fn best(dial: &Dial, speaks13: bool, old: &[u16]) -> Hello {
    let name = dial.server_name.as_deref();
    // No more than a browser's: what is tried here is something else than the number of suites.
    let old: Vec<u16> = old.iter().copied().take(24).collect();
    if !speaks13 {
        return Hello::old(TLS12, old, name);
    }
    let mut hello = choices::with_share(dial, &[&suites::TLS13[..3], &old].concat());
    hello.versions = if old.is_empty() { vec![TLS13] } else { vec![TLS13, TLS12] };
    hello
}

/// Tries each.
pub(crate) async fn tried(dial: &Dial, speaks13: bool, old: &[u16]) -> Vec<Tried> {
    let mut tried = Vec::new();
    for way in ways(&best(dial, speaks13, old), speaks13) {
        let reply = dial.ask_cut(&way.hello, way.cut, Until::Hello).await;
        let (good, words) = match reply.hello() {
            Some(answer) => (true, format!("answered with {}", clasp::ProtocolVersion(answer.version))),
            None => (false, reply.words()),
        };
        tried.push(Tried { name: way.name, good, words });
    }
    tried.push(without_name(dial, speaks13, old).await);
    tried
}

fn ways(plain: &Hello, speaks13: bool) -> Vec<Way> {
    let padded = |pad_to| Hello { pad_to, ..plain.clone() };
    // As large as one with a share of a hybrid is.
    let large = padded(1800);
    let mut greased = plain.clone();
    greased.suites.insert(0, 0x3a3a);
    greased.groups.insert(0, 0x4a4a);
    greased.schemes.insert(0, 0x5a5a);
    greased.more.insert(0, (0x6a6a, Vec::new()));
    if speaks13 {
        greased.versions.insert(0, 0x7a7a);
        greased.shares.insert(0, (0x4a4a, vec![0]));
    }
    let mut unknown = plain.clone();
    unknown.more.push((0xfafb, b"nobody knows".to_vec()));
    let mut later = plain.clone();
    if speaks13 {
        later.versions.insert(0, 0x0305);
    } else {
        later.version = TLS13;
    }
    let mut session = plain.clone();
    session.session = hello::random().to_vec();
    let mut ways = vec![
        Way { name: "a hello of 300 bytes", hello: padded(300), cut: Cut::Whole },
        Way { name: "a large hello, whole", hello: large.clone(), cut: Cut::Whole },
        Way { name: "a large hello in two segments", hello: large.clone(), cut: Cut::Segments },
        Way { name: "a large hello in two records", hello: large, cut: Cut::Records },
        Way { name: "meaningless values (GREASE)", hello: greased, cut: Cut::Whole },
        Way { name: "an unknown extension", hello: unknown, cut: Cut::Whole },
        Way { name: "a version of the future", hello: later, cut: Cut::Whole },
        Way { name: "a session ID that it does not know", hello: session, cut: Cut::Whole },
    ];
    if speaks13 && let Some(share) = hello::base_point(0x11ec) {
        let mut hybrid = plain.clone();
        hybrid.shares.insert(0, (0x11ec, share));
        ways.push(Way { name: "a share of X25519MLKEM768", hello: hybrid, cut: Cut::Whole });
    }
    ways
}

/// Without a name to ask for: what is refused then says something, and is nobody's fault.
async fn without_name(dial: &Dial, speaks13: bool, old: &[u16]) -> Tried {
    let hello = Hello { server_name: None, ..best(dial, speaks13, old) };
    let reply = dial.ask(&hello, Until::Hello).await;
    let words = match reply.hello() {
        Some(_) => "answered".into(),
        None => reply.words(),
    };
    Tried { name: "no server name", good: true, words }
}

/// What a hello of TLS 1.2 or before is answered about extensions and compression.
pub(crate) async fn extensions(dial: &Dial, version: u16, old: &[u16]) -> super::report::Extensions {
    let mut hello = Hello::old(version, old.to_vec(), dial.server_name.as_deref());
    hello.compressions = vec![1, 0];
    hello.more.push((E::EncryptThenMac.0, Vec::new()));
    hello.more.push((HEARTBEAT, vec![1]));
    let reply = dial.ask(&hello, Until::Hello).await;
    let cbc: Vec<u16> = suites::named(old, "_CBC_");
    let mut extensions = super::report::Extensions::default();
    if let Some(answer) = reply.hello() {
        let has = |typ: E| Some(answer.extension(typ).is_some());
        extensions.secure_renegotiation = has(E::RenegotiationInfo);
        extensions.extended_master_secret = has(E::ExtendedMasterSecret);
        extensions.heartbeat = has(E(HEARTBEAT));
        extensions.compression = Some(answer.compression != 0);
    }
    if !cbc.is_empty() {
        // It is answered where a CBC suite is chosen alone (RFC 7366 3).
        let reply = dial.ask(&Hello { suites: cbc, compressions: vec![0], ..hello }, Until::Hello).await;
        extensions.encrypt_then_mac = reply.hello().map(|answer| answer.extension(E::EncryptThenMac).is_some());
    }
    extensions
}

/// RFC 6520.
pub(crate) const HEARTBEAT: u16 = 15;

/// Whether a client that was talked down is told so (RFC 7507): at the version below the server's best.
pub(crate) async fn fallback(dial: &Dial, below: u16, old: &[u16]) -> Option<bool> {
    let mut hello = Hello::old(below, old.to_vec(), dial.server_name.as_deref());
    if hello.suites.is_empty() {
        hello.suites = suites::before_tls13().into_iter().take(60).collect();
    }
    hello.suites.push(0x5600);
    match dial.ask(&hello, Until::Hello).await {
        reply @ Reply::Said(_) if reply.hello().is_some() => Some(false),
        reply => reply.alert().map(|alert| alert == clasp::AlertDescription::InappropriateFallback.0),
    }
}
