//! NewSessionTicket in TLS 1.3: RFC 9846 4.6.1.

use super::Message;
use crate::code::HandshakeType;
use crate::wire::{Extensions, Parsed, Reader, Recorder, Writer};

/// NewSessionTicket as TLS 1.3 frames it.
#[derive(Debug)]
pub struct NewSessionTicket13;

/// The fields of a TLS 1.3 NewSessionTicket.
#[derive(Clone, Copy, Debug)]
pub struct NewSessionTicket13View<'a> {
    /// How long the ticket is good for, in seconds; at most a week.
    pub lifetime: u32,
    /// What the client adds to the ticket's age, so that onlookers cannot link connections by it.
    pub age_add: u32,
    /// What tells the secrets of one connection's tickets apart.
    pub nonce: &'a [u8],
    /// The ticket.
    pub ticket: &'a [u8],
    /// The extensions: early_data at most.
    pub extensions: Extensions<'a>,
}

impl Message for NewSessionTicket13 {
    const TYPE: HandshakeType = HandshakeType::NewSessionTicket;
    const NAME: &'static str = "NewSessionTicket";
    type View<'a> = NewSessionTicket13View<'a>;

    fn parse<'a, R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<NewSessionTicket13View<'a>> {
        Ok(NewSessionTicket13View {
            lifetime: r.u32("ticket_lifetime")?,
            age_add: r.u32("ticket_age_add")?,
            nonce: r.vec8("ticket_nonce")?.rest(),
            ticket: r.vec16("ticket")?.non_empty("ticket")?.rest(),
            extensions: Extensions::read(r, false)?,
        })
    }
}

impl NewSessionTicket13View<'_> {
    /// Writes the body with the extensions that `extensions` writes, in place of its own.
    pub fn encode_with(&self, extensions: impl FnOnce(&mut Writer<'_>), w: &mut Writer<'_>) {
        w.u32(self.lifetime);
        w.u32(self.age_add);
        w.vec8(|w| w.bytes(self.nonce));
        w.vec16(|w| w.bytes(self.ticket));
        w.vec16(extensions);
    }
}
