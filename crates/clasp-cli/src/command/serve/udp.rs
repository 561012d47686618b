//! The same port over UDP, for HTTP/3.

use super::http3 as serving;
use crate::failure::Failure;
use crate::http3::{self, End, PROTOCOL};
use clasp::{Facts, ServerConfig};
use hyper::header::HeaderValue;
use quinn::{Connection, ConnectionError, Endpoint, Incoming, TokioRuntime};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Connections that have begun and wait for a place, and what is held of their packets.
const WAITING: usize = 1024;
const WAITING_BYTES: u64 = 16 << 20;
const ONES_BYTES: u64 = 64 << 10;
/// How long a browser may remember that there is HTTP/3 (RFC 7838 3.1).
const MAX_AGE: u32 = 86_400;
/// How long the last packets may take.
const PARTING: Duration = Duration::from_secs(1);
/// Ports that are tried where any will do: one that is free for TCP need not be free for UDP.
const TRIES: usize = 16;

/// Binds a port for both.
pub(super) async fn bind(
    listen: &str,
    tcp: impl AsyncFn(&str) -> Result<TcpListener, Failure>,
) -> Result<(TcpListener, UdpSocket), Failure> {
    let any = listen.ends_with(":0");
    let mut tries = 0;
    loop {
        let listener = tcp(listen).await?;
        let address = listener.local_addr()?;
        match UdpSocket::bind(address) {
            Ok(socket) => return Ok((listener, socket)),
            Err(e) if any && e.kind() == io::ErrorKind::AddrInUse && tries < TRIES => tries += 1,
            Err(e) => {
                return Err(Failure::cannot(format_args!("UDP {address}: {e}"))
                    .hint("--http3 has the port of --listen over UDP too: is another program there?"));
            }
        }
    }
}

/// Serves QUIC on a socket.
pub(super) fn endpoint(
    config: &ServerConfig,
    socket: UdpSocket,
    limit: Duration,
    send_limit: Duration,
) -> Result<Endpoint, Failure> {
    // Everything else is the same: the identities, and so what is read again, the sessions, the clients' verifier.
    let config = Arc::new(config.clone().with_alpn([PROTOCOL])?);
    let own = clasp_quinn::endpoint_config(config.provider())?;
    let mut server = clasp_quinn::server_config(config)?;
    server.transport_config(Arc::new(serving::transport(limit, send_limit)));
    server.max_incoming(WAITING).incoming_buffer_size(ONES_BYTES).incoming_buffer_size_total(WAITING_BYTES);
    Ok(Endpoint::new(own, Some(server), socket, Arc::new(TokioRuntime))?)
}

/// The next connection. None where there is no endpoint: that takes for ever.
pub(super) async fn next(endpoint: Option<&Endpoint>) -> Option<Incoming> {
    match endpoint {
        Some(endpoint) => endpoint.accept().await,
        None => core::future::pending().await,
    }
}

/// The handshake.
pub(super) async fn accept(incoming: Incoming) -> Result<(Connection, Arc<Facts>), Failure> {
    let failed = |error: ConnectionError| match http3::end(&error) {
        End::Alert(alert) => alert.into(),
        End::Otherwise(failure) | End::Unreachable(failure) => failure,
        End::Silence | End::InPeace => Failure::no("the client went away during the handshake"),
    };
    let connection = incoming.accept().map_err(failed)?.await.map_err(failed)?;
    let facts = http3::facts(&connection).ok_or_else(|| Failure::cannot("the handshake has no outcome"))?;
    Ok((connection, facts))
}

/// Whether a client has to show first that it is where its packets say (RFC 9000 8.1): once half of the places are taken. Nobody
/// takes the others with addresses that are not his, as SYN cookies have it for TCP.
pub(super) fn must_show_its_address(incoming: &Incoming, seats: &Semaphore, most: usize) -> bool {
    !incoming.remote_address_validated() && incoming.may_retry() && seats.available_permits() < most.div_ceil(2)
}

/// What the answers over TCP say of it.
pub(super) fn alt_svc(port: u16) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{PROTOCOL}=\":{port}\"; ma={MAX_AGE}")).ok()
}

/// Takes nobody in any more. Whoever is there stays; the port with it.
pub(super) fn stop(endpoint: &Endpoint) {
    endpoint.set_server_config(None);
}

/// Ends what is still there, and lets the last packets leave.
pub(super) async fn end(endpoint: &Endpoint) {
    endpoint.close(serving::cut_off(), b"the server stops");
    let _left = timeout(PARTING, endpoint.wait_idle()).await;
}
