//! A connection in two halves, for two threads. Each half has its own keys; no lock stands between them.
//!
//! What the receiving half finds that the peer must be told, the sending half says with its next call: the two share an
//! error that is set once, and a flag.

use super::floods::Floods;
use super::{Connection, Moved, Owes, Received, warm};
use crate::code::AlertDescription;
use crate::error::{Error, Misuse, Result};
use crate::established::Established;
use crate::record::Opener;
use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// What the halves have to tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// What ended the connection, in whichever half.
    failed: OnceLock<Error>,
    /// The peer has asked for new keys: RFC 9846 4.6.3.
    update_asked: AtomicBool,
    /// So many KeyUpdates of the peer have been asked for.
    answers_due: AtomicU8,
}

impl Shared {
    /// The first error stands.
    fn fail(&self, error: &Error) {
        self.failed.get_or_init(|| error.clone());
    }
}

/// The half that receives: [`Connection::into_split`].
///
/// It says nothing to the peer. Where it fails, or the peer asks for new keys, [`Sender::is_due`] says so, and the sending
/// half says the rest.
#[derive(Debug)]
pub struct Receiver {
    /// All of the connection but what sends; that direction is closed.
    half: Connection,
    shared: Arc<Shared>,
}

/// The half that sends: [`Connection::into_split`].
///
/// Where the receiving half has failed, every call fails with the same error, and the alert goes out with the first that
/// takes a vector.
#[derive(Debug)]
pub struct Sender {
    /// What sends, and nothing else.
    half: Connection,
    shared: Arc<Shared>,
}

impl Connection {
    /// Takes an established connection apart, so that one thread can send while another receives. Each half has its own
    /// keys, keeps the limits of their use and moves them on by itself.
    ///
    /// A client goes on taking tickets. A certificate can no longer be asked for. [`rest`](Self::rest) is not to be had
    /// any more. An observer hears of both halves under the number of the connection, from two threads, and flights are
    /// counted no further.
    ///
    /// ```
    /// # use clasp::{Connection, Error};
    /// # use std::io::IoSlice;
    /// # fn both_ways(connection: Connection, mut arrived: Vec<u8>) -> Result<(), Error> {
    /// let (mut sender, mut receiver) = connection.into_split().map_err(|(_whole, error)| error)?;
    /// std::thread::scope(|threads| {
    ///     threads.spawn(move || {
    ///         let mut out = Vec::new();
    ///         sender.send(&[IoSlice::new(b"from this thread")], &mut out)?;
    ///         sender.close(&mut out)?;
    ///         // ... `out` goes to the peer.
    ///         Ok::<(), Error>(())
    ///     });
    ///     let received = receiver.receive(&mut arrived)?;
    ///     println!("{} bytes of data in this one", received.data.len());
    ///     Ok(())
    /// })
    /// # }
    /// ```
    ///
    /// # Errors
    /// Gives the connection back: if the handshake is not done, if it has failed, if early data that was refused has not
    /// been taken, if a certificate that was asked for is still out, or if this is a client that has agreed to be asked
    /// for one ([`post_handshake_auth`](crate::config::ClientBuilder::post_handshake_auth)), whose answer would need both.
    #[expect(clippy::result_large_err, reason = "the connection goes back to whoever had it")]
    pub fn into_split(mut self) -> core::result::Result<(Sender, Receiver), (Self, Error)> {
        let awake = self.check_split().and_then(|()| self.wake_reading()).and_then(|()| self.wake_sending());
        if let Err(error) = awake {
            return Err((self, error));
        }
        let shared = Arc::<Shared>::default();
        let sending = Self {
            sealer: self.sealer.split(),
            established: self.established.as_mut().and_then(Established::split_sending),
            owes: core::mem::replace(&mut self.owes, Owes::Nothing),
            floods: Floods::default(),
            tracer: self.tracer.clone(),
            clock: self.clock.clone(),
            opener: Opener::default(),
            joiner: None,
            live: None,
            failed: None,
            beside: None,
            post_auth: None,
            warm: warm::Claim::default(),
            seat: warm::Seat::default(),
            ..self
        };
        let receiving = Self { closed: true, post_auth: None, ..self };
        Ok((Sender { half: sending, shared: shared.clone() }, Receiver { half: receiving, shared }))
    }

    fn check_split(&self) -> Result<()> {
        self.check_failed()?;
        if self.live.is_some() || self.established.is_none() {
            return Err(Misuse::HandshakeUnfinished.into());
        }
        let pending = if self.early().is_some() {
            "early data that was refused and not taken"
        } else if self.certificate_is_due() {
            "a certificate that is still out"
        } else if self.post_auth.is_some() && !self.server {
            "a client that may be asked for a certificate"
        } else {
            return Ok(());
        };
        Err(Error::from(Misuse::CannotSplit).seen(pending))
    }
}

impl Receiver {
    /// As [`Connection::receive`].
    ///
    /// # Errors
    /// The connection has failed, in whichever half.
    pub fn receive<'b>(&mut self, input: &'b mut [u8]) -> Result<Received<'b>> {
        self.call(|half, out| half.receive(input, out))
    }

    /// As [`Connection::receive_into`].
    ///
    /// # Errors
    /// The connection has failed, in whichever half.
    pub fn receive_into(&mut self, input: &mut [u8], data: &mut [u8]) -> Result<Moved> {
        self.call(|half, out| half.receive_into(input, data, out))
    }

    /// As [`Connection::transport_ended`].
    ///
    /// # Errors
    /// If the peer had not closed, or the connection had failed.
    pub fn transport_ended(&mut self) -> Result<()> {
        self.call(|half, _| half.transport_ended())
    }

    /// The connection, as far as it is here: what it settled, exporters, whether the peer has closed.
    pub fn connection(&self) -> &Connection {
        &self.half
    }

    /// Calls the half, unless the other has failed, and tells the other what has come up.
    pub(crate) fn call<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<R>) -> Result<R> {
        if let Some(error) = self.shared.failed.get() {
            return Err(self.half.failed.get_or_insert_with(|| error.clone()).clone());
        }
        if self.shared.answers_due.load(Ordering::Acquire) > 0 {
            let asked = self.shared.answers_due.swap(0, Ordering::AcqRel);
            self.half.floods.expect_answers(asked);
        }
        let mut said = Vec::new();
        let result = act(&mut self.half, &mut said);
        debug_assert!(said.is_empty(), "a direction that is closed says nothing");
        if core::mem::replace(&mut self.half.owes, Owes::Nothing) != Owes::Nothing {
            self.shared.update_asked.store(true, Ordering::Release);
        }
        if let Some(error) = &self.half.failed {
            self.shared.fail(error);
        }
        result
    }
}

impl Sender {
    /// As [`Connection::send`].
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: the alert stands in `out` then.
    pub fn send(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<usize> {
        self.say_failure(out)?;
        self.half.send(plain, out)
    }

    /// As [`Connection::send_into`].
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: [`say`](Self::say) tells the peer.
    pub fn send_into(&mut self, plain: &[IoSlice<'_>], out: &mut [u8]) -> Result<Moved> {
        self.check_shared()?;
        self.half.send_into(plain, out)
    }

    /// As [`Connection::send_in_place`].
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: [`say`](Self::say) tells the peer.
    pub fn send_in_place<'b>(&mut self, buffer: &'b mut [u8], len: usize) -> Result<&'b [u8]> {
        self.check_shared()?;
        self.half.send_in_place(buffer, len)
    }

    /// As [`Connection::sealed_len`]. The peer can ask for new keys between this and the next call, which then takes less.
    pub fn sealed_len(&mut self, plain: usize) -> usize {
        self.take_request();
        self.half.sealed_len(plain)
    }

    /// As [`Connection::update_keys`].
    ///
    /// # Errors
    /// As there, or if the receiving half has failed: the alert stands in `out` then.
    pub fn update_keys(&mut self, ask: bool, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        self.half.update_keys(ask, out)
    }

    /// Whether there is something for [`say`](Self::say), from the receiving half. Whoever sends all the time need not ask.
    pub fn is_due(&self) -> bool {
        let Shared { failed, update_asked, .. } = &*self.shared;
        let may_speak = !self.half.closed && self.half.failed.is_none();
        may_speak && (failed.get().is_some() || self.half.answer_is_due() || update_asked.load(Ordering::Acquire))
    }

    /// Says what the receiving half has found that the peer must be told: an answer to its KeyUpdate, or an alert.
    ///
    /// # Errors
    /// If the receiving half has failed: the alert stands in `out` then. Or if no record sequence number is left.
    pub fn say(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        if self.half.closed { Ok(()) } else { self.half.answer_update(out) }
    }

    /// As [`Connection::close`].
    ///
    /// # Errors
    /// If no record sequence number is left.
    pub fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self.say_failure(out) {
            Err(_the_end_already) => Ok(()),
            Ok(()) => self.half.close(out),
        }
    }

    /// As [`Connection::is_closed`].
    pub fn is_closed(&self) -> bool {
        self.half.closed
    }

    /// As [`Connection::abort`]; the receiving half fails too.
    ///
    /// # Errors
    /// If the connection has failed before.
    pub fn abort(&mut self, alert: AlertDescription, out: &mut Vec<u8>) -> Result<()> {
        self.say_failure(out)?;
        self.half.abort(alert, out)?;
        if let Some(error) = &self.half.failed {
            self.shared.fail(error);
        }
        Ok(())
    }

    /// Whether the receiving half has failed; what else it has to say is taken up.
    fn check_shared(&mut self) -> Result<()> {
        self.take_request();
        self.shared.failed.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// The same; of a failure the peer is told, once.
    fn say_failure(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let checked = self.check_shared();
        if let (Err(error), None) = (&checked, &self.half.failed) {
            self.half.say_alert(error, out);
            self.half.failed = Some(error.clone());
        }
        checked
    }

    fn take_request(&mut self) {
        // Looked at before it is taken: a line of memory that is only read stays with both threads.
        let asked = &self.shared.update_asked;
        if asked.load(Ordering::Acquire) && asked.swap(false, Ordering::AcqRel) {
            self.half.owes = self.half.owes.max(Owes::Update);
        }
        // What the last call asked for; a sum that does not fit is no worse than none.
        if let asked @ 1.. = self.half.floods.give_answers() {
            self.shared.answers_due.fetch_add(asked, Ordering::AcqRel);
        }
    }
}
