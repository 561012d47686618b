//! Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, as certificates, requests, lists and responses have them: RFC 5280 4.1.

use crate::der::{self, Der, DerResult};

/// An Extension.
pub(crate) struct Extension<'a> {
    pub(crate) oid: &'a [u8],
    /// As it is encoded: FALSE is the default, which DER leaves out.
    pub(crate) critical: Option<bool>,
    pub(crate) value: Der<'a>,
}

impl Extension<'_> {
    pub(crate) fn is_critical(&self) -> bool {
        self.critical == Some(true)
    }
}

/// Walks the content of Extensions, of at most `MOST`; each may stand once (RFC 5280 4.2).
pub(crate) fn each<'a, const MOST: usize>(
    mut list: Der<'a>,
    mut visit: impl FnMut(Extension<'a>) -> DerResult<()>,
) -> DerResult<()> {
    let mut seen: [&[u8]; MOST] = [&[]; MOST];
    let mut count = 0_usize;
    if list.is_empty() {
        return Err(list.wrong("extensions", "at least one extension"));
    }
    let whole = list;
    while !list.is_empty() {
        let start = list;
        let mut extension = list.take(der::SEQUENCE, "extension")?;
        let oid = extension.oid("extnID")?;
        let critical = extension.boolean("critical")?;
        let value = extension.take(der::OCTET_STRING, "extnValue")?;
        extension.finish("extension")?;
        let Some(place) = seen.get_mut(count) else {
            return Err(start.wrong("extensions", "no more of them"));
        };
        *place = oid;
        count = count.saturating_add(1);
        visit(Extension { oid, critical, value })?;
    }
    // Sorted, so that many cost no more each than few.
    let seen = seen.get_mut(..count).unwrap_or_default();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(whole.wrong("extensions", "each extension once"));
    }
    Ok(())
}
