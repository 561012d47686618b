//! The status of one certificate by revocation lists: RFC 5280 6.3.3.

use super::crl::{Crl, Entry};
use super::reason::RevocationReason;
use super::standing::{Standing, Trouble};
use super::terms::{Terms, Unfresh, fresh};
use crate::certificate::Certificate;
use crate::certificate::point::{self, ALL_REASONS, DistributionPoint};
use crate::name::compare;
use crate::name::general::SubjectAltName;
use crate::oid::Oid;

/// Finds the status. `signed` tells whether a list is signed by its issuer, whose path must hold. What other
/// answers said is `known`: lists can only make it worse.
///
/// RFC 5280 6.3.3 stops at the first lists that cover all reasons. Where there are more, a list that revokes counts
/// wherever it stands, so that nobody gains by the order of lists or by an older one. Time does not take back what a list
/// revokes: one that is out of date vouches for nobody, but whom it revokes stays revoked (RFC 5280 5.3.1 lets go of
/// certificateHold alone, and that counts until a list of today says otherwise). So it is with a delta that changes no list at
/// hand: what it leaves out says nothing, and what it revokes is revoked.
pub(crate) fn by_lists<'l>(
    certificate: &Certificate<'_>,
    lists: &[Crl<'l>],
    terms: &Terms<'_>,
    known: &Standing,
    signed: &mut dyn FnMut(&Crl<'l>) -> Result<(), Trouble>,
) -> Standing {
    let mut covered = if *known == Standing::Good { ALL_REASONS } else { 0 };
    let mut trouble = Trouble::NoList;
    let mut held = None;
    // RFC 5280 6.3.3: what the distribution points leave open, lists of the issuer itself may settle; not so where the
    // certificate says that somebody else issues its lists. Its own issuer, named where nobody need be (4.2.1.13), is nobody else.
    let own = |name| matches!(name, SubjectAltName::Directory(name) if compare::same(name, certificate.issuer_der()));
    let mut issuers = point::points(certificate.extensions.crl_points).filter_map(|point| point.issuer);
    let delegated = issuers.any(|names| !point::names(names).any(own));
    let whole = (!delegated).then(DistributionPoint::default);
    let mut asked = Asked { certificate, lists, terms, signed };
    for point in point::points(certificate.extensions.crl_points).chain(whole) {
        for list in lists.iter().filter(|list| !list.is_delta()) {
            match asked.list(&point, list, covered) {
                Ok(Said::Nothing) => {}
                Ok(Said::Good(reasons)) => covered |= reasons,
                Ok(Said::Revoked(revoked)) => return revoked,
                Ok(Said::Held(revoked, old)) => {
                    trouble = trouble.nearer(old);
                    held = Some(revoked);
                }
                Err(why) => trouble = trouble.nearer(why),
            }
        }
        for delta in lists.iter().filter(|list| list.is_delta()) {
            match asked.delta_alone(&point, delta) {
                Ok(Said::Revoked(revoked)) => return revoked,
                Ok(Said::Held(revoked, old)) => {
                    trouble = trouble.nearer(old);
                    held = Some(revoked);
                }
                Ok(Said::Nothing | Said::Good(_)) => {}
                Err(why) => trouble = trouble.nearer(why),
            }
        }
    }
    if covered == ALL_REASONS { Standing::Good } else { held.unwrap_or(Standing::Unknown(trouble)) }
}

/// What one list says of a certificate.
enum Said {
    /// Nothing that other lists have not said.
    Nothing,
    /// Not revoked for these reasons.
    Good(u16),
    Revoked(Standing),
    /// It was revoked for a time, when the list was of its day; and why it is not of today.
    Held(Standing, Trouble),
}

struct Asked<'q, 'c, 'l> {
    certificate: &'q Certificate<'c>,
    lists: &'q [Crl<'l>],
    terms: &'q Terms<'q>,
    signed: &'q mut dyn FnMut(&Crl<'l>) -> Result<(), Trouble>,
}

impl<'q, 'l> Asked<'q, '_, 'l> {
    /// What a complete list says at a distribution point, where these reasons are settled.
    fn list(&mut self, point: &DistributionPoint<'_>, list: &Crl<'l>, covered: u16) -> Result<Said, Trouble> {
        let certificate = self.certificate;
        let reasons = applies(certificate, point, list, self.terms)?;
        let old = match fresh(list.this_update(), list.next_update(), self.terms) {
            Ok(()) => None,
            Err(Unfresh::Future(why)) => return Err(why),
            Err(Unfresh::Old(why)) => Some(why),
        };
        let entry = list.find(certificate.serial_der(), certificate.issuer_der());
        match (entry, old) {
            (None, Some(why)) => Err(why),
            (None, None) if reasons & !covered == 0 => Ok(Said::Nothing),
            (Some(entry), Some(old)) => {
                (self.signed)(list)?;
                Ok(Said::then(&entry, old))
            }
            (_, None) => {
                (self.signed)(list)?;
                let delta = self.delta(list);
                Ok(lookup(certificate, list, delta).map_or(Said::Good(reasons), Said::Revoked))
            }
        }
    }

    /// The delta for a complete list: of several the newest, of several newest one that revokes.
    fn delta(&mut self, list: &Crl<'l>) -> Option<&'q Crl<'l>> {
        let Asked { certificate, lists, terms, ref mut signed } = *self;
        let deltas = lists
            .iter()
            .filter(|delta| delta.is_delta_of(list) && usable(delta, terms).is_ok() && signed(delta).is_ok());
        deltas.max_by_key(|delta| {
            let revokes = lookup(certificate, list, Some(delta)).is_some();
            (delta.number.map(|n| (n.len(), n)), delta.this_update(), revokes)
        })
    }

    /// What a delta says at a distribution point by itself, whether or not there is a complete list that it changes.
    fn delta_alone(&mut self, point: &DistributionPoint<'_>, delta: &Crl<'l>) -> Result<Said, Trouble> {
        let certificate = self.certificate;
        applies(certificate, point, delta, self.terms)?;
        let old = match fresh(delta.this_update(), delta.next_update(), self.terms) {
            Ok(()) => None,
            Err(Unfresh::Future(why)) => return Err(why),
            Err(Unfresh::Old(why)) => Some(why),
        };
        let entry = delta.find(certificate.serial_der(), certificate.issuer_der());
        let Some(entry) = entry.filter(|entry| entry.reason() != RevocationReason::REMOVE) else {
            let used = self.lists.iter().any(|list| delta.is_delta_of(list));
            let alone = "a delta list without the complete list that it changes: it vouches for nobody";
            return if used { Ok(Said::Nothing) } else { Err(old.unwrap_or(Trouble::Because(alone.into()))) };
        };
        (self.signed)(delta)?;
        match old {
            Some(old) => Ok(Said::then(&entry, old)),
            None if entry.reason().is_for_a_time() && self.is_lifted(point, delta) => Ok(Said::Nothing),
            None => Ok(Said::Revoked(revoked(&entry))),
        }
    }

    /// Whether a list as new as this one, by itself or with its delta, has let go of the certificate that is held here.
    fn is_lifted(&mut self, point: &DistributionPoint<'_>, held: &Crl<'l>) -> bool {
        let Asked { certificate, lists, terms, .. } = *self;
        lists.iter().filter(|list| !list.is_delta() && list.is_of_scope(held)).any(|list| {
            let counts = applies(certificate, point, list, terms).is_ok()
                && usable(list, terms).is_ok()
                && (self.signed)(list).is_ok();
            let newest = if counts { self.delta(list) } else { None };
            counts && newest.unwrap_or(list).is_as_new_as(held) && lookup(certificate, list, newest).is_none()
        })
    }
}

impl Said {
    /// What a list that is out of date says of whom it has an entry for.
    fn then(entry: &Entry<'_>, old: Trouble) -> Self {
        let revoked = revoked(entry);
        if entry.reason().is_for_a_time() { Self::Held(revoked, old) } else { Self::Revoked(revoked) }
    }
}

fn revoked(entry: &Entry<'_>) -> Standing {
    Standing::Revoked { at: entry.date(), reason: entry.reason() }
}

/// RFC 5280 6.3.3 (i), (j): what the delta takes off the list is good again, if it was there for a time (RFC 5280 5.3.1). Of two
/// entries the worse counts.
fn lookup(certificate: &Certificate<'_>, list: &Crl<'_>, delta: Option<&Crl<'_>>) -> Option<Standing> {
    let (serial, issuer) = (certificate.serial_der(), certificate.issuer_der());
    let listed = list.find(serial, issuer);
    let entry = match delta.and_then(|delta| delta.find(serial, issuer)) {
        Some(new) if new.removes() => listed.filter(|listed| !listed.reason().is_for_a_time()),
        Some(new) if new.reason() != RevocationReason::REMOVE => Some(listed.map_or(new, |listed| new.worse(listed))),
        _ => listed,
    };
    entry.as_ref().map(revoked)
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
    match list.malformed().filter(|_| terms.checker.rules.list_form) {
        Some(why) => Err(Trouble::Because(why.into())),
        None => Ok(()),
    }
}

/// RFC 5280 6.3.3 (a), (b), (d): whether a list speaks for the certificate at this point, and for which reasons.
fn applies(
    certificate: &Certificate<'_>,
    point: &DistributionPoint<'_>,
    list: &Crl<'_>,
    terms: &Terms<'_>,
) -> Result<u16, Trouble> {
    let scope = &list.issuing_point;
    let issuer = certificate.issuer_der();
    let its_own = match point.issuer {
        None => compare::same(list.issuer_der(), issuer),
        Some(names) => {
            let named = point::names(names).any(|name| match name {
                SubjectAltName::Directory(name) => compare::same(name, list.issuer_der()),
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
fn point_issuer<'a>(point: &DistributionPoint<'a>, issuer: &'a [u8]) -> &'a [u8] {
    let named = point.issuer.and_then(|names| {
        point::names(names).find_map(|name| match name {
            SubjectAltName::Directory(name) => Some(name),
            _ => None,
        })
    });
    named.unwrap_or(issuer)
}
