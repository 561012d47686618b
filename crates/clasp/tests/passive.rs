//! A recorded conversation with something in it that neither side said.
#![allow(clippy::unwrap_used)]

use clasp::code::ProtocolVersion;
use clasp::keys::log::{KeyLog, Secrets};
use clasp::passive::Listener;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::{ClientConfig, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What went over the wire, and the lines of the key log.
#[derive(Default)]
struct Kept {
    records: Mutex<Vec<(Direction, Vec<u8>)>>,
    log: Mutex<String>,
}

impl Observer for Kept {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Record { direction, bytes, .. } = seen.what {
            self.records.lock().unwrap().push((direction, bytes.to_vec()));
        }
    }
}

impl KeyLog for Kept {
    fn log(&self, label: &str, client_random: &[u8; 32], secret: &[u8]) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        *self.log.lock().unwrap() += &format!("{label} {} {}\n", hex(client_random), hex(secret));
    }
}

struct Nobody;

impl Observer for Nobody {
    fn observe(&self, _: &Observation<'_>) {}
}

fn record(message: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

#[test]
fn what_is_in_the_clear_after_there_are_keys_changes_nothing() {
    let kept = Arc::new(Kept::default());
    let client = ClientConfig::builder().dangerous_trust_anyone().observer(kept.clone()).key_log(kept.clone());
    let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
    Pair::new(&client.build().unwrap(), &server.build().unwrap()).drive().unwrap();
    let records = kept.records.lock().unwrap().clone();
    let secrets = Arc::new(Secrets::parse(&kept.log.lock().unwrap()).unwrap());

    // KeyUpdates, each of which would be keys more to try; and a ServerHello of TLS 1.2.
    let updates = record(&[24, 0, 0, 1, 0].repeat(3000));
    let mut hello = vec![2, 0, 0, 38, 3, 3];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0xc0, 0x2f, 0]);
    let other = record(&hello);
    for forged in [vec![], vec![updates.clone()], vec![other.clone()], vec![updates.clone(), other.clone()]] {
        let mut listener = Listener::new(Arc::new(Nobody), secrets.clone());
        for (said, bytes) in &records {
            listener.hear(SystemTime::now(), *said, bytes).unwrap();
            if *said == Direction::Received && listener.agreed().is_some() {
                for forged in &forged {
                    for said in [Direction::Sent, Direction::Received] {
                        listener.hear(SystemTime::now(), said, forged).unwrap();
                    }
                }
            }
        }
        assert!(listener.is_established(), "{listener:?}");
        assert_eq!(listener.agreed().unwrap().0, ProtocolVersion::Tls13);
        let received = records.iter().filter(|(said, _)| *said == Direction::Received).count();
        assert!(listener.unopened() <= 2 * forged.len() * received, "{listener:?}");
        assert_eq!(listener.unopened() == 0, forged.is_empty());
    }
}
