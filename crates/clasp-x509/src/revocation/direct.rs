//! The status of a certificate whose issuer is known, without a path.

use super::crl::Crl;
use super::ocsp::OcspResponse;
use super::status::{self, Terms};
use super::{Revocation, Standing, Trouble};
use crate::certificate::Certificate;
use crate::name::compare;
use crate::profile::{Profile, Rules};
use rustls_pki_types::UnixTime;

/// The status of `certificate` by lists and OCSP responses. Its `issuers` are certificates of the authority that issued
/// it, which the caller trusts: more than one where the authority has changed its key.
///
/// [`Revocation::check`] and [`Revocation::scope`] are not looked at. One answer that says revoked is enough, whatever the
/// others say.
pub fn standing(
    certificate: &Certificate<'_>,
    issuers: &[Certificate<'_>],
    time: UnixTime,
    profile: Profile,
    revocation: &Revocation<'_>,
) -> Standing {
    let rules = Rules::of(profile);
    let terms = Terms {
        now: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        max_age: revocation.max_age.map(|age| i64::try_from(age).unwrap_or(i64::MAX)),
        indirect: revocation.indirect.unwrap_or(rules.indirect_crls),
        rules,
    };
    let mut known = Standing::Unknown(Trouble::NoList);
    for response in revocation.stapled.iter().chain(revocation.responses) {
        match OcspResponse::parse(response) {
            Ok(response) => {
                for issuer in issuers {
                    let (name, spki) = (issuer.subject_der(), issuer.spki());
                    known = known.with(response.status(certificate, name, spki, revocation.nonce, &terms));
                }
            }
            Err(why) => known = known.with(Standing::Unknown(Trouble::unusable(why))),
        }
    }
    let mut signed = |place: usize| match revocation.lists.get(place) {
        Some(list) => list_signed(list, issuers, rules),
        None => Err(Trouble::NoList),
    };
    let listed = status::by_lists(certificate, revocation.lists, &terms, &known, &mut signed);
    known.with(listed)
}

fn list_signed(list: &Crl<'_>, issuers: &[Certificate<'_>], rules: &'static Rules) -> Result<(), Trouble> {
    let mut trouble = "a list whose issuer is not known";
    for issuer in issuers.iter().filter(|i| compare::same(i.subject_der(), list.issuer_der())) {
        if issuer.key_usage().is_some_and(|u| !u.crl_sign()) {
            trouble = "a list by an issuer whose keyUsage lacks cRLSign";
        } else if list.is_signed(issuer.spki(), rules) {
            return Ok(());
        } else {
            trouble = "a list with a wrong signature";
        }
    }
    Err(Trouble::Because(trouble.into()))
}
