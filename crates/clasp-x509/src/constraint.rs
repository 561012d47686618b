//! Name constraints: RFC 5280 4.2.1.10 and 6.1.3 (b), (c).

use crate::certificate::Certificate;
use crate::certificate::extension::NameConstraints;
use crate::der::{self, Der, DerError, DerResult};
use crate::name::general::{Kind, SubjectAltName, is_host, is_mailbox, split_mailbox, uri_host};
use crate::name::{Name, compare, server};
use crate::oid;
use crate::reason::{Fault, Reason, Value};

const RULE: &str = "RFC 5280 4.2.1.10";

/// Comparisons of a name with a constraint for one validation: the product of crafted lists is quadratic.
pub(crate) const MAX_COMPARISONS: u64 = 1 << 20;

/// A GeneralSubtree is read once, when its certificate is; what it says must be something a name can be held against.
pub(crate) fn check_subtree(mut subtree: Der<'_>) -> DerResult<()> {
    let what = "nameConstraints";
    let base = SubjectAltName::read(&mut subtree, what)?;
    // Minimum is 0, which DER leaves out, and maximum is absent.
    subtree.finish(what)?;
    let good = match base {
        SubjectAltName::Dns(name) => is_domain(name),
        SubjectAltName::Ip(range) => is_range(range),
        SubjectAltName::Email(text) => is_domain(text) || is_mailbox(text),
        SubjectAltName::Uri(host) => is_domain(host),
        SubjectAltName::Directory(_) | SubjectAltName::Other(..) => true,
    };
    if good { Ok(()) } else { Err(DerError(what)) }
}

/// A host or, with a leading dot, all below it; empty is everything. Underscores are borne here: they only narrow.
fn is_domain(name: &[u8]) -> bool {
    let bare = name.strip_prefix(b".").unwrap_or(name);
    let label = |l: &[u8]| {
        (1..=63).contains(&l.len()) && l.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.is_empty() || (bare.len() <= 253 && bare.split(|b| *b == b'.').all(label))
}

/// An address and a mask of ones followed by zeros (RFC 4632), each 4 or 16 bytes.
fn is_range(range: &[u8]) -> bool {
    if !matches!(range.len(), 8 | 32) {
        return false;
    }
    let (_, mask) = range.split_at(range.len() / 2);
    let mut ended = false;
    mask.iter().all(|byte| {
        let good = !(ended && *byte != 0) && byte.leading_ones() + byte.trailing_zeros() >= 8;
        ended |= *byte != 0xff;
        good
    })
}

fn subtrees(list: Option<Der<'_>>) -> impl Iterator<Item = SubjectAltName<'_>> {
    let mut walk = list.unwrap_or(Der(&[]));
    core::iter::from_fn(move || {
        let mut subtree = walk.take(der::SEQUENCE, "subtree").ok()?;
        SubjectAltName::read(&mut subtree, "base").ok()
    })
}

/// Whether a DNS name begins with a dot, which the RFC has for mailboxes and URIs alone.
pub(crate) fn has_leading_dot(constraints: &NameConstraints<'_>) -> bool {
    let dotted = |base: SubjectAltName<'_>| matches!(base, SubjectAltName::Dns(name) if name.starts_with(b"."));
    subtrees(constraints.permitted).chain(subtrees(constraints.excluded)).any(dotted)
}

/// The names of a certificate that constraints are for: the subject, e-mail addresses in it, and subjectAltNames.
fn names<'a>(certificate: &Certificate<'a>) -> impl Iterator<Item = SubjectAltName<'a>> {
    let subject = Name(certificate.subject_der());
    let directory = (!subject.is_empty()).then_some(SubjectAltName::Directory(certificate.subject_der()));
    // RFC 5280 asks for this only where there is no subjectAltName; an address that is not constrained would be a way
    // around the constraint.
    let mailboxes =
        subject.attributes().filter(|a| a.oid == oid::EMAIL_ADDRESS).map(|a| SubjectAltName::Email(a.value));
    directory.into_iter().chain(mailboxes).chain(certificate.alt_names())
}

/// Holds every name of `certificate` against one issuer's constraints.
pub(crate) fn check<'a>(
    certificate: &Certificate<'a>,
    constraints: &NameConstraints<'a>,
    common_name: bool,
    budget: &mut u64,
) -> Result<(), Fault<'a>> {
    spend(certificate, constraints, budget)?;
    for name in names(certificate) {
        permit(&name, constraints, name)?;
    }
    match server::fallback_name(certificate).filter(|_| common_name) {
        // The fallback makes the common name a host name, so constraints on those hold for it.
        Some(text) => {
            let shown = SubjectAltName::Directory(certificate.subject_der());
            permit(&SubjectAltName::Dns(text.as_bytes()), constraints, shown)
        }
        None => Ok(()),
    }
}

fn permit<'a>(
    name: &SubjectAltName<'_>,
    constraints: &NameConstraints<'a>,
    shown: SubjectAltName<'a>,
) -> Result<(), Fault<'a>> {
    let fault = |found, wanted| Err(Fault::new(Reason::NameConstraint, RULE, found, wanted));
    for base in subtrees(constraints.excluded) {
        if base.kind() == name.kind() && matches(name, &base, true) {
            return fault(Value::AltName("name", shown), Value::AltName("a name outside the excluded", base));
        }
    }
    let mut refused = None;
    for base in subtrees(constraints.permitted) {
        if base.kind() == name.kind() {
            if matches(name, &base, false) {
                return Ok(());
            }
            refused.get_or_insert(base);
        }
    }
    match refused {
        None => Ok(()),
        Some(base) => fault(Value::AltName("name", shown), Value::AltName("a name within the permitted", base)),
    }
}

/// Counts the comparisons to come, so that too many are refused before the first.
fn spend<'a>(
    certificate: &Certificate<'a>,
    constraints: &NameConstraints<'a>,
    budget: &mut u64,
) -> Result<(), Fault<'a>> {
    let kinds = |list: &mut dyn Iterator<Item = SubjectAltName<'a>>| {
        let mut counts = [0u64; 6];
        for name in list {
            let place = match name.kind() {
                Kind::Dns => 0,
                Kind::Ip => 1,
                Kind::Uri => 2,
                Kind::Email => 3,
                Kind::Directory => 4,
                Kind::Other(_) => 5,
            };
            counts[place] += 1;
        }
        counts
    };
    let bases = kinds(&mut subtrees(constraints.permitted).chain(subtrees(constraints.excluded)));
    let names = kinds(&mut names(certificate));
    let cost = bases.iter().zip(names).map(|(a, b)| a.saturating_mul(b)).fold(0u64, u64::saturating_add);
    match budget.checked_sub(cost) {
        Some(left) => {
            *budget = left;
            Ok(())
        }
        None => {
            let found = "more names and name constraints than may be compared";
            Err(Fault::plain(Reason::TooCostly, "limit", found, "at most 1048576 comparisons"))
        }
    }
}

/// Whether a name lies in a subtree of its kind. Where the answer is not sure (a malformed name, a form that has no
/// rules), `doubt` is the answer: excluded names match, permitted ones do not.
fn matches(name: &SubjectAltName<'_>, base: &SubjectAltName<'_>, doubt: bool) -> bool {
    match (name, base) {
        (SubjectAltName::Dns(name), SubjectAltName::Dns(base)) => dns(name, base, doubt),
        (SubjectAltName::Ip(name), SubjectAltName::Ip(base)) => ip(name, base, doubt),
        (SubjectAltName::Email(name), SubjectAltName::Email(base)) => email(name, base, doubt),
        (SubjectAltName::Uri(name), SubjectAltName::Uri(base)) => match uri_host(name) {
            Some(host) if is_host(host) => exact_or_below(host, base),
            // RFC 5280: without a fully qualified host the constraint cannot hold.
            _ => doubt,
        },
        (SubjectAltName::Directory(name), SubjectAltName::Directory(base)) => compare::is_within(name, base),
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
    if !is_lenient_host(host) {
        return excluded;
    }
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
            .and_then(|dot| base.get(dot + 1..))
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

fn ip(name: &[u8], range: &[u8], doubt: bool) -> bool {
    if !matches!(name.len(), 4 | 16) {
        return doubt;
    }
    let (address, mask) = range.split_at(range.len() / 2);
    name.len() == address.len()
        && name.iter().zip(address).zip(mask).all(|((name, address), mask)| name & mask == address & mask)
}

/// RFC 5280: a mailbox, a host, or all hosts below one. The local part is case-sensitive, the host is not.
fn email(name: &[u8], base: &[u8], doubt: bool) -> bool {
    let Some((local, host)) = split_mailbox(name).filter(|_| is_mailbox(name)) else { return doubt };
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
            let (name, base) = (name.as_bytes(), base.as_bytes());
            assert_eq!(dns(name, base, false), within, "{} in {}", name.escape_ascii(), base.escape_ascii());
            assert_eq!(dns(name, base, true), caught, "{} excluded by {}", name.escape_ascii(), base.escape_ascii());
        }
    }

    #[test]
    fn ranges() {
        assert!(is_range(&[192, 0, 2, 0, 255, 255, 255, 0]));
        assert!(is_range(&[0; 32]));
        for bad in [
            &[192, 0, 2, 1][..],
            &[1, 2, 3, 4, 255, 0, 255, 0],
            &[1, 2, 3, 4, 0, 255, 0, 0],
            &[1, 2, 3, 4, 253, 0, 0, 0],
            &[],
        ] {
            assert!(!is_range(bad), "{bad:?}");
        }
        assert!(ip(&[192, 0, 2, 9], &[192, 0, 2, 1, 255, 255, 255, 0], false));
        assert!(!ip(&[192, 0, 3, 9], &[192, 0, 2, 1, 255, 255, 255, 0], false));
        assert!(!ip(&[0; 16], &[0; 8], false), "IPv6 is not within an IPv4 range");
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
            assert_eq!(email(name.as_bytes(), base.as_bytes(), false), within, "{name} in {base}");
        }
        assert!(email(b"a@b@example.com", b"other.org", true), "a malformed mailbox is caught");
    }
}
