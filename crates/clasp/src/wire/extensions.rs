//! The extension block of a message.

use super::{Parsed, Reader, Recorder};
use crate::code::ExtensionType;
use crate::wire::decode::DecodeKind;

/// As many as messages have, and more: the registry has about sixty. More are legal, and cost a table of all types.
const FEW: usize = 64;
/// Words of that table, a bit to each type.
const TABLE: usize = (1 << 16) / 64;

/// One extension, its body not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a, R = ()> {
    /// Its type.
    pub typ: ExtensionType,
    /// Its body.
    pub body: &'a [u8],
    /// Where the body stands in the message.
    pub offset: usize,
    recorder: R,
}

impl<'a> Extension<'a> {
    /// An extension whose body stands at `offset` of the message.
    pub const fn new(typ: ExtensionType, body: &'a [u8], offset: usize) -> Self {
        Self { typ, body, offset, recorder: () }
    }
}

impl<'a, R: Recorder> Extension<'a, R> {
    /// Reads the body.
    pub const fn reader(&self) -> Reader<'a, R> {
        Reader::heard(self.body, self.offset, self.recorder)
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
    ///
    /// # Errors
    /// If a length does not fit, or one stands twice.
    pub fn read<R: Recorder>(r: &mut Reader<'a, R>, optional: bool) -> Parsed<Self> {
        if optional && r.is_empty() {
            return Ok(Self::NONE);
        }
        let block = r.vec16("extensions")?;
        let mut seen = [0_u16; FEW];
        let mut count = 0;
        let mut walk = block;
        while !walk.is_empty() {
            let Some((known, [slot, ..])) = seen.split_at_mut_checked(count) else {
                many(walk, &seen)?;
                break;
            };
            *slot = one(&mut walk, |typ| known.contains(&typ))?;
            count = count.saturating_add(1);
        }
        Ok(Self { bytes: block.rest(), offset: block.offset() })
    }

    /// The extensions in order.
    pub fn iter(self) -> impl Iterator<Item = Extension<'a>> {
        let mut r = Reader::at(self.bytes, self.offset);
        core::iter::from_fn(move || {
            let typ = r.code("extension_type").ok()?;
            let body = r.vec16("extension_data").ok()?;
            Some(Extension::new(typ, body.rest(), body.offset()))
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

/// Checks the next extension, and gives its type, which stands nowhere before.
fn one<R: Recorder>(walk: &mut Reader<'_, R>, stood_before: impl FnOnce(u16) -> bool) -> Parsed<u16> {
    walk.element("Extension", |walk| {
        let typ: ExtensionType = walk.code("extension_type")?;
        if stood_before(typ.0) {
            return Err(walk.error("extensions", DecodeKind::DuplicateExtension(typ.0)));
        }
        let body = walk.vec16("extension_data")?;
        let (offset, recorder) = (body.offset(), body.recorder());
        walk.recorder().extension(Extension { typ, body: body.rest(), offset, recorder });
        Ok(typ.0)
    })
}

/// Checks the rest of a block of any number of extensions, behind those of these types.
#[cold]
#[expect(clippy::indexing_slicing, reason = "the table has a bit for each type there can be")]
fn many<R: Recorder>(mut walk: Reader<'_, R>, before: &[u16]) -> Parsed<()> {
    let mut seen = [0_u64; TABLE];
    let mut stood_before = |typ: u16| {
        let (word, bit) = (&mut seen[usize::from(typ / 64)], 1 << (typ % 64));
        let stood_before = *word & bit != 0;
        *word |= bit;
        stood_before
    };
    before.iter().for_each(|typ| {
        stood_before(*typ);
    });
    while !walk.is_empty() {
        one(&mut walk, &mut stood_before)?;
    }
    Ok(())
}

impl core::fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(|e| e.typ)).finish()
    }
}
