//! From options to a configuration; what would have no effect is refused.

use super::arguments::Arguments;
use super::given::Given;
use super::own::Own;
use crate::failure::Failure;
use crate::input;
use crate::pem;
use clasp::config::{DangerousAcceptAnyone, Verifier, WebPki};
use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchKeyRing, EchKeyStore};
use clasp::keys::log::KeyLogFile;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::{ClientAuth, Policy, ServerConfig};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Tickets that a handshake gives unless told otherwise.
const TICKETS: u8 = 2;
/// Bytes of sessions by ID that are kept unless told otherwise.
const SESSIONS: usize = 16 << 20;

/// Whose certificate is served, and how it is kept up.
pub(super) enum Source {
    /// That of our own, where none was given.
    Own(Arc<Own>),
    Given(Given),
}

/// The configuration, and what keeps its certificate up.
pub(super) fn config(arguments: &Arguments) -> Result<(Arc<ServerConfig>, Source), Failure> {
    check(arguments)?;
    let builder = ServerConfig::builder();
    let (builder, source) = if arguments.cert.is_empty() {
        let own = Arc::new(Own::new(data_directory()?)?);
        (builder.identity(own.clone()), Source::Own(own))
    } else {
        let given = Given::new(&arguments.cert, &arguments.key, arguments.key_password_file.clone())?;
        (builder.identity(given.current()), Source::Given(given))
    };
    let tickets = arguments.tickets.unwrap_or(TICKETS);
    let mut builder = builder
        .policy(policy(arguments)?)
        .max_early_data(arguments.early_data)
        .tickets_per_handshake(tickets)
        .alpn(if arguments.echo { &[][..] } else { &arguments.alpn });
    builder = match arguments.session_cache.unwrap_or(SESSIONS) {
        0 => builder.no_sessions(),
        bytes => builder.sessions(Arc::new(ServerSessionCache::new(bytes))),
    };
    if tickets > 0 {
        let (epoch, lifetime) = (Duration::from_secs(4 * 3600), Duration::from_secs(12 * 3600));
        builder = builder.tickets(Arc::new(TicketKeys::random(Provider::builtin(), epoch, lifetime)?));
    }
    if let Some(auth) = client_auth(arguments)? {
        builder = builder.client_auth(auth);
    }
    if !arguments.ech.is_empty() {
        builder = builder.encrypted_client_hello(Arc::new(EchKeyStore::new(ech_keys(&arguments.ech)?)));
    }
    if let Some(path) = &arguments.keylog {
        builder = builder.key_log(Arc::new(KeyLogFile::open(path).map_err(|e| Failure::file(path, e))?));
    }
    Ok((builder.build()?, source))
}

/// The keys that these files hold.
fn ech_keys(files: &[PathBuf]) -> Result<EchKeyRing, Failure> {
    let key = |path: &PathBuf| {
        EchKey::from_pem(Provider::builtin(), &Zeroizing::new(input::bytes(path)?)).map_err(|e| Failure::file(path, e))
    };
    let keys = files.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    EchKeyRing::new(keys).map_err(|error| Failure::cannot(format_args!("--ech: {error}")))
}

fn policy(arguments: &Arguments) -> Result<Policy, Failure> {
    let policy = arguments.negotiation.policy()?;
    Ok(match arguments.secure_renegotiation.as_deref() {
        None => policy,
        Some(wanted) => policy.require_secure_renegotiation(wanted == "require"),
    })
}

/// What would have no effect, by the names of the two options.
fn check(arguments: &Arguments) -> Result<(), Failure> {
    let early_data = arguments.early_data > 0;
    let (no_tickets, no_sessions) = (arguments.tickets == Some(0), arguments.session_cache == Some(0));
    let version = arguments.negotiation.version();
    let tls13 = version == Some("1.3") || version.is_none() && arguments.negotiation.policy_name() == "modern";
    let only12 = "TLS 1.2 has none of it";
    let clashes = [
        (early_data && no_tickets, "--early-data", "--tickets 0", "early data is sent with a ticket"),
        (
            early_data && no_sessions,
            "--early-data",
            "--session-cache 0",
            "what was taken once must be remembered, or it could be replayed",
        ),
        (early_data && version == Some("1.2"), "--early-data", "--tls 1.2", only12),
        (arguments.keyupdate && version == Some("1.2"), "--keyupdate", "--tls 1.2", only12),
        (!arguments.ech.is_empty() && version == Some("1.2"), "--ech", "--tls 1.2", only12),
        (arguments.http3 && version == Some("1.2"), "--http3", "--tls 1.2", "QUIC has TLS 1.3 alone"),
        (
            arguments.tickets.is_some_and(|n| n > 1) && version == Some("1.2"),
            "--tickets",
            "--tls 1.2",
            "a handshake of TLS 1.2 gives one",
        ),
        (
            arguments.session_cache.is_some_and(|n| n > 0) && tls13 && !early_data,
            "--session-cache",
            "TLS 1.3 alone",
            "its sessions are tickets, and only early data is remembered",
        ),
        (
            arguments.secure_renegotiation.is_some() && tls13,
            "--secure-renegotiation",
            "TLS 1.3 alone",
            "it is a matter of TLS 1.2",
        ),
        (
            arguments.client_ca.is_some() && arguments.client_auth.as_deref() == Some("off"),
            "--client-ca",
            "--client-auth off",
            "nobody is asked for a certificate then",
        ),
        (
            matches!(arguments.client_auth.as_deref(), Some("request" | "require")) && arguments.client_ca.is_none(),
            "--client-auth",
            "no --client-ca",
            "whose clients? Give --client-ca FILE, or --client-ca any",
        ),
    ];
    match clashes.iter().find(|(clash, ..)| *clash) {
        None => Ok(()),
        Some((_, one, other, why)) => Err(Failure::cannot(format_args!("{one} and {other} exclude each other: {why}"))),
    }
}

fn client_auth(arguments: &Arguments) -> Result<Option<ClientAuth>, Failure> {
    let verifier: Arc<dyn Verifier> = match arguments.client_ca.as_deref() {
        None => return Ok(None),
        Some("any") if arguments.profile.is_some() => {
            let why = "--profile does nothing beside --client-ca any, which takes any certificate";
            return Err(Failure::cannot(why).hint("leave one of them out"));
        }
        Some("any") => Arc::new(DangerousAcceptAnyone),
        Some(file) => {
            let chains = WebPki::clients(pem::roots(Some(file.as_ref()))?);
            Arc::new(match &arguments.profile {
                Some(profile) => chains.profile(pem::profile(profile)?),
                None => chains,
            })
        }
    };
    // Whoever names the authority of its clients wants them to have its certificates, unless it says otherwise.
    Ok(Some(if arguments.client_auth.as_deref() == Some("request") {
        ClientAuth::Request(verifier)
    } else {
        ClientAuth::Require(verifier)
    }))
}

/// Where our own certificate is kept.
pub(crate) fn data_directory() -> Result<PathBuf, Failure> {
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let base = base.ok_or_else(|| Failure::cannot("no data directory").hint("set HOME, or give --cert and --key"))?;
    Ok(base.join("clasp"))
}
