//! Which extension may stand in which message of TLS 1.3: the table of RFC 9846 4.2.

use crate::code::ExtensionType as E;
use crate::error::{Error, PeerError, Result};

/// A message whose extensions answer ours, or ask us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    ServerHello,
    HelloRetryRequest,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    NewSessionTicket,
}

impl Carrier {
    fn takes(self, typ: E) -> bool {
        match self {
            Self::ServerHello => matches!(typ, E::PreSharedKey | E::SupportedVersions | E::KeyShare),
            Self::HelloRetryRequest => matches!(typ, E::SupportedVersions | E::Cookie | E::KeyShare),
            Self::EncryptedExtensions => matches!(
                typ,
                E::ServerName
                    | E::MaxFragmentLength
                    | E::SupportedGroups
                    | E::Alpn
                    | E::ClientCertificateType
                    | E::ServerCertificateType
                    | E::RecordSizeLimit
                    | E::EarlyData
                    | E::QuicTransportParameters
            ),
            Self::Certificate => matches!(typ, E::StatusRequest | E::SignedCertificateTimestamp),
            Self::CertificateRequest => matches!(
                typ,
                E::ServerName
                    | E::StatusRequest
                    | E::SignatureAlgorithms
                    | E::SignedCertificateTimestamp
                    | E::CompressCertificate
                    | E::CertificateAuthorities
                    | E::OidFilters
                    | E::SignatureAlgorithmsCert
            ),
            Self::NewSessionTicket => typ == E::EarlyData,
        }
    }

    /// In a message that asks or tells, what is known must be in its place; what is not known is passed over.
    pub(crate) fn check(self, typ: E) -> Result<()> {
        if typ.is_known() && !self.takes(typ) { Err(PeerError::ExtensionNotAllowed.into()) } else { Ok(()) }
    }

    /// What is wrong with an extension of an answer that we did not ask for: its place, or that we did not.
    pub(crate) fn unasked(self, typ: E) -> Error {
        self.check(typ).err().unwrap_or_else(|| PeerError::UnsolicitedExtension.into())
    }
}
