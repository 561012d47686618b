//! Who the peer has shown itself to be.

use core::fmt;
use rustls_pki_types::CertificateDer;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What a peer has shown of itself. What many connections of a configuration have in common is kept once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerIdentity {
    /// The certificates, the peer's own first; or one raw public key (a SubjectPublicKeyInfo, RFC 7250).
    pub chain: Vec<CertificateDer<'static>>,
    /// The stapled OCSP response, DER.
    pub ocsp: Option<Vec<u8>>,
    /// The certificate timestamps that came with the peer's certificate (RFC 6962 3.3).
    pub timestamps: Option<Vec<u8>>,
}

/// How many are remembered: a client speaks to few servers at a time.
const MOST: usize = 16;

/// The peers that connections of a configuration have met of late, for as long as one of them is there.
#[derive(Default)]
pub(crate) struct RecentPeers(Mutex<VecDeque<Weak<PeerIdentity>>>);

impl RecentPeers {
    /// The identity, or the equal one that another connection holds; none of a peer without certificates.
    pub(crate) fn share(&self, identity: PeerIdentity) -> Option<Arc<PeerIdentity>> {
        (!identity.chain.is_empty()).then(|| self.shared(identity))
    }

    fn shared(&self, identity: PeerIdentity) -> Arc<PeerIdentity> {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = recent.iter().filter_map(Weak::upgrade).find(|other| **other == identity) {
            return same;
        }
        recent.retain(|other| other.strong_count() > 0);
        if recent.len() == MOST {
            recent.pop_front();
        }
        let identity = Arc::new(identity);
        recent.push_back(Arc::downgrade(&identity));
        identity
    }
}

impl fmt::Debug for RecentPeers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecentPeers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_identities_are_one_and_nothing_is_kept_beyond_its_use() {
        let recent = RecentPeers::default();
        let peer = |n: usize| PeerIdentity { chain: vec![n.to_be_bytes().to_vec().into()], ..PeerIdentity::default() };
        let (a, b) = (recent.share(peer(1)).unwrap(), recent.share(peer(1)).unwrap());
        assert!(Arc::ptr_eq(&a, &b));
        let stapled = recent.share(PeerIdentity { ocsp: Some(vec![1]), ..peer(1) }).unwrap();
        assert!(!Arc::ptr_eq(&a, &stapled), "another staple is another identity");
        let held: Vec<_> = (0..3 * MOST).map(|n| recent.share(peer(n)).unwrap()).collect();
        assert_eq!(recent.0.lock().unwrap().len(), MOST);
        assert!(Arc::ptr_eq(&held[3 * MOST - 1], &recent.share(peer(3 * MOST - 1)).unwrap()));
        drop((a, b, stapled, held));
        let alone = recent.share(peer(0)).unwrap();
        assert_eq!((recent.0.lock().unwrap().len(), Arc::strong_count(&alone)), (1, 1));
        assert!(recent.share(PeerIdentity::default()).is_none());
    }
}
