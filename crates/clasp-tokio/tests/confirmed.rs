//! A client learns whether its certificate was taken, and can look at a server's that it has refused.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::config::WebPki;
use clasp::wire::code::AlertDescription;
use clasp::{ClientAuth, ClientConfig, Error, ServerConfig};
use clasp_testkit::{Authority, KeyKind, authority, other_authority};
use clasp_tokio::{Acceptor, Connector, TlsStream};
use common::Evil;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn connector(by: &Authority) -> Connector {
    let alice = by.issue(KeyKind::P256, &["alice"]).identity();
    let client = ClientConfig::builder().trust(authority().roots()).identity(alice);
    Connector::new(client.build().unwrap())
}

fn acceptor(tickets: u8) -> Acceptor {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let require = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    let server = ServerConfig::builder().identity(identity).client_auth(require).tickets_per_handshake(tickets);
    Acceptor::new(server.build().unwrap())
}

/// What a client hears of a server that says this.
async fn ask(by: &Authority, tickets: u8, says: &[u8], seed: u64) -> (io::Result<bool>, Vec<u8>) {
    let (up, down) = Evil::pair(seed, seed.is_multiple_of(2), 700);
    let (connector, acceptor) = (connector(by), acceptor(tickets));
    let asking = async {
        let mut tls: TlsStream<Evil> = connector.connect("localhost".try_into().unwrap(), up).await.unwrap();
        let confirmed = tls.confirmed().await;
        let mut all = Vec::new();
        let _ended = tls.read_to_end(&mut all).await;
        let _said = tls.shutdown().await;
        (confirmed, all)
    };
    let answering = async {
        match acceptor.accept(down).await {
            Ok(mut tls) => {
                tls.write_all(says).await.unwrap();
                tls.shutdown().await.unwrap();
                tls.read_to_end(&mut Vec::new()).await.unwrap();
            }
            Err(refused) => drop(refused.close().await),
        }
    };
    tokio::join!(asking, answering).0
}

#[tokio::test]
async fn a_client_waits_for_the_servers_word() {
    for seed in 0..10 {
        for (tickets, says, sure) in
            [(1, &b""[..], true), (1, b"welcome", true), (0, b"welcome", true), (0, b"", false)]
        {
            let (confirmed, all) = ask(authority(), tickets, says, seed).await;
            assert_eq!((confirmed.unwrap(), &all[..]), (sure, says), "{tickets} tickets");
        }
        let error = ask(other_authority(), 1, b"", seed).await.0.unwrap_err();
        let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
        assert_eq!(error.peer_alert(), Some(AlertDescription::BadCertificate));
    }
}

#[tokio::test]
async fn a_connector_that_refuses_a_chain_gives_it() {
    let issued = authority().issue(KeyKind::P256, &["another.test"]);
    let server = Acceptor::new(ServerConfig::builder().identity(issued.identity()).build().unwrap());
    let connector = connector(authority());
    let (up, down) = tokio::io::duplex(1 << 16);
    let (client, _server) = tokio::join!(connector.connect("localhost".try_into().unwrap(), up), server.accept(down));
    let error = client.unwrap_err();
    let error = error.get_ref().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(error.refused_chain(), issued.chain);
}
