//! Encrypted Client Hello, the client's part: one plan of a hello, written twice. The one that is meant is sealed into the one that
//! all can see, and the server's answer says which of them counts from there on. RFC 9849 6.

use super::client_hello::{fill_binders, too_long, write, write_head};
use super::extension::TABLE;
use super::link::Link;
use super::offer::{Offered, PskSecret};
use super::transcript::Transcript;
use crate::code::{Direction, ExtensionType, HandshakeType, ProtocolVersion};
use crate::config::ClientConfig;
use crate::crypto::{Hash, Provider, RandomError};
use crate::ech::{Chosen, EchConfigList, Hider, Layout, Plan, grease, padded};
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::established::Established;
use crate::facts::EchFacts;
use crate::keys::confirmation::{CONFIRMATION_LEN, Confirms, confirmation};
use crate::wire::Writer;
use crate::wire::extension::ech;
use crate::wire::extension::pre_shared_key::PskIdentity;
use crate::wire::message::{Checked, ClientHello, HEADER_LEN, ServerHello, frame};
use core::ops::Range;
use rustls_pki_types::ServerName;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Which hello is being written, or counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one there is.
    Only,
    /// That which is hidden.
    Inner,
    /// That which all can see.
    Outer,
}

/// What a hello hides.
pub(crate) enum Hiding {
    Nothing,
    /// Nothing either, but it looks as if. The extension's body, once it is made, is the same in a second hello.
    Grease(Vec<u8>),
    Hello(Box<Hidden>),
}

/// A hidden hello.
pub(crate) struct Hidden {
    chosen: Arc<Chosen>,
    hider: Hider,
    /// That of the outer hello.
    random: [u8; 32],
    /// What stands outside where the keys stand inside.
    false_keys: Vec<FalseKey>,
    /// Bytes to be sealed.
    length: usize,
    /// Both messages, until the server has said which counts.
    inner: Vec<u8>,
    outer: Vec<u8>,
    /// The body of the outer hello's extension, which is the same in a second hello where nothing is hidden any more.
    sent: Vec<u8>,
    verdict: Verdict,
}

/// GREASE PSK: random bytes, as long as a key's. RFC 9849 6.1.2.
struct FalseKey {
    identity: Vec<u8>,
    age: [u8; 4],
    binder: usize,
}

impl FalseKey {
    fn identity(&self) -> PskIdentity<'_> {
        PskIdentity { identity: &self.identity, obfuscated_age: u32::from_be_bytes(self.age) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Open,
    Accepted,
    Rejected,
}

impl Hiding {
    /// As the configuration has it.
    ///
    /// # Errors
    /// If the public key of the server's configuration is none, or randomness fails.
    pub(super) fn of(config: &ClientConfig) -> Result<Self> {
        let chosen = match &config.ech {
            _ if !config.policy.speaks(ProtocolVersion::Tls13) => return Ok(Self::Nothing),
            Plan::Off => return Ok(Self::Nothing),
            Plan::Grease => return Ok(Self::Grease(Vec::new())),
            Plan::Offer(chosen) => chosen.clone(),
        };
        let hider = Hider::new(config.provider, &chosen).map_err(|_| {
            Error::from(Misuse::NoUsableEchConfig).seen("a public key that is none").wanted("the server's own list")
        })?;
        let mut random = [0; 32];
        config.provider.random.fill(&mut random)?;
        Ok(Self::Hello(Box::new(Hidden {
            chosen,
            hider,
            random,
            false_keys: Vec::new(),
            length: 0,
            inner: Vec::new(),
            outer: Vec::new(),
            sent: Vec::new(),
            verdict: Verdict::Open,
        })))
    }

    /// Whether a server may say something of it.
    pub(super) const fn is_said(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// The hidden hello, if the server has not refused it.
    const fn accepted(&self) -> bool {
        matches!(self, Self::Hello(hidden) if matches!(hidden.verdict, Verdict::Accepted))
    }
}

/// What the rows of the table write of it.
impl Offered {
    /// Whether the hello that is being written speaks a version: RFC 9849 6.1 has none of the old ones inside.
    pub(super) fn speaks(&self, config: &ClientConfig, version: ProtocolVersion) -> bool {
        config.policy.speaks(version) && (self.side != Side::Inner || version == ProtocolVersion::Tls13)
    }

    /// The random of the hello that is being written.
    pub(super) fn said_random(&self) -> &[u8; 32] {
        self.outside().map_or(&self.random, |hidden| &hidden.random)
    }

    /// The name that stands in it.
    pub(super) fn said_name(&self) -> Option<&str> {
        match self.outside() {
            Some(hidden) => core::str::from_utf8(hidden.chosen.config.public_name()).ok(),
            None => self.server_name.then_some(&self.peer.0),
        }
    }

    /// The keys that stand outside in place of those that are meant.
    pub(super) fn false_keys(&self) -> Option<(impl Iterator<Item = PskIdentity<'_>>, impl Iterator<Item = usize>)> {
        let keys = &self.outside()?.false_keys;
        let identities = keys.iter().map(FalseKey::identity);
        Some((identities, keys.iter().map(|key| key.binder)))
    }

    /// Whether there are such.
    pub(super) fn has_false_keys(&self) -> bool {
        self.outside().is_some_and(|hidden| !hidden.false_keys.is_empty())
    }

    fn outside(&self) -> Option<&Hidden> {
        match &self.hiding {
            Hiding::Hello(hidden) if self.side == Side::Outer => Some(hidden),
            _ => None,
        }
    }

    /// encrypted_client_hello.
    pub(super) fn write_hiding(&self, w: &mut Writer<'_>) {
        let mut extension = |body: &dyn Fn(&mut Writer<'_>)| {
            w.extension(ExtensionType::EncryptedClientHello, |w| body(w));
        };
        match &self.hiding {
            Hiding::Nothing => {}
            _ if self.side == Side::Inner => extension(&|w| w.u8(1)),
            Hiding::Grease(body) if body.is_empty() => {}
            Hiding::Grease(body) => extension(&|w| w.bytes(body)),
            Hiding::Hello(hidden) if hidden.verdict == Verdict::Rejected => extension(&|w| w.bytes(&hidden.sent)),
            Hiding::Hello(hidden) => extension(&|w| hidden.hider.extension(hidden.length, w)),
        }
    }

    /// What became of it, for the facts.
    pub(super) fn ech_facts(&self, retry_configs: Option<EchConfigList>) -> Option<Box<EchFacts>> {
        let Hiding::Hello(hidden) = &self.hiding else { return None };
        let outer_name = core::str::from_utf8(hidden.chosen.config.public_name()).ok().map(str::to_ascii_lowercase);
        Some(Box::new(EchFacts { accepted: self.hiding.accepted(), outer_name, retry_configs }))
    }

    /// EncryptedExtensions: what to try again with, which is for whoever was not heard (RFC 9849 6.1.5, 6.1.6, 6.2).
    pub(super) fn read_retry_configs(&self, e: crate::wire::Extension<'_>) -> Result<Option<EchConfigList>> {
        if self.hiding.accepted() {
            return Err(PeerError::UnsolicitedExtension.into());
        }
        ech::retry_configs(e)?;
        let list = EchConfigList::parse(e.body).map_err(|error| match error {
            crate::ech::EchError::Malformed(error) => Error::from(error),
            _ => Outside::Bug.into(),
        })?;
        Ok(matches!(self.hiding, Hiding::Hello(_)).then_some(list))
    }
}

/// Before a hello is written that hides nothing: what looks as if it did, as long as what this hello would be.
pub(super) fn prepare(offered: &mut Offered, config: &ClientConfig) -> Result<()> {
    if !matches!(&offered.hiding, Hiding::Grease(body) if body.is_empty()) {
        return Ok(());
    }
    let inner = block(offered, config, Side::Inner)?;
    let outer = block(offered, config, Side::Only)?;
    let length = encode_inner(offered, config, &Layout::of(&inner, &outer).map_err(|_| Outside::Bug)?, &inner)?.len();
    let length = padded(length, offered.said_name().map(str::len), 0);
    offered.hiding = Hiding::Grease(grease(config.provider, length)?);
    Ok(())
}

/// Encodes a hello that hides another, behind what `out` holds; whether it does one. `prefix` is what the transcript holds before.
pub(super) fn encode(offered: &mut Offered, config: &ClientConfig, prefix: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    let Hiding::Hello(hidden) = &offered.hiding else { return Ok(false) };
    let open = hidden.verdict != Verdict::Rejected;
    draw_keys(offered, config)?;
    let encoded = if open { Some(inner(offered, config, prefix)?) } else { None };
    offered.side = Side::Outer;
    let start = out.len();
    frame(out, HandshakeType::ClientHello, |w| write(offered, config, w)).map_err(|e| too_long(offered, e))?;
    let message = out.get_mut(start..).unwrap_or_default();
    let Hiding::Hello(hidden) = &mut offered.hiding else { return Err(Outside::Bug.into()) };
    hidden.draw_binders(config.provider, message)?;
    if let Some(encoded) = encoded {
        hidden.hider.seal(encoded, message)?;
        hidden.outer = message.to_vec();
        offered.side = Side::Inner;
    }
    Ok(true)
}

/// The hidden hello, encoded and padded; the whole of it is kept for the transcript.
fn inner(offered: &mut Offered, config: &ClientConfig, prefix: &[u8]) -> Result<Vec<u8>> {
    let own = block(offered, config, Side::Inner)?;
    let outer = block(offered, config, Side::Outer)?;
    let layout = Layout::of(&own, &outer).map_err(|_| Outside::Bug)?;
    offered.side = Side::Inner;
    let mut whole = Vec::new();
    let session_id = offered.session_id.clone();
    frame(&mut whole, HandshakeType::ClientHello, |w| {
        write_head(offered, config, &session_id, w);
        layout.whole(w);
    })
    .map_err(|e| too_long(offered, e))?;
    fill_binders(offered, config, prefix, &mut whole)?;
    let mut encoded = encode_inner(offered, config, &layout, &whole)?;
    let name = offered.said_name().map(str::len);
    let Hiding::Hello(hidden) = &mut offered.hiding else { return Err(Outside::Bug.into()) };
    encoded.resize(padded(encoded.len(), name, hidden.chosen.config.max_name_length()), 0);
    (hidden.length, hidden.inner) = (encoded.len(), whole);
    Ok(encoded)
}

/// The extensions of one of the two, behind their length.
fn block(offered: &mut Offered, config: &ClientConfig, side: Side) -> Result<Vec<u8>> {
    let mut block = Vec::new();
    let before = core::mem::replace(&mut offered.side, side);
    let written = Writer::write(&mut block, |w| w.vec16(|w| TABLE.offer(config, offered, w)));
    offered.side = before;
    written.map_err(|e| too_long(offered, e))?;
    Ok(block)
}

/// EncodedClientHelloInner without padding: RFC 9849 5.1. `whole` ends with the binders.
fn encode_inner(offered: &mut Offered, config: &ClientConfig, layout: &Layout<'_>, whole: &[u8]) -> Result<Vec<u8>> {
    let mut encoded = Vec::new();
    let before = core::mem::replace(&mut offered.side, Side::Inner);
    let written = Writer::write(&mut encoded, |w| {
        write_head(offered, config, &[], w);
        layout.encoded(whole, w);
    });
    offered.side = before;
    written.map_err(|e| too_long(offered, e))?;
    Ok(encoded)
}

/// What stands outside in place of keys: in a second hello the same, but for what a key's has anew there.
fn draw_keys(offered: &mut Offered, config: &ClientConfig) -> Result<(), RandomError> {
    let Offered { psks, session, hiding: Hiding::Hello(hidden), .. } = offered else { return Ok(()) };
    let random = config.provider.random;
    if hidden.false_keys.is_empty() {
        for psk in psks {
            let identity = match psk.secret {
                PskSecret::Session => session.as_ref().map_or(0, |session| session.ticket.len()),
                PskSecret::External(n) => config.psks.get(n).map_or(0, |key| key.identity().len()),
            };
            let mut key = FalseKey { identity: vec![0; identity], age: [0; 4], binder: psk.hash.len() };
            random.fill(&mut key.identity)?;
            hidden.false_keys.push(key);
        }
    }
    hidden.false_keys.iter_mut().try_for_each(|key| random.fill(&mut key.age))
}

impl Hidden {
    /// Random binders, where the outer hello has zeros for them: at its end.
    fn draw_binders(&self, provider: &Provider, message: &mut [u8]) -> Result<()> {
        let mut end = message;
        for key in self.false_keys.iter().rev() {
            let at = end.len().checked_sub(key.binder).ok_or(Outside::Bug)?;
            let (front, binder) = end.split_at_mut(at);
            provider.random.fill(binder)?;
            // In front of it stands its length.
            (_, end) = front.split_last_mut().ok_or(Outside::Bug)?;
        }
        Ok(())
    }

    /// Whether a server says that it has read the hidden hello, whose random this is: RFC 9849 6.1.4, 7.2.
    fn is_confirmed(
        &self,
        config: &ClientConfig,
        random: &[u8; 32],
        transcript: &Transcript,
        hello: &Checked<ServerHello>,
    ) -> Result<bool> {
        let (view, message) = (hello.view(), hello.bytes());
        // One that was not offered is refused later.
        let Some(suite) = config.policy.suites13().find(|suite| suite.code == view.suite) else { return Ok(false) };
        let hash = config.provider.hash(suite.hash)?;
        let before = transcript.bytes().strip_suffix(message).unwrap_or_default();
        if !view.is_hello_retry_request() {
            let (digest, said) = without(hash, &[before], message, SERVER_RANDOM_END).ok_or(Outside::Bug)?;
            let wanted = confirmation(hash, random, Confirms::ServerHello, digest.as_ref());
            return Ok(said.ct_eq(&wanted).into());
        }
        let Some(e) = view.extensions.find(ExtensionType::EncryptedClientHello) else { return Ok(false) };
        ech::confirmation(e).map_err(|error| Error::from(error).in_extension(e.typ).in_message("HelloRetryRequest"))?;
        let start = e.offset.saturating_add(HEADER_LEN);
        // RFC 9846 4.4.1: the first hello as its hash.
        let first = hash.digest(&[before]);
        let header = [HandshakeType::MessageHash.0, 0, 0, u8::try_from(first.as_ref().len()).unwrap_or(u8::MAX)];
        let place = start..start.saturating_add(CONFIRMATION_LEN);
        let (digest, said) = without(hash, &[&header, first.as_ref()], message, place).ok_or(Outside::Bug)?;
        let wanted = confirmation(hash, random, Confirms::HelloRetryRequest, digest.as_ref());
        Ok(said.ct_eq(&wanted).into())
    }
}

/// The end of the random of a ServerHello, behind the message's header and version.
const SERVER_RANDOM_END: Range<usize> = HEADER_LEN + 2 + 24..HEADER_LEN + 2 + 32;

/// The hash of these, and of a message with zeros in a place; and what stands there.
fn without<'m>(
    hash: &dyn Hash,
    before: &[&[u8]],
    message: &'m [u8],
    place: Range<usize>,
) -> Option<(crate::crypto::Digest, &'m [u8])> {
    let (front, said, behind) = (message.get(..place.start)?, message.get(place.clone())?, message.get(place.end..)?);
    let zeros = [0; CONFIRMATION_LEN];
    let parts: Vec<&[u8]> = before.iter().copied().chain([front, &zeros, behind]).collect();
    Some((hash.digest(&parts), said))
}

/// A hello has been sent: where it hides another, that is the one that the conversation goes on from, as long as nobody says
/// otherwise.
pub(super) fn said(link: &mut Link, offered: &Offered) {
    match &offered.hiding {
        Hiding::Hello(hidden) if hidden.verdict != Verdict::Rejected => {
            link.transcript.replace_last(&hidden.outer, &hidden.inner);
            link.hidden(Direction::Sent, &hidden.inner);
        }
        _ => {}
    }
}

/// The server's first words. If they answer the hello that all could see, that is the one that was sent, from here on: gives whom it
/// was sent to.
pub(super) fn hear(
    link: &mut Link,
    config: &ClientConfig,
    offered: &mut Offered,
    version: ProtocolVersion,
    hello: &Checked<ServerHello>,
) -> Result<Option<Arc<Chosen>>> {
    let Hiding::Hello(hidden) = &mut offered.hiding else { return Ok(None) };
    let tls13 = version == ProtocolVersion::Tls13;
    if tls13 && hidden.is_confirmed(config, &offered.random, &link.transcript, hello)? {
        hidden.verdict = Verdict::Accepted;
        hidden.outer = Vec::new();
        return Ok(None);
    }
    hidden.verdict = Verdict::Rejected;
    link.transcript.replace_before(hello.bytes(), &hidden.outer);
    let sent = Checked::<ClientHello>::new(core::mem::take(&mut hidden.outer)).map_err(|_| Outside::Bug)?;
    let extension = sent.view().extensions.find(ExtensionType::EncryptedClientHello).ok_or(Outside::Bug)?;
    hidden.sent = extension.body.to_vec();
    hidden.inner = Vec::new();
    // RFC 9849 6.1: outside nothing is resumed.
    (offered.random, offered.side, offered.session) = (hidden.random, Side::Outer, None);
    offered.psks.clear();
    Ok(Some(hidden.chosen.clone()))
}

/// The hello behind a HelloRetryRequest that was for the hidden one is so too: RFC 9849 6.1.5.
pub(super) fn hear_again(
    link: &Link,
    config: &ClientConfig,
    offered: &Offered,
    hello: &Checked<ServerHello>,
) -> Result<()> {
    let Hiding::Hello(hidden) = &offered.hiding else { return Ok(()) };
    let holds =
        hidden.verdict != Verdict::Accepted || hidden.is_confirmed(config, &offered.random, &link.transcript, hello)?;
    if holds { Ok(()) } else { Err(Error::from(PeerError::EchUnconfirmed).in_message("ServerHello")) }
}

/// Where the hidden hello was not heard: under what the handshake goes on, and for whom, which is the public name alone.
pub(super) fn outside(config: &ClientConfig, chosen: &Chosen) -> (Arc<ClientConfig>, ServerName<'static>) {
    (Arc::new(config.outside()), chosen.public_name.clone())
}

/// The handshake for the public name is done, and its server has proven that it is that name's: RFC 9849 6.1.6.
pub(super) fn refusal(config: &ClientConfig, chosen: &Chosen, established: &Established) -> Error {
    let name = chosen.config.public_name().escape_ascii();
    let given = established.facts.encrypted_client_hello.as_ref().and_then(|facts| facts.retry_configs.clone());
    let usable = given.as_ref().is_some_and(|list| list.choose(config.provider).is_some());
    let error = match usable {
        true => Error::from(PeerError::EchRejected).seen(format_args!("{name}, which gives a newer configuration")),
        false => Error::from(PeerError::EchDisabled)
            .seen(format_args!("{name}, which gives no configuration that can be used")),
    };
    error.with_retry_configs(given)
}
