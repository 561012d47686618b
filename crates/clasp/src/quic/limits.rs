//! What the carrier bounds.

use crate::record::limits::{MAX_CERTIFICATE_MESSAGE, MAX_MESSAGE};

/// Bytes of the peer's handshake messages that are held while the conversation waits: all that a server says behind its hello
/// (EncryptedExtensions, CertificateRequest, CertificateVerify, Finished around its certificates), each as long as it may be.
pub(super) const MAX_HELD: usize = MAX_CERTIFICATE_MESSAGE + 4 * MAX_MESSAGE;

/// Transport parameters longer than these are not remembered with a session, and there is no early data with it. What is known
/// today takes some 200 bytes.
pub(super) const MAX_REMEMBERED: usize = 4096;
