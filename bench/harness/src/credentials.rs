//! The certificates and keys that all peers use: made once by the controller, handed to each worker in a file.

use crate::scenario::{Key, Scenario};
use serde::{Deserialize, Serialize};

/// A certificate in the two forms that libraries ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certificate {
    pub der: Vec<u8>,
    pub pem: String,
}

/// A leaf's chain and its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// The leaf, then the intermediate. The root is not sent.
    pub chain: Vec<Certificate>,
    /// PKCS#8.
    pub key_der: Vec<u8>,
    pub key_pem: String,
}

impl Identity {
    /// The chain as one PEM text.
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|c| c.pem.as_str()).collect()
    }
}

/// All that is issued under one root, all keys of one kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Family {
    pub root: Certificate,
    pub server: Identity,
    pub client: Identity,
}

/// One family for each kind of key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    pub ecdsa: Family,
    pub rsa: Family,
}

impl Credentials {
    /// The family a scenario uses.
    pub fn of(&self, scenario: &Scenario) -> &Family {
        self.with(scenario.key)
    }

    pub fn with(&self, key: Key) -> &Family {
        match key {
            Key::EcdsaP256 => &self.ecdsa,
            Key::Rsa2048 => &self.rsa,
        }
    }
}
