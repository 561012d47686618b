//! Two ends of `clasp::quic` and a link between that does to CRYPTO bytes what the fuzzer says. Their cryptography is hollow.

use crate::input::Input;
use clasp::ProtocolVersion;
use clasp::quic::{Connection, Level, Output, Parameters, Version, alert_of, error_code};
use clasp_testkit::provider;
use clasp_testkit::script::{SCENARIOS, Sides};
use core::task::{Context, Waker};
use std::collections::VecDeque;
use std::sync::OnceLock;

const LEVELS: [Level; 4] = [Level::Initial, Level::ZeroRtt, Level::Handshake, Level::OneRtt];
/// A conversation is over long before.
const MAX_PIECES: usize = 96;
/// Pieces that a piece may be cut into.
const MAX_PARTS: usize = 200;

/// The configurations, made once: what a store has learned stays for the next input.
fn all() -> &'static [Sides] {
    static ALL: OnceLock<Vec<Sides>> = OnceLock::new();
    ALL.get_or_init(|| {
        let tls13 = SCENARIOS.into_iter().filter(|scenario| scenario.version == ProtocolVersion::Tls13);
        tls13.map(|scenario| scenario.sides_speaking(&["fuzz"])).collect()
    })
}

/// How many conversations there are to choose from.
pub fn count() -> usize {
    all().len()
}

/// One input: which conversation, the transport parameters of both, and what becomes of each piece.
pub fn run(data: &[u8]) {
    agree(&play(data));
}

/// Whether both ends come to the end of their handshake.
pub fn is_whole(data: &[u8]) -> bool {
    play(data).iter().all(|end| end.tls.facts().is_some() && !end.tls.is_handshaking())
}

fn play(data: &[u8]) -> [End; 2] {
    let mut input = Input(data);
    provider::reseed(7);
    let sides = &all()[input.below(all().len())];
    let version = if input.flag() { Version::V2 } else { Version::V1 };
    // Whoever has given parameters of the right form holds the peer to it; others go as they are.
    let formed = input.flag();
    let [of_client, of_server] = [input.short(), input.short()].map(|bytes| match Parameters::new(bytes) {
        Ok(parameters) if formed => parameters,
        _ => Parameters::opaque(bytes),
    });
    let name = "localhost".try_into().expect("a name");
    let mut ends = [
        End::new(sides.client.connect_quic(name, version, of_client).expect("a protocol is set")),
        End::new(sides.server.accept_quic(version, of_server).expect("a protocol is set")),
    ];
    for passed in 0..MAX_PIECES {
        let Some(from) = (0..2).find(|from| !ends[*from].said.is_empty()) else { break };
        let (level, bytes) = ends[from].said.pop_front().expect("it was looked at");
        if passed == 0 || !input.is_empty() {
            pass(&mut ends, from, (level, bytes), &mut input);
        } else {
            ends[1 - from].hear(level, &bytes);
        }
    }
    ends
}

/// Brings one piece over, or what has become of it.
fn pass(ends: &mut [End; 2], from: usize, (mut level, mut bytes): (Level, Vec<u8>), input: &mut Input<'_>) {
    let to = &mut ends[1 - from];
    match input.byte() {
        1 if !bytes.is_empty() => {
            let at = input.number() % bytes.len();
            bytes[at] ^= input.byte() | 1;
        }
        2 => bytes.clear(),
        3 => bytes.extend_from_within(..),
        4 => level = LEVELS[input.below(LEVELS.len())],
        5 if !bytes.is_empty() => bytes.truncate(input.number() % bytes.len()),
        6 => {
            let at = input.number() % (bytes.len() + 1);
            bytes.splice(at..at, input.short().iter().copied());
        }
        7 => to.hear(LEVELS[input.below(LEVELS.len())], input.long()),
        8 => {
            let size = (1 + input.below(300)).max(bytes.len() / MAX_PARTS);
            for part in bytes.chunks(size) {
                to.hear(level, part);
            }
            return;
        }
        9 => {
            let told = to.tls.peer_closed(input.number() as u64);
            assert!(to.tls.failure().is_some(), "{told}");
        }
        10 => drop(to.tls.give_up()),
        11 => drop(to.tls.next_keys()),
        _ => {}
    }
    to.hear(level, &bytes);
}

/// Hollow or not: two ends that are done are at one.
fn agree(ends: &[End; 2]) {
    let [Some(a), Some(b)] = ends.each_ref().map(|end| end.tls.facts()) else { return };
    assert_eq!((a.version, a.suite), (b.version, b.suite));
    assert!(ends.iter().all(|end| end.tls.protocol().is_some()), "a protocol is a must (RFC 9001 8.1)");
}

/// One end, and what it has said and nobody has heard.
struct End {
    tls: Connection,
    said: VecDeque<(Level, Vec<u8>)>,
    heard: usize,
    written: usize,
}

impl End {
    fn new(tls: Connection) -> Self {
        let mut end = Self { tls, said: VecDeque::new(), heard: 0, written: 0 };
        end.go_on();
        end
    }

    fn hear(&mut self, level: Level, bytes: &[u8]) {
        let failed = self.tls.failure().is_some();
        self.heard += bytes.len();
        let taken = self.tls.read_crypto(level, bytes);
        assert!(!failed || taken.is_err(), "what has failed stays so");
        self.go_on();
    }

    fn go_on(&mut self) {
        let failed = self.tls.failure().is_some();
        if let Err(error) = self.tls.advance(&mut Context::from_waker(Waker::noop())) {
            let code = error_code(&error);
            assert!(alert_of(code).is_some() || !(0x100..0x200).contains(&code), "{code:#x}: {error}");
        }
        while let Some(output) = self.tls.poll_output() {
            if let Output::Crypto { level, bytes } = output {
                assert!(!failed, "what has failed says nothing more");
                self.written += bytes.len();
                self.said.push_back((level, bytes));
            }
        }
        // Hello, certificates and tickets of its own; an answer is never a multiple of what came.
        assert!(self.written <= (64 << 10) + 8 * self.heard, "{} bytes for {}", self.written, self.heard);
    }
}
