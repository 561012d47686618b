//! Processes that end with this one, and what they have used.

use anyhow::{Context as _, Result};
use std::process::{Child, Command, Stdio};

/// A child that is ended when it is dropped.
pub(crate) struct Guarded(Child);

impl Guarded {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| format!("{:?} cannot be run", command.get_program()))?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it is still there.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // By SIGTERM, so that nginx's master takes its workers along. Whatever has ended already is ended.
        let told = Command::new("kill").arg(self.0.id().to_string()).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ended = self.0.kill();
        }
        let _reaped = self.0.wait();
    }
}

/// What a process and its children have used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Microseconds of processor time.
    pub micros: f64,
    /// Bytes of resident memory.
    pub resident: f64,
}

/// Sums a process and its children up.
pub(crate) fn used(root: u32) -> Result<Used> {
    let mut total = Used::default();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A process may end while it is looked at.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        // proc(5): what follows the name in parentheses; parent is the second of it, then user and system time.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
        if id == root || number(1) == f64::from(root) {
            // In hundredths of a second, and pages of 4 KiB.
            total.micros += (number(11) + number(12)) * 10_000.0;
            total.resident += number(21) * 4096.0;
        }
    }
    Ok(total)
}
