//! Every extension that Clasp writes, in the order of the wire: the second file shows the messages of the conversations that
//! are listed here. Peers and fingerprints hang on that order; whoever changes it means to.
#![cfg(all(feature = "legacy", feature = "compression"))]
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::HashId;
use clasp::session::TicketKeys;
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::{
    CertificateType, CipherSuite, CompressionAlgorithm, ExtensionType, HandshakeType, MaxFragmentLength, NamedGroup,
    ProtocolVersion,
};
use clasp::wire::message::{
    Certificate13, CertificateRequest13, Checked, ClientHello, EncryptedExtensions, NewSessionTicket13, ServerHello,
};
use clasp::wire::{Extensions, Reader};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::provider::{hollow, reseed};
use clasp_testkit::{Issued, KeyKind, ManualClock, Pair, authority};
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

type C = ClientBuilder<Ready>;
type S = ServerBuilder<Ready>;

static EC: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::Ed25519, &["localhost"]));
static RSA: LazyLock<Issued> = LazyLock::new(|| authority().issue(KeyKind::Rsa, &["localhost"]));

const NOW: u64 = 1_780_000_000;
const ZLIB: [CompressionAlgorithm; 1] = [CompressionAlgorithm::Zlib];
const RAW: [CertificateType; 2] = [CertificateType::RawPublicKey, CertificateType::X509];

/// Writes down the extensions of the messages that the client sends and receives.
#[derive(Default)]
struct Scribe(Mutex<(String, bool)>);

impl Observer for Scribe {
    fn observe(&self, seen: &Observation<'_>) {
        let What::Message { direction, kind, bytes, .. } = &seen.what else { return };
        let (text, tls13) = &mut *self.0.lock().unwrap();
        let mut block = |name: &str, extensions: Extensions<'_>| {
            writeln!(text, "  {direction:?} {name}").unwrap();
            for e in extensions.iter() {
                let name = if e.typ.is_known() { e.typ.name() } else { "GREASE" };
                writeln!(text, "{}", format!("    {name} {}", shown(e.typ, e.body)).trim_end()).unwrap();
            }
        };
        let bytes = || bytes.to_vec();
        match *kind {
            HandshakeType::ClientHello => {
                block("ClientHello", Checked::<ClientHello>::new(bytes()).unwrap().view().extensions);
            }
            HandshakeType::ServerHello => {
                let hello = Checked::<ServerHello>::new(bytes()).unwrap();
                let retry = hello.view().is_hello_retry_request();
                *tls13 = hello.view().extensions.find(ExtensionType::SupportedVersions).is_some();
                block(if retry { "HelloRetryRequest" } else { "ServerHello" }, hello.view().extensions);
            }
            HandshakeType::EncryptedExtensions => {
                block("EncryptedExtensions", Checked::<EncryptedExtensions>::new(bytes()).unwrap().view());
            }
            HandshakeType::CertificateRequest if *tls13 => {
                let request = Checked::<CertificateRequest13>::new(bytes()).unwrap();
                block("CertificateRequest", request.view().extensions);
            }
            HandshakeType::Certificate if *tls13 => {
                let certificate = Checked::<Certificate13>::new(bytes()).unwrap();
                for entry in certificate.view().iter() {
                    block("Certificate", entry.extensions);
                }
            }
            HandshakeType::NewSessionTicket if *tls13 => {
                block("NewSessionTicket", Checked::<NewSessionTicket13>::new(bytes()).unwrap().view().extensions);
            }
            _ => {}
        }
    }
}

/// The body, as far as it says the same each time: tickets are sealed, key shares are long, and GREASE is one of sixteen.
fn shown(typ: ExtensionType, body: &[u8]) -> String {
    match typ {
        ExtensionType::SessionTicket | ExtensionType::PreSharedKey if !body.is_empty() => "...".to_owned(),
        ExtensionType::KeyShare => groups(body),
        ExtensionType::SupportedVersions => codes(body, body.len() % 2),
        ExtensionType::SupportedGroups | ExtensionType::SignatureAlgorithms => codes(body, 2),
        _ => hex(body),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn code(code: &[u8]) -> String {
    if code[0] == code[1] && code[0] & 0x0f == 0x0a { "GREASE".to_owned() } else { hex(code) }
}

/// Codes behind a length.
fn codes(body: &[u8], length: usize) -> String {
    body[length..].chunks(2).map(code).collect::<Vec<_>>().join(" ")
}

/// The groups of key shares, whichever message they stand in, with the length of each share.
fn groups(body: &[u8]) -> String {
    // A client's list begins with its length, all others with a group.
    let list = usize::from(u16::from_be_bytes([body[0], body[1]])) == body.len() - 2;
    let mut r = Reader::new(&body[if list { 2 } else { 0 }..]);
    let mut names = Vec::new();
    while !r.is_empty() {
        let group = code(&r.u16("group").unwrap().to_be_bytes());
        let public = if r.is_empty() { 0 } else { r.vec16("key_exchange").unwrap().rest().len() };
        names.push(format!("{group}/{public}"));
    }
    names.join(" ")
}

fn client(policy: Policy) -> C {
    ClientConfig::builder().trust(authority().roots()).provider(hollow()).policy(policy).grease(false)
}

fn server(policy: Policy) -> S {
    let kx = policy.suites().iter().any(|suite| suite.name().contains("_RSA_"));
    server_of(if kx { RSA.identity() } else { EC.identity() }, policy)
}

fn server_of(identity: Identity, policy: Policy) -> S {
    ServerConfig::builder().identity(identity).provider(hollow()).policy(policy)
}

fn groups_of(policy: Policy) -> Policy {
    policy.with_groups([NamedGroup::X25519, NamedGroup::Secp256r1])
}

fn tls12() -> Policy {
    groups_of(Policy::default().with_versions([ProtocolVersion::Tls12]))
        .with_suites([CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256])
}

/// CBC, where encrypt-then-MAC has something to say.
fn old() -> Policy {
    groups_of(Policy::legacy()).with_suites([CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA])
}

fn tls13() -> Policy {
    groups_of(Policy::modern())
}

fn tickets() -> Arc<TicketKeys> {
    let hour = Duration::from_secs(3600);
    Arc::new(TicketKeys::random(hollow(), hour, 6 * hour).unwrap())
}

fn stapled(identity: Identity) -> Identity {
    identity.with_ocsp(vec![0x30, 3, 10, 1, 6]).with_timestamps(vec![0, 4, 0, 2, 1, 1]).unwrap()
}

fn anyone() -> ClientAuth {
    ClientAuth::Request(Arc::new(DangerousAcceptAnyone))
}

fn key() -> PreSharedKey {
    PreSharedKey::external(b"device 7", &[7; 32], HashId::Sha256).unwrap()
}

/// Two connections of one pair of configurations, the second one resumed if the two allow it.
fn conversations(name: &str, client: C, server: S) -> String {
    reseed(7);
    let scribe = Arc::new(Scribe::default());
    let clock = Arc::new(ManualClock::at(NOW));
    let client = client.clock(clock.clone()).observer(scribe.clone()).build().unwrap();
    let server = server.clock(clock).build().unwrap();
    for number in ["first", "second"] {
        writeln!(scribe.0.lock().unwrap().0, "{name}, {number}").unwrap();
        let mut pair = Pair::new(&client, &server);
        pair.drive_one_client_flight().unwrap();
        pair.drive().unwrap();
        pair.server_sends(b"tickets before").unwrap();
        pair.drive().unwrap();
        if pair.server.request_certificate(&mut pair.to_client).is_ok() {
            pair.drive().unwrap();
        }
    }
    scribe.0.lock().unwrap().0.clone()
}

/// TLS 1.2 with all that can be said in it.
fn everything12() -> (C, S) {
    let client = ClientConfig::builder().dangerous_trust_anyone().provider(hollow()).policy(old()).grease(true);
    let own = Identity::raw_public_key(&EC.key).unwrap();
    let client = client.alpn(["h2", "http/1.1"]).request_timestamps(true).record_size_limit(4000);
    let client = client.max_fragment_length(MaxFragmentLength::Bytes1024).identity(own);
    let client = client.server_certificate_types(RAW).client_certificate_types(RAW);
    let server = server_of(stapled(RSA.identity()), old()).alpn(["h2"]).tickets(tickets()).record_size_limit(5000);
    (client, server.client_auth(anyone()).client_certificate_types(RAW))
}

/// TLS 1.3 with all that can be said in it.
fn everything13() -> (C, S) {
    let client = client(tls13()).grease(true).alpn(["h2", "http/1.1"]).request_timestamps(true).record_size_limit(4000);
    let client = client.certificate_compression(ZLIB).post_handshake_auth(true).early_data(true).psk_without_dhe(true);
    let client = client.identity(stapled(EC.identity()));
    let server = server_of(stapled(EC.identity()), tls13()).grease(true).alpn(["h2"]).record_size_limit(5000);
    let server = server.request_timestamps(true).max_early_data(1000).announce_groups(true).tickets(tickets());
    (client, server.client_auth(anyone()).post_handshake_auth(anyone()))
}

fn all() -> String {
    let both = || groups_of(Policy::default());
    let (client12, server12) = everything12();
    let (client13, server13) = everything13();
    let retry = || tls13().with_groups([NamedGroup::Secp256r1]);
    let fragments = |c: C| c.max_fragment_length(MaxFragmentLength::Bytes1024);
    let trusting = || ClientConfig::builder().dangerous_trust_anyone().provider(hollow()).policy(tls13()).grease(false);
    let raw = server_of(Identity::raw_public_key(&EC.key).unwrap(), tls13());
    let (asking, _) = everything13();
    [
        conversations("as built", client(both()), server(both())),
        conversations("TLS 1.2, session IDs", client(tls12()), server(tls12())),
        conversations("TLS 1.2, tickets", fragments(client(tls12())), server(tls12()).tickets(tickets())),
        conversations("TLS 1.2, everything", client12, server12),
        conversations("TLS 1.2, a bare client", bare(client(tls12())), server(tls12())),
        conversations("TLS 1.3, everything", client13, server13),
        conversations("TLS 1.3, another hello", asking.server_groups([NamedGroup::X25519]), server(retry())),
        conversations("TLS 1.3, fragments", fragments(client(tls13())), server(tls13())),
        conversations(
            "TLS 1.3, raw public keys",
            trusting()
                .server_certificate_types(RAW)
                .client_certificate_types(RAW)
                .identity(Identity::raw_public_key(&EC.key).unwrap()),
            raw.client_auth(anyone()).client_certificate_types(RAW),
        ),
        conversations(
            "TLS 1.3, a client's certificate that is asked for compressed",
            client(tls13()).identity(EC.identity()),
            server(tls13())
                .client_auth(ClientAuth::Request(Arc::new(clasp::config::WebPki::clients(authority().roots()))))
                .certificate_compression(ZLIB),
        ),
        conversations(
            "TLS 1.3, an external key",
            client(tls13()).pre_shared_key(key()),
            server(tls13()).pre_shared_key(key()),
        ),
    ]
    .concat()
}

fn bare(client: C) -> C {
    let client = client.send_server_name(false).session_tickets(false).extended_master_secret(false);
    client.request_status(false)
}

#[test]
fn the_extensions_stand_in_their_order() {
    let seen = all();
    if seen != include_str!("extensions.txt") {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/extensions.txt");
        std::fs::write(path, &seen).unwrap();
        panic!(
            "what is written has changed: compare {path} with tests/extension_order/extensions.txt, and copy it over that \
             file if the change is meant"
        );
    }
}
