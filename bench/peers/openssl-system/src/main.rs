//! OpenSSL: the system's.

#[path = "../../../libssl/openssl.rs"]
mod openssl_peer;
#[path = "../../../libssl/ssl.rs"]
mod ssl;

use openssl_peer::{OpenSsl, differences, library};
use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::main(&OpenSsl)
}
