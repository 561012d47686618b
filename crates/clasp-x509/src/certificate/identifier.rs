//! The identifiers that a certificate presents (in RFC 9525's words), for applications that decide on them.

use super::fields::Certificate;
use crate::name::Name;
use crate::name::general::SubjectAltName;
use crate::name::string::characters;
use crate::oid;
use core::fmt;
use core::net::IpAddr;

/// One identifier of a certificate's holder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// A SPIFFE ID (SPIFFE X.509-SVID 2): the trust domain, and the path with its slash.
    Spiffe {
        /// The trust domain.
        trust_domain: String,
        /// The path.
        path: String,
    },
    /// A DNS name; may be a wildcard.
    Dns(String),
    /// An IP address.
    Ip(IpAddr),
    /// A mailbox.
    Email(String),
    /// Another URI.
    Uri(String),
    /// The subject, for people: nothing to decide on, as its form is up to the issuer.
    Subject(String),
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe { trust_domain, path } => write!(f, "spiffe://{trust_domain}{path}"),
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) | Self::Subject(text) => f.write_str(text),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

impl Certificate<'_> {
    /// The identifiers of the holder: subjectAltNames in their order, then the subject where there is one.
    ///
    /// A URI is a SPIFFE ID only where it is the certificate's only URI, as SPIFFE demands.
    pub fn identifiers(&self) -> Vec<Identifier> {
        let uris = self.alt_names().filter(|n| matches!(n, SubjectAltName::Uri(_))).count();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut out: Vec<Identifier> = self
            .alt_names()
            .filter_map(|name| match name {
                SubjectAltName::Dns(name) => Some(Identifier::Dns(text(name))),
                SubjectAltName::Ip(_) => name.to_string().parse().ok().map(Identifier::Ip),
                SubjectAltName::Email(name) => Some(Identifier::Email(text(name))),
                SubjectAltName::Uri(uri) => {
                    let spiffe = if uris == 1 { spiffe(uri) } else { None };
                    Some(spiffe.unwrap_or_else(|| Identifier::Uri(text(uri))))
                }
                _ => None,
            })
            .collect();
        if !Name(self.subject_der()).is_empty() {
            out.push(Identifier::Subject(self.subject()));
        }
        out
    }

    /// The common names of the subject, whole and as they are written, in their order: for those who decide by them because an
    /// issuer of theirs puts nothing else into certificates. One that is no string is left out.
    pub fn common_names(&self) -> Vec<String> {
        let names = Name(self.subject_der()).attributes().filter(|attribute| attribute.oid == oid::COMMON_NAME);
        names.filter_map(|name| characters(name.tag, name.value).map(Iterator::collect)).collect()
    }
}

/// SPIFFE-ID 2: lower-case trust domain, a path of non-empty segments, no query, fragment, user, port or escapes.
fn spiffe(uri: &[u8]) -> Option<Identifier> {
    let rest = core::str::from_utf8(uri).ok()?.strip_prefix("spiffe://")?;
    let (domain, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let in_domain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let in_segment = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let segment = |s: &str| !matches!(s, "" | "." | "..") && s.chars().all(in_segment);
    let good = !domain.is_empty()
        && domain.len() <= 255
        && uri.len() <= 2048
        && domain.chars().all(in_domain)
        && (path.is_empty() || path.split('/').skip(1).all(segment));
    good.then(|| Identifier::Spiffe { trust_domain: domain.into(), path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiffe_ids() {
        for (uri, good) in [
            ("spiffe://example.org/ns/a/sa/b", true),
            ("spiffe://example.org", true),
            ("spiffe://Example.org/a", false),
            ("spiffe://example.org/", false),
            ("spiffe://example.org/a//b", false),
            ("spiffe://example.org/../b", false),
            ("spiffe://example.org:80/a", false),
            ("spiffe://u@example.org/a", false),
            ("spiffe://example.org/a?b", false),
            ("spiffe:///a", false),
            ("https://example.org/a", false),
        ] {
            assert_eq!(spiffe(uri.as_bytes()).is_some(), good, "{uri}");
        }
    }
}
