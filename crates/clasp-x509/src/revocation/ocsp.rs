//! OCSP responses: RFC 6960, with RFC 5019's freshness.

use super::issuer::Issuer;
use super::reason::RevocationReason;
use super::standing::{Standing, Trouble};
use super::terms::{Terms, Unfresh, fresh};
use crate::certificate::Certificate;
use crate::der::{self, Der, DerError, DerResult, constructed, primitive};
use crate::extension;
use crate::name::{self, Name, compare};
use crate::oid::{self, Oid};
use crate::parse_error::ParseError;
use crate::signature::{SignatureRefusal, algorithm};
use crate::signed::Signed;
use crate::spki::Spki;
use crate::text::hex;
use aws_lc_rs::digest;
use core::fmt;

/// Certificates looked at in one response.
const MAX_CERTIFICATES: usize = 8;
/// Extensions of a response, and of an answer in it.
const MAX_EXTENSIONS: usize = 16;

/// A parsed response that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct OcspResponse<'a> {
    signed: Signed<'a>,
    responder: Responder<'a>,
    produced_at: i64,
    responses: Der<'a>,
    nonce: Option<&'a [u8]>,
    unknown_critical: Option<&'a [u8]>,
    certificates: Der<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Responder<'a> {
    Name(&'a [u8]),
    Key(&'a [u8]),
}

/// Why there is nothing to read in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspError {
    /// It is not as RFC 6960 4.2 has it.
    Malformed(ParseError),
    /// The responder says that it has no answer, and why (RFC 6960 4.2.1).
    Refused(&'static str),
}

impl fmt::Display for OcspError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => fmt::Display::fmt(error, f),
            Self::Refused(words) => f.write_str(words),
        }
    }
}

impl core::error::Error for OcspError {}

impl From<OcspError> for Trouble {
    fn from(response: OcspError) -> Self {
        Self::Because(format!("an OCSP response that cannot be used: {response}"))
    }
}

/// What the response says of one certificate.
#[derive(Clone, Copy, Debug)]
pub struct SingleResponse<'a> {
    hash: &'a [u8],
    name_hash: &'a [u8],
    key_hash: &'a [u8],
    serial: &'a [u8],
    status: CertStatus,
    this_update: i64,
    next_update: Option<i64>,
    unknown_critical: Option<&'a [u8]>,
}

/// CertStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked at a time, for a reason.
    Revoked(i64, RevocationReason),
    /// The responder does not know the certificate.
    Unknown,
}

impl SingleResponse<'_> {
    /// The serial number in hexadecimal.
    pub fn serial(&self) -> String {
        hex(self.serial)
    }

    /// The status.
    pub const fn status(&self) -> CertStatus {
        self.status
    }

    /// When this was known to be right, in seconds since 1970.
    pub const fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When there is news, in seconds since 1970.
    pub const fn next_update(&self) -> Option<i64> {
        self.next_update
    }

    /// Whether it is about a certificate: RFC 6960 4.1.1. The hash is of the name in the certificate's issuer field; responders
    /// also take the issuer's own subject, which is the same name and may be encoded otherwise.
    fn is_about(&self, certificate: &Certificate<'_>, issuer: &Issuer<'_>) -> bool {
        let algorithm = match self.hash {
            oid::SHA1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            oid::SHA256 => &digest::SHA256,
            oid::SHA384 => &digest::SHA384,
            oid::SHA512 => &digest::SHA512,
            _ => return false,
        };
        let hash = |bytes: &[u8], wanted: &[u8]| digest::digest(algorithm, bytes).as_ref() == wanted;
        self.serial == certificate.serial_der()
            && (hash(certificate.issuer_der(), self.name_hash) || hash(issuer.name, self.name_hash))
            && Spki::parse(issuer.spki).is_ok_and(|spki| hash(spki.key(), self.key_hash))
    }
}

impl<'a> OcspResponse<'a> {
    /// Reads a response.
    ///
    /// # Errors
    /// If it is not as RFC 6960 4.2 has it, or is the responder's refusal.
    pub fn parse(der: &'a [u8]) -> Result<Self, OcspError> {
        let malformed = |error: DerError| OcspError::Malformed(error.within(der));
        let (status, outer) = Self::outline(der).map_err(malformed)?;
        match status.0 {
            [0] => Self::read(outer).map_err(malformed),
            [1] => Err(OcspError::Refused("malformedRequest: the responder did not understand the request")),
            [2] => Err(OcspError::Refused("internalError: the responder failed")),
            [3] => Err(OcspError::Refused("tryLater: the responder is busy")),
            [5] => Err(OcspError::Refused("sigRequired: the responder wants a signed request")),
            [6] => Err(OcspError::Refused("unauthorized: the responder does not know the certificate")),
            _ => Err(malformed(status.wrong("responseStatus", "a status of RFC 6960 4.2.1"))),
        }
    }

    /// The responseStatus, and what stands behind it.
    fn outline(bytes: &'a [u8]) -> DerResult<(Der<'a>, Der<'a>)> {
        let mut input = Der(bytes);
        let mut outer = input.take(der::SEQUENCE, "OCSPResponse")?;
        input.finish("OCSPResponse")?;
        Ok((outer.take(der::ENUMERATED, "responseStatus")?, outer))
    }

    fn read(mut outer: Der<'a>) -> DerResult<Self> {
        let mut block = outer.take(constructed(0), "responseBytes")?;
        outer.finish("OCSPResponse")?;
        let mut typed = block.take(der::SEQUENCE, "responseBytes")?;
        block.finish("responseBytes")?;
        let start = typed;
        if typed.oid("responseType")? != oid::OCSP_BASIC {
            return Err(start.wrong("responseType", "id-pkix-ocsp-basic"));
        }
        let mut response = typed.take(der::OCTET_STRING, "response")?;
        typed.finish("responseBytes")?;
        let mut basic = response.take(der::SEQUENCE, "BasicOCSPResponse")?;
        response.finish("BasicOCSPResponse")?;
        let signed = Signed::take(&mut basic, "tbsResponseData")?;
        let certificates = match basic.optional(constructed(0), "certs")? {
            None => Der(&[]),
            Some(mut block) => {
                let list = block.take(der::SEQUENCE, "certs")?;
                block.finish("certs")?;
                let mut walk = list;
                while !walk.is_empty() {
                    walk.whole(der::SEQUENCE, "certs")?;
                }
                list
            }
        };
        basic.finish("BasicOCSPResponse")?;
        let empty = Self {
            signed,
            responder: Responder::Key(&[]),
            produced_at: 0,
            responses: Der(&[]),
            nonce: None,
            unknown_critical: None,
            certificates,
        };
        empty.data()
    }

    /// ResponseData.
    fn data(mut self) -> DerResult<Self> {
        let mut body = Der(self.signed.data).take(der::SEQUENCE, "tbsResponseData")?;
        if let Some(mut version) = body.optional(constructed(0), "version")? {
            // Version 1 is the default; an encoded default is borne, as responders have it.
            let start = version;
            if version.take(der::INTEGER, "version")?.0 != [0] || !version.is_empty() {
                return Err(start.wrong("version", "version 1"));
            }
        }
        let start = body;
        let (tag, content, _) = body.any("responderID")?;
        let mut inner = Der(content);
        self.responder = match tag {
            t if t == constructed(1) => {
                let name = inner.whole(der::SEQUENCE, "responderID")?;
                name::check(name, "responderID")?;
                Responder::Name(name)
            }
            t if t == constructed(2) => Responder::Key(inner.take(der::OCTET_STRING, "responderID")?.0),
            _ => return Err(start.wrong("responderID", "[1], a name, or [2], the hash of a key")),
        };
        inner.finish("responderID")?;
        self.produced_at = body.generalized_time("producedAt")?;
        self.responses = body.take(der::SEQUENCE, "responses")?;
        let mut walk = self.responses;
        while !walk.is_empty() {
            single(&mut walk)?;
        }
        if let Some(mut block) = body.optional(constructed(1), "responseExtensions")? {
            let list = block.take(der::SEQUENCE, "responseExtensions")?;
            block.finish("responseExtensions")?;
            extension::each::<MAX_EXTENSIONS>(list, |extension| {
                match extension.oid {
                    // RFC 9654 2.1: an OCTET STRING in the OCTET STRING; older responders leave the inner one out.
                    oid::OCSP_NONCE => {
                        let mut value = extension.value;
                        let raw = value.0;
                        self.nonce = Some(value.take(der::OCTET_STRING, "nonce").map_or(raw, |n| n.0));
                    }
                    oid if extension.is_critical() => self.unknown_critical = Some(oid),
                    _ => {}
                }
                Ok(())
            })?;
        }
        body.finish("tbsResponseData")?;
        Ok(self)
    }

    /// What it says, certificate by certificate.
    pub fn responses(&self) -> impl Iterator<Item = SingleResponse<'a>> + use<'a> {
        let mut walk = self.responses;
        core::iter::from_fn(move || single(&mut walk).ok())
    }

    /// When it was made, in seconds since 1970.
    pub const fn produced_at(&self) -> i64 {
        self.produced_at
    }

    /// Who made it, for people.
    pub fn responder(&self) -> String {
        match self.responder {
            Responder::Name(name) => Name(name).to_string(),
            Responder::Key(key) => format!("key {}", hex(key)),
        }
    }

    /// The signature algorithm for people.
    pub fn signature_algorithm(&self) -> String {
        algorithm::describe(self.signed.algorithm)
    }

    /// The status of a certificate by this response.
    pub(crate) fn status(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Issuer<'_>,
        terms: &Terms<'_>,
        around: &mut dyn Around<'a>,
    ) -> Standing {
        let nonce = terms.nonce;
        let because = |why: String| Standing::Unknown(Trouble::Because(why));
        if let Some(oid) = self.unknown_critical {
            return because(format!("an OCSP response with the critical extension {}", Oid(oid)));
        }
        if nonce.is_some() && self.nonce != nonce {
            return because("an OCSP response without the nonce of the request".into());
        }
        let mut standing = Standing::Unknown(Trouble::NoList);
        let mut about = self.responses().filter(|r| r.is_about(certificate, issuer)).peekable();
        if about.peek().is_none() {
            return standing;
        }
        if let Err(why) = self.signed(issuer, terms, around) {
            return Standing::Unknown(why);
        }
        // The nonce of the request was asked for just now.
        let moment = self.produced_at;
        let answered = |r: &SingleResponse<'_>| r.next_update.or_else(|| nonce.map(|_| terms.now.max(moment)));
        // Of several answers the worst counts.
        for response in about {
            let fresh = fresh(response.this_update, answered(&response), terms);
            let next = match (response.unknown_critical, fresh, response.status) {
                (Some(oid), ..) => because(format!("an OCSP response with the critical extension {}", Oid(oid))),
                // Time does not take back a revocation, as with lists.
                (None, Ok(()) | Err(Unfresh::Old(_)), CertStatus::Revoked(at, reason)) => {
                    Standing::Revoked { at, reason }
                }
                (None, Err(why), _) => Standing::Unknown(why.into()),
                (None, Ok(()), CertStatus::Unknown) => {
                    because("an OCSP responder that does not know the certificate".into())
                }
                (None, Ok(()), _) => Standing::Good,
            };
            standing = match (standing, next) {
                (revoked @ Standing::Revoked { .. }, _) | (_, revoked @ Standing::Revoked { .. }) => revoked,
                (Standing::Unknown(Trouble::NoList), next) => next,
                (unknown @ Standing::Unknown(_), _) | (_, unknown @ Standing::Unknown(_)) => unknown,
                (Standing::Good, Standing::Good) => Standing::Good,
            };
        }
        standing
    }

    /// The last second for which the response says what it says now: its answers are as fresh, and its certificates, one of
    /// which may be a delegate's, as valid.
    pub(crate) fn end(&self, terms: &Terms<'_>) -> i64 {
        let answers = self.responses().map(|r| terms.end(r.this_update, r.next_update));
        let lasting = Terms { max_age: None, ..*terms };
        let delegates = self.delegates().map(|c| lasting.end(c.not_before(), Some(c.not_after())));
        answers.chain(delegates).min().unwrap_or(i64::MAX)
    }

    /// The certificates that came with it, those that can be read.
    fn delegates(&self) -> impl Iterator<Item = Certificate<'a>> + use<'a> {
        let mut walk = self.certificates;
        let all = core::iter::from_fn(move || walk.whole(der::SEQUENCE, "certs").ok());
        all.take(MAX_CERTIFICATES).filter_map(|der| Certificate::parse(der).ok())
    }

    /// RFC 6960 4.2.2.2: signed by the issuer itself, or by one it delegated this to.
    fn signed(&self, issuer: &Issuer<'_>, terms: &Terms<'_>, around: &mut dyn Around<'a>) -> Result<(), Trouble> {
        let because = |why: &str| Trouble::Because(why.into());
        let verifies = |signed: &Signed<'_>, spki: &[u8], around: &mut dyn Around<'a>| match around.signature() {
            true => Ok(terms.checker.verify(signed, spki)),
            false => Err(because("an OCSP response with more signatures than are checked for one chain")),
        };
        let mut trouble = because("an OCSP response that the issuer did not sign, nor anyone it named");
        if self.is_by(issuer.name, issuer.spki) {
            match verifies(&self.signed, issuer.spki, around)? {
                Ok(()) => return Ok(()),
                Err(SignatureRefusal::Signature) => {}
                Err(why) => trouble = Trouble::Because(format!("an OCSP response with {why}")),
            }
        }
        for delegate in self.delegates() {
            if !self.is_by(delegate.subject_der(), delegate.spki())
                || !compare::same(delegate.issuer_der(), issuer.name)
            {
                continue;
            }
            if let Err(why) = may_answer(&delegate, terms.now) {
                trouble = because(why);
            } else if verifies(&delegate.signed, issuer.spki, around)?.is_err() {
                trouble = because("an OCSP responder whose certificate the issuer did not sign");
            } else if let Err(why) = verifies(&self.signed, delegate.spki(), around)? {
                return Err(Trouble::Because(format!("an OCSP response with {why}")));
            } else {
                return around.against(&delegate).map_or(Ok(()), |why| Err(because(why)));
            }
        }
        Err(trouble)
    }

    fn is_by(&self, name: &[u8], spki: &[u8]) -> bool {
        match self.responder {
            Responder::Name(responder) => compare::same(responder, name),
            // RFC 6960 4.2.1: KeyHash is always SHA-1.
            Responder::Key(hash) => Spki::parse(spki)
                .is_ok_and(|spki| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, spki.key()).as_ref() == hash),
        }
    }
}

/// What a response is held against besides its issuer.
pub(crate) trait Around<'a> {
    /// Asked before each signature: whether one more may be checked.
    fn signature(&mut self) -> bool;

    /// What speaks against a delegate of the issuer: a name that it may not certify, or an answer by which the delegate is revoked.
    fn against(&mut self, delegate: &Certificate<'a>) -> Option<&'static str>;
}

/// RFC 6960 4.2.2.2: a responder's certificate is issued by the issuer directly, which is for the caller to check, for OCSP
/// signing. Nobody need vouch for it (4.2.2.2.1 leaves that to policy); what speaks against it is for [`Around`].
fn may_answer(delegate: &Certificate<'_>, now: i64) -> Result<(), &'static str> {
    let purposes = delegate.extended_key_usage();
    if !purposes.is_some_and(|mut list| list.any(|p| p.0 == oid::OCSP_SIGNING)) {
        return Err("an OCSP responder whose certificate is not for OCSP signing");
    }
    if delegate.key_usage().is_some_and(|u| !u.digital_signature()) {
        return Err("an OCSP responder whose key may not sign");
    }
    if !(delegate.not_before()..=delegate.not_after()).contains(&now) {
        return Err("an OCSP responder whose certificate is out of date");
    }
    if delegate.extensions.unknown_critical.is_some() {
        return Err("an OCSP responder whose certificate has a critical extension that is not understood");
    }
    Ok(())
}

fn single<'a>(list: &mut Der<'a>) -> DerResult<SingleResponse<'a>> {
    let what = "SingleResponse";
    let mut inner = list.take(der::SEQUENCE, what)?;
    let mut id = inner.take(der::SEQUENCE, "certID")?;
    let mut algorithm = id.take(der::SEQUENCE, "hashAlgorithm")?;
    let hash = algorithm.oid("hashAlgorithm")?;
    if !algorithm.is_empty() {
        algorithm.any("hashAlgorithm")?;
    }
    algorithm.finish("hashAlgorithm")?;
    let name_hash = id.take(der::OCTET_STRING, "issuerNameHash")?.0;
    let key_hash = id.take(der::OCTET_STRING, "issuerKeyHash")?.0;
    let serial = id.take(der::INTEGER, "serialNumber")?.0;
    id.finish("certID")?;
    let start = inner;
    let (tag, content, _) = inner.any("certStatus")?;
    let status = match tag {
        t if t == primitive(0) && content.is_empty() => CertStatus::Good,
        t if t == constructed(1) => {
            let mut revoked = Der(content);
            let at = revoked.generalized_time("revocationTime")?;
            let reason = match revoked.optional(constructed(0), "revocationReason")? {
                None => RevocationReason(0),
                Some(mut block) => {
                    let reason = RevocationReason::read(&mut block, "revocationReason")?;
                    block.finish("revocationReason")?;
                    reason
                }
            };
            revoked.finish("certStatus")?;
            CertStatus::Revoked(at, reason)
        }
        t if t == primitive(2) && content.is_empty() => CertStatus::Unknown,
        _ => return Err(start.wrong("certStatus", "good, revoked or unknown: [0], [1] or [2]")),
    };
    let this_update = inner.generalized_time("thisUpdate")?;
    let next_update = match inner.optional(constructed(0), "nextUpdate")? {
        None => None,
        Some(mut next) => {
            let time = next.generalized_time("nextUpdate")?;
            next.finish("nextUpdate")?;
            Some(time)
        }
    };
    let mut unknown_critical = None;
    if let Some(mut block) = inner.optional(constructed(1), "singleExtensions")? {
        let extensions = block.take(der::SEQUENCE, "singleExtensions")?;
        block.finish("singleExtensions")?;
        extension::each::<MAX_EXTENSIONS>(extensions, |extension| {
            if extension.is_critical() {
                unknown_critical = Some(extension.oid);
            }
            Ok(())
        })?;
    }
    inner.finish(what)?;
    Ok(SingleResponse { hash, name_hash, key_hash, serial, status, this_update, next_update, unknown_critical })
}
