//! The libraries, and how their workers are built. Each is built alone: features must not flow from one to another, and
//! OpenSSL and BoringSSL define the same symbols.

use crate::results::LeftOut;
use crate::worker::Worker;
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A library and its worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library {
    pub name: &'static str,
    package: &'static str,
    /// Which library a worker that serves for several stands for.
    flavour: Option<&'static str>,
    /// Debian packages its build needs, besides Rust and a C compiler.
    needs: &'static str,
}

const fn library(name: &'static str, package: &'static str, needs: &'static str) -> Library {
    Library { name, package, flavour: None, needs }
}

const fn rustls(name: &'static str, flavour: &'static str) -> Library {
    Library { name, package: "bench-rustls", flavour: Some(flavour), needs: "build-essential" }
}

const LIBRARIES: [Library; 8] = [
    library("clasp", "bench-clasp", "build-essential"),
    rustls("rustls-aws-lc", "--aws-lc"),
    rustls("rustls-ring", "--ring"),
    rustls("rustls-graviola", "--graviola"),
    library("openssl-system", "bench-openssl-system", "libssl-dev pkg-config"),
    library("openssl-vendored", "bench-openssl-vendored", "build-essential perl"),
    library("boringssl", "bench-boring", "build-essential cmake clang libclang-dev git"),
    library("s2n", "bench-s2n", "build-essential"),
];

/// Builds and starts the workers of the libraries that are asked for. One that cannot be built is said to be left out.
pub(crate) fn start(wanted: &[String], credentials: &Path) -> Result<(Vec<Worker>, Vec<LeftOut>)> {
    let chosen = choose(wanted)?;
    let (mut workers, mut left_out) = (Vec::new(), Vec::new());
    for library in chosen {
        match library.build().and_then(|binary| Worker::start(library, &binary, credentials)) {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                let why = format!("{error:#}\n(its build needs the Debian packages: {})", library.needs);
                eprintln!("LEFT OUT: {}: {why}", library.name);
                left_out.push(LeftOut { name: library.name.to_string(), why });
            }
        }
    }
    Ok((workers, left_out))
}

fn choose(wanted: &[String]) -> Result<Vec<Library>> {
    for name in wanted {
        let names = LIBRARIES.map(|l| l.name).join(", ");
        ensure!(LIBRARIES.iter().any(|l| l.name.starts_with(name.as_str())), "no library {name}: there are {names}");
    }
    let is_wanted = |l: &Library| wanted.is_empty() || wanted.iter().any(|name| l.name.starts_with(name.as_str()));
    Ok(LIBRARIES.into_iter().filter(is_wanted).collect())
}

/// The library of this name.
pub(crate) fn find(name: &str) -> Result<Library> {
    LIBRARIES.into_iter().find(|l| l.name == name).with_context(|| format!("no library {name}"))
}

impl Library {
    /// Builds the worker, if it is not there yet, and says where it is.
    pub(crate) fn build(self) -> Result<PathBuf> {
        build(self.package, self.package)
    }

    /// A command that runs the worker.
    pub(crate) fn arguments(self) -> impl Iterator<Item = &'static str> {
        self.flavour.into_iter()
    }
}

/// Builds a program of this workspace, alone, and says where it is.
pub(crate) fn build(package: &str, program: &str) -> Result<PathBuf> {
    build_in(&workspace()?, package, program)
}

/// Builds the program `clasp`, in its own workspace.
pub(crate) fn build_clasp() -> Result<PathBuf> {
    build_in(workspace()?.parent().context("no project around the benchmark")?, "clasp-cli", "clasp")
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
