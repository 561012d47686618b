//! Two ends that agree on one suite.

use crate::{KeyKind, authority};
use clasp::config::{ClientBuilder, Ready};
use clasp::crypto::Provider;
use clasp::suite::{Auth, Kx, SUITES};
use clasp::wire::code::CipherSuite;
use clasp::{ClientConfig, Policy, ServerConfig};
use std::sync::Arc;

/// One suite of each way to protect records that this build has.
pub fn one_suite_of_each_protection() -> Vec<CipherSuite> {
    let mut suites = vec![
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ];
    if Provider::builtin().legacy.is_some() {
        suites.push(CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA);
    }
    suites
}

/// A client that offers this suite alone, to be built, and a server that takes it. Neither keeps sessions.
pub fn configs_of(suite: CipherSuite) -> (ClientBuilder<Ready>, Arc<ServerConfig>) {
    let classic = SUITES.iter().find(|s| s.code == suite);
    let kind = if classic.is_some_and(|s| s.auth == Auth::Rsa) { KeyKind::Rsa } else { KeyKind::P256 };
    let identity = authority().issue(kind, &["localhost"]).identity();
    let server =
        ServerConfig::builder().identity(identity).policy(Policy::legacy()).no_sessions().build().expect("a server");
    let policy = Policy::legacy().with_suites([suite]);
    // A client that names groups and has no use for them contradicts itself.
    let policy = if classic.is_some_and(|s| s.kx == Kx::Rsa) { policy.with_groups([]) } else { policy };
    (ClientConfig::builder().trust(authority().roots()).no_sessions().policy(policy), server)
}
