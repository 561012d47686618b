//! Rows to figures.

use crate::clock;
use crate::drive::{self, Pair};
use crate::heap::Account;
use crate::meter::{Both, Heap, Meter as _, Side, Time, Unmetered};
use crate::peer::{Operation, Sides};
use crate::protocol::{Figures, HeapFigures, Slice};
use crate::scenario::{Resume, Scenario};
use anyhow::{Context as _, Result, ensure};
use std::time::{Duration, Instant};

/// Handshakes done in lockstep. Small enough that the sessions libraries keep for one server (6 and more) suffice.
const LOCKSTEP: usize = 4;

/// A row that is ready to be measured again and again.
pub(crate) enum Prepared {
    Handshake(Box<dyn Sides>),
    Bulk { pair: Pair, data: Vec<u8>, times: usize, _sides: Box<dyn Sides> },
    Heap(Box<dyn Sides>),
    Primitive { operation: Operation, turn: u32 },
}

impl Prepared {
    pub(crate) fn handshake(sides: Box<dyn Sides>, scenario: &Scenario) -> Result<Self> {
        drive::prepare(sides.as_ref(), scenario, LOCKSTEP)?;
        Ok(Self::Handshake(sides))
    }

    pub(crate) fn heap(sides: Box<dyn Sides>, scenario: &Scenario) -> Result<Self> {
        ensure!(crate::heap::is_counted(), "this binary's allocator is not the counted one");
        drive::prepare(sides.as_ref(), scenario, 1)?;
        Ok(Self::Heap(sides))
    }

    pub(crate) fn bulk(sides: Box<dyn Sides>, scenario: &Scenario, write: usize) -> Result<Self> {
        drive::prepare(sides.as_ref(), &Scenario { resume: Resume::Full, ..*scenario }, 1)?;
        let mut pairs = drive::handshakes(sides.as_ref(), 1, &mut Unmetered)?;
        let mut pair = pairs.pop().context("no connection")?;
        let data: Vec<u8> = (0..write).map(|n| u8::try_from(n % 251).unwrap_or(0)).collect();
        let times = (64 * 1024 / write).clamp(1, 256);
        for _ in 0..3 {
            let arrived = pair.transfer(Side::Client, &data, times, &mut Unmetered)?;
            ensure!(arrived == write * times, "{arrived} of {} bytes arrived", write * times);
        }
        Ok(Self::Bulk { pair, data, times, _sides: sides })
    }

    /// Finds how often the operation is repeated under one look at the clock: for about 200 µs.
    pub(crate) fn primitive(mut operation: Operation) -> Result<Self> {
        let mut turn = 1;
        loop {
            let start = clock::now();
            (0..turn).try_for_each(|_| (operation.act)())?;
            if clock::now() - start > 200_000 {
                return Ok(Self::Primitive { operation, turn });
            }
            turn *= 2;
        }
    }

    /// Measures for about this long.
    pub(crate) fn measure(&mut self, budget: Duration) -> Result<Figures> {
        match self {
            Self::Handshake(sides) => measure_sides(budget, || {
                let mut time = Time::default();
                let pairs = drive::handshakes(sides.as_ref(), LOCKSTEP, &mut time)?;
                drive::dissolve(pairs, &mut time);
                Ok((time, LOCKSTEP))
            }),
            Self::Bulk { pair, data, times, .. } => measure_sides(budget, || {
                let mut time = Time::default();
                pair.transfer(Side::Client, data, *times, &mut time)?;
                Ok((time, *times))
            }),
            Self::Heap(sides) => measure_heap(sides.as_ref()),
            Self::Primitive { operation, turn } => {
                let values = turns(budget, || one_turn(operation, *turn))?;
                Ok(Figures::Alone(Slice::of(values).context("no turn")?))
            }
        }
    }
}

/// Nanoseconds of one operation, without what it does besides the primitive.
fn one_turn(operation: &mut Operation, turn: u32) -> Result<f64> {
    let start = clock::now();
    (0..turn).try_for_each(|_| (operation.act)())?;
    let mut time = (clock::now() - start) as f64;
    if let Some(besides) = &mut operation.besides {
        let start = clock::now();
        (0..turn).for_each(|_| besides());
        time -= (clock::now() - start) as f64;
    }
    Ok(time / f64::from(turn))
}

/// Repeats `turn` until the budget is spent; at least once.
fn turns<T>(budget: Duration, mut turn: impl FnMut() -> Result<T>) -> Result<Vec<T>> {
    let start = Instant::now();
    let mut values = Vec::new();
    while values.is_empty() || start.elapsed() < budget {
        values.push(turn()?);
    }
    Ok(values)
}

fn measure_sides(budget: Duration, turn: impl FnMut() -> Result<(Time, usize)>) -> Result<Figures> {
    let all = turns(budget, turn)?;
    let slice = |side: fn(&Time) -> u64| {
        Slice::of(all.iter().map(|(time, n)| side(time) as f64 / *n as f64).collect()).context("no turn")
    };
    Ok(Figures::Sides { client: slice(|t| t.0.client)?, server: slice(|t| t.0.server)? })
}

/// How many connections the heap is measured over; the middle one counts.
const CONNECTIONS: usize = 9;

fn measure_heap(sides: &dyn Sides) -> Result<Figures> {
    let all = (0..CONNECTIONS).map(|_| heap_of_one(sides)).collect::<Result<Vec<_>>>()?;
    let middle = |figure: fn(&HeapFigures) -> i64, side: fn(&Both<HeapFigures>) -> &HeapFigures| {
        let mut values: Vec<i64> = all.iter().map(|both| figure(side(both))).collect();
        values.sort_unstable();
        values[values.len() / 2]
    };
    let side = |side: fn(&Both<HeapFigures>) -> &HeapFigures| HeapFigures {
        allocations: middle(|f| f.allocations, side),
        idle: middle(|f| f.idle, side),
        idle_used: middle(|f| f.idle_used, side),
        at_rest: middle(|f| f.at_rest, side),
        peak: middle(|f| f.peak, side),
    };
    Ok(Figures::Heap { client: side(|both| &both.client), server: side(|both| &both.server) })
}

/// One connection, from nothing to rest.
fn heap_of_one(sides: &dyn Sides) -> Result<Both<HeapFigures>> {
    let mut heap = Heap::default();
    let mut pairs = drive::handshakes(sides, 1, &mut heap)?;
    let after = heap.0;
    let pair = pairs.first_mut().context("no connection")?;
    for side in [Side::Client, Side::Server] {
        pair.transfer(side, &[1; 16 * 1024], 1, &mut heap)?;
    }
    let used = heap.0;
    heap.on(Side::Client, || pair.client.rest())?;
    heap.on(Side::Server, || pair.server.rest())?;
    let rested = heap.0;
    drive::dissolve(pairs, &mut heap);
    let figures = |after: Account, used: Account, rested: Account| HeapFigures {
        allocations: after.allocations,
        idle: after.held,
        idle_used: used.held,
        at_rest: rested.held,
        peak: after.peak,
    };
    Ok(Both {
        client: figures(after.client, used.client, rested.client),
        server: figures(after.server, used.server, rested.server),
    })
}
