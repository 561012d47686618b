//! Keys that are known beforehand, and keys that are kept when they are met first.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{FirstUse, KeyPin, KnownKeys, KnownKeysFile, PinnedKeys, PresentedIdentity, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::error::{Cause, CertificateError, Outside, PeerError};
use clasp::wire::code::{AlertDescription, CertificateType, CipherSuite, ProtocolVersion};
use clasp::{Answer, ClientAuth, ClientConfig, Error, Identity, Policy, ServerConfig};
use clasp_testkit::{Authority, Gate, Issued, KeyKind, Pair, SlowVerifier, authority};
use rcgen::date_time_ymd;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

fn pin(issued: &Issued) -> KeyPin {
    KeyPin::of_certificate(&issued.chain[0]).unwrap()
}

fn server(identity: Identity) -> Arc<ServerConfig> {
    ServerConfig::builder().identity(identity).build().unwrap()
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<Pair, Error> {
    let mut pair = Pair::new(client, server);
    match pair.drive() {
        Ok(()) => Ok(pair),
        Err(error) => {
            if matches!(error.cause(), Cause::Certificate(_)) {
                assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(error.alert()));
            }
            Err(error)
        }
    }
}

fn class(error: &Error) -> CertificateError {
    let Cause::Certificate(class) = error.cause() else { panic!("{error}") };
    *class
}

fn pinned(keys: PinnedKeys) -> Arc<ClientConfig> {
    ClientConfig::builder().trust_pinned(keys).build().unwrap()
}

#[test]
fn a_pin_is_written_as_curl_writes_it() {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let text = pin(&issued).to_string();
    assert!(text.starts_with("sha256//") && text.len() == 52, "{text}");
    assert_eq!(text.parse::<KeyPin>().unwrap(), pin(&issued));
    assert_eq!(text.replacen("//", "/", 1).parse::<KeyPin>().unwrap(), pin(&issued));
    assert_eq!(KeyPin::new(*pin(&issued).digest()), KeyPin::of_key(issued.identity().spki()));
    // One that begins with a stroke.
    let stroke = KeyPin::new([&[0xff], &[7; 31][..]].concat().try_into().unwrap());
    assert!(stroke.to_string().starts_with("sha256///"));
    assert_eq!(stroke.to_string().parse::<KeyPin>().unwrap(), stroke);
    assert_eq!(stroke.to_string().replacen("//", "/", 1).parse::<KeyPin>().unwrap(), stroke);
    // SHA-256 of nothing.
    let empty = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(KeyPin::of_key(b"").to_string(), empty);
    for bad in
        ["", "sha256//", "sha1//47DEQpj8HBSa", "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", &empty[..40]]
    {
        let error = bad.parse::<KeyPin>().unwrap_err();
        assert!(error.to_string().contains("44 letters"), "{bad}: {error}");
    }
    assert!(KeyPin::of_certificate(b"none").is_err());
}

#[test]
fn a_key_in_place_of_a_chain_is_all_that_counts() {
    let stranger = Authority::new("Stranger");
    let device = stranger.issue_with(KeyKind::P256, &["another.test"], |p| p.not_after = date_time_ymd(2021, 1, 1));
    let server = server(device.identity());
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let policy = Policy::default().with_versions([version]);
        let other = KeyPin::of_key(b"another");
        let client = |pins: &[KeyPin]| {
            let keys = PinnedKeys::in_place_of_a_chain(pins.to_vec());
            ClientConfig::builder().trust_pinned(keys).policy(policy.clone()).build().unwrap()
        };
        let knowing = client(&[other, pin(&device)]);
        connect(&knowing, &server).unwrap();
        // What nobody has looked at does not end its sessions.
        assert!(connect(&knowing, &server).unwrap().client.facts().unwrap().resumed.is_some());
        for pins in [&[other][..], &[]] {
            let error = connect(&client(pins), &server).map(drop).unwrap_err();
            assert_eq!(
                (class(&error), error.alert()),
                (CertificateError::NotPinned, AlertDescription::CertificateUnknown)
            );
            assert!(error.to_string().contains(&pin(&device).to_string()), "{error}");
            assert_eq!(error.refused_chain(), device.chain);
        }
    }
    // A key without any certificate.
    let raw = Identity::raw_public_key(&device.key).unwrap();
    let server = ServerConfig::builder().identity(raw).build().unwrap();
    let client = ClientConfig::builder().trust_pinned(PinnedKeys::in_place_of_a_chain([pin(&device)]));
    let client = client.server_certificate_types([CertificateType::RawPublicKey]).build().unwrap();
    connect(&client, &server).unwrap();
}

#[test]
fn a_key_in_addition_to_a_chain_is_asked_for_when_the_chain_is_good() {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let ours = server(issued.identity());
    let roots = || authority().roots();
    connect(&pinned(PinnedKeys::in_addition_to(roots(), [pin(&issued)])), &ours).unwrap();
    let refused =
        |keys: PinnedKeys, server: &Arc<ServerConfig>| class(&connect(&pinned(keys), server).map(drop).unwrap_err());
    let other = KeyPin::of_key(b"another");
    assert_eq!(refused(PinnedKeys::in_addition_to(roots(), [other]), &ours), CertificateError::NotPinned);
    let stranger = Authority::new("Stranger").issue(KeyKind::P256, &["localhost"]);
    let theirs = server(stranger.identity());
    let keys = PinnedKeys::in_addition_to(roots(), [pin(&stranger)]);
    assert_eq!(refused(keys, &theirs), CertificateError::UnknownIssuer);
    // An issuer's key is not the peer's.
    let mut chain = issued.chain.clone();
    chain.push(authority().der().to_vec().into());
    let long = server(Identity::from_der(chain, &issued.key).unwrap());
    let keys = PinnedKeys::in_addition_to(roots(), [KeyPin::of_certificate(authority().der()).unwrap()]);
    assert_eq!(refused(keys, &long), CertificateError::NotPinned);
}

/// A verifier that asks another may have to wait for it.
#[test]
fn a_pin_waits_for_a_verifier_that_takes_its_time() {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    for (key, taken) in [(pin(&issued), true), (KeyPin::of_key(b"another"), false)] {
        let gate = Gate::default();
        let slow = SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots())));
        let keys = PinnedKeys::in_addition_to_verifier(Arc::new(slow), [key]);
        let mut pair = Pair::new(&pinned(keys), &server(issued.identity()));
        pair.drive().unwrap();
        assert!(pair.client.is_handshaking() && gate.is_waited_at());
        gate.open();
        assert_eq!(pair.drive().is_ok(), taken);
    }
}

/// By value: what another verifier is asked about may be less than what was shown.
#[test]
fn a_verifier_may_ask_another_about_something_else() {
    struct Nameless(WebPki);
    impl Verifier for Nameless {
        fn verify<'a>(&'a self, mut peer: PresentedIdentity<'a>) -> Answer<'a, clasp::Result<clasp::config::Verified>> {
            peer.name = None;
            self.0.verify(peer)
        }
    }
    let server = server(authority().issue(KeyKind::P256, &["another.test"]).identity());
    let verifier = Arc::new(Nameless(WebPki::servers(authority().roots())));
    let client = ClientConfig::builder().dangerous_verifier(verifier).build().unwrap();
    connect(&client, &server).unwrap();
}

fn first_use(store: impl KnownKeys + 'static, policy: Policy) -> Arc<ClientConfig> {
    ClientConfig::builder().trust_on_first_use(FirstUse::new(store)).policy(policy).no_sessions().build().unwrap()
}

fn policies() -> [Policy; 3] {
    let transport = Policy::legacy().with_suites([CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256]);
    let of = |version| Policy::default().with_versions([version]);
    [of(ProtocolVersion::Tls12), of(ProtocolVersion::Tls13), transport.with_versions([ProtocolVersion::Tls12])]
}

fn serving(identity: Identity, policy: Policy) -> Arc<ServerConfig> {
    ServerConfig::builder().identity(identity).policy(policy).build().unwrap()
}

#[test]
#[cfg(feature = "legacy")]
fn who_was_met_has_to_be_the_same_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    for (n, policy) in policies().into_iter().enumerate() {
        let path = folder.path().join(n.to_string());
        let known = || KnownKeysFile::new(&path);
        // All RSA keys are one here.
        let kind = if n == 2 { KeyKind::Rsa } else { KeyKind::P256 };
        let [first, second] = [(); 2].map(|()| Authority::new("Device").issue(kind, &["whatever.test"]));
        let (old, new) = (serving(first.identity(), policy.clone()), serving(second.identity(), policy.clone()));
        connect(&first_use(known(), policy.clone()), &old).unwrap();
        let line = format!("localhost {}\n", pin(&first));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), line);
        connect(&first_use(known(), policy.clone()), &old).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), line, "it is kept once");
        let before = if n == 2 { KeyPin::of_key(b"another") } else { pin(&first) };
        std::fs::write(&path, format!("localhost {before}\n")).unwrap();
        let error = connect(&first_use(known(), policy.clone()), &new).map(drop).unwrap_err();
        assert_eq!(
            (class(&error), error.alert()),
            (CertificateError::KeyChanged, AlertDescription::CertificateUnknown)
        );
        assert!(error.to_string().contains(&before.to_string()), "{error}");
        assert_eq!(error.refused_chain(), second.chain);
        // Each name has its own.
        let mut pair = Pair::to(&first_use(known(), policy.clone()), &new, "Other.test");
        pair.drive().unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains(&format!("other.test {}", pin(&second))));
        // A person has looked at it, and struck the old one out.
        std::fs::write(&path, "").unwrap();
        connect(&first_use(known(), policy), &new).unwrap();
    }
}

/// Otherwise anybody in the middle could have the key kept of somebody who is not there.
#[test]
fn a_key_that_was_not_proven_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    for (n, policy) in policies().into_iter().take(2).enumerate() {
        let path = folder.path().join(n.to_string());
        let [victim, own] = [(); 2].map(|()| authority().issue(KeyKind::P256, &["localhost"]));
        let key = Arc::new(clasp::crypto::PrivateKey::from_der(&own.key).unwrap());
        let impostor = Identity::with_signer(victim.chain.clone(), key).unwrap();
        let error = connect(&first_use(KnownKeysFile::new(&path), policy.clone()), &serving(impostor, policy));
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.cause(), &Cause::Peer(PeerError::BadSignature), "{error}");
        assert!(!path.exists());
    }
}

/// A store that is elsewhere.
struct Elsewhere(Gate, Arc<Mutex<HashMap<String, KeyPin>>>);

impl KnownKeys for Elsewhere {
    fn find<'a>(&'a self, name: &'a str) -> Answer<'a, clasp::Result<Option<KeyPin>>> {
        self.0.later(Answer::Now(Ok(self.1.lock().unwrap().get(name).copied())))
    }

    fn keep(self: Arc<Self>, name: String, key: KeyPin) -> Answer<'static, clasp::Result<KeyPin>> {
        let stands = *self.1.lock().unwrap().entry(name).or_insert(key);
        self.0.later(Answer::Now(Ok(stands)))
    }
}

#[test]
fn a_store_may_answer_later_and_another_connection_may_have_been_first() {
    for raced in [false, true] {
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        let (gate, keys) = (Gate::default(), Arc::<Mutex<HashMap<_, _>>>::default());
        let client = first_use(Elsewhere(gate.clone(), keys.clone()), Policy::default());
        let mut pair = Pair::new(&client, &server(issued.identity()));
        pair.drive().unwrap();
        assert!(gate.is_waited_at() && keys.lock().unwrap().is_empty());
        if raced {
            // Somebody else met another key meanwhile.
            keys.lock().unwrap().insert("localhost".into(), KeyPin::of_key(b"another"));
        }
        gate.open();
        let done = pair.drive();
        assert_eq!(done.is_err(), raced);
        match done {
            Ok(()) => assert_eq!(keys.lock().unwrap()["localhost"], pin(&issued)),
            Err(error) => assert_eq!(class(&error), CertificateError::KeyChanged),
        }
    }
}

#[test]
fn a_file_that_cannot_be_used_believes_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let server = server(issued.identity());
    let connect = || connect(&first_use(KnownKeysFile::new(&path), Policy::default()), &server).map(drop);
    let key = pin(&issued);
    std::fs::write(
        &path,
        format!("# devices\n\nother.test {key} # the old one\nLOCALHOST {key}\nlocalhost sha256//no\n"),
    )
    .unwrap();
    connect().unwrap();
    for (text, line) in [("other.test sha256//no\n", "line 1"), ("# one\nlocalhost\n", "line 2"), ("a b c d", "line 1")]
    {
        std::fs::write(&path, text).unwrap();
        let error = connect().unwrap_err();
        assert_eq!(error.cause(), &Cause::Outside(Outside::VerifierFailed));
        assert!(error.to_string().contains(line) && error.to_string().contains("known"), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    // There is no such folder: it cannot be kept, so the server is not believed.
    let nowhere = folder.path().join("no/such/folder");
    let error = first_use(KnownKeysFile::new(nowhere), Policy::default());
    let error = Pair::new(&error, &server).drive().unwrap_err();
    assert_eq!(error.cause(), &Cause::Outside(Outside::VerifierFailed));
}

/// What editors and hands leave in a file must not make a stranger of somebody who is in it.
#[test]
fn who_is_in_the_file_is_no_stranger_however_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    let (own, key) = (authority().issue(KeyKind::P256, &["localhost"]), KeyPin::of_key(b"another"));
    let server = server(own.identity());
    let meet = |text: &str, name: &'static str| {
        std::fs::write(&path, text).unwrap();
        let mut pair = Pair::to(&first_use(KnownKeysFile::new(&path), Policy::default()), &server, name);
        pair.drive().map_err(|error| error.cause().clone())
    };
    let changed = Err(Cause::Certificate(CertificateError::KeyChanged));
    for (written, name) in [
        ("\u{feff}localhost", "localhost"),
        ("LocalHost\t", "localhost"),
        ("# one\r\n localhost", "localhost"),
        ("2001:0DB8::0:1", "2001:db8::1"),
    ] {
        assert_eq!(meet(&format!("{written} {key}\n"), name), changed, "{written}");
    }
    for written in [
        "# two\n\u{feff}localhost",
        "local\u{200b}host",
        "localhost:443",
        "*",
        "# three\rlocalhost",
        "#\u{85}localhost",
    ] {
        let met = meet(&format!("{written} {key}\n"), "localhost");
        assert_eq!(met, Err(Cause::Outside(Outside::VerifierFailed)), "{written}");
    }
}

#[test]
fn what_is_added_has_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let (own, another) = (pin(&issued), KeyPin::of_key(b"another"));
    let server = server(issued.identity());
    for last in [format!("other.test {another}"), format!("other.test {another} # it has no end"), "# none".into()] {
        for end in ["", "\n"] {
            std::fs::write(&path, format!("{last}{end}")).unwrap();
            for _twice in 0..2 {
                connect(&first_use(KnownKeysFile::new(&path), Policy::default()), &server).unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{last}\nlocalhost {own}\n"));
            }
        }
    }
}

#[test]
fn a_client_has_no_name_to_be_known_by() {
    let folder = tempfile::tempdir().unwrap();
    let verifier = Arc::new(FirstUse::new(KnownKeysFile::new(folder.path().join("known"))));
    let own = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(own).client_auth(ClientAuth::Require(verifier)).build().unwrap();
    let alice = authority().issue(KeyKind::P256, &["alice"]).identity();
    let client = ClientConfig::builder().trust(authority().roots()).identity(alice).build().unwrap();
    let mut pair = Pair::new(&client, &server);
    let _refused = pair.drive();
    assert!(pair.server.failure().unwrap().hint_text().unwrap().contains("servers"));
    let nobody = PresentedIdentity::new(&[], SystemTime::now(), Provider::builtin());
    let Answer::Now(verdict) = PinnedKeys::in_place_of_a_chain([]).verify(nobody) else { panic!("it answers at once") };
    assert!(verdict.is_err());
}
