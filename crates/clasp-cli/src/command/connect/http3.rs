//! `clasp connect --http3`: what TCP has, over QUIC.

use super::arguments::Peer;
use super::client;
use super::seen::Seen;
use crate::failure::Failure;
use crate::http3::{self, Connection, End, FIELDS, PROTOCOL};
use crate::output;
use clasp::code::AlertDescription;
use clasp::error::Cause;
use clasp::{ClientConfig, Facts};
use core::future::{Future, poll_fn};
use hyper::body::{Buf, Bytes};
use hyper::header::{CONTENT_LENGTH, USER_AGENT};
use hyper::{Request, Response, Uri};
use quinn::{Endpoint, IdleTimeout, TokioRuntime, TransportConfig};
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long after one address the next is tried (RFC 8305 5).
const NEXT: Duration = Duration::from_millis(250);
/// How long the last packets may take.
const PARTING: Duration = Duration::from_secs(1);
/// How often it is looked whether the server has taken us.
const LOOK: Duration = Duration::from_millis(20);
/// Answers that are none yet (1xx), before the one that is.
const INTERIM: usize = 16;

/// A connection whose handshake is done.
pub(super) struct Connected<'a> {
    peer: &'a Peer,
    endpoint: Endpoint,
    quic: quinn::Connection,
    pub(super) facts: Arc<Facts>,
}

/// What came of an address: the connection, or why there is none and no other need be tried.
type Tried = Result<(Endpoint, quinn::Connection), End>;

/// Connects, within the time limit.
pub(super) async fn connect(peer: &Peer) -> Result<Connected<'_>, Failure> {
    let name = client::name(peer)?;
    let config = client::builder(peer)?.alpn([PROTOCOL]).build()?;
    let unresolved = |e: io::Error| {
        Failure::cannot(format_args!("{}: {e}", peer.target)).hint("is the name right, and is there a network?")
    };
    let limit = Duration::from_secs(peer.timeout);
    let looked_up = timeout(limit, tokio::net::lookup_host(&peer.target)).await;
    let addresses = looked_up.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unresolved)?;
    let mut tries = JoinSet::new();
    for (place, address) in addresses.enumerate() {
        let (config, name) = (config.clone(), name.to_str().into_owned());
        let wait = NEXT.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
        tries.spawn(async move {
            sleep(wait).await;
            attempt(config, address, &name, limit).await
        });
    }
    let silent = Failure::no(format_args!("the handshake was not done within {} s", peer.timeout))
        .hint("--timeout SECONDS waits longer; is it a port for QUIC, and does UDP come through?");
    let race = async {
        let mut last = None;
        while let Some(tried) = tries.join_next().await {
            match tried.map_err(Failure::cannot)? {
                Ok(connected) => return Ok(Some(connected)),
                Err(End::Silence | End::InPeace) => {}
                // Another address may do better where this one could not be tried.
                Err(End::Unreachable(failure)) => last = Some(failure),
                Err(end) => return Err(explain(end, &Seen::default(), peer, || silent_answer(peer))),
            }
        }
        last.map_or(Ok(None), Err)
    };
    let Ok(connected) = timeout(limit, race).await else { return Err(silent) };
    let Some((endpoint, quic)) = connected? else { return Err(silent) };
    let facts = http3::facts(&quic).ok_or_else(|| Failure::cannot("the handshake has no outcome"))?;
    Ok(Connected { peer, endpoint, quic, facts })
}

/// One address.
async fn attempt(config: Arc<ClientConfig>, address: SocketAddr, name: &str, limit: Duration) -> Tried {
    let cannot = |e: &dyn core::fmt::Display| End::Unreachable(Failure::cannot(format_args!("{address}: {e}")));
    let ours = if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let own = clasp_quinn::endpoint_config(config.provider()).map_err(|e| End::Otherwise(e.into()))?;
    let mut quic = clasp_quinn::client_config(config).map_err(|e| End::Otherwise(e.into()))?;
    quic.transport_config(Arc::new(transport(limit)));
    let socket = UdpSocket::bind::<SocketAddr>(ours).map_err(|e| cannot(&e))?;
    let endpoint = Endpoint::new(own, None, socket, Arc::new(TokioRuntime)).map_err(|e| cannot(&e))?;
    let connecting = endpoint.connect_with(quic, address, name).map_err(|e| cannot(&e))?;
    let connection = connecting.await.map_err(|error| http3::end(&error))?;
    Ok((endpoint, connection))
}

/// A server opens three streams and some that mean nothing, and asks us nothing.
fn transport(limit: Duration) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(0_u32.into()).max_concurrent_uni_streams(8_u32.into());
    transport.datagram_receive_buffer_size(None);
    transport.max_idle_timeout(IdleTimeout::try_from(limit).ok());
    transport
}

fn silent_answer(peer: &Peer) -> Failure {
    Failure::no(format_args!("the server said and took nothing within {} s", peer.timeout))
        .hint("--timeout SECONDS waits longer")
}

/// In the words that TCP has for it.
fn explain(end: End, seen: &Seen, peer: &Peer, otherwise: impl FnOnce() -> Failure) -> Failure {
    match end {
        End::Alert(alert) if *alert.cause() == Cause::Alert(AlertDescription::NoApplicationProtocol) => {
            Failure::from(alert).hint("the server speaks QUIC, and no HTTP/3")
        }
        End::Alert(alert) => seen.explain(alert.into(), peer),
        End::Otherwise(failure) | End::Unreachable(failure) => failure,
        End::Silence => silent_answer(peer),
        End::InPeace => otherwise(),
    }
}

impl Connected<'_> {
    /// What a failure of HTTP is: QUIC knows better, where it is QUIC's.
    fn explained(&self, error: &dyn core::fmt::Display) -> Failure {
        let of_http = || Failure::no(format_args!("HTTP/3: {error}"));
        match self.quic.close_reason() {
            Some(reason) => explain(http3::end(&reason), &Seen::behind_the_handshake(), self.peer, of_http),
            None => of_http(),
        }
    }

    async fn within<T, E: core::fmt::Display>(
        &self,
        outcome: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let outcome = timeout(Duration::from_secs(self.peer.timeout), outcome).await;
        outcome.map_err(|_| silent_answer(self.peer))?.map_err(|error| self.explained(&error))
    }

    /// Whether the server takes us, which QUIC says with HANDSHAKE_DONE (RFC 9001 4.1.2): who refuses our certificate never does.
    pub(super) async fn confirm(&self, limit: Duration) -> Result<Option<bool>, Failure> {
        let done = async {
            loop {
                if self.quic.stats().frame_rx.handshake_done > 0 {
                    return Ok(Some(true));
                }
                if self.quic.close_reason().is_some() {
                    return Err(self.explained(&"the server closed the connection"));
                }
                sleep(LOOK).await;
            }
        };
        timeout(limit, done).await.unwrap_or(Ok(None))
    }

    /// Asks for a path; the answer goes to stdout as it comes, in the form that HTTP/1.1 has.
    pub(super) async fn get(&self, path: &str) -> Result<(), Failure> {
        let request = request(self.peer, path)?;
        let mut builder = h3::client::builder();
        builder.max_field_section_size(FIELDS);
        let (mut driver, mut asking) = self.within(builder.build(Connection::client(self.quic.clone()))).await?;
        let _driving = tokio::spawn(async move { poll_fn(|cx| driver.poll_close(cx)).await });
        let mut stream = self.within(asking.send_request(request)).await?;
        // A server that has answered may stop the rest of a request, and the answer counts (RFC 9114 4.1); whatever else is wrong, it has
        // not answered.
        let _stopped = self.within(stream.finish()).await;
        let mut answer = self.within(stream.recv_response()).await?;
        for _ in 0..INTERIM {
            if !answer.status().is_informational() {
                break;
            }
            answer = self.within(stream.recv_response()).await?;
        }
        output::bytes(&head(&answer))?;
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let mut came: u64 = 0;
        loop {
            let piece: Option<Bytes> = self
                .within(async { stream.recv_data().await.map(|p| p.map(|mut p| p.copy_to_bytes(p.remaining()))) })
                .await?;
            let Some(piece) = piece else { break };
            came = came.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            output::bytes(&piece)?;
        }
        match length {
            Some(length) if length != came => {
                Err(Failure::no(format_args!("the answer has {came} bytes, and says that it has {length}")))
            }
            _ => Ok(()),
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        self.quic.close(http3::in_peace(), b"");
        let _left = timeout(PARTING, self.endpoint.wait_idle()).await;
    }
}

fn request(peer: &Peer, path: &str) -> Result<Request<()>, Failure> {
    client::check_path(path)?;
    let authority = client::authority(peer.servername.as_deref(), &peer.target);
    let uri = format!("https://{authority}{path}");
    let uri = Uri::try_from(&uri).map_err(|e| Failure::cannot(format_args!("{uri}: {e}")))?;
    Request::get(uri).header(USER_AGENT, "clasp").body(()).map_err(Failure::cannot)
}

/// A status and its fields, as HTTP/1.1 would have them.
fn head(answer: &Response<()>) -> Vec<u8> {
    let mut head = String::new();
    let _infallible = write!(head, "HTTP/3 {}\r\n", answer.status().as_u16());
    let mut head = head.into_bytes();
    for (name, value) in answer.headers() {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}
