//! A client learns whether its certificate was taken, and whoever refuses one can look at it.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{RawPublicKeys, WebPki};
use clasp::wire::code::{AlertDescription, CertificateType, ProtocolVersion};
use clasp::{ClientAuth, ClientConfig, Error, Identity, Policy, ServerConfig, Stream};
use clasp_testkit::{Authority, KeyKind, Pair, authority, other_authority};
use core::task::{Context, Waker};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
const TLS13: ProtocolVersion = ProtocolVersion::Tls13;

fn server(auth: Option<fn(Arc<WebPki>) -> ClientAuth>, tickets: u8) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).tickets_per_handshake(tickets);
    let verifier = || Arc::new(WebPki::clients(authority().roots()));
    match auth {
        Some(auth) => server.client_auth(auth(verifier())).build().unwrap(),
        None => server.build().unwrap(),
    }
}

fn client(by: Option<&Authority>, version: ProtocolVersion) -> Arc<ClientConfig> {
    let client = ClientConfig::builder().trust(authority().roots()).policy(Policy::default().with_versions([version]));
    match by {
        Some(by) => client.identity(by.issue(KeyKind::P256, &["alice"]).identity()).build().unwrap(),
        None => client.build().unwrap(),
    }
}

/// What a client knows when its handshake is done, and when all has been said; and the alert that it was told.
fn confirmed(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (bool, bool, Option<AlertDescription>) {
    let mut client = client.connect("localhost".try_into().unwrap());
    let mut server = server.accept();
    let (mut up, mut down) = (Vec::new(), Vec::new());
    client.advance(&mut Context::from_waker(Waker::noop()), &mut up).unwrap();
    let mut done = None;
    assert!(!client.is_confirmed(), "nothing is settled yet");
    while !up.is_empty() {
        let _refused = server.receive(&mut std::mem::take(&mut up), &mut down).map(drop);
        let _told = client.receive(&mut std::mem::take(&mut down), &mut up).map(drop);
        if !client.is_handshaking() {
            done.get_or_insert(client.is_confirmed());
        }
    }
    let alert = client.failure().and_then(Error::peer_alert);
    (done.unwrap(), client.is_confirmed(), alert)
}

#[test]
fn a_client_knows_when_its_certificate_was_taken_or_refused() {
    let require: fn(Arc<WebPki>) -> ClientAuth = |v| ClientAuth::Require(v);
    let request: fn(Arc<WebPki>) -> ClientAuth = |v| ClientAuth::Request(v);
    let (good, bad) = (Some(authority()), Some(other_authority()));
    for (auth, by, told) in [
        (require, good, None),
        (require, bad, Some(AlertDescription::BadCertificate)),
        (require, None, Some(AlertDescription::CertificateRequired)),
        (request, good, None),
        (request, bad, Some(AlertDescription::BadCertificate)),
        (request, None, None),
    ] {
        let server = server(Some(auth), 2);
        let (done, then, alert) = confirmed(&client(by, TLS13), &server);
        assert_eq!((done, then), (false, told.is_none()));
        assert_eq!(alert, told);
        let taken = told.is_none();
        // In TLS 1.2 the server has spoken last.
        let (done, then, _) = confirmed(&client(by, TLS12), &server);
        assert_eq!((done, then), (taken, taken));
    }
    for version in [TLS12, TLS13] {
        assert_eq!(confirmed(&client(good, version), &server(None, 2)), (true, true, None), "nobody has asked");
    }
}

/// Without tickets it is data that says so.
#[test]
fn a_server_that_gives_no_tickets_confirms_with_its_first_word() {
    let server = server(Some(|v| ClientAuth::Require(v)), 0);
    let mut pair = Pair::new(&client(Some(authority()), TLS13), &server);
    pair.drive().unwrap();
    let facts = pair.client.facts().unwrap().clone();
    assert!(facts.certificate_requested && facts.client_authenticated);
    assert!(!pair.client.is_confirmed() && pair.server.is_confirmed());
    pair.server_sends(b"welcome").unwrap();
    pair.drive().unwrap();
    assert!(pair.client.is_confirmed());
    assert_eq!(pair.client_data, b"welcome");
    let (_, receiver) = pair.client.into_split().map_err(|(_, error)| error).unwrap();
    assert!(receiver.is_confirmed());
}

/// What a blocking client hears of a server that does this once its handshake is done.
fn ask(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    then: impl FnOnce(&mut Stream<UnixStream>) -> io::Result<()> + Send + 'static,
) -> (io::Result<bool>, Vec<u8>) {
    let (up, down) = UnixStream::pair().unwrap();
    let server = server.accept();
    let serving = thread::spawn(move || {
        let mut tls = Stream::new(server, down);
        tls.handshake()?;
        then(&mut tls)?;
        tls.close()?;
        tls.read_to_end(&mut Vec::new())
    });
    let mut tls = Stream::new(client.connect("localhost".try_into().unwrap()), up);
    let confirmed = tls.confirmed();
    let mut all = Vec::new();
    let _ended = tls.read_to_end(&mut all);
    let _said = tls.close();
    drop(tls);
    let _served = serving.join().unwrap();
    (confirmed, all)
}

#[test]
fn a_blocking_client_waits_for_the_servers_word() {
    let require = server(Some(|v| ClientAuth::Require(v)), 1);
    let (good, bad) = (client(Some(authority()), TLS13), client(Some(other_authority()), TLS13));
    // Nothing of what was said meanwhile is lost.
    let (confirmed, all) = ask(&good, &require, |tls| tls.write_all(b"welcome"));
    assert_eq!((confirmed.unwrap(), &all[..]), (true, &b"welcome"[..]));
    let (confirmed, _) = ask(&bad, &require, |_| Ok(()));
    let error = confirmed.unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(error.peer_alert(), Some(AlertDescription::BadCertificate));
    // Closed without another word: nobody knows.
    let silent = server(Some(|v| ClientAuth::Require(v)), 0);
    assert!(!ask(&good, &silent, |_| Ok(())).0.unwrap());
    assert!(ask(&client(Some(authority()), TLS12), &silent, |_| Ok(())).0.unwrap());
}

#[test]
fn a_chain_that_was_refused_can_be_looked_at() {
    let issued = authority().issue(KeyKind::P256, &["another.test"]);
    let plain = ServerConfig::builder().identity(issued.identity()).build().unwrap();
    let alice = authority().issue(KeyKind::P256, &["alice"]);
    let require = ClientAuth::Require(Arc::new(WebPki::clients(Authority::new("Strangers").roots())));
    let own = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let asking = ServerConfig::builder().identity(own).client_auth(require).build().unwrap();
    for version in [TLS12, TLS13] {
        let policy = Policy::default().with_versions([version]);
        let client = ClientConfig::builder().trust(authority().roots()).policy(policy.clone());
        let client = client.identity(alice.identity()).build().unwrap();
        // The client refuses the server's: it is for another name.
        let mut pair = Pair::new(&client, &plain);
        let error = pair.drive().unwrap_err();
        assert_eq!(error.refused_chain(), issued.chain, "{error}");
        assert_eq!(pair.client.failure().unwrap().refused_chain(), issued.chain);
        assert!(pair.server.failure().unwrap().refused_chain().is_empty(), "it has refused nothing");
        // The server refuses the client's: it is nobody's that it knows.
        let mut pair = Pair::new(&client, &asking);
        let _refused = pair.drive();
        assert_eq!(pair.server.failure().unwrap().refused_chain(), alice.chain, "{version}");
    }
    // A key is shown as it was too.
    let key = authority().issue(KeyKind::P256, &["localhost"]).key;
    let (raw, spki) =
        (Identity::raw_public_key(&key).unwrap(), Identity::raw_public_key(&key).unwrap().spki().to_vec());
    let server = ServerConfig::builder().identity(raw).build().unwrap();
    let keys = Arc::new(RawPublicKeys::new([vec![0x30, 0]]));
    let client = ClientConfig::builder().dangerous_verifier(keys);
    let client = client.server_certificate_types([CertificateType::RawPublicKey]).build().unwrap();
    assert_eq!(Pair::new(&client, &server).drive().unwrap_err().refused_chain(), [spki.into()]);
}
