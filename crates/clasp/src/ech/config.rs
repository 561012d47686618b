//! What a server publishes: ECHConfigList and ECHConfig, RFC 9849 4.

use super::error::EchError;
use super::name::is_public_name;
use crate::code::{HpkeAead, HpkeKdf, HpkeKem};
use crate::crypto::Provider;
use crate::hpke::Suite;
use crate::wire::decode::DecodeKind;
use crate::wire::{Parsed, Reader, Writer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;

/// The one version: RFC 9849 4.
const VERSION: u16 = 0xfe0d;

/// An extension with this bit is mandatory: RFC 9849 4.2.
const MANDATORY: u16 = 0x8000;

/// The configurations of a server, the one it likes best first. Those of versions that are not known here are passed over when
/// it is read, and stay in its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct EchConfigList {
    bytes: Vec<u8>,
    configs: Vec<EchConfig>,
}

impl EchConfigList {
    /// Reads one, as a DNS record or EncryptedExtensions has it.
    ///
    /// # Errors
    /// If a configuration of the known version cannot be read, if bytes are left over, or if it is empty.
    pub fn parse(bytes: &[u8]) -> Result<Self, EchError> {
        let mut outer = Reader::new(bytes);
        let mut list = outer.vec16("ECHConfigList")?.non_empty("ECHConfigList")?;
        outer.finish("ECHConfigList")?;
        let mut configs = Vec::new();
        while !list.is_empty() {
            configs.extend(EchConfig::read(&mut list)?);
        }
        Ok(Self { bytes: bytes.to_vec(), configs })
    }

    /// Reads one in base64, as it stands in zone files behind `ech=`.
    ///
    /// # Errors
    /// If the text is no base64, and as [`parse`](Self::parse).
    pub fn from_base64(text: &str) -> Result<Self, EchError> {
        Self::parse(&STANDARD.decode(text.trim()).map_err(|_| EchError::Base64)?)
    }

    /// The list of these configurations.
    ///
    /// # Errors
    /// If there are none, or so many that their length cannot be said.
    pub fn of<'a>(configs: impl IntoIterator<Item = &'a EchConfig>) -> Result<Self, EchError> {
        let mut bytes = Vec::new();
        let all = |w: &mut Writer<'_>| configs.into_iter().for_each(|config| w.bytes(&config.bytes));
        Writer::write(&mut bytes, |w| w.vec16(all)).map_err(|_| EchError::TooLong)?;
        Self::parse(&bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// As it stands in zone files behind `ech=` (RFC 9848).
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// The configurations of the known version, in the server's order.
    pub fn configs(&self) -> &[EchConfig] {
        &self.configs
    }

    /// The first that a client with this provider can use, and with which algorithms: RFC 9849 6.1.
    pub fn choose(&self, provider: &Provider) -> Option<(&EchConfig, Suite)> {
        self.configs.iter().find_map(|config| Some((config, config.suite(provider).ok()?)))
    }
}

impl fmt::Debug for EchConfigList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.configs).finish()
    }
}

/// One configuration: a public key, and the name that stands outside for all to see.
#[derive(Clone, PartialEq, Eq)]
pub struct EchConfig {
    /// All of it, with version and length: what a key is bound to (RFC 9849 6.1.1).
    bytes: Vec<u8>,
    id: u8,
    kem: HpkeKem,
    public_key: Vec<u8>,
    suites: Vec<(HpkeKdf, HpkeAead)>,
    max_name_length: u8,
    public_name: Vec<u8>,
    /// The first mandatory extension: none is known here.
    mandatory: Option<u16>,
}

impl EchConfig {
    /// Reads one of a list; nothing where it is of another version.
    fn read(list: &mut Reader<'_>) -> Parsed<Option<Self>> {
        let before = list.rest();
        let version = list.u16("ECHConfig.version")?;
        let contents = list.vec16("ECHConfig.contents")?;
        if version != VERSION {
            return Ok(None);
        }
        let length = before.len().saturating_sub(list.rest().len());
        let bytes = before.get(..length).unwrap_or_default();
        Self::read_contents(bytes, contents).map(Some)
    }

    fn read_contents(bytes: &[u8], mut r: Reader<'_>) -> Parsed<Self> {
        let id = r.u8("config_id")?;
        let kem = HpkeKem(r.u16("kem_id")?);
        let public_key = r.vec16("public_key")?.non_empty("public_key")?.rest().to_vec();
        let mut pairs = r.vec16("cipher_suites")?.non_empty("cipher_suites")?;
        let mut suites = Vec::new();
        while !pairs.is_empty() {
            suites.push((HpkeKdf(pairs.u16("kdf_id")?), HpkeAead(pairs.u16("aead_id")?)));
        }
        let max_name_length = r.u8("maximum_name_length")?;
        let public_name = r.vec8("public_name")?.non_empty("public_name")?.rest().to_vec();
        let mut extensions = r.vec16("ECHConfigExtension")?;
        let (at, mut types) = (extensions, Vec::new());
        while !extensions.is_empty() {
            types.push(extensions.u16("ECHConfigExtensionType")?);
            extensions.vec16("ECHConfigExtension.data")?;
        }
        r.finish("ECHConfigContents")?;
        let mandatory = types.iter().copied().find(|typ| typ & MANDATORY != 0);
        types.sort_unstable();
        let twice = types.iter().zip(types.iter().skip(1)).find(|(one, next)| one == next);
        if let Some((twice, _)) = twice {
            return Err(at.error("ECHConfigExtension", DecodeKind::DuplicateExtension(*twice)));
        }
        Ok(Self { bytes: bytes.to_vec(), id, kem, public_key, suites, max_name_length, public_name, mandatory })
    }

    /// Writes one, and reads it as anybody would.
    pub(super) fn write(id: u8, public_key: &[u8], parameters: &super::EchParameters) -> Result<Self, EchError> {
        let mut bytes = Vec::new();
        let contents = |w: &mut Writer<'_>| {
            w.u8(id);
            w.u16(parameters.kem.0);
            w.vec16(|w| w.bytes(public_key));
            w.vec16(|w| {
                parameters.suites.iter().flat_map(|(kdf, aead)| [kdf.0, aead.0]).for_each(|code| w.u16(code));
            });
            w.u8(parameters.max_name_length);
            w.vec8(|w| w.bytes(parameters.public_name.as_bytes()));
            w.vec16(|_| ());
        };
        let config = |w: &mut Writer<'_>| {
            w.u16(VERSION);
            w.vec16(contents);
        };
        if !is_public_name(parameters.public_name.as_bytes()) {
            return Err(EchError::Unfit(Unfit::PublicName));
        }
        Writer::write(&mut bytes, config).map_err(|_| EchError::TooLong)?;
        let mut reader = Reader::new(&bytes);
        Self::read(&mut reader)?.ok_or(EchError::TooLong)
    }

    /// All of its bytes, with version and length.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `config_id`: by it a server knows which of its keys a client has used.
    pub const fn id(&self) -> u8 {
        self.id
    }

    /// How a secret gets to the server.
    pub const fn kem(&self) -> HpkeKem {
        self.kem
    }

    /// The server's public key.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// What the server derives and opens with, the ones it likes best first.
    pub fn suites(&self) -> impl Iterator<Item = Suite> + '_ {
        self.suites.iter().map(|(kdf, aead)| Suite { kem: self.kem, kdf: *kdf, aead: *aead })
    }

    /// The longest name that the server expects to be hidden; 0 if it has not said.
    pub const fn max_name_length(&self) -> u8 {
        self.max_name_length
    }

    /// The name that stands outside. It is what the server wrote: whether it is a name, [`suite`](Self::suite) says.
    pub fn public_name(&self) -> &[u8] {
        &self.public_name
    }

    /// The algorithms that a client with this provider seals with.
    ///
    /// # Errors
    /// Says why a client must not use it.
    pub fn suite(&self, provider: &Provider) -> Result<Suite, Unfit> {
        // RFC 9849 4.2, 6.1: one with an unsupported mandatory extension is ignored.
        if let Some(typ) = self.mandatory {
            return Err(Unfit::MandatoryExtension(typ));
        }
        if !is_public_name(&self.public_name) {
            return Err(Unfit::PublicName);
        }
        let suite = self.suites().find(|suite| suite.is_had_by(provider)).ok_or(Unfit::Algorithms)?;
        let length = match self.kem {
            HpkeKem::DhkemX25519HkdfSha256 => 32,
            HpkeKem::DhkemP256HkdfSha256 => 65,
            HpkeKem::DhkemP384HkdfSha384 => 97,
            HpkeKem::DhkemP521HkdfSha512 => 133,
            _ => return Err(Unfit::Algorithms),
        };
        if self.public_key.len() == length { Ok(suite) } else { Err(Unfit::PublicKey) }
    }
}

impl fmt::Debug for EchConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EchConfig({} for {})", self.id, self.public_name.escape_ascii())
    }
}

/// Why a configuration is of no use to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfit {
    /// It has this extension, which is mandatory and not known.
    MandatoryExtension(u16),
    /// Its public name is none.
    PublicName,
    /// None of its algorithms is had.
    Algorithms,
    /// Its public key has another length than its KEM's.
    PublicKey,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MandatoryExtension(typ) => write!(f, "the mandatory extension {typ:#06x} is not known"),
            Self::PublicName => {
                f.write_str("the public name is no host name of letters, digits and hyphens, or ends in a number")
            }
            Self::Algorithms => f.write_str("none of its algorithms is had here"),
            Self::PublicKey => f.write_str("its public key has the wrong length"),
        }
    }
}
