//! `clasp serve`: an HTTPS server for a directory or a status page.

mod activity;
mod arguments;
mod at_once;
mod backlog;
mod body;
pub(crate) mod config;
mod echo;
mod files;
pub(crate) mod given;
mod http;
mod http3;
mod own;
mod pages;
mod path;
mod prefixed;
mod socket;
mod udp;

use crate::failure::Failure;
use crate::http3::PROTOCOL;
use crate::output;
use crate::report;
use crate::stop::{Signals, Stop};
use crate::terminal::note;
use crate::trace::Side;
use crate::trace::recorder::Recorder;
pub(crate) use arguments::Arguments;
use backlog::Backlog;
use clasp::code::ProtocolVersion;
use clasp::{Facts, ServerConfig};
use clasp_tokio::Acceptor;
use config::Source;
use files::Files;
use hyper::header::HeaderValue;
use pages::{Pages, Status, Tours};
use prefixed::Prefixed;
use quinn::{Endpoint, Incoming};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let secret =
        arguments.key.iter().chain(&arguments.key_password_file).chain(&arguments.keylog).map(PathBuf::as_path);
    // First the configuration, which makes the key log: a secret that is there can be told from all other files.
    let (config, source) = config::config(&arguments)?;
    let files = arguments.dir.as_deref().map(|dir| Files::new(dir, secret)).transpose()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let outcome = runtime.block_on(listen(arguments, files, config, source));
    // What was cut off need not be waited for.
    runtime.shutdown_background();
    outcome
}

async fn listen(
    arguments: Arguments,
    files: Option<Files>,
    config: Arc<ServerConfig>,
    source: Source,
) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let (listener, endpoint) = listeners(&arguments, &config).await?;
    let address = listener.local_addr()?;
    let root = keep_up(source)?;
    let http3 = if endpoint.is_some() { ", and by HTTP/3 over UDP" } else { "" };
    note(format_args!("listening on https://{address}/{http3}"));
    if !arguments.ech.is_empty() {
        note(format_args!("hidden hellos are opened (Encrypted Client Hello), with {} keys", arguments.ech.len()));
    }
    if let Some(root) = root {
        say_how(&root, address, &arguments);
    }
    let (stopper, stop) = Stop::new();
    let most = usize::try_from(arguments.max_connections).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
    let (whole, drain) = (arguments.max_connections, Duration::from_secs(arguments.drain));
    let seats = Arc::new(Semaphore::new(most));
    let traced = Arc::new(Semaphore::new(MOST_TRACED));
    let shared = Arc::new(ServerState {
        arguments,
        files: files.map(Arc::new),
        stop,
        config: Arc::clone(&config),
        traced,
        alt_svc: endpoint.as_ref().and_then(|_| udp::alt_svc(address.port())),
        tours: Arc::default(),
    });
    // A task, and not here: what it spawns then needs no other thread to be woken.
    let ports = (listener, endpoint.clone());
    let mut accepting = tokio::spawn(accept(ports, Acceptor::new(config), shared, (Arc::clone(&seats), most)));
    tokio::select! {
        Err(failed) = &mut accepting => return Err(Failure::cannot(failed)),
        asked = signals.next() => asked?,
    }
    // With it goes the socket: who comes now is refused, and may find the next server there.
    accepting.abort();
    let _aborted = accepting.await;
    // The socket of UDP has to stay for whoever is there.
    endpoint.iter().for_each(udp::stop);
    stopper.ask();
    let open = most - seats.available_permits();
    if open > 0 {
        note(format_args!(
            "stopping: {open} connections have up to {} s; a second signal cuts them off",
            drain.as_secs()
        ));
    }
    tokio::select! {
        _all_back = seats.acquire_many(whole) => {}
        asked = signals.next() => asked?,
        () = tokio::time::sleep(drain) => {
            note(format_args!("{} connections were cut off", most - seats.available_permits()));
        }
    }
    if let Some(endpoint) = &endpoint {
        udp::end(endpoint).await;
    }
    Ok(())
}

/// The port, over TCP and, where HTTP/3 is spoken, over UDP.
async fn listeners(arguments: &Arguments, config: &ServerConfig) -> Result<(TcpListener, Option<Endpoint>), Failure> {
    if !arguments.http3 {
        return Ok((bind(&arguments.listen).await?, None));
    }
    let (listener, socket) = udp::bind(&arguments.listen, bind).await?;
    let (limit, send_limit) = (Duration::from_secs(arguments.keep_alive), Duration::from_secs(arguments.send_timeout));
    Ok((listener, Some(udp::endpoint(config, socket, limit, send_limit)?)))
}

/// Sees to it that the certificate stays good. The root to be trusted, where it is of our own making.
fn keep_up(source: Source) -> Result<Option<PathBuf>, Failure> {
    Ok(match source {
        Source::Own(own) => {
            let root = own.root().to_owned();
            tokio::spawn(own.renew());
            Some(root)
        }
        Source::Given(given) => {
            tokio::spawn(given.watch()?);
            None
        }
    })
}

async fn bind(listen: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(listen).await.map_err(|e| {
        let failure = Failure::cannot(format_args!("{listen}: {e}"));
        match e.kind() {
            io::ErrorKind::AddrInUse => {
                failure.hint("another program has this port: choose one with --listen 127.0.0.1:PORT")
            }
            _ => failure.hint("--listen ADDRESS:PORT"),
        }
    })
}

fn say_how(root: &Path, address: SocketAddr, arguments: &Arguments) {
    note(format_args!("try: curl --cacert '{}' https://localhost:{}/", root.display(), address.port()));
    if arguments.dir.is_none() && !arguments.echo {
        // A browser does not know the root: the page shows the handshake also behind its warning.
        note(format_args!(
            "or open it in a browser that trusts this root, or past its warning: the page explains the handshake"
        ));
    }
}

async fn accept(
    (listener, endpoint): (TcpListener, Option<Endpoint>),
    acceptor: Acceptor,
    shared: Arc<ServerState>,
    (seats, most): (Arc<Semaphore>, usize),
) -> Infallible {
    let mut told = None;
    loop {
        let Ok(seat) = Arc::clone(&seats).acquire_owned().await else {
            // Nobody closes it.
            core::future::pending().await
        };
        let accepted = tokio::select! {
            Some(incoming) = udp::next(endpoint.as_ref()) => {
                if udp::must_show_its_address(&incoming, &seats, most) {
                    // It may, so this cannot fail.
                    let _asked = incoming.retry();
                } else {
                    tokio::spawn(serve_http3(incoming, shared.clone(), seat));
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                told = None;
                tokio::spawn(serve(tcp, peer, acceptor.clone(), shared.clone(), seat));
            }
            // Out of file descriptors, say: what is open goes on, and the next may find room. It is said once.
            Err(e) => {
                if told != Some(e.kind()) {
                    told = Some(e.kind());
                    note(format_args!("accept: {e}"));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// What all connections share.
struct ServerState {
    arguments: Arguments,
    files: Option<Arc<Files>>,
    stop: Stop,
    config: Arc<ServerConfig>,
    /// Room for connections that are recorded for their status page.
    traced: Arc<Semaphore>,
    tours: Arc<Tours>,
    alt_svc: Option<HeaderValue>,
}

/// Connections that are recorded at once: a recorded one holds a hundred kilobytes and more. The others have a page of text.
const MOST_TRACED: usize = 64;
/// Bytes of a connection's records: its handshake, and the beginning of what follows.
const TRACED_BYTES: usize = 96 << 10;

/// A recorder, and its place.
type Traced = (Arc<Recorder>, OwnedSemaphorePermit);

impl ServerState {
    /// Records a connection that will have a status page, while there is room.
    fn traced(&self) -> Option<Traced> {
        if self.files.is_some() || self.arguments.echo {
            return None;
        }
        let room = Arc::clone(&self.traced).try_acquire_owned().ok()?;
        Some((Arc::new(Recorder::new(Side::Server, SystemTime::now()).at_most(TRACED_BYTES)), room))
    }
}

impl ServerState {
    /// What is served on a connection.
    fn service(
        &self,
        facts: Arc<Facts>,
        recorder: Option<Arc<Recorder>>,
        backlog: Backlog,
        alt_svc: Option<HeaderValue>,
    ) -> http::Service {
        let tours = self.tours.clone();
        let pages = self.files.clone().map_or_else(|| Pages::Status(Status { facts, recorder, tours }), Pages::Files);
        let limit = Duration::from_secs(self.arguments.keep_alive);
        let send_limit = Duration::from_secs(self.arguments.send_timeout);
        http::Service { pages, limit, send_limit, stop: self.stop.clone(), backlog, alt_svc }
    }
}

/// How long a client may take for its handshake.
const PATIENCE: Duration = Duration::from_secs(15);

async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    acceptor: Acceptor,
    shared: Arc<ServerState>,
    _seat: OwnedSemaphorePermit,
) {
    let arguments = &shared.arguments;
    let (tcp, end) = socket::lend(tcp);
    if let Err(failure) = end.turns(talk(tcp, &acceptor, &shared, peer)).await {
        log(arguments, peer, Err(failure));
    }
    end.drain().await;
}

async fn talk(tcp: socket::Lent, acceptor: &Acceptor, shared: &ServerState, peer: SocketAddr) -> Result<(), Failure> {
    let arguments = &shared.arguments;
    let backlog = tcp.backlog();
    let traced = shared.traced();
    let observed = traced.as_ref().map(|(recorder, _)| {
        Acceptor::new(Arc::new(ServerConfig::clone(&shared.config).with_observer(recorder.clone())))
    });
    let accepted = tokio::time::timeout(PATIENCE, observed.as_ref().unwrap_or(acceptor).accept(tcp)).await;
    let accepted = accepted.map_err(|_| Failure::cannot("the handshake took too long"))?;
    let mut tls = accepted.map_err(|refused| in_options(Failure::from_io(refused.into())))?;
    if !arguments.quiet {
        log(arguments, peer, Ok(tls.facts()));
    }
    if arguments.keyupdate && tls.facts().version == ProtocolVersion::Tls13 {
        tls.update_keys(true)?;
    }
    let facts = tls.facts().clone();
    // A GET that comes twice does no harm, and what an echo says is the client's own.
    let early = tls.take_early_data();
    let stream = Prefixed::new(early, tls);
    let limit = Duration::from_secs(arguments.keep_alive);
    if arguments.echo {
        return echo::echo(stream, limit, &shared.stop).await;
    }
    // Who did not agree on HTTP/2 speaks HTTP/1.1.
    let is_http2 = facts.alpn.as_deref() == Some(b"h2");
    let recorder = traced.as_ref().map(|(recorder, _)| Arc::clone(recorder));
    let service = shared.service(facts, recorder, backlog, shared.alt_svc.clone());
    if is_http2 { Box::pin(http::http2(service, stream)).await } else { http::http1(service, stream).await }
}

async fn serve_http3(incoming: Incoming, shared: Arc<ServerState>, _seat: OwnedSemaphorePermit) {
    let peer = incoming.remote_address();
    if let Err(failure) = talk_http3(incoming, &shared, peer).await {
        log(&shared.arguments, peer, Err(failure));
    }
}

async fn talk_http3(incoming: Incoming, shared: &ServerState, peer: SocketAddr) -> Result<(), Failure> {
    let arguments = &shared.arguments;
    let (accepted, facts) = tokio::time::timeout(PATIENCE, udp::accept(incoming))
        .await
        .map_err(|_| Failure::cannot("the handshake took too long"))?
        .map_err(in_options)?;
    if !arguments.quiet {
        log(arguments, peer, Ok(&facts));
    }
    if arguments.keyupdate {
        accepted.force_key_update();
    }
    http3::http3(shared.service(facts, None, Backlog::default(), None), accepted).await
}

/// A hint may name what only `connect` has.
fn in_options(failure: Failure) -> Failure {
    match failure.hint_text() {
        Some(hint) if hint.contains("--ca FILE") => failure.hint("trust the authority of the client: --client-ca FILE"),
        _ => failure,
    }
}

fn log(arguments: &Arguments, peer: SocketAddr, outcome: Result<&Facts, Failure>) {
    if arguments.json {
        let mut line = match &outcome {
            Ok(facts) => report::json(facts),
            Err(failure) => serde_json::json!({ "error": failure.message(), "hint": failure.hint_text() }),
        };
        line["peer"] = peer.to_string().into();
        // The server serves on when nobody reads its log any more.
        let _unread = output::line(line);
        return;
    }
    match outcome {
        Ok(facts) => {
            let resumed = facts.resumed.map_or(String::new(), |r| format!(", resumed by {}", r.name()));
            let http3 = if facts.alpn.as_deref() == Some(PROTOCOL.as_bytes()) { ", HTTP/3" } else { "" };
            note(format_args!("{peer}: {} {}{resumed}{http3}", facts.version, facts.suite));
        }
        Err(failure) => {
            let hint = failure.hint_text().map_or(String::new(), |h| format!(" (hint: {h})"));
            note(format_args!("{peer}: {}{hint}", failure.message()));
        }
    }
}
