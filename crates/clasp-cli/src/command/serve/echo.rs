//! `clasp serve --echo`: what comes goes back.

use crate::failure::Failure;
use crate::stop::Stop;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Sends back what comes, until the client ends, says and takes nothing for too long, or the server stops.
pub(super) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    limit: Duration,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut buffer = vec![0; 32 << 10];
    let idle = || Failure::cannot(format_args!("nothing came or went for {} s", limit.as_secs()));
    loop {
        let read = tokio::select! {
            biased;
            () = stop.wait() => break,
            read = timeout(limit, stream.read(&mut buffer)) => read,
        };
        let Ok(read) = read else {
            // A goodbye is heard by whoever only had nothing to say.
            let _heard = timeout(limit, stream.shutdown()).await;
            return Err(idle());
        };
        let mut rest = match read.map_err(Failure::from_io)? {
            0 => break,
            n => buffer.get(..n).unwrap_or_default(),
        };
        // Each part that goes has the time anew: a slow client is not one that is gone.
        while !rest.is_empty() {
            let sent = timeout(limit, stream.write(rest)).await.map_err(|_| idle())?.map_err(Failure::from_io)?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        timeout(limit, stream.flush()).await.map_err(|_| idle())?.map_err(Failure::from_io)?;
    }
    // The client has gone, or is told.
    let _heard = timeout(limit, stream.shutdown()).await;
    Ok(())
}
