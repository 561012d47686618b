//! What a session hangs on. A session is resumed without another look at certificates, so it carries a digest of all that
//! decided when it was made, and where another configuration decides it counts for nothing: a full handshake follows.

/// A digest of what decided. Nobody but the configurations of one program chooses what goes in, so half of SHA-256 tells
/// them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context(pub(crate) [u8; CONTEXT_LEN]);

impl Context {
    /// Nothing decides.
    pub(crate) const NONE: Self = Self([0; CONTEXT_LEN]);

    /// What hangs on both.
    pub(crate) fn and(self, other: &Self) -> Self {
        let mut both = self.0;
        both.iter_mut().zip(other.0).for_each(|(byte, other)| *byte ^= other);
        Self(both)
    }
}

/// Bytes of a [`Context`].
pub(crate) const CONTEXT_LEN: usize = 16;
