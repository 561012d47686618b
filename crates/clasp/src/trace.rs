// Above `error`.
//! What an observer of a connection sees: every record, message, key change, choice and wait, in order, once.

use crate::code::{AlertDescription, CertificateType, CipherSuite, ContentType, ExtensionType, HandshakeType};
use crate::error::Error;
use crate::keys::maker::KeyMaterial;
use crate::keys::schedule12::Side;
use crate::suite::Suite;
use crate::wire::extension::{certificate, early};
pub use crate::wire::fields;
use crate::wire::fields::{Context, Decoded};
use crate::wire::message::{HEADER_LEN, Message, ServerHello, ServerHelloView};
use crate::wire::{Extension, Reader};
use core::fmt;
use std::sync::Arc;
use std::time::SystemTime;

pub use crate::code::Direction;

/// The keys in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// No protection.
    #[default]
    Plain,
    /// 0-RTT keys (TLS 1.3).
    Early,
    /// Handshake keys (TLS 1.3).
    Handshake,
    /// Application keys; in TLS 1.2 everything after ChangeCipherSpec.
    Application,
}

/// Receives the facts of a connection as they happen. One observer may serve many connections.
///
/// ```
/// use clasp::trace::{Observation, Observer, What};
/// struct Print;
/// impl Observer for Print {
///     fn observe(&self, seen: &Observation<'_>) {
///         if let What::Message { kind, bytes, .. } = &seen.what {
///             println!("flight {}: {} of {} bytes", seen.flight, kind.name(), bytes.len());
///         }
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Called for every fact, in order. It must not block: the connection waits for it.
    fn observe(&self, seen: &Observation<'_>);
}

/// One fact of one connection.
#[derive(Debug)]
#[non_exhaustive]
pub struct Observation<'a> {
    /// A number that tells connections of this process apart.
    pub connection: u64,
    /// When, by the configuration's clock.
    pub at: SystemTime,
    /// How many times the direction of handshake traffic has changed so far: 1 for the first flight.
    pub flight: u8,
    /// The fact.
    pub what: What<'a>,
}

/// A fact of a connection.
#[derive(Debug)]
#[non_exhaustive]
pub enum What<'a> {
    /// Records went over the wire: one that came, or as many as were sealed at once.
    Record {
        /// Which way.
        direction: Direction,
        /// Under which keys.
        level: Level,
        /// Their content type, within the protection.
        content: ContentType,
        /// Bytes on the wire, headers included.
        wire_len: usize,
        /// Bytes of content.
        plain_len: usize,
        /// They themselves, as they stand on the wire.
        bytes: &'a [u8],
    },
    /// A handshake message, as its whole bytes with the header.
    Message {
        /// Which way.
        direction: Direction,
        /// Under which keys.
        level: Level,
        /// Its type.
        kind: HandshakeType,
        /// Header and body.
        bytes: &'a [u8],
        /// What the observer has seen of the conversation before: what the bytes say depends on it.
        context: Context,
    },
    /// The hello that the ClientHello before hides (Encrypted Client Hello, RFC 9849), and from which the conversation goes on. Nobody
    /// else reads it. One that the server does not open is told of by the client alone; one that another server has opened is a
    /// message like others.
    HiddenHello {
        /// Which way.
        direction: Direction,
        /// Header and body, as if it had gone over the wire.
        bytes: &'a [u8],
    },
    /// New keys are in force for a direction.
    Keys {
        /// Which way.
        direction: Direction,
        /// What they are for.
        level: Level,
        /// The suite they belong to.
        suite: CipherSuite,
    },
    /// A secret has been derived, or the keys that it is made into. Of a direction's key, IV and MAC key the names are the same
    /// for every secret; the [`Keys`](Self::Keys) that follow say for which level they are.
    Derived {
        /// Its name in the RFC: RFC 9846 7.1 to 7.3; RFC 5246 6.3, 8.1.
        name: &'static str,
        /// Its value, where the configuration says that the observer is shown secrets.
        value: Option<Secret<'a>>,
    },
    /// A choice among what both sides offered.
    Chose {
        /// What was chosen: `"version"`, `"cipher suite"`, `"group"`, `"signature scheme"`.
        what: &'static str,
        /// The code that was picked.
        picked: u16,
        /// Its name.
        name: &'a str,
    },
    /// The handshake waits for a party outside.
    Waiting {
        /// Whom it waits for.
        on: &'static str,
    },
    /// A session was resumed.
    Resumed {
        /// By what: `"session ID"`, `"ticket"`, `"PSK"`.
        by: &'static str,
    },
    /// The server gives no tickets although it could.
    NoTickets {
        /// Why.
        why: &'static str,
    },
    /// ChangeCipherSpec went over the wire.
    ChangeCipherSpec {
        /// Which way.
        direction: Direction,
    },
    /// An alert went over the wire.
    Alert {
        /// Which way.
        direction: Direction,
        /// Whether it ends the connection.
        fatal: bool,
        /// The alert.
        alert: AlertDescription,
        /// Level and description, as they stand in the record.
        bytes: &'a [u8],
    },
    /// The handshake is done.
    Established,
    /// The connection failed.
    Failed(&'a Error),
}

impl<'a> What<'a> {
    /// The fields of a message, down to the extensions and the entries of lists; of an alert, a ChangeCipherSpec, and records; none of
    /// every other fact.
    ///
    /// ```
    /// use clasp::trace::{Observation, Observer, What};
    /// struct Print;
    /// impl Observer for Print {
    ///     fn observe(&self, seen: &Observation<'_>) {
    ///         for field in seen.what.fields().fields {
    ///             println!("{:indent$}{}: {}", "", field.name, field.value, indent = 2 * usize::from(field.depth));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn fields(&self) -> Decoded<'a> {
        match self {
            Self::Message { bytes, context, .. } => fields::message(bytes, context),
            Self::HiddenHello { bytes, .. } => fields::message(bytes, &Context::default()),
            Self::Record { bytes, level, .. } => fields::records(bytes, *level != Level::Plain),
            Self::Alert { bytes, .. } => fields::alert(bytes),
            Self::ChangeCipherSpec { .. } => fields::change_cipher_spec(&[1]),
            _ => Decoded::default(),
        }
    }
}

/// The value of a secret: whoever has it reads the traffic. It is never printed.
#[derive(Clone, Copy)]
pub struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    pub(crate) const fn new(value: &'a [u8]) -> Self {
        Self(value)
    }

    /// The bytes. They are wiped when the observer returns; whoever copies them has to wipe the copy.
    pub const fn dangerous_expose(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What an observer hears of derivations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Derivations {
    Untold,
    Names,
    Values,
}

/// An observer, and whether it is shown the values of secrets.
#[derive(Clone)]
pub(crate) struct Watch {
    observer: Arc<dyn Observer>,
    secrets: bool,
}

impl Watch {
    pub(crate) const fn new(observer: Arc<dyn Observer>, secrets: bool) -> Self {
        Self { observer, secrets }
    }

    pub(crate) const fn derivations(&self) -> Derivations {
        if self.secrets { Derivations::Values } else { Derivations::Names }
    }
}

/// Numbers facts and counts flights for one connection. The halves of a connection have one each.
#[derive(Clone)]
pub(crate) struct Tracer {
    watch: Watch,
    connection: u64,
    flight: u8,
    last: Option<Direction>,
    /// Whether the server is observed.
    server: bool,
    seen: Seen,
}

/// What the hellos have settled of how the messages behind them are laid out.
#[derive(Clone, Copy)]
struct Seen {
    /// Of the server's messages.
    context: Context,
    /// What the client shows of itself.
    client: CertificateType,
}

impl Tracer {
    pub(crate) fn new(watch: Watch, server: bool) -> Self {
        use core::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let connection = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            watch,
            connection,
            flight: 0,
            last: None,
            server,
            seen: Seen { context: Context::default(), client: CertificateType::X509 },
        }
    }

    /// What the observer hears of what is derived.
    pub(crate) const fn derivations(&self) -> Derivations {
        self.watch.derivations()
    }

    /// A handshake message, header included.
    pub(crate) fn message(&mut self, at: SystemTime, direction: Direction, level: Level, bytes: &[u8]) {
        let kind = HandshakeType(bytes.first().copied().unwrap_or(0));
        if kind == HandshakeType::ServerHello {
            self.seen.hello(bytes.get(HEADER_LEN..).unwrap_or_default());
        }
        let by_server = self.server == (direction == Direction::Sent);
        let Seen { context, client } = self.seen;
        let context = if by_server { context } else { Context { certificate: client, ..context } };
        self.tell(at, What::Message { direction, level, kind, bytes, context });
    }

    /// A secret that was derived outside a conversation.
    pub(crate) fn derived(&mut self, at: SystemTime, name: &'static str, value: &[u8]) {
        let value = self.watch.secrets.then_some(Secret(value));
        self.tell(at, What::Derived { name, value });
    }

    /// The same of the keys of the side that writes with them.
    pub(crate) fn parts(&mut self, at: SystemTime, material: &KeyMaterial<'_>, writer: Side) {
        material.named(writer).for_each(|(name, value)| self.derived(at, name, value));
    }

    pub(crate) fn tell(&mut self, at: SystemTime, what: What<'_>) {
        let direction = match &what {
            What::Message { direction, .. } | What::ChangeCipherSpec { direction } => Some(*direction),
            What::Record { direction, content: ContentType::ApplicationData, .. } => Some(*direction),
            _ => None,
        };
        if direction.is_some() && direction != self.last {
            self.last = direction;
            self.flight = self.flight.saturating_add(1);
        }
        self.watch.observer.observe(&Observation { connection: self.connection, at, flight: self.flight, what });
    }
}

impl Seen {
    /// Reads it off the body of a ServerHello. Messages may be told of together, before the conversation has chosen anything of
    /// what they say.
    fn hello(&mut self, body: &[u8]) {
        let Ok(hello) = ServerHello::parse(&mut Reader::new(body)) else { return };
        let ServerHelloView { version, suite, extensions, .. } = hello;
        let find = |typ| extensions.find(typ);
        let version =
            find(ExtensionType::SupportedVersions).and_then(|e| early::selected_version(e).ok()).unwrap_or(version);
        let shown = |typ| find(typ).and_then(|e: Extension<'_>| certificate::selected_type(e).ok());
        self.context = Context {
            version: Some(version),
            kx: Suite::find(suite).map(|suite| suite.kx),
            certificate: shown(ExtensionType::ServerCertificateType).unwrap_or(CertificateType::X509),
        };
        self.client = shown(ExtensionType::ClientCertificateType).unwrap_or(CertificateType::X509);
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tracer(connection {}, flight {})", self.connection, self.flight)
    }
}
