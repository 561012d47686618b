//! Messages after a TLS 1.3 handshake: tickets and key updates. Events, not a conversation; what a client proves after
//! the handshake is one, in `post_auth.rs`. RFC 9846 4.6.

use super::bindings::Kept;
use super::{Connection, Owes};
use crate::code::{ContentType, ExtensionType, HandshakeType, ProtocolVersion};
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::handshake::carrier::Carrier;
use crate::keys::maker::{KeyMaker, Way};
use crate::keys::schedule13::TrafficKeys;
use crate::record::{RecordKeys, limits};
use crate::session::{PeerKey, Session};
use crate::suite::Suite13;
use crate::trace::{Direction, Level, What};
use crate::wire::extension::early;
use crate::wire::message::{Checked, KeyUpdate, NewSessionTicket13};
use std::io::IoSlice;
use std::time::Duration;

/// A ticket is not kept longer: RFC 9846 4.6.1.
const MAX_LIFETIME: u32 = 7 * 24 * 3600;

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
        let ticket =
            Checked::<NewSessionTicket13>::new(message).map_err(|e| Error::from(e).in_message("NewSessionTicket"))?;
        let view = ticket.view();
        for e in view.extensions.iter() {
            let placed = Carrier::NewSessionTicket.check(e.typ);
            placed.map_err(|x| x.in_extension(e.typ).in_message("NewSessionTicket"))?;
        }
        let mut max_early_data = 0;
        if let Some(e) = view.extensions.find(ExtensionType::EarlyData) {
            let read = early::max_early_data(e);
            max_early_data = read.map_err(|x| Error::from(x).in_extension(e.typ).in_message("NewSessionTicket"))?;
        }
        // RFC 9846 4.6.1 sets a server no bound. What nobody will use costs no key, and no room in the store.
        self.tickets_seen = self.tickets_seen.saturating_add(1);
        if self.tickets_seen > limits::MAX_TICKETS {
            return Ok(());
        }
        let Some(done) = &self.done else { return Err(Outside::Bug.into()) };
        let Kept::Tls13 { kept, tickets: Some(config) } = &done.kept else { return Ok(()) };
        let Some(store) = &config.sessions else { return Ok(()) };
        if view.lifetime == 0 {
            return Ok(());
        }
        let mut master = Box::new([0; 48]);
        if !kept.ticket_psk(view.nonce, &mut master) {
            return Err(Outside::Bug.into());
        }
        let received = self.clock.now();
        let lifetime = Duration::from_secs(u64::from(view.lifetime.min(MAX_LIFETIME)));
        let hash = Suite13::find(kept.suite).map(|suite| suite.hash);
        let name = done.facts.psk_identity.as_ref();
        let psk = name.and_then(|name| config.psks.iter().find(|k| k.identity == *name && Some(k.hash) == hash));
        let session = Session {
            version: ProtocolVersion::Tls13,
            suite: kept.suite,
            master,
            extended_master_secret: true,
            id: Vec::new(),
            ticket: view.ticket.to_vec(),
            until: received.checked_add(lifetime).unwrap_or(received),
            server: done.facts.peer.clone(),
            server_type: done.facts.peer_type,
            alpn: done.facts.alpn.clone(),
            group: done.facts.group,
            signature_scheme: done.facts.signature_scheme,
            received,
            age_add: view.age_add,
            max_early_data,
            context: config.context,
            authenticated_until: done.facts.authenticated_until,
            psk: psk.map(|key| key.mark),
        };
        let peer = PeerKey(done.facts.server_name.clone().unwrap_or_default());
        store.put(&peer, session);
        Ok(())
    }

    /// KeyUpdate of the peer: RFC 9846 4.6.3.
    fn peer_updated(&mut self, message: Vec<u8>, last: bool) -> Result<()> {
        let update = Checked::<KeyUpdate>::new(message).map_err(|e| Error::from(e).in_message("KeyUpdate"))?;
        if !last {
            return Err(Error::from(PeerError::DataAtKeyChange).in_message("KeyUpdate"));
        }
        // An answer to our own request is no flood, though it comes where the peer has no data to send.
        match self.answers_due.checked_sub(1).filter(|_| !update.view()) {
            Some(left) => self.answers_due = left,
            None => self.key_updates = self.key_updates.saturating_add(1),
        }
        if self.key_updates > limits::MAX_KEY_UPDATES {
            return Err(PeerError::TooManyKeyUpdates.into());
        }
        if update.view() {
            self.owes = self.owes.max(Owes::Update);
        }
        let Some(Kept::Tls13 { kept, .. }) = self.done.as_mut().map(|d| &mut d.kept) else {
            return Err(Outside::Bug.into());
        };
        let (suite, maker, mut next) = (kept.suite, RecordKeys(self.provider), TrafficKeys::default());
        kept.update(Way::Read, maker.labels());
        let keys = maker.open(&kept.material(Way::Read, maker.labels(), &mut next))?;
        self.opener.install(keys);
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
        match self.done.as_ref().map(|d| &d.kept) {
            Some(Kept::Tls13 { .. }) if self.may_update() => self.send_update(ask, out),
            Some(Kept::Tls13 { .. }) => {
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
        let (direction, level, kind) = (Direction::Sent, self.write_level, HandshakeType::KeyUpdate);
        self.tell(What::Message { direction, level, kind, bytes: &message });
        let Some(Kept::Tls13 { kept, .. }) = self.done.as_mut().map(|d| &mut d.kept) else {
            return Err(Outside::Bug.into());
        };
        let (suite, maker, mut next) = (kept.suite, RecordKeys(self.provider), TrafficKeys::default());
        kept.update(Way::Write, maker.labels());
        let keys = maker.seal(&kept.material(Way::Write, maker.labels(), &mut next))?;
        self.sealer.install(keys);
        self.owes = Owes::Nothing;
        self.updates_sent = self.updates_sent.saturating_add(1);
        self.answers_due = self.answers_due.saturating_add(u8::from(ask));
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
        self.may_update() && self.update_is_due()
    }

    /// Whether the peer bears one more without data between, as we do, and one in front of the data.
    fn may_update(&self) -> bool {
        self.updates_sent < limits::MAX_KEY_UPDATES - 1
    }

    pub(super) fn update_is_due(&self) -> bool {
        self.tls13 && self.done.is_some() && (self.owes != Owes::Nothing || self.sealer.is_used_up())
    }
}
