//! A recorded conversation, heard from outside with the key log of its client, says what that client has seen.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, Ready};
use clasp::keys::log::{KeyLogFile, Secrets};
use clasp::passive::Listener;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientConfig, Policy, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority, configs_of, one_suite_of_each_protection};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What is said one way, as far as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    records: Vec<String>,
    messages: Vec<String>,
    alerts: Vec<String>,
}

/// Writes it down, and keeps the records in their order.
#[derive(Default)]
struct Notes(Mutex<[Said; 2]>, Mutex<Vec<(Direction, Vec<u8>)>>);

impl Observer for Notes {
    fn observe(&self, seen: &Observation<'_>) {
        let mut said = self.0.lock().unwrap();
        let place = |direction| usize::from(direction == Direction::Received);
        match seen.what {
            What::Record { direction, level, content, wire_len, plain_len, bytes } => {
                said[place(direction)].records.push(format!("{level:?} {content:?} {wire_len} {plain_len}"));
                self.1.lock().unwrap().push((direction, bytes.to_vec()));
            }
            What::Message { direction, level, bytes, .. } => {
                said[place(direction)].messages.push(format!("{level:?} {bytes:?}"));
            }
            What::Alert { direction, fatal, alert, .. } => {
                said[place(direction)].alerts.push(format!("{fatal} {alert}"));
            }
            _ => {}
        }
    }
}

impl Notes {
    fn said(&self) -> [Said; 2] {
        self.0.lock().unwrap().clone()
    }
}

/// Two sides of which the client is observed and logs its keys.
struct World {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    seen: Arc<Notes>,
    folder: tempfile::TempDir,
}

impl World {
    fn new(client: ClientBuilder<Ready>, server: Arc<ServerConfig>) -> Self {
        let (seen, folder) = (Arc::new(Notes::default()), tempfile::tempdir().unwrap());
        let log = Arc::new(KeyLogFile::open(folder.path().join("keys.log")).unwrap());
        Self { client: client.key_log(log).observer(seen.clone()).build().unwrap(), server, seen, folder }
    }

    /// A connection whose records are forgotten; its secrets stand in the log.
    fn before(&self) {
        Pair::new(&self.client, &self.server).drive().unwrap();
        (*self.seen.0.lock().unwrap(), *self.seen.1.lock().unwrap()) = Default::default();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("keys.log")).unwrap()
    }

    /// What a listener hears who gets so many bytes at once, and has this log.
    fn heard(&self, step: usize, log: &str) -> ([Said; 2], Listener) {
        let notes = Arc::new(Notes::default());
        let mut listener = Listener::new(notes.clone(), Arc::new(Secrets::parse(log).unwrap()));
        for (direction, bytes) in &*self.seen.1.lock().unwrap() {
            for part in bytes.chunks(step) {
                listener.hear(SystemTime::now(), *direction, part).unwrap();
            }
        }
        (notes.said(), listener)
    }

    /// However it is cut, everything is heard; without the log what is in the clear alone.
    fn check(&self, what: &str, version: ProtocolVersion, suite: CipherSuite) {
        let seen = self.seen.said();
        assert!(seen.iter().all(|said| said.records.len() > 1 && !said.messages.is_empty()), "{what}");
        for step in [usize::MAX, 7] {
            let (heard, listener) = self.heard(step, &self.log());
            assert_eq!(heard, seen, "{what}");
            assert_eq!(listener.agreed(), Some((version, suite)), "{what}");
            assert_eq!((listener.unopened(), listener.is_established()), (0, true), "{what}");
        }
        let (heard, listener) = self.heard(usize::MAX, "");
        assert!(listener.unopened() > 2 && !listener.is_established(), "{what}: {listener:?}");
        for (heard, seen) in heard.iter().zip(&seen) {
            let clear = seen.messages.iter().filter(|message| message.starts_with("Plain"));
            assert!(heard.messages.iter().eq(clear), "{what}");
            assert_eq!((heard.records.len(), heard.alerts.len()), (seen.records.len(), 0), "{what}");
        }
    }
}

fn talk(pair: &mut Pair) {
    pair.client_sends(b"up").unwrap();
    pair.server_sends(b"down, and longer").unwrap();
    pair.drive().unwrap();
}

/// Data, new keys where there are some, an end.
fn converse(world: &World) -> CipherSuite {
    let mut pair = Pair::new(&world.client, &world.server);
    pair.drive().unwrap();
    talk(&mut pair);
    let facts = pair.client.facts().unwrap().clone();
    if facts.version == ProtocolVersion::Tls13 {
        for ask in [false, true] {
            pair.client.update_keys(ask, &mut pair.to_server).unwrap();
            pair.drive().unwrap();
            talk(&mut pair);
        }
        pair.server.update_keys(true, &mut pair.to_client).unwrap();
        pair.drive().unwrap();
        talk(&mut pair);
    }
    pair.client.close(&mut pair.to_server).unwrap();
    pair.drive().unwrap();
    pair.server.close(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
    facts.suite
}

fn version_of(suite: CipherSuite) -> ProtocolVersion {
    if suite.0 >> 8 == 0x13 { ProtocolVersion::Tls13 } else { ProtocolVersion::Tls12 }
}

#[test]
fn whatever_protects_the_records_all_of_it_is_heard() {
    for suite in one_suite_of_each_protection() {
        let (client, server) = configs_of(suite);
        let world = World::new(client, server);
        assert_eq!(converse(&world), suite);
        world.check(suite.name(), version_of(suite), suite);
        let secrets = Secrets::parse(&world.log()).unwrap();
        // Of the handshake and of data, each way; or a master secret.
        let wanted = if version_of(suite) == ProtocolVersion::Tls13 { 4 } else { 1 };
        assert_eq!((secrets.len(), secrets.is_empty()), (wanted, false));
    }
}

/// The log has an earlier conversation too.
#[test]
fn a_resumption_is_heard() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let policy = Policy::default().with_versions([version]);
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy);
        let world = World::new(client, ServerConfig::builder().identity(identity).build().unwrap());
        world.before();
        let suite = converse(&world);
        world.check("resumed", version, suite);
    }
}

/// Another hello, and early data: taken, refused, and refused by another hello.
#[test]
fn hellos_that_come_again_and_early_data_are_heard() {
    let identity = || authority().issue(KeyKind::P256, &["localhost"]).identity();
    let client = || ClientConfig::builder().trust(authority().roots()).policy(Policy::modern()).early_data(true);
    let keys = || {
        let hour = std::time::Duration::from_secs(3600);
        let provider = clasp::crypto::Provider::builtin();
        Arc::new(clasp::session::TicketKeys::random(provider, hour, 24 * hour).unwrap())
    };
    let shared = keys();
    let server = |early: u32, policy: Policy| {
        let server = ServerConfig::builder().identity(identity()).policy(policy).session_context("one");
        server.tickets(shared.clone()).max_early_data(early).build().unwrap()
    };
    let narrow = Policy::modern().with_groups([clasp::wire::code::NamedGroup::Secp384r1]);
    for (what, then) in [
        ("taken", server(1000, Policy::modern())),
        ("refused", server(0, Policy::modern())),
        ("refused by another hello", server(1000, narrow)),
    ] {
        let mut world = World::new(client(), server(1000, Policy::modern()));
        world.before();
        world.server = then;
        let mut pair = Pair::new(&world.client, &world.server);
        pair.drive_one_client_flight().unwrap();
        assert_eq!(pair.client.send_early(b"early", &mut pair.to_server).unwrap(), 5);
        pair.drive().unwrap();
        talk(&mut pair);
        let facts = pair.client.facts().unwrap().clone();
        assert_eq!(facts.hello_retried, what.contains("another"), "{what}");
        world.check(what, ProtocolVersion::Tls13, facts.suite);
    }
}

#[test]
fn what_is_no_conversation_is_said_to_be_none() {
    let listener = |log: &str| Listener::new(Arc::new(Notes::default()), Arc::new(Secrets::parse(log).unwrap()));
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[22, 3, 1, 0xff, 0xff], &[99, 3, 3, 0, 1, 0]] {
        assert!(listener("").hear(SystemTime::now(), Direction::Sent, bytes).is_err(), "{bytes:?}");
    }
    let random = "ab".repeat(32);
    for (log, line) in [
        (format!("CLIENT_RANDOM {random} {}", "cd".repeat(49)), 1),
        (format!("# none\nCLIENT_TRAFFIC_SECRET_0 {random} "), 2),
        (format!("CLIENT_TRAFFIC_SECRET_0 {random}ab cd"), 1),
        (format!("CLIENT_TRAFFIC_SECRET_0 {random} gg"), 1),
    ] {
        let error = Secrets::parse(&log).unwrap_err();
        assert_eq!(error.0, line);
        assert!(error.to_string().starts_with(&format!("line {line} ")));
    }
    assert!(Secrets::parse("\n# nothing\nANOTHER_LABEL x y\n").unwrap().is_empty());
}
