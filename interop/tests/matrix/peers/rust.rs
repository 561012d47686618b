//! rustls, built into this test.

use super::{Habits, Peer, Serving};
use crate::lab::{Files, Lab, SOCKET_LIMIT, echo, payload};
use crate::rows::{ALPN, ALPN_OFFERED, ClientCert, EARLY, End, Ours, Resume, Row, Switch};
use clasp::suite::Kx;
use clasp::wire::code::{NamedGroup, ProtocolVersion};
use clasp_testkit::authority;
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

struct Rustls;

pub(super) fn find(_lab: &Lab) -> Result<Box<dyn Peer>, String> {
    Ok(Box::new(Rustls))
}

/// rustls' provider with the row's suite alone, and its group where it has one.
fn provider(row: &Row, narrow: bool) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = aws_lc_rs::ALL_KX_GROUPS.to_vec();
    if narrow {
        provider.cipher_suites.retain(|s| u16::from(s.suite()) == row.suite.code.0);
        if let Some(groups) = row.groups() {
            provider.kx_groups.retain(|g| groups.iter().any(|wanted| u16::from(g.name()) == wanted.0));
            provider.kx_groups.sort_by_key(|g| groups.iter().position(|wanted| u16::from(g.name()) == wanted.0));
        }
    }
    Arc::new(provider)
}

fn versions(row: &Row) -> [&'static SupportedProtocolVersion; 1] {
    [if row.version == ProtocolVersion::Tls12 { &rustls::version::TLS12 } else { &rustls::version::TLS13 }]
}

fn roots() -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority().der()))?;
    Ok(roots)
}

fn credential(files: &Files) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = files.issued.chain.clone();
    Ok((chain, PrivateKeyDer::try_from(files.issued.key.clone())?))
}

fn server_config(row: &Row, lab: &Lab) -> Result<Arc<ServerConfig>, String> {
    let text = |e: rustls::Error| e.to_string();
    let provider = provider(row, false);
    let roots = Arc::new(roots().map_err(text)?);
    let clients = || WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
    let verifier = match row.client_cert {
        ClientCert::NotAsked => WebPkiClientVerifier::no_client_auth(),
        ClientCert::Empty => clients().allow_unauthenticated().build().map_err(|e| e.to_string())?,
        ClientCert::Sent(_) | ClientCert::Missing => clients().build().map_err(|e| e.to_string())?,
    };
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let (chain, key) = credential(lab.server(row))?;
    let builder = builder.with_protocol_versions(&versions(row)).map_err(text)?;
    let mut config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).map_err(text)?;
    if row.alpn {
        config.alpn_protocols = vec![ALPN.into()];
    }
    if row.early_data {
        // rustls takes early data with sessions that it keeps itself only.
        config.max_early_data_size = 16 * 1024;
    } else if row.resume != Resume::SessionId {
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(text)?;
    }
    Ok(Arc::new(config))
}

fn client_config(row: &Row, lab: &Lab) -> Result<Arc<ClientConfig>, String> {
    let text = |e: rustls::Error| e.to_string();
    let builder = ClientConfig::builder_with_provider(provider(row, true));
    let builder = builder.with_protocol_versions(&versions(row)).map_err(text)?;
    let builder = builder.with_root_certificates(roots().map_err(text)?);
    let mut config = match row.client_cert {
        ClientCert::Sent(kind) => {
            let (chain, key) = credential(lab.client(row, kind))?;
            builder.with_client_auth_cert(chain, key).map_err(text)?
        }
        _ => builder.with_no_client_auth(),
    };
    let by = if row.resume == Resume::SessionId {
        Tls12Resumption::SessionIdOnly
    } else {
        Tls12Resumption::SessionIdOrTickets
    };
    if row.alpn {
        config.alpn_protocols = ALPN_OFFERED.map(Into::into).to_vec();
    }
    config.enable_early_data = row.early_data;
    config.resumption = Resumption::in_memory_sessions(8).tls12_resumption(by);
    Ok(Arc::new(config))
}

fn limited(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(SOCKET_LIMIT))?;
    stream.set_write_timeout(Some(SOCKET_LIMIT))?;
    stream.set_nodelay(true)
}

fn expect_close(stream: &mut impl Read) -> io::Result<()> {
    match stream.read(&mut [0; 64])? {
        0 => Ok(()),
        n => Err(io::Error::other(format!("{n} bytes came where the end was due"))),
    }
}

fn serve_one(config: Arc<ServerConfig>, transport: TcpStream, row: &Row) -> io::Result<()> {
    limited(&transport)?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, transport);
    if row.early_data {
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let mut early = Vec::new();
        if let Some(mut reader) = stream.conn.early_data() {
            reader.read_to_end(&mut early)?;
        }
        stream.write_all(&early)?;
    }
    let (mut chunk, mut total) = ([0; 16 * 1024], 0);
    while row.end == End::Client || total < row.bytes {
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        stream.write_all(&chunk[..n])?;
        stream.flush()?;
        total += n;
    }
    if row.end == End::Cut {
        return Ok(());
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    if row.end == End::Server { expect_close(&mut stream) } else { Ok(()) }
}

struct Listening {
    port: u16,
    stop: Arc<AtomicBool>,
}

impl Serving for Listening {
    fn port(&self) -> u16 {
        self.port
    }

    fn has_ended(&mut self) -> bool {
        false
    }

    /// Done by the server itself, once all bytes went back.
    fn cut(&mut self) {}

    fn story(&self, what: &str) -> String {
        what.to_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if this cannot connect, it has ended.
        let _waker = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Peer for Rustls {
    fn version(&self) -> String {
        "rustls 0.23, aws-lc-rs".into()
    }

    fn habits(&self) -> Habits {
        Habits { extended_master_secret: true, server_echoes_early_data: true, ..Habits::default() }
    }

    fn lacks(&self, row: &Row, _ours: Ours) -> Option<&'static str> {
        match () {
            () if row.suite.kx == Some(Kx::Rsa) => Some("rustls has no RSA key transport"),
            () if row.suite.kx == Some(Kx::Dhe) => Some("rustls has no DHE of its own"),
            () if row.has_pss_key() => Some("rustls has no keys for RSASSA-PSS alone"),
            () if row.is_cbc() => Some("rustls has no CBC"),
            () if row.group.is_some_and(NamedGroup::is_ffdhe) => Some("rustls has no DHE of its own"),
            () if row.group == Some(NamedGroup::SecP384r1MlKem1024) => Some("rustls has no SecP384r1MLKEM1024"),
            () if row.group == Some(NamedGroup::Secp521r1) => Some("rustls has no P-521 key exchange"),
            () if row.extended_master_secret == Switch::OffTheirs => Some("rustls has no switch for it"),
            () => None,
        }
    }

    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String> {
        let config = server_config(row, lab)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| e.to_string())?;
        let port = listener.local_addr().map_err(|e| e.to_string())?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, row) = (stop.clone(), row.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if flag.load(Ordering::SeqCst) {
                    return;
                }
                // What goes wrong here shows at Clasp's end.
                let _shows_there = serve_one(config.clone(), stream, &row);
            }
        });
        Ok(Box::new(Listening { port, stop }))
    }

    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String> {
        let config = client_config(row, lab)?;
        let payload = payload(row.bytes);
        let once = |n: usize| -> io::Result<()> {
            let transport = TcpStream::connect(("127.0.0.1", port))?;
            limited(&transport)?;
            let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
            let mut connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
            if row.early_data && n + 1 == row.connections() {
                let mut early = connection.early_data().ok_or_else(|| io::Error::other("no early data can be sent"))?;
                early.write_all(&payload[..EARLY])?;
            }
            let mut stream = StreamOwned::new(connection, transport);
            echo(&mut stream, &payload)?;
            if row.alpn && stream.conn.alpn_protocol() != Some(ALPN.as_bytes()) {
                return Err(io::Error::other("the server chose another protocol"));
            }
            match row.end {
                End::Client => {
                    stream.conn.send_close_notify();
                    stream.flush()?;
                    expect_close(&mut stream)
                }
                End::Server => {
                    expect_close(&mut stream)?;
                    stream.conn.send_close_notify();
                    stream.flush()
                }
                End::Cut => Ok(()),
            }
        };
        (0..row.connections()).try_for_each(once).map_err(|e| e.to_string())
    }
}
