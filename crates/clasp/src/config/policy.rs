//! What a connection may use.

use super::clash;
use crate::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::crypto::Provider;
use crate::error::{Error, Misuse, Result};
use crate::suite::{Kx, SUITES, SUITES13, Suite, Suite13};
use crate::wire::Codes;

/// Which versions, cipher suites, groups and signature schemes a connection may use. Suites, groups and schemes stand in
/// order of preference; of the versions the best that both sides speak is always taken.
///
/// Nothing a policy can say turns these off: the extended master secret where the peer has it, renegotiation refused,
/// no compression; export, NULL, RC4, DES and anonymous suites do not exist here.
///
/// ```
/// use clasp::Policy;
/// use clasp::code::CipherSuite;
/// let old = CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA;
/// assert!(!Policy::default().suites().contains(&old));
/// assert!(Policy::legacy().suites().contains(&old));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Those that were named; else those that there are suites for.
    pub(crate) versions: Option<Vec<ProtocolVersion>>,
    pub(crate) suites: Vec<CipherSuite>,
    /// How many suites each tier has; what is behind the last tier stands alone.
    pub(super) tiers: Vec<usize>,
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) schemes: Vec<SignatureScheme>,
    pub(crate) require_extended_master_secret: bool,
    /// Where nothing is said a client requires it and a server does not.
    pub(super) require_secure_renegotiation: Option<bool>,
}

const SCHEMES: &[SignatureScheme] = &[
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::EcdsaSecp384r1Sha384,
    SignatureScheme::EcdsaSecp521r1Sha512,
    SignatureScheme::Ed25519,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPssPssSha256,
    SignatureScheme::RsaPssPssSha384,
    SignatureScheme::RsaPssPssSha512,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPkcs1Sha512,
    SignatureScheme::MlDsa44,
    SignatureScheme::MlDsa65,
    SignatureScheme::MlDsa87,
];

/// The hybrids keep the secret even from who records today and has a quantum computer tomorrow.
const GROUPS: &[NamedGroup] = &[
    NamedGroup::X25519MlKem768,
    NamedGroup::SecP256r1MlKem768,
    NamedGroup::SecP384r1MlKem1024,
    NamedGroup::X25519,
    NamedGroup::Secp256r1,
    NamedGroup::Secp384r1,
    NamedGroup::Secp521r1,
];

/// RFC 7919; more than 4096 bits costs a server milliseconds per handshake.
const FFDHE: &[NamedGroup] = &[NamedGroup::Ffdhe2048, NamedGroup::Ffdhe3072, NamedGroup::Ffdhe4096];

/// The TLS 1.3 suites of every named policy: all that there are. One that is to be had by name alone
/// ([`Policy::with_suites`]) would be left out here.
fn usual13() -> impl Iterator<Item = CipherSuite> {
    SUITES13.iter().map(|s| s.code)
}

impl Default for Policy {
    /// TLS 1.3 and 1.2 with forward secrecy and AEAD: GCM or ChaCha20-Poly1305, hybrid groups first.
    fn default() -> Self {
        let tls12 = SUITES.iter().filter(|s| !s.is_legacy()).map(|s| s.code);
        Self {
            versions: None,
            suites: usual13().chain(tls12).collect(),
            tiers: Vec::new(),
            groups: GROUPS.to_vec(),
            schemes: SCHEMES.to_vec(),
            require_extended_master_secret: false,
            require_secure_renegotiation: None,
        }
    }
}

impl Policy {
    /// TLS 1.3 alone.
    pub fn modern() -> Self {
        Self { versions: Some(vec![ProtocolVersion::Tls13]), suites: usual13().collect(), ..Self::default() }
    }

    /// The default, and behind it what old devices need: RSA key transport, CBC with HMAC, DHE over the groups of
    /// RFC 7919, and peers without RFC 5746. Without the cargo feature `legacy` the suites are absent.
    pub fn legacy() -> Self {
        let available = |s: &&Suite| !s.is_legacy() || cfg!(feature = "legacy");
        Self {
            suites: {
                let tls12 = SUITES.iter().filter(available).map(|s| s.code);
                usual13().chain(tls12).collect()
            },
            groups: GROUPS.iter().chain(if cfg!(feature = "legacy") { FFDHE } else { &[] }).copied().collect(),
            require_secure_renegotiation: Some(false),
            ..Self::default()
        }
    }

    /// The named policies, strictest first.
    pub fn named() -> [(&'static str, Self); 3] {
        [("modern", Self::modern()), ("default", Self::default()), ("legacy", Self::legacy())]
    }

    /// Speaks these versions, TLS 1.3 before TLS 1.2: the best that both sides speak is taken, since a client that speaks
    /// TLS 1.3 refuses a server that could and does not (RFC 9846 4.1.3). Each must have a suite.
    #[must_use]
    pub fn with_versions(mut self, versions: impl Into<Vec<ProtocolVersion>>) -> Self {
        self.versions = Some(versions.into());
        self
    }

    /// Uses these suites, in this order of preference.
    #[must_use]
    pub fn with_suites(mut self, suites: impl Into<Vec<CipherSuite>>) -> Self {
        self.suites = suites.into();
        self.tiers.clear();
        self
    }

    /// Uses these suites, the best tier first. The suites of one tier are equally good to a server: there the order of
    /// the client decides, who knows whether its processor has AES. One tier of all leaves the choice to clients.
    ///
    /// ```
    /// use clasp::Policy;
    /// use clasp::code::CipherSuite as S;
    /// let equals = [S::TLS_AES_128_GCM_SHA256, S::TLS_CHACHA20_POLY1305_SHA256];
    /// let policy = Policy::modern().with_suite_tiers([&[S::TLS_AES_256_GCM_SHA384][..], &equals]);
    /// assert_eq!(policy.suites().len(), 3);
    /// ```
    #[must_use]
    pub fn with_suite_tiers<'a>(mut self, tiers: impl IntoIterator<Item = &'a [CipherSuite]>) -> Self {
        let tiers: Vec<&[CipherSuite]> = tiers.into_iter().collect();
        self.suites = tiers.concat();
        self.tiers = tiers.iter().map(|tier| tier.len()).collect();
        self
    }

    /// Uses these groups, in this order of preference.
    #[must_use]
    pub fn with_groups(mut self, groups: impl Into<Vec<NamedGroup>>) -> Self {
        self.groups = groups.into();
        self
    }

    /// Takes these signature schemes of peers, and signs in this order of preference: what a key can do that does not stand
    /// here comes last. A [`Signer`](crate::config::Signer) of the application's own may have an order of its own.
    #[must_use]
    pub fn with_schemes(mut self, schemes: impl Into<Vec<SignatureScheme>>) -> Self {
        self.schemes = schemes.into();
        self
    }

    /// Whether TLS 1.2 peers without secure renegotiation are refused (RFC 5746 4.1, 4.3). By default servers are, since a
    /// client does not see whether an attacker's handshake went before its own, and clients are not: a server that never
    /// renegotiates loses nothing by them. [`Policy::legacy`] takes both.
    #[must_use]
    pub fn require_secure_renegotiation(mut self, yes: bool) -> Self {
        self.require_secure_renegotiation = Some(yes);
        self
    }

    /// Whether clients without secure renegotiation are refused.
    pub(crate) fn refuses_old_clients(&self) -> bool {
        self.require_secure_renegotiation.unwrap_or(false)
    }

    /// Whether servers without secure renegotiation are refused.
    pub(crate) fn refuses_old_servers(&self) -> bool {
        self.require_secure_renegotiation.unwrap_or(true)
    }

    /// Refuses peers without the extended master secret (RFC 7627 5).
    #[must_use]
    pub fn require_extended_master_secret(mut self, yes: bool) -> Self {
        self.require_extended_master_secret = yes;
        self
    }

    /// The versions it speaks: those it names and has a suite for.
    pub fn versions(&self) -> &'static [ProtocolVersion] {
        const TLS13: ProtocolVersion = ProtocolVersion::Tls13;
        const TLS12: ProtocolVersion = ProtocolVersion::Tls12;
        match (self.speaks(TLS13), self.speaks(TLS12)) {
            (true, true) => &[TLS13, TLS12],
            (true, false) => &[TLS13],
            (false, true) => &[TLS12],
            (false, false) => &[],
        }
    }

    /// Whether it speaks a version: it is named, and there is a suite for it.
    pub fn speaks(&self, version: ProtocolVersion) -> bool {
        self.versions.as_ref().is_none_or(|named| named.contains(&version))
            && self.suites.iter().any(|code| match version {
                ProtocolVersion::Tls13 => Suite13::find(*code).is_some(),
                ProtocolVersion::Tls12 => Suite::find(*code).is_some(),
                _ => false,
            })
    }

    /// The best version it speaks.
    pub(crate) fn best(&self) -> Option<ProtocolVersion> {
        self.versions().first().copied()
    }

    /// The suites of TLS 1.3, in order of preference.
    pub(crate) fn suites13(&self) -> impl Iterator<Item = &'static Suite13> {
        let speaks = self.speaks(ProtocolVersion::Tls13);
        self.suites.iter().filter(move |_| speaks).filter_map(|c| Suite13::find(*c))
    }

    /// The suites of TLS 1.2, in order of preference.
    pub(crate) fn suites12(&self) -> impl Iterator<Item = &'static Suite> {
        let speaks = self.speaks(ProtocolVersion::Tls12);
        self.suites.iter().filter(move |_| speaks).filter_map(|c| Suite::find(*c))
    }

    /// The suites in common with a client, best first, each once. The client's list is gone through once, however long it
    /// is and however often the same stands in it.
    pub(crate) fn common_suites<'a>(&'a self, theirs: Codes<'a>) -> impl Iterator<Item = CipherSuite> + 'a {
        let mut common = [CipherSuite(0); SUITES.len() + SUITES13.len()];
        let mut count = 0;
        for suite in theirs.iter().map(CipherSuite).filter(|s| self.suites.contains(s)) {
            let Some((known, place)) = common.split_at_mut_checked(count) else { break };
            let Some(place) = place.first_mut().filter(|_| !known.contains(&suite)) else { continue };
            *place = suite;
            count = count.saturating_add(1);
        }
        let mut rest = &self.suites[..];
        let mut sizes = self.tiers.iter().copied();
        let tiers = core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (tier, behind) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
            rest = behind;
            Some(tier)
        });
        tiers.flat_map(move |tier| common.into_iter().take(count).filter(move |s| tier.contains(s)))
    }

    /// The suites, in order of preference.
    pub fn suites(&self) -> &[CipherSuite] {
        &self.suites
    }

    /// The groups, in order of preference.
    pub fn groups(&self) -> &[NamedGroup] {
        &self.groups
    }

    /// The signature schemes, in order of preference.
    pub fn schemes(&self) -> &[SignatureScheme] {
        &self.schemes
    }

    /// Which named policy has a TLS 1.2 suite in common with this list that this policy lacks.
    pub(crate) fn that_would_agree(&self, theirs: Codes<'_>) -> Option<&'static str> {
        let new = |s: CipherSuite| Suite::find(s).is_some() && !self.suites12().any(|own| own.code == s);
        let agrees = |p: &Self| p.speaks(ProtocolVersion::Tls12) && p.common_suites(theirs).any(new);
        Self::named().into_iter().find(|(_, p)| agrees(p)).map(|(name, _)| name)
    }

    /// The schemes that go with these versions: ML-DSA is for TLS 1.3 alone.
    pub(crate) fn schemes_for(&self, tls13: bool) -> impl Iterator<Item = SignatureScheme> + Clone {
        self.schemes.iter().copied().filter(move |s| tls13 || s.is_for_tls12())
    }

    /// The versions that are named are known, stand once each and best first, and have suites.
    fn check_versions(&self) -> Result<()> {
        let named = self.versions.as_deref().unwrap_or_default();
        let known = |v: &ProtocolVersion| matches!(*v, ProtocolVersion::Tls13 | ProtocolVersion::Tls12);
        let seen = |what: String, wanted| Err(clash::bad_value("Policy::with_versions", what, wanted));
        if let Some(unknown) = named.iter().find(|v| !known(v)) {
            return seen(unknown.to_string(), "TLS 1.3 and TLS 1.2: there is no other version here");
        }
        if self.versions().is_empty() {
            return Err(Misuse::NoSuites.into());
        }
        if let Some(lacking) = named.iter().find(|v| !self.speaks(**v)) {
            return Err(Error::from(Misuse::Clash)
                .seen(format_args!("Policy::with_versions with {lacking} and a policy without a suite of {lacking}"))
                .hint("add its suites with Policy::with_suites, or do not name the version"));
        }
        match named {
            [ProtocolVersion::Tls12, ProtocolVersion::Tls13] => seen(
                "TLS 1.2 before TLS 1.3".into(),
                "TLS 1.3 first: the best version both sides speak is always taken",
            ),
            _ => match clash::twice(named) {
                Some(version) => seen(format!("{version} twice"), "each version once"),
                None => Ok(()),
            },
        }
    }

    /// Nothing stands in a list twice, and no tier is empty.
    fn check_lists(&self) -> Result<()> {
        let twice = |setting: &str, value: Option<String>| match value {
            Some(value) => Err(clash::bad_value(setting, format_args!("{value} twice"), "each once")),
            None => Ok(()),
        };
        if self.tiers.contains(&0) {
            return Err(clash::bad_value("Policy::with_suite_tiers", "a tier without a suite", "a suite in each tier"));
        }
        twice("Policy::with_suites", clash::twice(&self.suites).map(ToString::to_string))?;
        twice("Policy::with_groups", clash::twice(&self.groups).map(ToString::to_string))?;
        twice("Policy::with_schemes", clash::twice(&self.schemes).map(ToString::to_string))
    }

    /// Checks that every setting can be met, and that the settings fit together.
    pub(crate) fn check(&self, provider: &Provider) -> Result<()> {
        let bad = |what: String, wanted: &str| Err(Error::from(Misuse::BadPolicy).seen(what).wanted(wanted));
        self.check_versions()?;
        self.check_lists()?;
        for code in &self.suites {
            match Suite::find(*code) {
                None if Suite13::find(*code).is_some() => {}
                None => return bad(code.to_string(), "suites that Clasp has (clasp::suite::SUITES)"),
                Some(s) if s.is_legacy() && provider.legacy.is_none() => {
                    return bad(code.to_string(), "the cargo feature `legacy` for this suite");
                }
                Some(_) => {}
            }
        }
        for group in &self.groups {
            let ffdhe = provider.legacy.is_some_and(|l| l.ffdhe(*group).is_some());
            if provider.group(*group).is_none() && !ffdhe {
                return bad(group.to_string(), "groups that the crypto provider has");
            }
        }
        for scheme in &self.schemes {
            if !provider.schemes.contains(scheme) {
                return bad(scheme.to_string(), "signature schemes that the crypto provider has");
            }
        }
        let kinds: Vec<Kx> = self.suites12().map(|s| s.kx).collect();
        let tls13 = self.speaks(ProtocolVersion::Tls13);
        if tls13 && self.groups.is_empty() {
            return bad("TLS 1.3 and no group".into(), "a group, or no TLS 1.3");
        }
        if kinds.contains(&Kx::Ecdhe) && !self.groups.iter().any(|g| !g.is_ffdhe() && (tls13 || !g.is_post_quantum())) {
            return bad("ECDHE suites and no elliptic curve among the groups".into(), "a curve, or no ECDHE suite");
        }
        if kinds.contains(&Kx::Dhe) && !self.groups.iter().any(|g| g.is_ffdhe()) {
            return bad("DHE suites and no ffdhe group among the groups".into(), "an ffdhe group, or no DHE suite");
        }
        if self.schemes_for(tls13).next().is_none() && (tls13 || kinds.iter().any(|k| *k != Kx::Rsa)) {
            return bad("no signature scheme".into(), "one, or only RSA key transport suites");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Reader;

    /// FREAK, Logjam, Sweet32, RC4: the suites of these attacks cannot be asked for by any policy.
    #[test]
    fn freak_broken_suites_are_in_no_policy_and_cannot_be_added() {
        for code in [0x0000, 0x0001, 0x0003, 0x0004, 0x0005, 0x0008, 0x0009, 0x000a, 0x0014, 0x0034, 0xc012] {
            let code = CipherSuite(code);
            assert!(code.is_known(), "{code:?} has no name to report it by");
            assert_eq!(Suite::find(code), None);
            let forced = Policy::legacy().with_suites([code]);
            assert!(forced.check(Provider::builtin()).is_err());
        }
        for (_, policy) in Policy::named() {
            policy.check(Provider::builtin()).unwrap();
        }
    }

    /// SLOTH: no policy has a signature over MD5 or SHA-1.
    #[test]
    fn sloth_no_weak_hash_in_any_policy() {
        for (_, policy) in Policy::named() {
            assert!(policy.schemes.iter().all(|s| s.0 >> 8 >= 4), "{:?}", policy.schemes);
        }
        let forced = Policy::legacy().with_schemes([SignatureScheme::RsaPkcs1Sha1]);
        assert!(forced.check(Provider::builtin()).is_err());
    }

    #[test]
    fn the_client_decides_within_a_tier_and_the_server_between_tiers() {
        let [a, b, c] = [
            CipherSuite::TLS_AES_128_GCM_SHA256,
            CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
            CipherSuite::TLS_AES_256_GCM_SHA384,
        ];
        let common = |policy: &Policy, theirs: &[CipherSuite]| -> Vec<CipherSuite> {
            let bytes: Vec<u8> = theirs.iter().flat_map(|s| s.0.to_be_bytes()).collect();
            policy.common_suites(Codes::read::<CipherSuite, _>(Reader::new(&bytes), "suites").unwrap()).collect()
        };
        let tiered = Policy::modern().with_suite_tiers([&[a, b][..], &[], &[c]]);
        assert_eq!(common(&tiered, &[c, b, a]), [b, a, c]);
        assert_eq!(common(&tiered, &[c, a]), [a, c]);
        let ordered = tiered.clone().with_suites([a, b, c]);
        assert_eq!(common(&ordered, &[c, b, a]), [a, b, c], "the server's order");
        assert!(common(&ordered, &[CipherSuite(0x1304)]).is_empty());
        let again = [CipherSuite(0x1304), c, c, a, c, a].repeat(1000);
        assert_eq!((common(&tiered, &again), common(&ordered, &again)), (vec![a, c], vec![a, c]), "each once");
    }

    #[test]
    fn clashes_are_named() {
        let text = |p: Policy| p.check(Provider::builtin()).unwrap_err().to_string();
        assert!(text(Policy::default().with_groups([])).contains("TLS 1.3 and no group"));
        let tls12 = Policy::default().with_versions([ProtocolVersion::Tls12]);
        let hybrids = [NamedGroup::X25519MlKem768];
        assert!(text(tls12.with_groups(hybrids)).contains("ECDHE suites and no elliptic curve"));
        assert!(text(Policy::default().with_suites([])).contains("no cipher suite"));
        assert!(text(Policy::default().with_schemes([])).contains("no signature scheme"));
    }
}
