//! The two hellos: what a client's says to a server, what a TLS 1.2 server answers, and what each extension means there.

use super::link::{Link, Protected12};
use super::offer::{Offered, offers_encrypt_then_mac};
use crate::code::{
    CertificateType, CipherSuite, ExtensionType, HandshakeType, MaxFragmentLength, NamedGroup, ProtocolVersion,
    SignatureScheme,
};
use crate::config::{ClientConfig, Policy, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::session::ID_LEN;
use crate::suite::{Bulk, Suite};
use crate::wire::extension::certificate::Authorities;
use crate::wire::extension::key_share::ClientShares;
use crate::wire::extension::pre_shared_key::OfferedPsks;
use crate::wire::extension::{Protocols, certificate, early, key_share, pre_shared_key};
use crate::wire::message::{ClientHelloView, ServerHelloView};
use crate::wire::{Codes, Extension, Extensions, Writer, extension};

/// What a client's hello says, as the server understands it. It is read where it stands: nothing is copied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientOffer<'a> {
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
    point_formats: Option<Extension<'a>>,
}

/// RFC 6066 3: a name is a DNS name in ASCII. Who asks for something else is told that there is no such server; what is
/// kept of a name and told to applications is never longer than what came.
fn host_name(name: &[u8]) -> Result<&str> {
    let text = core::str::from_utf8(name).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    text.ok_or_else(|| {
        let error = Error::from(PeerError::BadServerName).seen(format_args!("\"{}\"", name.escape_ascii()));
        error.wanted("a DNS name in ASCII")
    })
}

/// What a list of certificate types says that is not there: RFC 7250 4.1.
const X509_ALONE: &[u8] = &[CertificateType::X509.0];

/// What the peer's and our own limits on records come to, in bytes of plaintext.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) send: Option<usize>,
    pub(crate) receive: Option<usize>,
    /// What is received in the clear is limited too.
    pub(crate) clear: bool,
}

impl Limits {
    /// max_fragment_length: every record from the hellos on, both ways (RFC 6066 4).
    pub(crate) fn fragment(length: MaxFragmentLength) -> Self {
        Self { send: length.bytes(), receive: length.bytes(), clear: true }
    }

    /// What the peer may send, for people.
    pub(crate) fn of_peer(self) -> Option<u16> {
        self.receive.and_then(|bytes| u16::try_from(bytes).ok())
    }

    /// record_size_limit: protected records alone (RFC 8449 4).
    pub(crate) fn record_size(send: usize, receive: usize) -> Self {
        Self { send: Some(send), receive: Some(receive), clear: false }
    }
}

/// RFC 8449 5: a server answers max_fragment_length or record_size_limit, never both.
pub(crate) fn check_one_limit(answer: Extensions<'_>) -> Result<()> {
    let both = [ExtensionType::MaxFragmentLength, ExtensionType::RecordSizeLimit].map(|typ| answer.find(typ).is_some());
    if both == [true; 2] { Err(PeerError::TwoRecordLimits.into()) } else { Ok(()) }
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

    /// Whoever names point formats in TLS 1.2 must name uncompressed points: RFC 8422 5.1.2.
    pub(crate) fn check_point_formats(&self) -> Result<()> {
        let Some(e) = self.point_formats else { return Ok(()) };
        let formats = extension::vec8(e, "ec_point_format_list").map_err(|x| Error::from(x).in_extension(e.typ))?;
        if formats.contains(&0) {
            return Ok(());
        }
        Err(Error::from(PeerError::NoPointFormat).wanted("uncompressed points").in_extension(e.typ))
    }

    /// The groups it names.
    pub(crate) fn groups(&self) -> impl Iterator<Item = NamedGroup> + Clone + 'a {
        self.groups.unwrap_or_default().iter().map(NamedGroup)
    }

    /// The signature schemes it takes.
    pub(crate) fn schemes(&self) -> impl Iterator<Item = SignatureScheme> + Clone + 'a {
        self.schemes.iter().map(SignatureScheme)
    }

    /// The kinds of certificate the client takes.
    pub(crate) fn takes_types(&self) -> impl Iterator<Item = CertificateType> + 'a {
        self.server_types.unwrap_or(X509_ALONE).iter().copied().map(CertificateType)
    }

    /// The kind to ask of the client: our preference among those it can show (RFC 7250 4.2).
    pub(crate) fn client_type(&self, config: &ServerConfig) -> Result<CertificateType> {
        let theirs = self.client_types.unwrap_or(X509_ALONE);
        let common = config.client_types.iter().find(|t| theirs.contains(&t.0)).copied();
        common.ok_or_else(|| Error::from(PeerError::BadCertificateType).in_message("ClientHello"))
    }

    /// The client's share in this group.
    pub(crate) fn share(&self, group: NamedGroup) -> Option<&'a [u8]> {
        self.shares?.iter().find(|share| share.group == group).map(|share| share.public)
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
        for e in hello.extensions.iter() {
            offer.extension(e).map_err(|error| error.in_extension(e.typ).in_message("ClientHello"))?;
        }
        if offer.psks.is_some() && hello.extensions.last() != Some(ExtensionType::PreSharedKey) {
            return Err(Error::from(PeerError::PskNotLast).in_message("ClientHello"));
        }
        // RFC 5746 3.6: the SCSV says the same as an empty extension.
        offer.secure_renegotiation |= offer.suites.contains(CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV.0);
        Ok(offer)
    }

    fn extension(&mut self, e: Extension<'a>) -> Result<()> {
        match e.typ {
            ExtensionType::ServerName => self.server_name = extension::server_name(e)?.map(host_name).transpose()?,
            ExtensionType::SupportedGroups => self.groups = Some(extension::codes(e, "named_group_list")?),
            // Means nothing in TLS 1.3 (RFC 8422 5.1.2): read where TLS 1.2 was chosen.
            ExtensionType::EcPointFormats => self.point_formats = Some(e),
            ExtensionType::SignatureAlgorithms => {
                self.schemes = extension::codes(e, "supported_signature_algorithms")?;
            }
            ExtensionType::Alpn => self.alpn = Some(extension::alpn(e)?),
            ExtensionType::SessionTicket => self.ticket = Some(e.body),
            ExtensionType::StatusRequest => self.status_request = extension::status_request(e)?,
            ExtensionType::ExtendedMasterSecret => {
                self.extended_master_secret = extension::flag(e, "extended_master_secret")?;
            }
            ExtensionType::EncryptThenMac => self.encrypt_then_mac = extension::flag(e, "encrypt_then_mac")?,
            ExtensionType::RenegotiationInfo => {
                if !extension::renegotiation_info(e)?.is_empty() {
                    return Err(PeerError::BadRenegotiationInfo.into());
                }
                self.secure_renegotiation = true;
            }
            ExtensionType::MaxFragmentLength => self.max_fragment_length = Some(extension::max_fragment_length(e)?),
            ExtensionType::RecordSizeLimit => self.record_size_limit = Some(extension::record_size_limit(e)?),
            _ => self.extension13(e)?,
        }
        Ok(())
    }

    fn extension13(&mut self, e: Extension<'a>) -> Result<()> {
        match e.typ {
            ExtensionType::KeyShare => self.shares = Some(key_share::client(e)?),
            ExtensionType::PreSharedKey => self.psks = Some(pre_shared_key::offered(e)?),
            ExtensionType::PskKeyExchangeModes => self.psk_modes = Some(pre_shared_key::modes(e)?),
            ExtensionType::EarlyData => self.early_data = extension::flag(e, "early_data")?,
            ExtensionType::PostHandshakeAuth => self.post_handshake_auth = extension::flag(e, "post_handshake_auth")?,
            ExtensionType::ServerCertificateType => self.server_types = Some(types(e)?),
            ExtensionType::ClientCertificateType => self.client_types = Some(types(e)?),
            ExtensionType::CertificateAuthorities => self.authorities = Some(certificate::authorities(e)?),
            ExtensionType::Cookie => drop(early::cookie(e)?),
            ExtensionType::SignatureAlgorithmsCert => drop(extension::codes(e, "supported_signature_algorithms")?),
            ExtensionType::CompressCertificate => self.compression = certificate::compression(e)?,
            ExtensionType::SignedCertificateTimestamp => {
                self.timestamps = extension::flag(e, "signed_certificate_timestamp")?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A list of certificate types; one of X.509 alone must be left out (RFC 7250 4.1).
fn types(e: Extension<'_>) -> Result<&[u8]> {
    if e.body == [0] {
        return Err(PeerError::WrongCertificateType.into());
    }
    let types = certificate::types(e)?;
    if types == X509_ALONE {
        return Err(PeerError::WrongCertificateType.into());
    }
    Ok(types)
}

/// The version of a ClientHello: RFC 9846 4.2.1 where supported_versions is there, else RFC 5246 E.1.
pub(crate) fn choose_version(policy: &Policy, hello: &ClientHelloView<'_>) -> Result<ProtocolVersion> {
    let list = match hello.extensions.find(ExtensionType::SupportedVersions) {
        Some(e) => extension::supported_versions(e)
            .map_err(|error| Error::from(error).in_extension(e.typ).in_message("ClientHello"))?,
        None => Codes::EMPTY,
    };
    // RFC 9846 E.5: whoever says SSL 3.0 or less in this field is refused, whatever else it says.
    let ancient = hello.version <= ProtocolVersion::Ssl3;
    let old = Some(hello.version.min(ProtocolVersion::Tls12)).filter(|_| list.is_empty() || ancient);
    let list = if ancient { Codes::EMPTY } else { list };
    let offered = list.iter().map(ProtocolVersion).chain(old);
    let ours = policy.versions();
    if let Some(version) = ours.iter().find(|v| offered.clone().any(|o| o == **v)) {
        return Ok(*version);
    }
    let text =
        |list: &mut dyn Iterator<Item = ProtocolVersion>| list.map(|v| v.to_string()).collect::<Vec<_>>().join(", ");
    let (seen, wanted) = (text(&mut offered.clone()), text(&mut ours.iter().copied()));
    Err(Error::from(PeerError::NoCommonVersion).seen(seen).wanted(wanted).in_message("ClientHello"))
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
    pub(crate) extended_master_secret: bool,
    pub(crate) encrypt_then_mac: bool,
    pub(crate) secure_renegotiation: bool,
    pub(crate) new_ticket: bool,
    pub(crate) status: bool,
    pub(crate) alpn: Option<Vec<u8>>,
    pub(crate) timestamps: Option<Vec<u8>>,
    pub(crate) types: Types,
    pub(crate) limits: Limits,
}

impl ServerAnswer {
    /// How records will be protected.
    pub(crate) fn protected(&self) -> Protected12<'static> {
        Protected12 { suite: self.suite, encrypt_then_mac: self.encrypt_then_mac }
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
        let mut answer = Self {
            random: *hello.random,
            session_id: hello.session_id.to_vec(),
            suite,
            extended_master_secret: false,
            encrypt_then_mac: false,
            secure_renegotiation: false,
            new_ticket: false,
            status: false,
            alpn: None,
            timestamps: None,
            types: Types::default(),
            limits: Limits::default(),
        };
        for e in hello.extensions.iter() {
            answer.extension(config, offered, e).map_err(|error| error.in_extension(e.typ))?;
        }
        check_one_limit(hello.extensions)?;
        if !answer.secure_renegotiation && config.policy.refuses_old_servers() {
            return Err(Error::from(PeerError::NoSecureRenegotiation)
                .hint("Policy::require_secure_renegotiation(false) takes such servers, and so does Policy::legacy()"));
        }
        if !answer.extended_master_secret && config.policy.require_extended_master_secret {
            return Err(PeerError::NoExtendedMasterSecret.into());
        }
        Ok(answer)
    }

    /// RFC 5246 7.4.1.4: only what was offered may be answered.
    fn extension(&mut self, config: &ClientConfig, offered: &Offered, e: Extension<'_>) -> Result<()> {
        let unsolicited = || Err(PeerError::UnsolicitedExtension.into());
        match e.typ {
            ExtensionType::RenegotiationInfo => {
                if !extension::renegotiation_info(e)?.is_empty() {
                    return Err(PeerError::BadRenegotiationInfo.into());
                }
                self.secure_renegotiation = true;
            }
            ExtensionType::ServerName if offered.server_name => extension::empty(e, "server_name")?,
            ExtensionType::ExtendedMasterSecret if config.extended_master_secret => {
                self.extended_master_secret = extension::flag(e, "extended_master_secret")?;
            }
            ExtensionType::EncryptThenMac if offers_encrypt_then_mac(config) => {
                extension::empty(e, "encrypt_then_mac")?;
                if !matches!(self.suite.bulk, Bulk::Cbc(_)) {
                    return Err(PeerError::BadEncryptThenMac.into());
                }
                self.encrypt_then_mac = true;
            }
            ExtensionType::SessionTicket if config.takes_tickets() => {
                self.new_ticket = extension::flag(e, "session_ticket")?;
            }
            // Some servers answer with their own list of groups; RFC 8422 5.1.1 asks clients to bear it.
            ExtensionType::SupportedGroups if !config.policy.groups.is_empty() => {}
            ExtensionType::EcPointFormats if !config.policy.groups.is_empty() => {
                if !extension::vec8(e, "ec_point_format_list")?.contains(&0) {
                    return Err(PeerError::NoPointFormat.into());
                }
            }
            ExtensionType::StatusRequest if config.request_status => {
                self.status = extension::flag(e, "status_request")?;
            }
            ExtensionType::SignedCertificateTimestamp if config.request_timestamps => {
                self.timestamps = Some(certificate::timestamps(e)?.to_vec());
            }
            ExtensionType::ServerCertificateType | ExtensionType::ClientCertificateType => {
                self.types.read(config, e)?;
            }
            ExtensionType::Alpn if !config.alpn.is_empty() => self.alpn = Some(chosen_protocol(&config.alpn, e)?),
            ExtensionType::MaxFragmentLength if config.max_fragment_length.is_some() => {
                let length = extension::max_fragment_length(e)?;
                if Some(length) != config.max_fragment_length {
                    return Err(Error::from(PeerError::BadMaxFragmentLength).seen(length));
                }
                self.limits = Limits::fragment(length);
            }
            ExtensionType::RecordSizeLimit => {
                let Some(ours) = config.record_size_limit else { return unsolicited() };
                let theirs = usize::from(extension::record_size_limit(e)?);
                self.limits = Limits::record_size(theirs, usize::from(announced_limit(&config.policy, ours)));
            }
            _ => return unsolicited(),
        }
        Ok(())
    }
}

/// What a client's record_size_limit says: in TLS 1.3 the byte of the content type counts (RFC 8449 4).
pub(crate) fn announced_limit(policy: &Policy, limit: u16) -> u16 {
    limit.saturating_add(u16::from(policy.speaks(ProtocolVersion::Tls13)))
}

/// The kinds of certificate a server settled; without its word it is X.509.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Types {
    pub(crate) server: CertificateType,
    pub(crate) client: CertificateType,
}

impl Default for Types {
    fn default() -> Self {
        Self { server: CertificateType::X509, client: CertificateType::X509 }
    }
}

impl Types {
    /// Reads a server's choice: one of those that were offered (RFC 7250 4.2).
    pub(crate) fn read(&mut self, config: &ClientConfig, e: Extension<'_>) -> Result<()> {
        let server = e.typ == ExtensionType::ServerCertificateType;
        let offered = if server { &config.server_types } else { &config.client_types };
        if *offered == [CertificateType::X509] {
            return Err(PeerError::UnsolicitedExtension.into());
        }
        let chosen = certificate::selected_type(e)?;
        if !offered.contains(&chosen) {
            return Err(Error::from(PeerError::BadCertificateType).seen(chosen));
        }
        *(if server { &mut self.server } else { &mut self.client }) = chosen;
        Ok(())
    }

    /// A server that is silent has an X.509 certificate: that must be one of the kinds we take.
    pub(crate) fn check_server(self, config: &ClientConfig) -> Result<()> {
        if config.server_types.contains(&self.server) {
            return Ok(());
        }
        Err(Error::from(PeerError::BadCertificateType).seen(self.server))
    }
}

/// The application protocol a server chose: exactly one, and one of ours (RFC 7301 3.1).
pub(crate) fn chosen_protocol(ours: &[Vec<u8>], e: Extension<'_>) -> Result<Vec<u8>> {
    let protocols = extension::alpn(e)?;
    let (Some(chosen), None) = (protocols.iter().next(), protocols.iter().nth(1)) else {
        return Err(PeerError::WrongProtocolSelected.into());
    };
    if ours.iter().any(|p| p == chosen) {
        return Ok(chosen.to_vec());
    }
    Err(Error::from(PeerError::WrongProtocolSelected).seen(String::from_utf8_lossy(chosen)))
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

/// Answers the client's certificate types: RFC 7250 4.2. `client` is the kind we ask of the client, if we ask.
pub(crate) fn write_types(
    offer: &ClientOffer<'_>,
    server: CertificateType,
    client: Option<CertificateType>,
    w: &mut Writer<'_>,
) {
    if offer.server_types.is_some() {
        w.extension(ExtensionType::ServerCertificateType, |w| w.u8(server.0));
    }
    if let (Some(_), Some(client)) = (offer.client_types, client) {
        w.extension(ExtensionType::ClientCertificateType, |w| w.u8(client.0));
    }
}

/// What our server says in its hello.
pub(crate) struct Answer<'a> {
    pub(crate) random: [u8; 32],
    pub(crate) session_id: &'a [u8],
    pub(crate) suite: &'static Suite,
    pub(crate) alpn: Option<&'a [u8]>,
    pub(crate) new_ticket: bool,
    pub(crate) status: bool,
    pub(crate) timestamps: Option<&'a [u8]>,
    pub(crate) server_type: CertificateType,
    pub(crate) client_type: Option<CertificateType>,
    pub(crate) resumed: bool,
}

/// Sends our ServerHello. Gives what it settles beyond itself: encrypt-then-MAC and the limits on records.
pub(crate) fn send_server_hello(
    link: &mut Link,
    config: &ServerConfig,
    offer: &ClientOffer<'_>,
    answer: &Answer<'_>,
) -> Result<(bool, Limits)> {
    let encrypt_then_mac =
        offer.encrypt_then_mac && config.encrypt_then_mac && matches!(answer.suite.bulk, Bulk::Cbc(_));
    // RFC 8449 5: where both are offered, record_size_limit wins.
    let record_size = offer.record_size_limit.zip(config.record_size_limit);
    let fragment = offer.max_fragment_length.filter(|_| record_size.is_none());
    let limits = match (record_size, fragment) {
        (Some((theirs, ours)), _) => Limits::record_size(theirs.into(), ours.into()),
        (None, Some(length)) => Limits::fragment(length),
        (None, None) => Limits::default(),
    };
    let hello = ServerHelloView {
        version: ProtocolVersion::Tls12,
        random: &answer.random,
        session_id: answer.session_id,
        suite: answer.suite.code,
        compression: 0,
        extensions: Extensions::NONE,
    };
    let extensions = |w: &mut Writer<'_>| {
        if offer.secure_renegotiation {
            w.extension(ExtensionType::RenegotiationInfo, |w| w.u8(0));
        }
        if offer.server_name.is_some() && !answer.resumed {
            w.extension(ExtensionType::ServerName, |_| ());
        }
        if offer.extended_master_secret && config.extended_master_secret {
            w.extension(ExtensionType::ExtendedMasterSecret, |_| ());
        }
        if encrypt_then_mac {
            w.extension(ExtensionType::EncryptThenMac, |_| ());
        }
        if answer.new_ticket {
            w.extension(ExtensionType::SessionTicket, |_| ());
        }
        if offer.point_formats.is_some() && answer.suite.kx == crate::suite::Kx::Ecdhe {
            w.extension(ExtensionType::EcPointFormats, |w| w.bytes(&[1, 0]));
        }
        if answer.status {
            w.extension(ExtensionType::StatusRequest, |_| ());
        }
        if let Some(list) = answer.timestamps.filter(|_| offer.timestamps && !answer.resumed) {
            w.extension(ExtensionType::SignedCertificateTimestamp, |w| w.bytes(list));
        }
        write_types(offer, answer.server_type, answer.client_type, w);
        if let Some(protocol) = answer.alpn {
            extension::write_alpn(&[protocol], w);
        }
        if let Some((_, ours)) = record_size {
            w.extension(ExtensionType::RecordSizeLimit, |w| w.u16(ours));
        }
        if let Some(length) = fragment {
            w.extension(ExtensionType::MaxFragmentLength, |w| w.u8(length.0));
        }
    };
    link.send(HandshakeType::ServerHello, |w| hello.encode_with(extensions, w))?;
    Ok((encrypt_then_mac, limits))
}
