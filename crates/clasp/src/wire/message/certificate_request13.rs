//! CertificateRequest in TLS 1.3: RFC 9846 4.3.2.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Extensions, Parsed, Reader, Recorder};

/// CertificateRequest as TLS 1.3 frames it.
#[derive(Debug)]
pub struct CertificateRequest13;

/// The fields of a TLS 1.3 CertificateRequest.
#[derive(Clone, Copy, Debug)]
pub struct CertificateRequest13View<'a> {
    /// What the client's Certificate must echo; empty during the handshake.
    pub context: &'a [u8],
    /// The extensions.
    pub extensions: Extensions<'a>,
}

impl Message for CertificateRequest13 {
    const TYPE: HandshakeType = HandshakeType::CertificateRequest;
    const NAME: &'static str = "CertificateRequest";
    type View<'a> = CertificateRequest13View<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<CertificateRequest13View<'a>> {
        let context = r.vec8("certificate_request_context")?.rest();
        Ok(CertificateRequest13View { context, extensions: Extensions::read(r, false)? })
    }
}
