//! The status of one certificate by revocation lists: RFC 5280 6.3.3.

use super::crl::{Crl, RevocationReason};
use super::point::{self, ALL_REASONS, Point};
use super::{Standing, Trouble};
use crate::certificate::Certificate;
use crate::name::compare;
use crate::oid::Oid;
use crate::profile::Rules;
use crate::time::Moment;

/// What deciding needs besides the lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'r> {
    pub(crate) now: i64,
    /// How old a list without nextUpdate may be, in seconds.
    pub(crate) max_age: Option<i64>,
    pub(crate) indirect: bool,
    pub(crate) rules: &'r Rules,
}

impl Terms<'_> {
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

/// Finds the status. `signed` tells whether the list at a place is signed by its issuer, whose path must hold. What other
/// answers said is `known`: lists can only make it worse.
///
/// RFC 5280 6.3.3 stops at the first lists that cover all reasons. Where there are more, a list that revokes counts
/// wherever it stands, so that nobody gains by the order of lists or by an older one. Time does not take back what a list
/// revokes: one that is out of date vouches for nobody, but whom it revokes stays revoked (RFC 5280 5.3.1 lets go of
/// certificateHold alone, and that counts until a list of today says otherwise).
pub(crate) fn by_lists(
    certificate: &Certificate<'_>,
    lists: &[Crl<'_>],
    terms: &Terms<'_>,
    known: &Standing,
    signed: &mut dyn FnMut(usize) -> Result<(), Trouble>,
) -> Standing {
    let mut covered = if *known == Standing::Good { ALL_REASONS } else { 0 };
    let mut trouble = Trouble::NoList;
    let mut held = None;
    // RFC 5280 6.3.3: what the distribution points leave open, lists of the issuer itself may settle; not so where the
    // certificate says that somebody else issues its lists.
    let delegated = point::points(certificate.extensions.crl_points).any(|point| point.issuer.is_some());
    let whole = (!delegated).then(Point::default);
    for point in point::points(certificate.extensions.crl_points).chain(whole) {
        for (place, list) in lists.iter().enumerate() {
            if list.is_delta() {
                continue;
            }
            let reasons = match applies(certificate, &point, list, terms) {
                Ok(reasons) => reasons,
                Err(why) => {
                    trouble = trouble.nearer(why);
                    continue;
                }
            };
            let old = match fresh(list.this_update(), list.next_update(), terms) {
                Ok(()) => None,
                Err(Unfresh::Future(why)) => {
                    trouble = trouble.nearer(why);
                    continue;
                }
                Err(Unfresh::Old(why)) => Some(why),
            };
            let entry = list.find(certificate.serial_der(), certificate.issuer_der());
            if entry.is_none() && (old.is_some() || reasons & !covered == 0) {
                trouble = old.map_or(trouble.clone(), |why| trouble.nearer(why));
                continue;
            }
            if let Err(why) = signed(place) {
                trouble = trouble.nearer(why);
                continue;
            }
            if let (Some(why), Some(entry)) = (old, entry) {
                let revoked = Standing::Revoked { at: entry.date(), reason: entry.reason() };
                trouble = trouble.nearer(why);
                if !entry.reason().is_for_a_time() {
                    return revoked;
                }
                held = Some(revoked);
                continue;
            }
            let deltas = lists.iter().enumerate().filter(|(place, delta)| {
                delta.is_delta() && list.is_base_of(delta) && usable(delta, terms).is_ok() && signed(*place).is_ok()
            });
            // Of several the newest counts; of several newest one that revokes.
            let delta = deltas.map(|(_, delta)| delta).max_by_key(|delta| {
                (
                    delta.number.map(|n| (n.len(), n)),
                    delta.this_update(),
                    lookup(certificate, list, Some(delta)).is_some(),
                )
            });
            if let Some(revoked) = lookup(certificate, list, delta) {
                return revoked;
            }
            covered |= reasons;
        }
    }
    if covered == ALL_REASONS { Standing::Good } else { held.unwrap_or(Standing::Unknown(trouble)) }
}

/// RFC 5280 6.3.3 (i), (j): the delta first; what it takes off the list is good again.
fn lookup(certificate: &Certificate<'_>, list: &Crl<'_>, delta: Option<&Crl<'_>>) -> Option<Standing> {
    let (serial, issuer) = (certificate.serial_der(), certificate.issuer_der());
    let entry = match delta.and_then(|delta| delta.find(serial, issuer)) {
        Some(entry) if entry.reason() == RevocationReason::REMOVE => return None,
        Some(entry) => Some(entry),
        None => list.find(serial, issuer),
    };
    entry.map(|e| Standing::Revoked { at: e.date(), reason: e.reason() })
}

/// Whether a list may be used to vouch for a certificate.
fn usable(list: &Crl<'_>, terms: &Terms<'_>) -> Result<(), Trouble> {
    formed(list, terms)?;
    fresh(list.this_update(), list.next_update(), terms).map_err(Trouble::from)
}

/// Whether a list is one whose words can be taken, whenever they were said: its extensions and its form.
fn formed(list: &Crl<'_>, terms: &Terms<'_>) -> Result<(), Trouble> {
    if let Some(oid) = list.unknown_critical {
        return Err(Trouble::Because(format!("a list with the critical extension {}", Oid(oid))));
    }
    match list.malformed().filter(|_| terms.rules.list_form) {
        Some(why) => Err(Trouble::Because(why.into())),
        None => Ok(()),
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

/// RFC 5280 6.3.3 (a), (b), (d): whether a list speaks for the certificate at this point, and for which reasons.
fn applies(
    certificate: &Certificate<'_>,
    point: &Point<'_>,
    list: &Crl<'_>,
    terms: &Terms<'_>,
) -> Result<u16, Trouble> {
    let scope = &list.scope;
    let issuer = certificate.issuer_der();
    let its_own = match point.issuer {
        None => compare::same(list.issuer_der(), issuer),
        Some(names) => {
            let named = point::names(names).any(|name| match name {
                crate::name::general::SubjectAltName::Directory(name) => compare::same(name, list.issuer_der()),
                _ => false,
            });
            named && scope.indirect
        }
    };
    if !its_own {
        return Err(Trouble::NoList);
    }
    let other = |why: &str| Err(Trouble::Because(why.into()));
    if scope.indirect && !terms.indirect {
        return other("an indirect list, which the profile does not take");
    }
    if let Some(name) = &scope.name {
        let meets = match (&point.name, point.issuer) {
            (Some(wanted), _) => name.meets(list.issuer_der(), wanted, point_issuer(point, issuer)),
            (None, Some(names)) => name.is_one_of(list.issuer_der(), names),
            // The implied point has the name of the certificate's issuer.
            (None, None) => name.meets_directory(list.issuer_der(), issuer),
        };
        if !meets {
            return other("a list for another distribution point");
        }
    }
    if scope.only_users && certificate.is_authority() {
        return other("a list of users' certificates only");
    }
    if scope.only_authorities && !certificate.is_authority() {
        return other("a list of authorities' certificates only");
    }
    if scope.only_attributes {
        return other("a list of attribute certificates only");
    }
    formed(list, terms)?;
    Ok(point.reasons.unwrap_or(ALL_REASONS) & scope.reasons.unwrap_or(ALL_REASONS))
}

/// What a relative name of the certificate's point stands below: RFC 5280 4.2.1.13, cRLIssuer or else the issuer.
fn point_issuer<'a>(point: &Point<'a>, issuer: &'a [u8]) -> &'a [u8] {
    let named = point.issuer.and_then(|names| {
        point::names(names).find_map(|name| match name {
            crate::name::general::SubjectAltName::Directory(name) => Some(name),
            _ => None,
        })
    });
    named.unwrap_or(issuer)
}
