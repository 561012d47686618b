//! A client and a server joined in memory.

use clasp::config::Clock;
use clasp::{ClientConfig, Connection, Error, ServerConfig, ServerName, Want};
use core::task::{Context, Waker};
use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A client and a server; bytes move when [`Pair::drive`] is called.
#[derive(Debug)]
pub struct Pair {
    /// The client.
    pub client: Connection,
    /// The server.
    pub server: Connection,
    /// Bytes on their way to the server.
    pub to_server: Vec<u8>,
    /// Bytes on their way to the client.
    pub to_client: Vec<u8>,
    /// Data the server has received.
    pub server_data: Vec<u8>,
    /// Data the client has received.
    pub client_data: Vec<u8>,
    /// How many bytes are delivered at once.
    pub step: usize,
}

impl Pair {
    /// Joins two configurations; the client asks for `localhost`.
    ///
    /// # Panics
    /// If the client cannot begin.
    pub fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        Self::to(client, server, "localhost")
    }

    /// The same; the client asks for this name.
    ///
    /// # Panics
    /// If it is none, or the client cannot begin.
    pub fn to(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, name: &'static str) -> Self {
        let name = ServerName::try_from(name).expect("a name");
        Self {
            client: client.connect(name),
            server: server.accept(),
            to_server: Vec::new(),
            to_client: Vec::new(),
            server_data: Vec::new(),
            client_data: Vec::new(),
            step: usize::MAX,
        }
    }

    /// Moves bytes until nothing moves any more.
    ///
    /// # Errors
    /// The first failure of either side; the other has then been told.
    pub fn drive(&mut self) -> Result<(), Error> {
        let mut first = None;
        loop {
            let waker = Waker::noop();
            let mut cx = Context::from_waker(waker);
            let mut moved = false;
            for result in
                [self.client.advance(&mut cx, &mut self.to_server), self.server.advance(&mut cx, &mut self.to_client)]
            {
                if let Err(e) = result {
                    first.get_or_insert(e);
                }
            }
            let (c, s) = (&mut self.client, &mut self.server);
            for result in [
                deliver(s, &mut self.to_server, &mut self.to_client, &mut self.server_data, self.step),
                deliver(c, &mut self.to_client, &mut self.to_server, &mut self.client_data, self.step),
            ] {
                match result {
                    Ok(some) => moved |= some,
                    Err(e) => {
                        first.get_or_insert(e);
                    }
                }
            }
            if !moved {
                return first.map_or(Ok(()), Err);
            }
        }
    }

    /// Lets the client speak first; its hello stays on its way.
    ///
    /// # Errors
    /// If the client has failed.
    pub fn drive_one_client_flight(&mut self) -> Result<(), Error> {
        let mut cx = Context::from_waker(Waker::noop());
        self.client.advance(&mut cx, &mut self.to_server).map(drop)
    }

    /// Moves bytes until the server's `flights`-th flight is on its way.
    ///
    /// # Panics
    /// If either side fails.
    pub fn drive_server_flights(&mut self, flights: usize) {
        self.drive_one_client_flight().expect("the client");
        for round in 0..flights {
            if round > 0 {
                deliver(&mut self.client, &mut self.to_client, &mut self.to_server, &mut self.client_data, usize::MAX)
                    .expect("the client");
            }
            deliver(&mut self.server, &mut self.to_server, &mut self.to_client, &mut self.server_data, usize::MAX)
                .expect("the server");
        }
    }

    /// Moves bytes until the client's flight after the server's `flights`-th is on its way.
    ///
    /// # Panics
    /// If either side fails.
    pub fn drive_client_flights(&mut self, flights: usize) {
        self.drive_server_flights(flights);
        deliver(&mut self.client, &mut self.to_client, &mut self.to_server, &mut self.client_data, usize::MAX)
            .expect("the client");
    }

    /// Sends from the client.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn client_sends(&mut self, data: &[u8]) -> Result<(), Error> {
        self.client.send(&[IoSlice::new(data)], &mut self.to_server).map(drop)
    }

    /// Sends from the server.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn server_sends(&mut self, data: &[u8]) -> Result<(), Error> {
        self.server.send(&[IoSlice::new(data)], &mut self.to_client).map(drop)
    }

    /// Whether either side waits for a party outside.
    pub fn waits_outside(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        [self.client.advance(&mut cx, &mut self.to_server), self.server.advance(&mut cx, &mut self.to_client)]
            .iter()
            .any(|want| matches!(want, Ok(Want::Outside)))
    }
}

fn deliver(
    to: &mut Connection,
    bytes: &mut Vec<u8>,
    answers: &mut Vec<u8>,
    data: &mut Vec<u8>,
    step: usize,
) -> Result<bool, Error> {
    let mut moved = false;
    let mut window = step.min(bytes.len());
    while !bytes.is_empty() && to.failure().is_none() {
        let received = to.receive(&mut bytes[..window], answers)?;
        let used = received.used;
        data.extend_from_slice(received.data);
        bytes.drain(..used);
        moved |= used > 0;
        if used == 0 && window == bytes.len() {
            break;
        }
        window = if used == 0 { window.saturating_add(step).min(bytes.len()) } else { step.min(bytes.len()) };
    }
    if to.failure().is_some() {
        bytes.clear();
    }
    Ok(moved)
}

/// A clock that moves when it is told to.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Mutex<SystemTime>>);

impl ManualClock {
    /// Starts at a second after 1970.
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(Mutex::new(UNIX_EPOCH + Duration::from_secs(seconds))))
    }

    /// Moves on.
    ///
    /// # Panics
    /// If another thread panicked with the clock in hand.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().expect("a clock") += by;
    }

    /// Is set to a second after 1970, ahead or back.
    ///
    /// # Panics
    /// If another thread panicked with the clock in hand.
    pub fn set(&self, seconds: u64) {
        *self.0.lock().expect("a clock") = UNIX_EPOCH + Duration::from_secs(seconds);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().expect("a clock")
    }
}
