//! What follows from what was seen: findings with their repair, and a grade with its reasons. Rules: RFC 9325 (BCP 195), RFC 8996,
//! RFC 9155.

use super::report::{Finding, Level, Report, Verdict};
use super::suites::Strength;

/// Days that are too few to be sure of a renewal.
const SOON: i64 = 14;
/// Below half a year a browser that does not come back in time may be talked down again.
const HSTS: u64 = 15_768_000;

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, id: &'static str, (level, caps): (Level, char), what: String, repair: &str) {
        self.0.push(Finding { id, level, caps, what, repair: repair.into() });
    }
}

/// All findings, the worst first, and the grade: the worst that one of them allows.
pub(crate) fn judge(report: &mut Report) {
    let mut found = Findings(Vec::new());
    // First what keeps clients away, whatever else there is.
    versions(report, &mut found);
    handshakes(report, &mut found);
    attacks(report, &mut found);
    suites(report, &mut found);
    keys(report, &mut found);
    certificates(report, &mut found);
    conduct(report, &mut found);
    found.0.sort_by_key(|finding| (finding.level, std::cmp::Reverse(finding.caps)));
    report.grade =
        report.versions.iter().any(|v| v.spoken).then(|| found.0.iter().map(|f| f.caps).max().unwrap_or('A'));
    report.findings = found.0;
}

fn attacks(report: &Report, found: &mut Findings) {
    for attack in report.attacks.iter().filter(|attack| attack.verdict == Verdict::Vulnerable) {
        let (weight, repair) = match attack.name {
            "SWEET32" => ((Level::Warning, 'C'), "switch suites with 3DES, DES, IDEA and RC2 off"),
            "RC4" => ((Level::Bad, 'F'), "switch RC4 off (RFC 7465)"),
            "POODLE" => ((Level::Bad, 'F'), "switch SSL 3.0 off (RFC 7568)"),
            "DROWN" => ((Level::Bad, 'F'), "switch SSL 2.0 off, everywhere where this key is used (RFC 6176)"),
            "Raccoon" => ((Level::Warning, 'B'), "have a new Diffie–Hellman key for each handshake, or switch DHE off"),
            "Logjam" => ((Level::Bad, 'F'), "use a group of RFC 7919, or switch DHE off"),
            "FREAK" => ((Level::Bad, 'F'), "switch export suites off"),
            "CRIME" => ((Level::Bad, 'F'), "switch compression off"),
            "insecure renegotiation" => ((Level::Bad, 'F'), "update the library: RFC 5746 is of 2010"),
            "ROBOT (Bleichenbacher)" => ((Level::Bad, 'F'), "switch RSA key transport off, and update the library"),
            _ => ((Level::Bad, 'F'), "update the library, and replace the key"),
        };
        found.add("attack", weight, format!("{} ({}): {}", attack.name, attack.id, attack.words), repair);
    }
}

fn versions(report: &Report, found: &mut Findings) {
    let add = |found: &mut Findings, id, weight, what: &str, repair| found.add(id, weight, what.into(), repair);
    let old: Vec<&str> = ["TLS 1.1", "TLS 1.0"].into_iter().filter(|name| report.speaks(name)).collect();
    if report.speaks("SSL 3.0") {
        add(found, "ssl3", (Level::Bad, 'F'), "speaks SSL 3.0", "switch it off (RFC 7568)");
    }
    if !old.is_empty() {
        let what = format!("speaks {}", old.join(" and "));
        found.add(
            "old-versions",
            (Level::Warning, 'B'),
            what,
            if old.len() > 1 {
                "switch them off (RFC 8996), unless old devices need them"
            } else {
                "switch it off (RFC 8996), unless old devices need it"
            },
        );
    }
    match (report.speaks("TLS 1.3"), report.speaks("TLS 1.2")) {
        (false, false) if report.versions.iter().any(|v| v.spoken) => {
            add(found, "no-tls12", (Level::Bad, 'F'), "speaks neither TLS 1.3 nor TLS 1.2", "update the server");
        }
        (false, true) => add(found, "no-tls13", (Level::Warning, 'B'), "does not speak TLS 1.3", "switch it on"),
        _ => {}
    }
    if report.extensions.fallback_scsv == Some(false) && report.versions.iter().filter(|v| v.spoken).count() > 1 {
        let what = "does not tell clients that they were talked down (RFC 7507)";
        add(found, "no-fallback-scsv", (Level::Note, 'A'), what, "update the library");
    }
}

/// What hellos answer says nothing of who answers: without a chain, and a proof of its key, nobody is to be trusted.
fn handshakes(report: &Report, found: &mut Findings) {
    let repair = "clasp connect --tls VERSION and clasp trace say more of it";
    let some = report.handshakes.iter().any(|handshake| handshake.completes);
    for failed in report.handshakes.iter().filter(|handshake| !handshake.completes) {
        if some && failed.is_refused {
            let what = format!("Clasp and it agree on nothing in {}: {}", failed.version, failed.words);
            found.add("no-agreement", (Level::Note, 'A'), what, repair);
            continue;
        }
        let what =
            format!("no {} handshake with it comes to where it proves its key: {}", failed.version, failed.words);
        found.add("no-handshake", (Level::Bad, 'T'), what, repair);
    }
    if report.chains.is_empty() && report.versions.iter().any(|version| version.spoken) {
        let what = "has shown no certificate that could be judged".into();
        found.add("no-chain", (Level::Bad, 'T'), what, repair);
    }
}

fn suites(report: &Report, found: &mut Findings) {
    let all: Vec<_> = report.suites.iter().flat_map(|suites| &suites.suites).collect();
    let of = |strength: Strength| {
        let mut names: Vec<&str> = all.iter().filter(|s| s.strength == strength).map(|s| s.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let broken = of(Strength::Broken);
    if !broken.is_empty() {
        found.add("broken-suites", (Level::Bad, 'F'), format!("has {}", few(&broken)), "switch these suites off");
    }
    if all.iter().any(|suite| !suite.forward_secrecy) {
        let what = "has suites without forward secrecy: who gets its key opens what was recorded".into();
        found.add("no-forward-secrecy", (Level::Warning, 'B'), what, "have ECDHE suites alone");
    }
    let best = |version: &str| report.suites.iter().find(|s| s.version == version).map(|s| &s.suites[..]);
    if let Some(tls12) = best("TLS 1.2").filter(|suites| !suites.is_empty())
        && tls12.iter().all(|suite| suite.strength != Strength::Good)
    {
        let what = "has no suite with forward secrecy and an AEAD in TLS 1.2".into();
        found.add("no-aead", (Level::Warning, 'B'), what, "switch ECDHE with AES-GCM or ChaCha20-Poly1305 on");
    }
    let mixed = report.suites.iter().any(|suites| {
        let worst = suites.suites.iter().map(|suite| suite.strength).min();
        suites.order == super::report::Order::Client && worst.is_some_and(|worst| worst < Strength::Old)
    });
    if mixed {
        let what = "lets the client choose, also weak suites".into();
        found.add("client-order", (Level::Note, 'A'), what, "let the server's order decide, or switch weak suites off");
    }
}

fn few(names: &[&str]) -> String {
    match names {
        [a, b, c, rest @ ..] if !rest.is_empty() => format!("{a}, {b}, {c} and {} more", rest.len()),
        names => names.join(", "),
    }
}

fn keys(report: &Report, found: &mut Findings) {
    if let Some(dh) = &report.diffie_hellman
        && dh.bits > 1024
        && dh.bits < 2048
    {
        let what = format!("Diffie–Hellman of {} bits", dh.bits);
        found.add("short-dh", (Level::Warning, 'B'), what, "use a group of RFC 7919, of 2048 bits or more");
    }
    if let Some(dh) = &report.diffie_hellman
        && dh.is_prime.is_none()
    {
        let what = format!("a Diffie–Hellman modulus of {} bits, which is too long to be looked at", dh.bits);
        found.add("long-dh", (Level::Warning, 'B'), what, "use a group of RFC 7919, of 2048 bits or more");
    }
    if report.diffie_hellman.as_ref().is_some_and(|dh| dh.safe_prime == Some(false)) {
        let what = "the prime of its Diffie–Hellman group is not a safe prime: (p - 1) / 2 is none";
        let repair = "use a group of RFC 7919: in others a key has to be checked for small subgroups";
        found.add("unsafe-prime", (Level::Note, 'A'), what.into(), repair);
    }
    if report.extensions.ecdhe_reused == Some(true) {
        let what = "its ECDHE value is the same twice".into();
        found.add("reused-ecdhe", (Level::Note, 'A'), what, "have a new key for each handshake");
    }
    let Some(groups) = report.groups.iter().find(|groups| groups.version == "TLS 1.3" && !groups.groups.is_empty())
    else {
        return;
    };
    if !groups.groups.iter().any(|group| group.post_quantum) {
        let what =
            "has no post-quantum group: what is recorded today can be opened by who has a quantum computer later";
        found.add("no-hybrid", (Level::Note, 'A'), what.into(), "switch X25519MLKEM768 on");
    }
    if groups.retries == Some(false) {
        let what = "does not say which group it wants (HelloRetryRequest)".into();
        found.add("no-retry", (Level::Warning, 'B'), what, "update the library (RFC 9846 4.1.4)");
    }
}

fn certificates(report: &Report, found: &mut Findings) {
    for chain in &report.chains {
        let whose = if report.chains.len() > 1 { format!("{} chain: ", chain.key) } else { String::new() };
        if !chain.accepted {
            let reason = chain.reason.as_deref().unwrap_or_default();
            let repair = chain.repair.as_deref().unwrap_or_default();
            found.add("chain", (Level::Bad, 'T'), format!("{whose}refused: {reason}"), repair);
        } else if chain.days_left < SOON {
            let what = format!("{whose}ends in {} days, on {}", chain.days_left, chain.not_after);
            found.add("ends-soon", (Level::Warning, 'A'), what, "renew it, and have that done by itself");
        }
        if chain.must_staple && !chain.stapled {
            let what = format!("{whose}the certificate wants a stapled OCSP response, and none came");
            found.add("no-staple", (Level::Bad, 'T'), what, "switch stapling on");
        }
    }
}

fn renegotiation(report: &Report, found: &mut Findings) {
    let insecure = |attack: &super::report::Attack| {
        attack.name == "insecure renegotiation" && attack.verdict == Verdict::Vulnerable
    };
    if report.extensions.secure_renegotiation == Some(false) && !report.attacks.iter().any(insecure) {
        let what = "does not know secure renegotiation (RFC 5746): clients of today refuse to speak to it".into();
        found.add("no-secure-renegotiation", (Level::Warning, 'C'), what, "update the library: RFC 5746 is of 2010");
    }
    if report.renegotiation.as_ref().is_some_and(|asked| asked.allowed == Some(true)) {
        let what = "renegotiates when a client asks for it: unless it counts, one connection can cost it many handshakes (CVE-2011-1473)";
        let repair = "switch renegotiation by clients off; TLS 1.3 has none";
        found.add("client-renegotiation", (Level::Warning, 'A'), what.into(), repair);
    }
}

fn conduct(report: &Report, found: &mut Findings) {
    for tried in report.hello.iter().filter(|tried| !tried.good) {
        let what = format!("does not bear {}: {}", tried.name, tried.words);
        found.add("intolerant", (Level::Warning, 'B'), what, "update the server, or what stands before it");
    }
    renegotiation(report, found);
    if report.client_certificate == Some("required") {
        let what = "wants a certificate of its clients: whoever has none is turned away".into();
        let repair = "give clients one; clasp connect --cert FILE --key FILE tries it";
        found.add("client-certificate", (Level::Note, 'A'), what, repair);
    }
    if !report.resumption.is_empty() && report.resumption.iter().all(|resumed| resumed.works == Some(false)) {
        let what = "resumes no session: each connection costs the whole handshake".into();
        found.add("no-resumption", (Level::Note, 'A'), what, "switch tickets on");
    }
    if report.resumption.iter().any(|resumed| resumed.early_data.is_some_and(|most| most > 0)) {
        let what = "takes early data (0-RTT), which an attacker can send again".into();
        found.add("early-data", (Level::Note, 'A'), what, "see that requests in it change nothing (RFC 8470)");
    }
    let week = 7 * 86_400;
    if report.resumption.iter().any(|resumed| resumed.lifetime.is_some_and(|seconds| seconds > week)) {
        let what = "tickets that live longer than seven days".into();
        found.add(
            "long-tickets",
            (Level::Warning, 'B'),
            what,
            "let them live a day (RFC 9846 4.6.1 allows seven days)",
        );
    }
    if let Some(http) = &report.http {
        match http.hsts_seconds {
            None => {
                let what = "no Strict-Transport-Security".into();
                found.add("no-hsts", (Level::Note, 'A'), what, "send it once all of the site is behind TLS (RFC 6797)");
            }
            Some(age) if age < HSTS => {
                let what = format!("Strict-Transport-Security for {age} seconds alone");
                found.add("short-hsts", (Level::Note, 'A'), what, "let it live a year");
            }
            Some(_) => {}
        }
    }
}
