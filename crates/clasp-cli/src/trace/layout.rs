//! Where everything stands in the drawing: time goes down, and a millisecond is everywhere as long as everywhere else. Names need
//! more room than the moments they belong to: they stand as near as they can, in their order.

use super::{Side, Trace};
use serde::Serialize;

/// A line of a name.
pub(crate) const LINE: f64 = 20.0;
/// Around the names of a flight, and between two.
const PADDING: f64 = 5.0;
const GAP: f64 = 6.0;
const TOP: f64 = 16.0;
/// Two clocks of one side that are nearer than this are one.
const CLOCK: f64 = 13.0;
const LEAST: f64 = 160.0;

/// What travels from one side to the other.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Arrow {
    pub(crate) event: usize,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// The names of a flight, and the middle of its arrows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Label {
    pub(crate) events: Vec<usize>,
    pub(crate) top: f64,
    pub(crate) height: f64,
    pub(crate) middle: f64,
}

/// What a side's clock says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Clock {
    pub(crate) side: Side,
    pub(crate) y: f64,
    pub(crate) ms: f64,
}

/// A moment on a side's own line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mark {
    pub(crate) event: usize,
    pub(crate) y: f64,
}

/// The whole drawing, but for how wide it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Layout {
    pub(crate) height: f64,
    pub(crate) arrows: Vec<Arrow>,
    pub(crate) labels: Vec<Label>,
    pub(crate) clocks: Vec<Clock>,
    pub(crate) marks: Vec<Mark>,
}

/// Flights: what one side says before the other does, or before it waits for long.
fn flights(trace: &Trace, end: f64) -> Vec<Vec<usize>> {
    let mut flights: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<(Side, f64)> = None;
    for (place, event) in trace.events.iter().enumerate().filter(|(_, e)| e.kind.travels()) {
        let (sent, _) = trace.travel(&event.seen, event.by);
        let goes_on = last.is_some_and(|(by, at)| by == event.by && sent - at <= end / 12.0);
        match flights.last_mut().filter(|_| goes_on) {
            Some(flight) => flight.push(place),
            None => flights.push(vec![place]),
        }
        last = Some((event.by, sent));
    }
    flights
}

fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// Where a trace's events stand.
pub(crate) fn layout(trace: &Trace) -> Layout {
    let travels = || trace.events.iter().enumerate().filter(|(_, e)| e.kind.travels());
    let moments = travels().map(|(_, e)| trace.travel(&e.seen, e.by).1);
    let end = moments.chain(trace.events.iter().map(|e| e.seen.any())).fold(0.001, f64::max);
    let flights = flights(trace, end);
    let lines: usize = flights.iter().map(Vec::len).sum();
    let names = count(lines) * LINE + count(flights.len()) * (2.0 * PADDING + GAP);
    let scale = (names * 1.15).max(LEAST) / end;
    let y = |ms: f64| (TOP + ms * scale).round();

    let arrows: Vec<Arrow> = travels()
        .map(|(event, e)| {
            let (sent, came) = trace.travel(&e.seen, e.by);
            Arrow { event, from: y(sent), to: y(came) }
        })
        .collect();
    let labels = labels(&flights, &arrows);
    let low = labels.last().map_or(0.0, |label| label.top + label.height);
    Layout { height: low.max(y(end)) + TOP, clocks: clocks(trace, y), marks: marks(trace, y), arrows, labels }
}

fn labels(flights: &[Vec<usize>], arrows: &[Arrow]) -> Vec<Label> {
    let mut free = 0.0_f64;
    let mut labels = Vec::with_capacity(flights.len());
    for events in flights {
        let middles = arrows.iter().filter(|a| events.contains(&a.event)).map(|a| (a.from + a.to) / 2.0);
        let middle = (middles.sum::<f64>() / count(events.len()).max(1.0)).round();
        let height = count(events.len()) * LINE + 2.0 * PADDING;
        let top = (middle - height / 2.0).max(free).round();
        free = top + height + GAP;
        labels.push(Label { events: events.clone(), top, height, middle });
    }
    labels
}

fn clocks(trace: &Trace, y: impl Fn(f64) -> f64) -> Vec<Clock> {
    let mut all = Vec::new();
    for side in [Side::Client, Side::Server] {
        let of = |event: &super::Event| {
            let (sent, came) = trace.travel(&event.seen, event.by);
            if event.by == side { sent } else { came }
        };
        let mut times: Vec<f64> = trace.events.iter().filter(|e| e.kind.travels()).map(of).collect();
        times.sort_by(f64::total_cmp);
        let mut last = f64::NEG_INFINITY;
        for ms in times {
            if y(ms) - last >= CLOCK {
                last = y(ms);
                all.push(Clock { side, y: last, ms });
            }
        }
    }
    all
}

fn marks(trace: &Trace, y: impl Fn(f64) -> f64) -> Vec<Mark> {
    let facts = trace.events.iter().enumerate().filter(|(_, e)| !e.kind.travels());
    facts.map(|(event, e)| Mark { event, y: y(e.seen.any()) }).collect()
}
