//! No input makes a panic: arbitrary bytes into every parser and both sides, and a link that alters what passes.
#![allow(clippy::unwrap_used)]

use clasp::wire::code::{
    CertificateType, CompressionAlgorithm, ExtensionType, NamedGroup, ProtocolVersion, PskKeyExchangeMode,
};
use clasp::wire::extension::key_share::KeyShareEntry;
use clasp::wire::extension::pre_shared_key::PskIdentity;
use clasp::wire::extension::{self, certificate, early, key_share, pre_shared_key};
use clasp::wire::message::{self, Checked, Message};
use clasp::wire::{Extension, Extensions, Reader, Writer, fields};
use clasp::{ClientConfig, Policy, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use proptest::prelude::*;

fn parse<M: Message>(bytes: &[u8]) {
    let _either_way = Checked::<M>::new(bytes.to_vec()).map(|m| {
        let _view = m.view();
    });
}

fn every_message(bytes: &[u8]) {
    parse::<message::ClientHello>(bytes);
    parse::<message::ServerHello>(bytes);
    parse::<message::EncryptedExtensions>(bytes);
    parse::<message::Certificate12>(bytes);
    parse::<message::Certificate13>(bytes);
    parse::<message::CompressedCertificate>(bytes);
    parse::<message::CertificateRequest12>(bytes);
    parse::<message::CertificateRequest13>(bytes);
    parse::<message::CertificateStatus>(bytes);
    parse::<message::CertificateVerify>(bytes);
    parse::<message::ClientKeyExchange>(bytes);
    parse::<message::ServerKeyExchange>(bytes);
    parse::<message::NewSessionTicket12>(bytes);
    parse::<message::NewSessionTicket13>(bytes);
    parse::<message::KeyUpdate>(bytes);
    parse::<message::Finished>(bytes);
    for version in [None, Some(ProtocolVersion::Tls12), Some(ProtocolVersion::Tls13)] {
        let mut context = fields::Context::default();
        context.version = version;
        let _fields = fields::message(bytes, &context);
    }
}

fn every_extension(body: &[u8]) {
    let e = Extension::new(ExtensionType(0), body, 0);
    let _results = (
        extension::server_name(e).is_ok(),
        extension::codes(e, "codes").is_ok(),
        extension::alpn(e).map(|p| p.iter().count()).is_ok(),
        extension::status_request(e).is_ok(),
        extension::supported_versions(e).is_ok(),
        key_share::client(e).map(|s| s.iter().count()).is_ok(),
        key_share::server(e).is_ok(),
        pre_shared_key::offered(e).map(|o| o.identities().count() + o.binders().count()).is_ok(),
        certificate::authorities(e).map(|a| a.iter().count()).is_ok(),
        certificate::compression(e).is_ok(),
        certificate::status(e).is_ok(),
        certificate::timestamps(e).is_ok(),
        early::cookie(e).is_ok(),
    );
}

/// Writes one extension and gives back its body, as a reader of the block finds it.
fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut block = Vec::new();
    Writer::write(&mut block, |w| w.vec16(write)).unwrap();
    let extensions = Extensions::read(&mut Reader::new(&block), false).unwrap();
    extensions.iter().next().unwrap().body.to_vec()
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in any::<u8>()) {
        every_extension(&bytes);
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        let framed = [&[kind], &length[1..], &bytes].concat();
        every_message(&framed);
        every_message(&bytes);
    }

    #[test]
    fn what_is_written_is_read_back(
        groups in proptest::collection::btree_set(any::<u16>(), 1..6),
        public in proptest::collection::vec(any::<u8>(), 1..100),
        age in any::<u32>(),
        identity in proptest::collection::vec(any::<u8>(), 1..100),
    ) {
        let e = |body: &'static [u8]| Extension::new(ExtensionType::KeyShare, body, 0);
        let leak = |body: Vec<u8>| -> &'static [u8] { body.leak() };
        let shares: Vec<KeyShareEntry<'_>> =
            groups.iter().map(|g| KeyShareEntry { group: NamedGroup(*g), public: &public }).collect();
        let body = leak(written(|w| key_share::write_client(shares.iter().copied(), w)));
        prop_assert_eq!(key_share::client(e(body)).unwrap().iter().collect::<Vec<_>>(), shares);
        let psk = PskIdentity { identity: &identity, obfuscated_age: age };
        let body = leak(written(|w| pre_shared_key::write_offered([psk], [32, 48], w)));
        let offered = pre_shared_key::offered(e(body)).unwrap();
        prop_assert_eq!(offered.identities().collect::<Vec<_>>(), vec![psk]);
        prop_assert_eq!(offered.binders().map(<[u8]>::len).collect::<Vec<_>>(), vec![32, 48]);
        let modes = [PskKeyExchangeMode::PskDheKe, PskKeyExchangeMode(99)];
        let body = leak(written(|w| pre_shared_key::write_modes(&modes, w)));
        prop_assert_eq!(pre_shared_key::modes(e(body)).unwrap(), &[1, 99]);
        let types = [CertificateType::RawPublicKey, CertificateType(77)];
        let body = leak(written(|w| certificate::write_types(ExtensionType::ClientCertificateType, &types, w)));
        prop_assert_eq!(certificate::types(e(body)).unwrap(), &[2, 77]);
        let algorithms = [CompressionAlgorithm::Brotli, CompressionAlgorithm(500)];
        let body = leak(written(|w| certificate::write_compression(algorithms.into_iter(), w)));
        prop_assert_eq!(certificate::compression(e(body)).unwrap().iter().collect::<Vec<_>>(), vec![2, 500]);
        let body = leak(written(|w| early::write_cookie(&identity, w)));
        prop_assert_eq!(early::cookie(e(body)).unwrap(), &identity[..]);
    }
}

/// A small generator of its own: the same run each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

fn alter(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.roll(bytes.len());
    match dice.roll(5) {
        0 => bytes[at] ^= 1 << dice.roll(8),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, u8::try_from(dice.roll(256)).unwrap()),
        3 => {
            let copy = bytes[at..].to_vec();
            bytes.extend(copy);
        }
        _ => {
            bytes.remove(at);
        }
    }
}

/// Two real ends and a link that alters one flight: they fail or they agree, and never is data taken that was not sent.
#[test]
fn a_link_that_alters_flights_makes_no_panic_and_no_wrong_data() {
    for policy in [Policy::modern(), Policy::legacy().with_versions([ProtocolVersion::Tls12])] {
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let server = ServerConfig::builder().identity(identity).policy(policy.clone()).build().unwrap();
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy).build().unwrap();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let mut failed = 0;
        for round in 0..400 {
            let mut pair = Pair::new(&client, &server);
            pair.drive_one_client_flight().unwrap();
            if round % 2 == 0 {
                alter(&mut dice, &mut pair.to_server);
            } else {
                pair.drive_client_flights(1);
                alter(&mut dice, &mut pair.to_server);
            }
            if pair.drive().is_err() || pair.client.facts().is_none() || pair.server.facts().is_none() {
                failed += 1;
                continue;
            }
            pair.client_sends(b"ping").unwrap();
            // What was put behind the last flight may still end the connection, or be the beginning of a record that never
            // ends; it never becomes data.
            let went_on = pair.drive().is_ok();
            let data = &pair.server_data[..];
            assert!(data.is_empty() || went_on && data == b"ping", "{data:?}");
        }
        assert!(failed > 300, "{failed} of 400 altered handshakes failed");
    }
}

#[test]
fn arbitrary_first_bytes_make_no_panic() {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let mut dice = Dice(7);
    for _ in 0..2000 {
        let len = dice.roll(200);
        let mut bytes: Vec<u8> = (0..len).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect();
        if dice.roll(2) == 0 && bytes.len() > 9 {
            let body = u16::try_from(bytes.len() - 5).unwrap().to_be_bytes();
            bytes[..5].copy_from_slice(&[22, 3, 1, body[0], body[1]]);
            bytes[5..9].copy_from_slice(&[1, 0, 0, body[1].saturating_sub(4)]);
        }
        let mut connection = server.accept();
        let _refused_or_waiting = connection.receive(&mut bytes, &mut Vec::new()).is_ok();
    }
}
