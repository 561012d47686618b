// Above `copy` and `answer`.
//! Protocol codes as open enums: a newtype over the integer, named constants, and a name for every known value.
//! Unknown values survive a round trip.

/// Which way something went, seen from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From us to the peer.
    Sent,
    /// From the peer to us.
    Received,
}

/// A code that stands in `N` bytes.
pub trait Code<const N: usize>: Copy {
    /// The code in these bytes, big-endian.
    fn from_bytes(bytes: [u8; N]) -> Self;

    /// Its name, or that it is one of those that mean nothing (RFC 8701), or its number.
    fn describe(self) -> String;
}

macro_rules! codes {
    (@grease $value:expr) => { false };
    (@grease $value:expr, $grease:ident) => { $grease($value) };
    ($(#[$meta:meta])* $name:ident($int:ty $(, $grease:ident)?) { $($variant:ident = $value:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $int);

        #[allow(non_upper_case_globals)]
        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $variant: Self = Self($value);)+

            /// The registered name, or `"unknown"`.
            pub const fn name(self) -> &'static str {
                match self.0 { $($value => $text,)+ _ => "unknown" }
            }

            /// Whether the value has a name here.
            #[allow(clippy::manual_range_patterns)] // the values come one by one from the table
            pub const fn is_known(self) -> bool {
                matches!(self.0, $($value)|+)
            }
        }

        impl Code<{ size_of::<$int>() }> for $name {
            fn from_bytes(bytes: [u8; size_of::<$int>()]) -> Self {
                Self(<$int>::from_be_bytes(bytes))
            }

            fn describe(self) -> String {
                if self.is_known() {
                    return self.name().to_owned();
                }
                let grease = if codes!(@grease self.0 $(, $grease)?) { "GREASE " } else { "" };
                let width = size_of::<$int>().saturating_add(1).saturating_mul(2);
                format!("{grease}{:#0width$x}", self.0)
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                if self.is_known() { f.write_str(self.name()) } else { write!(f, "{:#x}", self.0) }
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({:#x})", self.name(), self.0)
            }
        }
    };
}

codes! {
    /// The type of a record's content: RFC 9846 5.1.
    ContentType(u8) {
        ChangeCipherSpec = 20, "change_cipher_spec";
        Alert = 21, "alert";
        Handshake = 22, "handshake";
        ApplicationData = 23, "application_data";
    }
}

codes! {
    /// The type of a handshake message: RFC 9846 4, RFC 5246 7.4.
    HandshakeType(u8) {
        HelloRequest = 0, "HelloRequest";
        ClientHello = 1, "ClientHello";
        ServerHello = 2, "ServerHello";
        NewSessionTicket = 4, "NewSessionTicket";
        EndOfEarlyData = 5, "EndOfEarlyData";
        EncryptedExtensions = 8, "EncryptedExtensions";
        Certificate = 11, "Certificate";
        ServerKeyExchange = 12, "ServerKeyExchange";
        CertificateRequest = 13, "CertificateRequest";
        ServerHelloDone = 14, "ServerHelloDone";
        CertificateVerify = 15, "CertificateVerify";
        ClientKeyExchange = 16, "ClientKeyExchange";
        Finished = 20, "Finished";
        CertificateStatus = 22, "CertificateStatus";
        KeyUpdate = 24, "KeyUpdate";
        CompressedCertificate = 25, "CompressedCertificate";
        MessageHash = 254, "message_hash";
    }
}

codes! {
    /// A protocol version on the wire.
    ProtocolVersion(u16, is_grease) {
        Ssl3 = 0x0300, "SSL 3.0";
        Tls10 = 0x0301, "TLS 1.0";
        Tls11 = 0x0302, "TLS 1.1";
        Tls12 = 0x0303, "TLS 1.2";
        Tls13 = 0x0304, "TLS 1.3";
    }
}

codes! {
    /// A cipher suite. Suites that Clasp refuses have names too, so that an error can say what was seen.
    CipherSuite(u16, is_grease) {
        TLS_NULL_WITH_NULL_NULL = 0x0000, "TLS_NULL_WITH_NULL_NULL";
        TLS_RSA_WITH_NULL_MD5 = 0x0001, "TLS_RSA_WITH_NULL_MD5";
        TLS_RSA_WITH_NULL_SHA = 0x0002, "TLS_RSA_WITH_NULL_SHA";
        TLS_RSA_EXPORT_WITH_RC4_40_MD5 = 0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5";
        TLS_RSA_WITH_RC4_128_MD5 = 0x0004, "TLS_RSA_WITH_RC4_128_MD5";
        TLS_RSA_WITH_RC4_128_SHA = 0x0005, "TLS_RSA_WITH_RC4_128_SHA";
        TLS_RSA_EXPORT_WITH_DES40_CBC_SHA = 0x0008, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA";
        TLS_RSA_WITH_DES_CBC_SHA = 0x0009, "TLS_RSA_WITH_DES_CBC_SHA";
        TLS_RSA_WITH_3DES_EDE_CBC_SHA = 0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA";
        TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA = 0x0014, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA";
        TLS_DH_anon_WITH_AES_128_CBC_SHA = 0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA";
        TLS_RSA_WITH_AES_128_CBC_SHA = 0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA";
        TLS_DHE_RSA_WITH_AES_128_CBC_SHA = 0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA";
        TLS_RSA_WITH_AES_256_CBC_SHA = 0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA";
        TLS_DHE_RSA_WITH_AES_256_CBC_SHA = 0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA";
        TLS_RSA_WITH_AES_128_CBC_SHA256 = 0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256";
        TLS_RSA_WITH_AES_256_CBC_SHA256 = 0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256";
        TLS_DHE_RSA_WITH_AES_128_CBC_SHA256 = 0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256";
        TLS_DHE_RSA_WITH_AES_256_CBC_SHA256 = 0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256";
        TLS_RSA_WITH_AES_128_GCM_SHA256 = 0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256";
        TLS_RSA_WITH_AES_256_GCM_SHA384 = 0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384";
        TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 = 0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256";
        TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 = 0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384";
        TLS_EMPTY_RENEGOTIATION_INFO_SCSV = 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV";
        TLS_AES_128_GCM_SHA256 = 0x1301, "TLS_AES_128_GCM_SHA256";
        TLS_AES_256_GCM_SHA384 = 0x1302, "TLS_AES_256_GCM_SHA384";
        TLS_CHACHA20_POLY1305_SHA256 = 0x1303, "TLS_CHACHA20_POLY1305_SHA256";
        TLS_FALLBACK_SCSV = 0x5600, "TLS_FALLBACK_SCSV";
        TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA = 0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA";
        TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA = 0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA";
        TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA = 0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA";
        TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA = 0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
        TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA = 0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA";
        TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 = 0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256";
        TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 = 0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384";
        TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 = 0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256";
        TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 = 0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384";
        TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = 0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
        TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 = 0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 = 0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 = 0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
        TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
        TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = 0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
        TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
    }
}

codes! {
    /// The type of an extension.
    ExtensionType(u16, is_grease) {
        ServerName = 0, "server_name";
        MaxFragmentLength = 1, "max_fragment_length";
        StatusRequest = 5, "status_request";
        SupportedGroups = 10, "supported_groups";
        EcPointFormats = 11, "ec_point_formats";
        SignatureAlgorithms = 13, "signature_algorithms";
        Alpn = 16, "application_layer_protocol_negotiation";
        SignedCertificateTimestamp = 18, "signed_certificate_timestamp";
        ClientCertificateType = 19, "client_certificate_type";
        ServerCertificateType = 20, "server_certificate_type";
        Padding = 21, "padding";
        EncryptThenMac = 22, "encrypt_then_mac";
        ExtendedMasterSecret = 23, "extended_master_secret";
        CompressCertificate = 27, "compress_certificate";
        RecordSizeLimit = 28, "record_size_limit";
        SessionTicket = 35, "session_ticket";
        PreSharedKey = 41, "pre_shared_key";
        EarlyData = 42, "early_data";
        SupportedVersions = 43, "supported_versions";
        Cookie = 44, "cookie";
        PskKeyExchangeModes = 45, "psk_key_exchange_modes";
        CertificateAuthorities = 47, "certificate_authorities";
        OidFilters = 48, "oid_filters";
        PostHandshakeAuth = 49, "post_handshake_auth";
        SignatureAlgorithmsCert = 50, "signature_algorithms_cert";
        KeyShare = 51, "key_share";
        QuicTransportParameters = 57, "quic_transport_parameters";
        EncryptedClientHello = 0xfe0d, "encrypted_client_hello";
        RenegotiationInfo = 0xff01, "renegotiation_info";
    }
}

codes! {
    /// A key exchange group.
    NamedGroup(u16, is_grease) {
        Secp256r1 = 23, "secp256r1";
        Secp384r1 = 24, "secp384r1";
        Secp521r1 = 25, "secp521r1";
        X25519 = 29, "x25519";
        X448 = 30, "x448";
        Ffdhe2048 = 256, "ffdhe2048";
        Ffdhe3072 = 257, "ffdhe3072";
        Ffdhe4096 = 258, "ffdhe4096";
        Ffdhe6144 = 259, "ffdhe6144";
        Ffdhe8192 = 260, "ffdhe8192";
        MlKem768 = 0x0201, "MLKEM768";
        MlKem1024 = 0x0202, "MLKEM1024";
        SecP256r1MlKem768 = 0x11eb, "SecP256r1MLKEM768";
        X25519MlKem768 = 0x11ec, "X25519MLKEM768";
        SecP384r1MlKem1024 = 0x11ed, "SecP384r1MLKEM1024";
    }
}

impl NamedGroup {
    /// Whether the code belongs to the finite-field range of RFC 7919 2.
    pub const fn is_ffdhe(self) -> bool {
        self.0 >= 0x0100 && self.0 <= 0x01ff
    }

    /// Whether the group stands up to a quantum computer: ML-KEM, alone or in a hybrid. TLS 1.3 alone has these.
    pub const fn is_post_quantum(self) -> bool {
        self.is_hybrid() || matches!(self, Self::MlKem768 | Self::MlKem1024)
    }

    /// Whether the group is a hybrid of a curve with ML-KEM.
    pub const fn is_hybrid(self) -> bool {
        matches!(self, Self::SecP256r1MlKem768 | Self::X25519MlKem768 | Self::SecP384r1MlKem1024)
    }
}

codes! {
    /// A signature scheme: RFC 9846 4.2.3; in TLS 1.2 the pair (hash, signature).
    SignatureScheme(u16, is_grease) {
        RsaPkcs1Sha1 = 0x0201, "rsa_pkcs1_sha1";
        EcdsaSha1 = 0x0203, "ecdsa_sha1";
        RsaPkcs1Sha256 = 0x0401, "rsa_pkcs1_sha256";
        EcdsaSecp256r1Sha256 = 0x0403, "ecdsa_secp256r1_sha256";
        RsaPkcs1Sha384 = 0x0501, "rsa_pkcs1_sha384";
        EcdsaSecp384r1Sha384 = 0x0503, "ecdsa_secp384r1_sha384";
        RsaPkcs1Sha512 = 0x0601, "rsa_pkcs1_sha512";
        EcdsaSecp521r1Sha512 = 0x0603, "ecdsa_secp521r1_sha512";
        RsaPssRsaeSha256 = 0x0804, "rsa_pss_rsae_sha256";
        RsaPssRsaeSha384 = 0x0805, "rsa_pss_rsae_sha384";
        RsaPssRsaeSha512 = 0x0806, "rsa_pss_rsae_sha512";
        Ed25519 = 0x0807, "ed25519";
        Ed448 = 0x0808, "ed448";
        RsaPssPssSha256 = 0x0809, "rsa_pss_pss_sha256";
        RsaPssPssSha384 = 0x080a, "rsa_pss_pss_sha384";
        RsaPssPssSha512 = 0x080b, "rsa_pss_pss_sha512";
        MlDsa44 = 0x0904, "mldsa44";
        MlDsa65 = 0x0905, "mldsa65";
        MlDsa87 = 0x0906, "mldsa87";
    }
}

impl SignatureScheme {
    /// Whether a TLS 1.3 handshake may be signed with it: not PKCS #1, and no SHA-1 (RFC 9846 4.2.3).
    pub const fn is_for_tls13(self) -> bool {
        !matches!(
            self,
            Self::RsaPkcs1Sha1 | Self::EcdsaSha1 | Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512
        )
    }

    /// Whether a handshake of this version may be signed with it.
    pub(crate) fn is_for(self, version: ProtocolVersion) -> bool {
        if version == ProtocolVersion::Tls13 { self.is_for_tls13() } else { self.is_for_tls12() }
    }

    /// Whether a TLS 1.2 handshake may be signed with it: ML-DSA is for TLS 1.3 alone.
    pub const fn is_for_tls12(self) -> bool {
        !matches!(self, Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87)
    }
}

codes! {
    /// How bad an alert is: RFC 5246 7.2. In TLS 1.3 it says nothing (RFC 9846 6).
    AlertLevel(u8) {
        Warning = 1, "warning";
        Fatal = 2, "fatal";
    }
}

codes! {
    /// An alert: RFC 9846 6, RFC 5246 7.2.
    AlertDescription(u8) {
        CloseNotify = 0, "close_notify";
        UnexpectedMessage = 10, "unexpected_message";
        BadRecordMac = 20, "bad_record_mac";
        DecryptionFailed = 21, "decryption_failed";
        RecordOverflow = 22, "record_overflow";
        DecompressionFailure = 30, "decompression_failure";
        HandshakeFailure = 40, "handshake_failure";
        NoCertificate = 41, "no_certificate";
        BadCertificate = 42, "bad_certificate";
        UnsupportedCertificate = 43, "unsupported_certificate";
        CertificateRevoked = 44, "certificate_revoked";
        CertificateExpired = 45, "certificate_expired";
        CertificateUnknown = 46, "certificate_unknown";
        IllegalParameter = 47, "illegal_parameter";
        UnknownCa = 48, "unknown_ca";
        AccessDenied = 49, "access_denied";
        DecodeError = 50, "decode_error";
        DecryptError = 51, "decrypt_error";
        ProtocolVersion = 70, "protocol_version";
        InsufficientSecurity = 71, "insufficient_security";
        InternalError = 80, "internal_error";
        InappropriateFallback = 86, "inappropriate_fallback";
        UserCanceled = 90, "user_canceled";
        NoRenegotiation = 100, "no_renegotiation";
        MissingExtension = 109, "missing_extension";
        UnsupportedExtension = 110, "unsupported_extension";
        UnrecognizedName = 112, "unrecognized_name";
        BadCertificateStatusResponse = 113, "bad_certificate_status_response";
        UnknownPskIdentity = 115, "unknown_psk_identity";
        CertificateRequired = 116, "certificate_required";
        NoApplicationProtocol = 120, "no_application_protocol";
        EchRequired = 121, "ech_required";
    }
}

codes! {
    /// What a TLS 1.2 CertificateRequest asks for: RFC 5246 7.4.4, RFC 8422 5.5.
    ClientCertificateType(u8) {
        RsaSign = 1, "rsa_sign";
        DssSign = 2, "dss_sign";
        EcdsaSign = 64, "ecdsa_sign";
    }
}

codes! {
    /// A fragment length limit: RFC 6066 4.
    MaxFragmentLength(u8) {
        Bytes512 = 1, "512";
        Bytes1024 = 2, "1024";
        Bytes2048 = 3, "2048";
        Bytes4096 = 4, "4096";
    }
}

impl MaxFragmentLength {
    /// The limit in bytes of plaintext; `None` for an unknown code.
    pub const fn bytes(self) -> Option<usize> {
        match self.0 {
            1 => Some(512),
            2 => Some(1024),
            3 => Some(2048),
            4 => Some(4096),
            _ => None,
        }
    }
}

codes! {
    /// How a certificate is compressed: RFC 8879 7.3.
    CompressionAlgorithm(u16) {
        Zlib = 1, "zlib";
        Brotli = 2, "brotli";
        Zstd = 3, "zstd";
    }
}

codes! {
    /// What kind of certificate a side has: RFC 7250 3.
    CertificateType(u8) {
        X509 = 0, "X.509";
        RawPublicKey = 2, "raw public key";
    }
}

codes! {
    /// How a pre-shared key is used: RFC 9846 4.2.9.
    PskKeyExchangeMode(u8, is_grease_mode) {
        PskKe = 0, "psk_ke";
        PskDheKe = 1, "psk_dhe_ke";
    }
}

codes! {
    /// A compression method of TLS 1.2: RFC 5246 7.4.1.2. Only one is left.
    CompressionMethod(u8) {
        Null = 0, "null";
    }
}

codes! {
    /// How points of a curve are written: RFC 8422 5.1.2.
    EcPointFormat(u8) {
        Uncompressed = 0, "uncompressed";
        CompressedPrime = 1, "ansiX962_compressed_prime";
        CompressedChar2 = 2, "ansiX962_compressed_char2";
    }
}

codes! {
    /// How a ServerKeyExchange says which curve it is of: RFC 8422 5.4.
    EcCurveType(u8) {
        NamedCurve = 3, "named_curve";
    }
}

codes! {
    /// What kind of name a client asks for: RFC 6066 3.
    NameType(u8) {
        HostName = 0, "host_name";
    }
}

codes! {
    /// What tells a certificate's status: RFC 6066 8.
    CertificateStatusType(u8) {
        Ocsp = 1, "ocsp";
    }
}

codes! {
    /// Whether a KeyUpdate asks for another: RFC 9846 4.6.3.
    KeyUpdateRequest(u8) {
        NotRequested = 0, "update_not_requested";
        Requested = 1, "update_requested";
    }
}

codes! {
    /// A key encapsulation mechanism of HPKE: RFC 9180 7.1.
    HpkeKem(u16) {
        DhkemP256HkdfSha256 = 0x0010, "DHKEM(P-256, HKDF-SHA256)";
        DhkemP384HkdfSha384 = 0x0011, "DHKEM(P-384, HKDF-SHA384)";
        DhkemP521HkdfSha512 = 0x0012, "DHKEM(P-521, HKDF-SHA512)";
        DhkemX25519HkdfSha256 = 0x0020, "DHKEM(X25519, HKDF-SHA256)";
        DhkemX448HkdfSha512 = 0x0021, "DHKEM(X448, HKDF-SHA512)";
    }
}

codes! {
    /// A key derivation function of HPKE: RFC 9180 7.2.
    HpkeKdf(u16) {
        HkdfSha256 = 0x0001, "HKDF-SHA256";
        HkdfSha384 = 0x0002, "HKDF-SHA384";
        HkdfSha512 = 0x0003, "HKDF-SHA512";
    }
}

codes! {
    /// An AEAD of HPKE: RFC 9180 7.3.
    HpkeAead(u16) {
        Aes128Gcm = 0x0001, "AES-128-GCM";
        Aes256Gcm = 0x0002, "AES-256-GCM";
        ChaCha20Poly1305 = 0x0003, "ChaCha20Poly1305";
        ExportOnly = 0xffff, "Export-only";
    }
}

/// Whether an 8-bit code is a GREASE value of psk_key_exchange_modes: RFC 8701 2.
const fn is_grease_mode(code: u8) -> bool {
    code % 0x1f == 0x0b
}

/// Whether a 16-bit code is a GREASE value: RFC 8701 2.
pub const fn is_grease(code: u16) -> bool {
    code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    #[test]
    fn names_and_unknowns() {
        assert_eq!(CipherSuite(0x2f).name(), "TLS_RSA_WITH_AES_128_CBC_SHA");
        assert_eq!(CipherSuite(0x1234).to_string(), "0x1234");
        assert!(!CipherSuite(0x1234).is_known());
        assert!(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a) && !is_grease(0x1301));
    }
}
