//! `clasp trace serve`.

use super::output::Output;
use crate::command::ca;
use crate::command::connect::patient::Patient;
use crate::command::serve::config::data_directory;
use crate::failure::{Failure, is_reset};
use crate::negotiation::Negotiation;
use crate::terminal::note;
use crate::trace::recorder::Recorder;
use crate::trace::{Side, Trace};
use crate::{pem, report};
use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use clasp::{Facts, ServerConfig, Stream};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const HELP: &str = "\
Examples:
  clasp trace serve                       then, elsewhere: curl --cacert FILE https://localhost:4433/
  clasp trace serve --count 2 --json      a handshake, and one that resumes it
  clasp trace serve --listen 0.0.0.0:8443 --cert server.pem --key server-key.pem --lang zh
Exit codes: 0 traced; 1 a handshake failed (it is shown how far it came); 2 could not begin";

/// Be the server of whoever comes, and show what was said, what for and why. A request is answered with a word in HTTP/1.1.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:4433")]
    listen: String,
    /// How many connections to trace before the end, one after the other
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// A certificate chain (PEM); without one, a CA and a certificate for localhost are made
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The file with the password of this key, where it is encrypted, or of the PKCS #12 archive that --cert and --key both name
    #[arg(long, value_name = "FILE", requires = "key")]
    key_password_file: Option<PathBuf>,
    #[command(flatten)]
    negotiation: Negotiation,
    /// How long a client may take for its handshake and its request
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (chain, key) = match (&arguments.cert, &arguments.key) {
        (Some(chain), Some(key)) => (chain.clone(), key.clone()),
        _ => {
            let (root, issued) = ca::for_localhost(&data_directory()?)?;
            note(format_args!("the authority of our certificate: {}", root.display()));
            (issued.chain, issued.key)
        }
    };
    let (epoch, lifetime) = (Duration::from_secs(3600), Duration::from_secs(3600));
    pem::check_password(&[&key], arguments.key_password_file.as_deref())?;
    let config = ServerConfig::builder()
        .identity(pem::identity(&chain, &key, arguments.key_password_file.as_deref())?)
        .policy(arguments.negotiation.policy()?)
        .alpn(["http/1.1"])
        .tickets(Arc::new(TicketKeys::random(Provider::builtin(), epoch, lifetime)?))
        .build()?;
    let listener = TcpListener::bind(&arguments.listen).map_err(|e| {
        Failure::cannot(format_args!("{}: {e}", arguments.listen)).hint("choose another with --listen ADDRESS:PORT")
    })?;
    note(format_args!("listening on https://{}/", listener.local_addr()?));
    let (mut traces, mut failed) = (Vec::new(), None);
    for _ in 0..arguments.count {
        let (tcp, peer) = listener.accept()?;
        let (trace, outcome) = serve(arguments, &config, tcp, &peer.to_string())?;
        arguments.output.print(&trace)?;
        traces.push(trace);
        failed = failed.or(outcome);
    }
    arguments.output.finish(&traces)?;
    failed.map_or(Ok(()), Err)
}

/// Serves one. Whatever goes wrong with it is its trace's end, and ours of nothing.
fn serve(
    arguments: &Arguments,
    config: &Arc<ServerConfig>,
    tcp: TcpStream,
    peer: &str,
) -> Result<(Trace, Option<Failure>), Failure> {
    let recorder = Arc::new(Recorder::new(Side::Server, SystemTime::now()));
    let config = Arc::new(ServerConfig::clone(config).with_observer(recorder.clone()));
    let limit = Duration::from_secs(arguments.timeout);
    let end = tcp.try_clone()?;
    let mut stream = Stream::new(config.accept(), Patient::accepted(tcp, limit)?);
    stream.transport_mut().end_reads(Some(limit));
    let done = talk(&mut stream);
    if done.is_err() {
        // Half-close and drain, so that the alert arrives and no reset overtakes it. Who is gone already needs nothing.
        let _gone = end.shutdown(Shutdown::Write);
        stream.transport_mut().end_reads(Some(Duration::from_secs(1)));
        let _rest = io::copy(&mut stream.transport_mut().take(1 << 16), &mut io::sink());
    }
    let mut trace = recorder.take(format!("clasp trace serve: {peer}"));
    trace.conclude(&done.as_ref().map(|facts| report::json(facts)).map_err(ToString::to_string));
    Ok((trace, done.err().map(|error| explain(error, arguments.timeout))))
}

fn explain(error: io::Error, timeout: u64) -> Failure {
    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
        return Failure::no(format_args!("the client did not finish its handshake within {timeout} s"));
    }
    if is_reset(&error) {
        return Failure::no(format_args!("the client cut the connection: {error}"));
    }
    Failure::from_io(error)
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\nYou have been traced.";

/// The handshake; then whoever asks something in HTTP has an answer.
fn talk(stream: &mut Stream<Patient>) -> io::Result<Arc<Facts>> {
    let facts = stream.handshake()?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    // What a client does after its handshake is its own affair, as is how it goes.
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        request.extend_from_slice(buffer.get(..n).unwrap_or_default());
        if request.ends_with(b"\r\n\r\n") || request.len() > 1 << 16 {
            let _sent = stream.write_all(ANSWER);
            break;
        }
    }
    let _said = stream.close();
    Ok(facts)
}
