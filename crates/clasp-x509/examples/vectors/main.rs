//! Runs a file of certificate vectors and says where this crate agrees with it.
//!
//! `cargo run -p clasp-x509 --release --example vectors -- FILE.json[.xz] [--json OUT]`
//!
//! Three shapes of file are known, told apart by their fields: chains in the shape of x509-limbo (`testcases`; policy
//! inputs may stand beside, and then chains are held against RFC 5280 alone), OCSP responses and revocation lists
//! (`cases`).
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod reasons;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clasp_x509::{
    Certificate, Check, Crl, KeyUsage, Options, PolicyInputs, Profile, Revocation, Roots, Standing, Usage, standing,
    verify,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::time::{Duration, Instant};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// What came of one case: the answer, and why.
struct Outcome {
    answer: String,
    context: String,
    elapsed: Duration,
}

/// How many of a category agree, are accepted wrongly, rejected wrongly, skipped.
#[derive(Default)]
struct Tally([u32; 4]);

fn main() -> Fallible<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: vectors FILE.json[.xz] [--json OUT] [--verbose]";
    let file = arguments.next().ok_or(usage)?;
    let (mut out, mut verbose) = (None, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => out = Some(arguments.next().ok_or(usage)?),
            "--verbose" => verbose = true,
            _ => return Err(usage.into()),
        }
    }
    let bytes = std::fs::read(&file)?;
    let text = if file.ends_with(".xz") {
        let mut text = Vec::new();
        lzma_rs::xz_decompress(&mut &bytes[..], &mut text).map_err(|e| format!("{file}: {e:?}"))?;
        text
    } else {
        bytes
    };
    let suite: Value = serde_json::from_slice(&text)?;
    let (cases, key) = match (suite["testcases"].as_array(), suite["cases"].as_array()) {
        (Some(cases), _) => (cases, "expected_result"),
        (_, Some(cases)) => (cases, "expected_status"),
        _ => return Err("neither testcases nor cases in the file".into()),
    };
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let mut results = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    let (mut fit, mut other) = (0, Vec::new());
    for case in cases {
        let id = case["id"].as_str().unwrap_or("(no id)");
        let outcome = match case.get("ocsp_response").or(case.get("crl")) {
            Some(_) => status(&suite, case),
            None => chain(case),
        };
        let outcome = outcome.unwrap_or_else(|why| Outcome {
            answer: "SKIPPED".into(),
            context: why.to_string(),
            elapsed: Duration::ZERO,
        });
        let expected = case[key].as_str().unwrap_or_default();
        let good = ["SUCCESS", "GOOD"];
        let (column, word) = match (&outcome.answer[..], expected) {
            ("SKIPPED", _) => (3, "skipped"),
            (a, b) if a == b => (0, "agree"),
            (a, _) if good.contains(&a) => (1, "ACCEPTED WRONGLY"),
            _ => (2, "rejected wrongly"),
        };
        if let ("FAILURE", "FAILURE", Some((reason, _))) =
            (&outcome.answer[..], expected, outcome.context.split_once(':'))
        {
            match reasons::fitting(case) {
                Some(fitting) if fitting.contains(&reason) => fit += 1,
                fitting => {
                    other
                        .push(format!("{id}: {reason}, expected {}", fitting.unwrap_or(&["(not known)"]).join(" or ")));
                }
            }
        }
        let category = id.rsplit_once("::").map_or(id, |(category, _)| category).to_owned();
        tallies.entry(category).or_default().0[column] += 1;
        if column != 0 || verbose {
            println!("{word}: {id}\n    expected {expected}, is {}: {}", outcome.answer, outcome.context);
        }
        if outcome.elapsed > slowest.0 {
            slowest = (outcome.elapsed, id.to_owned());
        }
        results.push(json!({ "id": id, "actual_result": outcome.answer, "context": outcome.context,
                             "elapsed_us": u64::try_from(outcome.elapsed.as_micros())? }));
    }
    report(&tallies);
    if fit + other.len() > 0 {
        println!("rejections for the reason that the case gives: {fit} of {}", fit + other.len());
        other.iter().for_each(|line| println!("    another reason: {line}"));
    }
    println!("slowest: {} us ({})", slowest.0.as_micros(), slowest.1);
    if let Some(out) = out {
        std::fs::write(out, serde_json::to_vec(&json!({ "results": results }))?)?;
    }
    Ok(())
}

fn report(tallies: &BTreeMap<String, Tally>) {
    println!("{:<60} {:>6} {:>9} {:>9} {:>8}", "category", "agree", "accepted", "rejected", "skipped");
    println!("{:<60} {:>6} {:>9} {:>9} {:>8}", "", "", "wrongly", "wrongly", "");
    let mut sum = [0; 4];
    for (category, Tally(counts)) in tallies {
        let [a, b, c, d] = counts;
        println!("{category:<60} {a:>6} {b:>9} {c:>9} {d:>8}");
        for (total, count) in sum.iter_mut().zip(counts) {
            *total += count;
        }
    }
    let [a, b, c, d] = sum;
    println!("{:<60} {a:>6} {b:>9} {c:>9} {d:>8}", "all");
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A chain in limbo's shape.
fn chain(case: &Value) -> Fallible<Outcome> {
    let pem = |text: &str| CertificateDer::from_pem_slice(text.as_bytes()).map(|c| c.to_vec());
    let mut roots = Roots::empty();
    let mut unreadable = Vec::new();
    // BoringSSL's anchors are names and keys, whatever the certificates that they come from say (its TRUSTED_ANCHOR).
    let bare = case.get("bssl").is_some();
    for root in strings(&case["trusted_certs"]) {
        let root = pem(root)?;
        let added = match Certificate::parse(&root) {
            Ok(root) if bare => roots.add_anchor(root.subject_der(), root.spki(), None),
            _ => roots.add_der(&root),
        };
        if let Err(why) = added {
            unreadable.push(why.to_string());
        }
    }
    let mut presented = vec![pem(case["peer_certificate"].as_str().ok_or("no peer certificate")?)?];
    for certificate in strings(&case["untrusted_intermediates"]) {
        presented.push(pem(certificate)?);
    }
    let presented: Vec<&[u8]> = presented.iter().map(Vec::as_slice).collect();
    let mut lists = Vec::new();
    for list in strings(&case["crls"]) {
        lists.push(CertificateRevocationListDer::from_pem_slice(list.as_bytes())?);
    }
    let parsed: Vec<Crl<'_>> = lists.iter().filter_map(|list| Crl::parse(list).ok()).collect();

    let time = match case["validation_time"].as_str() {
        None => UnixTime::now(),
        Some(text) => {
            let at = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)?;
            UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.unix_timestamp())?))
        }
    };
    let usage = match (case["validation_kind"].as_str(), case["bssl"]["key_purpose"].as_str()) {
        (_, Some("ANY_EKU")) => Usage::Any,
        (Some("SERVER"), _) => Usage::Server,
        (Some("CLIENT"), _) => Usage::Client,
        (other, _) => return Err(format!("a validation of kind {other:?}").into()),
    };
    let mut options = Options::new(time, usage);
    let names =
        [&case["expected_peer_name"]].into_iter().chain(case["expected_peer_names"].as_array().into_iter().flatten());
    let (mut server, mut mailbox) = (None, None);
    for name in names.filter(|name| !name.is_null()) {
        let value = name["value"].as_str().ok_or("a name without value")?;
        match name["kind"].as_str() {
            Some("RFC822") => mailbox = Some(value),
            Some("DNS" | "IP") => server = Some(ServerName::try_from(value).map_err(|_| format!("the name {value}"))?),
            other => return Err(format!("a name of kind {other:?}").into()),
        }
    }
    options.name = server.as_ref();
    options.mailbox = mailbox;
    for name in strings(&case["key_usage"]) {
        let usage = KeyUsage::named(name).ok_or_else(|| format!("the key usage {name}"))?;
        options.key_usage = Some(options.key_usage.map_or(usage, |all| all.and(usage)));
    }
    options.max_intermediates = case["max_chain_depth"].as_u64().map(u32::try_from).transpose()?;
    // Suites with policy inputs, and BoringSSL's, are about RFC 5280 itself, with roots that are names and keys.
    let plain = case.get("pkits").is_some() || case.get("bssl").is_some();
    options.profile = Some(if plain { Profile::Rfc5280 } else { Profile::WebPki });
    let acceptable = policies(&case["pkits"]["initial_policy_set"])?;
    let acceptable: Vec<&[u8]> = acceptable.iter().map(Vec::as_slice).collect();
    let flag = |name: &str| case["pkits"][name].as_bool().unwrap_or(false);
    options.policies = PolicyInputs {
        acceptable: &acceptable,
        require_explicit: flag("initial_explicit_policy"),
        inhibit_mapping: flag("initial_policy_mapping_inhibit"),
        inhibit_any: flag("initial_inhibit_any_policy"),
    };
    options.revocation.lists = &parsed;
    if !lists.is_empty() {
        options.revocation.check = Check::Require;
    }
    let start = Instant::now();
    let verdict = verify(&presented, &roots, &options);
    let elapsed = start.elapsed();
    let (answer, context) = match verdict {
        Ok(accepted) => ("SUCCESS", format!("by {}", accepted.root())),
        Err(rejection) => {
            let more: Vec<String> = rejection.attempts().iter().map(|a| a.finding.to_string()).collect();
            let mut text = format!("{:?}: {rejection}", rejection.reason());
            if more.len() > 1 {
                text += &format!(" [of {} tried: {}]", more.len() + rejection.untold(), more.join(" | "));
            }
            ("FAILURE", text + &unreadable.join("; "))
        }
    };
    Ok(Outcome { answer: answer.into(), context, elapsed })
}

/// PKITS names its test policies; the content of their OIDs is 2.16.840.1.101.3.2.1.48.n.
fn policies(names: &Value) -> Fallible<Vec<Vec<u8>>> {
    strings(names)
        .map(|name| match (name, name.strip_prefix("NIST-test-policy-")) {
            ("anyPolicy", _) => Ok(vec![0x55, 0x1d, 0x20, 0]),
            (_, Some(number)) => {
                let mut oid = vec![0x60, 0x86, 0x48, 1, 0x65, 3, 2, 1, 0x30];
                oid.push(number.parse()?);
                Ok(oid)
            }
            _ => Err(format!("the policy {name}").into()),
        })
        .collect()
}

/// An OCSP response or a revocation list, for one certificate and its issuer.
fn status(suite: &Value, case: &Value) -> Fallible<Outcome> {
    let decode = |value: &Value| -> Fallible<Vec<Vec<u8>>> {
        let list = value.as_str().into_iter().chain(strings(value));
        list.map(|text| Ok(BASE64_STANDARD.decode(text)?)).collect()
    };
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let certificate = decode(case.get("cert").unwrap_or(&case["certificate"]))?;
    let mut issuers = Vec::new();
    for key in ["issuer", "ca_certificate", "ca_certificate_2"] {
        issuers.extend(decode(&case[key])?);
    }
    let certificate = Certificate::parse(certificate.first().ok_or("no certificate")?)?;
    let issuers = issuers.iter().map(|der| Certificate::parse(der)).collect::<Result<Vec<_>, _>>()?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(number(&suite["verify_time"]).ok_or("no verify_time")?));
    let responses = decode(&case["ocsp_response"])?;
    let responses: Vec<&[u8]> = responses.iter().map(Vec::as_slice).collect();
    let lists = decode(&case["crl"])?;
    let start = Instant::now();
    let parsed: Vec<_> = lists.iter().map(|der| Crl::parse(der)).collect();
    let unreadable: Vec<String> =
        parsed.iter().filter_map(|list| list.as_ref().err().map(ToString::to_string)).collect();
    let parsed: Vec<Crl<'_>> = parsed.into_iter().flatten().collect();
    let revocation = Revocation {
        lists: &parsed,
        responses: &responses,
        max_age: number(&suite["max_age_s"]),
        // The lists are meant for a validator that takes no indirect ones.
        indirect: Some(false),
        ..Revocation::default()
    };
    // The responses are signed with SHA-1, the lists with keys of 1024 bits.
    let standing = standing(
        &certificate,
        &issuers,
        &Options::new(time, Usage::Any).profile(Profile::Legacy).revocation(revocation),
    );
    let elapsed = start.elapsed();
    let (answer, context) = match standing {
        Standing::Good => ("GOOD", String::new()),
        Standing::Revoked { reason, .. } => ("REVOKED", reason.to_string()),
        Standing::Unknown(why) => ("UNKNOWN", format!("{why} {}", unreadable.join("; "))),
    };
    Ok(Outcome { answer: answer.into(), context, elapsed })
}
