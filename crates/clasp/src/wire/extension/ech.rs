//! encrypted_client_hello: RFC 9849 5.

use crate::code::{HpkeAead, HpkeKdf};
use crate::wire::decode::DecodeKind;
use crate::wire::{Extension, Parsed, Recorder};

/// ECHClientHello: what a client says with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchHello<'a> {
    /// This is the hello that all can see; another is hidden in it.
    Outer(EchOuter<'a>),
    /// This is the one that was hidden.
    Inner,
}

/// The hidden hello, sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EchOuter<'a> {
    /// How the keys are derived.
    pub kdf: HpkeKdf,
    /// What it is sealed with.
    pub aead: HpkeAead,
    /// Which configuration it is sealed to.
    pub config_id: u8,
    /// The encapsulated key; empty in a second hello.
    pub encapsulated: &'a [u8],
    /// The sealed hello.
    pub payload: &'a [u8],
    /// Where the payload stands in the message's body.
    pub payload_offset: usize,
}

/// In a ClientHello: RFC 9849 5.
///
/// # Errors
/// If it is of no known type, or not well framed.
pub fn client<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<EchHello<'a>> {
    let mut r = e.reader();
    let hello = match r.u8("ECHClientHelloType")? {
        0 => {
            let (kdf, aead, config_id) = (r.code("kdf_id")?, r.code("aead_id")?, r.u8("config_id")?);
            let encapsulated = r.vec16("enc")?.rest();
            let payload = r.vec16("payload")?.non_empty("payload")?;
            let payload_offset = payload.offset();
            EchHello::Outer(EchOuter { kdf, aead, config_id, encapsulated, payload: payload.rest(), payload_offset })
        }
        1 => EchHello::Inner,
        other => return Err(r.error("ECHClientHelloType", DecodeKind::IllegalValue(u32::from(other)))),
    };
    r.finish("encrypted_client_hello")?;
    Ok(hello)
}

/// In a HelloRetryRequest: RFC 9849 5.
///
/// # Errors
/// If it is not eight bytes.
pub fn confirmation<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8; 8]> {
    let mut r = e.reader();
    let confirmation = r.array("confirmation")?;
    r.finish("encrypted_client_hello")?;
    Ok(confirmation)
}

/// In EncryptedExtensions, the ECHConfigList that a client is to try again with; it is read elsewhere.
///
/// # Errors
/// If it is empty, or not well framed.
pub fn retry_configs<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    let mut r = e.reader();
    r.vec16("retry_configs")?.non_empty("retry_configs")?;
    r.finish("encrypted_client_hello")?;
    Ok(e.body)
}
