//! What is wrong with configurations and their keys.

use super::config::Unfit;
use super::keyring::MAX_ECH_CONFIGS;
use crate::crypto::CryptoError;
use crate::wire::decode::DecodeError;
use clasp_x509::pem::PemError;
use core::fmt;

/// Why a list of configurations, or a key, cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EchError {
    /// The bytes are no ECHConfigList.
    Malformed(DecodeError),
    /// The text is no base64.
    Base64,
    /// The file is no PEM, or has not what it should.
    Pem(PemError),
    /// The private key is of no kind that HPKE has.
    PrivateKey,
    /// No configuration of the list is for the private key.
    OtherKey,
    /// Clients are to be told of a configuration that no key here opens, or of none.
    NoKey,
    /// What is to be written would be of no use to a client.
    Unfit(Unfit),
    /// More algorithms than a configuration has room for.
    TooLong,
    /// More configurations than a server tries.
    TooManyConfigs,
    /// A client can use no configuration of the list; why not the first that it knows, if it knows one.
    NoneUsable(Option<Unfit>),
    /// A primitive failed, or the provider lacks it.
    Crypto,
}

impl fmt::Display for EchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "no ECHConfigList: {error}"),
            Self::Base64 => f.write_str("no base64; wanted an ECHConfigList as a DNS record's ech= has it"),
            Self::Pem(error) => error.fmt(f),
            Self::PrivateKey => {
                f.write_str("a private key of another kind; wanted one of X25519, P-256, P-384 or P-521")
            }
            Self::OtherKey => f.write_str("no configuration of the list has the public key of this private key"),
            Self::NoKey => f.write_str("a configuration to try again with that no key here opens, or none at all"),
            Self::Unfit(why) => write!(f, "no client would take it: {why}"),
            Self::TooLong => f.write_str("more algorithms than a configuration has room for"),
            Self::TooManyConfigs => write!(f, "more configurations than a server tries: {MAX_ECH_CONFIGS} at most"),
            Self::NoneUsable(None) => f.write_str("no configuration of a known version"),
            Self::NoneUsable(Some(why)) => write!(f, "no configuration that can be used here: {why}"),
            Self::Crypto => f.write_str("a primitive failed, or the provider lacks it"),
        }
    }
}

impl core::error::Error for EchError {}

impl From<DecodeError> for EchError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<PemError> for EchError {
    fn from(error: PemError) -> Self {
        Self::Pem(error)
    }
}

impl From<CryptoError> for EchError {
    fn from(_: CryptoError) -> Self {
        Self::Crypto
    }
}
