//! A server that says who came, a thread for each: `cargo run --example server -- CERT.pem KEY.pem 127.0.0.1:8443`.
//! (`clasp ca init` and `clasp ca issue localhost` make the two files.)
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clasp::{Identity, ServerConfig, Stream};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, address] = &arguments[..] else { return Err("server CERT.pem KEY.pem ADDRESS:PORT".into()) };
    let identity = Identity::from_pem(&std::fs::read(cert)?, &std::fs::read(key)?)?;
    let config = ServerConfig::builder().identity(identity).alpn(["http/1.1"]).build()?;
    let listener = TcpListener::bind(address)?;
    println!("https://{}/", listener.local_addr()?);
    for tcp in listener.incoming() {
        let (config, tcp) = (config.clone(), tcp?);
        thread::spawn(move || {
            if let Err(error) = serve(&config, tcp) {
                eprintln!("{error}"); // of this client; the next may do better
            }
        });
    }
    Ok(())
}

fn serve(config: &Arc<ServerConfig>, tcp: TcpStream) -> io::Result<()> {
    tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut tls = BufReader::new(Stream::new(config.accept(), tcp));
    let mut line = String::new();
    while tls.read_line(&mut line)? > 2 {
        line.clear(); // until the empty line behind the head
    }
    let facts = tls.get_mut().handshake()?;
    let body = format!("{} with {}\n", facts.version, facts.suite);
    write!(tls.get_mut(), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
    tls.get_mut().close()
}
