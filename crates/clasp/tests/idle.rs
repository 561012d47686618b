//! Exchanges that wait: the first keep their keys; those of the others stand aside meanwhile, are taken back, or are made
//! again once others have had the room.
#![allow(clippy::unwrap_used)]

use clasp::config::WebPki;
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Exchange, Progress, ServerConfig};
use clasp_testkit::provider::counted;
use clasp_testkit::{KeyKind, Pair, authority, configs_of, one_suite_of_each_protection};
use std::io::IoSlice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// More than there are places for keys of connections that wait.
const MANY: usize = 1100;
/// More than the connections that keep their keys because they were the first to wait.
const FIRST: usize = 260;

/// The first, which stay until all tests are done: any other's keys stand aside.
struct Seated {
    one: (Exchange, Exchange),
    /// Keys that the client of this one has made.
    made: Arc<AtomicUsize>,
    _others: Vec<(Exchange, Exchange)>,
}

static SEATED: LazyLock<Mutex<Seated>> = LazyLock::new(|| {
    let (config, server) = configs(CipherSuite::TLS_AES_128_GCM_SHA256);
    let (provider, made) = counted();
    let counted = ClientConfig::builder().trust(authority().roots()).provider(provider).build().unwrap();
    let seated = |client| {
        let (mut client, mut server) = after_handshake(client, &server);
        client.rest();
        server.rest();
        (client, server)
    };
    let one = seated(&counted);
    Mutex::new(Seated { one, made, _others: (0..FIRST / 2).map(|_| seated(&config)).collect() })
});

fn exchanges(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Exchange, Exchange) {
    LazyLock::force(&SEATED);
    after_handshake(client, server)
}

fn after_handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Exchange, Exchange) {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    (Exchange::new(pair.client), Exchange::new(pair.server))
}

fn configs(suite: CipherSuite) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let (client, server) = configs_of(suite);
    (client.build().unwrap(), server)
}

/// What one side has to say goes to the other, which reads until it waits, as adapters do.
fn carry(from: &mut Exchange, to: &mut Exchange) -> Vec<u8> {
    let (mut read, mut data) = (Vec::new(), [0; 500]);
    loop {
        match to.read(&mut data).unwrap() {
            Progress::Data(n) => read.extend_from_slice(&data[..n]),
            Progress::NeedsBytes => {
                let n = from.unsent().len().min(1000);
                to.room()[..n].copy_from_slice(&from.unsent()[..n]);
                from.sent(n);
                to.arrived(n);
                if n == 0 {
                    to.rest();
                    return read;
                }
            }
            _ => return read,
        }
    }
}

fn says(from: &mut Exchange, to: &mut Exchange, plain: &[u8]) {
    assert_eq!(from.write(&[IoSlice::new(plain)]).unwrap(), plain.len());
    assert_eq!(carry(from, to), plain);
}

fn ask_and_answer(client: &mut Exchange, server: &mut Exchange) {
    says(client, server, b"question");
    says(server, client, &[7; 2000]);
}

#[test]
fn whoever_asks_and_answers_makes_no_keys_and_whoever_has_waited_long_does() {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).no_sessions().build().unwrap();
    let (provider, keys) = counted();
    let client = ClientConfig::builder().trust(authority().roots()).provider(provider).build().unwrap();
    let (mut client, mut counted_peer) = exchanges(&client, &server);
    let (busy_config, busy_server) = configs(CipherSuite::TLS_AES_128_GCM_SHA256);
    let (mut busy, mut busy_peer) = exchanges(&busy_config, &busy_server);
    let mut before = keys.load(Ordering::Relaxed);
    let mut made = || {
        let now = keys.load(Ordering::Relaxed);
        now - core::mem::replace(&mut before, now)
    };
    for _ in 0..20 {
        ask_and_answer(&mut client, &mut counted_peer);
        client.rest();
    }
    assert_eq!(made(), 0, "nobody has come between");
    client.call(|connection, out| connection.update_keys(false, out)).unwrap();
    assert_eq!(made(), 1, "the next, and none to say so with");
    carry(&mut client, &mut counted_peer);
    client.rest();
    for _ in 0..MANY {
        ask_and_answer(&mut busy, &mut busy_peer);
    }
    assert_eq!(made(), 0);
    says(&mut client, &mut counted_peer, b"again");
    assert_eq!(made(), 1, "those that seal");
    says(&mut counted_peer, &mut client, b"again");
    assert_eq!(made(), 1, "those that open");
    ask_and_answer(&mut client, &mut counted_peer);
    assert_eq!(made(), 0);
    client.rest_long();
    ask_and_answer(&mut client, &mut counted_peer);
    assert_eq!(made(), 2, "given back at once");
}

#[test]
fn the_first_keep_their_keys_however_many_wait_after_them() {
    let mut seated = SEATED.lock().unwrap();
    let Seated { one: (client, server), made, .. } = &mut *seated;
    let before = made.load(Ordering::Relaxed);
    let (config, busy_server) = configs(CipherSuite::TLS_AES_128_GCM_SHA256);
    let (mut busy, mut busy_peer) = after_handshake(&config, &busy_server);
    for _ in 0..MANY {
        ask_and_answer(&mut busy, &mut busy_peer);
    }
    ask_and_answer(client, server);
    assert_eq!(made.load(Ordering::Relaxed), before);
}

#[test]
fn whatever_protects_the_records_they_go_on() {
    for suite in one_suite_of_each_protection() {
        let (client, server) = configs(suite);
        let (mut client, mut server) = exchanges(&client, &server);
        for round in 0..3 {
            ask_and_answer(&mut client, &mut server);
            client.rest();
            server.rest();
            if server.connection().facts().unwrap().version == ProtocolVersion::Tls13 {
                // One side's keys of the next generation, while the other's wait.
                server.call(|connection, out| connection.update_keys(round == 1, out)).unwrap();
                server.rest();
                assert_eq!(carry(&mut server, &mut client), b"");
            }
        }
        client.rest();
        client.call(|connection, out| connection.close(out)).unwrap();
        server.rest();
        assert_eq!(carry(&mut client, &mut server), b"");
        assert!(server.connection().peer_closed(), "{suite}");
    }
}

#[test]
fn a_client_proves_itself_out_of_its_rest() {
    let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    let identity = |name| authority().issue(KeyKind::P256, &[name]).identity();
    let server = ServerConfig::builder().identity(identity("localhost")).post_handshake_auth(auth).build().unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).post_handshake_auth(true);
    let client = client.identity(identity("alice")).build().unwrap();
    let (mut client, mut server) = exchanges(&client, &server);
    for long in [false, true] {
        ask_and_answer(&mut client, &mut server);
        if long {
            client.rest_long();
            server.rest_long();
        }
        server.call(|connection, out| connection.request_certificate(out)).unwrap();
        if long {
            server.rest_long();
        }
        carry(&mut server, &mut client);
        carry(&mut client, &mut server);
        assert!(!server.connection().certificate_is_due());
        assert!(server.connection().facts().unwrap().client_authenticated);
    }
}

#[test]
fn a_handshake_does_not_wait_without_its_keys() {
    LazyLock::force(&SEATED);
    let (client, server) = configs(CipherSuite::TLS_AES_128_GCM_SHA256);
    let mut pair = Pair::new(&client, &server);
    pair.drive_server_flights(1);
    let (mut client, mut server) = (Exchange::new(pair.client), Exchange::new(pair.server));
    client.rest();
    server.rest();
    let flight = pair.to_client;
    client.room()[..flight.len()].copy_from_slice(&flight);
    client.arrived(flight.len());
    while client.connection().is_handshaking() {
        assert!(client.take().unwrap());
    }
    let finished = client.unsent().len();
    server.room()[..finished].copy_from_slice(client.unsent());
    client.sent(finished);
    server.arrived(finished);
    while server.connection().is_handshaking() {
        assert!(server.take().unwrap());
    }
    ask_and_answer(&mut client, &mut server);
}
