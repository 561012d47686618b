//! What stands between two connections and passes on what each says, until both have ended.

use crate::command::connect::patient::Patient;
use clasp::{StreamReader, StreamWriter};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// How often a direction that hears nothing looks at the other, and at the time.
pub(super) const TICK: Duration = Duration::from_millis(20);
/// How long one side may go on after the other has ended.
const PARTING: Duration = Duration::from_secs(2);

/// One side of it: whom we hear, and whom we speak to.
pub(super) type Halves<T> = (StreamReader<TcpStream>, StreamWriter<T>);

/// What the two directions know of each other.
struct Between {
    /// Directions that have ended.
    ended: AtomicUsize,
    /// Milliseconds since the beginning when something was passed on last.
    last: AtomicUsize,
    began: Instant,
    /// Without a word for so long, both end.
    idle: Duration,
}

impl Between {
    fn heard(&self) {
        let since = usize::try_from(self.began.elapsed().as_millis()).unwrap_or(usize::MAX);
        self.last.store(since, Relaxed);
    }

    fn goes_on(&self) -> bool {
        let last = u64::try_from(self.last.load(Relaxed)).unwrap_or(u64::MAX);
        let silent = self.began.elapsed().saturating_sub(Duration::from_millis(last));
        silent < if self.ended.load(Relaxed) > 0 { PARTING.min(self.idle) } else { self.idle }
    }
}

/// Passes on in both directions. An end is passed on too; what goes wrong with either is the end of what it says.
pub(super) fn relay<N: Write + Send, F: Write + Send>(near: Halves<N>, far: Halves<F>, idle: Duration) {
    let between = Between { ended: AtomicUsize::new(0), last: AtomicUsize::new(0), began: Instant::now(), idle };
    let ((from_client, to_client), (from_server, to_server)) = (near, far);
    thread::scope(|scope| {
        scope.spawn(|| pass(from_client, to_server, &between));
        pass(from_server, to_client, &between);
    });
}

fn pass<T: Write>(mut from: StreamReader<TcpStream>, mut to: StreamWriter<T>, between: &Between) {
    let mut buffer = vec![0; 16 * 1024];
    while between.goes_on() {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                between.heard();
                if to.write_all(buffer.get(..n).unwrap_or_default()).is_err() {
                    break;
                }
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                // New keys that the other asks for, say.
                if to.is_due() && to.flush().is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    // Whether it still hears us or not, we have no more to say.
    let _said = to.close();
    between.heard();
    between.ended.fetch_add(1, Relaxed);
}

/// What a client has said already, then the socket itself.
pub(super) struct Begun {
    said: io::Cursor<Vec<u8>>,
    tcp: Patient,
}

impl Begun {
    pub(super) fn new(said: Vec<u8>, tcp: Patient) -> Self {
        Self { said: io::Cursor::new(said), tcp }
    }

    pub(super) fn tcp(&mut self) -> &mut Patient {
        &mut self.tcp
    }

    /// For the half that is read: by then a handshake has taken all that stood before.
    pub(super) fn reader(&self) -> io::Result<TcpStream> {
        self.tcp.reader(TICK)
    }
}

impl Read for Begun {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.said.read(buf)? {
            0 => self.tcp.read(buf),
            n => Ok(n),
        }
    }
}

impl Write for Begun {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}
