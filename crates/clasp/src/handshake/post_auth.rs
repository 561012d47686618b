//! Client authentication after the handshake: RFC 9846 4.6.2. Off unless both sides want it.
//!
//! ```text
//!   <--  [CertificateRequest], whenever the server likes
//!   [Certificate*] [CertificateVerify*] [Finished]  -->
//! ```
//!
//! Each request begins anew from the handshake's conversation. Finished is under the traffic secret of the moment, which
//! the connection has: what it covers is given back.

use super::link::Link;
use super::{client_auth13, client13};
use crate::config::{CertificateRequestFacts, ClientAuth, ClientConfig, ServerConfig};
use crate::crypto::Digest;
use crate::error::Result;
use crate::facts::Facts;
use crate::wire::message::Finished;
use std::sync::Arc;

/// The client's answer but for its Finished.
pub(crate) struct Proven {
    /// What Finished covers.
    pub(crate) covered: Digest,
    /// Whether there was a certificate to show.
    pub(crate) authenticated: bool,
}

/// Sends our Certificate and CertificateVerify.
pub(crate) async fn prove(
    mut link: Link,
    config: Arc<ClientConfig>,
    request: CertificateRequestFacts,
) -> Result<Proven> {
    let authenticated = client13::send_client_proof(&mut link, &config, &request).await?;
    Ok(Proven { covered: link.transcript.hash(), authenticated })
}

/// The client's answer, good but for its Finished.
pub(crate) struct Unfinished {
    /// What Finished covers.
    pub(crate) covered: Digest,
    /// What Finished says.
    pub(crate) verify_data: Vec<u8>,
    /// What is known of the client then.
    pub(crate) facts: Facts,
}

/// Receives the client's Certificate, CertificateVerify and Finished.
pub(crate) async fn check(
    mut link: Link,
    config: Arc<ServerConfig>,
    auth: ClientAuth,
    context: Vec<u8>,
    mut facts: Facts,
) -> Result<Unfinished> {
    client_auth13::recv_client_proof(&mut link, &config, &auth, &context, &mut facts).await?;
    let covered = link.transcript.hash();
    let verify_data = link.recv::<Finished>().await?.view().to_vec();
    Ok(Unfinished { covered, verify_data, facts })
}
