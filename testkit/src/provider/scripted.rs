//! A crypto provider that says what it is told to: for traces with published keys.

use super::seeded::{Seeded, share};
use aws_lc_rs::agreement::{ECDH_P256, X25519};
use clasp::crypto::{
    CryptoError, CryptoResult, Digest, Group, Hash, HashContext, HashId, HmacKey, KeyShare, Provider, Random,
    RandomError,
};
use clasp::wire::code::{NamedGroup, SignatureScheme};
use clasp::x509::{Curve, SignatureAlgorithm, SignatureError, Spki, VerifySignature};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// What the provider says. Everything that is not here is the built-in provider's.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What is asked of the source of randomness, in order; what is asked beyond is that of [`reseed`](super::reseed).
    pub random: Vec<Vec<u8>>,
    /// The private keys of key shares, in order. Without one a group is the built-in provider's.
    pub keys: Vec<(NamedGroup, Vec<u8>)>,
    /// Stands in the transcript in place of the ClientHello that was sent.
    pub client_hello: Option<Vec<u8>>,
    /// The same for the ClientHello after a HelloRetryRequest.
    pub second_client_hello: Option<Vec<u8>>,
    /// The same for the HelloRetryRequest.
    pub hello_retry_request: Option<Vec<u8>>,
    /// The same for EncryptedExtensions.
    pub encrypted_extensions: Option<Vec<u8>>,
    /// Signatures that are good whatever they are over, beside those that really are; of certificates too.
    pub signatures: Vec<Vec<u8>>,
    /// The schemes that signatures can be in; none means the built-in provider's.
    pub schemes: &'static [SignatureScheme],
}

impl Script {
    /// The provider. It lives as long as the process, as every provider does.
    pub fn provider(self) -> &'static Provider {
        let builtin = Provider::builtin();
        let leak = |g: &'static dyn Group, keys| -> &'static dyn Group { Box::leak(Box::new(Shares(g, keys))) };
        let groups = builtin.groups.iter().map(|g| {
            let keys = self.keys.iter().filter(|(id, _)| *id == g.id()).map(|(_, key)| key.clone()).collect();
            leak(*g, Mutex::new(keys))
        });
        let groups: Vec<_> = groups.collect();
        let exchange: &'static Exchange = Box::leak(Box::new(Exchange {
            client_hello: self.client_hello,
            second_client_hello: self.second_client_hello,
            hello_retry_request: self.hello_retry_request,
            encrypted_extensions: self.encrypted_extensions,
        }));
        let hashes = builtin.hashes.iter().map(|h| -> &'static dyn Hash { Box::leak(Box::new(Hashes(*h, exchange))) });
        let hashes: Vec<_> = hashes.collect();
        Box::leak(Box::new(Provider {
            name: "scripted",
            hashes: Vec::leak(hashes),
            aeads: builtin.aeads,
            groups: Vec::leak(groups),
            signatures: Box::leak(Box::new(Signatures(self.signatures))),
            schemes: if self.schemes.is_empty() { builtin.schemes } else { self.schemes },
            random: Box::leak(Box::new(Fixed(Mutex::new(self.random.into())))),
            legacy: builtin.legacy,
        }))
    }
}

struct Fixed(Mutex<VecDeque<Vec<u8>>>);

impl Random for Fixed {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            None => Seeded.fill(out),
            Some(bytes) if bytes.len() != out.len() => Err(RandomError),
            Some(bytes) => {
                out.copy_from_slice(&bytes);
                Ok(())
            }
        }
    }
}

struct Shares(&'static dyn Group, Mutex<VecDeque<Vec<u8>>>);

impl Group for Shares {
    fn id(&self) -> NamedGroup {
        self.0.id()
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        let Some(key) = self.1.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
            return self.0.start();
        };
        match self.id() {
            NamedGroup::X25519 => share(&X25519, &key),
            NamedGroup::Secp256r1 => share(&ECDH_P256, &key),
            _ => Err(CryptoError),
        }
    }
}

/// The signatures that are good whatever they are over.
struct Signatures(Vec<Vec<u8>>);

impl VerifySignature for Signatures {
    fn name(&self) -> &str {
        "scripted"
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Spki<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if self.0.iter().any(|s| s == signature) {
            return Ok(());
        }
        Provider::builtin().signatures.verify(algorithm, key, message, signature)
    }

    fn check_point(&self, curve: Curve, key: &Spki<'_>) -> Result<(), SignatureError> {
        Provider::builtin().signatures.check_point(curve, key)
    }
}

/// What takes the place of messages in what is hashed.
struct Exchange {
    client_hello: Option<Vec<u8>>,
    second_client_hello: Option<Vec<u8>>,
    hello_retry_request: Option<Vec<u8>>,
    encrypted_extensions: Option<Vec<u8>>,
}

/// SHA-256 of "HelloRetryRequest": RFC 9846 4.1.3.
const RETRY_RANDOM_START: [u8; 4] = [0xcf, 0x21, 0xad, 0x74];

impl Exchange {
    /// `bytes` with messages exchanged, if they are whole handshake messages one after the other.
    fn apply(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        const CLIENT_HELLO: u8 = 1;
        const SERVER_HELLO: u8 = 2;
        const ENCRYPTED_EXTENSIONS: u8 = 8;
        const MESSAGE_HASH: u8 = 254;
        let retried = bytes.first() == Some(&MESSAGE_HASH);
        let mut rest = bytes;
        let mut out = Vec::new();
        while let [kind, a, b, c, ..] = *rest {
            let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()? + 4;
            let (message, more) = rest.split_at_checked(length)?;
            let exchanged = match kind {
                CLIENT_HELLO if retried => &self.second_client_hello,
                CLIENT_HELLO => &self.client_hello,
                SERVER_HELLO if message.get(6..10) == Some(&RETRY_RANDOM_START[..]) => &self.hello_retry_request,
                ENCRYPTED_EXTENSIONS => &self.encrypted_extensions,
                _ => &None,
            };
            out.extend_from_slice(exchanged.as_deref().unwrap_or(message));
            rest = more;
        }
        rest.is_empty().then_some(out)
    }
}

struct Hashes(&'static dyn Hash, &'static Exchange);

impl Hash for Hashes {
    fn id(&self) -> HashId {
        self.0.id()
    }

    fn start(&self) -> Box<dyn HashContext> {
        Box::new(Hashing(self.0.start(), self.1))
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        match self.1.apply(&parts.concat()) {
            Some(exchanged) => self.0.digest(&[&exchanged]),
            None => self.0.digest(parts),
        }
    }

    fn hmac(&self, key: &[u8]) -> Box<dyn HmacKey> {
        self.0.hmac(key)
    }

    fn keyed(&self, key: &[u8], then: &mut dyn FnMut(&dyn HmacKey)) {
        self.0.keyed(key, then);
    }
}

struct Hashing(Box<dyn HashContext>, &'static Exchange);

impl HashContext for Hashing {
    fn update(&mut self, bytes: &[u8]) {
        match self.1.apply(bytes) {
            Some(exchanged) => self.0.update(&exchanged),
            None => self.0.update(bytes),
        }
    }

    fn value(&self) -> Digest {
        self.0.value()
    }

    fn fork(&self) -> Box<dyn HashContext> {
        Box::new(Self(self.0.fork(), self.1))
    }
}
