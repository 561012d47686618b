//! What is fuzzed, as plain functions of bytes: `cargo fuzz` runs each under libFuzzer, `cargo test` over its seeds.
//!
//! Each target panics where an invariant breaks; README.md says which those are.

mod allocation;
pub mod input;
mod keys;
pub mod seeds;
pub mod tls;
pub mod x509;

#[cfg(fuzzing)]
pub use libfuzzer_sys;

use std::path::PathBuf;

/// Something to fuzz.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of its binary and of its folder under `corpus/`.
    pub name: &'static str,
    /// Runs one input.
    pub run: fn(&[u8]),
    /// Heap that an input may take at a time, in bytes.
    pub memory: usize,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// The largest window a brotli stream may ask for (RFC 7932 9.1), with its slack.
const BROTLI: usize = 17 * MIB;

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "record", run: tls::record::run, memory: MIB },
    Target { name: "message", run: tls::message::run, memory: MIB },
    Target { name: "extension", run: tls::extension::run, memory: MIB },
    Target { name: "fields", run: tls::fields::run, memory: 32 * MIB },
    Target { name: "session", run: tls::session::run, memory: MIB },
    Target { name: "client", run: tls::single::client, memory: BROTLI + 4 * MIB },
    Target { name: "server", run: tls::single::server, memory: BROTLI + 4 * MIB },
    Target { name: "link", run: tls::link::run, memory: BROTLI + 4 * MIB },
    Target { name: "link_hollow", run: tls::link::run_hollow, memory: BROTLI + 4 * MIB },
    Target { name: "quic", run: tls::quic::run, memory: BROTLI + 4 * MIB },
    Target { name: "keys", run: keys::run, memory: 4 * MIB },
    Target { name: "certificate", run: x509::certificate::run, memory: MIB },
    Target { name: "chain", run: x509::chain::run, memory: 4 * MIB },
    Target { name: "path", run: x509::path::run, memory: 16 * MIB },
    Target { name: "crl", run: x509::crl::run, memory: 4 * MIB },
    Target { name: "ocsp", run: x509::ocsp::run, memory: 4 * MIB },
    Target { name: "name", run: x509::name::run, memory: MIB },
    Target { name: "sct", run: x509::sct::run, memory: 256 * KIB },
];

/// Runs one input of a target and holds it to its memory.
///
/// # Panics
/// If an invariant breaks.
pub fn run(target: &Target, data: &[u8]) {
    // What is made once for all inputs is no input's to answer for.
    tls::scenario::all(tls::scenario::Crypto::Hollow);
    tls::scenario::all(tls::scenario::Crypto::Seeded);
    let _made = (x509::authority(), x509::leaf());
    allocation::bounded(target.name, target.memory + 64 * data.len(), || (target.run)(data));
}

/// The target of this name.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("no target {name}"))
}

/// Where a target's inputs of a kind stand: `corpus`, what Clasp itself says; `found`, what a run or a test found and was mended;
/// `greatest`, fields as long as can be, which is not in the repository.
pub fn folder(kind: &str, target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), kind, target].iter().collect()
}

/// The body of a target's binary: under `cargo fuzz` the fuzzer, otherwise a program that runs the files it is given.
#[macro_export]
macro_rules! fuzz {
    ($name:literal) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|data: &[u8]| { $crate::run($crate::target($name), data) });

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            for file in std::env::args().skip(1) {
                $crate::run($crate::target($name), &std::fs::read(&file)?);
                println!("{file}: nothing found");
            }
            Ok(())
        }
    };
}
