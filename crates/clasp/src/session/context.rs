//! What a session hangs on. A session is resumed without another look at certificates, so it carries a digest of all that
//! decided when it was made, and where another configuration decides it counts for nothing: a full handshake follows.

/// A digest of what decided. Nobody but the configurations of one program chooses what goes in, so half of SHA-256 tells
/// them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Context(pub(crate) [u8; CONTEXT_LEN]);

/// Bytes of a [`Context`].
pub(crate) const CONTEXT_LEN: usize = 16;
