//! Whom to trust.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{free, give, or, run, there};
use crate::error::{Result, clasp_code, clasp_error};
use crate::memory::clasp_bytes;
use clasp::Roots;
use clasp::config::Profile;
use clasp::x509::RootsError;
use core::mem::MaybeUninit;
use std::sync::Arc;

/// What the public web demands of certificates: RFC 5280 and the CA/Browser Forum's Baseline Requirements.
pub const CLASP_PROFILE_WEB_PKI: u32 = 1;
/// Path validation of RFC 5280, for private authorities.
pub const CLASP_PROFILE_RFC5280: u32 = 2;
/// What old devices present, for a device that is pinned by its own authority: never for the public web.
pub const CLASP_PROFILE_LEGACY: u32 = 3;

/// Authorities that are trusted. One thread at a time may add to them; builders that were given them have what they held then.
#[allow(non_camel_case_types, reason = "C's names")]
#[derive(Default)]
pub struct clasp_roots(Arc<Roots>);

impl clasp_roots {
    pub(crate) fn share(&self) -> Arc<Roots> {
        self.0.clone()
    }
}

fn profile(code: u32) -> Result<Profile> {
    match code {
        CLASP_PROFILE_WEB_PKI => Ok(Profile::WebPki),
        CLASP_PROFILE_RFC5280 => Ok(Profile::Rfc5280),
        CLASP_PROFILE_LEGACY => Ok(Profile::Legacy),
        other => Err(clasp_error::argument("profile", other, "one of CLASP_PROFILE_...")),
    }
}

#[allow(clippy::needless_pass_by_value)] // for map_err
fn unread(fault: RootsError) -> Box<clasp_error> {
    clasp_error::new(clasp_code::Caller, "BadCertificateFile", fault.to_string(), "")
}

/// Trusts nobody yet. Free *roots with clasp_roots_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_new(
    roots: Option<&mut MaybeUninit<Option<Box<clasp_roots>>>>,
) -> Option<Box<clasp_error>> {
    give(roots, "roots", || Ok(Some(Box::default())))
}

/// Trusts what the system trusts, by CLASP_PROFILE_WEB_PKI. Reads the system's files: it takes a while, and may be kept for
/// all configurations. Free *roots with clasp_roots_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_native(
    roots: Option<&mut MaybeUninit<Option<Box<clasp_roots>>>>,
) -> Option<Box<clasp_error>> {
    give(roots, "roots", || {
        let native = Roots::native().map_err(|fault| {
            clasp_error::new(
                clasp_code::Outside,
                "NoStore",
                fault.to_string(),
                "clasp_roots_bundled has Mozilla's as of this build",
            )
        })?;
        Ok(Some(Box::new(clasp_roots(Arc::new(native)))))
    })
}

/// Trusts the roots of Mozilla's program as they were when this was built, by CLASP_PROFILE_WEB_PKI. They go stale with the library.
/// Free *roots with clasp_roots_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_bundled(
    roots: Option<&mut MaybeUninit<Option<Box<clasp_roots>>>>,
) -> Option<Box<clasp_error>> {
    give(roots, "roots", || Ok(Some(Box::new(clasp_roots(Arc::new(Roots::bundled()))))))
}

/// Trusts every certificate of a PEM file as the caller's own authority (CLASP_PROFILE_RFC5280); *added is their number. If one cannot
/// be read, none is added.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_add_pem(
    roots: Option<&mut clasp_roots>,
    pem: clasp_bytes<'_>,
    added: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    clasp_roots_add_pem_as(roots, pem, CLASP_PROFILE_RFC5280, added)
}

/// The same, with the profile that chains to them are held to: one of CLASP_PROFILE_...
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_add_pem_as(
    roots: Option<&mut clasp_roots>,
    pem: clasp_bytes<'_>,
    profile: u32,
    added: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    give(added, "added", || {
        let roots = there(roots, "roots")?;
        let (pem, profile) = (pem.get("pem")?, self::profile(profile)?);
        Arc::make_mut(&mut roots.0).add_pem_as(pem, profile).map_err(unread)
    })
}

/// Trusts one certificate in DER, with the profile that chains to it are held to: one of CLASP_PROFILE_...
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_roots_add_der(
    roots: Option<&mut clasp_roots>,
    der: clasp_bytes<'_>,
    profile: u32,
) -> Option<Box<clasp_error>> {
    run(|| {
        let roots = there(roots, "roots")?;
        let (der, profile) = (der.get("der")?, self::profile(profile)?);
        Arc::make_mut(&mut roots.0).add_der_as(der, profile).map_err(unread)
    })
}

/// How many are trusted; 0 of NULL.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_roots_count(roots: Option<&clasp_roots>) -> usize {
    or(0, || roots.map_or(0, |roots| roots.0.len()))
}

/// Frees roots. NULL is borne; builders and configurations keep what they were given.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_roots_free(roots: Option<Box<clasp_roots>>) {
    free(roots);
}
