//! A client's configuration.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{free, give, run, there};
use crate::error::{Result, clasp_error};
use crate::identity::clasp_identity;
use crate::memory::{clasp_bytes, clasp_codes};
use crate::roots::clasp_roots;
use crate::settings::{HasSettings, Settings, set};
use clasp::{ClientConfig, Identity, Roots};
use core::mem::MaybeUninit;
use std::sync::Arc;

/// Collects a client's settings. One thread at a time. Nothing that can be replayed is ever sent (no early data).
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_client_builder {
    /// None trusts anyone.
    roots: Option<Arc<Roots>>,
    identity: Option<Arc<Identity>>,
    send_server_name: bool,
    settings: Settings,
}

/// What all connections of a client share, their sessions among it. Nothing changes it: any number of threads may use it. A
/// connection keeps what it needs, so a configuration may be freed before its connections.
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_client_config(Arc<ClientConfig>);

impl clasp_client_config {
    pub(crate) fn share(&self) -> &Arc<ClientConfig> {
        &self.0
    }
}

impl clasp_client_builder {
    fn trusting(roots: Option<Arc<Roots>>) -> Box<Self> {
        Box::new(Self { roots, identity: None, send_server_name: true, settings: Settings::default() })
    }

    fn build(&self) -> Result<Arc<ClientConfig>> {
        let builder = match &self.roots {
            Some(roots) => ClientConfig::builder().trust(roots.clone()),
            None => ClientConfig::builder().dangerous_trust_anyone(),
        };
        let settings = &self.settings;
        let mut builder = builder
            .policy(settings.policy.clone())
            .alpn(&settings.alpn)
            .send_server_name(self.send_server_name)
            .early_data(false);
        if let Some(identity) = &self.identity {
            builder = builder.identity(identity.clone());
        }
        if !settings.keeps_sessions {
            builder = builder.no_sessions();
        }
        Ok(builder.build()?)
    }
}

impl HasSettings for clasp_client_builder {
    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }
}

/// Begins a configuration that trusts servers whose chains end in one of these roots. Free *builder with
/// clasp_client_builder_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_new(
    roots: Option<&clasp_roots>,
    builder: Option<&mut MaybeUninit<Option<Box<clasp_client_builder>>>>,
) -> Option<Box<clasp_error>> {
    give(builder, "builder", || Ok(Some(clasp_client_builder::trusting(Some(there(roots, "roots")?.share())))))
}

/// Begins a configuration that trusts anybody. Dangerous: it keeps out whoever looks on, never whoever stands between. Free *builder
/// with clasp_client_builder_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_new_dangerous_trust_anyone(
    builder: Option<&mut MaybeUninit<Option<Box<clasp_client_builder>>>>,
) -> Option<Box<clasp_error>> {
    give(builder, "builder", || Ok(Some(clasp_client_builder::trusting(None))))
}

/// The certificate for servers that ask for one; one that was set before is replaced.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_identity(
    builder: Option<&mut clasp_client_builder>,
    identity: Option<&clasp_identity>,
) -> Option<Box<clasp_error>> {
    run(|| {
        there(builder, "builder")?.identity = Some(there(identity, "identity")?.share());
        Ok(())
    })
}

/// Offers an application protocol (RFC 7301), 1 to 255 bytes, behind those that were added before.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_add_alpn(
    builder: Option<&mut clasp_client_builder>,
    protocol: clasp_bytes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.add_alpn(protocol))
}

/// What connections may use: one of CLASP_POLICY_... It undoes what was said of versions, suites and groups.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_policy(
    builder: Option<&mut clasp_client_builder>,
    policy: u32,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.policy(policy))
}

/// Narrows the policy to the versions from `lowest` to `highest`: CLASP_TLS12, CLASP_TLS13.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_versions(
    builder: Option<&mut clasp_client_builder>,
    lowest: u16,
    highest: u16,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.versions(lowest, highest))
}

/// Replaces the policy's cipher suites, by their numbers, best first.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_suites(
    builder: Option<&mut clasp_client_builder>,
    suites: clasp_codes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.suites(suites))
}

/// Replaces the policy's groups of the key exchange, by their numbers, best first.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_groups(
    builder: Option<&mut clasp_client_builder>,
    groups: clasp_codes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.groups(groups))
}

/// Whether the server is told which name is meant (RFC 6066 3). On by default.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_send_server_name(
    builder: Option<&mut clasp_client_builder>,
    yes: bool,
) -> Option<Box<clasp_error>> {
    run(|| {
        there(builder, "builder")?.send_server_name = yes;
        Ok(())
    })
}

/// Whether sessions are kept, so that later connections can resume them. On by default.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_set_sessions(
    builder: Option<&mut clasp_client_builder>,
    yes: bool,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.sessions(yes))
}

/// Holds the settings against one another and makes a configuration of them. The builder stays as it is: it can go on, and is freed by
/// itself. Free *config with clasp_client_config_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_client_builder_build(
    builder: Option<&clasp_client_builder>,
    config: Option<&mut MaybeUninit<Option<Box<clasp_client_config>>>>,
) -> Option<Box<clasp_error>> {
    give(config, "config", || Ok(Some(Box::new(clasp_client_config(there(builder, "builder")?.build()?)))))
}

/// Frees a builder. NULL is borne.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_client_builder_free(builder: Option<Box<clasp_client_builder>>) {
    free(builder);
}

/// Frees a configuration. NULL is borne; connections keep what they need.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_client_config_free(config: Option<Box<clasp_client_config>>) {
    free(config);
}
