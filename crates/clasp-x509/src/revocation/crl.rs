//! Certificate revocation lists, read in place: RFC 5280 5.

use super::index::Index;
use super::reason::RevocationReason;
use crate::certificate::extensions::{AuthorityKey, authority_key};
use crate::certificate::point::{self, DistributionPoint, PointName};
use crate::der::{self, Der, DerResult, constructed, primitive};
use crate::extension::{self, Extension};
use crate::name::general::{SubjectAltName, general_names};
use crate::name::{self, Name, compare};
use crate::oid::{self, Oid};
use crate::parse_error::ParseError;
use crate::signature::{Checker, SignatureRefusal, algorithm};
use crate::signed::Signed;
use crate::text::hex;
use core::fmt;

/// A parsed list that borrows its DER.
#[derive(Clone, Copy, Debug)]
pub struct Crl<'a> {
    pub(crate) signed: Signed<'a>,
    issuer: &'a [u8],
    this_update: i64,
    next_update: Option<i64>,
    version_2: bool,
    entries: Der<'a>,
    count: usize,
    pub(crate) authority_key: Option<AuthorityKey<'a>>,
    pub(crate) number: Option<&'a [u8]>,
    /// The number of the complete list that a delta is for: RFC 5280 5.2.4.
    pub(crate) base: Option<&'a [u8]>,
    pub(crate) issuing_point: IssuingDistributionPoint<'a>,
    /// Where deltas of it are: RFC 5280 5.2.6.
    freshest: Option<Der<'a>>,
    /// An extension that is critical and must not be, or the other way round.
    odd: Option<&'static str>,
    /// A critical extension that is not processed, of the list or of an entry: then the list says nothing.
    pub(crate) unknown_critical: Option<&'a [u8]>,
    /// What was found out of it before.
    pub(crate) index: Option<&'a Index>,
}

/// What a list is about, and where it is: issuingDistributionPoint, RFC 5280 5.2.5. For people it is as
/// `http://a.test/a.crl; users' certificates only; for keyCompromise`.
#[derive(Clone, Copy, Debug, Default)]
pub struct IssuingDistributionPoint<'a> {
    pub(crate) der: Option<&'a [u8]>,
    pub(crate) name: Option<PointName<'a>>,
    pub(crate) only_users: bool,
    pub(crate) only_authorities: bool,
    pub(crate) reasons: Option<u16>,
    pub(crate) indirect: bool,
    pub(crate) only_attributes: bool,
}

impl fmt::Display for IssuingDistributionPoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let only = |set: bool, what: &str| set.then(|| what.to_owned());
        let parts = [
            self.name.map(|name| name.to_string()),
            only(self.only_users, "users' certificates only"),
            only(self.only_authorities, "authorities' certificates only"),
            only(self.only_attributes, "attribute certificates only"),
            self.reasons.map(|reasons| format!("for {} only", point::reason_names(reasons))),
            only(self.indirect, "indirect: about certificates of other issuers too"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(if parts.is_empty() { "every certificate of its issuer" } else { "" })?;
        f.write_str(&parts.join("; "))
    }
}

/// Extensions of a list, and of an entry.
const MAX_EXTENSIONS: usize = 16;

/// One revoked certificate.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    serial: &'a [u8],
    date: i64,
    reason: RevocationReason,
    /// The issuer of this entry and those after it, in an indirect list.
    issuer: Option<Der<'a>>,
    /// Whether it is certain whose certificate it is about: an issuer that is named where only indirect lists name one leaves it open.
    sure: bool,
}

impl<'a> Entry<'a> {
    /// The serial number in hexadecimal.
    pub fn serial(&self) -> String {
        hex(self.serial)
    }

    /// When it was revoked, in seconds since 1970.
    pub const fn date(&self) -> i64 {
        self.date
    }

    /// Why.
    pub const fn reason(&self) -> RevocationReason {
        self.reason
    }

    /// Reads an entry; gives the unknown critical extension it has, if any.
    fn read(list: &mut Der<'a>, version_2: bool) -> DerResult<(Self, Option<&'a [u8]>)> {
        let mut inner = list.take(der::SEQUENCE, "revokedCertificate")?;
        let serial = inner.take(der::INTEGER, "userCertificate")?.0;
        let date = inner.time("revocationDate")?;
        let mut entry = Self { serial, date, reason: RevocationReason(0), issuer: None, sure: true };
        let mut unknown = None;
        if !inner.is_empty() {
            if !version_2 {
                return Err(inner.wrong("crlEntryExtensions", "none in a list of version 1"));
            }
            let extensions = inner.take(der::SEQUENCE, "crlEntryExtensions")?;
            inner.finish("revokedCertificate")?;
            extension::each::<MAX_EXTENSIONS>(extensions, |extension| {
                if !entry.extension(&extension)? && extension.is_critical() {
                    unknown = Some(extension.oid);
                }
                Ok(())
            })?;
        }
        Ok((entry, unknown))
    }

    /// Whether it takes its certificate off the list, and is certainly about it.
    pub(super) fn removes(&self) -> bool {
        self.reason == RevocationReason::REMOVE && self.sure
    }

    /// The worse of two about one certificate: what is for good, then what is for a time, then what takes it off the list.
    pub(super) fn worse(self, other: Self) -> Self {
        let weight = |entry: &Self| match entry.reason {
            RevocationReason::REMOVE => u8::from(!entry.sure),
            reason if reason.is_for_a_time() => 2,
            _ => 3,
        };
        if weight(&other) > weight(&self) { other } else { self }
    }

    /// Whether it is one that is understood: RFC 5280 5.3.
    fn extension(&mut self, extension: &Extension<'a>) -> DerResult<bool> {
        let mut value = extension.value;
        match extension.oid {
            oid::REASON_CODE => self.reason = RevocationReason::read(&mut value, "reasonCode")?,
            oid::CERTIFICATE_ISSUER => {
                self.issuer = Some(general_names(&mut value, der::SEQUENCE, "certificateIssuer")?);
            }
            oid::INVALIDITY_DATE => {
                value.generalized_time("invalidityDate")?;
            }
            _ => return Ok(false),
        }
        value.finish("entry extension")?;
        Ok(true)
    }
}

impl<'a> Crl<'a> {
    /// Reads a list, and every entry of it.
    ///
    /// # Errors
    /// Says what is not as RFC 5280 5.1 has it, and where.
    pub fn parse(der: &'a [u8]) -> Result<Self, ParseError> {
        Self::read(der, None).map_err(|error| error.within(der))
    }

    /// Reads a list whose entries were read before.
    pub(super) fn parse_indexed(der: &'a [u8], index: &'a Index) -> Result<Self, ParseError> {
        Self::read(der, Some(index)).map_err(|error| error.within(der))
    }

    fn read(bytes: &'a [u8], index: Option<&'a Index>) -> DerResult<Self> {
        let signed = Signed::read(bytes, "CertificateList", "tbsCertList")?;

        let mut body = Der(signed.data).take(der::SEQUENCE, "tbsCertList")?;
        let start = body;
        let version_2 = match body.optional(der::INTEGER, "version")? {
            None => false,
            Some(Der([1])) => true,
            Some(_) => return Err(start.wrong("version", "version 2, or none")),
        };
        signed.read_again(&mut body)?;
        let issuer = body.whole(der::SEQUENCE, "issuer")?;
        name::check(issuer, "issuer")?;
        let this_update = body.time("thisUpdate")?;
        let next_update = match body.peek() {
            Some(der::UTC_TIME | der::GENERALIZED_TIME) => Some(body.time("nextUpdate")?),
            _ => None,
        };
        // RFC 5280 5.1.2.6: absent where there are none.
        let start = body;
        let entries = match body.optional(der::SEQUENCE, "revokedCertificates")? {
            Some(Der([])) => return Err(start.wrong("revokedCertificates", "none where the list is empty")),
            entries => entries.unwrap_or(Der(&[])),
        };
        let mut crl = Self {
            signed,
            issuer,
            this_update,
            next_update,
            version_2,
            entries,
            count: 0,
            authority_key: None,
            number: None,
            base: None,
            issuing_point: IssuingDistributionPoint::default(),
            freshest: None,
            odd: None,
            unknown_critical: None,
            index,
        };
        match index {
            Some(index) => (crl.count, crl.unknown_critical) = (index.count, index.unknown_critical.as_deref()),
            None => {
                let mut walk = entries;
                while !walk.is_empty() {
                    let (_, unknown) = Entry::read(&mut walk, version_2)?;
                    crl.unknown_critical = crl.unknown_critical.or(unknown);
                    crl.count = crl.count.saturating_add(1);
                }
            }
        }
        if let Some(mut block) = body.optional(constructed(0), "crlExtensions")? {
            if !version_2 {
                return Err(block.wrong("crlExtensions", "none in a list of version 1"));
            }
            let list = block.take(der::SEQUENCE, "crlExtensions")?;
            block.finish("crlExtensions")?;
            extension::each::<MAX_EXTENSIONS>(list, |extension| crl.extension(&extension))?;
        }
        body.finish("tbsCertList")?;
        Ok(crl)
    }

    fn extension(&mut self, extension: &Extension<'a>) -> DerResult<()> {
        let (oid, critical, mut value) = (extension.oid, extension.is_critical(), extension.value);
        self.odd = self.odd.or(match (oid, critical) {
            (oid::CRL_NUMBER, true) => Some("a critical cRLNumber (RFC 5280 5.2.3)"),
            (oid::DELTA_CRL, false) => Some("a deltaCRLIndicator that is not critical (RFC 5280 5.2.4)"),
            (oid::ISSUING_POINT, false) => Some("an issuingDistributionPoint that is not critical (RFC 5280 5.2.5)"),
            _ => None,
        });
        match oid {
            oid::AUTHORITY_KEY_ID => self.authority_key = Some(authority_key(&mut value)?),
            oid::CRL_NUMBER => self.number = Some(number(&mut value, "cRLNumber")?),
            oid::DELTA_CRL => self.base = Some(number(&mut value, "deltaCRLIndicator")?),
            oid::ISSUING_POINT => {
                let der = value.0;
                self.issuing_point = IssuingDistributionPoint { der: Some(der), ..issuing_point(&mut value)? };
            }
            // Where to find more; nothing that limits what the list says. But it is read and not followed: whoever makes it critical
            // wants more than that (RFC 5280 5.2).
            oid::FRESHEST_CRL => {
                self.freshest = Some(point::check_list(&mut value, "freshestCRL")?);
                self.refuse(oid, critical);
            }
            _ => {
                self.refuse(oid, critical);
                return Ok(());
            }
        }
        value.finish("extension value")
    }

    /// A list with a critical extension that is not processed here says nothing: RFC 5280 5.2.
    fn refuse(&mut self, oid: &'a [u8], critical: bool) {
        if critical {
            self.unknown_critical.get_or_insert(oid);
        }
    }

    /// What RFC 5280 5 has in every list and this one has not, or has otherwise.
    pub(crate) fn malformed(&self) -> Option<&'static str> {
        match self {
            Self { odd: Some(what), .. } => Some(what),
            Self { version_2: false, .. } => Some("a list of version 1 (RFC 5280 5.1.2.1)"),
            Self { next_update: None, .. } => Some("a list without nextUpdate (RFC 5280 5.1.2.5)"),
            Self { number: None, .. } => Some("a list without cRLNumber (RFC 5280 5.2.3)"),
            Self { authority_key: None, .. } => Some("a list without authorityKeyIdentifier (RFC 5280 5.2.1)"),
            _ => None,
        }
    }

    /// The issuer's name, DER.
    pub const fn issuer_der(&self) -> &'a [u8] {
        self.issuer
    }

    /// The issuer's name for people.
    pub fn issuer(&self) -> String {
        Name(self.issuer).to_string()
    }

    /// When it was issued, in seconds since 1970.
    pub const fn this_update(&self) -> i64 {
        self.this_update
    }

    /// When the next is issued at the latest, in seconds since 1970.
    pub const fn next_update(&self) -> Option<i64> {
        self.next_update
    }

    /// The list's number, in hexadecimal.
    pub fn number(&self) -> Option<String> {
        self.number.map(hex)
    }

    /// Whether it only has the changes since another list.
    pub const fn is_delta(&self) -> bool {
        self.base.is_some()
    }

    /// Whether it speaks for other issuers too.
    pub const fn is_indirect(&self) -> bool {
        self.issuing_point.indirect
    }

    /// What it is about, where it says so.
    pub fn scope(&self) -> Option<IssuingDistributionPoint<'a>> {
        self.issuing_point.der.map(|_| self.issuing_point)
    }

    /// Where deltas of it are, by freshestCRL. Nothing is fetched from there.
    pub fn fresh_list_points(&self) -> impl Iterator<Item = DistributionPoint<'a>> + use<'a> {
        point::points(self.freshest)
    }

    /// Of a delta, the number of the list that it changes, in hexadecimal.
    pub fn base_number(&self) -> Option<String> {
        self.base.map(hex)
    }

    /// A critical extension, of the list or of an entry, that is not processed here: such a list says nothing (RFC 5280 5.2).
    pub fn unprocessed(&self) -> Option<Oid<'a>> {
        self.unknown_critical.map(Oid)
    }

    /// The signature algorithm for people.
    pub fn signature_algorithm(&self) -> String {
        algorithm::describe(self.signed.algorithm)
    }

    /// How many certificates it revokes.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether it revokes none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The revoked certificates.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let mut walk = self.entries;
        core::iter::from_fn(move || Entry::read(&mut walk, true).ok().map(|(entry, _)| entry))
    }

    /// Where each entry stands, and its serial number.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let whole = self.entries;
        let mut walk = whole;
        core::iter::from_fn(move || {
            let place = whole.0.len().saturating_sub(walk.0.len());
            Entry::read(&mut walk, true).ok().map(|(entry, _)| (place, entry.serial))
        })
    }

    /// The first critical extension of an entry that is not understood, and whether an entry names an issuer.
    pub(super) fn oddities_of_entries(&self) -> (Option<&'a [u8]>, bool) {
        let mut walk = self.entries;
        let entries = core::iter::from_fn(move || Entry::read(&mut walk, true).ok());
        entries.fold((None, false), |(first, names), (entry, unknown)| {
            (first.or(unknown), names || entry.issuer.is_some())
        })
    }

    /// Whether its signature is good with a key, or why it does not count.
    pub(crate) fn is_signed(&self, spki: &[u8], checker: &Checker<'_>) -> Result<(), SignatureRefusal> {
        let good = || checker.verify(&self.signed, spki);
        match self.index {
            Some(index) => index.is_signed(spki, checker, good),
            None => good(),
        }
    }

    /// The entry for a certificate, of several the worst: RFC 5280 5.3.3, an entry's issuer holds for those after it.
    pub(crate) fn find(&self, serial: &[u8], issuer: &[u8]) -> Option<Entry<'a>> {
        let (mut ours, mut sure) = (compare::same(self.issuer, issuer), true);
        if let Some(index) = self.index.filter(|index| !index.names_issuers) {
            let at = |place| Entry::read(&mut Der(self.entries.0.get(place..)?), true).ok();
            let entries = index.places(serial).filter_map(at).map(|(entry, _)| entry);
            return entries.filter(|entry| ours && entry.serial == serial).reduce(Entry::worse);
        }
        let mut worst: Option<Entry<'a>> = None;
        for entry in self.entries() {
            if let Some(names) = entry.issuer {
                let is = |name| matches!(name, SubjectAltName::Directory(name) if compare::same(name, issuer));
                sure = point::names(names).all(is);
                // Where only the list's own issuer may stand, another one spares nobody.
                ours = if self.issuing_point.indirect { point::names(names).any(is) } else { ours };
            }
            if ours && entry.serial == serial {
                let entry = Entry { sure, ..entry };
                worst = Some(worst.map_or(entry, |worst| worst.worse(entry)));
            }
        }
        worst
    }

    /// Whether this delta changes a complete list: it is of the same issuer, scope and key, has what is new since that list or an
    /// earlier one, and is the later of the two (RFC 5280 5.2.4).
    ///
    /// A delta that changes no list at hand lets go of nobody; whom it revokes is revoked all the same.
    pub fn is_delta_of(&self, complete: &Crl<'_>) -> bool {
        let (Some(number), Some(base), Some(new)) = (complete.number, self.base, self.number) else { return false };
        let key = |c: &Crl<'_>| c.authority_key.and_then(|a| a.key).map(<[u8]>::to_vec);
        complete.base.is_none()
            && self.is_of_scope(complete)
            && key(self) == key(complete)
            && size(number) >= size(base)
            && size(new) > size(number)
    }

    /// Whether both are lists of one issuer about the same certificates, so that their numbers are of one row: RFC 5280 5.2.3.
    pub(super) fn is_of_scope(&self, other: &Crl<'_>) -> bool {
        compare::same(self.issuer, other.issuer) && self.issuing_point.der == other.issuing_point.der
    }

    /// Whether it is as new as another of its row, by their numbers.
    pub(super) fn is_as_new_as(&self, other: &Crl<'_>) -> bool {
        self.number.zip(other.number).is_some_and(|(mine, other)| size(mine) >= size(other))
    }
}

/// What orders numbers of [`number`].
fn size(number: &[u8]) -> (usize, &[u8]) {
    (number.len(), number)
}

/// A number that is not negative, as minimal bytes without a sign, so that length orders first.
fn number<'a>(value: &mut Der<'a>, what: &'static str) -> DerResult<&'a [u8]> {
    let start = *value;
    let content = value.take(der::INTEGER, what)?.0;
    match content {
        [0x80..=0xff, ..] => Err(start.wrong(what, "a number that is not negative")),
        [0, rest @ ..] if !rest.is_empty() => Ok(rest),
        all => Ok(all),
    }
}

fn issuing_point<'a>(value: &mut Der<'a>) -> DerResult<IssuingDistributionPoint<'a>> {
    let what = "issuingDistributionPoint";
    let start = *value;
    let mut inner = value.take(der::SEQUENCE, what)?;
    // RFC 5280 5.2.5: never an empty sequence.
    if inner.is_empty() {
        return Err(inner.wrong(what, "a scope"));
    }
    let name = inner.optional(constructed(0), what)?.map(|name| PointName::read(name, what)).transpose()?;
    let (only_users, only_authorities) = (flag(&mut inner, 1)?, flag(&mut inner, 2)?);
    let reasons = point::reasons(&mut inner, 3, what)?;
    let (indirect, only_attributes) = (flag(&mut inner, 4)?, flag(&mut inner, 5)?);
    inner.finish(what)?;
    // RFC 5280 5.2.5: at most one of the three.
    if [only_users, only_authorities, only_attributes].iter().filter(|f| **f).count() > 1 {
        return Err(start.wrong(what, "one kind of certificate at most"));
    }
    Ok(IssuingDistributionPoint { der: None, name, only_users, only_authorities, reasons, indirect, only_attributes })
}

/// A BOOLEAN DEFAULT FALSE of issuingDistributionPoint.
fn flag(inner: &mut Der<'_>, n: u8) -> DerResult<bool> {
    let start = *inner;
    match inner.optional(primitive(n), "issuingDistributionPoint")? {
        None => Ok(false),
        Some(Der([0xff])) => Ok(true),
        Some(_) => Err(start.wrong("issuingDistributionPoint", "a BOOLEAN of 255, or none")),
    }
}
