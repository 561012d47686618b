//! `clasp trace connect`.

use super::output::Output;
use crate::command::connect::arguments::Peer;
use crate::command::connect::client;
use crate::command::connect::patient::Patient;
use crate::command::connect::seen::Seen;
use crate::failure::Failure;
use crate::report;
use crate::trace::recorder::Recorder;
use crate::trace::{Side, Trace};
use clasp::code::ProtocolVersion;
use clasp::trace::{Observation, Observer};
use clasp::{ClientConfig, Facts, ServerName, Stream};
use std::io::{self, Read};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

const HELP: &str = "\
Examples:
  clasp trace connect example.com
  clasp trace connect example.com --lang zh
  clasp trace connect localhost:4433 --ca ca/root.pem --resume --fields
  clasp trace connect 192.0.2.7:443 --policy legacy --insecure --json
  clasp trace connect example.com --resume --html trace.html
Nothing is asked of the server but the handshake. A trace holds all that was said, deciphered, but no keys.
Exit codes: 0 traced; 1 the handshake failed (it is shown how far it came); 2 could not try";

/// Be the client of HOST[:PORT], and show what was said, what for and why. Without a port it is 443.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    peer: Peer,
    /// Connect twice: the second time with the session of the first
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    output: Output,
}

/// What the trace and the words of a failure are made of.
struct Both(Arc<Seen>, Arc<Recorder>);

impl Observer for Both {
    fn observe(&self, seen: &Observation<'_>) {
        self.0.observe(seen);
        self.1.observe(seen);
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let peer = Peer { target: client::with_port(&arguments.peer.target), ..arguments.peer.clone() };
    let name = client::name(&peer)?;
    let config = client::builder(&peer)?.build()?;
    let (mut traces, mut failed) = (Vec::new(), None);
    for again in [false, true] {
        if again && (!arguments.resume || failed.is_some()) {
            break;
        }
        let title = format!("{}{}", peer.target, if again { ", with the session of before" } else { "" });
        let (trace, outcome) = connect(&peer, &config, &name, &title)?;
        arguments.output.print(&trace)?;
        traces.push(trace);
        failed = outcome;
    }
    arguments.output.finish(&traces)?;
    failed.map_or(Ok(()), Err)
}

/// Connects once. A handshake that fails has a trace too.
fn connect(
    peer: &Peer,
    config: &Arc<ClientConfig>,
    name: &ServerName<'static>,
    title: &str,
) -> Result<(Trace, Option<Failure>), Failure> {
    // The first use of a crypto library, and of its randomness, takes tens of milliseconds that no handshake has.
    config.connect(name.clone()).advance(&mut Context::from_waker(Waker::noop()), &mut Vec::new())?;
    let began = SystemTime::now();
    let recorder = Arc::new(Recorder::new(Side::Client, began));
    let seen = Arc::new(Seen::default());
    let config = ClientConfig::clone(config).with_observer(Arc::new(Both(seen.clone(), recorder.clone())));
    let (tcp, took) = {
        let since = Instant::now();
        (client::tcp(peer)?, since.elapsed())
    };
    recorder.note(SystemTime::now(), "TCP connected");
    let mut stream = Stream::new(Arc::new(config).connect(name.clone()), tcp);
    let done = handshake(peer, &mut stream, &seen);
    let mut trace = recorder.take(format!("clasp trace connect {title}"));
    trace.estimate(took.as_secs_f64() * 1000.0);
    // In the words of the command: what a library would have to call is no use here.
    let done = done.map_err(|error| seen.explain(error, peer));
    let words = |failure: &Failure| match failure.hint_text() {
        Some(hint) => format!("{}; hint: {hint}", failure.message()),
        None => failure.message().to_owned(),
    };
    trace.conclude(&done.as_ref().map(|facts| report::json(facts)).map_err(words));
    Ok((trace, done.err()))
}

/// How long we wait for what a server says after its handshake, and how often we look.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);

/// The handshake, what comes right after it, and an end in order.
fn handshake(peer: &Peer, stream: &mut Stream<Patient>, seen: &Seen) -> io::Result<Arc<Facts>> {
    stream.transport_mut().end_reads(Some(Duration::from_secs(peer.timeout)));
    let facts = stream.handshake()?;
    // A server of TLS 1.3 that refuses us, for want of a certificate, say, does so after we are done (RFC 9846 4.4.2.4).
    let until = Instant::now() + PATIENCE;
    while facts.version == ProtocolVersion::Tls13 && !seen.has_ticket() && Instant::now() < until {
        stream.transport_mut().end_reads(Some(LOOK));
        match stream.read(&mut [0; 1024]) {
            // Data, or an end in peace.
            Ok(_) => break,
            Err(e) if matches!(e.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {}
            Err(e) => return Err(e),
        }
    }
    // Whatever becomes of our goodbye, the handshake is done.
    let _said = stream.close();
    stream.transport_mut().end_reads(Some(PATIENCE));
    let _rest = io::copy(&mut stream.take(1 << 16), &mut io::sink());
    Ok(facts)
}
