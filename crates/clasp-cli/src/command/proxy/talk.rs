//! One connection, from its first byte to its line in the log.

use super::copy::{End, Outcome, copy};
use super::header::{self, Ends, Telling};
use super::http;
use super::metrics::Metrics;
use super::plan::{Backend, Limits, Route, Service, Way};
use super::record::{Reason, Record};
use super::wire::{Peer, Plain, Wire};
use crate::stop::Stop;
use clasp::code::AlertDescription;
use clasp::{ClientConfig, ServerConfig};
use clasp_tokio::{AcceptError, Connector, Pending, TlsStream};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::io;
use std::sync::Arc;
use std::time::Instant;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What all connections share.
pub(super) struct Shared {
    /// Room for handshakes with clients.
    pub(super) handshakes: Semaphore,
    /// What has not ended by now is cut off.
    pub(super) cut: Stop,
    pub(super) last: AtomicU64,
    pub(super) metrics: Arc<Metrics>,
}

/// A client that has come.
pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) peer: Peer,
    pub(super) listener: Arc<str>,
    /// Its place among the connections.
    pub(super) seat: OwnedSemaphorePermit,
}

/// Serves a client to its end.
pub(super) async fn serve(client: Client, service: Arc<Service>, shared: Arc<Shared>) {
    let Client { wire, peer, listener, seat } = client;
    let open = shared.metrics.came(&listener);
    let (number, traffic) = (shared.last.fetch_add(1, Relaxed).saturating_add(1), shared.metrics.traffic(&listener));
    let mut record = Record::new(number, listener, peer, traffic);
    let talk = Talk { service: &service, shared: &shared };
    let reason = tokio::select! {
        ended = Box::pin(talk.run(Plain::new(wire), &mut record)) => ended.unwrap_or_else(|reason| reason),
        () = shared.cut.wait() => Reason::failed("cut_off", "the proxy stops, and its time to drain is over"),
    };
    if reason.failed || !service.quiet {
        record.write(service.form, &reason);
    }
    shared.metrics.ended(&record.listener, &reason.label);
    drop((open, seat));
}

/// How a part of a connection can end before its time.
type Ended<T> = Result<T, Reason>;

struct Talk<'a> {
    service: &'a Service,
    shared: &'a Shared,
}

impl Talk<'_> {
    async fn run(&self, mut client: Plain, record: &mut Record) -> Ended<Reason> {
        record.ends = client.wire().addresses().map(|(client, server)| Ends { client, server });
        if self.service.proxy_from.iter().any(|network| network.has(record.peer.0)) {
            self.told(&mut client, record).await?;
        }
        if !self.service.takes_tls {
            let Some(route) = self.service.routes.first() else { return Err(no_route(None)) };
            return self.join(End::Plain(client), route, record).await;
        }
        let pending = self.hello(client, record).await?;
        let Some(route) = self.service.route(pending.hello()) else {
            pending.refuse(AlertDescription::UnrecognizedName).await.close().await;
            return Err(no_route(record.server_name.as_deref()));
        };
        let (config, allow) = match &route.way {
            Way::Plain | Way::PassThrough => {
                let (front, mut plain) = pending.pass_through().into_parts();
                plain.put_back(front);
                return self.join(End::Plain(plain), route, record).await;
            }
            Way::Tls { config, allow, .. } => (config, allow),
        };
        let tls = self.handshake(pending, config, record).await?;
        if let Some(allow) = allow
            && let Err(why) = allow.admits(tls.facts())
        {
            turn_away(tls, AlertDescription::AccessDenied).await;
            return Err(Reason::failed("client_not_allowed", why));
        }
        let client = End::Tls(Box::new(tls));
        if route.says_certificate {
            self.http(client, route, record).await
        } else {
            self.join(client, route, record).await
        }
    }

    /// HTTP/1.1, of which each request is looked at.
    async fn http(&self, client: End, route: &Route, record: &mut Record) -> Ended<Reason> {
        record.backend = Some(route.backend.to.to_string());
        let record: &Record = record;
        let certificate = record.facts.as_deref().and_then(http::certificate);
        let connect = || -> http::Connected<'_> { Box::pin(self.backend(&route.backend, record)) };
        let idle = self.limits().idle;
        let client = http::Watched::new(client, idle, Arc::clone(&record.traffic));
        Ok(Box::pin(http::serve(client, certificate, &connect, idle)).await)
    }

    /// Reads who the client is, as whoever stands before us says. A place that has to say it, and does not, is not guessed at.
    async fn told(&self, client: &mut Plain, record: &mut Record) -> Ended<()> {
        let told = match timeout(self.limits().handshake, header::read(client)).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(Reason::failed("proxy_header", error.to_string()));
            }
            Ok(Err(error)) => return Err(Reason::of("client", &error)),
            Err(_) => return Err(Reason::failed("proxy_header_timeout", "the PROXY header took too long")),
        };
        if let Some(ends) = told.ends {
            record.via = Some(core::mem::replace(&mut record.peer, Peer(Some(ends.client))));
            record.ends = Some(ends);
        }
        Ok(())
    }

    fn limits(&self) -> Limits {
        self.service.limits
    }

    /// Whom the client asks for.
    async fn hello(&self, client: Plain, record: &mut Record) -> Ended<Pending<Plain>> {
        match Pending::peek(client, self.limits().for_tls()).await {
            Ok(pending) => {
                record.server_name = pending.hello().server_name().map(str::to_owned);
                Ok(pending)
            }
            // Who has not said a word needs none: a look whether the port is open, say.
            Err(refused) if refused.bytes().is_empty() && refused.error().kind() != io::ErrorKind::TimedOut => {
                Err(Reason::failed("client_silent", "it closed before it said anything"))
            }
            Err(refused) => {
                let reason = Reason::of("client", refused.error());
                self.shared.metrics.did_not_shake(&record.listener, &reason.label);
                refused.refuse().await.close().await;
                Err(reason)
            }
        }
    }

    async fn handshake(
        &self,
        pending: Pending<Plain>,
        config: &Arc<ServerConfig>,
        record: &mut Record,
    ) -> Ended<TlsStream<Plain>> {
        let began = Instant::now();
        let Ok(Ok(place)) = timeout(self.limits().handshake, self.shared.handshakes.acquire()).await else {
            pending.refuse(AlertDescription::InternalError).await.close().await;
            return Err(Reason::failed("busy", "no place for its handshake came free in time (max-handshakes)"));
        };
        let accepted = Box::pin(pending.accept(Arc::clone(config))).await;
        // Who is told why it was refused, and takes its time, keeps nobody else waiting.
        drop(place);
        match accepted {
            Ok(tls) => {
                record.handshake = Some(began.elapsed());
                self.shared.metrics.shook(&record.listener, tls.facts(), began.elapsed());
                record.facts = Some(Arc::clone(tls.facts()));
                Ok(tls)
            }
            Err(refused) => {
                let reason = Reason::of("client", refused.error());
                self.shared.metrics.did_not_shake(&record.listener, &reason.label);
                refused.close().await;
                Err(reason)
            }
        }
    }

    /// Joins the client to the backend.
    async fn join(&self, client: End, route: &Route, record: &mut Record) -> Ended<Reason> {
        record.backend = Some(route.backend.to.to_string());
        let backend = match self.backend(&route.backend, record).await {
            Ok(backend) => backend,
            Err(reason) => {
                match client {
                    End::Tls(tls) => turn_away(*tls, AlertDescription::InternalError).await,
                    End::Plain(plain) => plain.wire().reset(),
                }
                return Err(reason);
            }
        };
        Ok(match copy(client, backend, self.limits().idle, &record.traffic).await {
            Outcome::Done => Reason::good("done"),
            Outcome::Idle => Reason::good("idle"),
            Outcome::Client(error) => Reason::of("client", &error),
            Outcome::Backend(error) => Reason::of("backend", &error),
        })
    }

    async fn backend(&self, backend: &Backend, record: &Record) -> Ended<End> {
        let wire = match timeout(self.limits().connect, Wire::connect(&backend.to)).await {
            Ok(connected) => connected.map_err(|error| Reason::of("connect", &error))?,
            Err(_) => return Err(Reason::failed("connect_timeout", "the backend took too long to be there")),
        };
        let mut plain = Plain::new(wire);
        if let Some(version) = backend.proxy {
            let (server_name, facts) = (record.server_name.as_deref(), record.facts.as_deref());
            let header = Telling { ends: record.ends, server_name, facts }.header(version);
            plain.write_all(&header).await.map_err(|error| Reason::of("backend", &error))?;
        }
        let Some((config, name)) = &backend.tls else { return Ok(End::Plain(plain)) };
        let config = offering(config, record)?;
        let connector = Connector::new(config).with_limits(self.limits().for_tls());
        let tls = Box::pin(connector.connect(name.clone(), plain)).await;
        tls.map(|tls| End::Tls(Box::new(tls))).map_err(|error| Reason::of("backend", &error))
    }
}

fn no_route(name: Option<&str>) -> Reason {
    let asked = name.map_or("no name".into(), |name| format!("the name {name}"));
    Reason::failed("no_route", format!("the client asks for {asked}, and there is no route for it"))
}

/// The backend is offered what the client has agreed on: another protocol would be passed on unread.
fn offering(config: &Arc<ClientConfig>, record: &Record) -> Ended<Arc<ClientConfig>> {
    let Some(facts) = &record.facts else { return Ok(Arc::clone(config)) };
    let agreed = facts.alpn.as_ref().into_iter();
    let offering = ClientConfig::clone(config).with_alpn(agreed);
    offering.map(Arc::new).map_err(|error| Reason::failed("misuse", error.to_string()))
}

async fn turn_away(tls: TlsStream<Plain>, alert: AlertDescription) {
    let refused: AcceptError<Plain> = tls.refuse(alert).await;
    // The error is the one that was asked for.
    let _known = refused.close().await;
}
