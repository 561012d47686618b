//! Bleichenbacher, ROBOT, Marvin: a server takes a ClientKeyExchange; whatever is wrong with the padding inside, the
//! time until it is done with the message may not show it. Measured is [`Connection::receive`] on a whole server.

use crate::random::Random;
use crate::statistics::{Class, report};
use clasp::crypto::{Digest, Hash, HashContext, HashId, HmacKey, Provider};
use clasp::wire::code::CipherSuite;
use clasp::{ClientConfig, Connection, Policy, ServerConfig};
pub(crate) use clasp_testkit::rsa::MODULUS;
use clasp_testkit::rsa::{encrypt, modulus};
use clasp_testkit::{KeyKind, authority};
use core::task::{Context, Waker};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Different ciphertexts of each class.
const POOL: usize = 64;
/// Where the premaster secret begins in a well-formed plaintext; a zero stands before it.
const SECRET: usize = MODULUS - 48;

type Change = fn(&mut [u8; MODULUS]);

const CLASSES: &[(&str, Change)] = &[
    ("well formed", |_| ()),
    ("first byte not 0", |em| em[0] = 1),
    ("block type 1 instead of 2", |em| em[1] = 1),
    ("a zero among the first eight bytes of padding", |em| em[5] = 0),
    ("a zero in the middle of the padding", |em| em[100] = 0),
    ("no zero behind the padding", |em| em[SECRET - 1] = 0x55),
    ("a secret one byte too short", |em| {
        em[SECRET - 1] = 0x55;
        em[SECRET] = 0;
    }),
    ("a secret one byte too long", |em| em[SECRET - 2] = 0),
    ("another version in the secret", |em| em[SECRET + 1] = 1),
    ("no padding at all: random bytes", |em| {
        let mut random = Random::new();
        random.fill(&mut em[1..]);
    }),
    ("control: well formed and about a microsecond more", |_| ()),
];
const CONTROL: usize = CLASSES.len() - 1;

pub(crate) fn run(samples: usize) -> bool {
    println!("RSA key transport with 2048 bits, the server's work on a ClientKeyExchange");
    let issued = authority().issue(KeyKind::Rsa, &["localhost"]);
    let modulus = modulus(&issued.chain[0]);
    let mut random = Random::new();
    let pools: Vec<Vec<Vec<u8>>> = CLASSES
        .iter()
        .map(|(_, change)| (0..POOL).map(|_| message(&modulus, *change, &mut random).0).collect())
        .collect();
    let server = || ServerConfig::builder().identity(issued.identity()).policy(Policy::legacy()).no_sessions();
    let hello = client_hello();
    check_classes(&server().provider(noting()).build().unwrap(), &hello, &modulus, &mut random);
    let server = server().build().unwrap();

    let mut classes: Vec<Class> = CLASSES
        .iter()
        .enumerate()
        .map(|(n, (name, _))| match n {
            CONTROL => Class::control(name, 0, samples),
            _ => Class::new(name, 0, samples),
        })
        .collect();
    let mut buffer = Vec::new();
    for n in 0..samples {
        let which = random.below(CLASSES.len());
        let mut connection = waiting(&server, &hello);
        buffer.clear();
        buffer.extend_from_slice(&pools[which][random.below(POOL)]);
        let mut out = Vec::with_capacity(1024);
        let start = Instant::now();
        let received = connection.receive(black_box(&mut buffer), &mut out);
        if which == CONTROL {
            for step in 0..3000 {
                black_box(step);
            }
        }
        let took = start.elapsed();
        // No class is refused here, and none is answered.
        assert!(received.is_ok() && out.is_empty(), "{}", CLASSES[which].0);
        // Caches and clocks settle first.
        if n > 500 {
            classes[which].add(took);
        }
    }
    report(&classes)
}

/// Hands each class's ClientKeyExchange over with a server that waits for it.
pub(crate) fn each_class(provider: &'static Provider, mut then: impl FnMut(&mut Connection, &mut [u8])) {
    let issued = authority().issue(KeyKind::Rsa, &["localhost"]);
    let server = ServerConfig::builder().identity(issued.identity()).policy(Policy::legacy()).no_sessions();
    let (server, hello) = (server.provider(provider).build().unwrap(), client_hello());
    let (modulus, mut random) = (modulus(&issued.chain[0]), Random::new());
    for (_, change) in CLASSES {
        let (mut message, _) = message(&modulus, *change, &mut random);
        then(&mut waiting(&server, &hello), &mut message);
    }
}

/// A hello that leads to RSA key transport.
fn client_hello() -> Vec<u8> {
    let policy = Policy::legacy().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256]).with_groups([]);
    let config = ClientConfig::builder().trust(authority().roots()).policy(policy).no_sessions().build().unwrap();
    let mut out = Vec::new();
    let mut client = config.connect("localhost".try_into().unwrap());
    client.advance(&mut Context::from_waker(Waker::noop()), &mut out).unwrap();
    out
}

/// A server that waits for ClientKeyExchange.
fn waiting(server: &Arc<ServerConfig>, hello: &[u8]) -> Connection {
    let mut connection = server.accept();
    connection.receive(&mut hello.to_vec(), &mut Vec::new()).unwrap();
    connection
}

/// The keys of HMACs, the first of which in a handshake is the premaster secret.
static KEYS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

struct Noting(&'static dyn Hash);

impl Hash for Noting {
    fn id(&self) -> HashId {
        self.0.id()
    }
    fn start(&self) -> Box<dyn HashContext> {
        self.0.start()
    }
    fn digest(&self, parts: &[&[u8]]) -> Digest {
        self.0.digest(parts)
    }
    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        KEYS.lock().unwrap().push(key.to_vec());
        self.0.hmac(key)
    }
    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        KEYS.lock().unwrap().push(key.to_vec());
        self.0.keyed(key, then);
    }
}

/// The built-in provider, which notes premaster secrets.
fn noting() -> &'static Provider {
    let inner = Provider::builtin();
    let hashes: Vec<&dyn Hash> = inner.hashes.iter().map(|h| &*Box::leak(Box::new(Noting(*h))) as &dyn Hash).collect();
    Box::leak(Box::new(Provider {
        name: "noting",
        hashes: hashes.leak(),
        aeads: inner.aeads,
        groups: inner.groups,
        signatures: inner.signatures,
        schemes: inner.schemes,
        random: inner.random,
        legacy: inner.legacy,
    }))
}

/// The classes are what they say: a well-formed secret is taken, every other is replaced.
fn check_classes(server: &Arc<ServerConfig>, hello: &[u8], modulus: &[u8; MODULUS], random: &mut Random) {
    for (name, change) in CLASSES {
        let (mut message, em) = message(modulus, *change, random);
        let mut connection = waiting(server, hello);
        KEYS.lock().unwrap().clear();
        connection.receive(&mut message, &mut Vec::new()).unwrap();
        let taken = KEYS.lock().unwrap().first().is_some_and(|key| key[..] == em[SECRET..]);
        assert_eq!(taken, name.contains("well formed"), "{name}");
    }
}

/// A ClientKeyExchange record around a plaintext that was well formed before `change`; and that plaintext.
fn message(modulus: &[u8; MODULUS], change: Change, random: &mut Random) -> (Vec<u8>, [u8; MODULUS]) {
    let mut em = [0; MODULUS];
    em[1] = 2;
    random.fill_non_zero(&mut em[2..SECRET - 1]);
    random.fill_non_zero(&mut em[SECRET..]);
    em[SECRET..SECRET + 2].copy_from_slice(&[3, 3]);
    change(&mut em);
    // A plaintext that is not below the modulus could not be encrypted.
    if em[0] >= modulus[0] {
        em[0] = modulus[0] - 1;
    }
    let len = u16::try_from(MODULUS).unwrap();
    let [record, body, vector] = [len + 6, len + 2, len].map(u16::to_be_bytes);
    let header = [22, 3, 3, record[0], record[1], 16, 0, body[0], body[1], vector[0], vector[1]];
    ([&header[..], &encrypt(modulus, &em)].concat(), em)
}
