//! A page of a server of the web: `cargo run -p clasp-tokio --example client -- example.com`.
#![allow(clippy::print_stdout)]

use clasp::{ClientConfig, Roots};
use clasp_tokio::Connector;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let host = std::env::args().nth(1).ok_or("client HOST")?;
    let connector = Connector::new(ClientConfig::builder().trust(Roots::native()?).build()?); // once, for all connections
    let tcp = TcpStream::connect((host.as_str(), 443)).await?;
    let mut tls = connector.connect(host.clone().try_into()?, tcp).await?;
    tls.write_all(format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    tls.flush().await?;
    let mut page = Vec::new();
    tls.read_to_end(&mut page).await?; // an end without close_notify is an error: data may be missing
    println!("{}", String::from_utf8_lossy(&page));
    Ok(())
}
