//! What a connection gives to other protocols: keying material (RFC 5705, RFC 9846 7.5) and channel bindings (RFC 5929,
//! RFC 9266). Both ends have the same, no other connection has, and it is refused where somebody else might.
#![allow(clippy::unwrap_used)]

use clasp::crypto::{HashId, Provider};
use clasp::error::{Cause, Misuse};
use clasp::wire::code::{CipherSuite, ProtocolVersion};
use clasp::{ClientConfig, Connection, Error, Policy, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
    PKCS_RSA_SHA512, SignatureAlgorithm,
};

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

fn established(version: ProtocolVersion, extended_master_secret: bool) -> Pair {
    let client = ClientConfig::builder().trust(authority().roots()).extended_master_secret(extended_master_secret);
    let policy = if extended_master_secret { Policy::default() } else { Policy::legacy() };
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).policy(policy.clone().with_versions([version]));
    let mut pair = Pair::new(&client.policy(policy).build().unwrap(), &server.build().unwrap());
    pair.drive().unwrap();
    pair
}

fn exported(connection: &Connection, label: &[u8], context: Option<&[u8]>) -> Result<[u8; 32], Error> {
    let mut out = [0; 32];
    connection.export(label, context, &mut out)?;
    assert_ne!(out, [0; 32], "nothing was written");
    Ok(out)
}

fn misuse<T: core::fmt::Debug>(result: Result<T, Error>) -> Misuse {
    let Cause::Misuse(misuse) = *result.unwrap_err().cause() else { return Misuse::Clash };
    misuse
}

/// RFC 5705 4: the label and the context tell what is exported, and in TLS 1.2 no context is not an empty one; in TLS 1.3
/// it is (RFC 9846 7.5).
#[test]
fn keying_material_hangs_on_label_and_context() {
    for version in [TLS12, TLS13] {
        let pair = established(version, true);
        let of = |label: &[u8], context| {
            let [a, b] = [&pair.client, &pair.server].map(|side| exported(side, label, context).unwrap());
            assert_eq!(a, b, "{version}");
            a
        };
        let plain = of(b"EXPORTER-one", None);
        assert_eq!(plain, of(b"EXPORTER-one", None));
        assert_eq!(plain == of(b"EXPORTER-one", Some(b"")), version == TLS13);
        assert_ne!(plain, of(b"EXPORTER-two", None));
        assert_ne!(of(b"EXPORTER-one", Some(b"a")), of(b"EXPORTER-one", Some(b"b")));
        assert_ne!(plain, exported(&established(version, true).client, b"EXPORTER-one", None).unwrap());
    }
}

/// RFC 5705 4: labels of TLS's own name other secrets of the same connection.
#[test]
fn labels_of_tls_itself_are_refused() {
    for version in [TLS12, TLS13] {
        let pair = established(version, true);
        for label in ["client finished", "server finished", "master secret", "key expansion", "extended master secret"]
        {
            assert_eq!(misuse(exported(&pair.client, label.as_bytes(), None)), Misuse::ExporterUnavailable, "{label}");
            exported(&pair.client, format!("{label}s").as_bytes(), None).unwrap();
        }
    }
}

/// HKDF gives 255 blocks (RFC 5869 2.3), and a label of TLS 1.3 has one byte for its length, `tls13 ` included.
#[test]
fn tls13_exports_as_much_as_hkdf_gives() {
    let sha256 = Policy::modern().with_suites([CipherSuite::TLS_AES_128_GCM_SHA256]);
    let client = ClientConfig::builder().trust(authority().roots()).policy(sha256).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    pair.drive().unwrap();
    pair.client.export(b"EXPORTER-most", None, &mut vec![0; 255 * 32]).unwrap();
    pair.client.export(&[b'l'; 249], None, &mut [0; 16]).unwrap();
    let too_much = pair.client.export(b"EXPORTER-most", None, &mut vec![0; 255 * 32 + 1]);
    assert_eq!(misuse(too_much), Misuse::ExporterTooLong);
    assert_eq!(misuse(pair.client.export(&[b'l'; 250], None, &mut [0; 16])), Misuse::ExporterTooLong);
}

#[test]
fn nothing_is_exported_before_the_handshake_is_done() {
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let client = client.connect("localhost".try_into().unwrap());
    assert_eq!(misuse(client.export(b"EXPORTER-early", None, &mut [0; 32])), Misuse::HandshakeUnfinished);
    assert_eq!(misuse(client.export_early(b"EXPORTER-early", b"", &mut [0; 32])), Misuse::HandshakeUnfinished);
    assert_eq!(misuse(client.tls_exporter()), Misuse::HandshakeUnfinished);
    assert_eq!(misuse(client.tls_unique()), Misuse::HandshakeUnfinished);
}

/// RFC 9266 4.2: the label, and an empty context. RFC 5929 3: the first Finished, which is each connection's own.
#[test]
fn channel_bindings_are_the_same_at_both_ends_of_one_connection_alone() {
    for version in [TLS12, TLS13] {
        let pair = established(version, true);
        let binding = pair.client.tls_exporter().unwrap();
        assert_eq!(binding, pair.server.tls_exporter().unwrap());
        assert_eq!(binding, exported(&pair.client, b"EXPORTER-Channel-Binding", Some(b"")).unwrap());
        assert_ne!(binding, established(version, true).client.tls_exporter().unwrap());
    }
    let (one, other) = (established(TLS12, true), established(TLS12, true));
    assert_eq!(one.client.tls_unique().unwrap(), one.server.tls_unique().unwrap());
    assert_ne!(one.client.tls_unique().unwrap(), other.client.tls_unique().unwrap());
}

/// RFC 7627 5.4, 1: without the extended master secret a man in the middle can make two connections with the same secrets.
/// TLS 1.3 has no `tls-unique` (RFC 9846 C.5).
#[test]
fn bindings_that_need_not_be_unique_are_refused() {
    let old = established(TLS12, false);
    assert!(!old.client.facts().unwrap().extended_master_secret);
    for side in [&old.client, &old.server] {
        assert_eq!(misuse(side.tls_exporter()), Misuse::ChannelBindingUnsafe);
        assert_eq!(misuse(side.tls_unique()), Misuse::ChannelBindingUnsafe);
        assert_eq!(misuse(exported(side, b"EXPORTER-test", None)), Misuse::ExporterUnavailable);
    }
    assert_eq!(misuse(established(TLS13, true).client.tls_unique()), Misuse::ChannelBindingUnsafe);
}

/// RFC 9846 7.5: the early exporter's secret is there where early data was taken, and its labels are bounded as the other's.
#[test]
fn early_keying_material_is_that_of_early_data_alone() {
    let client = ClientConfig::builder().trust(authority().roots()).early_data(true).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).policy(Policy::modern()).max_early_data(1000);
    let server = server.build().unwrap();
    let without = |pair: &Pair| {
        for side in [&pair.client, &pair.server] {
            let refused = side.export_early(b"EXPORTER-early", b"", &mut [0; 32]);
            assert_eq!(misuse(refused), Misuse::ExporterUnavailable);
        }
    };
    let mut pair = Pair::new(&client, &server);
    pair.drive().unwrap();
    without(&pair);
    without(&established(TLS12, true));

    let mut pair = Pair::new(&client, &server);
    pair.drive_one_client_flight().unwrap();
    pair.client.send_early(b"early", &mut pair.to_server).unwrap();
    pair.drive().unwrap();
    assert_eq!(pair.server_data, b"early");
    let of = |label: &[u8], context: &[u8]| {
        let [a, b] = [&pair.client, &pair.server].map(|side| {
            let mut out = [0; 32];
            side.export_early(label, context, &mut out).unwrap();
            out
        });
        assert_eq!(a, b);
        assert_ne!(a, [0; 32], "nothing was written");
        a
    };
    let early = of(b"EXPORTER-early", b"");
    assert_ne!(early, of(b"EXPORTER-other", b""));
    assert_ne!(early, of(b"EXPORTER-early", b"context"));
    assert_ne!(early, exported(&pair.client, b"EXPORTER-early", Some(b"")).unwrap(), "not the secret of the rest");
    assert_eq!(misuse(pair.client.export_early(&[b'l'; 250], b"", &mut [0; 32])), Misuse::ExporterTooLong);
}

fn self_signed(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
    let key = KeyPair::generate_for(algorithm).unwrap();
    CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec()
}

/// RFC 5929 4.1: the hash of the certificate's signature, SHA-256 in place of SHA-1, and none where the signature has none.
#[test]
fn tls_server_end_point_is_the_hash_of_the_certificates_signature() {
    let side = established(TLS13, true).client;
    let of = |certificate: &[u8], id| {
        let hash = Provider::builtin().hash(id).unwrap().digest(&[certificate]).as_ref().to_vec();
        assert_eq!(side.tls_server_end_point(certificate).unwrap(), hash, "{id:?}");
    };
    of(&self_signed(&PKCS_ECDSA_P256_SHA256), HashId::Sha256);
    of(&self_signed(&PKCS_ECDSA_P384_SHA384), HashId::Sha384);
    of(&self_signed(&PKCS_RSA_SHA512), HashId::Sha512);
    // sha256WithRSAEncryption becomes sha1WithRSAEncryption in both places: RFC 8017 A.2.4.
    let mut sha1 = self_signed(&PKCS_RSA_SHA256);
    let rsa = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
    let places: Vec<usize> = sha1.windows(rsa.len()).enumerate().filter(|(_, w)| w == rsa).map(|(at, _)| at).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        sha1[at + rsa.len() - 1] = 5;
    }
    of(&sha1, HashId::Sha256);
    let none = side.tls_server_end_point(&self_signed(&PKCS_ED25519));
    assert_eq!(misuse(none), Misuse::ExporterUnavailable);
    assert_eq!(misuse(side.tls_server_end_point(b"no certificate")), Misuse::BadCertificateFile);
}
