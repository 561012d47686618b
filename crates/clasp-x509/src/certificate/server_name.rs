//! Whether a certificate is for a server name: RFC 9525 6.

use super::fields::Certificate;
use crate::name::Name;
use crate::name::general::SubjectAltName;
use crate::name::string::characters;
use crate::oid;
use rustls_pki_types::{IpAddr, ServerName};

impl Certificate<'_> {
    /// Whether the certificate is for this server name: RFC 9525 6.
    pub fn is_for(&self, server: &ServerName<'_>) -> bool {
        matches(self, server, false)
    }
}

/// Whether the certificate is for `name`. Only subjectAltName counts, unless `common_name` asks for the fallback of old
/// devices: then the last common name stands in where there is no DNS name or IP address at all.
pub(crate) fn matches(certificate: &Certificate<'_>, name: &ServerName<'_>, common_name: bool) -> bool {
    let found = certificate.alt_names().any(|presented| match (presented, name) {
        (SubjectAltName::Dns(presented), ServerName::DnsName(wanted)) => dns(presented, wanted.as_ref().as_bytes()),
        (SubjectAltName::Ip(presented), ServerName::IpAddress(IpAddr::V4(wanted))) => presented == wanted.as_ref(),
        (SubjectAltName::Ip(presented), ServerName::IpAddress(IpAddr::V6(wanted))) => presented == wanted.as_ref(),
        _ => false,
    });
    found || (common_name && by_common_name(certificate, name))
}

fn by_common_name(certificate: &Certificate<'_>, name: &ServerName<'_>) -> bool {
    match fallback_name(certificate) {
        Some(text) => match name {
            ServerName::DnsName(wanted) => dns(text.as_bytes(), wanted.as_ref().as_bytes()),
            ServerName::IpAddress(wanted) => {
                text.parse().is_ok_and(|ip: core::net::IpAddr| IpAddr::from(ip) == *wanted)
            }
            _ => false,
        },
        None => false,
    }
}

/// The common name, where it stands in for missing subjectAltNames.
pub(crate) fn fallback_name(certificate: &Certificate<'_>) -> Option<String> {
    if certificate.alt_names().any(|n| matches!(n, SubjectAltName::Dns(_) | SubjectAltName::Ip(_))) {
        return None;
    }
    let last = Name(certificate.subject_der()).attributes().filter(|a| a.oid == oid::COMMON_NAME).last()?;
    characters(last.tag, last.value).map(Iterator::collect)
}

/// RFC 9525 6.3: a wildcard is the whole leftmost label, stands for exactly one label, and is never the only one
/// before a single-label domain.
fn dns(presented: &[u8], wanted: &[u8]) -> bool {
    let wanted = wanted.strip_suffix(b".").unwrap_or(wanted);
    let Some(rest) = presented.strip_prefix(b"*.") else {
        return presented.eq_ignore_ascii_case(wanted) && !presented.contains(&b'*');
    };
    let Some(dot) = wanted.iter().position(|b| *b == b'.') else { return false };
    let (label, parent) = wanted.split_at(dot);
    !label.is_empty()
        && rest.contains(&b'.')
        && !rest.contains(&b'*')
        && parent.get(1..).is_some_and(|p| p.eq_ignore_ascii_case(rest))
}

/// What the certificate is for, for errors.
pub(crate) fn list(certificate: &Certificate<'_>) -> String {
    let mut names: Vec<String> = certificate
        .alt_names()
        .filter(|name| matches!(name, SubjectAltName::Dns(_) | SubjectAltName::Ip(_)))
        .take(9)
        .map(|name| name.to_string())
        .collect();
    if names.len() == 9 {
        names.pop();
        names.push("...".into());
    }
    if names.is_empty() { "no DNS name or IP address".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::dns;

    #[test]
    fn wildcards() {
        for (presented, wanted, good) in [
            ("example.com", "EXAMPLE.com", true),
            ("example.com", "example.com.", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "example.com", false),
            ("a*.example.com", "ab.example.com", false),
            ("*.*.com", "a.b.com", false),
            ("*", "example", false),
            ("*.example.com", ".example.com", false),
            ("example.com", "example.org", false),
        ] {
            assert_eq!(dns(presented.as_bytes(), wanted.as_bytes()), good, "{presented} for {wanted}");
        }
    }
}
