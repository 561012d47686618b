//! Signed certificate timestamps: RFC 6962 3.2 and 3.3.

use crate::certificate::Certificate;
use crate::der::{self, Der, DerError, DerResult, constructed};
use crate::oid;
use crate::parse_error::ParseError;
use crate::profile::{Profile, Rules};
use crate::signature::{AwsLc, Checker, VerifySignature};
use crate::signed::Signed;
use aws_lc_rs::digest::{SHA256, digest};

/// Timestamps of one certificate; browsers want two or three.
const MAX_TIMESTAMPS: usize = 32;

/// A log's promise to publish a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sct<'a> {
    log: &'a [u8],
    timestamp: u64,
    extensions: &'a [u8],
    hash: u8,
    algorithm: u8,
    signature: &'a [u8],
}

/// The logs that are trusted.
#[derive(Clone, Debug)]
pub struct Logs {
    logs: Vec<Log>,
    signatures: &'static dyn VerifySignature,
}

impl Default for Logs {
    fn default() -> Self {
        Self { logs: Vec::new(), signatures: &AwsLc }
    }
}

#[derive(Clone, Debug)]
struct Log {
    id: [u8; 32],
    name: String,
    spki: Vec<u8>,
}

/// What a timestamp is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SctVerdict {
    /// Good, by the log of this name.
    Good(String),
    /// Of a log that is not in the list.
    UnknownLog,
    /// The signature is not the log's.
    BadSignature(String),
    /// From the future.
    Future(String),
}

/// What the log signed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SctEntry<'a> {
    /// A timestamp in the certificate: the log saw it without, and the key of its issuer (SubjectPublicKeyInfo).
    Embedded(&'a Certificate<'a>, &'a [u8]),
    /// A timestamp from the TLS extension or an OCSP response.
    Separate(&'a Certificate<'a>),
}

impl Logs {
    /// Has signatures checked by this, in place of AWS-LC.
    #[must_use]
    pub fn signatures(self, signatures: &'static dyn VerifySignature) -> Self {
        Self { signatures, ..self }
    }

    /// Adds a log by its key (SubjectPublicKeyInfo, DER); its id is the hash of that.
    pub fn add(&mut self, name: &str, spki: &[u8]) {
        let mut id = [0; 32];
        id.copy_from_slice(digest(&SHA256, spki).as_ref());
        self.logs.push(Log { id, name: name.to_owned(), spki: spki.to_vec() });
    }

    /// Checks one timestamp.
    ///
    /// # Errors
    /// If the certificate cannot be taken apart as the log saw it.
    pub fn check(&self, sct: &Sct<'_>, entry: SctEntry<'_>, now: u64) -> Result<SctVerdict, ParseError> {
        let Some(log) = self.logs.iter().find(|log| log.id == sct.log) else { return Ok(SctVerdict::UnknownLog) };
        if sct.timestamp / 1000 > now {
            return Ok(SctVerdict::Future(log.name.clone()));
        }
        let (SctEntry::Embedded(certificate, _) | SctEntry::Separate(certificate)) = entry;
        let data = sct.signed(entry).map_err(|error| error.within(certificate.der()))?;
        // RFC 6962 2.1.4: ECDSA on P-256 or RSA, with SHA-256.
        let algorithm: &[u8] = match (sct.hash, sct.algorithm) {
            (4, 3) => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
            (4, 1) => &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
            _ => return Ok(SctVerdict::BadSignature(log.name.clone())),
        };
        let checker = Checker { face: self.signatures, rules: Rules::of(Profile::WebPki) };
        let signed = Signed { data: &data, algorithm, signature: sct.signature };
        Ok(match checker.verify(&signed, &log.spki[..]) {
            Ok(()) => SctVerdict::Good(log.name.clone()),
            Err(_) => SctVerdict::BadSignature(log.name.clone()),
        })
    }
}

impl<'a> Sct<'a> {
    /// Reads a SignedCertificateTimestampList. Timestamps of versions to come are left out (RFC 6962 3.3).
    ///
    /// # Errors
    /// If a length does not fit.
    pub fn read_list(bytes: &'a [u8]) -> Result<Vec<Self>, ParseError> {
        Self::list(bytes).map_err(|error| error.within(bytes))
    }

    fn list(bytes: &'a [u8]) -> DerResult<Vec<Self>> {
        let mut outer = Reader(bytes);
        let mut list = Reader(outer.prefixed()?);
        if !outer.0.is_empty() {
            return Err(outer.wrong("nothing more"));
        }
        if list.0.is_empty() {
            return Err(list.wrong("at least one timestamp"));
        }
        let mut out = Vec::new();
        while !list.0.is_empty() {
            let mut one = Reader(list.prefixed()?);
            if out.len() >= MAX_TIMESTAMPS {
                return Err(one.wrong("at most 32 timestamps"));
            }
            if one.take(1)? != [0] {
                continue;
            }
            out.push(Self::read(&mut one)?);
            if !one.0.is_empty() {
                return Err(one.wrong("nothing more"));
            }
        }
        Ok(out)
    }

    fn read(one: &mut Reader<'a>) -> DerResult<Self> {
        let log = one.take(32)?;
        let timestamp = u64::from_be_bytes(one.array()?);
        let extensions = one.prefixed()?;
        let [hash, algorithm] = one.array()?;
        Ok(Self { log, timestamp, extensions, hash, algorithm, signature: one.prefixed()? })
    }

    /// The id of the log.
    pub const fn log(&self) -> &'a [u8] {
        self.log
    }

    /// When the promise was made, in milliseconds since 1970.
    pub const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// The structure of RFC 6962 3.2 that is signed.
    fn signed(&self, entry: SctEntry<'_>) -> DerResult<Vec<u8>> {
        let (SctEntry::Embedded(certificate, _) | SctEntry::Separate(certificate)) = entry;
        // version v1, signature_type certificate_timestamp
        let mut out = vec![0, 0];
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        let body = match entry {
            SctEntry::Separate(_) => {
                out.extend_from_slice(&[0, 0]);
                certificate.der().to_vec()
            }
            SctEntry::Embedded(_, issuer) => {
                out.extend_from_slice(&[0, 1]);
                out.extend_from_slice(digest(&SHA256, issuer).as_ref());
                precertificate(certificate)?
            }
        };
        let len = u32::try_from(body.len()).ok().filter(|n| *n < 1 << 24);
        let len = len.ok_or_else(|| DerError::new("certificate", certificate.der(), "at most 2^24 - 1 bytes"))?;
        out.extend_from_slice(len.to_be_bytes().get(1..).unwrap_or_default());
        out.extend_from_slice(&body);
        // Their length was of two bytes when they were read.
        out.extend_from_slice(&u16::try_from(self.extensions.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(self.extensions);
        Ok(out)
    }
}

impl<'a> Certificate<'a> {
    /// The timestamps in the certificate.
    ///
    /// # Errors
    /// If the extension is not what RFC 6962 3.3 has.
    pub fn timestamps(&self) -> Result<Vec<Sct<'a>>, ParseError> {
        let list = self.extensions.sct_list.map_or(Ok(Vec::new()), Sct::list);
        list.map_err(|error| error.within(self.der()))
    }
}

/// The TBSCertificate as it was before the timestamps were put in: RFC 6962 3.2.
fn precertificate(certificate: &Certificate<'_>) -> DerResult<Vec<u8>> {
    let what = "tbsCertificate";
    let mut kept = Vec::new();
    let mut list = certificate.extension_list.unwrap_or(Der(&[]));
    while !list.is_empty() {
        let whole = list.whole(der::SEQUENCE, what)?;
        let oid = Der(whole).take(der::SEQUENCE, what)?.take(der::OID, what)?;
        if oid.0 != oid::SCT_LIST {
            kept.extend_from_slice(whole);
        }
    }
    let mut body = Der(certificate.signed.data).take(der::SEQUENCE, what)?;
    let mut out = Vec::new();
    while !body.is_empty() {
        match body.any(what)? {
            (tag, ..) if tag == constructed(3) => {}
            (_, _, whole) => out.extend_from_slice(whole),
        }
    }
    if !kept.is_empty() {
        out.extend(der::element(constructed(3), &der::element(der::SEQUENCE, &kept)));
    }
    Ok(der::element(der::SEQUENCE, &out))
}

/// A reader of what TLS writes (RFC 8446 3), for the one thing here that is not DER.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn wrong(&self, wanted: &'static str) -> DerError {
        DerError::new("SignedCertificateTimestampList", self.0, wanted)
    }

    fn take(&mut self, len: usize) -> DerResult<&'a [u8]> {
        let (taken, rest) =
            self.0.split_at_checked(len).ok_or_else(|| self.wrong("as many bytes as are said to follow"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> DerResult<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| self.wrong("a whole field"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn prefixed(&mut self) -> DerResult<&'a [u8]> {
        let len = u16::from_be_bytes(self.array()?);
        self.take(usize::from(len))
    }
}
