//! Survivors that are known, with the reason.

use std::io;
use std::path::Path;

/// The keys of `survivors.txt`: one a line, `#` begins a reason, `*` at either end stands for anything.
pub(crate) struct Known(Vec<String>);

impl Known {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self(lines.map(str::to_owned).collect()))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|known| match (known.strip_prefix('*'), known.strip_suffix('*')) {
            (Some(rest), Some(_)) => key.contains(rest.trim_end_matches('*')),
            (Some(rest), None) => key.ends_with(rest),
            (None, Some(rest)) => key.starts_with(rest),
            (None, None) => key == known,
        })
    }
}
