//! A configuration as QUIC has it: RFC 9001. What is for TLS over TCP alone is out of it; it is made once, beside the other.

use super::{ClientConfig, Policy, ServerConfig};
use crate::code::ProtocolVersion;
use crate::error::{Error, Misuse, Result};
use std::sync::{Arc, OnceLock};

impl ClientConfig {
    /// # Errors
    /// If it cannot be QUIC's.
    pub(crate) fn for_quic(self: &Arc<Self>) -> Result<Arc<Self>> {
        if let Some(made) = self.quic.get() {
            return Ok(made.clone());
        }
        let policy = narrowed(&self.policy, &self.alpn)?;
        let made = self.quic.get_or_init(|| {
            Arc::new(Self {
                policy,
                max_fragment_length: None,
                record_size_limit: None,
                middlebox_compatibility: false,
                padding: 0,
                max_record: None,
                post_handshake_auth: false,
                quic: OnceLock::new(),
                ..Self::clone(self)
            })
        });
        Ok(made.clone())
    }
}

impl ServerConfig {
    /// # Errors
    /// If it cannot be QUIC's.
    pub(crate) fn for_quic(self: &Arc<Self>) -> Result<Arc<Self>> {
        if let Some(made) = self.quic.get() {
            return Ok(made.clone());
        }
        let policy = narrowed(&self.policy, &self.alpn)?;
        let made = self.quic.get_or_init(|| {
            Arc::new(Self {
                policy,
                record_size_limit: None,
                padding: 0,
                max_record: None,
                post_handshake_auth: None,
                // RFC 9001 4.6.1: all or nothing.
                max_early_data: if self.max_early_data > 0 { u32::MAX } else { 0 },
                quic: OnceLock::new(),
                ..Self::clone(self)
            })
        });
        Ok(made.clone())
    }
}

/// The policy without TLS 1.2: RFC 9001 4.2; where there is an application protocol, which there must be: 8.1.
fn narrowed(policy: &Policy, alpn: &[Vec<u8>]) -> Result<Policy> {
    if alpn.is_empty() {
        let error = Error::from(Misuse::BadAlpn).seen("QUIC without an application protocol");
        return Err(error.wanted("alpn with at least one, as h3 (RFC 9001 8.1)"));
    }
    if !policy.speaks(ProtocolVersion::Tls13) {
        let error = Error::from(Misuse::BadPolicy).seen("QUIC with a policy without TLS 1.3");
        return Err(error.wanted("a policy that speaks TLS 1.3 (RFC 9001 4.2)"));
    }
    Ok(Policy { versions: Some(vec![ProtocolVersion::Tls13]), ..policy.clone() })
}
