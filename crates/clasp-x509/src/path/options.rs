//! What a chain is checked against.

use super::policy::PolicyInputs;
use crate::certificate::usage::{KeyUsage, Usage};
use crate::profile::{Profile, Rules};
use crate::revocation::Revocation;
use crate::signature::{AwsLc, Checker, VerifySignature};
use rustls_pki_types::{ServerName, UnixTime};

/// What to check a chain against.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options<'a> {
    /// The time to check for.
    pub time: UnixTime,
    /// The use to check for.
    pub usage: Usage,
    /// The name the peer must have; none for clients.
    pub name: Option<&'a ServerName<'a>>,
    /// The mailbox the peer must have.
    pub mailbox: Option<&'a str>,
    /// How strict to be; none leaves it to the root that a path ends in ([`by_roots`](Self::by_roots)).
    pub profile: Option<Profile>,
    /// Whether a common name stands in for missing subjectAltNames, as a host name or as an address: where there is neither among
    /// them, whatever else there is. By default the profile decides.
    pub common_name: Option<bool>,
    /// What the peer's key must be for, besides.
    pub key_usage: Option<KeyUsage>,
    /// How many certificates, those that issue to themselves not counted, may stand between the leaf and a root.
    pub max_intermediates: Option<u32>,
    /// What is asked of certificate policies.
    pub policies: PolicyInputs<'a>,
    /// What is known of revocation, and what is asked of it.
    pub revocation: Revocation<'a>,
    /// Who checks signatures: AWS-LC, unless another library is to.
    pub signatures: &'a dyn VerifySignature,
    /// Whether the caller goes on to check a signature with the leaf's key, as TLS does. That finds out a key of a curve that
    /// is no point of it; otherwise this is looked at here.
    pub proof_follows: bool,
}

impl<'a> Options<'a> {
    /// For this time and use, with the strictest profile, and nothing asked of names, policies or revocation.
    pub fn new(time: UnixTime, usage: Usage) -> Self {
        Self {
            time,
            usage,
            name: None,
            mailbox: None,
            profile: Some(Profile::default()),
            common_name: None,
            key_usage: None,
            max_intermediates: None,
            policies: PolicyInputs::default(),
            revocation: Revocation::default(),
            signatures: &AwsLc,
            proof_follows: false,
        }
    }

    /// Demands a name.
    #[must_use]
    pub fn name(self, name: &'a ServerName<'a>) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Is as strict as this.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// Is as strict as the root that a path ends in wants: [`Roots`](crate::Roots) know which are the web's, and which the
    /// caller's own.
    #[must_use]
    pub fn by_roots(self) -> Self {
        Self { profile: None, ..self }
    }

    /// Looks at revocation.
    #[must_use]
    pub fn revocation(self, revocation: Revocation<'a>) -> Self {
        Self { revocation, ..self }
    }

    /// Has signatures checked by this.
    #[must_use]
    pub fn signatures(self, signatures: &'a dyn VerifySignature) -> Self {
        Self { signatures, ..self }
    }

    pub(crate) fn checker(&self) -> Checker<'a> {
        Checker { face: self.signatures, rules: self.rules() }
    }

    pub(crate) fn rules(&self) -> &'static Rules {
        Rules::of(self.profile.unwrap_or_default())
    }

    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.time.as_secs()).unwrap_or(i64::MAX)
    }

    pub(crate) fn common_name(&self) -> bool {
        self.common_name.unwrap_or(self.rules().common_name)
    }
}
