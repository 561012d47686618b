//! The `-expect-…` flags: every one that is accepted is checked.

use crate::config::{World, hex};
use crate::credentials::{self, sha256};
use crate::doubles::Chooser;
use crate::failure::Failure;
use crate::flags::Flags;
use crate::wire::Wire;
use clasp::ech::EchConfigList;
use clasp::error::{Cause, PeerError};
use clasp::wire::code::{CertificateType, ProtocolVersion};
use clasp::{EarlyData, EarlyDataRefusal, Facts, Resumption};
use std::sync::atomic::Ordering;

fn check(holds: bool, text: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(text())) }
}

/// What must hold when the handshake is done.
pub(crate) fn handshake(
    wire: &dyn Wire,
    world: &World,
    flags: &Flags,
    resume: bool,
    chooser: &Chooser,
) -> Result<(), Failure> {
    let facts = wire.facts().ok_or_else(|| Failure::new("not established"))?;
    let facts = &*facts;
    check(!flags.handshake_never_done, || "the handshake was done".into())?;
    let resumed = matches!(facts.resumed, Some(Resumption::Ticket | Resumption::SessionId));
    let wanted = resume && !flags.expect_session_miss;
    check(resumed == wanted, || format!("session unexpectedly was{} reused", if resumed { "" } else { " not" }))?;
    negotiated(facts, flags)?;
    early_data(facts, world, flags)?;
    if let Some(wanted) = flags.expect_ticket_age_skew.filter(|_| resume) {
        let got = facts.ticket_age_skew.map(i64::from);
        check(got == Some(wanted.cast_signed()), || {
            format!("ticket age skew {got:?}, wanted {}", wanted.cast_signed())
        })?;
    }
    if let Some(wanted) = &flags.expect_transport_parameters {
        check(wire.peer_parameters() == Some(wanted), || "other transport parameters".into())?;
    }
    encrypted_hello(facts, flags)?;
    peer(facts, flags)?;
    chosen(facts, flags, chooser)?;
    if !resume && flags.server {
        let cached = world.store.puts.load(Ordering::Relaxed) > 0;
        check(!flags.expect_session_id || cached, || "session was not cached on the server".into())?;
        check(!flags.expect_no_session_id || !cached, || "session was unexpectedly cached on the server".into())?;
    }
    if !flags.server && facts.version == ProtocolVersion::Tls12 {
        let (made, _) = world.sessions.made();
        let wanted = !flags.expect_no_session && (!resumed || flags.expect_ticket_renewal);
        check((made > 0) == wanted, || format!("{made} sessions were made"))?;
    }
    Ok(())
}

fn negotiated(facts: &Facts, flags: &Flags) -> Result<(), Failure> {
    let number = |wanted: Option<u64>, got: u16, what: &str| {
        check(wanted.is_none_or(|w| w == 0 || w == u64::from(got)), || {
            format!("{what} was {got:#06x}, wanted {wanted:?}")
        })
    };
    number(flags.expect_version, facts.version.0, "version")?;
    number(flags.expect_cipher.or(flags.expect_cipher_aes), facts.suite.0, "cipher")?;
    number(flags.expect_curve_id, facts.group.map_or(0, |g| g.0), "curve")?;
    let scheme = if flags.server { facts.client_scheme } else { facts.signature_scheme };
    number(flags.expect_peer_signature_algorithm, scheme.map_or(0, |s| s.0), "peer signature algorithm")?;
    let bound = facts.extended_master_secret || facts.version == ProtocolVersion::Tls13;
    check(!flags.expect_extended_master_secret || bound, || "no EMS".into())?;
    let secure = facts.secure_renegotiation || facts.version == ProtocolVersion::Tls13;
    check(!flags.expect_secure_renegotiation || secure, || "no secure renegotiation".into())?;
    check(!flags.expect_no_secure_renegotiation || !secure, || "secure renegotiation".into())?;
    check(!flags.expect_hrr || facts.hello_retried, || "no HRR".into())?;
    check(!flags.expect_no_hrr || !facts.hello_retried, || "HRR".into())?;
    let alpn = facts.alpn.as_deref().map(String::from_utf8_lossy);
    let wanted = if flags.server { &flags.select_alpn } else { &flags.expect_alpn };
    let wanted = wanted.as_deref().filter(|a| !a.is_empty());
    check(alpn.as_deref() == wanted, || format!("ALPN was {alpn:?}, wanted {wanted:?}"))?;
    if let Some(name) = &flags.expect_server_name {
        check(facts.server_name.as_ref() == Some(name), || format!("server name {:?}", facts.server_name))?;
    }
    check(!flags.expect_no_server_name || facts.server_name.is_none(), || "a server name".into())
}

/// The runner's library calls accepted what it has opened itself, and not what it has confirmed as a backend.
fn encrypted_hello(facts: &Facts, flags: &Flags) -> Result<(), Failure> {
    let backend = flags.server && flags.ech_server_keys.is_empty();
    let accepted = facts.encrypted_client_hello.as_ref().is_some_and(|ech| ech.accepted) && !backend;
    check(accepted == flags.expect_ech_accept, || {
        format!("ECH was {}accepted, but wanted opposite", if accepted { "" } else { "not " })
    })
}

/// What a server that does not hear a hidden hello gives to try again with.
pub(crate) fn not_heard(error: Option<&clasp::Error>, flags: &Flags) -> Result<(), Failure> {
    let wanted = flags.expect_ech_retry_configs.as_deref();
    if wanted.is_none() && !flags.expect_no_ech_retry_configs {
        return Ok(());
    }
    let refused = |e: &&clasp::Error| matches!(e.cause(), Cause::Peer(PeerError::EchRejected | PeerError::EchDisabled));
    let error = error.filter(refused).ok_or_else(|| Failure::new("expected ECH rejection"))?;
    let got = error.ech_retry_configs().map(EchConfigList::as_bytes);
    check(got == wanted, || format!("ECH retry configs {got:02x?}"))
}

fn early_data(facts: &Facts, world: &World, flags: &Flags) -> Result<(), Failure> {
    let accepted = facts.early_data == EarlyData::Accepted;
    check(!flags.expect_accept_early_data || accepted, || "early data was not accepted".into())?;
    check(!flags.expect_reject_early_data || !accepted, || "early data was accepted".into())?;
    if let Some(wanted) = &flags.expect_early_data_reason {
        let got = reason(facts, world, flags);
        check(got == wanted, || format!("early data: {got}, wanted {wanted}"))?;
    }
    Ok(())
}

/// The runner's word for what became of early data.
fn reason(facts: &Facts, world: &World, flags: &Flags) -> &'static str {
    use EarlyDataRefusal as R;
    match (facts.early_data, facts.early_data_refusal) {
        (EarlyData::Accepted, _) => "accept",
        (_, Some(R::Disabled)) => "disabled",
        (_, Some(R::HelloRetried)) => "hello_retry_request",
        (_, Some(R::NotResumed)) => "session_not_resumed",
        (_, Some(R::NotAllowed)) => "unsupported_for_session",
        (_, Some(R::Protocol)) => "alpn_mismatch",
        (_, Some(R::Age)) => "ticket_age_skew",
        (_, Some(R::ByServer)) => "peer_declined",
        (_, Some(_)) => "a reason that the runner has no word for",
        // None was offered: the reasons are the shim's own.
        (_, None) if !flags.enable_early_data => "disabled",
        (_, None) if facts.version != ProtocolVersion::Tls13 => "protocol_version",
        (_, None) => match world.sessions.offered().map(|session| session.max_early_data() > 0) {
            None => "no_session_offered",
            Some(false) => "unsupported_for_session",
            Some(true) => "alpn_mismatch",
        },
    }
}

fn peer(facts: &Facts, flags: &Flags) -> Result<(), Failure> {
    if let Some(wanted) = &flags.expect_ocsp_response {
        check(facts.ocsp() == Some(wanted), || "OCSP response mismatch".into())?;
    }
    if let Some(wanted) = &flags.expect_timestamps {
        check(facts.timestamps() == Some(wanted), || "SCT list mismatch".into())?;
    }
    if let Some(path) = &flags.expect_peer_cert_file {
        check(facts.peer_chain() == credentials::chain(path)?, || "another peer chain".into())?;
    }
    let raw = facts.peer_type == CertificateType::RawPublicKey && !facts.peer_chain().is_empty();
    if let Some(wanted) = &flags.expect_peer_rpk_sha256 {
        let got = facts.peer_chain().first().filter(|_| raw).map(|key| sha256(key));
        check(got.as_ref() == Some(wanted), || "another raw public key".into())?;
    }
    if let Some(wanted) = flags.expect_peer_certificate_type {
        check(wanted == u64::from(facts.peer_type.0), || format!("peer certificate type {}", facts.peer_type))?;
    }
    let psk = facts.resumed == Some(Resumption::ExternalPsk);
    let has_chain = !facts.peer_chain().is_empty() && !raw;
    if flags.expect_no_peer_cert || flags.expect_peer_rpk_sha256.is_some() || psk {
        check(!has_chain, || "unexpected peer certificate".into())?;
    } else if !flags.server || flags.require_any_client_certificate {
        check(!facts.peer_chain().is_empty(), || "no peer certificate".into())?;
    }
    Ok(())
}

fn chosen(facts: &Facts, flags: &Flags, chooser: &Chooser) -> Result<(), Failure> {
    let seen = chooser.seen();
    if let Some(wanted) = flags.expect_selected_credential {
        let keys = credentials::psks(flags)?;
        let by_key =
            keys.iter().find(|(_, key)| facts.psk_identity.as_deref() == Some(key.identity())).map(|(n, _)| *n);
        let got = by_key.or(seen.selected).map_or(-1, |n| i64::try_from(n).unwrap_or(i64::MAX));
        let wanted = wanted.cast_signed();
        check(got == wanted, || format!("credential {got} was used, wanted {wanted}"))?;
    }
    if let (Some(hello), Some(wanted)) = (&seen.hello, &flags.expect_advertised_alpn) {
        let got: Vec<u8> = hello
            .alpn
            .iter()
            .flat_map(|p| core::iter::once(u8::try_from(p.len()).unwrap_or(u8::MAX)).chain(p.iter().copied()))
            .collect();
        check(got == wanted.as_bytes(), || "another ALPN list".into())?;
    }
    if !flags.expect_peer_verify_prefs.is_empty() {
        let hello = seen.hello.as_ref().map(|h| h.schemes.iter().map(|s| s.0).collect::<Vec<_>>());
        let request = seen.request.as_ref().map(|r| r.schemes.iter().map(|s| s.0).collect::<Vec<_>>());
        let got = hello.or(request).unwrap_or_default();
        check(got == flags.expect_peer_verify_prefs, || format!("peer's signature algorithms {got:04x?}"))?;
    }
    if let (Some(request), Some(wanted)) = (&seen.request, &flags.expect_certificate_types) {
        check(request.key_types == *wanted, || format!("certificate types {:?}", request.key_types))?;
    }
    if let (Some(request), Some(wanted)) = (&seen.request, &flags.expect_client_ca_list) {
        let wanted: Vec<Vec<u8>> = match wanted.as_str() {
            "<EMPTY>" | "<NULL>" => Vec::new(),
            list => list.split(',').filter_map(hex).collect(),
        };
        check(request.authorities == wanted, || "another CA list".into())?;
    }
    Ok(())
}

/// Whether what went both ways can be told.
pub(crate) fn knows_messages(flags: &Flags) -> Result<(), Failure> {
    let Some(wanted) = &flags.expect_messages else { return Ok(()) };
    if flags.quic {
        return Err(Failure::unimplemented("-expect-msg-callback over QUIC, which has no observer"));
    }
    if wanted.contains("v2clienthello") {
        return Err(Failure::unimplemented("hellos of SSL 2.0"));
    }
    Ok(())
}

/// What went both ways before the connection is closed.
pub(crate) fn messages(wire: &dyn Wire, world: &World, flags: &Flags) -> Result<(), Failure> {
    let Some(wanted) = &flags.expect_messages else { return Ok(()) };
    // At which place of the second flight the ChangeCipherSpec of TLS 1.3's compatibility mode goes is free, and one that
    // comes is dropped (RFC 9846 5, E.4).
    let tls13 = wire.facts().is_some_and(|facts| facts.version == ProtocolVersion::Tls13);
    let counts = |line: &str| !(tls13 && line.ends_with(" ccs"));
    let got: Vec<String> = world.messages.taken().into_iter().filter(|line| counts(line)).collect();
    check(got.iter().map(String::as_str).eq(wanted.lines().filter(|line| counts(line))), || {
        format!("messages were {got:?}, wanted {wanted:?}")
    })
}

/// What must hold before the connection is closed: the tickets of TLS 1.3 have come by then.
pub(crate) fn sessions(wire: &dyn Wire, world: &World, flags: &Flags) -> Result<(), Failure> {
    let Some(facts) = wire.facts() else { return Ok(()) };
    if flags.server || facts.version != ProtocolVersion::Tls13 {
        return Ok(());
    }
    let (made, early) = world.sessions.made();
    let wanted = !flags.expect_no_session && !flags.shim_shuts_down;
    check((made > 0) == wanted, || format!("{made} sessions were made"))?;
    if wanted {
        check(early == flags.expect_ticket_supports_early_data, || format!("the ticket allows early data: {early}"))?;
    }
    Ok(())
}
