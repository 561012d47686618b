//! A server whose certificate is renewed while it runs: its files are looked at once a minute.
//!
//! ```sh
//! cargo run -p clasp-tokio --example reload -- 127.0.0.1:8443 cert.pem key.pem
//! ```
#![allow(clippy::print_stderr)]

use clasp::ServerConfig;
use clasp::config::Reloadable;
use clasp_tokio::{Acceptor, Listener};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("wanted: {what}"));
    let (address, chain, key) = (next("address")?, next("chain")?, next("key")?);
    let identity = Arc::new(Reloadable::from_pem_files([(chain, key)])?);
    let config = ServerConfig::builder().identity(identity.clone()).build()?;
    tokio::spawn(async move {
        let mut minutes = tokio::time::interval(Duration::from_secs(60));
        loop {
            minutes.tick().await;
            let identity = identity.clone();
            match tokio::task::spawn_blocking(move || identity.reload()).await {
                Ok(Ok(true)) => eprintln!("the new certificate is shown from now on"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => eprintln!("the old certificate goes on: {error}"),
                Err(error) => eprintln!("{error}"),
            }
        }
    });
    let mut listener = Listener::new(TcpListener::bind(address).await?, Acceptor::new(config));
    loop {
        let (mut tls, _) = listener.accept().await;
        tokio::spawn(async move {
            let mut request = [0; 1024];
            let _asked = tls.read(&mut request).await?;
            tls.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello\n").await?;
            tls.shutdown().await
        });
    }
}
