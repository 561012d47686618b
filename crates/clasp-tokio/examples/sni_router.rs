//! Serves one name itself, and passes every other client on to the server of its name, unread.
//!
//! ```sh
//! cargo run -p clasp-tokio --example sni_router -- 127.0.0.1:8443 cert.pem key.pem ours.example other.example=10.0.0.2:443
//! ```
#![allow(clippy::print_stderr)]

use clasp::code::AlertDescription;
use clasp::{Identity, ServerConfig};
use clasp_tokio::Acceptor;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

struct Routes {
    acceptor: Acceptor,
    config: Arc<ServerConfig>,
    ours: String,
    others: HashMap<String, String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| format!("wanted: {what}"));
    let (address, chain, key, ours) = (next("address")?, next("chain")?, next("key")?, next("name")?);
    let others = arguments.filter_map(|route| route.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned())));
    let identity = Identity::from_pem_files(chain, key)?;
    let config = ServerConfig::builder().identity(identity).build()?;
    let acceptor = Acceptor::new(config.clone());
    let routes = Arc::new(Routes { acceptor, config, ours, others: others.collect() });
    let tcp = TcpListener::bind(address).await?;
    loop {
        let (client, peer) = tcp.accept().await?;
        let routes = routes.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(&routes, client).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn serve(routes: &Routes, client: TcpStream) -> io::Result<()> {
    let pending = match routes.acceptor.peek(client).await {
        Ok(pending) => pending,
        // Whoever speaks something else is told so.
        Err(error) => return Err(error.refuse().await.close().await),
    };
    let hello = pending.hello();
    let name = hello.server_name().unwrap_or_default().to_owned();
    eprintln!("{name} {}", hello.ja4());
    if name == routes.ours {
        let mut tls = pending.accept(routes.config.clone()).await?;
        let mut request = [0; 1024];
        let _asked = tls.read(&mut request).await?;
        tls.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nserved here\n").await?;
        return tls.shutdown().await;
    }
    let Some(address) = routes.others.get(&name) else {
        return Err(pending.refuse(AlertDescription::UnrecognizedName).await.close().await);
    };
    let mut server = TcpStream::connect(address).await?;
    copy_bidirectional(&mut pending.pass_through(), &mut server).await?;
    Ok(())
}
