//! One file per handshake message. A marker type names the message; its view is a borrowed struct that reads and
//! writes the body.

mod certificate;
mod certificate13;
mod certificate_request;
mod certificate_request13;
mod certificate_status;
mod certificate_verify;
mod client_hello;
mod client_key_exchange;
mod compressed_certificate;
mod encrypted_extensions;
mod finished;
mod key_update;
mod new_session_ticket;
mod new_session_ticket13;
mod server_hello;
mod server_key_exchange;

pub use certificate::{Certificate12, CertificateView};
pub use certificate_request::{CertificateRequest12, CertificateRequestView};
pub use certificate_request13::{CertificateRequest13, CertificateRequest13View};
pub use certificate_status::{CertificateStatus, CertificateStatusView};
pub use certificate_verify::{CertificateVerify, SignedView};
pub use certificate13::{Certificate13, Certificate13View, CertificateEntry};
pub use client_hello::{ClientHello, ClientHelloView};
pub use client_key_exchange::{ClientKeyExchange, ClientKeyExchangeView, Kx};
pub use compressed_certificate::{CompressedCertificate, CompressedCertificateView};
pub use encrypted_extensions::EncryptedExtensions;
pub use finished::{Finished, HelloRequest, ServerHelloDone};
pub use key_update::{EndOfEarlyData, KeyUpdate};
pub use new_session_ticket::{NewSessionTicket12, NewSessionTicketView};
pub use new_session_ticket13::{NewSessionTicket13, NewSessionTicket13View};
pub use server_hello::{HELLO_RETRY_REQUEST_RANDOM, ServerHello, ServerHelloView};
pub use server_key_exchange::{DhParams, EcdhParams, ServerKeyExchange, ServerKeyExchangeView};

use super::{Parsed, Reader, Recorder, TooLong, Writer};
use crate::code::HandshakeType;
use core::marker::PhantomData;

/// Bytes of a handshake message's header: type and 24-bit length (RFC 5246 7.4).
pub const HEADER_LEN: usize = 4;

/// A kind of handshake message.
pub trait Message {
    /// Its type on the wire.
    const TYPE: HandshakeType;
    /// Its name.
    const NAME: &'static str;
    /// What reading its body gives.
    type View<'a>;

    /// Reads the whole body.
    ///
    /// # Errors
    /// Says which field is not well formed, and where.
    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Self::View<'a>>;
}

/// Writes one message, header and body, behind what `out` holds.
///
/// # Errors
/// If a field of it is longer than its length can say. Then nothing is written.
pub fn frame(out: &mut Vec<u8>, kind: HandshakeType, body: impl FnOnce(&mut Writer<'_>)) -> Result<(), TooLong> {
    Writer::write(out, |w| {
        w.u8(kind.0);
        w.vec24(body);
    })
}

/// A whole message, owned, that has been read once and found well formed.
pub struct Checked<M> {
    bytes: Vec<u8>,
    kind: PhantomData<M>,
}

impl<M: Message> Checked<M> {
    /// Checks a whole message (header included).
    ///
    /// # Errors
    /// What [`Message::parse`] says, or that bytes are left over.
    pub fn new(bytes: Vec<u8>) -> Parsed<Self> {
        Self::read(&bytes)?;
        Ok(Self { bytes, kind: PhantomData })
    }

    pub(crate) fn read(bytes: &[u8]) -> Parsed<M::View<'_>> {
        let mut r = Reader::new(bytes);
        r.take(HEADER_LEN, M::NAME)?;
        let mut body = Reader::new(r.rest());
        let view = M::parse(&mut body)?;
        body.finish(M::NAME)?;
        Ok(view)
    }

    /// The message's fields.
    #[expect(clippy::expect_used, reason = "`new` has read the same bytes, and nothing can change them")]
    pub fn view(&self) -> M::View<'_> {
        Self::read(&self.bytes).expect("checked when it was made, and not changed since")
    }

    /// The whole message as it stood on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the buffer back.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<M: Message> core::fmt::Debug for Checked<M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} of {} bytes", M::NAME, self.bytes.len())
    }
}
