//! Configurations as the flags ask for them.

use crate::credentials;
use crate::doubles::{
    Chooser, ClientChooser, Messages, ShimAdmission, ShimClock, ShimKeyLog, ShimSessions, ShimStore, ShimVerifier,
};
use crate::failure::Failure;
use crate::flags::Flags;
use crate::tickets::CallbackTickets;
use crate::{compression, credentials::psks, ech, suites};
use clasp::Error;
use clasp::config::{
    CertificateCompression, ClientAuth, ClientConfig, Policy, PreSharedKey, Ready, ServerBuilder, ServerConfig,
};
use clasp::crypto::Provider;
use clasp::error::Outside;
use clasp::session::{ServerSessionCache, TicketKeys};
use clasp::wire::code::{AlertDescription, CertificateType, NamedGroup, ProtocolVersion, SignatureScheme};
use std::sync::atomic::{AtomicU8, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the connections of one test share.
pub(crate) struct World {
    pub(crate) clock: ShimClock,
    pub(crate) sessions: Arc<ShimSessions>,
    pub(crate) store: Arc<ShimStore>,
    pub(crate) tickets: Arc<TicketKeys>,
    pub(crate) key_log: Arc<ShimKeyLog>,
    pub(crate) messages: Arc<Messages>,
}

const HOUR: Duration = Duration::from_secs(3600);
/// BoringSSL's kMaxEarlyDataAccepted, which the runner's tests count on.
const MAX_EARLY_DATA: u32 = 14_336;
/// BoringSSL counts whole seconds, and takes 60.
const EARLY_DATA_WINDOW: Duration = Duration::from_millis(60_500);

impl World {
    pub(crate) fn new() -> Self {
        let store = ShimStore { cache: ServerSessionCache::new(1 << 20), puts: AtomicUsize::new(0), slow: true };
        let tickets = TicketKeys::random(Provider::builtin(), 48 * HOUR, 48 * HOUR).expect("randomness");
        Self {
            clock: ShimClock::default(),
            sessions: Arc::default(),
            store: Arc::new(store),
            tickets: Arc::new(tickets),
            key_log: Arc::default(),
            messages: Arc::default(),
        }
    }
}

/// What the runner's own library does by default, as far as Clasp has it.
fn policy(flags: &Flags) -> Result<Policy, Failure> {
    let mut versions = vec![ProtocolVersion::Tls13, ProtocolVersion::Tls12];
    let number = |v: Option<u64>| v.and_then(|v| u16::try_from(v).ok()).map(ProtocolVersion);
    let (min, max) = (number(flags.min_version), number(flags.max_version));
    versions.retain(|v| {
        !(flags.no_tls13 && *v == ProtocolVersion::Tls13 || flags.no_tls12 && *v == ProtocolVersion::Tls12)
            && min.is_none_or(|min| *v >= min)
            && max.is_none_or(|max| *v <= max)
    });
    // No version at all is a mistake of the caller, which Clasp has an error for.
    let nothing = flags.no_tls13 && flags.no_tls12 && flags.no_tls11 && flags.no_tls1;
    if versions.is_empty() && !nothing {
        return Err(Failure::unimplemented("versions before TLS 1.2"));
    }
    let tiers = suites::tiers(flags)?;
    let groups: Vec<NamedGroup> = if flags.curves.is_empty() {
        vec![NamedGroup::X25519MlKem768, NamedGroup::X25519, NamedGroup::Secp256r1, NamedGroup::Secp384r1]
    } else {
        flags.curves.iter().copied().map(NamedGroup).collect()
    };
    if let Some(unknown) = groups.iter().find(|g| Provider::builtin().group(**g).is_none()) {
        return Err(Failure::unimplemented(format!("group {unknown}")));
    }
    let mut policy = Policy::legacy()
        .with_versions(versions)
        .with_suite_tiers(tiers.iter().map(Vec::as_slice))
        .with_groups(groups)
        .with_schemes(VERIFY)
        .require_secure_renegotiation(flags.no_legacy_server_connect);
    if !flags.verify_prefs.is_empty() {
        let schemes: Vec<SignatureScheme> = flags.verify_prefs.iter().copied().map(SignatureScheme).collect();
        let known = Provider::builtin().schemes;
        if let Some(unknown) = schemes.iter().find(|s| !known.contains(s)) {
            return Err(Failure::unimplemented(format!("signature scheme {unknown}")));
        }
        policy = policy.with_schemes(schemes);
    }
    Ok(policy)
}

const VERIFY: &[SignatureScheme] = &[
    SignatureScheme::EcdsaSecp256r1Sha256,
    SignatureScheme::RsaPssRsaeSha256,
    SignatureScheme::RsaPkcs1Sha256,
    SignatureScheme::EcdsaSecp384r1Sha384,
    SignatureScheme::RsaPssRsaeSha384,
    SignatureScheme::RsaPkcs1Sha384,
    SignatureScheme::RsaPssRsaeSha512,
    SignatureScheme::RsaPkcs1Sha512,
];

fn verifier(flags: &Flags, retry: &Flags) -> Result<Arc<ShimVerifier>, Failure> {
    // Without a wish to verify, the runner's library goes on whatever its callback says.
    let checks = flags.verify_peer || flags.custom_verify || flags.require_any_client_certificate;
    let authorities = match flags.use_client_ca_list.as_deref() {
        None | Some("<EMPTY>" | "<NULL>") => Vec::new(),
        Some(list) => list.split(',').map(hex).collect::<Option<_>>().ok_or_else(|| Failure::new("a bad CA list"))?,
    };
    let fail = |f: &Flags| f.verify_fail && (checks || !f.accepted_peer_cert_types.is_empty());
    let name = |f: &Flags| match &f.expect_ech_name_override {
        Some(name) => Some(name.clone()),
        None => f.expect_no_ech_name_override.then(|| f.name().into()),
    };
    Ok(Arc::new(ShimVerifier {
        name: name(flags),
        name_later: name(retry),
        fail: fail(flags),
        fail_later: (retry.verify_fail != flags.verify_fail).then(|| fail(retry)),
        asked: AtomicUsize::new(0),
        custom: flags.custom_verify,
        fail_status: !flags.server && flags.use_ocsp_callback && flags.fail_ocsp_callback,
        slow: flags.async_,
        authorities,
    }))
}

pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.get(..text.len() / 2 * 2)?;
    (0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).ok()).collect()
}

fn chooser(flags: &Flags) -> Result<Arc<Chooser>, Failure> {
    let no_status = flags.server && flags.use_ocsp_callback && flags.fail_ocsp_callback;
    let refuse = (flags.fail_cert_callback || no_status).then(|| Error::from(Outside::ResolverFailed));
    Ok(Arc::new(Chooser {
        identities: credentials::identities(flags)?,
        refuse,
        slow: flags.async_,
        seen: Mutex::default(),
    }))
}

fn types(list: &[u16]) -> Option<Vec<CertificateType>> {
    let types = list.iter().filter_map(|t| u8::try_from(*t).ok()).map(CertificateType).collect::<Vec<_>>();
    Some(types).filter(|t| !t.is_empty())
}

fn protocols(wire: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut rest = wire.as_bytes();
    let mut all = Vec::new();
    while let Some((len, tail)) = rest.split_first() {
        let (name, tail) = tail.split_at_checked(usize::from(*len)).ok_or_else(|| Failure::new("a bad ALPN list"))?;
        all.push(name.to_vec());
        rest = tail;
    }
    Ok(all)
}

/// The runner resumes what another configuration made: the shim has verifiers of its own for each connection.
const SESSION_CONTEXT: &str = "runner";

/// What `build` would refuse as without effect is left out: the runner sets flags that its tests have no use for.
struct Room {
    tls13: bool,
    tls12: bool,
    /// There are no certificates.
    keys_only: bool,
}

/// A client, and what will be chosen for it.
pub(crate) fn client(
    world: &World,
    flags: &Flags,
    retry: &Flags,
) -> Result<(Arc<ClientConfig>, Arc<Chooser>), Failure> {
    let chooser = chooser(flags)?;
    let show = types(&flags.available_client_cert_types).unwrap_or_else(|| kinds_of(&chooser));
    let keys = || -> Result<Vec<PreSharedKey>, Failure> { Ok(psks(flags)?.into_iter().map(|(_, key)| key).collect()) };
    let builder = ClientConfig::builder();
    let policy = policy(flags)?;
    let room = Room {
        tls13: policy.speaks(ProtocolVersion::Tls13),
        tls12: policy.speaks(ProtocolVersion::Tls12),
        keys_only: !(keys()?.is_empty() || flags.verify_peer || flags.custom_verify),
    };
    let mut builder = if room.keys_only {
        builder.trust_pre_shared_keys(keys()?)
    } else {
        let builder = builder.dangerous_verifier(verifier(flags, retry)?);
        let keys = keys()?.into_iter().filter(|_| room.tls13);
        keys.fold(builder, |builder, key| builder.pre_shared_key(key))
    };
    builder = builder
        .policy(policy.clone())
        .clock(Arc::new(world.clock.clone()))
        .sessions(world.sessions.clone())
        .session_context(SESSION_CONTEXT)
        .session_tickets(!flags.no_ticket)
        .send_server_name(flags.host_name.is_some())
        .grease(flags.enable_grease)
        .encrypted_client_hello(ech::mode(flags, room.tls13)?)
        .early_data(flags.enable_early_data && room.tls13 && !flags.no_ticket)
        .ignore_renegotiation(flags.renegotiate_ignore && room.tls12)
        .key_log(world.key_log.clone())
        .observer(world.messages.clone())
        .request_status(flags.enable_ocsp_stapling)
        .request_timestamps(flags.enable_timestamps && !room.keys_only)
        .verify_again_on_resumption(flags.reverify_on_resume && !room.keys_only);
    if let Some(kinds) = types(&flags.accepted_peer_cert_types).filter(|_| !room.keys_only) {
        builder = builder.server_certificate_types(kinds);
    }
    let chooses = !chooser.identities.is_empty() || chooser.refuse.is_some() || watches_requests(flags);
    let shows_others = show != [CertificateType::X509];
    if (chooses || shows_others) && !room.keys_only {
        builder = builder.client_certificate_types(show).identity(ClientChooser(chooser.clone()));
    }
    if let Some(list) = &flags.advertise_alpn {
        builder = builder.alpn(protocols(list)?);
    }
    let offered = |list: &[u16]| -> Vec<NamedGroup> {
        list.iter().copied().map(NamedGroup).filter(|g| policy.groups().contains(g)).collect()
    };
    let (known, shares) = (offered(&flags.server_groups), offered(&flags.key_shares));
    if room.tls13 && !known.is_empty() {
        builder = builder.server_groups(known);
    } else if room.tls13 && (flags.no_key_shares || !flags.key_shares.is_empty()) {
        builder = builder.key_shares(shares);
    }
    if let Some(max) = flags.max_send_fragment.and_then(|n| usize::try_from(n).ok()) {
        builder = builder.max_record(max);
    }
    for way in compressions(flags, &room) {
        builder = builder.certificate_compression_with(way);
    }
    Ok((builder.build()?, chooser))
}

/// The kinds of certificate that a client has; X.509 without any.
fn kinds_of(chooser: &Chooser) -> Vec<CertificateType> {
    let mut kinds: Vec<CertificateType> = Vec::new();
    for n in chooser.identities.iter().filter(|n| n.number.is_some()) {
        if !kinds.contains(&n.identity.certificate_type()) {
            kinds.push(n.identity.certificate_type());
        }
    }
    if kinds.is_empty() { vec![CertificateType::X509] } else { kinds }
}

/// Whether something is expected of a server's request for a certificate, so that it must be seen.
const fn watches_requests(flags: &Flags) -> bool {
    flags.expect_client_ca_list.is_some()
        || flags.expect_certificate_types.is_some()
        || !flags.expect_peer_verify_prefs.is_empty()
}

/// The certificate compression of the flags; the runner's library takes the last that it was given first.
fn compressions(flags: &Flags, room: &Room) -> Vec<Arc<dyn CertificateCompression>> {
    let all: [Arc<dyn CertificateCompression>; 3] = [
        Arc::new(compression::Expanding),
        Arc::new(compression::Shrinking),
        Arc::new(compression::Random(AtomicU8::new(1))),
    ];
    let possible = room.tls13 && !room.keys_only;
    let wanted = |n: u16| possible && (flags.compression_all || flags.compression_one == Some(n.into()));
    all.into_iter().filter(|way| wanted(way.algorithm().0)).collect()
}

/// A server, and what will be chosen for its client.
pub(crate) fn server(
    world: &World,
    flags: &Flags,
    retry: &Flags,
) -> Result<(Arc<ServerConfig>, Arc<Chooser>), Failure> {
    let chooser = chooser(flags)?;
    let policy = policy(flags)?;
    let mut keys: Vec<PreSharedKey> = psks(flags)?.into_iter().map(|(_, key)| key).collect();
    let room = Room {
        tls13: policy.speaks(ProtocolVersion::Tls13),
        tls12: policy.speaks(ProtocolVersion::Tls12),
        keys_only: chooser.identities.is_empty() && !keys.is_empty(),
    };
    let builder = ServerConfig::builder();
    let mut builder = if room.keys_only {
        builder.pre_shared_keys_only(keys)
    } else {
        keys.retain(|_| room.tls13);
        keys.into_iter().fold(builder.identity(chooser.clone()), |builder, key| builder.pre_shared_key(key))
    };
    builder = builder
        .policy(policy)
        .clock(Arc::new(world.clock.clone()))
        .sessions(world.store.clone())
        .session_context(SESSION_CONTEXT)
        .session_lifetime(2 * HOUR)
        .admission(Arc::new(ShimAdmission {
            refuse: flags.fail_early_callback.then_some(AlertDescription::HandshakeFailure),
            refuse_load: flags.fail_ddos_callback.then_some(AlertDescription::InternalError),
            slow: flags.async_,
        }))
        .grease(room.tls13)
        // The runner's own library never asks clients for a staple.
        .request_status(false)
        .observer(world.messages.clone())
        .key_log(world.key_log.clone());
    if flags.no_ticket {
        builder = builder.tickets_per_handshake(0);
    } else if flags.use_ticket_callback || flags.use_ticket_aead_callback {
        builder = builder.tickets(Arc::new(CallbackTickets::new(world.tickets.clone(), flags)));
    } else {
        builder = builder.tickets(world.tickets.clone());
    }
    if flags.enable_early_data && room.tls13 {
        builder = builder
            .max_early_data(MAX_EARLY_DATA)
            .early_data_window(EARLY_DATA_WINDOW)
            .claims_kept_since(std::time::UNIX_EPOCH);
    }
    if room.tls13 {
        builder = builder.encrypted_client_hello(ech::keys(flags)?);
    }
    if !room.keys_only {
        builder = asking(builder, flags, retry)?;
    }
    let select = flags.select_alpn.as_ref().filter(|a| !flags.decline_alpn && !a.is_empty());
    if let Some(select) = select.filter(|_| !flags.reject_alpn) {
        builder = builder.alpn([select]);
    } else if flags.reject_alpn || flags.quic {
        // Over QUIC there must be some (RFC 9001 8.1).
        builder = builder.alpn(["a protocol that nobody offers"]);
    }
    if let Some(max) = flags.max_send_fragment.and_then(|n| usize::try_from(n).ok()) {
        builder = builder.max_record(max);
    }
    for way in compressions(flags, &room) {
        builder = builder.certificate_compression_with(way);
    }
    Ok((builder.build()?, chooser))
}

/// With a request for the client's certificate, if the flags want one.
fn asking(builder: ServerBuilder<Ready>, flags: &Flags, retry: &Flags) -> Result<ServerBuilder<Ready>, Failure> {
    if !(flags.require_any_client_certificate || flags.verify_peer || flags.custom_verify) {
        return Ok(builder);
    }
    let verifier = verifier(flags, retry)?;
    let auth = if flags.require_any_client_certificate {
        ClientAuth::Require(verifier)
    } else {
        ClientAuth::Request(verifier)
    };
    let builder = builder.client_auth(auth).verify_again_on_resumption(flags.reverify_on_resume);
    Ok(match types(&flags.accepted_peer_cert_types) {
        Some(kinds) => builder.client_certificate_types(kinds),
        None => builder,
    })
}
