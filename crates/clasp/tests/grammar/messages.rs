//! The same conversations over a carrier without records: handshake messages with the level that each belongs to, and
//! nothing else (`clasp::messages`). What the flows ask of records alone is not there, and they come to the same.

use super::conversation::{ALPHABET, SCENARIOS, Unit};
use clasp::messages::{Carried, KeyName};
use clasp::trace::Level;
use clasp::wire::code::{HandshakeType as H, ProtocolVersion};
use clasp::{ClientConfig, Result, ServerConfig};
use clasp_testkit::hollow_bytes::Wrap;
use clasp_testkit::messages::{carry, ends, honest, kind, play};
use clasp_testkit::script::{MODERN, Sides, honest as honest_records};
use clasp_testkit::{KeyKind, authority};

/// A message without a body.
fn bare(kind: H) -> Vec<u8> {
    vec![kind.0, 0, 0, 0]
}

/// The alert of whoever refuses.
fn alert(refused: Result<Vec<Carried>>) -> Option<&'static str> {
    refused.err().map(|e| e.alert().name())
}

#[test]
fn every_wrong_message_at_every_wait_is_unexpected() {
    let mut pairs = 0;
    for scenario in SCENARIOS {
        let mut kept = None;
        let said = honest(&scenario.fresh_messages(&mut kept));
        for (to_client, said) in [true, false].into_iter().zip(&said) {
            for (wait, carried) in said.iter().enumerate() {
                let unit = Unit { kind: Some(kind(carried)), wrap: Wrap::Plain };
                for wrong in ALPHABET.into_iter().filter(|kind| !scenario.may_come(unit, *kind)) {
                    let mut end = play(&scenario.fresh_messages(&mut kept), to_client, &said[..wait]);
                    let place = format!("{}, to client: {to_client}, {wrong} where {unit:?} is due", scenario.name);
                    let refused = end.receive(Carried { messages: bare(wrong), ..carried.clone() });
                    assert_eq!(alert(refused), Some("unexpected_message"), "{place}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 1000, "{pairs} pairs");
}

/// Where levels change, a message of the next one is neither taken under the keys before it nor behind their last message.
#[test]
fn no_message_is_taken_that_came_before_its_keys() {
    let mut places = 0;
    for scenario in SCENARIOS {
        let mut kept = None;
        let said = honest(&scenario.fresh_messages(&mut kept));
        for (to_client, said) in [true, false].into_iter().zip(&said) {
            for (at, pair) in said.windows(2).enumerate().filter(|(_, pair)| pair[0].level != pair[1].level) {
                let (last, next) = (&pair[0], &pair[1]);
                let place = format!("{}, to client: {to_client}, behind {}", scenario.name, kind(last));
                let mut end = play(&scenario.fresh_messages(&mut kept), to_client, &said[..=at]);
                let below = end.receive(Carried { messages: next.messages.clone(), ..last.clone() });
                assert_eq!(alert(below), Some("unexpected_message"), "{place}");
                let mut end = play(&scenario.fresh_messages(&mut kept), to_client, &said[..at]);
                let messages = [&last.messages[..], &next.messages].concat();
                assert_eq!(
                    alert(end.receive(Carried { messages, ..last.clone() })),
                    Some("unexpected_message"),
                    "{place}"
                );

                // One that comes too soon, under its own keys, waits for them.
                let mut end = play(&scenario.fresh_messages(&mut kept), to_client, &said[..at]);
                if scenario.version == ProtocolVersion::Tls13 {
                    assert!(end.receive(next.clone()).unwrap().is_empty(), "{place}");
                    end.receive(last.clone()).unwrap();
                    said[at + 2..].iter().for_each(|carried| drop(end.receive(carried.clone()).unwrap()));
                    assert!(end.facts().is_some(), "{place}");
                }
                places += 1;
            }
        }
    }
    assert!(places > 20, "{places} places");
}

/// With real secrets: each side makes the keys that the other does, at each level others, early ones too.
#[test]
fn both_sides_make_the_same_keys() {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let sides = Sides {
        client: ClientConfig::builder().trust(authority().roots()).early_data(true).alpn(["m"]).build().unwrap(),
        server: ServerConfig::builder().identity(identity).max_early_data(1000).alpn(["m"]).build().unwrap(),
    };
    for resumed in [false, true] {
        let (mut client, mut server) = ends(&sides);
        // A message is taken only under the keys that the receiver has.
        let [to_client, to_server] = carry(&mut client, &mut server).unwrap();
        assert_eq!(server.facts().unwrap().resumed.is_some(), resumed);
        assert_eq!(client.early_keys().is_some(), resumed);
        assert_eq!(client.early_keys(), server.early_keys());
        let mut keys: Vec<(Level, KeyName)> = Vec::new();
        for carried in to_client.iter().chain(&to_server) {
            if !keys.contains(&(carried.level, carried.keys)) {
                keys.push((carried.level, carried.keys));
            }
        }
        // In the clear; the handshake's, both ways; the server's for its tickets.
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert!(keys.iter().all(|(_, key)| keys.iter().filter(|(_, other)| other == key).count() == 1), "{keys:?}");

        let (mut client, _) = ends(&sides);
        let [hello] = <[_; 1]>::try_from(client.advance(&mut noop()).unwrap()).unwrap();
        let (_, mut server) = ends(&sides);
        let mut flight = server.receive(hello).unwrap();
        let other = to_server.last().unwrap().keys;
        let last = flight.iter_mut().rfind(|carried| carried.level == Level::Handshake).unwrap();
        last.keys = other;
        let refused = flight.into_iter().find_map(|carried| client.receive(carried).err()).unwrap();
        assert_eq!(refused.alert().name(), "bad_record_mac", "other keys");
    }
}

fn noop() -> core::task::Context<'static> {
    core::task::Context::from_waker(core::task::Waker::noop())
}

/// What the carrier makes different: no EndOfEarlyData, no session ID for middleboxes, and sessions of its own.
#[test]
fn the_wiring_is_this_carriers() {
    for scenario in SCENARIOS {
        let mut kept = None;
        let [_, to_server] = honest(&scenario.fresh_messages(&mut kept));
        assert!(to_server.iter().all(|carried| kind(carried) != H::EndOfEarlyData), "{}", scenario.name);
        if scenario.version == ProtocolVersion::Tls13 {
            // Behind the header, the version and the random stands the length of the ID.
            assert_eq!(to_server[0].messages[4 + 2 + 32], 0, "{}", scenario.name);
        }
        let (mut client, mut server) = ends(&scenario.fresh_messages(&mut kept));
        carry(&mut client, &mut server).unwrap();
        let resumed = server.facts().unwrap().resumed.is_some();
        assert_eq!(resumed, scenario.before > 0, "{}", scenario.name);

        // A session over records is none here.
        let sides = scenario.sides_speaking(&["script"]);
        honest_records(&sides, scenario.version == ProtocolVersion::Tls12);
        let (mut client, mut server) = ends(&sides);
        carry(&mut client, &mut server).unwrap();
        assert!(client.facts().unwrap().resumed.is_none() && server.facts().unwrap().resumed.is_none());
    }
    // Nor is there a conversation without an application protocol.
    for scenario in SCENARIOS.into_iter().filter(|scenario| scenario.before == 0) {
        let (mut client, mut server) = ends(&scenario.sides());
        let refused = carry(&mut client, &mut server).unwrap_err();
        assert_eq!(refused.alert().name(), "no_application_protocol", "{}", scenario.name);
    }
    // A client wants one too, of whichever server.
    let sides = MODERN.fresh_messages(&mut None);
    let [to_client, _] = honest(&sides);
    let at = to_client.iter().position(|carried| kind(carried) == H::EncryptedExtensions).unwrap();
    let mut client = play(&MODERN.fresh_messages(&mut None), true, &to_client[..at]);
    let nothing = vec![H::EncryptedExtensions.0, 0, 0, 2, 0, 0];
    let refused = client.receive(Carried { messages: nothing, ..to_client[at].clone() });
    assert_eq!(alert(refused), Some("no_application_protocol"));
    // And none of here is resumed over records.
    let once = clasp_testkit::script::Scenario { before: 1, ..MODERN };
    let sides = once.fresh_messages(&mut None);
    let [to_client, _] = honest_records(&sides, false);
    assert!(to_client.iter().any(|(unit, _)| unit.kind == Some(H::Certificate)), "a full handshake");
}
