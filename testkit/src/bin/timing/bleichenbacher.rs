//! Bleichenbacher, ROBOT, Marvin: a server takes a ClientKeyExchange; whatever is wrong with the padding inside, the
//! time until it is done with the message may not show it. Measured is [`Connection::receive`] on a whole server.

use crate::random::Random;
use crate::statistics::{Class, report};
use clasp::crypto::{Digest, Hash, HashContext, HashId, HmacKey, Provider};
use clasp::wire::code::CipherSuite;
use clasp::{ClientConfig, Connection, Policy, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use core::task::{Context, Waker};
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Bytes of the modulus.
const MODULUS: usize = 256;
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

/// A hello that leads to RSA key transport.
fn client_hello() -> Vec<u8> {
    let policy = Policy::legacy().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256]).with_groups([]);
    let config = ClientConfig::builder().trust(authority().roots()).policy(policy).no_sessions().build().unwrap();
    let mut out = Vec::new();
    let mut client = config.connect("localhost".try_into().unwrap()).unwrap();
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
        verify: inner.verify,
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

/// The modulus of a certificate's RSA key of 2048 bits.
fn modulus(certificate: &[u8]) -> [u8; MODULUS] {
    // INTEGER of 257 bytes, the first of them zero; then the exponent 65537.
    let begin = [2, 0x82, 1, 1, 0];
    let at = certificate.windows(begin.len()).position(|w| w == begin).expect("a key of 2048 bits") + begin.len();
    assert_eq!(certificate[at + MODULUS..][..5], [2, 3, 1, 0, 1], "the exponent 65537");
    certificate[at..at + MODULUS].try_into().unwrap()
}

const LIMBS: usize = MODULUS / 8;
type Number = [u64; LIMBS];

/// em ^ 65537 mod n. Slow and simple: it makes the inputs, it is not what is measured.
fn encrypt(modulus: &[u8; MODULUS], em: &[u8; MODULUS]) -> [u8; MODULUS] {
    let (n, base) = (number(modulus), number(em));
    let mut power = base;
    for _ in 0..16 {
        power = multiply(&power, &power, &n);
    }
    power = multiply(&power, &base, &n);
    let mut out = [0; MODULUS];
    for (bytes, limb) in out.rchunks_exact_mut(8).zip(power) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    out
}

fn number(bytes: &[u8; MODULUS]) -> Number {
    let mut out = [0; LIMBS];
    for (limb, bytes) in out.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(bytes.try_into().unwrap());
    }
    out
}

/// a * b mod n by doubling and adding.
fn multiply(a: &Number, b: &Number, n: &Number) -> Number {
    let mut sum = [0; LIMBS];
    for bit in (0..64 * LIMBS).rev() {
        sum = add(&sum, &sum, n);
        if b[bit / 64] >> (bit % 64) & 1 == 1 {
            sum = add(&sum, a, n);
        }
    }
    sum
}

/// a + b mod n, both below n.
fn add(a: &Number, b: &Number, n: &Number) -> Number {
    let mut sum = [0; LIMBS];
    let mut carry = false;
    for i in 0..LIMBS {
        (sum[i], carry) = carrying(a[i], b[i], carry);
    }
    if carry || !sum.iter().rev().lt(n.iter().rev()) {
        let mut borrow = false;
        for i in 0..LIMBS {
            let (d, first) = sum[i].overflowing_sub(n[i]);
            let (d, second) = d.overflowing_sub(u64::from(borrow));
            (sum[i], borrow) = (d, first || second);
        }
    }
    sum
}

fn carrying(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (s, first) = a.overflowing_add(b);
    let (s, second) = s.overflowing_add(u64::from(carry));
    (s, first || second)
}
