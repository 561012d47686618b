//! From settings to what serves a connection; what would have no effect is refused.

use super::address::Address;
use super::allow::Allow;
use super::header::{Network, Version};
use super::routes::Matcher;
use super::settings::{Ask, Form, ListenerSettings, RouteSettings, Settings};
use crate::command::serve::given::identities;
use crate::failure::Failure;
use crate::negotiation::Negotiation;
use crate::pem;
use clasp::config::{Identities, WebPki};
use clasp::crypto::Provider;
use clasp::hello::ClientHello;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::{ClientAuth, ClientConfig, ServerConfig, ServerName, TimeLimits};
use clasp_x509::Certificate;
use std::path::Path;
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
    pub(super) watch: Duration,
    pub(super) admin: Option<String>,
    /// The certificates that clients see: their files, and when they end.
    pub(super) certificates: Vec<(String, i64)>,
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
    /// Whether they speak TLS; a hello chooses the route then.
    pub(super) takes_tls: bool,
    /// Whose first bytes say who they are.
    pub(super) proxy_from: Vec<Network>,
    pub(super) routes: Vec<Route>,
    pub(super) limits: Limits,
    pub(super) form: Form,
    pub(super) quiet: bool,
}

impl Service {
    /// The route that fits a client best; of those that fit alike, the first.
    pub(super) fn route(&self, hello: &ClientHello) -> Option<&Route> {
        let mut best = None;
        for route in &self.routes {
            let fit = route.matcher.fit(hello.server_name(), hello.alpn());
            if let Some(fit) = fit
                && best.is_none_or(|(other, _)| fit > other)
            {
                best = Some((fit, route));
            }
        }
        best.map(|(_, route)| route)
    }

    /// Where its clients go.
    pub(super) fn targets(&self) -> String {
        let mut all: Vec<String> = self.routes.iter().map(|route| route.backend.to.to_string()).collect();
        all.dedup();
        all.join(", ")
    }
}

/// Where a client goes, and how.
pub(super) struct Route {
    matcher: Matcher,
    pub(super) way: Way,
    pub(super) backend: Backend,
    /// Whether the backend is told the client's certificate, by HTTP.
    pub(super) says_certificate: bool,
}

/// What is spoken with the client.
pub(super) enum Way {
    /// Nothing but its own bytes.
    Plain,
    /// Its own TLS, which is the backend's to end.
    PassThrough,
    Tls {
        config: Arc<ServerConfig>,
        /// Whether clients are asked for a certificate.
        asks: Option<Ask>,
        allow: Option<Allow>,
    },
}

/// Where a client goes.
pub(super) struct Backend {
    pub(super) to: Address,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Whether it is told who the client is.
    pub(super) proxy: Option<Version>,
}

impl Plan {
    pub(super) fn new(settings: &Settings, sessions: &Sessions) -> Result<Self, Failure> {
        let limits = limits(settings)?;
        if settings.listener.is_empty() {
            return Err(Failure::cannot("no listener").hint("say where clients come: [[listener]], listen = \":8443\""));
        }
        let mut listeners: Vec<Planned> = Vec::new();
        for (number, listener) in (1..).zip(&settings.listener) {
            let planned = planned(listener, settings, limits, sessions).map_err(|e| {
                if settings.listener.len() > 1 { e.within(format_args!("listener {number}")) } else { e }
            })?;
            // A reload knows each by its address.
            let is_taken = |other: &&Planned| other.listen == planned.listen || other.listen.clashes(&planned.listen);
            if let Some(other) = listeners.iter().find(is_taken) {
                return Err(two_on_one(format_args!("listeners {} and {}", other.listen, planned.listen)));
            }
            listeners.push(planned);
        }
        let admin: Option<Address> = settings.admin.as_deref().and_then(|at| at.parse().ok());
        if let Some(admin) = admin
            && let Some(other) = listeners.iter().find(|other| other.listen.clashes(&admin))
        {
            return Err(two_on_one(format_args!("--admin {admin} and the listener {}", other.listen)));
        }
        let certificates = settings.listener.iter().flat_map(|listener| &listener.route).flat_map(|route| &route.cert);
        let certificates = certificates.filter_map(|file| Some((file.display().to_string(), end_of(file)?))).collect();
        let (watch, admin) = (Duration::from_secs(settings.watch), settings.admin.clone());
        Ok(Self { listeners, limits, watch, admin, certificates })
    }

    /// How many routes there are.
    pub(super) fn routes(&self) -> usize {
        self.listeners.iter().map(|listener| listener.service.routes.len()).sum()
    }

    /// What it would do, in lines.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let line = |listen: &Address, route: &Route| {
            let way = match route.way {
                Way::Plain => "plain",
                Way::PassThrough => "passed through",
                Way::Tls { allow: Some(_), .. } => {
                    "TLS ends here, for clients whose certificate has a name that is allowed"
                }
                Way::Tls { asks: Some(Ask::Require), .. } => "TLS ends here, for clients with a certificate",
                Way::Tls { asks: Some(Ask::Request), .. } => "TLS ends here, clients are asked for a certificate",
                Way::Tls { .. } => "TLS ends here",
            };
            let begins = if route.backend.tls.is_some() { ", TLS begins here" } else { "" };
            format!("{listen}: {}: {way}{begins}, to {}", route.matcher, route.backend.to)
        };
        self.listeners.iter().flat_map(move |l| l.service.routes.iter().map(move |route| line(&l.listen, route)))
    }
}

fn two_on_one(what: impl core::fmt::Display) -> Failure {
    Failure::cannot(format_args!("{what} want the same address")).hint("give one of them another port")
}

/// When the first certificate of a file ends, in seconds since 1970; of an archive that is not known.
fn end_of(file: &Path) -> Option<i64> {
    let chain = pem::certificates(file).ok()?;
    Some(Certificate::parse(chain.first()?).ok()?.not_after())
}

fn limits(settings: &Settings) -> Result<Limits, Failure> {
    let within = |name: &str, value: u64, least: u64, most: u64| match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(Failure::cannot(format_args!("--{name} {value} is not within {least} to {most}"))),
    };
    let day = 86_400;
    within("max-connections", settings.max_connections.into(), 1, 1_000_000)?;
    within("max-handshakes", settings.max_handshakes.into(), 1, 1_000_000)?;
    within("watch", settings.watch, 0, day)?;
    let seconds = |name, value, least| within(name, value, least, day).map(Duration::from_secs);
    Ok(Limits {
        connections: settings.max_connections,
        handshakes: settings.max_handshakes,
        handshake: seconds("handshake-timeout", settings.handshake_timeout, 1)?,
        idle: seconds("idle-timeout", settings.idle_timeout, 1)?,
        connect: seconds("connect-timeout", settings.connect_timeout, 1)?,
        drain: seconds("drain", settings.drain, 0)?,
    })
}

fn planned(
    settings: &ListenerSettings,
    all: &Settings,
    limits: Limits,
    sessions: &Sessions,
) -> Result<Planned, Failure> {
    let listen: Address = settings.listen.parse().map_err(|why| Failure::cannot(format_args!("--listen {why}")))?;
    let mut routes: Vec<Route> = Vec::new();
    for (number, settings_of_route) in (1..).zip(&settings.route) {
        let among = |e: Failure| {
            if settings.route.len() > 1 { e.within(format_args!("route {number}")) } else { e }
        };
        let route = route(settings_of_route, sessions).map_err(among)?;
        if let Some(first) = routes.iter().position(|earlier| route.matcher.is_hidden_by(&earlier.matcher)) {
            let words = format!("it would never be taken: route {} has all that it is for", first.saturating_add(1));
            return Err(among(Failure::cannot(words)).hint("give it other names, or another match-alpn"));
        }
        routes.push(route);
    }
    let takes_tls = !routes.iter().any(|route| matches!(route.way, Way::Plain));
    match &routes[..] {
        [] => {
            return Err(
                Failure::cannot("no route").hint("say where clients go: [[listener.route]], to = \"HOST:PORT\"")
            );
        }
        [one] if takes_tls || one.matcher.is_default() => {}
        _ if takes_tls => {}
        _ => {
            return Err(Failure::cannot("a route without --cert takes clients without TLS, of whom no name is known")
                .hint("let it be the only one of its listener, without names and match-alpn; or give it cert, or pass-through"));
        }
    }
    let proxy_from: Result<Vec<Network>, String> = settings.proxy_from.iter().map(|network| network.parse()).collect();
    let proxy_from = proxy_from.map_err(|why| Failure::cannot(format_args!("--proxy-from {why}")))?;
    // Among others one that fits no socket of this kind does no harm.
    if !proxy_from.is_empty() && !proxy_from.iter().any(|place| place.reaches(&listen)) {
        let (all, socket) =
            (settings.proxy_from.join(","), if listen.host().is_some() { "TCP" } else { "a Unix socket" });
        return Err(Failure::cannot(format_args!(
            "--proxy-from {all}: nobody comes from there to {listen}, which is {socket}"
        ))
        .hint("say where the balancer comes from: its network, or `unix` where it comes by a Unix socket"));
    }
    let (form, quiet) = (all.log, all.quiet);
    Ok(Planned { listen, service: Arc::new(Service { takes_tls, proxy_from, routes, limits, form, quiet }) })
}

fn route(settings: &RouteSettings, sessions: &Sessions) -> Result<Route, Failure> {
    check(settings)?;
    let way = if settings.pass_through {
        Way::PassThrough
    } else if settings.cert.is_empty() {
        Way::Plain
    } else {
        let allow = Allow::new(&settings.allow_cn, &settings.allow_san, &settings.allow_uri)?;
        let asks = settings.client_ca.as_ref().map(|_| settings.client_auth.unwrap_or(Ask::Require));
        Way::Tls { config: server(settings, sessions)?, asks, allow }
    };
    let matcher = Matcher::new(&settings.names, &settings.match_alpn)?;
    Ok(Route { matcher, way, backend: backend(settings)?, says_certificate: settings.client_cert_header })
}

/// What would have no effect, or is missing, by its names.
fn check(settings: &RouteSettings) -> Result<(), Failure> {
    let has_allow = !(settings.allow_cn.is_empty() && settings.allow_san.is_empty() && settings.allow_uri.is_empty());
    let client = settings.client_cert.is_some() || settings.client_key.is_some();
    let negotiates = settings.tls.is_some() || !settings.groups.is_empty() || !settings.alpn.is_empty();
    let terminates = !settings.cert.is_empty();
    // Given in a file; among options clap has them.
    for (given, name, needed, has) in [
        (!settings.key.is_empty(), "key", "cert", terminates),
        (settings.key_password_file.is_some(), "key-password-file", "key", !settings.key.is_empty()),
        (settings.client_ca.is_some(), "client-ca", "cert", terminates),
        (settings.client_auth.is_some(), "client-auth", "client-ca", settings.client_ca.is_some()),
        (settings.profile.is_some(), "profile", "client-ca", settings.client_ca.is_some()),
        (settings.client_cert_header, "client-cert-header", "client-ca", settings.client_ca.is_some()),
        (has_allow, "allow-cn, --allow-san or --allow-uri", "client-ca", settings.client_ca.is_some()),
        (settings.name.is_some(), "name", "originate", settings.originate),
        (!settings.ca.is_empty(), "ca", "originate", settings.originate),
        (client, "client-cert", "originate", settings.originate),
        (settings.client_cert.is_some(), "client-cert", "client-key", settings.client_key.is_some()),
        (settings.client_key.is_some(), "client-key", "client-cert", settings.client_cert.is_some()),
    ] {
        if given && settings.pass_through {
            return Err(passes_through(&format!("--{name}")));
        }
        if given && !has {
            return Err(Failure::cannot(format_args!("--{name} does nothing without --{needed}")));
        }
    }
    if settings.pass_through && (terminates || settings.originate || negotiates || settings.policy.is_some()) {
        return Err(passes_through("what TLS is told"));
    }
    if let Some(other) = settings.alpn.iter().find(|protocol| settings.client_cert_header && *protocol != "http/1.1") {
        return Err(Failure::cannot(format_args!(
            "--client-cert-header speaks HTTP/1.1, and --alpn {other} would be agreed"
        ))
        .hint("say --alpn http/1.1, or nothing"));
    }
    if !terminates && !settings.originate && !settings.pass_through {
        return Err(Failure::cannot("neither --cert nor --originate: no side would speak TLS")
            .hint("--cert FILE --key FILE speak it with clients, --originate with the backend"));
    }
    if let Some(speaks) = agrees_on_nothing(settings).filter(|_| terminates) {
        return Err(Failure::cannot(format_args!(
            "--match-alpn {} and {speaks}: clients of the one agree on nothing with the other",
            settings.match_alpn.join(",")
        ))
        .hint("let both have a protocol in common"));
    }
    if has_allow && settings.client_auth == Some(Ask::Request) {
        return Err(Failure::cannot(
            "--client-auth request and --allow-... exclude each other: whoever has no certificate has no name that is allowed",
        )
        .hint("leave --client-auth out"));
    }
    Ok(())
}

/// What a route speaks, if it is none of the protocols that its clients are chosen by.
fn agrees_on_nothing(settings: &RouteSettings) -> Option<String> {
    let spoken: Vec<&str> = match (settings.client_cert_header, &settings.alpn[..]) {
        (true, []) => vec!["http/1.1"],
        (_, spoken) => spoken.iter().map(String::as_str).collect(),
    };
    let common = settings.match_alpn.iter().any(|protocol| spoken.contains(&protocol.as_str()));
    let both = !(spoken.is_empty() || settings.match_alpn.is_empty());
    (both && !common).then(|| match settings.alpn.is_empty() {
        true => "--client-cert-header (HTTP/1.1)".into(),
        false => format!("--alpn {}", spoken.join(",")),
    })
}

/// Nobody looks at a client's certificate there, whatever a route says of it.
fn passes_through(told: &str) -> Failure {
    Failure::cannot(format_args!("pass-through and {told} exclude each other: TLS is the backend's own there"))
        .hint("of such a route nothing is said but names, match-alpn, to, send-proxy and pass-through")
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
    if matches!(to, Address::Passed(_)) {
        return Err(
            Failure::cannot(format_args!("--to {to} is a socket to listen on")).hint("write HOST:PORT or unix:PATH")
        );
    }
    if to.host() == Some("") {
        return Err(Failure::cannot(format_args!("--to {to} has no host")).hint("write HOST:PORT, as 127.0.0.1:8080"));
    }
    let tls = settings.originate.then(|| originate(settings, &to)).transpose()?;
    Ok(Backend { to, tls, proxy: settings.send_proxy })
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
