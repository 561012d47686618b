//! The two hellos: what a client's says to a server, and what a server's answers. What each extension means there stands in
//! `extension/`.

use super::extension::{Asked, RecordLimits, TABLE, Types, pre_shared_key};
use super::link::{Link, Protected12};
use super::offer::Offered;
use crate::code::{CipherSuite, HandshakeType, MaxFragmentLength, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::session::ID_LEN;
use crate::suite::{Suite, Suite13};
use crate::wire::extension::Protocols;
use crate::wire::extension::certificate::Authorities;
use crate::wire::extension::key_share::{ClientShares, KeyShareEntry};
use crate::wire::extension::pre_shared_key::OfferedPsks;
use crate::wire::message::{ClientHelloView, ServerHelloView};
use crate::wire::{Codes, Extension, Extensions, Writer};

/// What a client's hello says, as the server understands it. It is read where it stands: nothing is copied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientOffer<'a> {
    /// The message itself; of two hellos the first.
    pub(crate) message: &'a [u8],
    pub(crate) random: [u8; 32],
    /// `client_version`: what an RSA premaster begins with.
    pub(crate) version: u16,
    pub(crate) session_id: &'a [u8],
    pub(crate) suites: Codes<'a>,
    /// As it was written; see [`name`](Self::name).
    pub(crate) server_name: Option<&'a str>,
    pub(crate) groups: Option<Codes<'a>>,
    pub(crate) schemes: Codes<'a>,
    pub(crate) alpn: Option<Protocols<'a>>,
    pub(crate) ticket: Option<&'a [u8]>,
    pub(crate) status_request: bool,
    pub(crate) extended_master_secret: bool,
    pub(crate) encrypt_then_mac: bool,
    pub(crate) secure_renegotiation: bool,
    pub(crate) max_fragment_length: Option<MaxFragmentLength>,
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) timestamps: bool,
    pub(crate) shares: Option<ClientShares<'a>>,
    pub(crate) psks: Option<OfferedPsks<'a>>,
    pub(crate) psk_modes: Option<&'a [u8]>,
    pub(crate) early_data: bool,
    pub(crate) post_handshake_auth: bool,
    pub(crate) compression: Codes<'a>,
    pub(crate) null_compression_only: bool,
    /// The kinds of certificate the client takes, and those it can show; absent means X.509.
    pub(crate) server_types: Option<&'a [u8]>,
    pub(crate) client_types: Option<&'a [u8]>,
    pub(crate) authorities: Option<Authorities<'a>>,
    pub(crate) point_formats: Option<Extension<'a>>,
    /// What its carrier says to ours.
    pub(crate) parameters: Option<&'a [u8]>,
}

impl<'a> ClientOffer<'a> {
    /// The server name, in the form in which names are kept and compared.
    pub(crate) fn name(&self) -> Option<String> {
        self.server_name.map(str::to_ascii_lowercase)
    }

    /// Whether the server name is this one, which [`name`](Self::name) gave once.
    pub(crate) fn is_for(&self, kept: Option<&str>) -> bool {
        match (self.server_name, kept) {
            (Some(name), Some(kept)) => name.eq_ignore_ascii_case(kept),
            (None, None) => true,
            _ => false,
        }
    }

    /// The groups it names.
    pub(crate) fn groups(&self) -> impl Iterator<Item = NamedGroup> + Clone + 'a {
        self.groups.unwrap_or_default().iter().map(NamedGroup)
    }

    /// The signature schemes it takes.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = SignatureScheme> + Clone + 'a {
        self.schemes.iter().map(SignatureScheme)
    }

    /// Reads a ClientHello: RFC 5246 7.4.1.2.
    pub(crate) fn read(hello: &ClientHelloView<'a>) -> Result<Self> {
        // CRIME: only null compression is left, and it must be there (RFC 5246 7.4.1.2).
        if !hello.compression.contains(&0) {
            return Err(Error::from(PeerError::BadCompression).wanted("the null method among them"));
        }
        let mut offer = Self {
            random: *hello.random,
            version: hello.version.0,
            session_id: hello.session_id,
            suites: hello.suites,
            null_compression_only: hello.compression == [0],
            ..Self::default()
        };
        TABLE.read_offers(&mut offer, hello.extensions)?;
        pre_shared_key::check_last(&offer, hello.extensions)?;
        // RFC 5746 3.6: the SCSV says the same as an empty extension.
        offer.secure_renegotiation |= offer.suites.contains(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV.0);
        Ok(offer)
    }
}

/// A random session ID.
pub(crate) fn fresh_id(provider: &crate::crypto::Provider) -> Result<Vec<u8>> {
    let mut id = vec![0; ID_LEN];
    provider.random.fill(&mut id)?;
    Ok(id)
}

/// What a server's hello settles, as the client understands it.
pub(crate) struct ServerAnswer {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) suite: &'static Suite,
    pub(crate) settled: Settled,
}

impl ServerAnswer {
    /// How records will be protected.
    pub(crate) fn protected(&self) -> Protected12<'static> {
        Protected12 { suite: self.suite, encrypt_then_mac: self.settled.encrypt_then_mac }
    }

    /// Reads a ServerHello and holds it against what was offered.
    pub(crate) fn read(config: &ClientConfig, offered: &Offered, hello: &ServerHelloView<'_>) -> Result<Self> {
        if hello.version != ProtocolVersion::Tls12 || !config.policy.speaks(ProtocolVersion::Tls12) {
            let wanted = config.policy.versions().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(Error::from(PeerError::LegacyVersionSelected).seen(hello.version).wanted(wanted));
        }
        downgrade_sentinel(config, hello)?;
        let Some(suite) = config.policy.suites12().find(|s| s.code == hello.suite) else {
            return Err(Error::from(PeerError::WrongSuiteSelected)
                .seen(hello.suite)
                .wanted("a suite that was offered"));
        };
        if hello.compression != 0 {
            return Err(Error::from(PeerError::BadCompression).seen(hello.compression).wanted("the null method"));
        }
        let asked = Asked { config, offered, suite12: Some(suite) };
        let settled = TABLE.read_answers(&asked, hello.extensions)?;
        Ok(Self { random: *hello.random, session_id: hello.session_id.to_vec(), suite, settled })
    }
}

/// What a server settles by its answers, in its ServerHello of TLS 1.2 or in EncryptedExtensions.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) types: Types,
    pub(crate) limits: RecordLimits,
    // In TLS 1.2 alone
    pub(crate) secure_renegotiation: bool,
    pub(crate) extended_master_secret: bool,
    pub(crate) encrypt_then_mac: bool,
    /// A NewSessionTicket will come.
    pub(crate) new_ticket: bool,
    /// A CertificateStatus may come.
    pub(crate) status: bool,
    pub(crate) timestamps: Option<Vec<u8>>,
    // In TLS 1.3 alone
    pub(crate) early_data: bool,
    /// What the server's carrier says to ours.
    pub(crate) parameters: Option<Vec<u8>>,
    /// What to try again with, where a hidden hello was not heard.
    pub(crate) retry_configs: Option<crate::ech::EchConfigList>,
}

/// What a ServerHello of TLS 1.3 settles.
#[derive(Debug, Default)]
pub(crate) struct ServerAnswer13<'a> {
    pub(crate) share: Option<KeyShareEntry<'a>>,
    /// The place of the pre-shared key that the server takes.
    pub(crate) psk: Option<usize>,
}

impl<'a> ServerAnswer13<'a> {
    /// Reads a ServerHello and holds it against what was offered.
    pub(crate) fn read(
        config: &ClientConfig,
        offered: &Offered,
        suite: &Suite13,
        hello: &ServerHelloView<'a>,
    ) -> Result<Self> {
        let answer = TABLE.read_hello13(config, offered, suite, hello.extensions)?;
        if answer.share.is_none() && answer.psk.is_none() {
            return Err(PeerError::MissingKeyShare.into());
        }
        Ok(answer)
    }
}

/// The end of a server random that says that its server can do better: RFC 9846 4.1.3.
const DOWNGRADED_TO_12: [u8; 8] = *b"DOWNGRD\x01";
const DOWNGRADED_TO_11: [u8; 8] = *b"DOWNGRD\x00";

/// A client that speaks TLS 1.3 and meets a sentinel in a TLS 1.2 hello met an attacker.
fn downgrade_sentinel(config: &ClientConfig, hello: &ServerHelloView<'_>) -> Result<()> {
    let marked = hello.random.ends_with(&DOWNGRADED_TO_12) || hello.random.ends_with(&DOWNGRADED_TO_11);
    if marked && config.policy.speaks(ProtocolVersion::Tls13) {
        return Err(Error::from(PeerError::Downgraded).seen("TLS 1.2").wanted("TLS 1.3, which both sides speak"));
    }
    Ok(())
}

/// The random of a TLS 1.2 ServerHello: marked if the server could have done better (RFC 9846 4.1.3).
pub(crate) fn server_random12(config: &ServerConfig) -> Result<[u8; 32]> {
    let mut random = [0; 32];
    config.provider.random.fill(&mut random)?;
    if config.policy.speaks(ProtocolVersion::Tls13) {
        random[24..].copy_from_slice(&DOWNGRADED_TO_12);
    }
    Ok(random)
}

/// Sends our ServerHello, of whichever version, or a HelloRetryRequest.
pub(crate) fn send_server_hello(
    link: &mut Link,
    random: &[u8; 32],
    session_id: &[u8],
    suite: CipherSuite,
    extensions: impl FnOnce(&mut Writer<'_>),
) -> Result<()> {
    let hello = server_hello(random, session_id, suite);
    link.send(HandshakeType::ServerHello, |w| hello.encode_with(extensions, w))
}

/// Our ServerHello but for its extensions.
pub(crate) const fn server_hello<'a>(
    random: &'a [u8; 32],
    session_id: &'a [u8],
    suite: CipherSuite,
) -> ServerHelloView<'a> {
    ServerHelloView {
        // In TLS 1.3 `legacy_version`.
        version: ProtocolVersion::Tls12,
        random,
        session_id,
        suite,
        compression: 0,
        extensions: Extensions::NONE,
    }
}
