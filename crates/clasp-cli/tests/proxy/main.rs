//! `clasp proxy` between clients and backends of all tempers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../common/mod.rs"]
mod common;
mod limits;
mod roles;
mod routes;
mod stage;
