//! HTTP/3 on a connection: h3's, with the same answers and limits as HTTP/2.

use super::activity::Activity;
use super::http::{LOOK, PARTING, STREAMS, Service, Since};
use crate::failure::Failure;
use crate::http3::{self, Connection, End, FIELDS};
use core::future::poll_fn;
use core::task::Poll;
use h3::error::Code;
use h3::server::RequestResolver;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_LENGTH, DATE, HeaderValue};
use quinn::{IdleTimeout, TransportConfig, VarInt};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// What a client may send on a stream before it is read, and on all: requests are small, and bodies are not read.
const STREAM_WINDOW: u32 = 64 << 10;
const WINDOW: u32 = 1 << 20;
/// What is held of a connection's answers until the client acknowledges it. For a path of 100 ms that is 10 megabytes a second.
const SEND_WINDOW: u64 = 1 << 20;
/// Streams of one direction: HTTP/3 has three (RFC 9114 6.2), and some that mean nothing.
const ONE_WAY: u32 = 8;
/// The client's messages within the handshake, its chain too.
const CRYPTO: usize = 64 << 10;

/// What a client may make us hold. A connection dies in silence once it would have been ended by the limits for HTTP.
pub(super) fn transport(limit: Duration, send_limit: Duration) -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(STREAMS.into()).max_concurrent_uni_streams(ONE_WAY.into());
    transport.stream_receive_window(STREAM_WINDOW.into()).receive_window(WINDOW.into()).send_window(SEND_WINDOW);
    transport.datagram_receive_buffer_size(None).crypto_buffer_size(CRYPTO);
    transport.max_idle_timeout(IdleTimeout::try_from(limit.max(send_limit) + PARTING).ok());
    transport
}

/// Speaks HTTP/3 until either side has had enough.
pub(super) async fn http3(service: Service, quic: quinn::Connection) -> Result<(), Failure> {
    let service = Arc::new(service);
    let activity = Arc::new(Activity::new(service.backlog.clone(), true));
    let mut builder = h3::server::builder();
    builder.max_field_section_size(FIELDS);
    // Who gives us no stream of our own to say so has no SETTINGS.
    let building = timeout(service.limit, builder.build(Connection::server(quic.clone()))).await;
    let Ok(built) = building else { return Err(service.too_late()) };
    let mut http = built.map_err(|error| why(&quic, &error))?;
    let mut answers = JoinSet::new();
    let (mut since, mut sent) = (Since::new(Instant::now()), 0);
    let mut stopping = false;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            accepted = http.accept() => match accepted {
                Ok(Some(request)) => {
                    answers.spawn(answer(Arc::clone(&service), Arc::clone(&activity), request));
                }
                // It wants nothing more, and has everything.
                Ok(None) => return Ok(()),
                // Who has all that it asked for just goes.
                Err(error) => return if is_departure(&quic, &activity) { Ok(()) } else { Err(why(&quic, &error)) },
            },
            _ = looks.tick() => {}
        }
        while answers.try_join_next().is_some() {}
        // What a client takes is sent; one that takes nothing has its windows closed, and whatever it says itself moves nothing.
        let frames = quic.stats().frame_tx.stream;
        service.backlog.take(usize::try_from(frames.saturating_sub(sent)).unwrap_or(usize::MAX));
        sent = frames;
        since.look(&activity, &service)?;
        let is_too_late = since.is_too_late(&service);
        if stopping && answers.is_empty() {
            return Ok(());
        }
        if (service.stop.is_asked() || is_too_late) && !stopping {
            stopping = true;
            // The next request is the first that is not answered: h3 counts from the last one that is.
            let said = timeout(PARTING, http.shutdown(1)).await;
            if is_too_late && !matches!(said, Ok(Ok(()))) {
                return Err(service.too_late());
            }
        }
    }
}

/// Whether a connection that has ended needs no words: nobody waits for an answer.
fn is_departure(quic: &quinn::Connection, activity: &Activity) -> bool {
    match quic.close_reason().as_ref().map(http3::end) {
        Some(End::InPeace) => true,
        Some(End::Silence) => !activity.is_busy(),
        _ => false,
    }
}

/// Why a connection has ended: QUIC knows better than HTTP, unless it is HTTP that ended it.
fn why(quic: &quinn::Connection, error: &h3::error::ConnectionError) -> Failure {
    match quic.close_reason().as_ref().map(http3::end) {
        Some(End::Alert(alert)) => alert.into(),
        Some(End::Otherwise(failure) | End::Unreachable(failure)) => failure,
        Some(End::Silence) => Failure::no("the client fell silent"),
        Some(End::InPeace) | None => Failure::no(error),
    }
}

type Request = RequestResolver<Connection, Bytes>;

/// Answers a request. What goes wrong with one is the client's affair: it sees that its stream was reset.
async fn answer(service: Arc<Service>, activity: Arc<Activity>, request: Request) {
    // One that does not come to its end is reset.
    let Ok(Ok((request, mut stream))) = timeout(service.limit, request.resolve_request()).await else { return };
    // Its end has mostly come along, and is taken notice of; a body is not read.
    poll_fn(|cx| {
        let _end = stream.poll_recv_data(cx).map(drop);
        Poll::Ready(())
    })
    .await;
    let (mut head, mut body) = service.page(&request, false, &activity).await.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    if let Some(date) = date() {
        head.headers.insert(DATE, date);
    }
    if stream.send_response(Response::from_parts(head, ())).await.is_err() {
        return;
    }
    while let Some(piece) = body.frame().await {
        let Ok(piece) = piece.map(|frame| frame.into_data().unwrap_or_default()) else {
            stream.stop_stream(Code::H3_INTERNAL_ERROR);
            return;
        };
        if stream.send_data(piece).await.is_err() {
            return;
        }
    }
    // Until then it is no answer: whoever stops would close the connection under it.
    let _arrived = stream.finish().await;
    drop(body);
    // A client may take it amiss where the end of its request is stopped while it is on its way.
    let _ended = timeout(PARTING, stream.recv_data()).await.map(drop);
}

/// RFC 9110 6.6.1: a server with a clock says when.
fn date() -> Option<HeaderValue> {
    let form =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    HeaderValue::try_from(OffsetDateTime::now_utc().format(form).ok()?).ok()
}

/// HTTP/3's code for a server that ends what it has begun.
pub(super) fn cut_off() -> VarInt {
    VarInt::from_u64(Code::H3_INTERNAL_ERROR.value()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_has_the_form_of_http() {
        let date = date().unwrap();
        let date = date.to_str().unwrap();
        assert_eq!((date.len(), &date[3..5], &date[25..]), (29, ", ", " GMT"), "{date}");
    }
}
