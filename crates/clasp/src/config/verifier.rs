//! Deciding whether a peer's certificate is accepted.

use super::context::Parts;
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::crypto::Provider;
use crate::error::{CertificateError, Error, Misuse, Outside, Result};
use clasp_x509::{
    Certificate, Check, Crl, Finding, KnownCrl, Options, ParseError, Profile, Reason, Revocation, Roots, Scope,
    Unreadable, Usage, Verdicts,
};
use core::fmt;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a peer presented. A verifier that asks another may have altered its copy: left out a staple, added an issuer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PresentedIdentity<'a> {
    /// Certificates, the peer's own first.
    pub chain: &'a [CertificateDer<'a>],
    /// The name it must have; none for clients.
    pub name: Option<&'a ServerName<'a>>,
    /// What `chain` holds: X.509 certificates, or one raw public key (a SubjectPublicKeyInfo, RFC 7250).
    pub kind: CertificateType,
    /// A stapled OCSP response, DER.
    pub ocsp: Option<&'a [u8]>,
    /// Whether one was asked for: a certificate may demand it (RFC 7633) of whoever was.
    pub asked_for_ocsp: bool,
    /// The certificate timestamps that came with it, where they were asked for: a SignedCertificateTimestampList
    /// (RFC 6962 3.3).
    pub timestamps: Option<&'a [u8]>,
    /// The time, by the configuration's clock.
    pub now: SystemTime,
    /// The configuration's crypto provider: who checks the signatures of certificates, too.
    pub provider: &'a Provider,
}

impl<'a> PresentedIdentity<'a> {
    /// X.509 certificates, and nothing else that is known of the peer.
    pub const fn new(chain: &'a [CertificateDer<'a>], now: SystemTime, provider: &'a Provider) -> Self {
        let kind = CertificateType::X509;
        Self { chain, name: None, kind, ocsp: None, asked_for_ocsp: false, timestamps: None, now, provider }
    }
}

/// Decides on certificates. The handshake signature is checked by Clasp with the key in [`Verified`], so that no
/// implementation can forget it.
pub trait Verifier: Send + Sync {
    /// Decides.
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>>;
    /// The issuers to name to clients, DER; none means any.
    fn authorities(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    /// Whether it can take certificates of this kind at all; `build` holds the kinds that are asked for against it.
    fn takes(&self, kind: CertificateType) -> bool {
        let _ = kind;
        true
    }
    /// What this verifier decides by, as bytes: of two that say the same, each takes the sessions that the other's word made.
    /// A session is resumed without another look at certificates, so by default this says nothing, and an object stands for
    /// itself alone: configurations that hold one [`Arc`] share sessions, others do not, nor does another process. It is
    /// asked when a configuration is built. Who checks signatures, its provider, is the configuration's to say, and is added. One that changes its mind later is not heard before the session ends, unless
    /// [`is_quick`](Self::is_quick).
    fn session_context(&self) -> Option<Vec<u8>> {
        None
    }
    /// Whether it answers so fast that it may as well be asked again whenever a session is resumed, if it may say another thing
    /// by then; by default not. The configuration's `verify_again_on_resumption` has the last word.
    fn is_quick(&self) -> bool {
        false
    }
}

/// Certificates of a plain chain.
const PLAIN: usize = 4;

/// Room for a P-256 key (91 bytes) and for shorter ones.
const PLAIN_KEY: usize = 96;

/// What a verifier has still to do.
type Proven = Box<dyn FnOnce() -> Answer<'static, Result<()>> + Send + Sync>;

/// Proof that a verifier accepted a certificate; holds its key.
pub struct Verified {
    pub(crate) spki: SmallVec<[u8; PLAIN_KEY]>,
    /// Whether the certificate's key usage lets the key sign; `None` if nobody has looked.
    pub(crate) may_sign: Option<bool>,
    /// Until when the decision holds, if the verifier has said so.
    pub(crate) until: Option<SystemTime>,
    /// What follows once the peer has proven that it has the key.
    pub(crate) proven: Option<Proven>,
}

impl Verified {
    /// Takes a SubjectPublicKeyInfo (DER) as verified. The handshake is then as safe as that decision.
    pub fn dangerous_assume(spki: &[u8]) -> Self {
        Self { spki: spki.into(), may_sign: None, until: None, proven: None }
    }

    /// Says until when the decision holds: no session outlives it. Without it that is the end of the first certificate of
    /// the chain.
    #[must_use]
    pub fn until(self, end: SystemTime) -> Self {
        Self { until: Some(end), ..self }
    }

    /// What is to be done once the peer has proven that it has the key: before that it may have shown anybody's certificate. An
    /// error of it refuses the peer.
    #[must_use]
    pub fn once_proven(self, act: impl FnOnce() -> Answer<'static, Result<()>> + Send + Sync + 'static) -> Self {
        Self { proven: Some(Box::new(act)), ..self }
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified").field("spki", &self.spki).field("until", &self.until).finish_non_exhaustive()
    }
}

/// Checks chains to trusted roots with `clasp-x509`, as strictly as the root in which one ends wants: the web's authorities are
/// held to [`Profile::WebPki`], the caller's own to [`Profile::Rfc5280`] ([`Roots`] know which is which).
///
/// Unless [`revocation`](Self::revocation) says otherwise, a stapled OCSP response that says revoked is believed, and one
/// that cannot be read is refused (RFC 6066 8). One that a certificate demands (RFC 7633) must be there wherever it was
/// asked for, whatever `revocation` says.
///
/// A chain that was accepted is remembered, by a hash of it and of all that was asked of it, until a certificate of it ends or a
/// revocation answer changes, and for an hour at most ([`Verdicts`]): a peer that comes again costs its proof of having
/// the key, and not the signatures of its certificates. One that watches how long a client takes can tell that it knew the
/// server, as it can from a session that is resumed; [`remember(0)`](Self::remember) has every chain checked anew.
#[derive(Debug)]
pub struct WebPki {
    roots: Arc<Roots>,
    usage: Usage,
    /// None leaves it to the root that a path ends in.
    profile: Option<Profile>,
    common_names: bool,
    check: Check,
    scope: Scope,
    lists: Vec<KnownCrl>,
    verdicts: Verdicts,
}

/// Accepted chains that are remembered unless told otherwise.
const REMEMBERED: usize = 256;

impl WebPki {
    fn new(roots: Arc<Roots>, usage: Usage) -> Self {
        Self {
            roots,
            usage,
            profile: None,
            common_names: false,
            check: Check::Prefer,
            scope: Scope::Leaf,
            lists: Vec::new(),
            verdicts: Verdicts::new(REMEMBERED),
        }
    }

    /// For servers' certificates.
    pub fn servers(roots: Arc<Roots>) -> Self {
        Self::new(roots, Usage::Server)
    }

    /// For clients' certificates.
    pub fn clients(roots: Arc<Roots>) -> Self {
        Self::new(roots, Usage::Client)
    }

    /// Holds every chain to this profile, and not to that of the root in which it ends: as [`Roots`] have it, those that the
    /// caller adds are his own authorities, of which [`Profile::Rfc5280`] is asked, and the stores of the system and of the web
    /// are the web's.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile), ..self }
    }

    /// Lets the common name stand in for missing subjectAltNames, for old devices.
    #[must_use]
    pub fn common_names(self) -> Self {
        Self { common_names: true, ..self }
    }

    /// How much revocation matters, whose, and by which lists (DER) beside stapled OCSP responses. With [`Check::Ignore`]
    /// nothing that is known of it counts: no list, and no staple either, but where the certificate demands one. The lists
    /// are read here, once: what a verification costs does not hang on how long they are.
    ///
    /// # Errors
    /// If a list cannot be read, or lists are given to be ignored.
    pub fn revocation(
        self,
        check: Check,
        scope: Scope,
        lists: Vec<CertificateRevocationListDer<'static>>,
    ) -> Result<Self> {
        if check == Check::Ignore && !lists.is_empty() {
            return Err(Error::from(Misuse::Clash)
                .seen(format_args!("Check::Ignore and {} revocation lists", lists.len()))
                .hint("Check::Prefer or Check::Require look at the lists"));
        }
        let lists: Result<Vec<KnownCrl>, ParseError> = lists.into_iter().map(KnownCrl::read).collect();
        let lists = lists.map_err(|e| Error::from(Misuse::BadCertificateFile).unread(&e))?;
        Ok(Self { check, scope, lists, ..self })
    }

    /// Remembers up to this many chains that were accepted, in about 300 bytes each, instead of 256; 0 has every chain
    /// checked anew.
    #[must_use]
    pub fn remember(self, chains: usize) -> Self {
        Self { verdicts: Verdicts::new(chains), ..self }
    }

    /// Whether it is for peers of this kind.
    pub(crate) fn is_for(&self, usage: Usage) -> bool {
        self.usage == usage
    }

    fn decide(&self, peer: &PresentedIdentity<'_>) -> Result<Verified> {
        let since = peer.now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let lists: Result<Vec<Crl<'_>>, ParseError> = self.lists.iter().map(KnownCrl::crl).collect();
        // They were read when they were given; a list that were lost now would let in whom it revokes.
        let lists = lists.map_err(|e| Error::from(Outside::Bug).unread(&e))?;
        let mut options = Options::new(UnixTime::since_unix_epoch(since), self.usage).by_roots();
        options.profile = self.profile;
        options.name = peer.name;
        options.signatures = peer.provider.signatures;
        // Whoever is accepted here proves to have the key.
        options.proof_follows = true;
        options.common_name = self.common_names.then_some(true);
        options.revocation = Revocation {
            check: self.check,
            scope: self.scope,
            lists: &lists,
            stapled: peer.ocsp,
            asked_for_staple: peer.asked_for_ocsp,
            ..Revocation::default()
        };
        let chain: SmallVec<[&[u8]; PLAIN]> = peer.chain.iter().map(AsRef::as_ref).collect();
        match self.verdicts.verify(&chain, &self.roots, &options) {
            Ok(accepted) => {
                let leaf = accepted.leaf();
                let until = u64::try_from(accepted.until()).unwrap_or(0);
                let until = UNIX_EPOCH.checked_add(Duration::from_secs(until));
                Ok(Verified { spki: leaf.spki().into(), may_sign: Some(may_sign(leaf)), until, proven: None })
            }
            Err(rejection) => Err(refusal(&rejection)),
        }
    }
}

/// For servers' certificates.
impl From<Arc<Roots>> for WebPki {
    fn from(roots: Arc<Roots>) -> Self {
        Self::servers(roots)
    }
}

/// For servers' certificates.
impl From<Roots> for WebPki {
    fn from(roots: Roots) -> Self {
        Self::servers(Arc::new(roots))
    }
}

impl Verifier for WebPki {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        if peer.kind != CertificateType::X509 {
            let refused = Error::from(CertificateError::Refused).seen(peer.kind);
            return Answer::Now(Err(refused.hint("RawPublicKeys takes such peers")));
        }
        Answer::Now(self.decide(&peer))
    }

    fn takes(&self, kind: CertificateType) -> bool {
        kind == CertificateType::X509
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.roots.subjects().map(<[u8]>::to_vec).collect()
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        // By their names, so that no new setting is forgotten here. How many verdicts are remembered decides nothing.
        let Self { roots, usage, profile, common_names, check, scope, lists, verdicts: _ } = self;
        let mut parts = Parts::of("clasp WebPki");
        parts.bytes(&roots.set_digest());
        parts.bytes(&[
            *usage as u8,
            profile.map_or(u8::MAX, |p| p as u8),
            u8::from(*common_names),
            *check as u8,
            *scope as u8,
        ]);
        parts.set(lists.iter().map(|list| &list.digest()[..]));
        Some(parts.into_bytes())
    }

    /// A chain that it remembers costs a hash.
    fn is_quick(&self) -> bool {
        self.verdicts.capacity() > 0
    }
}

/// Whether a certificate's key usage lets its key sign (RFC 5280 4.2.1.3).
pub(crate) fn may_sign(leaf: &Certificate<'_>) -> bool {
    leaf.key_usage().is_none_or(|usage| usage.digital_signature())
}

const OF_THE_WEB: &str = "reissue it by the rules of the public web; a private authority is added to the roots by its own file, or is held to Profile::Rfc5280";

fn refusal(rejection: &clasp_x509::Rejection) -> Error {
    let (class, hint) = match rejection.reason() {
        Reason::UnknownIssuer => {
            (CertificateError::UnknownIssuer, "trust its issuer, or have the peer send its whole chain")
        }
        Reason::Expired => (CertificateError::Expired, "renew the certificate, or set the clock"),
        Reason::NotYetValid => (CertificateError::NotYetValid, "set the clock"),
        Reason::NameMismatch => (CertificateError::NameMismatch, "ask for a name the certificate has"),
        Reason::BadSignature => (CertificateError::BadSignature, "somebody other than the trusted issuer made it"),
        Reason::UnsupportedAlgorithm => {
            (CertificateError::UnsupportedAlgorithm, "reissue it with RSA 2048, ECDSA or Ed25519")
        }
        Reason::WrongUsage => (CertificateError::WrongUsage, "issue it for this use"),
        Reason::TooCostly => (CertificateError::TooCostly, "have the peer send a plain chain"),
        Reason::BadEncoding => (CertificateError::BadEncoding, "reissue the certificate"),
        Reason::BadForm => (CertificateError::BadForm, OF_THE_WEB),
        Reason::Revoked => (CertificateError::Revoked, "replace the certificate"),
        Reason::StatusUnknown => (
            CertificateError::StatusUnknown,
            "have the server staple an OCSP response, or give a fresh revocation list",
        ),
        Reason::NameConstraint => {
            (CertificateError::NameConstraint, "have an issuer certify it that may certify this name")
        }
        Reason::CriticalExtension => (CertificateError::CriticalExtension, "reissue it without the extension"),
        Reason::Policy => (CertificateError::Policy, "reissue the chain under a policy that is accepted"),
        _ => (CertificateError::Constraint, "reissue the chain"),
    };
    let Finding { origin, subject, rule, found, wanted, .. } = rejection.nearest();
    // The Baseline Requirements bind authorities of the public web alone.
    let hint = if rule.starts_with("BR ") { OF_THE_WEB } else { hint };
    let error = Error::from(class).seen(format_args!("{origin} ({subject}): {found}"));
    error.wanted(format_args!("{wanted} ({rule})")).hint(hint)
}

/// The key of a certificate of which nothing else counts: where the rest cannot be read, the way to the key is enough.
pub(super) fn key_alone(leaf: &[u8]) -> Result<Cow<'_, [u8]>> {
    let error = match Certificate::parse(leaf) {
        Ok(leaf) => return Ok(Cow::Borrowed(leaf.spki())),
        Err(error) => error,
    };
    let spki = Unreadable::of(leaf).and_then(|what| what.spki);
    spki.map(Cow::Owned).ok_or_else(|| Error::from(CertificateError::BadEncoding).seen(error))
}

/// Takes every certificate, also one that is not well formed, as long as its key can be found. The peer can then be anybody: for
/// tests and for looking around only.
#[derive(Clone, Copy, Debug)]
pub struct DangerousAcceptAnyone;

impl Verifier for DangerousAcceptAnyone {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        if let (CertificateType::RawPublicKey, [key]) = (peer.kind, peer.chain) {
            return Answer::Now(Ok(Verified::dangerous_assume(key)));
        }
        let key =
            peer.chain.first().ok_or_else(|| CertificateError::BadEncoding.into()).and_then(|leaf| key_alone(leaf));
        Answer::Now(key.map(|key| Verified::dangerous_assume(&key)))
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        Some(b"clasp DangerousAcceptAnyone".to_vec())
    }
}

/// Takes peers whose raw public key (RFC 7250) is one of these.
///
/// ```
/// use clasp::config::RawPublicKeys;
/// # let spki = vec![0x30, 0];
/// let pinned = RawPublicKeys::new([spki]);
/// ```
#[derive(Clone, Debug)]
pub struct RawPublicKeys(Vec<SubjectPublicKeyInfoDer<'static>>);

impl RawPublicKeys {
    /// Takes these keys, each a SubjectPublicKeyInfo (DER).
    pub fn new(keys: impl IntoIterator<Item: Into<SubjectPublicKeyInfoDer<'static>>>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }
}

impl Verifier for RawPublicKeys {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        Answer::Now(match (peer.kind, peer.chain) {
            (CertificateType::RawPublicKey, [key]) if self.0.iter().any(|k| k[..] == key[..]) => {
                Ok(Verified::dangerous_assume(key))
            }
            (CertificateType::RawPublicKey, _) => {
                Err(Error::from(CertificateError::UnknownIssuer)
                    .seen("a raw public key that is not among the known ones"))
            }
            (kind, _) => Err(Error::from(CertificateError::Refused).seen(kind).wanted("a raw public key")),
        })
    }

    fn takes(&self, kind: CertificateType) -> bool {
        kind == CertificateType::RawPublicKey
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        let mut parts = Parts::of("clasp RawPublicKeys");
        parts.set(self.0.iter().map(AsRef::as_ref));
        Some(parts.into_bytes())
    }

    fn is_quick(&self) -> bool {
        true
    }
}
