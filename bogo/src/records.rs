//! TLS over TCP: the handshake in records.

use crate::failure::Failure;
use crate::wire::{Got, Socket, Wire};
use clasp::wire::code::AlertDescription;
use clasp::{Connection, Facts, Want};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;
use std::task::{Context, Waker};

/// One end of a test connection.
pub(crate) struct Records {
    tls: Connection,
    socket: Socket,
    input: Vec<u8>,
    /// How much of the input is shown to the connection: one byte more at a time under `-async`.
    shown: usize,
    slow: bool,
    ended: bool,
    unread: VecDeque<Vec<u8>>,
}

impl Records {
    pub(crate) fn new(tls: Connection, socket: Socket, slow: bool) -> Self {
        Self { tls, socket, input: Vec::new(), shown: 0, slow, ended: false, unread: VecDeque::new() }
    }

    /// Calls the connection and sends what it had to say, whether it failed or not.
    fn step<R>(&mut self, act: impl FnOnce(&mut Connection, &mut Vec<u8>) -> clasp::Result<R>) -> Result<R, Failure> {
        let mut out = Vec::new();
        let result = act(&mut self.tls, &mut out);
        self.socket.write(&out)?;
        Ok(result?)
    }

    fn read(&mut self) -> Result<Got, Failure> {
        if self.socket.read(&mut self.input)? {
            return Ok(Got::Nothing);
        }
        self.ended = true;
        if self.tls.is_handshaking() {
            self.tls.transport_ended()?;
        }
        Ok(Got::Closed)
    }
}

impl Wire for Records {
    fn begin(&mut self) -> Result<(), Failure> {
        let mut out = Vec::new();
        while self.tls.advance(&mut Context::from_waker(Waker::noop()), &mut out)? == Want::Outside {}
        self.socket.write(&out)
    }

    fn pull(&mut self) -> Result<Got, Failure> {
        if let Some(data) = self.unread.pop_front() {
            return Ok(Got::Data(data));
        }
        let want = self.step(|tls, out| tls.advance(&mut Context::from_waker(Waker::noop()), out))?;
        if want == Want::Outside {
            return Ok(Got::Nothing);
        }
        let shown = if self.slow { self.shown.min(self.input.len()) } else { self.input.len() };
        let mut input = core::mem::take(&mut self.input);
        let taken = self.step(|tls, out| {
            let received = tls.receive(&mut input[..shown], out)?;
            Ok((received.used, received.data.to_vec()))
        });
        self.input = input;
        let (used, data) = taken?;
        if used > 0 {
            self.input.drain(..used);
            self.shown = 0;
            return Ok(if data.is_empty() { Got::Nothing } else { Got::Data(data) });
        }
        if self.tls.peer_closed() {
            return Ok(Got::Closed);
        }
        if self.slow && self.shown < self.input.len() {
            self.shown += 1;
            return Ok(Got::Nothing);
        }
        self.read()
    }

    fn put_back(&mut self, data: Vec<u8>) {
        self.unread.push_back(data);
    }

    fn send(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.step(|tls, out| tls.send(&[IoSlice::new(data)], out)).map(drop)
    }

    fn takes_early_data(&self) -> bool {
        self.tls.early_data_left() > 0
    }

    fn send_early(&mut self, data: &[u8]) -> Result<usize, Failure> {
        self.step(|tls, out| tls.send_early(data, out))
    }

    fn forget_early_data(&mut self) {
        let _sent_again = self.tls.take_refused_early_data();
    }

    fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    fn facts(&self) -> Option<Arc<Facts>> {
        self.tls.facts().cloned()
    }

    fn failure(&self) -> Option<&clasp::Error> {
        self.tls.failure()
    }

    fn export(&self, label: &[u8], context: Option<&[u8]>, out: &mut [u8]) -> clasp::Result<()> {
        self.tls.export(label, context, out)
    }

    fn tls_unique(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.tls.tls_unique()?.to_vec())
    }

    fn peer_parameters(&self) -> Option<&[u8]> {
        None
    }

    fn update_keys(&mut self) -> Result<(), Failure> {
        self.step(|tls, out| tls.update_keys(false, out))
    }

    fn abort(&mut self, alert: AlertDescription) -> Result<(), Failure> {
        self.step(|tls, out| tls.abort(alert, out))
    }

    fn close(&mut self) -> Result<(), Failure> {
        self.step(|tls, out| tls.close(out))
    }

    fn peer_closed(&self) -> bool {
        self.tls.peer_closed()
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn finish(&mut self) {
        self.socket.finish();
    }
}
