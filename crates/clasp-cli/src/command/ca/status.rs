//! `clasp ca crl` and `clasp ca ocsp`: what the small authority says of revocation.

use super::index::{Entry, INTERMEDIATE, LIST, Locked, ROOT, find, not_issued, read};
use crate::failure::Failure;
use crate::input;
use crate::output;
use crate::pem;
use clasp_x509::{CertStatus, Certificate, RevocationReason, UnsignedOcsp};
use rcgen::{
    CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
    PKCS_RSA_SHA256, RevokedCertParams, SerialNumber, SigningKey,
};
use std::path::Path;
use time::{Date, Duration, OffsetDateTime};

fn issuer(dir: &Path, by: &str) -> Result<(String, KeyPair), Failure> {
    let read = |name: String| input::text(&dir.join(name));
    let key = KeyPair::from_pem(&read(format!("{by}-key.pem"))?).map_err(Failure::cannot)?;
    Ok((read(format!("{by}.pem"))?.to_string(), key))
}

/// Who signs what is issued here. Where there is an intermediate the root's key is not to be used in its place.
pub(super) fn issuing(dir: &Path) -> Result<&'static str, Failure> {
    let certificate = dir.join("intermediate.pem");
    if certificate.exists() {
        return Ok(INTERMEDIATE);
    }
    if dir.join("intermediate-key.pem").exists() {
        return Err(Failure::cannot(format_args!("{} is not there, and its key is", certificate.display()))
            .hint("bring it back; or move intermediate-key.pem away, and the root issues"));
    }
    Ok(ROOT)
}

/// Writes `crl.pem`: the list of the authority that issues, and that of the root above it where there is one.
pub(super) fn crl(dir: &Path, days: i64) -> Result<(), Failure> {
    let lock = Locked::of(dir)?;
    let index = read(dir)?;
    let by = issuing(dir)?;
    let mut text = list(dir, by, &index, days)?;
    if by == INTERMEDIATE {
        text += &list(dir, ROOT, &[], days)?;
    }
    let path = dir.join(format!("{LIST}.pem"));
    // Certificates had this name once.
    if index.iter().any(|e| path.ends_with(&e.file)) {
        return Err(Failure::cannot(format_args!("{} is a certificate and is not overwritten", path.display()))
            .hint("move it away, and have another issued for its name"));
    }
    lock.replace(&path, text.as_bytes(), false)?;
    output::line(path.display())
}

fn list(dir: &Path, by: &str, index: &[Entry], days: i64) -> Result<String, Failure> {
    let (certificate, key) = issuer(dir, by)?;
    let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(Failure::cannot)?;
    let now = OffsetDateTime::now_utc();
    let mut revoked_certs = Vec::new();
    for entry in index {
        if let Some(on) = &entry.revoked {
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial(entry)?),
                revocation_time: day(on)?,
                reason_code: None,
                invalidity_date: None,
            });
        }
    }
    let seconds = u64::try_from(now.unix_timestamp()).map_err(Failure::cannot)?;
    let list = CertificateRevocationListParams {
        this_update: now - Duration::minutes(5),
        next_update: after(now, days)?,
        // Numbers must only grow; the clock does.
        crl_number: SerialNumber::from(seconds),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&issuer).and_then(|list| list.pem()).map_err(Failure::cannot)
}

/// Writes an OCSP response for one certificate, to be stapled.
pub(super) fn ocsp(dir: &Path, which: &str, days: i64) -> Result<(), Failure> {
    let lock = Locked::of(dir)?;
    let index = read(dir)?;
    let entry = index.get(find(dir, &index, which)?).ok_or_else(|| not_issued(dir, which))?;
    let by = issuing(dir)?;
    let (_, key) = issuer(dir, by)?;
    let leaf_path = dir.join(&entry.file);
    let (leaf, above) = (pem::certificates(&leaf_path)?, pem::certificates(&dir.join(format!("{by}.pem")))?);
    let leaf = leaf.first().and_then(|der| Certificate::parse(der).ok());
    let above = above.first().and_then(|der| Certificate::parse(der).ok());
    let (Some(leaf), Some(above)) = (leaf, above) else {
        return Err(Failure::file(&leaf_path, "the certificate or its issuer's cannot be read"));
    };
    if leaf.serial() != entry.serial {
        return Err(Failure::file(
            &leaf_path,
            format_args!("it is not {} any more, but a later certificate", entry.serial),
        ));
    }
    let status = match &entry.revoked {
        None => CertStatus::Good,
        Some(on) => CertStatus::Revoked(day(on)?.unix_timestamp(), RevocationReason(0)),
    };
    let now = OffsetDateTime::now_utc();
    let from = (now - Duration::minutes(5)).unix_timestamp();
    let response = UnsignedOcsp::new(&leaf, &above, status, from, after(now, days)?.unix_timestamp());
    let signature = key.sign(response.to_be_signed()).map_err(Failure::cannot)?;
    let path = dir.join(&entry.file).with_extension("ocsp");
    lock.replace(&path, &response.signed(algorithm(&key)?, &signature), false)?;
    output::line(path.display())
}

/// The AlgorithmIdentifier of what a key signs with here.
fn algorithm(key: &KeyPair) -> Result<&'static [u8], Failure> {
    if key.algorithm() == &PKCS_RSA_SHA256 {
        Ok(&[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0])
    } else if key.algorithm() == &PKCS_ECDSA_P256_SHA256 {
        Ok(&[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])
    } else if key.algorithm() == &PKCS_ED25519 {
        Ok(&[0x30, 5, 6, 3, 0x2b, 0x65, 112])
    } else {
        Err(Failure::cannot("the authority's key is of a kind that clasp ca does not make"))
    }
}

fn serial(entry: &Entry) -> Result<Vec<u8>, Failure> {
    let digit = |at: usize| entry.serial.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..entry.serial.len())
        .step_by(2)
        .map(|at| {
            digit(at).ok_or_else(|| Failure::cannot(format_args!("the index has the serial number {}", entry.serial)))
        })
        .collect()
}

/// The day of a revocation, as the index has it.
fn day(text: &str) -> Result<OffsetDateTime, Failure> {
    let day = Date::parse(text, time::macros::format_description!("[year]-[month]-[day]"));
    Ok(day.map_err(|e| Failure::cannot(format_args!("the index has the date {text}: {e}")))?.midnight().assume_utc())
}

fn after(now: OffsetDateTime, days: i64) -> Result<OffsetDateTime, Failure> {
    let span = days.checked_mul(86_400).map(Duration::seconds);
    span.and_then(|span| now.checked_add(span)).ok_or_else(|| Failure::cannot(format_args!("{days} days are too many")))
}
