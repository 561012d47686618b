//! What OpenSSL has under other names.

use anyhow::{Result, ensure};
use bench_harness::scenario::{Aead, Cipher, Scenario, Version};
use bench_harness::{Offer, Pipe};
use boring::ssl::{SslCipherRef, SslContextBuilder, SslStream};
use foreign_types::ForeignTypeRef as _;

/// Leaves what the row is about. BoringSSL lets nobody choose among the suites of TLS 1.3: AES-128-GCM is its first; a
/// policy for governments puts AES-256-GCM there.
pub(crate) fn restrict(builder: &mut SslContextBuilder, scenario: &Scenario) -> Result<Offer<()>> {
    match (scenario.version, scenario.cipher) {
        (Version::Tls12, _) => builder.set_cipher_list(&scenario.openssl_suite())?,
        (Version::Tls13, Cipher::Aead(Aead::ChaCha20Poly1305)) => {
            return Ok(Offer::Lacks("ChaCha20-Poly1305 by choice in TLS 1.3"));
        }
        (Version::Tls13, Cipher::Aead(Aead::Aes256Gcm)) => prefer_aes_256(builder)?,
        (Version::Tls13, _) => {}
    }
    if !scenario.groups().is_empty() {
        builder.set_curves_list(&scenario.openssl_groups())?;
    }
    Ok(Offer::Has(()))
}

fn prefer_aes_256(builder: &mut SslContextBuilder) -> Result<()> {
    let policy = boring_sys::ssl_compliance_policy_t::ssl_compliance_policy_cnsa_202407;
    // SAFETY: the context is alive, and the policy one of the library's own.
    let done = unsafe { boring_sys::SSL_CTX_set_compliance_policy(builder.as_ptr(), policy) };
    ensure!(done == 1, "the policy was refused");
    Ok(())
}

pub(crate) fn one_ticket(builder: &mut SslContextBuilder) -> Result<()> {
    // SAFETY: the context is alive.
    let done = unsafe { boring_sys::SSL_CTX_set_num_tickets(builder.as_ptr(), 1) };
    ensure!(done == 1, "the number of tickets was refused");
    Ok(())
}

/// The library holds a server's tickets back until the server writes for the first time.
pub(crate) fn send_tickets(stream: &mut SslStream<Pipe>) -> Result<()> {
    // SAFETY: the connection is alive; nothing is read from a buffer of no length.
    let written = unsafe { boring_sys::SSL_write(stream.ssl().as_ptr(), [0_u8].as_ptr().cast(), 0) };
    ensure!(written == 0, "the tickets were not sent");
    Ok(())
}

/// The registered name without what OpenSSL's lacks.
pub(crate) fn suite(cipher: &SslCipherRef) -> String {
    match cipher.standard_name() {
        Some(name) if name.starts_with("TLS_AES") || name.starts_with("TLS_CHACHA") => name.into(),
        _ => cipher.name().into(),
    }
}
