// Above `handshake`.
//! QUIC's share of TLS: the carrier that brings handshake messages in CRYPTO frames, and the keys of packets. RFC 9001, RFC 9369.
//!
//! It is what a QUIC stack asks of TLS, and no QUIC stack: no packets, no frames, no sockets, no clock. The conversations are
//! those of TLS over TCP, with the same configurations, policies, verifiers, signers and stores, any of which may answer later.
//!
//! ```text
//!   QUIC stack                                   quic::Connection
//!   CRYPTO bytes of a level, in order   ───────▶ read_crypto
//!                                                advance(cx)           polls the conversation; wakes whoever waits
//!   CRYPTO frames to send, keys         ◀─────── poll_output           level by level, in order
//!   transport parameters, ALPN, name    ◀─────── peer_parameters, protocol, server_name, early_data: as soon as they are known
//!   CONNECTION_CLOSE                    ◀─────── error_code(&error)
//! ```
//!
//! What is whose:
//! - **The stack's**: to put CRYPTO frames in order by their offsets, and to hold those that come early (RFC 9000 7.5 bounds them); to
//!   hold what comes at a level whose keys are not there; packet numbers, key phases, and when keys are discarded (RFC 9001 4.9, 6);
//!   how many packets a key may protect, which [`PacketKey`] says; that no 1-RTT packet of a client is processed before the
//!   handshake is done (RFC 9001 5.7); how much early data there may be.
//! - **Clasp's**: everything that RFC 9001 says of TLS. TLS 1.3 alone, an application protocol, transport parameters, no
//!   middlebox compatibility, no ChangeCipherSpec, EndOfEarlyData or KeyUpdate; handshake data at a level that is over, or left over
//!   when keys change, ends the connection. What a conversation that waits holds of the peer's is bounded.
//!
//! ```
//! use clasp::quic::{Parameters, Version};
//! use clasp::{ClientConfig, Roots};
//! use std::task::{Context, Waker};
//! # let roots = Roots::empty();
//! let config = ClientConfig::builder().trust(roots).alpn(["h3"]).build()?;
//! // initial_max_data = 65536
//! let parameters = Parameters::new([0x04, 0x04, 0x80, 0x01, 0x00, 0x00])?;
//! let mut connection = config.connect_quic("example.com".try_into()?, Version::V1, parameters)?;
//! connection.advance(&mut Context::from_waker(Waker::noop()))?;
//! while let Some(output) = connection.poll_output() {
//!     println!("{output:?}"); // the ClientHello, for CRYPTO frames of Initial packets
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod carrier;
mod close;
mod connection;
mod keys;
mod limits;
mod parameters;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests;
mod version;

pub use close::{alert_of, error_code};
pub use connection::{Connection, Output};
pub use keys::{DirectionKeys, HeaderKey, Keys, NextKeys, PacketKey, retry_tag};
pub use parameters::Parameters;
pub use version::Version;

use crate::trace;

/// Who speaks: of a connection the side it is on, of transport parameters whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who began.
    Client,
    /// Who was asked.
    Server,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// An encryption level: RFC 9001 2.1. All but [`ZeroRtt`](Self::ZeroRtt) have CRYPTO frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Initial packets, with keys that everybody can derive: [`Keys::initial`].
    Initial,
    /// 0-RTT packets: early data, and no handshake data.
    ZeroRtt,
    /// Handshake packets.
    Handshake,
    /// 1-RTT packets.
    OneRtt,
}

impl From<trace::Level> for Level {
    fn from(level: trace::Level) -> Self {
        match level {
            trace::Level::Plain => Self::Initial,
            trace::Level::Early => Self::ZeroRtt,
            trace::Level::Handshake => Self::Handshake,
            trace::Level::Application => Self::OneRtt,
        }
    }
}
