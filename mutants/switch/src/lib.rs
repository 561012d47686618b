//! Which of the mutants that are compiled in is alive. At most one is, `MUTANT` in the environment names it; or with
//! `MUTANT_REACH`, the name of a file, none is, and the file is told which would have made a difference.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// The environment was not asked yet.
const UNKNOWN: u32 = u32::MAX;
/// None is alive, and what is reached is written down.
const REACH: u32 = u32::MAX - 1;
/// None is alive. Mutants are counted from 1.
const NONE: u32 = 0;
/// More mutants than any tree has.
const MOST: usize = 1 << 15;

static ALIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static REACHED: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
static FILE: OnceLock<Option<File>> = OnceLock::new();

/// Whether this mutant is alive.
#[inline]
pub fn on(id: u32) -> bool {
    match ALIVE.load(Relaxed) {
        NONE => false,
        alive if alive < REACH => alive == id,
        _ => other(id),
    }
}

/// What a comparison comes to: as it was written, or as the mutant that is alive has it. Reached is only a mutant that
/// says something else.
#[inline]
pub fn choose(written: bool, mutants: &[(u32, bool)]) -> bool {
    if ALIVE.load(Relaxed) == NONE {
        return written;
    }
    for (id, said) in mutants {
        if *said != written && on(*id) {
            return *said;
        }
    }
    written
}

#[cold]
fn other(id: u32) -> bool {
    if ALIVE.load(Relaxed) == UNKNOWN {
        let alive = std::env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(NONE);
        let alive = if std::env::var_os("MUTANT_REACH").is_some() { REACH } else { alive };
        ALIVE.store(alive, Relaxed);
        return on(id);
    }
    reached(id);
    false
}

fn reached(id: u32) {
    let known = usize::try_from(id).ok().and_then(|id| REACHED.get(id));
    if known.is_none_or(|known| known.swap(true, Relaxed)) {
        return;
    }
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os("MUTANT_REACH")?;
        File::options().append(true).create(true).open(path).ok()
    });
    if let Some(mut file) = file.as_ref() {
        // Four bytes at once: other processes of the same test append to the same file.
        let _ = file.write_all(&id.to_le_bytes());
    }
}
