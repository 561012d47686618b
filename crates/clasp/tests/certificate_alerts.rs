//! A server's certificate that is refused: the alert that each class of refusal is told with, and what the application
//! learns of a client's certificate.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::WebPki;
use clasp::error::{Cause, CertificateError};
use clasp::wire::code::AlertDescription as Alert;
use clasp::x509::{Check, Identity as Name, Scope};
use clasp::{ClientAuth, ClientConfig, ServerConfig};
use clasp_testkit::{Authority, KeyKind, Pair, authority};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, SanType, date_time_ymd};
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

#[test]
fn each_class_of_refusal_has_its_alert() {
    use CertificateError as E;
    let ours = authority();
    let trusting = || WebPki::servers(ours.roots());
    let here = &["localhost"];
    let unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    let critical = |mut extension: CustomExtension| {
        extension.set_criticality(true);
        extension
    };
    for (identity, class, alert) in [
        (identity(ours, here, |p| p.not_after = date_time_ymd(2021, 1, 1)), E::Expired, Alert::CertificateExpired),
        (identity(ours, here, |p| p.not_before = date_time_ymd(2050, 1, 1)), E::NotYetValid, Alert::CertificateExpired),
        (identity(&Authority::new("Stranger"), here, |_| ()), E::UnknownIssuer, Alert::UnknownCa),
        (identity(ours, &["example.org"], |_| ()), E::NameMismatch, Alert::BadCertificate),
        (
            identity(ours, here, |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            E::WrongUsage,
            Alert::UnsupportedCertificate,
        ),
        (
            identity(ours, here, |p| p.custom_extensions = vec![critical(unknown)]),
            E::CriticalExtension,
            Alert::UnsupportedCertificate,
        ),
    ] {
        assert_eq!(refused(identity, trusting()), (class, alert));
    }
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
    let client = ClientConfig::builder().trust(ours.roots()).identity(Arc::new(Arc::new(alice))).no_sessions();
    let client = client.build().unwrap();
    for _checked_then_remembered in 0..2 {
        let mut pair = Pair::new(&client, &server);
        pair.drive().unwrap();
        let names = pair.server.facts().unwrap().peer_identities();
        let (trust_domain, path) = ("example.org".to_owned(), "/ns/a/sa/b".to_owned());
        assert_eq!(names[..2], [Name::Dns("alice".into()), Name::Spiffe { trust_domain, path }]);
        assert!(matches!(&names[2], Name::Subject(text) if text.contains("alice")), "{names:?}");
    }
}
