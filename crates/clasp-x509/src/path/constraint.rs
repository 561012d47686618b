//! Names held against name constraints: RFC 5280 4.2.1.10 and 6.1.3 (b), (c).

use super::budget::Allowance;
use super::fault::{Fault, Outcome, Reason, Value};
use crate::certificate::name_constraints::{NameConstraints, is_domain};
use crate::certificate::{Certificate, server_name};
use crate::name::general::{NameKind, SubjectAltName, is_host, is_mailbox, split_mailbox, uri_host};
use crate::name::{Name, compare};
use crate::oid;
use core::cell::OnceCell;
use core::net::IpAddr;

const RULE: &str = "RFC 5280 4.2.1.10";

/// The names of a certificate that constraints are for: the subject, e-mail addresses in it, and subjectAltNames. An otherName
/// that is an e-mail address is one as well, lest it be a way around what is said of those (RFC 9598 6).
fn names<'a>(certificate: &Certificate<'a>) -> impl Iterator<Item = SubjectAltName<'a>> {
    let subject = Name(certificate.subject_der());
    let directory = (!subject.is_empty()).then_some(SubjectAltName::Directory(certificate.subject_der()));
    // RFC 5280 asks for this only where there is no subjectAltName; an address that is not constrained would be a way
    // around the constraint.
    let mailboxes =
        subject.attributes().filter(|a| a.oid == oid::EMAIL_ADDRESS).map(|a| SubjectAltName::Email(a.value));
    let others = certificate.alt_names().filter_map(|name| name.utf8_mailbox().map(SubjectAltName::Email));
    directory.into_iter().chain(mailboxes).chain(certificate.alt_names()).chain(others)
}

/// A name made ready for many comparisons.
struct Prepared<'a> {
    name: SubjectAltName<'a>,
    /// Of a distinguished name, the form that is the same for all its equals.
    key: Vec<u8>,
    /// The same by a looser comparison, where one was needed.
    loose: OnceCell<Vec<u8>>,
    /// Whether the name is what its kind should be.
    sound: bool,
}

impl<'a> Prepared<'a> {
    fn new(name: SubjectAltName<'a>) -> Self {
        let key = match name {
            SubjectAltName::Directory(name) => compare::canonical(name),
            _ => Vec::new(),
        };
        let sound = match name {
            SubjectAltName::Dns(name) => is_lenient_host(name.strip_prefix(b"*.").unwrap_or(name)),
            SubjectAltName::Ip(name) => matches!(name.len(), 4 | 16),
            SubjectAltName::Email(name) => is_mailbox(name),
            // RFC 5280: without a fully qualified host the constraint cannot hold.
            SubjectAltName::Uri(name) => uri_host(name).is_some_and(is_host),
            SubjectAltName::Directory(_) => true,
            SubjectAltName::Other(..) => false,
        };
        Self { name, key, loose: OnceCell::new(), sound }
    }

    fn loose(&self) -> &[u8] {
        self.loose.get_or_init(|| match self.name {
            SubjectAltName::Directory(name) => compare::loose(name),
            _ => Vec::new(),
        })
    }
}

/// Holds every name of `certificate` against one issuer's constraints.
pub(crate) fn check<'a>(
    certificate: &Certificate<'a>,
    constraints: &NameConstraints<'a>,
    common_name: bool,
    allowance: &mut Allowance,
) -> Outcome<'a> {
    spend(certificate, constraints, allowance)?;
    let permitted: Vec<Prepared<'a>> = constraints.permitted().map(Prepared::new).collect();
    let excluded: Vec<Prepared<'a>> = constraints.excluded().map(Prepared::new).collect();
    for name in names(certificate) {
        permit(&Prepared::new(name), &permitted, &excluded, name)?;
    }
    // The fallback makes the common name a host name, or an address, so constraints on those hold for it.
    let Some(text) = server_name::fallback_name(certificate).filter(|_| common_name) else { return Ok(()) };
    let shown = SubjectAltName::Directory(certificate.subject_der());
    let stands_for = |name| permit(&Prepared::new(name), &permitted, &excluded, shown);
    stands_for(SubjectAltName::Dns(text.as_bytes()))?;
    match text.parse() {
        Ok(IpAddr::V4(address)) => stands_for(SubjectAltName::Ip(&address.octets())),
        Ok(IpAddr::V6(address)) => stands_for(SubjectAltName::Ip(&address.octets())),
        Err(_) => Ok(()),
    }
}

fn permit<'a>(
    name: &Prepared<'_>,
    permitted: &[Prepared<'a>],
    excluded: &[Prepared<'a>],
    shown: SubjectAltName<'a>,
) -> Outcome<'a> {
    let fault = |found, wanted| Err(Fault::new(Reason::NameConstraint, RULE, found, wanted));
    let same_kind = |base: &&Prepared<'a>| base.name.kind() == name.name.kind();
    if let Some(base) = excluded.iter().filter(same_kind).find(|base| matches(name, base, true)) {
        return fault(Value::AltName("name", shown), Value::AltName("a name outside the excluded", base.name));
    }
    let mut bases = permitted.iter().filter(same_kind).peekable();
    match bases.peek().map(|base| base.name) {
        Some(first) if !bases.any(|base| matches(name, base, false)) => {
            fault(Value::AltName("name", shown), Value::AltName("a name within the permitted", first))
        }
        _ => Ok(()),
    }
}

/// Counts the comparisons to come, so that too many are refused before the first.
fn spend<'a>(
    certificate: &Certificate<'a>,
    constraints: &NameConstraints<'a>,
    allowance: &mut Allowance,
) -> Outcome<'a> {
    let kinds = |list: &mut dyn Iterator<Item = SubjectAltName<'a>>| {
        let mut counts = [0u64; 6];
        for name in list {
            let count = match name.kind() {
                NameKind::Dns => &mut counts[0],
                NameKind::Ip => &mut counts[1],
                NameKind::Uri => &mut counts[2],
                NameKind::Email => &mut counts[3],
                NameKind::Directory => &mut counts[4],
                NameKind::Other(_) => &mut counts[5],
            };
            *count = count.saturating_add(weight(&name));
        }
        counts
    };
    let bases = kinds(&mut constraints.permitted().chain(constraints.excluded()));
    let names = kinds(&mut names(certificate));
    let cost = bases.iter().zip(names).map(|(a, b)| a.saturating_mul(b)).fold(0u64, u64::saturating_add);
    let ready = bases.iter().chain(&names).sum();
    if allowance.spend(cost, ready) {
        return Ok(());
    }
    let found = "more names and name constraints than may be compared";
    Err(Fault::plain(Reason::TooCostly, "limit", found, "at most 1048576 comparisons of 16384 names"))
}

/// One for a name as they are, more for one that is longer than host names are.
fn weight(name: &SubjectAltName<'_>) -> u64 {
    let length = match name {
        SubjectAltName::Dns(name)
        | SubjectAltName::Ip(name)
        | SubjectAltName::Email(name)
        | SubjectAltName::Uri(name)
        | SubjectAltName::Directory(name) => name.len(),
        SubjectAltName::Other(..) => 0,
    };
    (length as u64 / 256).saturating_add(1)
}

/// Whether a name lies in a subtree of its kind. Where the answer is not sure (a malformed name, a form that has no
/// rules, characters that are the same by compatibility alone), `doubt` is the answer: excluded names match, permitted ones do not.
fn matches(name: &Prepared<'_>, base: &Prepared<'_>, doubt: bool) -> bool {
    if !name.sound {
        return doubt;
    }
    match (name.name, base.name) {
        (SubjectAltName::Dns(name), SubjectAltName::Dns(base)) => dns(name, base, doubt),
        (SubjectAltName::Ip(name), SubjectAltName::Ip(base)) => ip(name, base),
        (SubjectAltName::Email(name), SubjectAltName::Email(base)) => email(name, base),
        (SubjectAltName::Uri(name), SubjectAltName::Uri(base)) => {
            uri_host(name).is_some_and(|host| exact_or_below(host, base))
        }
        // RFC 5280 7.1: every RDN of the base at the same place. The parts of a key say where they end.
        (SubjectAltName::Directory(_), SubjectAltName::Directory(_)) => {
            name.key.starts_with(&base.key) || (doubt && name.loose().starts_with(base.loose()))
        }
        _ => doubt,
    }
}

/// RFC 5280: zero or more labels on the left. A leading dot, which the RFC does not have for DNS names, asks for one at
/// least, as in the field. A wildcard (RFC 9525) stands for all the names it could match.
fn dns(name: &[u8], base: &[u8], excluded: bool) -> bool {
    let (wildcard, host) = match name.strip_prefix(b"*.") {
        Some(host) => (true, host),
        None => (false, name),
    };
    if base.is_empty() {
        return true;
    }
    if is_below(host, base.strip_prefix(b".").unwrap_or(base)) {
        return true;
    }
    match base.strip_prefix(b".") {
        // `*.x` has names below x, all of which `.x` holds.
        Some(bare) => wildcard && host.eq_ignore_ascii_case(bare),
        None if host.eq_ignore_ascii_case(base) => true,
        // `*.x` can be y.x, which an exclusion of y.x must catch.
        None if wildcard && excluded => base
            .iter()
            .position(|b| *b == b'.')
            .and_then(|dot| base.get(dot.saturating_add(1)..))
            .is_some_and(|p| p.eq_ignore_ascii_case(host)),
        None => false,
    }
}

/// Host names as they are, underscores and all, but no empty labels and no stray wildcards.
fn is_lenient_host(host: &[u8]) -> bool {
    !host.is_empty() && !host.starts_with(b".") && is_domain(host)
}

fn is_below(host: &[u8], base: &[u8]) -> bool {
    host.len()
        .checked_sub(base.len())
        .and_then(|at| host.split_at_checked(at))
        .is_some_and(|(label, rest)| label.len() > 1 && label.ends_with(b".") && rest.eq_ignore_ascii_case(base))
}

/// The rule for hosts of URIs and mailboxes: exactly the host, or with a leading dot what is below it.
fn exact_or_below(host: &[u8], base: &[u8]) -> bool {
    match base.strip_prefix(b".") {
        Some(bare) => is_below(host, bare),
        None => base.is_empty() || host.eq_ignore_ascii_case(base),
    }
}

fn ip(name: &[u8], range: &[u8]) -> bool {
    let (address, mask) = range.split_at(range.len() / 2);
    name.len() == address.len()
        && name.iter().zip(address).zip(mask).all(|((name, address), mask)| name & mask == address & mask)
}

/// RFC 5280: a mailbox, a host, or all hosts below one. The local part is case-sensitive, the host is not.
fn email(name: &[u8], base: &[u8]) -> bool {
    let Some((local, host)) = split_mailbox(name) else { return false };
    match split_mailbox(base) {
        Some((wanted, at)) => local == wanted && host.eq_ignore_ascii_case(at),
        None => exact_or_below(host, base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_subtrees() {
        // name, base, within, caught when excluded
        for (name, base, within, caught) in [
            ("example.com", "example.com", true, true),
            ("a.b.example.com", "EXAMPLE.com", true, true),
            ("badexample.com", "example.com", false, false),
            ("example.com", "", true, true),
            ("example.com", ".example.com", false, false),
            ("a.example.com", ".example.com", true, true),
            ("*.example.com", "example.com", true, true),
            ("*.example.com", ".example.com", true, true),
            ("*.example.com", "bar.example.com", false, true),
            ("*.example.com", "a.bar.example.com", false, false),
            ("*.bar.example.com", "example.com", true, true),
            (".example.com", "example.com", false, true),
            ("a.*.example.com", "example.com", false, true),
            ("a_b.example.com", "example.com", true, true),
        ] {
            let ready = |text: &'static str| Prepared::new(SubjectAltName::Dns(text.as_bytes()));
            assert_eq!(matches(&ready(name), &ready(base), false), within, "{name} in {base}");
            assert_eq!(matches(&ready(name), &ready(base), true), caught, "{name} excluded by {base}");
        }
    }

    #[test]
    fn addresses() {
        assert!(ip(&[192, 0, 2, 9], &[192, 0, 2, 1, 255, 255, 255, 0]));
        assert!(!ip(&[192, 0, 3, 9], &[192, 0, 2, 1, 255, 255, 255, 0]));
        assert!(!ip(&[0; 16], &[0; 8]), "IPv6 is not within an IPv4 range");
    }

    #[test]
    fn mailboxes_and_hosts() {
        for (name, base, within) in [
            ("a@example.com", "a@example.com", true),
            ("A@example.com", "a@example.com", false),
            ("a@EXAMPLE.com", "a@example.com", true),
            ("a@example.com", "example.com", true),
            ("a@b.example.com", "example.com", false),
            ("a@b.example.com", ".example.com", true),
            ("a@example.com", ".example.com", false),
            ("*@example.com", "*@example.com", true),
            ("a@example.com", "*@example.com", false),
        ] {
            assert_eq!(email(name.as_bytes(), base.as_bytes()), within, "{name} in {base}");
        }
        let ready = |text: &'static [u8]| Prepared::new(SubjectAltName::Email(text));
        assert!(matches(&ready(b"a@b@example.com"), &ready(b"other.org"), true), "a malformed mailbox is caught");
    }

    #[test]
    fn what_is_long_counts_for_several() {
        for (length, weighs) in [(0, 1), (255, 1), (256, 2), (511, 2), (512, 3), (65_536, 257)] {
            let bytes = vec![b'a'; length];
            for name in [
                SubjectAltName::Dns(&bytes),
                SubjectAltName::Ip(&bytes),
                SubjectAltName::Email(&bytes),
                SubjectAltName::Uri(&bytes),
                SubjectAltName::Directory(&bytes),
            ] {
                assert_eq!(weight(&name), weighs, "{length}");
            }
            assert_eq!(weight(&SubjectAltName::Other(0, &bytes)), 1);
        }
    }
}
