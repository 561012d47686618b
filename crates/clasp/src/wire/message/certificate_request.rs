//! CertificateRequest in TLS 1.2: RFC 5246 7.4.4.

use super::Message;
use crate::code::{ClientCertificateType, HandshakeType, SignatureScheme};
use crate::wire::{Codes, Parsed, Reader, Recorder, Writer};

/// CertificateRequest as TLS 1.2 frames it.
#[derive(Debug)]
pub struct CertificateRequest12;

/// The fields of a CertificateRequest.
#[derive(Clone, Copy, Debug)]
pub struct CertificateRequestView<'a> {
    /// `certificate_types`.
    pub types: &'a [u8],
    /// `supported_signature_algorithms`.
    pub schemes: Codes<'a>,
    authorities: Reader<'a>,
}

impl Message for CertificateRequest12 {
    const TYPE: HandshakeType = HandshakeType::CertificateRequest;
    const NAME: &'static str = "CertificateRequest";
    type View<'a> = CertificateRequestView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<CertificateRequestView<'a>> {
        let types = r.vec8("certificate_types")?.non_empty("certificate_types")?;
        let types = types.codes::<ClientCertificateType, 1>("certificate_types");
        let schemes = r.vec16("supported_signature_algorithms")?;
        let schemes = Codes::read::<SignatureScheme, _>(schemes, "supported_signature_algorithms")?;
        let authorities = r.vec16("certificate_authorities")?;
        let mut walk = authorities;
        while !walk.is_empty() {
            walk.element("DistinguishedName", |walk| walk.vec16("DistinguishedName")?.non_empty("DistinguishedName"))?;
        }
        Ok(CertificateRequestView { types, schemes, authorities: authorities.silent() })
    }
}

impl<'a> CertificateRequestView<'a> {
    /// The distinguished names (DER) of acceptable issuers; none means any.
    pub fn authorities(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut walk = self.authorities;
        core::iter::from_fn(move || walk.vec16("DistinguishedName").ok().map(|n| n.rest()))
    }

    /// Writes a body.
    pub fn encode<N: AsRef<[u8]>>(types: &[u8], schemes: &[u16], authorities: &[N], w: &mut Writer<'_>) {
        w.vec8(|w| w.bytes(types));
        w.vec16(|w| schemes.iter().for_each(|s| w.u16(*s)));
        w.vec16(|w| {
            for name in authorities {
                w.vec16(|w| w.bytes(name.as_ref()));
            }
        });
    }
}
