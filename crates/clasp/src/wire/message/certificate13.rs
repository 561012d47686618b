//! Certificate in TLS 1.3: RFC 9846 4.4.2.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Extensions, Parsed, Reader, Recorder, Writer};

/// Certificate as TLS 1.3 frames it.
#[derive(Debug)]
pub struct Certificate13;

/// The fields of a TLS 1.3 Certificate.
#[derive(Clone, Copy, Debug)]
pub struct Certificate13View<'a> {
    /// `certificate_request_context`: empty in a server's, and an echo in a client's.
    pub context: &'a [u8],
    list: Reader<'a>,
}

/// One CertificateEntry.
#[derive(Clone, Copy, Debug)]
pub struct CertificateEntry<'a> {
    /// The certificate (DER), or a SubjectPublicKeyInfo (RFC 7250).
    pub data: &'a [u8],
    /// What belongs to this certificate: its OCSP response, its SCTs.
    pub extensions: Extensions<'a>,
}

impl Message for Certificate13 {
    const TYPE: HandshakeType = HandshakeType::Certificate;
    const NAME: &'static str = "Certificate";
    type View<'a> = Certificate13View<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Certificate13View<'a>> {
        let context = r.vec8("certificate_request_context")?.rest();
        let list = r.vec24("certificate_list")?;
        let mut walk = list;
        while !walk.is_empty() {
            walk.element("CertificateEntry", CertificateEntry::read)?;
        }
        Ok(Certificate13View { context, list: list.silent() })
    }
}

impl<'a> CertificateEntry<'a> {
    fn read<R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Self> {
        let data = r.vec24("cert_data")?.non_empty("cert_data")?.rest();
        Ok(Self { data, extensions: Extensions::read(r, false)? })
    }
}

impl<'a> Certificate13View<'a> {
    /// Reads a body that came compressed (RFC 8879): the same content without a handshake header.
    ///
    /// # Errors
    /// What [`Message::parse`] says, or that bytes are left over.
    pub fn read(body: &'a [u8]) -> Parsed<Self> {
        let mut r = Reader::new(body);
        let view = Certificate13::parse(&mut r)?;
        r.finish(Certificate13::NAME)?;
        Ok(view)
    }

    /// The entries in order.
    pub fn iter(self) -> impl Iterator<Item = CertificateEntry<'a>> {
        let mut walk = self.list;
        core::iter::from_fn(move || CertificateEntry::read(&mut walk).ok())
    }

    /// Writes a body holding `chain`; `first` writes the extensions of its first entry.
    pub fn encode<C: AsRef<[u8]>>(
        context: &[u8],
        chain: &[C],
        first: impl FnOnce(&mut Writer<'_>),
        w: &mut Writer<'_>,
    ) {
        let mut first = Some(first);
        w.vec8(|w| w.bytes(context));
        w.vec24(|w| {
            for certificate in chain {
                w.vec24(|w| w.bytes(certificate.as_ref()));
                w.vec16(|w| {
                    if let Some(first) = first.take() {
                        first(w);
                    }
                });
            }
        });
    }
}
