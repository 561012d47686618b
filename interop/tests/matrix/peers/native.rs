//! Peers that are libraries of C or C++, from Debian's development packages: a small program of ours, compiled here.

use crate::lab::Lab;
use std::path::PathBuf;
use std::process::Command;

/// What all of them share: `scripts/peer.h`.
const HEADER: &str = include_str!("../scripts/peer.h");

/// Compiles a source of `scripts/` against these libraries.
pub(super) fn build(lab: &Lab, compiler: &str, name: &str, source: &str, flags: &[&str]) -> Result<PathBuf, String> {
    let (file, program) = (lab.file(name), lab.file(&format!("{name}-peer")));
    std::fs::write(lab.file("peer.h"), HEADER).map_err(|e| e.to_string())?;
    std::fs::write(&file, source).map_err(|e| e.to_string())?;
    let mut command = Command::new(compiler);
    let built = command.args(["-O1", "-o"]).arg(&program).arg(&file).args(flags).arg("-lpthread").output();
    let built = built.map_err(|e| format!("{compiler}: {e}"))?;
    if built.status.success() {
        return Ok(program);
    }
    // The first line says which header or library is missing.
    let words = String::from_utf8_lossy(&built.stderr).into_owned();
    Err(format!("{compiler} {name}: {}", words.lines().find(|l| l.contains("error")).unwrap_or(words.trim())))
}
