//! Who checks signatures: the configuration's provider, and nobody else; those of handshakes, and those of certificates.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientBuilder, PresentedIdentity, Ready, Verified, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::error::{Cause, CertificateError, PeerError};
use clasp::session::{ClientSessionCache, TicketKeys};
use clasp::wire::code::{ProtocolVersion, SignatureScheme};
use clasp::x509::{Check, Curve, Scope, SignatureAlgorithm, SignatureError, SignatureHash};
use clasp::{Answer, ClientAuth, ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::provider::{NoSignature, Noted, ring_signatures, with_signatures};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
const P256: SignatureAlgorithm = SignatureAlgorithm::Ecdsa(Curve::P256, SignatureHash::Sha256);

fn policy(version: ProtocolVersion) -> Policy {
    Policy::default().with_versions([version])
}

fn identity(kind: KeyKind) -> Identity {
    authority().issue(kind, &["localhost"]).identity()
}

fn client(version: ProtocolVersion) -> ClientBuilder<Ready> {
    ClientConfig::builder().trust(authority().roots()).policy(policy(version))
}

fn none(error: SignatureError) -> &'static Provider {
    with_signatures(Box::leak(Box::new(NoSignature(error))), Provider::builtin().schemes)
}

/// What a handshake between two such configurations ends with.
fn meet(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<Pair, Cause> {
    let mut pair = Pair::new(client, server);
    pair.drive().map_err(|error| error.cause().clone())?;
    Ok(pair)
}

/// Whether a connection was resumed; its tickets are there.
fn resumed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> bool {
    let mut pair = meet(client, server).unwrap();
    pair.server_sends(b"x").unwrap();
    pair.drive().unwrap();
    pair.client.facts().unwrap().resumed.is_some()
}

#[test]
fn the_provider_of_a_client_checks_the_chain_its_lists_and_the_proof() {
    for version in VERSIONS {
        let (provider, noted) = Noted::provider();
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        let server = ServerConfig::builder().identity(issued.identity()).build().unwrap();
        let lists = vec![authority().revocation_list(&[])];
        let verifier = WebPki::servers(authority().roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap();
        let verifier = Arc::new(verifier);
        let client = || {
            let client = ClientConfig::builder().dangerous_verifier(verifier.clone()).policy(policy(version));
            client.provider(provider).build().unwrap()
        };
        meet(&client(), &server).unwrap();
        let seen = noted.take();
        assert_eq!(seen.len(), 3, "{version}: certificate, list, proof");
        assert!(seen.iter().all(|(algorithm, _)| *algorithm == P256));
        let [certificate, list, proof] = [0, 1, 2].map(|n| &seen[n].1[..]);
        let whole = |part: &[u8], of: &[u8]| of.windows(part.len()).any(|w| w == part);
        assert!(whole(certificate, &issued.chain[0]), "the certificate first");
        assert!(!whole(list, &issued.chain[0]) && !whole(proof, &issued.chain[0]));
        let in_tls13 = proof.windows(33).any(|w| w == b"TLS 1.3, server CertificateVerify");
        assert_eq!(in_tls13, version == ProtocolVersion::Tls13, "the proof last");
        meet(&client(), &server).unwrap();
        assert_eq!(noted.take().len(), 1, "the verdict is remembered, the proof is not");
    }
}

#[test]
fn the_provider_of_a_server_checks_its_clients() {
    for version in VERSIONS {
        let (provider, noted) = Noted::provider();
        let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
        let server = |provider| ServerConfig::builder().identity(identity(KeyKind::P256)).provider(provider);
        let alice = || client(version).identity(identity(KeyKind::Ed25519)).build().unwrap();
        meet(&alice(), &server(provider).client_auth(auth.clone()).build().unwrap()).unwrap();
        let seen: Vec<_> = noted.take().into_iter().map(|(algorithm, _)| algorithm).collect();
        assert_eq!(seen, [P256, SignatureAlgorithm::Ed25519], "{version}: certificate, proof");
        let refusing = server(none(SignatureError::Wrong)).client_auth(auth).build().unwrap();
        let refused = meet(&alice(), &refusing).unwrap_err();
        assert_eq!(refused, Cause::Certificate(CertificateError::BadSignature), "{version}");
    }
}

#[test]
fn a_provider_that_takes_nothing_has_every_chain_refused_and_every_proof() {
    for version in VERSIONS {
        let server = ServerConfig::builder().identity(identity(KeyKind::P256)).build().unwrap();
        for (error, of_chain, of_proof) in [
            (SignatureError::Wrong, CertificateError::BadSignature, Cause::Peer(PeerError::BadSignature)),
            (
                SignatureError::Unsupported,
                CertificateError::UnsupportedAlgorithm,
                Cause::Certificate(CertificateError::UnsupportedAlgorithm),
            ),
        ] {
            let refused = meet(&client(version).provider(none(error)).build().unwrap(), &server).unwrap_err();
            assert_eq!(refused, Cause::Certificate(of_chain), "{version}");
            // A verifier that asks nobody leaves the proof.
            let anyone = ClientConfig::builder().dangerous_verifier(Arc::new(clasp::config::DangerousAcceptAnyone));
            let anyone = anyone.policy(policy(version)).provider(none(error)).build().unwrap();
            assert_eq!(meet(&anyone, &server).unwrap_err(), of_proof, "{version}");
        }
    }
}

/// Sessions hang on who checked the signatures that they stand for.
#[test]
fn a_session_is_not_resumed_by_another_checker_of_signatures() {
    let hour = Duration::from_secs(3600);
    for version in VERSIONS {
        let noted = Noted::provider().0;
        let store = Arc::new(ClientSessionCache::new(8));
        let tickets = Arc::new(TicketKeys::random(Provider::builtin(), hour, hour).unwrap());
        let verifier = Arc::new(WebPki::servers(authority().roots()));
        let client = |provider| {
            let client = ClientConfig::builder().dangerous_verifier(verifier.clone()).policy(policy(version));
            let client = client.identity(identity(KeyKind::P256));
            client.sessions(store.clone()).provider(provider).build().unwrap()
        };
        let auth = ClientAuth::Request(Arc::new(WebPki::clients(authority().roots())));
        let server = |provider, asks: bool| {
            let server =
                ServerConfig::builder().identity(identity(KeyKind::P256)).tickets(tickets.clone()).provider(provider);
            if asks { server.client_auth(auth.clone()) } else { server }.build().unwrap()
        };
        let builtin = Provider::builtin();
        let same_identity = client(builtin);
        assert!(!resumed(&same_identity, &server(builtin, true)));
        assert!(resumed(&same_identity, &server(builtin, true)), "{version}");
        assert!(!resumed(&same_identity, &server(noted, true)), "{version}: another at the server");
        assert!(resumed(&same_identity, &server(noted, true)), "{version}: the same again");
        // A server that asks nobody has had nothing checked.
        assert!(!resumed(&same_identity, &server(noted, false)));
        assert!(resumed(&same_identity, &server(builtin, false)), "{version}");
    }
}

#[test]
fn a_client_resumes_with_the_same_checker_alone() {
    let hour = Duration::from_secs(3600);
    for version in VERSIONS {
        let store = Arc::new(ClientSessionCache::new(8));
        let verifier = Arc::new(WebPki::servers(authority().roots()));
        let tickets = Arc::new(TicketKeys::random(Provider::builtin(), hour, hour).unwrap());
        let server = ServerConfig::builder().identity(identity(KeyKind::P256)).tickets(tickets).build().unwrap();
        let met = |provider: &'static Provider| {
            let client = ClientConfig::builder().dangerous_verifier(verifier.clone()).policy(policy(version));
            let client = client.sessions(store.clone()).provider(provider).build().unwrap();
            resumed(&client, &server)
        };
        let noted = Noted::provider().0;
        let seen = [Provider::builtin(), Provider::builtin(), noted, noted].map(met);
        assert_eq!(seen, [false, true, false, true], "{version}");
        // Whatever a processor chooses, public keys are AWS-LC's: machines share sessions.
        assert!(Provider::choices().iter().all(|choice| met(choice)), "{version}");
    }
}

/// Another library in place of AWS-LC, for all signatures there are, as far as it has them.
#[test]
fn ring_checks_all_signatures_of_a_connection() {
    let ring = ring_signatures();
    for version in VERSIONS {
        for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Rsa, KeyKind::Ed25519] {
            let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
            let server = ServerConfig::builder().identity(identity(kind)).client_auth(auth);
            let policy = Policy::default().with_versions([version]).with_schemes(ring.schemes);
            let server = server.policy(policy.clone()).provider(ring).build().unwrap();
            let lists = vec![authority().revocation_list(&[])];
            let verifier = WebPki::servers(authority().roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap();
            let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).policy(policy).provider(ring);
            let client = client.identity(identity(kind)).build().unwrap();
            meet(&client, &server).unwrap();
            let stranger = ServerConfig::builder()
                .identity(clasp_testkit::other_authority().issue(kind, &["localhost"]).identity())
                .build()
                .unwrap();
            let refused = meet(&client, &stranger).map(drop).unwrap_err();
            assert_eq!(refused, Cause::Certificate(CertificateError::BadSignature), "{version}, {kind:?}");
        }
    }
    let lacking = Policy::default().with_schemes([SignatureScheme::MlDsa65]);
    let lacking = ClientConfig::builder().trust(authority().roots()).policy(lacking).provider(ring).build();
    assert!(
        lacking.unwrap_err().to_string().contains("mldsa65"),
        "what it has not is said when a configuration is built"
    );
    let key = clasp::crypto::PrivateKey::from_der(&authority().issue(KeyKind::P256, &["localhost"]).key).unwrap();
    let spki = key.spki().unwrap();
    let spki = clasp::x509::Spki::parse(&spki).unwrap();
    let point = |curve| ring.signatures.check_point(curve, &spki);
    assert_eq!([Curve::P256, Curve::P521].map(point), [Ok(()), Err(SignatureError::Unsupported)]);
}

/// Takes everybody, by a key of its own.
struct By(Vec<u8>);

impl Verifier for By {
    fn verify<'a>(&'a self, _peer: PresentedIdentity<'a>) -> Answer<'a, clasp::Result<Verified>> {
        Answer::Now(Ok(Verified::dangerous_assume(&self.0)))
    }
}

/// Whoever takes a key, and whatever library checks: below 2048 bits RSA proves nothing.
#[test]
fn a_small_rsa_key_proves_nothing() {
    let key = |bytes: u8| {
        // SubjectPublicKeyInfo { rsaEncryption, RSAPublicKey { an odd modulus of so many bytes, 65537 } }
        let tlv = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82, length[0], length[1]], content].concat()
        };
        let modulus = tlv(2, &[&[0][..], &vec![0xff; usize::from(bytes) + 1]].concat());
        let key = tlv(0x30, &[&modulus[..], &[2, 3, 1, 0, 1]].concat());
        let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        tlv(0x30, &[&algorithm[..], &tlv(3, &[&[0][..], &key].concat())].concat())
    };
    for version in VERSIONS {
        let server = ServerConfig::builder().identity(identity(KeyKind::Rsa)).build().unwrap();
        let met = |spki| {
            let client = ClientConfig::builder().dangerous_verifier(Arc::new(By(spki))).policy(policy(version));
            let mut pair = Pair::new(&client.build().unwrap(), &server);
            pair.drive().unwrap_err()
        };
        let small = met(key(254));
        assert_eq!(*small.cause(), Cause::Certificate(CertificateError::UnsupportedAlgorithm), "{version}");
        assert!(small.to_string().contains("RSA 2040") && small.to_string().contains("2048 to 8192"), "{small}");
        assert_eq!(*met(key(255)).cause(), Cause::Peer(PeerError::BadSignature), "{version}");
    }
}

/// RFC 5929 4.1: the hash is that of the certificate's signature, by the connection's provider.
#[test]
fn the_end_point_of_a_server_is_hashed_as_its_certificate_is_signed() {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let server = ServerConfig::builder().identity(issued.identity()).build().unwrap();
    let pair = meet(&client(ProtocolVersion::Tls13).build().unwrap(), &server).unwrap();
    let seen = &pair.client.facts().unwrap().peer_chain()[0];
    let hash = Provider::builtin().hash(clasp::crypto::HashId::Sha256).unwrap().digest(&[&issued.chain[0]]);
    assert_eq!(pair.client.tls_server_end_point(seen).unwrap(), hash.as_ref());
    assert_eq!(pair.server.tls_server_end_point(&issued.chain[0]).unwrap(), hash.as_ref());
    assert!(pair.client.tls_server_end_point(&[5, 0]).is_err());
}
