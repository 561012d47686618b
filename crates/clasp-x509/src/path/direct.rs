//! The status of a certificate whose issuer is known, without a path.

use super::options::Options;
use crate::certificate::Certificate;
use crate::revocation::issuer::Issuer;
use crate::revocation::lists::by_lists;
use crate::revocation::terms::Terms;
use crate::revocation::{Crl, OcspResponse, Standing, Trouble};
use smallvec::SmallVec;

/// The status of `certificate` by lists and OCSP responses. Its `issuers` are certificates of the authority that issued
/// it, which the caller trusts: more than one where the authority has changed its key.
///
/// Of the options the time, the profile, what is known of revocation and who checks signatures are looked at;
/// [`Revocation::check`](crate::Revocation::check) and [`Revocation::scope`](crate::Revocation::scope) are not. One answer that says
/// revoked is enough, whatever the others say.
pub fn standing(certificate: &Certificate<'_>, issuers: &[Certificate<'_>], options: &Options<'_>) -> Standing {
    let (revocation, checker) = (&options.revocation, options.checker());
    let terms = Terms::of(revocation, options.now(), checker);
    let issuers: SmallVec<[Issuer<'_>; 2]> = issuers.iter().map(Issuer::of).collect();
    let mut known = Standing::Unknown(Trouble::NoList);
    // The issuers are the caller's: no peer chooses how many there are.
    let mut unbounded = || true;
    for response in revocation.stapled.iter().chain(revocation.responses) {
        match OcspResponse::parse(response) {
            Ok(response) => {
                for issuer in &issuers {
                    known = known.with(response.status(certificate, issuer, &terms, &mut unbounded));
                }
            }
            Err(why) => known = known.with(Standing::Unknown(why.into())),
        }
    }
    let mut signed = |list: &Crl<'_>| {
        let mut trouble = "a list whose issuer is not known";
        for issuer in issuers.iter().filter(|issuer| issuer.names(list)) {
            match issuer.signed(|spki| list.is_signed(spki, &checker)) {
                Ok(()) => return Ok(()),
                Err(why) => trouble = why,
            }
        }
        Err(Trouble::Because(trouble.into()))
    };
    let listed = by_lists(certificate, revocation.lists, &terms, &known, &mut signed);
    known.with(listed)
}
