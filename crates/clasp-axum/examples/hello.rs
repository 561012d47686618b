//! Greets clients by the names of their certificates: `cargo run -p clasp-axum --example hello -- CERT.pem KEY.pem CLIENTS-CA.pem`.

use axum::{Router, extract::ConnectInfo, routing::get};
use clasp::config::{ClientAuth, WebPki};
use clasp::{Identity, Roots, ServerConfig};
use clasp_axum::{TlsInfo, TlsListener};
use std::sync::Arc;

async fn hello(ConnectInfo(client): ConnectInfo<TlsInfo>) -> String {
    format!("hello {:?} over {}\n", client.facts.peer_identifiers(), client.facts.version)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let files = std::env::args().skip(1).map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let [cert, key, ca] = &files[..] else { return Err("hello CERT.pem KEY.pem CLIENTS-CA.pem".into()) };
    let mut clients = Roots::empty();
    clients.add_pem(ca)?;
    let auth = ClientAuth::Require(Arc::new(WebPki::clients(Arc::new(clients))));
    let config = ServerConfig::builder().identity(Identity::from_pem(cert, key)?).client_auth(auth).build()?;
    let app = Router::new().route("/", get(hello)).into_make_service_with_connect_info::<TlsInfo>();
    Ok(axum::serve(TlsListener::bind("127.0.0.1:8443", config).await?, app).await?)
}
