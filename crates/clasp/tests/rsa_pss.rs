//! RSA keys that are for RSASSA-PSS alone (RFC 4055), as OpenSSL makes them (`rsa_pss/`: `openssl genpkey -algorithm RSA-PSS`, their
//! authority too), and ECDSA keys that sign a hash that is not their curve's.
#![allow(clippy::unwrap_used)]

use clasp::code::SignatureScheme as S;
use clasp::config::{ClientBuilder, Ready, ServerBuilder, WebPki};
use clasp::crypto::{PrivateKey, Provider};
use clasp::error::{Cause, Misuse, PeerError};
use clasp::x509::{Curve, SignatureAlgorithm, SignatureHash, verify_signature};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, ProtocolVersion, Roots, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
const PSS: [S; 3] = [S::RsaPssPssSha256, S::RsaPssPssSha384, S::RsaPssPssSha512];
const RSAE: [S; 3] = [S::RsaPssRsaeSha256, S::RsaPssRsaeSha384, S::RsaPssRsaeSha512];

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("rsa_pss/", $name))
    };
}

/// No parameters: any hash.
fn any() -> Identity {
    Identity::from_pem(file!("any.pem"), file!("any.key")).unwrap()
}

/// SHA-384 and a salt of 48 bytes at least.
fn sha384() -> Identity {
    Identity::from_pem(file!("sha384.pem"), file!("sha384.key")).unwrap()
}

/// The authority's key is for SHA-256 and RSASSA-PSS alone.
fn roots() -> Arc<Roots> {
    let mut roots = Roots::empty();
    roots.add_pem(file!("ca.pem")).unwrap();
    Arc::new(roots)
}

fn client(version: ProtocolVersion, schemes: &[S]) -> ClientBuilder<Ready> {
    let policy = Policy::default().with_versions([version]).with_schemes(schemes);
    ClientConfig::builder().trust(roots()).policy(policy)
}

fn server(identity: Identity) -> ServerBuilder<Ready> {
    ServerConfig::builder().identity(identity)
}

/// The scheme that a handshake was signed with, or why there was none.
fn scheme(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> Result<S, Cause> {
    let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
    pair.drive().map_err(|error| error.cause().clone())?;
    Ok(pair.client.facts().unwrap().signature_scheme.unwrap())
}

const NONE_IN_COMMON: Result<S, Cause> = Err(Cause::Peer(PeerError::NoCommonScheme));

#[test]
fn a_servers_key_signs_with_schemes_of_its_own() {
    for version in VERSIONS {
        let by_default = ClientConfig::builder().trust(roots()).policy(Policy::default().with_versions([version]));
        assert_eq!(scheme(by_default, server(any())), Ok(PSS[0]), "{version}");
        for own in PSS {
            assert_eq!(scheme(client(version, &[own]), server(any())), Ok(own), "{version}");
        }
        assert_eq!(scheme(client(version, &RSAE), server(any())), NONE_IN_COMMON, "{version}: for plain keys");
        let plain = authority().issue(KeyKind::Rsa, &["localhost"]).identity();
        assert_eq!(scheme(client(version, &PSS), server(plain)), NONE_IN_COMMON, "{version}: for a key of PSS alone");
    }
}

#[test]
fn what_the_parameters_of_a_key_forbid_it_does_not_sign() {
    for version in VERSIONS {
        assert_eq!(scheme(client(version, &PSS), server(sha384())), Ok(PSS[1]), "{version}");
        assert_eq!(scheme(client(version, &[PSS[0], PSS[2]]), server(sha384())), NONE_IN_COMMON, "{version}");
        // The certificate limits a key whose own file says nothing.
        let bare = Identity::from_pem(file!("sha384.pem"), file!("sha384-bare.key")).unwrap();
        assert_eq!(scheme(client(version, &[PSS[0], PSS[2]]), server(bare)), NONE_IN_COMMON, "{version}");
    }
    // TLS has salts as long as the hash, this key wants longer ones.
    let long = Identity::from_pem(file!("long-salt.pem"), file!("long-salt.key")).unwrap();
    assert_eq!(server(long).build().unwrap_err().cause(), &Cause::Misuse(Misuse::Clash));
    let other = Identity::from_pem(file!("sha384.pem"), file!("any.key")).unwrap_err();
    assert_eq!(other.cause(), &Cause::Misuse(Misuse::KeyMismatch));
}

/// A signer that does not know the limits is held to them where the proof is judged.
#[test]
fn a_proof_beyond_the_limits_of_its_key_is_refused() {
    let bare = sha384_without_limits();
    let key = bare.spki().unwrap();
    let message = b"whatever";
    let algorithm = |hash: SignatureHash| SignatureAlgorithm::RsaPss { hash, salt: hash.length() };
    let limited = sha384();
    for (n, hash) in [SignatureHash::Sha256, SignatureHash::Sha384, SignatureHash::Sha512].into_iter().enumerate() {
        let signature = bare.sign(PSS[n], message).unwrap();
        let judge =
            |spki: &[u8]| verify_signature(Provider::builtin().signatures, algorithm(hash), spki, message, &signature);
        assert_eq!(judge(&key), Ok(()), "{hash:?}");
        assert_eq!(judge(limited.spki()).is_ok(), hash == SignatureHash::Sha384, "{hash:?}");
    }
    assert!(bare.sign(RSAE[0], message).is_err(), "a scheme of plain keys");
}

fn sha384_without_limits() -> PrivateKey {
    PrivateKey::from_der(clasp::x509::pem::private_key(file!("sha384-bare.key")).unwrap().der()).unwrap()
}

#[test]
fn a_clients_key_proves_who_it_is() {
    let p256 = || authority().issue(KeyKind::P256, &["localhost"]).identity();
    for version in VERSIONS {
        for (identity, wanted) in [(any(), PSS[0]), (sha384(), PSS[1])] {
            let policy = Policy::default().with_versions([version]);
            let client = ClientConfig::builder().trust(authority().roots()).policy(policy).identity(identity);
            let auth = ClientAuth::Require(Arc::new(WebPki::clients(roots())));
            let server = server(p256()).client_auth(auth).build().unwrap();
            let mut pair = Pair::new(&client.build().unwrap(), &server);
            pair.drive().unwrap();
            let peer = pair.server.facts().unwrap();
            assert!(peer.peer.is_some(), "{version}: {wanted}");
        }
    }
}

/// RFC 4055 1.2: such a key decrypts nothing.
#[cfg(feature = "legacy")]
#[test]
fn there_is_no_key_transport_with_it() {
    use clasp::CipherSuite;
    let transport = Policy::legacy().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256]);
    let refused = server(any()).policy(transport).build().unwrap_err();
    assert_eq!(refused.cause(), &Cause::Misuse(Misuse::Clash));
    let key = Arc::new(PrivateKey::from_der(clasp::x509::pem::private_key(file!("any.key")).unwrap().der()).unwrap());
    let outside = Identity::with_signer(any().chain().to_vec(), key.clone()).unwrap();
    assert_eq!(outside.with_transport_key(key).unwrap_err().cause(), &Cause::Misuse(Misuse::BadPrivateKey));
}

/// RFC 8422 5.1.1: in TLS 1.2 the scheme says the hash and the key the curve; in TLS 1.3 it says both.
#[test]
fn an_ecdsa_key_signs_the_hash_that_a_client_of_tls_1_2_takes() {
    let [sha256, sha384, sha512] = [S::EcdsaSecp256r1Sha256, S::EcdsaSecp384r1Sha384, S::EcdsaSecp521r1Sha512];
    for (kind, own) in [(KeyKind::P256, sha256), (KeyKind::P384, sha384)] {
        let identity = || authority().issue(kind, &["localhost"]).identity();
        let meet = |version, schemes: &[S]| {
            let policy = Policy::default().with_versions([version]).with_schemes(schemes);
            scheme(ClientConfig::builder().trust(authority().roots()).policy(policy), server(identity()))
        };
        for only in [sha256, sha384, sha512] {
            assert_eq!(meet(ProtocolVersion::Tls12, &[only]), Ok(only), "{kind:?}");
            let in_tls13 = if only == own { Ok(own) } else { NONE_IN_COMMON };
            assert_eq!(meet(ProtocolVersion::Tls13, &[only]), in_tls13, "{kind:?}");
        }
        // Its own curve's goes before the order of the policy.
        assert_eq!(meet(ProtocolVersion::Tls12, &[sha512, sha256, sha384]), Ok(own), "{kind:?}");
    }
}

/// What is cut or filled up to the hash of the curve is the signature of the whole hash, by whoever checks it.
#[test]
fn every_hash_with_every_curve() {
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512};
    for (algorithm, curve) in [
        (&PKCS_ECDSA_P256_SHA256, Curve::P256),
        (&PKCS_ECDSA_P384_SHA384, Curve::P384),
        (&PKCS_ECDSA_P521_SHA512, Curve::P521),
    ] {
        let key = PrivateKey::from_der(&KeyPair::generate_for(algorithm).unwrap().serialize_der()).unwrap();
        for (scheme, hash) in [
            (S::EcdsaSecp256r1Sha256, SignatureHash::Sha256),
            (S::EcdsaSecp384r1Sha384, SignatureHash::Sha384),
            (S::EcdsaSecp521r1Sha512, SignatureHash::Sha512),
        ] {
            let signature = key.sign(scheme, b"message").unwrap();
            let judge = |message: &[u8]| {
                let with = SignatureAlgorithm::Ecdsa(curve, hash);
                verify_signature(Provider::builtin().signatures, with, &key.spki().unwrap(), message, &signature)
            };
            assert_eq!(judge(b"message"), Ok(()), "{curve:?}, {hash:?}");
            assert!(judge(b"another").is_err(), "{curve:?}, {hash:?}");
        }
    }
}
