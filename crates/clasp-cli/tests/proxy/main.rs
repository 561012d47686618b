//! `clasp proxy` between clients and backends of all tempers.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod admin;
#[path = "../common/mod.rs"]
mod common;
mod header;
mod http;
mod limits;
mod roles;
mod routes;
mod service;
mod stage;
