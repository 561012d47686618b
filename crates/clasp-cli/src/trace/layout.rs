//! Where everything stands in the drawing: time goes down, and a millisecond is everywhere as long as everywhere else. Names need
//! more room than the moments they belong to: they stand as near as they can, in their order.

use super::{Event, Lane, Leg, Side, Trace};
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

/// What travels from one lane to the next.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Arrow {
    pub(crate) event: usize,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

/// The names of a flight, and the middle of its arrows.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Label {
    pub(crate) leg: Leg,
    pub(crate) events: Vec<usize>,
    pub(crate) top: f64,
    pub(crate) height: f64,
    pub(crate) middle: f64,
}

/// What a lane's clock says.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Clock {
    pub(crate) lane: Lane,
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
fn flights(trace: &Trace, leg: Leg, end: f64) -> Vec<Vec<usize>> {
    let mut flights: Vec<Vec<usize>> = Vec::new();
    let mut last: Option<(Side, f64)> = None;
    for (place, event) in trace.events.iter().enumerate().filter(|(_, e)| e.kind.travels() && e.leg == leg) {
        let (sent, _) = trace.travel(event);
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
    let moments = travels().map(|(_, e)| trace.travel(e).1);
    let end = moments.chain(trace.events.iter().map(|e| e.seen.any())).fold(0.001, f64::max);
    let legs = [Leg::Near, Leg::Far].map(|leg| (leg, flights(trace, leg, end)));
    let room = |flights: &[Vec<usize>]| {
        let lines: usize = flights.iter().map(Vec::len).sum();
        count(lines) * LINE + count(flights.len()) * (2.0 * PADDING + GAP)
    };
    let names = legs.iter().map(|(_, flights)| room(flights)).fold(0.0, f64::max);
    let scale = (names * 1.15).max(LEAST) / end;
    let y = |ms: f64| (TOP + ms * scale).round();

    let arrows: Vec<Arrow> = travels()
        .map(|(event, e)| {
            let (sent, came) = trace.travel(e);
            Arrow { event, from: y(sent), to: y(came) }
        })
        .collect();
    let labels: Vec<Label> = legs.iter().flat_map(|(leg, flights)| labels(*leg, flights, &arrows)).collect();
    let low = labels.iter().map(|label| label.top + label.height).fold(0.0, f64::max);
    Layout { height: low.max(y(end)) + TOP, clocks: clocks(trace, y), marks: marks(trace, y), arrows, labels }
}

fn labels(leg: Leg, flights: &[Vec<usize>], arrows: &[Arrow]) -> Vec<Label> {
    let mut free = 0.0_f64;
    let mut labels = Vec::with_capacity(flights.len());
    for events in flights {
        let middles = arrows.iter().filter(|a| events.contains(&a.event)).map(|a| (a.from + a.to) / 2.0);
        let middle = (middles.sum::<f64>() / count(events.len()).max(1.0)).round();
        let height = count(events.len()) * LINE + 2.0 * PADDING;
        let top = (middle - height / 2.0).max(free).round();
        free = top + height + GAP;
        labels.push(Label { leg, events: events.clone(), top, height, middle });
    }
    labels
}

fn clocks(trace: &Trace, y: impl Fn(f64) -> f64) -> Vec<Clock> {
    let mut all = Vec::new();
    for lane in trace.lanes() {
        let of = |event: &Event| {
            let (sent, came) = trace.travel(event);
            let at = |side: Side| trace.lane(event.leg, side) == *lane;
            if at(event.by) { Some(sent) } else { at(event.by.other()).then_some(came) }
        };
        let mut times: Vec<f64> = trace.events.iter().filter(|e| e.kind.travels()).filter_map(of).collect();
        times.sort_by(f64::total_cmp);
        let mut last = f64::NEG_INFINITY;
        for ms in times {
            if y(ms) - last >= CLOCK {
                last = y(ms);
                all.push(Clock { lane: *lane, y: last, ms });
            }
        }
    }
    all
}

fn marks(trace: &Trace, y: impl Fn(f64) -> f64) -> Vec<Mark> {
    let facts = trace.events.iter().enumerate().filter(|(_, e)| !e.kind.travels());
    facts.map(|(event, e)| Mark { event, y: y(e.seen.any()) }).collect()
}
