//! Cargo, asked for one program alone.

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds a program of this workspace, alone, and says where it is.
pub(crate) fn build(package: &str, program: &str) -> Result<PathBuf> {
    build_in(&workspace()?, package, program)
}

/// Builds the program `clasp`, in its own workspace.
pub(crate) fn build_clasp() -> Result<PathBuf> {
    build_in(workspace()?.parent().context("no project around the benchmark")?, "clasp-tls-cli", "clasp")
}

fn workspace() -> Result<PathBuf> {
    Ok(Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?.to_path_buf())
}

fn build_in(workspace: &Path, package: &str, program: &str) -> Result<PathBuf> {
    eprintln!("building {program} ...");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--message-format=json-render-diagnostics"])
        .args(["--package", package, "--bin", program])
        .arg("--manifest-path")
        .arg(workspace.join("Cargo.toml"))
        // Measured is what users get.
        .env_remove("CLASP_TEST_PROVIDER")
        .stderr(Stdio::piped())
        .output()
        .context("cargo")?;
    ensure!(output.status.success(), "{}", last_lines(&output.stderr));
    // Cargo says where it put each binary, whatever target directory is in force.
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    });
    executable.context("cargo built no binary")
}

/// Enough of a compiler's words to see what was missing.
fn last_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
