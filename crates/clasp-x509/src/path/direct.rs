//! The status of a certificate whose issuer is known, without a path.

use super::budget::Allowance;
use super::constraint;
use super::options::Options;
use crate::certificate::Certificate;
use crate::revocation::issuer::Issuer;
use crate::revocation::lists::by_lists;
use crate::revocation::ocsp::Around;
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
    let issuers: SmallVec<[(&Certificate<'_>, Issuer<'_>); 2]> = issuers.iter().map(|c| (c, Issuer::of(c))).collect();
    let mut known = Standing::Unknown(Trouble::NoList);
    for response in revocation.stapled.iter().chain(revocation.responses) {
        match OcspResponse::parse(response) {
            Ok(response) => {
                for (above, issuer) in &issuers {
                    let mut around = Beside { above, issuer, terms: &terms, options, nested: false };
                    known = known.with(response.status(certificate, issuer, &terms, &mut around));
                }
            }
            Err(why) => known = known.with(Standing::Unknown(why.into())),
        }
    }
    let mut signed = |list: &Crl<'_>| {
        let mut trouble = Trouble::Because("a list whose issuer is not known".into());
        for (_, issuer) in issuers.iter().filter(|(_, issuer)| issuer.names(list)) {
            match issuer.signed(|spki| list.is_signed(spki, &checker)) {
                Ok(()) => return Ok(()),
                Err(why) => trouble = why,
            }
        }
        Err(trouble)
    };
    let listed = by_lists(certificate, revocation.lists, &terms, &known, &mut signed);
    known.with(listed)
}

/// What stands around a response by an issuer without a path. The issuers are the caller's, so that no peer chooses how many
/// signatures there are.
struct Beside<'q, 'a> {
    above: &'q Certificate<'a>,
    issuer: &'q Issuer<'a>,
    terms: &'q Terms<'a>,
    options: &'q Options<'a>,
    /// Whether this is of an answer about a delegate.
    nested: bool,
}

impl<'a> Around<'a> for Beside<'_, 'a> {
    fn signature(&mut self) -> bool {
        true
    }

    fn against(&mut self, delegate: &Certificate<'a>) -> Option<&'static str> {
        let mut allowance = Allowance::WHOLE;
        let constraints = self.above.extensions.name_constraints;
        if constraints.is_some_and(|within| constraint::check(delegate, &within, false, &mut allowance).is_err()) {
            return Some("an OCSP responder whose name its issuer may not certify");
        }
        let Self { issuer, options, .. } = *self;
        let terms = Terms { nonce: None, ..*self.terms };
        let mut nested = Beside { nested: true, ..*self };
        let revocation = &options.revocation;
        let responses =
            revocation.stapled.iter().chain(revocation.responses).filter_map(|r| OcspResponse::parse(r).ok());
        let mut responses = responses.map(|response| response.status(delegate, issuer, &terms, &mut nested));
        let revoked = |standing: Standing| matches!(standing, Standing::Revoked { .. });
        let mut signed = |list: &Crl<'_>| issuer.signed(|spki| list.is_signed(spki, &terms.checker));
        (!self.nested
            && (responses.any(revoked)
                || revoked(by_lists(delegate, revocation.lists, &terms, &Standing::Good, &mut signed))))
        .then_some("an OCSP responder whose certificate is revoked")
    }
}
