//! Connections: bytes in, bytes out.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{free, give, or, out, run, there};
use crate::client::clasp_client_config;
use crate::error::{Result, clasp_error};
use crate::link::clasp_connection;
use crate::memory::{clasp_buffer, clasp_bytes};
use crate::server::clasp_server_config;
use crate::settings::server_name;
use clasp::wire::code::AlertDescription;
use core::mem::MaybeUninit;

/// Bytes of the transport are wanted: clasp_connection_feed, or clasp_connection_ended at its end.
pub const CLASP_WANTS_BYTES: u32 = 1;
/// There are bytes for the transport: clasp_connection_unsent, or clasp_connection_take.
pub const CLASP_WANTS_SENDING: u32 = 2;
/// There is plaintext to read: clasp_connection_read, or clasp_connection_data.
pub const CLASP_HAS_DATA: u32 = 4;
/// Plaintext can be written: clasp_connection_write.
pub const CLASP_CAN_WRITE: u32 = 8;

fn call(
    connection: Option<&mut clasp_connection>,
    work: impl FnOnce(&mut clasp_connection) -> Result<()>,
) -> Option<Box<clasp_error>> {
    run(|| there(connection, "connection")?.call(work))
}

/// Begins a connection to the server of this name: a DNS name, or an IP address in text (UTF-8). Its first bytes for the server can
/// be sent at once. Free *connection with clasp_connection_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_new_client(
    config: Option<&clasp_client_config>,
    server_name: clasp_bytes<'_>,
    connection: Option<&mut MaybeUninit<Option<Box<clasp_connection>>>>,
) -> Option<Box<clasp_error>> {
    give(connection, "connection", || {
        let config = there(config, "config")?.share();
        let begun = config.connect(self::server_name(server_name)?);
        Ok(Some(clasp_connection::new(begun)?))
    })
}

/// Begins a connection with a client, which speaks first. Free *connection with clasp_connection_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_new_server(
    config: Option<&clasp_server_config>,
    connection: Option<&mut MaybeUninit<Option<Box<clasp_connection>>>>,
) -> Option<Box<clasp_error>> {
    give(connection, "connection", || Ok(Some(clasp_connection::new(there(config, "config")?.share().accept())?)))
}

/// Frees a connection, and wipes its keys. NULL is borne. It says nothing to the peer: clasp_connection_close does.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_free(connection: Option<Box<clasp_connection>>) {
    free(connection);
}

/// What the connection can do now: CLASP_WANTS_... and CLASP_HAS_DATA, CLASP_CAN_WRITE, added up. 0 where it is done with, and of
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_wants(connection: Option<&clasp_connection>) -> u32 {
    or(0, || {
        let Some(here) = connection else { return 0 };
        let tls = here.connection();
        let alive = tls.failure().is_none();
        let flag = |yes: bool, flag: u32| if yes { flag } else { 0 };
        flag(alive && !tls.peer_closed() && !here.has_ended() && here.data().is_empty(), CLASP_WANTS_BYTES)
            | flag(!here.unsent().is_empty(), CLASP_WANTS_SENDING)
            | flag(!here.data().is_empty(), CLASP_HAS_DATA)
            | flag(alive && !tls.is_handshaking() && !tls.is_closed(), CLASP_CAN_WRITE)
    })
}

/// Gives the connection bytes that the transport has received, and has it do what follows. *taken is how many it took: fewer than all
/// where there is data to be read first; give it the rest then. After each call there may be bytes to send, after an error too: an
/// alert for the peer.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_feed(
    connection: Option<&mut clasp_connection>,
    received: clasp_bytes<'_>,
    taken: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let taken = out(taken, "taken")?;
        let connection = there(connection, "connection")?;
        let received = received.get("received")?;
        connection.call(|connection| connection.feed(received, taken))
    })
}

/// Says that the transport has ended: nothing more will be received. An error (CLASP_CODE_TRUNCATED) if the peer had not said that it
/// was done; where there is data to be read first, clasp_connection_read gives that error behind it.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_ended(connection: Option<&mut clasp_connection>) -> Option<Box<clasp_error>> {
    call(connection, clasp_connection::end)
}

/// Bytes for the transport, which need not be all. They last until the next call that changes the connection. Say with
/// clasp_connection_sent how many were sent, and look again. No bytes of NULL.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_unsent(connection: Option<&clasp_connection>) -> clasp_bytes<'_> {
    or(clasp_bytes::none(), || connection.map_or(clasp_bytes::none(), |here| clasp_bytes::of(here.unsent())))
}

/// The transport has taken the first `len` bytes of clasp_connection_unsent.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_sent(
    connection: Option<&mut clasp_connection>,
    len: usize,
) -> Option<Box<clasp_error>> {
    call(connection, |connection| {
        clasp_connection::within(len, connection.unsent().len())?;
        connection.exchange().sent(len);
        Ok(())
    })
}

/// Copies bytes for the transport into `buffer`, as many as there are and there is room for; they count as sent. *given is how many;
/// 0 if there are none.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_take(
    connection: Option<&mut clasp_connection>,
    mut buffer: clasp_buffer<'_>,
    given: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let given = out(given, "given")?;
        let connection = there(connection, "connection")?;
        let mut room = buffer.capacity("buffer")?;
        if room == 0 {
            return Err(clasp_error::short(0, connection.unsent().len()));
        }
        connection.call(|connection| {
            // What it said by itself may stand behind data: two pieces.
            while room > 0 && !connection.unsent().is_empty() {
                let len = buffer.append(connection.unsent(), "buffer")?;
                connection.exchange().sent(len);
                (*given, room) = (given.saturating_add(len), room.saturating_sub(len));
            }
            Ok(())
        })
    })
}

/// Plaintext of the peer where it was decrypted. It lasts until the next call that changes the connection. Say with
/// clasp_connection_consume how much was read. No bytes where there is nothing yet: clasp_connection_read looks for more.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_data(connection: Option<&clasp_connection>) -> clasp_bytes<'_> {
    or(clasp_bytes::none(), || connection.map_or(clasp_bytes::none(), |here| clasp_bytes::of(here.data())))
}

/// The first `len` bytes of clasp_connection_data have been read. The next are made ready, if there are some.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_consume(
    connection: Option<&mut clasp_connection>,
    len: usize,
) -> Option<Box<clasp_error>> {
    call(connection, |connection| {
        clasp_connection::within(len, connection.data().len())?;
        connection.exchange().consume(len);
        connection.ready()
    })
}

/// Copies plaintext of the peer into `buffer`. *given is how many bytes; 0 if there are none: the transport has to give more first,
/// or, where clasp_connection_peer_closed says so, there will be none. Call it until it gives 0.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_read(
    connection: Option<&mut clasp_connection>,
    mut buffer: clasp_buffer<'_>,
    given: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    give(given, "given", || {
        let connection = there(connection, "connection")?;
        if buffer.capacity("buffer")? == 0 {
            return Err(clasp_error::short(0, connection.data().len().max(1)));
        }
        connection.call(|connection| {
            connection.ready()?;
            let len = buffer.append(connection.data(), "buffer")?;
            connection.exchange().consume(len);
            Ok(len)
        })
    })
}

/// Encrypts plaintext for the peer. *taken is how much was taken: less than all where bytes have to be sent first; write the rest then.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_write(
    connection: Option<&mut clasp_connection>,
    plaintext: clasp_bytes<'_>,
    taken: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    give(taken, "taken", || {
        let connection = there(connection, "connection")?;
        let plaintext = plaintext.get("plaintext")?;
        connection.call(|connection| connection.write(plaintext))
    })
}

/// Says that nothing more will be written (close_notify), which is then to be sent. Data of the peer can still be read. A second close
/// does nothing.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_close(connection: Option<&mut clasp_connection>) -> Option<Box<clasp_error>> {
    call(connection, |connection| Ok(connection.exchange().call(|tls, out| tls.close(out))?))
}

/// Ends the connection with a fatal alert of this number (RFC 9846 6.2), which is then to be sent: 90 is user_canceled.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_abort(
    connection: Option<&mut clasp_connection>,
    alert: u8,
) -> Option<Box<clasp_error>> {
    call(connection, |connection| Ok(connection.exchange().call(|tls, out| tls.abort(AlertDescription(alert), out))?))
}

/// Ends the connection because the peer was too slow, by the caller's clock: Clasp has none. The alert is then to be sent, and
/// clasp_connection_failure says what was waited for.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_give_up(connection: Option<&mut clasp_connection>) -> Option<Box<clasp_error>> {
    call(connection, |connection| {
        let _kept_by_the_connection = connection.exchange().give_up();
        Ok(())
    })
}

/// TLS 1.3: moves our sending keys on, and asks the peer to do the same if `ask` (RFC 9846 4.6.3). The message is then to be sent.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_update_keys(
    connection: Option<&mut clasp_connection>,
    ask: bool,
) -> Option<Box<clasp_error>> {
    call(connection, |connection| Ok(connection.exchange().call(|tls, out| tls.update_keys(ask, out))?))
}

/// Nothing will happen for long: gives back what memory is not needed meanwhile. The next bytes take it again.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_rest(connection: Option<&mut clasp_connection>) -> Option<Box<clasp_error>> {
    call(connection, |connection| {
        connection.exchange().rest_long();
        Ok(())
    })
}

/// Whether the handshake is still going on.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_is_handshaking(connection: Option<&clasp_connection>) -> bool {
    or(false, || connection.is_some_and(|here| here.connection().is_handshaking()))
}

/// Client: whether the server has let us in, with our certificate or without the one that it asked for. In TLS 1.3 the handshake is
/// done before that is known.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_is_confirmed(connection: Option<&clasp_connection>) -> bool {
    or(false, || connection.is_some_and(|here| here.connection().is_confirmed()))
}

/// Whether the peer has said that it is done (close_notify): what has been read is all there is.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_peer_closed(connection: Option<&clasp_connection>) -> bool {
    or(false, || connection.is_some_and(|here| here.connection().peer_closed()))
}

/// Whether we have: nothing more can be written.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_is_closed(connection: Option<&clasp_connection>) -> bool {
    or(false, || connection.is_some_and(|here| here.connection().is_closed()))
}

/// The error that ended the connection, or NULL. It belongs to the connection, and lasts as long.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_failure(connection: Option<&clasp_connection>) -> Option<&clasp_error> {
    connection.and_then(clasp_connection::failure)
}
