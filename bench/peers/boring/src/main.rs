//! BoringSSL, through Cloudflare's crate.

#[path = "../../../libssl/ssl.rs"]
mod ssl;

mod differences;
mod primitives;

use anyhow::Result;
use bench_harness::credentials::Credentials;
use bench_harness::primitive::Primitive;
use bench_harness::scenario::Scenario;
use bench_harness::{Offer, Operation, Peer, Sides};
use boring as library;
use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::main(&Boring)
}

struct Boring;

impl Peer for Boring {
    fn describe(&self) -> String {
        "BoringSSL (boring 5.4)".into()
    }

    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
        ssl::sides(scenario, credentials)
    }

    fn primitive(&self, primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
        primitives::find(primitive, credentials)
    }
}
