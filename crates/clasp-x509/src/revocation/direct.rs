//! The status of a certificate whose issuer is known, without a path.

use super::asked::Revocation;
use super::crl::Crl;
use super::issuer::Issuer;
use super::lists::by_lists;
use super::ocsp::OcspResponse;
use super::standing::{Standing, Trouble};
use super::terms::Terms;
use crate::certificate::Certificate;
use crate::profile::{Profile, Rules};
use rustls_pki_types::UnixTime;
use smallvec::SmallVec;

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
    let terms = Terms::of(revocation, i64::try_from(time.as_secs()).unwrap_or(i64::MAX), rules);
    let issuers: SmallVec<[Issuer<'_>; 2]> = issuers.iter().map(Issuer::of).collect();
    let mut known = Standing::Unknown(Trouble::NoList);
    for response in revocation.stapled.iter().chain(revocation.responses) {
        match OcspResponse::parse(response) {
            Ok(response) => {
                for issuer in &issuers {
                    known = known.with(response.status(certificate, issuer, &terms));
                }
            }
            Err(why) => known = known.with(Standing::Unknown(why.into())),
        }
    }
    let mut signed = |list: &Crl<'_>| {
        let mut trouble = "a list whose issuer is not known";
        for issuer in issuers.iter().filter(|issuer| issuer.names(list)) {
            match issuer.signed(|spki| list.is_signed(spki, rules)) {
                Ok(()) => return Ok(()),
                Err(why) => trouble = why,
            }
        }
        Err(Trouble::Because(trouble.into()))
    };
    let listed = by_lists(certificate, revocation.lists, &terms, &known, &mut signed);
    known.with(listed)
}
