//! Clasp, by its sans-IO face: [`clasp::Connection`].

mod primitives;

use anyhow::{Context as _, Result, bail, ensure};
use bench_harness::credentials::{Credentials, Family, Identity as Issued};
use bench_harness::primitive::Primitive;
use bench_harness::scenario::{Exchange, Key, Resume, SERVER_NAME, Scenario, Version};
use bench_harness::{Connection, Offer, Operation, Peer, Settled, Sides, Wire};
use clasp::config::WebPki;
use clasp::crypto::Provider;
use clasp::session::{ClientSessions, PeerKey, Session, TicketKeys};
use clasp::suite::{SUITES, SUITES13};
use clasp::wire::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use clasp::{ClientAuth, ClientConfig, Identity, Policy, Roots, ServerConfig, ServerName};
use std::io::IoSlice;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

fn main() -> ExitCode {
    bench_harness::main(&Clasp)
}

struct Clasp;

impl Peer for Clasp {
    fn describe(&self) -> String {
        "Clasp".into()
    }

    fn knows_chains(&self) -> bool {
        true
    }

    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
        let family = credentials.of(scenario);
        let policy = policy(scenario)?;
        let name = ServerName::try_from(SERVER_NAME)?;
        let sides =
            Configs { client: client(scenario, family, &policy)?, server: server(scenario, family, &policy)?, name };
        Ok(Offer::Has(Box::new(sides)))
    }

    fn primitive(&self, primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>> {
        primitives::find(primitive, credentials)
    }
}

/// What the row is about and nothing else.
fn policy(scenario: &Scenario) -> Result<Policy> {
    let (version, codes): (_, Vec<CipherSuite>) = match scenario.version {
        Version::Tls12 => (ProtocolVersion::Tls12, SUITES.iter().map(|s| s.code).collect()),
        Version::Tls13 => (ProtocolVersion::Tls13, SUITES13.iter().map(|s| s.code).collect()),
    };
    let suite = codes.into_iter().find(|code| code.name() == scenario.suite()).context("no such suite")?;
    let groups = scenario.groups().iter().filter_map(|group| match group {
        Exchange::X25519 => Some(NamedGroup::X25519),
        Exchange::P256 => Some(NamedGroup::Secp256r1),
        Exchange::Hybrid => Some(NamedGroup::X25519MlKem768),
        Exchange::Rsa => None,
    });
    let schemes = match scenario.key {
        Key::EcdsaP256 => vec![SignatureScheme::EcdsaSecp256r1Sha256],
        Key::Rsa2048 => vec![SignatureScheme::RsaPssRsaeSha256, SignatureScheme::RsaPkcs1Sha256],
    };
    Ok(Policy::legacy()
        .with_versions([version])
        .with_suites([suite])
        .with_groups(groups.collect::<Vec<_>>())
        .with_schemes(schemes))
}

fn roots(family: &Family) -> Result<Arc<Roots>> {
    let mut roots = Roots::empty();
    roots.add_pem(family.root.pem.as_bytes())?;
    Ok(Arc::new(roots))
}

/// Every chain anew, as the other libraries do, but where the row is about chains that are known.
fn checking(scenario: &Scenario, verifier: WebPki) -> WebPki {
    if scenario.known { verifier } else { verifier.remember(0) }
}

fn identity(issued: &Issued) -> Result<Identity> {
    Ok(Identity::from_der(issued.chain.iter().map(|c| c.der.clone().into()).collect(), &issued.key_der)?)
}

fn client(scenario: &Scenario, family: &Family, policy: &Policy) -> Result<Arc<ClientConfig>> {
    let mut builder = ClientConfig::builder()
        .dangerous_verifier(Arc::new(checking(scenario, WebPki::servers(roots(family)?))))
        .policy(policy.clone())
        .session_tickets(scenario.sends_ticket())
        .encrypt_then_mac(false);
    if scenario.mutual {
        builder = builder.identity(identity(&family.client)?);
    }
    if scenario.resume == Resume::Full {
        builder = builder.sessions(Arc::new(Forgetful));
    }
    Ok(builder.build()?)
}

fn server(scenario: &Scenario, family: &Family, policy: &Policy) -> Result<Arc<ServerConfig>> {
    let mut builder =
        ServerConfig::builder().identity(identity(&family.server)?).policy(policy.clone()).encrypt_then_mac(false);
    if scenario.resume != Resume::SessionId {
        builder = builder.no_sessions();
    }
    if scenario.sends_ticket() && policy.speaks(ProtocolVersion::Tls13) {
        builder = builder.tickets_per_handshake(1);
    }
    if scenario.sends_ticket() {
        let day = Duration::from_secs(24 * 3600);
        builder = builder.tickets(Arc::new(TicketKeys::random(Provider::builtin(), day, day)?));
    }
    if scenario.mutual {
        let verifier = checking(scenario, WebPki::clients(roots(family)?));
        builder = builder.client_auth(ClientAuth::Require(Arc::new(verifier)));
    }
    Ok(builder.build()?)
}

/// Takes tickets and never offers one: for rows of full handshakes.
struct Forgetful;

impl ClientSessions for Forgetful {
    fn put(&self, _: &PeerKey, _: Session) {}

    fn take(&self, _: &PeerKey) -> Option<Session> {
        None
    }
}

struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
}

impl Sides for Configs {
    fn client(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(End(self.client.connect(self.name.clone()))))
    }

    fn server(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(End(self.server.accept())))
    }
}

struct End(clasp::Connection);

impl Connection for End {
    fn handshake(&mut self, input: &mut Wire, out: &mut Wire) -> Result<()> {
        if input.is_empty() {
            out.as_vec(|out| self.0.advance(&mut Context::from_waker(Waker::noop()), out))?;
            return Ok(());
        }
        match out.as_vec(|out| self.receive_all(input.bytes_mut(), out))? {
            0 => Ok(()),
            data => bail!("{data} bytes of data in a handshake"),
        }
    }

    fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    fn send(&mut self, data: &[u8], out: &mut Wire) -> Result<()> {
        let moved = self.0.send_into(&[IoSlice::new(data)], out.room(self.0.sealed_len(data.len())))?;
        ensure!(moved.taken == data.len(), "room for {} of {} bytes", moved.taken, data.len());
        out.fill(moved.given);
        Ok(())
    }

    fn receive(&mut self, input: &mut Wire, _: &mut [u8]) -> Result<usize> {
        self.receive_all(input.bytes_mut(), &mut Vec::new())
    }

    fn rest(&mut self) -> Result<()> {
        self.0.rest();
        Ok(())
    }

    fn settled(&self) -> Result<Settled> {
        let facts = self.0.facts().context("no facts")?;
        Ok(Settled {
            suite: facts.suite.name().to_string(),
            resumed: facts.resumed.is_some(),
            peer_certificate: !facts.peer_chain().is_empty(),
        })
    }
}

impl End {
    /// Takes whole records until none is left; gives how many bytes of data were in them.
    fn receive_all(&mut self, mut input: &mut [u8], out: &mut Vec<u8>) -> Result<usize> {
        let mut data = 0;
        while !input.is_empty() {
            let received = self.0.receive(input, out)?;
            let used = received.used;
            data += received.data.len();
            if used == 0 {
                bail!("a flight that ends in the middle of a record");
            }
            input = input.get_mut(used..).unwrap_or_default();
        }
        Ok(data)
    }
}
