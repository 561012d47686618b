//! Distribution points: RFC 5280 4.2.1.13 and 5.2.5.

use crate::der::{self, Der, DerResult, constructed, element, primitive};
use crate::name::general::{SubjectAltName, general_names};
use crate::name::{Name, compare};
use core::fmt;

/// ReasonFlags, the bits of the BIT STRING from the left. Bit 0 means nothing.
pub(crate) const ALL_REASONS: u16 = 0x7f80;

/// A DistributionPoint: where lists about a certificate are, for which reasons, and by whom. For people it is as
/// `http://a.test/a.crl; for keyCompromise`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DistributionPoint<'a> {
    pub(crate) name: Option<PointName<'a>>,
    pub(crate) reasons: Option<u16>,
    pub(crate) issuer: Option<Der<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PointName<'a> {
    /// GeneralNames that were read once.
    Full(Der<'a>),
    /// One RDN below the name of the CRL's issuer.
    Relative(Der<'a>),
}

impl<'a> PointName<'a> {
    /// The content of a DistributionPointName, a CHOICE.
    pub(crate) fn read(mut input: Der<'a>, what: &'static str) -> DerResult<Self> {
        let name = match input.peek() {
            Some(tag) if tag == constructed(0) => Self::Full(general_names(&mut input, tag, what)?),
            Some(tag) if tag == constructed(1) => {
                let rdn = input.take(tag, what)?;
                rdn.each(what, |rdn| rdn.take(der::SEQUENCE, what).map(|_| ()))?;
                Self::Relative(rdn)
            }
            _ => return Err(input.wrong(what, "a full name or a relative one")),
        };
        input.finish(what)?;
        Ok(name)
    }

    /// Whether the two have a name in common; relative names stand below `issuer`, a distinguished name.
    pub(crate) fn meets(&self, issuer: &[u8], other: &PointName<'_>, other_issuer: &[u8]) -> bool {
        match (self, other) {
            (Self::Full(a), PointName::Full(b)) => names(*a).any(|a| names(*b).any(|b| same(&a, &b))),
            (Self::Relative(a), PointName::Relative(b)) => a.0 == b.0 && compare::same(issuer, other_issuer),
            (Self::Full(a), PointName::Relative(b)) => names(*a).any(|a| is_relative(&a, other_issuer, *b)),
            (Self::Relative(a), PointName::Full(b)) => names(*b).any(|b| is_relative(&b, issuer, *a)),
        }
    }

    /// Whether it names this directory name.
    pub(crate) fn meets_directory(&self, issuer: &[u8], directory: &[u8]) -> bool {
        let wanted = SubjectAltName::Directory(directory);
        match self {
            Self::Full(mine) => names(*mine).any(|m| same(&m, &wanted)),
            Self::Relative(rdn) => is_relative(&wanted, issuer, *rdn),
        }
    }

    /// Whether it names one of these names.
    pub(crate) fn is_one_of(&self, issuer: &[u8], list: Der<'_>) -> bool {
        names(list).any(|name| match self {
            Self::Full(mine) => names(*mine).any(|m| same(&m, &name)),
            Self::Relative(rdn) => is_relative(&name, issuer, *rdn),
        })
    }
}

/// Whether a name is that of `issuer` with one RDN more.
fn is_relative(name: &SubjectAltName<'_>, issuer: &[u8], rdn: Der<'_>) -> bool {
    let SubjectAltName::Directory(name) = name else { return false };
    let (mut found, mut wanted) = (Name(name).rdns(), Name(issuer).rdns());
    let prefix = wanted.all(|w| found.next().is_some_and(|f| f.0 == w.0));
    prefix && found.next().is_some_and(|last| last.0 == rdn.0) && found.next().is_none()
}

/// What could be read as more than one name stands in quotes.
fn quoted(name: &SubjectAltName<'_>) -> String {
    let text = format!("{name:#}");
    if text.contains([' ', ',', ';', '"']) && !matches!(name, SubjectAltName::Directory(_)) {
        return format!("\"{}\"", text.replace('"', "\\\""));
    }
    text
}

fn joined(list: Der<'_>) -> String {
    names(list).map(|name| quoted(&name)).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for PointName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(list) => f.write_str(&joined(*list)),
            Self::Relative(rdn) => {
                let name = element(der::SEQUENCE, &element(der::SET, rdn.0));
                write!(f, "{:#} below the name of the lists' issuer", Name(&name))
            }
        }
    }
}

/// ReasonFlags, each by its name: RFC 5280 4.2.1.13.
pub(crate) fn reason_names(reasons: u16) -> String {
    const NAMES: [&str; 9] = [
        "unused",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    let set = |(bit, name): (usize, &&'static str)| ((reasons << bit) & 0x8000 != 0).then_some(*name);
    let all: Vec<&str> = NAMES.iter().enumerate().filter_map(set).collect();
    if all.is_empty() { "no reason".into() } else { all.join(", ") }
}

impl fmt::Display for DistributionPoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.name.map(|name| name.to_string()),
            self.reasons.map(|reasons| format!("for {}", reason_names(reasons))),
            self.issuer.map(|names| format!("lists by {}", joined(names))),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

/// The names of a list that was read once.
pub(crate) fn names(mut list: Der<'_>) -> impl Iterator<Item = SubjectAltName<'_>> {
    core::iter::from_fn(move || SubjectAltName::read(&mut list, "name").ok())
}

fn same(a: &SubjectAltName<'_>, b: &SubjectAltName<'_>) -> bool {
    match (a, b) {
        (SubjectAltName::Directory(a), SubjectAltName::Directory(b)) => compare::same(a, b),
        (a, b) => a == b,
    }
}

/// ReasonFlags OPTIONAL, as [n]: none set means none.
pub(crate) fn reasons(input: &mut Der<'_>, n: u8, what: &'static str) -> DerResult<Option<u16>> {
    let start = *input;
    match input.optional(primitive(n), what)? {
        None => Ok(None),
        // Behind the last bit stand zeros (X.690 11.2.1): one reader would count them for reasons, and another not.
        Some(Der([unused @ 0..=7, a])) if a.trailing_zeros() >= u32::from(*unused) => {
            Ok(Some(u16::from_be_bytes([*a, 0]) & ALL_REASONS))
        }
        Some(Der([unused @ 0..=7, a, b])) if b.trailing_zeros() >= u32::from(*unused) => {
            Ok(Some(u16::from_be_bytes([*a, *b]) & ALL_REASONS))
        }
        Some(_) => Err(start.wrong(what, "a BIT STRING of at most two bytes, zeros behind its end")),
    }
}

fn read<'a>(list: &mut Der<'a>, what: &'static str) -> DerResult<DistributionPoint<'a>> {
    let start = *list;
    let mut inner = list.take(der::SEQUENCE, what)?;
    let name = inner.optional(constructed(0), what)?.map(|name| PointName::read(name, what)).transpose()?;
    let reasons = reasons(&mut inner, 1, what)?;
    let issuer = match inner.peek() {
        Some(tag) if tag == constructed(2) => Some(general_names(&mut inner, tag, what)?),
        _ => None,
    };
    inner.finish(what)?;
    // RFC 5280 4.2.1.13: reasons alone say nothing.
    if name.is_none() && issuer.is_none() {
        return Err(start.wrong(what, "a name, or an issuer of lists"));
    }
    Ok(DistributionPoint { name, reasons, issuer })
}

/// CRLDistributionPoints, read once.
pub(crate) fn check_list<'a>(value: &mut Der<'a>, what: &'static str) -> DerResult<Der<'a>> {
    let list = value.take(der::SEQUENCE, what)?;
    list.each(what, |list| read(list, what).map(|_| ()))?;
    Ok(list)
}

/// The points of a list that was read once.
pub(crate) fn points(list: Option<Der<'_>>) -> impl Iterator<Item = DistributionPoint<'_>> {
    let mut walk = list.unwrap_or(Der(&[]));
    core::iter::from_fn(move || read(&mut walk, "point").ok())
}
