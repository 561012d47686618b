//! Conversations that Clasp itself holds with the server, to see what is encrypted: chains, tickets, protocols, and what each policy
//! would come to.

use super::answer::{Bytes, Until};
use super::dial::{Dial, Open, Reply};
use super::hello::{Hello, TLS12};
use super::report::{Attack, Http, PolicyVerdict, Resumed, Verdict};
use crate::terminal::{shown, shown_bytes};
use clasp::code::{ExtensionType as E, HandshakeType, ProtocolVersion};
use clasp::config::{ClientBuilder, Ready};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::{ClientConfig, Facts, Policy, Resumption, ServerName};
use clasp_tokio::{Connector, TlsStream};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout};

/// How long we wait for tickets, which come when they come.
const TICKETS: Duration = Duration::from_millis(1200);
/// More than a server needs to say; one that floods us must not fill our memory.
const MOST_MESSAGES: usize = 64;

/// Tickets and requests that came.
#[derive(Default)]
struct Heard(Mutex<Vec<(HandshakeType, Vec<u8>)>>);

impl Observer for Heard {
    fn observe(&self, seen: &Observation<'_>) {
        let What::Message { direction: Direction::Received, kind, bytes, .. } = seen.what else { return };
        let mut messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = matches!(kind, HandshakeType::NewSessionTicket | HandshakeType::CertificateRequest);
        if wanted && messages.len() < MOST_MESSAGES {
            messages.push((kind, bytes.to_vec()));
        }
    }
}

/// A ticket's message, read: lifetime, early data, and the ticket.
#[derive(Debug, PartialEq, Eq)]
struct Ticket {
    lifetime: u32,
    early_data: Option<u32>,
    ticket: Vec<u8>,
}

impl Ticket {
    fn read(message: &[u8], version: ProtocolVersion) -> Option<Self> {
        let mut b = Bytes(message.get(4..)?);
        let lifetime = u32::try_from(b.number(4)?).ok()?;
        if version != ProtocolVersion::Tls13 {
            return Some(Self { lifetime, early_data: None, ticket: b.listed(2)?.into() });
        }
        b.take(4)?;
        b.listed(1)?;
        let ticket = b.listed(2)?.into();
        let mut extensions = Bytes(b.listed(2)?);
        let mut early_data = None;
        while let Some(typ) = extensions.code() {
            let body = extensions.listed(2)?;
            if typ == E::EarlyData.0 {
                early_data = u32::try_from(Bytes(body).number(4)?).ok();
            }
        }
        Some(Self { lifetime, early_data, ticket })
    }
}

impl Heard {
    fn tickets(&self, version: ProtocolVersion) -> Vec<Ticket> {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tickets = messages.iter().filter(|(kind, _)| *kind == HandshakeType::NewSessionTicket);
        tickets.filter_map(|(_, message)| Ticket::read(message, version)).collect()
    }

    fn asks_for_certificate(&self) -> bool {
        let messages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        messages.iter().any(|(kind, _)| *kind == HandshakeType::CertificateRequest)
    }
}

/// Whom to speak to.
pub(crate) struct Talk<'d> {
    pub(crate) dial: &'d Dial,
    pub(crate) name: ServerName<'static>,
}

/// A connection that is made, and its place among those that may be open.
pub(super) struct Made<'d> {
    stream: TlsStream<TcpStream>,
    _room: SemaphorePermit<'d>,
}

impl Made<'_> {
    pub(super) fn facts(&self) -> &Arc<Facts> {
        self.stream.facts()
    }
}

impl<'d> Made<'d> {
    /// What was agreed, and the connection without its TLS.
    pub(super) fn taken_apart(self) -> (Arc<Facts>, Open<'d>) {
        let facts = Arc::clone(self.facts());
        (facts, Open { tcp: self.stream.into_inner(), _room: self._room })
    }
}

/// Anybody's certificate is looked at: what it is worth is another question.
pub(super) fn builder(policy: Policy) -> ClientBuilder<Ready> {
    ClientConfig::builder().dangerous_trust_anyone().policy(policy).request_timestamps(true)
}

pub(super) fn config(builder: ClientBuilder<Ready>) -> io::Result<Arc<ClientConfig>> {
    builder.build().map_err(io::Error::other)
}

impl<'d> Talk<'d> {
    pub(super) async fn connect(&self, config: Arc<ClientConfig>) -> io::Result<Made<'d>> {
        let open = self.dial.open().await?;
        let connector = Connector::new(config);
        let stream = timeout(self.dial.limit, connector.connect(self.name.clone(), open.tcp)).await??;
        Ok(Made { stream, _room: open._room })
    }

    /// What each of Clasp's policies comes to. What a policy wants of the chain is not asked here.
    pub(crate) async fn policies(&self) -> Vec<PolicyVerdict> {
        let mut verdicts = Vec::new();
        for (policy, settings) in Policy::named() {
            let made = match config(builder(settings)) {
                Ok(config) => self.connect(config).await,
                Err(error) => Err(error),
            };
            verdicts.push(match made {
                Ok(mut made) => {
                    let facts = Arc::clone(made.facts());
                    let _said = timeout(self.dial.limit, made.stream.shutdown()).await;
                    let group = facts.group.map_or_else(|| "no group".into(), |group| group.to_string());
                    let words = format!("{}, {}, {group}", facts.version, facts.suite);
                    PolicyVerdict { policy, connects: true, words }
                }
                Err(error) => PolicyVerdict { policy, connects: false, words: words(&error) },
            });
        }
        verdicts
    }

    /// Whether a session is taken again: by one version, by ticket or by ID. Of TLS 1.2 the ticket is given too.
    pub(crate) async fn resumption(
        &self,
        version: ProtocolVersion,
        tickets: bool,
        others: &[SocketAddr],
    ) -> (Resumed, Option<Vec<u8>>) {
        let mut resumed = untried(version, tickets);
        let heard = Arc::new(Heard::default());
        let policy = Policy::legacy().with_versions([version]);
        let made = match config(builder(policy).session_tickets(tickets).observer(heard.clone())) {
            Ok(config) => self.connect(config.clone()).await.map(|made| (config, made)),
            Err(error) => Err(error),
        };
        let (config, mut made) = match made {
            Ok(made) => made,
            Err(error) => {
                resumed.words = Some(words(&error));
                return (resumed, None);
            }
        };
        if version == ProtocolVersion::Tls13 {
            await_ticket(&mut made.stream, &heard, version).await;
        }
        let came = heard.tickets(version);
        let has_expired = made.facts().authenticated_until() <= std::time::SystemTime::now();
        let _said = timeout(self.dial.limit, made.stream.shutdown()).await;
        drop(made);
        if let Some(first) = came.first() {
            resumed.lifetime = Some(first.lifetime);
            resumed.early_data = first.early_data;
        }
        resumed.tickets = (version == ProtocolVersion::Tls13 || tickets).then_some(came.len());
        let first = came.into_iter().next().map(|ticket| ticket.ticket);
        if has_expired {
            resumed.words = Some("Clasp keeps no session with a chain that has expired".into());
            return (resumed, first);
        }
        let wanted = if tickets { Resumption::Ticket } else { Resumption::SessionId };
        // Twice: some servers keep a session only a moment after the handshake that it is from.
        for _attempt in 0..2 {
            match self.connect(config.clone()).await {
                Ok(made) => resumed.works = Some(made.facts().resumed == Some(wanted)),
                Err(error) => (resumed.works, resumed.words) = (Some(false), Some(words(&error))),
            }
            if resumed.works == Some(true) {
                break;
            }
        }
        if resumed.works == Some(true) && !others.is_empty() {
            let taken = self.at_others(&config, others).await;
            resumed.words = Some(format!("taken at {taken} of its {} other addresses too", others.len()));
        }
        (resumed, first)
    }

    /// At how many of these addresses the session is taken as well.
    async fn at_others(&self, config: &Arc<ClientConfig>, others: &[SocketAddr]) -> usize {
        let mut taken = 0;
        for address in others {
            let dial = self.dial.at(*address);
            let talk = Talk { dial: &dial, name: self.name.clone() };
            let made = talk.connect(config.clone()).await;
            taken += usize::from(made.is_ok_and(|made| made.facts().resumed.is_some()));
        }
        taken
    }

    /// Which of these protocols the server chooses where it is offered alone.
    pub(crate) async fn alpn(&self, protocols: &[&str]) -> Vec<String> {
        let mut chosen = Vec::new();
        for protocol in protocols {
            let Ok(config) = config(builder(Policy::legacy()).alpn([protocol]).no_sessions()) else { continue };
            let Ok(made) = self.connect(config).await else { continue };
            if made.facts().alpn.as_deref() == Some(protocol.as_bytes()) {
                chosen.push((*protocol).to_owned());
            }
        }
        chosen
    }

    /// What the server says to a request, and whether it wants a certificate: asked for, or required.
    pub(crate) async fn request(&self, speaks_http: bool) -> (Option<Http>, Option<&'static str>) {
        match self.request_by(speaks_http, if speaks_http { &["http/1.1"] } else { &[] }).await {
            // Servers that do not bear ALPN are met.
            (None, None) if speaks_http => self.request_by(speaks_http, &[]).await,
            answered => answered,
        }
    }

    async fn request_by(&self, speaks_http: bool, protocols: &[&str]) -> (Option<Http>, Option<&'static str>) {
        let heard = Arc::new(Heard::default());
        let settings = builder(Policy::legacy()).alpn(protocols).no_sessions().observer(heard.clone());
        let Ok(config) = config(settings) else { return (None, None) };
        let made = self.connect(config).await;
        let asked = match &made {
            Ok(made) => made.facts().certificate_requested,
            // A refusal may have other reasons: it has this one where we were asked.
            Err(error) => {
                return (None, (heard.asks_for_certificate() && wants_certificate(error)).then_some("required"));
            }
        };
        let Ok(mut made) = made else { return (None, None) };
        let answer = if speaks_http { http(&mut made.stream, &self.host(), self.dial.limit).await } else { Ok(None) };
        match answer {
            Ok(http) => (http, Some(if asked { "asked for" } else { "not asked for" })),
            Err(error) if asked && wants_certificate(&error) => (None, Some("required")),
            Err(_) => (None, Some(if asked { "asked for" } else { "not asked for" })),
        }
    }

    fn host(&self) -> String {
        self.name.to_str().into_owned()
    }

    /// Whether a session ID of one byte is given back with the server's memory behind it.
    pub(crate) async fn ticketbleed(&self, ticket: Option<Vec<u8>>, suites: &[u16]) -> Attack {
        let (name, id) = ("Ticketbleed", "CVE-2016-9244");
        let answer = |verdict, words: &str| Attack { name, id, verdict, words: words.into() };
        let mut hello = Hello::old(TLS12, suites.to_vec(), self.dial.server_name.as_deref());
        let Some(ticket) = ticket else {
            // RFC 5077 3.2: who will give a ticket says so in its ServerHello.
            hello.more.push((E::SessionTicket.0, Vec::new()));
            let reply = self.dial.ask(&hello, Until::Hello).await;
            return match reply.hello().map(|hello| hello.extension(E::SessionTicket)) {
                Some(None) => answer(Verdict::Safe, "gives no tickets before TLS 1.3"),
                Some(Some(_)) => answer(Verdict::Unknown, "would give a ticket, and no handshake with it came so far"),
                None => answer(Verdict::Unknown, "no ticket to try it with"),
            };
        };
        hello.session = vec![0x5a];
        hello.more.push((E::SessionTicket.0, ticket));
        match self.dial.ask(&hello, Until::Hello).await {
            reply @ Reply::Said(_) => match reply.hello().map(|hello| &hello.session[..]) {
                Some([0x5a]) => answer(Verdict::Safe, "gives the session ID back as it came"),
                Some([0x5a, ..]) => answer(
                    Verdict::Vulnerable,
                    "gives a session ID back that is longer than what came: it is its memory",
                ),
                _ => answer(Verdict::Safe, "does not give the session ID back"),
            },
            _ => answer(Verdict::Unknown, "the server did not answer to its own ticket"),
        }
    }
}

/// What is known before it is tried.
pub(super) fn untried(version: ProtocolVersion, tickets: bool) -> Resumed {
    let by = match (version == ProtocolVersion::Tls13, tickets) {
        (true, _) => "PSK (TLS 1.3)",
        (false, true) => "ticket (TLS 1.2)",
        (false, false) => "session ID (TLS 1.2)",
    };
    Resumed { by, works: None, lifetime: None, early_data: None, tickets: None, words: None }
}

async fn await_ticket(stream: &mut TlsStream<TcpStream>, heard: &Heard, version: ProtocolVersion) {
    let until = Instant::now() + TICKETS;
    let mut buffer = [0; 1024];
    while heard.tickets(version).is_empty() {
        // Tickets come with no data: a read that brings nothing has read them all the same.
        let wait = until.saturating_duration_since(Instant::now()).min(Duration::from_millis(50));
        match timeout(wait, stream.read(&mut buffer)).await {
            Ok(Ok(1..)) => {}
            Ok(_) => break,
            Err(_) if Instant::now() >= until => break,
            Err(_) => {}
        }
    }
}

/// A server that is not content with who we are.
pub(super) fn wants_certificate(error: &io::Error) -> bool {
    use clasp::AlertDescription as A;
    let alert = clasp::Error::from_io(error).and_then(clasp::Error::peer_alert);
    matches!(alert, Some(A::CertificateRequired | A::BadCertificate | A::HandshakeFailure | A::NoCertificate))
}

pub(super) fn words(error: &io::Error) -> String {
    shown(&match clasp::Error::from_io(error) {
        Some(tls) => tls.without_hint().to_string(),
        None if error.kind() == io::ErrorKind::TimedOut => "no answer within the time limit".into(),
        None => error.to_string(),
    })
}

/// Reads no more than the headers. It asks as a browser does: servers that know no HEAD are met.
async fn http(stream: &mut TlsStream<TcpStream>, host: &str, limit: Duration) -> io::Result<Option<Http>> {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: clasp\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let until = Instant::now() + limit;
    while bytes.len() < 32 * 1024 {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(&bytes) {
            Ok(httparse::Status::Complete(_)) => return Ok(Some(read(&response))),
            Ok(httparse::Status::Partial) => {}
            Err(_) => return Ok(None),
        }
        let mut buffer = [0; 4096];
        match timeout(until.saturating_duration_since(Instant::now()), stream.read(&mut buffer)).await {
            Ok(Ok(0)) | Err(_) => return Ok(None),
            Ok(Ok(count)) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(None)
}

fn read(response: &httparse::Response<'_, '_>) -> Http {
    let status = format!("{} {}", response.code.unwrap_or_default(), shown(response.reason.unwrap_or_default()));
    let hsts = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("strict-transport-security"));
    let text = hsts.map(|header| shown_bytes(header.value));
    let age = text.as_deref().and_then(|text| {
        let mut parts = text.split(';').filter_map(|part| part.trim().split_once('='));
        let (_, age) = parts.find(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"))?;
        age.trim().trim_matches('"').parse().ok()
    });
    Http { status: status.trim().to_owned(), strict_transport_security: text, hsts_seconds: age }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_of_both_versions_are_read() {
        let old = [&[4, 0, 0, 9, 0, 0, 1, 44, 0, 3][..], b"abc"].concat();
        let ticket = Ticket::read(&old, ProtocolVersion::Tls12).unwrap();
        assert_eq!(ticket, Ticket { lifetime: 300, early_data: None, ticket: b"abc".to_vec() });
        let new =
            [&[4, 0, 0, 28, 0, 1, 81, 128, 1, 2, 3, 4, 1, 0, 0, 3][..], b"abc", &[0, 8, 0, 42, 0, 4, 0, 0, 64, 0]];
        let ticket = Ticket::read(&new.concat(), ProtocolVersion::Tls13).unwrap();
        assert_eq!(ticket, Ticket { lifetime: 86_400, early_data: Some(16_384), ticket: b"abc".to_vec() });
        assert_eq!(Ticket::read(&new.concat()[..20], ProtocolVersion::Tls13), None);
    }

    #[test]
    fn the_age_of_strict_transport_security_is_read() {
        let mut headers = [httparse::EMPTY_HEADER; 4];
        let mut response = httparse::Response::new(&mut headers);
        let text = b"HTTP/1.1 200 OK\r\nStrict-Transport-Security: includeSubDomains; Max-Age=\"31536000\"\r\n\r\n";
        assert!(response.parse(text).unwrap().is_complete());
        assert_eq!(read(&response).hsts_seconds, Some(31_536_000));
    }
}
