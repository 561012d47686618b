//! Bytes that were read before there was an exchange.

use super::Exchange;

impl Exchange {
    /// Puts in bytes of the transport that somebody has read already, a [`HelloReader`](crate::hello::HelloReader) for one:
    /// they count as if they had arrived in the [`room`](Self::room), before all that arrives now.
    ///
    /// ```
    /// # fn serve(config: &std::sync::Arc<clasp::ServerConfig>, read: &[u8], tcp: std::net::TcpStream) -> std::io::Result<()> {
    /// let mut exchange = clasp::Exchange::new(config.accept());
    /// exchange.put(read);
    /// let mut tls = clasp::Stream::from_parts(exchange, tcp);
    /// tls.handshake()?;
    /// # Ok(()) }
    /// ```
    pub fn put(&mut self, bytes: &[u8]) {
        self.incoming.put(bytes);
    }
}
