//! Who may answer for a certificate: whoever issued it.

use super::crl::Crl;
use crate::certificate::Certificate;
use crate::name::compare;

/// A name and a key that issue certificates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issuer<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) spki: &'a [u8],
    /// RFC 5280 6.3.3 (f): whoever it is, a keyUsage that is there has cRLSign.
    pub(crate) may_sign_lists: bool,
}

impl<'a> Issuer<'a> {
    pub(crate) fn of(certificate: &Certificate<'a>) -> Self {
        Self {
            name: certificate.subject_der(),
            spki: certificate.spki(),
            may_sign_lists: certificate.key_usage().is_none_or(|u| u.crl_sign()),
        }
    }

    /// Whether a list has its name.
    pub(crate) fn names(&self, list: &Crl<'_>) -> bool {
        compare::same(list.issuer_der(), self.name)
    }

    /// RFC 5280 6.3.3 (f), (g): whether a list of its name is its own; `good` checks the signature with its key. Or why not.
    pub(crate) fn signed(&self, good: impl FnOnce(&[u8]) -> bool) -> Result<(), &'static str> {
        if !self.may_sign_lists {
            Err("a list by an issuer whose keyUsage lacks cRLSign")
        } else if good(self.spki) {
            Ok(())
        } else {
            Err("a list with a wrong signature")
        }
    }
}
