//! Finished, and the two messages without a body.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Parsed, Reader, Recorder};

/// Finished: RFC 5246 7.4.9. Its view is the verify data.
#[derive(Debug)]
pub struct Finished;

impl Message for Finished {
    const TYPE: HandshakeType = HandshakeType::Finished;
    const NAME: &'static str = "Finished";
    type View<'a> = &'a [u8];

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<&'a [u8]> {
        r.take(r.rest().len(), "verify_data")
    }
}

/// ServerHelloDone: RFC 5246 7.4.5.
#[derive(Debug)]
pub struct ServerHelloDone;

impl Message for ServerHelloDone {
    const TYPE: HandshakeType = HandshakeType::ServerHelloDone;
    const NAME: &'static str = "ServerHelloDone";
    type View<'a> = ();

    fn parse<R: Recorder>(_: &mut Reader<'_, R>) -> Parsed<()> {
        Ok(())
    }
}

/// HelloRequest: RFC 5246 7.4.1.1.
#[derive(Debug)]
pub struct HelloRequest;

impl Message for HelloRequest {
    const TYPE: HandshakeType = HandshakeType::HelloRequest;
    const NAME: &'static str = "HelloRequest";
    type View<'a> = ();

    fn parse<R: Recorder>(_: &mut Reader<'_, R>) -> Parsed<()> {
        Ok(())
    }
}
