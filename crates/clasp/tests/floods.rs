//! A peer that sends without end: each flood ends in its alert, after a bound, with little memory. Run with `--nocapture`
//! to see the figures.
//!
//! The cryptography is hollow, so that the attacker can write records as it likes; what is bounded is the same.
#![cfg(feature = "compression")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

use clasp::session::{ClientSessionCache, ServerSessionCache};
use clasp::wire::code::{AlertDescription, CompressionAlgorithm, NamedGroup, ProtocolVersion};
use clasp::{ClientConfig, Connection, Error, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{Wrap, record};
use clasp_testkit::{KeyKind, Pair, authority, provider};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::IoSlice;
use std::sync::Arc;

struct Counter;

#[global_allocator]
static COUNTER: Counter = Counter;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // A thread that ends frees after its counters are gone.
    let _gone = HELD.try_with(|held| {
        held.set(held.get() + change);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: everything is passed on to `System`.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) }
    }
}

/// What a flood came to.
struct End {
    error: Error,
    /// Records taken before the connection failed.
    records: usize,
    /// Bytes the victim wrote.
    written: usize,
    /// Heap the victim took at most at a time.
    peak: usize,
}

const KIB: usize = 1024;
/// More than any flood here may need.
const MILLION: usize = 1_000_000;

/// Sends a record again and again, up to a million times.
fn flood(name: &str, victim: &mut Connection, mut record: impl FnMut(usize) -> Vec<u8>) -> End {
    let mut written = 0;
    let before = HELD.get();
    let mut peak = 0;
    for n in 0..MILLION {
        let mut input = record(n);
        let mut out = Vec::new();
        let held = HELD.get();
        PEAK.set(held);
        let taken = victim.receive(&mut input, &mut out).map(drop);
        // What the record and the answer take is the attacker's and the caller's; what stays is the victim's.
        peak = peak.max((PEAK.get() - before).max(0).cast_unsigned());
        written += out.len();
        if let Err(error) = taken {
            println!("{name}: {} after {} records, {peak} bytes of heap, {written} written", error.alert(), n + 1);
            return End { error, records: n + 1, written, peak };
        }
    }
    panic!("{name}: a million records, and no end");
}

fn plain(content: u8, body: &[u8]) -> Vec<u8> {
    record(Wrap::Plain, content, body)
}

/// A TLS 1.3 record under hollow keys; `tag` 0 opens, another does not.
fn sealed(content: u8, body: &[u8], tag: u8) -> Vec<u8> {
    plain(23, &[body, &[content], &[tag; 16]].concat())
}

fn policy() -> Policy {
    Policy::default().with_groups([NamedGroup::X25519]).with_versions([ProtocolVersion::Tls13])
}

const COMPRESSION: [CompressionAlgorithm; 3] =
    [CompressionAlgorithm::Zlib, CompressionAlgorithm::Brotli, CompressionAlgorithm::Zstd];

fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let client = ClientConfig::builder()
        .trust(authority().roots())
        .policy(policy())
        .provider(provider::hollow())
        .certificate_compression(if cfg!(feature = "compression") { &COMPRESSION[..] } else { &[] })
        .sessions(Arc::new(ClientSessionCache::new(4)))
        .early_data(true);
    let server = ServerConfig::builder()
        .identity(authority().issue(KeyKind::P256, &["localhost"]).identity())
        .policy(policy())
        .provider(provider::hollow())
        .sessions(Arc::new(ServerSessionCache::new(1 << 16)))
        .max_early_data(1000);
    (client.build().unwrap(), server.build().unwrap())
}

fn established() -> Pair {
    let (client, server) = configs();
    let mut pair = Pair::new(&client, &server);
    pair.drive().unwrap();
    assert!(pair.client.facts().is_some() && pair.server.facts().is_some());
    pair
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, len[1], len[2], len[3]], body].concat()
}

#[test]
fn an_endless_handshake_message() {
    let (_, server) = configs();
    let announces_all = |n: usize| plain(22, if n == 0 { &[1, 0xff, 0xff, 0xff] } else { &[0; 100] });
    let end = flood("a message of 16 MiB", &mut server.accept(), announces_all);
    assert_eq!((end.error.alert(), end.records), (AlertDescription::DecodeError, 1), "{}", end.error);
    // As long as a message may be: all of it is kept, and nothing more.
    let longest = |n: usize| plain(22, if n == 0 { &[1, 2, 1, 0x44] } else { &[0; 128] });
    let end = flood("a hello of 128 KiB in pieces", &mut server.accept(), longest);
    assert_eq!(end.error.alert(), AlertDescription::DecodeError, "{}", end.error);
    assert!(end.records <= 2 + 1026 && end.peak <= 1024 * KIB, "{} bytes", end.peak);
}

#[test]
fn a_million_empty_records() {
    let mut pair = established();
    for (name, victim) in [("to the server", &mut pair.server), ("to the client", &mut pair.client)] {
        let end = flood(name, victim, |_| sealed(23, &[], 0));
        assert_eq!(end.error.alert(), AlertDescription::UnexpectedMessage, "{}", end.error);
        assert!(end.records <= 40 && end.peak <= 16 * KIB && end.written <= 64);
    }
    let (_, server) = configs();
    let end = flood("empty handshake records", &mut server.accept(), |_| plain(22, &[]));
    assert_eq!(end.records, 1, "{}", end.error);
    // ChangeCipherSpec means nothing in TLS 1.3, and may come during the handshake.
    let (client, server) = configs();
    let mut pair = Pair::new(&client, &server);
    pair.drive_server_flights(1);
    let end = flood("ChangeCipherSpec", &mut pair.server, |_| plain(20, &[1]));
    assert!(end.records <= 40 && end.peak <= 16 * KIB, "{}", end.error);
    let warnings = flood("warnings", &mut established().server, |_| sealed(21, &[1, 90], 0));
    assert!(warnings.records <= 10, "{}", warnings.error);
}

#[test]
fn a_key_update_flood() {
    for (name, asks) in [("KeyUpdate that asks for one", 1), ("KeyUpdate", 0)] {
        let mut pair = established();
        for victim in [&mut pair.server, &mut pair.client] {
            let end = flood(name, victim, |_| sealed(22, &handshake(24, &[asks]), 0));
            assert_eq!(end.error.alert(), AlertDescription::UnexpectedMessage, "{}", end.error);
            assert!(end.records <= 40 && end.peak <= 64 * KIB && end.written <= 4 * KIB, "{} written", end.written);
        }
    }
}

/// A peer that only receives answers each of our requests for new keys, and has no data to put between.
#[test]
fn answers_to_our_own_updates_are_no_flood() {
    let answer = || sealed(22, &handshake(24, &[0]), 0);
    let data = [IoSlice::new(b"data")];
    let mut server = established().server;
    for _ in 0..100 {
        let mut out = Vec::new();
        server.update_keys(true, &mut out).unwrap();
        server.send(&data, &mut out).unwrap();
        server.receive(&mut answer(), &mut out).unwrap();
    }
    let end = flood("KeyUpdate behind answers", &mut server, |_| answer());
    assert!(end.records <= 40, "{}", end.error);
    let (mut sender, mut receiver) = established().server.into_split().unwrap();
    for _ in 0..100 {
        let mut out = Vec::new();
        sender.update_keys(true, &mut out).unwrap();
        sender.send(&data, &mut out).unwrap();
        receiver.receive(&mut answer()).unwrap();
    }
    assert!((0..40).any(|_| receiver.receive(&mut answer()).is_err()));
}

/// RFC 9846 4.6.1 sets no bound to tickets: what is above ours is dropped, and a flood of them is as cheap as one of data.
#[test]
fn a_ticket_flood_costs_no_memory() {
    let tickets = |n: usize| {
        let ticket = [&[0, 0, 1, 0, 0, 0, 0, 0, 1, n.to_be_bytes()[7], 0, 32][..], &[7; 32], &[0, 0]].concat();
        sealed(22, &handshake(4, &ticket), 0)
    };
    let mut client = established().client;
    let (mut peak, before) = (0, HELD.get());
    for n in 0..50_000 {
        let (mut input, mut out) = (tickets(n), Vec::new());
        PEAK.set(HELD.get());
        client.receive(&mut input, &mut out).unwrap();
        assert!(out.is_empty());
        peak = peak.max(PEAK.get() - before);
    }
    assert!(peak <= 256 * 1024, "{peak} bytes");
}

/// A client that has the server's hello, and waits for its certificate.
fn waiting_for_certificate() -> Connection {
    let (client, server) = configs();
    let mut pair = Pair::new(&client, &server);
    pair.drive_server_flights(1);
    let hello = 5 + usize::from(u16::from_be_bytes([pair.to_client[3], pair.to_client[4]]));
    let mut first = pair.to_client[..hello].to_vec();
    pair.client.receive(&mut first, &mut Vec::new()).unwrap();
    let mut extensions = sealed(22, &handshake(8, &[0, 0]), 0);
    pair.client.receive(&mut extensions, &mut Vec::new()).unwrap();
    pair.client
}

/// A message in records.
fn in_records(message: &[u8]) -> impl FnMut(usize) -> Vec<u8> {
    move |n| sealed(22, message.chunks(8000).nth(n).unwrap_or(&[0]), 0)
}

#[test]
fn an_oversized_certificate_list() {
    let one = [&[0, 0, 1, 0x30][..], &[0, 0]].concat();
    for (name, count) in [("200 certificates", 200), ("100 KiB of certificates", 17_000)] {
        let list = one.repeat(count);
        let len = u32::try_from(list.len()).unwrap().to_be_bytes();
        let message = handshake(11, &[&[0, len[1], len[2], len[3]][..], &list].concat());
        let end = flood(name, &mut waiting_for_certificate(), in_records(&message));
        assert_eq!(end.error.alert(), AlertDescription::BadCertificate, "{name}: {}", end.error);
        assert!(end.peak <= 1024 * KIB, "{name}: {} bytes", end.peak);
    }
    let message = [&[11, 2, 0, 0][..], &[0; 1 << 17]].concat();
    let end = flood("128 KiB of certificates", &mut waiting_for_certificate(), in_records(&message));
    assert_eq!((end.error.alert(), end.records), (AlertDescription::DecodeError, 1), "{}", end.error);
}

#[test]
#[cfg(feature = "compression")]
fn a_compression_bomb() {
    use std::io::Write;
    let bomb = vec![0; 8 << 20];
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(&bomb).unwrap();
    let mut widest = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 24, ..Default::default() };
    brotli::BrotliCompress(&mut &bomb[..], &mut widest, &params).unwrap();
    let zstd = zstd::bulk::compress(&bomb, 19).unwrap();
    drop(bomb);
    for (code, small) in [(1, zlib.finish().unwrap()), (2, widest), (3, zstd)] {
        for announced in [100_u32, 100 * 1024] {
            let length = announced.to_be_bytes();
            let size = u32::try_from(small.len()).unwrap().to_be_bytes();
            let head = [0, code, length[1], length[2], length[3], size[1], size[2], size[3]];
            let message = handshake(25, &[&head[..], &small].concat());
            let name = format!("a bomb by algorithm {code} that announces {announced} bytes");
            let end = flood(&name, &mut waiting_for_certificate(), in_records(&message));
            assert_eq!(end.error.alert(), AlertDescription::BadCertificate, "{name}: {}", end.error);
            // Brotli's window is what the stream says: 16 MiB at most (RFC 7932 9.1), of which what comes out is touched.
            let bound = if code == 2 { 17 * 1024 * KIB } else { 1024 * KIB };
            assert!(end.peak <= bound, "{name}: {} bytes", end.peak);
        }
    }
}

#[test]
fn an_early_data_flood() {
    let (client, server) = configs();
    Pair::new(&client, &server).drive().unwrap();
    // Accepted: up to what the ticket allows.
    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"early", &mut pair.to_server).unwrap();
    pair.server.receive(&mut pair.to_server, &mut pair.to_client).unwrap();
    let end = flood("early data that is taken", &mut pair.server, |_| sealed(23, &[7; 100], 0));
    assert_eq!(end.error.alert(), AlertDescription::UnexpectedMessage, "{}", end.error);
    assert!(end.records <= 11 && end.peak <= 16 * KIB, "{} records, {} bytes", end.records, end.peak);
    // Refused: skipped up to a bound, byte for byte.
    let (_, stranger) = configs();
    Pair::new(&client, &server).drive().unwrap();
    let mut pair = Pair::new(&client, &stranger);
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"early", &mut pair.to_server).unwrap();
    let hello = 5 + usize::from(u16::from_be_bytes([pair.to_server[3], pair.to_server[4]]));
    pair.to_server.truncate(hello);
    pair.server.receive(&mut pair.to_server, &mut pair.to_client).unwrap();
    let end = flood("early data that is skipped", &mut pair.server, |_| sealed(23, &[7; 100], 0xff));
    assert_eq!(end.error.alert(), AlertDescription::UnexpectedMessage, "{}", end.error);
    assert!(
        end.records <= (16_384 + 256 + 5) / 100 + 1 && end.peak <= 16 * KIB,
        "{} records, {} bytes",
        end.records,
        end.peak
    );
}
