//! HTTP/3 with h3: `cargo run -p clasp-quinn --example http3 -- serve cert.pem key.pem 127.0.0.1:4433`, and
//! `… -- get ca.pem localhost 127.0.0.1:4433 /`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use bytes::{Buf, Bytes};
use clasp::{ClientConfig, Identity, Roots, ServerConfig};
use h3::server::RequestResolver;
use http::{Request, Response, StatusCode};
use quinn::Endpoint;
use std::env;
use std::future::poll_fn;
use std::net::SocketAddr;

/// The name of HTTP/3 in ALPN (RFC 9114 3.1).
pub(crate) const PROTOCOL: &str = "h3";

/// Whatever went wrong.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", certificates, key, address] => {
            let identity = Identity::from_pem_files(certificates, key)?;
            let config = ServerConfig::builder().identity(identity).alpn([PROTOCOL]).build()?;
            let endpoint = clasp_quinn::server(config, address.parse()?)?;
            println!("{}", endpoint.local_addr()?);
            serve(endpoint).await;
        }
        ["get", roots, name, address, path] => {
            let mut trusted = Roots::empty();
            trusted.add_pem(&std::fs::read(roots)?)?;
            let config = ClientConfig::builder().trust(trusted).alpn([PROTOCOL]).build()?;
            let endpoint = clasp_quinn::client(config, SocketAddr::from(([0, 0, 0, 0], 0)))?;
            let (status, body) = get(&endpoint, address.parse()?, name, path).await?;
            println!("{status}\n{}", String::from_utf8_lossy(&body));
        }
        _ => return Err("serve CERTIFICATES KEY ADDRESS, or get ROOTS NAME ADDRESS PATH".into()),
    }
    Ok(())
}

/// Answers every request with its path, until the endpoint goes.
pub(crate) async fn serve(endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            if let Err(error) = connection(incoming).await {
                eprintln!("{error}"); // of this client; the next may do better
            }
        });
    }
}

async fn connection(incoming: quinn::Incoming) -> Result<(), Error> {
    let quic = h3_quinn::Connection::new(incoming.await?);
    let mut http = h3::server::Connection::<_, Bytes>::new(quic).await?;
    loop {
        match http.accept().await {
            Ok(Some(request)) => drop(tokio::spawn(answer(request))),
            Ok(None) => return Ok(()),
            Err(error) if error.is_h3_no_error() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

async fn answer(request: RequestResolver<h3_quinn::Connection, Bytes>) -> Result<(), Error> {
    let (request, mut stream) = request.resolve_request().await?;
    stream.send_response(Response::new(())).await?;
    stream.send_data(Bytes::from(format!("{} {}", request.method(), request.uri().path()))).await?;
    Ok(stream.finish().await?)
}

/// Asks for a path; the status, and the body as long as it is no more than a mebibyte.
///
/// # Errors
/// What went wrong, on any of the ways.
pub(crate) async fn get(
    endpoint: &Endpoint,
    address: SocketAddr,
    name: &str,
    path: &str,
) -> Result<(StatusCode, Vec<u8>), Error> {
    let quic = h3_quinn::Connection::new(endpoint.connect(address, name)?.await?);
    let (mut driver, mut http) = h3::client::new(quic).await?;
    let driving = tokio::spawn(async move { poll_fn(|cx| driver.poll_close(cx)).await });
    let mut stream = http.send_request(Request::get(format!("https://{name}{path}")).body(())?).await?;
    stream.finish().await?;
    let status = stream.recv_response().await?.status();
    let mut body = Vec::new();
    while let Some(mut piece) = stream.recv_data().await? {
        if body.len().saturating_add(piece.remaining()) > 1 << 20 {
            return Err("the answer has more than a mebibyte".into());
        }
        body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
    }
    // Without requests under way the connection ends.
    drop((stream, http));
    let ended = driving.await?;
    if !ended.is_h3_no_error() {
        return Err(ended.into());
    }
    Ok((status, body))
}
