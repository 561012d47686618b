//! Certificate in TLS 1.2: RFC 5246 7.4.2, RFC 7250 3.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// Certificate as TLS 1.2 frames it.
#[derive(Debug)]
pub struct Certificate12;

/// What a Certificate holds: a list of certificates, DER, the sender's own first; or a raw public key.
#[derive(Clone, Copy, Debug)]
pub struct CertificateView<'a, R = ()>(Reader<'a, R>);

impl Message for Certificate12 {
    const TYPE: HandshakeType = HandshakeType::Certificate;
    const NAME: &'static str = "Certificate";
    type View<'a> = CertificateView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<CertificateView<'a>> {
        let CertificateView(content) = CertificateView::read(r)?;
        Ok(CertificateView(content.silent()))
    }
}

impl<'a, R: Recorder> CertificateView<'a, R> {
    /// Reads a body, whatever it holds.
    ///
    /// # Errors
    /// If it is cut short.
    pub fn read(r: &mut Reader<'a, R>) -> Parsed<Self> {
        r.vec24("certificate_list").map(Self)
    }

    /// The content as a list of X.509 certificates, checked to be framed.
    ///
    /// # Errors
    /// If it is not such a list, or one of them is empty.
    pub fn list(self) -> Parsed<Self> {
        let mut walk = self.0;
        while !walk.is_empty() {
            walk.element("certificate", |walk| walk.vec24("certificate")?.non_empty("certificate"))?;
        }
        Ok(self)
    }
}

impl<'a> CertificateView<'a> {
    /// The content as one raw public key (RFC 7250 3); nothing if there is none.
    pub fn raw_key(self) -> Option<&'a [u8]> {
        Some(self.0.rest()).filter(|key| !key.is_empty())
    }

    /// The certificates in order, of a checked [`list`](Self::list).
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut walk = self.0;
        core::iter::from_fn(move || walk.vec24("certificate").ok().map(|c| c.rest()))
    }

    /// Writes a body holding a raw public key, or none.
    pub fn encode_raw(key: &[u8], w: &mut Writer<'_>) {
        w.vec24(|w| w.bytes(key));
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
