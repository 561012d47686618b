//! Messages without data: each costs its sender little and us some work, so there is a bound to them. One rule a row.

use crate::error::{Error, PeerError, Result};
use crate::record::{RecordError, limits};

/// What a peer may send that is no data.
#[derive(Clone, Copy)]
pub(super) enum Flood {
    /// A record of application data that has none.
    EmptyRecord,
    /// An alert that ends nothing.
    Warning,
    /// A KeyUpdate that is no answer to one of ours.
    KeyUpdate,
    /// A request to renegotiate that is passed over.
    HelloRequest,
    /// A session's ticket.
    Ticket,
    /// A request for the client's certificate.
    CertificateRequest,
    /// A ChangeCipherSpec that means nothing.
    CompatibilityCcs,
}

/// How many are borne, and the error of one more; what has none is passed over.
type Rule = (u8, Option<fn() -> Error>);

impl Flood {
    const fn rule(self) -> Rule {
        match self {
            Self::EmptyRecord => (limits::MAX_EMPTY_RECORDS, Some(|| RecordError::TooManyEmpty.into())),
            Self::Warning => (limits::MAX_WARNING_ALERTS, Some(|| RecordError::TooManyWarnings.into())),
            Self::KeyUpdate => (limits::MAX_KEY_UPDATES, Some(|| PeerError::TooManyKeyUpdates.into())),
            Self::HelloRequest => (limits::MAX_HELLO_REQUESTS, Some(|| PeerError::RenegotiationRefused.into())),
            Self::Ticket => (limits::MAX_TICKETS, None),
            Self::CertificateRequest => (limits::MAX_REQUESTS_IN_A_ROW, Some(|| PeerError::TooManyMessages.into())),
            Self::CompatibilityCcs => (limits::MAX_EMPTY_RECORDS, Some(|| RecordError::TooManyEmpty.into())),
        }
    }
}

/// How many of each have come: since there was data, and of the last, which is the handshake's, in all.
#[derive(Default)]
pub(super) struct Floods {
    counts: [u8; Flood::CompatibilityCcs as usize + 1],
    /// KeyUpdates of the peer that we asked for.
    answers_due: u8,
}

impl Floods {
    /// One more has come; whether it is borne.
    pub(super) fn bears(&mut self, what: Flood) -> bool {
        let (most, _) = what.rule();
        self.counts.get_mut(what as usize).is_some_and(|count| {
            *count = count.saturating_add(1);
            *count <= most
        })
    }

    /// One more has come.
    ///
    /// # Errors
    /// If that is one too many.
    pub(super) fn count(&mut self, what: Flood) -> Result<()> {
        let (_, error) = what.rule();
        if self.bears(what) { Ok(()) } else { error.map_or(Ok(()), |error| Err(error())) }
    }

    /// A KeyUpdate has come. An answer to our own request is no flood, though it comes where the peer has no data to send.
    ///
    /// # Errors
    /// If that is one too many.
    pub(super) fn count_update(&mut self, asks: bool) -> Result<()> {
        match self.answers_due.checked_sub(1).filter(|_| !asks) {
            Some(left) => self.answers_due = left,
            None => self.count(Flood::KeyUpdate)?,
        }
        Ok(())
    }

    /// So many KeyUpdates have been asked for.
    pub(super) fn expect_answers(&mut self, asked: u8) {
        self.answers_due = self.answers_due.saturating_add(asked);
    }

    /// Data has come.
    pub(super) fn data_came(&mut self) {
        let [.., in_all] = self.counts;
        self.counts = Self::default().counts;
        let [.., last] = &mut self.counts;
        *last = in_all;
    }
}

/// KeyUpdates of ours since there was data to send.
#[derive(Clone, Copy, Default)]
pub(super) struct OwnUpdates(u8);

impl OwnUpdates {
    /// Whether the peer bears one more, as we do, and one in front of the data.
    pub(super) const fn has_room(self) -> bool {
        self.0 < limits::MAX_KEY_UPDATES - 1
    }

    pub(super) const fn count(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// Data has been sent.
    pub(super) const fn data_went(&mut self) {
        self.0 = 0;
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    const ALL: [Flood; 7] = [
        Flood::EmptyRecord,
        Flood::Warning,
        Flood::KeyUpdate,
        Flood::HelloRequest,
        Flood::Ticket,
        Flood::CertificateRequest,
        Flood::CompatibilityCcs,
    ];

    #[test]
    fn each_is_borne_as_often_as_its_row_says_and_by_itself() {
        let mut floods = Floods::default();
        for what in ALL {
            for _ in 0..what.rule().0 {
                assert!(floods.bears(what));
            }
        }
        for what in ALL {
            assert!(!floods.bears(what));
            assert_eq!(floods.count(what).is_err(), what.rule().1.is_some());
        }
    }

    #[test]
    fn data_begins_all_counts_anew_but_the_handshakes() {
        let mut floods = Floods::default();
        for _ in 0..=u8::MAX {
            for what in ALL {
                let _one_too_many = floods.bears(what);
            }
        }
        floods.data_came();
        let (last, rest) = ALL.split_last().unwrap();
        assert!(rest.iter().all(|what| floods.bears(*what)));
        assert!(!floods.bears(*last));
    }

    #[test]
    fn an_answer_is_no_flood_and_a_request_is_no_answer() {
        let mut floods = Floods::default();
        floods.expect_answers(2);
        for _ in 0..limits::MAX_KEY_UPDATES {
            floods.count_update(true).unwrap();
        }
        floods.count_update(false).unwrap();
        floods.count_update(false).unwrap();
        assert!(floods.count_update(false).is_err(), "two were asked for");
    }

    #[test]
    fn the_peer_bears_our_updates_and_one_more() {
        let (mut own, mut peers) = (OwnUpdates::default(), Floods::default());
        while own.has_room() {
            own.count();
            peers.count_update(true).unwrap();
        }
        peers.count_update(true).unwrap();
        assert!(peers.count_update(true).is_err());
        own.data_went();
        assert!(own.has_room());
    }
}
