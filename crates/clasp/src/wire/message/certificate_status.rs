//! CertificateStatus, the stapled OCSP response of TLS 1.2: RFC 6066 8.

use super::Message;
use crate::code::{CertificateStatusType, HandshakeType};
use crate::wire::decode::DecodeKind;
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// CertificateStatus.
#[derive(Debug)]
pub struct CertificateStatus;

/// The fields of a CertificateStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateStatusView<'a> {
    /// The OCSP response, DER.
    pub ocsp: &'a [u8],
}

impl Message for CertificateStatus {
    const TYPE: HandshakeType = HandshakeType::CertificateStatus;
    const NAME: &'static str = "CertificateStatus";
    type View<'a> = CertificateStatusView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<CertificateStatusView<'a>> {
        match r.code("status_type")? {
            CertificateStatusType::Ocsp => {
                Ok(CertificateStatusView { ocsp: r.vec24("response")?.non_empty("response")?.rest() })
            }
            other => Err(r.error("status_type", DecodeKind::IllegalValue(u32::from(other.0)))),
        }
    }
}

impl CertificateStatusView<'_> {
    /// Writes the body.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.u8(CertificateStatusType::Ocsp.0);
        w.vec24(|w| w.bytes(self.ocsp));
    }
}
