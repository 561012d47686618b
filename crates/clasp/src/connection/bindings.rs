//! What an established connection can give to other protocols: keying material (RFC 5705) and channel bindings
//! (RFC 5929).

use super::Connection;
use crate::crypto::{HashId, Provider};
use crate::error::{Error, Misuse, Result};
use crate::established;
use crate::keys::schedule12::VERIFY_DATA_LEN;
use clasp_x509::SignatureHash;

impl Connection {
    /// Fills `out` with keying material that only the two ends of this connection have: RFC 5705 4, RFC 9846 7.5. In
    /// TLS 1.2 no context is another thing than an empty one; in TLS 1.3 it is the same. A server that took early data
    /// can do so from its Finished on.
    ///
    /// # Errors
    /// If the handshake is not done, or the label is one of TLS itself, or the context is longer than 65535 bytes; or the version
    /// is TLS 1.2 without the extended master secret, whose keying material need not be this connection's alone (RFC 7627 5.4).
    pub fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> Result<()> {
        match self.early().and_then(|early| early.half_rtt.as_ref()) {
            Some(kept) => established::export13(kept, label, context.unwrap_or_default(), out),
            None => self.common.established()?.export(self.common.provider, label, context, out),
        }
    }

    /// Keying material of the early data (TLS 1.3). An attacker who repeats the early data gets the same again.
    ///
    /// # Errors
    /// If early data was not accepted, or the label or the length is too long.
    pub fn export_early(&self, label: &[u8], context: &[u8], out: &mut [u8]) -> Result<()> {
        self.common.established()?.export_early(label, context, out)
    }

    /// `tls-exporter`: the channel binding of TLS 1.3 (RFC 9266).
    ///
    /// # Errors
    /// If the handshake is not done, or the version is TLS 1.2 without the extended master secret.
    pub fn tls_exporter(&self) -> Result<[u8; 32]> {
        self.common.established()?.tls_exporter(self.common.provider)
    }

    /// `tls-unique`: the first Finished of the handshake (RFC 5929 3).
    ///
    /// # Errors
    /// If the handshake is not done, or the value is not unique: without the extended master secret a man in the
    /// middle can give two connections the same one (triple handshake, RFC 7627 1).
    pub fn tls_unique(&self) -> Result<[u8; VERIFY_DATA_LEN]> {
        self.common.established()?.tls_unique()
    }

    /// `tls-server-end-point` of a server's certificate (DER): its hash by the hash of its signature, SHA-256 in place
    /// of weaker ones (RFC 5929 4.1). A client finds it in the peer's chain, a server knows its own.
    ///
    /// # Errors
    /// If it is not a certificate, or its signature algorithm has no hash of its own.
    pub fn tls_server_end_point(&self, certificate: &[u8]) -> Result<Vec<u8>> {
        server_end_point(self.common.provider, certificate)
    }
}

/// RFC 5929 4.1.
pub(super) fn server_end_point(provider: &Provider, certificate: &[u8]) -> Result<Vec<u8>> {
    let parsed =
        clasp_x509::Certificate::parse(certificate).map_err(|e| Error::from(Misuse::BadCertificateFile).unread(&e))?;
    let id = match parsed.signature_hash() {
        Some(SignatureHash::Sha384) => HashId::Sha384,
        Some(SignatureHash::Sha512) => HashId::Sha512,
        Some(SignatureHash::Sha256 | SignatureHash::Sha1) => HashId::Sha256,
        Some(_) | None => {
            return Err(Error::from(Misuse::ExporterUnavailable).seen("a signature without a hash of its own"));
        }
    };
    Ok(provider.hash(id)?.digest(&[certificate]).as_ref().to_vec())
}
