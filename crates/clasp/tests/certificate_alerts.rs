//! A certificate, or its staple, that is refused: the alert that each class of refusal is told with, and what the
//! application learns of a client's certificate.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{DangerousAcceptAnyone, Policy, Verifier, WebPki};
use clasp::error::{Cause, CertificateError, PeerError};
use clasp::wire::code::{AlertDescription as Alert, ProtocolVersion};
use clasp::x509::{Check, Identifier as Name, Profile, Scope};
use clasp::{ClientAuth, ClientConfig, Connection, Error, Roots, ServerConfig};
use clasp_testkit::{Authority, KeyKind, Pair, authority};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType, date_time_ymd};
use std::sync::Arc;

fn identity(by: &Authority, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> clasp::Identity {
    by.issue_with(KeyKind::P256, names, change).identity()
}

/// What becomes of a server with this identity; the client's error and the alert that the server was told.
fn refused(identity: clasp::Identity, verifier: WebPki) -> (CertificateError, Alert) {
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    let error = pair.drive().unwrap_err();
    let Cause::Certificate(class) = error.cause().clone() else { panic!("{error}") };
    let told = pair.server.failure().unwrap().peer_alert().unwrap();
    assert_eq!(told, error.alert(), "{error}");
    assert!(error.hint_text().is_some() && error.to_string().contains("RFC"), "{error}");
    (class, told)
}

/// A message has room for more than is looked at.
#[test]
fn a_hundred_certificates_are_taken_and_no_more() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let policy = Policy::default().with_versions([version]);
        for (count, wanted) in [(100, None), (101, Some(Cause::Peer(PeerError::TooManyCertificates)))] {
            let issued = authority().issue(KeyKind::P256, &["localhost"]);
            let mut chain = issued.chain.clone();
            chain.resize(count, authority().der().to_vec().into());
            let identity = clasp::Identity::from_der(chain, &issued.key).unwrap();
            let server = ServerConfig::builder().identity(identity).policy(policy.clone()).build().unwrap();
            let client = ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone()).build().unwrap();
            let met = Pair::new(&client, &server).drive();
            assert_eq!(met.err().map(|error| error.cause().clone()), wanted, "{count} in {version}");
        }
    }
}

#[test]
fn each_class_of_refusal_has_its_alert() {
    let ours = authority();
    let trusting = || WebPki::servers(ours.roots());
    let here = &["localhost"];
    let unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    let critical = |mut extension: CustomExtension| {
        extension.set_criticality(true);
        extension
    };
    for (identity, class, alert) in [
        (
            identity(ours, here, |p| p.not_after = date_time_ymd(2021, 1, 1)),
            CertificateError::Expired,
            Alert::CertificateExpired,
        ),
        (
            identity(ours, here, |p| p.not_before = date_time_ymd(2050, 1, 1)),
            CertificateError::NotYetValid,
            Alert::CertificateExpired,
        ),
        (identity(&Authority::new("Stranger"), here, |_| ()), CertificateError::UnknownIssuer, Alert::UnknownCa),
        (identity(ours, &["example.org"], |_| ()), CertificateError::NameMismatch, Alert::BadCertificate),
        (
            identity(ours, here, |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            CertificateError::WrongUsage,
            Alert::UnsupportedCertificate,
        ),
        (
            identity(ours, here, |p| p.custom_extensions = vec![critical(unknown)]),
            CertificateError::CriticalExtension,
            Alert::UnsupportedCertificate,
        ),
    ] {
        assert_eq!(refused(identity, trusting()), (class, alert));
    }
}

/// One's own authority need not follow the Baseline Requirements: whichever of them is broken, the error says so.
#[test]
fn a_refusal_by_the_rules_of_the_web_alone_names_the_way_out() {
    let ours = authority();
    let hint = |verifier: WebPki, change: fn(&mut CertificateParams)| {
        let server = ServerConfig::builder().identity(identity(ours, &["localhost"], change)).build().unwrap();
        let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).build().unwrap();
        Pair::new(&client, &server).drive().err().map(|error| error.hint_text().unwrap().to_string())
    };
    let no_purpose = |p: &mut CertificateParams| p.extended_key_usages.clear();
    let web = hint(WebPki::servers(ours.roots()).profile(Profile::WebPki), no_purpose).unwrap();
    assert!(web.contains("Profile::Rfc5280"), "{web}");
    assert_eq!(hint(WebPki::servers(ours.roots()), no_purpose), None);
    let late = hint(WebPki::servers(ours.roots()), |p| p.not_after = date_time_ymd(2021, 1, 1)).unwrap();
    assert!(!late.contains("Profile::Rfc5280"), "{late}");
}

#[test]
fn revoked_and_of_unknown_status() {
    let ours = authority();
    let list = |revoked: &[u8]| ours.revocation_list(revoked);
    let with = |lists| WebPki::servers(ours.roots()).revocation(Check::Require, Scope::Leaf, lists).unwrap();
    let one = || identity(ours, &["localhost"], |p| p.serial_number = Some(vec![0x77].into()));
    let (class, alert) = refused(one(), with(vec![list(&[0x77])]));
    assert_eq!((class, alert), (CertificateError::Revoked, Alert::CertificateRevoked));
    let (class, alert) = refused(one(), with(Vec::new()));
    assert_eq!((class, alert), (CertificateError::StatusUnknown, Alert::BadCertificateStatusResponse));
    let server = ServerConfig::builder().identity(one()).build().unwrap();
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(with(vec![list(&[0x78])]))).build().unwrap();
    Pair::new(&client, &server).drive().unwrap();
}

/// The policies of one version each.
fn versions() -> [Policy; 2] {
    [ProtocolVersion::Tls12, ProtocolVersion::Tls13].map(|version| Policy::default().with_versions([version]))
}

/// A key that proves nothing here is of an unsupported type, whatever the verifier says of its certificate.
#[test]
fn a_key_of_an_unsupported_kind_is_an_unsupported_certificate() {
    let ours = authority();
    let verifiers = |of: fn(Arc<Roots>) -> WebPki| -> [Arc<dyn Verifier>; 3] {
        let lenient = of(ours.roots()).profile(Profile::Rfc5280);
        [Arc::new(of(ours.roots())), Arc::new(lenient), Arc::new(DangerousAcceptAnyone)]
    };
    let refused = |error: &Error, told: &Connection| {
        assert_eq!(*error.cause(), Cause::Certificate(CertificateError::UnsupportedAlgorithm), "{error}");
        assert_eq!(error.place().message, Some("Certificate"), "{error}");
        assert_eq!(told.failure().unwrap().peer_alert(), Some(Alert::UnsupportedCertificate));
    };
    for policy in versions() {
        for verifier in verifiers(WebPki::servers) {
            let server = ServerConfig::builder().identity(ours.with_unknown_key(&["localhost"]));
            let client = ClientConfig::builder().dangerous_verifier(verifier).policy(policy.clone());
            let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
            refused(&pair.drive().unwrap_err(), &pair.server);
        }
        for verifier in verifiers(WebPki::clients) {
            let server = ServerConfig::builder().identity(identity(ours, &["localhost"], |_| ()));
            let server = server.client_auth(ClientAuth::Require(verifier)).policy(policy.clone());
            let client = ClientConfig::builder().trust(ours.roots());
            let client = client.identity(ours.with_unknown_key(&["alice"]));
            let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
            refused(&pair.drive().unwrap_err(), &pair.client);
        }
    }
}

/// RFC 9846 4.4.2.2, RFC 5246 7.4.2, 7.4.6: a key that signs must be one that may, on both sides, whether the verifier has
/// looked or not.
#[test]
fn a_certificate_whose_usage_forbids_signatures_is_refused() {
    let ours = authority();
    let forbidding = |name| identity(ours, &[name], |p| p.key_usages = vec![KeyUsagePurpose::KeyAgreement]);
    let refused = |error: &Error, told: &Connection| {
        assert_eq!(*error.cause(), Cause::Peer(PeerError::KeyUsageForbids), "{error}");
        assert_eq!(error.place().message, Some("Certificate"), "{error}");
        assert_eq!(told.failure().unwrap().peer_alert(), Some(Alert::IllegalParameter));
    };
    for policy in versions() {
        let looks: Arc<dyn Verifier> = Arc::new(WebPki::servers(ours.roots()));
        for verifier in [looks, Arc::new(DangerousAcceptAnyone)] {
            let server = ServerConfig::builder().identity(forbidding("localhost"));
            let client = ClientConfig::builder().dangerous_verifier(verifier).policy(policy.clone());
            let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
            refused(&pair.drive().unwrap_err(), &pair.server);
        }
        let looks: Arc<dyn Verifier> = Arc::new(WebPki::clients(ours.roots()));
        for verifier in [looks, Arc::new(DangerousAcceptAnyone)] {
            let server = ServerConfig::builder().identity(identity(ours, &["localhost"], |_| ()));
            let server = server.client_auth(ClientAuth::Require(verifier)).policy(policy.clone());
            let client = ClientConfig::builder().trust(ours.roots());
            let client = client.identity(forbidding("alice"));
            let mut pair = Pair::new(&client.build().unwrap(), &server.build().unwrap());
            refused(&pair.drive().unwrap_err(), &pair.client);
        }
    }
}

/// A client and a server that staples this.
fn stapled(policy: &Policy, check: Check, staple: &[u8]) -> Pair {
    let ours = authority();
    let server = ServerConfig::builder().identity(identity(ours, &["localhost"], |_| ()).with_ocsp(staple.to_vec()));
    let verifier = WebPki::servers(ours.roots()).revocation(check, Scope::Leaf, Vec::new()).unwrap();
    let client = ClientConfig::builder().dangerous_verifier(Arc::new(verifier)).policy(policy.clone());
    Pair::new(&client.build().unwrap(), &server.build().unwrap())
}

/// OCSPResponse { responseStatus tryLater }
const TRY_LATER: &[u8] = &[0x30, 3, 0x0a, 1, 3];

/// RFC 6066 8: a staple that is no OCSP response ends the handshake; a responder's refusal is as good as no staple.
#[test]
fn a_staple_that_cannot_be_read_is_a_bad_status_response() {
    for policy in &versions() {
        for bad in [&b"no response"[..], &[0x30, 3, 0x0a, 1, 4], &[0x30, 3, 0x0a, 1, 0], &TRY_LATER[..4]] {
            let mut pair = stapled(policy, Check::Prefer, bad);
            let error = pair.drive().unwrap_err();
            assert_eq!(*error.cause(), Cause::Certificate(CertificateError::StatusUnknown), "{error}");
            assert!(error.to_string().contains("RFC 6066 8"), "{error}");
            assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(Alert::BadCertificateStatusResponse));
            stapled(policy, Check::Ignore, bad).drive().unwrap();
        }
        let mut pair = stapled(policy, Check::Prefer, TRY_LATER);
        pair.drive().unwrap();
        assert_eq!(pair.client.facts().unwrap().peer.as_ref().unwrap().ocsp.as_deref(), Some(TRY_LATER));
        let error = stapled(policy, Check::Require, TRY_LATER).drive().unwrap_err();
        assert_eq!(error.alert(), Alert::BadCertificateStatusResponse, "{error}");
    }
}

/// What is wrong in front of the response is TLS's own encoding.
#[test]
fn a_status_that_is_badly_encoded_is_a_decode_error() {
    for (policy, place) in versions().iter().zip(["CertificateStatus", "Certificate"]) {
        let mut pair = stapled(policy, Check::Prefer, &[]);
        let error = pair.drive().unwrap_err();
        assert!(matches!(error.cause(), Cause::Decode(_)), "{error}");
        assert_eq!(error.place().message, Some(place));
        assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(Alert::DecodeError), "{error}");
    }
    // In TLS 1.2 it is in the clear: the type of the status, and a length that says too much.
    let [policy, _] = versions();
    for (at, alert) in [(0, Alert::IllegalParameter), (3, Alert::DecodeError)] {
        let mut pair = stapled(&policy, Check::Prefer, TRY_LATER);
        pair.drive_server_flights(1);
        let status = [&[1, 0, 0, 5], TRY_LATER].concat();
        let start = pair.to_client.windows(status.len()).position(|w| w == status).unwrap();
        pair.to_client[start + at] += 1;
        let error = pair.drive().unwrap_err();
        // The alert is on its way.
        assert!(pair.drive().is_err());
        assert_eq!((error.place().message, error.alert()), (Some("CertificateStatus"), alert), "{error}");
        assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(alert));
    }
}

/// Names, a SPIFFE ID and the subject of a client reach the application; a verdict that is remembered says the same.
#[test]
fn a_clients_identities_are_handed_to_the_application() {
    let ours = authority();
    let verifier = Arc::new(WebPki::clients(ours.roots()).remember(8));
    let server = ServerConfig::builder()
        .identity(identity(ours, &["localhost"], |_| ()))
        .client_auth(ClientAuth::Require(verifier))
        .build()
        .unwrap();
    let spiffe = "spiffe://example.org/ns/a/sa/b";
    let alice = identity(ours, &["alice"], |p| {
        p.subject_alt_names.push(SanType::URI(spiffe.try_into().unwrap()));
    });
    let client = ClientConfig::builder().trust(ours.roots()).identity(alice).no_sessions();
    let client = client.build().unwrap();
    for _checked_then_remembered in 0..2 {
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
        let names = pair.server.facts().unwrap().peer_identifiers();
        let (trust_domain, path) = ("example.org".to_owned(), "/ns/a/sa/b".to_owned());
        assert_eq!(names[..2], [Name::Dns("alice".into()), Name::Spiffe { trust_domain, path }]);
        assert!(matches!(&names[2], Name::Subject(text) if text.contains("alice")), "{names:?}");
    }
}
