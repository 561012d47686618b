//! ServerKeyExchange: RFC 5246 7.4.3, RFC 8422 5.4. What its body means depends on the cipher suite.

use super::{Message, SignedView};
use crate::code::{EcCurveType, HandshakeType, NamedGroup};
use crate::wire::decode::DecodeKind;
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// ServerKeyExchange.
#[derive(Debug)]
pub struct ServerKeyExchange;

/// The body of a ServerKeyExchange, to be read as the suite says.
#[derive(Clone, Copy, Debug)]
pub struct ServerKeyExchangeView<'a, R = ()>(Reader<'a, R>);

/// Elliptic-curve parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcdhParams<'a> {
    /// The curve, by name.
    pub group: NamedGroup,
    /// The server's public value.
    pub public: &'a [u8],
    /// The bytes the signature covers, after the randoms.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: SignedView<'a>,
}

/// Diffie-Hellman parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DhParams<'a> {
    /// The prime, big-endian.
    pub p: &'a [u8],
    /// The generator, big-endian.
    pub g: &'a [u8],
    /// The server's public value.
    pub public: &'a [u8],
    /// The bytes the signature covers, after the randoms.
    pub signed: &'a [u8],
    /// The signature.
    pub signature: SignedView<'a>,
}

impl Message for ServerKeyExchange {
    const TYPE: HandshakeType = HandshakeType::ServerKeyExchange;
    const NAME: &'static str = "ServerKeyExchange";
    type View<'a> = ServerKeyExchangeView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<ServerKeyExchangeView<'a>> {
        let body = r.silent();
        r.take(body.rest().len(), Self::NAME)?;
        Ok(ServerKeyExchangeView(body))
    }
}

impl<'a, R: Recorder> ServerKeyExchangeView<'a, R> {
    /// The body that `r` stands before.
    pub const fn new(r: Reader<'a, R>) -> Self {
        Self(r)
    }

    fn signed(self, r: Reader<'a, R>) -> &'a [u8] {
        let all = self.0.rest();
        all.get(..all.len().saturating_sub(r.rest().len())).unwrap_or(all)
    }

    /// Reads it for an ECDHE suite.
    ///
    /// # Errors
    /// If the body is not exactly that, or describes a curve instead of naming one.
    pub fn ecdh(self) -> Parsed<EcdhParams<'a>> {
        let mut r = self.0;
        let curve: EcCurveType = r.code("curve_type")?;
        if curve != EcCurveType::NamedCurve {
            return Err(self.0.error("curve_type", DecodeKind::IllegalValue(u32::from(curve.0))));
        }
        let group = r.code("namedcurve")?;
        let public = r.vec8("public")?.non_empty("public")?.rest();
        let signed = self.signed(r);
        let signature = SignedView::read(&mut r)?;
        r.finish(ServerKeyExchange::NAME)?;
        Ok(EcdhParams { group, public, signed, signature })
    }

    /// Reads it for a DHE suite.
    ///
    /// # Errors
    /// If the body is not exactly that.
    pub fn dh(self) -> Parsed<DhParams<'a>> {
        let mut r = self.0;
        let p = r.vec16("dh_p")?.non_empty("dh_p")?.rest();
        let g = r.vec16("dh_g")?.non_empty("dh_g")?.rest();
        let public = r.vec16("dh_Ys")?.non_empty("dh_Ys")?.rest();
        let signed = self.signed(r);
        let signature = SignedView::read(&mut r)?;
        r.finish(ServerKeyExchange::NAME)?;
        Ok(DhParams { p, g, public, signed, signature })
    }
}

impl ServerKeyExchangeView<'_> {
    /// Writes the parameters of an ECDHE exchange: what is signed.
    pub fn encode_ecdh(group: NamedGroup, public: &[u8], w: &mut Writer<'_>) {
        w.u8(EcCurveType::NamedCurve.0);
        w.u16(group.0);
        w.vec8(|w| w.bytes(public));
    }

    /// Writes the parameters of a DHE exchange: what is signed.
    pub fn encode_dh(p: &[u8], g: &[u8], public: &[u8], w: &mut Writer<'_>) {
        for field in [p, g, public] {
            w.vec16(|w| w.bytes(field));
        }
    }
}
