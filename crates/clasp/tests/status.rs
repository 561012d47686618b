//! What comes with a certificate, asked for and given: OCSP responses and certificate timestamps, of servers and of clients
//! (RFC 6066 8, RFC 6962 3.3, RFC 7633, RFC 9846 4.4.2.1).
#![allow(clippy::unwrap_used)]

use clasp::config::{DangerousAcceptAnyone, PresentedIdentity, Verified, Verifier, WebPki};
use clasp::error::{Cause, CertificateError};
use clasp::wire::code::ProtocolVersion;
use clasp::{Answer, ClientAuth, ClientConfig, Identity, Policy, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use rcgen::CustomExtension;
use std::sync::{Arc, Mutex};

const VERSIONS: [ProtocolVersion; 2] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13];
const STAPLE: &[u8] = &[0x30, 3, 10, 1, 6];
const TIMESTAMPS: &[u8] = &[0, 4, 0, 2, 1, 1];

fn policy(version: ProtocolVersion) -> Policy {
    Policy::default().with_versions([version])
}

/// A certificate that demands a staple: RFC 7633 6, the TLS feature status_request.
fn demanding() -> Identity {
    let oid = [1, 3, 6, 1, 5, 5, 7, 1, 24];
    let feature = CustomExtension::from_oid_content(&oid, vec![0x30, 3, 2, 1, 5]);
    authority().issue_with(KeyKind::P256, &["localhost"], |p| p.custom_extensions.push(feature)).identity()
}

fn plain() -> Identity {
    authority().issue(KeyKind::P256, &["localhost"]).identity()
}

/// What a verifier was shown: the staple, whether one was asked for, the timestamps.
type Shown = (Option<Vec<u8>>, bool, Option<Vec<u8>>);

#[derive(Default)]
struct Notes(Mutex<Vec<Shown>>);

impl Notes {
    fn last(&self) -> Shown {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

impl Verifier for Notes {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        let (ocsp, timestamps) = (peer.ocsp.map(<[u8]>::to_vec), peer.timestamps.map(<[u8]>::to_vec));
        self.0.lock().unwrap().push((ocsp, peer.asked_for_ocsp, timestamps));
        DangerousAcceptAnyone.verify(peer)
    }
}

#[test]
fn a_staple_is_demanded_of_servers_that_were_asked_for_it() {
    for version in VERSIONS {
        let server = ServerConfig::builder().identity(demanding()).policy(policy(version)).build().unwrap();
        let client = || ClientConfig::builder().trust(authority().roots()).policy(policy(version));
        let error = Pair::new(&client().build().unwrap(), &server).drive().unwrap_err();
        assert_eq!(error.cause(), &Cause::Certificate(CertificateError::StatusUnknown), "{version}");
        let unasked = client().request_status(false).build().unwrap();
        Pair::new(&unasked, &server).drive().unwrap();
    }
}

#[test]
fn a_client_that_was_asked_shows_what_its_certificate_demands() {
    let server = |asks: bool| {
        let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
        ServerConfig::builder().identity(plain()).client_auth(auth).request_status(asks).build().unwrap()
    };
    let of = |version| {
        let own = demanding();
        ClientConfig::builder().trust(authority().roots()).identity(own).policy(policy(version)).build().unwrap()
    };
    let error = Pair::new(&of(ProtocolVersion::Tls13), &server(true)).drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Certificate(CertificateError::StatusUnknown));
    Pair::new(&of(ProtocolVersion::Tls13), &server(false)).drive().unwrap();
    // TLS 1.2 cannot ask.
    Pair::new(&of(ProtocolVersion::Tls12), &server(true)).drive().unwrap();
}

#[test]
fn the_verifier_and_the_application_see_staples_and_timestamps_of_servers() {
    for version in VERSIONS {
        let identity = plain().with_ocsp(STAPLE.to_vec()).with_timestamps(TIMESTAMPS.to_vec()).unwrap();
        let server = ServerConfig::builder().identity(identity).build().unwrap();
        let notes = Arc::new(Notes::default());
        let client = || ClientConfig::builder().dangerous_verifier(notes.clone()).policy(policy(version));
        let mut pair = Pair::new(&client().request_timestamps(true).build().unwrap(), &server);
        pair.drive().unwrap();
        assert_eq!(notes.last(), (Some(STAPLE.to_vec()), true, Some(TIMESTAMPS.to_vec())), "{version}");
        let facts = pair.client.facts().unwrap();
        assert_eq!((facts.ocsp(), facts.timestamps()), (Some(STAPLE), Some(TIMESTAMPS)));
        Pair::new(&client().request_status(false).build().unwrap(), &server).drive().unwrap();
        assert_eq!(notes.last(), (None, false, None), "{version}");
    }
}

#[test]
fn the_verifier_and_the_application_see_staples_and_timestamps_of_clients() {
    let identity = plain().with_ocsp(STAPLE.to_vec()).with_timestamps(TIMESTAMPS.to_vec()).unwrap();
    let client = ClientConfig::builder().trust(authority().roots()).identity(identity);
    let client = client.post_handshake_auth(true).build().unwrap();
    let notes = Arc::new(Notes::default());
    let server = || ServerConfig::builder().identity(plain());
    let auth = || ClientAuth::Require(notes.clone());
    let mut pair = Pair::new(&client, &server().client_auth(auth()).request_timestamps(true).build().unwrap());
    pair.drive().unwrap();
    assert_eq!(notes.last(), (Some(STAPLE.to_vec()), true, Some(TIMESTAMPS.to_vec())));
    let facts = pair.server.facts().unwrap();
    assert_eq!((facts.ocsp(), facts.timestamps()), (Some(STAPLE), Some(TIMESTAMPS)));
    Pair::new(&client, &server().client_auth(auth()).request_status(false).build().unwrap()).drive().unwrap();
    assert_eq!(notes.last(), (None, false, None));
    // After the handshake as in it.
    let mut pair = Pair::new(&client, &server().post_handshake_auth(auth()).build().unwrap());
    pair.drive().unwrap();
    pair.server.request_certificate(&mut pair.to_client).unwrap();
    pair.drive().unwrap();
    assert_eq!(notes.last(), (Some(STAPLE.to_vec()), true, None));
}
