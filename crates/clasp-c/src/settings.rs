//! The settings that both builders have.

use crate::boundary::{run, text, there};
use crate::error::{Result, clasp_error};
use crate::memory::{clasp_bytes, clasp_codes};
use clasp::Policy;
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion};

/// TLS 1.3 and 1.2 with forward secrecy and AEAD: what a builder begins with.
pub const CLASP_POLICY_DEFAULT: u32 = 0;
/// TLS 1.3 alone.
pub const CLASP_POLICY_MODERN: u32 = 1;
/// The default's, and what devices need that know TLS 1.2 with RSA key transport or CBC alone.
pub const CLASP_POLICY_LEGACY: u32 = 2;

/// TLS 1.2, as a version's number.
pub const CLASP_TLS12: u16 = 0x0303;
/// TLS 1.3, as a version's number.
pub const CLASP_TLS13: u16 = 0x0304;

/// What a client's and a server's builder keep until they build.
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) keeps_sessions: bool,
}

/// Either builder. Their setters stand in C once for each, by name and type; what such a setter does stands here. (The header is
/// written from functions as they stand in the sources, so none of them comes from a macro.)
pub(crate) trait HasSettings {
    fn settings(&mut self) -> &mut Settings;
}

/// Does the work of a setter.
pub(crate) fn set(
    builder: Option<&mut impl HasSettings>,
    work: impl FnOnce(&mut Settings) -> Result<()>,
) -> Option<Box<clasp_error>> {
    run(|| work(there(builder, "builder")?.settings()))
}

impl Default for Settings {
    fn default() -> Self {
        Self { policy: Policy::default(), alpn: Vec::new(), keeps_sessions: true }
    }
}

impl Settings {
    pub(crate) fn policy(&mut self, code: u32) -> Result<()> {
        self.policy = match code {
            CLASP_POLICY_DEFAULT => Policy::default(),
            CLASP_POLICY_MODERN => Policy::modern(),
            CLASP_POLICY_LEGACY => Policy::legacy(),
            other => return Err(clasp_error::argument("policy", other, "one of CLASP_POLICY_...")),
        };
        Ok(())
    }

    /// All versions from the one to the other.
    pub(crate) fn versions(&mut self, lowest: u16, highest: u16) -> Result<()> {
        let all = [ProtocolVersion::Tls13, ProtocolVersion::Tls12];
        let wanted: Vec<_> = all.into_iter().filter(|v| (lowest..=highest).contains(&v.0)).collect();
        if wanted.is_empty() || !all.contains(&ProtocolVersion(lowest)) || !all.contains(&ProtocolVersion(highest)) {
            let seen = format_args!("{lowest:#06x} to {highest:#06x}").to_string();
            return Err(clasp_error::argument("lowest, highest", seen, "CLASP_TLS12 or CLASP_TLS13, the lowest first"));
        }
        self.policy = self.policy.clone().with_versions(wanted);
        Ok(())
    }

    pub(crate) fn suites(&mut self, codes: clasp_codes<'_>) -> Result<()> {
        let suites: Vec<_> = codes.get("suites")?.iter().map(|code| CipherSuite(*code)).collect();
        self.policy = self.policy.clone().with_suites(suites);
        Ok(())
    }

    pub(crate) fn groups(&mut self, codes: clasp_codes<'_>) -> Result<()> {
        let groups: Vec<_> = codes.get("groups")?.iter().map(|code| NamedGroup(*code)).collect();
        self.policy = self.policy.clone().with_groups(groups);
        Ok(())
    }

    pub(crate) fn sessions(&mut self, yes: bool) -> Result<()> {
        self.keeps_sessions = yes;
        Ok(())
    }

    pub(crate) fn add_alpn(&mut self, protocol: clasp_bytes<'_>) -> Result<()> {
        let protocol = protocol.get("protocol")?;
        if protocol.is_empty() || protocol.len() > 255 {
            let seen = format_args!("{} bytes", protocol.len()).to_string();
            return Err(clasp_error::argument("protocol", seen, "1 to 255 bytes"));
        }
        self.alpn.push(protocol.to_vec());
        Ok(())
    }
}

/// The name of a server: a DNS name or an IP address.
pub(crate) fn server_name(name: clasp_bytes<'_>) -> Result<clasp::ServerName<'static>> {
    let name = text(name.get("server_name")?, "server_name")?;
    clasp::ServerName::try_from(name.to_owned())
        .map_err(|_| clasp_error::argument("server_name", name.escape_debug(), "a DNS name or an IP address"))
}
