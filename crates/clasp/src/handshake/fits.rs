//! Whether what a configuration makes us write fits its lengths: asked once, when it is built, by writing it. The writers are
//! the conversations' own, so a builder ends here.

use super::{client_auth13, client_hello, credential, server12};
use crate::code::{CertificateType, ExtensionType, HandshakeType, ProtocolVersion};
use crate::config::{ClientBuilder, ClientConfig, Identity, Ready, ServerBuilder, ServerConfig};
use crate::error::{Error, Result};
use crate::session::Fitting;
use crate::wire::Writer;
use crate::wire::extension;
use crate::wire::message::{self, Certificate13View, CertificateView};
use std::sync::Arc;

/// The longest `certificate_request_context`: RFC 9846 4.3.2.
const LONGEST_CONTEXT: &[u8] = &[0; 255];

impl ClientBuilder<Ready> {
    /// Checks that everything fits together: each setting that was made must be able to have an effect.
    ///
    /// # Errors
    /// Names the settings that clash, or what is too long to be sent: how many bytes there are, and how many fit.
    pub fn build(self) -> Result<Arc<ClientConfig>> {
        let mut config = self.checked()?;
        client(&mut config)?;
        Ok(Arc::new(config))
    }
}

impl ServerBuilder<Ready> {
    /// Checks that everything fits together: each setting that was made must be able to have an effect.
    ///
    /// # Errors
    /// Names the settings that clash, or what is too long to be sent: how many bytes there are, and how many fit.
    pub fn build(self) -> Result<Arc<ServerConfig>> {
        let config = self.checked()?;
        server(&config)?;
        Ok(Arc::new(config))
    }
}

/// A client: its hello with the longest name there is, and its certificate. Sessions are kept whose tickets fit the rest.
fn client(config: &mut ClientConfig) -> Result<()> {
    let room = client_hello::room_for_ticket(config)?;
    config.sessions = config.sessions.take().map(|store| Arc::new(Fitting::new(store, room)) as _);
    config.identity.as_ref().and_then(|chooser| chooser.only()).map_or(Ok(()), |only| identity(only))
}

/// A server: what it asks of clients, its groups, and the certificates that are known beforehand.
fn server(config: &ServerConfig) -> Result<()> {
    for auth in [&config.client_auth, &config.post_handshake_auth].into_iter().flatten() {
        let names = credential::authorities(auth);
        let few = "give the verifier fewer authorities, or such with shorter names";
        let kind = HandshakeType::CertificateRequest;
        if config.policy.speaks(ProtocolVersion::Tls13) {
            written(kind, |w| client_auth13::write(config, &names, None, LONGEST_CONTEXT, w))
                .map_err(|e| e.hint(few))?;
        }
        if config.policy.speaks(ProtocolVersion::Tls12) {
            written(kind, |w| server12::write_request(config, &names, w)).map_err(|e| e.hint(few))?;
        }
    }
    written(HandshakeType::EncryptedExtensions, |w| {
        w.vec16(|w| {
            extension::write_codes(ExtensionType::SupportedGroups, config.policy.groups.iter().map(|g| g.0), w);
        });
    })?;
    config.resolver.all().unwrap_or_default().iter().try_for_each(|known| identity(known))
}

fn identity(identity: &Identity) -> Result<()> {
    identity.check_stapled()?;
    let chain = identity.chain();
    written(HandshakeType::Certificate, |w| match identity.kind {
        CertificateType::RawPublicKey => CertificateView::encode_raw(identity.spki(), w),
        _ => CertificateView::encode(chain, w),
    })?;
    written(HandshakeType::Certificate, |w| {
        Certificate13View::encode(LONGEST_CONTEXT, chain, |w| credential::write_stapled(identity, true, true, w), w);
    })
}

fn written(kind: HandshakeType, body: impl FnOnce(&mut Writer<'_>)) -> Result<()> {
    message::frame(&mut Vec::new(), kind, body).map_err(|e| Error::from(e).in_message(kind.name()))
}
