//! `clasp connect HOST:PORT`.

use crate::failure::Failure;
use crate::negotiation::Negotiation;
use crate::output::{self, Style, note};
use crate::{pem, report};
use clasp::config::Profile;
use clasp::config::{ClientIdentity, WebPki};
use clasp::keys::log::KeyLogFile;
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{HandshakeType, ProtocolVersion};
use clasp::{ClientConfig, EarlyData, Facts, ServerName, Stream};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Speak TLS to HOST:PORT: says what was negotiated on stderr, then joins stdin and stdout to the connection.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Whom to connect to
    #[arg(value_name = "HOST:PORT")]
    target: String,
    /// Fetch PATH by HTTP/1.1 instead of joining stdin and stdout
    #[arg(long, value_name = "PATH")]
    get: Option<String>,
    /// Say what was negotiated as JSON on stdout, then close
    #[arg(long)]
    json: bool,
    /// Trust the CAs of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A certificate for servers that ask for one (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    #[command(flatten)]
    negotiation: Negotiation,
    /// The name to ask for and check, instead of HOST
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    /// Application protocols to offer, best first
    #[arg(long, value_delimiter = ',')]
    alpn: Vec<String>,
    /// Reconnect with the session, and say whether it was taken
    #[arg(long)]
    resume: bool,
    /// Send the request of --get as early data (0-RTT) when reconnecting: an attacker can make it arrive twice
    #[arg(long, requires = "resume", requires = "get")]
    early_data: bool,
    /// Move our keys on after the handshake, and ask the server to do the same (TLS 1.3)
    #[arg(long)]
    keyupdate: bool,
    /// Take any certificate: whoever is in the middle reads everything
    #[arg(long)]
    insecure: bool,
    /// Append the secrets to FILE (SSLKEYLOGFILE format)
    #[arg(long, value_name = "FILE")]
    keylog: Option<PathBuf>,
}

/// Counts the KeyUpdates of the server.
#[derive(Default)]
struct KeyUpdates(AtomicUsize);

impl Observer for KeyUpdates {
    fn observe(&self, seen: &Observation<'_>) {
        if let What::Message { direction: Direction::Received, kind: HandshakeType::KeyUpdate, .. } = seen.what {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = name(arguments)?;
    let updates = Arc::new(KeyUpdates::default());
    let config = config(arguments, updates.clone())?;
    let mut request = arguments.get.as_ref().map(|path| request(&name, path));
    let mut stream = connect(arguments, &config, &name)?;
    let mut facts = stream.handshake()?;
    let mut reports = vec![report::json(&facts)];
    if arguments.resume {
        say(arguments, &facts);
        end(stream, &facts)?;
        stream = connect(arguments, &config, &name)?;
        facts = resume(arguments, &mut stream, &mut request)?;
        reports.push(report::json(&facts));
    }
    if arguments.json {
        stream.close()?;
        return output::line(format_args!("{:#}", serde_json::json!({ "connections": reports })));
    }
    say(arguments, &facts);
    if arguments.keyupdate {
        stream.update_keys(true)?;
    }
    match request {
        Some(request) => get(&mut stream, &request)?,
        None => join(stream)?,
    }
    if arguments.keyupdate {
        note(format_args!("keyupdate the server moved its keys on {} times", updates.0.load(Ordering::Relaxed)));
    }
    Ok(())
}

fn name(arguments: &Arguments) -> Result<ServerName<'static>, Failure> {
    let (host, _) = arguments
        .target
        .rsplit_once(':')
        .ok_or_else(|| Failure::cannot(format_args!("{} has no port", arguments.target)).hint("write HOST:PORT"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = arguments.servername.as_deref().unwrap_or(host).to_string();
    ServerName::try_from(name.clone())
        .map_err(|_| Failure::cannot(format_args!("{name} is neither a DNS name nor an IP address")))
}

/// The second handshake. What of the request went as early data, and was taken, is gone from it then.
fn resume(
    arguments: &Arguments,
    stream: &mut Stream<TcpStream>,
    request: &mut Option<Vec<u8>>,
) -> Result<Arc<Facts>, Failure> {
    let early = request.as_mut().filter(|_| arguments.early_data);
    let sent = match &early {
        Some(request) => stream.send_early(request)?,
        None => 0,
    };
    let facts = stream.handshake()?;
    let taken =
        facts.resumed.map_or("the session was not taken".into(), |r| format!("the session was taken, by {}", r.name()));
    note(format_args!("reconnected: {taken}"));
    if let Some(request) = early {
        note(match facts.early_data {
            EarlyData::NotOffered => "early data: none was sent, the server's ticket does not allow it",
            EarlyData::Rejected => "early data: not taken, so the request goes again",
            EarlyData::Accepted => "early data: taken",
        });
        if facts.early_data == EarlyData::Accepted {
            request.drain(..sent);
        }
    }
    Ok(facts)
}

fn config(arguments: &Arguments, observer: Arc<dyn Observer>) -> Result<Arc<ClientConfig>, Failure> {
    let builder = if arguments.insecure {
        let warning = output::on_stderr(Style::Bad, "warning:");
        note(format_args!("{warning} --insecure: the peer can be anybody, and so can whoever is in the middle"));
        ClientConfig::builder().dangerous_trust_anyone()
    } else {
        let roots = pem::roots(arguments.ca.as_deref())?;
        // A private authority need not follow the rules of the public web.
        let profile = if arguments.ca.is_some() { Profile::Rfc5280 } else { Profile::default() };
        ClientConfig::builder().dangerous_verifier(Arc::new(WebPki::servers(roots).profile(profile)))
    };
    let mut builder = builder.policy(arguments.negotiation.policy()?).alpn(&arguments.alpn);
    builder = builder.observer(observer).early_data(arguments.early_data);
    if let (Some(cert), Some(key)) = (&arguments.cert, &arguments.key) {
        let identity: Arc<dyn ClientIdentity> = Arc::new(Arc::new(pem::identity(cert, key)?));
        builder = builder.identity(identity);
    }
    if let Some(path) = &arguments.keylog {
        builder = builder.key_log(Arc::new(KeyLogFile::open(path).map_err(|e| Failure::file(path, e))?));
    }
    Ok(builder.build()?)
}

fn connect(
    arguments: &Arguments,
    config: &Arc<ClientConfig>,
    name: &ServerName<'static>,
) -> Result<Stream<TcpStream>, Failure> {
    let tcp = TcpStream::connect(&arguments.target).map_err(|e| {
        Failure::cannot(format_args!("{}: {e}", arguments.target)).hint("is the server running, and the port right?")
    })?;
    tcp.set_nodelay(true)?;
    Ok(Stream::new(config.connect(name.clone())?, tcp))
}

/// Closes the first connection, and waits a little for what comes after a handshake of TLS 1.3: the session's tickets.
fn end(mut stream: Stream<TcpStream>, facts: &Facts) -> Result<(), Failure> {
    stream.close()?;
    if facts.version == ProtocolVersion::Tls13 {
        stream.transport().set_read_timeout(Some(Duration::from_secs(2)))?;
        // A server that goes on talking, or ends without a word, has sent its tickets before.
        let _rest = io::copy(&mut (&mut stream).take(1 << 16), &mut io::sink());
    }
    Ok(())
}

fn say(arguments: &Arguments, facts: &Facts) {
    report::lines(facts).iter().for_each(note);
    let verdict = if arguments.insecure { "NOT CHECKED (--insecure)" } else { "trusted, and for this name" };
    note(format_args!("verdict   {verdict}"));
}

fn request(name: &ServerName<'_>, path: &str) -> Vec<u8> {
    let host = name.to_str();
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: clasp\r\n\r\n").into_bytes()
}

fn get(stream: &mut Stream<TcpStream>, request: &[u8]) -> Result<(), Failure> {
    stream.write_all(request)?;
    let mut page = Vec::new();
    let read = stream.read_to_end(&mut page);
    // What came is shown even where the end is missing; the error follows.
    output::bytes(&page)?;
    read?;
    Ok(())
}

/// Joins stdin and stdout to the connection until the peer closes.
fn join(stream: Stream<TcpStream>) -> Result<(), Failure> {
    // One thread owns the connection; another only reads stdin. The socket's timeout lets the owner look at both.
    let (lines, typed) = std::sync::mpsc::sync_channel::<Vec<u8>>(4);
    thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = io::stdin().read(&mut buffer) {
            if lines.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut stream = stream;
    stream.transport().set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut open = true;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        loop {
            match typed.try_recv() {
                Ok(bytes) => stream.write_all(&bytes)?,
                Err(std::sync::mpsc::TryRecvError::Empty) => break,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                    if open {
                        open = false;
                        stream.close()?;
                        stream.transport().shutdown(Shutdown::Write)?;
                    }
                    break;
                }
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                output::bytes(&buffer[..n])?;
            }
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            // A peer that ends the transport after our own close has nothing left to cut off.
            Err(e) if !open && e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(e) => return Err(Failure::from_io(e)),
        }
    }
}
