//! What a handshake settled, and what an established connection gives to other protocols.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{or, out, run, text, there};
use crate::error::{Result, clasp_error};
use crate::link::clasp_connection;
use crate::memory::{clasp_buffer, clasp_bytes};
use clasp::Facts;
use clasp::wire::code::{AlertDescription, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use core::mem::MaybeUninit;
use zeroize::Zeroizing;

/// The most keying material that is exported at once: 255 blocks of the shortest hash (RFC 5869 2.3).
const MOST_EXPORTED: usize = 255 * 32;

/// Something of the facts; nothing before the handshake is done, and of NULL.
fn fact<'a, T>(connection: Option<&'a clasp_connection>, nothing: T, get: impl FnOnce(&'a Facts) -> Option<T>) -> T
where
    T: Copy,
{
    or(nothing, || connection.and_then(|here| here.connection().facts()).and_then(|f| get(f)).unwrap_or(nothing))
}

fn bytes<'a>(
    connection: Option<&'a clasp_connection>,
    get: impl FnOnce(&'a Facts) -> Option<&'a [u8]>,
) -> clasp_bytes<'a> {
    fact(connection, clasp_bytes::none(), |facts| get(facts).map(clasp_bytes::of))
}

/// The protocol version: CLASP_TLS12 or CLASP_TLS13; 0 before the handshake is done. So it is with all facts.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_version(connection: Option<&clasp_connection>) -> u16 {
    fact(connection, 0, |facts| Some(facts.version.0))
}

/// The number of the cipher suite; 0 if it is not known yet.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_suite(connection: Option<&clasp_connection>) -> u16 {
    fact(connection, 0, |facts| Some(facts.suite.0))
}

/// The number of the key exchange's group; 0 with RSA key transport, and in a resumption of TLS 1.2.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_group(connection: Option<&clasp_connection>) -> u16 {
    fact(connection, 0, |facts| facts.group.map(|group| group.0))
}

/// The number of the signature scheme by which the server proved its key; 0 where it is not known, as with a resumption.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_signature_scheme(connection: Option<&clasp_connection>) -> u16 {
    fact(connection, 0, |facts| facts.signature_scheme.map(|scheme| scheme.0))
}

/// The application protocol (RFC 7301); no bytes if none was agreed. It lasts as long as the connection.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_alpn(connection: Option<&clasp_connection>) -> clasp_bytes<'_> {
    bytes(connection, |facts| facts.alpn.as_deref())
}

/// The server's name as the client asked for it, UTF-8; no bytes if it did not. It lasts as long as the connection.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_server_name(connection: Option<&clasp_connection>) -> clasp_bytes<'_> {
    bytes(connection, |facts| facts.server_name.as_deref().map(str::as_bytes))
}

/// Whether an earlier session was resumed.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_is_resumed(connection: Option<&clasp_connection>) -> bool {
    fact(connection, false, |facts| Some(facts.resumed.is_some()))
}

/// Server: whether the client proved a certificate.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_client_authenticated(connection: Option<&clasp_connection>) -> bool {
    fact(connection, false, |facts| Some(facts.client_authenticated))
}

/// How many certificates the peer has shown.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_peer_certificate_count(connection: Option<&clasp_connection>) -> usize {
    fact(connection, 0, |facts| Some(facts.peer_chain().len()))
}

/// One of the peer's certificates in DER, its own at 0; no bytes where there is none. It lasts as long as the connection.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_peer_certificate(
    connection: Option<&clasp_connection>,
    index: usize,
) -> clasp_bytes<'_> {
    bytes(connection, |facts| facts.peer_chain().get(index).map(AsRef::as_ref))
}

/// The OCSP response that the peer stapled, DER; no bytes without one. It lasts as long as the connection.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_connection_ocsp(connection: Option<&clasp_connection>) -> clasp_bytes<'_> {
    bytes(connection, Facts::ocsp)
}

/// Fills `buffer` with keying material that only the two ends of this connection have (RFC 5705, RFC 9846 7.5): exactly its capacity,
/// which may be 8160 bytes. `label` is UTF-8. A `context` whose data is NULL is none; in TLS 1.2 that is another thing than an empty
/// one. The caller wipes what it was given.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_export(
    connection: Option<&clasp_connection>,
    label: clasp_bytes<'_>,
    context: clasp_bytes<'_>,
    mut buffer: clasp_buffer<'_>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let connection = there(connection, "connection")?;
        let label = text(label.get("label")?, "label")?;
        let none = context.is_null();
        let context = context.get("context")?;
        let len = buffer.capacity("buffer")?;
        if len == 0 {
            return Err(clasp_error::short(0, 1));
        }
        if len > MOST_EXPORTED {
            return Err(clasp_error::argument("buffer", format_args!("{len} bytes"), "at most 8160"));
        }
        let mut material = Zeroizing::new(vec![0; len]);
        connection.connection().export(label.as_bytes(), (!none).then_some(context), &mut material)?;
        buffer.append(&material, "buffer")?;
        Ok(())
    })
}

/// The channel binding `tls-exporter` (RFC 9266), 32 bytes. *needed is the length, if there is not enough room too.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_tls_exporter(
    connection: Option<&clasp_connection>,
    buffer: clasp_buffer<'_>,
    needed: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let needed = out(needed, "needed")?;
        buffer.capacity("buffer")?;
        let binding = there(connection, "connection")?.connection().tls_exporter()?;
        whole(&binding, buffer, needed)
    })
}

/// The channel binding `tls-server-end-point` (RFC 5929 4), at most 64 bytes. *needed is the length, if there is not enough room too.
/// A client passes no bytes as `certificate`, for the server's own; a server passes its certificate in DER.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_connection_tls_server_end_point(
    connection: Option<&clasp_connection>,
    certificate: clasp_bytes<'_>,
    buffer: clasp_buffer<'_>,
    needed: Option<&mut MaybeUninit<usize>>,
) -> Option<Box<clasp_error>> {
    run(|| {
        let needed = out(needed, "needed")?;
        buffer.capacity("buffer")?;
        let connection = there(connection, "connection")?.connection();
        let given = certificate.get("certificate")?;
        let of_peer = || connection.facts().and_then(|facts| facts.peer_chain().first()).map(AsRef::as_ref);
        let certificate = if given.is_empty() { of_peer().unwrap_or_default() } else { given };
        whole(&connection.tls_server_end_point(certificate)?, buffer, needed)
    })
}

/// All of it, or nothing but how much room it needs.
fn whole(value: &[u8], mut buffer: clasp_buffer<'_>, needed: &mut usize) -> Result<()> {
    *needed = value.len();
    let capacity = buffer.capacity("buffer")?;
    if capacity < value.len() {
        return Err(clasp_error::short(capacity, value.len()));
    }
    buffer.append(value, "buffer")?;
    Ok(())
}

/// The name of a version: "TLS 1.3"; "unknown" where it has none. It lasts for ever, and so do the names that follow.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_version_name(version: u16) -> clasp_bytes<'static> {
    clasp_bytes::of(ProtocolVersion(version).name().as_bytes())
}

/// The registered name of a cipher suite.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_suite_name(suite: u16) -> clasp_bytes<'static> {
    clasp_bytes::of(CipherSuite(suite).name().as_bytes())
}

/// The registered name of a group.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_group_name(group: u16) -> clasp_bytes<'static> {
    clasp_bytes::of(NamedGroup(group).name().as_bytes())
}

/// The registered name of a signature scheme.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_signature_scheme_name(scheme: u16) -> clasp_bytes<'static> {
    clasp_bytes::of(SignatureScheme(scheme).name().as_bytes())
}

/// The registered name of an alert.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_alert_name(alert: u8) -> clasp_bytes<'static> {
    clasp_bytes::of(AlertDescription(alert).name().as_bytes())
}

/// The version of this library: "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn clasp_library_version() -> clasp_bytes<'static> {
    clasp_bytes::of(env!("CARGO_PKG_VERSION").as_bytes())
}
