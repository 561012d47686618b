//! Wycheproof's vectors through the faces of `clasp::crypto`, for every choice of libraries that a processor may get. Where
//! the vectors leave it open ("acceptable"), the answer that TLS asks for is said here. RSA decryption is beside its code,
//! which nobody outside may call.
//!
//! Key shares are ephemeral: no private key of a vector can be given to one. What remains of the vectors of key exchange
//! is the peer's part: what is no valid public value must be refused, and what is one must be taken.
#![allow(clippy::unwrap_used)]

use clasp::crypto::{AeadId, HashId, Provider, SharedSecret, TAG_LEN};
use clasp::wire::code::{NamedGroup, SignatureScheme};
use clasp::x509::{PublicKey, verify_signature};
use wycheproof::TestResult;

/// That vectors were read, and that some were of either kind.
#[derive(Debug, Default)]
struct Tally {
    taken: usize,
    refused: usize,
}

impl Tally {
    fn count(&mut self, taken: bool) {
        if taken {
            self.taken += 1;
        } else {
            self.refused += 1;
        }
    }

    fn check(&self, what: &str, least: usize) {
        assert!(self.taken >= least && self.refused >= 1, "{what}: {self:?}");
    }
}

#[test]
fn aeads() {
    use wycheproof::aead::{TestName, TestSet};
    let sets = [(TestName::AesGcm, true), (TestName::ChaCha20Poly1305, false)];
    for (name, aes) in sets {
        for provider in Provider::choices() {
            let mut tally = Tally::default();
            for group in TestSet::load(name).unwrap().test_groups {
                let id = match (aes, group.key_size) {
                    (true, 128) => AeadId::Aes128Gcm,
                    (true, 256) => AeadId::Aes256Gcm,
                    (false, 256) => AeadId::ChaCha20Poly1305,
                    _ => continue,
                };
                // Nonces of 96 bits and tags of 128 are all that TLS has: RFC 5116.
                for test in group.tests {
                    let (Ok(nonce), true) = (<&[u8; 12]>::try_from(&test.nonce[..]), test.tag.len() == TAG_LEN) else {
                        continue;
                    };
                    let key = provider.aead(id).unwrap().key(&test.key).unwrap();
                    let mut sealed = [&test.ct[..], &test.tag[..]].concat();
                    let opened = key.open(nonce, &test.aad, &mut sealed);
                    let good = test.result == TestResult::Valid;
                    assert_eq!(opened.is_ok(), good, "{} {name:?} {}: {}", provider.name, test.tc_id, test.comment);
                    tally.count(good);
                    if good {
                        assert_eq!(sealed[..opened.unwrap()], test.pt[..]);
                        let (mut made, mut tag) = (test.pt.to_vec(), [0; TAG_LEN]);
                        key.seal(nonce, &test.aad, &mut made, &mut tag).unwrap();
                        assert_eq!((&made[..], &tag[..]), (&test.ct[..], &test.tag[..]), "{name:?} {}", test.tc_id);
                    }
                }
            }
            tally.check(provider.name, 60);
        }
    }
}

#[test]
fn macs() {
    use wycheproof::mac::{TestName, TestSet};
    let sets = [
        (TestName::HmacSha1, HashId::Sha1),
        (TestName::HmacSha256, HashId::Sha256),
        (TestName::HmacSha384, HashId::Sha384),
        (TestName::HmacSha512, HashId::Sha512),
    ];
    for (name, id) in sets {
        for provider in Provider::choices() {
            let (hash, mut tally) = (provider.hash(id).unwrap(), Tally::default());
            for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
                let (mut kept, mut brief) = (vec![0; test.tag.len()], vec![0; test.tag.len()]);
                hash.hmac(&test.key).sign(&[&test.msg], &mut kept);
                hash.keyed(&test.key, &mut |key| key.sign(&[&test.msg], &mut brief));
                assert_eq!(kept, brief);
                let good = test.result == TestResult::Valid;
                assert_eq!(kept == test.tag[..], good, "{} {name:?} {}: {}", provider.name, test.tc_id, test.comment);
                tally.count(good);
            }
            tally.check(provider.name, 50);
        }
    }
}

/// RFC 5869 by the face's HMAC, as the key schedule has it.
#[test]
fn hkdfs() {
    use wycheproof::hkdf::{TestName, TestSet};
    for (name, id) in [(TestName::HkdfSha256, HashId::Sha256), (TestName::HkdfSha384, HashId::Sha384)] {
        for provider in Provider::choices() {
            let hash = provider.hash(id).unwrap();
            let mut seen = 0;
            for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
                // Longer output than 255 blocks is asked of no schedule.
                if test.result != TestResult::Valid {
                    continue;
                }
                let mut prk = vec![0; id.len()];
                // Without a salt: as many zeros as the hash is long, RFC 5869 2.2.
                let salt = if test.salt.is_empty() { vec![0; id.len()] } else { test.salt.to_vec() };
                hash.keyed(&salt, &mut |key| key.sign(&[&test.ikm], &mut prk));
                let (mut okm, mut block) = (Vec::new(), Vec::new());
                for n in 1..=u8::MAX {
                    let mut next = vec![0; id.len()];
                    hash.keyed(&prk, &mut |key| key.sign(&[&block, &test.info, &[n]], &mut next));
                    okm.extend_from_slice(&next);
                    block = next;
                    if okm.len() >= test.size {
                        break;
                    }
                }
                assert_eq!(okm[..test.size], test.okm[..], "{} {name:?} {}", provider.name, test.tc_id);
                seen += 1;
            }
            assert!(seen > 50, "{seen}");
        }
    }
}

/// Whether a peer's public value is taken, by both sides of an exchange.
fn takes(group: NamedGroup, peer: &[u8]) -> bool {
    let group = Provider::builtin().group(group).unwrap();
    let finished = group.start().unwrap().finish(peer, &mut SharedSecret::default()).is_ok();
    let answered = group.answer(peer, &mut SharedSecret::default(), &mut Vec::new()).is_ok();
    assert_eq!(finished, answered);
    finished
}

#[test]
fn points_of_peers() {
    use wycheproof::ecdh::{TestName, TestSet};
    let sets = [
        (TestName::EcdhSecp256r1Ecpoint, NamedGroup::Secp256r1),
        (TestName::EcdhSecp384r1Ecpoint, NamedGroup::Secp384r1),
        (TestName::EcdhSecp521r1Ecpoint, NamedGroup::Secp521r1),
    ];
    for (name, group) in sets {
        let mut tally = Tally::default();
        for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            // Uncompressed points alone: RFC 8422 5.1.2, RFC 9846 4.2.8.2.
            let good = test.result != TestResult::Invalid && test.public_key.first() == Some(&4);
            assert_eq!(takes(group, &test.public_key), good, "{name:?} {}: {}", test.tc_id, test.comment);
            tally.count(good);
        }
        tally.check(group.name(), 100);
    }
}

#[test]
fn x25519_values_of_peers() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let mut tally = Tally::default();
    for test in TestSet::load(TestName::X25519).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        // Wycheproof leaves low orders open; RFC 9846 7.4.2 does not: a result of zeros ends the handshake.
        let low = test.flags.contains(&TestFlag::LowOrderPublic) || test.flags.contains(&TestFlag::ZeroSharedSecret);
        let good = test.public_key.len() == 32 && !low;
        assert_eq!(takes(NamedGroup::X25519, &test.public_key), good, "{}: {}", test.tc_id, test.comment);
        tally.count(good);
    }
    tally.check("X25519", 400);
}

/// The encapsulation keys of hybrids' clients: FIPS 203 7.2's check of the modulus, and of the length.
#[test]
fn encapsulation_keys_of_peers() {
    use wycheproof::mlkem::{TestName, TestSet};
    // RFC 9846's hybrids: X25519 has its share behind, the curves of NIST in front.
    let curve = |group: NamedGroup| Provider::builtin().group(group).unwrap().start().unwrap().public().to_vec();
    let (x25519, p256, p384) = (curve(NamedGroup::X25519), curve(NamedGroup::Secp256r1), curve(NamedGroup::Secp384r1));
    let none: &[u8] = &[];
    let sets: [(TestName, NamedGroup, &[u8], &[u8]); 3] = [
        (TestName::MlKem768Encaps, NamedGroup::X25519MlKem768, none, &x25519),
        (TestName::MlKem768Encaps, NamedGroup::SecP256r1MlKem768, &p256, none),
        (TestName::MlKem1024Encaps, NamedGroup::SecP384r1MlKem1024, &p384, none),
    ];
    for (name, group, front, back) in sets {
        let hybrid = Provider::builtin().group(group).unwrap();
        let mut tally = Tally::default();
        for test in TestSet::load(name).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
            let Some(key) = &test.encaps_key else { continue };
            let peer = [front, &key[..], back].concat();
            let answered = hybrid.answer(&peer, &mut SharedSecret::default(), &mut Vec::new()).is_ok();
            let good = test.result == TestResult::Valid;
            assert_eq!(answered, good, "{name:?} {}: {}", test.tc_id, test.comment);
            tally.count(good);
        }
        tally.check(group.name(), 1);
    }
}

/// Whether a signature is good for this scheme, in TLS 1.3 and in 1.2, which for these agree.
fn verifies(scheme: SignatureScheme, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let [new, old] = [true, false].map(|own_curve| is_good(scheme, spki, message, signature, own_curve));
    assert_eq!(new, old);
    new
}

/// Whether a handshake signature is good, as TLS 1.3 has it with `own_curve`, or as TLS 1.2 has it.
fn is_good(scheme: SignatureScheme, spki: &[u8], message: &[u8], signature: &[u8], own_curve: bool) -> bool {
    let key = PublicKey::parse(spki);
    let algorithm = scheme.algorithm(key).filter(|_| !own_curve || scheme.has_curve_of(key));
    let signatures = Provider::builtin().signatures;
    algorithm.is_some_and(|algorithm| verify_signature(signatures, algorithm, spki, message, signature).is_ok())
}

#[test]
fn ecdsa_signatures() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let sets = [
        (TestName::EcdsaSecp256r1Sha256, SignatureScheme::EcdsaSecp256r1Sha256),
        (TestName::EcdsaSecp384r1Sha384, SignatureScheme::EcdsaSecp384r1Sha384),
        (TestName::EcdsaSecp521r1Sha512, SignatureScheme::EcdsaSecp521r1Sha512),
    ];
    for (name, scheme) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let good = test.result == TestResult::Valid;
                let seen = verifies(scheme, &group.der, &test.msg, &test.sig);
                assert_eq!(seen, good, "{name:?} {}: {}", test.tc_id, test.comment);
                tally.count(good);
            }
        }
        tally.check("ECDSA", 100);
    }
}

/// RFC 8422 5.1.1: in TLS 1.2 a scheme names the hash, and the curve is the key's; in TLS 1.3 it names the curve too.
#[test]
fn ecdsa_signatures_with_another_curve() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let sets = [
        (TestName::EcdsaSecp256r1Sha512, SignatureScheme::EcdsaSecp521r1Sha512),
        (TestName::EcdsaSecp384r1Sha256, SignatureScheme::EcdsaSecp256r1Sha256),
        (TestName::EcdsaSecp384r1Sha512, SignatureScheme::EcdsaSecp521r1Sha512),
    ];
    for (name, scheme) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let good = test.result == TestResult::Valid;
                let old = is_good(scheme, &group.der, &test.msg, &test.sig, false);
                let new = is_good(scheme, &group.der, &test.msg, &test.sig, true);
                assert_eq!((old, new), (good, false), "{name:?} {}: {}", test.tc_id, test.comment);
                tally.count(good);
            }
        }
        tally.check("ECDSA", 50);
    }
}

#[test]
fn eddsa_signatures() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in group.tests {
            let good = test.result == TestResult::Valid;
            let seen = verifies(SignatureScheme::Ed25519, &group.der, &test.msg, &test.sig);
            assert_eq!(seen, good, "{}: {}", test.tc_id, test.comment);
            tally.count(good);
        }
    }
    tally.check("Ed25519", 50);
}

#[test]
fn rsa_pkcs1_signatures() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let (sha256, sha384, sha512) =
        (SignatureScheme::RsaPkcs1Sha256, SignatureScheme::RsaPkcs1Sha384, SignatureScheme::RsaPkcs1Sha512);
    let sets = [
        (TestName::Rsa2048Sha256, sha256),
        (TestName::Rsa2048Sha384, sha384),
        (TestName::Rsa2048Sha512, sha512),
        (TestName::Rsa3072Sha256, sha256),
        (TestName::Rsa3072Sha384, sha384),
        (TestName::Rsa3072Sha512, sha512),
        (TestName::Rsa4096Sha256, sha256),
        (TestName::Rsa4096Sha384, sha384),
        (TestName::Rsa4096Sha512, sha512),
        (TestName::Rsa8192Sha256, sha256),
    ];
    for (name, scheme) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                // Open to Wycheproof: DigestInfo without its NULL. RFC 8017 9.2 has one encoding to compare with.
                let good = test.result == TestResult::Valid;
                let seen = verifies(scheme, &group.der, &test.msg, &test.sig);
                assert_eq!(seen, good, "{name:?} {}: {}", test.tc_id, test.comment);
                tally.count(good);
            }
        }
        tally.check("PKCS#1", 5);
    }
}

/// RFC 9846 4.2.3: MGF1 with the same hash, and a salt as long as the hash.
#[test]
fn rsa_pss_signatures() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let (sha256, sha384, sha512) =
        (SignatureScheme::RsaPssRsaeSha256, SignatureScheme::RsaPssRsaeSha384, SignatureScheme::RsaPssRsaeSha512);
    let sets = [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, sha256, true),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, sha384, true),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, sha256, true),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, sha256, true),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, sha384, true),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, sha512, true),
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, sha256, false),
        (TestName::RsaPss2048Sha256Mgf1Sha1_20, sha256, false),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, sha512, false),
    ];
    for (name, scheme, as_tls_has_it) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                // What is bad for another length of salt may be good for TLS's.
                if !as_tls_has_it && test.result != TestResult::Valid {
                    continue;
                }
                let good = test.result == TestResult::Valid && as_tls_has_it;
                let seen = verifies(scheme, &group.der, &test.msg, &test.sig);
                assert_eq!(seen, good, "{name:?} {}: {}", test.tc_id, test.comment);
                tally.count(good);
            }
        }
        assert!(tally.refused > 5 && (tally.taken > 5) == as_tls_has_it, "{name:?}: {tally:?}");
    }
}

#[test]
fn mldsa_signatures() {
    use wycheproof::mldsa_verify::{TestName, TestSet};
    let sets = [
        (TestName::MlDsa44Verify, SignatureScheme::MlDsa44),
        (TestName::MlDsa65Verify, SignatureScheme::MlDsa65),
        (TestName::MlDsa87Verify, SignatureScheme::MlDsa87),
    ];
    for (name, scheme) in sets {
        let mut tally = Tally::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                // TLS's context is empty: the content that is signed has one of its own.
                let plain = test.ctx.as_ref().is_none_or(|context| context.is_empty());
                let good = test.result == TestResult::Valid && plain;
                let seen = verifies(scheme, &group.der, &test.msg, &test.sig);
                assert_eq!(seen, good, "{name:?} {}: {}", test.tc_id, test.comment);
                tally.count(good);
            }
        }
        tally.check("ML-DSA", 5);
    }
}

/// AES-CBC without its padding, which is the record layer's: PKCS#5's is put on here.
#[test]
#[cfg(feature = "legacy")]
fn cbc_blocks() {
    use clasp::crypto::Use;
    use wycheproof::cipher::{TestName, TestSet};
    let legacy = Provider::builtin().legacy.unwrap();
    let mut seen = 0;
    for test in TestSet::load(TestName::AesCbcPkcs5).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        let iv = <&[u8; 16]>::try_from(&test.nonce[..]).unwrap();
        if test.key.len() == 24 || test.result != TestResult::Valid {
            continue;
        }
        let padding = 16 - test.pt.len() % 16;
        let plain = [&test.pt[..], &vec![u8::try_from(padding).unwrap(); padding]].concat();
        let mut made = plain.clone();
        legacy.block(&test.key, Use::Seal).unwrap().encrypt(iv, &mut made).unwrap();
        assert_eq!(made, test.ct[..], "{}", test.tc_id);
        legacy.block(&test.key, Use::Open).unwrap().decrypt(iv, &mut made).unwrap();
        assert_eq!(made, plain);
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}
