//! Encrypted Client Hello, as a client's configuration has it: RFC 9849 6.

use super::{ClientBuilder, ClientConfig, PresentedIdentity, Ready, Verified, Verifier, clash};
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::crypto::Provider;
use crate::ech::{EchMode, Plan};
use crate::error::{CertificateError, Error, Misuse, Result};
use crate::session::{ClientSessions, PeerKey, Session};
use std::sync::Arc;

impl ClientBuilder<Ready> {
    /// What connections do about their hello, which says whom they ask for (Encrypted Client Hello, RFC 9849, TLS 1.3): by default
    /// nothing. An [`EchMode::Offer`] is for the server whose list it has; for one connection among others,
    /// [`ClientConfig::with_encrypted_client_hello`] says so.
    ///
    /// A server that cannot read what is hidden is told so with `ech_required` once it has proven that it is the public name's, and
    /// the connection fails: [`Error::ech_retry_configs`](crate::Error::ech_retry_configs).
    #[must_use]
    pub fn encrypted_client_hello(mut self, mode: EchMode) -> Self {
        self.config.ech_mode = mode;
        self
    }
}

impl ClientConfig {
    /// The same, for connections that hide their hello, or look as if they did, or do not; everything else, the sessions too, is
    /// shared.
    ///
    /// # Errors
    /// If no configuration of the list can be used, or TLS 1.3 is not spoken.
    pub fn with_encrypted_client_hello(mut self, mode: EchMode) -> Result<Self> {
        self.ech_mode = mode;
        clash::check_ech(&self)?;
        self.ech = plan(&self.ech_mode, self.provider)?;
        #[cfg(feature = "quic")]
        {
            self.quic = std::sync::OnceLock::new();
        }
        Ok(self)
    }

    /// How a handshake goes on whose hidden hello was not heard: for the public name. Nothing of it may outlive it: no session is
    /// kept, the client shows no certificate, and no verifier learns whom to trust.
    pub(crate) fn outside(&self) -> Self {
        Self {
            identity: None,
            psks: Vec::new(),
            sessions: self.sessions.is_some().then(|| Arc::new(Nowhere) as _),
            verifier: Arc::new(Unmoved(self.verifier.clone())),
            verify_again: false,
            ..self.clone()
        }
    }

    /// Whether a hello of this configuration may offer the session: RFC 9849 6.1 has none of older versions inside, and outside there
    /// is none. A ticket stands in a hidden hello, and what looks like it outside.
    pub(crate) fn may_offer(&self, session: &Session) -> bool {
        !matches!(self.ech, Plan::Offer(_))
            || session.version == crate::code::ProtocolVersion::Tls13 && session.ticket.len() <= MAX_HIDDEN_TICKET
    }
}

/// Tickets of this length fit a hello twice, and leave half of it to the rest.
const MAX_HIDDEN_TICKET: usize = 1 << 14;

pub(super) fn plan(mode: &EchMode, provider: &Provider) -> Result<Plan> {
    Plan::of(mode.clone(), provider).map_err(|error| {
        Error::from(Misuse::NoUsableEchConfig)
            .seen(error)
            .hint("take the list of the server's DNS record as it is now, or let the name be seen: EchMode::Grease")
    })
}

/// A store that keeps nothing.
struct Nowhere;

impl ClientSessions for Nowhere {
    fn put(&self, _: &PeerKey, _: Session) {}

    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}

/// A verifier that is asked for the public name. What it would remember of a peer that has proven its key ([`Verified::once_proven`]:
/// trust on first use) it would remember of whoever has made the client fail.
struct Unmoved(Arc<dyn Verifier>);

impl Unmoved {
    fn decided(verified: Verified) -> Result<Verified> {
        match verified.proven {
            None => Ok(verified),
            Some(_) => Err(Error::from(CertificateError::Refused)
                .seen("a server of the public name that the verifier does not know yet")
                .wanted("one that is trusted already: what hides nothing is nobody's first meeting")),
        }
    }
}

impl Verifier for Unmoved {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        match self.0.verify(peer) {
            Answer::Now(verdict) => Answer::Now(verdict.and_then(Self::decided)),
            Answer::Later(later) => Answer::Later(Box::pin(async move { later.await.and_then(Self::decided) })),
        }
    }

    fn takes(&self, kind: CertificateType) -> bool {
        self.0.takes(kind)
    }
}
