//! tokio-postgres over Clasp, to a real PostgreSQL.
//!
//! Without one the tests say so and pass; with `CLASP_INTEROP=require` (in CI) they fail.
#![allow(clippy::unwrap_used)]

use clasp::wire::code::ProtocolVersion;
use clasp::{ClientConfig, Identity, Policy, ServerConfig};
use clasp_postgres::MakeTlsConnector;
use clasp_testkit::{KeyKind, PASSWORD, authority, other_authority, postgres, words};
use clasp_tokio::{Acceptor, Connector};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode};

/// To ask for TLS in PostgreSQL's protocol: a length, and a number that no version has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

fn settings(port: u16, user: &str) -> Config {
    let mut settings = Config::new();
    settings.host("localhost").port(port).user(user).dbname("postgres").ssl_mode(SslMode::Require);
    settings
}

fn with_binding(port: u16) -> Config {
    let mut settings = settings(port, "alice");
    settings.password(PASSWORD).channel_binding(ChannelBinding::Require);
    settings
}

fn connector() -> MakeTlsConnector {
    MakeTlsConnector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap()).unwrap()
}

/// Connects, and asks the server what it sees: its version of TLS, the cipher suite, the client's certificate.
async fn seen(settings: Config, tls: MakeTlsConnector) -> Result<[Option<String>; 3], String> {
    let (client, connection) = settings.connect(tls).await.map_err(|error| words(&error))?;
    let connection = tokio::spawn(connection);
    let query = "SELECT version, cipher, client_dn FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()";
    let row = client.query_one(query, &[]).await.map_err(|error| words(&error))?;
    // More than a record each way.
    let long = "x".repeat(1 << 20);
    let back: String = client.query_one("SELECT upper($1::text)", &[&long]).await.unwrap().get(0);
    assert_eq!(back, long.to_uppercase());
    drop(client);
    connection.await.unwrap().unwrap();
    Ok([row.get(0), row.get(1), row.get(2)])
}

#[tokio::test]
async fn scram_is_bound_to_the_channel_in_both_versions_of_tls() {
    let Some(server) = postgres() else { return };
    let [version, cipher, name] = seen(with_binding(server.port), connector()).await.unwrap();
    assert_eq!((version.as_deref(), name), (Some("TLSv1.3"), None));
    assert!(cipher.unwrap().starts_with("TLS_"));
    let old = Policy::default().with_versions([ProtocolVersion::Tls12]);
    let config = ClientConfig::builder().trust(authority().roots()).policy(old).build().unwrap();
    let old = MakeTlsConnector::new(config).unwrap();
    let [version, ..] = seen(with_binding(server.port), old).await.unwrap();
    assert_eq!(version.as_deref(), Some("TLSv1.2"));
}

#[tokio::test]
async fn a_certificate_is_who_one_is() {
    let Some(server) = postgres() else { return };
    let of = |identity: Option<Identity>| {
        let mut builder = ClientConfig::builder().trust(authority().roots());
        if let Some(identity) = identity {
            builder = builder.identity(Arc::new(Arc::new(identity)));
        }
        MakeTlsConnector::new(builder.build().unwrap()).unwrap()
    };
    let bob = of(Some(authority().issue(KeyKind::P256, &["bob"]).identity()));
    let [_, _, name] = seen(settings(server.port, "bob"), bob).await.unwrap();
    assert_eq!(name.as_deref(), Some("/CN=bob"));
    let mallory = of(Some(authority().issue(KeyKind::P256, &["mallory"]).identity()));
    let refused = seen(settings(server.port, "bob"), mallory).await.unwrap_err();
    assert!(refused.contains("certificate authentication failed"), "{refused}");
    let refused = seen(settings(server.port, "bob"), of(None)).await.unwrap_err();
    assert!(refused.contains("valid client certificate"), "{refused}");
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let Some(server) = postgres() else { return };
    let stranger = ClientConfig::builder().trust(other_authority().roots()).build().unwrap();
    let refused = seen(with_binding(server.port), MakeTlsConnector::new(stranger).unwrap()).await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let mut by_address = with_binding(server.port);
    by_address.hostaddr([127, 0, 0, 1].into());
    assert!(seen(by_address, connector()).await.is_ok(), "the name is that of `host`");
    let other = connector().server_name("other.example".try_into().unwrap());
    let refused = seen(with_binding(server.port), other).await.unwrap_err();
    assert!(refused.contains("other.example"), "{refused}");
    let mut nameless = Config::new();
    nameless.hostaddr([127, 0, 0, 1].into()).port(server.port).user("alice").ssl_mode(SslMode::Require);
    let refused = seen(nameless, connector()).await.unwrap_err();
    assert!(refused.contains("name"), "{refused}");
}

/// Somebody in the middle who has a certificate that the client trusts: without the binding he sees all there is, with it
/// he gets nobody in.
#[tokio::test]
async fn the_binding_keeps_out_a_man_in_the_middle_whom_the_client_trusts() {
    let Some(server) = postgres() else { return };
    let middle = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = middle.local_addr().unwrap().port();
    let upstream = server.port;
    tokio::spawn(async move {
        loop {
            tokio::spawn(relay(middle.accept().await.unwrap().0, upstream));
        }
    });
    let mut unbound = with_binding(port);
    unbound.channel_binding(ChannelBinding::Disable);
    assert!(seen(unbound, connector()).await.is_ok());
    let refused = seen(with_binding(port), connector()).await.unwrap_err();
    assert!(refused.contains("channel binding check failed"), "{refused}");
}

async fn relay(mut client: TcpStream, upstream: u16) {
    let mut asked = [0; 8];
    client.read_exact(&mut asked).await.unwrap();
    client.write_all(b"S").await.unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let config = ServerConfig::builder().identity(identity).alpn(["postgresql"]).build().unwrap();
    let mut client = Acceptor::new(config).accept(client).await.unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
    server.write_all(&SSL_REQUEST).await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'S');
    let config = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let mut server = Connector::new(config).connect("localhost".try_into().unwrap(), server).await.unwrap();
    // Until either has enough.
    let _ended = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// TLS from the first byte, as PostgreSQL 17 takes it, wants the protocol's name: the server here is none, and says it.
#[tokio::test]
async fn the_protocol_is_offered_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = with_binding(listener.local_addr().unwrap().port());
    settings.ssl_negotiation(tokio_postgres::config::SslNegotiation::Direct);
    let client = tokio::spawn(seen(settings, connector()));
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let config = ServerConfig::builder().identity(identity).alpn(["postgresql"]).build().unwrap();
    let tls = Acceptor::new(config).accept(listener.accept().await.unwrap().0).await.unwrap();
    assert_eq!(tls.facts().alpn.as_deref(), Some(&b"postgresql"[..]));
    drop(tls);
    assert!(client.await.unwrap().is_err());
}
