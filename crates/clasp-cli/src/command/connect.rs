//! `clasp connect HOST:PORT`.

mod answer;
pub(crate) mod arguments;
pub(crate) mod client;
mod ech;
mod http3;
mod join;
pub(crate) mod patient;
pub(crate) mod seen;

use crate::failure::Failure;
use crate::output;
use crate::report;
use crate::terminal::note;
use answer::HttpResponse;
pub(crate) use arguments::Arguments;
use arguments::Peer;
use clasp::code::ProtocolVersion;
use clasp::{ClientConfig, EarlyData, Facts, ServerName, Stream};
use patient::Patient;
use seen::Seen;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    check(arguments)?;
    if arguments.http3 {
        return over_quic(arguments);
    }
    let name = client::name(&arguments.peer)?;
    let seen = Arc::new(Seen::default());
    let explained = |e: io::Error| seen.explain(e, &arguments.peer);
    let builder = client::builder(&arguments.peer)?.observer(seen.clone());
    let hidden = ech::mode(arguments.ech.as_deref())?;
    let config = builder.early_data(arguments.early_data).encrypted_client_hello(hidden.clone()).build()?;
    let mut request = arguments.get.as_ref().map(|path| request(arguments, path)).transpose()?;
    let mut stream = connect(arguments, &config, &name, &seen)?;
    let mut facts = match shake(arguments, &mut stream) {
        Ok(facts) => facts,
        Err(error) => {
            ech::refused(&error)
                .filter(|_| arguments.json)
                .map_or(Ok(()), |said| output::line(format_args!("{said:#}")))?;
            return Err(explained(error));
        }
    };
    let mut reports = vec![ech::report(&facts, &hidden)];
    if arguments.resume {
        say(arguments, &facts);
        // Who was refused has nothing to resume.
        confirm(&mut stream, &facts, &seen).map_err(explained)?;
        end(stream, &facts)?;
        stream = connect(arguments, &config, &name, &seen)?;
        facts = resume(arguments, &mut stream, &mut request).map_err(explained)?;
        reports.push(ech::report(&facts, &hidden));
    }
    if arguments.json {
        let confirmed = confirm(&mut stream, &facts, &seen).map_err(explained)?;
        // Whatever becomes of our goodbye, the answer is known.
        let _said = stream.close();
        return print(arguments, &reports, confirmed);
    }
    say(arguments, &facts);
    if arguments.keyupdate {
        stream.update_keys(true).map_err(explained)?;
    }
    match request {
        Some(request) => get(&mut stream, &request, explained)?,
        None => join::join(stream, arguments, &seen)?,
    }
    if arguments.keyupdate {
        note(format_args!("keyupdate the server moved its keys on {} times", seen.key_updates()));
    }
    Ok(())
}

fn print(arguments: &Arguments, reports: &[serde_json::Value], confirmed: Option<bool>) -> Result<(), Failure> {
    let (trusted, verdict) = (!arguments.peer.insecure, verdict(arguments));
    let whole =
        serde_json::json!({ "connections": reports, "confirmed": confirmed, "trusted": trusted, "verdict": verdict });
    output::line(format_args!("{whole:#}"))
}

/// The same with QUIC beneath. Packets come and go while stdout is waited for, on a thread of their own.
fn over_quic(arguments: &Arguments) -> Result<(), Failure> {
    let peer = Peer { target: client::with_port(&arguments.peer.target), ..arguments.peer.clone() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(async {
        let connected = http3::connect(&peer).await?;
        let outcome = match &arguments.get {
            Some(path) => {
                say(arguments, &connected.facts);
                connected.get(path).await
            }
            None => {
                let confirmed = connected.confirm(VERDICT).await;
                confirmed.and_then(|confirmed| print(arguments, &[report::json(&connected.facts)], confirmed))
            }
        };
        connected.close().await;
        outcome
    });
    runtime.shutdown_background();
    outcome
}

/// What would have no effect is refused, by the names of the two options.
fn check(arguments: &Arguments) -> Result<(), Failure> {
    let clash = |one: &str, other: &str, why: &str| {
        Err(Failure::cannot(format_args!("{one} and {other} exclude each other: {why}")))
    };
    if arguments.peer.negotiation.version() == Some("1.2") {
        let hides = arguments.ech.as_deref().is_some_and(|ech| ech != "off");
        for (given, name) in [
            (arguments.early_data, "--early-data"),
            (arguments.keyupdate, "--keyupdate"),
            (hides, "--ech"),
            (arguments.http3, "--http3"),
        ] {
            if given {
                return clash(name, "--tls 1.2", "only TLS 1.3 has it");
            }
        }
    }
    if arguments.http3 && arguments.get.is_none() && !arguments.json {
        let why = "--http3 by itself does nothing: over HTTP/3 stdin and stdout are not joined to the connection";
        return Err(Failure::cannot(why).hint("give --get PATH, or --json"));
    }
    if arguments.get.is_some() && arguments.peer.alpn.iter().any(|p| !p.starts_with("http/1")) {
        return clash("--get", "--alpn", "the request is one of HTTP/1.1, so offer http/1.1 alone");
    }
    Ok(())
}

/// The handshake, which has the time limit as a whole.
fn shake(arguments: &Arguments, stream: &mut Stream<Patient>) -> io::Result<Arc<Facts>> {
    stream.transport_mut().end_reads(Some(Duration::from_secs(arguments.peer.timeout)));
    let facts = stream.handshake();
    stream.transport_mut().end_reads(None);
    facts
}

/// The second handshake. What of the request went as early data, and was taken, is gone from it then.
fn resume(
    arguments: &Arguments,
    stream: &mut Stream<Patient>,
    request: &mut Option<Vec<u8>>,
) -> io::Result<Arc<Facts>> {
    let early = request.as_mut().filter(|_| arguments.early_data);
    let sent = match &early {
        Some(request) => stream.send_early(request)?,
        None => 0,
    };
    let facts = shake(arguments, stream)?;
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

fn connect(
    arguments: &Arguments,
    config: &Arc<ClientConfig>,
    name: &ServerName<'static>,
    seen: &Seen,
) -> Result<Stream<Patient>, Failure> {
    seen.begin();
    Ok(Stream::new(config.connect(name.clone()), client::tcp(&arguments.peer)?))
}

/// How long we wait to learn whether the server takes us.
const VERDICT: Duration = Duration::from_secs(2);
/// How often the wait looks for a ticket, which ends no read.
const LOOK: Duration = Duration::from_millis(20);

/// Whether the server takes us. In TLS 1.3 our Finished is the last word of the handshake, and a server that wants a
/// certificate, or does not like ours, says so only then (RFC 9846 4.4.2.4): its first word after it tells. A server that waits
/// for ours says nothing, and then it is not known.
fn confirm(stream: &mut Stream<Patient>, facts: &Facts, seen: &Seen) -> io::Result<Option<bool>> {
    if facts.version != ProtocolVersion::Tls13 {
        return Ok(Some(true));
    }
    let until = Instant::now() + VERDICT;
    let mut outcome = Ok(None);
    while Instant::now() < until {
        stream.transport_mut().end_reads(Some(LOOK));
        match stream.read(&mut [0; 1024]) {
            // Data, or an end in peace.
            Ok(_) => outcome = Ok(Some(true)),
            Err(e) if matches!(e.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) => {}
            Err(e) => outcome = Err(e),
        }
        if seen.has_ticket() && outcome.is_ok() {
            outcome = Ok(Some(true));
        }
        if !matches!(outcome, Ok(None)) {
            break;
        }
    }
    stream.transport_mut().end_reads(None);
    outcome
}

/// Closes the first connection, and waits a little for what comes after a handshake of TLS 1.3: the session's tickets.
fn end(mut stream: Stream<Patient>, facts: &Facts) -> Result<(), Failure> {
    stream.close()?;
    if facts.version == ProtocolVersion::Tls13 {
        stream.transport_mut().end_reads(Some(VERDICT));
        // A server that goes on talking, or ends without a word, has sent its tickets before.
        let _rest = io::copy(&mut (&mut stream).take(1 << 16), &mut io::sink());
    }
    Ok(())
}

fn say(arguments: &Arguments, facts: &Facts) {
    report::lines(facts).iter().for_each(note);
    if arguments.ech.as_deref() == Some("grease") {
        note("ech       greased: random bytes went in the place of a hidden hello, and the name in plain sight");
    }
    note(format_args!("verdict   {}", verdict(arguments)));
}

/// What was asked of the server's certificate: whoever did not answer to it is not spoken of here.
fn verdict(arguments: &Arguments) -> &'static str {
    match (arguments.peer.insecure, arguments.peer.pin.is_empty()) {
        (true, true) => "NOT CHECKED (--insecure)",
        (true, false) => "a pinned key (its chain NOT CHECKED: --insecure)",
        (false, true) => "trusted, and for this name",
        (false, false) => "trusted, for this name, and a pinned key",
    }
}

fn request(arguments: &Arguments, path: &str) -> Result<Vec<u8>, Failure> {
    client::check_path(path)?;
    let host = client::authority(arguments.peer.servername.as_deref(), &arguments.peer.target);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nUser-Agent: clasp\r\n\r\n");
    Ok(request.into_bytes())
}

fn get(stream: &mut Stream<Patient>, request: &[u8], explained: impl Fn(io::Error) -> Failure) -> Result<(), Failure> {
    // A server that refuses has said why before it took nothing more.
    let mut unsent = stream.write_all(request).err();
    let mut buffer = vec![0; 32 * 1024];
    let mut answer = HttpResponse::default();
    loop {
        // What came is shown even where the end is missing; the error follows.
        match stream.read(&mut buffer) {
            Ok(0) => return unsent.map_or_else(|| answer.end(), |e| Err(explained(e))),
            Ok(n) => {
                let piece = buffer.get(..n).unwrap_or_default();
                answer.take(piece);
                output::bytes(piece)?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if clasp::Error::from_io(&e).is_some() => return Err(explained(e)),
            Err(e) => return Err(explained(unsent.take().unwrap_or(e))),
        }
    }
}
