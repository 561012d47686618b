//! KeyUpdate and EndOfEarlyData: RFC 9846 4.6.3, 4.5.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::decode::DecodeKind;
use crate::wire::{Read, Reader};

/// KeyUpdate. Its view is whether the peer asks for an update in return.
#[derive(Debug)]
pub struct KeyUpdate;

impl Message for KeyUpdate {
    const TYPE: HandshakeType = HandshakeType::KeyUpdate;
    const NAME: &'static str = "KeyUpdate";
    type View<'a> = bool;

    fn parse(r: &mut Reader<'_>) -> Read<bool> {
        match r.u8("request_update")? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(r.error("request_update", DecodeKind::IllegalValue(u32::from(other)))),
        }
    }
}

/// EndOfEarlyData: the last message under the early keys.
#[derive(Debug)]
pub struct EndOfEarlyData;

impl Message for EndOfEarlyData {
    const TYPE: HandshakeType = HandshakeType::EndOfEarlyData;
    const NAME: &'static str = "EndOfEarlyData";
    type View<'a> = ();

    fn parse(_: &mut Reader<'_>) -> Read<()> {
        Ok(())
    }
}
