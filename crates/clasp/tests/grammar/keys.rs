//! A message belongs to the keys under which its record was opened (RFC 9846 5.1: messages do not span key changes). An
//! attacker without any key can add whole messages to a record in the clear; a side that took them behind the change would
//! believe that they came under the new keys: EndOfEarlyData behind ClientHello deletes early data without a trace, and a
//! server's flight behind ServerHello comes from anyone (RUSTSEC-2026-0285 is of this kind).

use super::conversation::{SCENARIOS, Unit, honest, play};
use clasp::wire::code::{HandshakeType as H, ProtocolVersion};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Message, Wrap, record};

/// The handshake message of a record of one.
fn inside((unit, bytes): &(Unit, Vec<u8>)) -> Vec<u8> {
    let body = &bytes[5..];
    match unit.wrap {
        Wrap::Plain => body.to_vec(),
        Wrap::Gcm12 => body[8..body.len() - 16].to_vec(),
        Wrap::Inner13 => body[..body.len() - 17].to_vec(),
    }
}

/// Whether the side that receives this changes its keys behind it, or has its say.
fn is_last(unit: Unit, tls13: bool) -> bool {
    match unit.kind {
        // ChangeCipherSpec
        None => true,
        Some(H::ClientHello | H::ServerHelloDone | H::EndOfEarlyData | H::Finished) => true,
        Some(H::ServerHello) => tls13,
        Some(_) => false,
    }
}

/// What may follow the handshake under its last keys.
fn afterwards(to_client: bool) -> Vec<(Unit, Vec<u8>)> {
    let update = Message { kind: H::KeyUpdate.0, body: vec![0] };
    let ticket = Message { kind: H::NewSessionTicket.0, body: vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0] };
    let unit = |m: &Message| {
        let unit = Unit { kind: Some(H(m.kind)), wrap: Wrap::Inner13 };
        (unit, record(unit.wrap, HANDSHAKE, &m.bytes()))
    };
    if to_client { vec![unit(&ticket), unit(&update)] } else { vec![unit(&update)] }
}

#[test]
fn no_message_is_taken_that_came_before_its_keys() {
    let mut places = 0;
    for scenario in SCENARIOS {
        let tls13 = scenario.version == ProtocolVersion::Tls13;
        let mut kept = None;
        let said = honest(&scenario.fresh(&mut kept), !tls13);
        for (to_client, mut said) in [true, false].into_iter().zip(said) {
            if tls13 {
                said.extend(afterwards(to_client));
            }
            for (last, (unit, bytes)) in said.iter().enumerate().filter(|(_, (unit, _))| unit.kind.is_some()) {
                // The keys, or the turn, change behind this one, or behind the ChangeCipherSpec that follows it.
                let change =
                    if said.get(last + 1).is_some_and(|(next, _)| next.kind.is_none()) { last + 1 } else { last };
                if !is_last(said[change].0, tls13) {
                    continue;
                }
                let following = || said[change + 1..].iter().filter(|(unit, _)| unit.kind.is_some());
                let mut early: Vec<(String, Vec<u8>)> = Vec::new();
                let mut all = Vec::new();
                for next in following() {
                    all.extend(inside(next));
                    let name = next.0.kind.map_or("", |kind| kind.name());
                    // In the record before: it alone, and with all that stand between.
                    for more in [inside(next), all.clone()] {
                        let together = [inside(&(*unit, bytes.clone())), more].concat();
                        early.push((format!("{name} in one record"), record(unit.wrap, HANDSHAKE, &together)));
                    }
                    // In a record of its own, where the keys before can be told from those behind.
                    if next.0.wrap != unit.wrap {
                        let own = record(unit.wrap, HANDSHAKE, &inside(next));
                        early.push((format!("{name} in its own record"), [&bytes[..], &own].concat()));
                    }
                    // A part of it is enough to be too much.
                    let part = [inside(&(*unit, bytes.clone())), inside(next)[..3].to_vec()].concat();
                    let part = record(unit.wrap, HANDSHAKE, &part);
                    let then = if change > last { &said[change].1[..] } else { &[] };
                    early.push((format!("part of {name}"), [&part, then].concat()));
                }
                for (name, bytes) in early {
                    let mut connection = play(&scenario.fresh(&mut kept), to_client, &said[..last]);
                    let whom = if to_client { "client" } else { "server" };
                    let place = format!("{}, {whom}, {name}, before the change behind {unit:?}", scenario.name);
                    let refused = connection.receive(&mut bytes.clone(), &mut Vec::new()).map(drop);
                    assert_eq!(refused.err().map(|e| e.alert().name()), Some("unexpected_message"), "{place}");
                    places += 1;
                }
            }
        }
    }
    assert!(places > 100, "{places} places");
}
