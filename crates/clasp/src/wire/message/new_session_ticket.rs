//! NewSessionTicket in TLS 1.2: RFC 5077 3.3.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Parsed, Reader, Recorder, Writer};

/// NewSessionTicket as TLS 1.2 frames it.
#[derive(Debug)]
pub struct NewSessionTicket12;

/// The fields of a NewSessionTicket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSessionTicketView<'a> {
    /// How long the ticket is good for, in seconds; 0 leaves it open.
    pub lifetime_hint: u32,
    /// The ticket; empty if the server changed its mind.
    pub ticket: &'a [u8],
}

impl Message for NewSessionTicket12 {
    const TYPE: HandshakeType = HandshakeType::NewSessionTicket;
    const NAME: &'static str = "NewSessionTicket";
    type View<'a> = NewSessionTicketView<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<NewSessionTicketView<'a>> {
        Ok(NewSessionTicketView { lifetime_hint: r.u32("ticket_lifetime_hint")?, ticket: r.vec16("ticket")?.rest() })
    }
}

impl NewSessionTicketView<'_> {
    /// Writes the body.
    pub fn encode(&self, w: &mut Writer<'_>) {
        w.u32(self.lifetime_hint);
        w.vec16(|w| w.bytes(self.ticket));
    }
}
