#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod boundary;
mod client;
mod connection;
mod error;
mod facts;
mod identity;
mod link;
mod memory;
mod roots;
mod server;
mod settings;

// What the header has. Rust programs use the crate `clasp`.
pub use client::*;
pub use connection::*;
pub use error::*;
pub use facts::*;
pub use identity::*;
pub use link::clasp_connection;
pub use memory::{clasp_buffer, clasp_bytes, clasp_codes};
pub use roots::*;
pub use server::*;
pub use settings::{CLASP_POLICY_DEFAULT, CLASP_POLICY_LEGACY, CLASP_POLICY_MODERN, CLASP_TLS12, CLASP_TLS13};

#[cfg(test)]
mod tests {
    use super::*;

    /// What the header says of threads: what is const may be shared, and everything may go from one to another.
    #[test]
    fn handles_are_sync_and_send() {
        fn holds<T: Send + Sync>() {}
        holds::<clasp_roots>();
        holds::<clasp_identity>();
        holds::<clasp_client_builder>();
        holds::<clasp_client_config>();
        holds::<clasp_server_builder>();
        holds::<clasp_server_config>();
        holds::<clasp_connection>();
        holds::<clasp_error>();
    }
}
