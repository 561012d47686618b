//! Why a peer's certificate was refused, in the classes that have alerts of their own.

use crate::family::family;

family! {
    /// The class of a certificate refusal. The words of the [`Error`](super::Error) carry the validator's full story.
    pub enum CertificateError {
        UnknownIssuer => UnknownCa, "RFC 5280 6.1", "the certificate's issuer is not trusted";
        Expired => CertificateExpired, "RFC 5280 6.1.3", "the certificate has expired";
        NotYetValid => CertificateExpired, "RFC 5280 6.1.3", "the certificate is not valid yet";
        Revoked => CertificateRevoked, "RFC 5280 6.3", "the certificate has been revoked";
        StatusUnknown => BadCertificateStatusResponse, "RFC 6960 2.2", "the certificate's revocation status cannot be determined";
        NameMismatch => BadCertificate, "RFC 9525 6", "the certificate is not for this server name";
        BadEncoding => BadCertificate, "RFC 5280 4.1", "the certificate is not well formed";
        BadForm => BadCertificate, "RFC 5280 4", "a certificate has a form that its profile does not allow";
        BadSignature => BadCertificate, "RFC 5280 6.1.3", "a signature in the certificate chain does not verify";
        UnsupportedAlgorithm => UnsupportedCertificate, "RFC 5280 4.1.1.2", "the certificate uses an algorithm that is not accepted";
        WrongUsage => UnsupportedCertificate, "RFC 5280 4.2.1.12", "the certificate is not meant for this use";
        Constraint => BadCertificate, "RFC 5280 6.1", "the certificate chain breaks a constraint";
        NameConstraint => BadCertificate, "RFC 5280 4.2.1.10", "a name in the chain is not one that its issuer may certify";
        CriticalExtension => UnsupportedCertificate, "RFC 5280 4.2", "a certificate has a critical extension that is not understood";
        Policy => BadCertificate, "RFC 5280 6.1.5", "no certificate policy holds for the whole chain";
        TooCostly => CertificateUnknown, "limit", "the certificate chain costs more to check than the limit allows";
        NotPinned => CertificateUnknown, "RFC 7469 2.6", "the peer's key is none of those that are pinned";
        KeyChanged => CertificateUnknown, "RFC 4251 4.1", "the peer's key is not the one that it had before";
        Refused => CertificateUnknown, "Verifier", "the verifier refused the certificate";
    }
}
