//! ClientKeyExchange: RFC 5246 7.4.7, RFC 8422 5.7. What its body means depends on the cipher suite.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Read, Reader};

/// ClientKeyExchange.
#[derive(Debug)]
pub struct ClientKeyExchange;

/// The body of a ClientKeyExchange, to be read as the suite says.
#[derive(Clone, Copy, Debug)]
pub struct ClientKeyExchangeView<'a>(Reader<'a>);

impl Message for ClientKeyExchange {
    const TYPE: HandshakeType = HandshakeType::ClientKeyExchange;
    const NAME: &'static str = "ClientKeyExchange";
    type View<'a> = ClientKeyExchangeView<'a>;

    fn parse<'a>(r: &mut Reader<'a>) -> Read<ClientKeyExchangeView<'a>> {
        let body = *r;
        r.take(body.rest().len(), Self::NAME)?;
        Ok(ClientKeyExchangeView(body))
    }
}

impl<'a> ClientKeyExchangeView<'a> {
    /// The encrypted premaster secret, or a Diffie-Hellman public value: both stand behind a 16-bit length.
    ///
    /// # Errors
    /// If the body is not exactly that.
    pub fn long(self, what: &'static str) -> Read<&'a [u8]> {
        let mut r = self.0;
        let value = r.vec16(what)?.non_empty(what)?.rest();
        r.finish(what)?;
        Ok(value)
    }

    /// An elliptic-curve public value behind an 8-bit length.
    ///
    /// # Errors
    /// If the body is not exactly that.
    pub fn point(self) -> Read<&'a [u8]> {
        let mut r = self.0;
        let value = r.vec8("ecdh_Yc")?.non_empty("ecdh_Yc")?.rest();
        r.finish("ecdh_Yc")?;
        Ok(value)
    }
}
