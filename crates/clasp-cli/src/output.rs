//! Data to stdout, through one place. A reader that goes away (`| head -1`) ends the program quietly.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{self, Write};

/// Writes bytes to stdout, at once.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| match e.kind() {
        io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::cannot(format_args!("stdout: {e}")),
    })
}

/// Writes a line to stdout.
pub(crate) fn line(text: impl Display) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}
