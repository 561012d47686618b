//! Every bound of the record layer, by name, with its source.

/// Plaintext of one record: RFC 5246 6.2.1.
pub const MAX_PLAINTEXT: usize = 1 << 14;
/// The same, as wide as a record's length.
pub(super) const MAX_PLAINTEXT_U16: u16 = 1 << 14;
/// What protection may add in TLS 1.2: RFC 5246 6.2.3.
pub const MAX_EXPANSION: usize = 2048;
/// What protection may add in TLS 1.3: RFC 9846 5.2.
pub const MAX_EXPANSION_13: usize = 256;
/// Bytes of a record header.
pub const HEADER_LEN: usize = 5;
/// Empty records of application data in a row that are borne: OpenSSL's and BoringSSL's number.
pub const MAX_EMPTY_RECORDS: u8 = 32;
/// Warning alerts in a row that are borne: BoringSSL's number.
pub const MAX_WARNING_ALERTS: u8 = 4;
/// A handshake message of another kind than those below: 64 KB of extensions, of a certificate's status or of authorities'
/// names, and a kilobyte for the rest.
pub const MAX_MESSAGE: usize = (1 << 16) + 1024;
/// A ClientHello: 64 KB of extensions, or of suites, and a kilobyte for the rest. Anybody may send one, and a server keeps and
/// hashes it before it knows who does. Extensions may fill all that their length has room for, since they grow (tickets,
/// shares of large keys); so may suites, but RFC 9846 4.1.2 has room for both at once, and there are not 500 suites to
/// name. OpenSSL takes 128 KB, BoringSSL 16.
pub const MAX_CLIENT_HELLO: usize = (1 << 16) + 1024;
/// A NewSessionTicket whose every field is as long as it may be (RFC 9846 4.6.1): lifetime, age, nonce, ticket and
/// extensions behind their lengths.
pub const MAX_NEW_SESSION_TICKET: usize = 4 + 4 + (1 + 255) + (2 + 65_535) + (2 + 65_535);
/// A Certificate message, compressed or not: what BoringSSL and OpenSSL take is of this size.
pub const MAX_CERTIFICATE_MESSAGE: usize = 100 * 1024;
/// What stands around the content of a TLS 1.3 record at least: header, content type, tag (RFC 9846 5.2).
pub const LEAST_AROUND_13: usize = HEADER_LEN + 1 + 16;
/// What records of early data that are skipped when it is refused may hold together: one of the greatest there can
/// be (RFC 9846 5.2), since a client whose ticket came from elsewhere may send that at once. More are where the
/// configuration takes more early data.
pub const MIN_EARLY_DATA_SKIPPED: usize = HEADER_LEN + MAX_PLAINTEXT + MAX_EXPANSION_13;
/// KeyUpdates without data between that are borne: BoringSSL's number.
pub const MAX_KEY_UPDATES: u8 = 32;
/// Session tickets without data between that are kept; those above it are dropped.
pub const MAX_TICKETS: u8 = 32;
/// HelloRequests without data between that are passed over, where they are.
pub const MAX_HELLO_REQUESTS: u8 = 32;
/// What a connection says by itself after the handshake, in bytes that wait to be sent: with as many it takes no more records
/// that could make it say more, so that a peer that does not read gets no memory of ours.
pub const MAX_SAID: usize = 1 << 14;
/// Requests for a client certificate after the handshake that wait for their answers.
pub const MAX_CERTIFICATE_REQUESTS: usize = 4;
/// The same, without data between, in all: each costs a signature, and an answer that is long.
pub const MAX_REQUESTS_IN_A_ROW: u8 = 32;
