//! What a handler learns of the connection.

use crate::TlsListener;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use clasp::Facts;
use std::net::SocketAddr;
use std::sync::Arc;

/// Who the client is: the extractor `ConnectInfo<TlsInfo>` gives it to a handler.
///
/// ```
/// use axum::extract::ConnectInfo;
/// use clasp_axum::TlsInfo;
///
/// async fn hello(ConnectInfo(client): ConnectInfo<TlsInfo>) -> String {
///     let names: Vec<String> = client.facts.peer_identifiers().iter().map(ToString::to_string).collect();
///     format!("hello {} ({})", client.remote_addr, names.join(", "))
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The client's address.
    pub remote_addr: SocketAddr,
    /// What the handshake settled: the client's certificate ([`peer_chain`](Facts::peer_chain)) and who it says that the client is
    /// ([`peer_identifiers`](Facts::peer_identifiers)), both empty without one; the name that was asked for, version and suite.
    pub facts: Arc<Facts>,
}

impl Connected<IncomingStream<'_, TlsListener>> for TlsInfo {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self { remote_addr: *stream.remote_addr(), facts: stream.io().facts().clone() }
    }
}
