//! The server's configuration.

use super::Compressor;
use super::context::claims_of;
use super::{
    AnyResolver, ClientHelloFacts, Clock, Identities, NeedsIdentity, Policy, PreSharedKey, Ready, Resolver,
    SystemClock, Verifier, asked_again, check_alpn, check_keys_only, clash,
};
use crate::answer::Answer;
use crate::code::CertificateType;
use crate::crypto::Provider;
use crate::ech::EchKeys;
use crate::error::Result;
use crate::facts::End;
use crate::facts::MAX_AUTHENTICATION;
use crate::facts::RecentPeers;
use crate::keys::log::KeyLog;
use crate::pool::Pool;
use crate::session::{CONTEXT_LEN, Context, ServerSessionCache, ServerSessions, TicketSealer};
use crate::trace::Watch;
use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether clients are asked for certificates.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Asked; a client without one is served too.
    Request(Arc<dyn Verifier>),
    /// Asked; a client without one is refused.
    Require(Arc<dyn Verifier>),
}

impl ClientAuth {
    pub(crate) fn verifier(&self) -> &Arc<dyn Verifier> {
        match self {
            Self::Request(verifier) | Self::Require(verifier) => verifier,
        }
    }
}

/// Decides first of all whether a client is served at all: by its name, a rate, a load. It is asked once for each
/// connection, new or resumed, before tickets, keys or certificates cost anything.
pub trait Admission: Send + Sync {
    /// Lets the client in. An error refuses it; [`Error::refused`](crate::Error::refused) says with which alert.
    fn admit<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, Result<()>>;
}

/// What all connections of a server share. Made once, by [`ServerConfig::builder`].
#[derive(Clone)]
pub struct ServerConfig {
    pub(crate) provider: &'static Provider,
    pub(crate) policy: Policy,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) admission: Option<Arc<dyn Admission>>,
    pub(crate) ech: Option<Arc<dyn EchKeys>>,
    pub(crate) client_auth: Option<ClientAuth>,
    pub(crate) post_handshake_auth: Option<ClientAuth>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) tickets: Option<Arc<dyn TicketSealer>>,
    pub(crate) sessions: Option<Arc<dyn ServerSessions>>,
    pub(crate) session_lifetime: Duration,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) observer: Option<Watch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recent_peers: Arc<RecentPeers>,
    pub(crate) pool: Pool,
    pub(crate) extended_master_secret: bool,
    pub(crate) encrypt_then_mac: bool,
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) max_early_data: u32,
    pub(crate) announce_groups: bool,
    pub(crate) early_data_window: Duration,
    /// Clients without one of `psks` are refused: there is no identity.
    pub(crate) keys_only: bool,
    pub(crate) grease: bool,
    pub(crate) tickets_per_handshake: u8,
    pub(crate) psk_without_dhe: bool,
    pub(crate) request_status: bool,
    pub(crate) request_timestamps: bool,
    pub(crate) compression: Vec<Compressor>,
    pub(crate) padding: usize,
    pub(crate) psks: Vec<PreSharedKey>,
    pub(crate) client_types: Vec<CertificateType>,
    /// Whether the verifier is asked again when a session is resumed.
    pub(crate) verify_again: bool,
    /// Where the claims on its tickets' early data are kept.
    pub(crate) claims: Option<[u8; CONTEXT_LEN]>,
    /// What its sessions hang on.
    pub(crate) context: Context,
    pub(super) session_context: Option<Vec<u8>>,
    pub(crate) max_record: Option<usize>,
    /// When this configuration was made: early data of older tickets is refused, because claims on them may have been
    /// made before this process began.
    pub(crate) since: Option<SystemTime>,
    /// The same as QUIC has it, once it has been asked for.
    #[cfg(feature = "quic")]
    pub(super) quic: std::sync::OnceLock<Arc<Self>>,
}

/// Builds a [`ServerConfig`]; the identity is the one thing that has no default.
///
/// ```no_run
/// use clasp::{Identity, ServerConfig};
/// let identity = Identity::from_pem_files("cert.pem", "key.pem")?;
/// let config = ServerConfig::builder().identity(identity).alpn([b"http/1.1"]).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ServerBuilder<Stage> {
    config: ServerConfig,
    called: clash::Called,
    stage: PhantomData<Stage>,
}

/// How long a session may be resumed: RFC 5246 F.1.4 suggests an upper limit of 24 hours.
const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3600);
/// How far a ticket's age may be off for its early data to be taken: RFC 9846 8.3.
const EARLY_DATA_WINDOW: Duration = Duration::from_secs(10);
/// Memory of the built-in session store.
const SESSION_BYTES: usize = 16 << 20;
/// Tickets behind a TLS 1.3 handshake.
pub(super) const TICKETS: u8 = 2;

impl ServerConfig {
    /// Its primitives.
    pub fn provider(&self) -> &'static Provider {
        self.provider
    }

    /// Begins one.
    pub fn builder() -> ServerBuilder<NeedsIdentity> {
        let config = Self {
            provider: Provider::builtin(),
            policy: Policy::default(),
            // Replaced by the identity: `build` exists only in the stage after it.
            resolver: Arc::new(Identities::default()),
            admission: None,
            ech: None,
            client_auth: None,
            post_handshake_auth: None,
            alpn: Vec::new(),
            tickets: None,
            sessions: Some(Arc::new(ServerSessionCache::new(SESSION_BYTES))),
            session_lifetime: SESSION_LIFETIME,
            key_log: None,
            observer: None,
            clock: Arc::new(SystemClock),
            recent_peers: Arc::default(),
            pool: Pool::default(),
            extended_master_secret: true,
            encrypt_then_mac: true,
            record_size_limit: None,
            max_early_data: 0,
            announce_groups: false,
            early_data_window: EARLY_DATA_WINDOW,
            keys_only: false,
            grease: false,
            tickets_per_handshake: TICKETS,
            psk_without_dhe: false,
            request_status: true,
            request_timestamps: false,
            compression: Vec::new(),
            padding: 0,
            psks: Vec::new(),
            client_types: vec![CertificateType::X509],
            verify_again: false,
            claims: None,
            context: Context::default(),
            session_context: None,
            max_record: None,
            since: None,
            #[cfg(feature = "quic")]
            quic: std::sync::OnceLock::new(),
        };
        ServerBuilder { config, called: clash::Called::default(), stage: PhantomData }
    }

    /// The kinds of certificate that go without saying: those of the verifier.
    fn default_types(&mut self, called: &clash::Called) {
        if let (false, Some(auth)) = (called.has("client_certificate_types"), &self.client_auth) {
            self.client_types = clash::default_types(&**auth.verifier());
        }
    }

    /// How long what authenticated a client counts at most; as long as its sessions last, in any case.
    pub(crate) fn authentication_bound(&self) -> Duration {
        MAX_AUTHENTICATION.max(self.session_lifetime)
    }

    /// When sessions end that begin now and that no certificate ends before.
    pub(crate) fn authentication_end(&self) -> End {
        let now = self.clock.now();
        End::at(now.checked_add(self.authentication_bound()).unwrap_or(now))
    }
}

impl ServerBuilder<NeedsIdentity> {
    /// Who this server is: one [`Identity`](super::Identity) for every client, or a [`Resolver`] that chooses one for each; either by value or in an
    /// `Arc`.
    ///
    /// ```no_run
    /// use clasp::config::{Identities, Reloadable};
    /// use clasp::{Identity, ServerConfig};
    /// use std::sync::Arc;
    /// let identity = |name| Identity::from_pem_files(format!("{name}.pem"), format!("{name}.key"));
    /// let one = ServerConfig::builder().identity(identity("www")?).build()?;
    /// let several = ServerConfig::builder().identity(Identities::new([identity("www")?, identity("mail")?])).build()?;
    /// let renewed = Arc::new(Reloadable::new([identity("www")?])?);
    /// let replaceable = ServerConfig::builder().identity(renewed.clone()).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn identity(mut self, identity: impl Into<AnyResolver>) -> ServerBuilder<Ready> {
        self.config.resolver = identity.into().0;
        ServerBuilder { config: self.config, called: self.called, stage: PhantomData }
    }

    /// No certificate: clients prove that they hold one of these keys, and so does the server (TLS 1.3). A client that
    /// does not is refused.
    pub fn pre_shared_keys_only(mut self, keys: impl IntoIterator<Item = PreSharedKey>) -> ServerBuilder<Ready> {
        self.config.psks.extend(keys);
        self.config.keys_only = true;
        ServerBuilder { config: self.config, called: self.called, stage: PhantomData }
    }
}

super::settings::common_settings!(ServerBuilder, ServerConfig);

impl ServerBuilder<Ready> {
    /// Who decides whether a client is served.
    #[must_use]
    pub fn admission(mut self, admission: Arc<dyn Admission>) -> Self {
        self.config.admission = Some(admission);
        self
    }

    /// Opens what clients hide in their hellos (Encrypted Client Hello, RFC 9849), with the keys that these give:
    /// [`EchKeyStore`](crate::ech::EchKeyStore) has them at hand and takes others while the server runs. The identity, admission and
    /// sessions hang on the hidden hello then, and on its name. The server needs a certificate for the public name too.
    #[must_use]
    pub fn encrypted_client_hello(mut self, keys: Arc<dyn EchKeys>) -> Self {
        self.config.ech = Some(keys);
        self
    }

    /// Asks clients for certificates.
    #[must_use]
    pub fn client_auth(mut self, auth: ClientAuth) -> Self {
        self.config.client_auth = Some(auth);
        self
    }

    /// Lets connections ask for a certificate after the handshake
    /// ([`request_certificate`](crate::Connection::request_certificate)), of TLS 1.3 clients that offer it (RFC 9846 4.6.2).
    #[must_use]
    pub fn post_handshake_auth(mut self, auth: ClientAuth) -> Self {
        self.config.post_handshake_auth = Some(auth);
        self
    }

    /// Gives session tickets (RFC 5077) under these keys ([`TicketKeys`](crate::session::TicketKeys), or a sealer of the
    /// application's own); without, only session IDs are given.
    #[must_use]
    pub fn tickets(mut self, keys: Arc<dyn TicketSealer>) -> Self {
        self.config.tickets = Some(keys);
        self
    }

    /// Where sessions are kept under session IDs; the default keeps 16 MiB in memory.
    #[must_use]
    pub fn sessions(mut self, store: Arc<dyn ServerSessions>) -> Self {
        self.config.sessions = Some(store);
        self
    }

    /// How long a session may be resumed; 12 hours by default.
    #[must_use]
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.called.note("session_lifetime");
        self.config.session_lifetime = lifetime;
        self
    }

    /// Takes up to this many bytes of early data with a resumed TLS 1.3 session (0-RTT); 0, the default, takes none.
    ///
    /// Early data can be replayed. What is done about it is ClientHello recording and a freshness check (RFC 9846 8.2, 8.3):
    /// the early data of each ClientHello, known by its PSK binder, is taken once, within ten seconds of when it was due, as
    /// far as the session store's [`claim`](ServerSessions::claim) reaches; without a store none is taken. Tickets are not
    /// single-use (8.1): a client that has one can make new hellos with it, which only it can, and early data is taken with
    /// each of them. (A claim on a ticket would have to be kept for as long as the ticket lives, for a day and not for
    /// seconds, and whoever filled the store with them would switch early data off for everybody.)
    #[must_use]
    pub fn max_early_data(mut self, bytes: u32) -> Self {
        self.config.max_early_data = bytes;
        self
    }

    /// Tells every TLS 1.3 client the policy's groups. Without it only those clients learn them that sent no share of the
    /// first (RFC 9846 4.2.7).
    #[must_use]
    pub fn announce_groups(mut self, yes: bool) -> Self {
        self.config.announce_groups = yes;
        self
    }

    /// How far a ticket's age may be off for its early data to be taken (RFC 9846 8.3); 10 seconds by default. A wider
    /// window serves slow networks and bad clocks, and makes the session store keep its claims longer. At most 50 days: no age
    /// that a client can tell is longer. Where several machines share tickets and claims they take one another's early data
    /// only if they have the same window, because a claim lasts no longer than that.
    #[must_use]
    pub fn early_data_window(mut self, window: Duration) -> Self {
        self.called.note("early_data_window");
        self.config.early_data_window = window;
        self
    }

    /// Whether meaningless extensions are sent in tickets and requests for certificates, so that clients stay used to the
    /// unknown (RFC 8701 4); off by default.
    #[must_use]
    pub fn grease(mut self, yes: bool) -> Self {
        self.config.grease = yes;
        self
    }

    /// Says that the session store has kept its claims since then; by default since this configuration was built. Early
    /// data of older tickets is refused, because nobody knows what was claimed before.
    #[must_use]
    pub fn claims_kept_since(mut self, time: SystemTime) -> Self {
        self.config.since = Some(time);
        self
    }

    /// How many TLS 1.3 tickets follow a handshake; 2 by default, 32 at most. A client uses each once.
    #[must_use]
    pub fn tickets_per_handshake(mut self, count: u8) -> Self {
        self.config.tickets_per_handshake = count;
        self
    }

    /// Takes clients that hold this pre-shared key (TLS 1.3). The first key of the server that a client names decides.
    #[must_use]
    pub fn pre_shared_key(mut self, key: PreSharedKey) -> Self {
        self.config.psks.push(key);
        self
    }

    /// Which kinds of certificate clients may have, best first; by default X.509 alone, or what alone the verifier takes.
    #[must_use]
    pub fn client_certificate_types(mut self, types: impl Into<Vec<CertificateType>>) -> Self {
        self.called.note("client_certificate_types");
        self.config.client_types = types.into();
        self
    }

    /// Whether clients are asked to staple an OCSP response to their certificate (TLS 1.3, RFC 9846 4.4.2.1); on by
    /// default, wherever they are asked for a certificate.
    #[must_use]
    pub fn request_status(mut self, yes: bool) -> Self {
        self.config.request_status = yes;
        self
    }

    /// Whether clients are asked for the timestamps of their certificate (TLS 1.3, RFC 6962 3.3.1); off by default.
    #[must_use]
    pub fn request_timestamps(mut self, yes: bool) -> Self {
        self.config.request_timestamps = yes;
        self
    }

    /// Whether the verifier sees a client's certificates again when a session is resumed; they may have been revoked since. A
    /// session whose client it would not take now is not resumed, and a full handshake follows.
    ///
    /// By default on where the verifier [is quick](Verifier::is_quick) and may say another thing by now.
    /// [`WebPki`](super::WebPki) has said by what it decides and until when, and a session hangs on both; it is asked again only
    /// where sessions are shared [by name](Self::session_context).
    #[must_use]
    pub fn verify_again_on_resumption(mut self, yes: bool) -> Self {
        self.called.note("verify_again_on_resumption");
        self.config.verify_again = yes;
        self
    }

    /// Shares sessions with whatever other configuration says this name, on purpose. Without it a session hangs on what decided
    /// when it was made, and counts only where the same decides: the same
    /// [`ClientAuth`] with the same verifier (of [`WebPki`](super::WebPki): the same roots and settings), and the same policy but
    /// for its suites. By a
    /// name it is for the application to see to it that a peer taken by one is as good for the other.
    #[must_use]
    pub fn session_context(mut self, name: impl AsRef<[u8]>) -> Self {
        self.config.session_context = Some(name.as_ref().to_vec());
        self
    }

    /// The settings, held against one another: each that was made must be able to have an effect.
    pub(crate) fn checked(mut self) -> Result<ServerConfig> {
        // In whole milliseconds, as sessions have it.
        let since = self.config.since.unwrap_or_else(|| self.config.clock.now());
        let since = since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.config.since = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(since).unwrap_or(u64::MAX)));
        check_keys_only(self.config.keys_only, &self.config.psks, &mut self.config.policy)?;
        self.config.policy.check(self.config.provider)?;
        check_alpn(&self.config.alpn)?;
        self.config.default_types(&self.called);
        clash::check_server(&self.config, &self.called)?;
        if !self.called.has("verify_again_on_resumption") {
            let verifier = self.config.client_auth.as_ref().map(ClientAuth::verifier);
            let named = self.config.session_context.is_some();
            self.config.verify_again = verifier.is_some_and(|verifier| asked_again(verifier, named));
        }
        self.config.context = Context::of_server(&self.config, self.config.session_context.as_deref())?;
        self.config.claims =
            claims_of(self.config.sessions.as_ref(), self.config.early_data_window, self.config.provider)?;
        Ok(self.config)
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Request",
            Self::Require(_) => "Require",
        })
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for ServerBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder").field("config", &self.config).finish()
    }
}
