//! Taking what came, record by record: the same for a connection and for the half of one that receives.

use super::data::Moved;
use super::inbound::{Inbound, Taken};
use crate::code::ContentType;
use crate::error::{Error, Result};
use crate::handshake::link::Waiting;
use crate::record::frame;

/// What [`Connection::receive`](super::Connection::receive) did with the input.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received<'b> {
    /// This many bytes at the front of the input are done with.
    pub used: usize,
    /// Where `data` stands in the input.
    pub at: usize,
    /// Application data, decrypted in place; empty if there was none.
    pub data: &'b mut [u8],
    /// The data is early data (0-RTT): an attacker may have made it arrive again, and the client is not proven yet.
    pub early: bool,
}

/// Whoever receives. What the peer is to be told goes to `out`; a half that only receives has nothing to say.
pub(crate) trait Receives {
    /// As [`Connection::receive`](super::Connection::receive).
    fn receive<'b>(&mut self, input: &'b mut [u8], out: &mut Vec<u8>) -> Result<Received<'b>>;

    /// As [`Connection::receive_into`](super::Connection::receive_into).
    fn receive_into(&mut self, input: &mut [u8], data: &mut [u8], out: &mut Vec<u8>) -> Result<Moved>;

    /// As [`Connection::waiting`](super::Connection::waiting).
    fn waiting(&self) -> Waiting;

    /// As [`Connection::peer_closed`](super::Connection::peer_closed).
    fn peer_closed(&self) -> bool;

    /// Nothing will come for as long as nobody knows: the keys can be had again cheaply, unless many others come to wait
    /// meanwhile. One that has a seat keeps them where they are.
    fn doze(&mut self);
}

/// Whoever takes records.
pub(super) trait TakesRecords {
    fn inbound(&mut self) -> &mut Inbound;

    /// Sets the keys up that open records, if they were given back.
    fn wake_reading(&mut self) -> Result<()>;

    /// Whether another record is taken in a call that has said this many bytes.
    fn takes_more(&self, said: usize) -> bool;

    /// Whether data that comes now is early data.
    fn is_early(&self) -> bool;

    /// Takes one record, awake; its content is decrypted in place, or to `data` if that is given.
    fn take_record(
        &mut self,
        content: ContentType,
        record: &mut [u8],
        data: Option<&mut [u8]>,
        out: &mut Vec<u8>,
    ) -> Result<Taken>;

    /// Has failed.
    fn fail(&mut self, error: Error, out: &mut Vec<u8>) -> Error;
}

/// Takes records up to and including the first with data.
pub(super) fn receive<'b>(to: &mut impl TakesRecords, input: &'b mut [u8], out: &mut Vec<u8>) -> Result<Received<'b>> {
    let before = out.len();
    let mut used = 0;
    let mut data = 0..0;
    let mut early = false;
    while to.takes_more(out.len().saturating_sub(before)) {
        match next_record(to, input.get_mut(used..).unwrap_or_default(), out) {
            Ok(None) => break,
            Ok(Some((len, taken))) => {
                let start = used;
                used = start.saturating_add(len);
                if let Taken::Data(range) = taken {
                    data = start.saturating_add(range.start)..start.saturating_add(range.end);
                    early = to.is_early();
                    break;
                }
            }
            Err(error) => return Err(to.fail(error, out)),
        }
    }
    Ok(Received { used, at: data.start, data: input.get_mut(data).unwrap_or_default(), early })
}

fn next_record(to: &mut impl TakesRecords, input: &mut [u8], out: &mut Vec<u8>) -> Result<Option<(usize, Taken)>> {
    let inbound = to.inbound();
    match frame::next(input, !inbound.seen_record)? {
        frame::Frame::Partial(_) => Ok(None),
        frame::Frame::Record { content, len } => {
            inbound.seen_record = true;
            to.wake_reading()?;
            let record = input.get_mut(..len).unwrap_or_default();
            let taken = to.take_record(content, record, None, out)?;
            Ok(Some((len, taken)))
        }
    }
}

/// Takes records for as long as they are whole and have room in `data`.
pub(super) fn receive_into(
    to: &mut impl TakesRecords,
    input: &mut [u8],
    data: &mut [u8],
    out: &mut Vec<u8>,
) -> Result<Moved> {
    let mut moved = Moved::default();
    let before = out.len();
    while to.takes_more(out.len().saturating_sub(before)) {
        let input = input.get_mut(moved.taken..).unwrap_or_default();
        let data = data.get_mut(moved.given..).unwrap_or_default();
        match record_into(to, input, data, out) {
            Ok(None) => break,
            Ok(Some(Moved { taken, given })) => {
                moved.taken = moved.taken.saturating_add(taken);
                moved.given = moved.given.saturating_add(given);
            }
            Err(error) => {
                let error = to.fail(error, out);
                // What came before is good; the next call says what came then.
                return if moved.given > 0 { Ok(moved) } else { Err(error) };
            }
        }
    }
    Ok(moved)
}

/// One record, if it is whole and has room.
fn record_into(
    to: &mut impl TakesRecords,
    input: &mut [u8],
    data: &mut [u8],
    out: &mut Vec<u8>,
) -> Result<Option<Moved>> {
    let frame::Frame::Record { content, len } = frame::next(input, false)? else { return Ok(None) };
    to.wake_reading()?;
    let room = to.inbound().opener.room_for(len);
    let (Some(record), Some(place)) = (input.get_mut(..len), data.get_mut(..room)) else { return Ok(None) };
    let given = match to.take_record(content, record, Some(place), out)? {
        Taken::Nothing => 0,
        Taken::Data(range) => range.len(),
    };
    Ok(Some(Moved { taken: len, given }))
}
