//! What can be said of a certificate that cannot be read as a whole.

use super::fields::Certificate;
use crate::der::{self, Der, DerResult, constructed};
use crate::name::{self, Name};
use crate::parse_error::ParseError;
use crate::text::hex;

/// Why a certificate cannot be read, and what of it can.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The field that is not as RFC 5280 4.1 has it, and where.
    pub error: ParseError,
    /// The serial number in hexadecimal.
    pub serial: Option<String>,
    /// The issuer, for people.
    pub issuer: Option<String>,
    /// The subject, for people.
    pub subject: Option<String>,
    /// The SubjectPublicKeyInfo (DER), whatever it holds.
    pub spki: Option<Vec<u8>>,
}

impl Unreadable {
    /// Looks at a certificate (DER); `None` where all of it can be read.
    pub fn of(der: &[u8]) -> Option<Self> {
        let error = Certificate::parse(der).err()?;
        let mut found = Self { error, serial: None, issuer: None, subject: None, spki: None };
        // It ends where there is no way on.
        let _as_far_as_it_goes = found.walk(der);
        Some(found)
    }

    /// Fields that are wrong within are passed.
    fn walk(&mut self, der: &[u8]) -> DerResult<()> {
        let mut body = Der(der).take(der::SEQUENCE, "Certificate")?.take(der::SEQUENCE, "tbsCertificate")?;
        body.optional(constructed(0), "version")?;
        if body.peek() != Some(der::INTEGER) {
            return Err(body.wrong("serialNumber", "an INTEGER"));
        }
        // However it is padded.
        self.serial = Some(hex(body.any("serialNumber")?.1));
        body.take(der::SEQUENCE, "signature")?;
        self.issuer = named(body.whole(der::SEQUENCE, "issuer")?);
        body.take(der::SEQUENCE, "validity")?;
        self.subject = named(body.whole(der::SEQUENCE, "subject")?);
        self.spki = Some(body.whole(der::SEQUENCE, "subjectPublicKeyInfo")?.to_vec());
        Ok(())
    }
}

/// A name for people, where it can be read.
fn named(name: &[u8]) -> Option<String> {
    name::check(name, "name").ok().map(|()| Name(name).to_string())
}
