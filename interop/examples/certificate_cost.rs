//! What checking a chain of three certificates costs beyond its two signatures: Clasp beside rustls-webpki, in one run,
//! with one root and with 150.
//!
//! `cargo run -p clasp-interop --release --example certificate_cost`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../crates/clasp-x509/tests/common/mod.rs"]
mod made;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use clasp_x509::{Profile, verify};
use made::*;
use rustls_pki_types::{CertificateDer, ServerName};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 3_000;
const ROOTS: usize = 150;

/// The middles of many rounds, the candidates in turn: what disturbs one disturbs all.
fn medians<const N: usize>(mut run: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (run, times) in run.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run();
            times.push(start.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    })
}

fn main() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let others: Vec<Made> = (1..ROOTS).map(|n| authority(&format!("other root {n}"), None, |_| ())).collect();
    let host = ServerName::try_from("example.com").unwrap();

    let presented = chain(&[&leaf, &middle]);
    let options = options(Profile::WebPki).name(&host);
    let one = store(&[&root]);
    let many = store(&others.iter().chain([&root]).collect::<Vec<_>>());
    let ours = |roots| drop(black_box(verify(&presented, roots, &options).unwrap()));

    let anchors: Vec<CertificateDer<'_>> =
        others.iter().chain([&root]).map(|made| CertificateDer::from(&made.der[..])).collect();
    let anchors: Vec<_> = anchors.iter().map(|der| webpki::anchor_from_trusted_cert(der).unwrap()).collect();
    let (leaf_der, middle_der) = (CertificateDer::from(&leaf.der[..]), [CertificateDer::from(&middle.der[..])]);
    let theirs = |anchors: &[_]| {
        let end = webpki::EndEntityCert::try_from(&leaf_der).unwrap();
        let usage = webpki::KeyUsage::server_auth();
        let algorithms = &[webpki::aws_lc_rs::ECDSA_P256_SHA256];
        let path = end.verify_for_usage(algorithms, anchors, &middle_der, at(NOW), usage, None, None).unwrap();
        black_box(&path);
        end.verify_is_valid_for_subject_name(&host).unwrap();
    };

    // The two signatures alone, over bytes as long, with the same keys.
    let message: Vec<u8> = leaf.der[4..leaf.der.len() - 80].to_vec();
    let signatures = [&middle, &root].map(|by| (by.key.bits().to_vec(), by.key.sign(&message)));
    let mut alone = || {
        for (key, signature) in &signatures {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(&message, signature).unwrap();
        }
    };
    let [alone, ours_one, ours_many, theirs_one, theirs_many] = medians([
        &mut alone,
        &mut || ours(&one),
        &mut || ours(&many),
        &mut || theirs(&anchors[ROOTS - 1..]),
        &mut || theirs(&anchors),
    ]);
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!("two P-256 signatures alone {:>10.2} us", micros(alone));
    println!("beyond them {:>22} {:>14}", "Clasp", "rustls-webpki");
    for (name, ours, theirs) in [("one root", ours_one, theirs_one), ("150 roots", ours_many, theirs_many)] {
        let beyond = |time: Duration| micros(time.saturating_sub(alone));
        println!("{name:<12} {:>18.2} us {:>11.2} us", beyond(ours), beyond(theirs));
    }
}
