//! Clasp's side of a row: an echo server in threads, a client, and what each must have seen.

use crate::lab::{Lab, SOCKET_LIMIT, echo, payload};
use crate::peers::{Habits, Peer, Serving, Talk};
use crate::rows::{ClientCert, End, Ours, Resume, Row, Switch};
use clasp::config::WebPki;
use clasp::crypto::Provider;
use clasp::error::{Cause, PeerError};
use clasp::session::TicketKeys;
use clasp::suite::Kx;
use clasp::{ClientAuth, ClientConfig, Connection, Facts, Policy, Resumption, ServerConfig, ServerName, Stream};
use clasp_testkit::authority;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
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
    /// How it ended: well after both close_notify, or with this error.
    end: Result<(), io::Error>,
}

/// Runs one row with one peer.
pub(crate) fn run(peer: &dyn Peer, row: &Row, ours: Ours, lab: &Lab) -> Result<(), String> {
    match ours {
        Ours::Client => against_their_server(peer, row, lab),
        Ours::Server => against_their_client(peer, row, lab),
    }
}

/// What the client restricts itself to; the server has everything.
fn narrow(row: &Row) -> Policy {
    let policy = Policy::legacy().with_suites([row.suite.code]);
    match row.groups() {
        Some(groups) => policy.with_groups(groups),
        None => policy,
    }
}

// ---- Clasp is the client ----

fn against_their_server(peer: &dyn Peer, row: &Row, lab: &Lab) -> Result<(), String> {
    let config = client_config(row, lab)?;
    let mut server = peer.serve(row, lab)?;
    let expected = if row.client_cert == ClientCert::Missing { Refused::ByThem } else { Refused::No };
    for n in 0..row.connections() {
        let seen = client_connection(&config, row, server.as_mut());
        check(row, &peer.habits(), Ours::Client, n, &seen, expected).map_err(|e| server.story(&e))?;
    }
    Ok(())
}

fn client_config(row: &Row, lab: &Lab) -> Result<Arc<ClientConfig>, String> {
    let mut config = ClientConfig::builder()
        .trust(authority().roots())
        .policy(narrow(row))
        .extended_master_secret(row.extended_master_secret != Switch::OffOurs)
        .encrypt_then_mac(row.encrypt_then_mac != Switch::OffOurs)
        .session_tickets(row.resume != Resume::SessionId);
    if let ClientCert::Sent(kind) = row.client_cert {
        config = config.identity(Arc::new(Arc::new(lab.client(kind).issued.identity())));
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

fn client_connection(config: &Arc<ClientConfig>, row: &Row, server: &mut dyn Serving) -> Seen {
    let mut seen = Seen { facts: None, data: Data::Checked(0), end: Ok(()) };
    seen.end = talk_as_client(config, row, server, &mut seen.facts, &mut seen.data);
    seen
}

fn talk_as_client(
    config: &Arc<ClientConfig>,
    row: &Row,
    server: &mut dyn Serving,
    facts: &mut Option<Arc<Facts>>,
    data: &mut Data,
) -> io::Result<()> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut stream = Stream::new(config.connect(name)?, connect(server)?);
    *facts = Some(stream.handshake()?);
    match server.talk() {
        Talk::Echo => {
            echo(&mut stream, &payload(row.bytes))?;
            *data = Data::Checked(row.bytes);
        }
        Talk::Get { .. } if row.end == End::Cut => *data = Data::Own(0),
        Talk::Get { path, body } => {
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let n = read_body(&mut stream, body.as_deref())?;
            *data = if body.is_some() { Data::Checked(n) } else { Data::Own(n) };
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
    let configs = server_configs(row, peer, lab)?;
    let http = peer.client_speaks_http();
    let habits = peer.habits();
    let waits = http || habits.client_never_closes;
    let all_empty = row.connections() > 1 && row.connections() <= habits.empty_connections;
    let server_closes = row.end == End::Server || (row.end == End::Client && waits);
    let manners = Manners { http, server_closes, bytes: if all_empty { 0 } else { row.bytes } };
    let server = EchoServer::start(configs, manners).map_err(|e| e.to_string())?;
    let theirs = peer.connect(row, server.port, lab);
    let seen = server.stop();
    let refused = row.client_cert == ClientCert::Missing;
    let story = |e: String| match &theirs {
        Ok(()) => e,
        Err(story) => format!("{e}\n      the peer: {story}"),
    };
    if seen.len() != row.connections() {
        return Err(story(format!("{} connections came, not {}: {seen:?}", seen.len(), row.connections())));
    }
    let expected = if refused { Refused::ByUs } else { Refused::No };
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

fn server_configs(row: &Row, peer: &dyn Peer, lab: &Lab) -> Result<Vec<Arc<ServerConfig>>, String> {
    let one = |tickets: Option<Arc<TicketKeys>>| {
        let mut policy = Policy::legacy();
        if !peer.client_chooses_suite(row) {
            policy = policy.with_suites([row.suite.code]);
        }
        let left_to_us = |groups: &[_]| groups.len() > 1 || !peer.client_chooses_groups(groups);
        if let (Some(group), true) = (row.group, row.groups().as_deref().is_some_and(left_to_us)) {
            // Where the client offers several, Clasp's preference decides: the row's group goes to the front.
            let other: Vec<_> = policy.groups().iter().copied().filter(|g| *g != group).collect();
            policy = policy.with_groups([vec![group], other].concat());
        }
        let verifier = Arc::new(WebPki::clients(authority().roots()));
        let mut config = ServerConfig::builder()
            .identity(lab.server(row.key).issued.identity())
            .policy(policy)
            .extended_master_secret(row.extended_master_secret != Switch::OffOurs)
            .encrypt_then_mac(row.encrypt_then_mac != Switch::OffOurs);
        config = match row.client_cert {
            ClientCert::NotAsked => config,
            ClientCert::Sent(_) | ClientCert::Missing => config.client_auth(ClientAuth::Require(verifier)),
            ClientCert::Empty => config.client_auth(ClientAuth::Request(verifier)),
        };
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

const FLEET_SECRET: [u8; 32] = *b"k3!x9Q;0vT-6y#Hd5/mZs8Rb&e2WjPc4";

/// How our server talks.
#[derive(Clone, Copy)]
struct Manners {
    http: bool,
    /// Once so many bytes came.
    server_closes: bool,
    bytes: usize,
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
                let results = results.clone();
                serving.push(thread::spawn(move || {
                    let one = server_connection(connection, stream, manners);
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

fn server_connection(connection: Connection, transport: TcpStream, manners: Manners) -> Seen {
    let (mut facts, mut bytes) = (None, 0);
    let end = talk_as_server(connection, transport, manners, &mut facts, &mut bytes);
    // That these were the right bytes, the client that got them back says.
    Seen { facts, data: Data::Checked(bytes), end }
}

fn talk_as_server(
    connection: Connection,
    transport: TcpStream,
    manners: Manners,
    facts: &mut Option<Arc<Facts>>,
    bytes: &mut usize,
) -> io::Result<()> {
    transport.set_read_timeout(Some(SOCKET_LIMIT))?;
    transport.set_write_timeout(Some(SOCKET_LIMIT))?;
    transport.set_nodelay(true)?;
    let mut stream = Stream::new(connection, transport);
    *facts = Some(stream.handshake()?);
    let Manners { http, server_closes, bytes: wanted } = manners;
    if http {
        let body = read_request(&mut stream)?;
        *bytes = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
        stream.write_all(&body)?;
    } else {
        let mut chunk = [0; 16 * 1024];
        while !(server_closes && *bytes >= wanted) {
            let n = stream.read(&mut chunk)?;
            if n == 0 {
                break;
            }
            stream.write_all(&chunk[..n])?;
            *bytes += n;
        }
    }
    stream.close()?;
    if server_closes { expect_close(&mut stream) } else { Ok(()) }
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

// ---- What must have been seen ----

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    No,
    ByThem,
    ByUs,
}

fn check(row: &Row, habits: &Habits, ours: Ours, n: usize, seen: &Seen, refused: Refused) -> Result<(), String> {
    let wrong = |what: String| Err(format!("connection {}: {what}", n + 1));
    let cause = seen.end.as_ref().err().and_then(|e| e.get_ref()?.downcast_ref::<clasp::Error>());
    match (refused, &seen.end, cause) {
        (Refused::ByThem, Err(_), Some(e)) if e.peer_alert().is_some() => return Ok(()),
        (Refused::ByUs, Err(_), Some(e)) if *e.cause() == Cause::Peer(PeerError::NoCertificateTls12) => return Ok(()),
        (Refused::ByThem | Refused::ByUs, end, _) => return wrong(format!("no refusal, but {end:?}")),
        (Refused::No, Err(_), Some(e)) if row.end == End::Cut && e.is_truncation() => {}
        (Refused::No, Ok(()), _) if row.end == End::Cut => return wrong("a cut connection looked like its end".into()),
        (Refused::No, Err(_), Some(e)) if forgiven(row, habits, ours, e) => {}
        (Refused::No, Err(e), _) => {
            return wrong(format!("{e}, after {:?}, facts: {:?}", seen.data, seen.facts.as_deref().map(brief)));
        }
        (Refused::No, Ok(()), _) => {}
    }
    let Some(facts) = &seen.facts else { return wrong("no handshake".into()) };
    check_facts(row, habits, ours, n, facts).or_else(|what| wrong(format!("{what}; facts: {}", brief(facts))))?;
    let empty = ours == Ours::Server && row.connections() > 1 && n < habits.empty_connections;
    match seen.data {
        Data::Checked(0) if empty => Ok(()),
        Data::Checked(n) if n == row.bytes => Ok(()),
        Data::Own(n) if n > 0 || row.end == End::Cut => Ok(()),
        other => wrong(format!("{other:?} is the data that came, not {} bytes", row.bytes)),
    }
}

/// A peer that hangs up without its close_notify, where the row is about something else.
fn forgiven(row: &Row, habits: &Habits, ours: Ours, error: &clasp::Error) -> bool {
    let rude = match ours {
        Ours::Client => habits.server_hangs_up,
        Ours::Server => habits.client_hangs_up,
    };
    rude && !row.checks_close && error.is_truncation()
}

fn check_facts(row: &Row, habits: &Habits, ours: Ours, n: usize, facts: &Facts) -> Result<(), String> {
    let same = |what: &str, seen: &dyn core::fmt::Debug, wanted: &dyn core::fmt::Debug| {
        let (seen, wanted) = (format!("{seen:?}"), format!("{wanted:?}"));
        if seen == wanted { Ok(()) } else { Err(format!("{what} is {seen}, wanted {wanted}")) }
    };
    let last = n + 1 == row.connections();
    let resumed = match row.resume {
        Resume::SessionId if last => Some(Resumption::SessionId),
        Resume::Ticket | Resume::Fleet if last => Some(Resumption::Ticket),
        _ => None,
    };
    // RFC 7627 5.4, the triple handshake: a client with a certificate does not resume what has no extended master secret.
    let guarded = ours == Ours::Client && !habits.extended_master_secret && row.client_cert != ClientCert::NotAsked;
    let resumed = resumed.filter(|_| !guarded);
    same("version", &facts.version, &row.version)?;
    same("suite", &facts.suite, &row.suite.code)?;
    same("resumption", &facts.resumed, &resumed)?;
    if resumed.is_none() {
        match row.group {
            Some(group) if row.suite.kx != Kx::Rsa => same("group", &facts.group, &Some(group))?,
            _ if row.suite.kx == Kx::Ecdhe => same("whether there is a group", &facts.group.is_some(), &true)?,
            _ => {}
        }
    }
    let ems = row.extended_master_secret == Switch::On && habits.extended_master_secret;
    same("extended master secret", &facts.extended_master_secret, &ems)?;
    let etm = row.encrypt_then_mac == Switch::On && habits.encrypt_then_mac && row.is_cbc();
    same("encrypt-then-MAC", &facts.encrypt_then_mac, &etm)?;
    // A client that resumes does not prove its certificate anew; the server remembers that it did.
    let proved = matches!(row.client_cert, ClientCert::Sent(_)) && (ours == Ours::Server || resumed.is_none());
    same("whether the client proved a certificate", &facts.client_authenticated, &proved)?;
    same("secure renegotiation", &facts.secure_renegotiation, &true)
}

/// The facts of one line.
fn brief(facts: &Facts) -> String {
    let group = facts.group.map_or("-", |g| g.name());
    format!(
        "{:?} {} group {group} resumed {:?} EMS {} EtM {}",
        facts.version,
        facts.suite.name(),
        facts.resumed,
        facts.extended_master_secret,
        facts.encrypt_then_mac
    )
}
