//! Certificate in TLS 1.2: RFC 5246 7.4.2.

use super::Message;
use crate::wire::code::HandshakeType;
use crate::wire::{Read, Reader, Writer};

/// Certificate as TLS 1.2 frames it.
#[derive(Debug)]
pub struct Certificate12;

/// A certificate list: DER, the sender's own certificate first.
#[derive(Clone, Copy, Debug)]
pub struct CertificateView<'a>(Reader<'a>);

impl Message for Certificate12 {
    const TYPE: HandshakeType = HandshakeType::Certificate;
    const NAME: &'static str = "Certificate";
    type View<'a> = CertificateView<'a>;

    fn parse<'a>(r: &mut Reader<'a>) -> Read<CertificateView<'a>> {
        let list = r.vec24("certificate_list")?;
        let mut walk = list;
        while !walk.is_empty() {
            walk.vec24("certificate")?.non_empty("certificate")?;
        }
        Ok(CertificateView(list))
    }
}

impl<'a> CertificateView<'a> {
    /// The certificates in order.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut walk = self.0;
        core::iter::from_fn(move || walk.vec24("certificate").ok().map(|c| c.rest()))
    }

    /// Writes a body holding `chain`.
    pub fn encode<C: AsRef<[u8]>>(chain: &[C], w: &mut Writer<'_>) {
        w.vec24(|w| {
            for certificate in chain {
                w.vec24(|w| w.bytes(certificate.as_ref()));
            }
        });
    }
}
