//! A transport of ureq 3 over Clasp's blocking stream: all that it takes.

use clasp::{ClientConfig, ServerName, Stream};
use std::io::{Read, Write};
use std::sync::Arc;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Error};

/// An agent whose `https://` is spoken with this configuration.
pub(crate) fn agent(config: Arc<ClientConfig>) -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(ClaspConnector(config));
    Agent::with_parts(ureq::config::Config::default(), connector, DefaultResolver::default())
}

#[derive(Debug)]
struct ClaspConnector(Arc<ClientConfig>);

impl<In: Transport> Connector<In> for ClaspConnector {
    type Out = Either<In, ClaspTransport<In>>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::BadUri(details.uri.to_string()))?;
        let connection = self.0.connect(name);
        let clock: Arc<dyn Fn() -> Instant + Send + Sync> = details.current_time.clone();
        let mut adapter = TransportAdapter::new(transport, clock);
        adapter.set_timeout(details.timeout);
        let mut stream = Stream::new(connection, adapter);
        stream.handshake()?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(ClaspTransport { stream, buffers })))
    }
}

struct ClaspTransport<In: Transport> {
    stream: Stream<TransportAdapter<In>>,
    buffers: LazyBuffers,
}

impl<In: Transport> Transport for ClaspTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.transport_mut().set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(self.stream.flush()?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.transport_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.transport_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<In: Transport> core::fmt::Debug for ClaspTransport<In> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ClaspTransport")
    }
}
