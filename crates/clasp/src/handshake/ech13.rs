//! Encrypted Client Hello, the server's part: opens the hidden hello, which is the one that counts then, and says so. RFC 9849 7.

use super::hello::server_hello;
use super::link::Link;
use crate::code::{CipherSuite, Direction, ExtensionType, HandshakeType};
use crate::config::ServerConfig;
use crate::crypto::Hash;
use crate::ech::{self, EchKeyRing};
use crate::error::{Error, PeerError, Result};
use crate::facts::EchFacts;
use crate::hpke::Opener;
use crate::keys::confirmation::{CONFIRMATION_LEN, Confirms, confirmation};
use crate::wire::Writer;
use crate::wire::extension::ech::{EchHello, EchOuter, client};
use crate::wire::message::{Checked, ClientHello, ClientHelloView, HELLO_RETRY_REQUEST_RANDOM, frame};
use std::sync::Arc;

/// What became of what the client hides.
pub(super) enum Ech {
    /// It hides nothing, or nobody here looks.
    Absent,
    /// No key of these opened it. All goes on as at a server without keys, but that EncryptedExtensions say what to try again with.
    Rejected(Arc<EchKeyRing>, Option<String>),
    Accepted(Box<Accepted>),
}

pub(super) struct Accepted {
    /// The random of the hidden hello.
    random: [u8; 32],
    /// How a second one is opened; of a hello that another server has opened, nothing.
    hidden: Option<Hidden>,
}

struct Hidden {
    opener: Opener,
    /// kdf_id, aead_id and config_id
    used: (u16, u16, u8),
    outer_name: Option<String>,
}

const fn used(outer: &EchOuter<'_>) -> (u16, u16, u8) {
    (outer.kdf.0, outer.aead.0, outer.config_id)
}

impl Ech {
    /// The first hello: RFC 9849 7.1; of one that another server has opened, 7.2.
    pub(super) async fn first(
        link: &mut Link,
        config: &ServerConfig,
        hello: Checked<ClientHello>,
    ) -> Result<(Checked<ClientHello>, Self)> {
        let view = hello.view();
        let (Some(keys), Some(offer)) = (&config.ech, read(&view)?) else { return Ok((hello, Self::Absent)) };
        let EchHello::Outer(outer) = offer else {
            let accepted = Accepted { random: *view.random, hidden: None };
            return Ok((hello, Self::Accepted(Box::new(accepted))));
        };
        let outer_name = outer_name(&view);
        let ring = link.outside("ECH keys", keys.keys()).await;
        let Some((encoded, opener)) = ech::open(config.provider, &ring, &outer, hello.bytes()) else {
            return Ok((hello, Self::Rejected(ring, outer_name)));
        };
        let hidden = Hidden { opener, used: used(&outer), outer_name };
        let inner = uncover(link, &hello, &encoded)?;
        let accepted = Accepted { random: *inner.view().random, hidden: Some(hidden) };
        Ok((inner, Self::Accepted(Box::new(accepted))))
    }

    /// The second hello, behind a HelloRetryRequest: RFC 9849 7.1.1.
    pub(super) fn second(&mut self, link: &mut Link, hello: Checked<ClientHello>) -> Result<Checked<ClientHello>> {
        let Self::Accepted(accepted) = self else { return Ok(hello) };
        let view = hello.view();
        match (&mut accepted.hidden, read(&view)?) {
            (_, None) => Err(in_extension(PeerError::EchMissingAfterRetry.into())),
            (None, Some(EchHello::Inner)) => Ok(hello),
            (Some(hidden), Some(EchHello::Outer(outer)))
                if used(&outer) == hidden.used && outer.encapsulated.is_empty() =>
            {
                let opened = ech::open_again(&mut hidden.opener, &outer, hello.bytes());
                let encoded = opened.ok_or_else(|| in_extension(PeerError::EchUndecryptable.into()))?;
                uncover(link, &hello, &encoded)
            }
            _ => Err(in_extension(PeerError::EchChangedAfterRetry.into())),
        }
    }

    /// The keys of which none opened it.
    pub(super) fn rejected(&self) -> Option<Arc<EchKeyRing>> {
        match self {
            Self::Rejected(ring, _) => Some(ring.clone()),
            _ => None,
        }
    }

    pub(super) fn facts(&self) -> Option<Box<EchFacts>> {
        let (accepted, outer_name) = match self {
            Self::Absent => return None,
            Self::Rejected(_, name) => (false, name.clone()),
            Self::Accepted(accepted) => (true, accepted.hidden.as_ref().and_then(|hidden| hidden.outer_name.clone())),
        };
        Some(Box::new(EchFacts { accepted, outer_name, retry_configs: None }))
    }

    /// The end of the random of a ServerHello says that it answers the hidden hello: RFC 9849 7.2.
    pub(super) fn mark(
        &self,
        link: &Link,
        hash: &dyn Hash,
        random: &mut [u8; 32],
        (session_id, suite): (&[u8], CipherSuite),
        extensions: impl FnOnce(&mut Writer<'_>),
    ) -> Result<()> {
        let Self::Accepted(accepted) = self else { return Ok(()) };
        let Some((_, end)) = random.split_last_chunk_mut::<CONFIRMATION_LEN>() else { return Ok(()) };
        *end = [0; CONFIRMATION_LEN];
        let mut message = Vec::new();
        let hello = server_hello(random, session_id, suite);
        frame(&mut message, HandshakeType::ServerHello, |w| hello.encode_with(extensions, w))?;
        let transcript = link.transcript.hash_with(&[&message]);
        let mark = confirmation(hash, &accepted.random, Confirms::ServerHello, transcript.as_ref());
        random.iter_mut().rev().zip(mark.iter().rev()).for_each(|(place, byte)| *place = *byte);
        Ok(())
    }

    /// The same of a HelloRetryRequest, in an extension behind these: RFC 9849 7.2.1.
    pub(super) fn retry_mark(
        &self,
        link: &Link,
        hash: &dyn Hash,
        (session_id, suite): (&[u8], CipherSuite),
        extensions: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Option<[u8; CONFIRMATION_LEN]>> {
        let Self::Accepted(accepted) = self else { return Ok(None) };
        let mut message = Vec::new();
        let request = server_hello(&HELLO_RETRY_REQUEST_RANDOM, session_id, suite);
        let with_zeros = |w: &mut Writer<'_>| {
            extensions(w);
            write_mark(&[0; CONFIRMATION_LEN], w);
        };
        frame(&mut message, HandshakeType::ServerHello, |w| request.encode_with(with_zeros, w))?;
        let transcript = hash.digest(&[link.transcript.bytes(), &message]);
        Ok(Some(confirmation(hash, &accepted.random, Confirms::HelloRetryRequest, transcript.as_ref())))
    }
}

/// The extension of a HelloRetryRequest.
pub(super) fn write_mark(mark: &[u8; CONFIRMATION_LEN], w: &mut Writer<'_>) {
    w.extension(ExtensionType::EncryptedClientHello, |w| w.bytes(mark));
}

fn in_extension(error: Error) -> Error {
    error.in_extension(ExtensionType::EncryptedClientHello)
}

fn read<'a>(view: &ClientHelloView<'a>) -> Result<Option<EchHello<'a>>> {
    let found = view.extensions.find(ExtensionType::EncryptedClientHello);
    found.map(client).transpose().map_err(|error| in_extension(error.into()))
}

/// For whoever wants to know; nothing hangs on it.
fn outer_name(view: &ClientHelloView<'_>) -> Option<String> {
    let name = crate::wire::extension::server_name(view.extensions.find(ExtensionType::ServerName)?).ok()??;
    Some(crate::hello::host_name(name).ok()?.to_ascii_lowercase())
}

/// The hidden hello in place of the one that came, in the conversation too.
fn uncover(link: &mut Link, outer: &Checked<ClientHello>, encoded: &[u8]) -> Result<Checked<ClientHello>> {
    let inner = ech::uncover(&outer.view(), encoded)
        .map_err(|fault| in_extension(Error::from(PeerError::BadInnerHello).seen(fault)))?;
    link.transcript.replace_last(outer.bytes(), inner.bytes());
    link.hidden(Direction::Received, inner.bytes());
    Ok(inner)
}
