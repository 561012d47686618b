//! Which clients are let in, by the names in their certificates. Who decides has verified the chain before.

use crate::failure::Failure;
use clasp::Facts;
use clasp::code::CertificateType;
use clasp_x509::{Certificate, SubjectAltName};
use core::net::IpAddr;

/// Names, of which a client's certificate has to have one.
#[derive(Debug)]
pub(super) struct Allow {
    common: Vec<String>,
    dns: Vec<String>,
    addresses: Vec<IpAddr>,
    mailboxes: Vec<String>,
    uris: Vec<String>,
}

impl Allow {
    /// None where nobody is named.
    pub(super) fn new(common: &[String], san: &[String], uris: &[String]) -> Result<Option<Self>, Failure> {
        let (mut dns, mut addresses, mut mailboxes) = (Vec::new(), Vec::new(), Vec::new());
        for name in san {
            if let Ok(address) = name.parse() {
                addresses.push(address);
            } else if name.contains('@') {
                mailboxes.push(name.clone());
            } else if is_host(name) {
                dns.push(name.clone());
            } else {
                let hint =
                    "a URI is allowed by --allow-uri, a common name by --allow-cn; of DNS names each is written out";
                return Err(Failure::cannot(format_args!(
                    "--allow-san {name} is neither a DNS name nor an IP address nor an e-mail address"
                ))
                .hint(hint));
            }
        }
        for uri in uris {
            check_uri(uri)?;
        }
        if common.iter().any(String::is_empty) {
            return Err(Failure::cannot("--allow-cn has an empty name"));
        }
        let any = !(common.is_empty() && san.is_empty() && uris.is_empty());
        Ok(any.then(|| Self { common: common.to_vec(), dns, addresses, mailboxes, uris: uris.to_vec() }))
    }

    /// Whether the client is let in; why not, else.
    pub(super) fn admits(&self, facts: &Facts) -> Result<(), String> {
        let der = facts.peer_chain().first().filter(|_| facts.peer_type == CertificateType::X509);
        let Some(der) = der.filter(|_| facts.client_authenticated) else {
            return Err("the client has shown no certificate".into());
        };
        let leaf = Certificate::parse(der).map_err(|error| format!("the client's certificate: {error}"))?;
        if self.has_common(&leaf) || leaf.alt_names().any(|name| self.has(&name)) {
            return Ok(());
        }
        Err(format!("the client's certificate is good, and none of its names is allowed: {}", names(&leaf)))
    }

    /// Of two common names nobody knows which one counts.
    fn has_common(&self, leaf: &Certificate<'_>) -> bool {
        matches!(&leaf.common_names()[..], [name] if self.common.contains(name))
    }

    fn has(&self, name: &SubjectAltName<'_>) -> bool {
        match name {
            SubjectAltName::Dns(name) => self.dns.iter().any(|allowed| name.eq_ignore_ascii_case(allowed.as_bytes())),
            SubjectAltName::Ip(_) => {
                name.to_string().parse::<IpAddr>().is_ok_and(|address| self.addresses.contains(&address))
            }
            SubjectAltName::Email(name) => self.mailboxes.iter().any(|allowed| same_mailbox(allowed, name)),
            SubjectAltName::Uri(uri) => {
                core::str::from_utf8(uri).is_ok_and(|uri| self.uris.iter().any(|allowed| fits(allowed, uri)))
            }
            _ => false,
        }
    }
}

/// The names of a certificate, for the log: not all of very many, and no long one to its end.
fn names(leaf: &Certificate<'_>) -> String {
    let all = leaf.identifiers();
    let mut shown: Vec<String> = all.iter().take(8).map(|name| name.to_string().chars().take(200).collect()).collect();
    if let Some(more) = all.len().checked_sub(8).filter(|more| *more > 0) {
        shown.push(format!("and {more} more"));
    }
    if shown.is_empty() { "it has none".into() } else { shown.join(", ") }
}

fn is_host(name: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.split('.').all(label)
}

/// RFC 5280 7.5: the local part as it is written, the host without regard to case.
fn same_mailbox(allowed: &str, presented: &[u8]) -> bool {
    let Some((local, host)) = allowed.rsplit_once('@') else { return false };
    let at = presented.iter().rposition(|b| *b == b'@');
    at.and_then(|at| presented.split_at_checked(at)).is_some_and(|(before, rest)| {
        before == local.as_bytes() && rest.get(1..).is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_bytes()))
    })
}

fn check_uri(uri: &str) -> Result<(), Failure> {
    let wrong = |why: &str| Err(Failure::cannot(format_args!("--allow-uri {uri}: {why}")));
    let Some((_, rest)) = uri.split_once("://") else { return wrong("no URI, as spiffe://a.test/web is one") };
    let mut segments = rest.split('/').peekable();
    if segments.next().is_none_or(|authority| authority.is_empty() || authority.contains('*')) {
        return wrong("the part before the path is written out");
    }
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if segment.contains('*') && segment != "*" && !(segment == "**" && is_last) {
            return wrong("* stands for a whole segment, and ** at the end for any number of them");
        }
    }
    Ok(())
}

/// Byte for byte, but for `*` (one segment, not an empty one) and `**` at the end (one or more).
fn fits(allowed: &str, uri: &str) -> bool {
    if !allowed.contains('*') {
        return allowed == uri;
    }
    // What stands behind a path, or goes up in it, is none of its segments; nor is what no URI has (RFC 3986 2).
    if !uri.bytes().all(|byte| byte.is_ascii_graphic())
        || uri.contains(['?', '#', '%', '\\'])
        || uri.split('/').any(|segment| segment == "." || segment == "..")
    {
        return false;
    }
    let (mut wanted, mut have) = (allowed.split('/'), uri.split('/'));
    loop {
        match (wanted.next(), have.next()) {
            (None, None) => return true,
            (Some("**"), Some(first)) => return !first.is_empty() && have.all(|segment| !segment.is_empty()),
            (Some("*"), Some(segment)) if !segment.is_empty() => {}
            (Some(wanted), Some(segment)) if wanted == segment => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_counts_whole_and_where_it_is_the_only_one() {
        use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
        let key = KeyPair::generate().unwrap();
        let long = format!("alice, the \u{202e}{}", "x".repeat(300));
        let allow = Allow::new(&["alice".into(), long.clone()], &[], &[]).unwrap().unwrap();
        let another = DnType::CustomDnType(vec![2, 5, 4, 3]);
        for (names, good) in [
            (&[(DnType::CommonName, "alice")][..], true),
            (&[(DnType::CommonName, long.as_str())], true),
            (&[(DnType::CommonName, &long[..200])], false),
            (&[(DnType::CommonName, "Alice")], false),
            (&[(DnType::OrganizationName, "alice")], false),
            (&[(DnType::CommonName, "alice"), (another.clone(), "eve")], false),
            (&[(another, "eve"), (DnType::CommonName, "alice")], false),
        ] {
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            names.iter().for_each(|(kind, name)| params.distinguished_name.push(kind.clone(), *name));
            let made = params.self_signed(&key).unwrap();
            assert_eq!(allow.has_common(&Certificate::parse(made.der()).unwrap()), good, "{names:?}");
        }
    }

    #[test]
    fn a_star_is_a_segment_and_no_more() {
        for (allowed, uri, good) in [
            ("spiffe://a.test/ns/web", "spiffe://a.test/ns/web", true),
            ("spiffe://a.test/ns/web", "spiffe://a.test/ns/web/x", false),
            ("spiffe://a.test/ns/web", "spiffe://A.test/ns/web", false),
            ("spiffe://a.test/*/web", "spiffe://a.test/ns/web", true),
            ("spiffe://a.test/*/web", "spiffe://a.test//web", false),
            ("spiffe://a.test/*/web", "spiffe://a.test/a/b/web", false),
            ("spiffe://a.test/*", "spiffe://a.test/a/b", false),
            ("spiffe://a.test/**", "spiffe://a.test/a/b", true),
            ("spiffe://a.test/**", "spiffe://a.test/", false),
            ("spiffe://a.test/**", "spiffe://a.test", false),
            ("spiffe://a.test/**", "spiffe://b.test/a", false),
            ("spiffe://a.test/web/**", "spiffe://a.test/web/../db", false),
            ("spiffe://a.test/web/**", "spiffe://a.test/web/a?b", false),
            ("spiffe://a.test/*/web", "spiffe://a.test/a\0/web", false),
            ("spiffe://a.test/*/web", "spiffe://a.test/a b/web", false),
            ("spiffe://a.test/*/web", "spiffe://a.test/ä/web", false),
        ] {
            assert_eq!(fits(allowed, uri), good, "{allowed} {uri}");
        }
        for uri in ["a.test", "spiffe://*/web", "spiffe://a.test/w*", "spiffe://a.test/**/web", "spiffe:///web"] {
            assert!(check_uri(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn mailboxes_and_names_are_compared_as_their_rfcs_say() {
        assert!(same_mailbox("Hugo@a.test", b"Hugo@A.TEST"));
        assert!(!same_mailbox("Hugo@a.test", b"hugo@a.test"));
        assert!(!same_mailbox("a.test", b"hugo@a.test"));
        let said = |san: &str| Allow::new(&[], &[san.into()], &[]).unwrap_err().message().to_owned();
        assert!(said("spiffe://a.test/web").contains("neither a DNS name"), "{}", said("spiffe://a.test/web"));
        assert!(said("*.a.test").contains("neither a DNS name"), "{}", said("*.a.test"));
        assert!(Allow::new(&[], &[], &[]).unwrap().is_none());
    }
}
