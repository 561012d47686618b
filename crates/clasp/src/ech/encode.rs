//! EncodedClientHelloInner, as a client makes it: RFC 9849 5.1, 6.1.3. `inner.rs` reads it.

use super::inner::OUTER_EXTENSIONS;
use crate::code::ExtensionType;
use crate::wire::{Extension, Extensions, Parsed, Reader, Writer};

/// The extensions of a hidden hello, in the order in which it has them: those of its own, those that are the same outside and stand
/// there alone, and pre_shared_key, which is the last.
pub(crate) struct Layout<'a> {
    own: Vec<Extension<'a>>,
    shared: Vec<Extension<'a>>,
    keys: Option<Extension<'a>>,
}

impl<'a> Layout<'a> {
    /// Of what both hellos say, each a block with its length.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn of(inner: &'a [u8], outer: &'a [u8]) -> Parsed<Self> {
        let read = |block| Extensions::read(&mut Reader::new(block), false);
        let (inner, outer) = (read(inner)?, read(outer)?);
        // A name that is the same outside stays inside: else the length would tell.
        let never = [ExtensionType::ServerName, ExtensionType::EncryptedClientHello, ExtensionType::PreSharedKey];
        let in_both = |e: &Extension<'_>, other: Extensions<'_>| {
            !never.contains(&e.typ) && other.find(e.typ).is_some_and(|other| other.body == e.body)
        };
        let keys = |e: &Extension<'_>| e.typ == ExtensionType::PreSharedKey;
        Ok(Self {
            own: inner.iter().filter(|e| !in_both(e, outer) && !keys(e)).collect(),
            // In the outer hello's order, as RFC 9849 5.1 wants it.
            shared: outer.iter().filter(|e| in_both(e, inner)).collect(),
            keys: inner.iter().find(keys),
        })
    }

    /// The block of the whole hidden hello.
    pub(crate) fn whole(&self, w: &mut Writer<'_>) {
        w.vec16(|w| self.own.iter().chain(&self.shared).chain(&self.keys).for_each(|e| write(e, w)));
    }

    /// The block of the encoded one, with the binders that the whole one has at its end.
    pub(crate) fn encoded(&self, whole: &[u8], w: &mut Writer<'_>) {
        w.vec16(|w| {
            self.own.iter().for_each(|e| write(e, w));
            if !self.shared.is_empty() {
                w.extension(OUTER_EXTENSIONS, |w| w.vec8(|w| self.shared.iter().for_each(|e| w.u16(e.typ.0))));
            }
            if let Some(keys) = &self.keys {
                let at = whole.len().saturating_sub(keys.body.len());
                w.extension(keys.typ, |w| w.bytes(whole.get(at..).unwrap_or_default()));
            }
        });
    }
}

fn write(e: &Extension<'_>, w: &mut Writer<'_>) {
    w.extension(e.typ, |w| w.bytes(e.body));
}

/// How long an encoded hello is with its padding: a name of it (`name` bytes) as long as the longest that the server expects to be
/// hidden, and all of it a multiple of 32 bytes. RFC 9849 6.1.3.
pub(crate) fn padded(length: usize, name: Option<usize>, max_name_length: u8) -> usize {
    let longest = usize::from(max_name_length);
    let for_name = match name {
        Some(name) => longest.saturating_sub(name),
        // What server_name takes besides the name.
        None => longest.saturating_add(9),
    };
    length.saturating_add(for_name).next_multiple_of(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9849 6.1.3, as its rules have it: `N = 31 - ((L - 1) % 32)`.
    #[test]
    fn padding_hides_the_length_of_the_name() {
        for (length, name, longest, wanted) in [
            (200, Some(10), 0, 224),
            (200, Some(10), 34, 224),
            (200, Some(10), 35, 256),
            (224, Some(10), 10, 224),
            (225, Some(10), 9, 256),
            (200, None, 0, 224),
            (215, None, 0, 224),
            (216, None, 0, 256),
            (100, None, 255, 384),
        ] {
            assert_eq!(padded(length, name, longest), wanted, "{length} {name:?} {longest}");
        }
        // All names up to the longest look alike.
        let of = |name: usize| padded(180 + name, Some(name), 64);
        assert!((1..=64).all(|name| of(name) == of(1)));
    }
}
