//! What a peer can do wrong, and what it may not have in common with us.

use crate::family::family;

family! {
    /// The peer broke a rule of the protocol, or shares nothing with our policy.
    pub enum PeerError {
        // Order and framing of messages
        UnexpectedMessage => UnexpectedMessage, "RFC 9846 4", "a message came that is not allowed at this point";
        UnexpectedChangeCipherSpec => UnexpectedMessage, "RFC 5246 7.1", "ChangeCipherSpec came where it is not allowed";
        UnexpectedApplicationData => UnexpectedMessage, "RFC 9846 5.1", "application data came before the handshake allows it";
        DataAtKeyChange => UnexpectedMessage, "RFC 9846 5.1", "handshake bytes were left over when the keys changed";
        TooManyMessages => UnexpectedMessage, "limit", "more messages came than a handshake has";
        RenegotiationRefused => NoRenegotiation, "RFC 5746 4.5", "the peer asked to renegotiate, which is refused";
        BadHelloRequest => DecodeError, "RFC 5246 7.4.1.1", "a HelloRequest is not empty";
        TooManyKeyUpdates => UnexpectedMessage, "limit", "too many KeyUpdates without data between";
        TookTooLong => UserCanceled, "limit", "the peer took longer for the handshake than the time limit";
        // Versions
        NoCommonVersion => ProtocolVersion, "RFC 9846 4.2.1", "no protocol version in common";
        WrongVersionSelected => IllegalParameter, "RFC 9846 4.2.1", "the server selected a version that was not offered";
        LegacyVersionSelected => ProtocolVersion, "RFC 9846 4.1.3", "the server selected a version this policy does not allow";
        WrongLegacyVersion => ProtocolVersion, "RFC 9846 4.1.3", "the legacy_version of a TLS 1.3 hello is not 0x0303";
        Downgraded => IllegalParameter, "RFC 9846 4.1.3", "the server random says the connection was downgraded";
        InappropriateFallback => InappropriateFallback, "RFC 7507 3", "the client fell back although both sides can do better";
        SecondHelloVersionMismatch => IllegalParameter, "RFC 9846 4.1.4", "HelloRetryRequest and ServerHello select different versions";
        // Suites, groups, schemes
        NoCommonSuite => HandshakeFailure, "RFC 5246 7.4.1.3", "no cipher suite in common";
        WrongSuiteSelected => IllegalParameter, "RFC 5246 7.4.1.3", "the server selected a cipher suite that was not offered";
        SuiteChangedAfterRetry => IllegalParameter, "RFC 9846 4.1.4", "the server changed the cipher suite after HelloRetryRequest";
        NoCommonGroup => HandshakeFailure, "RFC 8422 5.1", "no key exchange group in common";
        NoCommonDhGroup => InsufficientSecurity, "RFC 7919 4", "no finite-field group in common, and no suite that needs none";
        WrongGroupSelected => IllegalParameter, "RFC 8422 5.4", "the peer used a key exchange group that was not offered";
        BadKeyShare => IllegalParameter, "RFC 9846 4.2.8.2", "the peer's key share is not a valid public value of its group";
        WeakDhGroup => InsufficientSecurity, "RFC 7919 1 (Logjam)", "the server's Diffie-Hellman group is too small";
        NoCommonKeyCurve => HandshakeFailure, "RFC 8422 5.3", "the server's key is on a curve that the client does not take";
        NoCommonScheme => HandshakeFailure, "RFC 9846 4.2.3", "no signature algorithm in common with a usable certificate";
        WrongSchemeSelected => IllegalParameter, "RFC 9846 4.4.3", "the peer signed with an algorithm that was not offered or does not fit its key";
        NoPointFormat => IllegalParameter, "RFC 8422 5.1.2", "the peer does not support uncompressed points";
        BadCompression => IllegalParameter, "RFC 9846 4.1.2 (CRIME)", "the compression methods are not exactly what the protocol allows";
        // Extensions
        UnsolicitedExtension => UnsupportedExtension, "RFC 9846 4.2", "the peer answered an extension that was not offered";
        ExtensionNotAllowed => IllegalParameter, "RFC 9846 4.2", "an extension stands in a message it is not allowed in";
        MissingExtension => MissingExtension, "RFC 9846 9.2", "a required extension is missing";
        PskNotLast => IllegalParameter, "RFC 9846 4.2.11", "pre_shared_key is not the last extension";
        NoCommonProtocol => NoApplicationProtocol, "RFC 7301 3.2", "no application protocol in common";
        WrongProtocolSelected => IllegalParameter, "RFC 7301 3.1", "the server selected an application protocol that was not offered";
        BadMaxFragmentLength => IllegalParameter, "RFC 6066 4", "the maximum fragment length is not one that was asked for";
        TwoRecordLimits => IllegalParameter, "RFC 8449 5", "the server answered max_fragment_length and record_size_limit, which exclude each other";
        BadRenegotiationInfo => HandshakeFailure, "RFC 5746 3.4", "renegotiation_info is not empty on a first handshake";
        NoSecureRenegotiation => HandshakeFailure, "RFC 5746 4.1", "the peer does not support secure renegotiation and the policy requires it";
        NoExtendedMasterSecret => HandshakeFailure, "RFC 7627 5", "the peer does not support the extended master secret and the policy requires it";
        BadEncryptThenMac => IllegalParameter, "RFC 7366 3", "encrypt_then_mac was acknowledged for a suite that has no separate MAC";
        BadCertificateType => UnsupportedCertificate, "RFC 7250 4.2", "no certificate type in common";
        WrongCertificateType => IllegalParameter, "RFC 7250 4.1", "the certificate types say nothing but the default";
        BadServerName => UnrecognizedName, "RFC 6066 3", "the server name the client asked for is no DNS name";
        // Hello details
        BadSessionIdEcho => IllegalParameter, "RFC 9846 4.1.3", "the server did not echo the session ID";
        BadHelloRetry => IllegalParameter, "RFC 9846 4.1.4", "the HelloRetryRequest would change nothing or asks for what was not offered";
        CookieTooLong => IllegalParameter, "RFC 9846 4.2.2", "the cookie of the HelloRetryRequest does not fit a ClientHello";
        SecondHelloRetry => UnexpectedMessage, "RFC 9846 4.1.4", "a second HelloRetryRequest came";
        HelloChangedAfterRetry => IllegalParameter, "RFC 9846 4.1.2", "the second ClientHello differs in more than the retry allows";
        MissingKeyShare => MissingExtension, "RFC 9846 9.2", "the hello has no key share where it needs one";
        // Encrypted Client Hello
        EchRejected => EchRequired, "RFC 9849 6.1.6", "the server cannot read what this client hides";
        EchDisabled => EchRequired, "RFC 9849 6.1.6", "the server does not take hidden hellos";
        EchUnconfirmed => IllegalParameter, "RFC 9849 6.1.5", "the server heard the hidden hello, and after HelloRetryRequest does not";
        BadInnerHello => IllegalParameter, "RFC 9849 5.1", "the hidden hello cannot be what it is";
        EchMissingAfterRetry => MissingExtension, "RFC 9849 7.1.1", "the second ClientHello hides nothing, although the first did";
        EchChangedAfterRetry => IllegalParameter, "RFC 9849 7.1.1", "the second ClientHello hides with other keys than the first";
        EchUndecryptable => DecryptError, "RFC 9849 7.1.1", "what the second ClientHello hides cannot be opened";
        // Sessions
        ResumedWithOtherSuite => IllegalParameter, "RFC 5246 7.4.1.3", "the server resumed a session under another cipher suite";
        ResumedWithoutEms => HandshakeFailure, "RFC 7627 5.3", "the session was made with the extended master secret and is resumed without it";
        ResumedWithNewEms => HandshakeFailure, "RFC 7627 5.3", "the session was made without the extended master secret and is resumed with it";
        UnknownPskSelected => IllegalParameter, "RFC 9846 4.2.11", "the server selected a pre-shared key that was not offered";
        PskWithoutKeyShare => IllegalParameter, "RFC 9846 4.2.11", "the server took a pre-shared key without the key exchange that was asked for";
        PskHashMismatch => IllegalParameter, "RFC 9846 4.2.11", "the selected pre-shared key belongs to another hash";
        BadBinder => DecryptError, "RFC 9846 4.2.11.2", "a pre-shared key binder is wrong";
        BinderCountMismatch => IllegalParameter, "RFC 9846 4.2.11", "the numbers of pre-shared key identities and binders differ";
        MissingPskModes => MissingExtension, "RFC 9846 4.2.9", "pre_shared_key came without psk_key_exchange_modes";
        UnknownPskIdentity => HandshakeFailure, "RFC 9846 4.1.1", "no pre-shared key the client offers is known, and the server has nothing else";
        NoCommonPskMode => HandshakeFailure, "RFC 9846 4.2.9", "the client's pre-shared keys are for a mode that the server does not take, and the server has nothing else";
        PskRequired => MissingExtension, "RFC 9846 9.2", "the server answered without one of the pre-shared keys that are all this client trusts";
        PskWithdrawn => IllegalParameter, "RFC 9846 4.1.2", "the second ClientHello lacks the pre-shared key that would have been taken";
        PsksWithdrawn => MissingExtension, "RFC 9846 4.1.2", "the second ClientHello has no pre-shared keys any more, although one fits";
        EarlyDataBadlyAccepted => IllegalParameter, "RFC 9846 4.2.10", "the server accepted early data under parameters that do not match the session";
        TooMuchEarlyData => UnexpectedMessage, "RFC 9846 4.6.1", "the client sent more early data than it was allowed";
        // QUIC
        BadTransportParameters => IllegalParameter, "RFC 9000 7.4", "the transport parameters of the peer cannot be what they are";
        TransportParametersShrank => IllegalParameter, "RFC 9000 7.4.1", "the server took early data, and allows less than it did when the session was made";
        SessionIdOverQuic => IllegalParameter, "RFC 9001 8.4", "the client provides for middleboxes of TCP, where there are none";
        WrongCryptoLevel => UnexpectedMessage, "RFC 9001 4.1.3", "handshake data came at an encryption level that is over, or not there yet";
        TooMuchCrypto => UnexpectedMessage, "RFC 9000 7.5", "more handshake data came than a conversation that waits can hold";
        TicketBoundsEarlyData => IllegalParameter, "RFC 9001 4.6.1", "a ticket says how much early data there may be, which is the transport's to say";
        CertificateRequestOverQuic => UnexpectedMessage, "RFC 9001 4.4", "the server asks for a certificate after the handshake, which QUIC has not";
        // Certificates and proofs
        NoCertificate => CertificateRequired, "RFC 9846 4.4.2.4", "the client sent no certificate and the server requires one";
        EmptyCertificate => DecodeError, "RFC 9846 4.4.2", "the server sent an empty certificate list";
        NoCertificateTls12 => HandshakeFailure, "RFC 5246 7.4.6", "the client sent no certificate and the server requires one";
        TooManyCertificates => BadCertificate, "limit", "the certificate chain is longer or larger than the limit";
        BadCertificateKey => IllegalParameter, "RFC 5246 7.4.2", "the certificate's key does not fit the cipher suite";
        BadKeyCurve => IllegalParameter, "RFC 8422 5.3", "the server's key is on a curve that was not offered";
        UnusableCertificate => DecodeError, "RFC 5280 4.1", "the certificate cannot be read";
        KeyUsageForbids => IllegalParameter, "RFC 5280 4.2.1.3", "the certificate's key usage does not allow this key exchange";
        BadSignature => DecryptError, "RFC 9846 4.4.3", "the handshake signature does not verify";
        BadFinished => DecryptError, "RFC 9846 4.4.4", "the Finished message does not verify";
        BadDecompression => BadCertificate, "RFC 8879 4", "the compressed certificate does not decompress to what it says";
        WrongDecompression => IllegalParameter, "RFC 8879 4", "the certificate was compressed with an algorithm that was not offered";
        BadRequestContext => IllegalParameter, "RFC 9846 4.4.2", "the certificate request context is not the one expected";
        // Closing
        Truncated => CloseNotify, "RFC 9846 6.1", "the connection ended without close_notify: data may be missing";
        ClosedDuringHandshake => CloseNotify, "RFC 9846 6.1", "the peer closed the connection during the handshake";
    }
}
