//! The configurations that are fuzzed: for each, a client and a server that get on with one another.

use super::end::End;
use clasp::config::{
    ClientBuilder, DangerousAcceptAnyone, PreSharedKey, PresentedIdentity, RawPublicKeys, Ready, ServerBuilder, Signer,
    Verified, Verifier, WebPki,
};
use clasp::crypto::Provider;
use clasp::session::{ClientSessions, PeerKey, ServerSessions, Session, TicketKeys};
use clasp::wire::code::{
    CertificateType, CipherSuite, CompressionAlgorithm, NamedGroup, ProtocolVersion, SignatureScheme,
};
use clasp::{Answer, ClientAuth, ClientConfig, Identity, Policy, Result, Roots, ServerConfig, ServerName};
use clasp_testkit::{ManualClock, Pair, provider};
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::Poll;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// 17 March 2030.
const NOW: u64 = 1_900_000_000;
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// A client and a server, and whether the client sends early data.
#[derive(Debug)]
pub struct Scenario {
    /// A name for people.
    pub name: &'static str,
    /// The client's configuration.
    pub client: Arc<ClientConfig>,
    /// The server's.
    pub server: Arc<ServerConfig>,
    /// Whether the client begins with early data.
    pub early: bool,
}

/// With which cryptography.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crypto {
    /// None: bytes of the fuzzer can be whole conversations.
    Hollow,
    /// Real, from a seed.
    Seeded,
}

/// All scenarios, made once.
///
/// # Panics
/// If one of them does not work.
pub fn all(crypto: Crypto) -> &'static [Scenario] {
    static HOLLOW: OnceLock<Vec<Scenario>> = OnceLock::new();
    static SEEDED: OnceLock<Vec<Scenario>> = OnceLock::new();
    let (cell, provider) = match crypto {
        Crypto::Hollow => (&HOLLOW, provider::hollow()),
        Crypto::Seeded => (&SEEDED, provider::seeded()),
    };
    cell.get_or_init(|| Maker { provider }.all())
}

/// Certificates and keys: fixed, so that every run is the same. `cargo run --bin seeds` made them.
mod data {
    pub(super) const CA: &[u8] = include_bytes!("../../data/ca.der");
    pub(super) const P256: (&[u8], &[u8]) =
        (include_bytes!("../../data/p256.der"), include_bytes!("../../data/p256.key"));
    pub(super) const RSA: (&[u8], &[u8]) = (include_bytes!("../../data/rsa.der"), include_bytes!("../../data/rsa.key"));
    pub(super) const ED25519: (&[u8], &[u8]) =
        (include_bytes!("../../data/ed25519.der"), include_bytes!("../../data/ed25519.key"));
}

fn identity((certificate, key): (&[u8], &[u8])) -> Identity {
    Identity::from_der(vec![certificate.to_vec().into()], key).expect("our own certificate")
}

struct Maker {
    provider: &'static Provider,
}

impl Maker {
    fn policy(&self) -> Policy {
        Policy::legacy().with_groups([NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Ffdhe2048])
    }

    fn roots() -> Arc<Roots> {
        let mut roots = Roots::empty();
        roots.add_der(data::CA).expect("our own authority");
        Arc::new(roots)
    }

    fn client(&self) -> ClientBuilder<Ready> {
        self.client_with(Arc::new(Late(WebPki::servers(Self::roots()))))
    }

    fn client_with(&self, verifier: Arc<dyn Verifier>) -> ClientBuilder<Ready> {
        // It takes tickets, and keeps none.
        let forgetful = OneSession(Last::none());
        forgetful.0.freeze();
        ClientConfig::builder()
            .dangerous_verifier(verifier)
            .policy(self.policy())
            .provider(self.provider)
            .clock(Arc::new(ManualClock::at(NOW)))
            .sessions(Arc::new(forgetful))
    }

    fn server(&self, identity: Identity) -> ServerBuilder<Ready> {
        ServerConfig::builder()
            .identity(identity)
            .policy(self.policy())
            .provider(self.provider)
            .clock(Arc::new(ManualClock::at(NOW)))
            .sessions(Arc::new(Store(Last::none())))
            // So that planted state, and the seeds, are of every run's server.
            .session_context("fuzz")
    }

    fn tickets(&self) -> Arc<TicketKeys> {
        let secret: [u8; 32] = core::array::from_fn(|n| n as u8);
        Arc::new(TicketKeys::shared(self.provider, &secret, MONTH, MONTH).expect("ticket keys"))
    }

    fn all(&self) -> Vec<Scenario> {
        let mut all = self.tls13();
        all.extend(self.tls12());
        for scenario in &all {
            provider::reseed(1);
            let mut pair = Pair::new(&scenario.client, &scenario.server);
            // Late parties make it stand still now and then.
            for _ in 0..8 {
                pair.drive().unwrap_or_else(|e| panic!("{}: {e}", scenario.name));
            }
            assert!(pair.client.facts().is_some() && pair.server.facts().is_some(), "{}: not done", scenario.name);
        }
        all
    }

    fn tls13(&self) -> Vec<Scenario> {
        let of = |name, client: ClientBuilder<Ready>, server: ServerBuilder<Ready>| Scenario {
            name,
            client: client.build().expect(name),
            server: server.build().expect(name),
            early: false,
        };
        let compression = [CompressionAlgorithm::Brotli, CompressionAlgorithm::Zlib, CompressionAlgorithm::Zstd];
        let only13 = || self.policy().with_versions([ProtocolVersion::Tls13]);
        let full = of(
            "tls 1.3, everything asked for",
            self.client().alpn([b"h2", b"h3"]).request_timestamps(true).certificate_compression(compression),
            self.server(
                identity(data::ED25519)
                    .with_ocsp(vec![0x30, 3, 10, 1, 6])
                    .with_timestamps(vec![0, 4, 0, 2, 1, 1])
                    .expect("a list"),
            )
            .alpn([b"h2"])
            .tickets(self.tickets())
            .certificate_compression(compression)
            .max_early_data(1000),
        );
        let late =
            Identity::with_signer(vec![data::P256.0.to_vec().into()], Arc::new(Late(identity_key(data::P256.1))))
                .expect("late");
        let mutual = of(
            "tls 1.3, client certificate, all outside late",
            self.client().identity(identity(data::P256)).record_size_limit(512),
            self.server(late)
                .client_auth(ClientAuth::Require(Arc::new(Late(WebPki::clients(Self::roots())))))
                .record_size_limit(300),
        );
        let retry = of(
            "tls 1.3, HelloRetryRequest",
            self.client().policy(only13()).key_shares([]).grease(false),
            self.server(identity(data::ED25519)),
        );
        let keys = PreSharedKey::imported(b"device", &[9; 32], b"fuzz").expect("a key");
        let [key, _] = keys;
        let external = of(
            "tls 1.3, external key",
            self.client().pre_shared_key(key.clone()).psk_without_dhe(true),
            self.server(identity(data::ED25519)).pre_shared_key(key).psk_without_dhe(true),
        );
        let raw = |key: &[u8]| Identity::raw_public_key(key).expect("a key");
        let accept = |key: &[u8]| Arc::new(RawPublicKeys::new([raw(key).spki().to_vec()]));
        let raw_keys = of(
            "tls 1.3, raw public keys",
            self.client_with(accept(data::ED25519.1))
                .identity(raw(data::P256.1))
                .server_certificate_types([CertificateType::RawPublicKey])
                .client_certificate_types([CertificateType::RawPublicKey]),
            self.server(raw(data::ED25519.1))
                .client_auth(ClientAuth::Request(accept(data::P256.1)))
                .client_certificate_types([CertificateType::RawPublicKey]),
        );
        let mut early = self.resumed("tls 1.3, resumed with early data", only13(), true, data::ED25519);
        early.early = true;
        let stored = self.resumed("tls 1.3, resumed from the store", only13(), false, data::P256);
        vec![full, mutual, retry, external, raw_keys, early, stored]
    }

    fn tls12(&self) -> Vec<Scenario> {
        let of = |name, client: ClientBuilder<Ready>, server: ServerBuilder<Ready>| Scenario {
            name,
            client: client.build().expect(name),
            server: server.build().expect(name),
            early: false,
        };
        let only12 = || self.policy().with_versions([ProtocolVersion::Tls12]);
        let suite = |suite| only12().with_suites([suite]);
        vec![
            of(
                "tls 1.2, ECDHE, client certificate",
                self.client()
                    .policy(only12())
                    .alpn([b"http/1.1"])
                    .request_timestamps(true)
                    .identity(identity(data::ED25519)),
                self.server(
                    identity(data::P256)
                        .with_ocsp(vec![0x30, 3, 10, 1, 6])
                        .with_timestamps(vec![0, 4, 0, 2, 1, 1])
                        .expect("a list"),
                )
                .alpn([b"http/1.1"])
                .tickets(self.tickets())
                .client_auth(ClientAuth::Request(Arc::new(DangerousAcceptAnyone))),
            ),
            of(
                "tls 1.2, RSA key transport, CBC, encrypt-then-MAC",
                self.client().policy(suite(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA)),
                self.server(identity(data::RSA)),
            ),
            of(
                "tls 1.2, DHE, CBC, MAC-then-encrypt, small fragments",
                self.client()
                    .policy(suite(CipherSuite::TLS_DHE_RSA_WITH_AES_128_CBC_SHA))
                    .encrypt_then_mac(false)
                    .extended_master_secret(false)
                    .max_fragment_length(clasp::wire::code::MaxFragmentLength::Bytes512),
                self.server(identity(data::RSA)),
            ),
            self.resumed("tls 1.2, resumed by ticket", only12(), true, data::P256),
            self.resumed("tls 1.2, resumed by session ID", only12(), false, data::P256),
        ]
    }

    /// A scenario whose client has a session already.
    fn resumed(&self, name: &'static str, policy: Policy, tickets: bool, with: (&[u8], &[u8])) -> Scenario {
        let (sessions, store) = (Arc::new(OneSession(Last::none())), Arc::new(Store(Last::none())));
        let mut server = self.server(identity(with)).max_early_data(1000).sessions(store.clone());
        if tickets {
            server = server.tickets(self.tickets());
        }
        let tls13 = policy.speaks(ProtocolVersion::Tls13);
        let client = self.client().policy(policy).early_data(tls13).sessions(sessions.clone());
        let (client, server) = (client.build().expect(name), server.build().expect(name));
        provider::reseed(0);
        let mut pair = Pair::new(&client, &server);
        for _ in 0..8 {
            pair.drive().expect(name);
        }
        assert!(sessions.0.get().is_some(), "{name}: no session came");
        sessions.0.freeze();
        store.0.freeze();
        Scenario { name, client, server, early: false }
    }
}

fn identity_key(key: &[u8]) -> clasp::crypto::PrivateKey {
    clasp::crypto::PrivateKey::from_der(key).expect("our own key")
}

/// The last of what came before it was frozen.
struct Last<T>(Mutex<(Option<T>, bool)>);

impl<T: Clone> Last<T> {
    fn none() -> Self {
        Self(Mutex::new((None, false)))
    }

    fn freeze(&self) {
        self.0.lock().expect("one thread").1 = true;
    }

    fn set(&self, value: T) {
        let mut inner = self.0.lock().expect("one thread");
        if !inner.1 {
            inner.0 = Some(value);
        }
    }

    fn get(&self) -> Option<T> {
        self.0.lock().expect("one thread").0.clone()
    }
}

/// A client's store that gives the same session again and again, but to the next connection of [`begin_next`].
struct OneSession(Last<Session>);

impl ClientSessions for OneSession {
    fn put(&self, _peer: &PeerKey, session: Session) {
        CAME.set(Some(session.clone()));
        self.0.set(session);
    }

    fn take(&self, _peer: &PeerKey) -> Option<Session> {
        if NEXT.get() { CAME.take() } else { self.0.get() }
    }
}

/// A server's store that has one session under every ID: what [`plant`] says, else the last it was given. Claims are
/// always the first.
struct Store(Last<Vec<u8>>);

thread_local! {
    static PLANTED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    static LAST_PUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// The session that came last to a client of this thread, and whether it is the one to give.
    static CAME: RefCell<Option<Session>> = const { RefCell::new(None) };
    static NEXT: Cell<bool> = const { Cell::new(false) };
}

/// What a store of this thread was given last.
pub(crate) fn last_put() -> Vec<u8> {
    LAST_PUT.take()
}

/// What every store of this thread has from here on; `None` for what was put there.
pub(crate) fn plant(state: Option<Vec<u8>>) {
    PLANTED.set(state);
    CAME.set(None);
}

/// Begins the client's next connection, with the session that came in this input: whatever a server gave, a hello is said.
pub(crate) fn begin_next(scenario: &Scenario) {
    NEXT.set(true);
    let name = ServerName::try_from("localhost").expect("a name");
    let next = scenario.client.connect(name);
    let end = End::new(next);
    NEXT.set(false);
    assert!(end.connection.failure().is_none(), "the next hello: {:?}", end.connection.failure());
}

impl ServerSessions for Store {
    fn put<'a>(&'a self, _id: &'a [u8], sealed: &'a [u8], _until: SystemTime) -> Answer<'a, Result<()>> {
        self.0.set(sealed.to_vec());
        LAST_PUT.set(sealed.to_vec());
        Answer::Now(Ok(()))
    }

    fn get<'a>(&'a self, _id: &'a [u8], _now: SystemTime) -> Answer<'a, Result<Option<Zeroizing<Vec<u8>>>>> {
        let planted = PLANTED.with_borrow(Clone::clone);
        let kept = planted.or_else(|| self.0.get());
        late(Ok(kept.map(Zeroizing::new)))
    }

    fn claim<'a>(&'a self, _id: &'a [u8], _now: SystemTime, _until: SystemTime) -> Answer<'a, Result<bool>> {
        late(Ok(true))
    }

    fn forget<'a>(&'a self, _id: &'a [u8]) -> Answer<'a, ()> {
        Answer::Now(())
    }

    fn claims_context(&self) -> Option<Vec<u8>> {
        Some(b"fuzz".to_vec())
    }
}

/// An answer that is there after three polls.
fn late<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    let mut value = Some(value);
    let mut polls = 0;
    Answer::later(poll_fn(move |cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        match value.take_if(|_| polls > 3) {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        }
    }))
}

/// Somebody outside who takes time.
struct Late<T>(T);

impl<V: Verifier> Verifier for Late<V> {
    fn verify<'a>(&'a self, peer: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        match self.0.verify(peer) {
            Answer::Now(verdict) => late(verdict),
            later => later,
        }
    }

    fn authorities(&self) -> Vec<Vec<u8>> {
        self.0.authorities()
    }

    fn session_context(&self) -> Option<Vec<u8>> {
        self.0.session_context()
    }
}

impl<S: Signer> Signer for Late<S> {
    fn schemes(&self) -> &[SignatureScheme] {
        self.0.schemes()
    }

    fn sign<'a>(&'a self, scheme: SignatureScheme, message: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        match self.0.sign(scheme, message) {
            Answer::Now(signature) => late(signature),
            later => later,
        }
    }
}
