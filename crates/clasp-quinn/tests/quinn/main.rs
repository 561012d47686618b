//! quinn over Clasp, with itself and with rustls, over loopback.
#![allow(clippy::unwrap_used, clippy::panic)]

mod http3;
mod peers;
mod refused;
mod slow;
mod whole;
