//! Clasp's side of a row: an echo server in threads, a client, and what each must have seen.

mod check;

use crate::lab::{Lab, SOCKET_LIMIT, echo, payload};
use crate::peers::{Peer, Serving, Talk};
use crate::rows::{ALPN, ALPN_OFFERED, ClientCert, EARLY, End, Ours, Resume, Row, Switch};
use check::{Refused, check};
use clasp::config::WebPki;
use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{HandshakeType, NamedGroup};
use clasp::{ClientAuth, ClientConfig, Connection, EarlyData, Facts, Policy, ServerConfig, ServerName, Stream};
use clasp_testkit::authority;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The data that came.
#[derive(Clone, Copy, Debug)]
enum Data {
    /// So many bytes, the ones that were due.
    Checked(usize),
    /// So many bytes of the peer's own making.
    Own(usize),
}

/// What one connection came to.
#[derive(Debug)]
struct Seen {
    facts: Option<Arc<Facts>>,
    data: Data,
    /// How often the peer has moved its keys on.
    key_updates: usize,
    /// How it ended: well after both close_notify, or with this error.
    end: Result<(), io::Error>,
}

impl Seen {
    const fn nothing() -> Self {
        Self { facts: None, data: Data::Checked(0), key_updates: 0, end: Ok(()) }
    }
}

/// Runs one row with one peer.
pub(crate) fn run(peer: &dyn Peer, row: &Row, ours: Ours, lab: &Lab) -> Result<(), String> {
    match ours {
        Ours::Client => against_their_server(peer, row, lab),
        Ours::Server => against_their_client(peer, row, lab),
    }
}

/// Counts the KeyUpdates of the peer.
#[derive(Default)]
struct KeyUpdates(AtomicUsize);

impl Observer for KeyUpdates {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Received, kind: HandshakeType::KeyUpdate, .. } = seen.what {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// A group that no server of the matrix takes before another: what a client sends a share for to be asked again.
const UNLIKED: NamedGroup = NamedGroup::SecP384r1MlKem1024;

/// What the client restricts itself to; the server has everything.
fn narrow(row: &Row) -> Policy {
    let policy = Policy::legacy().with_versions([row.version]).with_suites([row.suite.code]);
    match row.groups() {
        Some(_) if row.hello_retry => {
            policy.with_groups([Some(UNLIKED), row.group].into_iter().flatten().collect::<Vec<_>>())
        }
        Some(groups) => policy.with_groups(groups),
        None => policy,
    }
}

// ---- Clasp is the client ----

fn against_their_server(peer: &dyn Peer, row: &Row, lab: &Lab) -> Result<(), String> {
    let updates = Arc::new(KeyUpdates::default());
    let config = client_config(row, lab, updates.clone())?;
    let mut server = peer.serve(row, lab)?;
    let expected = Refused::by(row, Ours::Client);
    let echoes_early = peer.habits().server_echoes_early_data;
    for n in 0..row.connections() {
        let early = row.early_data && n + 1 == row.connections();
        let early = if !early {
            Early::No
        } else if echoes_early {
            Early::Echoed
        } else {
            Early::Sent
        };
        let mut seen = Seen::nothing();
        seen.end = talk_as_client(&config, row, server.as_mut(), early, &mut seen);
        seen.key_updates = updates.0.load(Ordering::SeqCst);
        check(row, &peer.habits(), Ours::Client, n, &seen, expected).map_err(|e| server.story(&e))?;
    }
    Ok(())
}

/// Whether a client's connection begins with early data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    No,
    Sent,
    /// The server sends it back.
    Echoed,
}

fn client_config(row: &Row, lab: &Lab, updates: Arc<KeyUpdates>) -> Result<Arc<ClientConfig>, String> {
    let mut config = ClientConfig::builder()
        .trust(authority().roots())
        .policy(narrow(row))
        .observer(updates)
        .extended_master_secret(row.extended_master_secret != Switch::OffOurs)
        .encrypt_then_mac(row.encrypt_then_mac != Switch::OffOurs)
        .session_tickets(row.resume != Resume::SessionId)
        .early_data(row.early_data);
    if row.alpn {
        config = config.alpn(ALPN_OFFERED);
    }
    if row.hello_retry {
        config = config.key_shares([UNLIKED]);
    }
    if let ClientCert::Sent(kind) = row.client_cert {
        config = config.identity(lab.client(row, kind).issued.identity());
    }
    config.build().map_err(|e| e.to_string())
}

/// Connects as soon as the server listens.
fn connect(server: &mut dyn Serving) -> io::Result<TcpStream> {
    let until = Instant::now() + SOCKET_LIMIT;
    loop {
        match TcpStream::connect(("127.0.0.1", server.port())) {
            Ok(stream) => {
                stream.set_read_timeout(Some(SOCKET_LIMIT))?;
                stream.set_write_timeout(Some(SOCKET_LIMIT))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(e) if Instant::now() > until => return Err(e),
            Err(_) if server.has_ended() => return Err(io::Error::other("the peer's server did not start")),
            Err(_) => thread::sleep(Duration::from_millis(3)),
        }
    }
}

fn talk_as_client(
    config: &Arc<ClientConfig>,
    row: &Row,
    server: &mut dyn Serving,
    early: Early,
    seen: &mut Seen,
) -> io::Result<()> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut stream = Stream::new(config.connect(name), connect(server)?);
    let talk = server.talk();
    if early != Early::No {
        send_early(&mut stream, &talk)?;
    }
    seen.facts = Some(stream.handshake()?);
    if row.is_refused(Ours::Server) {
        // In TLS 1.3 the client is done before the server has seen that it has no certificate.
        return expect_close(&mut stream);
    }
    match talk {
        Talk::Echo => {
            if early == Early::Echoed {
                read_back(&mut stream, &payload(EARLY))?;
            }
            let sent = payload(row.bytes);
            let (first, second) = sent.split_at(if row.key_update { row.bytes / 2 } else { row.bytes });
            echo(&mut stream, first)?;
            if row.key_update {
                stream.update_keys(true)?;
            }
            echo(&mut stream, second)?;
            seen.data = Data::Checked(row.bytes);
        }
        Talk::Get { .. } if row.end == End::Cut => seen.data = Data::Own(0),
        Talk::Get { path, body } => {
            if row.key_update {
                stream.update_keys(true)?;
            }
            if early == Early::No {
                stream.write_all(&request_line(&path))?;
            }
            stream.write_all(b"\r\n")?;
            let n = read_body(&mut stream, body.as_deref())?;
            seen.data = if body.is_some() { Data::Checked(n) } else { Data::Own(n) };
            // The answer ends with the server's close_notify, which `read_body` has seen.
            return stream.close();
        }
    }
    match row.end {
        End::Client => {
            stream.close()?;
            if row.checks_close { expect_close(&mut stream) } else { Ok(()) }
        }
        End::Server => {
            expect_close(&mut stream)?;
            stream.close()
        }
        End::Cut => {
            server.cut();
            expect_close(&mut stream)
        }
    }
}

/// All of a request but its last line, which is empty.
fn request_line(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.0\r\n").into_bytes()
}

/// Sends what there is to say as early data.
fn send_early(stream: &mut Stream<TcpStream>, talk: &Talk) -> io::Result<()> {
    let plain = match talk {
        Talk::Echo => payload(EARLY),
        Talk::Get { path, .. } => request_line(path),
    };
    match stream.send_early(&plain)? {
        n if n == plain.len() => Ok(()),
        n => Err(io::Error::other(format!("{n} bytes of early data could be sent, not {}", plain.len()))),
    }
}

fn read_back(stream: &mut impl Read, wanted: &[u8]) -> io::Result<()> {
    let mut back = vec![0; wanted.len()];
    stream.read_exact(&mut back)?;
    if back == wanted { Ok(()) } else { Err(io::Error::other("early data came back changed")) }
}

/// Reads an answer to its end. Gives how many bytes of body came, and checks them where they are known.
fn read_body(stream: &mut impl Read, wanted: Option<&[u8]>) -> io::Result<usize> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4);
    let body = head.and_then(|at| answer.get(at..)).unwrap_or_default();
    match wanted {
        Some(wanted) if wanted != body => {
            Err(io::Error::other(format!("{} bytes of body came, not the {} sent", body.len(), wanted.len())))
        }
        _ if body.is_empty() => Err(io::Error::other("the answer has no body")),
        _ => Ok(body.len()),
    }
}

/// The peer's close_notify and nothing else.
fn expect_close(stream: &mut impl Read) -> io::Result<()> {
    match stream.read(&mut [0; 64])? {
        0 => Ok(()),
        n => Err(io::Error::other(format!("{n} bytes came where the end was due"))),
    }
}

// ---- Clasp is the server ----

fn against_their_client(peer: &dyn Peer, row: &Row, lab: &Lab) -> Result<(), String> {
    let updates = Arc::new(KeyUpdates::default());
    let configs = server_configs(row, peer, lab, &updates)?;
    let http = peer.client_speaks_http();
    let habits = peer.habits();
    let waits = http || habits.client_never_closes;
    let all_empty = row.connections() > 1 && row.connections() <= habits.empty_connections;
    let server_closes = row.end == End::Server || (row.end == End::Client && waits);
    let bytes = if all_empty { 0 } else { row.bytes };
    let early = habits.client_sends_early_data_of_its_own;
    let early = row.early_data.then(|| if early { None } else { Some(payload(EARLY)) });
    let manners = Manners { http, server_closes, key_update: row.key_update, bytes, early };
    let server = EchoServer::start(configs, manners).map_err(|e| e.to_string())?;
    let theirs = peer.connect(row, server.port, lab);
    let mut seen = server.stop();
    // A row about them has one connection.
    seen.iter_mut().for_each(|s| s.key_updates = updates.0.load(Ordering::SeqCst));
    let expected = Refused::by(row, Ours::Server);
    let refused = expected != Refused::No;
    let story = |e: String| match &theirs {
        Ok(()) => e,
        Err(story) => format!("{e}\n      the peer: {story}"),
    };
    if seen.len() != row.connections() {
        return Err(story(format!("{} connections came, not {}: {seen:?}", seen.len(), row.connections())));
    }
    for (n, seen) in seen.iter().enumerate() {
        check(row, &peer.habits(), Ours::Server, n, seen, expected).map_err(story)?;
    }
    match theirs {
        Err(_) if refused => Ok(()),
        Ok(()) if refused => Err("the peer did not notice that it was refused".into()),
        Err(_) if row.end == End::Cut => Ok(()),
        other => other,
    }
}

fn server_configs(
    row: &Row,
    peer: &dyn Peer,
    lab: &Lab,
    updates: &Arc<KeyUpdates>,
) -> Result<Vec<Arc<ServerConfig>>, String> {
    let one = |tickets: Option<Arc<TicketKeys>>| {
        let mut policy = Policy::legacy().with_versions([row.version]);
        if !peer.client_chooses_suite(row) {
            policy = policy.with_suites([row.suite.code]);
        }
        if let Some(groups) = server_groups(row, peer, &policy) {
            policy = policy.with_groups(groups);
        }
        let verifier = Arc::new(WebPki::clients(authority().roots()));
        let mut config = ServerConfig::builder()
            .identity(lab.server(row).issued.identity())
            .policy(policy)
            .observer(updates.clone())
            .extended_master_secret(row.extended_master_secret != Switch::OffOurs)
            .encrypt_then_mac(row.encrypt_then_mac != Switch::OffOurs)
            .max_early_data(if row.early_data { 16 * 1024 } else { 0 });
        config = match row.client_cert {
            ClientCert::NotAsked => config,
            ClientCert::Sent(_) | ClientCert::Missing => config.client_auth(ClientAuth::Require(verifier)),
            ClientCert::Empty => config.client_auth(ClientAuth::Request(verifier)),
        };
        if row.alpn {
            config = config.alpn([ALPN]);
        }
        if let Some(keys) = tickets {
            config = config.tickets(keys);
        }
        config.build().map_err(|e| e.to_string())
    };
    let (provider, hour) = (Provider::builtin(), Duration::from_secs(3600));
    match row.resume {
        Resume::Never | Resume::SessionId => Ok(vec![one(None)?]),
        Resume::Ticket => {
            let keys = TicketKeys::random(provider, hour, 6 * hour).map_err(|e| e.to_string())?;
            Ok(vec![one(Some(Arc::new(keys)))?])
        }
        // Two machines behind one address, as behind a load balancer: they share 32 bytes.
        Resume::Fleet => (0..2)
            .map(|_| {
                let keys = TicketKeys::shared(provider, &FLEET_SECRET, hour, 6 * hour).map_err(|e| e.to_string())?;
                one(Some(Arc::new(keys)))
            })
            .collect(),
    }
}

/// The groups of Clasp's server where the row is about one and the client leaves the choice to it.
fn server_groups(row: &Row, peer: &dyn Peer, policy: &Policy) -> Option<Vec<NamedGroup>> {
    let group = row.group?;
    let offered = row.groups()?;
    if offered.len() == 1 && peer.client_chooses_groups(&offered) && policy.groups().contains(&group) {
        return None;
    }
    // The curve of the server's key must stay in TLS 1.2: the row's group goes to the front.
    let others = policy.groups().iter().copied().filter(|g| *g != group && !row.is_tls13());
    Some([group].into_iter().chain(others).collect())
}

const FLEET_SECRET: [u8; 32] = *b"k3!x9Q;0vT-6y#Hd5/mZs8Rb&e2WjPc4";

/// How our server talks.
#[derive(Clone)]
struct Manners {
    http: bool,
    key_update: bool,
    /// Once so many bytes came.
    server_closes: bool,
    bytes: usize,
    /// The early data to come, where there is any: these bytes, or some of the client's own making.
    early: Option<Option<Vec<u8>>>,
}

/// Serves each connection in a thread; the n-th connection meets the n-th configuration, round and round.
struct EchoServer {
    port: u16,
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<(usize, Seen)>>>,
    accepting: JoinHandle<()>,
}

impl EchoServer {
    fn start(configs: Vec<Arc<ServerConfig>>, manners: Manners) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (flag, results) = (stop.clone(), seen.clone());
        let accepting = thread::spawn(move || {
            let mut serving = Vec::new();
            for (n, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                if flag.load(Ordering::SeqCst) {
                    break;
                }
                let connection = configs[n % configs.len()].accept();
                let (results, manners) = (results.clone(), manners.clone());
                serving.push(thread::spawn(move || {
                    let one = server_connection(connection, stream, &manners);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((n, one));
                }));
            }
            for thread in serving {
                // A panic shows as a connection that is missing from the results.
                let _panicked = thread.join();
            }
        });
        Ok(Self { port, stop, seen, accepting })
    }

    /// What each connection came to, in the order they came.
    fn stop(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accepting thread; if this cannot connect, it has ended.
        let _waker = TcpStream::connect(("127.0.0.1", self.port));
        let _panicked = self.accepting.join();
        let mut seen = core::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.sort_by_key(|(n, _)| *n);
        seen.into_iter().map(|(_, seen)| seen).collect()
    }
}

fn server_connection(connection: Connection, transport: TcpStream, manners: &Manners) -> Seen {
    let mut seen = Seen::nothing();
    let mut bytes = 0;
    seen.end = talk_as_server(connection, transport, manners, &mut seen.facts, &mut bytes);
    // That these were the right bytes, the client that got them back says.
    seen.data = Data::Checked(bytes);
    seen
}

fn talk_as_server(
    connection: Connection,
    transport: TcpStream,
    manners: &Manners,
    facts: &mut Option<Arc<Facts>>,
    bytes: &mut usize,
) -> io::Result<()> {
    transport.set_read_timeout(Some(SOCKET_LIMIT))?;
    transport.set_write_timeout(Some(SOCKET_LIMIT))?;
    transport.set_nodelay(true)?;
    let mut stream = Stream::new(connection, transport);
    let mut early = Vec::new();
    if manners.early.is_some() {
        read_early(&mut stream, &mut early)?;
    }
    let settled = stream.handshake()?;
    let wanted = manners.early.iter().flatten().find(|_| settled.early_data == EarlyData::Accepted);
    if wanted.is_some_and(|wanted| early != *wanted) {
        return Err(io::Error::other(format!("{} bytes of early data, not those that were due", early.len())));
    }
    *facts = Some(settled);
    if manners.http {
        if manners.key_update {
            stream.update_keys(true)?;
        }
        let body = read_request(&mut stream)?;
        *bytes = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    } else {
        echo_as_server(&mut stream, manners, bytes)?;
    }
    stream.close()?;
    if manners.server_closes { expect_close(&mut stream) } else { Ok(()) }
}

fn read_early(stream: &mut Stream<TcpStream>, early: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 1024];
    loop {
        match stream.read_early(&mut chunk)? {
            0 => return Ok(()),
            n => early.extend_from_slice(&chunk[..n]),
        }
    }
}

fn echo_as_server(stream: &mut Stream<TcpStream>, manners: &Manners, bytes: &mut usize) -> io::Result<()> {
    let mut chunk = [0; 16 * 1024];
    let mut updates = manners.key_update;
    while !(manners.server_closes && *bytes >= manners.bytes) {
        let n = stream.read(&mut chunk)?;
        if n == 0 {
            break;
        }
        if core::mem::take(&mut updates) {
            stream.update_keys(true)?;
        }
        stream.write_all(&chunk[..n])?;
        *bytes += n;
    }
    Ok(())
}

/// Reads a request to the end of its body.
fn read_request(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut request, mut chunk) = (Vec::new(), [0; 16 * 1024]);
    loop {
        if let Some(at) = request.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..at]).to_ascii_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            let length = length.unwrap_or(0);
            let mut body = request.split_off(at + 4);
            while body.len() < length {
                let n = stream.read(&mut chunk)?;
                if n == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                body.extend_from_slice(&chunk[..n]);
            }
            return Ok(body);
        }
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => request.extend_from_slice(&chunk[..n]),
        }
    }
}
