//! Identities whose private key is behind a password.

use super::Identity;
use super::identity::{certificates, unread};
use crate::error::{Error, Misuse, Result};
use clasp_x509::kind::{self, Kind};
use clasp_x509::pem;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

/// The only label of PKCS #8 (RFC 7468 11); what has another is encrypted in a way of OpenSSL's own.
const LABEL: &str = "ENCRYPTED PRIVATE KEY";

impl Identity {
    /// From a PKCS #12 archive (RFC 7292; `.p12`, `.pfx`) and its password: one private key, its certificate, and those that lead
    /// to a root. Today's archives and those of before PBES2 (`openssl pkcs12 -export -legacy`) are read.
    ///
    /// ```no_run
    /// use clasp::Identity;
    /// let identity = Identity::from_pkcs12(&std::fs::read("client.p12")?, "the password")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If it cannot be read, the password is wrong, or there is not one key with a certificate of its own.
    pub fn from_pkcs12(archive: &[u8], password: &str) -> Result<Self> {
        let bad = |seen: &str| Error::from(Misuse::BadPrivateKey).seen(format_args!("a PKCS #12 archive {seen}"));
        let store = KeyStore::from_pkcs12(archive, password, Pkcs12ImportPolicy::Strict);
        let store = store.map_err(|error| match error {
            p12_keystore::error::Error::MacError(_) => bad("that this password does not open").wanted("its password"),
            error => bad("that cannot be read").because(error),
        })?;
        let keys = store.entries().filter_map(|(_, entry)| match entry {
            KeyStoreEntry::PrivateKeyChain(chain) => Some(chain),
            _ => None,
        });
        let keys: Vec<_> = keys.collect();
        let one = "one private key, with its certificate";
        match &keys[..] {
            [key] => {
                let chain = key.certs().iter().map(|certificate| certificate.as_der().to_vec().into()).collect();
                Self::from_der(chain, key.key().as_der())
            }
            [] => Err(bad("without a private key that has its certificate beside it").wanted(one)),
            several => Err(bad(&format!("with {} private keys", several.len())).wanted(one)),
        }
    }

    /// From PEM: the chain (own certificate first), and its private key behind a password: PKCS #8 with PBES2 (RFC 5958 3, RFC 8018
    /// 6.2), `BEGIN ENCRYPTED PRIVATE KEY`, as `openssl genpkey -aes256` and `openssl pkcs8 -topk8` write it. A key in the clear needs
    /// no password, and is taken.
    ///
    /// ```no_run
    /// use clasp::Identity;
    /// let identity = Identity::from_pem_encrypted(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?, "the password")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If either cannot be read, the password is wrong, or the key is not the certificate's.
    pub fn from_pem_encrypted(chain: &[u8], key: &[u8], password: &str) -> Result<Self> {
        if pem::private_key(key).is_ok() {
            return Self::from_pem(chain, key);
        }
        let sections = pem::items(key, Kind::EncryptedKey).map_err(|fault| unread(Misuse::BadPrivateKey, fault))?;
        let [section] = &sections[..] else {
            return Err(Error::from(Misuse::BadPrivateKey)
                .seen(format_args!("{} private keys", sections.len()))
                .wanted("one private key"));
        };
        if section.label() != LABEL {
            return Err(Error::from(Misuse::BadPrivateKey)
                .seen(format_args!("line {}: an encrypted {} (RFC 1421 headers)", section.line(), section.label()))
                .wanted(format_args!("BEGIN {LABEL} (PKCS #8): openssl pkcs8 -topk8 -in FILE")));
        }
        Self::from_der(certificates(chain)?, &decrypted(section.der(), password)?)
    }
}

/// Whether a key's derivation stays within bounds: the file says what it costs, and nobody has checked the file yet. OpenSSL writes
/// keys of 16 MiB, or 2,048 rounds, and takes at most 32 MiB.
fn check_cost(kdf: &Kdf<'_>) -> core::result::Result<(), String> {
    match kdf {
        Kdf::Scrypt(params) => {
            let memory = params.cost_parameter.saturating_mul(u64::from(params.block_size)).saturating_mul(128);
            let passes = u64::from(params.parallelization);
            if memory > 64 << 20 || memory.saturating_mul(passes) > 1 << 30 {
                return Err(format!("that takes {memory} bytes of memory, {passes} times, to derive its key"));
            }
        }
        Kdf::Pbkdf2(params) if params.iteration_count > 10_000_000 => {
            return Err(format!("that takes {} rounds to derive its key", params.iteration_count));
        }
        _ => {}
    }
    Ok(())
}

/// A PrivateKeyInfo, wiped when it has been read.
fn decrypted(der: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>> {
    use pkcs8::pkcs5::Error::{DecryptFailed, EncryptFailed};
    let bad = |seen: &str| Error::from(Misuse::BadPrivateKey).seen(format_args!("an encrypted private key {seen}"));
    let unknown = |error: pkcs8::Error| {
        let error = bad("in a form that is not known here").because(error).wanted("PBES2, with AES-CBC or triple DES");
        error.hint("openssl pkcs8 -topk8 -in FILE writes it so")
    };
    let sealed = EncryptedPrivateKeyInfo::try_from(der).map_err(unknown)?;
    if let Some(kdf) = sealed.encryption_algorithm.pbes2().map(|parameters| &parameters.kdf) {
        check_cost(kdf)
            .map_err(|seen| bad(&seen).wanted("at most 64 MiB of memory (scrypt), or 10,000,000 rounds (PBKDF2)"))?;
    }
    match sealed.decrypt(password) {
        // Of 256 wrong passwords one leaves something that ends as it should.
        Ok(key) if kind::private_key(key.as_bytes()).is_some() => Ok(Zeroizing::new(key.as_bytes().to_vec())),
        Err(error @ pkcs8::Error::EncryptedPrivateKey(why)) if !matches!(why, DecryptFailed | EncryptFailed) => {
            Err(unknown(error))
        }
        Ok(_) | Err(_) => Err(bad("that this password does not open").wanted("its password")),
    }
}
