//! rustls, with each of its three sources of primitives.

mod of_aws_lc;
mod of_graviola;
mod of_ring;

use anyhow::{Context as _, Result};
use bench_harness::credentials::{Credentials, Family, Identity};
use bench_harness::primitive::Primitive;
use bench_harness::scenario::{Cipher, Exchange, Resume, SERVER_NAME, Scenario, Version};
use bench_harness::{Connection, Offer, Operation, Peer, Settled, Sides, Wire};
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

/// rustls with one source of primitives.
struct Rustls {
    describes: &'static str,
    provider: fn() -> CryptoProvider,
    ticketer: fn() -> Result<Arc<dyn ProducesTickets>, rustls::Error>,
    primitive: fn(Primitive, &Credentials) -> Result<Offer<Operation>>,
}

const FLAVOURS: [(&str, Rustls); 3] = [
    (
        "--aws-lc",
        Rustls {
            describes: "rustls 0.23 with aws-lc-rs 1.19",
            provider: rustls::crypto::aws_lc_rs::default_provider,
            ticketer: rustls::crypto::aws_lc_rs::Ticketer::new,
            primitive: of_aws_lc::find,
        },
    ),
    (
        "--ring",
        Rustls {
            describes: "rustls 0.23 with ring 0.17",
            provider: rustls::crypto::ring::default_provider,
            ticketer: rustls::crypto::ring::Ticketer::new,
            primitive: of_ring::find,
        },
    ),
    (
        "--graviola",
        Rustls {
            describes: "rustls 0.23 with graviola 0.4",
            provider: rustls_graviola::default_provider,
            ticketer: rustls_graviola::Ticketer::new,
            primitive: of_graviola::find,
        },
    ),
];

fn main() -> ExitCode {
    let flavour = std::env::args().nth(1);
    match FLAVOURS.iter().find(|(name, _)| Some(*name) == flavour.as_deref()) {
        Some((_, rustls)) => bench_harness::main(rustls),
        None => {
            eprintln!("first argument: one of {}", FLAVOURS.map(|(name, _)| name).join(", "));
            ExitCode::FAILURE
        }
    }
}

impl Peer for Rustls {
    fn describe(&self) -> String {
        self.describes.into()
    }

    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
        if scenario.exchange == Exchange::Rsa || scenario.cipher == Cipher::CbcSha1 {
            return Ok(Offer::Lacks("RSA key transport and CBC"));
        }
        let mut provider = (self.provider)();
        provider.cipher_suites.retain(|suite| name(*suite) == scenario.suite());
        let group = match scenario.exchange {
            Exchange::P256 => rustls::NamedGroup::secp256r1,
            Exchange::Hybrid => rustls::NamedGroup::X25519MLKEM768,
            _ => rustls::NamedGroup::X25519,
        };
        provider.kx_groups.retain(|g| g.name() == group);
        if provider.kx_groups.is_empty() {
            return Ok(Offer::Lacks("X25519MLKEM768"));
        }
        let provider = Arc::new(provider);
        let family = credentials.of(scenario);
        Ok(Offer::Has(Box::new(Configs {
            client: Arc::new(client(scenario, family, &provider)?),
            server: Arc::new(self.server(scenario, family, &provider)?),
        })))
    }

    fn primitive(&self, primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
        (self.primitive)(primitive, credentials)
    }
}

impl Rustls {
    fn server(&self, scenario: &Scenario, family: &Family, provider: &Arc<CryptoProvider>) -> Result<ServerConfig> {
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions(scenario))?;
        let builder = if scenario.mutual {
            let roots = Arc::new(roots(family)?);
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?,
            )
        } else {
            builder.with_no_client_auth()
        };
        let (chain, key) = identity(&family.server);
        let mut config = builder.with_single_cert(chain, key)?;
        config.send_tls13_tickets = 1;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        if scenario.resume == Resume::SessionId {
            config.session_storage = ServerSessionMemoryCache::new(1024);
        }
        if scenario.sends_ticket() {
            config.ticketer = (self.ticketer)()?;
        }
        Ok(config)
    }
}

fn client(scenario: &Scenario, family: &Family, provider: &Arc<CryptoProvider>) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions(scenario))?
        .with_root_certificates(roots(family)?);
    let mut config = if scenario.mutual {
        let (chain, key) = identity(&family.client);
        builder.with_client_auth_cert(chain, key)?
    } else {
        builder.with_no_client_auth()
    };
    config.resumption = match scenario.resume {
        Resume::Full => Resumption::disabled(),
        Resume::SessionId => Resumption::in_memory_sessions(256).tls12_resumption(Tls12Resumption::SessionIdOnly),
        Resume::Ticket => Resumption::in_memory_sessions(256),
    };
    Ok(config)
}

fn versions(scenario: &Scenario) -> &'static [&'static SupportedProtocolVersion] {
    static TLS12: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS12];
    static TLS13: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];
    match scenario.version {
        Version::Tls12 => &TLS12,
        Version::Tls13 => &TLS13,
    }
}

fn roots(family: &Family) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(family.root.der.clone()))?;
    Ok(roots)
}

fn identity(issued: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = issued.chain.iter().map(|c| CertificateDer::from(c.der.clone())).collect();
    (chain, PrivatePkcs8KeyDer::from(issued.key_der.clone()).into())
}

/// A suite's registered name: rustls writes TLS13 where the registry has TLS.
fn name(suite: rustls::SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
}

struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Sides for Configs {
    fn client(&self) -> Result<Box<dyn Connection>> {
        let name = ServerName::try_from(SERVER_NAME)?;
        Ok(Box::new(End(ClientConnection::new(self.client.clone(), name)?.into())))
    }

    fn server(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(End(ServerConnection::new(self.server.clone())?.into())))
    }
}

struct End(rustls::Connection);

impl End {
    /// Takes what it can of `input`.
    fn take(&mut self, input: &mut &[u8]) -> Result<rustls::IoState> {
        self.0.read_tls(input)?;
        Ok(self.0.process_new_packets()?)
    }

    fn write_all(&mut self, out: &mut Wire) -> Result<()> {
        while self.0.wants_write() {
            self.0.write_tls(out)?;
        }
        Ok(())
    }
}

impl Connection for End {
    fn handshake(&mut self, input: &mut Wire, out: &mut Wire) -> Result<()> {
        let mut input = input.bytes();
        while !input.is_empty() {
            self.take(&mut input)?;
        }
        self.write_all(out)
    }

    fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    fn send(&mut self, mut data: &[u8], out: &mut Wire) -> Result<()> {
        while !data.is_empty() {
            let taken = self.0.writer().write(data)?;
            data = data.get(taken..).unwrap_or_default();
            self.write_all(out)?;
        }
        Ok(())
    }

    fn receive(&mut self, input: &mut Wire, buffer: &mut [u8]) -> Result<usize> {
        let (mut input, mut total) = (input.bytes(), 0);
        while !input.is_empty() {
            let mut waiting = self.take(&mut input)?.plaintext_bytes_to_read();
            total += waiting;
            while waiting > 0 {
                waiting -= self.0.reader().read(buffer)?;
            }
        }
        Ok(total)
    }

    fn settled(&self) -> Result<Settled> {
        Ok(Settled {
            suite: name(self.0.negotiated_cipher_suite().context("no suite")?),
            resumed: self.0.handshake_kind() == Some(HandshakeKind::Resumed),
            peer_certificate: self.0.peer_certificates().is_some(),
        })
    }
}
