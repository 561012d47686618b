//! The kinds of conversations, and the alphabet of what may be said in them.

use clasp::wire::code::HandshakeType as H;
pub(crate) use clasp_testkit::script::{SCENARIOS, Unit, honest, play};

/// Every message there is, and one there is not.
pub(crate) const ALPHABET: [H; 17] = [
    H::HelloRequest,
    H::ClientHello,
    H::ServerHello,
    H::NewSessionTicket,
    H::EndOfEarlyData,
    H::EncryptedExtensions,
    H::Certificate,
    H::ServerKeyExchange,
    H::CertificateRequest,
    H::ServerHelloDone,
    H::CertificateVerify,
    H::ClientKeyExchange,
    H::Finished,
    H::CertificateStatus,
    H::KeyUpdate,
    H::CompressedCertificate,
    H(99),
];
