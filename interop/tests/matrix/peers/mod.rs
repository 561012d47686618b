//! The peers, one file each, and what a peer has to be able to do.

mod botan;
mod curl;
mod erlang;
mod gnutls;
mod go;
mod java;
mod mbedtls;
mod native;
mod node;
mod nss;
mod openssl;
mod python;
mod rust;
mod scripted;
mod tlslite;
mod wolfssl;

use crate::child::{Child, LIMIT};
use crate::lab::{Lab, echo, payload};
use crate::rows::{End, Ours, Row};
use clasp::wire::code::NamedGroup;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// What a peer does beside the rows, so that each row knows what to expect.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Habits {
    /// It has RFC 7627.
    pub(crate) extended_master_secret: bool,
    /// It has RFC 7366.
    pub(crate) encrypt_then_mac: bool,
    /// Its client sends neither renegotiation_info nor the suite that stands for it (RFC 5746 3.4).
    pub(crate) client_without_secure_renegotiation: bool,
    /// In TLS 1.2 its server says no alert to a client that lacks its certificate, it only goes.
    pub(crate) server_refuses_in_silence: bool,
    /// It looks at a certificate once the handshake is done, and goes without an alert.
    pub(crate) judges_late: bool,
    /// Its server closes TCP without a close_notify of its own.
    pub(crate) server_hangs_up: bool,
    /// Its client does.
    pub(crate) client_hangs_up: bool,
    /// Its client does not close first: the server closes once all data went back.
    pub(crate) client_never_closes: bool,
    /// Its server sends early data back.
    pub(crate) server_echoes_early_data: bool,
    /// Its client does not send the early data it is told to.
    pub(crate) client_sends_early_data_of_its_own: bool,
    /// Its client answers a KeyUpdate with the next thing it sends, which may be nothing.
    pub(crate) client_updates_late: bool,
    /// How many connections of its client carry no data, where it makes two.
    pub(crate) empty_connections: usize,
    /// In TLS 1.3 it drops the leading zero of a secret agreed in a finite field, against RFC 9846 7.4.1, so that one
    /// handshake in 256 fails (JDK-8328046). Such rows are tried again.
    pub(crate) loses_leading_zeros: bool,
}

/// What to say to a peer's server.
pub(crate) enum Talk {
    /// What is sent comes back.
    Echo,
    /// It answers an HTTP request, with this body if that is known, and closes.
    Get { path: String, body: Option<Vec<u8>> },
}

/// A peer's server that runs until it is dropped.
pub(crate) trait Serving {
    fn port(&self) -> u16;
    fn talk(&self) -> Talk {
        Talk::Echo
    }
    fn has_ended(&mut self) -> bool;
    /// Ends the TCP connection without close_notify.
    fn cut(&mut self);
    /// What happened, with what the peer said.
    fn story(&self, what: &str) -> String;
}

/// Another implementation of TLS.
pub(crate) trait Peer: Send + Sync {
    /// Its version, in its own words.
    fn version(&self) -> String;
    fn habits(&self) -> Habits;
    /// Why it cannot do this row.
    fn lacks(&self, row: &Row, ours: Ours) -> Option<&'static str>;
    /// Starts its server.
    fn serve(&self, row: &Row, lab: &Lab) -> Result<Box<dyn Serving>, String>;
    /// Runs its client through all connections of a row; an error says that the peer was not content.
    fn connect(&self, row: &Row, port: u16, lab: &Lab) -> Result<(), String>;
    /// Its client posts over HTTP and reads the answer, in place of an echo.
    fn client_speaks_http(&self) -> bool {
        false
    }
    /// Its client can be told to offer this row's suite alone. If not, Clasp's server narrows the choice.
    fn client_chooses_suite(&self, _row: &Row) -> bool {
        true
    }
    /// Its client can be told to offer exactly these groups, in this order. If not, it offers all it has.
    fn client_chooses_groups(&self, _groups: &[NamedGroup]) -> bool {
        true
    }
}

/// Finds a peer on this machine, or says why it is not there.
pub(crate) type Find = fn(&Lab) -> Result<Box<dyn Peer>, String>;

/// Every peer there is.
pub(crate) const ALL: [(&str, Find); 14] = [
    ("openssl", openssl::find),
    ("gnutls", gnutls::find),
    ("nss", nss::find),
    ("curl", curl::find),
    ("python", python::find),
    ("java", java::find),
    ("node", node::find),
    ("go", go::find),
    ("rustls", rust::find),
    ("wolfssl", wolfssl::find),
    ("mbedtls", mbedtls::find),
    ("botan", botan::find),
    ("erlang", erlang::find),
    ("tlslite", tlslite::find),
];

/// The first line a program says of its version; an error if it cannot be run.
fn first_line(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output().map_err(|e| format!("{program}: {e}"))?;
    let all = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&all).lines().find(|l| !l.trim().is_empty()).unwrap_or("?").trim().to_owned())
}

/// A server that is a child of its own.
struct ChildServer {
    child: Child,
    port: u16,
    get: Option<(String, Option<Vec<u8>>)>,
}

impl ChildServer {
    /// Starts one and waits until its port answers. A port may be lost to somebody else: tries again with another.
    fn start(lab: &Lab, command: impl Fn(u16) -> Command) -> Result<Self, String> {
        const TRIES: usize = 6;
        let mut last = String::new();
        for _ in 0..TRIES {
            let port = lab.port().map_err(|e| e.to_string())?;
            let mut child = Child::start(&mut command(port))?;
            let until = Instant::now() + LIMIT;
            while Instant::now() < until && !child.has_ended() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Ok(Self { child, port, get: None });
                }
                thread::sleep(Duration::from_millis(3));
            }
            last = child.story("the server did not start");
        }
        Err(last)
    }
}

impl Serving for ChildServer {
    fn port(&self) -> u16 {
        self.port
    }

    fn talk(&self) -> Talk {
        match &self.get {
            None => Talk::Echo,
            Some((path, body)) => Talk::Get { path: path.clone(), body: body.clone() },
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.has_ended()
    }

    fn cut(&mut self) {
        // The system closes the dead program's sockets.
        self.child.kill();
    }

    fn story(&self, what: &str) -> String {
        self.child.story(what)
    }
}

/// Talks through a client that sends its stdin and prints what comes.
fn talk_through(child: &mut Child, row: &Row) -> Result<(), String> {
    echo(child, &payload(row.bytes)).map_err(|e| child.story(&format!("the echo failed: {e}")))?;
    match row.end {
        End::Client => child.close_stdin(),
        End::Server => {}
        End::Cut => {
            child.kill();
            return Ok(());
        }
    }
    if child.wait()? { Ok(()) } else { Err(child.story("the client ended with an error")) }
}
