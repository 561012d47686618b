//! A hyper client and an axum server, each with Clasp and with rustls: what both have in common. `bench http` runs them.

mod load;
mod site;

pub use load::{Load, Report, drive};
pub use site::app;

use anyhow::{Context as _, Result};
use hyper_util::client::legacy::connect::Connect;
use std::net::SocketAddr;

/// One way to speak TLS.
pub trait Stack {
    /// What a pooled client connects with; it offers these protocols, and resumes nothing: each handshake is a full one.
    ///
    /// # Errors
    /// If `root` cannot be read.
    fn connector(root: &str, protocol: &'static str) -> Result<impl Connect + Clone + Send + Sync + 'static>;

    /// Serves [`app`] until the process is ended, behind the HTTP of `server`: `axum` or `axum-server`.
    fn serve(server: &str, address: SocketAddr, cert: &str, key: &str) -> impl Future<Output = Result<()>> + Send;
}

/// A program: `serve SERVER ADDRESS CERT.pem KEY.pem`, or `ask ADDRESS ROOT.pem LOAD MILLISECONDS`, or
/// `hold ADDRESS ROOT.pem COUNT`.
///
/// # Errors
/// What went wrong.
pub fn main<S: Stack>() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.as_slice() {
        ["serve", server, address, cert, key] => runtime.block_on(S::serve(server, address.parse()?, cert, key)),
        ["ask", address, root, load, millis] => {
            let load = load.parse()?;
            runtime.block_on(load::ask::<S>(address.parse()?, root, load, millis.parse()?))
        }
        ["hold", address, root, count] => {
            runtime.block_on(load::hold::<S>(address.parse()?, root, count.parse().context("COUNT")?))
        }
        _ => anyhow::bail!("see main in bench/http/src/lib.rs"),
    }
}
