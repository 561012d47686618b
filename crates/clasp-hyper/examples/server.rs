//! An HTTPS server, HTTP/1.1 and HTTP/2: `cargo run -p clasp-hyper --example server -- CERT.pem KEY.pem 127.0.0.1:8443`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use clasp::{Identity, ServerConfig};
use clasp_tokio::{Acceptor, Listener};
use core::convert::Infallible;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [cert, key, address] = &arguments[..] else { return Err("server CERT.pem KEY.pem ADDRESS:PORT".into()) };
    let identity = Identity::from_pem_files(cert, key)?;
    let config = ServerConfig::builder().identity(identity).alpn(["h2", "http/1.1"]).build()?;
    let tcp = tokio::net::TcpListener::bind(address).await?;
    println!("https://{}/", tcp.local_addr()?);
    let mut listener = Listener::new(tcp, Acceptor::new(config)).on_error(|peer, error| eprintln!("{peer:?}: {error}"));
    loop {
        let (tls, _) = listener.accept().await;
        tokio::spawn(async move {
            let hello = service_fn(|request: Request<Incoming>| async move {
                let words = format!("hello over {:?}\n", request.version());
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(words))))
            });
            if let Err(error) = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tls), hello).await {
                eprintln!("{error}");
            }
        });
    }
}
