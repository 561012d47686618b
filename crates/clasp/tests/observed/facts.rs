//! What else an observer is told, besides messages: records, keys, choices, waits, alerts, ends; in order, once.

use super::*;
use clasp::config::Signer;
use clasp::crypto::PrivateKey;
use clasp_testkit::{Gate, SlowSigner};

/// Direction, level, content type and the two lengths.
type Record = (Direction, Level, u8, usize, usize);

/// Writes down every fact, one a line, without lengths and numbers of its own, and keeps what crosses the wire with them.
#[derive(Default)]
struct Notebook {
    lines: Mutex<String>,
    records: Mutex<Vec<Record>>,
    connections: Mutex<BTreeSet<u64>>,
}

fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
    }
}

impl Observer for Notebook {
    fn observe(&self, seen: &Observation<'_>) {
        self.connections.lock().unwrap().insert(seen.connection);
        let line = match &seen.what {
            What::Record { direction, level, content, wire_len, plain_len, .. } => {
                assert!(wire_len > plain_len);
                self.records.lock().unwrap().push((*direction, *level, content.0, *wire_len, *plain_len));
                format!("{} a record of {content:?}, {level:?}", way(*direction))
            }
            What::Message { direction, level, kind, .. } => format!("{} {kind}, {level:?}", way(*direction)),
            What::Keys { direction, level, .. } => format!("keys of {level:?} for what is {}", way(*direction)),
            What::Chose { what, name, .. } => format!("chose the {what} {name}"),
            What::Derived { name, .. } => format!("derived {name}"),
            What::Waiting { on } => format!("waits for the {on}"),
            What::Resumed { by } => format!("resumed by {by}"),
            What::NoTickets { why } => format!("no tickets: {why}"),
            What::ChangeCipherSpec { direction } => format!("{} ChangeCipherSpec", way(*direction)),
            What::Alert { direction, fatal, alert, .. } => format!("{} {alert}, fatal: {fatal}", way(*direction)),
            What::Established => "established".into(),
            What::Failed(error) => format!("failed: {:?}", error.cause()),
            other => format!("{other:?}"),
        };
        writeln!(self.lines.lock().unwrap(), "  {} {line}", seen.flight).unwrap();
    }
}

type Play = fn(&mut Pair);

/// What both sides are told of a connection, the `nth` of two configurations.
fn told(name: &str, client: ClientBuilder<Ready>, server: ServerBuilder<Ready>, before: usize, play: Play) -> String {
    let notebooks = [Arc::new(Notebook::default()), Arc::new(Notebook::default())];
    let (client, server) = (
        client.observer(notebooks[0].clone()).build().unwrap(),
        server.observer(notebooks[1].clone()).build().unwrap(),
    );
    for _ in 0..before {
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
    }
    for notebook in &notebooks {
        assert_eq!(notebook.connections.lock().unwrap().len(), before);
        *notebook.lines.lock().unwrap() = String::new();
        *notebook.records.lock().unwrap() = Vec::new();
    }
    play(&mut Pair::new(&client, &server));
    // Data that one side sent is what the other received.
    let data = |notebook: &Notebook, wanted| -> Vec<_> {
        let records = notebook.records.lock().unwrap();
        let data = records.iter().filter(|r| r.0 == wanted && r.2 == 23);
        data.map(|(_, level, _, wire, plain)| (*level, *wire, *plain)).collect()
    };
    assert_eq!(data(&notebooks[0], Direction::Sent), data(&notebooks[1], Direction::Received), "{name}");
    assert_eq!(data(&notebooks[1], Direction::Sent), data(&notebooks[0], Direction::Received), "{name}");
    let [client, server] = notebooks.map(|notebook| notebook.lines.lock().unwrap().clone());
    format!("{name}\n client\n{client} server\n{server}")
}

fn data_and_close(pair: &mut Pair) {
    pair.drive().unwrap();
    talk(pair);
    // Where there is no room nothing went.
    assert_eq!(pair.client.send_into(&[std::io::IoSlice::new(b"x")], &mut [0; 3]).unwrap().given, 0);
    pair.client.close(&mut pair.to_server).unwrap();
    pair.drive().unwrap();
    pair.server.close(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
}

fn early(pair: &mut Pair) {
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"early", &mut pair.to_server).unwrap();
    pair.drive().unwrap();
}

fn updates(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.client.update_keys(true, &mut pair.to_server).unwrap();
    pair.drive().unwrap();
    talk(pair);
}

fn later(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
}

/// RFC 9846 4.6.3: the update that was asked for goes ahead of the answer.
fn later_under_new_keys(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.server.update_keys(true, &mut pair.to_client).unwrap();
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
    talk(pair);
}

fn failing(pair: &mut Pair) {
    pair.drive().unwrap_err();
}

fn cut_off(pair: &mut Pair) {
    pair.drive().unwrap();
    for _ in 0..2 {
        pair.client.transport_ended().unwrap_err();
    }
}

fn aborted(pair: &mut Pair) {
    pair.drive().unwrap();
    pair.client.abort(clasp::wire::code::AlertDescription::UserCanceled, &mut pair.to_server).unwrap();
    pair.drive().unwrap_err();
}

fn waiting(pair: &mut Pair) {
    pair.drive().unwrap();
}

/// A server whose key never answers.
fn slow() -> ServerBuilder<Ready> {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let key: Arc<dyn Signer> = Arc::new(PrivateKey::from_der(&issued.key).unwrap());
    server(Identity::with_signer(issued.chain, Arc::new(SlowSigner(Gate::default(), key))).unwrap())
}

#[test]
fn every_fact_is_told_once_and_in_order() {
    let modern = || client(Policy::modern());
    let classic = || client(suite12(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256));
    let ours = || server(identity(KeyKind::P256));
    let stranger = || ClientConfig::builder().trust(clasp_testkit::other_authority().roots()).policy(Policy::modern());
    let post_auth = || ours().post_handshake_auth(of_clients());
    let provable = || modern().identity(alice()).post_handshake_auth(true);
    let seen = [
        told("TLS 1.3, data, both close", modern(), ours(), 0, data_and_close),
        told("TLS 1.3, another hello", modern().key_shares([]), ours(), 0, waiting),
        told("TLS 1.3, early data", modern().early_data(true), ours().max_early_data(1000), 1, early),
        told("TLS 1.3, keys move on", modern(), ours(), 0, updates),
        told("TLS 1.3, a certificate later", provable(), post_auth(), 0, later),
        told("TLS 1.3, a certificate and new keys", provable(), post_auth(), 0, later_under_new_keys),
        told("TLS 1.3, a client without tickets", modern().no_sessions(), ours(), 0, waiting),
        told("TLS 1.3, a stranger", stranger(), ours(), 0, failing),
        told("TLS 1.3, cut off", modern(), ours(), 0, cut_off),
        told("TLS 1.3, aborted", modern(), ours(), 0, aborted),
        told("TLS 1.3, a slow key", modern(), slow(), 0, waiting),
        told("TLS 1.2, data, both close", classic(), ours(), 0, data_and_close),
        told("TLS 1.2, resumed", classic(), ours(), 1, waiting),
    ]
    .concat();
    if seen != include_str!("facts.txt") {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/facts.txt");
        std::fs::write(path, &seen).unwrap();
        panic!("what is told has changed: compare {path} with tests/observed/facts.txt");
    }
}
