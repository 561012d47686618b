//! Parties outside that answer only at the second asking, so that `-async` meets every wait.

use clasp::config::{
    Admission, CertificateRequestFacts, ClientHelloFacts, ClientIdentity, Clock, Identity, PresentedIdentity, Resolver,
    Signer, Verified, Verifier,
};
use clasp::error::{CertificateError, Outside, PeerError};
use clasp::keys::log::KeyLog;
use clasp::session::{ClientSessions, PeerKey, ServerSessionCache, ServerSessions, Session};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::wire::code::{AlertDescription, CertificateType, SignatureScheme};
use clasp::{Answer, Error, Result};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, SystemTime};

/// Holds an answer back once if `slow`.
pub(crate) fn answer<'a, T: Send + 'a>(slow: bool, value: T) -> Answer<'a, T> {
    if !slow {
        return Answer::Now(value);
    }
    let mut asked = false;
    Answer::later(async move {
        poll_fn(|cx| {
            if asked {
                return Poll::Ready(());
            }
            asked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        value
    })
}

/// A clock that stands still but for the runner, which moves it on: it wants ages of tickets to the millisecond.
#[derive(Clone)]
pub(crate) struct ShimClock(Arc<Mutex<SystemTime>>);

impl Default for ShimClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::now())))
    }
}

impl ShimClock {
    pub(crate) fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ShimClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signs with some of a key's schemes, in an order of its own.
pub(crate) struct ShimSigner {
    pub(crate) key: Arc<clasp::crypto::PrivateKey>,
    pub(crate) schemes: Vec<SignatureScheme>,
    pub(crate) slow: bool,
}

impl Signer for ShimSigner {
    fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        let signed = self.key.sign(scheme, message).map_err(|_| Error::from(Outside::SignerFailed).seen(scheme));
        answer(self.slow, signed)
    }
}

/// Takes or refuses every certificate, as the flags say.
pub(crate) struct ShimVerifier {
    /// The name that it is to be asked for, if that is of interest; and after early data was refused.
    pub(crate) name: Option<String>,
    pub(crate) name_later: Option<String>,
    pub(crate) fail: bool,
    /// What it says from the second time on, if that is another thing: after early data was refused.
    pub(crate) fail_later: Option<bool>,
    pub(crate) asked: AtomicUsize,
    pub(crate) custom: bool,
    pub(crate) fail_status: bool,
    pub(crate) slow: bool,
    pub(crate) authorities: Vec<Vec<u8>>,
}

/// As long as any session lasts.
const EVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl ShimVerifier {
    fn decide(&self, peer: &PresentedIdentity<'_>) -> Result<Verified> {
        let again = self.asked.fetch_add(1, Ordering::Relaxed) > 0;
        let name = if again { &self.name_later } else { &self.name };
        if let Some(wanted) = name.as_deref().filter(|wanted| peer.name.is_none_or(|name| name.to_str() != *wanted)) {
            return Err(Error::from(CertificateError::Refused).seen(format!("{:?}", peer.name)).wanted(wanted));
        }
        if self.fail_later.filter(|_| again).unwrap_or(self.fail) {
            // The alerts that the runner's own shim tells its library to send: the first is that of the row.
            let refused = match self.custom {
                true => CertificateError::Refused.into(),
                false => Error::refused(AlertDescription::HandshakeFailure),
            };
            return Err(refused.seen("-verify-fail"));
        }
        if self.fail_status {
            return Err(CertificateError::StatusUnknown.into());
        }
        let unreadable = || Error::from(PeerError::UnusableCertificate);
        let leaf = peer.chain.first().ok_or_else(unreadable)?;
        // The runner moves the clock past its certificates' end, and means its tickets.
        let ever = |spki: &[u8]| Ok(Verified::dangerous_assume(spki).until(peer.now + EVER));
        match peer.kind {
            CertificateType::RawPublicKey => ever(leaf),
            _ => {
                let leaf = clasp_x509::Certificate::parse(leaf).map_err(|_| unreadable())?;
                ever(leaf.spki())
            }
        }
    }
}

impl Verifier for ShimVerifier {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        answer(self.slow, self.decide(&peer))
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.authorities.clone()
    }
}

/// The runner's callbacks that see a hello first.
pub(crate) struct ShimAdmission {
    pub(crate) refuse: Option<AlertDescription>,
    pub(crate) refuse_load: Option<AlertDescription>,
    pub(crate) slow: bool,
}

impl Admission for ShimAdmission {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        let refused = self.refuse.or(self.refuse_load).map(Error::refused);
        answer(self.slow, refused.map_or(Ok(()), Err))
    }
}

/// Notes the traffic secrets of the application data.
#[derive(Default)]
pub(crate) struct ShimKeyLog(Mutex<HashMap<&'static str, Vec<u8>>>);

impl ShimKeyLog {
    pub(crate) fn secret(&self, label: &'static str) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(label).cloned().unwrap_or_default()
    }
}

impl KeyLog for ShimKeyLog {
    fn log(&self, label: &'static str, _: &[u8; 32], secret: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(label, secret.to_vec());
    }
}

/// Notes what goes both ways, in the runner's words, and the last message of the peer.
#[derive(Default)]
pub(crate) struct Messages {
    last: AtomicU8,
    lines: Mutex<Vec<String>>,
}

impl Messages {
    pub(crate) fn last(&self) -> u8 {
        self.last.load(Ordering::Relaxed)
    }

    /// What there was since the last call.
    pub(crate) fn taken(&self) -> Vec<String> {
        core::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Messages {
    fn observe(&self, seen: &Observation<'_>) {
        let (direction, what) = match &seen.what {
            What::Message { direction, kind, .. } => {
                if *direction == Direction::Received {
                    self.last.store(kind.0, Ordering::Relaxed);
                }
                (*direction, format!("hs {}", kind.0))
            }
            What::HiddenHello { direction, .. } => (*direction, "clienthelloinner".into()),
            What::ChangeCipherSpec { direction } => (*direction, "ccs".into()),
            What::Alert { direction, bytes: [level, alert], .. } => (*direction, format!("alert {level} {alert}")),
            _ => return,
        };
        let sent = direction == Direction::Sent;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // The runner's library tells of a hello that it is about to hide, Clasp of one that it has hidden.
        let ahead = sent && matches!(seen.what, What::HiddenHello { .. });
        let at = lines.len().saturating_sub(ahead.into());
        lines.insert(at, format!("{} {what}", if sent { "write" } else { "read" }));
    }
}

/// What was asked of and chosen for a connection.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) selected: Option<usize>,
    pub(crate) hello: Option<ClientHelloFacts>,
    pub(crate) request: Option<CertificateRequestFacts>,
}

/// One of several identities, with its number on the command line.
pub(crate) struct Numbered {
    pub(crate) number: Option<usize>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) issuers: Vec<Vec<u8>>,
    pub(crate) must_match_issuer: bool,
}

/// Chooses the first identity that fits, and notes what it saw.
pub(crate) struct Chooser {
    pub(crate) identities: Vec<Numbered>,
    pub(crate) refuse: Option<Error>,
    pub(crate) slow: bool,
    pub(crate) seen: Mutex<Seen>,
}

impl Chooser {
    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn matches_issuer(numbered: &Numbered, authorities: &[Vec<u8>]) -> bool {
        !numbered.must_match_issuer || numbered.issuers.iter().any(|i| authorities.contains(i))
    }

    fn pick(&self, hello: &ClientHelloFacts) -> Result<Arc<Identity>> {
        if let Some(error) = &self.refuse {
            return Err(error.clone());
        }
        let fits = |n: &&Numbered| Self::matches_issuer(n, &hello.authorities) && n.identity.fits(hello);
        let all = || self.identities.iter();
        if let Some(chosen) = all().find(fits) {
            self.seen().selected = chosen.number;
            return Ok(chosen.identity.clone());
        }
        if all().next().is_some() && all().all(|n| !Self::matches_issuer(n, &hello.authorities)) {
            return Err(Error::from(PeerError::NoCommonScheme).seen("NoMatchingIssuer"));
        }
        let of_type = |n: &Numbered| hello.certificate_types.contains(&n.identity.certificate_type());
        if all().next().is_some() && !all().any(of_type) {
            return Err(Error::from(PeerError::NoCommonScheme).seen("UnknownCertificateType"));
        }
        // The handshake will say what the first lacks.
        let first = all().find(|n| Self::matches_issuer(n, &hello.authorities));
        first.map(|n| n.identity.clone()).ok_or_else(|| Error::from(PeerError::NoCommonScheme).seen("no identity"))
    }
}

impl Resolver for Chooser {
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<Arc<Identity>>> {
        self.seen().hello = Some(hello.clone());
        answer(self.slow, self.pick(hello))
    }
}

/// The same, for clients.
pub(crate) struct ClientChooser(pub(crate) Arc<Chooser>);

impl ClientIdentity for ClientChooser {
    fn choose<'a>(&'a self, request: &'a CertificateRequestFacts) -> Answer<'a, Result<Option<Arc<Identity>>>> {
        self.0.seen().request = Some(request.clone());
        let chosen = if let Some(error) = &self.0.refuse {
            Err(error.clone())
        } else if self.0.identities.is_empty() {
            Ok(None)
        } else {
            let fits =
                |n: &&Numbered| Chooser::matches_issuer(n, &request.authorities) && n.identity.fits_request(request);
            match self.0.identities.iter().find(fits) {
                Some(chosen) => {
                    self.0.seen().selected = chosen.number;
                    Ok(Some(chosen.identity.clone()))
                }
                None => Err(self.0.nothing_fits(request)),
            }
        };
        answer(self.0.slow, chosen)
    }
}

impl Chooser {
    fn nothing_fits(&self, request: &CertificateRequestFacts) -> Error {
        let issuer = |n: &Numbered| Self::matches_issuer(n, &request.authorities);
        if !self.identities.iter().any(issuer) {
            return Error::from(PeerError::NoCommonScheme).seen("NoMatchingIssuer");
        }
        let wanted = request.certificate_type.unwrap_or(CertificateType::X509);
        if !self.identities.iter().any(|n| issuer(n) && n.identity.certificate_type() == wanted) {
            return Error::from(PeerError::NoCommonScheme).seen("UnknownCertificateType");
        }
        PeerError::NoCommonScheme.into()
    }
}

/// The client's sessions: the last one made, as the runner's shim keeps it.
#[derive(Default)]
pub(crate) struct ShimSessions {
    kept: Mutex<Option<Session>>,
    made: AtomicUsize,
    offered: Mutex<Option<Session>>,
}

impl ShimSessions {
    /// How many were made since the last call, and whether the last allows early data.
    pub(crate) fn made(&self) -> (usize, bool) {
        let early = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        (self.made.swap(0, Ordering::Relaxed), early.as_ref().is_some_and(|s| s.max_early_data() > 0))
    }
}

impl ShimSessions {
    /// The session that the last connection had to offer.
    pub(crate) fn offered(&self) -> Option<Session> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientSessions for ShimSessions {
    fn put(&self, _: &PeerKey, session: Session) {
        self.made.fetch_add(1, Ordering::Relaxed);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
    }

    fn take(&self, _: &PeerKey) -> Option<Session> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&kept);
        kept.clone()
    }
}

/// The server's sessions, counted.
pub(crate) struct ShimStore {
    pub(crate) cache: ServerSessionCache,
    pub(crate) puts: AtomicUsize,
    pub(crate) slow: bool,
}

impl ServerSessions for ShimStore {
    fn put<'a>(&'a self, id: &'a [u8], sealed: &'a [u8], until: SystemTime) -> Answer<'a, Result<()>> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        self.cache.put(id, sealed, until)
    }

    fn get<'a>(&'a self, id: &'a [u8], now: SystemTime) -> Answer<'a, Result<Option<zeroize::Zeroizing<Vec<u8>>>>> {
        match self.cache.get(id, now) {
            Answer::Now(value) => answer(self.slow, value),
            later => later,
        }
    }

    fn claim<'a>(&'a self, id: &'a [u8], now: SystemTime, until: SystemTime) -> Answer<'a, Result<bool>> {
        self.cache.claim(id, now, until)
    }

    fn forget<'a>(&'a self, id: &'a [u8]) -> Answer<'a, ()> {
        self.cache.forget(id)
    }
}
