//! The conversations over a simulated link: real connections, real bytes, a clock that jumps to the next arrival.

use super::cast::{CLASSIC, Cast, MODERN};
use crate::failure::Failure;
use crate::timeline::Conversation;
use crate::trace::Side;
use crate::trace::recorder::Recorder;
use clasp::config::Clock;
use clasp::{ClientConfig, Connection, ServerConfig};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

/// One way.
pub(super) const DELAY: Duration = Duration::from_millis(28);

pub(super) fn conversations(cast: &Cast) -> Result<Vec<Conversation>, Failure> {
    let plain = cast.server()?.build()?;
    let ticketing = cast.server_with_tickets()?.build()?;
    let classic = cast.client(CLASSIC).build()?;
    let modern = cast.client(MODERN).build()?;
    let (today, server13, retrying) =
        (cast.client13().build()?, cast.server13()?.build()?, cast.server_that_retries()?.build()?);
    let patient = cast.client13().early_data(false).build()?;
    // The classic description's figures: data at 168 ms in full, a round trip earlier when resumed.
    Ok(vec![
        over_the_link("11. RSA key transport, in full: two round trips after TCP's one", &classic, &plain, 168)?,
        over_the_link("12. Resumed by session ID: one round trip after TCP's", &classic, &plain, 112)?,
        over_the_link("13. ECDHE, in full", &modern, &ticketing, 168)?,
        over_the_link("14. Resumed by ticket", &modern, &ticketing, 112)?,
        over_the_link("15. TLS 1.3, in full: one round trip after TCP's", &today, &server13, 112)?,
        over_the_link("16. TLS 1.3, resumed, with early data: no round trip after TCP's", &today, &server13, 56)?,
        over_the_link("17. TLS 1.3, the server asking for another key share", &patient, &retrying, 168)?,
    ])
}

/// A clock that only the link moves.
struct LinkClock(Mutex<SystemTime>);

impl LinkClock {
    fn set(&self, to: SystemTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for LinkClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes on their way: when they arrive, whether at the server, what.
struct InFlight(VecDeque<(SystemTime, bool, Vec<u8>)>);

impl InFlight {
    fn send(&mut self, now: SystemTime, to_server: bool, bytes: &mut Vec<u8>) {
        if !bytes.is_empty() {
            self.0.push_back((now + DELAY, to_server, std::mem::take(bytes)));
        }
    }
}

fn over_the_link(
    title: &str,
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    wanted_ms: u128,
) -> Result<Conversation, Failure> {
    let began = SystemTime::now();
    let clock = Arc::new(LinkClock(Mutex::new(began)));
    let recorder = Arc::new(Recorder::new(Side::Client, began));
    let of_server = Arc::new(Recorder::new(Side::Server, began).with_clock(clock.clone()));
    let config = ClientConfig::clone(client).with_observer(recorder.clone()).with_clock(clock.clone());
    let name = "localhost".try_into().map_err(Failure::cannot)?;
    let mut client = Arc::new(config).connect(name);
    let mut server = Arc::new(ServerConfig::clone(server).with_observer(of_server.clone())).accept();

    // TCP: SYN out, SYN and ACK back; data may go with the ACK.
    let connected = began + 2 * DELAY;
    clock.set(connected);
    recorder.note(connected, "TCP connected");
    let mut in_flight = InFlight(VecDeque::new());
    let mut out = Vec::new();
    client.advance(&mut Context::from_waker(Waker::noop()), &mut out)?;
    let mut data_at = None;
    let mut delivered = false;
    if client.early_data_left() > 0 {
        client.send_early(b"hello", &mut out)?;
        data_at = Some(connected.duration_since(began).unwrap_or_default().as_millis());
    }
    in_flight.send(connected, true, &mut out);

    while let Some((now, to_server, mut bytes)) = in_flight.0.pop_front() {
        clock.set(now);
        let end = if to_server { &mut server } else { &mut client };
        delivered |= take(end, &mut bytes, &mut out)?;
        in_flight.send(now, !to_server, &mut out);
        if !to_server && data_at.is_none() && client.facts().is_some() {
            data_at = Some(now.duration_since(began).unwrap_or_default().as_millis());
            client.send(&[IoSlice::new(b"hello")], &mut out)?;
            in_flight.send(now, true, &mut out);
        }
    }
    let seen = data_at.map_or("never".into(), |ms| format!("{ms} ms"));
    let outcome = format!("TCP at {} ms, application data leaves at {seen}", (2 * DELAY).as_millis());
    let as_expected = data_at == Some(wanted_ms) && delivered;
    Ok(Conversation::new(recorder.take(title), outcome, as_expected).with_server(of_server.take(title)))
}

/// Gives an end what arrived; whether application data was in it.
fn take(end: &mut Connection, bytes: &mut [u8], out: &mut Vec<u8>) -> Result<bool, Failure> {
    let mut start = 0;
    let mut data = false;
    while start < bytes.len() {
        let received = end.receive(&mut bytes[start..], out)?;
        data |= !received.data.is_empty();
        if received.used == 0 {
            break;
        }
        start += received.used;
    }
    Ok(data)
}
