//! Pre-shared keys that come from outside TLS: RFC 9846 4.2.11, RFC 9258.

use crate::crypto::{HashId, Provider};
use crate::error::{Error, Misuse, Outside, Result};
use crate::keys::schedule13::{BinderKind, import};
use crate::session::CONTEXT_LEN;
use core::fmt;
use zeroize::Zeroizing;

/// A key that both sides hold, under a name. Each side authenticates the other by it.
///
/// One key for both directions lets an attacker reflect a client's own messages to it (Selfie, RFC 9257 5.3): give each
/// pair of a client and a server a key of its own, or import one key under contexts that name the roles.
///
/// The name goes in the clear, and whoever sees a hello can find out whether a server knows a name: one that it knows, with a
/// binder that does not fit, ends in decrypt_error, and one that it does not know in a handshake with a certificate, or in
/// handshake_failure where there are keys alone (RFC 9846 E.6). So let names tell nothing: random ones, not those of people or
/// places.
///
/// ```
/// use clasp::config::PreSharedKey;
/// let [sha256, sha384] = PreSharedKey::imported(b"device 7", &[7; 32], b"device 7 to hub")?;
/// assert_ne!(sha256.identity(), sha384.identity());
/// # Ok::<(), clasp::Error>(())
/// ```
#[derive(Clone)]
pub struct PreSharedKey {
    pub(crate) identity: Vec<u8>,
    pub(crate) secret: Zeroizing<Vec<u8>>,
    pub(crate) hash: HashId,
    pub(crate) kind: BinderKind,
    /// Stands for name and key in a session that the key authenticated: a key by another name, or another key by the same
    /// name, is another.
    pub(crate) mark: [u8; CONTEXT_LEN],
}

/// The longest name: what is imported stands in an identity of at most 65535 bytes, with its context, two lengths, a
/// version and a function's number (RFC 9258 5.1).
const MAX_NAME: usize = u16::MAX as usize / 2;
const MAX_IMPORTED: usize = u16::MAX as usize - 8;

/// RFC 9257 6: shorter keys can be guessed from a recorded handshake.
const MIN_KEY: usize = 16;

impl PreSharedKey {
    /// A key for suites with this hash, used as it is.
    ///
    /// # Errors
    /// If the name is empty or longer than 32767 bytes, or the key is shorter than 16 bytes.
    pub fn external(identity: &[u8], key: &[u8], hash: HashId) -> Result<Self> {
        check(identity, key)?;
        let secret = Zeroizing::new(key.to_vec());
        Self::new(identity.to_vec(), secret, hash, BinderKind::External)
    }

    /// Imports a key (RFC 9258): one for the suites with SHA-256 and one for those with SHA-384. `context` says what
    /// the key is for, the roles of the two sides above all.
    ///
    /// # Errors
    /// As [`external`](Self::external), or if the name and the context have more than 65527 bytes together.
    pub fn imported(identity: &[u8], key: &[u8], context: &[u8]) -> Result<[Self; 2]> {
        Self::imported_with(identity, key, context, HashId::Sha256)
    }

    /// Imports a key that belongs to another hash than SHA-256.
    ///
    /// # Errors
    /// As [`imported`](Self::imported).
    pub fn imported_with(identity: &[u8], key: &[u8], context: &[u8], own: HashId) -> Result<[Self; 2]> {
        check(identity, key)?;
        let length = identity.len().saturating_add(context.len());
        if length > MAX_IMPORTED {
            let seen = format!("a name and a context of {length} bytes together");
            return Err(Error::from(Misuse::BadPreSharedKey).seen(seen).wanted(format_args!("at most {MAX_IMPORTED}")));
        }
        let provider = Provider::builtin();
        let one = |target: HashId| -> Result<Self> {
            let mut secret = Zeroizing::new(vec![0; target.len()]);
            let identity = import(provider.hash(own)?, provider.hash(target)?, key, identity, context, &mut secret)?;
            Self::new(identity, secret, target, BinderKind::Imported)
        };
        Ok([one(HashId::Sha256)?, one(HashId::Sha384)?])
    }

    fn new(identity: Vec<u8>, secret: Zeroizing<Vec<u8>>, hash: HashId, kind: BinderKind) -> Result<Self> {
        let kinds = [u8::from(kind == BinderKind::Imported), u8::from(hash == HashId::Sha384)];
        let length = (identity.len() as u64).to_be_bytes();
        // Hashed where it lies: no copy of the key is left behind.
        let parts = [&b"clasp pre-shared key"[..], &kinds, &length, &identity, &secret];
        let digest = Provider::builtin().hash(HashId::Sha256)?.digest(&parts);
        let mark = *digest.as_ref().first_chunk().ok_or(Outside::Bug)?;
        Ok(Self { identity, secret, hash, kind, mark })
    }

    /// The name that goes over the wire.
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }
}

fn check(identity: &[u8], key: &[u8]) -> Result<()> {
    if identity.is_empty() || identity.len() > MAX_NAME {
        let seen = format!("a name of {} bytes", identity.len());
        return Err(Error::from(Misuse::BadPreSharedKey).seen(seen).wanted(format_args!("1 to {MAX_NAME}")));
    }
    if key.len() < MIN_KEY {
        let seen = format!("a key of {} bytes", key.len());
        return Err(Error::from(Misuse::BadPreSharedKey).seen(seen).wanted("at least 16 random bytes"));
    }
    Ok(())
}

impl fmt::Debug for PreSharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreSharedKey({}, {:?}, [secret])", String::from_utf8_lossy(&self.identity), self.kind)
    }
}
