//! CertificateVerify: RFC 5246 7.4.8, RFC 9846 4.4.3.

use super::Message;
use crate::code::{HandshakeType, SignatureScheme};
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// CertificateVerify.
#[derive(Debug)]
pub struct CertificateVerify;

/// A signature and its scheme: `digitally-signed` (RFC 5246 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedView<'a> {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// The signature.
    pub signature: &'a [u8],
}

impl Message for CertificateVerify {
    const TYPE: HandshakeType = HandshakeType::CertificateVerify;
    const NAME: &'static str = "CertificateVerify";
    type View<'a> = SignedView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<SignedView<'a>> {
        SignedView::read(r)
    }
}

impl<'a> SignedView<'a> {
    /// Reads scheme and signature.
    ///
    /// # Errors
    /// If they are cut short.
    pub fn read<R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Self> {
        Ok(Self { scheme: r.code("algorithm")?, signature: r.vec16("signature")?.rest() })
    }

    /// Writes them.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.u16(self.scheme.0);
        w.vec16(|w| w.bytes(self.signature));
    }
}
