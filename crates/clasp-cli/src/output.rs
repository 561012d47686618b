//! Data to stdout, words to stderr, through one place. A reader that goes away (`| head -1`) ends the program quietly;
//! colour is for terminals only, and not where `NO_COLOR` is set.

use crate::failure::Failure;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

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

/// Writes a line of words to stderr. Where nobody can read it there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    // In one piece: stderr has no buffer, and would go to the kernel for each part of the text.
    let _unread = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// How a word stands out.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Bold,
    Good,
    Bad,
}

fn styled(on: bool, style: Style, text: &str) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Good => "32",
        Style::Bad => "1;31",
    };
    if on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into() }
}

/// <https://no-color.org>: set to anything but nothing.
fn wanted() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// `text` for stdout.
pub(crate) fn on_stdout(style: Style, text: &str) -> String {
    styled(wanted() && io::stdout().is_terminal(), style, text)
}

/// `text` for stderr.
pub(crate) fn on_stderr(style: Style, text: &str) -> String {
    styled(wanted() && io::stderr().is_terminal(), style, text)
}
