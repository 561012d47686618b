//! `clasp serve`: an HTTPS server for a directory or a status page.

mod activity;
mod at_once;
mod files;
mod http;
mod pages;
mod prefixed;
mod socket;

use crate::command::ca;
use crate::failure::Failure;
use crate::negotiation::Negotiation;
use crate::output::{self, note};
use crate::{pem, report};
use clasp::config::{DangerousAcceptAnyone, Identities, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::keys::log::KeyLogFile;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::wire::code::ProtocolVersion;
use clasp::{ClientAuth, ServerConfig};
use clasp_tokio::{Acceptor, TlsStream};
use files::Files;
use pages::Pages;
use prefixed::Prefixed;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// An HTTPS server for a directory, or a status page that shows what was negotiated.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The directory to serve; a status page without one
    dir: Option<PathBuf>,
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:4433")]
    listen: String,
    /// A certificate chain (PEM); may be repeated, chosen by server name and the client's algorithms
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,
    /// The private key of the --cert at the same place
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    negotiation: Negotiation,
    /// Whether clients are asked for a certificate
    #[arg(long, value_parser = ["off", "request", "require"], default_value = "off")]
    client_auth: String,
    /// The CA of clients' certificates (PEM), or `any`
    #[arg(long, value_name = "FILE|any")]
    client_ca: Option<String>,
    /// Application protocols, best first
    #[arg(long, value_delimiter = ',', default_value = "h2,http/1.1")]
    alpn: Vec<String>,
    /// Session tickets after a handshake of TLS 1.3, each for one connection more; 0 gives none, in TLS 1.2 neither
    #[arg(long, value_name = "N", default_value_t = 2)]
    tickets: u8,
    /// Bytes of memory for sessions by ID; 0 keeps none
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    session_cache: usize,
    /// Take up to this many bytes of early data (0-RTT); what comes so can be a replay
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    early_data: u32,
    /// Move our keys on after each handshake, and ask the client to do the same (TLS 1.3)
    #[arg(long)]
    keyupdate: bool,
    /// How long a connection may stand without a whole request
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    keep_alive: u64,
    /// Send back what comes instead of speaking HTTP
    #[arg(long)]
    echo: bool,
    /// Append the secrets to FILE (SSLKEYLOGFILE format)
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
    /// Log each connection as a line of JSON on stdout
    #[arg(long)]
    json: bool,
    /// Log the connections that fail, and no others
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let (config, made) = config(&arguments)?;
    tokio::runtime::Runtime::new()?.block_on(listen(arguments, config, made))
}

/// The configuration, and the CA that was made where no certificate was given.
fn config(arguments: &Arguments) -> Result<(Arc<ServerConfig>, Option<PathBuf>), Failure> {
    if arguments.cert.len() != arguments.key.len() {
        return Err(Failure::cannot(format_args!("{} --cert and {} --key", arguments.cert.len(), arguments.key.len()))
            .hint("give each --cert its --key, in the same order"));
    }
    let mut identities = Vec::new();
    let mut made = None;
    if arguments.cert.is_empty() {
        let (root, issued) = ca::for_localhost(&data_directory()?)?;
        identities.push(pem::identity(&issued.chain, &issued.key)?);
        made = Some(root);
    }
    for (cert, key) in arguments.cert.iter().zip(&arguments.key) {
        identities.push(pem::identity(cert, key)?);
    }
    let mut builder = ServerConfig::builder()
        .resolver(Arc::new(Identities::new(identities)))
        .policy(arguments.negotiation.policy()?)
        .max_early_data(arguments.early_data)
        .tickets_per_handshake(arguments.tickets)
        .alpn(if arguments.echo { &[][..] } else { &arguments.alpn });
    builder = match arguments.session_cache {
        0 => builder.no_sessions(),
        bytes => builder.sessions(Arc::new(ServerSessionCache::new(bytes))),
    };
    if arguments.tickets > 0 {
        let (epoch, lifetime) = (Duration::from_secs(4 * 3600), Duration::from_secs(12 * 3600));
        builder = builder.tickets(Arc::new(TicketKeys::random(Provider::builtin(), epoch, lifetime)?));
    }
    if let Some(auth) = client_auth(arguments)? {
        builder = builder.client_auth(auth);
    }
    if let Some(path) = &arguments.keylog {
        builder = builder.key_log(Arc::new(KeyLogFile::open(path).map_err(|e| Failure::file(path, e))?));
    }
    Ok((builder.build()?, made))
}

fn client_auth(arguments: &Arguments) -> Result<Option<ClientAuth>, Failure> {
    let verifier: Arc<dyn Verifier> = match (arguments.client_auth.as_str(), arguments.client_ca.as_deref()) {
        ("off", _) => return Ok(None),
        (_, None) => return Err(Failure::cannot("whose clients?").hint("--client-ca FILE, or --client-ca any")),
        (_, Some("any")) => Arc::new(DangerousAcceptAnyone),
        (_, Some(file)) => Arc::new(WebPki::clients(pem::roots(Some(file.as_ref()))?)),
    };
    Ok(Some(if arguments.client_auth == "require" {
        ClientAuth::Require(verifier)
    } else {
        ClientAuth::Request(verifier)
    }))
}

fn data_directory() -> Result<PathBuf, Failure> {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let base = base.ok_or_else(|| Failure::cannot("no data directory").hint("set HOME, or give --cert and --key"))?;
    Ok(base.join("clasp"))
}

async fn listen(arguments: Arguments, config: Arc<ServerConfig>, made: Option<PathBuf>) -> Result<(), Failure> {
    let listener = TcpListener::bind(&arguments.listen).await.map_err(|e| {
        let failure = Failure::cannot(format_args!("{}: {e}", arguments.listen));
        match e.kind() {
            io::ErrorKind::AddrInUse => {
                failure.hint("another program has this port: choose one with --listen 127.0.0.1:PORT")
            }
            _ => failure.hint("--listen ADDRESS:PORT"),
        }
    })?;
    let address = listener.local_addr()?;
    note(format_args!("listening on https://{address}/"));
    if let Some(root) = made {
        note(format_args!("try: curl --cacert '{}' https://localhost:{}/", root.display(), address.port()));
    }
    let acceptor = Acceptor::new(config);
    let files = arguments.dir.clone().map(|dir| Arc::new(Files::new(dir)));
    let shared = Arc::new(Shared { arguments, files });
    // A task, and not here: what it spawns then needs no other thread to be woken.
    let accepting = tokio::spawn(accept(listener, acceptor, shared));
    tokio::select! {
        Err(failed) = accepting => Err(Failure::cannot(failed)),
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

async fn accept(listener: TcpListener, acceptor: Acceptor, shared: Arc<Shared>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => {
                tokio::spawn(serve(tcp, peer, acceptor.clone(), shared.clone()));
            }
            // Out of file descriptors, say: what is open goes on, and the next may find room.
            Err(e) => {
                note(format_args!("accept: {e}"));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// What all connections share.
struct Shared {
    arguments: Arguments,
    files: Option<Arc<Files>>,
}

/// How long a client may take for its handshake.
const PATIENCE: Duration = Duration::from_secs(15);

async fn serve(tcp: TcpStream, peer: SocketAddr, acceptor: Acceptor, shared: Arc<Shared>) {
    let arguments = &shared.arguments;
    let (tcp, end) = socket::lend(tcp);
    if let Err(failure) = end.turns(talk(tcp, &acceptor, &shared, peer)).await {
        log(arguments, peer, Err(failure));
    }
    end.drain().await;
}

async fn talk(tcp: socket::Lent, acceptor: &Acceptor, shared: &Shared, peer: SocketAddr) -> Result<(), Failure> {
    let arguments = &shared.arguments;
    let accepted = tokio::time::timeout(PATIENCE, acceptor.accept(tcp)).await;
    let accepted = accepted.map_err(|_| Failure::cannot("the handshake took too long"))?;
    let mut tls = accepted.map_err(|(error, _)| Failure::from_io(error))?;
    if !arguments.quiet {
        log(arguments, peer, Ok(&tls));
    }
    if arguments.keyupdate && tls.facts().version == ProtocolVersion::Tls13 {
        tls.update_keys(true)?;
    }
    let facts = tls.facts().clone();
    // A GET that comes twice does no harm, and what an echo says is the client's own.
    let early = tls.take_early_data();
    let stream = Prefixed::new(early, tls);
    if arguments.echo {
        return echo(stream).await.map_err(Failure::from_io);
    }
    let limit = Duration::from_secs(arguments.keep_alive);
    // Who did not agree on HTTP/2 speaks HTTP/1.1.
    let is_http2 = facts.alpn.as_deref() == Some(b"h2");
    let pages = shared.files.clone().map_or_else(|| Pages::Status(facts), Pages::Files);
    let service = http::Service { pages, limit };
    if is_http2 { Box::pin(http::http2(service, stream)).await } else { http::http1(service, stream).await }
}

async fn echo(tls: Prefixed<TlsStream<socket::Lent>>) -> io::Result<()> {
    let (mut from, mut to) = tokio::io::split(tls);
    tokio::io::copy(&mut from, &mut to).await?;
    to.shutdown().await
}

fn log(arguments: &Arguments, peer: SocketAddr, outcome: Result<&TlsStream<socket::Lent>, Failure>) {
    if arguments.json {
        let mut line = match &outcome {
            Ok(tls) => report::json(tls.facts()),
            Err(failure) => serde_json::json!({ "error": failure.message(), "hint": failure.hint_text() }),
        };
        line["peer"] = peer.to_string().into();
        // The server serves on when nobody reads its log any more.
        let _unread = output::line(line);
        return;
    }
    match outcome {
        Ok(tls) => {
            let facts = tls.facts();
            let resumed = facts.resumed.map_or(String::new(), |r| format!(", resumed by {}", r.name()));
            note(format_args!("{peer}: {} {}{resumed}", facts.version, facts.suite));
        }
        Err(failure) => {
            let hint = failure.hint_text().map_or(String::new(), |h| format!(" (hint: {h})"));
            note(format_args!("{peer}: {}{hint}", failure.message()));
        }
    }
}
