//! The client's configuration.

use super::Compressor;
use super::{
    AnyClientIdentity, ClientIdentity, Clock, DangerousAcceptAnyone, FirstUse, MissingIssuers, NeedsTrust, PinnedKeys,
    Policy, PreSharedKey, Ready, SystemClock, Verifier, WebPki, asked_again, check_alpn, check_keys_only, clash,
};
use crate::code::{CertificateType, MaxFragmentLength, NamedGroup};
use crate::crypto::Provider;
use crate::ech::{EchMode, Plan};
use crate::error::Result;
use crate::facts::RecentPeers;
use crate::keys::log::KeyLog;
use crate::pool::Pool;
use crate::session::{ClientSessionCache, ClientSessions, Context};
use crate::trace::Watch;
use clasp_x509::{Roots, Usage};
use core::fmt;
use core::marker::PhantomData;
use std::sync::Arc;

/// What all connections of a client share. Made once, by [`ClientConfig::builder`].
#[derive(Clone)]
pub struct ClientConfig {
    pub(crate) provider: &'static Provider,
    pub(crate) policy: Policy,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) identity: Option<Arc<dyn ClientIdentity>>,
    pub(crate) alpn: Vec<Vec<u8>>,
    pub(crate) sessions: Option<Arc<dyn ClientSessions>>,
    pub(crate) key_log: Option<Arc<dyn KeyLog>>,
    pub(crate) observer: Option<Watch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) recent_peers: Arc<RecentPeers>,
    pub(crate) pool: Pool,
    pub(crate) send_server_name: bool,
    pub(crate) max_fragment_length: Option<MaxFragmentLength>,
    pub(crate) record_size_limit: Option<u16>,
    pub(crate) extended_master_secret: bool,
    pub(crate) encrypt_then_mac: bool,
    pub(crate) session_tickets: bool,
    pub(crate) grease: bool,
    pub(crate) middlebox_compatibility: bool,
    pub(crate) early_data: bool,
    pub(crate) psk_without_dhe: bool,
    pub(crate) request_status: bool,
    pub(crate) request_timestamps: bool,
    pub(crate) compression: Vec<Compressor>,
    pub(crate) padding: usize,
    pub(crate) psks: Vec<PreSharedKey>,
    /// The groups that the first hello has shares for.
    pub(crate) first_shares: Vec<NamedGroup>,
    /// Servers without one of `psks` are refused: no certificate is trusted.
    pub(crate) keys_only: bool,
    pub(super) shares: Option<Vec<NamedGroup>>,
    pub(super) server_groups: Vec<NamedGroup>,
    pub(crate) server_types: Vec<CertificateType>,
    pub(crate) client_types: Vec<CertificateType>,
    /// Whether the verifier is asked again when a session is resumed.
    pub(crate) verify_again: bool,
    /// What its sessions hang on.
    pub(crate) context: Context,
    pub(super) session_context: Option<Vec<u8>>,
    pub(super) ech_mode: EchMode,
    /// What its hellos hide.
    pub(crate) ech: Plan,
    pub(crate) max_record: Option<usize>,
    pub(crate) ignore_renegotiation: bool,
    pub(crate) post_handshake_auth: bool,
    /// The same as QUIC has it, once it has been asked for.
    #[cfg(feature = "quic")]
    pub(super) quic: std::sync::OnceLock<Arc<Self>>,
}

/// Builds a [`ClientConfig`]; the trust decision is the one thing that has no default.
///
/// ```no_run
/// use clasp::{ClientConfig, Roots};
/// use std::sync::Arc;
/// let mut roots = Roots::empty();
/// roots.add_pem(&std::fs::read("ca.pem")?)?;
/// let config = ClientConfig::builder().trust(Arc::new(roots)).alpn([b"http/1.1"]).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientBuilder<Stage> {
    pub(super) config: ClientConfig,
    called: clash::Called,
    stage: PhantomData<Stage>,
}

impl ClientConfig {
    /// Begins one.
    pub fn builder() -> ClientBuilder<NeedsTrust> {
        let config = Self {
            provider: Provider::builtin(),
            policy: Policy::default(),
            // Replaced by the trust decision: `build` exists only in the stage after it.
            verifier: Arc::new(WebPki::servers(Arc::new(Roots::empty()))),
            identity: None,
            alpn: Vec::new(),
            sessions: Some(Arc::new(ClientSessionCache::new(256))),
            key_log: None,
            observer: None,
            clock: Arc::new(SystemClock),
            recent_peers: Arc::default(),
            pool: Pool::default(),
            send_server_name: true,
            max_fragment_length: None,
            record_size_limit: None,
            extended_master_secret: true,
            encrypt_then_mac: true,
            session_tickets: true,
            grease: true,
            middlebox_compatibility: true,
            early_data: false,
            psk_without_dhe: false,
            request_status: true,
            request_timestamps: false,
            compression: Vec::new(),
            padding: 0,
            psks: Vec::new(),
            first_shares: Vec::new(),
            keys_only: false,
            shares: None,
            server_groups: Vec::new(),
            server_types: vec![CertificateType::X509],
            client_types: vec![CertificateType::X509],
            verify_again: false,
            context: Context::default(),
            session_context: None,
            ech_mode: EchMode::Off,
            ech: Plan::Off,
            max_record: None,
            ignore_renegotiation: false,
            post_handshake_auth: false,
            #[cfg(feature = "quic")]
            quic: std::sync::OnceLock::new(),
        };
        ClientBuilder { config, called: clash::Called::default(), stage: PhantomData }
    }
}

impl ClientConfig {
    /// The groups to send shares for at once: the best that the server is known to take; or else the best there is, and
    /// the best of the other kind, post-quantum or not, because a server may have one kind only.
    fn first_shares(&self) -> Vec<NamedGroup> {
        let groups = &self.policy.groups;
        if let Some(known) = groups.iter().find(|g| self.server_groups.contains(g)) {
            return vec![*known];
        }
        match &self.shares {
            Some(wanted) => wanted.iter().copied().filter(|g| groups.contains(g)).collect(),
            None => {
                let first = groups.first().copied();
                let kind = NamedGroup::is_post_quantum;
                let other = groups.iter().copied().find(|g| Some(kind(*g)) != first.map(kind));
                first.into_iter().chain(other).collect()
            }
        }
    }
}

impl ClientConfig {
    /// Its primitives.
    pub fn provider(&self) -> &'static Provider {
        self.provider
    }

    /// Whether servers' tickets are of use.
    pub(crate) fn takes_tickets(&self) -> bool {
        self.session_tickets && self.sessions.is_some()
    }

    /// The configuration of a connection that begins now: its sessions hang on whom the client shows now.
    pub(crate) fn of_now(self: &Arc<Self>) -> Arc<Self> {
        match self.identity.as_ref().map_or(0, |identity| identity.generation()) {
            0 => self.clone(),
            generation => Arc::new(Self { context: self.context.after(generation), ..Self::clone(self) }),
        }
    }

    /// The kinds of certificate that go without saying: those of the verifier and of the identity.
    fn default_types(&mut self, called: &clash::Called) {
        if !called.has("server_certificate_types") {
            self.server_types = clash::default_types(&*self.verifier);
        }
        if let (false, Some(own)) =
            (called.has("client_certificate_types"), self.identity.as_ref().and_then(|i| i.only()))
        {
            self.client_types = vec![own.kind];
        }
    }
}

impl ClientBuilder<NeedsTrust> {
    /// Trusts servers whose chains end in one of these roots; or as a [`WebPki`] has it, which can say more: revocation, another
    /// [`Profile`](super::Profile), names.
    ///
    /// ```no_run
    /// use clasp::config::{ClientConfig, Profile, WebPki};
    /// use clasp::Roots;
    /// use std::sync::Arc;
    /// // The system's, and an authority of one's own.
    /// let mut roots = Roots::native()?;
    /// roots.add_pem(&std::fs::read("company.pem")?)?;
    /// let config = ClientConfig::builder().trust(roots).build()?;
    /// // Devices with old certificates, each pinned by its own authority.
    /// let mut devices = Roots::empty();
    /// devices.add_pem_as(&std::fs::read("devices.pem")?, Profile::Legacy)?;
    /// let config = ClientConfig::builder().trust(WebPki::servers(Arc::new(devices)).remember(0)).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn trust(mut self, chains: impl Into<WebPki>) -> ClientBuilder<Ready> {
        let chains = chains.into();
        if !chains.is_for(Usage::Server) {
            self.called.note(clash::TRUSTS_CLIENTS);
        }
        self.dangerous_verifier(Arc::new(chains))
    }

    /// Trusts servers whose certificates lead to a trusted root, by issuers that are fetched where they are missing.
    pub fn trust_fetching(self, chains: MissingIssuers) -> ClientBuilder<Ready> {
        self.dangerous_verifier(Arc::new(chains))
    }

    /// Trusts servers that have one of these keys, in addition to a chain or in place of one.
    pub fn trust_pinned(self, keys: PinnedKeys) -> ClientBuilder<Ready> {
        self.dangerous_verifier(Arc::new(keys))
    }

    /// Trusts whoever is met first, and nobody else from then on.
    pub fn trust_on_first_use(self, keys: FirstUse) -> ClientBuilder<Ready> {
        self.dangerous_verifier(Arc::new(keys))
    }

    /// Leaves the decision to `verifier`. Dangerous: a careless one lets anybody in the middle.
    pub fn dangerous_verifier(mut self, verifier: Arc<dyn Verifier>) -> ClientBuilder<Ready> {
        self.config.verifier = verifier;
        ClientBuilder { config: self.config, called: self.called, stage: PhantomData }
    }

    /// Trusts no certificate: the server proves that it holds one of these keys, and so does this client (TLS 1.3).
    pub fn trust_pre_shared_keys(mut self, keys: impl IntoIterator<Item = PreSharedKey>) -> ClientBuilder<Ready> {
        self.config.psks.extend(keys);
        self.config.keys_only = true;
        ClientBuilder { config: self.config, called: self.called, stage: PhantomData }
    }

    /// Trusts anybody. The connection is then private from onlookers only, never from a man in the middle.
    pub fn dangerous_trust_anyone(self) -> ClientBuilder<Ready> {
        self.dangerous_verifier(Arc::new(DangerousAcceptAnyone))
    }
}

super::settings::common_settings!(ClientBuilder, ClientConfig);

impl ClientBuilder<Ready> {
    /// The certificate for servers that ask for one: an [`Identity`](super::Identity), or a [`ClientIdentity`] that chooses one for
    /// each; either by value or in an `Arc`.
    #[must_use]
    pub fn identity(mut self, identity: impl Into<AnyClientIdentity>) -> Self {
        self.config.identity = Some(identity.into().0);
        self
    }

    /// Where sessions are kept for resumption; the default keeps those of 256 servers in memory.
    #[must_use]
    pub fn sessions(mut self, sessions: Arc<dyn ClientSessions>) -> Self {
        self.config.sessions = Some(sessions);
        self
    }

    /// Whether the server's name is sent (RFC 6066 3); on by default.
    #[must_use]
    pub fn send_server_name(mut self, yes: bool) -> Self {
        self.config.send_server_name = yes;
        self
    }

    /// Asks the server for records no longer than this (RFC 6066 4).
    #[must_use]
    pub fn max_fragment_length(mut self, length: MaxFragmentLength) -> Self {
        self.config.max_fragment_length = Some(length);
        self
    }

    /// Whether session tickets are taken (RFC 5077, RFC 9846 4.6.1); on by default. Off leaves session IDs, which TLS 1.3
    /// does not have: there nothing is resumed.
    #[must_use]
    pub fn session_tickets(mut self, yes: bool) -> Self {
        self.config.session_tickets = yes;
        self
    }

    /// Whether meaningless values are offered among the real ones, so that servers stay used to the unknown (RFC 8701);
    /// on by default.
    #[must_use]
    pub fn grease(mut self, yes: bool) -> Self {
        self.config.grease = yes;
        self
    }

    /// Whether TLS 1.3 is made to look like a resumed TLS 1.2 to boxes in the middle (RFC 9846 E.4); on by default.
    #[must_use]
    pub fn middlebox_compatibility(mut self, yes: bool) -> Self {
        self.config.middlebox_compatibility = yes;
        self
    }

    /// Whether early data may be sent with a session that allows it (0-RTT, RFC 9846 2.3); off by default. Early data
    /// can be replayed by an attacker: send nothing in it that does harm when it happens twice.
    #[must_use]
    pub fn early_data(mut self, yes: bool) -> Self {
        self.config.early_data = yes;
        self
    }

    /// Whether a stapled OCSP response is asked for (RFC 6066 8); on by default.
    #[must_use]
    pub fn request_status(mut self, yes: bool) -> Self {
        self.config.request_status = yes;
        self
    }

    /// Whether signed certificate timestamps are asked for (RFC 6962 3.3.1); off by default.
    #[must_use]
    pub fn request_timestamps(mut self, yes: bool) -> Self {
        self.config.request_timestamps = yes;
        self
    }

    /// Offers a pre-shared key that came from outside (TLS 1.3). The server is then authenticated by the key.
    #[must_use]
    pub fn pre_shared_key(mut self, key: PreSharedKey) -> Self {
        self.config.psks.push(key);
        self
    }

    /// Sends TLS 1.3 key shares for these groups of the policy, and not for the one Clasp guesses. None at all asks the
    /// server for a HelloRetryRequest.
    #[must_use]
    pub fn key_shares(mut self, groups: impl Into<Vec<NamedGroup>>) -> Self {
        self.config.shares = Some(groups.into());
        self
    }

    /// Says which groups the server is known to take, from its DNS record (draft-ietf-tls-key-share-prediction) or an
    /// earlier connection: one key share goes with the hello, of the policy's best group among them. If there is none,
    /// nothing is known.
    #[must_use]
    pub fn server_groups(mut self, groups: impl Into<Vec<NamedGroup>>) -> Self {
        self.called.note("server_groups");
        self.config.server_groups = groups.into();
        self
    }

    /// Which kinds of certificate a server may have, best first; by default X.509 alone, or what alone the verifier takes.
    /// With [`CertificateType::RawPublicKey`] the verifier must know the keys: [`RawPublicKeys`](super::RawPublicKeys).
    #[must_use]
    pub fn server_certificate_types(mut self, types: impl Into<Vec<CertificateType>>) -> Self {
        self.called.note("server_certificate_types");
        self.config.server_types = types.into();
        self
    }

    /// Which kinds of certificate this client can show, best first; by default that of its identity.
    #[must_use]
    pub fn client_certificate_types(mut self, types: impl Into<Vec<CertificateType>>) -> Self {
        self.called.note("client_certificate_types");
        self.config.client_types = types.into();
        self
    }

    /// Whether the verifier sees a server's certificates again before a session is offered, with the staple that came with
    /// them; they may have been revoked since. One that it would not take now is not offered, and a full handshake follows.
    ///
    /// By default on where the verifier [is quick](Verifier::is_quick) and may say another thing by now. That of
    /// [`trust`](ClientBuilder::trust) has said by what it decides and until when, and a session hangs on both; it is asked
    /// again only where sessions are shared [by name](Self::session_context).
    #[must_use]
    pub fn verify_again_on_resumption(mut self, yes: bool) -> Self {
        self.called.note("verify_again_on_resumption");
        self.config.verify_again = yes;
        self
    }

    /// Shares sessions with whatever other configuration says this name, on purpose. Without it a session hangs on what decided
    /// when it was made, and counts only where the same decides: the same verifier (of [`trust`](ClientBuilder::trust): the same
    /// roots), the same identity of this client, the same policy but for its suites. By a
    /// name it is for the application to see to it that a peer taken by one is as good for the other.
    #[must_use]
    pub fn session_context(mut self, name: impl AsRef<[u8]>) -> Self {
        self.config.session_context = Some(name.as_ref().to_vec());
        self
    }

    /// Whether a TLS 1.2 server that asks for another handshake is not answered, and the connection goes on as it is
    /// (RFC 5246 7.4.1.1); off by default: the connection then ends, since such a server often waits for what it asked.
    #[must_use]
    pub fn ignore_renegotiation(mut self, yes: bool) -> Self {
        self.config.ignore_renegotiation = yes;
        self
    }

    /// Whether a TLS 1.3 server may ask for this client's certificate after the handshake too (RFC 9846 4.6.2); off by
    /// default. The identity is then chosen for each request anew, X.509 alone.
    #[must_use]
    pub fn post_handshake_auth(mut self, yes: bool) -> Self {
        self.config.post_handshake_auth = yes;
        self
    }

    /// The settings, held against one another: each that was made must be able to have an effect.
    pub(crate) fn checked(mut self) -> Result<ClientConfig> {
        check_keys_only(self.config.keys_only, &self.config.psks, &mut self.config.policy)?;
        self.config.policy.check(self.config.provider)?;
        check_alpn(&self.config.alpn)?;
        self.config.default_types(&self.called);
        clash::check_client(&self.config, &self.called)?;
        if !self.called.has("verify_again_on_resumption") {
            self.config.verify_again = asked_again(&self.config.verifier, self.config.session_context.is_some());
        }
        self.config.context = Context::of_client(&self.config, self.config.session_context.as_deref())?;
        self.config.first_shares = self.config.first_shares();
        self.config.ech = super::ech::plan(&self.config.ech_mode, self.config.provider)?;
        Ok(self.config)
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for ClientBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("config", &self.config).finish()
    }
}
