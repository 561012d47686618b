//! First flights that a server must refuse, each with the alert that its RFC asks for, and odd ones that it must take.
#![allow(clippy::unwrap_used)]

#[path = "hellos/ech.rs"]
mod ech;
mod flights;
#[path = "hellos/hiding.rs"]
mod hiding;
#[path = "hellos/refused.rs"]
mod refused;

use clasp::config::PreSharedKey;
use clasp::crypto::{HashId, Provider};
use clasp::session::{ServerSessionCache, ServerSessions, TicketKeys};
use clasp::wire::code::{AlertDescription, NamedGroup, ProtocolVersion};
use clasp::{Answer, Connection, Error, Policy, ServerConfig};
use clasp_testkit::provider::hollow;
use clasp_testkit::{KeyKind, authority};
use flights::hello::*;
use flights::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn versions() {
    let (new, old) = (Hello::tls13, Hello::tls12);
    taken("1.3", &new(), "TLS 1.3");
    taken("1.2", &old(), "TLS 1.2");
    // RFC 9846 4.2.1, RFC 5246 E.1: what is newer than we are is answered with the best we have.
    for version in [[3, 4], [4, 4], [0xff, 0xff]] {
        taken("a future version", &old().change(|h| h.version = version), "TLS 1.2");
        taken("legacy_version is not looked at", &new().change(|h| h.version = version), "TLS 1.3");
    }
    // RFC 9846 E.5: not even SSL 3.0 is said there any more.
    for version in [[3, 0], [2, 0], [0, 2], [0, 0]] {
        refused("an ancient legacy_version", &new().change(|h| h.version = version), "protocol_version");
    }
    for version in [[3, 0], [3, 1], [3, 2], [0, 0], [2, 0]] {
        refused("an old version", &old().change(|h| h.version = version), "protocol_version");
    }
    refused("versions we have not", &new().with(ext(VERSIONS, &v8(&[3, 5, 3, 1]))), "protocol_version");
    refused("no version", &new().with(ext(VERSIONS, &v8(&[]))), "decode_error");
    refused("half a version", &new().with(ext(VERSIONS, &v8(&[3, 4, 3]))), "decode_error");
}

/// POODLE and its kin: RFC 7507 3. Whoever says that it fell back is refused where both sides can do better, and nowhere
/// else.
#[test]
fn downgrade_a_fallback_is_refused_where_both_sides_can_do_better() {
    let fallback = |hello: Hello, front: bool| {
        hello.change(|h| {
            let at = if front { 0 } else { h.suites.len() };
            h.suites.splice(at..at, [0x56, 0]);
        })
    };
    for front in [false, true] {
        refused("TLS 1.2 of a server of 1.3", &fallback(Hello::tls12(), front), "inappropriate_fallback");
        // It says 1.3 in legacy_version and means 1.2: RFC 9846 4.2.1.
        let newer = Hello::tls12().change(|h| h.version = [3, 4]);
        refused("no newer for legacy_version", &fallback(newer, front), "inappropriate_fallback");
        let named = Hello::tls12().with(ext(VERSIONS, &v8(&[3, 3])));
        refused("TLS 1.2 by name", &fallback(named, front), "inappropriate_fallback");
        taken("TLS 1.3 is the best there is", &fallback(Hello::tls13(), front), "TLS 1.3");
        let old = |hello: &Hello| {
            let server = server_of(Policy::default().with_versions([ProtocolVersion::Tls12]));
            answer_of(server, &record(22, &hello.message()))
        };
        assert_eq!(old(&fallback(Hello::tls12(), front)), "TLS 1.2", "the server's best");
        // Both, and the server has the older alone: it is the server's best.
        let both = Hello::tls13().with(ext(VERSIONS, &v8(&[3, 4, 3, 3]))).with(ext(EXTENDED_MASTER, &[]));
        assert_eq!(old(&fallback(both.with(ext(RENEGOTIATION, &[0])), front)), "TLS 1.2");
        // What is older than the server speaks is refused for that.
        let older = Hello::tls12().change(|h| h.version = [3, 2]);
        refused("TLS 1.1", &fallback(older, front), "protocol_version");
    }
}

/// RFC 5746 4.3: wolfSSL's TLS 1.2 clients send neither the extension nor the SCSV. A server that never renegotiates loses
/// nothing by them; a client cannot see what went before its own handshake, and refuses (4.1).
#[test]
fn a_client_without_secure_renegotiation_is_served_unless_the_policy_says_otherwise() {
    let hello = Hello::tls12().without(RENEGOTIATION);
    let flight = record(22, &hello.message());
    assert_eq!(answer(&flight), "TLS 1.2");
    let identity = || authority().issue(KeyKind::P256, &["localhost"]).identity();
    let of = |policy| ServerConfig::builder().identity(identity()).policy(policy).build().unwrap().accept();
    assert_eq!(answer_of(of(Policy::legacy()), &flight), "TLS 1.2");
    let strict = Policy::default().require_secure_renegotiation(true);
    assert_eq!(answer_of(of(strict.clone()), &flight), "handshake_failure");
    let scsv = hello.change(|h| h.suites.extend([0, 0xff]));
    assert_eq!(answer_of(of(strict.clone()), &record(22, &scsv.message())), "TLS 1.2");
    let both = scsv.with(ext(RENEGOTIATION, &[0]));
    assert_eq!(answer_of(of(strict), &record(22, &both.message())), "TLS 1.2", "both say the same");
}

/// A TLS 1.2 ServerHello: its session ID, and the types of its extensions.
fn server_hello(mut server: Connection, hello: &Hello) -> (Vec<u8>, Vec<u16>) {
    let mut out = Vec::new();
    server.receive(&mut record(22, &hello.message()), &mut out).unwrap();
    let body = &out[9..];
    let (id, rest) = body[35..].split_at(usize::from(body[34]));
    let length = usize::from(u16::from_be_bytes([rest[3], rest[4]]));
    let (mut rest, mut types) = (&rest[5..5 + length], Vec::new());
    while let [a, b, c, d, after @ ..] = rest {
        types.push(u16::from_be_bytes([*a, *b]));
        rest = &after[usize::from(u16::from_be_bytes([*c, *d]))..];
    }
    (id.to_vec(), types)
}

/// RFC 8422 5.2: the answer stands where a curve was chosen, and the client has said something of formats.
#[test]
#[cfg(feature = "legacy")]
fn point_formats_are_answered_where_they_were_named_and_mean_something() {
    let identity = || authority().issue(KeyKind::Rsa, &["localhost"]).identity();
    let server = || ServerConfig::builder().identity(identity()).policy(Policy::legacy()).build().unwrap().accept();
    let rsa = |hello: Hello| hello.change(|h| h.suites = vec![0, 0x9c]);
    let named = || Hello::tls12().with(ext(POINT_FORMATS, &v8(&[0])));
    for (hello, wanted) in [
        (named(), true),
        (Hello::tls12().without(POINT_FORMATS), false),
        (rsa(named()), false),
        (rsa(Hello::tls12().without(POINT_FORMATS)), false),
    ] {
        assert_eq!(server_hello(server(), &hello).1.contains(&POINT_FORMATS), wanted);
    }
}

/// RFC 5246 7.4.1.3, RFC 5077 3.4: an ID promises that the session can be resumed by it.
#[test]
fn a_session_id_is_given_where_the_session_is_kept_under_it() {
    const TICKET: u16 = 35;
    let identity = || authority().issue(KeyKind::P256, &["localhost"]).identity();
    let store = || Arc::new(ServerSessionCache::new(1 << 16));
    let keys = || Arc::new(TicketKeys::random(Provider::builtin(), HOUR, HOUR).unwrap());
    let with = Hello::tls12().with(ext(TICKET, &[]));
    let builder = || ServerConfig::builder().identity(identity()).no_sessions();
    for (name, config, hello, id, ticket) in [
        ("nothing is kept", builder(), &with, 0, false),
        ("a store", builder().sessions(store()), &with, 32, false),
        ("tickets, for a client that takes them", builder().tickets(keys()), &with, 0, true),
        ("tickets, for one that does not", builder().tickets(keys()), &Hello::tls12(), 0, false),
        ("both, for one that does not", builder().tickets(keys()).sessions(store()), &Hello::tls12(), 32, false),
        ("both, for one that does", builder().tickets(keys()).sessions(store()), &with, 0, true),
    ] {
        let (given, types) = server_hello(config.build().unwrap().accept(), hello);
        assert_eq!((given.len(), types.contains(&TICKET)), (id, ticket), "{name}");
    }
}

/// RFC 9846 5.1: nothing stands between the records of one message, a warning neither; whoever gives up says so there too.
#[test]
fn between_the_records_of_one_message_stands_no_other() {
    let hello = Hello::tls12().message();
    let (front, back) = hello.split_at(20);
    let with = |between: &[u8]| [&record(22, front), between, &record(22, back)].concat();
    assert_eq!(answer(&with(&[])), "TLS 1.2");
    for other in [record(20, &[1]), record(21, &[1, 90]), record(23, b"x")] {
        assert_eq!(answer(&with(&other)), "unexpected_message");
    }
    let gives_up = server().receive(&mut with(&record(21, &[2, 40])), &mut Vec::new()).map(drop).unwrap_err();
    assert_eq!(gives_up.peer_alert(), Some(AlertDescription::HandshakeFailure));
}

#[test]
fn fixed_fields() {
    let new = Hello::tls13;
    for length in [0, 1, 5, 32] {
        taken("a session ID", &new().change(|h| h.session_id = vec![1; length]), "TLS 1.3");
    }
    refused("a session ID too long", &new().change(|h| h.session_id = vec![1; 33]), "decode_error");
    refused("no suites", &new().change(|h| h.suites.clear()), "decode_error");
    refused("half a suite", &new().change(|h| h.suites.push(0x13)), "decode_error");
    refused("unknown suites", &new().change(|h| h.suites = vec![0x13, 4, 0, 5]), "handshake_failure");
    refused("no compression methods", &new().change(|h| h.compression.clear()), "decode_error");
    refused("no null method", &new().change(|h| h.compression = vec![1]), "illegal_parameter");
    refused("more than the null method", &new().change(|h| h.compression = vec![1, 0]), "illegal_parameter");
    taken("more than the null method, 1.2", &Hello::tls12().change(|h| h.compression = vec![1, 0]), "TLS 1.2");
    refused("bytes behind the end", &new().change(|h| h.tail = vec![0]), "decode_error");
}

#[test]
fn extensions_of_both_versions() {
    for (hello, version) in [(Hello::tls13(), "TLS 1.3"), (Hello::tls12(), "TLS 1.2")] {
        let with = |typ, body: &[u8]| hello.clone().with(ext(typ, body));
        taken("an unknown extension", &with(0x5a5a, b"?"), version);
        let many = (0..100).fold(hello.clone(), |h, n| h.with(ext(0x6000 + n, &[])));
        taken("many extensions", &many, version);
        let all = (0..16_000).flat_map(|n: u16| ext(0x5000 + n, &[])).collect::<Vec<u8>>();
        let every = hello.clone().change(|h| h.extensions.push(all.clone()));
        assert_eq!(answer(&long(&every)), version, "as many extensions as there can be");
        let again = every.change(|h| h.extensions.push(ext(0x5000 + 100, &[])));
        assert_eq!(answer(&long(&again)), "decode_error", "one of them twice");
        // 2^16 - 1 bytes of extensions, or the most suites; not both.
        let longest = hello.clone().change(|h| {
            let left = 65_535 - h.extensions.concat().len() - 4;
            h.extensions.push(ext(0x5a5a, &vec![7; left]));
            h.session_id = vec![7; 32];
        });
        assert_eq!(answer(&long(&longest)), version, "the most extensions");
        let suites = |h: &mut Hello| h.suites.extend(vec![0x5a; 65_534 - h.suites.len()]);
        assert_eq!(answer(&long(&hello.clone().change(suites))), version, "the most suites");
        assert_eq!(answer(&long(&longest.change(suites))), "decode_error", "more than a server keeps for anybody");
        refused("twice", &hello.clone().change(|h| h.extensions.push(ext(SCHEMES, &v16(&[4, 3])))), "decode_error");
        for typ in [GROUPS, SCHEMES, ALPN] {
            refused("an empty list", &with(typ, &v16(&[])), "decode_error");
            refused("an empty extension", &with(typ, &[]), "decode_error");
        }
        refused("half a scheme", &with(SCHEMES, &v16(&[4, 3, 4])), "decode_error");
        refused("an empty protocol", &with(ALPN, &v16(&[0])), "decode_error");
        refused("another protocol", &with(ALPN, &v16(&v8(b"spdy/3"))), "no_application_protocol");
        refused("no server name", &with(SERVER_NAME, &v16(&[])), "decode_error");
        refused("an empty server name", &with(SERVER_NAME, &v16(&[0, 0, 0])), "decode_error");
        // RFC 6066 3: one name of a type; a type that is not known says how long it is.
        let host = [&[0], &v16(b"x.example")[..]].concat();
        let other = [&[7], &v16(b"\0\0")[..]].concat();
        refused("two host names", &with(SERVER_NAME, &v16(&host.repeat(2))), "illegal_parameter");
        refused(
            "NUL in a name",
            &with(SERVER_NAME, &v16(&[&[0], &v16(b"x\0.example")[..]].concat())),
            "illegal_parameter",
        );
        let longest = [&[0], &v16(&[b'x'; 256])[..]].concat();
        refused("too long a name", &with(SERVER_NAME, &v16(&longest)), "decode_error");
        taken("a name of another type", &with(SERVER_NAME, &v16(&other)), version);
        taken("beside a host name", &with(SERVER_NAME, &v16(&[&other[..], &host, &other].concat())), version);
        refused("cut short", &with(SERVER_NAME, &v16(&[&host[..], &[7, 0, 9]].concat())), "decode_error");
        taken("another server name", &with(SERVER_NAME, &v16(&[&[0], &v16(b"x.example")[..]].concat())), version);
        // RFC 6066 4, RFC 8449 4, RFC 8422 5.1.2.
        for code in [0, 5, 255] {
            refused("a fragment length", &with(MAX_FRAGMENT, &[code]), "illegal_parameter");
        }
        refused("two fragment lengths", &with(MAX_FRAGMENT, &[1, 1]), "decode_error");
        refused("a size limit below 64", &with(SIZE_LIMIT, &[0, 63]), "illegal_parameter");
        taken("a responder", &with(STATUS, &[1, 0, 3, 0, 1, 7, 0, 0]), version);
        refused("an empty responder", &with(STATUS, &[1, 0, 2, 0, 0, 0, 0]), "decode_error");
        refused("a status request cut short", &with(STATUS, &[1, 0, 5]), "decode_error");
        // RFC 5746 3.6, RFC 7627 5.1, RFC 7366 2.
        refused("renegotiation", &with(RENEGOTIATION, &v8(&[1; 12])), "handshake_failure");
        refused("renegotiation cut short", &with(RENEGOTIATION, &[5, 1]), "decode_error");
        refused("extended_master_secret with a body", &with(EXTENDED_MASTER, &[0]), "decode_error");
        refused("encrypt_then_mac with a body", &with(ENCRYPT_THEN_MAC, &[0]), "decode_error");
    }
}

#[test]
fn extensions_of_tls13() {
    let new = Hello::tls13;
    for typ in [GROUPS, SCHEMES, SHARES] {
        refused("a missing extension", &new().without(typ), "missing_extension");
    }
    let neither = new().without(GROUPS).without(SHARES);
    refused("neither groups nor shares, nor a key", &neither, "missing_extension");
    let key = PreSharedKey::external(b"key", &[7; 32], HashId::Sha256).unwrap();
    let policy = Policy::modern().with_suites([clasp::wire::code::CipherSuite::TLS_AES_128_GCM_SHA256]);
    let keys_alone = ServerConfig::builder().pre_shared_keys_only([key]).policy(policy).build().unwrap();
    assert_eq!(answer_of(keys_alone.accept(), &record(22, &neither.message())), "missing_extension");
    taken("no share: asks again", &new().with(ext(SHARES, &v16(&[]))), "TLS 1.3");
    let shares = |body: &[u8]| new().with(ext(SHARES, &v16(body)));
    refused("an empty share", &shares(&share(0x1d, &[])), "decode_error");
    refused("a short share", &shares(&share(0x1d, &[9; 31])), "illegal_parameter");
    refused("a share of zeros", &shares(&share(0x1d, &[0; 32])), "illegal_parameter");
    // As many as there is room for, one byte each.
    let groups = |n: u16| (0x6000..0x6000 + n).flat_map(|group| share(group, &[9])).collect::<Vec<u8>>();
    for n in [63, 64, 65, 1000, 10_000] {
        let many = shares(&[groups(n), share(0x1d, &[9; 32])].concat());
        assert_eq!(answer(&long(&many)), "TLS 1.3", "{n} shares and one");
        let twice = shares(&[groups(n), share(0x1d, &[9; 32]), share(0x6000, &[9])].concat());
        assert_eq!(answer(&long(&twice)), "illegal_parameter", "{n} shares and one of them again");
    }
    refused("two shares of a group", &shares(&share(0x1d, &[9; 32]).repeat(2)), "illegal_parameter");
    refused("a point off the curve", &shares(&share(0x17, &[4; 65])), "illegal_parameter");
    refused("a compressed point", &shares(&share(0x17, &[2; 33])), "illegal_parameter");
    refused("no common group", &new().with(ext(GROUPS, &v16(&[0, 30]))), "handshake_failure");
    let grease = new()
        .change(|h| h.suites.splice(0..0, [0x2a, 0x2a]).for_each(drop))
        .change(|h| h.extensions.insert(0, ext(0x3a3a, &[])))
        .with(ext(GROUPS, &v16(&[0x4a, 0x4a, 0, 0x1d])))
        .with(ext(SHARES, &v16(&[share(0x4a4a, &[0]), share(0x1d, &[9; 32])].concat())))
        .with(ext(VERSIONS, &v8(&[0x5a, 0x5a, 3, 4])))
        .with(ext(SCHEMES, &v16(&[0x6a, 0x6a, 4, 3])))
        .with(ext(PSK_MODES, &v8(&[0x0b, 1])));
    taken("GREASE everywhere (RFC 8701)", &grease, "TLS 1.3");
    // RFC 9846 4.2.9, 4.2.11; RFC 8879 3.
    let modes = ext(PSK_MODES, &v8(&[1]));
    taken("an unknown key", &new().with(modes.clone()).with(psk(1, 1)), "TLS 1.3");
    // 9.2, 4.2.3: what goes without saying beside a key is needed where the key is not known.
    for mode in [0, 1] {
        let alone = |typ| new().without(typ).with(ext(PSK_MODES, &v8(&[mode]))).with(psk(1, 1));
        refused("an unknown key alone", &alone(GROUPS).without(SHARES), "missing_extension");
        refused("an unknown key without schemes", &alone(SCHEMES), "missing_extension");
        refused("a key and groups without shares", &alone(SHARES), "missing_extension");
        refused("a key and shares without groups", &alone(GROUPS), "missing_extension");
    }
    refused("a key and no modes", &new().with(psk(1, 1)), "missing_extension");
    refused("no modes", &new().with(ext(PSK_MODES, &v8(&[]))), "decode_error");
    refused("keys not last", &new().with(psk(1, 1)).with(modes.clone()), "illegal_parameter");
    refused("more binders than keys", &new().with(modes.clone()).with(psk(1, 2)), "illegal_parameter");
    refused("fewer binders than keys", &new().with(modes.clone()).with(psk(2, 1)), "illegal_parameter");
    refused("no binders", &new().with(modes).with(psk(1, 0)), "decode_error");
    refused("no compression algorithms", &new().with(ext(COMPRESSION, &v8(&[]))), "decode_error");
}

/// RFC 8422 5.1.2: point formats are TLS 1.2's, and TLS 1.3 does not look at them.
#[test]
fn point_formats_mean_something_in_tls12_alone() {
    for (formats, alert) in [
        (v8(&[1]), "illegal_parameter"),
        (v8(&[]), "decode_error"),
        (vec![], "decode_error"),
        (vec![2, 0], "decode_error"),
    ] {
        refused("point formats", &Hello::tls12().with(ext(POINT_FORMATS, &formats)), alert);
        taken("point formats", &Hello::tls13().with(ext(POINT_FORMATS, &formats)), "TLS 1.3");
    }
    taken("uncompressed points among them", &Hello::tls12().with(ext(POINT_FORMATS, &v8(&[1, 0]))), "TLS 1.2");
}

#[cfg(feature = "legacy")]
fn refusal(policy: Policy, hello: &Hello) -> (String, String) {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let mut server = ServerConfig::builder().identity(identity).policy(policy).build().unwrap().accept();
    let error = server.receive(&mut record(22, &hello.message()), &mut Vec::new()).map(drop).unwrap_err();
    (error.to_string(), error.hint_text().unwrap_or_default().to_owned())
}

/// A hint is of something else than what is in use, and names what it would add.
#[test]
#[cfg(feature = "legacy")]
fn a_refusal_hints_at_no_policy_that_is_in_use() {
    // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, and a curve that nobody has.
    let no_curve = Hello::tls12().change(|h| h.suites = vec![0xc0, 0x2b]).with(ext(GROUPS, &v16(&[0, 30])));
    // TLS_RSA_WITH_AES_128_CBC_SHA, TLS_RSA_WITH_RC4_128_SHA
    let (old, broken) = (vec![0, 0x2f], vec![0, 5]);
    for (name, policy) in Policy::named().into_iter().skip(1) {
        let (text, hint) = refusal(policy.clone(), &no_curve);
        assert!(!hint.contains("Policy::default()") && hint.contains("with_groups"), "{name}: {text}; {hint}");
        assert!(text.contains("x448"), "{name}: {text}");
        let (_, hint) = refusal(policy.clone(), &Hello::tls12().change(|h| h.suites.clone_from(&broken)));
        assert!(hint.contains("no policy"), "{name}: {hint}");
        let (_, hint) = refusal(policy, &Hello::tls12().change(|h| h.suites.clone_from(&old)));
        assert_eq!(hint.contains("Policy::legacy()"), name == "default", "{name}: {hint}");
    }
}

/// RFC 9846 4.2.9: a client that names no mode gets no tickets, and whoever observes the server is told why.
#[test]
fn a_client_that_gets_no_tickets_is_told_of() {
    #[derive(Default)]
    struct Ears(std::sync::Mutex<Vec<&'static str>>);
    impl clasp::trace::Observer for Ears {
        fn observe(&self, seen: &clasp::trace::Observation<'_>) {
            if let clasp::trace::What::NoTickets { why } = seen.what {
                self.0.lock().unwrap().push(why);
            }
        }
    }
    for (modes, told) in [(None, 1), (Some(0), 1), (Some(1), 0)] {
        let ears = Arc::new(Ears::default());
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).observer(ears.clone()).build().unwrap().accept();
        let hello = modes.map_or(Hello::tls13(), |mode| Hello::tls13().with(ext(PSK_MODES, &v8(&[mode]))));
        assert_eq!(answer_of(server, &record(22, &hello.message())), "TLS 1.3");
        assert_eq!(ears.0.lock().unwrap().len(), told, "{modes:?}");
    }
}

/// Counts the identities it is asked for; it has none.
#[derive(Default)]
struct Asked(std::sync::atomic::AtomicUsize);

impl ServerSessions for Asked {
    fn put<'a>(&'a self, _: &'a [u8], _: &'a [u8], _: SystemTime) -> Answer<'a, Result<(), Error>> {
        Answer::Now(Ok(()))
    }
    fn get<'a>(&'a self, _: &'a [u8], _: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>, Error>> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Answer::Now(Ok(None))
    }
    fn claim<'a>(&'a self, _: &'a [u8], _: SystemTime, _: SystemTime) -> Answer<'a, Result<bool, Error>> {
        Answer::Now(Ok(false))
    }
    fn forget<'a>(&'a self, _: &'a [u8]) -> Answer<'a, ()> {
        Answer::Now(())
    }
}

/// A store, which may be far away, is asked for what may be one of its own: tickets that stand for what it keeps have 32 bytes.
#[test]
fn a_store_is_asked_for_identities_that_can_be_its_own_alone() {
    for (length, asked) in [(1, 0), (31, 0), (32, 1), (33, 0), (200, 0)] {
        let store = Arc::new(Asked::default());
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).sessions(store.clone()).build().unwrap().accept();
        let hello = Hello::tls13().with(ext(PSK_MODES, &v8(&[1]))).with(psk_of(&vec![7; length], 0, 1, 1));
        assert_eq!(answer_of(server, &record(22, &hello.message())), "TLS 1.3");
        assert_eq!(store.0.load(std::sync::atomic::Ordering::Relaxed), asked, "{length} bytes");
    }
}

/// RFC 9846 4.2.9: a key is used in a mode that the client named; the one with a key exchange needs its share.
#[test]
fn a_known_key_is_not_taken_without_the_key_exchange_it_asks_for() {
    let answer = |alone: bool, modes: &[u8]| {
        // MACs of the hollow provider are zeros: so are its binders.
        let key = PreSharedKey::external(b"ours", &[7; 32], HashId::Sha256).unwrap();
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let policy = Policy::modern().with_groups([NamedGroup::X25519]);
        let config = ServerConfig::builder().identity(identity).provider(hollow()).policy(policy);
        let server = config.pre_shared_key(key).psk_without_dhe(alone).build().unwrap().accept();
        let hello = Hello::tls13().without(GROUPS).without(SHARES).with(ext(PSK_MODES, &v8(modes)));
        answer_of(server, &record(22, &hello.with(psk_of(b"ours", 0, 1, 1)).message()))
    };
    for alone in [false, true] {
        assert_eq!(answer(alone, &[1]), "missing_extension", "psk_dhe_ke alone, and no share");
        let taken = if alone { "TLS 1.3" } else { "missing_extension" };
        assert_eq!(answer(alone, &[0]), taken);
        assert_eq!(answer(alone, &[1, 0]), taken);
    }
}

/// RFC 9846 4.1.2: a second hello brings the share that was asked for, and nothing else that is new.
#[test]
fn a_second_hello_brings_nothing_new() {
    let modes = ext(PSK_MODES, &v8(&[1]));
    let first = Hello::tls13().with(modes).with(ext(SHARES, &v16(&[])));
    let asked = || first.clone().with(ext(SHARES, &v16(&share(0x1d, &[9; 32]))));
    let both = |second: &Hello| answer(&[record(22, &first.message()), record(22, &second.message())].concat());
    assert_eq!(both(&asked()), "TLS 1.3");
    assert_eq!(both(&asked().with(ext(PADDING, &[0; 9]))), "TLS 1.3", "padding");
    assert_eq!(both(&asked().with(psk(1, 1))), "illegal_parameter", "a key");
    assert_eq!(both(&asked().with(ext(EARLY_DATA, &[]))), "illegal_parameter", "early data");
    assert_eq!(both(&asked().with(ext(0x5a5a, &[]))), "illegal_parameter", "an unknown extension");
    assert_eq!(both(&first), "illegal_parameter", "no share again");
    let two = [share(0x1d, &[9; 32]), share(0x17, &[4; 65])].concat();
    assert_eq!(both(&first.clone().with(ext(SHARES, &v16(&two)))), "illegal_parameter", "two shares");
    assert_eq!(both(&first.clone().without(SHARES)), "missing_extension", "none at all");
    assert_eq!(both(&asked().change(|h| h.session_id = vec![7; 32])), "illegal_parameter", "a session ID");
}

/// RFC 7919 4: where the client's finite-field groups are none of ours, and it has no suite without one.
#[test]
#[cfg(feature = "legacy")]
fn finite_field_groups_that_are_not_ours_are_insufficient_security() {
    let answer = |suites: &[u8], groups: &[u8]| {
        let identity = authority().issue(KeyKind::Rsa, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).policy(Policy::legacy()).build().unwrap();
        let hello = Hello::tls12().change(|h| h.suites = suites.to_vec()).with(ext(GROUPS, &v16(groups)));
        answer_of(server.accept(), &record(22, &hello.message()))
    };
    let (dhe, dhe_or_rsa) = ([0, 0x9e], [0, 0x9e, 0, 0x9c]);
    assert_eq!(answer(&dhe, &[1, 4]), "insufficient_security", "ffdhe8192");
    assert_eq!(answer(&dhe, &[1, 0xff]), "insufficient_security", "one that nobody knows");
    assert_eq!(answer(&dhe_or_rsa, &[1, 4]), "TLS 1.2");
    assert_eq!(answer(&dhe, &[1, 4, 1, 0]), "TLS 1.2");
    assert_eq!(answer(&dhe, &[0, 0x1d]), "TLS 1.2", "no finite-field group named");
}

/// RFC 5246 7.2.1, RFC 9846 6.1: a close is answered with one; nobody goes without a word.
#[test]
fn a_close_during_the_handshake_is_answered() {
    for hello in [Hello::tls12(), Hello::tls13()] {
        let (mut server, mut out) = (server(), Vec::new());
        server.receive(&mut record(22, &hello.message()), &mut out).unwrap();
        let before = out.len();
        let error = server.receive(&mut record(21, &[1, 0]), &mut out).unwrap_err();
        assert_eq!(error.alert().name(), "close_notify", "{error}");
        let answer = &out[before..];
        // In TLS 1.3 it is protected.
        assert!(answer == [21, 3, 3, 0, 2, 1, 0] || answer[..5] == [23, 3, 3, 0, 19], "{answer:?}");
    }
}

#[test]
fn records() {
    let hello = Hello::tls13().message();
    let (first, second) = hello.split_at(40);
    let around = |between: Vec<u8>| [record(22, first), between, record(22, second)].concat();
    assert_eq!(answer(&around(Vec::new())), "TLS 1.3");
    assert_eq!(answer(&hello.iter().flat_map(|b| record(22, &[*b])).collect::<Vec<_>>()), "TLS 1.3");
    for content in [0, 19, 24, 99] {
        assert_eq!(answer(&record(content, &hello)), "unexpected_message", "type {content}");
    }
    for (name, flight, alert) in [
        ("an empty message", [record(22, &[]), record(22, &hello)].concat(), "unexpected_message"),
        ("an empty fragment", around(record(22, &[])), "unexpected_message"),
        ("ChangeCipherSpec before the hello", record(20, &[1]), "unexpected_message"),
        ("ChangeCipherSpec inside the hello", around(record(20, &[1])), "unexpected_message"),
        ("a warning inside the hello", around(record(21, &[1, 90])), "unexpected_message"),
        ("application data", record(23, b"x"), "unexpected_message"),
        ("an empty alert", record(21, &[]), "unexpected_message"),
        ("half an alert", record(21, &[1]), "decode_error"),
        ("a record too long", record(22, &[1; (1 << 14) + 1]), "record_overflow"),
        ("a message too long", record(22, &[1, 0xff, 0xff, 0xff, 0]), "decode_error"),
        ("another message", record(22, &[20, 0, 0, 0]), "unexpected_message"),
        ("an unknown message", record(22, &[99, 0, 0, 0]), "unexpected_message"),
        ("a record of another protocol's version", [&[22, 2, 0][..], &v16(&hello)].concat(), "protocol_version"),
    ] {
        assert_eq!(answer(&flight), alert, "{name}");
    }
    // RFC 9846 E.4.
    assert_eq!(answer(&[record(22, &hello), record(20, &[1])].concat()), "TLS 1.3");
}
