//! What a client that nobody knows yet costs a server: the lists of its hello, and the ways to cut it up.

use crate::{Input, Kind};
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::{Policy, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const KINDS: &[Kind] = &[
    Kind {
        name: "1.3 hello: suites that nobody knows",
        least: 1000,
        make: |n| hello(true, |h| h.suites = [0x5a; 2].repeat(n)),
    },
    Kind {
        name: "1.2 hello: suites that nobody knows",
        least: 1000,
        make: |n| hello(false, |h| h.suites = [0x5a; 2].repeat(n)),
    },
    Kind { name: "1.2 hello: one suite, one scheme, again and again", least: 1000, make: twice_one },
    Kind { name: "1.3 hello: one scheme again and again", least: 1000, make: |n| list(true, SCHEMES, &[4, 1], n) },
    Kind {
        name: "1.2 hello: schemes that nobody knows",
        least: 1000,
        make: |n| list(false, SCHEMES, &[0x7a, 0x7a], n),
    },
    Kind { name: "1.3 hello: groups that nobody knows", least: 1000, make: |n| list(true, GROUPS, &[0x5a, 0x5a], n) },
    Kind { name: "1.2 hello: groups that nobody knows", least: 1000, make: |n| list(false, GROUPS, &[0x5a, 0x5a], n) },
    Kind { name: "1.3 hello: application protocols", least: 1000, make: |n| list(true, ALPN, b"\x03xyz", n) },
    Kind {
        name: "1.3 hello: certificate authorities",
        least: 1000,
        make: |n| list(true, AUTHORITIES, b"\0\x04\x30\x02\x31\0", n),
    },
    Kind { name: "1.3 hello: key shares", least: 500, make: shares },
    Kind { name: "1.3 hello: extensions", least: 1000, make: |n| hello(true, |h| h.many(n)) },
    Kind { name: "1.2 hello: extensions", least: 1000, make: |n| hello(false, |h| h.many(n)) },
    Kind { name: "1.3 hello: one long extension", least: 8000, make: |n| hello(true, |h| h.add(0x5a5a, &vec![7; n])) },
    Kind { name: "1.3 hello: pre-shared keys", least: 100, make: keys },
    Kind { name: "1.2 hello: a long ticket", least: 8000, make: |n| hello(false, |h| h.add(TICKET, &vec![7; n])) },
    Kind {
        name: "1.2 hello: bytes of a server name's list",
        least: 8000,
        make: |n| hello(false, |h| h.add(SERVER_NAME, &vec![7; n])),
    },
    Kind { name: "1.3 hello: records of 16 bytes", least: 500, make: |n| pieces(n * 16, 16) },
    Kind { name: "1.3 hello: records of one byte", least: 2000, make: |n| pieces(n, 1) },
];

const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const SCHEMES: u16 = 13;
const ALPN: u16 = 16;
const TICKET: u16 = 35;
const VERSIONS: u16 = 43;
const PSK_MODES: u16 = 45;
const AUTHORITIES: u16 = 47;
const SHARES: u16 = 51;
const PSK: u16 = 41;

struct Hello {
    suites: Vec<u8>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    fn new(tls13: bool) -> Self {
        let mut hello = Self { suites: vec![0x13, 1, 0xc0, 0x2b], extensions: Vec::new() };
        hello.add(GROUPS, &v16(&[0, 0x1d, 0, 0x17]));
        hello.add(SCHEMES, &v16(&[4, 3]));
        if tls13 {
            hello.add(VERSIONS, &[2, 3, 4]);
            hello.add(SHARES, &v16(&[&[0, 0x1d][..], &v16(&[9; 32])].concat()));
        } else {
            hello.add(23, &[]);
            hello.add(0xff01, &[0]);
        }
        hello
    }

    fn add(&mut self, typ: u16, body: &[u8]) {
        self.extensions.retain(|(old, _)| *old != typ);
        self.extensions.push((typ, body.to_vec()));
    }

    fn many(&mut self, n: usize) {
        self.extensions.extend((0..n).map(|n| (0x5000 + u16::try_from(n).unwrap(), Vec::new())));
    }

    fn message(&self) -> Vec<u8> {
        let extensions = self.extensions.iter().flat_map(|(typ, body)| [&typ.to_be_bytes()[..], &v16(body)].concat());
        let extensions: Vec<u8> = extensions.collect();
        let body = [&[3, 3][..], &[5; 32], &[0], &v16(&self.suites), &[1, 0], &v16(&extensions)].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[1], &length[1..], &body[..]].concat()
    }
}

fn v16(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

fn hello(tls13: bool, change: impl FnOnce(&mut Hello)) -> Input {
    let mut hello = Hello::new(tls13);
    change(&mut hello);
    flight(&hello.message(), 1 << 14)
}

fn list(tls13: bool, typ: u16, entry: &[u8], n: usize) -> Input {
    hello(tls13, |h| h.add(typ, &v16(&entry.repeat(n))))
}

/// The product of two lists: neither the suite nor the scheme is of the server's key.
fn twice_one(n: usize) -> Input {
    hello(false, |h| {
        h.suites = [0xc0, 0x2b].repeat(n);
        h.add(SCHEMES, &v16(&[4, 1].repeat(n)));
    })
}

/// Shares of groups that nobody knows.
fn shares(n: usize) -> Input {
    let share = |n| [&(0x3000 + u16::try_from(n).unwrap()).to_be_bytes()[..], &[0, 1, 7]].concat();
    hello(true, |h| h.add(SHARES, &v16(&(0..n).flat_map(share).collect::<Vec<u8>>())))
}

/// Tickets that look like the server's.
fn keys(n: usize) -> Input {
    hello(true, |h| {
        h.add(PSK_MODES, &[1, 1]);
        let identity = [v16(&[7; 100]), vec![0; 4]].concat();
        let binder = [&[32][..], &[7; 32]].concat();
        h.add(PSK, &[v16(&identity.repeat(n)), v16(&binder.repeat(n))].concat());
    })
}

fn pieces(bytes: usize, size: usize) -> Input {
    let mut hello = Hello::new(true);
    hello.add(0x5a5a, &vec![7; bytes]);
    flight(&hello.message(), size)
}

/// Gives a hello to a server, in records of this size.
fn flight(message: &[u8], size: usize) -> Input {
    let record = |part: &[u8]| [&[22, 3, 1][..], &v16(part)].concat();
    let mut flight: Vec<u8> = message.chunks(size).flat_map(record).collect();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let hour = Duration::from_secs(3600);
    let tickets = TicketKeys::random(clasp::crypto::Provider::builtin(), hour, hour).unwrap();
    let config = ServerConfig::builder().identity(identity).policy(Policy::default()).alpn(["h2"]);
    let config =
        config.tickets(Arc::new(tickets)).sessions(Arc::new(ServerSessionCache::new(1 << 20))).build().unwrap();
    let mut connection = config.accept();
    let work = move || {
        let (mut out, mut at) = (Vec::new(), 0);
        while let Ok(received) = connection.receive(&mut flight[at..], &mut out) {
            if received.used == 0 {
                break;
            }
            at += received.used;
        }
    };
    (message.len(), Box::new(work))
}
