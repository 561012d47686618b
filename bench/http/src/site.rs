//! What the servers serve.

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use std::time::Duration;

/// `/small` is two dozen bytes, `/large` 1 MiB, `/slow` small after two seconds: whoever asks for it a thousand times at once has a
/// thousand connections.
pub fn app() -> Router {
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    let small = || async { "a few words, and no more" };
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        "late"
    };
    Router::new()
        .route("/small", get(small))
        .route("/slow", get(slow))
        .route("/large", get(move || async move { large }))
}
