//! What one validation may cost, whatever a peer sends.

use crate::certificate::Certificate;

/// Certificates of a plain chain: what is kept of so many needs no heap.
pub(crate) const PLAIN: usize = 4;
/// Certificates taken from a peer; what stands beyond is not looked at.
pub(super) const MAX_PRESENTED: usize = 128;
/// Signatures checked for one chain, those of revocation lists and OCSP responses included. A good chain needs its length; the slowest
/// kind (RSA 8192, P-521) takes about 0.4 ms.
const MAX_SIGNATURES: u32 = 64;
/// Certificates considered as issuers for one chain, those of another name included: 64 times all that can be presented.
const MAX_STEPS: usize = 8192;
/// Paths that reached a root and were checked whole. They may come to eight times what was presented, and to as much again
/// as plain chains have; so the work is linear in what a peer sends.
const MAX_PATHS: u32 = 64;
const PATH_BYTES: usize = 1 << 16;
/// Certificates between the leaf and a root.
pub(super) const MAX_INTERMEDIATES: usize = 32;
/// Paths told in a rejection.
pub(super) const MAX_TOLD: usize = 16;

/// What is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    signatures: u32,
    steps: usize,
    paths: u32,
    path_bytes: usize,
    pub(super) names: Allowance,
}

impl Budget {
    /// For those that were presented.
    pub(super) fn of(certificates: &[(usize, Certificate<'_>)]) -> Self {
        let presented: usize = certificates.iter().map(|(_, c)| c.der().len()).sum();
        Self {
            signatures: MAX_SIGNATURES,
            steps: MAX_STEPS,
            paths: MAX_PATHS,
            path_bytes: presented.saturating_mul(8).saturating_add(PATH_BYTES),
            names: Allowance::WHOLE,
        }
    }

    /// Takes what one signature costs; false where nothing is left for it.
    pub(super) fn signature(&mut self) -> bool {
        let left = self.signatures.checked_sub(1);
        self.signatures = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether no signature is left.
    pub(super) fn has_no_signatures(&self) -> bool {
        self.signatures == 0
    }

    /// Takes what it costs to consider so many certificates as issuers.
    pub(super) fn candidates(&mut self, certificates: usize) {
        self.steps = self.steps.saturating_sub(certificates);
    }

    /// Takes what it costs to check a whole path of so many bytes.
    pub(super) fn path(&mut self, bytes: usize) {
        self.paths = self.paths.saturating_sub(1);
        self.path_bytes = self.path_bytes.saturating_sub(bytes);
    }

    /// Whether something is spent that a search needs.
    pub(super) fn is_spent(&self) -> bool {
        let Self { signatures, steps, paths, path_bytes, names: _ } = *self;
        signatures == 0 || steps == 0 || paths == 0 || path_bytes == 0
    }
}

/// What name constraints may cost in one validation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// Comparisons of a name with a constraint: the product of crafted lists is quadratic. Long ones count for several.
    comparisons: u64,
    /// Names and constraints made ready for them, anew for each path. Long ones count for several.
    names: u64,
}

impl Allowance {
    pub(super) const WHOLE: Self = Self { comparisons: 1 << 20, names: 1 << 14 };

    /// Takes what so many cost; false, and nothing taken, where not so much is left.
    pub(super) fn spend(&mut self, comparisons: u64, names: u64) -> bool {
        match (self.comparisons.checked_sub(comparisons), self.names.checked_sub(names)) {
            (Some(comparisons), Some(names)) => {
                *self = Self { comparisons, names };
                true
            }
            _ => false,
        }
    }
}
