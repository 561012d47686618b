//! Pools of configurations: which connections lose their keys to which, and when they are made anew. What a pool holds is
//! beside its code.
#![allow(clippy::unwrap_used)]

use clasp::{ClientConfig, Exchange, Pool, PoolSizes, Progress, ServerConfig, Stream};
use clasp_testkit::idle::Wire;
use clasp_testkit::provider::counted;
use clasp_testkit::{KeyKind, Pair, authority};
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A client with this pool, whose keys are counted as they are made, and the server that all of them speak with: one that
/// holds nothing, so that none is in the way of the clients'.
struct Ends {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    made: Arc<AtomicUsize>,
}

fn ends(pool: &Pool) -> Ends {
    let (provider, made) = counted();
    let client = ClientConfig::builder().trust(authority().roots()).provider(provider).pool(pool.clone()).no_sessions();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).pool(Pool::off()).no_sessions();
    Ends { client: client.build().unwrap(), server: server.build().unwrap(), made }
}

impl Ends {
    fn handshake(&self) -> (Exchange, Exchange) {
        let mut pair = Pair::new(&self.client, &self.server);
        pair.drive().unwrap();
        (Exchange::new(pair.client), Exchange::new(pair.server))
    }

    /// How many of the client's keys an act has made.
    fn made(&self, act: impl FnOnce()) -> usize {
        let before = self.made.load(Relaxed);
        act();
        self.made.load(Relaxed) - before
    }
}

/// What one says goes to the other, which then waits, as adapters do.
fn says(from: &mut Exchange, to: &mut Exchange) {
    assert_eq!(from.write(&[IoSlice::new(b"words")]).unwrap(), 5);
    let mut data = [0; 100];
    loop {
        match to.read(&mut data).unwrap() {
            Progress::Data(n) => assert_eq!(&data[..n], b"words"),
            _ if from.unsent().is_empty() => break,
            _ => {
                let n = from.unsent().len();
                to.room()[..n].copy_from_slice(from.unsent());
                from.sent(n);
                to.arrived(n);
            }
        }
    }
    to.rest();
}

fn ask_and_answer((client, server): &mut (Exchange, Exchange)) {
    says(client, server);
    says(server, client);
}

/// One place aside: whoever comes to wait last has it.
fn narrow() -> Pool {
    Pool::with_sizes(PoolSizes::default().keys_in_place(0).keys_aside(1))
}

#[test]
fn two_configurations_share_what_they_are_given_and_nothing_else() {
    let pool = narrow();
    let (one, same, apart) = (ends(&pool), ends(&pool), ends(&narrow()));
    let (mut first, mut sharing, mut other) = (one.handshake(), same.handshake(), apart.handshake());
    ask_and_answer(&mut first);
    assert_eq!(one.made(|| (0..20).for_each(|_| ask_and_answer(&mut other))), 0);
    assert_eq!(one.made(|| ask_and_answer(&mut first)), 0, "the others wait elsewhere");
    ask_and_answer(&mut sharing);
    assert_eq!(one.made(|| ask_and_answer(&mut first)), 2, "another has come to wait in the same place");
    assert_eq!(one.made(|| ask_and_answer(&mut first)), 0);
}

#[test]
fn so_many_keep_their_keys_in_place_and_aside_as_was_said() {
    for (in_place, aside) in [(0, 3), (3, 0), (2, 2), (0, 0)] {
        let ends = ends(&Pool::with_sizes(PoolSizes::default().keys_in_place(in_place).keys_aside(aside)));
        let mut pairs: Vec<_> = (0..8).map(|_| ends.handshake()).collect();
        pairs.iter_mut().for_each(ask_and_answer);
        // The last to wait is the first to go on, and does not wait again.
        let kept = pairs.iter_mut().rev().filter_map(|(client, server)| {
            let made = ends.made(|| says(client, server));
            (made == 0).then_some(())
        });
        assert_eq!(kept.count(), in_place + aside, "{in_place} in place, {aside} aside");
    }
}

#[test]
fn whoever_has_no_pool_makes_its_keys_each_time_and_goes_on() {
    let ends = ends(&Pool::off());
    let mut pair = ends.handshake();
    ask_and_answer(&mut pair);
    for _ in 0..5 {
        assert_eq!(ends.made(|| ask_and_answer(&mut pair)), 2);
    }
    // The halves too.
    let (mut up, down) = Wire::pair();
    let (client, server) = (pair.0.into_connection().unwrap(), pair.1.into_connection().unwrap());
    let client = Stream::from_parts(Exchange::new(client), down);
    let (mut server, mut data) = (Exchange::new(server), [0; 16]);
    let (mut reader, _writer) = client.into_split(|wire| Ok(wire.clone())).map_err(|(_, error)| error).unwrap();
    for _ in 0..3 {
        assert_eq!(reader.read(&mut data).unwrap_err().kind(), ErrorKind::WouldBlock);
        server.write(&[IoSlice::new(b"words")]).unwrap();
        up.write_all(server.unsent()).unwrap();
        server.sent(server.unsent().len());
        assert_eq!(ends.made(|| assert_eq!(reader.read(&mut data).unwrap(), 5)), 1);
    }
}
