//! What a carrier makes different in the conversations, as plain facts. A verb reads the fact that it hangs on; none asks
//! which carrier it is.

use crate::session::Context;

/// The facts of one carrier.
///
/// Two things that differ from carrier to carrier are no facts here, because no verb asks for them. How long records may be
/// and how they are padded is asked for as an operation on records ([`Record`](super::operation::Record)), and one without records
/// never gets to see it; the extension that says so (RFC 8449) is one like the others. KeyUpdate (RFC 9846 4.6.3) comes after the
/// conversation, which is over by then: a carrier that has it reads it (`connection/after.rs`) and moves the secrets on
/// (`Established::update`) under its own labels; one that changes its keys in another way takes the message for the error that
/// it is there (RFC 9001 6), and asks nobody.
#[derive(Debug)]
pub(crate) struct Wiring {
    /// The end of early data is a message (RFC 9846 4.5), and the keys of the handshake come behind it. It is none where each
    /// message says which keys it belongs to (RFC 9001 8.3): there early data goes on beside the handshake.
    pub(crate) end_of_early_data: bool,
    /// Middleboxes may stand between the two that let nothing pass but what looks like TLS 1.2: RFC 9846 E.4. Where there are
    /// none, a client that provides for them is at fault: RFC 9001 8.4.
    pub(crate) middlebox_compatibility: bool,
    /// A server's carrier is given what is kept of the conversation as soon as it may send data, before the client has
    /// finished: the keys of the client's data come of it too (RFC 9001 5.7).
    pub(crate) keeps_half_way: bool,
    /// Without an application protocol there is no conversation: RFC 9001 8.1.
    pub(crate) protocol_required: bool,
    /// What sessions hang on besides the configuration: those of one carrier are not resumed over another (RFC 9001 4.5).
    pub(crate) sessions: Context,
}

impl Wiring {
    /// TLS records over a stream.
    pub(crate) const RECORDS: Self = Self {
        end_of_early_data: true,
        middlebox_compatibility: true,
        keeps_half_way: false,
        protocol_required: false,
        sessions: Context::NONE,
    };

    /// Messages and nothing else, each with its level.
    pub(crate) const MESSAGES: Self = Self {
        end_of_early_data: false,
        middlebox_compatibility: false,
        keeps_half_way: false,
        protocol_required: true,
        sessions: Context(*b"bare messages   "),
    };
}
