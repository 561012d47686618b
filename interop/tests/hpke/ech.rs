//! Encrypted Client Hello with rustls as the client: opened, with another hello between, not opened, and with bytes that only look
//! like one.

use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchKeyRing, EchKeyStore, EchParameters};
use clasp::{Facts, NamedGroup, Policy, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use rustls::client::{EchConfig, EchGreaseConfig, EchMode, EchStatus};
use rustls::crypto::aws_lc_rs::hpke::ALL_SUPPORTED_SUITES;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::hpke::HpkePublicKey;
use rustls::{ClientConnection, PeerIncompatible, RootCertStore};
use rustls_pki_types::EchConfigListBytes;
use std::sync::Arc;

fn key() -> EchKey {
    EchKey::generate(Provider::builtin(), &EchParameters::new("public.example")).unwrap()
}

fn client(mode: EchMode) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(authority().der().to_vec().into()).unwrap();
    let mut provider = default_provider();
    provider.kx_groups = vec![kx_group::X25519, kx_group::SECP256R1];
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider)).with_ech(mode).unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    ClientConnection::new(Arc::new(config), "hidden.example".try_into().unwrap()).unwrap()
}

fn server(key: EchKey, groups: &[NamedGroup; 1]) -> clasp::Connection {
    let identity = authority().issue(KeyKind::P256, &["public.example", "hidden.example"]).identity();
    let keys = Arc::new(EchKeyStore::new(EchKeyRing::new([key]).unwrap()));
    let policy = Policy::default().with_groups(groups);
    let server = ServerConfig::builder().identity(identity).policy(policy).encrypted_client_hello(keys);
    server.build().unwrap().accept()
}

/// Down to the end, or to what the client finds wrong.
fn talk(client: &mut ClientConnection, server: &mut clasp::Connection) -> Result<Facts, rustls::Error> {
    for _ in 0..6 {
        let (mut up, mut down) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut up).unwrap();
        }
        let mut at = 0;
        while at < up.len() {
            let Ok(received) = server.receive(&mut up[at..], &mut down) else { break };
            at += received.used;
        }
        let mut down = &down[..];
        while !down.is_empty() {
            client.read_tls(&mut down).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(server.facts().unwrap().as_ref().clone())
}

#[test]
fn rustls_hides_and_we_open() {
    for (groups, retried) in [(&[NamedGroup::X25519], false), (&[NamedGroup::Secp256r1], true)] {
        let key = key();
        let list = EchConfigListBytes::from(key.list().as_bytes().to_vec());
        let mut client = client(EchConfig::new(list, ALL_SUPPORTED_SUITES).unwrap().into());
        let facts = talk(&mut client, &mut server(key, groups)).unwrap();
        assert_eq!(client.ech_status(), EchStatus::Accepted);
        let ech = facts.encrypted_client_hello.unwrap();
        assert!(ech.accepted && facts.hello_retried == retried);
        assert_eq!(
            (ech.outer_name.as_deref(), facts.server_name.as_deref()),
            (Some("public.example"), Some("hidden.example"))
        );
    }
}

#[test]
fn rustls_learns_of_the_key_that_is_published_now() {
    for groups in [&[NamedGroup::X25519], &[NamedGroup::Secp256r1]] {
        let (old, new) = (key(), key());
        let list = EchConfigListBytes::from(old.list().as_bytes().to_vec());
        let mut hiding = client(EchConfig::new(list, ALL_SUPPORTED_SUITES).unwrap().into());
        let published = new.list().as_bytes().to_vec();
        let error = talk(&mut hiding, &mut server(new, groups)).unwrap_err();
        let rustls::Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(Some(configs))) =
            error
        else {
            panic!("{error}")
        };
        assert_eq!(configs.len(), 1);
        // It gives them in a form of its own, so the bytes are looked for in what it would publish: the public key is enough.
        let shown = format!("{configs:?}");
        assert!(shown.contains("public.example"), "{shown} {published:?}");
    }
}

#[test]
fn rustls_hides_nothing_and_all_goes_on() {
    for groups in [&[NamedGroup::X25519], &[NamedGroup::Secp256r1]] {
        let placeholder = HpkePublicKey(key().key().public().to_vec());
        let suite = ALL_SUPPORTED_SUITES
            .iter()
            .find(|suite| u16::from(suite.suite().kem) == 0x20 && u16::from(suite.suite().sym.aead_id) == 1)
            .unwrap();
        let mut client = client(EchGreaseConfig::new(*suite, placeholder).into());
        let facts = talk(&mut client, &mut server(key(), groups)).unwrap();
        assert_eq!(client.ech_status(), EchStatus::Grease);
        let ech = facts.encrypted_client_hello.unwrap();
        assert!(!ech.accepted);
        assert_eq!(facts.server_name.as_deref(), Some("hidden.example"));
    }
}
