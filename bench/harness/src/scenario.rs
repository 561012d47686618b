//! What a handshake is made of. Both ends of a row get exactly this and may choose nothing else.

/// The protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Tls12,
    Tls13,
}

/// The AEADs of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aead {
    Aes128Gcm,
    Aes256Gcm,
    ChaCha20Poly1305,
}

/// How records are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    Aead(Aead),
    /// AES-128-CBC with HMAC-SHA-1, MAC then encrypt: the one CBC suite that every library here still has.
    CbcSha1,
}

/// How the ends agree on a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exchange {
    X25519,
    P256,
    /// X25519MLKEM768.
    Hybrid,
    /// RSA key transport: TLS 1.2 alone.
    Rsa,
}

/// The kind of all keys of a chain: leaf, intermediate and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    EcdsaP256,
    Rsa2048,
}

/// Whether, and how, a session is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Never. In TLS 1.3 the server still sends its ticket.
    Full,
    /// TLS 1.2: the server keeps the session.
    SessionId,
    /// The client keeps it; in TLS 1.3 with a fresh key exchange.
    Ticket,
}

/// One kind of handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub version: Version,
    pub cipher: Cipher,
    pub exchange: Exchange,
    pub key: Key,
    /// The client is asked for a certificate and shows one.
    pub mutual: bool,
    /// Chains that were accepted before may be known again. In all other rows each chain is checked anew.
    pub known: bool,
    pub resume: Resume,
}

/// The name that the client asks for and checks.
pub const SERVER_NAME: &str = "localhost";

impl Scenario {
    /// TLS 1.3 in full with AES-128-GCM and ECDSA.
    pub const fn tls13(exchange: Exchange) -> Self {
        Self {
            version: Version::Tls13,
            cipher: Cipher::Aead(Aead::Aes128Gcm),
            exchange,
            key: Key::EcdsaP256,
            mutual: false,
            known: false,
            resume: Resume::Full,
        }
    }

    /// TLS 1.2 in full with AES-128-GCM and ECDSA.
    pub const fn tls12(exchange: Exchange) -> Self {
        Self { version: Version::Tls12, ..Self::tls13(exchange) }
    }

    pub const fn mutual(self) -> Self {
        Self { mutual: true, ..self }
    }

    pub const fn known(self) -> Self {
        Self { known: true, ..self }
    }

    pub const fn resumed(self, resume: Resume) -> Self {
        Self { resume, ..self }
    }

    pub const fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }

    pub const fn cipher(self, cipher: Cipher) -> Self {
        Self { cipher, ..self }
    }

    /// How many tickets a server sends: one in TLS 1.3, so that all libraries do the same work; in TLS 1.2 only where
    /// the row is about tickets.
    pub fn sends_ticket(&self) -> bool {
        self.version == Version::Tls13 || self.resume == Resume::Ticket
    }

    /// The groups the ends may use, the row's first: in TLS 1.2 the curve of an ECDSA key must be among them
    /// (RFC 8422 5.1.1). None with RSA key transport.
    pub fn groups(&self) -> &'static [Exchange] {
        match (self.exchange, self.version, self.key) {
            (Exchange::X25519, Version::Tls12, Key::EcdsaP256) => &[Exchange::X25519, Exchange::P256],
            (Exchange::X25519, ..) => &[Exchange::X25519],
            (Exchange::P256, ..) => &[Exchange::P256],
            (Exchange::Hybrid, ..) => &[Exchange::Hybrid],
            (Exchange::Rsa, ..) => &[],
        }
    }

    /// The same as a list in OpenSSL's words; BoringSSL's are the same.
    pub fn openssl_groups(&self) -> String {
        self.groups().iter().map(|group| group.name()).collect::<Vec<_>>().join(":")
    }

    /// The cipher suite by its registered name (RFC 8446 B.4, RFC 5288, RFC 5289, RFC 7905).
    pub fn suite(&self) -> String {
        let cipher = match self.cipher {
            Cipher::Aead(Aead::Aes128Gcm) => "AES_128_GCM_SHA256",
            Cipher::Aead(Aead::Aes256Gcm) => "AES_256_GCM_SHA384",
            Cipher::Aead(Aead::ChaCha20Poly1305) => "CHACHA20_POLY1305_SHA256",
            Cipher::CbcSha1 => "AES_128_CBC_SHA",
        };
        match (self.version, self.exchange, self.key) {
            (Version::Tls13, ..) => format!("TLS_{cipher}"),
            (_, Exchange::Rsa, _) => format!("TLS_RSA_WITH_{cipher}"),
            (_, _, Key::EcdsaP256) => format!("TLS_ECDHE_ECDSA_WITH_{cipher}"),
            (_, _, Key::Rsa2048) => format!("TLS_ECDHE_RSA_WITH_{cipher}"),
        }
    }

    /// The same in OpenSSL's words, which BoringSSL and s2n share.
    pub fn openssl_suite(&self) -> String {
        let cipher = match self.cipher {
            Cipher::Aead(Aead::Aes128Gcm) => "AES128-GCM-SHA256",
            Cipher::Aead(Aead::Aes256Gcm) => "AES256-GCM-SHA384",
            Cipher::Aead(Aead::ChaCha20Poly1305) => "CHACHA20-POLY1305",
            Cipher::CbcSha1 => "AES128-SHA",
        };
        match (self.version, self.exchange, self.key) {
            (Version::Tls13, ..) => self.suite(),
            (_, Exchange::Rsa, _) => cipher.to_string(),
            (_, _, Key::EcdsaP256) => format!("ECDHE-ECDSA-{cipher}"),
            (_, _, Key::Rsa2048) => format!("ECDHE-RSA-{cipher}"),
        }
    }
}

impl Aead {
    pub const ALL: [Self; 3] = [Self::Aes128Gcm, Self::Aes256Gcm, Self::ChaCha20Poly1305];

    /// Bytes of key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes256Gcm => "AES-256-GCM",
            Self::ChaCha20Poly1305 => "ChaCha20-Poly1305",
        }
    }
}

impl Exchange {
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519 => "X25519",
            Self::P256 => "P-256",
            Self::Hybrid => "X25519MLKEM768",
            Self::Rsa => "RSA key transport",
        }
    }
}

impl Key {
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::Rsa2048 => "RSA-2048",
        }
    }
}
