//! Moves bytes between the two ends, each step on its side's account.

use crate::meter::{Meter, Side};
use crate::peer::{Connection, Settled, Sides};
use crate::scenario::{Resume, Scenario};
use crate::wire::Wire;
use anyhow::{Context as _, Result, ensure};

/// The two ends of a connection and what is on its way between them.
pub(crate) struct Pair {
    pub client: Box<dyn Connection>,
    pub server: Box<dyn Connection>,
    to_server: Wire,
    to_client: Wire,
}

/// Room for a whole flight: the buffers between the ends do not grow then, so growing them is on nobody's account.
const WIRE: usize = 64 * 1024;

/// Steps after which a handshake that does not end is given up.
const MAX_STEPS: usize = 20;

impl Pair {
    fn new(sides: &dyn Sides, meter: &mut impl Meter) -> Result<Self> {
        let client = meter.on(Side::Client, || sides.client()).context("client")?;
        let server = meter.on(Side::Server, || sides.server()).context("server")?;
        Ok(Self { client, server, to_server: Wire::with_room(WIRE), to_client: Wire::with_room(WIRE) })
    }

    /// Lets one end take what is on its way to it; a client begins with nothing.
    fn step(&mut self, side: Side, begins: bool) -> Result<()> {
        let (end, input, out) = match side {
            Side::Client => (&mut self.client, &mut self.to_client, &mut self.to_server),
            Side::Server => (&mut self.server, &mut self.to_server, &mut self.to_client),
        };
        if input.is_empty() && !begins {
            return Ok(());
        }
        end.handshake(input, out).with_context(|| format!("{side:?}"))?;
        input.clear();
        Ok(())
    }

    /// Whether nothing is on its way any more.
    fn is_quiet(&self) -> bool {
        self.to_server.is_empty() && self.to_client.is_empty()
    }

    fn settle(&self, scenario: &Scenario) -> Result<()> {
        ensure!(!self.client.is_handshaking() && !self.server.is_handshaking(), "the handshake stands still");
        for (end, who) in [(&self.client, "client"), (&self.server, "server")] {
            check(&end.settled()?, scenario, who == "client").with_context(|| who.to_string())?;
        }
        Ok(())
    }

    /// Sends `data` once from `from`, and takes it at the other end. Gives how many bytes arrived.
    pub(crate) fn transfer(&mut self, from: Side, data: &[u8], times: usize, meter: &mut impl Meter) -> Result<usize> {
        let (sender, receiver, to, wire) = match from {
            Side::Client => (&mut self.client, &mut self.server, Side::Server, &mut self.to_server),
            Side::Server => (&mut self.server, &mut self.client, Side::Client, &mut self.to_client),
        };
        meter.on(from, || (0..times).try_for_each(|_| sender.send(data, wire)))?;
        let mut buffer = [0; 16 * 1024];
        let arrived = meter.on(to, || receiver.receive(wire, &mut buffer))?;
        wire.clear();
        Ok(arrived)
    }
}

/// Checks that what was agreed is what the row is about.
fn check(settled: &Settled, scenario: &Scenario, client: bool) -> Result<()> {
    let suites = [scenario.suite(), scenario.openssl_suite()];
    ensure!(suites.contains(&settled.suite), "agreed on {} instead of {}", settled.suite, suites[0]);
    let resumed = scenario.resume != Resume::Full;
    ensure!(settled.resumed == resumed, "resumed: {}, wanted: {resumed}", settled.resumed);
    if !resumed {
        let shown = client || scenario.mutual;
        ensure!(settled.peer_certificate == shown, "a certificate of the peer: {}", settled.peer_certificate);
    }
    Ok(())
}

/// Does `count` handshakes in lockstep, so that one look at the clock serves for a step of all of them.
pub(crate) fn handshakes(sides: &dyn Sides, count: usize, meter: &mut impl Meter) -> Result<Vec<Pair>> {
    let mut pairs = (0..count).map(|_| Pair::new(sides, meter)).collect::<Result<Vec<_>>>()?;
    for turn in 0..MAX_STEPS {
        for side in [Side::Client, Side::Server] {
            let begins = turn == 0 && side == Side::Client;
            meter.on(side, || pairs.iter_mut().try_for_each(|pair| pair.step(side, begins)))?;
        }
        if pairs.iter().all(Pair::is_quiet) {
            return Ok(pairs);
        }
    }
    anyhow::bail!("no end after {MAX_STEPS} flights")
}

/// Drops both ends, each on its account.
pub(crate) fn dissolve(pairs: Vec<Pair>, meter: &mut impl Meter) {
    let (clients, servers): (Vec<_>, Vec<_>) = pairs.into_iter().map(|p| (p.client, p.server)).unzip();
    meter.on(Side::Client, || drop(clients));
    meter.on(Side::Server, || drop(servers));
}

/// Gets a scenario to where its rows start: sessions to resume are there, caches are warm, and the handshake is what it
/// should be.
pub(crate) fn prepare(sides: &dyn Sides, scenario: &Scenario, batch: usize) -> Result<()> {
    use crate::meter::Unmetered;
    dissolve(handshakes(sides, batch, &mut Unmetered)?, &mut Unmetered);
    for _ in 0..3 {
        let pairs = handshakes(sides, batch, &mut Unmetered)?;
        pairs.iter().try_for_each(|pair| pair.settle(scenario))?;
        dissolve(pairs, &mut Unmetered);
    }
    Ok(())
}
