//! Profiles: how strict to be. This file is the one place where they differ; docs/certificates.md has the same table.

/// A set of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// What the public web demands: RFC 5280 with its rules for what a certificate contains, and those of the
    /// CA/Browser Forum's Baseline Requirements that a verifier can check.
    #[default]
    WebPki,
    /// Path validation as RFC 5280 section 6 has it, for private authorities.
    Rfc5280,
    /// What old devices present, for a device that is pinned by its own authority: never for the public web.
    Legacy,
}

impl Profile {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebPki => "web-pki",
            Self::Rfc5280 => "rfc5280",
            Self::Legacy => "legacy",
        }
    }

    /// All profiles, strictest first.
    pub const ALL: [Self; 3] = [Self::WebPki, Self::Rfc5280, Self::Legacy];
}

/// What the profiles decide.
#[derive(Debug)]
pub(crate) struct Rules {
    /// A root given as a certificate is checked like any other, with its form and its key. Otherwise its dates, constraints,
    /// purposes and critical extensions count (RFC 5937 4), and what else it has does not (RFC 5280 6.1.1 d).
    pub(crate) roots_as_certificates: bool,
    /// The form of certificates is checked: `path/form.rs`.
    pub(crate) form: bool,
    /// anyExtendedKeyUsage in a leaf stands for every use.
    pub(crate) any_usage: bool,
    /// Leaves of version 1 and 2.
    pub(crate) old_versions: bool,
    /// A common name stands in for missing subjectAltNames.
    pub(crate) common_name: bool,
    /// Signatures with SHA-1.
    pub(crate) sha1: bool,
    /// The least RSA modulus.
    pub(crate) min_rsa_bits: u32,
    /// RSA moduli must be whole bytes, with an odd exponent of at least 3.
    pub(crate) rsa_form: bool,
    /// Revocation lists must have what RFC 5280 5 asks for: version 2, cRLNumber, authorityKeyIdentifier, and
    /// extensions critical or not as it says.
    pub(crate) list_form: bool,
    /// Revocation lists may speak for other issuers.
    pub(crate) indirect_crls: bool,
}

/// The least RSA modulus where signatures are to be believed: what profiles demand but that for old devices, and handshakes always.
pub const MIN_RSA_BITS: u32 = 2048;

const WEB_PKI: Rules = Rules {
    roots_as_certificates: true,
    form: true,
    any_usage: false,
    old_versions: false,
    common_name: false,
    sha1: false,
    min_rsa_bits: MIN_RSA_BITS,
    rsa_form: true,
    list_form: true,
    indirect_crls: false,
};

const RFC_5280: Rules = Rules {
    roots_as_certificates: false,
    form: false,
    any_usage: true,
    old_versions: true,
    common_name: false,
    sha1: false,
    min_rsa_bits: MIN_RSA_BITS,
    rsa_form: false,
    list_form: false,
    indirect_crls: true,
};

const LEGACY: Rules = Rules { common_name: true, sha1: true, min_rsa_bits: 1024, ..RFC_5280 };

impl Rules {
    pub(crate) const fn of(profile: Profile) -> &'static Self {
        match profile {
            Profile::WebPki => &WEB_PKI,
            Profile::Rfc5280 => &RFC_5280,
            Profile::Legacy => &LEGACY,
        }
    }
}
