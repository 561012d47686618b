//! stdin and stdout joined to a connection.
//!
//! Three threads: one reads stdin, one writes to the connection, and this one reads from it. Neither direction waits for the
//! other, so that two sides that both write never wait for each other.

use super::arguments::Arguments;
use super::patient::Patient;
use super::seen::Seen;
use crate::failure::{Failure, is_reset};
use crate::output;
use clasp::{Stream, StreamReader, StreamWriter};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often each thread looks at what the others have come to.
const TICK: Duration = Duration::from_millis(50);
/// Where nothing was said, no answer is due: a server that speaks first has begun by then.
const GREETING: Duration = Duration::from_secs(1);
/// How long a peer may take for its end, after ours.
const PARTING: Duration = Duration::from_secs(2);

/// For the thread that writes.
enum Order {
    Send(Vec<u8>),
    /// stdin has come to its end.
    Ended,
    /// Say close_notify.
    Close,
}

/// What the threads know of each other.
#[derive(Default)]
struct JoinState {
    /// Something was read from stdin.
    said: AtomicBool,
    /// Data has come since we last began to send some.
    answered: AtomicBool,
    /// When the last of stdin had been sent, or could not be.
    ended: Mutex<Option<Instant>>,
    /// Why something could not be sent.
    failed: Mutex<Option<io::Error>>,
}

impl JoinState {
    fn end(&self) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    }

    fn ended(&self) -> Option<Instant> {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: io::Error) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.end();
    }

    fn failure(&self) -> Option<io::Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Joins stdin and stdout to the connection until the peer closes, or has been silent for long enough after the end of stdin.
pub(super) fn join(stream: Stream<Patient>, arguments: &Arguments, seen: &Seen) -> Result<(), Failure> {
    let held_up = stream.transport().held_up();
    let (reader, writer) = stream.into_split(|tcp| tcp.reader(TICK)).map_err(|(_, e)| Failure::from_io(e))?;
    let shared = Arc::new(JoinState::default());
    let (orders, taken) = sync_channel(4);
    let (typing, writing) = (Arc::clone(&shared), Arc::clone(&shared));
    let typed = orders.clone();
    thread::spawn(move || stdin(&typed, &typing));
    let (gone, told) = sync_channel(1);
    thread::spawn(move || {
        if let Err(error) = write(writer, &taken, &writing) {
            writing.fail(error);
        }
        // Nobody listens where the program has ended.
        let _unheard: Result<(), _> = gone.send(());
    });
    let outcome = Hearing { reader, shared: &shared, orders: &orders, held_up: &held_up, closed: None }.hear(arguments);
    // The peer's end is answered with ours, unless it takes nothing.
    if orders.try_send(Order::Close).is_ok() {
        let _said_or_not = told.recv_timeout(PARTING);
    }
    let heard = outcome.map_err(|e| e.explain(seen, arguments))?;
    match shared.failure() {
        Some(error) if is_reset(&error) && heard.answered => {
            Err(Failure::no("the server ended before it had all of the input")
                .hint("what it had said until then stands above"))
        }
        Some(error) => Err(seen.explain(error, &arguments.peer)),
        None if heard.in_vain => Err(Failure::no(format_args!(
            "no answer came within {} s of the end of the input, so the connection was closed",
            arguments.wait
        ))
        .hint("--wait SECONDS waits longer; with --wait 0 no answer is expected")),
        None => Ok(()),
    }
}

/// Reads stdin for the thread that writes.
fn stdin(orders: &SyncSender<Order>, shared: &JoinState) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match io::stdin().read(&mut buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                shared.fail(io::Error::other(format!("stdin: {e}")));
                return;
            }
            Ok(0) => {
                // Whoever took orders has failed, and has said why.
                let _unheard = orders.send(Order::Ended);
                return;
            }
            Ok(n) => {
                shared.said.store(true, Relaxed);
                if orders.send(Order::Send(buffer.get(..n).unwrap_or_default().to_vec())).is_err() {
                    return;
                }
            }
        }
    }
}

/// Sends what it is told to, and what the reader finds that the peer must be told.
fn write(mut writer: StreamWriter<Patient>, orders: &Receiver<Order>, shared: &JoinState) -> io::Result<()> {
    loop {
        match orders.recv_timeout(TICK) {
            Ok(Order::Send(bytes)) => {
                shared.answered.store(false, Relaxed);
                writer.write_all(&bytes)?;
            }
            Ok(Order::Ended) => {
                writer.flush()?;
                shared.end();
            }
            Ok(Order::Close) => return writer.close(),
            Err(RecvTimeoutError::Timeout) => {
                if writer.is_due() {
                    writer.flush()?;
                }
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// What was heard.
struct Heard {
    /// We closed, and had no answer to what we said last.
    in_vain: bool,
    answered: bool,
}

/// Why hearing ended.
enum Ended {
    Connection(io::Error),
    Stdout(Failure),
}

impl Ended {
    fn explain(self, seen: &Seen, arguments: &Arguments) -> Failure {
        match self {
            Self::Connection(error) => seen.explain(error, &arguments.peer),
            Self::Stdout(failure) => failure,
        }
    }
}

struct Hearing<'a> {
    reader: StreamReader<TcpStream>,
    shared: &'a JoinState,
    orders: &'a SyncSender<Order>,
    held_up: &'a AtomicBool,
    /// When we closed, which is when the peer had been silent for long enough; and whether it had answered.
    closed: Option<(Instant, bool)>,
}

impl Hearing<'_> {
    fn hear(mut self, arguments: &Arguments) -> Result<Heard, Ended> {
        let mut buffer = vec![0; 32 * 1024];
        let mut last = Instant::now();
        let mut heard = false;
        loop {
            match self.reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    (last, heard) = (Instant::now(), true);
                    self.shared.answered.store(true, Relaxed);
                    self.give(buffer.get(..n).unwrap_or_default())?;
                }
                Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // A peer that only ends the transport, after our close and with nothing said since, cuts nothing off.
                Err(e) if self.closed.is_some_and(|(at, _)| last < at) && is_cut(&e) => break,
                Err(e) => return Err(Ended::Connection(e)),
            }
            if !self.goes_on(last, arguments) {
                break;
            }
        }
        let closed_unanswered = self.closed.is_some_and(|(at, answered)| !answered && last < at);
        let in_vain = closed_unanswered && self.shared.said.load(Relaxed) && arguments.wait > 0;
        Ok(Heard { in_vain, answered: heard })
    }

    fn give(&self, bytes: &[u8]) -> Result<(), Ended> {
        self.held_up.store(true, Relaxed);
        let given = output::bytes(bytes);
        self.held_up.store(false, Relaxed);
        given.map_err(Ended::Stdout)
    }

    /// Closes when it is time for it. False once the peer has had time enough for its end too.
    fn goes_on(&mut self, last: Instant, arguments: &Arguments) -> bool {
        let Some(ended) = self.shared.ended() else { return true };
        let wait = Duration::from_secs(arguments.wait);
        let wait = if self.shared.said.load(Relaxed) { wait } else { wait.min(GREETING) };
        if let Some((at, _)) = self.closed {
            return at.max(last).elapsed() < wait.max(PARTING);
        }
        if ended.max(last).elapsed() >= wait {
            let answered = self.shared.answered.load(Relaxed);
            // Whoever takes orders has no other left, or has failed.
            let _taken_or_failed = self.orders.try_send(Order::Close);
            self.closed = Some((Instant::now(), answered));
        }
        true
    }
}

fn is_cut(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof || is_reset(error)
}
