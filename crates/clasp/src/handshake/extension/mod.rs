//! What each extension means: one file an extension, with all that is to be said of it, and one row in the table below. An
//! extension's bytes are read and written by `wire::extension`.
//!
//! How to add one stands in CONTRIBUTING.md, and `toy.rs` is one.

mod alpn;
mod certificate_authorities;
mod certificate_type;
mod compress_certificate;
mod cookie;
mod early_data;
mod ec_point_formats;
mod encrypt_then_mac;
mod encrypted_client_hello;
mod extended_master_secret;
mod key_share;
mod max_fragment_length;
mod oid_filters;
mod padding;
mod post_handshake_auth;
pub(super) mod pre_shared_key;
mod psk_key_exchange_modes;
mod quic_transport_parameters;
mod record_size_limit;
mod renegotiation_info;
mod row;
mod server_name;
mod session_ticket;
mod signature_algorithms;
mod signed_certificate_timestamp;
mod status_request;
mod supported_groups;
pub(super) mod supported_versions;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests;
#[cfg(test)]
mod toy;
mod walk;

pub(crate) use certificate_type::Types;
pub(crate) use record_size_limit::RecordLimits;
pub(crate) use row::{Asked, Hello13, Request, Row, Said12, Said13, ServerResponse, Staple};

use crate::code::ExtensionType;
use row::Block;
use walk::Table;

/// All extensions that are known here, in the order of our ClientHello.
const ROWS: [&Row; 29] = [
    &server_name::ROW,
    &renegotiation_info::ROW,
    &extended_master_secret::ROW,
    &encrypt_then_mac::ROW,
    &session_ticket::ROW,
    &ec_point_formats::ROW,
    &supported_groups::ROW,
    &signature_algorithms::ROW,
    &signature_algorithms::CERT,
    &status_request::ROW,
    &signed_certificate_timestamp::ROW,
    &certificate_type::SERVER,
    &certificate_type::CLIENT,
    &alpn::ROW,
    &max_fragment_length::ROW,
    &record_size_limit::ROW,
    &supported_versions::ROW,
    &key_share::ROW,
    &psk_key_exchange_modes::ROW,
    &certificate_authorities::ROW,
    &compress_certificate::ROW,
    &post_handshake_auth::ROW,
    &cookie::ROW,
    &early_data::ROW,
    &oid_filters::ROW,
    &quic_transport_parameters::ROW,
    &encrypted_client_hello::ROW,
    &padding::ROW,
    &pre_shared_key::ROW,
];

/// The order of what our server writes, where it is another than a ClientHello's. What is not named stands behind.
const ORDER: [(Block, &[ExtensionType]); 3] = [
    (
        Block::ServerHello12,
        &[
            ExtensionType::RenegotiationInfo,
            ExtensionType::ServerName,
            ExtensionType::ExtendedMasterSecret,
            ExtensionType::EncryptThenMac,
            ExtensionType::SessionTicket,
            ExtensionType::EcPointFormats,
            ExtensionType::StatusRequest,
            ExtensionType::SignedCertificateTimestamp,
            ExtensionType::ServerCertificateType,
            ExtensionType::ClientCertificateType,
            ExtensionType::Alpn,
            ExtensionType::RecordSizeLimit,
            ExtensionType::MaxFragmentLength,
        ],
    ),
    (Block::ServerHello13, &[ExtensionType::PreSharedKey, ExtensionType::KeyShare, ExtensionType::SupportedVersions]),
    (
        Block::EncryptedExtensions,
        &[
            ExtensionType::ServerCertificateType,
            ExtensionType::ClientCertificateType,
            ExtensionType::SupportedGroups,
            ExtensionType::RecordSizeLimit,
            ExtensionType::MaxFragmentLength,
            ExtensionType::ServerName,
            ExtensionType::Alpn,
            ExtensionType::EarlyData,
        ],
    ),
];

pub(crate) static TABLE: Table<{ ROWS.len() }> = Table::new(ROWS, &ORDER);
