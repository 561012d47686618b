//! What deciding needs besides the answers, and whether an answer is of today.

use super::asked::Revocation;
use super::standing::Trouble;
use crate::signature::Checker;
use crate::time::Moment;

/// What deciding needs besides the lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'r> {
    pub(crate) now: i64,
    /// How old a list without nextUpdate may be, in seconds.
    pub(crate) max_age: Option<i64>,
    pub(crate) indirect: bool,
    /// What a response to a request must have.
    pub(crate) nonce: Option<&'r [u8]>,
    pub(crate) checker: Checker<'r>,
}

impl<'r> Terms<'r> {
    pub(crate) fn of(revocation: &Revocation<'r>, now: i64, checker: Checker<'r>) -> Self {
        Self {
            now,
            max_age: revocation.max_age.map(|age| i64::try_from(age).unwrap_or(i64::MAX)),
            indirect: revocation.indirect.unwrap_or(checker.rules.indirect_crls),
            nonce: revocation.nonce,
            checker,
        }
    }

    /// The last second for which an answer, or what stands behind it, is what it is now: of the future, in use, or out of
    /// date for good.
    pub(crate) fn end(&self, this_update: i64, next_update: Option<i64>) -> i64 {
        if this_update > self.now {
            return this_update.saturating_sub(1);
        }
        let aged = self.max_age.map_or(i64::MAX, |age| this_update.saturating_add(age));
        let end = next_update.unwrap_or(i64::MAX).min(aged);
        if end < self.now { i64::MAX } else { end }
    }
}

/// Why an answer does not count now.
#[derive(Debug)]
pub(crate) enum Unfresh {
    /// It is not of today yet.
    Future(Trouble),
    /// It vouches for nobody any more.
    Old(Trouble),
}

impl From<Unfresh> for Trouble {
    fn from(why: Unfresh) -> Self {
        match why {
            Unfresh::Future(why) | Unfresh::Old(why) => why,
        }
    }
}

/// Whether something issued then may be used now. Without nextUpdate there is news at any time (RFC 6960 4.2.2.1): such an
/// answer is refused by RFC 5019 4 and RFC 5280 5.1.2.5, lest it count for ever; it counts where the caller bounds its age.
pub(crate) fn fresh(this_update: i64, next_update: Option<i64>, terms: &Terms<'_>) -> Result<(), Unfresh> {
    if this_update > terms.now {
        let why = format!("an answer of the future: thisUpdate {}", Moment(this_update));
        return Err(Unfresh::Future(Trouble::Because(why)));
    }
    let old = |why: String| Err(Unfresh::Old(Trouble::Because(why)));
    let aged = terms.max_age.is_some_and(|age| terms.now.saturating_sub(this_update) > age);
    match next_update {
        Some(next) if next < terms.now => old(format!("an answer that is out of date: nextUpdate {}", Moment(next))),
        _ if aged => old(format!("an answer that is too old: thisUpdate {}", Moment(this_update))),
        None if terms.max_age.is_none() => {
            old(format!("an answer without nextUpdate, of {}: nobody can tell when it ends", Moment(this_update)))
        }
        _ => Ok(()),
    }
}
