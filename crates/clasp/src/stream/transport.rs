//! Between the bytes on their way and a blocking transport. Whatever the transport answers, each byte goes once.
//!
//! Who waits for the peer has said all that there is to say before, and has the transport say it: one with a buffer of its
//! own would hold it back for ever.

use crate::exchange::{Incoming, Outgoing};
use std::io::{self, ErrorKind, Read, Write};

/// Gives the transport what waits for it.
pub(super) fn drain(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    while let unsent @ [_, ..] = outgoing.unsent() {
        match transport.write(unsent) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => outgoing.sent(n),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// The same, and makes the transport let go of it.
pub(super) fn push(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    drain(outgoing, transport)?;
    if outgoing.is_unflushed() { flush(outgoing, transport) } else { Ok(()) }
}

fn flush(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    loop {
        match transport.flush() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => {
                outgoing.not_flushed();
                return Err(e);
            }
            Ok(()) => {
                outgoing.flushed();
                return Ok(());
            }
        }
    }
}

/// The same for whoever reads, or has been taken at his word: he is not told what the transport says, the next who writes
/// is. A transport that has failed is left alone until then; one that was too slow may have come round.
pub(super) fn push_quietly(outgoing: &mut Outgoing, transport: &mut impl Write) {
    if outgoing.error().is_none_or(|e| e.kind() == ErrorKind::TimedOut) {
        let pushed = push(outgoing, transport);
        keep(outgoing, pushed);
    }
}

/// Keeps an error. A transport that would block has done nothing wrong: it gets the rest with the next step.
pub(super) fn keep(outgoing: &mut Outgoing, done: io::Result<()>) {
    match done {
        Err(e) if e.kind() != ErrorKind::WouldBlock => outgoing.keep_error(e),
        _ => {}
    }
}

/// What a flush does: tells of the error that was kept, or sends all there is.
pub(super) fn flush_all(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    told(outgoing)?;
    drain(outgoing, transport)?;
    flush(outgoing, transport)
}

/// Tells of the error that was kept.
pub(super) fn told(outgoing: &mut Outgoing) -> io::Result<()> {
    outgoing.take_error().map_or(Ok(()), Err)
}

/// What a close does: sends all there is. If that works now, there is nothing to tell of any more.
pub(super) fn finish(outgoing: &mut Outgoing, transport: &mut impl Write) -> io::Result<()> {
    drain(outgoing, transport)?;
    flush(outgoing, transport)?;
    drop(outgoing.take_error());
    Ok(())
}

/// Bytes of the transport; none at its end.
pub(super) fn read_some(incoming: &mut Incoming, transport: &mut impl Read) -> io::Result<usize> {
    if incoming.is_at_end() {
        return Ok(0);
    }
    loop {
        match transport.read(incoming.room()) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Ok(n) => {
                incoming.arrived(n);
                return Ok(n);
            }
            failed => return failed,
        }
    }
}
