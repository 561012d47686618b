//! What goes wrong, for people: a line that says what was seen and wanted, a line that says what to change.

use crate::terminal::{Style, note, on_stderr, shown};
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// A failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
    quiet: bool,
}

impl Failure {
    /// A message may quote a peer, or a file's name: whatever stands in it, it is one line.
    fn new(message: impl Display, code: u8) -> Self {
        Self { message: shown(&message.to_string()), hint: None, code, quiet: false }
    }

    /// It could not be done.
    pub(crate) fn cannot(message: impl Display) -> Self {
        Self::new(message, 2)
    }

    /// The answer is no.
    pub(crate) fn no(message: impl Display) -> Self {
        Self::new(message, 1)
    }

    /// Whoever read our output has read enough: the end, and no failure.
    pub(crate) fn reader_gone() -> Self {
        Self { message: "stdout was closed".into(), hint: None, code: 0, quiet: true }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(shown(&hint.to_string()));
        self
    }

    /// With the library's advice.
    #[must_use]
    pub(crate) fn library_hint(self, hint: &str) -> Self {
        self.hint(in_options(hint))
    }

    /// The same, of this.
    #[must_use]
    pub(crate) fn within(self, what: impl Display) -> Self {
        Self { message: shown(&format!("{what}: {}", self.message)), ..self }
    }

    /// A file that cannot be used.
    pub(crate) fn file(path: &Path, error: impl Display) -> Self {
        Self::cannot(format_args!("{}: {error}", path.display()))
    }

    /// An I/O error; one that carries a TLS error says what TLS has to say.
    pub(crate) fn from_io(error: io::Error) -> Self {
        match clasp::Error::from_io(&error) {
            Some(tls) => Self::from(tls.clone()),
            None if is_reset(&error) => Self::no(format_args!("the peer reset the connection without a word: {error}"))
                .hint("data may be incomplete; what the peer says in its log may tell why"),
            None => Self::cannot(error),
        }
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Prints it to stderr; gives its exit code.
    pub(crate) fn print(self) -> ExitCode {
        if !self.quiet {
            note(format_args!("{} {}", on_stderr(Style::Bad, "error:"), self.message));
            if let Some(hint) = &self.hint {
                note(format_args!("{} {hint}", on_stderr(Style::Bold, "hint:")));
            }
        }
        ExitCode::from(self.code)
    }
}

/// The peer has cut the connection, in the one or the other way in which a system says so.
pub(crate) fn is_reset(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

/// The library's advice in the words of the command line.
fn in_options(hint: &str) -> String {
    let hint = hint.replace(
        "a private authority is added to the roots by its own file, or is held to Profile::Rfc5280",
        "a private authority is trusted by its own file, --ca FILE, or held to --profile rfc5280",
    );
    let hint =
        hint.replace("Identity::from_pem_encrypted takes its password", "--key-password-file FILE takes its password");
    clasp::Policy::named()
        .iter()
        .fold(hint, |h, (name, _)| h.replace(&format!("Policy::{name}()"), &format!("--policy {name}")))
}

impl From<clasp::Error> for Failure {
    fn from(error: clasp::Error) -> Self {
        let message = error.without_hint();
        let of_peer = error.blame() == clasp::error::Blame::Peer;
        let failure = if of_peer { Self::no(message) } else { Self::cannot(message) };
        match error.hint_text() {
            Some(hint) => failure.library_hint(hint),
            None => failure,
        }
    }
}
