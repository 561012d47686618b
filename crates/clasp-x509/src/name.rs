//! Names: distinguished names for people, and RFC 9525 matching of server names.

use crate::certificate::{Certificate, SubjectAltName};
use crate::der::{self, Der};
use rustls_pki_types::{IpAddr, ServerName};

/// A distinguished name as `CN=..., O=...`, in the order of the encoding.
pub(crate) fn display(name: &[u8]) -> String {
    let mut parts = Vec::new();
    // A name that cannot be read shows the parts before the fault.
    let _fault = Der(name).take(der::SEQUENCE, "name").and_then(|mut sequence| {
        while !sequence.is_empty() {
            let mut set = sequence.take(der::SET, "rdn")?;
            while !set.is_empty() {
                let mut pair = set.take(der::SEQUENCE, "attribute")?;
                let oid = pair.take(der::OID, "type")?.0;
                let (_, value, _) = pair.any("value")?;
                parts.push(format!("{}={}", attribute(oid), printable(value)));
            }
        }
        Ok(())
    });
    if parts.is_empty() { "(no name)".into() } else { parts.join(", ") }
}

fn attribute(oid: &[u8]) -> String {
    match oid {
        [0x55, 4, 3] => "CN".into(),
        [0x55, 4, 6] => "C".into(),
        [0x55, 4, 7] => "L".into(),
        [0x55, 4, 8] => "ST".into(),
        [0x55, 4, 10] => "O".into(),
        [0x55, 4, 11] => "OU".into(),
        other => format!("{other:x?}"),
    }
}

/// Control characters could fool a terminal.
fn printable(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().map(|c| if c.is_control() { '?' } else { c }).take(128).collect()
}

/// Whether the certificate is for `name`: RFC 9525 6. Only subjectAltName counts; the common name does not.
pub(crate) fn matches(certificate: &Certificate<'_>, name: &ServerName<'_>) -> bool {
    certificate.alt_names().any(|presented| match (presented, name) {
        (SubjectAltName::Dns(presented), ServerName::DnsName(wanted)) => dns(presented, wanted.as_ref().as_bytes()),
        (SubjectAltName::Ip(presented), ServerName::IpAddress(IpAddr::V4(wanted))) => presented == wanted.as_ref(),
        (SubjectAltName::Ip(presented), ServerName::IpAddress(IpAddr::V6(wanted))) => presented == wanted.as_ref(),
        _ => false,
    })
}

/// RFC 9525 6.3: a wildcard is the whole leftmost label, stands for exactly one label, and is never the only one
/// before a single-label domain.
fn dns(presented: &[u8], wanted: &[u8]) -> bool {
    let wanted = wanted.strip_suffix(b".").unwrap_or(wanted);
    let Some(rest) = presented.strip_prefix(b"*.") else { return presented.eq_ignore_ascii_case(wanted) };
    let Some(dot) = wanted.iter().position(|b| *b == b'.') else { return false };
    let (label, parent) = wanted.split_at(dot);
    !label.is_empty()
        && rest.contains(&b'.')
        && !rest.contains(&b'*')
        && parent.get(1..).is_some_and(|p| p.eq_ignore_ascii_case(rest))
}

/// What the certificate is for, for errors.
pub(crate) fn list(certificate: &Certificate<'_>) -> String {
    let names: Vec<String> = certificate
        .alt_names()
        .filter_map(|name| match name {
            SubjectAltName::Dns(name) => Some(printable(name)),
            SubjectAltName::Ip(ip) => Some(match <[u8; 4]>::try_from(ip) {
                Ok(v4) => std::net::Ipv4Addr::from(v4).to_string(),
                Err(_) => <[u8; 16]>::try_from(ip).map_or("?".into(), |v6| std::net::Ipv6Addr::from(v6).to_string()),
            }),
            _ => None,
        })
        .take(8)
        .collect();
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
