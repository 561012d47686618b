//! What a peer has shown that was refused.

use super::Error;
use rustls_pki_types::CertificateDer;
use std::sync::Arc;

impl Error {
    /// The certificates that were refused: as the peer has shown them, its own first; or one raw public key (RFC 7250).
    /// Empty where no certificate was the reason. The peer has proven nothing: they may be anybody's.
    ///
    /// ```no_run
    /// # fn look(error: &clasp::Error) {
    /// use clasp::x509::Certificate;
    /// for certificate in error.refused_chain() {
    ///     if let Ok(certificate) = Certificate::parse(certificate) {
    ///         eprintln!("{} by {}", certificate.subject(), certificate.issuer());
    ///     }
    /// }
    /// # }
    /// ```
    pub fn refused_chain(&self) -> &[CertificateDer<'static>] {
        self.0.chain.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Says which certificates were refused.
    #[cold]
    #[must_use]
    pub(crate) fn of_chain(mut self, chain: &[CertificateDer<'static>]) -> Self {
        self.0.chain = Some(Arc::new(chain.to_vec()));
        self
    }
}
