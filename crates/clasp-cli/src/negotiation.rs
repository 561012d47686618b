//! What may be negotiated, as the command line says it.

use crate::failure::Failure;
use clasp::Policy;
use clasp::code::{NamedGroup, ProtocolVersion};

/// The options that `connect`, `serve` and `proxy` share.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Negotiation {
    /// What may be negotiated: modern, default or legacy
    #[arg(long, default_value = "default")]
    policy: String,
    /// Speak this version alone
    #[arg(long, value_name = "VERSION", value_parser = ["1.2", "1.3"])]
    tls: Option<String>,
    /// These key exchange groups alone, best first, such as X25519MLKEM768,x25519,secp256r1,ffdhe2048
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    groups: Vec<String>,
}

const GROUPS: [NamedGroup; 12] = [
    NamedGroup::X25519MlKem768,
    NamedGroup::SecP256r1MlKem768,
    NamedGroup::SecP384r1MlKem1024,
    NamedGroup::X25519,
    NamedGroup::Secp256r1,
    NamedGroup::Secp384r1,
    NamedGroup::Secp521r1,
    NamedGroup::Ffdhe2048,
    NamedGroup::Ffdhe3072,
    NamedGroup::Ffdhe4096,
    NamedGroup::Ffdhe6144,
    NamedGroup::Ffdhe8192,
];

impl Negotiation {
    /// As a file says it.
    pub(crate) fn new(policy: Option<&str>, tls: Option<&str>, groups: &[String]) -> Self {
        let policy = policy.unwrap_or("default").to_owned();
        Self { policy, tls: tls.map(str::to_owned), groups: groups.to_vec() }
    }

    /// The one version that is spoken, where it was given.
    pub(crate) fn version(&self) -> Option<&str> {
        self.tls.as_deref()
    }

    pub(crate) fn policy_name(&self) -> &str {
        &self.policy
    }

    pub(crate) fn groups(&self) -> &[String] {
        &self.groups
    }

    pub(crate) fn names_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// As a policy.
    pub(crate) fn policy(&self) -> Result<Policy, Failure> {
        let policy = self.named()?;
        if self.groups.is_empty() {
            return Ok(policy);
        }
        let groups = self.groups.iter().map(|name| group(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(policy.with_groups(groups))
    }

    fn named(&self) -> Result<Policy, Failure> {
        let named = Policy::named();
        let name = &self.policy;
        let Some((_, policy)) = named.iter().find(|(n, _)| n == name) else {
            let names: Vec<_> = named.iter().map(|(n, _)| format!("--policy {n}")).collect();
            return Err(
                Failure::cannot(format_args!("there is no policy {name}")).hint(format!("use {}", names.join(", ")))
            );
        };
        let version = match self.tls.as_deref() {
            None => return Ok(policy.clone()),
            Some("1.2") => ProtocolVersion::Tls12,
            Some("1.3") => ProtocolVersion::Tls13,
            Some(other) => {
                return Err(
                    Failure::cannot(format_args!("--tls {other} is no version")).hint("use --tls 1.2 or --tls 1.3")
                );
            }
        };
        if policy.speaks(version) {
            return Ok(policy.clone().with_versions([version]));
        }
        Err(Failure::cannot(format_args!("the policy {name} does not speak {version}")).hint("use --policy default"))
    }
}

/// A group by its name; NIST's names of curves are understood too.
fn group(name: &str) -> Result<NamedGroup, Failure> {
    let wanted = match name.to_ascii_lowercase().as_str() {
        "p-256" | "p256" => "secp256r1".into(),
        "p-384" | "p384" => "secp384r1".into(),
        "p-521" | "p521" => "secp521r1".into(),
        other => other.to_owned(),
    };
    GROUPS.into_iter().find(|g| g.name().eq_ignore_ascii_case(&wanted)).ok_or_else(|| {
        let names: Vec<_> = GROUPS.iter().map(|g| g.name()).collect();
        Failure::cannot(format_args!("there is no group {name}")).hint(format!("use some of {}", names.join(", ")))
    })
}
