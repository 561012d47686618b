//! Trusted roots, indexed by name.

use crate::certificate::Certificate;
use crate::certificate::name_constraints::NameConstraints;
use crate::certificate::usage::{KeyUsage, Usage};
use crate::der::{Der, DerError, SEQUENCE, element};
use crate::name::{self, compare};
use crate::parse_error::ParseError;
use crate::pem::{self, PemError, Uses};
use crate::profile::Profile;
use crate::signature::{Key, Ready};
use crate::spki::Spki;
use aws_lc_rs::digest::{Context, SHA256};
use core::fmt;
use rustls_pki_types::TrustAnchor;
use std::collections::HashMap;
use std::sync::Arc;

/// The certificate authorities that are trusted. Looking one up costs the same for 150 as for one.
///
/// Each has the [`Profile`] that chains to it are held to, where whoever verifies leaves that to the roots
/// ([`Options::by_roots`](crate::Options::by_roots)): what the caller adds by hand is his own authority, held to
/// [`Profile::Rfc5280`]; the stores of the system and of the web are the web's, held to [`Profile::WebPki`]. One list may have
/// both.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    anchors: Vec<Anchor>,
    /// Anchors of one name, in whatever form it is written.
    groups: Vec<Vec<usize>>,
    /// Every form of a name that stands in a root, to its group.
    exact: HashMap<Vec<u8>, usize>,
    /// The hash that all forms of a name have, to the groups with it.
    hashed: HashMap<u64, Vec<usize>>,
    /// A hash of all that was added, in its order: two stores with the same one trust the same.
    digest: [u8; 32],
    /// A hash of each.
    digests: Vec<[u8; 32]>,
}

/// RFC 5280 6.1.1 (d): a name and a key, and where there are, constraints or the certificate they came from.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    /// Shared with the verdicts that end in it.
    pub(crate) name: Arc<[u8]>,
    pub(crate) spki: Vec<u8>,
    ready: Arc<Ready>,
    certificate: Option<Vec<u8>>,
    constraints: Option<Vec<u8>>,
    pub(crate) may: May,
    /// What chains to it are held to.
    profile: Profile,
}

/// What the key of an anchor may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct May {
    pub(crate) issue: bool,
    pub(crate) sign_lists: bool,
    uses: Uses,
}

impl May {
    /// Of an anchor that is a name and a key.
    const ALL: Self = Self { issue: true, sign_lists: true, uses: Uses::ALL };

    /// Whether its file lets it be trusted for this.
    pub(crate) fn be_for(self, usage: Usage) -> bool {
        match usage {
            Usage::Server => self.uses.server,
            Usage::Client => self.uses.client,
            Usage::Any => self.uses.server || self.uses.client,
        }
    }

    /// RFC 5280 6.1.4 (k), (n), and 6.3.3 (f). To be among the roots makes an authority of no certificate that says it is
    /// none, or that does not say it is one: it stands for itself alone. keyCertSign says it as well, as OpenSSL has it.
    /// Before version 3 there was no way to say so, and whoever trusts a self-issued one has to know.
    fn of(root: &Certificate<'_>) -> Self {
        let usage = root.key_usage();
        let authority = match root.extensions.basic_constraints {
            Some(constraints) => constraints.ca,
            None if root.version() < 3 => root.is_self_issued(),
            None => usage.is_some(),
        };
        Self {
            issue: authority && usage.is_none_or(KeyUsage::key_cert_sign),
            sign_lists: root.may_sign_lists(),
            uses: Uses::ALL,
        }
    }
}

fn digest_of(digests: &[[u8; 32]]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(aws_lc_rs::digest::digest(&SHA256, digests.as_flattened()).as_ref());
    digest
}

impl Anchor {
    /// Whether chains to it are held to this profile; to any, without one.
    pub(crate) fn is_held_to(&self, only: Option<Profile>) -> bool {
        only.is_none_or(|only| self.profile == only)
    }

    /// The key, as signatures are checked with it.
    pub(crate) fn key(&self) -> Key<'_> {
        Key { spki: &self.spki, ready: Some(&self.ready) }
    }

    /// The certificate, where the anchor was given as one.
    pub(crate) fn certificate(&self) -> Option<Certificate<'_>> {
        Certificate::parse(self.certificate.as_ref()?).ok()
    }

    /// The name constraints of an anchor that was given as (name, key, constraints).
    pub(crate) fn constraints(&self) -> Option<NameConstraints<'_>> {
        NameConstraints::read(&mut Der(self.constraints.as_ref()?)).ok()
    }
}

/// A root that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootsError {
    /// Not a certificate that can be read.
    NotACertificate(ParseError),
    /// One of a PEM file is not a certificate that can be read.
    InFile {
        /// Its number, from 1.
        number: usize,
        /// The line of its BEGIN.
        line: usize,
        /// What cannot be read.
        error: ParseError,
    },
    /// The PEM file cannot be read, or has no certificate.
    Pem(PemError),
    /// The system has no roots that can be read, and why.
    NoStore(String),
}

impl fmt::Display for RootsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACertificate(error) => write!(f, "a root is not a certificate: {error}"),
            Self::InFile { number, line, error } => {
                write!(f, "root {number}, in line {line}, is not a certificate: {error}")
            }
            Self::Pem(fault) => write!(f, "the roots cannot be read: {fault}"),
            Self::NoStore(why) => write!(f, "the system has no roots that can be read: {why}"),
        }
    }
}

impl core::error::Error for RootsError {}

impl Roots {
    /// Trusts nobody yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Trusts a certificate (DER) as the caller's own: chains to it are held to [`Profile::Rfc5280`]. Its dates, purposes, critical
    /// extensions and constraints count (RFC 5937); the profile decides whether its form does. For a name and a key alone there is
    /// [`add_anchor`](Self::add_anchor). One that is no authority's stands for itself alone: it issues nothing.
    ///
    /// # Errors
    /// If it is not a certificate.
    pub fn add_der(&mut self, der: &[u8]) -> Result<(), RootsError> {
        self.add_der_as(der, Profile::Rfc5280)
    }

    /// As [`add_der`](Self::add_der), with the profile that chains to it are held to: [`Profile::WebPki`] for an authority of
    /// the web, [`Profile::Legacy`] for a device that is pinned by its own.
    ///
    /// # Errors
    /// If it is not a certificate.
    pub fn add_der_as(&mut self, der: &[u8], profile: Profile) -> Result<(), RootsError> {
        self.trust(der, Uses::ALL, profile)
    }

    fn trust(&mut self, der: &[u8], uses: Uses, profile: Profile) -> Result<(), RootsError> {
        let root = Certificate::parse(der).map_err(RootsError::NotACertificate)?;
        self.add(Anchor {
            name: root.subject_der().into(),
            spki: root.spki().to_vec(),
            ready: Arc::default(),
            certificate: Some(der.to_vec()),
            constraints: None,
            may: May { uses, ..May::of(&root) },
            profile,
        });
        Ok(())
    }

    /// Trusts a certificate (DER) of a store whose keeper decides what belongs in it, such as the system's: its name, key
    /// and name constraints count, its dates and form do not. Chains to it are held to [`Profile::WebPki`]. One that is no
    /// authority's stands for itself alone.
    ///
    /// # Errors
    /// If it is not a certificate.
    pub fn add_vetted(&mut self, der: &[u8]) -> Result<(), RootsError> {
        let root = Certificate::parse(der).map_err(RootsError::NotACertificate)?;
        let constraints = root.extensions.name_constraints.map(|_| root.extensions.name_constraints_der.to_vec());
        let may = May::of(&root);
        self.add(Anchor {
            name: root.subject_der().into(),
            spki: root.spki().to_vec(),
            ready: Arc::default(),
            // Of one that issues nothing only itself is of use.
            certificate: (!may.issue).then(|| der.to_vec()),
            constraints,
            may,
            profile: Profile::WebPki,
        });
        Ok(())
    }

    /// Trusts a name (DER) and key (SubjectPublicKeyInfo), within name constraints (the value of the extension) where
    /// there are any. Chains to it are held to [`Profile::WebPki`].
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn add_anchor(&mut self, name: &[u8], spki: &[u8], constraints: Option<&[u8]>) -> Result<(), RootsError> {
        let failure = |error: DerError, whole: &[u8]| RootsError::NotACertificate(error.within(whole));
        name::check(name, "name").map_err(|error| failure(error, name))?;
        Spki::parse(spki).map_err(RootsError::NotACertificate)?;
        if let Some(whole) = constraints {
            let mut value = Der(whole);
            let read = NameConstraints::read(&mut value).and_then(|_| value.finish("nameConstraints"));
            read.map_err(|error| failure(error, whole))?;
        }
        self.add(Anchor {
            name: name.into(),
            spki: spki.to_vec(),
            ready: Arc::default(),
            certificate: None,
            constraints: constraints.map(<[u8]>::to_vec),
            may: May::ALL,
            profile: Profile::WebPki,
        });
        Ok(())
    }

    /// Trusts an anchor as rustls-pki-types has them, those of the crate webpki-roots for one: as [`add_anchor`](Self::add_anchor)
    /// does, and chains to it are held to [`Profile::WebPki`].
    ///
    /// # Errors
    /// If one of its parts cannot be read.
    pub fn add_trust_anchor(&mut self, anchor: &TrustAnchor<'_>) -> Result<(), RootsError> {
        // What it has is the inside of each.
        let (name, spki) = (element(SEQUENCE, &anchor.subject), element(SEQUENCE, &anchor.subject_public_key_info));
        let constraints = anchor.name_constraints.as_ref().map(|inside| element(SEQUENCE, inside));
        self.add_anchor(&name, &spki, constraints.as_deref())
    }

    fn add(&mut self, anchor: Anchor) {
        let group = match self.exact.get(&anchor.name[..]) {
            Some(group) => *group,
            None => {
                let group = self.group(&anchor.name).unwrap_or_else(|| {
                    let group = self.groups.len();
                    self.groups.push(Vec::new());
                    self.hashed.entry(compare::hash(&anchor.name)).or_default().push(group);
                    group
                });
                self.exact.insert(anchor.name.to_vec(), group);
                group
            }
        };
        let Some(group) = self.groups.get_mut(group) else { return };
        let same = |other: &Anchor| {
            other.spki == anchor.spki
                && other.certificate == anchor.certificate
                && other.constraints == anchor.constraints
                && other.may == anchor.may
                && other.profile == anchor.profile
        };
        if !group.iter().any(|i| self.anchors.get(*i).is_some_and(same)) {
            let mut hash = Context::new(&SHA256);
            let [certificate, constraints] = [&anchor.certificate, &anchor.constraints].map(Option::as_deref);
            for part in [Some(&*anchor.name), Some(&*anchor.spki), certificate, constraints] {
                let part = part.unwrap_or_default();
                hash.update(&part.len().to_be_bytes());
                hash.update(part);
            }
            let May { issue, sign_lists, uses: Uses { server, client } } = anchor.may;
            hash.update(&[issue, sign_lists, server, client].map(u8::from));
            hash.update(anchor.profile.name().as_bytes());
            let mut digest = [0; 32];
            digest.copy_from_slice(hash.finish().as_ref());
            self.digest = digest_of(&[self.digest, digest]);
            self.digests.push(digest);
            group.push(self.anchors.len());
            self.anchors.push(anchor);
        }
    }

    /// Trusts every certificate of a PEM file as the caller's own: chains to them are held to [`Profile::Rfc5280`]. Gives their
    /// number. Where the file says what a certificate is trusted for
    /// (a TRUSTED CERTIFICATE of OpenSSL), it is trusted for that alone.
    ///
    /// # Errors
    /// If there is none, or one cannot be read, or there is something in the file that would be lost: a revocation list, or
    /// what is not known. Then nothing is added.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<usize, RootsError> {
        self.add_pem_as(pem, Profile::Rfc5280)
    }

    /// As [`add_pem`](Self::add_pem), with the profile that chains to them are held to: [`Profile::WebPki`] for a file of the
    /// web's authorities, [`Profile::Legacy`] for devices that are pinned by their own.
    ///
    /// # Errors
    /// As [`add_pem`](Self::add_pem).
    pub fn add_pem_as(&mut self, pem: &[u8], profile: Profile) -> Result<usize, RootsError> {
        let mut roots = self.clone();
        let mut number = 0usize;
        for section in pem::roots(pem).map_err(RootsError::Pem)? {
            number = number.saturating_add(1);
            roots.trust(section.der(), section.uses(), profile).map_err(|fault| match fault {
                RootsError::NotACertificate(error) => RootsError::InFile { number, line: section.line(), error },
                other => other,
            })?;
        }
        *self = roots;
        Ok(number)
    }

    /// How many are trusted.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The names of all roots, DER.
    pub fn subjects(&self) -> impl Iterator<Item = &[u8]> {
        self.exact.keys().map(Vec::as_slice)
    }

    /// Whether this very certificate is trusted for a use and is no authority: then it stands for itself alone.
    pub(crate) fn pins(&self, leaf: &Certificate<'_>, usage: Usage, only: Option<Profile>) -> bool {
        let is = |anchor: &Anchor| {
            anchor.is_held_to(only) && anchor.certificate.as_deref() == Some(leaf.der()) && anchor.may.be_for(usage)
        };
        // Its name is then written as the root's is.
        let group = self.exact.get(leaf.subject_der()).filter(|_| !leaf.is_authority());
        group.is_some_and(|group| self.of_group(*group).any(|(_, anchor)| is(anchor)))
    }

    /// The profiles that chains are held to, strictest first.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = Profile> {
        Profile::ALL.into_iter().filter(|profile| self.anchors.iter().any(|anchor| anchor.profile == *profile))
    }

    /// A hash of all that was added, in its order: two with the same one trust the same.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// A hash of all that was added, in whatever order: machines that find the same files in another order trust the same.
    pub fn set_digest(&self) -> [u8; 32] {
        let mut digests = self.digests.clone();
        digests.sort_unstable();
        digest_of(&digests)
    }

    /// The group of a name whose form no root has.
    fn group(&self, name: &[u8]) -> Option<usize> {
        let groups = self.hashed.get(&compare::hash(name))?;
        let first = |group: usize| self.anchors.get(*self.groups.get(group)?.first()?);
        groups.iter().copied().find(|group| first(*group).is_some_and(|a| compare::same(&a.name, name)))
    }

    /// The anchor at a place.
    pub(crate) fn anchor(&self, place: usize) -> Option<&Anchor> {
        self.anchors.get(place)
    }

    /// The anchors of a name, in whatever form it is written.
    pub(crate) fn named(&self, subject: &[u8]) -> impl Iterator<Item = (usize, &Anchor)> {
        self.group_of(subject).into_iter().flat_map(|group| self.of_group(group))
    }

    /// Where the anchors of a name stand.
    pub(crate) fn group_of(&self, subject: &[u8]) -> Option<usize> {
        match self.exact.get(subject) {
            Some(group) => Some(*group),
            None if self.anchors.is_empty() => None,
            None => self.group(subject),
        }
    }

    pub(crate) fn of_group(&self, group: usize) -> impl Iterator<Item = (usize, &Anchor)> {
        let indices = self.groups.get(group).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|i| Some((*i, self.anchors.get(*i)?)))
    }
}
