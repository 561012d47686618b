//! Certificates as they come over the wire, checked against a fixed root: nothing is slow, nothing panics, and a verdict
//! does not depend on what it cannot depend on.

use super::certificate::short;
use super::made;
use crate::input::Input;
use clasp_x509::{Options, Profile, Rejection, Roots, Usage, Verdicts, verify};
use rustls_pki_types::ServerName;

/// Certificates behind lengths of two bytes, the last one unfinished.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let profile = Profile::ALL[input.below(3)];
    let usage = [Usage::Server, Usage::Client, Usage::Any][input.below(3)];
    let mut chain = Vec::new();
    while !input.is_empty() && chain.len() < 40 {
        chain.push(input.long());
    }
    let mut roots = Roots::empty();
    roots.add_der(&super::authority().der).expect("our own authority");
    // A certificate of the chain may be a root besides.
    if let Some(last) = chain.last() {
        let _either_way = roots.add_der(last).is_ok();
    }
    let host = ServerName::try_from("example.com").expect("a name");
    let options = Options::new(made::at(made::NOW), usage).profile(profile).name(&host);
    let first = verify(&chain, &roots, &options);
    let verdicts = Verdicts::new(1);
    for _new_then_remembered in 0..2 {
        let again = verdicts.verify(&chain, &roots, &options);
        assert_eq!(first.as_ref().map(|a| a.path()).ok(), again.as_ref().map(|a| a.path()).ok());
        assert_eq!(first.as_ref().err(), again.as_ref().err());
    }
    match &first {
        Ok(accepted) => {
            assert_eq!(accepted.path().first(), Some(&0));
            assert!(accepted.path().iter().all(|at| *at < chain.len()));
            assert!(accepted.until() >= i64::try_from(made::NOW).expect("a date"));
        }
        Err(rejection) => told(rejection),
    }
}

/// A rejection says something, and not too much.
pub(super) fn told(rejection: &Rejection) {
    assert!((1..=32).contains(&rejection.attempts().len()), "{} attempts", rejection.attempts().len());
    assert!(rejection.attempts().iter().any(|a| a.finding == *rejection.nearest()));
    for attempt in rejection.attempts() {
        let finding = &attempt.finding;
        assert!(!finding.found.is_empty() && !finding.wanted.is_empty() && !finding.rule.is_empty());
        short(&finding.to_string());
        assert!(attempt.path.len() <= 34);
    }
}
