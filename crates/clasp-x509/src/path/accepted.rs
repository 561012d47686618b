//! A chain that was accepted.

use super::budget::PLAIN;
use crate::certificate::Certificate;
use crate::name::Name;
use crate::revocation::Standing;
use smallvec::SmallVec;
use std::sync::Arc;

/// What was found of revocation: most ask for the leaf alone.
pub(crate) type Standings = SmallVec<[Standing; 1]>;

/// A chain that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    leaf: Certificate<'a>,
    path: SmallVec<[usize; PLAIN]>,
    root: Arc<[u8]>,
    until: i64,
    standings: Standings,
}

impl<'a> Accepted<'a> {
    pub(super) fn new(
        leaf: Certificate<'a>,
        path: SmallVec<[usize; PLAIN]>,
        root: Arc<[u8]>,
        until: i64,
        standings: Standings,
    ) -> Self {
        Self { leaf, path, root, until, standings }
    }

    /// What was accepted before.
    pub(crate) fn again(
        chain: &[&'a [u8]],
        path: &[usize],
        root: Arc<[u8]>,
        until: i64,
        standings: Standings,
    ) -> Option<Self> {
        Some(Self { leaf: Certificate::parse(chain.first()?).ok()?, path: path.into(), root, until, standings })
    }

    /// The peer's own certificate.
    pub fn leaf(&self) -> &Certificate<'a> {
        &self.leaf
    }

    /// The certificates of the path, by their places among those presented; the leaf, 0, stands first.
    pub fn path(&self) -> &[usize] {
        &self.path
    }

    pub(crate) fn shared_root(&self) -> Arc<[u8]> {
        self.root.clone()
    }

    /// The name of the trusted root that the path ends in, for people.
    pub fn root(&self) -> String {
        Name(&self.root).to_string()
    }

    /// The last second for which the verdict holds: the earliest end of the certificates in the path, and the earliest
    /// change of what there is to say about revocation: an answer, or the certificate of one who may have signed it,
    /// begins to count or ends.
    pub fn until(&self) -> i64 {
        self.until
    }

    /// What was found of revocation, for the certificates of [`path`](Self::path) in that order: of the leaf alone with
    /// [`Scope::Leaf`](crate::Scope::Leaf), and of none where nobody asked. Where [`Check::Prefer`](crate::Check::Prefer)
    /// accepts a certificate whose status could not be told, this says so, and why.
    pub fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Whether every certificate whose revocation was asked for is known to be good; `None` where nobody asked.
    pub fn revocation_settled(&self) -> Option<bool> {
        (!self.standings.is_empty()).then(|| self.standings.iter().all(|standing| *standing == Standing::Good))
    }
}
