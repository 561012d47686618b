//! Clasp against real TLS peers on loopback TCP: OpenSSL, GnuTLS, NSS, curl, Python, Node, Java, Go, rustls, wolfSSL,
//! Mbed TLS, Botan, Erlang and tlslite-ng.
//!
//! The tests are `tests/matrix`, a table of peers and rows with a `main` of its own:
//!
//! ```text
//! cargo test -p clasp-interop --test matrix                        every peer that is installed
//! CLASP_INTEROP=require cargo test -p clasp-interop --test matrix  a missing peer is a failure
//! CLASP_INTEROP=off cargo test --workspace                         everything else
//! cargo test -p clasp-interop --test matrix -- --peer openssl --row resumption
//! cargo test -p clasp-interop --test matrix -- --json              the matrix as JSON, alone on stdout
//! ```
//!
//! The peers come from Debian's packages `openssl gnutls-bin libnss3-tools curl python3 nodejs
//! openjdk-17-jdk-headless golang-go libwolfssl-dev libmbedtls-dev libbotan-2-dev erlang-ssl`; tlslite-ng from PyPI,
//! with `kyber-py` for its hybrids, in `target/peers` or wherever `python3` finds it; rustls is built in. Chromium has a test of
//! its own, which wants the program: `crates/clasp-cli/tests/browser.rs`.
//!
//! To add a row, add it to `rows.rs`. To add a peer, implement `Peer` (`peers/mod.rs`), or write the small line
//! protocol of `peers/scripted.rs` in the peer's language; of a library in C or C++ only what `scripts/peer.h` declares. A peer says in `lacks` which rows it cannot do and why; a
//! row that it does not disclaim and that fails is a failure.
#![forbid(unsafe_code)]

pub mod ports;
