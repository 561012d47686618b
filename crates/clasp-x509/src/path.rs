//! Path building and checking: RFC 5280 6.1, with a budget, so that no chain is slow to refuse.

use crate::certificate::Certificate;
use crate::der::{self, Der};
use crate::name;
use crate::reason::{Reason, Rejection};
use crate::roots::Roots;
use crate::signature;
use rustls_pki_types::{ServerName, UnixTime};

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// To be a TLS server (id-kp-serverAuth).
    Server,
    /// To be a TLS client (id-kp-clientAuth).
    Client,
}

/// What to check a chain against.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The time to check for.
    pub time: UnixTime,
    /// The use to check for.
    pub usage: Usage,
    /// The name the peer must have; none for clients.
    pub name: Option<&'a ServerName<'a>>,
}

/// Signatures checked for one chain. A good chain needs its length.
const MAX_SIGNATURES: usize = 32;
/// Certificates between the leaf and a root.
const MAX_INTERMEDIATES: usize = 8;
/// Certificates taken from a peer.
const MAX_PRESENTED: usize = 32;

/// Finds a path from `chain[0]` to a root and checks it. The other certificates may come in any order.
///
/// # Errors
/// The nearest miss among the paths tried.
pub fn verify<'a>(chain: &[&'a [u8]], roots: &Roots, options: &Options<'_>) -> Result<Certificate<'a>, Box<Rejection>> {
    let mut parsed = Vec::with_capacity(chain.len().min(MAX_PRESENTED));
    for (index, der) in chain.iter().take(MAX_PRESENTED).enumerate() {
        match Certificate::parse(der) {
            Ok(certificate) => parsed.push((index, certificate)),
            // Only the leaf must be readable: a stray certificate does not spoil a good chain.
            Err(field) if index == 0 => return Err(unreadable(field)),
            Err(_) => {}
        }
    }
    let Some(((_, leaf), issuers)) = parsed.split_first() else { return Err(unreadable("certificate")) };
    let search = &mut Search { roots, issuers, options, signatures: MAX_SIGNATURES, used: Vec::new() };
    check_leaf(leaf, options)?;
    search.climb(0, leaf)?;
    match options.name {
        Some(wanted) if !name::matches(leaf, wanted) => {
            Err(reject(Reason::NameMismatch, 0, leaf, "RFC 9525 6", name::list(leaf), wanted.to_str().into_owned()))
        }
        _ => Ok(*leaf),
    }
}

struct Search<'s, 'a> {
    roots: &'s Roots,
    issuers: &'s [(usize, Certificate<'a>)],
    options: &'s Options<'s>,
    signatures: usize,
    used: Vec<usize>,
}

impl<'a> Search<'_, 'a> {
    /// Finds an issuer for `certificate`, which stands at `index` of the presented chain.
    fn climb(&mut self, index: usize, certificate: &Certificate<'a>) -> Result<(), Box<Rejection>> {
        check_time(index, certificate, self.options.time)?;
        if !signature::is_supported(certificate.signature_algorithm) {
            let found = format!("signature algorithm {:02x?}", certificate.signature_algorithm);
            let wanted = "RSA, ECDSA or Ed25519 with SHA-2";
            return Err(reject(Reason::UnsupportedAlgorithm, index, certificate, "RFC 5280 4.1.1.2", found, wanted));
        }
        let mut nearest = self.unknown(index, certificate);
        for anchor in self.roots.named(certificate.issuer_der()) {
            match self.signed(index, certificate, &anchor.spki) {
                Ok(()) => return Ok(()),
                Err(miss) => nearest = nearer(nearest, miss),
            }
        }
        let issuers = self.issuers;
        for (place, issuer) in issuers {
            if issuer.subject_der() != certificate.issuer_der() || self.used.contains(place) {
                continue;
            }
            match self.through(index, certificate, *place, issuer) {
                Ok(()) => return Ok(()),
                Err(miss) => nearest = nearer(nearest, miss),
            }
            if self.signatures == 0 {
                return Err(costly(index, certificate));
            }
        }
        Err(nearest)
    }

    fn through(
        &mut self,
        index: usize,
        certificate: &Certificate<'a>,
        place: usize,
        issuer: &Certificate<'a>,
    ) -> Result<(), Box<Rejection>> {
        check_issuer(place, issuer, self.used.len(), self.options.usage)?;
        if self.used.len() >= MAX_INTERMEDIATES {
            let found = format!("more than {MAX_INTERMEDIATES} intermediates");
            return Err(reject(Reason::TooCostly, place, issuer, "limit", found, "a shorter path"));
        }
        self.signed(index, certificate, issuer.spki())?;
        self.used.push(place);
        let result = self.climb(place, issuer);
        self.used.pop();
        result
    }

    fn signed(&mut self, index: usize, certificate: &Certificate<'a>, spki: &[u8]) -> Result<(), Box<Rejection>> {
        self.signatures = self.signatures.checked_sub(1).ok_or_else(|| costly(index, certificate))?;
        let Certificate { signature_algorithm, tbs, signature, .. } = *certificate;
        if signature::verify(signature_algorithm, spki, tbs, signature) {
            return Ok(());
        }
        let found = format!("a signature that the key of {} did not make", certificate.issuer());
        Err(reject(
            Reason::BadSignature,
            index,
            certificate,
            "RFC 5280 6.1.3 (a)(1)",
            found,
            "a signature by its issuer",
        ))
    }

    fn unknown(&self, index: usize, certificate: &Certificate<'a>) -> Box<Rejection> {
        let found = if certificate.issuer_der() == certificate.subject_der() {
            "a self-signed certificate that is not among the trusted roots".into()
        } else {
            format!("issuer {}, which the peer did not send", certificate.issuer())
        };
        let wanted = format!("a chain to one of the {} trusted roots", self.roots.len());
        reject(Reason::UnknownIssuer, index, certificate, "RFC 5280 6.1", found, wanted)
    }
}

fn check_time(index: usize, certificate: &Certificate<'_>, time: UnixTime) -> Result<(), Box<Rejection>> {
    let now = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let rule = "RFC 5280 6.1.3 (a)(2)";
    let (from, to) = (certificate.not_before(), certificate.not_after());
    if now > to {
        let found = format!("notAfter {}", date(to));
        return Err(reject(Reason::Expired, index, certificate, rule, found, format!("valid on {}", date(now))));
    }
    if now < from {
        let found = format!("notBefore {}", date(from));
        return Err(reject(Reason::NotYetValid, index, certificate, rule, found, format!("valid on {}", date(now))));
    }
    Ok(())
}

fn check_leaf(leaf: &Certificate<'_>, options: &Options<'_>) -> Result<(), Box<Rejection>> {
    check_critical(0, leaf)?;
    check_extended_usage(0, leaf, options.usage)
}

fn check_critical(index: usize, certificate: &Certificate<'_>) -> Result<(), Box<Rejection>> {
    match certificate.unknown_critical {
        None => Ok(()),
        Some(oid) => {
            let found = format!("critical extension {oid:02x?}");
            let wanted = "only critical extensions that are understood";
            Err(reject(Reason::CriticalExtension, index, certificate, "RFC 5280 4.2", found, wanted))
        }
    }
}

fn check_issuer(index: usize, issuer: &Certificate<'_>, below: usize, usage: Usage) -> Result<(), Box<Rejection>> {
    check_critical(index, issuer)?;
    let constraint =
        |rule, found: String, wanted: &str| Err(reject(Reason::Constraint, index, issuer, rule, found, wanted));
    match issuer.basic_constraints {
        Some(basic) if basic.ca => {
            if basic.path_len.is_some_and(|n| usize::from(n) < below) {
                let found = format!("{below} intermediates below a path length of {:?}", basic.path_len);
                return constraint("RFC 5280 6.1.4 (m)", found, "a path no longer than allowed");
            }
        }
        _ => return constraint("RFC 5280 6.1.4 (k)", "no cA in basicConstraints".into(), "a certificate authority"),
    }
    if issuer.key_usage().is_some_and(|u| !u.key_cert_sign()) {
        return constraint(
            "RFC 5280 6.1.4 (n)",
            "no keyCertSign in keyUsage".into(),
            "a key that may sign certificates",
        );
    }
    check_extended_usage(index, issuer, usage)
}

/// RFC 5280 4.2.1.12. An absent extension allows every use; in an issuer it limits what is issued, as all of the
/// field takes it.
fn check_extended_usage(index: usize, certificate: &Certificate<'_>, usage: Usage) -> Result<(), Box<Rejection>> {
    const ANY: &[u8] = &[0x55, 0x1d, 0x25, 0];
    let Some(mut list) = certificate.extended_key_usage else { return Ok(()) };
    let (wanted, name): (&[u8], _) = match usage {
        Usage::Server => (&[0x2b, 6, 1, 5, 5, 7, 3, 1], "serverAuth"),
        Usage::Client => (&[0x2b, 6, 1, 5, 5, 7, 3, 2], "clientAuth"),
    };
    while let Ok(Der(oid)) = list.take(der::OID, "KeyPurposeId") {
        if oid == wanted || oid == ANY {
            return Ok(());
        }
    }
    let found = "other purposes in extKeyUsage";
    Err(reject(Reason::WrongUsage, index, certificate, "RFC 5280 4.2.1.12", found, name))
}

fn reject(
    reason: Reason,
    index: usize,
    certificate: &Certificate<'_>,
    rule: &'static str,
    found: impl Into<String>,
    wanted: impl Into<String>,
) -> Box<Rejection> {
    let (found, wanted) = (found.into(), wanted.into());
    Box::new(Rejection { reason, index, subject: certificate.subject(), rule, found, wanted })
}

fn costly(index: usize, certificate: &Certificate<'_>) -> Box<Rejection> {
    let found = format!("{MAX_SIGNATURES} signatures checked without an end");
    reject(Reason::TooCostly, index, certificate, "limit", found, "a plain chain")
}

fn unreadable(field: &'static str) -> Box<Rejection> {
    let found = format!("a {field} that cannot be read");
    let (subject, wanted) = ("unreadable".into(), "a well-formed certificate".into());
    Box::new(Rejection { reason: Reason::BadEncoding, index: 0, subject, rule: "RFC 5280 4.1", found, wanted })
}

/// A path that got further, and failed for a later reason, says more.
fn nearer(a: Box<Rejection>, b: Box<Rejection>) -> Box<Rejection> {
    if b.reason == Reason::TooCostly || (a.reason != Reason::TooCostly && (b.index, b.reason) >= (a.index, a.reason)) {
        b
    } else {
        a
    }
}

/// A date as 2026-11-23, for errors.
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates() {
        assert_eq!(super::date(0), "1970-01-01");
        assert_eq!(super::date(951_868_799), "2000-02-29");
        assert_eq!(super::date(2_556_143_999), "2050-12-31");
    }
}
