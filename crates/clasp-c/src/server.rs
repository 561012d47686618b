//! A server's configuration.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{free, give, run, there};
use crate::error::{Result, clasp_error};
use crate::identity::clasp_identity;
use crate::memory::{clasp_bytes, clasp_codes};
use crate::roots::clasp_roots;
use crate::settings::{HasSettings, Settings, set};
use clasp::config::{ClientAuth, Identities, WebPki};
use clasp::crypto::Provider;
use clasp::session::TicketKeys;
use clasp::{Identity, Roots, ServerConfig};
use core::mem::MaybeUninit;
use core::time::Duration;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How often ticket keys change, for as long as their tickets are to open: so many keys are alive at a time.
const TICKET_EPOCHS: u32 = 12;

/// Collects a server's settings. One thread at a time. Early data is not taken.
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_server_builder {
    identities: Vec<Arc<Identity>>,
    client_roots: Option<(Arc<Roots>, bool)>,
    tickets: Option<Tickets>,
    settings: Settings,
}

struct Tickets {
    lifetime: Duration,
    /// None: of this process alone.
    secret: Option<Zeroizing<[u8; 32]>>,
}

/// What all connections of a server share, their sessions and ticket keys among it. Nothing changes it: any number of threads may
/// use it. A connection keeps what it needs, so a configuration may be freed before its connections.
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_server_config(Arc<ServerConfig>);

impl clasp_server_config {
    pub(crate) fn share(&self) -> &Arc<ServerConfig> {
        &self.0
    }
}

impl Tickets {
    fn keys(&self) -> Result<TicketKeys> {
        let provider = Provider::builtin();
        let epoch = self.lifetime.checked_div(TICKET_EPOCHS).unwrap_or(self.lifetime);
        Ok(match &self.secret {
            Some(secret) => TicketKeys::shared(provider, secret, epoch, self.lifetime)?,
            None => TicketKeys::random(provider, epoch, self.lifetime)?,
        })
    }
}

impl clasp_server_builder {
    fn build(&self) -> Result<Arc<ServerConfig>> {
        let settings = &self.settings;
        let mut builder = ServerConfig::builder()
            .identity(Identities::new(self.identities.iter().cloned()))
            .policy(settings.policy.clone())
            .alpn(&settings.alpn);
        if let Some((roots, required)) = &self.client_roots {
            let verifier = Arc::new(WebPki::clients(roots.clone()));
            let auth = if *required { ClientAuth::Require(verifier) } else { ClientAuth::Request(verifier) };
            builder = builder.client_auth(auth);
        }
        if let Some(tickets) = &self.tickets {
            builder = builder.tickets(Arc::new(tickets.keys()?)).session_lifetime(tickets.lifetime);
        }
        if !settings.keeps_sessions {
            builder = builder.no_sessions();
        }
        Ok(builder.build()?)
    }
}

impl HasSettings for clasp_server_builder {
    fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }
}

fn lifetime(seconds: u32) -> Result<Duration> {
    match seconds {
        1..=604_800 => Ok(Duration::from_secs(seconds.into())),
        other => Err(clasp_error::argument("lifetime_seconds", other, "1 to 604800, which is seven days")),
    }
}

/// Begins a configuration with the identity of the server. Free *builder with clasp_server_builder_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_new(
    identity: Option<&clasp_identity>,
    builder: Option<&mut MaybeUninit<Option<Box<clasp_server_builder>>>>,
) -> Option<Box<clasp_error>> {
    give(builder, "builder", || {
        let identities = vec![there(identity, "identity")?.share()];
        let settings = Settings::default();
        Ok(Some(Box::new(clasp_server_builder { identities, client_roots: None, tickets: None, settings })))
    })
}

/// Adds another identity: chosen by the name that a client asks for, then by what it can verify. The first is the default.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_add_identity(
    builder: Option<&mut clasp_server_builder>,
    identity: Option<&clasp_identity>,
) -> Option<Box<clasp_error>> {
    run(|| {
        there(builder, "builder")?.identities.push(there(identity, "identity")?.share());
        Ok(())
    })
}

/// Asks clients for a certificate whose chain ends in one of these roots. If `required`, a client without one is refused; one with
/// another is in any case.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_client_roots(
    builder: Option<&mut clasp_server_builder>,
    roots: Option<&clasp_roots>,
    required: bool,
) -> Option<Box<clasp_error>> {
    run(|| {
        there(builder, "builder")?.client_roots = Some((there(roots, "roots")?.share(), required));
        Ok(())
    })
}

/// Speaks an application protocol (RFC 7301), 1 to 255 bytes; those that were added before are liked better. A client that offers
/// others alone is refused.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_add_alpn(
    builder: Option<&mut clasp_server_builder>,
    protocol: clasp_bytes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.add_alpn(protocol))
}

/// What connections may use: one of CLASP_POLICY_... It undoes what was said of versions, suites and groups.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_policy(
    builder: Option<&mut clasp_server_builder>,
    policy: u32,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.policy(policy))
}

/// Narrows the policy to the versions from `lowest` to `highest`: CLASP_TLS12, CLASP_TLS13.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_versions(
    builder: Option<&mut clasp_server_builder>,
    lowest: u16,
    highest: u16,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.versions(lowest, highest))
}

/// Replaces the policy's cipher suites, by their numbers, best first.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_suites(
    builder: Option<&mut clasp_server_builder>,
    suites: clasp_codes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.suites(suites))
}

/// Replaces the policy's groups of the key exchange, by their numbers, best first.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_groups(
    builder: Option<&mut clasp_server_builder>,
    groups: clasp_codes<'_>,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.groups(groups))
}

/// Gives clients tickets, so that the server need not keep their sessions: 1 to 604800 seconds (seven days). Their keys are made
/// with the configuration, change by themselves and are known to it alone.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_tickets(
    builder: Option<&mut clasp_server_builder>,
    lifetime_seconds: u32,
) -> Option<Box<clasp_error>> {
    run(|| {
        let lifetime = lifetime(lifetime_seconds)?;
        there(builder, "builder")?.tickets = Some(Tickets { lifetime, secret: None });
        Ok(())
    })
}

/// The same for several machines: whoever has the same `secret`, lifetime and time of day opens the tickets. It is 32 random bytes;
/// Clasp's copy of it is wiped.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_shared_tickets(
    builder: Option<&mut clasp_server_builder>,
    secret: clasp_bytes<'_>,
    lifetime_seconds: u32,
) -> Option<Box<clasp_error>> {
    run(|| {
        let lifetime = lifetime(lifetime_seconds)?;
        let builder = there(builder, "builder")?;
        let secret = secret.get("secret")?;
        let mut copy = Zeroizing::new([0; 32]);
        if secret.len() != copy.len() {
            let seen = format_args!("{} bytes", secret.len()).to_string();
            return Err(clasp_error::argument("secret", seen, "32 random bytes"));
        }
        copy.copy_from_slice(secret);
        builder.tickets = Some(Tickets { lifetime, secret: Some(copy) });
        Ok(())
    })
}

/// Whether sessions are kept in memory, for clients without tickets. On by default.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_set_sessions(
    builder: Option<&mut clasp_server_builder>,
    yes: bool,
) -> Option<Box<clasp_error>> {
    set(builder, |settings| settings.sessions(yes))
}

/// Holds the settings against one another and makes a configuration of them. The builder stays as it is: it can go on, and is freed by
/// itself. Free *config with clasp_server_config_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_server_builder_build(
    builder: Option<&clasp_server_builder>,
    config: Option<&mut MaybeUninit<Option<Box<clasp_server_config>>>>,
) -> Option<Box<clasp_error>> {
    give(config, "config", || Ok(Some(Box::new(clasp_server_config(there(builder, "builder")?.build()?)))))
}

/// Frees a builder. NULL is borne.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_server_builder_free(builder: Option<Box<clasp_server_builder>>) {
    free(builder);
}

/// Frees a configuration. NULL is borne; connections keep what they need.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_server_config_free(config: Option<Box<clasp_server_config>>) {
    free(config);
}
