//! The libraries, and how their workers are built. Each is built alone: features must not flow from one to another, and
//! OpenSSL and BoringSSL define the same symbols.

use crate::build::build;
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;

/// A library and its worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library {
    pub name: &'static str,
    package: &'static str,
    /// Which library a worker that serves for several stands for.
    flavour: Option<&'static str>,
    /// Debian packages its build needs, besides Rust and a C compiler.
    pub needs: &'static str,
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

/// Those whose names begin with one of these; all of them without any.
pub(crate) fn choose(wanted: &[String]) -> Result<Vec<Library>> {
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
