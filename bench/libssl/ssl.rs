//! A peer over the interface that OpenSSL and BoringSSL share. This file is compiled into each of their workers: the crate
//! there has the library as `library`, and what differs between the two in `differences`.

use crate::differences;
use crate::library::pkey::PKey;
use crate::library::ssl::{
    Error, ErrorCode, ShutdownState, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslSession,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use crate::library::x509::X509;
use crate::library::x509::store::X509StoreBuilder;
use anyhow::{Context as _, Result, bail};
use bench_harness::credentials::{Credentials, Family, Identity};
use bench_harness::scenario::{Key, Resume, SERVER_NAME, Scenario, Version};
use bench_harness::{Connection, Offer, Pipe, Settled, Sides, Wire};
use std::sync::{Arc, Mutex, PoisonError};

/// Both sides of a scenario.
pub(crate) fn sides(scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
    let family = credentials.of(scenario);
    let sessions = Sessions::default();
    let mut client = common(scenario)?;
    let mut server = common(scenario)?;
    for builder in [&mut client, &mut server] {
        if let Offer::Lacks(reason) = differences::restrict(builder, scenario)? {
            return Ok(Offer::Lacks(reason));
        }
    }
    trust(&mut client, family)?;
    client.set_verify(SslVerifyMode::PEER);
    if scenario.mutual {
        identity(&mut client, &family.client)?;
    }
    keep_sessions(&mut client, scenario, &sessions);
    identity(&mut server, &family.server)?;
    if scenario.mutual {
        trust(&mut server, family)?;
        server.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    }
    server.set_session_id_context(b"bench")?;
    server.set_session_cache_mode(match scenario.resume {
        Resume::SessionId => SslSessionCacheMode::SERVER,
        _ => SslSessionCacheMode::OFF,
    });
    differences::one_ticket(&mut server)?;
    let resumes = scenario.resume != Resume::Full;
    let used_once = scenario.version == Version::Tls13;
    let (client, server) = (client.build(), server.build());
    Ok(Offer::Has(Box::new(Contexts { client, server, sessions, resumes, used_once })))
}

fn common(scenario: &Scenario) -> Result<SslContextBuilder> {
    let mut builder = SslContext::builder(SslMethod::tls())?;
    let version = match scenario.version {
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    builder.set_min_proto_version(Some(version))?;
    builder.set_max_proto_version(Some(version))?;
    if !scenario.sends_ticket() {
        builder.set_options(SslOptions::NO_TICKET);
    }
    builder.set_sigalgs_list(match scenario.key {
        Key::EcdsaP256 => "ecdsa_secp256r1_sha256",
        Key::Rsa2048 => "rsa_pss_rsae_sha256:rsa_pkcs1_sha256",
    })?;
    Ok(builder)
}

fn trust(builder: &mut SslContextBuilder, family: &Family) -> Result<()> {
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(certificate(&family.root.pem)?)?;
    builder.set_cert_store(store.build());
    Ok(())
}

fn identity(builder: &mut SslContextBuilder, issued: &Identity) -> Result<()> {
    let [leaf, rest @ ..] = issued.chain.as_slice() else { bail!("an empty chain") };
    let (leaf, key) = (certificate(&leaf.pem)?, PKey::private_key_from_pem(issued.key_pem.as_bytes())?);
    builder.set_certificate(&leaf)?;
    for above in rest {
        builder.add_extra_chain_cert(certificate(&above.pem)?)?;
    }
    builder.set_private_key(&key)?;
    Ok(())
}

fn certificate(pem: &str) -> Result<X509> {
    Ok(X509::from_pem(pem.as_bytes())?)
}

/// Sessions the client has been given.
type Sessions = Arc<Mutex<Vec<SslSession>>>;

/// As many as other libraries keep for one server.
const MOST: usize = 8;

/// The library hands sessions out; those of rows that do not resume are dropped.
fn keep_sessions(builder: &mut SslContextBuilder, scenario: &Scenario, sessions: &Sessions) {
    builder.set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
    let (sessions, keep) = (sessions.clone(), scenario.resume != Resume::Full);
    let most = if scenario.version == Version::Tls13 { MOST } else { 1 };
    builder.set_new_session_callback(move |_, session| {
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if keep && sessions.len() < most {
            sessions.push(session);
        }
    });
}

struct Contexts {
    client: SslContext,
    server: SslContext,
    sessions: Sessions,
    resumes: bool,
    /// A TLS 1.3 ticket is used once; the one TLS 1.2 session serves every connection.
    used_once: bool,
}

impl Sides for Contexts {
    fn client(&self) -> Result<Box<dyn Connection>> {
        let mut ssl = Ssl::new(&self.client)?;
        ssl.set_hostname(SERVER_NAME)?;
        ssl.param_mut().set_host(SERVER_NAME)?;
        if self.resumes {
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(session) = sessions.pop() {
                // SAFETY: the session was made by a connection of this very context.
                unsafe { ssl.set_session(&session) }?;
                if !self.used_once {
                    sessions.push(session);
                }
            }
        }
        End::of(ssl, true)
    }

    fn server(&self) -> Result<Box<dyn Connection>> {
        End::of(Ssl::new(&self.server)?, false)
    }
}

struct End {
    stream: SslStream<Pipe>,
    client: bool,
    done: bool,
}

impl End {
    fn of(ssl: Ssl, client: bool) -> Result<Box<dyn Connection>> {
        Ok(Box::new(Self { stream: SslStream::new(ssl, Pipe::default())?, client, done: false }))
    }

    /// Runs `step` with the harness's buffers in the pipe; all of the input must be taken.
    fn with_wires<R>(
        &mut self,
        input: &mut Wire,
        out: &mut Wire,
        step: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        self.stream.get_mut().lend(input, out);
        let result = step(self);
        let all = self.stream.get_mut().give_back(input, out);
        let result = result?;
        if all { Ok(result) } else { bail!("records were left over") }
    }

    /// Reads until nothing is left; gives how many bytes of data there were.
    fn read_all(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut total = 0;
        loop {
            match self.stream.ssl_read(buffer) {
                Ok(n) => total += n,
                Err(error) => return wants_more(error).map(|()| total),
            }
        }
    }
}

/// Whether the library only wants bytes that are not there yet.
fn wants_more(error: Error) -> Result<()> {
    if error.code() == ErrorCode::WANT_READ { Ok(()) } else { Err(error.into()) }
}

impl Connection for End {
    fn handshake(&mut self, input: &mut Wire, out: &mut Wire) -> Result<()> {
        self.with_wires(input, out, |end| {
            if !end.done {
                let outcome = if end.client { end.stream.connect() } else { end.stream.accept() };
                match outcome {
                    Ok(()) => {
                        end.done = true;
                        differences::send_tickets(&mut end.stream)?;
                    }
                    Err(error) => return wants_more(error),
                }
            }
            match end.read_all(&mut [0; 64])? {
                0 => Ok(()),
                data => bail!("{data} bytes of data in a handshake"),
            }
        })
    }

    fn is_handshaking(&self) -> bool {
        !self.done
    }

    fn send(&mut self, data: &[u8], out: &mut Wire) -> Result<()> {
        self.with_wires(&mut Wire::default(), out, |end| {
            let mut rest = data;
            while !rest.is_empty() {
                let taken = end.stream.ssl_write(rest)?;
                rest = rest.get(taken..).unwrap_or_default();
            }
            Ok(())
        })
    }

    fn receive(&mut self, input: &mut Wire, buffer: &mut [u8]) -> Result<usize> {
        self.with_wires(input, &mut Wire::default(), |end| end.read_all(buffer))
    }

    fn settled(&self) -> Result<Settled> {
        let ssl = self.stream.ssl();
        Ok(Settled {
            suite: differences::suite(ssl.current_cipher().context("no suite")?),
            resumed: ssl.session_reused(),
            peer_certificate: ssl.peer_certificate().is_some(),
        })
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // A connection that is dropped without having been closed takes its session with it (RFC 5246 7.2.1).
        self.stream.set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
    }
}
