//! An observer hears what is derived, by the names of the RFCs (RFC 9846 7.1, 7.2; RFC 5246 6.3, 8.1) and in the order of their
//! schedules; the values only where the configuration says so, and never in print.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{ClientBuilder, DangerousAcceptAnyone, PreSharedKey, Ready, ServerBuilder};
use clasp::crypto::{HashId, Provider};
use clasp::keys::log::KeyLog;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A name, and the value where there is one.
type Derived = (&'static str, Option<Vec<u8>>);

/// What was heard.
#[derive(Default)]
struct Heard {
    derived: Mutex<Vec<Derived>>,
    printed: Mutex<String>,
}

impl Observer for Heard {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Derived { name, value } = seen.what {
            self.derived.lock().unwrap().push((name, value.map(|value| value.dangerous_expose().to_vec())));
            self.printed.lock().unwrap().push_str(&format!("{seen:?}\n"));
        }
    }
}

impl Heard {
    fn take(&self) -> Vec<(&'static str, Option<Vec<u8>>)> {
        std::mem::take(&mut self.derived.lock().unwrap())
    }
}

/// The key log, by its labels.
#[derive(Default)]
struct Log(Mutex<Vec<(&'static str, Vec<u8>)>>);

impl KeyLog for Log {
    fn log(&self, label: &'static str, _client_random: &[u8; 32], secret: &[u8]) {
        self.0.lock().unwrap().push((label, secret.to_vec()));
    }
}

/// Two sides, what each hears, and the key log of the client.
struct World {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    heard: [Arc<Heard>; 2],
    log: Arc<Log>,
}

impl World {
    fn new(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>, values: bool) -> Self {
        let heard = [Arc::new(Heard::default()), Arc::new(Heard::default())];
        let [of_client, of_server] = heard.clone();
        let log = Arc::new(Log::default());
        let client = client.key_log(log.clone());
        let (client, server) = if values {
            (client.dangerous_observe_secrets(of_client), server.dangerous_observe_secrets(of_server))
        } else {
            (client.observer(of_client), server.observer(of_server))
        };
        Self { client: client.build().unwrap(), server: server.build().unwrap(), heard, log }
    }

    /// A handshake, and data both ways.
    fn meet(&self) -> Pair {
        let mut pair = Pair::new(&self.client, &self.server);
        pair.drive().unwrap();
        pair.client_sends(b"up").unwrap();
        pair.server_sends(b"down").unwrap();
        pair.drive().unwrap();
        pair
    }

    /// The secrets that both have heard of since this was asked, and the keys and IVs with which the client writes, and the
    /// server; their values if they are shown.
    fn both(&self, values: bool) -> [Vec<Derived>; 3] {
        let [client, server] = [0, 1].map(|side| {
            let heard = self.heard[side].take();
            let (keys, secrets): (Vec<_>, Vec<_>) = heard.into_iter().partition(|(name, _)| name.contains("_write_"));
            let (up, down) = keys.into_iter().partition(|(name, _)| name.starts_with("client_"));
            [secrets, up, down]
        });
        // One installs first what goes, the other what comes: the keys of each direction have an order of their own.
        assert_eq!(client, server, "both sides derive the same");
        for (name, value) in client.iter().flatten() {
            assert_eq!(value.is_some(), values, "{name}");
            let Some(value) = value else { continue };
            let least = if name.contains("_write_") { 4 } else { 32 };
            assert!(value.len() >= least && value.iter().any(|byte| *byte != 0), "{name}");
            let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            for heard in &self.heard {
                let printed = heard.printed.lock().unwrap();
                assert!(!printed.contains(&hex) && !printed.contains(format!("{value:?}").trim_matches(['[', ']'])));
                assert!(printed.contains(&format!("{name:?}")) && printed.contains("[secret]"), "{name}");
            }
        }
        self.check_log(&client[0]);
        client
    }

    /// The names of the secrets.
    fn heard(&self, values: bool) -> Vec<&'static str> {
        let [secrets, ..] = self.both(values);
        names(&secrets).collect()
    }

    /// What the key log has under its own labels is what is shown.
    fn check_log(&self, derived: &[(&'static str, Option<Vec<u8>>)]) {
        for (label, secret) in std::mem::take(&mut *self.log.0.lock().unwrap()) {
            let name = match label {
                "CLIENT_RANDOM" => "master_secret",
                "CLIENT_EARLY_TRAFFIC_SECRET" => "client_early_traffic_secret",
                "EARLY_EXPORTER_SECRET" => "early_exporter_secret",
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => "client_handshake_traffic_secret",
                "SERVER_HANDSHAKE_TRAFFIC_SECRET" => "server_handshake_traffic_secret",
                "CLIENT_TRAFFIC_SECRET_0" => "client_application_traffic_secret_0",
                "SERVER_TRAFFIC_SECRET_0" => "server_application_traffic_secret_0",
                "EXPORTER_SECRET" => "exporter_secret",
                other => panic!("{other}"),
            };
            match derived.iter().find(|(derived, _)| *derived == name) {
                Some((_, Some(value))) => assert_eq!(*value, secret, "{name}"),
                Some((_, None)) => {}
                // Of a session.
                None => assert_eq!(name, "master_secret"),
            }
        }
    }
}

fn names(derived: &[Derived]) -> impl Iterator<Item = &'static str> {
    derived.iter().map(|(name, _)| *name)
}

fn client(version: ProtocolVersion) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(Policy::default().with_versions([version]))
}

fn identity() -> Identity {
    authority().issue(KeyKind::P256, &["localhost"]).identity()
}

fn server() -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(identity())
}

fn tickets() -> Arc<TicketKeys> {
    let month = Duration::from_secs(30 * 24 * 3600);
    Arc::new(TicketKeys::random(Provider::builtin(), month, month).unwrap())
}

const PSK: &[&str] = &["Early Secret", "binder_key"];
const EARLY: &[&str] = &["client_early_traffic_secret", "early_exporter_secret"];
const FULL: &[&str] = &[
    "Handshake Secret",
    "client_handshake_traffic_secret",
    "server_handshake_traffic_secret",
    "Main Secret",
    "client_application_traffic_secret_0",
    "server_application_traffic_secret_0",
    "exporter_secret",
    "resumption_secret",
];
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

#[test]
fn the_schedule_of_tls_1_3() {
    for values in [false, true] {
        let world = World::new(client(TLS13), server().tickets(tickets()), values);
        let mut pair = world.meet();
        assert_eq!(world.heard(values), FULL);
        pair.client.update_keys(true, &mut pair.to_server).unwrap();
        pair.drive().unwrap();
        pair.server_sends(b"answered").unwrap();
        pair.drive().unwrap();
        let updates = ["client_application_traffic_secret_N+1", "server_application_traffic_secret_N+1"];
        assert_eq!(world.heard(values), updates);
        world.meet();
        assert_eq!(world.heard(values), [PSK, FULL].concat(), "resumed");

        let world = World::new(client(TLS13).key_shares([]), server(), values);
        world.meet();
        assert_eq!(world.heard(values), FULL, "another hello");

        let auth = ClientAuth::Require(Arc::new(DangerousAcceptAnyone));
        let alice = client(TLS13).identity(identity());
        let world = World::new(alice, server().client_auth(auth), values);
        world.meet();
        assert_eq!(world.heard(values), FULL, "both with certificates");

        let key = || PreSharedKey::external(b"device 7", &[7; 32], HashId::Sha256).unwrap();
        let world = World::new(client(TLS13).pre_shared_key(key()), server().pre_shared_key(key()), values);
        world.meet();
        assert_eq!(world.heard(values), [PSK, FULL].concat(), "an external key");
    }
}

#[test]
fn early_data_has_secrets_of_its_own() {
    for values in [false, true] {
        let server = server().tickets(tickets()).max_early_data(1000);
        let world = World::new(client(TLS13).early_data(true), server, values);
        world.meet();
        assert_eq!(world.heard(values), FULL);
        let mut pair = Pair::new(&world.client, &world.server);
        pair.drive_one_client_flight().unwrap();
        pair.client.send_early(b"early", &mut pair.to_server).unwrap();
        pair.drive().unwrap();
        assert_eq!(pair.server_data, b"early");
        assert_eq!(world.heard(values), [PSK, EARLY, FULL].concat());
    }
}

#[test]
#[cfg(feature = "legacy")]
fn the_schedule_of_tls_1_2() {
    for values in [false, true] {
        for suite in
            [CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]
        {
            let policy = || Policy::legacy().with_suites([suite]);
            let client = ClientConfig::builder().trust(authority().roots()).policy(policy());
            let world = World::new(client, server().policy(policy()).tickets(tickets()), values);
            world.meet();
            assert_eq!(world.heard(values), ["master_secret", "key_block"]);
            world.meet();
            assert_eq!(world.heard(values), ["key_block"], "the master secret is the session's");
        }
    }
}

/// HKDF-Expand-Label for no more than a hash's length: RFC 9846 7.1, RFC 5869 2.3.
fn expand_label(secret: &[u8], label: &str, len: usize) -> Vec<u8> {
    let hmac = Provider::builtin().hash(HashId::Sha256).unwrap().hmac(secret);
    let label = format!("tls13 {label}");
    let lengths = [0, u8::try_from(len).unwrap(), u8::try_from(label.len()).unwrap()];
    let mut out = [0; 32];
    hmac.sign(&[&lengths, label.as_bytes(), &[0, 1]], &mut out);
    out[..len].to_vec()
}

/// RFC 9846 7.3: each traffic secret has a key and an IV, those of an update (7.2) too.
#[test]
fn keys_and_ivs_of_tls_1_3_come_of_their_traffic_secrets() {
    let policy = || Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]);
    for values in [false, true] {
        let server = server().policy(policy()).tickets(tickets()).max_early_data(1000);
        let world = World::new(client(TLS13).policy(policy()).early_data(true), server, values);
        world.meet();
        world.both(values);
        let mut pair = Pair::new(&world.client, &world.server);
        pair.drive_one_client_flight().unwrap();
        pair.client.send_early(b"early", &mut pair.to_server).unwrap();
        pair.drive().unwrap();
        pair.client.update_keys(true, &mut pair.to_server).unwrap();
        pair.drive().unwrap();
        pair.server_sends(b"answered").unwrap();
        pair.drive().unwrap();
        let [secrets, up, down] = world.both(values);
        for (side, keys, wanted) in [("client", up, 4), ("server", down, 3)] {
            let traffic = secrets.iter().filter(|(name, _)| name.starts_with(side) && name.contains("traffic_secret"));
            let of = |(_, secret): &Derived| {
                let part = |label, len| secret.as_ref().map(|secret| expand_label(secret, label, len));
                [part("key", 16), part("iv", 12)]
            };
            let expanded: Vec<_> = traffic.flat_map(of).collect();
            assert_eq!(expanded.len(), 2 * wanted);
            let told = [format!("{side}_write_key"), format!("{side}_write_iv")];
            assert!(names(&keys).eq(told.iter().cycle().take(2 * wanted)), "{keys:?}");
            assert!(keys.iter().map(|(_, value)| value).eq(&expanded), "{side}");
        }
    }
}

/// RFC 5246 6.3: the block is cut in this order.
#[test]
#[cfg(feature = "legacy")]
fn keys_and_ivs_of_tls_1_2_are_cut_from_the_block() {
    const GCM: &[(&str, usize)] = &[("write_key", 16), ("write_IV", 4)];
    const CBC: &[(&str, usize)] = &[("write_MAC_key", 20), ("write_key", 32)];
    for (suite, parts) in [
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, GCM),
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, CBC),
    ] {
        let policy = || Policy::legacy().with_suites([suite]);
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy());
        let world = World::new(client, server().policy(policy()).tickets(tickets()), true);
        for _full_and_resumed in 0..2 {
            world.meet();
            let [secrets, up, down] = world.both(true);
            let block = secrets.into_iter().find_map(|(name, value)| value.filter(|_| name == "key_block")).unwrap();
            let mut rest = &block[..];
            for (nth, (name, len)) in parts.iter().enumerate() {
                for (side, keys) in [("client", &up), ("server", &down)] {
                    let (wanted, behind) = rest.split_at(*len);
                    assert_eq!(keys[nth], (keys[nth].0, Some(wanted.to_vec())));
                    assert_eq!(keys[nth].0, format!("{side}_{name}"));
                    rest = behind;
                }
            }
            assert_eq!((rest.len(), up.len(), down.len()), (0, parts.len(), parts.len()));
        }
    }
}

/// RFC 5705 4: what is exported hangs on the master secret and both randoms, and on the context where there is one.
#[test]
fn exports_of_tls_1_2_come_of_both_randoms() {
    let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
    let policy = Policy::default().with_versions([ProtocolVersion::Tls12]).with_suites([suite]);
    let world = World::new(client(ProtocolVersion::Tls12).policy(policy), server(), true);
    // Behind the headers of record and message, and the version.
    const RANDOM: core::ops::Range<usize> = 11..43;
    let mut pair = Pair::new(&world.client, &world.server);
    pair.drive_one_client_flight().unwrap();
    let mut randoms = pair.to_server[RANDOM].to_vec();
    pair.drive_server_flights(1);
    randoms.extend_from_slice(&pair.to_client[RANDOM]);
    pair.drive().unwrap();
    let heard = world.heard[0].take().into_iter().find_map(|(name, value)| value.filter(|_| name == "master_secret"));
    let hmac = Provider::builtin().hash(HashId::Sha256).unwrap().hmac(&heard.unwrap());
    for (context, behind) in [(None, &b""[..]), (Some(&b""[..]), &[0, 0]), (Some(b"for this"), b"\0\x08for this")] {
        let seed = [b"EXPORTER-test", &randoms[..], behind].concat();
        let (mut first, mut wanted) = ([0; 32], [0; 32]);
        hmac.sign(&[&seed], &mut first);
        hmac.sign(&[&first, &seed], &mut wanted);
        for side in [&pair.client, &pair.server] {
            let mut out = [0; 32];
            side.export(b"EXPORTER-test", context, &mut out).unwrap();
            assert_eq!(out, wanted, "{context:?}");
        }
    }
}

/// Whoever takes another observer for a connection shows it no secrets.
#[test]
fn the_switch_belongs_to_its_observer() {
    let world = World::new(client(TLS13), server(), true);
    let plain = Arc::new(Heard::default());
    let config = ClientConfig::clone(&world.client).with_observer(plain.clone());
    Pair::new(&Arc::new(config), &world.server).drive().unwrap();
    let heard = plain.take();
    // With two keys and IVs for each direction.
    assert!(heard.len() == FULL.len() + 8 && heard.iter().all(|(_, value)| value.is_none()));
    assert!(world.heard[0].take().is_empty());
}

/// What is kept of a session of TLS 1.2 is its master secret, by a ticket and by an ID.
#[test]
fn a_resumed_session_has_the_master_secret_of_the_first() {
    let version = ProtocolVersion::Tls12;
    for server in
        [server().tickets(tickets()), server().no_sessions().sessions(Arc::new(ServerSessionCache::new(1 << 16)))]
    {
        let log = Arc::new(Log::default());
        let (client, server) = (client(version).key_log(log.clone()).build().unwrap(), server.build().unwrap());
        for resumed in [false, true, true] {
            let mut pair = Pair::new(&client, &server);
            pair.drive().unwrap();
            assert_eq!(pair.client.facts().unwrap().resumed.is_some(), resumed);
        }
        let masters = log.0.lock().unwrap();
        let [(_, first), (_, second), (_, third)] = &masters[..] else { panic!("{} masters", masters.len()) };
        assert!(first == second && second == third && first.iter().any(|b| b != &first[0]));
    }
}
