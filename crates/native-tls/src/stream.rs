//! An established stream.

use crate::{Certificate, Identity, Result};
use clasp::{Facts, Stream};
use core::fmt;
use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

/// A TLS stream. Reading gives 0 after the peer's close_notify, and, as the original has it, where the transport ends without it:
/// then data may be missing, and [`is_truncated`](Self::is_truncated) says so.
pub struct TlsStream<S> {
    stream: Stream<S>,
    facts: Arc<Facts>,
    /// Server: who we are.
    own: Option<Identity>,
    truncated: bool,
}

impl<S> TlsStream<S> {
    pub(crate) const fn new(stream: Stream<S>, facts: Arc<Facts>, own: Option<Identity>) -> Self {
        Self { stream, facts, own, truncated: false }
    }

    /// The transport.
    pub fn get_ref(&self) -> &S {
        self.stream.transport()
    }

    /// The transport. What is read or written here is missing from the TLS connection, which then fails.
    pub fn get_mut(&mut self) -> &mut S {
        self.stream.transport_mut()
    }

    /// What the handshake settled. The original has nothing like it.
    pub const fn facts(&self) -> &Arc<Facts> {
        &self.facts
    }

    /// Whether reading has come to an end that was not the peer's word: somebody between may have cut the stream, so that data is
    /// missing. Asked where the data itself does not say how much it is. The original has nothing like it.
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl<S: Read + Write> TlsStream<S> {
    /// How many bytes can be read without asking the transport.
    ///
    /// # Errors
    /// None: the signature is the original's.
    pub fn buffered_read_size(&self) -> Result<usize> {
        Ok(self.stream.buffered().len())
    }

    /// The peer's certificate, if it has shown one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn peer_certificate(&self) -> Result<Option<Certificate>> {
        self.facts.peer_chain().first().map(|der| Certificate::from_der(der)).transpose()
    }

    /// `tls-server-end-point` (RFC 5929 4): the hash of the server's certificate. None if there is none, or if its signature
    /// algorithm has no hash.
    ///
    /// # Errors
    /// None: the signature is the original's.
    pub fn tls_server_end_point(&self) -> Result<Option<Vec<u8>>> {
        let chain = self.own.as_ref().map_or_else(|| self.facts.peer_chain(), Identity::chain);
        let connection = self.stream.connection();
        Ok(chain.first().and_then(|der| connection.tls_server_end_point(der).ok()))
    }

    /// The application protocol that was agreed on (RFC 7301).
    ///
    /// # Errors
    /// None: the signature is the original's.
    pub fn negotiated_alpn(&self) -> Result<Option<Vec<u8>>> {
        Ok(self.facts.alpn.as_ref().map(|protocol| protocol.to_vec()))
    }

    /// Says close_notify. The peer's data can still be read.
    ///
    /// # Errors
    /// The transport's; the call can be made again.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.stream.close()
    }
}

impl<S: Read + Write> Read for TlsStream<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.stream.read(buf) {
            // Programs of this API drop their streams, and end their data by that: the original, on every system, knows no other
            // end than 0.
            Err(error) if clasp::Error::from_io(&error).is_some_and(clasp::Error::is_truncation) => {
                self.truncated = true;
                Ok(0)
            }
            read => read,
        }
    }
}

impl<S: Read + Write> Write for TlsStream<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl<S: fmt::Debug> fmt::Debug for TlsStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsStream").field(self.get_ref()).finish()
    }
}
