//! Every wait of the four conversations, and every message that must not come there (SMACK): each is answered with
//! unexpected_message.

use super::conversation::{ALPHABET, SCENARIOS, honest, play};
use clasp::wire::code::{HandshakeType as H, ProtocolVersion};
use clasp_testkit::hollow_bytes::{DATA, HANDSHAKE, record};

#[test]
fn smack_every_wrong_message_at_every_wait_is_unexpected() {
    let mut pairs = 0;
    for scenario in SCENARIOS {
        let tls12 = scenario.version == ProtocolVersion::Tls12;
        let mut kept = None;
        let said = honest(&scenario.fresh(&mut kept), tls12);
        for (to_client, said) in [true, false].into_iter().zip(&said) {
            for (wait, (unit, _)) in said.iter().enumerate() {
                let done = play(&scenario.fresh(&mut kept), to_client, &said[..wait]).facts().is_some();
                let mut wrong: Vec<(String, Vec<u8>)> = ALPHABET
                    .into_iter()
                    // After the handshake of TLS 1.3: KeyUpdate, and tickets to a client.
                    .filter(|kind| !(scenario.may_come(*unit, *kind) || done && *kind == H::KeyUpdate))
                    .map(|kind| (kind.to_string(), record(unit.wrap, HANDSHAKE, &[kind.0, 0, 0, 0])))
                    .collect();
                // RFC 9846 4.5: early data goes on until its end is said.
                if !(done || unit.kind == Some(H::EndOfEarlyData)) {
                    wrong.push(("application data".into(), record(unit.wrap, DATA, b"data")));
                }
                if tls12 && unit.kind.is_some() {
                    wrong.push(("ChangeCipherSpec".into(), record(unit.wrap, 20, &[1])));
                }
                for (name, bytes) in wrong {
                    let mut connection = play(&scenario.fresh(&mut kept), to_client, &said[..wait]);
                    let whom = if to_client { "client" } else { "server" };
                    let place = format!("{}, {whom}, {name} where {unit:?} is due", scenario.name);
                    let refused = connection.receive(&mut bytes.clone(), &mut Vec::new()).map(drop);
                    let alert = refused.err().map(|e| e.alert().name());
                    assert_eq!(alert, Some("unexpected_message"), "{place}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 1000, "{pairs} pairs");
}
