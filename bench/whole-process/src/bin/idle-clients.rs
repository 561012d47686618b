//! Opens many HTTPS connections, asks for one page on each, and holds them until its standard input ends.
//! Arguments: ADDRESS ROOT.pem COUNT. Says "open" once all stand.

use anyhow::{Context as _, Result, ensure};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Handshakes at a time: a server's backlog is not the subject.
const AT_ONCE: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, root, count] = arguments.as_slice() else {
        anyhow::bail!("usage: idle-clients ADDRESS ROOT.pem COUNT");
    };
    let (address, count): (SocketAddr, usize) = (address.parse()?, count.parse()?);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    // By name: where the whole workspace is built at once, rustls has more than one.
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let mut idle = Vec::with_capacity(count);
    while idle.len() < count {
        let now = idle.len()..count.min(idle.len() + AT_ONCE);
        let opening: Vec<_> = now.map(|n| tokio::spawn(open(connector.clone(), address, n))).collect();
        for connection in opening {
            idle.push(connection.await??);
        }
    }
    println!("open");
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    Ok(())
}

/// Connects from one of several loopback addresses, so that ports do not run out, and asks for the page.
async fn open(connector: TlsConnector, address: SocketAddr, n: usize) -> Result<TlsStream<TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    let source = Ipv4Addr::new(127, 0, 0, u8::try_from(2 + n % 8)?);
    socket.bind((source, 0).into())?;
    let tcp = socket.connect(address).await.with_context(|| format!("connection {n}"))?;
    let mut tls = connector.connect(ServerName::try_from("localhost")?, tcp).await?;
    tls.write_all(b"GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let (mut page, mut buffer) = (Vec::new(), [0; 2048]);
    while !is_whole(&page) {
        let n = tls.read(&mut buffer).await?;
        ensure!(n > 0, "the server closed the connection");
        page.extend_from_slice(&buffer[..n]);
    }
    ensure!(page.starts_with(b"HTTP/1.1 200"), "no page: {}", String::from_utf8_lossy(&page));
    Ok(tls)
}

/// Whether the page has come to its end.
fn is_whole(page: &[u8]) -> bool {
    page.ends_with(b"</html>\n")
}
