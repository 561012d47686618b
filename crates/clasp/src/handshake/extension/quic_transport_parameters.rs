//! quic_transport_parameters: RFC 9001 8.2. Over TCP it says nothing.

use super::row::Block::{ClientHello, EncryptedExtensions};
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};

pub(super) static ROW: Row = Row {
    only: Some(ProtocolVersion::Tls13),
    ..Row::new(ExtensionType::QuicTransportParameters, &[ClientHello, EncryptedExtensions])
};
