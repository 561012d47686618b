//! Who we are: certificate chains, and the keys behind them.

use super::key::{auth_of, curve_of, decrypts};
use super::{CertificateRequestFacts, ClientHelloFacts};
use crate::answer::Answer;
use crate::code::{
    CertificateType, ClientCertificateType, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use crate::crypto::{AnyKeyDer, PrivateKey};
use crate::error::{Error, Misuse, Outside, Result};
use crate::suite::{Auth, Kx, Suite};
use crate::wire::extension::certificate::timestamps;
use crate::wire::{Extension, TooLong};
use clasp_x509::kind::{self, Kind};
use clasp_x509::pem::{self, PemError};
use clasp_x509::{Certificate, PublicKey, Spki, SubjectAltName};
use core::fmt;
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Signs handshakes. A key in memory answers at once; a token or a service may answer later.
pub trait Signer: Send + Sync {
    /// The schemes it can sign with, best first.
    fn schemes(&self) -> &[SignatureScheme];
    /// Whether their order is a wish of its own. The keys of Clasp have none: [`Policy::with_schemes`] decides.
    ///
    /// [`Policy::with_schemes`]: crate::Policy::with_schemes
    fn prefers(&self) -> bool {
        true
    }
    /// Signs `message`.
    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>>;
}

impl Signer for PrivateKey {
    fn schemes(&self) -> &[SignatureScheme] {
        Self::schemes(self)
    }

    fn prefers(&self) -> bool {
        false
    }

    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Answer::Now(Self::sign(self, scheme, message).map_err(|_| Error::from(Outside::SignerFailed).seen(scheme)))
    }
}

/// What is stapled to a certificate, in bytes together. In TLS 1.3 it stands in one block of extensions (RFC 9846
/// 4.4.2); in TLS 1.2 the timestamps stand in ServerHello, beside what else is there.
const MAX_STAPLED: usize = 65_535 - 1024;

/// A certificate chain and the key behind it.
pub struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) signer: Arc<dyn Signer>,
    /// Those of the signer that an RSA key is for: rsa_pss_pss is for one kind of them, the others for the other (RFC 9846 4.2.3).
    schemes: Vec<SignatureScheme>,
    pub(crate) transport: Option<Arc<PrivateKey>>,
    pub(crate) ocsp: Option<Vec<u8>>,
    pub(crate) timestamps: Option<Vec<u8>>,
    pub(crate) auth: Option<Auth>,
    /// The curve of an ECDSA key.
    pub(crate) curve: Option<NamedGroup>,
    decrypts: bool,
    pub(crate) kind: CertificateType,
}

impl Identity {
    /// From PEM: the chain (own certificate first) and its private key (PKCS#8, PKCS#1 or SEC 1).
    ///
    /// # Errors
    /// If either cannot be read, or the key is not the certificate's.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self> {
        let chain = certificates(chain)?;
        // It is wiped when it has been read.
        let section = pem::private_key(key).map_err(|fault| {
            let error = unread(Misuse::BadPrivateKey, fault);
            if pem::items(key, Kind::EncryptedKey).is_ok() { error.hint(FOR_ENCRYPTED) } else { error }
        })?;
        Self::from_der(chain, section.der())
    }

    /// From two files in PEM: the chain (own certificate first) and its private key. [`Reloadable`](super::Reloadable) reads them
    /// again when they change.
    ///
    /// ```no_run
    /// use clasp::{Identity, ServerConfig};
    /// let config = ServerConfig::builder().identity(Identity::from_pem_files("cert.pem", "key.pem")?).build()?;
    /// # Ok::<(), clasp::Error>(())
    /// ```
    ///
    /// # Errors
    /// If one of them cannot be read, or the key is not the certificate's; the error names the file.
    pub fn from_pem_files(chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let read = |path: &Path, misuse: Misuse| {
            std::fs::read(path).map_err(|e| Error::from(misuse).seen(path.display()).because(e))
        };
        let certificates = read(chain, Misuse::BadCertificateFile)?;
        let private = Zeroizing::new(read(key, Misuse::BadPrivateKey)?);
        Self::from_pem(&certificates, &private).map_err(|error| {
            let hint = error.hint_text().map_or_else(String::new, |hint| format!("; {hint}"));
            error.hint(format_args!("look at {} and {}{hint}", chain.display(), key.display()))
        })
    }

    /// From DER: the chain (own certificate first) and its private key, both as rustls-pki-types has them, or the key as bytes
    /// (`&[u8]`). A [`PrivateKeyDer`](crate::pki_types::PrivateKeyDer) that is handed over by value is wiped when it has been read.
    ///
    /// ```no_run
    /// use clasp::Identity;
    /// use clasp::pki_types::{CertificateDer, PrivateKeyDer};
    /// # fn run(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> clasp::Result<()> {
    /// let identity = Identity::from_der(chain, key)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If either cannot be read, or the key is not the certificate's.
    pub fn from_der<'k>(chain: Vec<CertificateDer<'static>>, key: impl Into<AnyKeyDer<'k>>) -> Result<Self> {
        let leaf = chain.first().ok_or_else(|| Error::from(Misuse::BadCertificateFile).seen("no certificate"))?;
        let leaf = Certificate::parse(leaf).map_err(|e| Error::from(Misuse::BadCertificateFile).unread(&e))?;
        if Spki::parse(leaf.spki()).is_ok_and(|spki| spki.has_explicit_curve()) {
            let wanted = "a curve by its name (RFC 5480 2.1.1)";
            return Err(Error::from(Misuse::BadCertificateFile).seen(kind::public_key(leaf.spki())).wanted(wanted));
        }
        let key = private_key(&key.into())?;
        let Some(key) = key.of_certificate(leaf.spki()) else {
            return Err(Error::from(Misuse::KeyMismatch)
                .seen(format_args!("a certificate for {} and another key", leaf.subject()))
                .hint("pass the key that the certificate was issued for"));
        };
        let key = Arc::new(key);
        let transport = decrypts(leaf.public_key()).then(|| key.clone());
        let identity = Self::new(leaf.public_key(), key, CertificateType::X509);
        Ok(Self { chain, transport, ..identity })
    }

    /// From a chain in DER and a signer outside. RSA key transport is then not on offer: it needs the key itself.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn with_signer(chain: Vec<CertificateDer<'static>>, signer: Arc<dyn Signer>) -> Result<Self> {
        let leaf = chain.first().ok_or_else(|| Error::from(Misuse::BadCertificateFile).seen("no certificate"))?;
        let leaf = Certificate::parse(leaf).map_err(|e| Error::from(Misuse::BadCertificateFile).unread(&e))?;
        let identity = Self::new(leaf.public_key(), signer, CertificateType::X509);
        Ok(Self { chain, ..identity })
    }

    /// From a private key alone: the peer knows its public half by other means (RFC 7250).
    ///
    /// # Errors
    /// If the key cannot be read.
    pub fn raw_public_key<'k>(key: impl Into<AnyKeyDer<'k>>) -> Result<Self> {
        let key = private_key(&key.into())?;
        let spki = key.spki()?;
        Ok(Self::raw_with_signer(spki, Arc::new(key)))
    }

    /// From a public key (a SubjectPublicKeyInfo) and a signer outside.
    pub fn raw_with_signer(spki: impl Into<SubjectPublicKeyInfoDer<'static>>, signer: Arc<dyn Signer>) -> Self {
        let spki = spki.into();
        let identity = Self::new(PublicKey::parse(&spki), signer, CertificateType::RawPublicKey);
        Self { chain: vec![spki.to_vec().into()], ..identity }
    }

    /// What follows from the public key; the chain it was read from comes after it.
    fn new(public: PublicKey<'_>, signer: Arc<dyn Signer>, kind: CertificateType) -> Self {
        let rsa = matches!(public, PublicKey::Rsa { .. });
        let schemes = signer.schemes().iter().copied();
        Self {
            chain: Vec::new(),
            schemes: schemes.filter(|scheme| !rsa || scheme.algorithm(public).is_some()).collect(),
            signer,
            transport: None,
            ocsp: None,
            timestamps: None,
            auth: auth_of(public),
            curve: curve_of(public),
            decrypts: decrypts(public),
            kind,
        }
    }

    /// Adds the private key itself, if the signer is elsewhere: RSA key transport decrypts with it.
    ///
    /// # Errors
    /// If it is not the certificate's RSA key.
    pub fn with_transport_key(mut self, key: Arc<PrivateKey>) -> Result<Self> {
        if !self.decrypts {
            return Err(Error::from(Misuse::BadPrivateKey)
                .seen("a certificate for another kind of key")
                .wanted("an RSA key: no other has key transport"));
        }
        if key.spki()? != self.spki() {
            return Err(Error::from(Misuse::KeyMismatch).hint("pass the key that the certificate was issued for"));
        }
        self.transport = Some(key);
        Ok(self)
    }

    /// What kind of certificate it is.
    pub fn certificate_type(&self) -> CertificateType {
        self.kind
    }

    /// Whether a client that says this can be served with it.
    pub fn fits(&self, hello: &ClientHelloFacts) -> bool {
        hello.certificate_types.contains(&self.kind)
            && match hello.version {
                ProtocolVersion::Tls13 => self.serves13(&hello.schemes),
                _ => {
                    let signs = self.signs12(hello.schemes.iter().copied(), hello.groups.iter().copied());
                    let mut suites = hello.suites.iter().filter_map(|c| Suite::find(*c));
                    suites.any(|s| self.serves(s, signs))
                }
            }
    }

    /// Whether it is what a server's request asks for. What issuers the server lists is a hint that it checks itself.
    pub fn fits_request(&self, request: &CertificateRequestFacts) -> bool {
        let key_type = match self.auth {
            Some(Auth::Rsa) => ClientCertificateType::RsaSign,
            _ => ClientCertificateType::EcdsaSign,
        };
        // 1.2 alone asks for kinds of keys.
        let version = if request.key_types.is_empty() { ProtocolVersion::Tls13 } else { ProtocolVersion::Tls12 };
        self.schemes(version).any(|s| request.schemes.contains(&s))
            && request.certificate_type.is_none_or(|t| t == self.kind)
            && (request.key_types.is_empty() || request.key_types.contains(&key_type.0))
    }

    /// The public key, as a SubjectPublicKeyInfo (DER); empty if the certificate cannot be read.
    pub fn spki(&self) -> &[u8] {
        match (self.kind, self.chain.first()) {
            (CertificateType::RawPublicKey, Some(spki)) => spki,
            (_, Some(leaf)) => Certificate::parse(leaf).map_or(&[], |leaf| leaf.spki()),
            _ => &[],
        }
    }

    /// Staples an OCSP response (DER): RFC 6066 8; a client's goes to TLS 1.3 servers that ask (RFC 9846 4.4.2.1). One of
    /// more than 64511 bytes is refused by `build`, and left out where the identity is chosen later.
    #[must_use]
    pub fn with_ocsp(mut self, response: Vec<u8>) -> Self {
        self.ocsp = Some(response);
        self
    }

    /// Sends this SignedCertificateTimestampList (RFC 6962 3.3) to peers that ask; a client, to TLS 1.3 servers.
    ///
    /// # Errors
    /// If it is not such a list.
    pub fn with_timestamps(mut self, list: Vec<u8>) -> Result<Self> {
        let typ = ExtensionType::SignedCertificateTimestamp;
        timestamps(Extension::new(typ, &list, 0))
            .map_err(|e| Error::from(Misuse::BadTimestamps).seen(e).wanted("a SignedCertificateTimestampList"))?;
        self.timestamps = Some(list);
        Ok(self)
    }

    /// The OCSP response, if it can be sent.
    pub(crate) fn staple(&self) -> Option<&[u8]> {
        self.ocsp.as_deref().filter(|ocsp| ocsp.len() <= MAX_STAPLED)
    }

    /// The certificate timestamps, if they can be sent.
    pub(crate) fn timestamp_list(&self) -> Option<&[u8]> {
        let beside = self.staple().map_or(0, <[u8]>::len);
        self.timestamps.as_deref().filter(|list| list.len().saturating_add(beside) <= MAX_STAPLED)
    }

    /// Whether all that is stapled can be sent.
    pub(crate) fn check_stapled(&self) -> Result<()> {
        let parts = [
            (self.ocsp.as_ref(), ExtensionType::StatusRequest),
            (self.timestamps.as_ref(), ExtensionType::SignedCertificateTimestamp),
        ];
        let mut length = 0_usize;
        for (part, extension) in parts {
            length = length.saturating_add(part.map_or(0, Vec::len));
            if length > MAX_STAPLED {
                let too_long = TooLong { length, fits: MAX_STAPLED, extension: Some(extension) };
                return Err(Error::from(too_long).in_message("Certificate"));
            }
        }
        Ok(())
    }

    /// The chain, own certificate first; of a raw public key, that alone (a SubjectPublicKeyInfo).
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// Whether this identity can sign for a TLS 1.2 client that takes these schemes and names these groups. It is asked
    /// once of a client, not once of each suite: both lists are as long as the client likes.
    pub(crate) fn signs12(
        &self,
        mut schemes: impl Iterator<Item = SignatureScheme>,
        groups: impl Iterator<Item = NamedGroup>,
    ) -> bool {
        schemes.any(|s| s.is_for_tls12() && self.schemes.contains(&s)) && self.curve_suits(groups)
    }

    /// Whether this identity can serve `suite` for a client for whom it [`signs12`](Self::signs12), or does not.
    pub(crate) fn serves(&self, suite: &Suite, signs: bool) -> bool {
        self.auth == Some(suite.auth)
            && match suite.kx {
                Kx::Rsa => self.transport.is_some(),
                Kx::Ecdhe | Kx::Dhe => signs,
            }
    }

    /// RFC 8422 5.3: in TLS 1.2 an ECDSA key is of a curve that the client names, if it names any.
    pub(crate) fn curve_suits(&self, groups: impl Iterator<Item = NamedGroup>) -> bool {
        let mut groups = groups.peekable();
        self.curve.is_none_or(|curve| groups.peek().is_none() || groups.any(|g| g == curve))
    }

    /// Whether this identity can sign for a TLS 1.3 peer that takes these schemes.
    pub(crate) fn serves13(&self, schemes: &[SignatureScheme]) -> bool {
        self.schemes(ProtocolVersion::Tls13).any(|s| schemes.contains(&s))
    }

    /// What it signs with in this version, the signer's best first. TLS 1.3 has the scheme fix the curve (RFC 9846 4.2.3).
    pub(crate) fn schemes(&self, version: ProtocolVersion) -> impl Iterator<Item = SignatureScheme> + Clone + '_ {
        let any_curve = version != ProtocolVersion::Tls13;
        let fits = move |s: &SignatureScheme| s.is_for(version) && (any_curve || self.has_curve_of(*s));
        self.schemes.iter().copied().filter(fits)
    }

    /// Whether the curve in the scheme's name is the key's, or one of them has none.
    pub(crate) fn has_curve_of(&self, scheme: SignatureScheme) -> bool {
        self.curve.is_none_or(|own| scheme.curve().is_none_or(|curve| curve == own))
    }

    /// Whether whoever could be served with `later` can be served with this one, for the same names.
    pub(crate) fn hides(&self, later: &Self) -> bool {
        let fits = |s: &SignatureScheme| self.schemes.contains(s);
        let key = |i: &Self| (i.kind, i.auth, i.curve);
        let names = self.names();
        key(self) == key(later)
            && later.schemes.iter().all(fits)
            && (self.transport.is_some() || later.transport.is_none())
            && later.names().iter().all(|name| names.contains(name))
    }

    /// The DNS names of the certificate.
    fn names(&self) -> Vec<Vec<u8>> {
        let leaf = self.chain.first().and_then(|der| Certificate::parse(der).ok());
        let names = leaf.iter().flat_map(Certificate::alt_names).filter_map(|name| match name {
            SubjectAltName::Dns(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        names.collect()
    }

    pub(super) fn is_for(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        self.chain
            .first()
            .and_then(|c| Certificate::parse(c).ok())
            .is_some_and(|c| c.alt_names().any(|n| matches!(n, SubjectAltName::Dns(_))) && c.is_for(&name))
    }
}

/// What to do where a key is behind a password.
pub(super) const FOR_ENCRYPTED: &str = "Identity::from_pem_encrypted takes its password";

pub(super) fn unread(misuse: Misuse, fault: PemError) -> Error {
    let line = if fault.line > 0 { format!("line {}: ", fault.line) } else { String::new() };
    Error::from(misuse).seen(format_args!("{line}{}", fault.found)).wanted(fault.wanted)
}

/// The chain of a file in PEM.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain = pem::items(pem, Kind::Certificate).map_err(|fault| unread(Misuse::BadCertificateFile, fault))?;
    Ok(chain.iter().map(|certificate| certificate.der().to_vec().into()).collect())
}

/// A private key, or what it is instead of one that can be used.
fn private_key(key: &AnyKeyDer<'_>) -> Result<PrivateKey> {
    let der = key.bytes();
    PrivateKey::from_der(der).map_err(|_| {
        let what = kind::private_key(der).map(|what| format!("a key of the kind {what}"));
        let what = what.or_else(|| kind::of(der).map(|kind| kind.to_string()));
        Error::from(Misuse::BadPrivateKey)
            .seen(what.unwrap_or_else(|| "what is no private key".into()))
            .wanted("RSA of 2048 to 8192 bits, ECDSA P-256, P-384 or P-521 by name, Ed25519 or ML-DSA; unencrypted")
    })
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates, {:?})", self.chain.len(), self.auth)
    }
}
