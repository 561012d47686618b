//! Certificates made by hand: every byte can be what it should not be.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod answers;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use clasp_x509::{Accepted, Options, Profile, Rejection, Roots, Usage, verify};
use rustls_pki_types::{ServerName, UnixTime};
use std::time::Duration;

/// 17 March 2030.
pub(crate) const NOW: u64 = 1_900_000_000;

pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(crate) const SAN: &[u8] = &[0x55, 0x1d, 17];
pub(crate) const EKU: &[u8] = &[0x55, 0x1d, 37];
pub(crate) const SKI: &[u8] = &[0x55, 0x1d, 14];
pub(crate) const AKI: &[u8] = &[0x55, 0x1d, 35];
pub(crate) const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];
pub(crate) const POLICIES: &[u8] = &[0x55, 0x1d, 32];
pub(crate) const MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
pub(crate) const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
pub(crate) const INHIBIT_ANY: &[u8] = &[0x55, 0x1d, 54];
pub(crate) const CRL_POINTS: &[u8] = &[0x55, 0x1d, 31];
pub(crate) const AUTHORITY_INFO: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
pub(crate) const TLS_FEATURE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 24];
pub(crate) const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub(crate) const OCSP_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 9];

pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..=0x7f => out.push(n.try_into().unwrap()),
        n @ 0x80..=0xff => out.extend([0x81, n.try_into().unwrap()]),
        n => {
            let n = u16::try_from(n).unwrap().to_be_bytes();
            out.extend([0x82, n[0], n[1]]);
        }
    }
    out.extend_from_slice(content);
    out
}

pub(crate) fn seq(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    tlv(6, content)
}

/// A name of one common name, UTF8String.
pub(crate) fn name(text: &str) -> Vec<u8> {
    name_as(0x0c, text.as_bytes())
}

pub(crate) fn name_as(tag: u8, text: &[u8]) -> Vec<u8> {
    let pair = seq(&[&oid(&[0x55, 4, 3]), &tlv(tag, text)]);
    seq(&[&tlv(0x31, &pair)])
}

pub(crate) fn dns(text: &str) -> Vec<u8> {
    tlv(0x82, text.as_bytes())
}

pub(crate) fn names(list: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &list.concat())
}

pub(crate) fn subtrees(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let list = |tag, bases: &[Vec<u8>]| {
        let trees: Vec<u8> = bases.iter().flat_map(|base| tlv(0x30, base)).collect();
        if trees.is_empty() { trees } else { tlv(tag, &trees) }
    };
    seq(&[&list(0xa0, permitted), &list(0xa1, excluded)])
}

/// A key that signs: of P-256, or of Ed25519 where it is to be the same each time.
pub(crate) enum Key {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn new() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// The same key, and the same signatures, for the same seed.
    pub(crate) fn seeded(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    pub(crate) fn bits(&self) -> &[u8] {
        match self {
            Self::P256(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        let kind = match self {
            Self::P256(_) => {
                seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]), &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7])])
            }
            Self::Ed25519(_) => seq(&[&oid(&[0x2b, 0x65, 0x70])]),
        };
        seq(&[&kind, &bit_string(self.bits())])
    }

    pub(crate) fn id(&self) -> Vec<u8> {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, self.bits()).as_ref().to_vec()
    }

    /// The AlgorithmIdentifier of its signatures.
    pub(crate) fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::P256(_) => ecdsa(),
            Self::Ed25519(_) => seq(&[&oid(&[0x2b, 0x65, 0x70])]),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// SEQUENCE { body, algorithm, BIT STRING signature }, the frame of certificates, lists and OCSP responses.
    pub(crate) fn frame(&self, body: &[u8]) -> Vec<u8> {
        seq(&[body, &self.algorithm(), &bit_string(&self.sign(body))])
    }
}

pub(crate) fn ecdsa() -> Vec<u8> {
    seq(&[&oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])])
}

pub(crate) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], bytes].concat())
}

/// One extension.
pub(crate) type Extension = (&'static [u8], bool, Vec<u8>);

/// A certificate in the making.
#[derive(Clone)]
pub(crate) struct Draft {
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub subject: Vec<u8>,
    pub validity: Vec<u8>,
    pub spki: Vec<u8>,
    pub algorithm: Vec<u8>,
    pub unique_ids: Vec<u8>,
    pub extensions: Vec<Extension>,
}

pub(crate) fn utc(text: &str) -> Vec<u8> {
    tlv(0x17, text.as_bytes())
}

pub(crate) fn general(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

impl Draft {
    pub(crate) fn new(subject: Vec<u8>, key: &Key, by: Option<&Made>) -> Self {
        let mut extensions: Vec<Extension> = vec![(SKI, false, tlv(4, &key.id()))];
        if let Some(by) = by {
            extensions.push((AKI, false, seq(&[&tlv(0x80, &by.key.id())])));
        }
        Self {
            version: tlv(0xa0, &[2, 1, 2]),
            serial: vec![0x11, 0x22],
            issuer: by.map_or_else(|| subject.clone(), |by| by.subject.clone()),
            subject,
            validity: seq(&[&utc("290101000000Z"), &utc("310101000000Z")]),
            spki: key.spki(),
            algorithm: by.map_or(key, |by| &by.key).algorithm(),
            unique_ids: Vec::new(),
            extensions,
        }
    }

    pub(crate) fn without(&mut self, id: &[u8]) -> &mut Self {
        self.extensions.retain(|(oid, ..)| *oid != id);
        self
    }

    pub(crate) fn set(&mut self, id: &'static [u8], critical: bool, value: Vec<u8>) -> &mut Self {
        self.without(id);
        self.extensions.push((id, critical, value));
        self
    }

    pub(crate) fn tbs(&self) -> Vec<u8> {
        let list: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|(id, critical, value)| {
                let critical = if *critical { vec![1, 1, 0xff] } else { Vec::new() };
                seq(&[&oid(id), &critical, &tlv(4, value)])
            })
            .collect();
        let extensions = if list.is_empty() { Vec::new() } else { tlv(0xa3, &tlv(0x30, &list)) };
        seq(&[
            &self.version,
            &tlv(2, &self.serial),
            &self.algorithm,
            &self.issuer,
            &self.validity,
            &self.subject,
            &self.spki,
            &self.unique_ids,
            &extensions,
        ])
    }
}

/// A certificate and its key.
pub(crate) struct Made {
    pub der: Vec<u8>,
    pub subject: Vec<u8>,
    pub key: Key,
}

impl Made {
    pub(crate) fn of(draft: &Draft, key: Key, by: Option<&Self>) -> Self {
        let signer = by.map_or(&key, |by| &by.key);
        let tbs = draft.tbs();
        let der = seq(&[&tbs, &draft.algorithm, &bit_string(&signer.sign(&tbs))]);
        Self { der, subject: draft.subject.clone(), key }
    }
}

/// keyUsage of these bits.
pub(crate) fn usage(bits: u8) -> Vec<u8> {
    vec![3, 2, u8::try_from(bits.trailing_zeros()).unwrap(), bits]
}

/// A certificate authority, with changes.
pub(crate) fn authority(text: &str, by: Option<&Made>, change: impl FnOnce(&mut Draft)) -> Made {
    authority_of(text, Key::new(), by, change)
}

pub(crate) fn authority_of(text: &str, key: Key, by: Option<&Made>, change: impl FnOnce(&mut Draft)) -> Made {
    let mut draft = Draft::new(name(text), &key, by);
    draft.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 0xff]])).set(KEY_USAGE, true, usage(0x06));
    change(&mut draft);
    Made::of(&draft, key, by)
}

/// basicConstraints of an authority with a path length.
pub(crate) fn path_length(n: u8) -> Vec<u8> {
    seq(&[&[1, 1, 0xff], &[2, 1, n]])
}

/// A server's certificate for example.com, with changes.
pub(crate) fn server(by: &Made, change: impl FnOnce(&mut Draft)) -> Made {
    server_of(Key::new(), by, change)
}

pub(crate) fn server_of(key: Key, by: &Made, change: impl FnOnce(&mut Draft)) -> Made {
    let mut draft = Draft::new(name("example.com"), &key, Some(by));
    draft.set(KEY_USAGE, true, usage(0x80)).set(EKU, false, seq(&[&oid(SERVER_AUTH)])).set(
        SAN,
        false,
        names(&[dns("example.com"), dns("*.wild.org"), tlv(0x87, &[192, 0, 2, 7])]),
    );
    change(&mut draft);
    Made::of(&draft, key, Some(by))
}

pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

pub(crate) fn options(profile: Profile) -> Options<'static> {
    Options::new(at(NOW), Usage::Server).profile(profile)
}

pub(crate) fn store(roots: &[&Made]) -> Roots {
    let mut store = Roots::empty();
    roots.iter().for_each(|root| store.add_der(&root.der).unwrap());
    store
}

pub(crate) fn chain<'a>(certificates: &[&'a Made]) -> Vec<&'a [u8]> {
    certificates.iter().map(|made| &made.der[..]).collect()
}

/// Judges a chain for a host.
pub(crate) fn judge<'a>(
    root: &Made,
    certificates: &[&'a Made],
    host: &str,
    options: &Options<'_>,
) -> Result<Accepted<'a>, Box<Rejection>> {
    let host = ServerName::try_from(host.to_owned()).unwrap();
    let options = options.name(&host);
    verify(&chain(certificates), &store(&[root]), &options)
}
