//! The face of a library.

use crate::credentials::Credentials;
use crate::primitive::Primitive;
use crate::scenario::Scenario;
use crate::wire::Wire;
use anyhow::Result;

/// A library that is measured.
pub trait Peer {
    /// Its name and version, for people.
    fn describe(&self) -> String;

    /// Whether it knows chains again that it accepted before.
    fn knows_chains(&self) -> bool {
        false
    }

    /// Both sides of a scenario, configured.
    ///
    /// # Errors
    /// If it should work and does not. What the library does not have is [`Offer::Lacks`], not an error.
    fn sides(&self, scenario: &Scenario, credentials: &Credentials) -> Result<Offer<Box<dyn Sides>>>;

    /// One bare primitive of the library, as near to its caller as the library lets it be.
    ///
    /// # Errors
    /// If it should work and does not.
    fn primitive(&self, primitive: Primitive, credentials: &Credentials) -> Result<Offer<Operation>>;
}

/// What a library has, or why it does not.
pub enum Offer<T> {
    Has(T),
    /// The reason stands in the report.
    Lacks(&'static str),
}

/// Carries a primitive out once. Set-up that a caller would do once per key has been done.
pub struct Operation {
    pub(crate) act: Box<dyn FnMut() -> Result<()>>,
    /// What `act` does besides the primitive: its time is taken off.
    pub(crate) besides: Option<Box<dyn FnMut()>>,
}

impl Operation {
    /// Nothing but the primitive.
    pub fn new(act: impl FnMut() -> Result<()> + 'static) -> Self {
        Self { act: Box::new(act), besides: None }
    }

    /// A primitive that uses its input up, as opening in place does: each turn has a fresh copy of `input`.
    pub fn on_copies(input: Vec<u8>, mut act: impl FnMut(&mut [u8]) -> Result<()> + 'static) -> Self {
        let (mut copy, mut other) = (input.clone(), input.clone());
        let same = input.clone();
        Self {
            act: Box::new(move || {
                copy.copy_from_slice(&input);
                act(&mut copy)
            }),
            besides: Some(Box::new(move || {
                other.copy_from_slice(&same);
                std::hint::black_box(&mut other);
            })),
        }
    }
}

/// The two configurations of a scenario. A row makes many connections from them.
pub trait Sides {
    fn client(&self) -> Result<Box<dyn Connection>>;
    fn server(&self) -> Result<Box<dyn Connection>>;
}

/// One end of a connection in memory.
pub trait Connection {
    /// Takes all of `input` and appends to `out` what the other end is to be told; a client's first call has no input.
    /// Called until neither end has anything to say: a ticket that comes behind the handshake is taken here too.
    fn handshake(&mut self, input: &mut Wire, out: &mut Wire) -> Result<()>;

    fn is_handshaking(&self) -> bool;

    /// Protects `data` and appends the records to `out`.
    fn send(&mut self, data: &[u8], out: &mut Wire) -> Result<()>;

    /// Takes all records of `input` and gives how many bytes of data were in them. A library that reads into a buffer of
    /// its caller's has `buffer`; one that gives the data in some other way leaves it alone.
    fn receive(&mut self, input: &mut Wire, buffer: &mut [u8]) -> Result<usize>;

    /// Gives back what an idle connection can do without, if the library has a call for that.
    fn rest(&mut self) -> Result<()> {
        Ok(())
    }

    /// What was agreed: the harness checks it against the scenario.
    fn settled(&self) -> Result<Settled>;
}

/// What a handshake came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The suite, in the registry's words or in OpenSSL's.
    pub suite: String,
    pub resumed: bool,
    /// Whether the peer's certificate was seen, in this handshake or in the one that is resumed.
    pub peer_certificate: bool,
}
