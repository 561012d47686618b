//! What the caller can do wrong, and what can fail outside.

use crate::family::family;

family! {
    /// The calling program asked for something that cannot be. Nothing is wrong with the peer.
    pub enum Misuse {
        BadPolicy => InternalError, "Policy", "the policy's settings contradict one another";
        Clash => InternalError, "Configuration", "two settings cannot stand together";
        BadSetting => InternalError, "Configuration", "a setting cannot have this value";
        NoSuites => InternalError, "Policy", "the policy leaves no cipher suite for the versions it allows";
        KeyMismatch => InternalError, "RFC 5246 7.4.2", "the private key does not belong to the certificate";
        BadCertificateFile => InternalError, "RFC 7468", "the certificate file cannot be used";
        BadTimestamps => InternalError, "RFC 6962 3.3", "the certificate timestamps cannot be used";
        BadPrivateKey => InternalError, "RFC 5958", "the private key cannot be used";
        BadAlpn => InternalError, "RFC 7301 3.1", "an ALPN protocol name must have 1 to 255 bytes";
        BadTicketSecret => InternalError, "GnuTLS CVE-2020-13777", "a ticket secret must be random, not a constant";
        NoUsableEchConfig => InternalError, "RFC 9849 6.1", "no ECHConfig of the list can be used to hide a hello";
        BadPreSharedKey => InternalError, "RFC 9257 6", "the pre-shared key cannot be used";
        HandshakeUnfinished => InternalError, "API", "this needs a finished handshake";
        AlreadyClosed => InternalError, "API", "the sending direction is closed already";
        ExporterUnavailable => InternalError, "RFC 5705 4", "keying material cannot be exported from this connection";
        ExporterTooLong => InternalError, "RFC 9846 7.5", "more keying material was asked for than the exporter can give";
        ChannelBindingUnsafe => InternalError, "RFC 7627 1 (triple handshake)", "this channel binding is not unique on this connection";
        EarlyDataUnavailable => InternalError, "RFC 9846 2.3", "early data cannot be sent on this connection";
        OldVersionForThis => InternalError, "API", "this needs TLS 1.3";
        PostHandshakeAuthUnavailable => InternalError, "RFC 9846 4.6.2", "this connection cannot ask for a certificate now";
        CannotSplit => InternalError, "API", "this connection cannot be taken apart now";
        TooLong => InternalError, "RFC 9846 3.4", "a field is longer than its length can say";
        KeysUsedUp => InternalError, "RFC 9846 5.5", "the keys of this connection have sealed as many records as they may, and TLS 1.2 cannot change them";
        BufferTooSmall => InternalError, "API", "the buffer is too small for a record";
    }
}

family! {
    /// Something outside the protocol failed: the system's randomness, a signer, a verifier.
    pub enum Outside {
        RandomFailed => InternalError, "system", "the system's random generator failed";
        SignerFailed => InternalError, "Signer", "the private key could not sign";
        VerifierFailed => InternalError, "Verifier", "the certificate verifier could not answer";
        ResolverFailed => InternalError, "Resolver", "the certificate resolver could not answer";
        ResolverRefused => AccessDenied, "Resolver", "the certificate resolver refused this client";
        CryptoFailed => InternalError, "crypto", "a cryptographic operation failed that cannot fail";
        SequenceExhausted => InternalError, "RFC 5246 6.1", "no record sequence numbers are left";
        TookTooLong => InternalError, "limit", "a party outside took longer to answer than the time limit";
        Bug => InternalError, "clasp", "an invariant of ours does not hold; please report it";
    }
}
