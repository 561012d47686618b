//! What can be said of a certificate that cannot be read as a whole.

use super::extensions::Extensions;
use super::fields::{Certificate, validity_time};
use super::quirks::Quirks;
use crate::der::{self, Der, DerError, DerResult, constructed};
use crate::name::{self, Name};
use crate::text::hex;

/// Why a certificate cannot be read, and what of it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The field that is not as RFC 5280 4.1 has it.
    pub field: &'static str,
    /// Where it begins, in bytes from the certificate's first.
    pub offset: usize,
    /// The serial number in hexadecimal.
    pub serial: Option<String>,
    /// The issuer, for people.
    pub issuer: Option<String>,
    /// The subject, for people.
    pub subject: Option<String>,
}

impl Unreadable {
    /// Looks at a certificate (DER); `None` where all of it can be read.
    pub fn of(der: &[u8]) -> Option<Self> {
        let field = Certificate::parse(der).err()?;
        let mut found = Self { field, offset: 0, serial: None, issuer: None, subject: None };
        let (mut at, mut first) = (0, None);
        // It ends where there is no way on, which is what `at` then says; fields that are wrong within are passed.
        let walked = found.walk(der, &mut at, &mut first);
        found.offset = first.unwrap_or(if walked.is_ok() { 0 } else { at });
        Some(found)
    }

    fn walk(&mut self, der: &[u8], at: &mut usize, first: &mut Option<usize>) -> DerResult<()> {
        let mut whole = Cursor { rest: Der(der), end: der.len() };
        let mut outer = whole.enter(der::SEQUENCE, at)?;
        let mut body = outer.enter(der::SEQUENCE, at)?;
        body.optional(constructed(0), at)?;
        self.serial = Some(hex(body.element(der::INTEGER, at)?.0));
        body.element(der::SEQUENCE, at)?;
        self.issuer = named(body.element(der::SEQUENCE, at)?, *at, first);
        let mut validity = body.enter(der::SEQUENCE, at)?;
        for _ in 0..2 {
            *at = validity.offset();
            if validity_time(&mut validity.rest, "validity", &mut Quirks::default()).is_err() {
                first.get_or_insert(*at);
                break;
            }
        }
        self.subject = named(body.element(der::SEQUENCE, at)?, *at, first);
        body.element(der::SEQUENCE, at)?;
        if body.rest.peek() == Some(constructed(3)) {
            let mut list = body.enter(constructed(3), at)?.enter(der::SEQUENCE, at)?;
            while !list.rest.is_empty() {
                *at = list.offset();
                let one = list.rest.whole(der::SEQUENCE, "extension")?;
                Extensions::read(Der(one), &mut Quirks::default())?;
            }
        }
        *at = body.offset();
        body.rest.finish("tbsCertificate")?;
        outer.element(der::SEQUENCE, at)?;
        outer.element(der::BIT_STRING, at)?;
        *at = outer.offset();
        outer.rest.finish("Certificate")?;
        *at = whole.offset();
        whole.rest.finish("Certificate")
    }
}

/// A name for people, where it can be read.
fn named((content, whole): (&[u8], &[u8]), at: usize, first: &mut Option<usize>) -> Option<String> {
    if name::check(whole, "name").is_err() {
        first.get_or_insert(at);
        return None;
    }
    Some(if content.is_empty() { "(no name)".into() } else { Name(whole).to_string() })
}

/// What is left of a part of a certificate, which ends at this offset.
struct Cursor<'a> {
    rest: Der<'a>,
    end: usize,
}

impl<'a> Cursor<'a> {
    fn offset(&self) -> usize {
        self.end.saturating_sub(self.rest.0.len())
    }

    /// The next element, its content and all of it; its place is told first.
    fn element(&mut self, tag: u8, at: &mut usize) -> DerResult<(&'a [u8], &'a [u8])> {
        *at = self.offset();
        match self.rest.any("field")? {
            (seen, content, whole) if seen == tag => Ok((content, whole)),
            _ => Err(DerError("field")),
        }
    }

    fn optional(&mut self, tag: u8, at: &mut usize) -> DerResult<()> {
        if self.rest.peek() == Some(tag) { self.element(tag, at).map(|_| ()) } else { Ok(()) }
    }

    fn enter(&mut self, tag: u8, at: &mut usize) -> DerResult<Self> {
        let (content, _) = self.element(tag, at)?;
        Ok(Self { rest: Der(content), end: self.offset() })
    }
}
