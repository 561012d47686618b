//! Parties outside that take their time: each signer, verifier and session store, one at a time, answers only after
//! another connection has come and gone. On the sans-IO core and on the blocking stream; `clasp-tokio` has its own test.
#![allow(clippy::unwrap_used)]

use clasp::config::{DangerousAcceptAnyone, Signer, Verifier, WebPki};
use clasp::crypto::PrivateKey;
use clasp::session::ServerSessionCache;
use clasp::wire::code::ProtocolVersion;
use clasp::{ClientAuth, ClientConfig, Error, Identity, Policy, ServerConfig, Stream, Waiting};
use clasp_testkit::{Gate, KeyKind, Pair, SlowSessions, SlowSigner, SlowVerifier, authority};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Party {
    ServerSigner,
    ClientSigner,
    ServersVerifier,
    ClientsVerifier,
    /// Asked to keep a session in the first handshake, and for it in the second.
    Store,
}

const PARTIES: [(Party, &str); 5] = [
    (Party::ServerSigner, "private key"),
    (Party::ClientSigner, "private key"),
    (Party::ServersVerifier, "certificate verifier"),
    (Party::ClientsVerifier, "certificate verifier"),
    (Party::Store, "session store"),
];

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];

fn gate(party: Party, slow: Option<(Party, &Gate)>) -> Gate {
    match slow {
        Some((one, gate)) if one == party => gate.clone(),
        _ => {
            let open = Gate::default();
            open.open();
            open
        }
    }
}

/// Both sides, where `slow` waits at its gate and nobody else waits.
fn configs(version: ProtocolVersion, slow: Option<(Party, &Gate)>) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let policy = Policy::default().with_versions([version]);
    let identity = |party| {
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        let key: Arc<dyn Signer> = Arc::new(PrivateKey::from_der(&issued.key).unwrap());
        Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate(party, slow), key))).unwrap()
    };
    let verifier = |party, verifier: WebPki| Arc::new(SlowVerifier(gate(party, slow), Arc::new(verifier)));
    let roots = authority().roots();
    let store = SlowSessions(gate(Party::Store, slow), ServerSessionCache::new(1 << 20));
    let clients: Arc<dyn Verifier> = verifier(Party::ServersVerifier, WebPki::clients(roots.clone()));
    let server = ServerConfig::builder()
        .identity(identity(Party::ServerSigner))
        .sessions(Arc::new(store))
        .client_auth(ClientAuth::Require(clients))
        .policy(policy.clone());
    let client = ClientConfig::builder()
        .dangerous_verifier(verifier(Party::ClientsVerifier, WebPki::servers(roots)))
        .identity(identity(Party::ClientSigner))
        .policy(policy);
    (client.build().unwrap(), server.build().unwrap())
}

/// Another connection, from its first byte to its last.
fn other_connection(version: ProtocolVersion) -> Result<(), Error> {
    let (client, server) = configs(version, None);
    let mut pair = Pair::new(&client, &server);
    pair.drive()?;
    pair.client_sends(b"other")?;
    pair.drive()?;
    assert_eq!(pair.server_data, b"other");
    Ok(())
}

fn rounds(party: Party) -> usize {
    if party == Party::Store { 2 } else { 1 }
}

#[test]
fn the_core_waits_and_goes_on() {
    for version in VERSIONS {
        for (party, name) in PARTIES {
            let gate = Gate::default();
            let (client, server) = configs(version, Some((party, &gate)));
            for round in 0..rounds(party) {
                gate.close();
                let mut pair = Pair::new(&client, &server);
                let mut waits = 0;
                pair.drive().unwrap();
                while pair.waits_outside() {
                    let waiting = [pair.client.waiting(), pair.server.waiting()];
                    assert!(waiting.contains(&Waiting::Outside(name)), "{version} {party:?}: {waiting:?}");
                    assert!(pair.client.facts().is_none() || pair.server.facts().is_none());
                    other_connection(version).unwrap();
                    pair.drive().unwrap();
                    assert!(pair.waits_outside(), "{version} {party:?} went on without its answer");
                    gate.open();
                    pair.drive().unwrap();
                    waits += 1;
                }
                assert!(waits > 0, "{version} {party:?}, round {round}: nobody waited");
                pair.client_sends(b"late").unwrap();
                pair.drive().unwrap();
                assert_eq!(pair.server_data, b"late", "{version} {party:?}");
                assert_eq!(pair.server.facts().unwrap().resumed.is_some(), round == 1, "{version} {party:?}");
            }
        }
    }
}

#[test]
fn the_blocking_stream_parks_its_thread_alone() {
    for version in VERSIONS {
        for (party, _) in PARTIES {
            let gate = Gate::default();
            let (client, server) = configs(version, Some((party, &gate)));
            for round in 0..rounds(party) {
                gate.close();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let address = listener.local_addr().unwrap();
                let connection = server.accept();
                let serving = thread::spawn(move || {
                    let mut stream = Stream::new(connection, listener.accept().unwrap().0);
                    let facts = stream.handshake().unwrap();
                    std::io::Write::write_all(&mut stream, b"late").unwrap();
                    facts.resumed
                });
                let connection = client.connect("localhost".try_into().unwrap());
                let asking = thread::spawn(move || {
                    let mut stream = Stream::new(connection, TcpStream::connect(address).unwrap());
                    let mut said = [0; 4];
                    std::io::Read::read_exact(&mut stream, &mut said).unwrap();
                    said
                });
                while !gate.is_waited_at() {
                    thread::sleep(Duration::from_millis(1));
                }
                other_connection(version).unwrap();
                assert!(!asking.is_finished(), "{version} {party:?}: the client did not wait");
                gate.open();
                assert_eq!(asking.join().unwrap(), *b"late");
                assert_eq!(serving.join().unwrap().is_some(), round == 1, "{version} {party:?}");
            }
        }
    }
}

/// The claim on early data may take its time too.
#[test]
fn early_data_waits_for_the_store() {
    let gate = Gate::default();
    gate.open();
    let store = SlowSessions(gate.clone(), ServerSessionCache::new(1 << 20));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).sessions(Arc::new(store)).max_early_data(100);
    let server = server.build().unwrap();
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(DangerousAcceptAnyone)).early_data(true);
    let client = client.build().unwrap();
    Pair::new(&client, &server).drive().unwrap();
    gate.close();
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    let mut flight = core::mem::take(&mut pair.to_server);
    assert_eq!(pair.client.send_early(b"early", &mut flight).unwrap(), 5);
    pair.to_server = flight;
    pair.drive().unwrap();
    assert!(pair.waits_outside() && pair.server_data.is_empty(), "early data was given out before its claim");
    other_connection(ProtocolVersion::Tls13).unwrap();
    gate.open();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"early");
    assert_eq!(pair.server.facts().unwrap().early_data, clasp::EarlyData::Accepted);
}
