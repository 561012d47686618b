//! Ticket keys against a model: machines with one secret, each with its own clock, that idle, restart, and whose clocks
//! leap and come back.
#![allow(clippy::unwrap_used)]

use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const HOUR: u64 = 3600;
const EPOCH: u64 = HOUR;
const LIFETIME: u64 = 12 * HOUR;
const YEAR: u64 = 365 * 24 * HOUR;
/// November 2026.
const START: u64 = 1_795_000_000;

fn keys() -> TicketKeys {
    let secret = core::array::from_fn(|i| u8::try_from(i).unwrap());
    let (epoch, lifetime) = (Duration::from_secs(EPOCH), Duration::from_secs(LIFETIME));
    TicketKeys::shared(Provider::builtin(), &secret, epoch, lifetime).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn sealed(keys: &TicketKeys, now: u64) -> Vec<u8> {
    let mut out = Vec::new();
    keys.seal(at(now), b"state", &mut out).unwrap();
    out
}

/// A ticket's key: the name stands in front.
fn key(ticket: &[u8]) -> Vec<u8> {
    ticket[..16].to_vec()
}

/// The same numbers in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

struct Machine {
    keys: TicketKeys,
    /// What its clock shows where the world's time is `START + world`, while it errs: since when, and from where on.
    errs: Option<(u64, u64)>,
    /// Its clock erred for so long that it was believed.
    parted: bool,
}

impl Machine {
    fn clock(&self, world: u64) -> u64 {
        self.errs.map_or(START + world, |(since, from)| from + (world - since))
    }

    /// Shares secret and clock with the fleet.
    fn belongs(&self) -> bool {
        self.errs.is_none() && !self.parted
    }
}

struct Ticket {
    bytes: Vec<u8>,
    /// What its maker's clock said.
    made: u64,
    /// Its maker belonged to the fleet, so that whoever belongs can open it.
    common: bool,
}

struct World {
    dice: Dice,
    time: u64,
    machines: Vec<Machine>,
    tickets: Vec<Ticket>,
}

impl World {
    fn new(seed: u64) -> Self {
        let machine = || Machine { keys: keys(), errs: None, parted: false };
        let machines = (0..4).map(|_| machine()).collect();
        Self { dice: Dice(seed), time: 0, machines, tickets: Vec::new() }
    }

    fn anyone(&mut self) -> usize {
        usize::try_from(self.dice.below(self.machines.len() as u64)).unwrap()
    }

    fn step(&mut self) {
        let who = self.anyone();
        match self.dice.below(10) {
            // Minutes pass; or the night; or a week, for which nobody comes.
            0..=3 => self.pass(|dice| dice.below(2 * HOUR)),
            4 => self.pass(|dice| dice.below(3 * LIFETIME)),
            5 => self.pass(|dice| dice.below(30 * LIFETIME)),
            6 => self.machines[who] = Machine { keys: keys(), errs: None, parted: false },
            7 => self.err(who),
            8 => self.machines[who].errs = None,
            _ => {}
        }
        self.seal_and_open();
    }

    fn pass(&mut self, how_long: impl Fn(&mut Dice) -> u64) {
        let world = self.time + how_long(&mut self.dice);
        for machine in &mut self.machines {
            // Whether it is seen there decides; so whoever errs for that long counts as parted, which asks less of it.
            machine.parted |= machine.errs.is_some_and(|(since, _)| world - since >= LIFETIME);
        }
        self.time = world;
    }

    /// A clock leaps: a little or a thousand years, ahead or back.
    fn err(&mut self, who: usize) {
        let far = [HOUR, LIFETIME, 40 * LIFETIME, YEAR, 1000 * YEAR];
        let farthest = far[usize::try_from(self.dice.below(5)).unwrap()];
        let by = 1 + self.dice.below(farthest);
        let now = self.machines[who].clock(self.time);
        let from = if self.dice.below(2) == 0 { now + by } else { now.saturating_sub(by) };
        let machine = &mut self.machines[who];
        // From one error into the next: which of them was believed is not the fleet's matter.
        machine.parted |= machine.errs.is_some();
        // What is left behind by a clock that goes back a little is within reach, and so is what it finds when it returns.
        machine.errs = Some((self.time, from));
    }

    /// Everybody seals; everybody opens what there is.
    fn seal_and_open(&mut self) {
        for machine in &self.machines {
            let made = machine.clock(self.time);
            let bytes = sealed(&machine.keys, made);
            assert!(machine.keys.open(at(made), &bytes).is_some(), "a machine does not open its own ticket");
            self.tickets.push(Ticket { bytes, made, common: machine.errs.is_none() });
        }
        for machine in &self.machines {
            let clock = machine.clock(self.time);
            for ticket in &self.tickets {
                let opens = machine.keys.open(at(clock), &ticket.bytes).is_some();
                let in_time = ticket.made <= clock + EPOCH && clock <= ticket.made + LIFETIME;
                assert!(in_time || !opens, "a ticket of {} opens at {clock}", ticket.made);
                if machine.belongs() && ticket.common && in_time {
                    assert!(opens, "a ticket of {} does not open at {clock}", ticket.made);
                }
            }
        }
        let oldest = self.tickets.len().saturating_sub(60);
        self.tickets.drain(..oldest);
    }
}

#[test]
fn a_fleet_opens_what_is_within_its_lifetime_and_nothing_else_whatever_clocks_do() {
    for seed in 1..=16 {
        let mut world = World::new(seed << 32 | 0x7f4a_7c15);
        for _ in 0..60 {
            world.step();
        }
    }
}

#[test]
fn a_machine_that_was_idle_for_days_is_still_of_its_fleet() {
    let (busy, idle) = (keys(), keys());
    let first = sealed(&idle, START);
    for hour in 0..72 {
        sealed(&busy, START + hour * HOUR);
    }
    let now = START + 72 * HOUR;
    assert!(idle.open(at(now), &first).is_none(), "a ticket of three days ago opens");
    assert!(busy.open(at(now), &sealed(&idle, now)).is_some(), "the fleet does not open its ticket");
    assert!(idle.open(at(now), &sealed(&busy, now)).is_some(), "it does not open the fleet's");
    assert!(keys().open(at(now), &sealed(&idle, now)).is_some(), "one that has just started does not");
}

/// A time server that was wrong for less than a lifetime has done no harm.
#[test]
fn an_excursion_of_the_clock_does_not_part_a_machine_from_its_fleet() {
    for far in [2 * LIFETIME, YEAR, 1000 * YEAR, 100_000_000 * YEAR] {
        let (straying, other) = (keys(), keys());
        for hour in 0..20 {
            sealed(&straying, START + hour * HOUR);
        }
        for hour in 0..11 {
            sealed(&straying, START + far + hour * HOUR);
        }
        let now = START + 31 * HOUR;
        assert!(other.open(at(now), &sealed(&straying, now)).is_some(), "{far}: the fleet does not open its ticket");
        assert!(straying.open(at(now), &sealed(&other, now)).is_some(), "{far}: it does not open the fleet's");
    }
}

/// After one that was believed, the keys of its own time are gone: but it seals, the fleet opens it, and keys rotate.
#[test]
fn rotation_goes_on_after_an_excursion_that_was_believed() {
    for far in [3 * LIFETIME, YEAR, 1000 * YEAR] {
        let (straying, other) = (keys(), keys());
        for hour in 0..30 {
            sealed(&straying, START + far + hour * HOUR);
        }
        let mut names = HashSet::new();
        for hour in 0..24 {
            let now = START + hour * HOUR;
            let ticket = sealed(&straying, now);
            assert!(straying.open(at(now + LIFETIME), &ticket).is_some());
            assert!(straying.open(at(now + LIFETIME + 1), &ticket).is_none(), "past its lifetime");
            assert!(other.open(at(now), &ticket).is_some(), "{far}: the fleet does not open its ticket");
            names.insert(key(&ticket));
        }
        assert!(names.len() >= 20, "{far}: {} keys in 24 hours", names.len());
        // What it was ahead by, and what it has lived through since.
        let later = START + far + 100 * HOUR;
        assert!(straying.open(at(later), &sealed(&other, later)).is_some(), "its own time has come");
    }
}

#[test]
fn keys_rotate_and_each_epoch_has_its_own() {
    let keys = keys();
    let names: HashSet<_> = (0..100).map(|hour| key(&sealed(&keys, START + hour * HOUR))).collect();
    assert_eq!(names.len(), 100);
    // Before 2026 too: a machine whose clock has no battery.
    assert_ne!(key(&sealed(&self::keys(), HOUR)), key(&sealed(&self::keys(), 3 * HOUR)));
}

/// Forward secrecy: whoever gets hold of the machine, and of its clock, opens nothing of an epoch that it has passed.
#[test]
fn what_a_running_clock_has_left_behind_cannot_be_opened_by_setting_it_back() {
    let keys = keys();
    let ticket = sealed(&keys, START);
    for hour in 0..=14 {
        keys.open(at(START + hour * HOUR), b"");
        sealed(&keys, START + hour * HOUR);
    }
    assert!(keys.open(at(START + HOUR), &ticket).is_none());
}

/// The time of a ticket is sealed: no byte of it depends on it, within an epoch, so that nobody can tell from a ticket
/// which connection it was given on (RFC 9846 C.4).
#[test]
fn the_time_of_a_ticket_is_not_seen_from_outside() {
    let keys = keys();
    let start = START - START % EPOCH;
    assert_eq!(key(&sealed(&keys, start)), key(&sealed(&keys, start + EPOCH - 1)));
}
