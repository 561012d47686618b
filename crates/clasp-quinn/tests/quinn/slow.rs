//! Parties that answer later serve a connection, while others go on.

use super::peers::*;
use clasp::config::{Admission, ClientHelloFacts, Identity, Verifier, WebPki};
use clasp::crypto::PrivateKey;
use clasp::error::Misuse;
use clasp::session::ServerSessionCache;
use clasp::wire::code::SignatureScheme;
use clasp::{Answer, ClientAuth, ClientConfig, ServerConfig};
use clasp_quinn::{ClientCrypto, HandshakeData};
use clasp_testkit::{Gate, KeyKind, SlowSessions, SlowSigner, SlowVerifier, authority};
use quinn::{ConnectionError, Endpoint};
use std::sync::Arc;
use std::time::Duration;

/// Opens the gate once somebody waits at it and another connection has come and gone meanwhile.
async fn open_later(gate: Gate, others: (Endpoint, std::net::SocketAddr)) {
    while !gate.is_waited_at() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (client, address) = others;
    let connection = client.connect(address, "localhost").unwrap().await.unwrap();
    ask(&connection, b"meanwhile").await;
    connection.close(0_u32.into(), b"");
    // Longer than any timer of a connection over loopback, once it has seen a packet come back.
    tokio::time::sleep(Duration::from_millis(400)).await;
    gate.open();
}

/// A server that is quick, for others.
fn quick() -> (Endpoint, std::net::SocketAddr) {
    let server = clasp_server();
    let address = server.local_addr().unwrap();
    echo(server, false);
    (clasp_client(), address)
}

/// A client asks a server, one of whose parties stands behind the gate.
async fn asks(client: &Endpoint, server: Endpoint, gate: &Gate, others: (Endpoint, std::net::SocketAddr)) {
    let address = server.local_addr().unwrap();
    echo(server, false);
    let asking = async {
        let connection = client.connect(address, "localhost").unwrap().await.unwrap();
        ask(&connection, b"in the end").await;
        connection.close(0_u32.into(), b"");
    };
    tokio::join!(asking, open_later(gate.clone(), others));
}

/// The others are served by the same endpoint: it does not wait.
#[test]
fn a_slow_signer_of_a_server() {
    run(async {
        let gate = Gate::default();
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        let key = Arc::new(PrivateKey::from_der(&issued.key).unwrap());
        let slow = Identity::with_signer(issued.chain, Arc::new(SlowSigner(gate.clone(), key))).unwrap();
        let config = ServerConfig::builder().identity(slow).alpn(["test"]).build().unwrap();
        asks(&clasp_client(), clasp_quinn::server(config, LOOPBACK.into()).unwrap(), &gate, quick()).await;
    });
}

#[test]
fn a_slow_verifier_of_a_client() {
    run(async {
        let gate = Gate::default();
        let slow = SlowVerifier(gate.clone(), Arc::new(WebPki::servers(authority().roots())));
        let config = ClientConfig::builder().dangerous_verifier(Arc::new(slow)).alpn(["test"]).build().unwrap();
        let client = clasp_quinn::client(config, LOOPBACK.into()).unwrap();
        let server = clasp_server();
        // The same server has others meanwhile.
        let others = (clasp_client(), server.local_addr().unwrap());
        asks(&client, server, &gate, others).await;
    });
}

#[test]
fn a_slow_verifier_of_clients() {
    run(async {
        let gate = Gate::default();
        let slow: Arc<dyn Verifier> =
            Arc::new(SlowVerifier(gate.clone(), Arc::new(WebPki::clients(authority().roots()))));
        let server = server().client_auth(ClientAuth::Request(slow)).build().unwrap();
        let server = clasp_quinn::server(server, LOOPBACK.into()).unwrap();
        // Who shows no certificate is not looked at.
        let others = (clasp_client(), server.local_addr().unwrap());
        let config = client().identity(authority().issue(KeyKind::P256, &["client"]).identity()).build().unwrap();
        asks(&clasp_quinn::client(config, LOOPBACK.into()).unwrap(), server, &gate, others).await;
    });
}

#[test]
fn a_slow_session_store() {
    run(async {
        let gate = Gate::default();
        gate.open();
        let store = SlowSessions(gate.clone(), ServerSessionCache::new(1 << 16));
        let config = server().sessions(Arc::new(store)).build().unwrap();
        let (client, server) = (clasp_client(), clasp_quinn::server(config, LOOPBACK.into()).unwrap());
        let address = server.local_addr().unwrap();
        echo(server, false);
        let first = client.connect(address, "localhost").unwrap().await.unwrap();
        ask(&first, b"for a session").await;
        first.close(0_u32.into(), b"");
        gate.close();
        let asking = async {
            let connection = client.connect(address, "localhost").unwrap().await.unwrap();
            ask(&connection, b"resumed").await;
            let data = connection.handshake_data().unwrap().downcast::<HandshakeData>().unwrap();
            assert!(data.facts.unwrap().resumed.is_some());
        };
        tokio::join!(asking, open_later(gate.clone(), quick()));
    });
}

/// Is slow about one name.
struct SlowAbout(Gate, &'static str);

impl Admission for SlowAbout {
    fn admit<'a>(&'a self, facts: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<()>> {
        if facts.server_name.as_deref() == Some(self.1) {
            self.0.later(Answer::Now(Ok(())))
        } else {
            Answer::Now(Ok(()))
        }
    }
}

/// A hello in two datagrams, both of them there before somebody accepts it: quinn takes them at once, with its endpoint's lock in hand, and
/// others of that endpoint are served meanwhile.
#[test]
fn a_slow_party_keeps_nobody_waiting_when_a_hello_has_come_whole() {
    run(async {
        let gate = Gate::default();
        let identity = authority().issue(KeyKind::P256, &["localhost", "slow.test"]).identity();
        let slow = Arc::new(SlowAbout(gate.clone(), "slow.test"));
        let config = ServerConfig::builder().identity(identity).alpn(["test"]).admission(slow).build().unwrap();
        let server = clasp_quinn::server(config, LOOPBACK.into()).unwrap();
        let address = server.local_addr().unwrap();
        tokio::spawn(async move {
            while let Some(incoming) = server.accept().await {
                tokio::time::sleep(Duration::from_millis(200)).await;
                let Ok(connecting) = incoming.accept() else { continue };
                tokio::spawn(echoes(connecting));
            }
        });
        let (client, others) = (clasp_client(), (clasp_client(), address));
        let asking = async {
            let connection = client.connect(address, "slow.test").unwrap().await.unwrap();
            ask(&connection, b"in the end").await;
        };
        tokio::join!(asking, open_later(gate, others));
    });
}

/// A signer that fails in the end.
struct Fails(Gate);

impl clasp::config::Signer for Fails {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::EcdsaSecp256r1Sha256]
    }

    fn sign<'a>(&'a self, _: SignatureScheme, _: &'a [u8]) -> Answer<'a, clasp::Result<Vec<u8>>> {
        self.0.later(Answer::Now(Err(Misuse::BadPrivateKey.into())))
    }
}

/// A client learns of a server whose signer has failed, or whose admission: before there are keys of the handshake, and after.
#[test]
fn a_slow_party_that_fails() {
    run(async {
        let gate = Gate::default();
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        let slow = Identity::with_signer(issued.chain, Arc::new(Fails(gate.clone()))).unwrap();
        let config = ServerConfig::builder().identity(slow).alpn(["test"]).build().unwrap();
        assert_eq!(code_of(config, gate).await, 0x150, "internal_error");
        let gate = Gate::default();
        let config = server().admission(Arc::new(Refuses(gate.clone()))).build().unwrap();
        assert_eq!(code_of(config, gate).await, 0x131, "access_denied");
    });
}

/// Lets nobody in, in the end.
struct Refuses(Gate);

impl Admission for Refuses {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<()>> {
        self.0.later(Answer::Now(Err(clasp::Error::refused(clasp::AlertDescription::AccessDenied))))
    }
}

/// The code that a client hears of such a server.
async fn code_of(config: Arc<ServerConfig>, gate: Gate) -> u64 {
    let server = clasp_quinn::server(config, LOOPBACK.into()).unwrap();
    let address = server.local_addr().unwrap();
    echo_or_not(server);
    let client = clasp_client();
    let asking = async { client.connect(address, "localhost").unwrap().await.unwrap_err() };
    let (error, ()) = tokio::join!(asking, open_later(gate, quick()));
    let ConnectionError::ConnectionClosed(close) = error else { panic!("{error}") };
    close.error_code.into()
}

fn echo_or_not(server: Endpoint) {
    tokio::spawn(async move {
        while let Some(incoming) = server.accept().await {
            let _failed = incoming.await;
        }
    });
}

/// Who never answers is given up.
#[test]
fn a_verifier_that_never_answers() {
    run(async {
        let slow = SlowVerifier(Gate::default(), Arc::new(WebPki::servers(authority().roots())));
        let config = ClientConfig::builder().dangerous_verifier(Arc::new(slow)).alpn(["test"]).build().unwrap();
        let crypto = ClientCrypto::new(config).unwrap().outside_within(Duration::from_millis(50));
        let client = clasp_client();
        let server = clasp_server();
        let address = server.local_addr().unwrap();
        echo_or_not(server);
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        let error = client.connect_with(config, address, "localhost").unwrap().await.unwrap_err();
        let ConnectionError::TransportError(error) = error else { panic!("{error}") };
        assert_eq!(u64::from(error.code), 0x150);
        assert!(error.reason.contains("verifier"), "{error}");
    });
}
