//! Two ends with a link between that does to records what the fuzzer says.

use super::end::End;
use super::scenario::{self, Crypto, Scenario};
use crate::input::Input;
use clasp::ServerName;
use clasp_testkit::hollow_bytes::{self, HANDSHAKE, Message, Wrap};
use clasp_testkit::provider;

/// With real cryptography: nothing that was altered is believed.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut conversation = Conversation::new(Crypto::Seeded, &mut input);
    conversation.run(&mut input);
    conversation.agree();
}

/// With hollow cryptography: alterations reach deeper.
pub fn run_hollow(data: &[u8]) {
    let mut input = Input(data);
    let mut conversation = Conversation::new(Crypto::Hollow, &mut input);
    conversation.run(&mut input);
    scenario::begin_next(conversation.scenario);
}

const CLIENT: usize = 0;
const SERVER: usize = 1;
/// What each end says once it can.
const SAID: [&[u8]; 2] = [b"what the client says", b"what the server says, at more length"];
const EARLY: &[u8] = b"early words";
/// A conversation is over long before.
const MAX_ROUNDS: usize = 24;
const MAX_RECORDS: usize = 96;

struct Conversation {
    scenario: &'static Scenario,
    ends: [End; 2],
    said: [bool; 2],
    /// The record that waits for the next one, by who sent it.
    held: [Option<Vec<u8>>; 2],
    /// A record that went by, by who sent it.
    seen: [Vec<u8>; 2],
}

impl Conversation {
    fn new(crypto: Crypto, input: &mut Input<'_>) -> Self {
        provider::reseed(7);
        scenario::plant(None);
        let all = scenario::all(crypto);
        let scenario: &'static Scenario = &all[input.below(all.len())];
        let name = ServerName::try_from("localhost").expect("a name");
        let mut client = End::new(scenario.client.connect(name));
        if scenario.early {
            assert_eq!(client.connection.send_early(EARLY, &mut client.out).ok(), Some(EARLY.len()));
        }
        let ends = [client, End::new(scenario.server.accept())];
        Self { scenario, ends, said: [false; 2], held: [None, None], seen: [Vec::new(), Vec::new()] }
    }

    fn run(&mut self, input: &mut Input<'_>) {
        let mut passed = 0;
        for _ in 0..MAX_ROUNDS {
            let mut moved = false;
            for from in [CLIENT, SERVER] {
                self.ends[from].advance();
                if self.ends[from].is_whole() && !self.said[from] {
                    self.said[from] = self.ends[from].send(SAID[from]);
                }
                let flight = core::mem::take(&mut self.ends[from].out);
                moved |= !flight.is_empty();
                for record in records(&flight) {
                    passed += 1;
                    if passed > MAX_RECORDS {
                        return;
                    }
                    self.pass(from, record.to_vec(), input);
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Brings one record over, or what has become of it.
    fn pass(&mut self, from: usize, mut record: Vec<u8>, input: &mut Input<'_>) {
        let to = 1 - from;
        let original = record.clone();
        // Most records pass as they are, so that conversations get somewhere.
        match input.byte() {
            1 => {
                let at = input.number() % record.len();
                record[at] ^= input.byte() | 1;
            }
            2 => record.clear(),
            3 => record.extend_from_slice(&original),
            4 if self.held[from].is_none() => self.held[from] = Some(core::mem::take(&mut record)),
            5 => record = divided(&record, input.number()),
            6 => {
                let at = input.number() % record.len();
                record.truncate(at);
                relabel(&mut record);
            }
            7 => {
                let at = 5 + input.number() % (record.len() - 4);
                record.splice(at..at, input.short().iter().copied());
                relabel(&mut record);
            }
            8 => {
                let content = input.byte();
                let body = input.short();
                let mut other = vec![content, 3, 3, 0, 0];
                other.extend_from_slice(body);
                relabel(&mut other);
                record.splice(0..0, other);
            }
            9 => record.extend_from_slice(&self.seen[from]),
            10 => record.splice(0..0, self.seen[to].iter().copied()).for_each(drop),
            11 => record[0] = input.byte(),
            12 => {
                let size = 1 + input.below(40);
                for piece in record.chunks(size) {
                    self.ends[to].feed(piece);
                }
                record.clear();
            }
            13 => self.ends[to].cut_off(),
            14 => record = joined(self.held[from].take(), record),
            15 => self.messages_changed(&mut record, input),
            16 => record = stretched(&record, input).unwrap_or(record),
            _ => {}
        }
        self.seen[from] = original;
        self.ends[to].feed(&record);
        if !record.is_empty()
            && let Some(held) = self.held[from].take()
        {
            self.ends[to].feed(&held);
        }
    }

    /// Drops, doubles or swaps handshake messages inside a record, where they can be seen.
    fn messages_changed(&mut self, record: &mut Vec<u8>, input: &mut Input<'_>) {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let mut rest = &record[5..];
        while let [_, a, b, c, ..] = *rest {
            let len = (4 + u32::from_be_bytes([0, a, b, c]) as usize).min(rest.len());
            messages.push(rest[..len].to_vec());
            rest = &rest[len..];
        }
        if messages.is_empty() {
            return;
        }
        let at = input.below(messages.len());
        match input.below(4) {
            0 => drop(messages.remove(at)),
            1 => messages.insert(at, messages[at].clone()),
            2 => {
                let last = messages.len() - 1;
                messages.swap(at, last);
            }
            _ => messages[at][0] = input.byte(),
        }
        record.truncate(5);
        record.extend(messages.into_iter().flatten());
        relabel(record);
    }

    /// What real cryptography promises: the data is the start of what was said, and two ends that are done agree.
    fn agree(&self) {
        for (end, said) in [(&self.ends[CLIENT], SAID[SERVER]), (&self.ends[SERVER], SAID[CLIENT])] {
            assert!(said.starts_with(&end.data), "data that nobody sent: {:02x?}", end.data);
        }
        assert!(EARLY.starts_with(&self.ends[SERVER].early));
        assert!(self.ends[CLIENT].early.is_empty());
        let [client, server] = &self.ends;
        let (Some(a), Some(b)) = (client.connection.facts(), server.connection.facts()) else { return };
        assert_eq!(
            (a.version, a.suite, a.group, &a.alpn, a.resumed, a.early_data, a.extended_master_secret, a.hello_retried),
            (b.version, b.suite, b.group, &b.alpn, b.resumed, b.early_data, b.extended_master_secret, b.hello_retried),
        );
        let keys = |end: &End| {
            let mut out = [0; 32];
            end.connection.export(b"EXPORTER-fuzz", None, &mut out).expect("a connection that is done");
            out
        };
        assert_eq!(keys(client), keys(server), "two ends that are done have other keys");
    }
}

/// What a field may be made to hold: the places around which lengths go wrong.
const LENGTHS: [usize; 12] = [0, 1, 85, 86, 255, 256, 16_384, 60_000, 64_500, 65_400, 65_490, 65_535];

/// A vector: where its length stands, in how many bytes, and what it says.
#[derive(Clone, Copy)]
struct Vector {
    at: usize,
    width: usize,
    length: usize,
}

impl Vector {
    fn start(self) -> usize {
        self.at + self.width
    }

    fn end(self) -> usize {
        self.start() + self.length
    }
}

/// A field of the first message made as long as a table says, in as many records as it takes. What looks like a length
/// around it grows with it, as far as the fuzzer says: fuzzers seldom set several lengths right at once, and stay below
/// 64 KB by themselves.
fn stretched(record: &[u8], input: &mut Input<'_>) -> Option<Vec<u8>> {
    const TAG: usize = 16;
    let (wrap, messages) = match record {
        [22, ..] => (Wrap::Plain, &record[5..]),
        [23, .., 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => {
            (Wrap::Inner13, &record[5..record.len() - TAG - 1])
        }
        _ => return None,
    };
    let [kind, a, b, c, ..] = *messages else { return None };
    let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
    let (body, behind) = messages[4..].split_at_checked(length)?;
    let vectors = vectors(body);
    let chosen = *vectors.get(input.number() % vectors.len().max(1))?;
    let most = (1 << (8 * chosen.width)) - 1;
    let size = LENGTHS[input.below(LENGTHS.len())].min(most);
    let (fill, which) = (input.byte(), input.byte());
    let mut changed = body.to_vec();
    let mut around = body.len();
    let outer = vectors.iter().filter(|v| v.start() <= chosen.at && v.end() >= chosen.end());
    for (n, vector) in outer.enumerate() {
        if vector.end() > around || which >> (n % 8) & 1 == 1 {
            continue;
        }
        around = vector.end();
        put(&mut changed, *vector, vector.length + size - chosen.length.min(vector.length + size))?;
    }
    put(&mut changed, chosen, size)?;
    changed.splice(chosen.start()..chosen.end(), core::iter::repeat_n(fill, size));
    let message = Message { kind, body: changed }.bytes();
    let all = [&message[..], behind].concat();
    Some(all.chunks(16_000).flat_map(|part| hollow_bytes::record(wrap, HANDSHAKE, part)).collect())
}

/// All that may be vectors.
fn vectors(body: &[u8]) -> Vec<Vector> {
    let mut all = Vec::new();
    for at in 0..body.len() {
        for width in [1, 2] {
            let Some(bytes) = body.get(at..at + width) else { continue };
            let length = bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
            let vector = Vector { at, width, length };
            if vector.end() <= body.len() {
                all.push(vector);
            }
        }
    }
    all
}

/// Writes a vector's length, if it can say that much.
fn put(body: &mut [u8], vector: Vector, length: usize) -> Option<()> {
    let bytes = length.to_be_bytes();
    let (high, low) = bytes.split_at(bytes.len() - vector.width);
    body.get_mut(vector.at..vector.start()).filter(|_| high.iter().all(|b| *b == 0))?.copy_from_slice(low);
    Some(())
}

/// A flight as records.
pub(crate) fn records(mut flight: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    while let [_, _, _, a, b, ..] = *flight {
        let (record, rest) = flight.split_at((5 + usize::from(u16::from_be_bytes([a, b]))).min(flight.len()));
        out.push(record);
        flight = rest;
    }
    out
}

/// One record as two.
fn divided(record: &[u8], at: usize) -> Vec<u8> {
    let (header, body) = record.split_at(5);
    let (one, other) = body.split_at(at % (body.len() + 1));
    let mut out = Vec::new();
    for part in [one, other] {
        let mut half = [header, part].concat();
        relabel(&mut half);
        out.extend(half);
    }
    out
}

/// Two records as one, under the header of the first.
fn joined(held: Option<Vec<u8>>, record: Vec<u8>) -> Vec<u8> {
    let Some(mut held) = held else { return record };
    held.extend_from_slice(&record[5..]);
    relabel(&mut held);
    held
}

/// Sets a record's length to what it has.
fn relabel(record: &mut [u8]) {
    if let Some(body) = record.len().checked_sub(5) {
        let len = u16::try_from(body).unwrap_or(u16::MAX).to_be_bytes();
        record[3..5].copy_from_slice(&len);
    }
}
