//! Identities that are replaced while connections are made.
#![allow(clippy::unwrap_used)]

use clasp::config::{Reloadable, WebPki};
use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use clasp::wire::code::ProtocolVersion;
use clasp::{ClientAuth, ClientConfig, Facts, Identity, Policy, ServerConfig};
use clasp_testkit::{Issued, KeyKind, Pair, authority};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn issue(name: &str) -> Issued {
    authority().issue(KeyKind::P256, &["localhost", name])
}

fn client() -> Arc<ClientConfig> {
    ClientConfig::builder().trust(authority().roots()).build().unwrap()
}

/// Which of the identities the other side saw.
fn seen(facts: &Facts) -> String {
    let names = facts.peer_identifiers().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    names.split_whitespace().find(|name| name.contains("generation")).unwrap_or_default().to_owned()
}

fn connect(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Pair {
    let mut pair = Pair::new(client, server);
    pair.drive().unwrap();
    pair
}

/// Each handshake is done with one of the identities, whole: a chain of one with the key of another would fail.
#[test]
fn identities_are_replaced_under_load_and_no_connection_is_lost() {
    let issued: Vec<Issued> = (0..4).map(|n| issue(&format!("generation{n}.test"))).collect();
    let identity = Arc::new(Reloadable::new([issued[0].identity()]).unwrap());
    let server = ServerConfig::builder().identity(identity.clone()).no_sessions().build().unwrap();
    let mut all: Vec<String> = thread::scope(|scope| {
        let (identity, server, issued) = (&identity, &server, &issued);
        let threads = [0, 1, 2].map(|own| {
            scope.spawn(move || {
                let client = client();
                let connecting = |turn: usize| {
                    // In the middle of the handshakes of the other two.
                    identity.replace([issued[(own + turn) % issued.len()].identity()]).unwrap();
                    seen(connect(&client, server).client.facts().unwrap())
                };
                (0..150).map(connecting).collect::<Vec<_>>()
            })
        });
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(all.len(), 450);
    all.sort();
    all.dedup();
    assert!(all.iter().all(|name| name.contains("generation")) && all.len() > 1, "{all:?}");
}

/// The client has accepted the old certificate, and goes on with its session; whoever comes anew sees the new one.
#[test]
fn a_servers_sessions_go_on_when_its_identity_is_replaced() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        for tickets in [false, true] {
            let identity = Arc::new(Reloadable::new([issue("generation0.test").identity()]).unwrap());
            let server = ServerConfig::builder().identity(identity.clone());
            let keys = || TicketKeys::random(Provider::builtin(), Duration::from_secs(3600), Duration::from_secs(7200));
            let server = if tickets { server.tickets(Arc::new(keys().unwrap())) } else { server };
            let server = server.build().unwrap();
            let policy = Policy::default().with_versions([version]);
            let client = || ClientConfig::builder().trust(authority().roots()).policy(policy.clone()).build().unwrap();
            let old = client();
            let mut before = connect(&old, &server);
            identity.replace([issue("generation1.test").identity()]).unwrap();
            before.client_sends(b"goes on").unwrap();
            before.drive().unwrap();
            assert_eq!(before.server_data, b"goes on");

            let again = connect(&old, &server);
            let facts = again.client.facts().unwrap();
            assert!(facts.resumed.is_some(), "{version}, tickets: {tickets}");
            assert!(seen(facts).contains("generation0"), "{version}: {}", seen(facts));
            let new = connect(&client(), &server);
            assert!(seen(new.client.facts().unwrap()).contains("generation1"), "{version}");
        }
    }
}

/// A session shows whom it was made by: the servers of a client that has come to be another must not see the old one.
#[test]
fn a_clients_sessions_end_when_its_identity_is_replaced() {
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
        let server = ServerConfig::builder().identity(issue("server.test").identity()).client_auth(auth);
        let server = server.build().unwrap();
        let identity = Arc::new(Reloadable::new([issue("generation0.test").identity()]).unwrap());
        let client = ClientConfig::builder().trust(authority().roots()).identity(identity.clone());
        let client = client.policy(Policy::default().with_versions([version])).build().unwrap();
        for generation in ["generation0", "generation1", "generation2"] {
            for resumed in [false, true] {
                let pair = connect(&client, &server);
                let facts = pair.server.facts().unwrap();
                assert_eq!(facts.resumed.is_some(), resumed, "{version}, {generation}");
                assert!(seen(facts).contains(generation), "{version}: {} for {generation}", seen(facts));
            }
            let next = if generation == "generation0" { "generation1.test" } else { "generation2.test" };
            identity.replace([issue(next).identity()]).unwrap();
        }
    }
}

#[test]
fn files_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let put = |chain_of: &Issued, key_of: &Issued| {
        std::fs::write(&chain, &chain_of.chain_pem).unwrap();
        std::fs::write(&key, &key_of.key_pem).unwrap();
    };
    let (first, second) = (issue("generation0.test"), issue("generation1.test"));
    put(&first, &first);
    let identity = Arc::new(Reloadable::from_pem_files([(&chain, &key)]).unwrap());
    let server = ServerConfig::builder().identity(identity.clone()).build().unwrap();
    let shown = || seen(connect(&client(), &server).client.facts().unwrap());
    assert!(shown().contains("generation0"));
    assert!(!identity.reload().unwrap(), "nothing has changed");

    // Whoever renews has written one file so far.
    put(&second, &first);
    let error = identity.reload().unwrap_err();
    assert!(error.hint_text().unwrap().contains("cert.pem"), "{error:?}");
    assert!(shown().contains("generation0"));
    put(&second, &second);
    assert!(identity.reload().unwrap());
    assert!(!identity.reload().unwrap());
    assert!(shown().contains("generation1"));

    std::fs::remove_file(&key).unwrap();
    let error = identity.reload().unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert!(shown().contains("generation1"));
    let error = Reloadable::from_pem_files([(&chain, &key)]).unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert!(format!("{identity:?}").contains("cert.pem"));
}

/// Says that it is over, after a failed assertion too: the load would go on for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whoever renews writes one file after the other. In between, reload refuses, and whoever connects sees the old one, whole.
#[test]
fn files_are_read_again_under_load_and_no_connection_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let issued: Vec<Issued> = (0..5).map(|n| issue(&format!("generation{n}.test"))).collect();
    std::fs::write(&chain, &issued[0].chain_pem).unwrap();
    std::fs::write(&key, &issued[0].key_pem).unwrap();
    let identity = Arc::new(Reloadable::from_pem_files([(&chain, &key)]).unwrap());
    let server = ServerConfig::builder().identity(identity.clone()).no_sessions().build().unwrap();
    let (done, server) = (AtomicBool::new(false), &server);
    let made: usize = thread::scope(|scope| {
        let load = [(); 2].map(|()| {
            scope.spawn(|| {
                let (client, mut made) = (client(), 0);
                while !done.load(Ordering::Relaxed) {
                    assert!(seen(connect(&client, server).client.facts().unwrap()).contains("generation"));
                    made += 1;
                }
                made
            })
        });
        let over = Over(&done);
        let shown = || seen(connect(&client(), server).client.facts().unwrap());
        for (n, next) in issued.iter().enumerate().skip(1) {
            std::fs::write(&chain, &next.chain_pem).unwrap();
            identity.reload().unwrap_err();
            assert!(shown().contains(&format!("generation{}", n - 1)));
            std::fs::write(&key, &next.key_pem).unwrap();
            assert!(identity.reload().unwrap());
            assert!(shown().contains(&format!("generation{n}")));
        }
        drop(over);
        load.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(made > 0, "nobody connected meanwhile");
}

#[test]
fn there_is_always_somebody_to_be() {
    assert!(Reloadable::new([]).unwrap_err().to_string().contains("no identity"));
    assert!(Reloadable::from_pem_files::<&str, &str>([]).is_err());
    let identity = Reloadable::new([issue("generation0.test").identity()]).unwrap();
    assert!(identity.replace(Vec::<Identity>::new()).is_err());
    assert_eq!(identity.current().iter().count(), 1);
    assert!(!identity.reload().unwrap(), "there are no files");
}
