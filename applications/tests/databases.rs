//! sqlx and postgres-native-tls, to a real PostgreSQL.
//!
//! Without one the tests say so and pass; with `CLASP_INTEROP=require` (in CI) they fail.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_testkit::{PASSWORD, authority, other_authority, postgres, words};
use common::{assert_no_libssl, root};

const SEEN: &str = "SELECT version FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()";

#[tokio::test]
async fn sqlx_asks_postgres_over_tls() {
    use sqlx::ConnectOptions;
    use sqlx::postgres::{PgConnectOptions, PgSslMode};
    let Some(server) = postgres() else { return };
    let options = PgConnectOptions::new_without_pgpass().host("localhost").port(server.port).database("postgres");
    let options = options.username("alice").password(PASSWORD).ssl_mode(PgSslMode::VerifyFull);
    let of = |root: &str| options.clone().ssl_root_cert_from_pem(root.as_bytes().to_vec());
    let mut connection = of(root()).connect().await.unwrap();
    let version: String = sqlx::query_scalar(SEEN).fetch_one(&mut connection).await.unwrap();
    assert_eq!(version, "TLSv1.3");
    let refused = words(&of(other_authority().pem()).connect().await.unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
    assert_no_libssl();
}

#[tokio::test]
async fn postgres_native_tls_binds_the_password_to_the_channel() {
    let Some(server) = postgres() else { return };
    let certificate = native_tls::Certificate::from_pem(authority().pem().as_bytes()).unwrap();
    let connector = native_tls::TlsConnector::builder().add_root_certificate(certificate).build().unwrap();
    let tls = postgres_native_tls::MakeTlsConnector::new(connector);
    let mut settings = tokio_postgres::Config::new();
    settings.host("localhost").port(server.port).user("alice").password(PASSWORD).dbname("postgres");
    settings.ssl_mode(tokio_postgres::config::SslMode::Require);
    settings.channel_binding(tokio_postgres::config::ChannelBinding::Require);
    let (client, connection) = settings.connect(tls).await.unwrap();
    tokio::spawn(connection);
    let version: String = client.query_one(SEEN, &[]).await.unwrap().get(0);
    assert_eq!(version, "TLSv1.3");
}
