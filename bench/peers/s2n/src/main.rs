//! s2n-tls, with the AWS-LC that its crate builds.

mod policy;
mod session;

use anyhow::{Result, bail, ensure};
use bench_harness::credentials::{Credentials, Family};
use bench_harness::primitive::Primitive;
use bench_harness::scenario::{Resume, SERVER_NAME, Scenario};
use bench_harness::{Connection, Offer, Operation, Peer, Pipe, Settled, Sides, Wire};
use libc::{c_int, c_void};
use s2n_tls::config::Config;
use s2n_tls::connection::Connection as Tls;
use s2n_tls::enums::{Blinding, ClientAuthType, Mode};
use s2n_tls::security::Policy;
use session::Store;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::task::Poll;
use std::time::SystemTime;

fn main() -> ExitCode {
    bench_harness::main(&S2n)
}

struct S2n;

impl Peer for S2n {
    fn describe(&self) -> String {
        "s2n-tls 0.3 with AWS-LC".into()
    }

    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>> {
        if scenario.resume == Resume::SessionId {
            return Ok(Offer::Lacks("a session cache in its crate"));
        }
        let Some(policies) = policy::of(scenario) else { return Ok(Offer::Lacks("a policy that comes to this")) };
        let family = credentials.of(scenario);
        let store = Store::new(scenario);
        Ok(Offer::Has(Box::new(Configs {
            client: client(scenario, family, policies.0, &store)?,
            server: server(scenario, family, policies.1)?,
            store,
        })))
    }

    fn primitive(&self, _: Primitive, _: &Credentials) -> Result<Offer<Operation>> {
        Ok(Offer::Lacks("primitives of its own: they are AWS-LC's"))
    }
}

fn client(scenario: &Scenario, family: &Family, policy: &str, store: &Store) -> Result<Config> {
    let mut builder = Config::builder();
    builder
        .set_security_policy(&Policy::from_version(policy)?)?
        .with_system_certs(false)?
        .trust_pem(family.root.pem.as_bytes())?;
    if scenario.sends_ticket() {
        builder.set_session_ticket_callback(store.clone())?;
    }
    if scenario.mutual {
        let issued = &family.client;
        builder.load_pem(issued.chain_pem().as_bytes(), issued.key_pem.as_bytes())?;
        builder.set_client_auth_type(ClientAuthType::Required)?;
    }
    Ok(builder.build()?)
}

fn server(scenario: &Scenario, family: &Family, policy: &str) -> Result<Config> {
    let mut builder = Config::builder();
    let issued = &family.server;
    builder
        .set_security_policy(&Policy::from_version(policy)?)?
        .with_system_certs(false)?
        .load_pem(issued.chain_pem().as_bytes(), issued.key_pem.as_bytes())?;
    if scenario.sends_ticket() {
        builder.add_session_ticket_key(b"bench", &[7; 32], SystemTime::now())?;
    }
    if scenario.mutual {
        builder.trust_pem(family.root.pem.as_bytes())?.set_client_auth_type(ClientAuthType::Required)?;
        // Clients' certificates have no host name to be checked.
        builder.set_verify_host_callback(session::AnyClient)?;
    }
    Ok(builder.build()?)
}

struct Configs {
    client: Config,
    server: Config,
    store: Store,
}

impl Sides for Configs {
    fn client(&self) -> Result<Box<dyn Connection>> {
        let mut end = End::new(Mode::Client, &self.client)?;
        end.tls.set_server_name(SERVER_NAME)?;
        if let Some(session) = self.store.offer() {
            end.tls.set_session_ticket(&session)?;
        }
        Ok(Box::new(end))
    }

    fn server(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(End::new(Mode::Server, &self.server)?))
    }
}

struct End {
    tls: Tls,
    /// The library has a pointer to it: it is dropped after `tls`, and does not move.
    pipe: Box<RefCell<Pipe>>,
    done: bool,
}

impl End {
    fn new(mode: Mode, config: &Config) -> Result<Self> {
        let pipe = Box::new(RefCell::new(Pipe::default()));
        let mut tls = Tls::new(mode);
        tls.set_config(config.clone())?
            .set_blinding(Blinding::SelfService)?
            .set_send_callback(Some(send))?
            .set_receive_callback(Some(receive))?;
        let context = (&raw const *pipe).cast_mut().cast::<c_void>();
        // SAFETY: the pipe stands in a box that lives as long as the connection.
        unsafe { tls.set_send_context(context)?.set_receive_context(context)? };
        Ok(Self { tls, pipe, done: false })
    }

    /// Runs `step` with the harness's buffers in the pipe; all of the input must be taken.
    fn with_wires<R>(
        &mut self,
        input: &mut Wire,
        out: &mut Wire,
        step: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        self.pipe.borrow_mut().lend(input, out);
        let result = step(self);
        let all = self.pipe.borrow_mut().give_back(input, out);
        let result = result?;
        ensure!(all, "records were left over");
        Ok(result)
    }

    /// Reads until nothing is left; gives how many bytes of data there were.
    fn read_all(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut total = 0;
        while let Poll::Ready(outcome) = self.tls.poll_recv(buffer) {
            match outcome? {
                0 => break,
                n => total += n,
            }
        }
        Ok(total)
    }
}

impl Connection for End {
    fn handshake(&mut self, input: &mut Wire, out: &mut Wire) -> Result<()> {
        self.with_wires(input, out, |end| {
            if !end.done {
                match end.tls.poll_negotiate() {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(outcome) => drop(outcome?),
                }
                end.done = true;
                // Waits for a ticket in TLS 1.3 alone.
                if end.tls.actual_protocol_version()? != s2n_tls::enums::Version::TLS13 {
                    return Ok(());
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
                let Poll::Ready(taken) = end.tls.poll_send(rest) else { bail!("a pipe that is full") };
                rest = rest.get(taken?..).unwrap_or_default();
            }
            Ok(())
        })
    }

    fn receive(&mut self, input: &mut Wire, buffer: &mut [u8]) -> Result<usize> {
        self.with_wires(input, &mut Wire::default(), |end| end.read_all(buffer))
    }

    fn rest(&mut self) -> Result<()> {
        self.tls.release_buffers()?;
        Ok(())
    }

    fn settled(&self) -> Result<Settled> {
        Ok(Settled {
            suite: self.tls.cipher_suite()?.to_string(),
            resumed: self.tls.resumed(),
            peer_certificate: self.tls.peer_cert_chain().is_ok_and(|chain| !chain.is_empty()),
        })
    }
}

/// The library writes.
unsafe extern "C" fn send(context: *mut c_void, data: *const u8, len: u32) -> c_int {
    // SAFETY: the context is the connection's pipe, the data the library's, both for the time of the call.
    let (pipe, data) = unsafe { (&*context.cast::<RefCell<Pipe>>(), core::slice::from_raw_parts(data, len as usize)) };
    answer(pipe.borrow_mut().write(data))
}

/// The library reads.
unsafe extern "C" fn receive(context: *mut c_void, into: *mut u8, len: u32) -> c_int {
    // SAFETY: as in `send`.
    let (pipe, into) =
        unsafe { (&*context.cast::<RefCell<Pipe>>(), core::slice::from_raw_parts_mut(into, len as usize)) };
    answer(pipe.borrow_mut().read(into))
}

/// A count, or -1 with the reason where C looks for it.
fn answer(outcome: std::io::Result<usize>) -> c_int {
    match outcome {
        Ok(n) => c_int::try_from(n).unwrap_or(c_int::MAX),
        Err(_) => {
            // SAFETY: this thread's own errno.
            unsafe { *libc::__errno_location() = libc::EWOULDBLOCK };
            -1
        }
    }
}
