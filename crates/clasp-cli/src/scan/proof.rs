//! Handshakes that are held to see a server prove that it has the key of the chain it shows: for each version and kind of key one.
//! A chain alone is anybody's to show.

use super::answer::Bytes;
use super::chain::Shown;
use super::report::Handshake;
use super::talk::{Talk, builder, config, wants_certificate, words};
use clasp::code::{HandshakeType, ProtocolVersion};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::{Policy, SignatureScheme};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Kinds of keys, and what the names of their schemes begin with.
const KINDS: [(&str, &str); 4] = [("RSA", "rsa_"), ("ECDSA", "ecdsa_"), ("Ed25519", "ed25519"), ("ML-DSA", "mldsa")];

/// What a handshake came to.
pub(crate) struct Attempt {
    version: ProtocolVersion,
    /// By which kind of key it was asked for.
    pub(crate) kind: &'static str,
    /// As far as it was shown.
    pub(crate) shown: Shown,
    /// Whether the server has proven to have the key of what it has shown.
    pub(crate) is_proven: bool,
    /// Why the handshake failed, if it did.
    pub(crate) words: String,
    /// The server said no before it showed anything: it has no such key, or wants nothing of what we offer.
    is_refused: bool,
    /// The server had not said enough when the time was over.
    pub(crate) is_silent: bool,
}

/// What goes over the wire.
#[derive(Default)]
struct Witness(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    certificate: Vec<u8>,
    status: Vec<u8>,
    key_exchange: bool,
    answered: bool,
}

impl Observer for Witness {
    fn observe(&self, observation: &Observation<'_>) {
        let What::Message { direction, kind, bytes, .. } = observation.what else { return };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (direction, kind) {
            (Direction::Received, HandshakeType::Certificate) => seen.certificate = bytes.to_vec(),
            (Direction::Received, HandshakeType::CertificateStatus) => seen.status = bytes.to_vec(),
            (Direction::Received, HandshakeType::ServerKeyExchange) => seen.key_exchange = true,
            (Direction::Sent, HandshakeType::ClientKeyExchange) => seen.answered = true,
            _ => {}
        }
    }
}

impl Seen {
    /// What came before the handshake failed.
    fn shown(&self, version: ProtocolVersion) -> Shown {
        let chain = chain(&self.certificate, version).unwrap_or_default();
        // RFC 6066 8: one byte of kind, and a length of three.
        let staple = Bytes(self.status.get(5..).unwrap_or_default()).listed(3).map(<[u8]>::to_vec);
        Shown { chain: chain.into_iter().map(Into::into).collect(), staple, timestamps: 0 }
    }

    /// TLS 1.2 with a server that wants a certificate of us, where none is sent: by then its key exchange, which is signed over what
    /// both have said, has been checked, or we would not have answered it (RFC 5246 7.4.3). RSA key transport has none: only the
    /// server's Finished proves the key there, and it never comes.
    fn is_proven(&self, error: &io::Error) -> bool {
        self.key_exchange && self.answered && wants_certificate(error)
    }
}

fn chain(message: &[u8], version: ProtocolVersion) -> Option<Vec<Vec<u8>>> {
    let mut body = Bytes(message.get(4..)?);
    let is_tls13 = version == ProtocolVersion::Tls13;
    if is_tls13 {
        body.listed(1)?;
    }
    let mut list = Bytes(body.listed(3)?);
    let mut chain = Vec::new();
    while !list.0.is_empty() {
        chain.push(list.listed(3)?.to_vec());
        if is_tls13 {
            list.listed(2)?;
        }
    }
    Some(chain)
}

/// For each kind of key that these versions can have, one after the other.
pub(crate) async fn attempts(talk: &Talk<'_>, versions: &[ProtocolVersion]) -> Vec<Attempt> {
    let mut all = Vec::new();
    for version in versions {
        for (kind, word) in KINDS {
            all.extend(attempt(talk, *version, kind, word).await);
        }
    }
    all
}

/// None where Clasp has no such key in this version.
async fn attempt(talk: &Talk<'_>, version: ProtocolVersion, kind: &'static str, word: &str) -> Option<Attempt> {
    let policy = Policy::legacy().with_versions([version]);
    let mut schemes: Vec<SignatureScheme> = policy.schemes().to_vec();
    schemes.retain(|scheme| scheme.name().starts_with(word));
    if schemes.is_empty() {
        return None;
    }
    let witness = Arc::new(Witness::default());
    let settings = builder(policy.with_schemes(schemes)).no_sessions().observer(witness.clone());
    let made = talk.connect(config(settings).ok()?).await;
    let seen = witness.0.lock().unwrap_or_else(PoisonError::into_inner);
    Some(match made {
        Ok(made) => {
            let shown = Shown::from(&**made.facts());
            let words = String::new();
            Attempt { version, kind, shown, is_proven: true, words, is_refused: false, is_silent: false }
        }
        Err(error) => {
            let (shown, is_proven) = (seen.shown(version), seen.is_proven(&error));
            let is_refused =
                shown.chain.is_empty() && clasp::Error::from_io(&error).is_some_and(|e| e.peer_alert().is_some());
            let is_silent = error.kind() == io::ErrorKind::TimedOut;
            Attempt { version, kind, shown, is_proven, words: words(&error), is_refused, is_silent }
        }
    })
}

/// The attempts that have shown something else than those before, the proven ones first: what is proven once needs no second proof.
pub(crate) fn chains(attempts: &[Attempt]) -> Vec<&Attempt> {
    let mut found: Vec<&Attempt> = Vec::new();
    let (proven, others): (Vec<&Attempt>, Vec<&Attempt>) = attempts.iter().partition(|attempt| attempt.is_proven);
    for attempt in proven.into_iter().chain(others) {
        let known = found.iter().any(|other| other.shown.chain == attempt.shown.chain);
        if !known && !attempt.shown.chain.is_empty() {
            found.push(attempt);
        }
    }
    found
}

/// What each version comes to.
pub(crate) fn handshakes(attempts: &[Attempt], versions: &[ProtocolVersion]) -> Vec<Handshake> {
    let of_version = |version: &ProtocolVersion| {
        let version = *version;
        attempts.iter().filter(move |attempt| attempt.version == version)
    };
    let of = |version: &ProtocolVersion| {
        let mut own = of_version(version);
        let completes = own.clone().any(|attempt| attempt.is_proven);
        // Whoever shows a chain says more of why it fails than who says nothing, and both more than whoever has none of this kind.
        let shows = own.clone().find(|attempt| !attempt.shown.chain.is_empty());
        let failed = shows.or_else(|| own.clone().find(|attempt| !attempt.is_refused)).or_else(|| own.next());
        let words = if completes { String::new() } else { failed.map_or_else(String::new, |a| a.words.clone()) };
        let is_refused = of_version(version).all(|attempt| attempt.is_refused);
        Handshake { version: version.name(), completes, words, is_refused }
    };
    versions.iter().map(of).collect()
}

/// Whether this version's handshakes begin, and end in silence: each further one would cost as long a wait.
pub(crate) fn stalls(attempts: &[Attempt], version: ProtocolVersion) -> bool {
    let mut own = attempts.iter().filter(|attempt| attempt.version == version);
    own.clone().all(|attempt| !attempt.is_proven) && own.any(|attempt| attempt.is_silent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(version: ProtocolVersion, chain: &[u8], is_proven: bool, words: &str) -> Attempt {
        let chain = [chain].into_iter().filter(|der| !der.is_empty()).map(|der| der.to_vec().into()).collect();
        let shown = Shown { chain, staple: None, timestamps: 0 };
        Attempt { version, kind: "RSA", shown, is_proven, words: words.into(), is_refused: false, is_silent: false }
    }

    #[test]
    fn what_is_proven_once_is_proven_and_what_never_is_stays_beside_it() {
        let (tls13, tls12) = (ProtocolVersion::Tls13, ProtocolVersion::Tls12);
        let all = [
            attempt(tls13, b"one", false, "later proven"),
            attempt(tls13, b"other", false, "never"),
            attempt(tls13, b"", false, "none of this kind"),
            attempt(tls12, b"one", true, ""),
        ];
        let found: Vec<_> = chains(&all).iter().map(|a| (&a.shown.chain[0][..], a.is_proven)).collect();
        assert_eq!(found, [(&b"one"[..], true), (b"other", false)]);
        let versions = handshakes(&all, &[tls13, tls12]);
        assert_eq!((versions[0].completes, &*versions[0].words), (false, "later proven"));
        assert!(versions[1].completes);
    }

    #[test]
    fn chains_of_both_versions_are_read() {
        let old = [&[11, 0, 0, 8, 0, 0, 5, 0, 0, 2][..], b"ab"].concat();
        assert_eq!(chain(&old, ProtocolVersion::Tls12), Some(vec![b"ab".to_vec()]));
        let new = [&[11, 0, 0, 11, 0, 0, 0, 7, 0, 0, 2][..], b"ab", &[0, 0]].concat();
        assert_eq!(chain(&new, ProtocolVersion::Tls13), Some(vec![b"ab".to_vec()]));
        assert_eq!(chain(&new[..9], ProtocolVersion::Tls13), None);
    }

    /// A request for our certificate proves nothing by itself: in TLS 1.3 it comes first, and key transport signs nothing.
    #[test]
    fn a_key_is_proven_by_what_was_checked() {
        let refused = io::Error::other("the handshake was cut");
        for (key_exchange, answered) in [(false, true), (true, false), (true, true)] {
            let seen = Seen { key_exchange, answered, ..Seen::default() };
            assert!(!seen.is_proven(&refused), "not by an end without a word");
        }
    }
}
