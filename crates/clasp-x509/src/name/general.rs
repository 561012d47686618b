//! GeneralName (RFC 5280 4.2.1.6) and the syntax of its forms.

use super::distinguished::{Name, SHOWN_CHARACTERS, check};
use crate::der::{self, Der, DerResult, constructed, primitive};
use crate::oid;
use crate::text::printable;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// One GeneralName, in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectAltName<'a> {
    /// A DNS name, as ASCII.
    Dns(&'a [u8]),
    /// An IP address, 4 or 16 bytes.
    Ip(&'a [u8]),
    /// A URI (SPIFFE identities are of this kind).
    Uri(&'a [u8]),
    /// An e-mail address.
    Email(&'a [u8]),
    /// A distinguished name, DER.
    Directory(&'a [u8]),
    /// Another kind, by its number in GeneralName: 0 otherName, 3 x400Address, 5 ediPartyName, 8 registeredID.
    Other(u8, &'a [u8]),
}

/// The kinds of name that constraints are kept apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameKind {
    Dns,
    Ip,
    Uri,
    Email,
    Directory,
    Other(u8),
}

impl<'a> SubjectAltName<'a> {
    /// Reads the next GeneralName.
    pub(crate) fn read(input: &mut Der<'a>, what: &'static str) -> DerResult<Self> {
        let start = *input;
        let (tag, value, _) = input.any(what)?;
        let ascii = |value: &'a [u8]| {
            if value.is_ascii() { Ok(value) } else { Err(start.wrong(what, "a name in ASCII")) }
        };
        match tag {
            t if t == primitive(1) => Ok(Self::Email(ascii(value)?)),
            t if t == primitive(2) => Ok(Self::Dns(ascii(value)?)),
            t if t == constructed(4) => {
                let mut inner = Der(value);
                let name = inner.whole(der::SEQUENCE, what)?;
                inner.finish(what)?;
                check(name, what)?;
                Ok(Self::Directory(name))
            }
            t if t == primitive(6) => Ok(Self::Uri(ascii(value)?)),
            t if t == primitive(7) => Ok(Self::Ip(value)),
            t if t == primitive(8) => Ok(Self::Other(8, value)),
            t if [0, 3, 5].iter().any(|n| t == constructed(*n)) => Ok(Self::Other(tag & 0x1f, value)),
            _ => Err(start.wrong(what, "a GeneralName: [0] to [8]")),
        }
    }

    pub(crate) fn kind(&self) -> NameKind {
        match self {
            Self::Dns(_) => NameKind::Dns,
            Self::Ip(_) => NameKind::Ip,
            Self::Uri(_) => NameKind::Uri,
            Self::Email(_) => NameKind::Email,
            Self::Directory(_) => NameKind::Directory,
            Self::Other(n, _) => NameKind::Other(*n),
        }
    }

    /// The e-mail address that an otherName is (SmtpUTF8Mailbox, RFC 9598 3); of one that cannot be read, words that are no address.
    pub(crate) fn utf8_mailbox(&self) -> Option<&'a [u8]> {
        let Self::Other(0, content) = self else { return None };
        let mut inner = Der(content);
        if inner.oid("type-id").ok()? != oid::SMTP_UTF8_MAILBOX {
            return None;
        }
        let read = |mut inner: Der<'a>| {
            let mut value = inner.take(constructed(0), "value")?;
            inner.finish("otherName")?;
            let mailbox = value.take(der::UTF8_STRING, "SmtpUTF8Mailbox")?.0;
            value.finish("value").map(|()| mailbox)
        };
        let mailbox = read(inner).ok().filter(|mailbox| core::str::from_utf8(mailbox).is_ok());
        Some(mailbox.unwrap_or(b"an SmtpUTF8Mailbox that cannot be read"))
    }

    /// Whether the name is what its kind allows: RFC 5280 4.2.1.6.
    pub(crate) fn is_well_formed(&self) -> bool {
        match self {
            Self::Dns(name) => is_dns(name.strip_prefix(b"*.").map_or(*name, |base| base), name.starts_with(b"*.")),
            Self::Ip(address) => matches!(address.len(), 4 | 16),
            Self::Email(mailbox) => is_mailbox(mailbox),
            Self::Uri(uri) => uri.contains(&b':') && uri.iter().all(|b| in_uri(*b)),
            Self::Directory(_) | Self::Other(..) => true,
        }
    }
}

/// GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName.
pub(crate) fn general_names<'a>(value: &mut Der<'a>, tag: u8, what: &'static str) -> DerResult<Der<'a>> {
    let list = value.take(tag, what)?;
    list.each(what, |list| SubjectAltName::read(list, what).map(|_| ()))?;
    Ok(list)
}

/// The preferred name syntax (RFC 1034 3.5, RFC 1123 2.1): labels of letters, digits and inner hyphens. The base of a
/// wildcard has two labels at least (RFC 9525 6.3), and the last label is no number, lest a name pass for an address.
fn is_dns(name: &[u8], wildcard: bool) -> bool {
    let labels = name.split(|b| *b == b'.').count();
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    name.len() <= 253
        && (!wildcard || labels >= 2)
        && !last.iter().all(u8::is_ascii_digit)
        && name.split(|b| *b == b'.').all(is_label)
}

fn is_label(label: &[u8]) -> bool {
    (1..=63).contains(&label.len())
        && label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
        && !label.starts_with(b"-")
        && !label.ends_with(b"-")
}

/// A DNS name without a wildcard.
pub(crate) fn is_host(name: &[u8]) -> bool {
    is_dns(name, false)
}

/// RFC 5321's Mailbox: something before the last `@`, and a host or address literal after it.
pub(crate) fn is_mailbox(mailbox: &[u8]) -> bool {
    let Some((local, host)) = split_mailbox(mailbox) else { return false };
    let quoted = local.len() >= 2 && local.starts_with(b"\"") && local.ends_with(b"\"");
    let literal = host.starts_with(b"[") && host.ends_with(b"]");
    !local.is_empty() && (quoted || !local.contains(&b'@')) && (literal || is_host(host))
}

/// A mailbox's local part and host.
pub(crate) fn split_mailbox(mailbox: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = mailbox.iter().rposition(|b| *b == b'@')?;
    Some((mailbox.get(..at)?, mailbox.get(at.saturating_add(1)..)?))
}

/// RFC 3986 2: what a URI is written with. Of others some software makes something else, such as `/` of `\`.
fn in_uri(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// The host of a URI (RFC 3986 3.2.2), without user and port. None where readers of URIs may disagree on it.
pub(crate) fn uri_host(uri: &[u8]) -> Option<&[u8]> {
    if !uri.iter().all(|b| in_uri(*b)) {
        return None;
    }
    let colon = uri.iter().position(|b| *b == b':')?;
    let rest = uri.get(colon.saturating_add(1)..)?.strip_prefix(b"//")?;
    let authority = rest.split(|b| matches!(b, b'/' | b'?' | b'#')).next()?;
    let host = authority.rsplit(|b| *b == b'@').next()?;
    match host.strip_prefix(b"[") {
        Some(_) => Some(host),
        None => host.split(|b| *b == b':').next(),
    }
}

impl fmt::Display for SubjectAltName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = if f.alternate() { usize::MAX } else { SHOWN_CHARACTERS };
        match self {
            Self::Dns(name) => f.write_str(&printable(name, limit)),
            Self::Ip(address) => match (<[u8; 4]>::try_from(*address), <[u8; 16]>::try_from(*address)) {
                (Ok(v4), _) => write!(f, "{}", Ipv4Addr::from(v4)),
                (_, Ok(v6)) => write!(f, "{}", Ipv6Addr::from(v6)),
                // Of the lengths of addresses, 8 and 32 are those of name constraints.
                _ if matches!(address.len(), 8 | 32) => {
                    let (base, mask) = address.split_at(address.len() / 2);
                    let bits: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
                    write!(f, "{}/{bits}", Self::Ip(base))
                }
                _ => write!(f, "an IP address of {} bytes", address.len()),
            },
            Self::Uri(uri) => f.write_str(&printable(uri, limit)),
            Self::Email(mailbox) => f.write_str(&printable(mailbox, limit)),
            Self::Directory(name) => fmt::Display::fmt(&Name(name), f),
            Self::Other(kind, _) => match (kind, self.utf8_mailbox()) {
                (_, Some(mailbox)) => f.write_str(&printable(mailbox, limit)),
                (0, None) => f.write_str("an otherName"),
                (3, None) => f.write_str("an x400Address"),
                (5, None) => f.write_str("an ediPartyName"),
                (_, None) => f.write_str("a registeredID"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_syntax() {
        for good in ["example.com", "localhost", "*.example.com", "xn--n3h.com", "a-b.c", "1.example"] {
            assert!(SubjectAltName::Dns(good.as_bytes()).is_well_formed(), "{good}");
        }
        let long = "a".repeat(64);
        let bad = [".example.com", "example.com.", "a_b.com", "-a.com", "a-.com", "a..b", "", "*", "*.com", "1.2.3.4"];
        for bad in bad.into_iter().chain(["*a.example.com", "a.*.com", "a b.com", &long]) {
            assert!(!SubjectAltName::Dns(bad.as_bytes()).is_well_formed(), "{bad}");
        }
    }

    #[test]
    fn hosts_of_uris() {
        for (uri, host) in [
            ("http://example.com/x", Some("example.com")),
            ("spiffe://trust.example/a/b", Some("trust.example")),
            ("https://user:word@example.com:443/", Some("example.com")),
            ("http://[::1]:80/", Some("[::1]:80")),
            ("urn:uuid:1", None),
            ("http://example.com?q=http://other.com", Some("example.com")),
        ] {
            assert_eq!(uri_host(uri.as_bytes()), host.map(str::as_bytes), "{uri}");
        }
    }

    #[test]
    fn mailboxes() {
        for (mailbox, good) in [
            ("a@example.com", true),
            ("*@example.com", true),
            ("\"a@b\"@example.com", true),
            ("a@b@example.com", false),
            ("@example.com", false),
            ("a@", false),
            ("a", false),
        ] {
            assert_eq!(is_mailbox(mailbox.as_bytes()), good, "{mailbox}");
        }
    }

    /// RFC 1034 3.1, RFC 3986 2 and 3: lengths at their ends, and which bytes a URI may have.
    #[test]
    fn each_kind_of_name_has_its_form() {
        let label = "a".repeat(63);
        let longest = [&label[..], &label, &label, &"b".repeat(61)].join(".");
        assert_eq!(longest.len(), 253);
        let dns = |name: &str| SubjectAltName::Dns(name.as_bytes()).is_well_formed();
        assert!(dns(&longest) && !dns(&format!("{longest}b")) && dns(&label));
        for (bytes, good) in [(4, true), (16, true), (0, false), (5, false), (8, false), (32, false)] {
            assert_eq!(SubjectAltName::Ip(&vec![1; bytes]).is_well_formed(), good, "{bytes}");
        }
        for (uri, good) in [
            ("urn:uuid:1", true),
            ("http://example.com/~a?b=c#d", true),
            ("no-scheme", false),
            ("http://example.com/a b", false),
            ("http://example.com/{a}", false),
            ("http://example.com/a\u{7f}", false),
            ("a b", false),
        ] {
            assert_eq!(SubjectAltName::Uri(uri.as_bytes()).is_well_formed(), good, "{uri}");
        }
        for byte in *b"\"<>\\^`{|} \t\n\0" {
            assert_eq!(uri_host(&[b"http://a.test/"[..].to_vec(), vec![byte]].concat()), None, "{byte:x}");
        }
        for (uri, host) in [("//a.test/", None), ("http:/a.test", None), ("http://[::1]", Some("[::1]"))] {
            assert_eq!(uri_host(uri.as_bytes()), host.map(str::as_bytes), "{uri}");
        }
        assert!(is_mailbox(b"a@[192.0.2.1]") && !is_mailbox(b"a@[192.0.2.1"));
        assert!(!is_mailbox(b"a@b.test]") && !is_mailbox(b"\"a@b@example.com") && !is_mailbox(b"a@b\"@example.com"));
        assert!(SubjectAltName::Directory(&[]).is_well_formed() && SubjectAltName::Other(0, &[]).is_well_formed());
    }

    #[test]
    fn each_kind_of_name_is_shown() {
        for (name, shown) in [
            (SubjectAltName::Dns(b"a.test"), "a.test"),
            (SubjectAltName::Ip(&[192, 0, 2, 1]), "192.0.2.1"),
            (SubjectAltName::Ip(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "::1"),
            (SubjectAltName::Ip(&[10, 0, 0, 0, 255, 255, 0, 0]), "10.0.0.0/16"),
            (SubjectAltName::Ip(&[0; 32]), "::/0"),
            (SubjectAltName::Ip(&[0; 5]), "an IP address of 5 bytes"),
            (SubjectAltName::Uri(b"urn:a"), "urn:a"),
            (SubjectAltName::Email(b"a@b.test"), "a@b.test"),
            (SubjectAltName::Directory(&[0x30, 0]), "(no name)"),
            (SubjectAltName::Other(0, &[]), "an otherName"),
            (SubjectAltName::Other(3, &[]), "an x400Address"),
            (SubjectAltName::Other(5, &[]), "an ediPartyName"),
            (SubjectAltName::Other(8, &[]), "a registeredID"),
        ] {
            assert_eq!(name.to_string(), shown);
        }
        let long = [b'a'; 400];
        assert!(SubjectAltName::Dns(&long).to_string().len() < 200);
        assert_eq!(format!("{:#}", SubjectAltName::Uri(&long)).len(), 400);
    }

    /// GeneralName: a tag for each kind, and text that is ASCII.
    #[test]
    fn each_kind_of_name_is_read_by_its_tag() {
        let read = |tag: u8, content: &[u8]| {
            let bytes = der::element(tag, content);
            SubjectAltName::read(&mut Der(&bytes), "name").map(|name| (name.kind(), format!("{name:?}"))).ok()
        };
        for (tag, kind) in [
            (0x81, NameKind::Email),
            (0x82, NameKind::Dns),
            (0x86, NameKind::Uri),
            (0x87, NameKind::Ip),
            (0x88, NameKind::Other(8)),
            (0xa0, NameKind::Other(0)),
            (0xa3, NameKind::Other(3)),
            (0xa5, NameKind::Other(5)),
        ] {
            assert_eq!(read(tag, b"a").map(|(kind, _)| kind), Some(kind), "{tag:x}");
        }
        assert_eq!(read(0xa4, &[0x30, 0]).map(|(kind, _)| kind), Some(NameKind::Directory));
        for (tag, content) in [
            (0x81, &b"\xe9"[..]),
            (0x82, b"\xe9"),
            (0x86, b"\xe9"),
            (0x80, b"a"),
            (0x83, b"a"),
            (0x84, &[0x30, 0]),
            (0x89, b"a"),
            (0xa1, b"a"),
            (0xa4, b"a"),
            (0xa4, &[0x30, 0, 5, 0]),
            (0xa4, &[0x30, 2, 5, 0]),
        ] {
            assert_eq!(read(tag, content), None, "{tag:x} {content:x?}");
        }
        assert_eq!(read(0x87, b"\xe9").map(|(kind, _)| kind), Some(NameKind::Ip));
    }
}
