//! `clasp serve`: an HTTPS server for a directory or a status page.

mod pages;

use crate::command::ca;
use crate::failure::Failure;
use crate::output::{self, note};
use crate::{pem, report};
use clasp::config::{DangerousAcceptAnyone, Identities, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::keys::log::KeyLogFile;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::{ClientAuth, ServerConfig};
use clasp_tokio::{Acceptor, TlsStream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
    /// What may be negotiated: modern, default or legacy
    #[arg(long, default_value = "default")]
    policy: String,
    /// Speak this version alone
    #[arg(long, value_name = "VERSION", value_parser = ["1.2", "1.3"])]
    tls: Option<String>,
    /// Whether clients are asked for a certificate
    #[arg(long, value_parser = ["off", "request", "require"], default_value = "off")]
    client_auth: String,
    /// The CA of clients' certificates (PEM), or `any`
    #[arg(long, value_name = "FILE|any")]
    client_ca: Option<String>,
    /// Application protocols, best first
    #[arg(long, value_delimiter = ',', default_value = "h2,http/1.1")]
    alpn: Vec<String>,
    /// 0 gives no session tickets
    #[arg(long, value_name = "N", default_value_t = 1)]
    tickets: u8,
    /// Bytes of memory for sessions by ID; 0 keeps none
    #[arg(long, value_name = "BYTES", default_value_t = 16 << 20)]
    session_cache: usize,
    /// Send back what comes instead of speaking HTTP
    #[arg(long)]
    echo: bool,
    /// Append the secrets to FILE (SSLKEYLOGFILE format)
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
    /// Log each connection as a line of JSON on stdout
    #[arg(long)]
    json: bool,
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
        .policy(pem::policy(&arguments.policy, arguments.tls.as_deref())?)
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
            std::io::ErrorKind::AddrInUse => {
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
    let arguments = Arc::new(arguments);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    tokio::spawn(serve(tcp, acceptor.clone(), arguments.clone()));
                }
                // Out of file descriptors, say: what is open goes on, and the next may find room.
                Err(e) => {
                    note(format_args!("accept: {e}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

/// How long a client may take for its handshake, and to read our last alert.
const PATIENCE: Duration = Duration::from_secs(15);

async fn serve(tcp: TcpStream, acceptor: Acceptor, arguments: Arc<Arguments>) {
    let peer = tcp.peer_addr().map_or("?".into(), |a| a.to_string());
    // Small records must not wait for one another; a socket that refuses works all the same.
    let _unset = tcp.set_nodelay(true);
    match tokio::time::timeout(PATIENCE, acceptor.accept(tcp)).await {
        Ok(Ok(tls)) => {
            log(&arguments, &peer, Ok(&tls));
            let result = if arguments.echo { echo(tls).await } else { http(tls, &arguments).await };
            if let Err(e) = result {
                log(&arguments, &peer, Err(Failure::cannot(e)));
            }
        }
        Ok(Err((error, tcp))) => {
            log(&arguments, &peer, Err(Failure::from_io(error)));
            drain(tcp).await;
        }
        Err(_) => log(&arguments, &peer, Err(Failure::cannot("the handshake took too long"))),
    }
}

/// Half-closes and reads what is left, so that our alert arrives and no reset overtakes it.
async fn drain(mut tcp: TcpStream) {
    const ENOUGH: u64 = 1 << 20;
    if tcp.shutdown().await.is_ok() {
        let mut rest = tcp.take(ENOUGH);
        // The peer has been told; how its side ends is its own affair.
        let _ended =
            tokio::time::timeout(Duration::from_secs(2), tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
}

async fn echo(tls: TlsStream<TcpStream>) -> Result<(), String> {
    let (mut from, mut to) = tokio::io::split(tls);
    let copied = tokio::io::copy(&mut from, &mut to).await;
    to.shutdown().await.map_err(|e| e.to_string())?;
    copied.map(drop).map_err(|e| e.to_string())
}

async fn http(tls: TlsStream<TcpStream>, arguments: &Arguments) -> Result<(), String> {
    let facts = tls.facts().clone();
    let dir = arguments.dir.clone();
    let service = hyper::service::service_fn(move |request| pages::answer(request, dir.clone(), facts.clone()));
    let builder = auto::Builder::new(TokioExecutor::new());
    builder.serve_connection(TokioIo::new(tls), service).await.map_err(|e| e.to_string())
}

fn log(arguments: &Arguments, peer: &str, outcome: Result<&TlsStream<TcpStream>, Failure>) {
    if arguments.json {
        let mut line = match &outcome {
            Ok(tls) => report::json(tls.facts()),
            Err(failure) => serde_json::json!({ "error": failure.message(), "hint": failure.hint_text() }),
        };
        line["peer"] = peer.into();
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
