//! `clasp trace proxy`: somebody in the middle, whom the client's owner has put there. Both conversations are ours, so that both can
//! be read; what goes through is passed on as it is.

use super::output::Output;
use super::relay::{self, Begun};
use crate::command::ca;
use crate::command::connect::arguments::Peer;
use crate::command::connect::client;
use crate::command::connect::patient::Patient;
use crate::command::serve::config::data_directory;
use crate::failure::Failure;
use crate::negotiation::Negotiation;
use crate::report;
use crate::terminal::note;
use crate::trace::recorder::Recorder;
use crate::trace::{Side, Trace};
use clasp::code::{AlertDescription, HandshakeType, ProtocolVersion};
use clasp::config::{Admission, ClientHelloFacts, Clock};
use clasp::hello::{ClientHello, HelloReader};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::{Answer, Error, Facts, Identity, ServerConfig, Stream};
use std::io::{self, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

const HELP: &str = "\
Examples:
  clasp trace proxy example.com --html trace.html
  then, elsewhere: curl --cacert FILE --connect-to example.com:443:localhost:4433 https://example.com/
  clasp trace proxy localhost:8443 --ca ca/root.pem --dir ca --count 2 --json
The client has to trust our authority: without --dir its file is named. Certificates are made for the name that a client asks for, and
kept nowhere. All that goes through can be read here, and is in the trace as it stood on the wire: be in the middle of your own alone.
Exit codes: 0 traced; 1 one of the handshakes failed (it is shown how far it came); 2 could not begin";

/// Stand between a client of yours and HOST[:PORT], and trace what it says to us and what we say to the server, on three lanes.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The server
    #[arg(value_name = "HOST[:PORT]")]
    target: String,
    /// Address and port for the client
    #[arg(long, default_value = "127.0.0.1:4433")]
    listen: String,
    /// How many connections to trace before the end, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// The directory of `clasp ca` whose authority the client trusts [default: that of clasp serve]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Trust the CAs of this PEM file for the server instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Take any certificate of the server
    #[arg(long)]
    insecure: bool,
    /// The name to ask the server for and to check, instead of HOST
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    #[command(flatten)]
    negotiation: Negotiation,
    /// How long each handshake may take, and how long both may be silent behind it
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    output: Output,
}

impl Arguments {
    fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Whom we speak to, and with which protocols: those of the client.
    fn peer(&self, alpn: Vec<String>) -> Peer {
        Peer {
            target: client::with_port(&self.target),
            timeout: self.timeout,
            ca: self.ca.clone(),
            profile: None,
            common_name: false,
            pin: Vec::new(),
            cert: None,
            key: None,
            key_password_file: None,
            negotiation: self.negotiation.clone(),
            schemes: Vec::new(),
            no_grease: false,
            no_status_request: false,
            servername: self.servername.clone(),
            alpn,
            insecure: self.insecure,
            keylog: None,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let dir = match &arguments.dir {
        Some(dir) => dir.clone(),
        None => {
            let dir = data_directory()?;
            let (root, _) = ca::for_localhost(&dir)?;
            note(format_args!("the authority of our certificates: {}", root.display()));
            dir
        }
    };
    // What is wrong with the options or the authority, nobody has to connect for.
    client::builder(&arguments.peer(Vec::new()))?.build()?;
    ca::mint(&dir, "localhost", false)?;
    let listener = TcpListener::bind(&arguments.listen).map_err(|e| {
        Failure::cannot(format_args!("{}: {e}", arguments.listen)).hint("choose another with --listen ADDRESS:PORT")
    })?;
    note(format_args!("listening on https://{}/ for {}", listener.local_addr()?, client::with_port(&arguments.target)));
    let (mut traces, mut failed) = (Vec::new(), None);
    for _ in 0..arguments.count {
        let (tcp, peer) = listener.accept()?;
        let proxied = Proxied { arguments, dir: &dir, began: SystemTime::now() };
        let (trace, outcome) = proxied.stand_between(tcp, &peer.to_string())?;
        arguments.output.print(&trace)?;
        traces.push(trace);
        failed = failed.or(outcome);
    }
    arguments.output.finish(&traces)?;
    failed.map_or(Ok(()), Err)
}

/// One client, and the server for it.
struct Proxied<'a> {
    arguments: &'a Arguments,
    dir: &'a std::path::Path,
    began: SystemTime,
}

type Far = (Stream<Patient>, Arc<Facts>);

impl Proxied<'_> {
    /// Whatever goes wrong is the trace's end, and ours of nothing.
    fn stand_between(&self, tcp: TcpStream, from: &str) -> Result<(Trace, Option<Failure>), Failure> {
        let title = format!("clasp trace proxy {}: {from}", client::with_port(&self.arguments.target));
        let arrival = Arc::new(Arrival::default());
        let near = Arc::new(Recorder::new(Side::Server, self.began).with_clock(arrival.clone()));
        let far = Arc::new(Recorder::new(Side::Client, self.began));
        let end = tcp.try_clone()?;
        let mut tcp = Patient::accepted(tcp, self.arguments.limit())?;
        tcp.end_reads(Some(self.arguments.limit()));
        let (said, hello) = hello(&mut tcp);
        arrival.hold(SystemTime::now());
        let mut took = None;
        let outcome = match &hello {
            Some(hello) => self.connect(hello, &far, &mut took),
            // Who says no hello has no server, and is told so by the connection that hears him.
            None => Err(Failure::no("the client said no hello")),
        };
        let watched = Arc::new(Front { recorder: near.clone(), arrival });
        let mut stream = Stream::new(self.front(hello.as_ref(), &outcome, watched)?.accept(), Begun::new(said, tcp));
        let handshake = stream.handshake();
        let far_outcome = outcome.as_ref().map(|(_, facts)| report::json(facts)).map_err(|e| e.message().to_owned());
        let near_outcome = handshake.as_ref().map(|facts| report::json(facts)).map_err(ToString::to_string);
        let failed = match (outcome, handshake) {
            (Ok((server, _)), Ok(_)) => self.talk(stream, server).err(),
            (Err(failure), Err(_)) if hello.is_some() => {
                self.drain(&end, &mut stream);
                Some(failure)
            }
            (server, Err(error)) => {
                self.drain(&end, &mut stream);
                // The server need not know why.
                server.into_iter().for_each(|(mut server, _)| drop(server.close()));
                Some(self.explain(error))
            }
            (Err(failure), Ok(_)) => Some(failure),
        };
        let mut trace = near.take(title);
        let mut beyond = far.take("");
        if let Some(took) = took {
            beyond.estimate(took);
        }
        trace.beyond(beyond);
        trace.conclude_both(&near_outcome, &far_outcome);
        Ok((trace, failed))
    }

    /// The conversation with the server, as far as its handshake.
    fn connect(&self, hello: &ClientHello, far: &Arc<Recorder>, took: &mut Option<f64>) -> Result<Far, Failure> {
        let alpn = hello.alpn().filter_map(|name| String::from_utf8(name.to_vec()).ok()).collect();
        let peer = self.arguments.peer(alpn);
        let config = client::builder(&peer)?.observer(far.clone()).build()?;
        let since = Instant::now();
        let mut tcp = client::tcp(&peer)?;
        *took = Some(since.elapsed().as_secs_f64() * 1000.0);
        far.note(SystemTime::now(), "TCP connected");
        tcp.end_reads(Some(self.arguments.limit()));
        let mut stream = Stream::new(config.connect(client::name(&peer)?), tcp);
        let facts = stream.handshake().map_err(|e| Failure::from_io(e).within("the server"))?;
        Ok((stream, facts))
    }

    /// The server that the client meets: of the name it asks for, with the protocol that the real one has chosen.
    fn front(
        &self,
        hello: Option<&ClientHello>,
        outcome: &Result<Far, Failure>,
        watched: Arc<Front>,
    ) -> Result<Arc<ServerConfig>, Failure> {
        let name = hello.and_then(ClientHello::server_name).unwrap_or("localhost");
        let minted = ca::mint(self.dir, name, hello.is_some_and(wants_rsa));
        let admitted = outcome.is_ok() && minted.is_ok();
        let identity: Identity = minted.or_else(|_| ca::mint(self.dir, "localhost", false))?;
        let builder = ServerConfig::builder().identity(identity).policy(self.arguments.negotiation.policy()?);
        let builder = builder.no_sessions().observer(watched);
        let protocol = outcome.as_ref().ok().and_then(|(_, facts)| facts.alpn.clone());
        let builder = builder.alpn(protocol);
        Ok(if admitted { builder.build()? } else { builder.admission(Arc::new(NoServer)).build()? })
    }

    fn talk(&self, mut near: Stream<Begun>, mut far: Stream<Patient>) -> Result<(), Failure> {
        near.transport_mut().tcp().end_reads(None);
        far.transport_mut().end_reads(None);
        let near = near.into_split(Begun::reader).map_err(|(_, e)| Failure::from_io(e))?;
        let far = far.into_split(|tcp| tcp.reader(relay::TICK)).map_err(|(_, e)| Failure::from_io(e))?;
        relay::relay(near, far, self.arguments.limit());
        Ok(())
    }

    /// Half-close and drain, so that the alert arrives and no reset overtakes it. Who is gone already needs nothing.
    fn drain(&self, end: &TcpStream, stream: &mut Stream<Begun>) {
        let _gone = end.shutdown(Shutdown::Write);
        let tcp = stream.transport_mut().tcp();
        tcp.end_reads(Some(self.arguments.limit().min(Duration::from_secs(1))));
        let _rest = io::copy(&mut tcp.take(1 << 16), &mut io::sink());
    }

    fn explain(&self, error: io::Error) -> Failure {
        if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
            let limit = self.arguments.timeout;
            return Failure::no(format_args!("the client did not finish its handshake within {limit} s"));
        }
        let failure = Failure::from_io(error).within("the client");
        match failure.hint_text() {
            Some(_) => failure,
            None => failure.hint("it has to trust our authority: its file, or that of --dir, is root.pem"),
        }
    }
}

/// What a client says first, and its hello, if it is one.
fn hello(tcp: &mut Patient) -> (Vec<u8>, Option<ClientHello>) {
    let (mut reader, mut said) = (HelloReader::default(), Vec::new());
    let mut buffer = [0; 4096];
    loop {
        match reader.read(&said) {
            Ok(Some(hello)) => return (said, Some(hello)),
            Ok(None) => {}
            Err(_) => return (said, None),
        }
        match tcp.read(&mut buffer) {
            Ok(n @ 1..) => said.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            _ => return (said, None),
        }
    }
}

/// A device that knows no ECDSA.
fn wants_rsa(hello: &ClientHello) -> bool {
    !hello.versions().any(|version| version == ProtocolVersion::Tls13)
        && !hello.suites().any(|suite| suite.name().contains("_ECDSA_"))
}

/// Refuses the client where there is no server to speak to.
struct NoServer;

impl Admission for NoServer {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<()>> {
        Answer::Now(Err(Error::refused(AlertDescription::HandshakeFailure)))
    }
}

/// A clock that stands still between a hello's arrival and our answer: meanwhile we speak to the server.
#[derive(Default)]
struct Arrival(Mutex<Option<SystemTime>>);

impl Arrival {
    fn set(&self, to: Option<SystemTime>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }

    fn hold(&self, at: SystemTime) {
        self.set(Some(at));
    }
}

impl Clock for Arrival {
    fn now(&self) -> SystemTime {
        let held = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.unwrap_or_else(SystemTime::now)
    }
}

/// Hears the client's conversation. Its hello came when it came, whenever we come to read it.
struct Front {
    recorder: Arc<Recorder>,
    arrival: Arc<Arrival>,
}

impl Observer for Front {
    fn observe(&self, seen: &Observation<'_>) {
        let came = match &seen.what {
            What::Record { direction, .. } => *direction == Direction::Received,
            What::Message { direction, kind, .. } => {
                *direction == Direction::Received && *kind == HandshakeType::ClientHello
            }
            _ => false,
        };
        if !came {
            self.arrival.set(None);
        }
        self.recorder.observe(seen);
    }
}
