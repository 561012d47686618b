//! From settings to what serves a connection; what would have no effect is refused.

use super::address::Address;
use super::allow::Allow;
use super::settings::{Ask, ListenerSettings, RouteSettings, Settings};
use crate::command::serve::config::identities;
use crate::failure::Failure;
use crate::negotiation::Negotiation;
use crate::pem;
use clasp::config::{Identities, WebPki};
use clasp::crypto::Provider;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::{ClientAuth, ClientConfig, ServerConfig, ServerName, TimeLimits};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of sessions by ID that are kept.
const SESSIONS: usize = 16 << 20;

/// What clients' sessions are kept by. It outlives every plan, so that whoever comes again resumes after a reload too.
pub(super) struct Sessions {
    tickets: Arc<TicketKeys>,
    cache: Arc<ServerSessionCache>,
}

impl Sessions {
    pub(super) fn new() -> Result<Self, Failure> {
        let (epoch, lifetime) = (Duration::from_secs(4 * 3600), Duration::from_secs(12 * 3600));
        let tickets = Arc::new(TicketKeys::random(Provider::builtin(), epoch, lifetime)?);
        Ok(Self { tickets, cache: Arc::new(ServerSessionCache::new(SESSIONS)) })
    }
}

/// What is to be done, all of it looked into.
pub(super) struct Plan {
    pub(super) listeners: Vec<Planned>,
    pub(super) limits: Limits,
}

/// A socket to listen on.
pub(super) struct Planned {
    pub(super) listen: Address,
    pub(super) service: Arc<Service>,
}

/// How much, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connections: u32,
    pub(super) handshakes: u32,
    pub(super) handshake: Duration,
    pub(super) idle: Duration,
    pub(super) connect: Duration,
    pub(super) drain: Duration,
}

impl Limits {
    pub(super) fn for_tls(self) -> TimeLimits {
        TimeLimits::default().handshake(self.handshake)
    }
}

/// What the clients of one socket get.
pub(super) struct Service {
    pub(super) route: Route,
    pub(super) limits: Limits,
}

/// Where a client goes, and how.
pub(super) struct Route {
    pub(super) way: Way,
    pub(super) backend: Backend,
}

/// What is spoken with the client.
pub(super) enum Way {
    Plain,
    Tls { config: Arc<ServerConfig>, allow: Option<Allow> },
}

/// Where a client goes.
pub(super) struct Backend {
    pub(super) to: Address,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

impl Plan {
    pub(super) fn new(settings: &Settings, sessions: &Sessions) -> Result<Self, Failure> {
        let seconds = Duration::from_secs;
        let limits = Limits {
            connections: settings.max_connections,
            handshakes: settings.max_handshakes,
            handshake: seconds(settings.handshake_timeout),
            idle: seconds(settings.idle_timeout),
            connect: seconds(settings.connect_timeout),
            drain: seconds(settings.drain),
        };
        let listeners: Result<Vec<_>, _> =
            settings.listener.iter().map(|listener| planned(listener, limits, sessions)).collect();
        Ok(Self { listeners: listeners?, limits })
    }
}

fn planned(settings: &ListenerSettings, limits: Limits, sessions: &Sessions) -> Result<Planned, Failure> {
    let listen = settings.listen.parse().map_err(|why| Failure::cannot(format_args!("--listen {why}")))?;
    let [route] = &settings.route[..] else { return Err(Failure::cannot("a listener has one route")) };
    let service = Service { route: self::route(route, sessions)?, limits };
    Ok(Planned { listen, service: Arc::new(service) })
}

fn route(settings: &RouteSettings, sessions: &Sessions) -> Result<Route, Failure> {
    check(settings)?;
    let way = if settings.cert.is_empty() {
        Way::Plain
    } else {
        let allow = Allow::new(&settings.allow_cn, &settings.allow_san, &settings.allow_uri)?;
        Way::Tls { config: server(settings, sessions)?, allow }
    };
    Ok(Route { way, backend: backend(settings)? })
}

/// What would have no effect, or is missing, by its names.
fn check(settings: &RouteSettings) -> Result<(), Failure> {
    if settings.cert.is_empty() && !settings.originate {
        return Err(Failure::cannot("neither --cert nor --originate: no side would speak TLS")
            .hint("--cert FILE --key FILE speak it with clients, --originate with the backend"));
    }
    if settings.cert.is_empty() && !settings.key.is_empty() {
        return Err(Failure::cannot("--key without --cert").hint("give the chain too: --cert FILE"));
    }
    let allow = !(settings.allow_cn.is_empty() && settings.allow_san.is_empty() && settings.allow_uri.is_empty());
    if allow && settings.client_auth == Some(Ask::Request) {
        return Err(Failure::cannot(
            "--client-auth request and --allow-... exclude each other: whoever has no certificate has no name that is allowed",
        )
        .hint("leave --client-auth out"));
    }
    Ok(())
}

fn policy(settings: &RouteSettings) -> Result<clasp::Policy, Failure> {
    Negotiation::new(settings.policy.as_deref(), settings.tls.as_deref(), &settings.groups).policy()
}

fn server(settings: &RouteSettings, sessions: &Sessions) -> Result<Arc<ServerConfig>, Failure> {
    let identities = identities(&settings.cert, &settings.key, settings.key_password_file.as_deref())?;
    let mut builder = ServerConfig::builder()
        .identity(Identities::new(identities))
        .policy(policy(settings)?)
        .alpn(&settings.alpn)
        .sessions(sessions.cache.clone())
        .tickets(sessions.tickets.clone());
    if let Some(ca) = &settings.client_ca {
        let chains = WebPki::clients(pem::roots(Some(ca))?);
        let chains = match &settings.profile {
            Some(profile) => chains.profile(pem::profile(profile)?),
            None => chains,
        };
        builder = builder.client_auth(match settings.client_auth {
            Some(Ask::Request) => ClientAuth::Request(Arc::new(chains)),
            Some(Ask::Require) | None => ClientAuth::Require(Arc::new(chains)),
        });
    }
    Ok(builder.build()?)
}

fn backend(settings: &RouteSettings) -> Result<Backend, Failure> {
    let to: Address = settings.to.parse().map_err(|why| Failure::cannot(format_args!("--to {why}")))?;
    if to.host() == Some("") {
        return Err(Failure::cannot(format_args!("--to {to} has no host")).hint("write HOST:PORT, as 127.0.0.1:8080"));
    }
    let tls = settings.originate.then(|| originate(settings, &to)).transpose()?;
    Ok(Backend { to, tls })
}

fn originate(settings: &RouteSettings, to: &Address) -> Result<(Arc<ClientConfig>, ServerName<'static>), Failure> {
    let name = settings.name.as_deref().or_else(|| to.host()).ok_or_else(|| {
        Failure::cannot(format_args!("{to} has no host that its certificate could be for")).hint("say it: --name HOST")
    })?;
    let name = ServerName::try_from(name.to_owned()).map_err(|_| {
        Failure::cannot(format_args!("{name} is neither a DNS name nor an IP address")).hint("say another: --name HOST")
    })?;
    let mut builder = ClientConfig::builder()
        .trust(WebPki::servers(pem::roots_of(&settings.ca)?))
        .policy(policy(settings)?)
        .alpn(&settings.alpn);
    if let (Some(cert), Some(key)) = (&settings.client_cert, &settings.client_key) {
        builder = builder.identity(pem::identity(cert, key, None)?);
    }
    Ok((builder.build()?, name))
}
