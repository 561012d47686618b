//! RSA key transport, opened with the server's key: who has it reads what was recorded, for there is no forward secrecy.

use crate::code::{CipherSuite, ExtensionType, HandshakeType, ProtocolVersion};
use crate::crypto::{PrivateKey, Provider};
use crate::keys::schedule12::{MASTER_LEN, Vault12};
use crate::suite::{Kx, Suite};
use crate::trace::Direction;
use crate::wire::message::{
    Certificate12, ClientHello, ClientKeyExchange, HEADER_LEN, Message, NewSessionTicket12, ServerHello,
};
use crate::wire::{Parsed, Reader};
use clasp_x509::Certificate;
use core::fmt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// What of a conversation a master secret may hang on is kept, up to so many bytes.
const MOST_HEARD: usize = 1 << 20;
/// Sessions that are remembered at most.
const MOST_SESSIONS: usize = 4096;

type Master = Zeroizing<[u8; MASTER_LEN]>;

/// Servers' own RSA keys, and the sessions that they have opened: what resumes one of those opens too.
///
/// They open conversations with RSA key transport (TLS 1.2 and before). Where the keys are of the moment, as with ECDHE and always in
/// TLS 1.3, they open nothing.
///
/// ```no_run
/// use clasp::crypto::PrivateKey;
/// use clasp::keys::log::Secrets;
/// use clasp::passive::{Listener, ServerKeys};
/// # fn listen(observer: std::sync::Arc<dyn clasp::trace::Observer>) -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::from_der(&std::fs::read("server-key.der")?)?;
/// let keys = std::sync::Arc::new(ServerKeys::new([key.into()]));
/// let listener = Listener::new(observer, std::sync::Arc::default()).with_server_keys(keys);
/// # drop(listener); Ok(()) }
/// ```
pub struct ServerKeys {
    keys: Vec<(Vec<u8>, Arc<PrivateKey>)>,
    sessions: Mutex<HashMap<Vec<u8>, Master>>,
}

impl ServerKeys {
    /// With these. Keys that are not RSA's are passed over: they open nothing.
    pub fn new(keys: impl IntoIterator<Item = Arc<PrivateKey>>) -> Self {
        let with_public = |key: Arc<PrivateKey>| Some((key.spki().ok()?, key));
        Self { keys: keys.into_iter().filter_map(with_public).collect(), sessions: Mutex::default() }
    }

    fn find(&self, leaf: &[u8]) -> Option<Arc<PrivateKey>> {
        let leaf = Certificate::parse(leaf).ok()?;
        self.keys.iter().find(|(public, _)| public == leaf.spki()).map(|(_, key)| Arc::clone(key))
    }

    fn keep(&self, name: &[u8], master: &Master) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !name.is_empty() && sessions.len() < MOST_SESSIONS {
            sessions.insert(name.to_vec(), master.clone());
        }
    }

    fn session(&self, name: &[u8]) -> Option<Master> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerKeys({}, [secret])", self.keys.len())
    }
}

/// What is heard of one conversation until its master secret is known.
pub(super) struct Transported {
    keys: Arc<ServerKeys>,
    messages: Vec<u8>,
    client_version: [u8; 2],
    randoms: [[u8; 32]; 2],
    /// The session that the client offers, by ID and by ticket, and the ID that the server answers with.
    offered: [Vec<u8>; 2],
    answered: Vec<u8>,
    suite: Option<CipherSuite>,
    extended: bool,
    key: Option<Arc<PrivateKey>>,
    /// A ClientKeyExchange has come: nothing is resumed.
    exchanged: bool,
    master: Option<Master>,
}

impl Transported {
    pub(super) fn new(keys: Arc<ServerKeys>) -> Self {
        Self {
            keys,
            messages: Vec::new(),
            client_version: [0; 2],
            randoms: [[0; 32]; 2],
            offered: Default::default(),
            answered: Vec::new(),
            suite: None,
            extended: false,
            key: None,
            exchanged: false,
            master: None,
        }
    }

    /// The master secret, where the keys open it or a session that was opened is resumed.
    pub(super) fn master(&self) -> Option<Master> {
        if self.exchanged {
            return self.master.clone();
        }
        // Resumed is the session with the ID that both say; beside a ticket the ID is made up (RFC 5077 3.4).
        let [id, ticket] = &self.offered;
        let resumed = !self.answered.is_empty() && *id == self.answered;
        resumed.then(|| self.keys.session(ticket).or_else(|| self.keys.session(id))).flatten()
    }

    /// The next message of the handshake, whole. What cannot be read tells nothing.
    pub(super) fn message(&mut self, provider: &Provider, said: Direction, message: &[u8]) {
        let kind = HandshakeType(message.first().copied().unwrap_or_default());
        if !self.exchanged
            && kind != HandshakeType::HelloRequest
            && self.messages.len().saturating_add(message.len()) <= MOST_HEARD
        {
            self.messages.extend_from_slice(message);
        }
        let mut r = Reader::new(message.get(HEADER_LEN..).unwrap_or_default());
        let _unread = match (kind, said) {
            (HandshakeType::ClientHello, Direction::Sent) => self.client_hello(&mut r),
            (HandshakeType::ServerHello, Direction::Received) => self.server_hello(&mut r),
            (HandshakeType::Certificate, Direction::Received) => self.certificate(&mut r),
            (HandshakeType::ClientKeyExchange, Direction::Sent) => self.exchange(provider, &mut r),
            (HandshakeType::NewSessionTicket, Direction::Received) => self.ticket(&mut r),
            _ => Ok(()),
        };
    }

    fn client_hello(&mut self, r: &mut Reader<'_>) -> Parsed<()> {
        let hello = ClientHello::parse(r)?;
        let ticket = hello.extensions.find(ExtensionType::SessionTicket).map_or(&[][..], |e| e.body);
        self.client_version = hello.version.0.to_be_bytes();
        self.offered = [hello.session_id.to_vec(), ticket.to_vec()];
        self.randoms[0] = *hello.random;
        Ok(())
    }

    fn server_hello(&mut self, r: &mut Reader<'_>) -> Parsed<()> {
        let hello = ServerHello::parse(r)?;
        self.answered = hello.session_id.to_vec();
        self.suite = Some(hello.suite).filter(|_| hello.version != ProtocolVersion::Tls13);
        self.extended = hello.extensions.find(ExtensionType::ExtendedMasterSecret).is_some();
        self.randoms[1] = *hello.random;
        Ok(())
    }

    fn certificate(&mut self, r: &mut Reader<'_>) -> Parsed<()> {
        let list = Certificate12::parse(r)?.list()?;
        self.key = list.iter().next().and_then(|leaf| self.keys.find(leaf));
        Ok(())
    }

    /// RFC 5246 7.4.7.1: a premaster secret that the padding or the version of which is wrong is nobody's, and the keys that it
    /// makes open nothing.
    fn exchange(&mut self, provider: &Provider, r: &mut Reader<'_>) -> Parsed<()> {
        self.exchanged = true;
        let messages = core::mem::take(&mut self.messages);
        let ciphertext = ClientKeyExchange::parse(r)?.long("EncryptedPreMasterSecret")?;
        let suite = self.suite.and_then(Suite::find).filter(|suite| suite.kx == Kx::Rsa);
        let Some((suite, key)) = suite.zip(self.key.as_ref()) else { return Ok(()) };
        let Ok(hash) = provider.hash(suite.hash) else { return Ok(()) };
        let mut vault = Vault12::new();
        let Some(out) = vault.premaster.fill(MASTER_LEN).first_chunk_mut() else { return Ok(()) };
        if key.rsa_premaster(ciphertext, self.client_version, &[0; MASTER_LEN], out) {
            let [client, server] = &self.randoms;
            if self.extended {
                vault.extended_master(hash, hash.digest(&[&messages]).as_ref());
            } else {
                vault.master(hash, client, server);
            }
            let master = Zeroizing::new(*vault.master_secret().expose());
            self.keys.keep(&self.answered, &master);
            self.master = Some(master);
        }
        Ok(())
    }

    fn ticket(&mut self, r: &mut Reader<'_>) -> Parsed<()> {
        let ticket = NewSessionTicket12::parse(r)?.ticket;
        if let Some(master) = self.master() {
            self.keys.keep(ticket, &master);
        }
        Ok(())
    }
}
