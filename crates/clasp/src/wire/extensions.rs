//! The extension block of a message.

use super::{Read, Reader};
use crate::code::ExtensionType;
use crate::wire::decode::DecodeKind;

/// As many as messages have, and more: the registry has about sixty. More are legal, and cost a table of all types.
const FEW: usize = 64;
/// Words of that table, a bit to each type.
const TABLE: usize = (1 << 16) / 64;

/// One extension, its body not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its type.
    pub typ: ExtensionType,
    /// Its body.
    pub body: &'a [u8],
    /// Where the body stands in the message.
    pub offset: usize,
}

impl<'a> Extension<'a> {
    /// Reads the body.
    pub const fn reader(&self) -> Reader<'a> {
        Reader::at(self.body, self.offset)
    }
}

/// A message's extensions: well framed, each type at most once (RFC 9846 4.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extensions<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Extensions<'a> {
    /// No extensions.
    pub const NONE: Self = Self { bytes: &[], offset: 0 };

    /// Reads the block that fills the rest of `r`, behind a 16-bit length; nothing at all is an empty block where
    /// `optional` (TLS 1.2 hellos).
    pub fn read(r: &mut Reader<'a>, optional: bool) -> Read<Self> {
        if optional && r.is_empty() {
            return Ok(Self::NONE);
        }
        let block = r.vec16("extensions")?;
        let mut seen = [0_u16; FEW];
        let mut count = 0;
        let mut walk = block;
        while !walk.is_empty() {
            let typ = walk.u16("extension type")?;
            let Some((known, [slot, ..])) = seen.split_at_mut_checked(count) else {
                many(block)?;
                break;
            };
            if known.contains(&typ) {
                return Err(walk.error("extensions", DecodeKind::DuplicateExtension(typ)));
            }
            walk.vec16("extension body")?;
            *slot = typ;
            count = count.saturating_add(1);
        }
        Ok(Self { bytes: block.rest(), offset: block.offset() })
    }

    /// The extensions in order.
    pub fn iter(self) -> impl Iterator<Item = Extension<'a>> {
        let mut r = Reader::at(self.bytes, self.offset);
        core::iter::from_fn(move || {
            let typ = ExtensionType(r.u16("extension type").ok()?);
            let body = r.vec16("extension body").ok()?;
            Some(Extension { typ, body: body.rest(), offset: body.offset() })
        })
    }

    /// The extension of this type.
    pub fn find(self, typ: ExtensionType) -> Option<Extension<'a>> {
        self.iter().find(|e| e.typ == typ)
    }

    /// The type of the last extension.
    pub fn last(self) -> Option<ExtensionType> {
        self.iter().last().map(|e| e.typ)
    }

    /// The block's bytes, without the length.
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

/// Checks a block of any number of extensions.
#[cold]
#[expect(clippy::indexing_slicing, reason = "the table has a bit for each type there can be")]
fn many(mut walk: Reader<'_>) -> Read<()> {
    let mut seen = [0_u64; TABLE];
    while !walk.is_empty() {
        let typ = walk.u16("extension type")?;
        let (word, bit) = (&mut seen[usize::from(typ / 64)], 1 << (typ % 64));
        if *word & bit != 0 {
            return Err(walk.error("extensions", DecodeKind::DuplicateExtension(typ)));
        }
        *word |= bit;
        walk.vec16("extension body")?;
    }
    Ok(())
}

impl core::fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(|e| e.typ)).finish()
    }
}
