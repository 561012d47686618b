//! The conversations of a capture: what each side said, in its order.

use super::packets::Segment;
use crate::trace::recorder::Recorder;
use crate::trace::{Side, Trace};
use clasp::error::RecordError;
use clasp::keys::log::Secrets;
use clasp::passive::{Listener, ServerKeys};
use clasp::trace::Direction;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// Conversations that are followed at most, and bytes that wait in each direction for what is missing before them.
const MOST_STREAMS: usize = 64;
const MOST_HELD: usize = 1 << 20;
/// What waits is at most in so many pieces.
const MOST_EARLY: usize = 16 << 10;

/// All conversations.
pub(super) struct Streams {
    secrets: Arc<Secrets>,
    keys: Arc<ServerKeys>,
    all: Vec<Stream>,
    /// Who spoke to whom: which conversation.
    places: HashMap<(SocketAddr, SocketAddr), usize>,
    /// Conversations that were too many.
    pub(super) left_out: usize,
}

struct Stream {
    client: SocketAddr,
    server: SocketAddr,
    recorder: Arc<Recorder>,
    listener: Listener,
    halves: [Half; 2],
    began: SystemTime,
    /// How long TCP's handshake took, in milliseconds.
    tcp_ms: Option<f64>,
    fault: Option<RecordError>,
}

/// What came of a conversation.
pub(super) struct Heard {
    pub(super) trace: Trace,
    /// Records that no known secret opens.
    pub(super) unopened: usize,
    /// Bytes behind gaps.
    pub(super) lost: usize,
}

/// One direction of TCP: RFC 9293 3.4.
#[derive(Default)]
struct Half {
    /// The sequence number of the next byte.
    next: Option<u32>,
    /// What came too early, by its sequence number.
    early: BTreeMap<u32, Vec<u8>>,
    held: usize,
    /// Bytes that came too early and for which there was no room.
    dropped: usize,
}

impl Streams {
    pub(super) fn new(secrets: Secrets, keys: ServerKeys) -> Self {
        Self { secrets: Arc::new(secrets), keys: Arc::new(keys), all: Vec::new(), places: HashMap::new(), left_out: 0 }
    }

    pub(super) fn add(&mut self, segment: &Segment<'_>) {
        let known = self.places.get(&ordered(segment.from, segment.to)).copied();
        // The same two ports may be used again.
        let begins = segment.syn && !segment.ack;
        let known = known.filter(|place| !begins || self.all.get(*place).is_some_and(Stream::is_silent));
        let place = match known {
            Some(place) => place,
            None if self.all.len() < MOST_STREAMS => {
                self.all.push(Stream::new(segment, Arc::clone(&self.secrets), Arc::clone(&self.keys)));
                let place = self.all.len() - 1;
                self.places.insert(ordered(segment.from, segment.to), place);
                place
            }
            None => {
                self.left_out += usize::from(begins);
                return;
            }
        };
        if let Some(stream) = self.all.get_mut(place) {
            stream.add(segment);
        }
    }

    /// Those that were TLS.
    pub(super) fn finish(self) -> Vec<Heard> {
        self.all.into_iter().filter_map(Stream::finish).collect()
    }
}

fn ordered(a: SocketAddr, b: SocketAddr) -> (SocketAddr, SocketAddr) {
    if a < b { (a, b) } else { (b, a) }
}

impl Stream {
    fn new(segment: &Segment<'_>, secrets: Arc<Secrets>, keys: Arc<ServerKeys>) -> Self {
        let Segment { at, from, to, syn, ack, payload, .. } = *segment;
        // Where the beginning is not there: a ClientHello is the client's, and well-known ports are the server's.
        let is_hello = payload.first() == Some(&22) && payload.get(5) == Some(&1);
        let from_client = if syn { !ack } else { is_hello || from.port() > to.port() };
        let (client, server) = if from_client { (from, to) } else { (to, from) };
        let recorder = Arc::new(Recorder::new(Side::Client, at));
        let listener = Listener::new(recorder.clone(), secrets).with_server_keys(keys);
        let halves = Default::default();
        Self { client, server, recorder, listener, halves, began: at, tcp_ms: None, fault: None }
    }

    fn is_silent(&self) -> bool {
        self.halves.iter().all(|half| half.held == 0) && self.listener.agreed().is_none() && self.tcp_ms.is_none()
    }

    fn add(&mut self, segment: &Segment<'_>) {
        let from_client = segment.from == self.client;
        if segment.syn && segment.ack && self.tcp_ms.is_none() {
            let took = segment.at.duration_since(self.began).unwrap_or_default();
            self.tcp_ms = Some(took.as_secs_f64() * 1000.0);
            self.recorder.note(segment.at, "TCP connected");
        }
        let said = if from_client { Direction::Sent } else { Direction::Received };
        let [client, server] = &mut self.halves;
        let half = if from_client { client } else { server };
        let bytes = half.add(segment);
        if bytes.is_empty() || self.fault.is_some() {
            return;
        }
        self.fault = self.listener.hear(segment.at, said, &bytes).err();
    }

    fn finish(self) -> Option<Heard> {
        let mut trace = self.recorder.take(format!("{} to {}", self.client, self.server));
        trace.events.iter().find(|event| event.kind.travels())?;
        trace.estimate(self.tcp_ms.unwrap_or_default());
        let agreed = self.listener.agreed();
        let outcome = match (&self.fault, agreed) {
            (Some(fault), _) => Err(fault.to_string()),
            (None, None) => Err("the server agreed to nothing".into()),
            (None, Some((version, suite))) => Ok(json!({ "version": version.name(), "suite": suite.name() })),
        };
        trace.conclude(&outcome);
        let unopened = self.listener.unopened();
        let [client, server] = self.halves.each_ref().map(Half::lost);
        for (lost, whose) in [(client, "client"), (server, "server")].into_iter().filter(|(lost, _)| *lost > 0) {
            trace.good = false;
            trace.outcome += &format!("; {lost} bytes of the {whose}'s wait behind a packet that was not captured");
        }
        if unopened > 0 {
            trace.outcome += &format!("; {unopened} records stay closed: their secrets are not known");
        } else if agreed.is_some() && !self.listener.is_established() {
            trace.good = false;
            trace.outcome += "; the handshake was not done";
        }
        Some(Heard { trace, unopened, lost: client + server })
    }
}

impl Half {
    /// What can be read now. Gaps keep back what is behind them; what came before is passed over.
    fn add(&mut self, segment: &Segment<'_>) -> Vec<u8> {
        let start = segment.sequence.wrapping_add(u32::from(segment.syn));
        let mut next = *self.next.get_or_insert(start);
        let mut out = Vec::new();
        if segment.payload.is_empty() {
            return out;
        }
        match ahead(start, next) {
            Some(0) | None => {}
            Some(_) if self.held + segment.payload.len() > MOST_HELD || self.early.len() >= MOST_EARLY => {
                self.dropped += segment.payload.len();
                return out;
            }
            Some(_) => {
                self.held += segment.payload.len();
                let before = self.early.insert(start, segment.payload.to_vec());
                self.held -= before.map_or(0, |bytes| bytes.len());
                return out;
            }
        }
        append(&mut out, &mut next, start, segment.payload);
        while let Some(start) = self.behind(next) {
            let bytes = self.early.remove(&start).unwrap_or_default();
            self.held -= bytes.len();
            append(&mut out, &mut next, start, &bytes);
        }
        self.next = Some(next);
        out
    }

    /// What came early and is behind this number now, or at it. All of them lie within half of the circle of sequence numbers, so
    /// that the one that is furthest behind follows the number's opposite: one look, and no walk through all.
    fn behind(&self, next: u32) -> Option<u32> {
        let opposite = next.wrapping_add(1 << 31);
        let found = self.early.range(opposite..).next().or_else(|| self.early.first_key_value());
        found.map(|(start, _)| *start).filter(|start| matches!(ahead(*start, next), Some(0) | None))
    }

    /// Bytes that were heard and could not be read, because something before them is missing.
    fn lost(&self) -> usize {
        self.held + self.dropped
    }
}

/// How many bytes one number is ahead of another, in the arithmetic of sequence numbers; `None` if it is behind.
fn ahead(number: u32, of: u32) -> Option<u32> {
    let distance = number.wrapping_sub(of);
    (distance < 1 << 31).then_some(distance)
}

/// Adds what of a segment has not been there yet.
fn append(out: &mut Vec<u8>, next: &mut u32, start: u32, bytes: &[u8]) {
    let known = usize::try_from(next.wrapping_sub(start)).unwrap_or(usize::MAX);
    let new = bytes.get(known..).unwrap_or_default();
    out.extend_from_slice(new);
    *next = next.wrapping_add(u32::try_from(new.len()).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_out_of_order_twice_and_cut_differently_come_in_order() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let segment = |sequence: u32, payload: &'static [u8]| {
            let (at, syn, ack) = (SystemTime::UNIX_EPOCH, false, true);
            Segment { at, from: address, to: address, sequence, syn, ack, payload }
        };
        let mut half = Half { next: Some(u32::MAX - 1), ..Half::default() };
        assert_eq!(half.add(&segment(2, b"efg")), b"");
        assert_eq!(half.add(&segment(u32::MAX - 1, b"ab")), b"ab");
        assert_eq!(half.add(&segment(u32::MAX - 1, b"abc")), b"c");
        assert_eq!(half.add(&segment(u32::MAX - 1, b"ab")), b"");
        assert_eq!(half.add(&segment(0, b"cdef")), b"defg");
        assert_eq!((half.held, half.add(&segment(5, b"h"))), (0, b"h".to_vec()));
    }

    #[test]
    fn what_waits_far_ahead_costs_those_before_it_nothing_and_has_a_limit() {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let segment = |sequence: u32| {
            let (at, syn, ack) = (SystemTime::UNIX_EPOCH, false, true);
            Segment { at, from: address, to: address, sequence, syn, ack, payload: b"x" }
        };
        let mut half = Half { next: Some(u32::MAX - 100), ..Half::default() };
        let far = 1 << 20;
        let most = u32::try_from(MOST_EARLY).unwrap();
        for number in 0..most - 1 {
            assert_eq!(half.add(&segment(far + 2 * number)), b"");
        }
        // Across the end of the numbers, each pair the wrong way round.
        for number in (0..200_u32).step_by(2) {
            let at = |number: u32| segment((u32::MAX - 100).wrapping_add(number));
            assert_eq!(half.add(&at(number + 1)), b"");
            assert_eq!(half.add(&at(number)), b"xx");
        }
        for number in most..most + 6 {
            assert_eq!(half.add(&segment(far + 2 * number)), b"");
        }
        assert_eq!((half.early.len(), half.dropped, half.lost()), (MOST_EARLY, 5, MOST_EARLY + 5));
        assert_eq!(half.behind(far + 1), Some(far));
        assert_eq!(half.behind(far - 1), None);
    }
}
