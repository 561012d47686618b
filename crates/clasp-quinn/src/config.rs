//! Configurations, as quinn asks for them.

use crate::packets::{Told, both_ways};
use crate::session::Session;
use clasp::quic::{Keys, Parameters, Side, Version, retry_tag};
use clasp::{ClientConfig, Facts, ServerConfig, ServerName};
use quinn_proto::crypto::{self, UnsupportedVersion};
use quinn_proto::transport_parameters::TransportParameters;
use quinn_proto::{ConnectError, ConnectionId};
use std::sync::Arc;
use std::time::Duration;

/// As long as the adapters of TLS over TCP wait for a party outside.
const OUTSIDE: Duration = Duration::from_secs(30);

/// A client's TLS, for [`quinn::ClientConfig::new`].
pub struct ClientCrypto {
    config: Arc<ClientConfig>,
    limit: Duration,
}

/// A server's TLS, for [`quinn::ServerConfig::new`].
pub struct ServerCrypto {
    config: Arc<ServerConfig>,
    limit: Duration,
}

/// What quinn's `Connection::handshake_data` and `Connecting::handshake_data` give, to be downcast.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HandshakeData {
    /// The application protocol.
    pub protocol: Option<Vec<u8>>,
    /// The server's name, as the client asks for it.
    pub server_name: Option<String>,
    /// What the handshake settled, once it is done.
    pub facts: Option<Arc<Facts>>,
}

/// The one version that quinn speaks.
pub(crate) fn version(number: u32) -> Option<Version> {
    Version::from_number(number).filter(|version| *version == Version::V1)
}

/// quinn's, as they are written.
fn parameters(params: &TransportParameters) -> Parameters {
    let mut bytes = Vec::new();
    params.write(&mut bytes);
    // quinn writes none that are not well formed.
    Parameters::new(bytes.clone()).unwrap_or_else(|_| Parameters::opaque(bytes))
}

/// Some name: what it is has no bearing on whether a configuration is for QUIC.
const SOMEBODY: &str = "localhost";

impl ClientCrypto {
    /// # Errors
    /// If the configuration cannot be QUIC's: it has no application protocol, or does not speak TLS 1.3.
    pub fn new(config: Arc<ClientConfig>) -> clasp::Result<Self> {
        if let Ok(name) = ServerName::try_from(SOMEBODY) {
            config.connect_quic(name, Version::V1, Parameters::opaque([]))?;
        }
        Keys::initial(config.provider(), Version::V1, &[], Side::Client)?;
        Ok(Self { config, limit: OUTSIDE })
    }

    /// How long a party outside (a verifier, a signer) is waited for; 30 seconds by default.
    #[must_use]
    pub fn outside_within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl crypto::ClientConfig for ClientCrypto {
    fn start_session(
        self: Arc<Self>,
        number: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn crypto::Session>, ConnectError> {
        let version = version(number).ok_or(ConnectError::UnsupportedVersion)?;
        let bad = |_| ConnectError::InvalidServerName(server_name.to_owned());
        let name = ServerName::try_from(server_name.to_owned()).map_err(bad)?;
        // What is wrong with a configuration was said when it was taken; quinn has no word for anything else.
        let said = |error: clasp::Error| ConnectError::InvalidServerName(error.to_string());
        let tls = self.config.connect_quic(name, version, parameters(params)).map_err(said)?;
        let session = Session::client(tls, self.config.provider(), version, self.limit).map_err(said)?;
        Ok(Box::new(session))
    }
}

impl ServerCrypto {
    /// # Errors
    /// As [`ClientCrypto::new`].
    pub fn new(config: Arc<ServerConfig>) -> clasp::Result<Self> {
        config.accept_quic(Version::V1, Parameters::opaque([]))?;
        Keys::initial(config.provider(), Version::V1, &[], Side::Server)?;
        Ok(Self { config, limit: OUTSIDE })
    }

    /// How long a party outside (a signer, a verifier of clients, a store or sealer of tickets) is waited for; 30 seconds by default.
    #[must_use]
    pub fn outside_within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl crypto::ServerConfig for ServerCrypto {
    fn initial_keys(&self, number: u32, dst_cid: &ConnectionId) -> Result<crypto::Keys, UnsupportedVersion> {
        let version = version(number).ok_or(UnsupportedVersion)?;
        let keys = Keys::initial(self.config.provider(), version, dst_cid, Side::Server);
        keys.map(|keys| both_ways(keys.local, keys.remote, Told::default())).map_err(|_| UnsupportedVersion)
    }

    fn retry_tag(&self, number: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        let version = version(number).unwrap_or(Version::V1);
        // A tag that is none: the client drops the packet.
        retry_tag(self.config.provider(), version, orig_dst_cid, packet).unwrap_or_default()
    }

    fn start_session(self: Arc<Self>, number: u32, params: &TransportParameters) -> Box<dyn crypto::Session> {
        let version = version(number).unwrap_or(Version::V1);
        let tls = self.config.accept_quic(version, parameters(params));
        Box::new(Session::server(tls, self.config.provider(), version, self.limit))
    }
}
