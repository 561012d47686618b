//! What controller and worker say to each other: one line of JSON a request, one a reply.

use serde::{Deserialize, Serialize};

/// Do this row for about so long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    pub row: String,
    pub millis: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    Figures(Figures),
    /// The library does not have this.
    Lacks(String),
    /// It should work and did not.
    Failed(String),
}

/// Figures of one slice of one row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figures {
    /// Nanoseconds of processor time per handshake; for bulk rows per write, the client sending.
    Sides {
        client: Slice,
        server: Slice,
    },
    /// Nanoseconds per operation.
    Alone(Slice),
    Heap {
        client: HeapFigures,
        server: HeapFigures,
    },
}

/// The turns of one slice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    pub median: f64,
    pub least: f64,
}

/// What one side of a connection does to the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeapFigures {
    /// Allocations from nothing to the end of the handshake.
    pub allocations: i64,
    /// Bytes held after the handshake.
    pub idle: i64,
    /// Bytes held after 16 KiB each way.
    pub idle_used: i64,
    /// The same, once the connection has been told to rest.
    pub at_rest: i64,
    /// The most that was held in the handshake.
    pub peak: i64,
}

impl Slice {
    /// Of the turns' values; nothing of no turns.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self { median: *values.get(values.len() / 2)?, least: *values.first()? })
    }
}
