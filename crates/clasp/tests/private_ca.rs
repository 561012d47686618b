//! A private authority just works: what people make with the tools they have is trusted by adding its certificate, under the
//! rules of RFC 5280; and the web's authorities are held to the web's rules all the same, in the same list.
//!
//! The files of `private_ca/` are what each tool makes of itself: `openssl req -x509` and `openssl x509 -req`, `mkcert`,
//! `cfssl gencert`, on 2026-11-27.
#![allow(clippy::unwrap_used)]

use clasp::config::{Profile, WebPki};
use clasp::{ClientConfig, Identity, Roots, ServerConfig};
use clasp_testkit::{ManualClock, Pair};
use std::sync::Arc;

const TOOLS: [&str; 3] = ["openssl", "mkcert", "cfssl"];
/// 2026-12-15.
const NOW: u64 = 1_797_292_800;

fn file(tool: &str, name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/private_ca/{tool}/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The README's lines, and what comes of them.
fn connect(identity: Identity, trust: impl Into<WebPki>) -> Result<(), clasp::Error> {
    let clock = || Arc::new(ManualClock::at(NOW));
    let client = ClientConfig::builder().trust(trust).clock(clock()).build().unwrap();
    let server = ServerConfig::builder().identity(identity).clock(clock()).build().unwrap();
    Pair::to(&client, &server, "internal.test").drive()
}

fn identity(tool: &str) -> Identity {
    Identity::from_pem(&file(tool, "leaf"), &file(tool, "key")).unwrap()
}

/// What `rcgen` makes where nothing is asked for.
fn by_rcgen() -> (Identity, String) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["internal.test".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (Identity::from_pem(leaf.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap(), authority.pem())
}

#[test]
fn what_each_tool_makes_is_trusted_by_adding_its_root() {
    let with = |pem: &[u8]| {
        let mut roots = Roots::empty();
        roots.add_pem(pem).unwrap();
        roots
    };
    for tool in TOOLS {
        connect(identity(tool), with(&file(tool, "ca"))).unwrap_or_else(|error| panic!("{tool}: {error:?}"));
    }
    let (identity, root) = by_rcgen();
    connect(identity, with(root.as_bytes())).unwrap();
}

/// One list has both: each root is held to its own rules.
#[cfg(feature = "roots")]
#[test]
fn the_webs_roots_in_the_same_list_are_held_to_the_webs_rules() {
    // OpenSSL's leaf names no extended key usage, which the web wants.
    let mut own = Roots::bundled();
    own.add_pem(&file("openssl", "ca")).unwrap();
    connect(identity("openssl"), own).unwrap();
    for lists in [vec![Profile::WebPki], vec![Profile::WebPki, Profile::Rfc5280], vec![Profile::Legacy]] {
        let mut roots = Roots::empty();
        // Another authority's rules are of no use to this one.
        roots.add_pem(&file("cfssl", "ca")).unwrap();
        for profile in &lists {
            roots.add_pem_as(&file("openssl", "ca"), *profile).unwrap();
        }
        let outcome = connect(identity("openssl"), roots);
        if lists == [Profile::WebPki] {
            let error = outcome.unwrap_err();
            let hint = error.hint_text().unwrap();
            assert!(hint.contains("public web") && hint.contains("Profile::Rfc5280"), "{error:?}");
        } else {
            outcome.unwrap();
        }
    }
}

/// A [`WebPki`] says more, and its profile counts for all roots.
#[test]
fn a_profile_said_for_all_chains_is_the_one_that_counts() {
    let mut roots = Roots::empty();
    roots.add_pem(&file("openssl", "ca")).unwrap();
    let roots = Arc::new(roots);
    connect(identity("openssl"), WebPki::servers(roots.clone())).unwrap();
    assert!(connect(identity("openssl"), WebPki::servers(roots.clone()).profile(Profile::WebPki)).is_err());
    let error = ClientConfig::builder().trust(WebPki::clients(roots)).build().unwrap_err();
    assert!(error.to_string().contains("WebPki::clients"), "{error}");
}

/// A root that is nobody's own is trusted by nobody's word: the way in is the root alone.
#[test]
fn an_authority_that_was_not_added_is_refused() {
    for tool in TOOLS {
        #[cfg(feature = "roots")]
        let mut roots = Roots::bundled();
        #[cfg(not(feature = "roots"))]
        let mut roots = Roots::empty();
        for other in TOOLS.into_iter().filter(|other| *other != tool) {
            roots.add_pem(&file(other, "ca")).unwrap();
        }
        let error = connect(identity(tool), roots).unwrap_err();
        assert!(error.to_string().contains("certificate"), "{tool}: {error}");
    }
}
