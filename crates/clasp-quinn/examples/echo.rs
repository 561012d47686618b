//! Both ends of an echo over QUIC: `cargo run -p clasp-quinn --example echo -- serve cert.pem key.pem 127.0.0.1:4433`, and
//! `… -- ask ca.pem localhost 127.0.0.1:4433 hello`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clasp::{ClientConfig, Identity, Roots, ServerConfig};
use std::env;
use std::error::Error;
use std::net::SocketAddr;

const PROTOCOL: &str = "echo";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", certificates, key, address] => serve(certificates, key, address.parse()?).await,
        ["ask", roots, name, address, text] => ask(roots, name, address.parse()?, text).await,
        _ => Err("serve CERTIFICATES KEY ADDRESS, or ask ROOTS NAME ADDRESS TEXT".into()),
    }
}

async fn serve(certificates: &str, key: &str, address: SocketAddr) -> Result<(), Box<dyn Error + Send + Sync>> {
    let identity = Identity::from_pem_files(certificates, key)?;
    let endpoint = clasp_quinn::server(ServerConfig::builder().identity(identity).alpn([PROTOCOL]).build()?, address)?;
    println!("{}", endpoint.local_addr()?);
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            if let Err(error) = echo(incoming).await {
                eprintln!("{error}"); // of this client; the next may do better
            }
        });
    }
    Ok(())
}

async fn echo(incoming: quinn::Incoming) -> Result<(), Box<dyn Error + Send + Sync>> {
    let connection = incoming.await?;
    loop {
        let (mut send, mut receive) = match connection.accept_bi().await {
            Err(quinn::ConnectionError::ApplicationClosed(_)) => return Ok(()),
            streams => streams?,
        };
        let said = receive.read_to_end(1 << 16).await?;
        send.write_all(&said).await?;
        send.finish()?;
    }
}

async fn ask(roots: &str, name: &str, address: SocketAddr, text: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut trusted = Roots::empty();
    trusted.add_pem(&std::fs::read(roots)?)?;
    let config = ClientConfig::builder().trust(trusted).alpn([PROTOCOL]).build()?;
    let endpoint = clasp_quinn::client(config, SocketAddr::from(([0, 0, 0, 0], 0)))?;
    let connection = endpoint.connect(address, name)?.await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(text.as_bytes()).await?;
    send.finish()?;
    println!("{}", String::from_utf8_lossy(&receive.read_to_end(1 << 16).await?));
    connection.close(0_u32.into(), b"");
    endpoint.wait_idle().await;
    Ok(())
}
