//! Which parser reads what: a message's body, and an extension's by the message it stands in.

use super::Context;
use super::notes::Hearer;
use crate::code::{CertificateType, ExtensionType as E, HandshakeType, ProtocolVersion};
use crate::wire::extension::{self, certificate, early, ech, key_share, pre_shared_key};
use crate::wire::message::{
    Certificate13, CertificateRequest12, CertificateRequest13, CertificateStatus, CertificateVerify, CertificateView,
    ClientHello, ClientKeyExchangeView, CompressedCertificate, EncryptedExtensions, EndOfEarlyData, Finished,
    HEADER_LEN, HELLO_RETRY_REQUEST_RANDOM, HelloRequest, KeyUpdate, Kx, Message, NewSessionTicket12,
    NewSessionTicket13, ServerHello, ServerHelloDone, ServerKeyExchangeView,
};
use crate::wire::{Extension, Parsed, Reader};

/// Reads a body with the parser of its message.
pub(super) fn body(kind: HandshakeType, context: &Context, mut r: Reader<'_, Hearer<'_>>) -> Parsed<()> {
    let old = context.version.map(|version| version <= ProtocolVersion::Tls12);
    match (kind, old, context.kx) {
        (HandshakeType::HelloRequest, ..) => whole::<HelloRequest>(r),
        (HandshakeType::ClientHello, ..) => whole::<ClientHello>(r),
        (HandshakeType::ServerHello, ..) => whole::<ServerHello>(r),
        (HandshakeType::NewSessionTicket, Some(true), _) => whole::<NewSessionTicket12>(r),
        (HandshakeType::NewSessionTicket, Some(false), _) => whole::<NewSessionTicket13>(r),
        (HandshakeType::EndOfEarlyData, ..) => whole::<EndOfEarlyData>(r),
        (HandshakeType::EncryptedExtensions, ..) => whole::<EncryptedExtensions>(r),
        (HandshakeType::Certificate, Some(true), _) => {
            let content = CertificateView::read(&mut r)?;
            if context.certificate == CertificateType::X509 {
                content.list()?;
            }
            r.finish("Certificate")
        }
        (HandshakeType::Certificate, Some(false), _) => whole::<Certificate13>(r),
        (HandshakeType::CompressedCertificate, ..) => whole::<CompressedCertificate>(r),
        (HandshakeType::ServerKeyExchange, _, Some(Kx::Ecdhe)) => ServerKeyExchangeView::new(r).ecdh().map(drop),
        (HandshakeType::ServerKeyExchange, _, Some(Kx::Dhe)) => ServerKeyExchangeView::new(r).dh().map(drop),
        (HandshakeType::CertificateRequest, Some(true), _) => whole::<CertificateRequest12>(r),
        (HandshakeType::CertificateRequest, Some(false), _) => whole::<CertificateRequest13>(r),
        (HandshakeType::ServerHelloDone, ..) => whole::<ServerHelloDone>(r),
        (HandshakeType::CertificateVerify, ..) => whole::<CertificateVerify>(r),
        (HandshakeType::ClientKeyExchange, _, Some(kx)) => {
            let body = ClientKeyExchangeView::new(r);
            match kx {
                Kx::Rsa => body.long("EncryptedPreMasterSecret"),
                Kx::Dhe => body.long("dh_Yc"),
                Kx::Ecdhe => body.point(),
            }
            .map(drop)
        }
        (HandshakeType::Finished, ..) => whole::<Finished>(r),
        (HandshakeType::CertificateStatus, ..) => whole::<CertificateStatus>(r),
        (HandshakeType::KeyUpdate, ..) => whole::<KeyUpdate>(r),
        _ => r.take(r.rest().len(), "body").map(drop),
    }
}

fn whole<M: Message>(mut r: Reader<'_, Hearer<'_>>) -> Parsed<()> {
    M::parse(&mut r)?;
    r.finish(M::NAME)
}

/// In which block of extensions one stands: what it says depends on that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    NewSessionTicket,
    None,
}

impl Block {
    /// That of a message.
    pub(super) fn of(kind: HandshakeType, message: &[u8]) -> Self {
        const VERSION_LEN: usize = 2;
        match kind {
            HandshakeType::ClientHello => Self::ClientHello,
            HandshakeType::ServerHello => {
                let random = message.get(HEADER_LEN + VERSION_LEN..).unwrap_or_default();
                let is_retry = random.starts_with(&HELLO_RETRY_REQUEST_RANDOM);
                if is_retry { Self::HelloRetryRequest } else { Self::ServerHello }
            }
            HandshakeType::EncryptedExtensions => Self::EncryptedExtensions,
            HandshakeType::CertificateRequest => Self::CertificateRequest,
            HandshakeType::Certificate => Self::Certificate,
            HandshakeType::NewSessionTicket => Self::NewSessionTicket,
            _ => Self::None,
        }
    }
}

/// Reads an extension's body with its parser, if there is one for such an extension in this place.
///
/// The rows of `handshake/extension` name the same parsers, each where it does something with what they give: with a
/// configuration, an offer or an answer beside it, which nobody who only looks on has. One table for both would have to stand
/// up there, with a second set of functions that do nothing with what was read, and an observer, a fuzzer and the command line
/// would stand on the handshake to read a message. So which parser is for which place stands twice, and
/// `tests/extension_places.rs`, `badly_formed` and `badly_formed_in_a_client_hello`, puts every extension into every place: a row
/// and this table have to find the same fault in it.
pub(super) fn extension(e: Extension<'_, Hearer<'_>>, block: Block) -> Parsed<()> {
    use Block::{Certificate, CertificateRequest, ClientHello, HelloRetryRequest, NewSessionTicket, ServerHello};
    match (e.typ, block) {
        (E::ServerName, ClientHello) => extension::server_name(e).map(drop),
        (E::MaxFragmentLength, _) => extension::max_fragment_length(e).map(drop),
        (E::StatusRequest, ClientHello) => extension::status_request(e).map(drop),
        (E::StatusRequest, Certificate) => certificate::status(e).map(drop),
        (E::SupportedGroups, _) => extension::codes(e, "named_group_list").map(drop),
        (E::EcPointFormats, _) => extension::vec8(e, "ec_point_format_list").map(drop),
        (E::SignatureAlgorithms | E::SignatureAlgorithmsCert, _) => {
            extension::codes(e, "supported_signature_algorithms").map(drop)
        }
        (E::Alpn, _) => extension::alpn(e).map(drop),
        (E::SignedCertificateTimestamp, ServerHello | Certificate) => certificate::timestamps(e).map(drop),
        (E::ClientCertificateType | E::ServerCertificateType, ClientHello) => certificate::types(e).map(drop),
        (E::ClientCertificateType | E::ServerCertificateType, _) => certificate::selected_type(e).map(drop),
        (E::CompressCertificate, _) => certificate::compression(e).map(drop),
        (E::RecordSizeLimit, _) => extension::record_size_limit(e).map(drop),
        (E::PreSharedKey, ClientHello) => pre_shared_key::offered(e).map(drop),
        (E::PreSharedKey, ServerHello) => pre_shared_key::selected(e).map(drop),
        (E::EarlyData, NewSessionTicket) => early::max_early_data(e).map(drop),
        (E::SupportedVersions, ClientHello) => extension::supported_versions(e).map(drop),
        (E::SupportedVersions, ServerHello | HelloRetryRequest) => early::selected_version(e).map(drop),
        (E::Cookie, _) => early::cookie(e).map(drop),
        (E::PskKeyExchangeModes, _) => pre_shared_key::modes(e).map(drop),
        (E::CertificateAuthorities, _) => certificate::authorities(e).map(drop),
        (E::KeyShare, ClientHello) => key_share::client(e).map(drop),
        (E::KeyShare, ServerHello) => key_share::server(e).map(drop),
        (E::KeyShare, HelloRetryRequest) => key_share::retry(e).map(drop),
        (E::EncryptedClientHello, ClientHello) => ech::client(e).map(drop),
        (E::EncryptedClientHello, HelloRetryRequest) => ech::confirmation(e).map(drop),
        (E::EncryptedClientHello, _) => ech::retry_configs(e).map(drop),
        (E::RenegotiationInfo, _) => extension::renegotiation_info(e).map(drop),
        // Of the server, that it knows the name, or will send a ticket or a status; in a CertificateRequest, that it wants one.
        (E::ServerName | E::StatusRequest, _) => extension::empty(e, e.typ.name()),
        (E::SessionTicket, ServerHello) => extension::empty(e, e.typ.name()),
        (E::SignedCertificateTimestamp, ClientHello | CertificateRequest) => extension::empty(e, e.typ.name()),
        (E::EncryptThenMac | E::ExtendedMasterSecret | E::PostHandshakeAuth | E::EarlyData, _) => {
            extension::empty(e, e.typ.name())
        }
        _ => Ok(()),
    }
}
