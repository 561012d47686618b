//! Ports for servers that are programs of others. NSS binds without SO_REUSEADDR, so a port that a connection of an earlier
//! run still holds (in TIME-WAIT, for a minute) is lost to it; and the system gives outgoing connections their ports from a
//! range of its own.

use socket2::{Domain, Socket, Type};
use std::collections::HashSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// Where ports come from that need no privilege.
const ALL: RangeInclusive<u16> = 1024..=65_535;

/// Gives each port once.
#[derive(Debug)]
pub struct Ports {
    /// Whose ports the system gives to others.
    ephemeral: RangeInclusive<u16>,
    /// The next to look at, and those that were given out.
    state: Mutex<(u16, HashSet<u16>)>,
}

impl Ports {
    /// Beginning somewhere else in each process, so that two runs hardly meet.
    pub fn new() -> Self {
        Self::beginning_at(u16::try_from(std::process::id() % 50_000).unwrap_or(0), ephemeral())
    }

    fn beginning_at(first: u16, ephemeral: RangeInclusive<u16>) -> Self {
        Self { ephemeral, state: Mutex::new((first.max(*ALL.start()), HashSet::new())) }
    }

    /// A port that was not given out before, that nobody listens on, and that no connection holds, were it a closed
    /// one. It is outside the ephemeral range while there is one. Somebody else may still take it: whoever starts a
    /// server on it tries again with another.
    ///
    /// # Errors
    /// If there is none left.
    pub fn next(&self) -> io::Result<u16> {
        let held = held();
        for from_the_ephemeral in [false, true] {
            for _ in ALL {
                let port = {
                    let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                    let port = state.0;
                    state.0 = if port == *ALL.end() { *ALL.start() } else { port + 1 };
                    port
                };
                if self.ephemeral.contains(&port) != from_the_ephemeral || held.contains(&port) {
                    continue;
                }
                if bound(port).is_err() {
                    continue;
                }
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.1.insert(port) {
                    return Ok(port);
                }
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "every port was given out or is held"))
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::new()
    }
}

/// A socket on a port, which nobody can connect to. It must not listen: a child that another thread starts meanwhile has it for as
/// long as it takes to become its program, so that a listener would go on taking connections after we closed it, which are
/// reset then: they were meant for the server that the port is for.
fn bound(port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    Ok(socket)
}

/// Whence the system takes ports for outgoing connections; what RFC 6335 names where it does not say.
fn ephemeral() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().map(str::parse::<u16>);
    match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) => first..=last,
        _ => 49_152..=65_535,
    }
}

/// The local ports of all TCP sockets whatever their state, where the system says (Linux).
fn held() -> HashSet<u16> {
    let port = |line: &str| u16::from_str_radix(line.split_whitespace().nth(1)?.rsplit_once(':')?.1, 16).ok();
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            text.lines().filter_map(port).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A port whose connection was closed by its server: the socket stays in TIME-WAIT.
    #[cfg(target_os = "linux")]
    fn in_time_wait() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(listener.accept().unwrap());
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        port
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_that_a_closed_connection_holds_is_passed_over() {
        let port = in_time_wait();
        drop(TcpListener::bind(("127.0.0.1", port)).unwrap());
        let ports = Ports::beginning_at(port, 1..=1);
        assert_ne!(ports.next().unwrap(), port, "a server that binds without SO_REUSEADDR cannot have it");
    }

    #[test]
    fn ports_come_from_outside_the_ephemeral_range_and_each_once() {
        let ports = Ports::beginning_at(30_000, 30_000..=31_000);
        let given: Vec<u16> = (0..50).map(|_| ports.next().unwrap()).collect();
        assert!(given.iter().all(|port| !(30_000..=31_000).contains(port)), "{given:?}");
        assert_eq!(given.iter().collect::<HashSet<_>>().len(), given.len());
    }

    #[test]
    fn a_port_that_is_given_out_answers_nobody_although_children_are_started_meanwhile() {
        let (ports, done) = (Ports::new(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert!(Command::new("true").status().unwrap().success());
                }
            });
            let answered = (0..1000).find(|_| TcpStream::connect(("127.0.0.1", ports.next().unwrap())).is_ok());
            done.store(true, Ordering::Relaxed);
            assert_eq!(answered, None);
        });
        let port = ports.next().unwrap();
        let held = bound(port).unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{held:?} takes connections");
    }

    #[test]
    fn where_all_ports_are_ephemeral_one_of_them_is_given() {
        assert!(Ports::beginning_at(40_000, ALL).next().is_ok());
    }
}
