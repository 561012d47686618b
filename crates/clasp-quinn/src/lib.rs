#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod config;
mod endpoint;
mod packets;
mod session;
mod tokens;
mod waits;

pub use config::{ClientCrypto, HandshakeData, ServerCrypto};
pub use endpoint::{client, client_config, endpoint_config, server, server_config};
