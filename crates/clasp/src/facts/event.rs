//! What a caller may have to know before the handshake is done.

/// Something that a handshake has come to, in the order in which it does. Nothing is authenticated before
/// [`Established`](Self::Established): until then a peer's words are anybody's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Server: the client has said hello.
    ClientHello {
        /// The name that it asks for.
        server_name: Option<String>,
        /// The application protocols that it speaks, best first.
        protocols: Vec<Vec<u8>>,
    },
    /// The application protocol is chosen (RFC 7301), or that there is none.
    Protocol(Option<Vec<u8>>),
    /// The handshake is done: [`Connection::facts`](crate::Connection::facts) has the rest.
    Established,
}
