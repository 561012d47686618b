//! Who may answer for a certificate: whoever issued it.

use super::crl::Crl;
use super::standing::Trouble;
use crate::certificate::Certificate;
use crate::name::compare;
use crate::signature::SignatureRefusal;

/// A name and a key that issue certificates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuer<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// RFC 5280 6.3.3 (f), 4.2.1.3: whoever it is, a keyUsage that is there has cRLSign, and where there is none it is an authority.
    pub(crate) may_sign_lists: bool,
}

impl<'a> Issuer<'a> {
    pub(crate) fn of(certificate: &Certificate<'a>) -> Self {
        Self { name: certificate.subject_der(), spki: certificate.spki(), may_sign_lists: certificate.may_sign_lists() }
    }

    /// Whether a list has its name.
    pub(crate) fn names(&self, list: &Crl<'_>) -> bool {
        compare::same(list.issuer_der(), self.name)
    }

    /// RFC 5280 6.3.3 (f), (g): whether a list of its name is its own; `good` checks the signature with its key. Or why not.
    pub(crate) fn signed(&self, good: impl FnOnce(&[u8]) -> Result<(), SignatureRefusal>) -> Result<(), Trouble> {
        if !self.may_sign_lists {
            let why = "a list by an issuer whose keyUsage lacks cRLSign, or that is no authority and has no keyUsage";
            return Err(Trouble::Because(why.into()));
        }
        good(self.spki).map_err(|why| Trouble::Because(format!("a list with {why}")))
    }
}
