//! Path building and checking: RFC 5280 6.1.

mod check;
mod names;
mod search;
mod status;
mod validate;

use crate::certificate::Certificate;
use crate::certificate::outline::Unreadable;
use crate::certificate::usage::KeyUsage;
use crate::form::Role;
use crate::name::general::SubjectAltName;
use crate::name::server;
use crate::oid;
use crate::policy::PolicyInputs;
use crate::profile::{Profile, Rules};
use crate::reason::{Fault, Finding, Place, Reason, Rejection, Value};
use crate::revocation::{Revocation, Standing};
use crate::roots::Roots;
use rustls_pki_types::{ServerName, UnixTime};
use search::Search;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// What a certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Usage {
    /// To be a TLS server (id-kp-serverAuth).
    Server,
    /// To be a TLS client (id-kp-clientAuth).
    Client,
    /// Nothing in particular: extKeyUsage is not looked at.
    Any,
}

impl Usage {
    /// The purpose wanted in extKeyUsage.
    pub(crate) const fn purpose(self) -> Option<&'static [u8]> {
        match self {
            Self::Server => Some(oid::SERVER_AUTH),
            Self::Client => Some(oid::CLIENT_AUTH),
            Self::Any => None,
        }
    }
}

/// What to check a chain against.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options<'a> {
    /// The time to check for.
    pub time: UnixTime,
    /// The use to check for.
    pub usage: Usage,
    /// The name the peer must have; none for clients.
    pub name: Option<&'a ServerName<'a>>,
    /// The mailbox the peer must have.
    pub mailbox: Option<&'a str>,
    /// How strict to be.
    pub profile: Profile,
    /// Whether a common name stands in for missing subjectAltNames; by default the profile decides.
    pub common_name: Option<bool>,
    /// What the peer's key must be for, besides.
    pub key_usage: Option<KeyUsage>,
    /// How many certificates, those that issue to themselves not counted, may stand between the leaf and a root.
    pub max_intermediates: Option<u32>,
    /// What is asked of certificate policies.
    pub policies: PolicyInputs<'a>,
    /// What is known of revocation, and what is asked of it.
    pub revocation: Revocation<'a>,
    /// Whether the caller goes on to check a signature with the leaf's key, as TLS does. That finds out a key of a curve that
    /// is no point of it; otherwise this is looked at here.
    pub proof_follows: bool,
}

impl<'a> Options<'a> {
    /// For this time and use, with the strictest profile, and nothing asked of names, policies or revocation.
    pub fn new(time: UnixTime, usage: Usage) -> Self {
        Self {
            time,
            usage,
            name: None,
            mailbox: None,
            profile: Profile::default(),
            common_name: None,
            key_usage: None,
            max_intermediates: None,
            policies: PolicyInputs::default(),
            revocation: Revocation::default(),
            proof_follows: false,
        }
    }

    /// Demands a name.
    #[must_use]
    pub fn name(self, name: &'a ServerName<'a>) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Is as strict as this.
    #[must_use]
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Looks at revocation.
    #[must_use]
    pub fn revocation(self, revocation: Revocation<'a>) -> Self {
        Self { revocation, ..self }
    }

    pub(crate) fn rules(&self) -> &'static Rules {
        Rules::of(self.profile)
    }

    pub(crate) fn now(&self) -> i64 {
        i64::try_from(self.time.as_secs()).unwrap_or(i64::MAX)
    }

    pub(crate) fn common_name(&self) -> bool {
        self.common_name.unwrap_or(self.rules().common_name)
    }
}

/// Certificates of a plain chain: what is kept of so many needs no heap.
pub(crate) const PLAIN: usize = 4;
/// Certificates taken from a peer; what stands beyond is not looked at.
const MAX_PRESENTED: usize = 128;

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

    /// The name of the trusted root that the path ends in, DER.
    pub fn root_der(&self) -> &[u8] {
        &self.root
    }

    pub(crate) fn shared_root(&self) -> Arc<[u8]> {
        self.root.clone()
    }

    /// The name of the trusted root that the path ends in, for people.
    pub fn root(&self) -> String {
        crate::name::Name(&self.root).to_string()
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

/// Finds a path from `chain[0]` to a root and checks it. The other certificates may come in any order, be too many, or
/// be wrong: one good path is enough.
///
/// # Errors
/// Every path tried, and what was wrong with it.
pub fn verify<'a>(chain: &[&'a [u8]], roots: &Roots, options: &Options<'_>) -> Result<Accepted<'a>, Box<Rejection>> {
    let mut parsed: SmallVec<[_; PLAIN]> = SmallVec::new();
    let mut strays = Vec::new();
    for (index, der) in chain.iter().take(MAX_PRESENTED).enumerate() {
        match Certificate::parse(der) {
            Ok(certificate) => parsed.push((index, certificate)),
            // Only the leaf must be readable: a stray certificate does not spoil a good chain.
            Err(_) if index == 0 => return Err(Rejection::single(unreadable(index, der))),
            Err(_) => strays.push((index, *der)),
        }
    }
    let Some((_, leaf)) = parsed.first() else {
        return Err(Rejection::single(unreadable(0, &[])));
    };
    let leaf = *leaf;
    let presented = names::Names::new(&parsed);
    let mut search = Search::new(roots, &parsed, &presented, options);
    search.beyond = chain.len() > MAX_PRESENTED;
    if roots.pins(&leaf, options.usage) {
        let checked = check::pinned(&leaf, options).and_then(|()| search.pinned()).and_then(|()| names(&leaf, options));
        return match checked {
            Ok(()) => {
                let (path, until) = (smallvec![0], leaf.not_after().min(search.until));
                let standings = core::mem::take(&mut search.standings);
                Ok(Accepted { leaf, path, root: leaf.subject_der().into(), until, standings })
            }
            Err(fault) => {
                search.fail(&fault, 0, None);
                Err(search.rejection(core::iter::empty()))
            }
        };
    }
    let found = match check::alone(&leaf, Role::Leaf(options.usage), options) {
        Ok(()) => search.run(),
        Err(fault) => {
            search.fail(&fault, 0, None);
            None
        }
    };
    let Some(found) = found else {
        let strays = strays.into_iter().map(|(index, der)| unreadable(index, der));
        return Err(search.rejection(strays));
    };
    if let Err(fault) = names(&leaf, options) {
        return Err(Rejection::single(Finding::new(&fault, Place::Presented(0), leaf.subject_der())));
    }
    let until = found.until;
    let root = found.anchor.name.clone();
    let path = found.path.iter().filter_map(|i| parsed.get(*i).map(|(index, _)| *index)).collect();
    Ok(Accepted { leaf, path, root, until, standings: found.standings })
}

fn names<'a>(leaf: &Certificate<'a>, options: &Options<'a>) -> Result<(), Fault<'a>> {
    if let Some(wanted) = options.name
        && !server::matches(leaf, wanted, options.common_name())
    {
        let found = Value::Names(leaf.der());
        return Err(Fault::new(Reason::NameMismatch, "RFC 9525 6", found, Value::Server(wanted)));
    }
    if let Some(wanted) = options.mailbox {
        let same = |found: &[u8]| {
            let (a, b) =
                (crate::name::general::split_mailbox(found), crate::name::general::split_mailbox(wanted.as_bytes()));
            a.zip(b).is_some_and(|((l1, h1), (l2, h2))| l1 == l2 && h1.eq_ignore_ascii_case(h2))
        };
        if !leaf.alt_names().any(|name| matches!(name, SubjectAltName::Email(found) if same(found))) {
            let (found, wanted) = (Value::Text("no such mailbox"), Value::Bytes("mailbox", wanted.as_bytes()));
            return Err(Fault::new(Reason::NameMismatch, "RFC 8550 3", found, wanted));
        }
    }
    Ok(())
}

/// A certificate that cannot be read, and what of it can.
fn unreadable(index: usize, der: &[u8]) -> Finding {
    let what = Unreadable::of(der);
    let (field, offset) = what.as_ref().map_or(("certificate", 0), |what| (what.field, what.offset));
    Finding {
        reason: Reason::BadEncoding,
        place: Place::Presented(index),
        subject: what.and_then(|what| what.subject).unwrap_or_else(|| "unreadable".into()),
        rule: "RFC 5280 4.1",
        found: format!("what cannot be read: {field}, at byte {offset}"),
        wanted: "a well-formed certificate".into(),
    }
}
