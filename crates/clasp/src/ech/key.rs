//! A server's key with the configurations that clients have of it, and the file that holds both: RFC 9934.

use super::config::{EchConfig, EchConfigList};
use super::error::EchError;
use super::pkcs8;
use crate::code::{HpkeAead, HpkeKdf, HpkeKem};
use crate::crypto::Provider;
use crate::hpke::RecipientKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clasp_x509::kind::Kind;
use clasp_x509::pem::{self, PemError, Section};
use core::fmt;
use zeroize::Zeroizing;

/// What a new key's configuration is to say.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EchParameters {
    /// The name that stands outside: the server needs a certificate for it, for clients whose configuration is out of date.
    pub public_name: String,
    /// How a secret gets to the server.
    pub kem: HpkeKem,
    /// What the server derives and opens with.
    pub suites: Vec<(HpkeKdf, HpkeAead)>,
    /// The longest name that is to be hidden, to which clients pad shorter ones; 0 is not to say.
    pub max_name_length: u8,
}

impl EchParameters {
    /// For a public name: X25519, HKDF-SHA256, AES-128-GCM (RFC 9849 9) and ChaCha20-Poly1305.
    pub fn new(public_name: impl Into<String>) -> Self {
        Self {
            public_name: public_name.into(),
            kem: HpkeKem::DhkemX25519HkdfSha256,
            suites: [HpkeAead::Aes128Gcm, HpkeAead::ChaCha20Poly1305].map(|aead| (HpkeKdf::HkdfSha256, aead)).to_vec(),
            max_name_length: 0,
        }
    }
}

/// A private key, and the list of configurations that was published with it.
pub struct EchKey {
    key: RecipientKey,
    list: EchConfigList,
}

impl EchKey {
    /// A new one, whose `config_id` is random.
    ///
    /// # Errors
    /// If no client would take such a configuration, the provider lacks an algorithm, or randomness fails.
    pub fn generate(provider: &Provider, parameters: &EchParameters) -> Result<Self, EchError> {
        let key = RecipientKey::generate(provider, parameters.kem)?;
        let mut id = [0];
        provider.random.fill(&mut id).map_err(|_| EchError::Crypto)?;
        let config = EchConfig::write(id[0], key.public(), parameters)?;
        config.suite(provider).map_err(EchError::Unfit)?;
        Ok(Self { key, list: EchConfigList::of([&config])? })
    }

    /// A private key and the list that has a configuration of it, or more.
    ///
    /// # Errors
    /// If the list has none.
    pub fn new(key: RecipientKey, list: EchConfigList) -> Result<Self, EchError> {
        let key = Self { key, list };
        if key.configs().next().is_some() { Ok(key) } else { Err(EchError::OtherKey) }
    }

    /// Reads a file: `PRIVATE KEY`, then `ECHCONFIG`, one of each (RFC 9934 3).
    ///
    /// # Errors
    /// If it is another file, if the key is of no kind that HPKE has, or if no configuration is for it.
    pub fn from_pem(provider: &Provider, bytes: &[u8]) -> Result<Self, EchError> {
        let sections = pem::read(bytes)?;
        let [key, list] = &sections[..] else { return Err(other_file(&sections).into()) };
        if (key.label(), list.kind()) != ("PRIVATE KEY", Kind::EchConfigs) {
            return Err(other_file(&sections).into());
        }
        let (kem, private) = pkcs8::read(key.der())?;
        let key = RecipientKey::from_private(provider, kem, private).map_err(|_| EchError::PrivateKey)?;
        Self::new(key, EchConfigList::parse(list.der())?)
    }

    /// The file of it. Whoever reads that can read what its clients hide.
    ///
    /// # Errors
    /// If the key is of a KEM that has no such file.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, EchError> {
        let private = pkcs8::write(self.key.kem(), self.key.expose_private())?;
        let room = (private.len().saturating_add(self.list.as_bytes().len())).saturating_mul(2).saturating_add(256);
        let mut out = Zeroizing::new(String::with_capacity(room));
        section(&mut out, "PRIVATE KEY", &private);
        section(&mut out, "ECHCONFIG", self.list.as_bytes());
        Ok(out)
    }

    /// What was published.
    pub const fn list(&self) -> &EchConfigList {
        &self.list
    }

    /// The private key.
    pub const fn key(&self) -> &RecipientKey {
        &self.key
    }

    /// The configurations of the list that are this key's.
    pub fn configs(&self) -> impl Iterator<Item = &EchConfig> {
        let own = |config: &&EchConfig| config.kem() == self.key.kem() && config.public_key() == self.key.public();
        self.list.configs().iter().filter(own)
    }
}

impl fmt::Debug for EchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EchKey({:?})", self.list)
    }
}

impl EchConfigList {
    /// Reads the one `ECHCONFIG` of a file; a private key before it is passed over (RFC 9934 3).
    ///
    /// # Errors
    /// If there is none, or more, or something else.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, EchError> {
        let sections = pem::read(bytes)?;
        let (list, before) = sections.split_last().ok_or_else(|| other_file(&sections))?;
        let private = before.iter().all(|section| section.kind() == Kind::PrivateKey);
        if list.kind() != Kind::EchConfigs || before.len() > 1 || !private {
            return Err(other_file(&sections).into());
        }
        Self::parse(list.der())
    }

    /// The file of it, without a key.
    pub fn to_pem(&self) -> String {
        let mut out = String::new();
        section(&mut out, "ECHCONFIG", self.as_bytes());
        out
    }
}

/// Lines of 64 letters: RFC 7468 2.
fn section(out: &mut String, label: &str, bytes: &[u8]) {
    let text = |out: &mut String, part: &str| {
        out.push_str(part);
        out.push('\n');
    };
    text(out, &format!("-----BEGIN {label}-----"));
    // 48 bytes are 64 letters.
    for line in bytes.chunks(48) {
        STANDARD.encode_string(line, out);
        out.push('\n');
    }
    text(out, &format!("-----END {label}-----"));
}

fn other_file(sections: &[Section]) -> PemError {
    let found = sections.iter().map(|section| format!("BEGIN {}", section.label().escape_debug())).collect::<Vec<_>>();
    let mut error = PemError::default();
    error.found = if found.is_empty() { "nothing".into() } else { found.join(", ") };
    error.wanted = "PRIVATE KEY, then ECHCONFIG, one of each".into();
    error
}
