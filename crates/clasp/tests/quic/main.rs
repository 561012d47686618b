//! `clasp::quic`: what RFC 9001 and RFC 9369 say of TLS, over the public face alone.
#![cfg(feature = "quic")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod early;
mod ends;
mod full;
mod grammar;
mod refused;
mod slow;
mod vectors;

/// Stacks share them between threads.
#[test]
fn all_of_it_is_send_and_sync() {
    fn send_sync<T: Send + Sync>() {}
    use clasp::quic::*;
    send_sync::<(Connection, DirectionKeys, Keys, Level, NextKeys, Output, Parameters, Side, Version)>();
}
