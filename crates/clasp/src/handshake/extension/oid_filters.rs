//! oid_filters: RFC 9846 4.2.5. A server of ours sends none; a client may pass over those it does not know, and knows none.

use super::row::Block::CertificateRequest;
use super::row::Row;
use crate::code::{ExtensionType, ProtocolVersion};

pub(super) static ROW: Row =
    Row { only: Some(ProtocolVersion::Tls13), ..Row::new(ExtensionType::OidFilters, &[CertificateRequest]) };
