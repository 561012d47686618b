//! Issuers that a peer should have sent, and has not.

use super::{PresentedIdentity, Verified, Verifier, WebPki};
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::error::{Cause, CertificateError, Error, Result};
use clasp_x509::{Certificate, Name};
use core::fmt;
use rustls_pki_types::CertificateDer;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Gets what stands at an address: `http://` and nothing else.
///
/// Whoever implements it bounds how much it takes and how long, and follows no redirect to another scheme; `clasp-hyper` has one
/// that does. The address is a stranger's: it may be one of the own network.
pub trait FetchIssuer: Send + Sync {
    /// Gets it: a certificate in DER (RFC 5280 4.2.2.1).
    fn fetch<'a>(&'a self, address: &'a str) -> Answer<'a, io::Result<Vec<u8>>>;
}

/// Issuers that are fetched for one chain.
const MOST: usize = 3;
/// An issuer is a certificate, and no more.
const MOST_BYTES: usize = 64 << 10;
/// An address, in bytes.
const LONGEST_ADDRESS: usize = 1024;
/// Issuers that are remembered: a client meets few that forget to send them.
const REMEMBERED: usize = 64;

/// Checks chains as [`WebPki`] does, and fetches issuers that a peer has not sent, from where its certificates say that they are
/// (caIssuers, RFC 5280 4.2.2.1), as browsers do. For peers that cannot be mended.
///
/// What is fetched proves nothing: it is checked as if the peer had sent it. At most three certificates are fetched for a
/// chain, by plain HTTP as their addresses say. Those of a chain that was taken are remembered until they end. The fetching counts as one answer of a party
/// outside (10 seconds, unless [`TimeLimits`](crate::TimeLimits) say otherwise).
///
/// It has a price. A peer that is not known yet chooses what is asked of whom, perhaps within the own network; whoever listens
/// there, or on the way, sees that it happens; a connection hangs on another server. So it has to be asked for, and is rather for clients
/// than for servers.
///
/// ```no_run
/// # use clasp::config::{FetchIssuer, MissingIssuers};
/// # fn config(fetch: impl FetchIssuer + 'static) -> Result<(), Box<dyn std::error::Error>> {
/// use clasp::{ClientConfig, Roots};
/// let chains = MissingIssuers::new(Roots::native()?, fetch);
/// let config = ClientConfig::builder().trust_fetching(chains).build()?;
/// # drop(config); Ok(()) }
/// ```
pub struct MissingIssuers {
    chains: WebPki,
    fetch: Arc<dyn FetchIssuer>,
    most: usize,
    known: Mutex<VecDeque<Known>>,
}

/// What stood at an address.
#[derive(Clone)]
struct Known {
    address: String,
    issuer: Arc<Vec<u8>>,
}

impl MissingIssuers {
    /// Checks with these roots (or a [`WebPki`]), and gets what is missing by `fetch`.
    pub fn new(chains: impl Into<WebPki>, fetch: impl FetchIssuer + 'static) -> Self {
        Self { chains: chains.into(), fetch: Arc::new(fetch), most: MOST, known: Mutex::default() }
    }

    /// Fetches up to this many issuers for a chain, instead of three.
    #[must_use]
    pub fn most(self, issuers: usize) -> Self {
        Self { most: issuers, ..self }
    }

    /// The verdict on the chain with all that can be got besides. `refused` is the verdict without.
    async fn complete(&self, peer: PresentedIdentity<'_>, refused: Error) -> Result<Verified> {
        let mut used = Vec::new();
        let verdict = self.with_issuers(peer, refused, &mut used).await;
        // Plain HTTP says what anybody on the way likes: only what has proven itself in a chain is kept, and nothing that has
        // failed, lest one answer hold for years.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for used in used {
            known.retain(|known| known.address != used.address);
            if verdict.is_ok() {
                if known.len() >= REMEMBERED {
                    known.pop_front();
                }
                known.push_back(used);
            }
        }
        verdict
    }

    /// The same; what was got, or remembered, is put into `used`.
    async fn with_issuers(
        &self,
        peer: PresentedIdentity<'_>,
        mut refused: Error,
        used: &mut Vec<Known>,
    ) -> Result<Verified> {
        let Some((first, rest)) = peer.chain.split_first() else { return Err(refused) };
        let mut rest = Rest::of(rest);
        let mut last = rest.top_above(first).to_vec();
        while lacks_an_issuer(&refused) && used.len() < self.most {
            let Ok(top) = Certificate::parse(&last) else { break };
            let issuer = match self.issuer_of(&top, peer.now).await {
                Ok(Some(issuer)) => issuer,
                Ok(None) => break,
                Err(failed) => return Err(refused.because(failed)),
            };
            last = rest.top_above(&issuer.issuer).to_vec();
            used.push(issuer);
            let shown = peer.chain.iter().map(AsRef::as_ref);
            let chain: Vec<_> = shown.chain(used.iter().map(|u| &u.issuer[..])).map(CertificateDer::from).collect();
            let verdict = match self.chains.verify(PresentedIdentity { chain: &chain, ..peer }) {
                Answer::Now(verdict) => verdict,
                Answer::Later(verdict) => verdict.await,
            };
            match verdict {
                Ok(verified) => return Ok(verified),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// The issuer of a certificate, from the first of its addresses that is one of HTTP; none if there is none.
    async fn issuer_of(&self, certificate: &Certificate<'_>, now: SystemTime) -> Result<Option<Known>, NotFetched> {
        let Some(address) = certificate.issuer_addresses().find_map(plain_http) else { return Ok(None) };
        let failed = |why: String| NotFetched { address: address.to_owned(), why };
        if let Some(known) = self.known(address, certificate, now) {
            return Ok(Some(known));
        }
        let fetched = match self.fetch.fetch(address) {
            Answer::Now(fetched) => fetched,
            Answer::Later(fetched) => fetched.await,
        };
        let fetched = fetched.map_err(|error| failed(error.to_string()))?;
        if fetched.len() > MOST_BYTES {
            return Err(failed(format!("{} bytes, more than a certificate may have", fetched.len())));
        }
        let issuer = Certificate::parse(&fetched).map_err(|e| failed(format!("no certificate in DER: {e}")))?;
        if !is_named(&issuer, certificate) {
            return Err(failed(format!("a certificate of {}, and not of {}", issuer.subject(), certificate.issuer())));
        }
        Ok(Some(Known { address: address.to_owned(), issuer: Arc::new(fetched) }))
    }

    fn known(&self, address: &str, certificate: &Certificate<'_>, now: SystemTime) -> Option<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may stand there by now.
        known.retain(|known| !has_ended(&known.issuer, now));
        let there = known.iter().find(|known| known.address == address)?;
        Certificate::parse(&there.issuer).is_ok_and(|issuer| is_named(&issuer, certificate)).then(|| there.clone())
    }
}

/// Whether that is why a chain was refused.
fn lacks_an_issuer(refused: &Error) -> bool {
    refused.cause() == &Cause::Certificate(CertificateError::UnknownIssuer)
}

/// Whether it has the name of the issuer.
fn is_named(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    Name(issuer.subject_der()).is_same(Name(certificate.issuer_der()))
}

/// What a peer has sent besides its own certificate, by subject: each name is prepared once, however many there are.
struct Rest<'a>(HashMap<Vec<u8>, Vec<&'a [u8]>>);

impl<'a> Rest<'a> {
    fn of(chain: &'a [CertificateDer<'_>]) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for der in chain.iter().rev() {
            if let Ok(certificate) = Certificate::parse(der) {
                all.entry(Name(certificate.subject_der()).canonical()).or_default().push(der.as_ref());
            }
        }
        Self(all)
    }

    /// Where the chain of a certificate ends. Each of the others is taken once, so that no circle is gone round for ever.
    fn top_above<'c>(&mut self, certificate: &'c [u8]) -> &'c [u8]
    where
        'a: 'c,
    {
        let mut last = certificate;
        while let Some(above) = self.issuer_of(last) {
            last = above;
        }
        last
    }

    fn issuer_of(&mut self, certificate: &[u8]) -> Option<&'a [u8]> {
        let certificate = Certificate::parse(certificate).ok()?;
        self.0.get_mut(&Name(certificate.issuer_der()).canonical())?.pop()
    }
}

fn plain_http(address: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(address).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))?;
    let is_http = text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"));
    (is_http && text.len() <= LONGEST_ADDRESS).then_some(text)
}

fn has_ended(issuer: &[u8], now: SystemTime) -> bool {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    Certificate::parse(issuer).is_ok_and(|issuer| issuer.not_after() < now)
}

/// Why an issuer could not be had.
#[derive(Debug)]
struct NotFetched {
    address: String,
    why: String,
}

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its issuer cannot be had from {}: {}", self.address, self.why)
    }
}

impl core::error::Error for NotFetched {}

impl Verifier for MissingIssuers {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        match self.chains.verify(peer) {
            Answer::Now(Err(refused)) if lacks_an_issuer(&refused) => {
                Answer::Later(Box::pin(self.complete(peer, refused)))
            }
            verdict => verdict,
        }
    }

    fn takes(&self, kind: CertificateType) -> bool {
        self.chains.takes(kind)
    }

    fn is_quick(&self) -> bool {
        self.chains.is_quick()
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.chains.authorities()
    }

    /// Where an issuer came from decides nothing.
    fn session_context(&self) -> Option<Vec<u8>> {
        self.chains.session_context()
    }
}

impl fmt::Debug for MissingIssuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MissingIssuers").field("chains", &self.chains).field("most", &self.most).finish_non_exhaustive()
    }
}
