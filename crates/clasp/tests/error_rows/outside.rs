//! What parties outside say, and what it is when randomness ends.

use clasp::config::{Admission, ClientHelloFacts, PresentedIdentity, Verified, Verifier};
use clasp::crypto::{Provider, Random, RandomError};
use clasp::error::{Cause, CertificateError, Outside};
use clasp::wire::code::{AlertDescription as Alert, CipherSuite};
use clasp::{Answer, ClientConfig, Error, Policy, Result, ServerConfig};
use clasp_testkit::{KeyKind, Pair, authority};
use std::sync::Arc;

/// Rows that are there for parties outside, who alone know: each is given by one below.
pub(crate) const ROWS: [Outside; 1] = [Outside::ResolverRefused];

/// Says no to everybody.
struct Says(Error);

impl Admission for Says {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, Result<()>> {
        Answer::Now(Err(self.0.clone()))
    }
}

impl Verifier for Says {
    fn verify<'a>(&'a self, _: PresentedIdentity<'a>) -> Answer<'a, Result<Verified>> {
        Answer::Now(Err(self.0.clone()))
    }
}

/// What a verifier or an admission says is what both ends hear: its cause at this one, its alert at the other.
#[test]
fn a_refusal_of_a_party_outside_is_told_with_its_own_alert() {
    let of_rows = ROWS.into_iter().chain([Outside::ResolverFailed, Outside::VerifierFailed]).map(Error::from);
    let of_rows = of_rows.chain([CertificateError::Refused.into()]);
    let chosen = [Alert::AccessDenied, Alert::UnrecognizedName, Alert::InternalError].map(Error::refused);
    for said in of_rows.chain(chosen) {
        let client = ClientConfig::builder().dangerous_trust_anyone().build().unwrap();
        let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
        let server = server.admission(Arc::new(Says(said.clone()))).build().unwrap();
        let mut pair = Pair::new(&client, &server);
        assert!(pair.drive().is_err());
        assert_eq!(pair.server.failure().unwrap().cause(), said.cause());
        assert_eq!(pair.client.failure().unwrap().peer_alert(), Some(said.alert()));

        let client = ClientConfig::builder().dangerous_verifier(Arc::new(Says(said.clone()))).build().unwrap();
        let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
        let mut pair = Pair::new(&client, &server.build().unwrap());
        assert!(pair.drive().is_err());
        assert_eq!(pair.client.failure().unwrap().cause(), said.cause());
        assert_eq!(pair.server.failure().unwrap().peer_alert(), Some(said.alert()));
    }
}

/// Gives random bytes so many times.
struct Runs(std::sync::atomic::AtomicUsize);

impl Random for Runs {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| RandomError).and_then(|_| Provider::builtin().random.fill(out))
    }
}

/// Whatever needs randomness, and whenever it ends: the error says so, and the peer hears `internal_error`.
#[test]
fn a_system_without_randomness_is_an_error_of_its_own() {
    let providers = |times: usize| -> &'static Provider {
        let builtin = Provider::builtin();
        let random = Box::leak(Box::new(Runs(times.into())));
        Box::leak(Box::new(Provider { name: "runs out", random, ..Provider { ..*builtin } }))
    };
    let of_cbc = |suite| Policy::legacy().with_suites([suite]);
    let policies = [
        Policy::default(),
        // Each record has a random IV.
        of_cbc(CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
    ];
    for policy in policies {
        for times in 0.. {
            let client = ClientConfig::builder().dangerous_trust_anyone().policy(policy.clone());
            let client = client.provider(providers(times)).build().unwrap();
            let server = ServerConfig::builder().identity(authority().issue(KeyKind::P256, &["localhost"]).identity());
            let server = server.policy(policy.clone()).provider(providers(times)).build().unwrap();
            let mut pair = Pair::new(&client, &server);
            let failed = pair.drive().and_then(|()| pair.client_sends(b"data")).and_then(|()| pair.drive());
            let Err(told) = failed else {
                assert!(times > 2, "nothing asked for randomness");
                break;
            };
            // Data that cannot be sent is no end of the connection.
            let failed = pair.client.failure().filter(|e| e.peer_alert().is_none()).or(pair.server.failure());
            let failed = failed.unwrap_or(&told);
            assert_eq!(
                (failed.cause(), failed.alert()),
                (&Cause::Outside(Outside::RandomFailed), Alert::InternalError)
            );
        }
    }
}
