//! What a server gives a client that it could not read.

use super::Error;
use crate::ech::EchConfigList;
use std::sync::Arc;

impl Error {
    /// What the server gives to hide the next hello with, where it could not read this one
    /// ([`EchRejected`](super::PeerError::EchRejected)): it has proven that it is the public name's. They are for the next
    /// connection to the same server, once (RFC 9849 6.1.6).
    ///
    /// With [`EchDisabled`](super::PeerError::EchDisabled) it has proven the same, and takes no hidden hellos, or none that can be
    /// made here: whoever connects again does so without, in plain sight. Any other error says nothing of that.
    ///
    /// ```no_run
    /// use clasp::{ClientConfig, Error, ech::EchMode, error::{Cause, PeerError}};
    /// # fn again(config: &ClientConfig, error: &Error) -> clasp::Result<Option<ClientConfig>> {
    /// let mode = match (error.ech_retry_configs(), error.cause()) {
    ///     (Some(list), Cause::Peer(PeerError::EchRejected)) => EchMode::Offer(list.clone()),
    ///     (_, Cause::Peer(PeerError::EchDisabled)) => EchMode::Off, // if the name may be seen
    ///     _ => return Ok(None),
    /// };
    /// Ok(Some(config.clone().with_encrypted_client_hello(mode)?))
    /// # }
    /// ```
    pub fn ech_retry_configs(&self) -> Option<&EchConfigList> {
        self.0.retry_configs.as_deref()
    }

    #[cold]
    #[must_use]
    pub(crate) fn with_retry_configs(mut self, list: Option<EchConfigList>) -> Self {
        self.0.retry_configs = list.map(Arc::new);
        self
    }
}
