//! Lucky Thirteen: a MAC-then-encrypt CBC record is opened, and nothing of its padding or MAC may show in the time but
//! that it was good or bad. All records are of one length, all go through one buffer.

use crate::random::Random;
use crate::statistics::{Class, report};
use clasp::crypto::{CbcHmacKey, CbcId, CryptoResult, HashId, Provider, Use};
use std::hint::black_box;
use std::time::Instant;

/// Bytes of ciphertext: short enough for a padding length that reaches beyond the record.
const RECORD: usize = 272;
/// Different records of each class.
const POOL: usize = 64;
const AAD: [u8; 11] = [0, 0, 0, 0, 0, 0, 0, 7, 23, 3, 3];
const IV: [u8; 16] = [5; 16];

/// How a record is made.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    padding: u8,
    /// The MAC fits the content.
    good_mac: bool,
    /// The padding byte, counted from the first, that is altered.
    altered: Option<usize>,
    /// Work added to the opening, to see whether the measurement sees it.
    extra: usize,
}

impl Recipe {
    pub(crate) const fn is_control(self) -> bool {
        self.extra > 0
    }
}

const fn recipe(padding: u8, good_mac: bool, altered: Option<usize>) -> Recipe {
    Recipe { padding, good_mac, altered, extra: 0 }
}

/// Bad ones against the first, good ones against the first good one.
pub(crate) const CLASSES: &[(&str, usize, Recipe)] = &[
    ("bad MAC, padding of 3", 0, recipe(3, false, None)),
    ("bad MAC, padding of 130", 0, recipe(130, false, None)),
    ("bad MAC, padding of 215 (little content)", 0, recipe(215, false, None)),
    ("good MAC, first padding byte wrong, of 130", 0, recipe(130, true, Some(0))),
    ("good MAC, middle padding byte wrong, of 130", 0, recipe(130, true, Some(65))),
    ("good MAC, last padding byte wrong, of 130", 0, recipe(130, true, Some(129))),
    ("padding of 255, longer than the record", 0, recipe(255, false, None)),
    ("good, padding of 3", 7, recipe(3, true, None)),
    ("good, padding of 130", 7, recipe(130, true, None)),
    ("good, padding of 215 (little content)", 7, recipe(215, true, None)),
    ("control: bad MAC and a few ns more work", 0, Recipe { extra: 24, ..recipe(3, false, None) }),
];

pub(crate) const CIPHERS: [(&str, CbcId); 4] = [
    ("AES-128-CBC with HMAC-SHA-1", CbcId { key_len: 16, mac: HashId::Sha1 }),
    ("AES-128-CBC with HMAC-SHA-256", CbcId { key_len: 16, mac: HashId::Sha256 }),
    ("AES-256-CBC with HMAC-SHA-256", CbcId { key_len: 32, mac: HashId::Sha256 }),
    ("AES-256-CBC with HMAC-SHA-384", CbcId { key_len: 32, mac: HashId::Sha384 }),
];

pub(crate) fn run(samples: usize) -> bool {
    let mut quiet = true;
    for (name, id) in CIPHERS {
        println!("{name}, records of {RECORD} bytes");
        quiet &= report(&measure(id, samples));
    }
    quiet
}

/// What callgrind counts.
pub(crate) const COUNTED: &str = "lucky13::open_and_count";

#[inline(never)]
fn open_and_count(opener: &mut dyn CbcHmacKey, record: &mut [u8], extra: usize) -> bool {
    let opened = opener.open(&IV, &AAD, record);
    for step in 0..extra {
        black_box(step);
    }
    opened.is_ok()
}

/// Opens records of one class, to be counted.
pub(crate) fn repeat(cipher: usize, class: usize, times: usize) {
    let ((_, id), (_, _, recipe)) = (CIPHERS[cipher], CLASSES[class]);
    let mut random = Random::new();
    let (mac_key, key) = (vec![7; id.mac.len()], vec![8; id.key_len]);
    let mut opener = Provider::builtin().legacy.unwrap().cbc_hmac(id, &mac_key, &key, Use::Open).unwrap().unwrap();
    for _ in 0..times {
        let mut record = record(id, &mac_key, &key, recipe, &mut random);
        let opened = open_and_count(&mut *opener, black_box(&mut record), recipe.extra);
        assert_eq!(opened, recipe.good_mac && recipe.altered.is_none());
    }
}

/// Hands each class's record over with what opens it, and says whether it is good.
pub(crate) fn each_class(mut then: impl FnMut(&mut dyn FnMut(&mut [u8]) -> CryptoResult<usize>, &mut [u8], bool)) {
    for (_, id) in CIPHERS {
        let mut random = Random::new();
        let (mac_key, key) = (vec![7; id.mac.len()], vec![8; id.key_len]);
        let legacy = Provider::builtin().legacy.expect("the feature `legacy`");
        let mut opener = legacy.cbc_hmac(id, &mac_key, &key, Use::Open).unwrap().unwrap();
        for (_, _, recipe) in CLASSES.iter().filter(|(_, _, recipe)| !recipe.is_control()) {
            let mut record = record(id, &mac_key, &key, *recipe, &mut random);
            let good = recipe.good_mac && recipe.altered.is_none();
            then(&mut |record| opener.open(&IV, &AAD, record), &mut record, good);
        }
    }
}

fn measure(id: CbcId, samples: usize) -> Vec<Class> {
    let legacy = Provider::builtin().legacy.expect("the feature `legacy`");
    let mut random = Random::new();
    let (mut mac_key, mut key) = (vec![0; id.mac.len()], vec![0; id.key_len]);
    random.fill(&mut mac_key);
    random.fill(&mut key);
    let pools: Vec<Vec<Vec<u8>>> = CLASSES
        .iter()
        .map(|(_, _, recipe)| (0..POOL).map(|_| record(id, &mac_key, &key, *recipe, &mut random)).collect())
        .collect();
    let mut opener = legacy.cbc_hmac(id, &mac_key, &key, Use::Open).unwrap().unwrap();
    let mut classes: Vec<Class> = CLASSES
        .iter()
        .map(|(name, baseline, recipe)| match recipe.extra {
            0 => Class::new(name, *baseline, samples),
            _ => Class::control(name, *baseline, samples),
        })
        .collect();
    let mut buffer = vec![0; RECORD];
    for n in 0..samples {
        let which = random.below(CLASSES.len());
        buffer.copy_from_slice(&pools[which][random.below(POOL)]);
        let extra = CLASSES[which].2.extra;
        let start = Instant::now();
        let opened = opener.open(&IV, &AAD, black_box(&mut buffer));
        for step in 0..extra {
            black_box(step);
        }
        let took = start.elapsed();
        let good = CLASSES[which].2.good_mac && CLASSES[which].2.altered.is_none();
        assert_eq!(opened.is_ok(), good, "{}", CLASSES[which].0);
        // Caches and clocks settle first.
        if n > 1000 {
            classes[which].add(took);
        }
    }
    classes
}

/// Content, MAC and padding, encrypted.
fn record(id: CbcId, mac_key: &[u8], key: &[u8], recipe: Recipe, random: &mut Random) -> Vec<u8> {
    let provider = Provider::builtin();
    let legacy = provider.legacy.expect("the feature `legacy`");
    let mut plain = vec![0; RECORD];
    random.fill(&mut plain);
    let padding = usize::from(recipe.padding);
    if let Some(content) = RECORD.checked_sub(id.mac.len() + 1 + padding) {
        let length = u16::try_from(content).unwrap().to_be_bytes();
        if recipe.good_mac {
            let mac = provider.hash(id.mac).unwrap().hmac(mac_key);
            let mut tag = [0; 64];
            mac.sign(&[&AAD, &length, &plain[..content]], &mut tag);
            plain[content..content + id.mac.len()].copy_from_slice(&tag[..id.mac.len()]);
        }
    }
    plain[RECORD - 1 - padding.min(RECORD - 1)..].fill(recipe.padding);
    if let Some(altered) = recipe.altered {
        plain[RECORD - 1 - padding + altered] ^= 1;
    }
    legacy.block(key, Use::Seal).unwrap().encrypt(&IV, &mut plain).unwrap();
    plain
}
