//! Asks twice, over one connection: `cargo run -p clasp-hyper --example client -- https://localhost:8443/ [CA.pem]`.
#![allow(clippy::print_stdout)]

use clasp::{ClientConfig, Facts, Roots};
use clasp_hyper::HttpsConnector;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let uri: hyper::Uri = arguments.next().ok_or("client https://HOST/ [CA.pem]")?.parse()?;
    let mut roots = Roots::native()?;
    if let Some(file) = arguments.next() {
        // An authority of one's own, beside those of the web.
        roots.add_pem(&std::fs::read(file)?)?;
    }
    let connector = HttpsConnector::new(ClientConfig::builder().trust(roots).build()?)?;
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    for _ in 0..2 {
        let answer = client.get(uri.clone()).await?;
        if let Some(facts) = answer.extensions().get::<Arc<Facts>>() {
            println!("{} {}", facts.version, facts.suite);
        }
        let page = answer.into_body().collect().await?.to_bytes();
        println!("{}", String::from_utf8_lossy(&page));
    }
    Ok(())
}
