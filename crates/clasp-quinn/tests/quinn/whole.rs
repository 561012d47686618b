//! Whole conversations: full, resumed, with early data, after a Retry, through key updates; Clasp at either end, and at both.

use super::peers::*;
use clasp::pki_types::CertificateDer;
use clasp::quic::Level;
use clasp::{ProtocolVersion, Resumption};
use clasp_quinn::HandshakeData;
use quinn::Endpoint;

/// The pairs of a client and a server, Clasp's at one end at least.
fn pairs() -> [(&'static str, Endpoint, Endpoint); 3] {
    [
        ("clasp, clasp", clasp_client(), clasp_server()),
        ("clasp, rustls", clasp_client(), rustls_server("test")),
        ("rustls, clasp", rustls_client("test"), clasp_server()),
    ]
}

#[test]
fn full_and_resumed_and_early() {
    run(async {
        for (pair, client, server) in pairs() {
            let address = server.local_addr().unwrap();
            echo(server, false);
            let first = client.connect(address, "localhost").unwrap();
            assert!(first.into_0rtt().is_err(), "{pair}: early data without a session");
            let first = client.connect(address, "localhost").unwrap().await.unwrap();
            ask(&first, b"hello").await;
            // More than a packet, and enough that windows have to move.
            ask(&first, &vec![7; 3 << 20]).await;
            first.close(0_u32.into(), b"");

            for round in 0..3 {
                let (early, accepted) =
                    client.connect(address, "localhost").unwrap().into_0rtt().unwrap_or_else(|_| {
                        panic!("{pair}: no session in round {round}");
                    });
                ask(&early, b"this goes early").await;
                assert!(accepted.await, "{pair}: early data was refused in round {round}");
                ask(&early, b"this does not").await;
                early.close(0_u32.into(), b"");
            }
        }
    });
}

#[test]
fn a_retry_and_tokens() {
    run(async {
        for (pair, client, server) in pairs() {
            let address = server.local_addr().unwrap();
            echo(server, true);
            for _ in 0..2 {
                let connection = client.connect(address, "localhost").unwrap().await.unwrap_or_else(|error| {
                    panic!("{pair}: {error}");
                });
                ask(&connection, b"after a Retry, or with a token").await;
                connection.close(0_u32.into(), b"");
            }
        }
    });
}

#[test]
fn keys_are_updated() {
    run(async {
        for (pair, client, server) in pairs() {
            let address = server.local_addr().unwrap();
            echo(server, false);
            let connection = client.connect(address, "localhost").unwrap().await.unwrap();
            for round in 0..4_u8 {
                ask(&connection, &[round; 10_000]).await;
                connection.force_key_update();
            }
            ask(&connection, b"under the fifth keys").await;
            assert!(connection.close_reason().is_none(), "{pair}");
        }
    });
}

/// What both ends know: the protocol and the name, the facts, the certificates, keying material.
#[test]
fn what_is_known() {
    run(async {
        let (client, server) = (clasp_client(), clasp_server());
        let address = server.local_addr().unwrap();
        let accepting = async { server.accept().await.unwrap().await.unwrap() };
        let connecting = async { client.connect(address, "localhost").unwrap().await.unwrap() };
        let (at_server, at_client) = tokio::join!(accepting, connecting);
        let mut exported = [[0; 32]; 2];
        for (connection, exported) in [&at_server, &at_client].into_iter().zip(&mut exported) {
            let data = connection.handshake_data().unwrap().downcast::<HandshakeData>().unwrap();
            assert_eq!(data.protocol.as_deref(), Some(&b"test"[..]));
            assert_eq!(data.server_name.as_deref(), Some("localhost"));
            assert_eq!(data.facts.unwrap().version, ProtocolVersion::Tls13);
            connection.export_keying_material(exported, b"of a test", b"context").unwrap();
        }
        assert!(exported[0] == exported[1] && exported[0] != [0; 32]);
        let chain = at_client.peer_identity().unwrap().downcast::<Vec<CertificateDer<'static>>>().unwrap();
        assert!(!chain.is_empty() && at_server.peer_identity().is_none());
        // Tickets stand in front of what the server says.
        at_server.open_uni().await.unwrap().finish().unwrap();
        assert!(at_client.accept_uni().await.unwrap().read_to_end(1).await.unwrap().is_empty());
        at_client.close(0_u32.into(), b"");

        let accepting = async { server.accept().await.unwrap().await.unwrap() };
        let connecting = async { client.connect(address, "localhost").unwrap().await.unwrap() };
        let (at_server, _again) = tokio::join!(accepting, connecting);
        let data = at_server.handshake_data().unwrap().downcast::<HandshakeData>().unwrap();
        assert_eq!(data.facts.unwrap().resumed, Some(Resumption::Ticket));
        assert!(Level::Initial < Level::OneRtt);
    });
}
