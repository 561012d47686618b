//! How real code comes to rows: each with what its peer, its caller or a party outside did.

use crate::flights::answered::{Answered, CURVES, Change, Extended};
use crate::flights::hello::{Hello, ext, psk, psk_of, record, server_of, share, v8, v16};
use crate::flights::hidden::{self, Hiding};
use crate::flights::*;
use clasp::config::{
    Admission, ClientBuilder, ClientHelloFacts, Identities, PreSharedKey, RawPublicKeys, Ready, Resolver,
    ServerBuilder, Signer,
};
use clasp::crypto::HashId;
use clasp::error::{Cause, CertificateError, DecodeError, DecodeKind, Misuse, Outside, PeerError, RecordError};
use clasp::pki_types::CertificateDer;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::wire::code::{
    CipherSuite, CompressionAlgorithm, ContentType, MaxFragmentLength, NamedGroup, SignatureScheme,
};
use clasp::{Answer, ClientConfig, Connection, Error, Identity, Policy, Result, ServerConfig};
use clasp_testkit::hollow_bytes::{self, CCS, Message, Wrap, messages};
use clasp_testkit::provider::{Script, hollow};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;
use std::time::Duration;

/// A row, and the error that came.
type Reached = (Cause, Error);

fn says(mut server: Connection, hellos: &[&Hello]) -> Error {
    let mut flight = hellos.iter().flat_map(|hello| record(22, &hello.message())).collect::<Vec<_>>();
    server.receive(&mut flight, &mut Vec::new()).map(drop).unwrap_err()
}

/// What a server says to a hello, or to two.
pub(crate) fn hellos() -> Vec<Reached> {
    let (new, old) = (Hello::tls13, Hello::tls12);
    let peer = |row, hello: Hello| (Cause::Peer(row), says(server_of(Policy::default()), &[&hello]));
    let decode = |kind, hello: Hello| {
        let row = DecodeError { what: "", kind, offset: 0 };
        (Cause::Decode(row), says(server_of(Policy::default()), &[&hello]))
    };
    let modes = |mode| ext(PSK_MODES, &v8(&[mode]));
    let strict = |row, policy, hello: Hello| (Cause::Peer(row), says(server_of(policy), &[&hello]));
    vec![
        peer(PeerError::InappropriateFallback, old().change(|h| h.suites.extend([0x56, 0]))),
        peer(PeerError::NoCommonGroup, new().with(ext(GROUPS, &v16(&[0, 30])))),
        peer(PeerError::NoPointFormat, old().with(ext(POINT_FORMATS, &v8(&[1])))),
        peer(PeerError::MissingExtension, new().without(GROUPS)),
        peer(PeerError::BadKeyShare, new().with(ext(SHARES, &v16(&share(0x1d, &[0; 32]))))),
        peer(PeerError::PskNotLast, new().with(psk(1, 1)).with(modes(1))),
        peer(PeerError::BinderCountMismatch, new().with(modes(1)).with(psk(2, 1))),
        peer(PeerError::MissingPskModes, new().with(psk(1, 1))),
        peer(PeerError::MissingKeyShare, new().without(GROUPS).without(SHARES).with(modes(1)).with(psk(1, 1))),
        peer(PeerError::BadRenegotiationInfo, old().with(ext(RENEGOTIATION, &v8(&[1; 12])))),
        peer(PeerError::BadServerName, new().with(ext(SERVER_NAME, &v16(&[&[0], &v16(b"\xff.example")[..]].concat())))),
        peer(PeerError::WrongCertificateType, new().with(ext(SERVER_TYPES, &v8(&[0])))),
        peer(PeerError::BadCertificateType, new().with(ext(SERVER_TYPES, &v8(&[2])))),
        strict(
            PeerError::NoSecureRenegotiation,
            Policy::default().require_secure_renegotiation(true),
            old().without(RENEGOTIATION),
        ),
        strict(
            PeerError::NoExtendedMasterSecret,
            Policy::default().require_extended_master_secret(true),
            old().without(EXTENDED_MASTER),
        ),
        decode(DecodeKind::Truncated, new().with(ext(STATUS, &[1, 0, 5]))),
        decode(DecodeKind::TrailingData(0), new().change(|h| h.tail = vec![0])),
        decode(DecodeKind::Empty, new().change(|h| h.suites.clear())),
        decode(DecodeKind::BadLength(0), new().change(|h| h.session_id = vec![1; 33])),
        decode(DecodeKind::Duplicate(0), new().with(ext(SHARES, &v16(&share(0x1d, &[9; 32]).repeat(2))))),
        decode(DecodeKind::DuplicateExtension(0), new().change(|h| h.extensions.push(ext(SCHEMES, &v16(&[4, 3]))))),
        decode(DecodeKind::IllegalValue(0), new().with(ext(SIZE_LIMIT, &[0, 63]))),
    ]
}

/// What a server with a key for hidden hellos says.
pub(crate) fn hidden() -> Vec<Reached> {
    let again = |row, second: fn(&mut Hiding) -> Hello| {
        let key = hidden::key();
        let mut hiding = Hiding::to(&key);
        let first = hiding.seal(&hidden::outer(), &hidden::encoded(&hidden::inner()));
        let server = hidden::server_with(key).policy(Policy::default().with_groups([NamedGroup::Secp256r1]));
        (Cause::Peer(row), says(server.build().unwrap().accept(), &[&first, &second(&mut hiding)]))
    };
    let key = hidden::key();
    let old = hidden::inner().with(ext(VERSIONS, &v8(&[3, 3])));
    let inner = Hiding::to(&key).seal(&hidden::outer(), &hidden::encoded(&old));
    let server = hidden::server_with(key).build().unwrap().accept();
    vec![
        (Cause::Peer(PeerError::BadInnerHello), says(server, &[&inner])),
        again(PeerError::EchMissingAfterRetry, |_| hidden::outer()),
        again(PeerError::EchChangedAfterRetry, |_| hidden::outer().with(ext(hidden::ECH, &[1]))),
        again(PeerError::EchUndecryptable, |hiding| hidden::outer().with(hiding.extension(&[7; 99]))),
    ]
}

/// What a server with a pre-shared key says.
pub(crate) fn keys() -> Vec<Reached> {
    // MACs of the hollow provider are zeros: so are its binders.
    let key = || PreSharedKey::external(b"ours", &[7; 32], HashId::Sha256).unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let policy = Policy::modern().with_groups([NamedGroup::X25519]);
    let server = ServerConfig::builder().identity(identity).provider(hollow()).policy(policy.clone());
    let server = server.pre_shared_key(key()).build().unwrap();
    let alone =
        ServerConfig::builder().pre_shared_keys_only([key()]).provider(hollow()).policy(policy).build().unwrap();

    let modes = |mode| ext(PSK_MODES, &v8(&[mode]));
    let first = Hello::tls13().with(modes(1)).with(ext(SHARES, &v16(&[])));
    let second = first.clone().with(ext(SHARES, &v16(&share(0x1d, &[9; 32]))));
    let offers = |hello: &Hello, name| hello.clone().with(psk_of(name, 0, 1, 1));
    let twice = |second: &Hello| says(server.accept(), &[&offers(&first, b"ours"), second]);
    let plain = Hello::tls13().with(modes(0));
    vec![
        (Cause::Peer(PeerError::PskWithdrawn), twice(&offers(&second, b"else"))),
        (Cause::Peer(PeerError::PsksWithdrawn), twice(&second)),
        (Cause::Peer(PeerError::NoCommonPskMode), says(alone.accept(), &[&offers(&plain, b"ours")])),
        (Cause::Peer(PeerError::UnknownPskIdentity), says(alone.accept(), &[&offers(&plain.with(modes(1)), b"else")])),
    ]
}

/// The body of a Certificate message of TLS 1.2.
fn chain_of(issued: &clasp_testkit::Issued) -> Vec<u8> {
    let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
    let entry = |der: &CertificateDer<'_>| [&length(der.len()), &der[..]].concat();
    let list = issued.chain.iter().flat_map(entry).collect::<Vec<u8>>();
    [length(list.len()), list].concat()
}

/// One suite of TLS 1.3.
fn with_suite(suite: CipherSuite) -> Policy {
    Policy::modern().with_groups([NamedGroup::X25519]).with_suites([suite])
}

/// What a client says to a server's flight.
pub(crate) fn answers() -> Vec<Reached> {
    let new = || Answered::new(TLS13);
    let retried = || Answered::with(TLS13, |c| c, |s| s.policy(Policy::modern().with_groups([NamedGroup::Secp256r1])));
    let peer = |row, mut answered: Answered| {
        let flight = answered.flight();
        (Cause::Peer(row), answered.hears(&flight).map(drop).unwrap_err())
    };
    let hello = |answered: Answered, change: &dyn Fn(&mut Message)| answered.change(SERVER_HELLO, change);
    let other_group = [&[0, 24], &[0, 97], &[4; 97][..]].concat();
    let key: Change<ClientBuilder<Ready>> =
        |c| c.pre_shared_key(PreSharedKey::external(b"ours", &[7; 32], HashId::Sha256).unwrap());
    let offers = || Answered::with(TLS13, key, |s| s.policy(with_suite(CipherSuite::TLS_AES_128_GCM_SHA256)));
    let other_hash = Answered::with(TLS13, key, |s| s.policy(with_suite(CipherSuite::TLS_AES_256_GCM_SHA384)));
    let compressing: Change<ClientBuilder<Ready>> = |c| c.certificate_compression([CompressionAlgorithm::Zlib]);
    let compressed = |algorithm: u8| {
        let compressed = move |m: &mut Message| {
            *m = Message { kind: 25, body: [&[0, algorithm, 0, 0, 9, 0, 0, 2], &b"??"[..]].concat() }
        };
        Answered::with(TLS13, compressing, |s| s).change(CERTIFICATE, compressed)
    };
    let encrypted = |asks: Change<ClientBuilder<Ready>>, typ, body: &[u8]| {
        Answered::with(TLS13, asks, |s| s).change(ENCRYPTED_EXTENSIONS, |m| m.with(typ, body))
    };
    let many = |m: &mut Message| {
        let list = [0, 0, 1, 7, 0, 0].repeat(101);
        m.body = [&[0, 0], &list.len().to_be_bytes()[6..], &list].concat();
    };
    let p384 = |m: &mut Message| m.body = chain_of(&authority().issue(KeyKind::P384, &["localhost"]));
    let both: Change<ClientBuilder<Ready>> =
        |c| c.max_fragment_length(MaxFragmentLength::Bytes512).record_size_limit(600);
    let mut long = hello(retried(), &|m| m.with(COOKIE, &v16(&vec![7; 65_400])));
    let request: Vec<_> = long.messages[0].bytes().chunks(1 << 14).map(|part| record(22, part)).collect();
    let long = (Cause::Peer(PeerError::CookieTooLong), long.hears(&request).unwrap_err());
    let mut unreadable = new().change(CERTIFICATE, |m| m.body = vec![0, 0, 0, 6, 0, 0, 1, 7, 0, 0]);
    let flight = unreadable.flight();
    let unreadable = unreadable.hears(&flight).unwrap_err();
    let mut second = retried();
    let request = second.flight();
    second.hears(&request).unwrap();
    let again = (Cause::Peer(PeerError::SecondHelloRetry), second.hears(&request).unwrap_err());
    vec![
        again,
        peer(PeerError::WrongLegacyVersion, hello(new(), &|m| m.body[..2].copy_from_slice(&[3, 1]))),
        peer(PeerError::SecondHelloVersionMismatch, {
            // What follows the request is no request.
            let mut other = retried();
            let request = other.flight();
            other.hears(&request).unwrap();
            hello(other, &|m| {
                m.body[2..34].copy_from_slice(&[7; 32]);
                m.with(VERSIONS, &[3, 3]);
            })
        }),
        peer(PeerError::WrongVersionSelected, hello(new(), &|m| m.with(VERSIONS, &[3, 3]))),
        peer(PeerError::WrongGroupSelected, hello(new(), &|m| m.with(SHARES, &other_group))),
        peer(PeerError::UnsolicitedExtension, hello(new(), &|m| m.with(UNKNOWN, &[]))),
        peer(PeerError::ExtensionNotAllowed, hello(new(), &|m| m.with(ALPN, &[]))),
        peer(PeerError::BadHelloRetry, hello(retried(), &|m| m.without(SHARES))),
        long,
        peer(PeerError::UnknownPskSelected, hello(offers(), &|m| m.with(PSK, &[0, 1]))),
        peer(PeerError::PskHashMismatch, hello(other_hash, &|m| m.with(PSK, &[0, 0]))),
        peer(
            PeerError::PskWithoutKeyShare,
            hello(offers(), &|m| {
                m.with(PSK, &[0, 0]);
                m.without(SHARES);
            }),
        ),
        peer(PeerError::WrongProtocolSelected, encrypted(|c| c.alpn(["h2"]), ALPN, &[0, 3, 2, b'h', b'3'])),
        peer(
            PeerError::BadMaxFragmentLength,
            encrypted(|c| c.max_fragment_length(MaxFragmentLength::Bytes512), MAX_FRAGMENT, &[2]),
        ),
        peer(
            PeerError::TwoRecordLimits,
            encrypted(both, MAX_FRAGMENT, &[1]).change(ENCRYPTED_EXTENSIONS, |m| m.with(SIZE_LIMIT, &[4, 0])),
        ),
        peer(PeerError::EmptyCertificate, new().change(CERTIFICATE, |m| m.body = vec![0, 0, 0, 0])),
        peer(PeerError::TooManyCertificates, new().change(CERTIFICATE, many)),
        peer(PeerError::BadDecompression, compressed(1)),
        peer(PeerError::WrongDecompression, compressed(3)),
        // TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, and a certificate for ECDSA.
        peer(
            PeerError::BadCertificateKey,
            hello(Answered::new(TLS12), &|m| {
                let at = m.block() - 3;
                m.body[at..at + 2].copy_from_slice(&[0xc0, 0x2f]);
            }),
        ),
        (Cause::Certificate(CertificateError::BadEncoding), unreadable),
        peer(PeerError::BadKeyCurve, Answered::new(TLS12).change(CERTIFICATE, p384)),
    ]
}

/// What a client says to suites that policies leave out by themselves.
pub(crate) fn legacy() -> Vec<Reached> {
    let all: Change<ClientBuilder<Ready>> = |c| {
        let groups = [NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Ffdhe2048];
        c.policy(Policy::legacy().with_groups(groups))
    };
    let peer = |row, mut answered: Answered| {
        let flight = answered.flight();
        (Cause::Peer(row), answered.hears(&flight).map(drop).unwrap_err())
    };
    let old = || Answered::with(TLS12, all, |s| s);
    // TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 over a prime of 1024 bits.
    let value = [&[0, 128], &[0xff; 128][..]].concat();
    let weak = [&value[..], &[0, 1, 2], &value, &[8, 4, 0, 1, 7]].concat();
    let logjam = old()
        .change(SERVER_HELLO, |m| {
            let at = m.block() - 3;
            m.body[at..at + 2].copy_from_slice(&[0, 0x9e]);
        })
        .change(CERTIFICATE, |m| m.body = chain_of(&authority().issue(KeyKind::Rsa, &["localhost"])))
        .change(SERVER_KEY_EXCHANGE, |m| m.body = weak);
    let server = ServerConfig::builder().identity(authority().issue(KeyKind::Rsa, &["localhost"]).identity());
    let server = server.policy(Policy::legacy()).build().unwrap();
    let unknown_group = Hello::tls12().change(|h| h.suites = vec![0, 0x9e]).with(ext(GROUPS, &v16(&[1, 0xff])));
    vec![
        peer(PeerError::BadEncryptThenMac, old().change(SERVER_HELLO, |m| m.with(ENCRYPT_THEN_MAC, &[]))),
        peer(PeerError::WeakDhGroup, logjam),
        (Cause::Peer(PeerError::NoCommonDhGroup), says(server.accept(), &[&unknown_group])),
    ]
}

/// What a client says that has a session to resume.
pub(crate) fn resumed() -> Vec<Reached> {
    let again = |version, early, ems: bool| {
        let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
        let policy = Policy::default().with_groups(CURVES).with_versions([version]);
        let client = ClientConfig::builder().trust(authority().roots()).provider(hollow()).policy(policy.clone());
        let client = client.alpn(["one", "two"]).early_data(early).build().unwrap();
        let server = ServerConfig::builder().identity(identity).provider(hollow()).policy(policy).alpn(["one"]);
        let server = server.extended_master_secret(ems).max_early_data(if early { 99 } else { 0 });
        let server = server.sessions(Arc::new(ServerSessionCache::new(1 << 20))).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        while pair.client.is_handshaking() || pair.server.is_handshaking() {
            pair.drive().unwrap();
        }
        pair.server_sends(b"behind the tickets").unwrap();
        pair.drive().unwrap();
        let mut pair = Pair::new(&client, &server);
        pair.drive_server_flights(1);
        let messages = messages(&pair.to_client, version == TLS13);
        Answered { client: pair.client, tls13: version == TLS13, messages }
    };
    let peer = |row, mut answered: Answered| {
        let flight = answered.flight();
        (Cause::Peer(row), answered.hears(&flight).map(drop).unwrap_err())
    };
    let other_suite = |m: &mut Message| {
        let at = m.block() - 3;
        // One of the two that are there: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, or with AES_128 and SHA256.
        m.body[at + 1] = if m.body[at + 1] == 0x2b { 0x2c } else { 0x2b };
    };
    let other_protocol = |m: &mut Message| m.with(ALPN, &[0, 4, 3, b't', b'w', b'o']);
    vec![
        peer(PeerError::ResumedWithOtherSuite, again(TLS12, false, true).change(SERVER_HELLO, other_suite)),
        peer(
            PeerError::ResumedWithNewEms,
            again(TLS12, false, false).change(SERVER_HELLO, |m| m.with(EXTENDED_MASTER, &[])),
        ),
        peer(
            PeerError::EarlyDataBadlyAccepted,
            again(TLS13, true, true).change(ENCRYPTED_EXTENSIONS, other_protocol).change(ENCRYPTED_EXTENSIONS, |m| {
                m.with(EARLY_DATA, &[]);
            }),
        ),
    ]
}

/// What comes of records.
pub(crate) fn records() -> Vec<Reached> {
    let plain = |content, body: &[u8]| hollow_bytes::record(Wrap::Plain, content, body);
    let heard = |row, records: &[Vec<u8>]| (Cause::Record(row), Answered::new(TLS13).hears(records).unwrap_err());
    let mut clear = Answered::new(TLS13);
    let flight = [clear.flight()[0].clone(), plain(22, &[8, 0, 0, 2, 0, 0])];
    let old: Change<ClientBuilder<Ready>> = |c| c.policy(Policy::default().with_versions([TLS12]).with_groups(CURVES));
    let change =
        Answered::with(TLS12, old, |s| s).taken("a flight").receive(&mut plain(CCS, &[2]), &mut Vec::new()).map(drop);
    let inner = Answered::new(TLS13)
        .taken("a flight")
        .receive(&mut hollow_bytes::record(Wrap::Inner13, 99, b"?"), &mut Vec::new())
        .map(drop);
    vec![
        (Cause::Record(RecordError::BadChangeCipherSpec), change.unwrap_err()),
        (Cause::Record(RecordError::UnknownType(0)), inner.unwrap_err()),
        heard(RecordError::BadChangeCipherSpecTls13, &[plain(CCS, &[2])]),
        (Cause::Record(RecordError::Unprotected(ContentType::Handshake)), clear.hears(&flight).unwrap_err()),
        heard(RecordError::BadAlert, &[plain(21, &[1])]),
        heard(RecordError::BadAlertLevel(0), &[plain(21, &[3, 0])]),
        heard(RecordError::TooManyEmpty, &vec![plain(CCS, &[1]); 40]),
        heard(RecordError::TooManyWarnings, &vec![plain(21, &[1, 90]); 40]),
    ]
}

/// What the caller asked for.
pub(crate) fn calls() -> Vec<Reached> {
    let misuse = |row, error| (Cause::Misuse(row), error);
    let client = || ClientConfig::builder().dangerous_trust_anyone();
    let (day, week) = (Duration::from_secs(86_400), Duration::from_secs(7 * 86_400));
    let mut done = pair(client(), |s| s.extended_master_secret(false).policy(Policy::default().with_versions([TLS12])));
    done.drive().unwrap();
    let mut begun = pair(client(), |s| s);
    let modern = &mut pair(client(), |s| s);
    modern.drive().unwrap();
    vec![
        misuse(Misuse::NoSuites, client().policy(Policy::modern().with_suites([])).build().unwrap_err()),
        misuse(Misuse::BadCertificateFile, Identity::from_pem(b"nothing", b"nothing").unwrap_err()),
        misuse(Misuse::BadAlpn, client().alpn([""]).build().unwrap_err()),
        misuse(Misuse::BadTicketSecret, TicketKeys::shared(hollow(), &[0; 32], day, week).unwrap_err()),
        misuse(Misuse::EarlyDataUnavailable, begun.client.send_early(b"early", &mut Vec::new()).unwrap_err()),
        misuse(Misuse::ChannelBindingUnsafe, done.client.tls_unique().unwrap_err()),
        misuse(Misuse::ExporterTooLong, modern.client.export(b"long", None, &mut [0; 1 << 14]).unwrap_err()),
    ]
}

/// A client, and a server with a certificate.
fn pair(client: ClientBuilder<Ready>, server: impl FnOnce(ServerBuilder<Ready>) -> ServerBuilder<Ready>) -> Pair {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = server(ServerConfig::builder().identity(identity)).build().unwrap();
    Pair::new(&client.build().unwrap(), &server)
}

/// A key that signs nothing.
struct Mute;

impl Signer for Mute {
    fn schemes(&self) -> &[SignatureScheme] {
        &[SignatureScheme::EcdsaSecp256r1Sha256]
    }

    fn sign<'a>(&'a self, _: SignatureScheme, _: &'a [u8]) -> Answer<'a, Result<Vec<u8>>> {
        Answer::Now(Ok(Vec::new()))
    }
}

/// Never says whether it lets somebody in.
struct Never;

impl Admission for Never {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        Answer::later(core::future::pending())
    }
}

/// What is too slow, broken or not to be had, at the peer's end, in the transport and outside.
pub(crate) fn outside() -> Vec<Reached> {
    let client = || ClientConfig::builder().dangerous_trust_anyone();
    let chain = authority().issue(KeyKind::P256, &["localhost"]).chain;
    let failure = |resolver: Arc<dyn Resolver>| {
        let server = ServerConfig::builder().identity(resolver).build().unwrap();
        let mut pair = Pair::new(&client().build().unwrap(), &server);
        assert!(pair.drive().is_err());
        pair.server.failure().unwrap().clone()
    };
    let mute = Identity::with_signer(chain, Arc::new(Mute)).unwrap();
    let mut done = pair(client(), |s| s);
    done.drive().unwrap();
    let mut slow = pair(client(), |s| s.admission(Arc::new(Never)));
    slow.drive().unwrap();
    // A raw public key that is a SET in place of a SEQUENCE.
    let raw = Identity::raw_public_key(&authority().issue(KeyKind::P256, &["localhost"]).key).unwrap();
    let spki = raw.spki().to_vec();
    let pinning = ClientConfig::builder().dangerous_verifier(Arc::new(RawPublicKeys::new([spki.clone()])));
    let old = Policy::default().with_versions([TLS12]);
    let server = ServerConfig::builder().identity(raw).policy(old).build().unwrap();
    let mut no_key = Pair::new(&pinning.build().unwrap(), &server);
    no_key.drive_server_flights(1);
    let at = no_key.to_client.windows(spki.len()).position(|w| w == spki).unwrap();
    no_key.to_client[at] = 0x31;
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    let broken = Script { keys: vec![(NamedGroup::X25519MlKem768, vec![7; 32])], ..Script::default() }.provider();
    let mut broken = client().provider(broken).build().unwrap().connect("localhost".try_into().unwrap());
    vec![
        (Cause::Peer(PeerError::TookTooLong), pair(client(), |s| s).client.give_up(&mut Vec::new())),
        (Cause::Peer(PeerError::Truncated), done.client.transport_ended().unwrap_err()),
        (Cause::Peer(PeerError::ClosedDuringHandshake), pair(client(), |s| s).client.transport_ended().unwrap_err()),
        (Cause::Peer(PeerError::UnusableCertificate), no_key.drive().unwrap_err()),
        (Cause::Outside(Outside::CryptoFailed), broken.advance(&mut cx, &mut Vec::new()).unwrap_err()),
        (Cause::Outside(Outside::SignerFailed), failure(Arc::new(Identities::new([mute])))),
        (Cause::Outside(Outside::TookTooLong), slow.server.give_up(&mut Vec::new())),
    ]
}
