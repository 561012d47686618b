//! The floor: what a row cannot do without, as a recipe of primitives. A row's floor is the sum of its recipe, each
//! primitive at the fastest of all libraries measured in the same run. docs/performance.md has the recipes in words.

use crate::arguments::Figure;
use crate::results::{Cell, Results};
use bench_harness::primitive::{Curve, Primitive};
use bench_harness::row::Work;
use bench_harness::scenario::{Aead, Cipher, Exchange, Key, Resume, Scenario, Version};

/// How often each primitive is needed, for each side.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub client: Vec<(f64, Primitive)>,
    pub server: Vec<(f64, Primitive)>,
}

impl Recipe {
    /// All primitives that it names.
    pub(crate) fn primitives(self) -> impl Iterator<Item = Primitive> {
        self.client.into_iter().chain(self.server).map(|(_, primitive)| primitive)
    }

    fn both(mut self, times: f64, primitive: Primitive) -> Self {
        self.client.push((times, primitive));
        self.server.push((times, primitive));
        self
    }

    fn client(mut self, times: f64, primitive: Primitive) -> Self {
        self.client.push((times, primitive));
        self
    }

    fn server(mut self, times: f64, primitive: Primitive) -> Self {
        self.server.push((times, primitive));
        self
    }
}

/// The recipe of a row, if it has a floor.
pub(crate) fn recipe(work: &Work) -> Option<Recipe> {
    match work {
        Work::Handshake(scenario) => Some(handshake(scenario)),
        Work::Bulk(scenario, write) => Some(bulk(scenario, *write)),
        Work::Heap(_) | Work::Primitive(_) => None,
    }
}

/// A write is cut into records of 16 KiB; the sender seals each, the receiver opens it.
fn bulk(scenario: &Scenario, write: usize) -> Recipe {
    const LARGEST: usize = 16 * 1024;
    let (records, size) = if write > LARGEST { (write / LARGEST, LARGEST) } else { (1, write) };
    let times = records as f64;
    let none = Recipe { client: Vec::new(), server: Vec::new() };
    match scenario.cipher {
        Cipher::Aead(aead) => {
            none.client(times, Primitive::Seal(aead, size)).server(times, Primitive::Open(aead, size))
        }
        // Each record has an IV that nobody can foresee: RFC 5246 6.2.3.2.
        Cipher::CbcSha1 => none
            .client(times, Primitive::Random)
            .client(times, Primitive::CbcSeal(size))
            .server(times, Primitive::CbcOpen(size)),
    }
}

fn handshake(scenario: &Scenario) -> Recipe {
    // A hello's random value on both sides; and a session ID, or what a ticket is made of.
    let mut recipe = Recipe { client: Vec::new(), server: Vec::new() }.both(2.0, Primitive::Random);
    if scenario.resume == Resume::Full || scenario.version == Version::Tls13 {
        recipe = exchange(recipe, scenario);
    }
    if scenario.resume == Resume::Full {
        recipe = authentication(recipe, scenario);
    }
    match scenario.version {
        Version::Tls13 => schedule13(recipe, scenario),
        Version::Tls12 => schedule12(recipe, scenario),
    }
}

/// The key exchange.
fn exchange(recipe: Recipe, scenario: &Scenario) -> Recipe {
    match scenario.exchange {
        Exchange::X25519 => recipe.both(1.0, Primitive::Exchange(Curve::X25519)),
        Exchange::P256 => recipe.both(1.0, Primitive::Exchange(Curve::P256)),
        Exchange::Hybrid => recipe
            .both(1.0, Primitive::Exchange(Curve::X25519))
            .client(1.0, Primitive::KemExchange)
            .server(1.0, Primitive::Encapsulate),
        // Encrypting costs what a check costs, and decrypting what a signature costs.
        Exchange::Rsa => recipe.client(1.0, Primitive::Verify(Key::Rsa2048)).server(1.0, Primitive::Sign(Key::Rsa2048)),
    }
}

/// The client checks the leaf, the intermediate, and the handshake's signature, this one alone where it knows the chain;
/// both the other way round where it is mutual.
fn authentication(recipe: Recipe, scenario: &Scenario) -> Recipe {
    let (sign, verify) = (Primitive::Sign(scenario.key), Primitive::Verify(scenario.key));
    let chain = if scenario.known { 0.0 } else { 2.0 };
    let recipe = match scenario.exchange {
        Exchange::Rsa => recipe.client(chain, verify),
        _ => recipe.client(chain + 1.0, verify).server(1.0, sign),
    };
    if scenario.mutual { recipe.server(chain + 1.0, verify).client(1.0, sign) } else { recipe }
}

/// RFC 8446 7.1, without what is the same in every handshake (the early secret of no PSK). Expand-Label: `derived`,
/// four traffic secrets, exporter and resumption secret, key and IV of each traffic secret, two Finished keys, the
/// ticket's PSK. HMAC: two Extracts, two Finished.
fn schedule13(recipe: Recipe, scenario: &Scenario) -> Recipe {
    let aead = match scenario.cipher {
        Cipher::Aead(aead) => aead,
        Cipher::CbcSha1 => Aead::Aes128Gcm,
    };
    let recipe = recipe.both(18.0, Primitive::ExpandLabel).both(4.0, Primitive::Hmac);
    let recipe = match scenario.resume {
        // The early secret, its `derived`, the binder's key and Finished key, the binder.
        Resume::Ticket => recipe.both(3.0, Primitive::ExpandLabel).both(2.0, Primitive::Hmac),
        _ => recipe,
    };
    // Each key is set up once; the flights are sealed and opened: about 1 KiB with certificates, and some small records
    // (Finished, the ticket). The server seals its ticket, or opens one and seals the next.
    let recipe = recipe.both(4.0, Primitive::AeadKey(aead)).both(transcript(scenario), Primitive::Hash);
    let recipe = recipe.client(1.0, Primitive::Seal(aead, 64)).server(1.0, Primitive::Open(aead, 64));
    let recipe = recipe.client(1.0, Primitive::Open(aead, 64)).server(2.0, Primitive::Seal(aead, 64));
    match scenario.resume {
        Resume::Full => flights(recipe, scenario, aead),
        _ => recipe.client(1.0, Primitive::Open(aead, 64)).server(2.0, Primitive::Seal(aead, 64)),
    }
}

/// The flights with certificates.
fn flights(recipe: Recipe, scenario: &Scenario, aead: Aead) -> Recipe {
    let times = chain_kib(scenario.key);
    let recipe = recipe.server(times, Primitive::Seal(aead, 1024)).client(times, Primitive::Open(aead, 1024));
    if scenario.mutual {
        recipe.client(times, Primitive::Seal(aead, 1024)).server(times, Primitive::Open(aead, 1024))
    } else {
        recipe
    }
}

/// RFC 5246 5: the PRF gives the key block (2 blocks of HMAC-SHA-256) and two Finished (1 block each), and in full
/// handshakes the master secret (2 blocks); every block is two HMACs, the first of each PRF with a new key. With a ticket
/// the server opens it, or seals one.
fn schedule12(recipe: Recipe, scenario: &Scenario) -> Recipe {
    let recipe = recipe.both(3.0, Primitive::ExpandLabel).both(5.0, Primitive::Hmac);
    let recipe = recipe.both(transcript(scenario), Primitive::Hash);
    let recipe = match scenario.resume {
        Resume::Full => recipe.both(1.0, Primitive::ExpandLabel).both(3.0, Primitive::Hmac),
        Resume::SessionId => recipe,
        Resume::Ticket => recipe.server(1.0, Primitive::Open(Aead::Aes128Gcm, 64)),
    };
    let (seal, open) = match scenario.cipher {
        Cipher::Aead(aead) => {
            let recipe = recipe.both(2.0, Primitive::AeadKey(aead));
            return recipe.both(1.0, Primitive::Seal(aead, 64)).both(1.0, Primitive::Open(aead, 64));
        }
        Cipher::CbcSha1 => (Primitive::CbcSeal(64), Primitive::CbcOpen(64)),
    };
    recipe.both(1.0, seal).both(1.0, open)
}

/// KiB of leaf and intermediate as they are sent.
const fn chain_kib(key: Key) -> f64 {
    match key {
        Key::EcdsaP256 => 0.9,
        Key::Rsa2048 => 1.7,
    }
}

/// KiB that are hashed for the transcript.
fn transcript(scenario: &Scenario) -> f64 {
    let hellos = match scenario.exchange {
        Exchange::Hybrid => 2.7,
        _ => 0.5,
    };
    let chains = match (scenario.resume, scenario.mutual) {
        (Resume::Full, false) => chain_kib(scenario.key),
        (Resume::Full, true) => 2.0 * chain_kib(scenario.key),
        _ => 0.0,
    };
    hellos + chains
}

/// What the fastest library needs for a primitive, in nanoseconds, and which that is. Clasp's own face does not count:
/// it stands on the same libraries.
pub(crate) fn fastest(results: &Results, primitive: Primitive, figure: Figure) -> Option<(f64, &str)> {
    let row = results.rows.iter().find(|row| row.work == Work::Primitive(primitive))?;
    let cells = row.cells.iter().zip(&results.libraries).filter(|(_, library)| library.name != "clasp");
    let times = cells.filter_map(|(cell, library)| match cell {
        Cell::Alone(stat) => Some((stat.get(figure), library.name.as_str())),
        _ => None,
    });
    times.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The floor of a row in nanoseconds, client and server; nothing if one of its primitives was not measured.
pub(crate) fn of(results: &Results, work: &Work, figure: Figure) -> Option<[f64; 2]> {
    let recipe = recipe(work)?;
    let sum = |parts: &[(f64, Primitive)]| -> Option<f64> {
        parts.iter().map(|(times, p)| Some(times * fastest(results, *p, figure)?.0)).sum()
    };
    Some([sum(&recipe.client)?, sum(&recipe.server)?])
}
