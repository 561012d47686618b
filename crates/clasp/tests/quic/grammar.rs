//! Every wrong message at every wait, as in `tests/grammar`, where QUIC carries them.

use super::ends::*;
use clasp::ProtocolVersion;
use clasp::quic::{Level, Version};
use clasp::wire::code::HandshakeType as H;
use clasp_testkit::hollow_bytes::Wrap;
use clasp_testkit::provider::reseed;
use clasp_testkit::script::{SCENARIOS, Scenario, Sides, Unit};

/// What one end is told, message by message.
type Said = Vec<(Level, Vec<u8>)>;

fn both(sides: &Sides) -> (End, End) {
    (End::client(&sides.client, Version::V1, allows(10)), End::server(&sides.server, Version::V1, allows(20)))
}

fn cut(level: Level, mut flight: &[u8], said: &mut Said) {
    while !flight.is_empty() {
        let (message, rest) = flight.split_at(4 + usize::from(u16::from_be_bytes([flight[2], flight[3]])));
        said.push((level, message.to_vec()));
        flight = rest;
    }
}

/// An honest conversation: what the client was told, and the server.
fn honest(sides: &Sides) -> [Said; 2] {
    let (mut client, mut server) = both(sides);
    let mut said = [Said::new(), Said::new()];
    let mut up = client.advance().unwrap();
    while !up.is_empty() {
        let mut down = Vec::new();
        for (level, bytes) in up.drain(..) {
            cut(level, &bytes, &mut said[1]);
            down.extend(server.hear(level, &bytes).unwrap());
        }
        for (level, bytes) in down {
            cut(level, &bytes, &mut said[0]);
            up.extend(client.hear(level, &bytes).unwrap());
        }
    }
    assert!(client.tls.facts().is_some() && server.tls.facts().is_some());
    said
}

/// The sides as they stand before the conversation, the same each time.
fn fresh(scenario: &Scenario) -> Sides {
    reseed(8_446);
    let sides = scenario.sides_speaking(&["script"]);
    for _ in 0..scenario.before {
        honest(&sides);
    }
    reseed(8_446);
    sides
}

fn play(sides: &Sides, to_client: bool, said: &[(Level, Vec<u8>)]) -> End {
    let (client, server) = both(sides);
    let mut end = if to_client { client } else { server };
    end.advance().unwrap();
    said.iter().for_each(|(level, message)| drop(end.hear(*level, message).unwrap()));
    end
}

#[test]
fn every_wrong_message_at_every_wait_is_unexpected() {
    let kinds = [0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 22, 24, 25, 99].map(H);
    let mut pairs = 0;
    for scenario in SCENARIOS.into_iter().filter(|scenario| scenario.version == ProtocolVersion::Tls13) {
        let said = honest(&fresh(&scenario));
        for (to_client, said) in [true, false].into_iter().zip(&said) {
            for (wait, (level, message)) in said.iter().enumerate() {
                let unit = Unit { kind: Some(H(message[0])), wrap: Wrap::Plain };
                for wrong in kinds.into_iter().filter(|kind| !scenario.may_come(unit, *kind)) {
                    let mut end = play(&fresh(&scenario), to_client, &said[..wait]);
                    let error = end.hear(*level, &[wrong.0, 0, 0, 0]).unwrap_err();
                    let place = format!("{}, to client: {to_client}, {wrong} where {unit:?} is due", scenario.name);
                    assert_eq!(error.alert().name(), "unexpected_message", "{place}");
                    pairs += 1;
                }
            }
        }
    }
    assert!(pairs > 500, "{pairs} pairs");
}

/// Whether the messages of a level come at once, or each byte by itself, is all one.
#[test]
fn bytes_may_come_one_by_one() {
    for scenario in SCENARIOS.into_iter().filter(|scenario| scenario.version == ProtocolVersion::Tls13) {
        for cut in [1, 2, 7, 1000] {
            let (mut client, mut server) = both(&fresh(&scenario));
            drive(&mut client, &mut server, cut).unwrap();
            let resumed = server.tls.facts().unwrap().resumed.is_some();
            assert_eq!(resumed, scenario.before > 0, "{}", scenario.name);
        }
    }
}
