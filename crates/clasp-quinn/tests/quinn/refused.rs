//! What fails, and with which code the peer is told.

use super::peers::*;
use clasp::config::WebPki;
use clasp::{ClientAuth, ClientConfig, Policy, ProtocolVersion, ServerConfig};
use clasp_testkit::{authority, other_authority};
use quinn::{ConnectError, ConnectionError};
use std::sync::Arc;

/// The code of CONNECTION_CLOSE: as we say it, or as the peer has.
fn code(error: &ConnectionError) -> Option<u64> {
    match error {
        ConnectionError::TransportError(error) => Some(error.code.into()),
        ConnectionError::ConnectionClosed(close) => Some(close.error_code.into()),
        _ => None,
    }
}

/// How a connection fails, at the client and at the server.
async fn outcome(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> [Option<u64>; 2] {
    let client = clasp_quinn::client(client, LOOPBACK.into()).unwrap();
    let server = clasp_quinn::server(server, LOOPBACK.into()).unwrap();
    let address = server.local_addr().unwrap();
    let accepting = async {
        match server.accept().await.unwrap().await {
            Err(error) => code(&error),
            Ok(connection) => code(&connection.closed().await),
        }
    };
    let connecting = async {
        match client.connect(address, "localhost").unwrap().await {
            Err(error) => code(&error),
            Ok(connection) => code(&connection.closed().await),
        }
    };
    let (at_server, at_client) = tokio::join!(accepting, connecting);
    [at_client, at_server]
}

#[test]
fn both_ends_learn_of_alerts() {
    run(async {
        let stranger = ClientConfig::builder().trust(other_authority().roots()).alpn(["test"]).build().unwrap();
        assert_eq!(outcome(stranger, server().build().unwrap()).await, [Some(0x12a); 2], "bad_certificate");
        let other = client().alpn(["other"]).build().unwrap();
        assert_eq!(outcome(other, server().build().unwrap()).await, [Some(0x178); 2], "no_application_protocol");
        let asks = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
        let asks = server().client_auth(asks).build().unwrap();
        assert_eq!(outcome(client().build().unwrap(), asks).await, [Some(0x174); 2], "certificate_required");
    });
}

#[test]
fn configurations_that_cannot_be_quics() {
    run(async {
        let old = client().policy(Policy::default().with_versions([ProtocolVersion::Tls12])).early_data(false);
        assert!(clasp_quinn::client_config(old.build().unwrap()).is_err());
        let silent = ClientConfig::builder().trust(authority().roots()).build().unwrap();
        assert!(clasp_quinn::client(silent, LOOPBACK.into()).is_err());
        let identity = authority().issue(clasp_testkit::KeyKind::P256, &["localhost"]).identity();
        let silent = ServerConfig::builder().identity(identity).build().unwrap();
        assert!(clasp_quinn::server_config(silent).is_err());

        let endpoint = clasp_client();
        let refused = endpoint.connect(([127, 0, 0, 1], 1).into(), "no name");
        assert!(matches!(refused, Err(ConnectError::InvalidServerName(_))));
    });
}
