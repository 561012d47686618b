//! EncryptedExtensions: RFC 9846 4.3.1.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Extensions, Parsed, Reader, Recorder};

/// EncryptedExtensions. Its view is the extension block.
#[derive(Debug)]
pub struct EncryptedExtensions;

impl Message for EncryptedExtensions {
    const TYPE: HandshakeType = HandshakeType::EncryptedExtensions;
    const NAME: &'static str = "EncryptedExtensions";
    type View<'a> = Extensions<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Extensions<'a>> {
        Extensions::read(r, false)
    }
}
