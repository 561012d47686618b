//! Messages after the handshake: tickets and key updates, and of TLS 1.2 the wish for another handshake. Events, not a
//! conversation; what a client proves after the handshake is one, in `post_auth.rs`. RFC 9846 4.6.

use super::Connection;
use super::common::Common;
use super::floods::Flood;
use super::inbound::Inbound;
use crate::code::HandshakeType;
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::handshake::tickets13::{NewTicket, read_ticket};
use crate::handshake::wiring::Wiring;
use crate::keys::maker::{KeyMaker, Way};
use crate::record::RecordKeys;
use crate::trace::{Direction, Level, What};
use crate::wire::message::{Checked, KeyUpdate};
use core::task::{Context, Waker};

/// A HelloRequest is a header and nothing else: RFC 5246 7.4.1.1.
const HELLO_REQUEST_LEN: usize = 4;

impl Inbound {
    /// One message; `last` says that nothing stands behind it in its record.
    pub(super) fn after_handshake(&mut self, common: &mut Common, message: Vec<u8>, last: bool) -> Result<()> {
        if !common.tls13 {
            return self.renegotiation_asked(common, &message);
        }
        match kind_of(&message) {
            HandshakeType::NewSessionTicket if !common.server => self.keep_ticket(common, message),
            HandshakeType::KeyUpdate => self.peer_updated(common, message, last),
            kind => Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data")),
        }
    }

    /// After a TLS 1.2 handshake the peer can only ask for another, which is refused (RFC 5746 4.5), or passed over if
    /// the configuration says so (RFC 5246 7.4.1.1).
    fn renegotiation_asked(&mut self, common: &Common, message: &[u8]) -> Result<()> {
        let kind = kind_of(message);
        let wanted = if common.server { HandshakeType::ClientHello } else { HandshakeType::HelloRequest };
        if kind != wanted {
            return Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data"));
        }
        if kind == HandshakeType::HelloRequest && message.len() > HELLO_REQUEST_LEN {
            return Err(PeerError::BadHelloRequest.into());
        }
        if self.ignores_renegotiation {
            return self.floods.count(Flood::HelloRequest);
        }
        Err(PeerError::RenegotiationRefused.into())
    }

    fn keep_ticket(&mut self, common: &Common, message: Vec<u8>) -> Result<()> {
        let NewTicket { message, max_early_data } = read_ticket(message)?;
        // RFC 9846 4.6.1 sets a server no bound. What nobody will use costs no key, and no room in the store.
        if !self.floods.bears(Flood::Ticket) {
            return Ok(());
        }
        let established = common.established.as_ref().ok_or(Outside::Bug)?;
        established.keep_ticket(&Wiring::RECORDS.sessions, &message.view(), (max_early_data, None))
    }

    /// KeyUpdate of the peer: RFC 9846 4.6.3.
    fn peer_updated(&mut self, common: &mut Common, message: Vec<u8>, last: bool) -> Result<()> {
        let update = Checked::<KeyUpdate>::new(message).map_err(|e| Error::from(e).in_message("KeyUpdate"))?;
        if !last {
            return Err(Error::from(PeerError::DataAtKeyChange).in_message("KeyUpdate"));
        }
        self.floods.count_update(update.view())?;
        if update.view() {
            self.ask();
        }
        let (established, maker) = (common.established.as_mut().ok_or(Outside::Bug)?, RecordKeys(common.provider));
        established.update(Way::Read, maker.labels())?;
        let (suite, keys) = (established.facts.suite, established.open(common.provider, &maker)?);
        self.opener.install(keys);
        common.tell_update(Way::Read)?;
        common.tell(What::Keys { direction: Direction::Received, level: Level::Application, suite });
        Ok(())
    }
}

pub(super) fn kind_of(message: &[u8]) -> HandshakeType {
    HandshakeType(message.first().copied().unwrap_or(0))
}

impl Connection {
    /// The messages that a record made whole.
    pub(super) fn take_messages(&mut self, out: &mut Vec<u8>) -> Result<()> {
        while let Some((message, last)) = self.inbound.next_message() {
            self.after_handshake(message, last)?;
        }
        self.drive_post_auth(&mut Context::from_waker(Waker::noop()), out)
    }

    /// One message; `last` says that nothing stands behind it in its record.
    pub(super) fn after_handshake(&mut self, message: Vec<u8>, last: bool) -> Result<()> {
        if self.is_for_post_auth(kind_of(&message)) {
            return self.take_post_auth(message);
        }
        // What the two directions have to tell each other.
        self.inbound.floods.expect_answers(self.outbound.take_asks());
        self.inbound.after_handshake(&mut self.common, message, last)?;
        if self.inbound.take_asked() {
            self.outbound.owe_update();
        }
        Ok(())
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3). Clasp does so by itself before
    /// the keys have sealed as much as they may. Peers end connections on which too many updates come without data
    /// between: from the 32nd on they become one, which goes in front of the next data.
    ///
    /// # Errors
    /// If the handshake is not done, or the version is TLS 1.2.
    pub fn update_keys(&mut self, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        self.common.check_failed()?;
        if self.live.is_some() && !self.outbound.closed {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        self.take_back_sending();
        self.outbound.update_keys(&mut self.common, ask, out)
    }
}
