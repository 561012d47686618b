//! KeyUpdate and EndOfEarlyData: RFC 9846 4.6.3, 4.5.

use super::Message;
use crate::code::{HandshakeType, KeyUpdateRequest};
use crate::wire::decode::DecodeKind;
use crate::wire::{Parsed, Reader, Recorder};

/// KeyUpdate. Its view is whether the peer asks for an update in return.
#[derive(Debug)]
pub struct KeyUpdate;

impl Message for KeyUpdate {
    const TYPE: HandshakeType = HandshakeType::KeyUpdate;
    const NAME: &'static str = "KeyUpdate";
    type View<'a> = bool;

    fn parse<R: Recorder>(r: &mut Reader<'_, R>) -> Parsed<bool> {
        match r.code("request_update")? {
            KeyUpdateRequest::NotRequested => Ok(false),
            KeyUpdateRequest::Requested => Ok(true),
            other => Err(r.error("request_update", DecodeKind::IllegalValue(u32::from(other.0)))),
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

    fn parse<R: Recorder>(_: &mut Reader<'_, R>) -> Parsed<()> {
        Ok(())
    }
}
