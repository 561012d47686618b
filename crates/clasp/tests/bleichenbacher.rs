//! Bleichenbacher, ROBOT: a client that encrypts its premaster secret wrongly, and otherwise does everything right. All
//! servers that are not fooled answer its Finished with the same alert, whatever was wrong; one that took the bad plaintext
//! would finish the handshake. BoringSSL's runner has these at TLS 1.1 (BadRSAClientKeyExchange); here they are at 1.2.
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used)]

use clasp::crypto::{
    BlockKey, CbcHmacKey, CbcId, CryptoResult, Digest, Hash, HashContext, HashId, HmacKey, KeyShare, Legacy, Provider,
    SharedSecret, Use,
};
use clasp::error::Cause;
use clasp::record::RecordError;
use clasp::wire::code::{CipherSuite, NamedGroup};
use clasp::{ClientConfig, Policy, ServerConfig};
use clasp_testkit::rsa::{MODULUS, encrypt, modulus};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::{Arc, Mutex};

/// Where the secret begins in a well-formed plaintext: 00 02, padding without a zero, 00, the secret.
const SECRET: usize = MODULUS - 48;

/// What is done to the plaintext, and then to the ciphertext.
#[derive(Clone, Copy)]
struct Fault {
    plain: fn(&mut [u8; MODULUS]),
    cipher: fn(&mut Vec<u8>),
}

fn nothing<T>(_: &mut T) {}

const fn plain(plain: fn(&mut [u8; MODULUS])) -> Fault {
    Fault { plain, cipher: nothing }
}

const fn cipher(cipher: fn(&mut Vec<u8>)) -> Fault {
    Fault { plain: nothing, cipher }
}

/// The runner's eight, and those that it has not.
const FAULTS: &[(&str, Fault)] = &[
    (
        "a corrupt ciphertext",
        cipher(|c| {
            c[0] = 0;
            c[MODULUS - 1] ^= 1;
        }),
    ),
    ("a secret one byte too long", plain(|em| em[SECRET - 2] = 0)),
    (
        "a secret one byte too short",
        plain(|em| {
            em[SECRET - 1] = 0x55;
            em[SECRET] = 0;
        }),
    ),
    ("another minor version", plain(|em| em[SECRET + 1] ^= 1)),
    ("another major version", plain(|em| em[SECRET] ^= 1)),
    ("TLS 1.3's version", plain(|em| em[SECRET + 1] = 4)),
    ("block type 3", plain(|em| em[1] = 3)),
    ("block type 1", plain(|em| em[1] = 1)),
    ("block type 0", plain(|em| em[1] = 0)),
    ("a leading byte of 1", plain(|em| em[0] = 1)),
    ("no zero anywhere", plain(|em| em[2..].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 1))),
    ("no zero before the secret", plain(|em| em[SECRET - 1] = 0x55)),
    ("a zero in the first eight bytes of padding", plain(|em| em[5] = 0)),
    ("a zero in the middle of the padding", plain(|em| em[100] = 0)),
    ("nothing but zeros", plain(|em| em.fill(0))),
    ("a ciphertext that is not below the modulus", cipher(|c| c.fill(0xff))),
    ("a ciphertext of zeros", cipher(|c| c.fill(0))),
    ("a ciphertext one byte too short", cipher(|c| c.truncate(MODULUS - 1))),
    ("a ciphertext one byte too long", cipher(|c| c.push(0))),
    ("a ciphertext of one byte", cipher(|c| c.truncate(1))),
];

/// The secret that Clasp's client made, and the one that stands in the plaintext where a server looks for it.
type Secrets = Arc<Mutex<(Vec<u8>, Vec<u8>)>>;

struct Wrong {
    inner: &'static dyn Legacy,
    fault: Fault,
    secrets: Secrets,
}

impl Legacy for Wrong {
    fn rsa_encrypt(&self, spki: &[u8], premaster: &SharedSecret) -> CryptoResult<Vec<u8>> {
        let mut em = [0xa7; MODULUS];
        em[..2].copy_from_slice(&[0, 2]);
        em[SECRET - 1] = 0;
        em[SECRET..].copy_from_slice(premaster.expose());
        // No zero but the one before it, so that each fault is the only one.
        em[SECRET..].iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x77);
        (self.fault.plain)(&mut em);
        let seen = em[SECRET..].to_vec();
        *self.secrets.lock().unwrap() = (premaster.expose().to_vec(), seen);
        let mut ciphertext = encrypt(&modulus(spki), &em).to_vec();
        (self.fault.cipher)(&mut ciphertext);
        Ok(ciphertext)
    }
    fn cbc_hmac(&self, id: CbcId, mac_key: &[u8], key: &[u8], usage: Use) -> Option<CryptoResult<Box<dyn CbcHmacKey>>> {
        self.inner.cbc_hmac(id, mac_key, key, usage)
    }
    fn block(&self, key: &[u8], usage: Use) -> CryptoResult<Box<dyn BlockKey>> {
        self.inner.block(key, usage)
    }
    fn dh(&self, p: &[u8], g: &[u8]) -> CryptoResult<Box<dyn KeyShare>> {
        self.inner.dh(p, g)
    }
    fn ffdhe(&self, group: NamedGroup) -> Option<(&'static [u8], &'static [u8])> {
        self.inner.ffdhe(group)
    }
}

/// Derives from the secret that was sent in place of the one that was made: whoever takes what was sent has the same keys.
struct Sent(&'static dyn Hash, Secrets);

impl Sent {
    fn key<'a>(&self, key: &'a [u8], place: &'a mut Vec<u8>) -> &'a [u8] {
        let secrets = self.1.lock().unwrap();
        if key != secrets.0 {
            return key;
        }
        place.clone_from(&secrets.1);
        place
    }
}

impl Hash for Sent {
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
        self.0.hmac(self.key(key, &mut Vec::new()))
    }
    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        self.0.keyed(self.key(key, &mut Vec::new()), then);
    }
}

fn provider(fault: Fault) -> &'static Provider {
    let (inner, secrets) = (Provider::builtin(), Secrets::default());
    let sent = |hash: &&'static dyn Hash| &*Box::leak(Box::new(Sent(*hash, Arc::clone(&secrets)))) as &dyn Hash;
    let hashes = inner.hashes.iter().map(sent).collect::<Vec<_>>();
    Box::leak(Box::new(Provider {
        name: "wrong",
        hashes: hashes.leak(),
        aeads: inner.aeads,
        groups: inner.groups,
        signatures: inner.signatures,
        schemes: inner.schemes,
        random: inner.random,
        legacy: Some(Box::leak(Box::new(Wrong { inner: inner.legacy.unwrap(), fault, secrets: Arc::clone(&secrets) }))),
    }))
}

/// A handshake of such a client with Clasp's server, to its end.
fn pair(suite: CipherSuite, fault: Fault) -> (Pair, Result<(), clasp::Error>) {
    let policy = Policy::legacy().with_suites([suite]).with_groups([]);
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).provider(provider(fault));
    let identity = authority().issue(KeyKind::Rsa, &["localhost"]).identity();
    // The server speaks newer versions too, which a check of the secret's version must not look at.
    let server = ServerConfig::builder().identity(identity).policy(Policy::legacy()).no_sessions().build().unwrap();
    let mut pair = Pair::new(&client.no_sessions().build().unwrap(), &server);
    let result = pair.drive();
    (pair, result)
}

const GCM: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256;
const CBC: CipherSuite = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;

#[test]
fn bleichenbacher_what_this_client_sends_without_a_fault_is_taken() {
    let (mut pair, result) = pair(GCM, plain(nothing));
    result.unwrap();
    pair.client_sends(b"ping").unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"ping");
}

#[test]
fn bleichenbacher_robot_every_bad_client_key_exchange_ends_as_every_other() {
    for suite in [GCM, CBC] {
        for (name, fault) in FAULTS {
            let (pair, result) = pair(suite, *fault);
            let refused = result.expect_err(name);
            assert_eq!(refused.cause(), &Cause::Record(RecordError::BadMac), "{name}");
            assert_eq!(refused.alert().name(), "bad_record_mac", "{name}");
            let text = pair.server.failure().unwrap().to_string();
            assert!(!text.to_lowercase().contains("premaster") && !text.contains("padding"), "{name}: {text}");
            assert_eq!(pair.client.failure().unwrap().peer_alert().unwrap().name(), "bad_record_mac", "{name}");
        }
    }
}
