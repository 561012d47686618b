//! What comes from the peer, record by record: the direction that a receiving half owns.

use super::common::Common;
use super::floods::{Flood, Floods};
use crate::code::{AlertDescription, ContentType};
use crate::error::{Error, Outside, PeerError, Result};
use crate::facts::Facts;
use crate::pool::{Pool, Standby};
use crate::record::{Joiner, OpenedRecord, Opener, RecordError, RecordKeys};
use crate::trace::{Direction, Level, What};
use core::ops::Range;

/// The direction from the peer.
pub(super) struct Inbound {
    pub(super) opener: Opener,
    /// Handshake messages after the handshake, while one is not whole.
    pub(super) joiner: Option<Box<Joiner>>,
    pub(super) level: Level,
    pub(super) floods: Floods,
    pub(super) reading: Reading,
    pub(super) seen_record: bool,
    /// Something has come after the handshake, under its keys, that was no alert.
    pub(super) heard: bool,
    /// A ChangeCipherSpec during the handshake means nothing: TLS 1.3 was agreed, or may still be.
    pub(super) drops_ccs: bool,
    /// A TLS 1.2 server that asks for another handshake gets no answer, and no end either.
    pub(super) ignores_renegotiation: bool,
    /// The peer has asked for new keys, which the other direction owes it: RFC 9846 4.6.3.
    asked: bool,
    /// What becomes of the keys while nothing comes; of a whole connection of those of both directions.
    pub(super) standby: Standby,
}

/// Whether more comes from the peer.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reading {
    #[default]
    Open,
    /// It has said close_notify.
    Closed,
    /// The transport has ended without it.
    CutOff,
}

/// What one record came to.
pub(super) enum Taken {
    Nothing,
    Data(Range<usize>),
}

/// What an alert means.
pub(super) enum Alerted {
    /// The peer says no more.
    Closed,
    /// The end.
    Fatal(AlertDescription),
    /// Nothing.
    Warned,
}

impl Inbound {
    pub(super) fn new(pool: Pool) -> Self {
        Self {
            opener: Opener::default(),
            joiner: None,
            level: Level::default(),
            floods: Floods::default(),
            reading: Reading::default(),
            seen_record: false,
            heard: false,
            drops_ccs: false,
            ignores_renegotiation: false,
            asked: false,
            standby: Standby::of(pool),
        }
    }

    /// Opens one record; its content is decrypted in place, or to `data` if that is given.
    ///
    /// # Errors
    /// As [`Opener::open`], and if a protected record says another version than it must.
    pub(super) fn open(
        &mut self,
        common: &mut Common,
        content: ContentType,
        record: &mut [u8],
        data: Option<&mut [u8]>,
    ) -> core::result::Result<OpenedRecord, RecordError> {
        if self.opener.is_protected() && record.get(1..3) != Some(&[3, 3]) {
            let seen = record.get(1..3).and_then(|v| v.try_into().ok()).map_or(0, u16::from_be_bytes);
            return Err(RecordError::WrongVersion(seen));
        }
        let level = self.level;
        // As it came, before it is opened in its place.
        let came = common.is_observed().then(|| record.to_vec());
        let opened = match data {
            None => self.opener.open(content, record),
            Some(data) => self.opener.open_to(content, record, data),
        }?;
        if let Some(came) = came {
            common.tell_records((Direction::Received, level), opened.content, &came, opened.range.len());
        }
        Ok(opened)
    }

    /// What a record of an established connection came to. Its messages are to be had one by one then:
    /// [`next_message`](Self::next_message).
    pub(super) fn take(&mut self, common: &mut Common, opened: OpenedRecord, plain: &[u8]) -> Result<Taken> {
        let OpenedRecord { content, range } = opened;
        check_whole(self.joiner.is_some(), content)?;
        self.heard |= content != ContentType::Alert;
        match content {
            ContentType::ApplicationData => return self.take_data(range),
            ContentType::Handshake => {
                let level = self.level;
                let tell = |bytes: &[u8]| common.tell_message(Direction::Received, level, bytes);
                self.joiner.get_or_insert_default().add(plain, tell)?;
            }
            ContentType::ChangeCipherSpec => {
                read_change_cipher_spec(common, plain)?;
                return Err(PeerError::UnexpectedChangeCipherSpec.into());
            }
            ContentType::Alert => match self.take_alert(common, plain, self.joiner.is_some())? {
                Alerted::Closed => self.reading = Reading::Closed,
                Alerted::Fatal(alert) => return Err(common.refused(alert, None)),
                Alerted::Warned => {}
            },
            ContentType(unknown) => return Err(RecordError::UnknownType(unknown).into()),
        }
        Ok(Taken::Nothing)
    }

    pub(super) fn take_data(&mut self, range: Range<usize>) -> Result<Taken> {
        if !range.is_empty() {
            self.floods.data_came();
            return Ok(Taken::Data(range));
        }
        self.floods.count(Flood::EmptyRecord)?;
        Ok(Taken::Nothing)
    }

    /// The next message after the handshake, and whether nothing stands behind it.
    pub(super) fn next_message(&mut self) -> Option<(Vec<u8>, bool)> {
        let joiner = self.joiner.as_mut()?;
        let mut message = Vec::new();
        let came = joiner.take(&mut message);
        let last = joiner.is_empty();
        if last {
            // An idle connection holds no buffer.
            self.joiner = None;
        }
        came.then_some((message, last))
    }

    /// RFC 5246 7.2. `partial` says that part of a handshake message waits for its rest.
    pub(super) fn take_alert(&mut self, common: &mut Common, plain: &[u8], partial: bool) -> Result<Alerted> {
        const WARNING: u8 = 1;
        const FATAL: u8 = 2;
        let [level, description] = *plain else {
            // RFC 9846 5.1: without content it is not even that.
            return Err(if plain.is_empty() { RecordError::Empty } else { RecordError::BadAlert }.into());
        };
        if !matches!(level, WARNING | FATAL) {
            return Err(RecordError::BadAlertLevel(level).into());
        }
        let alert = AlertDescription(description);
        common.tell(What::Alert { direction: Direction::Received, fatal: level == FATAL, alert, bytes: plain });
        if alert == AlertDescription::CloseNotify {
            return Ok(Alerted::Closed);
        }
        // RFC 9846 6: in TLS 1.3 all alerts but one are errors, whatever they say of themselves.
        if level == FATAL || common.tls13 && alert != AlertDescription::UserCanceled {
            return Ok(Alerted::Fatal(alert));
        }
        // RFC 9846 5.1: no record stands between those of one message.
        if partial {
            return Err(RecordError::Interleaved.into());
        }
        self.floods.count(Flood::Warning)?;
        Ok(Alerted::Warned)
    }

    /// Whether the peer has shown that it takes what it was shown.
    pub(super) fn is_confirmed(&self, common: &Common) -> bool {
        let open = |facts: &Facts| common.tls13 && !common.server && facts.certificate_requested;
        common.failed.is_none() && common.facts().is_some_and(|facts| self.heard || !open(facts))
    }

    /// The peer has asked for new keys.
    pub(super) fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether it has, once.
    pub(super) fn take_asked(&mut self) -> bool {
        core::mem::take(&mut self.asked)
    }

    /// Whether more can be received.
    pub(super) fn check_reading(&self, common: &Common) -> Result<()> {
        common.check_failed()?;
        if self.reading == Reading::CutOff { Err(PeerError::Truncated.into()) } else { Ok(()) }
    }

    /// The transport has ended after the handshake, and the peer has not closed. It is an end of receiving alone.
    pub(super) fn cut_off(&mut self, common: &mut Common) -> Error {
        let error = Error::from(PeerError::Truncated);
        if core::mem::replace(&mut self.reading, Reading::CutOff) != Reading::CutOff {
            common.tell(What::Failed(&error));
        }
        error
    }

    /// Sets the keys up that open records, if they were given back.
    pub(super) fn wake(&mut self, common: &Common) -> Result<()> {
        if self.opener.is_resting() {
            let established = common.established.as_ref().ok_or(Outside::Bug)?;
            let keys = established.open(common.provider, &RecordKeys(common.provider))?;
            self.opener.wake(Some(keys));
        }
        Ok(())
    }
}

/// RFC 9846 5.1: no record stands between those of one message, but that an alert may end it.
pub(super) fn check_whole(partial: bool, content: ContentType) -> Result<()> {
    if partial && content != ContentType::Handshake && content != ContentType::Alert {
        return Err(RecordError::Interleaved.into());
    }
    Ok(())
}

/// RFC 5246 7.1.
pub(super) fn read_change_cipher_spec(common: &mut Common, plain: &[u8]) -> Result<()> {
    if plain != [1] {
        return Err(RecordError::BadChangeCipherSpec.into());
    }
    common.tell(What::ChangeCipherSpec { direction: Direction::Received });
    Ok(())
}
