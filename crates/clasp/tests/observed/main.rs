//! An observer sees all that is said: each handshake message, of both versions and every kind of handshake, comes apart into
//! fields, each byte of it into one.
#![cfg(all(feature = "compression", feature = "legacy"))]
#![allow(clippy::unwrap_used)]

mod facts;

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::{HashId, Provider};
use clasp::session::TicketKeys;
use clasp::trace::{Direction, Level, Observation, Observer, What};
use clasp::wire::code::{
    CertificateType, CipherSuite, CompressionAlgorithm, HandshakeType, MaxFragmentLength, ProtocolVersion,
};
use clasp::wire::fields::{Context, Decoded, Field, alert, message, records};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A message as it was seen, and in what context.
#[derive(Clone)]
struct Seen {
    kind: HandshakeType,
    bytes: Vec<u8>,
    context: Context,
}

impl Seen {
    fn decoded(&self) -> Decoded<'_> {
        message(&self.bytes, &self.context)
    }
}

/// Keeps the messages of one side, and the bytes of all records: sent and received.
#[derive(Default)]
struct Scribe(Mutex<Vec<Seen>>, [Mutex<Vec<u8>>; 2]);

impl Observer for Scribe {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { kind, bytes, context, .. } = seen.what {
            assert_eq!(seen.what.fields(), message(bytes, &context));
            self.0.lock().unwrap().push(Seen { kind, bytes: bytes.to_vec(), context });
            return;
        }
        match &seen.what {
            What::Record { direction, level, content, wire_len, bytes, .. } => {
                assert_eq!(bytes.len(), *wire_len);
                let decoded = seen.what.fields();
                assert_eq!(decoded.fault, None);
                check_cover(&decoded, bytes);
                let kinds = ["type", "opaque_type"].map(|name| decoded.fields.iter().filter(move |f| f.name == name));
                let [clear, protected] = kinds.map(|kinds| kinds.map(|f| f.value.clone()).collect::<Vec<_>>());
                // Those of TLS 1.3 say one type for all.
                assert!(
                    clear.iter().all(|kind| *kind == content.to_string())
                        && (*level == Level::Plain) != clear.is_empty()
                );
                assert!(protected.iter().all(|kind| *kind == content.to_string() || kind == "application_data"));
                let side = usize::from(*direction == Direction::Received);
                self.1[side].lock().unwrap().extend_from_slice(bytes);
            }
            What::ChangeCipherSpec { .. } => assert_eq!(lines(&seen.what.fields()), ["type: 1"]),
            What::Alert { alert, bytes, .. } => {
                assert_eq!(lines(&seen.what.fields())[1], format!("description: {alert}"));
                check_cover(&seen.what.fields(), bytes);
            }
            _ => assert_eq!(seen.what.fields(), Decoded::default()),
        }
    }
}

/// Two sides, and what each sees.
struct World {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    scribes: [Arc<Scribe>; 2],
}

impl World {
    fn new(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Self {
        let scribes = [Arc::new(Scribe::default()), Arc::new(Scribe::default())];
        let [of_client, of_server] = scribes.clone();
        let (client, server) = (client.observer(of_client), server.observer(of_server));
        Self { client: client.build().unwrap(), server: server.build().unwrap(), scribes }
    }

    /// A handshake, and data both ways.
    fn meet(&self) -> Pair {
        let mut pair = Pair::new(&self.client, &self.server);
        pair.drive().unwrap();
        talk(&mut pair);
        pair
    }

    /// All messages; both sides have seen the same.
    fn seen(&self) -> Vec<Seen> {
        let [client, server] = &self.scribes;
        let (client, server) = (client.0.lock().unwrap(), server.0.lock().unwrap());
        let said = |seen: &[Seen]| {
            let mut said: Vec<_> = seen.iter().map(|s| (s.bytes.clone(), format!("{:?}", s.context))).collect();
            said.sort();
            said
        };
        assert_eq!(said(&client), said(&server));
        let [one, other] = &self.scribes;
        for (sender, receiver) in [(one, other), (other, one)] {
            let [sent, _] = &sender.1;
            let [_, received] = &receiver.1;
            assert!(*sent.lock().unwrap() == *received.lock().unwrap(), "what was sent is what came, byte for byte");
            assert!(sent.lock().unwrap().len() > 200);
        }
        client.clone()
    }
}

fn talk(pair: &mut Pair) {
    pair.client_sends(b"up").unwrap();
    pair.server_sends(b"down").unwrap();
    pair.drive().unwrap();
}

fn client(policy: Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy).alpn([&b"h2"[..], b"http/1.1"])
}

fn server(identity: Identity) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(identity).policy(Policy::legacy()).alpn([b"h2"])
}

fn identity(kind: KeyKind) -> Identity {
    authority().issue(kind, &["localhost"]).identity()
}

/// With an OCSP response and certificate timestamps.
fn stapled(kind: KeyKind) -> Identity {
    identity(kind).with_ocsp(vec![0x30, 3, 10, 1, 6]).with_timestamps(vec![0, 7, 0, 2, 1, 1, 0, 1, 9]).unwrap()
}

fn raw(kind: KeyKind) -> Identity {
    Identity::raw_public_key(&authority().issue(kind, &["localhost"]).key).unwrap()
}

fn tickets() -> Arc<TicketKeys> {
    let month = Duration::from_secs(30 * 24 * 3600);
    Arc::new(TicketKeys::random(Provider::builtin(), month, month).unwrap())
}

fn of_clients() -> ClientAuth {
    ClientAuth::Require(Arc::new(DangerousAcceptAnyone))
}

fn alice() -> Identity {
    identity(KeyKind::P256)
}

fn suite12(suite: CipherSuite) -> Policy {
    Policy::legacy().with_suites([suite])
}

/// What only a client or a server with a name for everything says.
fn full13() -> Vec<Seen> {
    let client = client(Policy::modern()).request_timestamps(true).record_size_limit(4096).grease(true);
    let server = server(stapled(KeyKind::P256)).tickets(tickets()).record_size_limit(8192).announce_groups(true);
    let world = World::new(client, server.grease(true).max_early_data(1000));
    let mut pair = world.meet();
    pair.client.update_keys(true, &mut pair.to_server).unwrap();
    pair.drive().unwrap();
    talk(&mut pair);
    world.seen()
}

fn retried() -> Vec<Seen> {
    let world = World::new(client(Policy::modern()).key_shares([]), server(identity(KeyKind::Rsa)));
    world.meet();
    world.seen()
}

fn resumed13() -> Vec<Seen> {
    let server = server(identity(KeyKind::P256)).tickets(tickets()).max_early_data(1000);
    let world = World::new(client(Policy::modern()).early_data(true), server);
    world.meet();
    let mut pair = Pair::new(&world.client, &world.server);
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"early", &mut pair.to_server).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"early");
    world.seen()
}

fn external_key() -> Vec<Seen> {
    let key = || PreSharedKey::external(b"device 7", &[7; 32], HashId::Sha256).unwrap();
    let client = client(Policy::modern()).pre_shared_key(key());
    let world = World::new(client, server(identity(KeyKind::P256)).pre_shared_key(key()));
    world.meet();
    world.seen()
}

fn mutual13() -> Vec<Seen> {
    let own = stapled(KeyKind::P256);
    let client = client(Policy::modern()).identity(own).certificate_compression([CompressionAlgorithm::Zlib]);
    let server = server(stapled(KeyKind::P256)).client_auth(asks()).request_status(true).request_timestamps(true);
    let world = World::new(client, server.certificate_compression([CompressionAlgorithm::Zlib]));
    world.meet();
    world.seen()
}

/// A verifier that names authorities.
fn asks() -> ClientAuth {
    ClientAuth::Request(Arc::new(clasp::config::WebPki::clients(authority().roots())))
}

fn later() -> Vec<Seen> {
    let client = client(Policy::modern()).identity(alice()).post_handshake_auth(true);
    let world = World::new(client, server(identity(KeyKind::P256)).post_handshake_auth(of_clients()));
    let mut pair = world.meet();
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
    assert!(pair.server.facts().unwrap().client_authenticated);
    world.seen()
}

fn raw_keys(version: ProtocolVersion) -> Vec<Seen> {
    let types = [CertificateType::RawPublicKey];
    let policy = Policy::default().with_versions([version]);
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(DangerousAcceptAnyone)).policy(policy);
    let client = client.identity(raw(KeyKind::P256)).server_certificate_types(types);
    let server = server(raw(KeyKind::P256)).client_auth(of_clients()).client_certificate_types(types);
    let world = World::new(client.client_certificate_types(types), server);
    world.meet();
    world.seen()
}

fn full12(suite: CipherSuite, kind: KeyKind) -> Vec<Seen> {
    let client = client(suite12(suite)).max_fragment_length(MaxFragmentLength::Bytes4096).request_timestamps(true);
    let server = server(stapled(kind)).client_auth(asks());
    let world = World::new(client.identity(alice()), server);
    world.meet();
    world.seen()
}

fn resumed12(by_ticket: bool) -> Vec<Seen> {
    let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let server = server(identity(KeyKind::P256));
    let server = if by_ticket { server.tickets(tickets()) } else { server };
    let world = World::new(client(suite12(suite)), server);
    world.meet();
    assert!(world.meet().client.facts().unwrap().resumed.is_some());
    world.seen()
}

/// Every kind of handshake.
fn recorded() -> Vec<(&'static str, Vec<Seen>)> {
    let (rsa, ecdsa) = (KeyKind::Rsa, KeyKind::P256);
    vec![
        ("TLS 1.3", full13()),
        ("TLS 1.3, another hello", retried()),
        ("TLS 1.3, resumed, with early data", resumed13()),
        ("TLS 1.3, external key", external_key()),
        ("TLS 1.3, both with certificates, compressed", mutual13()),
        ("TLS 1.3, a certificate later", later()),
        ("TLS 1.3, raw public keys", raw_keys(ProtocolVersion::Tls13)),
        ("TLS 1.2, RSA", full12(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA, rsa)),
        ("TLS 1.2, ECDHE", full12(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ecdsa)),
        ("TLS 1.2, DHE", full12(CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, rsa)),
        ("TLS 1.2, resumed by ID", resumed12(false)),
        ("TLS 1.2, resumed by ticket", resumed12(true)),
        ("TLS 1.2, raw public keys", raw_keys(ProtocolVersion::Tls12)),
    ]
}

/// Each byte of a message is in one field that holds no other, and each field is where it says.
fn check_cover(decoded: &Decoded<'_>, bytes: &[u8]) {
    let mut at = 0;
    for field in decoded.fields.iter().filter(|f| f.leaf) {
        assert_eq!(field.range.start, at, "{} does not stand behind the one before", field.name);
        at = field.range.end;
    }
    assert_eq!(at, bytes.len(), "bytes are left out");
    let mut around: Vec<&Field<'_>> = Vec::new();
    for field in &decoded.fields {
        assert_eq!(field.bytes, &bytes[field.range.clone()], "{} stands elsewhere", field.name);
        around.truncate(field.depth.into());
        assert_eq!(around.len(), usize::from(field.depth), "{} stands in nothing", field.name);
        for outer in &around {
            assert!(!outer.leaf && outer.range.start <= field.range.start && field.range.end <= outer.range.end);
        }
        around.push(field);
    }
}

/// The names that lead to a field, without the places in lists.
fn path<'a>(fields: &[Field<'a>], n: usize) -> Vec<&'a str> {
    let mut depth = fields[n].depth;
    let mut path = vec![fields[n].name];
    for field in fields[..n].iter().rev().filter(|f| !f.leaf) {
        if field.depth < depth {
            (depth, path) = (field.depth, [vec![field.name], path].concat());
        }
    }
    path
}

#[test]
fn every_message_of_every_handshake_comes_apart() {
    // What is seen of each kind of message: the fields that hold no other, and what was said by a code.
    let mut text = String::new();
    for (scenario, seen) in recorded() {
        for seen in seen {
            let decoded = seen.decoded();
            assert_eq!(decoded.fault, None, "{scenario}: {}", seen.kind);
            check_cover(&decoded, &seen.bytes);
            for field in &decoded.fields {
                assert!(
                    !["unread", "body", "extension"].contains(&field.name),
                    "{scenario}: {}: {}",
                    seen.kind,
                    field.name
                );
            }
            writeln!(text, "{scenario}: {}", seen.kind).unwrap();
        }
    }
    for kind in ["HelloRequest", "EndOfEarlyData", "CompressedCertificate", "CertificateStatus", "KeyUpdate"] {
        assert!(kind == "HelloRequest" || text.contains(kind), "no {kind} was seen");
    }
}

/// The structures of all messages, as text.
fn structures() -> String {
    let mut lines = BTreeSet::new();
    for (scenario, seen) in recorded() {
        let version = scenario.split_at("TLS 1.x".len()).0;
        for seen in seen {
            let decoded = seen.decoded();
            for n in 0..decoded.fields.len() {
                let field = &decoded.fields[n];
                let list = if field.index.is_some() { "[]" } else { "" };
                if field.name != "length" {
                    lines.insert(format!(
                        "{version} {} {}{list}\n",
                        seen.kind,
                        path(&decoded.fields, n)[..].join(" / ")
                    ));
                }
            }
        }
    }
    lines.into_iter().collect()
}

#[test]
fn the_fields_are_those_of_the_rfcs() {
    let seen = structures();
    if seen != include_str!("fields.txt") {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/fields.txt");
        std::fs::write(path, &seen).unwrap();
        panic!("what is seen has changed: compare {path} with tests/observed/fields.txt");
    }
}

/// A message that ends too early, or has another byte somewhere, gives the fields before the fault, and the fault.
#[test]
fn a_fault_hides_nothing_that_stands_before_it() {
    let mut faults = 0;
    for (scenario, seen) in recorded() {
        for seen in seen {
            let whole = seen.decoded();
            let leaves = |decoded: &Decoded<'_>| -> Vec<_> {
                let all = decoded.fields.iter().filter(|f| f.leaf && !f.range.is_empty());
                all.map(|f| (f.name, f.index, f.range.clone())).collect()
            };
            let good = leaves(&whole);
            for end in (4..seen.bytes.len()).step_by(1 + seen.bytes.len() / 200) {
                let mut cut = Seen { bytes: seen.bytes[..end].to_vec(), ..seen.clone() };
                cut.bytes[1..4].copy_from_slice(&u32::try_from(end - 4).unwrap().to_be_bytes()[1..]);
                let decoded = cut.decoded();
                check_cover(&decoded, &cut.bytes);
                let what = format!("{scenario}: {} cut at {end}: {:?}", seen.kind, decoded.fault);
                let Some(fault) = decoded.fault else { continue };
                faults += 1;
                let read = leaves(&decoded);
                let before = good.iter().filter(|(.., range)| range.end <= fault.offset + 4);
                assert!(before.clone().count() > 0 && before.clone().all(|leaf| read.contains(leaf)), "{what}");
                assert!(
                    read.iter().all(|leaf| leaf.0 == "unread" || leaf.2.end > fault.offset + 4 || good.contains(leaf)),
                    "{what}"
                );
            }
            for at in (0..seen.bytes.len()).step_by(1 + seen.bytes.len() / 100) {
                let mut other = seen.clone();
                other.bytes[at] ^= 0x81;
                check_cover(&other.decoded(), &other.bytes);
            }
        }
    }
    assert!(faults > 1000, "{faults} faults");
}

/// A message of these parts, with its header.
fn framed(kind: HandshakeType, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind.0], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], &body].concat()
}

/// `name[index]: value`, as far as there is an index.
fn lines(decoded: &Decoded<'_>) -> Vec<String> {
    let place = |f: &Field<'_>| f.index.map_or_else(String::new, |index| format!("[{index}]"));
    decoded.fields.iter().filter(|f| f.leaf).map(|f| format!("{}{}: {}", f.name, place(f), f.value)).collect()
}

#[test]
fn codes_have_names_and_those_that_mean_nothing_are_told_apart() {
    let (random, shares) = ([7; 32], [0x9a, 0x9a, 0, 1, 0]);
    let extensions: [&[u8]; 7] = [
        &[0x3a, 0x3a, 0, 0],
        &[0, 10, 0, 6, 0, 4, 0x8a, 0x8a, 0, 29],
        &[0, 45, 0, 3, 2, 0x0b, 1],
        &[0, 43, 0, 5, 4, 0x1a, 0x1a, 3, 4],
        &[0, 51, 0, 7, 0, 5],
        &shares,
        &[0x12, 0x34, 0, 1, 5],
    ];
    let block = extensions.concat();
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    let suites = &[0, 6, 0x5a, 0x5a, 0x13, 1, 0x77, 0x77];
    let hello = framed(HandshakeType::ClientHello, &[&[3, 3], &random, &[0], suites, &[1, 0], &length, &block]);
    let decoded = message(&hello, &Context::default());
    assert_eq!(decoded.fault, None);
    let lines = lines(&decoded);
    for wanted in [
        "client_version: TLS 1.2",
        "cipher_suites[0]: GREASE 0x5a5a",
        "cipher_suites[1]: TLS_AES_128_GCM_SHA256",
        "cipher_suites[2]: 0x7777",
        "compression_methods[0]: null",
        "extension_type: GREASE 0x3a3a",
        "named_group_list[0]: GREASE 0x8a8a",
        "named_group_list[1]: x25519",
        "ke_modes[0]: GREASE 0x0b",
        "ke_modes[1]: psk_dhe_ke",
        "versions[0]: GREASE 0x1a1a",
        "versions[1]: TLS 1.3",
        "group: GREASE 0x9a9a",
        "key_exchange: 00",
        "extension_type: 0x1234",
        "extension_data: 05",
    ] {
        assert!(lines.contains(&wanted.to_owned()), "no {wanted} among {lines:?}");
    }
    let groups = decoded.fields.iter().filter(|f| f.depth == 1 && !f.leaf).map(|f| (f.name, f.index.unwrap()));
    let names =
        ["GREASE", "supported_groups", "psk_key_exchange_modes", "supported_versions", "key_share", "extension"];
    assert_eq!(groups.collect::<Vec<_>>(), names.into_iter().zip(0..).collect::<Vec<_>>());
}

#[test]
fn what_nobody_could_read_without_its_context_comes_as_bytes() {
    let unknown = Context::default();
    for kind in [
        HandshakeType::Certificate,
        HandshakeType::CertificateRequest,
        HandshakeType::NewSessionTicket,
        HandshakeType::ServerKeyExchange,
        HandshakeType::ClientKeyExchange,
        HandshakeType(99),
    ] {
        let bytes = framed(kind, &[&[1, 2, 3]]);
        let decoded = message(&bytes, &unknown);
        assert_eq!((lines(&decoded).last().unwrap().as_str(), decoded.fault), ("body: 010203", None), "{kind}");
    }
    // A client is asked for another handshake by a message without a body.
    assert_eq!(lines(&message(&[0, 0, 0, 0], &unknown)), ["msg_type: HelloRequest", "length: 0"]);
    let decoded = message(&[0, 0, 0, 1, 7], &unknown);
    assert_eq!(lines(&decoded), ["msg_type: HelloRequest", "length: 1", "unread: 07"]);
    assert_eq!(decoded.fault.unwrap().to_string(), "HelloRequest has 1 bytes left over behind it at byte 0");
    for cut in [&[][..], &[1], &[1, 0, 0]] {
        let decoded = message(cut, &unknown);
        check_cover(&decoded, cut);
        assert!(decoded.fault.is_some());
    }
}

#[test]
fn a_cookie_stands_in_another_hello_and_its_answer() {
    let hrr = clasp::wire::message::HELLO_RETRY_REQUEST_RANDOM;
    let extensions = [&[0, 44, 0, 4, 0, 2, 8, 9][..], &[0, 51, 0, 2, 0, 24]].concat();
    let hello = framed(HandshakeType::ServerHello, &[&[3, 3], &hrr, &[0, 0x13, 1, 0, 0, 14], &extensions]);
    let decoded = message(&hello, &Context::default());
    assert_eq!(decoded.fault, None);
    let lines = lines(&decoded);
    assert!(lines.contains(&"cookie: 0809".to_owned()) && lines.contains(&"selected_group: secp384r1".to_owned()));
}

/// Alerts and what is left out of conversations that go well: refused early data, the end.
#[test]
fn alerts_and_the_end_are_seen_as_they_stand_in_their_records() {
    let world = World::new(client(Policy::modern()), server(identity(KeyKind::P256)));
    let mut pair = world.meet();
    pair.client.close(&mut pair.to_server).unwrap();
    pair.drive().unwrap();
    world.seen();
    let stranger = clasp_testkit::other_authority().issue(KeyKind::P256, &["localhost"]).identity();
    let world = World::new(client(Policy::legacy()), server(stranger));
    Pair::new(&world.client, &world.server).drive().unwrap_err();
    world.seen();
    let broken = records(&[22, 3, 1, 0, 2, 9], false);
    check_cover(&broken, &[22, 3, 1, 0, 2, 9]);
    assert_eq!(lines(&broken), ["type: handshake", "legacy_record_version: TLS 1.0", "length: 2 bytes", "unread: 09"]);
    assert!(broken.fault.is_some());
    let several = records(&[23, 3, 3, 0, 1, 7, 23, 3, 3, 0, 1, 8], true);
    assert_eq!(several.fields.iter().filter_map(|f| f.index).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(lines(&alert(&[2, 40])), ["level: fatal", "description: handshake_failure"]);
    for wrong in [&[][..], &[2], &[2, 40, 1]] {
        let decoded = alert(wrong);
        check_cover(&decoded, wrong);
        assert!(decoded.fault.is_some());
    }
}
