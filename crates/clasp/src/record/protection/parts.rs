//! The parts of a record, and what is known of it besides.

use crate::code::ContentType;
use crate::record::limits::HEADER_LEN;

/// A cipher block, of AES alone.
pub(in crate::record) const BLOCK: usize = 16;

/// The most that stands in front of a record's plaintext: header and IV.
pub const MAX_FRONT: usize = HEADER_LEN + BLOCK;
/// The most that stands behind it: a MAC of 48 bytes and a block of padding.
pub const MAX_BACK: usize = 48 + BLOCK;

/// The length with CBC's padding, of which there is always some: RFC 5246 6.2.3.2.
#[expect(clippy::arithmetic_side_effects, reason = "of one record; what is longer is refused before it is sealed")]
pub(super) const fn padded(len: usize) -> usize {
    len / BLOCK * BLOCK + BLOCK
}

/// What the parts of a record take, behind its header.
#[derive(Clone, Copy)]
pub(in crate::record) struct Layout {
    /// An explicit nonce or IV.
    pub(in crate::record) front: usize,
    pub(in crate::record) plain: usize,
    /// Content type, padding, tag or MAC.
    pub(in crate::record) back: usize,
}

impl Layout {
    /// The most that any protection adds.
    pub(in crate::record) const fn widest(plain: usize) -> Self {
        Self { front: BLOCK, plain, back: MAX_BACK }
    }

    pub(in crate::record) const fn record(self) -> usize {
        HEADER_LEN.saturating_add(self.front).saturating_add(self.plain).saturating_add(self.back)
    }
}

/// What is known of a record besides its content, and authenticated with it.
#[derive(Clone, Copy)]
pub(in crate::record) struct About<'r> {
    pub(in crate::record) sequence: u64,
    /// The content type of what is sealed; of what is opened, the one that its header says.
    pub(in crate::record) content: ContentType,
    pub(in crate::record) header: &'r [u8; HEADER_LEN],
}

impl About<'_> {
    /// The additional data of TLS 1.2: seq_num, type, version, length (RFC 5246 6.2.3.3).
    pub(in crate::record) fn additional_data(self, length: usize) -> [u8; 13] {
        let mut aad = [0; 13];
        aad[..8].copy_from_slice(&self.sequence.to_be_bytes());
        aad[8] = self.content.0;
        aad[9..11].copy_from_slice(&self.header[1..3]);
        // A record's length is bounded by 2^14 + 2048 long before it gets here.
        aad[11..].copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        aad
    }
}
