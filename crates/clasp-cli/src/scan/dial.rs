//! Connections to the server that is looked at: few at a time, each with a time limit, after STARTTLS where that is wanted.

use super::answer::{Flight, MOST, Reader, Until};
use super::hello::{Cut, Hello};
use super::starttls::{self, StartTls};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// The server, and how it is to be treated.
pub(crate) struct Dial {
    pub(crate) address: SocketAddr,
    /// The DNS name to ask for, if it has one.
    pub(crate) server_name: Option<String>,
    pub(crate) starttls: Option<StartTls>,
    /// For the connection, and again for the answer.
    pub(crate) limit: Duration,
    /// How many connections at once.
    pub(crate) room: Semaphore,
    /// How many connections there were.
    pub(crate) connections: AtomicUsize,
}

/// What came of a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The server spoke.
    Said(Box<Flight>),
    /// It closed the connection, or reset it.
    Closed,
    /// It said nothing within the time.
    Silent,
    /// There is no connection to be had.
    Unreachable(String),
}

impl Reply {
    pub(crate) fn flight(&self) -> Option<&Flight> {
        if let Self::Said(flight) = self { Some(flight) } else { None }
    }

    pub(crate) fn hello(&self) -> Option<&super::answer::ServerHello> {
        self.flight()?.hello.as_ref()
    }

    pub(crate) fn alert(&self) -> Option<u8> {
        self.flight()?.alert.map(|(_, description)| description)
    }

    /// In words, where it is no ServerHello.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Closed => "the connection was closed without a word".into(),
            Self::Silent => "no answer within the time limit".into(),
            Self::Unreachable(why) => why.clone(),
            Self::Said(flight) => match (&flight.strange, flight.alert) {
                (Some(bytes), _) => format!("something that is no TLS: {}", crate::terminal::shown_bytes(bytes)),
                (None, Some((_, code))) => format!("alert {}", clasp::AlertDescription(code)),
                (None, None) => "no ServerHello".into(),
            },
        }
    }
}

/// An open connection, which counts until it is dropped.
pub(crate) struct Open<'d> {
    pub(crate) tcp: TcpStream,
    pub(crate) _room: SemaphorePermit<'d>,
}

/// A server that takes no more connections for a moment is asked again after this time.
const AGAIN: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(1500)];

impl Dial {
    /// The same at another address.
    pub(crate) fn at(&self, address: SocketAddr) -> Self {
        let server_name = self.server_name.clone();
        Self { address, server_name, starttls: self.starttls, ..Self::new(address, self.limit, 1) }
    }

    /// Looks at what listens there, with so many connections at once.
    pub(crate) fn new(address: SocketAddr, limit: Duration, at_once: usize) -> Self {
        let (server_name, starttls, connections) = (None, None, AtomicUsize::new(0));
        Self { address, server_name, starttls, limit, room: Semaphore::new(at_once), connections }
    }

    /// Opens a connection, to where TLS begins.
    pub(crate) async fn open(&self) -> io::Result<Open<'_>> {
        let room = self.room.acquire().await.map_err(io::Error::other)?;
        let mut waits = AGAIN.into_iter();
        let mut tcp = loop {
            self.connections.fetch_add(1, Relaxed);
            match timeout(self.limit, TcpStream::connect(self.address)).await {
                Ok(Ok(tcp)) => break tcp,
                Ok(Err(error)) => match waits.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(error),
                },
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
        };
        tcp.set_nodelay(true)?;
        if let Some(protocol) = self.starttls {
            timeout(self.limit, starttls::start(protocol, &mut tcp, self.server_name.as_deref())).await??;
        }
        Ok(Open { tcp, _room: room })
    }

    /// Says hello and reads the answer.
    pub(crate) async fn ask(&self, hello: &Hello, until: Until) -> Reply {
        self.ask_cut(hello, Cut::Whole, until).await
    }

    /// A connection on which the server has said its whole flight to this hello.
    pub(crate) async fn begin(&self, hello: &Hello) -> Option<(Open<'_>, Flight)> {
        let mut open = self.open().await.ok()?;
        open.tcp.write_all(&hello.writes(Cut::Whole).concat()).await.ok()?;
        match read(&mut open.tcp, Until::Done, self.limit).await {
            Reply::Said(flight) if flight.done => Some((open, *flight)),
            _ => None,
        }
    }

    pub(crate) async fn ask_cut(&self, hello: &Hello, cut: Cut, until: Until) -> Reply {
        let mut open = match self.open().await {
            Ok(open) => open,
            Err(error) => return Reply::Unreachable(error.to_string()),
        };
        for (place, part) in hello.writes(cut).iter().enumerate() {
            if place > 0 {
                // So that the system does not join the two.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            if open.tcp.write_all(part).await.is_err() {
                break;
            }
        }
        read(&mut open.tcp, until, self.limit).await
    }
}

/// What comes next: a record's type, and an alert's description; the end; or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Record(u8, Option<u8>),
    End,
    Nothing,
}

impl Open<'_> {
    /// The next record that comes.
    pub(crate) async fn next(&mut self, within: Duration) -> Next {
        let mut header = [0; 5];
        match timeout(within, self.tcp.read_exact(&mut header)).await {
            Err(_) => return Next::Nothing,
            Ok(Err(_)) => return Next::End,
            Ok(Ok(_)) => {}
        }
        let [content, _, _, high, low] = header;
        let mut body = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        match timeout(within, self.tcp.read_exact(&mut body)).await {
            Ok(Ok(_)) => Next::Record(content, body.get(1).copied().filter(|_| content == 21)),
            _ => Next::Record(content, None),
        }
    }
}

/// Reads until that is enough, the peer ends it or the time is over.
async fn read(tcp: &mut TcpStream, until: Until, limit: Duration) -> Reply {
    let mut reader = Reader::default();
    let mut buffer = vec![0; 16 * 1024];
    let (mut total, mut ended) = (0, false);
    let reading = async {
        while total < MOST {
            match tcp.read(&mut buffer).await {
                Ok(0) | Err(_) => {
                    ended = true;
                    break;
                }
                Ok(count) => {
                    total += count;
                    if reader.feed(buffer.get(..count).unwrap_or_default(), until) {
                        break;
                    }
                }
            }
        }
    };
    let _limit_passed = timeout(limit, reading).await;
    let (over, mut flight) = (total >= MOST, reader.flight);
    if over && flight == Flight::default() {
        // Records without end, and in them nothing that a server says.
        flight.strange = Some(reader.bytes.iter().chain(&reader.messages).copied().take(64).collect());
    }
    if flight != Flight::default() {
        Reply::Said(Box::new(flight))
    } else if ended {
        Reply::Closed
    } else {
        Reply::Silent
    }
}
