//! A page of a server of the web, by the roots of this system:
//! `cargo run --example client -- example.com`.
#![allow(clippy::print_stdout)]

use clasp::{ClientConfig, Roots, Stream};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let host = std::env::args().nth(1).ok_or("client HOST")?;
    let config = ClientConfig::builder().trust(Roots::native()?).build()?; // once: connections share it, and its sessions

    let tcp = TcpStream::connect((host.as_str(), 443))?;
    tcp.set_read_timeout(Some(Duration::from_secs(30)))?; // nobody is waited for without end
    let mut tls = Stream::new(config.connect(host.clone().try_into()?), tcp);
    let facts = tls.handshake()?; // reading or writing would do it too
    println!("{} with {}, {:?}", facts.version, facts.suite, facts.group);

    write!(tls, "GET / HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut page = Vec::new();
    tls.read_to_end(&mut page)?; // an end without close_notify is an error: data may be missing
    println!("{}", String::from_utf8_lossy(&page));
    Ok(())
}
