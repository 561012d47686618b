//! PEM files (RFC 7468), as people have them. The one reader of the library and of the program: it takes what OpenSSL takes,
//! and what it does not understand is an error with its line, never an item that is missing.
//!
//! A byte-order mark, text before, between and behind the sections, RFC 1421 headers, white space at the ends of lines and all
//! three kinds of line end are taken. Two markers in one line, a marker that is damaged, data that is no base64, a section
//! that does not end, one whose label nobody knows, and bytes beside the sections that are no text (DER, say) are not.

use crate::der::{self, Der, DerResult, constructed};
use crate::kind::{self, Kind};
use crate::oid;
use core::fmt;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PemError {
    /// The line, from 1; 0 where it is the file as a whole.
    pub line: usize,
    /// What was found.
    pub found: String,
    /// What was wanted.
    pub wanted: String,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, found, wanted } = self;
        if *line > 0 {
            write!(f, "line {line}: ")?;
        }
        write!(f, "found {found}; wanted {wanted}")
    }
}

impl core::error::Error for PemError {}

fn fail<T>(line: usize, found: impl Into<String>, wanted: impl Into<String>) -> Result<T, PemError> {
    Err(PemError { line, found: found.into(), wanted: wanted.into() })
}

/// The uses that a TRUSTED CERTIFICATE of OpenSSL is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uses {
    /// To be, or to vouch for, a TLS server.
    pub server: bool,
    /// To be, or to vouch for, a TLS client.
    pub client: bool,
}

impl Uses {
    pub(crate) const ALL: Self = Self { server: true, client: true };
}

/// One section of a file. What it holds is wiped with it: it may be a key.
pub struct Section {
    kind: Kind,
    label: String,
    line: usize,
    der: Zeroizing<Vec<u8>>,
    uses: Uses,
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in line {}", self.label, self.line)
    }
}

impl Section {
    /// What it is, by its label.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its label; empty for a file in DER.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The line of its BEGIN; 0 for a file in DER.
    pub fn line(&self) -> usize {
        self.line
    }

    /// What it holds; of a TRUSTED CERTIFICATE the certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What a certificate may be trusted for.
    pub fn uses(&self) -> Uses {
        self.uses
    }
}

/// Reads every section of a file, at least one.
///
/// # Errors
/// Says the line, what was found there and what was wanted.
pub fn read(bytes: &[u8]) -> Result<Vec<Section>, PemError> {
    match read_on(bytes) {
        (sections, None) => Ok(sections),
        (_, Some(fault)) => Err(fault),
    }
}

/// Reads the sections of a file up to the first fault, to show what there is. Whoever decides by a file wants [`read`].
pub fn read_on(bytes: &[u8]) -> (Vec<Section>, Option<PemError>) {
    let mut lines = Lines { rest: bytes, number: 0 };
    let (mut sections, mut binary) = (Vec::new(), None);
    while let Some((number, line)) = lines.next() {
        let read = match marker(line) {
            Marker::Text => continue,
            Marker::Begin(label) => section(label, number, &mut lines),
            Marker::Odd => fail(number, shown(line), "-----BEGIN LABEL----- alone in its line"),
            Marker::Binary => {
                binary.get_or_insert(number);
                continue;
            }
        };
        match read {
            Ok(section) => sections.push(section),
            Err(fault) => return (sections, Some(fault)),
        }
    }
    if !sections.is_empty() {
        let lost = |line| PemError {
            line,
            found: "bytes that are no text".into(),
            wanted: "PEM, and text beside it; DER in a file of its own".into(),
        };
        return (sections, binary.map(lost));
    }
    let hint = kind::of(bytes).map_or("", |kind| hint(Kind::Other, kind, true));
    let wanted = format!("PEM: -----BEGIN LABEL----- and what follows{hint}");
    (sections, Some(PemError { line: 0, found: whole(bytes), wanted }))
}

/// The items of one kind, at least one. Items of other kinds are passed over, but not those that may hold items of this one.
///
/// # Errors
/// As [`read`], and where there is none.
pub fn items(bytes: &[u8], wanted: Kind) -> Result<Vec<Section>, PemError> {
    items_without(bytes, wanted, None)
}

/// The certificates of a file of roots. A revocation list there would be lost, and whoever put it there believes that it counts.
pub(crate) fn roots(bytes: &[u8]) -> Result<Vec<Section>, PemError> {
    items_without(bytes, Kind::Certificate, Some(Kind::Crl))
}

/// The items of one kind of a file that must have none of another.
fn items_without(bytes: &[u8], wanted: Kind, never: Option<Kind>) -> Result<Vec<Section>, PemError> {
    let mut items = Vec::new();
    let mut others = Vec::new();
    for section in read(bytes)? {
        if section.kind == wanted {
            items.push(section);
        } else if matches!(section.kind, Kind::Messages | Kind::Other) && wanted != Kind::PrivateKey {
            return fail(section.line, section.describe(), format!("{wanted}, as BEGIN {}", wanted.label()));
        } else if Some(section.kind) == never {
            return fail(section.line, section.describe(), format!("{wanted} and no lists, which are given apart"));
        } else {
            others.push(section);
        }
    }
    match others.iter().find(|other| other.kind == Kind::EncryptedKey).or(others.first()) {
        _ if !items.is_empty() => Ok(items),
        Some(other) => fail(other.line, other.describe(), format!("{wanted}{}", hint(wanted, other.kind, false))),
        None => fail(0, "nothing", format!("{wanted}")),
    }
}

/// The items of one kind of a file in PEM, or the one that a file in DER is.
///
/// # Errors
/// As [`items`].
pub fn items_or_der(bytes: &[u8], wanted: Kind) -> Result<Vec<Section>, PemError> {
    match kind::of(bytes) {
        Some(kind) if kind == wanted => Ok(vec![Section {
            kind,
            label: String::new(),
            line: 0,
            der: Zeroizing::new(bytes.to_vec()),
            uses: Uses::ALL,
        }]),
        Some(kind) => fail(0, format!("{kind} in DER"), format!("{wanted}{}", hint(wanted, kind, true))),
        None if kind::first_of(bytes).is_some() => {
            fail(0, whole(bytes), format!("{wanted}, one alone where it is DER"))
        }
        // A certificate that cannot be read is more use to whoever can say which field it is.
        None if bytes.first() == Some(&der::SEQUENCE) && Der(bytes).take(der::SEQUENCE, "file").is_ok() => {
            Ok(vec![Section {
                kind: wanted,
                label: String::new(),
                line: 0,
                der: Zeroizing::new(bytes.to_vec()),
                uses: Uses::ALL,
            }])
        }
        None => items(bytes, wanted),
    }
}

/// The one private key of a file.
///
/// # Errors
/// As [`items`], where it is encrypted, and where there are more.
pub fn private_key(bytes: &[u8]) -> Result<Section, PemError> {
    let mut keys = items(bytes, Kind::PrivateKey)?;
    match (keys.pop(), keys.first()) {
        (Some(key), None) => Ok(key),
        (Some(second), Some(first)) => {
            fail(second.line, format!("another private key beside that of line {}", first.line), "one private key")
        }
        (None, _) => fail(0, "nothing", "a private key"),
    }
}

impl Section {
    fn describe(&self) -> String {
        match self.kind {
            Kind::Other => format!("a section that is not known here: BEGIN {}", self.label),
            kind => format!("{kind} (BEGIN {})", self.label),
        }
    }
}

/// What to do about something else.
fn hint(wanted: Kind, found: Kind, is_der: bool) -> &'static str {
    match (wanted, found) {
        (Kind::PrivateKey, Kind::EncryptedKey) => ", unencrypted: openssl pkey -in FILE",
        (_, Kind::Messages) if is_der => ": openssl pkcs7 -inform DER -print_certs -in FILE",
        (_, Kind::Messages) => ": openssl pkcs7 -print_certs -in FILE",
        (_, Kind::Pkcs12) => ": openssl pkcs12 -nodes -in FILE",
        _ => "",
    }
}

/// Lines, whether they end with LF, CR LF or CR, from 1.
#[derive(Clone)]
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(self.rest.len());
        let (line, after) = self.rest.split_at_checked(end)?;
        self.rest = after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default();
        self.number = self.number.saturating_add(1);
        Some((self.number, trimmed(line)))
    }
}

/// As OpenSSL: without white space and controls at its end, and without a byte-order mark, wherever files were joined.
fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let end = line.iter().rposition(|b| *b > b' ').map_or(0, |last| last.saturating_add(1));
    line.get(..end).unwrap_or_default()
}

/// A line outside of sections.
enum Marker<'a> {
    Text,
    Begin(&'a str),
    /// A line that a section may have begun or ended with once.
    Odd,
    /// Part of what may be an item in DER, which would be lost.
    Binary,
}

fn marker(line: &[u8]) -> Marker<'_> {
    let label = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
    match label.and_then(|label| core::str::from_utf8(label).ok()) {
        Some(label) if !label.contains("--") && !label.is_empty() => Marker::Begin(label),
        _ if is_odd(line) => Marker::Odd,
        _ if line.iter().any(|b| b.is_ascii_control() && !b"\t\x0b\x0c\x1b".contains(b)) => Marker::Binary,
        _ => Marker::Text,
    }
}

/// Whether a line has BEGIN or END behind dashes: the five of a marker, or, before the name of something that is looked for,
/// two or more, or such as word processors make of them.
fn is_odd(line: &[u8]) -> bool {
    // Most lines are data, of which no copy is made: it may be a key.
    if line.iter().all(|b| b.is_ascii() && *b != b'-') {
        return false;
    }
    const THINGS: [&str; 7] = ["CERTIFICATE", "KEY", "CRL", "PARAMETERS", "PKCS", "CMS", "REQUEST"];
    let line = String::from_utf8_lossy(line);
    let text = line.to_uppercase();
    let thing = THINGS.iter().any(|thing| text.contains(thing));
    let dash = |c: char| c == '-' || matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}');
    ["BEGIN", "END"].iter().any(|word| {
        line.contains(&format!("-----{word}"))
            || (thing
                && text.match_indices(word).any(|(at, _)| {
                    let before = text.get(..at).unwrap_or_default().trim_end();
                    let dashes = before.chars().rev().take_while(|c| dash(*c));
                    let count = dashes.clone().count();
                    count >= 2 || dashes.clone().any(|c| c != '-')
                }))
    })
}

/// The rest of a section behind its BEGIN.
fn section(label: &str, begin: usize, lines: &mut Lines<'_>) -> Result<Section, PemError> {
    let end = format!("-----END {label}-----");
    let body = lines.clone().take_while(|(_, line)| !line.starts_with(DASHES));
    // Never more than is taken at once: a key that grows leaves copies.
    let mut data = Base64::with_room(body.map(|(_, line)| line.len()).sum());
    let (mut headers, mut encrypted, mut begun) = (true, false, false);
    for (number, line) in lines {
        if line == end.as_bytes() {
            let der = data.finish(number)?;
            return finished(label, begin, der, encrypted);
        }
        if line.starts_with(DASHES) || is_odd(line) {
            return fail(number, shown(line), format!("{end} alone in its line (the section begins in line {begin})"));
        }
        // RFC 1421 4.4: fields, each carried on by lines that begin with white space, then an empty line.
        if headers && line.contains(&b':') {
            encrypted |= line.windows(9).any(|part| part == b"ENCRYPTED");
            begun = true;
        } else if headers && begun && matches!(line.first(), None | Some(b' ' | b'\t')) {
            headers = !line.is_empty();
        } else {
            headers = false;
            data.line(line, number)?;
        }
    }
    fail(begin, "a section that the file ends in", format!("{end} behind it"))
}

fn finished(label: &str, line: usize, mut der: Zeroizing<Vec<u8>>, encrypted: bool) -> Result<Section, PemError> {
    let kind = match Kind::labelled(label) {
        Kind::PrivateKey if encrypted => Kind::EncryptedKey,
        kind => kind,
    };
    let mut uses = Uses::ALL;
    if label == "TRUSTED CERTIFICATE" {
        let mut rest = Der(&der);
        let limits = match rest.whole(der::SEQUENCE, "certificate") {
            Ok(certificate) => limited(rest).map(|uses| (certificate.len(), uses)),
            Err(fault) => Err(fault),
        };
        let Ok((length, limited)) = limits else {
            return fail(line, "a TRUSTED CERTIFICATE that cannot be read", "a certificate and what it is trusted for");
        };
        uses = limited;
        der.truncate(length);
    }
    Ok(Section { kind, label: label.into(), line, der, uses })
}

/// X509_CERT_AUX of OpenSSL: the uses that are trusted, where there is such a list, but for those that are rejected.
fn limited(mut input: Der<'_>) -> DerResult<Uses> {
    let what = "trust";
    if input.is_empty() {
        return Ok(Uses::ALL);
    }
    let mut aux = input.take(der::SEQUENCE, what)?;
    input.finish(what)?;
    let has = |mut list: Der<'_>| {
        let mut uses = Uses { server: false, client: false };
        while !list.is_empty() {
            match list.oid(what)? {
                oid::SERVER_AUTH => uses.server = true,
                oid::CLIENT_AUTH => uses.client = true,
                oid::ANY_USAGE => uses = Uses::ALL,
                _ => {}
            }
        }
        Ok(uses)
    };
    let trusted = aux.optional(der::SEQUENCE, what)?.map(has).transpose()?.unwrap_or(Uses::ALL);
    let rejected = aux.optional(constructed(0), what)?.map(has).transpose()?;
    let rejected = rejected.unwrap_or(Uses { server: false, client: false });
    Ok(Uses { server: trusted.server && !rejected.server, client: trusted.client && !rejected.client })
}

/// Base64 on its way to bytes.
struct Base64 {
    out: Zeroizing<Vec<u8>>,
    group: u32,
    digits: usize,
    padding: usize,
}

impl Base64 {
    fn with_room(text: usize) -> Self {
        let room = text.div_ceil(4).saturating_mul(3);
        Self { out: Zeroizing::new(Vec::with_capacity(room)), group: 0, digits: 0, padding: 0 }
    }

    fn line(&mut self, line: &[u8], number: usize) -> Result<(), PemError> {
        for byte in line {
            match (*byte, sextet(*byte)) {
                (b' ' | b'\t', _) => {}
                (b'=', _) => self.padding = self.padding.saturating_add(1),
                (_, Some(_)) if self.padding > 0 => return fail(number, "data behind the padding", "the END line"),
                (_, Some(digit)) => self.digit(digit),
                (_, None) => return fail(number, format!("{} in the data", byte.escape_ascii()), "base64"),
            }
        }
        Ok(())
    }

    fn digit(&mut self, digit: u8) {
        self.group = self.group << 6 | u32::from(digit);
        self.digits = self.digits.saturating_add(1);
        if self.digits.is_multiple_of(4) {
            let [_, bytes @ ..] = self.group.to_be_bytes();
            self.out.extend_from_slice(&bytes);
            self.group = 0;
        }
    }

    /// RFC 4648 4: groups of four digits, the last one padded.
    fn finish(mut self, number: usize) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let rest = self.digits % 4;
        match (rest, self.padding) {
            (0, 0) => {}
            (2, 2) => {
                let [_, byte, ..] = (self.group << 12).to_be_bytes();
                self.out.push(byte);
            }
            (3, 1) => {
                let [_, bytes @ .., _] = (self.group << 6).to_be_bytes();
                self.out.extend_from_slice(&bytes);
            }
            _ => return fail(number, "data that ends within a group of four", "base64 with its padding"),
        }
        self.group = 0;
        if self.out.is_empty() { fail(number, "a section without data", "base64") } else { Ok(self.out) }
    }
}

/// In constant time but for what is no base64: a table would tell a key to whoever shares the cache.
#[expect(clippy::arithmetic_side_effects, reason = "of numbers of 8 bits, in 16")]
fn sextet(byte: u8) -> Option<u8> {
    let b = i16::from(byte);
    // All ones for what is from low to high.
    let within = |low: u8, high: u8| ((i16::from(low) - 1 - b) & (b - i16::from(high) - 1)) >> 8;
    // One more than the value: nothing is 0.
    let above = within(b'A', b'Z') & (b - 64)
        | within(b'a', b'z') & (b - 70)
        | within(b'0', b'9') & (b + 5)
        | within(b'+', b'+') & 63
        | within(b'/', b'/') & 64;
    u8::try_from(above).ok()?.checked_sub(1)
}

/// The start of a line, for an error: dashes, spaces and the words of markers. A line may have a key in it, whole, beside a
/// marker; whatever is none of these is left out.
fn shown(line: &[u8]) -> String {
    const WORDS: [&str; 22] = [
        "BEGIN",
        "END",
        "CERTIFICATE",
        "TRUSTED",
        "NEW",
        "REQUEST",
        "X509",
        "CRL",
        "PRIVATE",
        "PUBLIC",
        "ENCRYPTED",
        "KEY",
        "RSA",
        "EC",
        "DSA",
        "DH",
        "PARAMETERS",
        "PKCS7",
        "PKCS12",
        "CMS",
        "OCSP",
        "RESPONSE",
    ];
    let text = String::from_utf8_lossy(line);
    let digit = |c: char| u8::try_from(c).is_ok_and(|b| sextet(b).is_some() || b == b'=');
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(first) = rest.chars().next().filter(|_| out.len() < 80) {
        let run = rest.find(|c| !digit(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(run.max(first.len_utf8())).unwrap_or((rest, ""));
        match WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) || run == 0 {
            true => out.extend(word.escape_debug()),
            false => out.push('\u{2026}'),
        }
        rest = after;
    }
    out
}

/// What a file without a section is.
fn whole(bytes: &[u8]) -> String {
    if let Some(kind) = kind::of(bytes) {
        return format!("{kind} in DER");
    }
    if let Some((kind, behind)) = kind::first_of(bytes) {
        return format!("{kind} in DER, and {behind} bytes behind it");
    }
    let has = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    match bytes {
        [] => "an empty file".into(),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "text in UTF-16".into(),
        _ if has(b"B\0E\0G\0I\0N") => "text in UTF-16".into(),
        _ => "no BEGIN line".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_as_a_digit() {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for byte in 0..=u8::MAX {
            let value = DIGITS.iter().position(|d| *d == byte).and_then(|at| u8::try_from(at).ok());
            assert_eq!(sextet(byte), value, "{byte}");
        }
    }

    #[test]
    fn groups_and_padding() {
        for (text, bytes) in [("TQ==", &b"M"[..]), ("TWE=", b"Ma"), ("TWFu", b"Man"), ("TW Fu\tTQ==", b"ManM")] {
            let mut data = Base64::with_room(text.len());
            data.line(text.as_bytes(), 1).unwrap();
            assert_eq!(data.finish(1).unwrap()[..], *bytes, "{text}");
        }
        for text in ["", "T", "TQ", "TQ=", "TWE", "TWE==", "T===", "TWFu====", "=", "TQ==TQ==", "TQ=a"] {
            let mut data = Base64::with_room(text.len());
            assert!(data.line(text.as_bytes(), 1).and_then(|()| data.finish(1)).is_err(), "{text}");
        }
    }
}
