//! ClientKeyExchange: RFC 5246 7.4.7, RFC 8422 5.7. What its body means depends on the cipher suite.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Parsed, Reader, Recorder};

/// ClientKeyExchange.
#[derive(Debug)]
pub struct ClientKeyExchange;

/// How a suite agrees on a premaster secret, and so what the bodies of both key exchange messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kx {
    /// The client encrypts it to the server's RSA key: no forward secrecy.
    Rsa,
    /// Ephemeral elliptic-curve Diffie-Hellman.
    Ecdhe,
    /// Ephemeral finite-field Diffie-Hellman.
    Dhe,
}

/// The body of a ClientKeyExchange, to be read as the suite says.
#[derive(Clone, Copy, Debug)]
pub struct ClientKeyExchangeView<'a, R = ()>(Reader<'a, R>);

impl Message for ClientKeyExchange {
    const TYPE: HandshakeType = HandshakeType::ClientKeyExchange;
    const NAME: &'static str = "ClientKeyExchange";
    type View<'a> = ClientKeyExchangeView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<ClientKeyExchangeView<'a>> {
        let body = r.silent();
        r.take(body.rest().len(), Self::NAME)?;
        Ok(ClientKeyExchangeView(body))
    }
}

impl<'a, R: Recorder> ClientKeyExchangeView<'a, R> {
    /// The body that `r` stands before.
    pub const fn new(r: Reader<'a, R>) -> Self {
        Self(r)
    }

    /// The encrypted premaster secret, or a Diffie-Hellman public value: both stand behind a 16-bit length.
    ///
    /// # Errors
    /// If the body is not exactly that.
    pub fn long(self, what: &'static str) -> Parsed<&'a [u8]> {
        let mut r = self.0;
        let value = r.vec16(what)?.non_empty(what)?.rest();
        r.finish(what)?;
        Ok(value)
    }

    /// An elliptic-curve public value behind an 8-bit length.
    ///
    /// # Errors
    /// If the body is not exactly that.
    pub fn point(self) -> Parsed<&'a [u8]> {
        let mut r = self.0;
        let value = r.vec8("ecdh_Yc")?.non_empty("ecdh_Yc")?.rest();
        r.finish("ecdh_Yc")?;
        Ok(value)
    }
}
