//! Name constraints as a certificate has them: RFC 5280 4.2.1.10.

use crate::der::{self, Der, DerResult, constructed};
use crate::name::general::{SubjectAltName, is_mailbox};

/// Each list holds GeneralSubtrees that were read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameConstraints<'a> {
    permitted: Option<Der<'a>>,
    excluded: Option<Der<'a>>,
}

impl<'a> NameConstraints<'a> {
    /// Minimum is always 0, maximum always absent; an empty extension or list is forbidden.
    pub(crate) fn read(value: &mut Der<'a>) -> DerResult<Self> {
        let what = "nameConstraints";
        let start = *value;
        let mut inner = value.take(der::SEQUENCE, what)?;
        let permitted = inner.optional(constructed(0), what)?;
        let excluded = inner.optional(constructed(1), what)?;
        inner.finish(what)?;
        if permitted.is_none() && excluded.is_none() {
            return Err(start.wrong(what, "permitted or excluded subtrees"));
        }
        for list in [permitted, excluded].into_iter().flatten() {
            list.each(what, |list| check_subtree(list.take(der::SEQUENCE, what)?))?;
        }
        Ok(Self { permitted, excluded })
    }

    /// The bases of the permitted subtrees.
    pub(crate) fn permitted(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        subtrees(self.permitted)
    }

    /// The bases of the excluded subtrees.
    pub(crate) fn excluded(&self) -> impl Iterator<Item = SubjectAltName<'a>> + use<'a> {
        subtrees(self.excluded)
    }

    /// Whether a DNS name begins with a dot, which the RFC has for mailboxes and URIs alone.
    pub(crate) fn has_leading_dot(&self) -> bool {
        let dotted = |base: SubjectAltName<'_>| matches!(base, SubjectAltName::Dns(name) if name.starts_with(b"."));
        self.permitted().chain(self.excluded()).any(dotted)
    }
}

fn subtrees(list: Option<Der<'_>>) -> impl Iterator<Item = SubjectAltName<'_>> {
    let mut walk = list.unwrap_or(Der(&[]));
    core::iter::from_fn(move || {
        let mut subtree = walk.take(der::SEQUENCE, "subtree").ok()?;
        SubjectAltName::read(&mut subtree, "base").ok()
    })
}

/// A GeneralSubtree is read once, when its certificate is; what it says must be something a name can be held against.
fn check_subtree(mut subtree: Der<'_>) -> DerResult<()> {
    let what = "nameConstraints";
    let start = subtree;
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
    if good { Ok(()) } else { Err(start.wrong(what, "a base that names can be held against")) }
}

/// A host or, with a leading dot, all below it; empty is everything. Underscores are borne here: they only narrow.
pub(crate) fn is_domain(name: &[u8]) -> bool {
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
        let good = !(ended && *byte != 0) && byte.leading_ones().saturating_add(byte.trailing_zeros()) >= 8;
        ended |= *byte != 0xff;
        good
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
