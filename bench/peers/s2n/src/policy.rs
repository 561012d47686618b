//! s2n-tls lets nobody choose suites or groups: only policies, by name. These come to what the rows are about.

use bench_harness::scenario::{Aead, Cipher, Exchange, Scenario, Version};

/// The policies of client and server under which they agree on the scenario's suite and group. A server's own order
/// counts; a client's policy says which versions there are.
pub(crate) fn of(scenario: &Scenario) -> Option<(&'static str, &'static str)> {
    const ALL_OF_TLS12: &str = "test_ecdsa_priority";
    let both = |name| Some((name, name));
    match (scenario.version, scenario.exchange, scenario.cipher) {
        (Version::Tls13, Exchange::X25519, Cipher::Aead(Aead::Aes128Gcm)) => both("AWS-CRT-SDK-TLSv1.3"),
        (Version::Tls13, Exchange::X25519, Cipher::Aead(Aead::Aes256Gcm)) => both("20190801"),
        (Version::Tls13, Exchange::P256, Cipher::Aead(Aead::Aes128Gcm)) => both("default_tls13"),
        (Version::Tls13, Exchange::Hybrid, Cipher::Aead(Aead::Aes128Gcm)) => both("default_pq"),
        (Version::Tls12, Exchange::X25519, Cipher::Aead(Aead::Aes128Gcm)) => Some((ALL_OF_TLS12, "20210825_gcm")),
        (Version::Tls12, Exchange::X25519, Cipher::CbcSha1) => Some((ALL_OF_TLS12, "20210825")),
        (Version::Tls12, Exchange::P256, Cipher::Aead(Aead::Aes128Gcm)) => both("20190214_gcm"),
        (Version::Tls12, Exchange::Rsa, Cipher::Aead(Aead::Aes128Gcm)) => both("20150214"),
        (Version::Tls12, Exchange::Rsa, Cipher::CbcSha1) => both("test_all_rsa_kex"),
        _ => None,
    }
}
