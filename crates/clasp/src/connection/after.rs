//! Messages after a TLS 1.3 handshake: tickets and key updates. Events, not a conversation; what a client proves after
//! the handshake is one, in `post_auth.rs`. RFC 9846 4.6.

use super::floods::Flood;
use super::{Connection, Owes};
use crate::code::{ContentType, HandshakeType};
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::established::Established;
use crate::handshake::operation::Carrier;
use crate::handshake::tickets13::{NewTicket, read_ticket};
use crate::keys::maker::{KeyMaker, Way};
use crate::record::RecordKeys;
use crate::trace::{Direction, Level, What};
use crate::wire::message::{Checked, KeyUpdate};
use std::io::IoSlice;

impl Connection {
    /// One message; `last` says that nothing stands behind it in its record.
    pub(super) fn after_handshake(&mut self, kind: HandshakeType, message: Vec<u8>, last: bool) -> Result<()> {
        if self.post_auth.as_ref().is_some_and(|post| post.is_checking()) {
            return self.certificate_came(kind, &message);
        }
        match kind {
            HandshakeType::NewSessionTicket if !self.server => self.keep_ticket(message),
            HandshakeType::KeyUpdate => self.peer_updated(message, last),
            HandshakeType::CertificateRequest if !self.server => self.certificate_requested(message),
            HandshakeType::Certificate | HandshakeType::CompressedCertificate if self.server => {
                self.certificate_came(kind, &message)
            }
            _ => Err(Error::from(PeerError::UnexpectedMessage).seen(kind).wanted("application data")),
        }
    }

    fn keep_ticket(&mut self, message: Vec<u8>) -> Result<()> {
        let NewTicket { message, max_early_data } = read_ticket(message)?;
        // RFC 9846 4.6.1 sets a server no bound. What nobody will use costs no key, and no room in the store.
        if !self.floods.bears(Flood::Ticket) {
            return Ok(());
        }
        let established = self.established.as_ref().ok_or(Outside::Bug)?;
        established.keep_ticket(&*self.clock, &RecordKeys::WIRING.sessions, &message.view(), max_early_data)
    }

    /// KeyUpdate of the peer: RFC 9846 4.6.3.
    fn peer_updated(&mut self, message: Vec<u8>, last: bool) -> Result<()> {
        let update = Checked::<KeyUpdate>::new(message).map_err(|e| Error::from(e).in_message("KeyUpdate"))?;
        if !last {
            return Err(Error::from(PeerError::DataAtKeyChange).in_message("KeyUpdate"));
        }
        self.floods.count_update(update.view())?;
        if update.view() {
            self.owes = self.owes.max(Owes::Update);
        }
        let (established, maker) = (self.established.as_mut().ok_or(Outside::Bug)?, RecordKeys(self.provider));
        established.update(Way::Read, maker.labels())?;
        let (suite, keys) = (established.facts.suite, established.open(self.provider, &maker)?);
        self.opener.install(keys);
        self.tell_update(Way::Read);
        self.tell(What::Keys { direction: Direction::Received, level: Level::Application, suite });
        Ok(())
    }

    /// Moves our sending keys on, and asks the peer to do the same if `ask` (TLS 1.3). Clasp does so by itself before
    /// the keys have sealed as much as they may. Peers end connections on which too many updates come without data
    /// between: from the 32nd on they become one, which goes in front of the next data.
    ///
    /// # Errors
    /// If the handshake is not done, or the version is TLS 1.2.
    pub fn update_keys(&mut self, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        self.check_failed()?;
        if self.closed {
            return Err(Misuse::AlreadyClosed.into());
        }
        match self.established.as_ref().map(Established::is_tls13) {
            Some(true) if self.own_updates.has_room() => self.send_update(ask, out),
            Some(true) => {
                self.owes = self.owes.max(if ask { Owes::Request } else { Owes::Update });
                Ok(())
            }
            _ if self.live.is_some() => Err(Misuse::HandshakeUnfinished.into()),
            _ => Err(Misuse::OldVersionForThis.into()),
        }
    }

    pub(super) fn send_update(&mut self, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        let message = [HandshakeType::KeyUpdate.0, 0, 0, 1, u8::from(ask)];
        self.wake_sending()?;
        self.sealer.seal(ContentType::Handshake, &[IoSlice::new(&message)], out)?;
        let (direction, level) = (Direction::Sent, self.write_level);
        self.tell_message(&message);
        let (established, maker) = (self.established.as_mut().ok_or(Outside::Bug)?, RecordKeys(self.provider));
        established.update(Way::Write, maker.labels())?;
        let (suite, keys) = (established.facts.suite, established.seal(self.provider, &maker)?);
        self.sealer.install(keys);
        self.owes = Owes::Nothing;
        self.own_updates.count();
        self.floods.expect_answers(u8::from(ask));
        self.tell_update(Way::Write);
        self.tell(What::Keys { direction, level, suite });
        Ok(())
    }

    /// Before data goes out: an update that the peer asked for, or that the keys' age asks for.
    pub(super) fn update_if_due(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.update_is_due() { self.send_update(self.owes == Owes::Request, out) } else { Ok(()) }
    }

    /// The same where no data follows.
    pub(super) fn answer_update(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.answer_is_due() { self.update_if_due(out) } else { Ok(()) }
    }

    pub(super) fn answer_is_due(&self) -> bool {
        self.own_updates.has_room() && self.update_is_due()
    }

    pub(super) fn update_is_due(&self) -> bool {
        self.tls13 && self.established.is_some() && (self.owes != Owes::Nothing || self.sealer.is_used_up())
    }
}
