//! Diffie–Hellman groups: a modulus is a prime, or whoever knows its factors reads along.

use super::{OpenSsl, clasp, has_openssl, issued, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use serde_json::Value;

/// 2^bits - 1.
fn mersenne(bits: u32) -> BigUint {
    (BigUint::from(1_u32) << bits) - 1_u32
}

/// A group of this modulus, as OpenSSL reads it: PKCS #3's DHParameter, with 2 for its generator.
fn parameters(modulus: &BigUint) -> String {
    // A zero in front, so that it is positive.
    let modulus = [&[0][..], &modulus.to_bytes_be()].concat();
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let integer = [&[2, 0x82][..], &length(modulus.len()), &modulus, &[2, 1, 2]].concat();
    let der = STANDARD.encode([&[0x30, 0x82][..], &length(integer.len()), &integer].concat());
    let lines: Vec<&str> = (0..der.len()).step_by(64).map(|at| &der[at..der.len().min(at + 64)]).collect();
    format!("-----BEGIN DH PARAMETERS-----\n{}\n-----END DH PARAMETERS-----\n", lines.join("\n"))
}

#[test]
fn a_modulus_that_is_no_prime_is_found_and_a_prime_is_none_the_worse() {
    if !has_openssl() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (root, ..) = issued(home.path());
    let ca = home.path().join("ca");
    // OpenSSL has no suite of DHE with ECDSA.
    let made = clasp(&["ca", "issue", ca.to_str().unwrap(), "rsa.test", "localhost", "--key", "rsa"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let [chain, key] = ["rsa.test.pem", "rsa.test-key.pem"].map(|name| ca.join(name).to_str().unwrap().to_owned());
    let ports = clasp_interop::ports::Ports::new();
    let suites = "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256";
    // Its least factor has 127 bits: no table of small ones has it.
    let composite = [1279, 521, 127, 127].map(mersenne).into_iter().product::<BigUint>();
    let wanted = [
        (composite, 2054, "F", "vulnerable", [Value::Bool(false), Value::Null]),
        (mersenne(2203), 2203, "B", "safe", [Value::Bool(true), Value::Bool(false)]),
    ];
    let servers: Vec<OpenSsl> = wanted
        .iter()
        .map(|(modulus, bits, ..)| {
            let file = home.path().join(format!("{bits}.pem"));
            std::fs::write(&file, parameters(modulus)).unwrap();
            let more = ["-dhparam", file.to_str().unwrap()];
            OpenSsl::start(ports.next().unwrap(), [&chain, &key], suites, &more)
        })
        .collect();
    let targets: Vec<String> = servers.iter().map(|server| format!("localhost:{}", server.1)).collect();
    let page = home.path().join("scan.html");
    let arguments = ["scan", "--json", "--html", page.to_str().unwrap(), "--ca", &root, &targets[0], &targets[1]];
    let reports: Value = serde_json::from_slice(&clasp(&arguments).stdout).unwrap();
    for ((_, bits, grade, verdict, [is_prime, is_safe]), report) in
        wanted.iter().zip(reports["reports"].as_array().unwrap())
    {
        let dh = &report["diffie_hellman"];
        assert_eq!(
            (&dh["bits"], &dh["is_prime"], &dh["safe_prime"]),
            (&(*bits).into(), is_prime, is_safe),
            "{report:#}"
        );
        let logjam = report["attacks"].as_array().unwrap().iter().find(|attack| attack["name"] == "Logjam").unwrap();
        assert_eq!((&logjam["verdict"], &report["grade"]), (&(*verdict).into(), &(*grade).into()), "{report:#}");
        let notes = report["findings"].as_array().unwrap();
        assert_eq!(notes.iter().any(|finding| finding["id"] == "unsafe-prime"), *is_prime == true, "{notes:?}");
    }
    let page = std::fs::read_to_string(&page).unwrap();
    for words in ["2054 bits, a modulus that is no prime", "2203 bits, a prime of its own"] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
}
