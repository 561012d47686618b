//! What checking a chain of three certificates costs beyond its signatures.
//!
//! `cargo run -p clasp-x509 --release --example cost`
#![allow(clippy::print_stdout, clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use clasp_x509::{Certificate, Profile, Verdicts, verify};
use common::*;
use rustls_pki_types::ServerName;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: u32 = 3_000;

/// The middle of many rounds: one that was interrupted does not count.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() {
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |_| ());
    let leaf = server(&middle, |_| ());
    let presented = chain(&[&leaf, &middle]);
    let host = ServerName::try_from("example.com").unwrap();
    let options = options(Profile::WebPki).name(&host);
    let one = store(&[&root]);
    let mut many = store(&[&root]);
    for n in 1..150 {
        many.add_der(&authority(&format!("other root {n}"), None, |_| ()).der).unwrap();
    }
    // The two signatures alone, over the same bytes with the same keys.
    let message: Vec<u8> = leaf.der[4..leaf.der.len() - 80].to_vec();
    let signatures: Vec<(Vec<u8>, Vec<u8>)> =
        [&middle, &root].map(|by| (by.key.spki(), by.key.sign(&message))).into_iter().collect();
    let alone = median(|| {
        for (spki, signature) in &signatures {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki).verify(&message, signature).unwrap();
        }
    });
    println!("two P-256 signatures alone      {:>9.2} us", alone.as_secs_f64() * 1e6);
    for (name, roots) in [("one root", &one), ("150 roots", &many)] {
        let whole = median(|| drop(black_box(verify(&presented, roots, &options).unwrap())));
        let beyond = whole.saturating_sub(alone).as_secs_f64() * 1e6;
        println!("{name:<10} whole {:>9.2} us, beyond the signatures {beyond:>6.2} us", whole.as_secs_f64() * 1e6);
    }
    let parse = median(|| {
        black_box(Certificate::parse(black_box(&leaf.der)).unwrap());
    });
    println!("reading one certificate         {:>9.2} us", parse.as_secs_f64() * 1e6);
    let verdicts = Verdicts::new(8);
    let known = median(|| drop(black_box(verdicts.verify(&presented, &many, &options).unwrap())));
    println!("a chain that is remembered      {:>9.2} us", known.as_secs_f64() * 1e6);
}
