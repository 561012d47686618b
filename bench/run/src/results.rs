//! What the workers said, over all rounds.

use crate::arguments::Figure;
use crate::machine::Machine;
use bench_harness::protocol::{Figures, HeapFigures, Reply, Slice};
use bench_harness::row::Work;
use serde::Serialize;

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Results {
    pub machine: Machine,
    pub rounds: usize,
    pub libraries: Vec<Described>,
    pub left_out: Vec<LeftOut>,
    pub rows: Vec<RowResults>,
}

/// A library that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Described {
    pub name: String,
    pub describes: String,
}

/// One that was not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeftOut {
    pub name: String,
    pub why: String,
}

/// A row, with a cell for each library.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RowResults {
    pub id: String,
    pub title: String,
    #[serde(skip)]
    pub work: Work,
    pub cells: Vec<Cell>,
}

/// What one library came to in one row.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cell {
    /// Nanoseconds.
    Sides {
        client: Stat,
        server: Stat,
    },
    /// Nanoseconds.
    Alone(Stat),
    Heap {
        client: HeapFigures,
        server: HeapFigures,
    },
    Lacks(String),
    Failed(String),
}

/// One quantity over all rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Stat {
    /// The median of the rounds' medians.
    pub median: f64,
    /// The least of all turns.
    pub quietest: f64,
}

impl Stat {
    pub(crate) fn get(self, figure: Figure) -> f64 {
        match figure {
            Figure::Median => self.median,
            Figure::Quietest => self.quietest,
        }
    }

    fn of(slices: impl Iterator<Item = Slice>) -> Self {
        let (mut medians, mut quietest) = (Vec::new(), f64::INFINITY);
        for slice in slices {
            medians.push(slice.median);
            quietest = quietest.min(slice.least);
        }
        medians.sort_by(f64::total_cmp);
        Self { median: medians.get(medians.len() / 2).copied().unwrap_or(f64::NAN), quietest }
    }
}

impl Cell {
    /// Sums the rounds up. One failure is a failure; what a library lacks it lacks in every round.
    pub(crate) fn of(replies: &[Reply]) -> Self {
        let mut figures = Vec::new();
        for reply in replies {
            match reply {
                Reply::Figures(f) => figures.push(*f),
                Reply::Lacks(reason) => return Self::Lacks(reason.clone()),
                Reply::Failed(error) => return Self::Failed(error.clone()),
            }
        }
        let side = |pick: fn(&Figures) -> Option<Slice>| Stat::of(figures.iter().filter_map(pick));
        match figures.last() {
            None => Self::Failed("not asked".into()),
            Some(Figures::Sides { .. }) => Self::Sides { client: side(client), server: side(server) },
            Some(Figures::Alone(_)) => Self::Alone(side(|f| match f {
                Figures::Alone(slice) => Some(*slice),
                _ => None,
            })),
            Some(Figures::Heap { client, server }) => Self::Heap { client: *client, server: *server },
        }
    }

    /// Nanoseconds of client and server, where the row has both.
    pub(crate) fn sides(&self, figure: Figure) -> Option<[f64; 2]> {
        match self {
            Self::Sides { client, server } => Some([client.get(figure), server.get(figure)]),
            _ => None,
        }
    }
}

fn client(figures: &Figures) -> Option<Slice> {
    match figures {
        Figures::Sides { client, .. } => Some(*client),
        _ => None,
    }
}

fn server(figures: &Figures) -> Option<Slice> {
    match figures {
        Figures::Sides { server, .. } => Some(*server),
        _ => None,
    }
}

impl Results {
    /// Where Clasp's cells are.
    pub(crate) fn clasp(&self) -> Option<usize> {
        self.libraries.iter().position(|l| l.name == "clasp")
    }
}
