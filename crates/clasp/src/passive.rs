// Above `exchange`.
//! A conversation heard from outside: whoever has its secrets, from a key log, hears what a recording of it says, as an observer of
//! either side would. It checks nothing and answers nothing.

mod server_keys;

pub use server_keys::ServerKeys;

use crate::code::{AlertDescription, CipherSuite, ContentType, ExtensionType, HandshakeType, ProtocolVersion};
use crate::crypto::Provider;
use crate::keys::log::{self, Secrets};
use crate::keys::maker::{KeyLabels, KeyMaker, KeyMaterial};
use crate::keys::schedule12::{Side, Vault12};
use crate::keys::schedule13::{TrafficKeys, next_secret};
use crate::record::frame::{self, Frame};
use crate::record::{Joiner, Opener, RecordError, RecordKeys};
use crate::suite::{SUITES13, Suite, Suite13};
use crate::trace::{Direction, Level, Observer, Tracer, Watch, What};
use crate::wire::Reader;
use crate::wire::extension::early;
use crate::wire::message::{
    ClientHello, HEADER_LEN, HELLO_RETRY_REQUEST_RANDOM, Message, ServerHello, ServerHelloView,
};
use core::fmt;
use server_keys::Transported;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;
use zeroize::Zeroizing;

/// Hears one recorded conversation. The observer is told of it as if the client were observed: what the client says is
/// [`Direction::Sent`].
///
/// ```
/// use clasp::keys::log::Secrets;
/// use clasp::passive::Listener;
/// use clasp::trace::{Direction, Observation, Observer};
/// use std::{sync::Arc, time::SystemTime};
/// struct Print;
/// impl Observer for Print {
///     fn observe(&self, seen: &Observation<'_>) {
///         println!("{:?}", seen.what);
///     }
/// }
/// let mut listener = Listener::new(Arc::new(Print), Arc::new(Secrets::parse("")?));
/// listener.hear(SystemTime::now(), Direction::Received, &[21, 3, 3, 0, 2, 2, 40])?;
/// assert_eq!(listener.unopened(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Listener {
    tracer: Tracer,
    keys: RecordKeys,
    secrets: Arc<Secrets>,
    client: Half,
    server: Half,
    agreed: Agreed,
    /// Where the servers' own keys are there.
    transported: Option<Transported>,
    unopened: usize,
}

/// One direction.
struct Half {
    /// Bytes that make no whole record yet.
    input: Vec<u8>,
    begun: bool,
    /// The keys in force, and those that will be. In TLS 1.3 nothing in the clear says which those are: whichever opens a record does.
    keys: VecDeque<(Level, Opener)>,
    joiner: Joiner,
    /// The application traffic secret that a KeyUpdate moves on.
    secret: Zeroizing<Vec<u8>>,
}

/// What the hellos say.
#[derive(Default)]
struct Agreed {
    client_random: [u8; 32],
    server_random: [u8; 32],
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
    encrypt_then_mac: bool,
    finished: u8,
}

impl Default for Half {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            begun: false,
            keys: VecDeque::from([(Level::Plain, Opener::default())]),
            joiner: Joiner::default(),
            secret: Zeroizing::default(),
        }
    }
}

impl Listener {
    /// Hears with what is in `secrets`.
    pub fn new(observer: Arc<dyn Observer>, secrets: Arc<Secrets>) -> Self {
        Self {
            tracer: Tracer::new(Watch::new(observer, false), false),
            keys: RecordKeys(Provider::builtin()),
            secrets,
            client: Half::default(),
            server: Half::default(),
            agreed: Agreed::default(),
            transported: None,
            unopened: 0,
        }
    }

    /// Opens RSA key transport with the server's own key besides, and what resumes a session that was opened so. Conversations that
    /// share the keys share the sessions: they are to be heard in the order in which they began.
    #[must_use]
    pub fn with_server_keys(self, keys: Arc<ServerKeys>) -> Self {
        Self { transported: Some(Transported::new(keys)), ..self }
    }

    /// The next bytes that a side said, at this time.
    ///
    /// # Errors
    /// If they are no records of TLS, or what is in them is no handshake message. This direction cannot be heard any longer then.
    pub fn hear(&mut self, at: SystemTime, said: Direction, bytes: &[u8]) -> Result<(), RecordError> {
        let half = self.half(said);
        half.input.extend_from_slice(bytes);
        let mut input = core::mem::take(&mut half.input);
        let mut start = 0;
        let outcome = loop {
            let rest = input.get_mut(start..).unwrap_or_default();
            let begun = self.half(said).begun;
            match frame::next(rest, !begun) {
                Ok(Frame::Record { content, len }) => {
                    self.half(said).begun = true;
                    let record = rest.get_mut(..len).unwrap_or_default();
                    start = start.saturating_add(len);
                    if let Err(error) = self.record(at, said, content, record) {
                        break Err(error);
                    }
                }
                Ok(Frame::Partial(_)) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        input.drain(..start.min(input.len()));
        self.half(said).input = input;
        outcome
    }

    /// What was agreed, as far as it was heard.
    pub fn agreed(&self) -> Option<(ProtocolVersion, CipherSuite)> {
        self.agreed.version.zip(self.agreed.suite)
    }

    /// Whether both sides have said Finished.
    pub fn is_established(&self) -> bool {
        self.agreed.finished > 1
    }

    /// How many records no known secret opens.
    pub fn unopened(&self) -> usize {
        self.unopened
    }

    fn half(&mut self, said: Direction) -> &mut Half {
        match said {
            Direction::Sent => &mut self.client,
            Direction::Received => &mut self.server,
        }
    }

    fn is_tls13(&self) -> bool {
        self.agreed.version == Some(ProtocolVersion::Tls13)
    }

    fn record(
        &mut self,
        at: SystemTime,
        said: Direction,
        outer: ContentType,
        record: &mut [u8],
    ) -> Result<(), RecordError> {
        let whole = record.to_vec();
        let old = self.agreed.version.is_some_and(|version| version != ProtocolVersion::Tls13);
        // TLS 1.3 says application_data of all that is protected, and nothing else does so before there are keys. Once there are, what
        // is in the clear is no message of the handshake (RFC 9846 5): somebody else put it there.
        let clear = !old && outer != ContentType::ApplicationData;
        let nobodys = clear && outer == ContentType::Handshake && self.is_tls13();
        let half = self.half(said);
        let opened = if nobodys {
            None
        } else if clear {
            half.in_the_clear(outer, record)
        } else {
            half.open(outer, record)
        };
        let Some((level, content, plain)) = opened else {
            self.unopened = self.unopened.saturating_add(1);
            let level = if old { Level::Application } else { Level::Handshake };
            let (content, wire_len) = (ContentType::ApplicationData, whole.len());
            self.tracer
                .tell(at, What::Record { direction: said, level, content, wire_len, plain_len: 0, bytes: &whole });
            return Ok(());
        };
        let (wire_len, plain_len) = (whole.len(), plain.len());
        self.tracer.tell(at, What::Record { direction: said, level, content, wire_len, plain_len, bytes: &whole });
        match content {
            ContentType::Handshake => self.messages(at, said, level, plain),
            ContentType::Alert => {
                if let [level, alert] = *plain {
                    let (fatal, alert) = (level == 2, AlertDescription(alert));
                    self.tracer.tell(at, What::Alert { direction: said, fatal, alert, bytes: plain });
                }
                Ok(())
            }
            ContentType::ChangeCipherSpec if old => {
                self.tracer.tell(at, What::ChangeCipherSpec { direction: said });
                self.change12(at, said);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn messages(&mut self, at: SystemTime, said: Direction, level: Level, plain: &[u8]) -> Result<(), RecordError> {
        self.half(said).joiner.add(plain, |_| ())?;
        let mut message = Vec::new();
        while self.half(said).joiner.take(&mut message) {
            self.tracer.message(at, said, level, &message);
            self.message(at, said, level, &message);
        }
        Ok(())
    }

    /// What a message changes for those behind it.
    fn message(&mut self, at: SystemTime, said: Direction, level: Level, message: &[u8]) {
        let body = message.get(HEADER_LEN..).unwrap_or_default();
        if let Some(transported) = &mut self.transported {
            transported.message(self.keys.0, said, message);
        }
        match HandshakeType(message.first().copied().unwrap_or_default()) {
            HandshakeType::ClientHello => self.client_hello(at, body),
            HandshakeType::ServerHello => self.server_hello(at, body),
            HandshakeType::Finished => {
                self.agreed.finished = self.agreed.finished.saturating_add(1);
                if self.agreed.finished == 2 {
                    self.tracer.tell(at, What::Established);
                }
            }
            HandshakeType::KeyUpdate if level == Level::Application => self.update(said),
            _ => {}
        }
    }

    fn client_hello(&mut self, at: SystemTime, body: &[u8]) {
        let Ok(hello) = ClientHello::parse(&mut Reader::new(body)) else { return };
        self.agreed.client_random = *hello.random;
        let early = hello.extensions.find(ExtensionType::EarlyData).is_some();
        let secrets = Arc::clone(&self.secrets);
        let secret = secrets.find(log::CLIENT_EARLY_TRAFFIC_SECRET, hello.random);
        if let Some(secret) = secret.filter(|_| early) {
            self.tracer.derived(at, "client_early_traffic_secret", secret);
            // Which suite the session had, only its ticket says: whichever opens a record is it.
            for suite in SUITES13.iter().filter(|suite| suite.hash.len() == secret.len()) {
                self.push13(Direction::Sent, Level::Early, suite, secret);
            }
        }
    }

    fn server_hello(&mut self, at: SystemTime, body: &[u8]) {
        let Ok(hello) = ServerHello::parse(&mut Reader::new(body)) else { return };
        let ServerHelloView { version, random, suite, extensions, .. } = hello;
        let selected = extensions.find(ExtensionType::SupportedVersions).and_then(|e| early::selected_version(e).ok());
        let version = selected.unwrap_or(version);
        if random == &HELLO_RETRY_REQUEST_RANDOM {
            // Whatever early data follows is not taken; the second hello says the rest.
            return;
        }
        self.agreed.server_random = *random;
        self.agreed.version = Some(version);
        self.agreed.suite = Some(suite);
        self.agreed.encrypt_then_mac = extensions.find(ExtensionType::EncryptThenMac).is_some();
        self.tracer.tell(at, What::Chose { what: "version", picked: version.0, name: version.name() });
        self.tracer.tell(at, What::Chose { what: "cipher suite", picked: suite.0, name: suite.name() });
        if version == ProtocolVersion::Tls13
            && let Some(suite) = Suite13::find(suite)
        {
            self.keys13(at, suite);
        }
    }

    /// The keys of the handshake and of what follows it, as far as they are known.
    fn keys13(&mut self, at: SystemTime, suite: &'static Suite13) {
        use Direction::{Received, Sent};
        let secrets = Arc::clone(&self.secrets);
        let random = self.agreed.client_random;
        let rows = [
            (Sent, Level::Handshake, log::CLIENT_HANDSHAKE_TRAFFIC_SECRET, "client_handshake_traffic_secret"),
            (Received, Level::Handshake, log::SERVER_HANDSHAKE_TRAFFIC_SECRET, "server_handshake_traffic_secret"),
            (Sent, Level::Application, log::CLIENT_TRAFFIC_SECRET_0, "client_application_traffic_secret_0"),
            (Received, Level::Application, log::SERVER_TRAFFIC_SECRET_0, "server_application_traffic_secret_0"),
        ];
        for (said, level, label, name) in rows {
            let Some(secret) = secrets.find(label, &random).filter(|s| s.len() == suite.hash.len()) else { continue };
            if said == Sent {
                let stage = if level == Level::Handshake { "Handshake Secret" } else { "Main Secret" };
                self.tracer.derived(at, stage, &[]);
            }
            self.tracer.derived(at, name, secret);
            if let Ok(hash) = self.keys.0.hash(suite.hash) {
                let keys = &TrafficKeys::of(hash, secret, suite.aead, &KeyLabels::TLS);
                self.tracer.parts(at, &KeyMaterial::Tls13 { aead: suite.aead, keys }, writer(said));
            }
            self.tracer.tell(at, What::Keys { direction: said, level, suite: suite.code });
            self.push13(said, level, suite, secret);
        }
    }

    fn push13(&mut self, said: Direction, level: Level, suite: &'static Suite13, secret: &[u8]) {
        let Ok(hash) = self.keys.0.hash(suite.hash) else { return };
        let keys = TrafficKeys::of(hash, secret, suite.aead, &KeyLabels::TLS);
        let Ok(keys) = self.keys.open(&KeyMaterial::Tls13 { aead: suite.aead, keys: &keys }) else { return };
        let mut opener = Opener::default();
        opener.install(keys);
        let half = self.half(said);
        half.keys.push_back((level, opener));
        if level == Level::Application {
            half.secret = Zeroizing::new(secret.to_vec());
        }
    }

    /// RFC 9846 7.2.
    fn update(&mut self, said: Direction) {
        let Some(suite) = self.agreed.suite.and_then(Suite13::find).filter(|_| self.is_tls13()) else { return };
        let Ok(hash) = self.keys.0.hash(suite.hash) else { return };
        let mut next = Zeroizing::new(vec![0; suite.hash.len()]);
        let secret = core::mem::take(&mut self.half(said).secret);
        if !secret.is_empty() {
            next_secret(hash, &secret, &KeyLabels::TLS, &mut next);
            self.push13(said, Level::Application, suite, &next);
        }
    }

    /// RFC 5246 7.1: what this side says from now on is under the keys of the master secret.
    fn change12(&mut self, at: SystemTime, said: Direction) {
        let Agreed { client_random, server_random, suite, encrypt_then_mac, .. } = self.agreed;
        self.half(said).keys.clear();
        let secrets = Arc::clone(&self.secrets);
        let logged = secrets.find(log::CLIENT_RANDOM, &client_random).and_then(|secret| secret.try_into().ok());
        let transported = self.transported.as_ref().and_then(Transported::master);
        let master = logged.or(transported.as_deref());
        let Some((master, suite)) = master.zip(suite.and_then(Suite::find)) else { return };
        let Ok(hash) = self.keys.0.hash(suite.hash) else { return };
        let mut vault = Vault12::new();
        vault.resume(master);
        vault.expand(hash, suite, &client_random, &server_random);
        let material = KeyMaterial::Tls12 { suite, keys: vault.keys(suite, writer(said)), encrypt_then_mac };
        let Ok(keys) = self.keys.open(&material) else { return };
        if said == Direction::Sent {
            self.tracer.derived(at, "master_secret", &[]);
            self.tracer.derived(at, "key_block", &[]);
        }
        self.tracer.parts(at, &material, writer(said));
        self.tracer.tell(at, What::Keys { direction: said, level: Level::Application, suite: suite.code });
        let mut opener = Opener::default();
        opener.install(keys);
        self.half(said).keys.push_back((Level::Application, opener));
    }
}

/// A client's conversation is heard: what is sent is its own.
const fn writer(said: Direction) -> Side {
    match said {
        Direction::Sent => Side::Client,
        Direction::Received => Side::Server,
    }
}

/// Under which keys, what, and the content.
type Opened<'r> = (Level, ContentType, &'r [u8]);

impl Half {
    fn in_the_clear<'r>(&self, outer: ContentType, record: &'r [u8]) -> Option<Opened<'r>> {
        Some((Level::Plain, outer, record.get(crate::record::limits::HEADER_LEN..)?))
    }

    /// With the first keys that fit; those before them are done with.
    fn open<'r>(&mut self, outer: ContentType, record: &'r mut [u8]) -> Option<Opened<'r>> {
        // A failure may leave the record undefined: each tries on what came.
        let sealed = record.to_vec();
        let found = self.keys.iter_mut().enumerate().find_map(|(place, (level, opener))| {
            // What is called application_data is never in the clear.
            if !opener.is_protected() && outer == ContentType::ApplicationData {
                return None;
            }
            record.copy_from_slice(&sealed);
            opener.open(outer, record).ok().map(|opened| (place, *level, opened))
        });
        let (place, level, opened) = found?;
        self.keys.drain(..place);
        Some((level, opened.content, record.get(opened.range)?))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({:?}, {} records unopened)", self.agreed(), self.unopened)
    }
}
