//! An echo server of many clients at once: `cargo run -p clasp-tokio --example server -- CERT.pem KEY.pem 127.0.0.1:8443`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clasp::{Identity, ServerConfig};
use clasp_tokio::{Acceptor, Listener};
use tokio::io::{AsyncWriteExt, copy, split};

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, address] = &arguments[..] else { return Err("server CERT.pem KEY.pem ADDRESS:PORT".into()) };
    let identity = Identity::from_pem(&std::fs::read(cert)?, &std::fs::read(key)?)?;
    let acceptor = Acceptor::new(ServerConfig::builder().identity(identity).build()?);
    let tcp = tokio::net::TcpListener::bind(address).await?;
    println!("{}", tcp.local_addr()?);
    // Handshakes go on beside each other, and one that fails or hangs stops nobody else.
    let mut listener = Listener::new(tcp, acceptor).on_error(|peer, error| eprintln!("{peer:?}: {error}"));
    loop {
        let (tls, peer) = listener.accept().await;
        tokio::spawn(async move {
            let (mut from, mut to) = split(tls);
            let echoed = async {
                copy(&mut from, &mut to).await?;
                to.shutdown().await
            };
            if let Err(error) = echoed.await {
                eprintln!("{peer:?}: {error}");
            }
        });
    }
}
