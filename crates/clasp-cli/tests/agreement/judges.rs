//! What each program says of a server, in the same words: a list of verdicts, each a name and a value.

use crate::servers::{Server, peers};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a program says of one server.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) verdicts: BTreeMap<String, String>,
    /// Of a verdict that begins with one of these and is not there the program says no.
    pub(crate) complete: Vec<&'static str>,
    pub(crate) took: Duration,
}

impl Said {
    fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.verdicts.insert(name.into(), value.into());
    }

    fn yes(&mut self, name: impl Into<String>, yes: bool) {
        self.set(name, if yes { "yes" } else { "no" });
    }

    /// What it says of this, if it says anything.
    pub(crate) fn of(&self, verdict: &str) -> Option<&str> {
        let complete = || self.complete.iter().any(|start| verdict.starts_with(start)).then_some("no");
        self.verdicts.get(verdict).map(String::as_str).or_else(complete)
    }
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judge {
    Clasp,
    Sslyze,
    Testssl,
}

impl Judge {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Clasp => "clasp",
            Self::Sslyze => "sslyze",
            Self::Testssl => "testssl.sh",
        }
    }

    /// Whether it is installed.
    pub(crate) fn is_there(self) -> Result<(), String> {
        let (program, argument, package) = match self {
            Self::Clasp => return Ok(()),
            Self::Sslyze => (peers("sslyze"), "--help", "PyPI: sslyze"),
            Self::Testssl => ("testssl".into(), "--version", "Debian: testssl.sh"),
        };
        let mut command = Command::new(&program);
        let ran = command.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran.map(drop).map_err(|e| format!("no {} ({package}): {e}", program.display()))
    }

    /// Asks about all of these servers at once, but for testssl.sh, which takes one.
    pub(crate) fn ask(self, servers: &[&Server], folder: &Path) -> Vec<Said> {
        let since = Instant::now();
        let mut all = match self {
            Self::Clasp => clasp(servers, folder),
            Self::Sslyze => sslyze(servers, folder, &[]),
            Self::Testssl => servers.iter().map(|server| testssl(server, folder)).collect(),
        };
        let took = since.elapsed();
        all.iter_mut().for_each(|said| said.took = took);
        assert_eq!(all.len(), servers.len(), "{} says something of each", self.name());
        all
    }
}

impl Judge {
    /// Asks about one server once more, with few connections at once.
    pub(crate) fn ask_again(self, server: &Server, folder: &Path) -> Said {
        match self {
            Self::Sslyze => sslyze(&[server], folder, &["--slow_connection"]).pop().unwrap_or_default(),
            other => other.ask(&[server], folder).pop().unwrap_or_default(),
        }
    }
}

fn target(server: &Server) -> String {
    format!("localhost:{}", server.port)
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap();
    output.stdout
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A group by the one name that both have.
fn group(name: &str) -> String {
    let name = name.to_lowercase().replace("prime256v1", "secp256r1").replace("prime192v1", "secp192r1");
    format!("group {name}")
}

fn clasp(servers: &[&Server], folder: &Path) -> Vec<Said> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clasp"));
    command.args(["scan", "--json", "--timeout", "10", "--ca"]).arg(folder.join("root.pem"));
    let out = run(command.args(servers.iter().map(|server| target(server))));
    let all: Value = serde_json::from_slice(&out).expect("a report of clasp scan");
    list(&all, "reports").iter().map(of_clasp).collect()
}

fn of_clasp(report: &Value) -> Said {
    let mut said = Said { complete: vec!["suite ", "group ", "any ", "alpn ", "key "], ..Said::default() };
    said.yes("connects", report["failed"].is_null());
    for version in list(report, "versions") {
        said.yes(text(&version["name"]), version["spoken"] == true);
    }
    let mut orders: Vec<&str> = Vec::new();
    for suites in list(report, "suites") {
        for suite in list(suites, "suites") {
            said.yes(format!("suite {} {}", text(&suites["version"]), text(&suite["name"])), true);
            said.yes(format!("any {}", text(&suite["name"])), true);
        }
        orders.push(text(&suites["order"]));
    }
    orders.retain(|order| *order != "unknown");
    orders.dedup();
    said.set("order", if let [order] = orders[..] { order } else { "several" });
    for groups in list(report, "groups") {
        for found in list(groups, "groups") {
            said.yes(group(text(&found["name"])), true);
        }
    }
    for attack in list(report, "attacks") {
        said.set(text(&attack["name"]), text(&attack["verdict"]));
    }
    let asked = ["secure_renegotiation", "extended_master_secret", "encrypt_then_mac", "heartbeat", "compression"];
    for name in asked.into_iter().chain(["fallback_scsv"]) {
        match report["extensions"][name].as_bool() {
            Some(yes) => said.yes(name, yes),
            None => said.set(name, "not asked"),
        }
    }
    for way in ["ticket (TLS 1.2)", "session ID (TLS 1.2)"] {
        match list(report, "resumption").iter().find(|resumed| resumed["by"] == way) {
            Some(resumed) if resumed["works"].is_boolean() => said.yes(way, resumed["works"] == true),
            _ => said.set(way, "not asked"),
        }
    }
    let renegotiates = report["renegotiation"]["allowed"].as_bool();
    said.set("client renegotiation", renegotiates.map_or("not asked", |yes| if yes { "yes" } else { "no" }));
    let early = |resumed: &Value| resumed["early_data"].as_u64().is_some_and(|most| most > 0);
    said.yes("early data", list(report, "resumption").iter().any(early));
    said.set("client certificate", report["client_certificate"].as_str().unwrap_or("not asked"));
    let chains = list(report, "chains");
    said.yes("chain", !chains.is_empty() && chains.iter().all(|chain| chain["accepted"] == true));
    said.yes("stapled", chains.iter().any(|chain| chain["stapled"] == true));
    for chain in chains {
        said.yes(format!("key {}", text(&chain["key"])), true);
    }
    for protocol in list(report, "alpn") {
        said.yes(format!("alpn {}", text(protocol)), true);
    }
    let by_ticket = list(report, "resumption").iter().find(|resumed| resumed["by"] == "ticket (TLS 1.2)");
    if let Some(seconds) = by_ticket.and_then(|resumed| resumed["lifetime"].as_u64()) {
        said.set("ticket lifetime", seconds.to_string());
    }
    let dh = &report["diffie_hellman"];
    said.set("DH bits", dh["bits"].to_string());
    said.set("DH prime", if dh.is_null() { "none" } else { dh["prime"].as_str().unwrap_or("nobody's") });
    said
}

fn sslyze(servers: &[&Server], folder: &Path, how: &[&str]) -> Vec<Said> {
    let file = folder.join("sslyze.json");
    let mut command = Command::new(peers("sslyze"));
    command.args(["--mozilla_config", "disable", "--quiet"]).args(how).arg(format!("--json_out={}", file.display()));
    command.arg("--certinfo").arg(format!("--certinfo_ca_file={}", folder.join("root.pem").display()));
    command.args(["--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3", "--elliptic_curves"]);
    command.args(["--heartbleed", "--openssl_ccs", "--robot", "--fallback", "--compression", "--reneg"]);
    run(command.args(["--early_data", "--resum", "--ems"]).args(servers.iter().map(|server| target(server))));
    let written = std::fs::read_to_string(file).unwrap();
    let all: Value = serde_json::from_str(&without_long_numbers(&written)).expect("a report of sslyze");
    let results = list(&all, "server_scan_results");
    // They come in the order in which it was done with them.
    let find = |server: &&Server| {
        let result = results.iter().find(|result| result["server_location"]["port"] == server.port);
        result.map(of_sslyze).unwrap_or_default()
    };
    servers.iter().map(find).collect()
}

/// It writes an RSA key's modulus as a number, which is none for others.
fn without_long_numbers(json: &str) -> String {
    let is_long = |piece: &&str| piece.len() > 18 && piece.bytes().all(|byte| byte.is_ascii_digit());
    json.split_inclusive([' ', ','])
        .map(|piece| match piece.strip_suffix(',').filter(|number| is_long(number)) {
            Some(_) => "0,",
            None => piece,
        })
        .collect()
}

const OLD: [(&str, &str); 6] = [
    ("ssl_2_0", "SSL 2.0"),
    ("ssl_3_0", "SSL 3.0"),
    ("tls_1_0", "TLS 1.0"),
    ("tls_1_1", "TLS 1.1"),
    ("tls_1_2", "TLS 1.2"),
    ("tls_1_3", "TLS 1.3"),
];

fn of_sslyze(result: &Value) -> Said {
    let mut said = Said::default();
    let connects = result["connectivity_status"] == "COMPLETED";
    said.yes("connects", connects);
    if !connects {
        return said;
    }
    let of = |name: &str| &result["scan_result"][name]["result"];
    let mut dh = None;
    for (field, version) in OLD {
        let suites = of(&format!("{field}_cipher_suites"));
        let Some(spoken) = suites["is_tls_version_supported"].as_bool() else { continue };
        said.yes(version, spoken);
        // Those of SSL 2.0 are none of ours.
        for (found, yes) in [("accepted_cipher_suites", true), ("rejected_cipher_suites", false)] {
            for suite in list(suites, found).iter().filter(|_| version != "SSL 2.0") {
                said.yes(format!("suite {version} {}", text(&suite["cipher_suite"]["name"])), yes);
                let key = &suite["ephemeral_key"];
                let bits = (key["type_name"] == "DH" && version != "TLS 1.3").then(|| key["size"].as_u64()).flatten();
                dh = [dh, bits].into_iter().flatten().min();
            }
        }
    }
    said.set("DH bits", dh.map_or_else(|| "null".into(), |bits| bits.to_string()));
    for (found, yes) in [("supported_curves", true), ("rejected_curves", false)] {
        for curve in list(of("elliptic_curves"), found) {
            said.yes(group(text(&curve["name"])), yes);
        }
    }
    let flags = [
        ("tls_compression", "supports_compression", "compression"),
        ("tls_fallback_scsv", "supports_fallback_scsv", "fallback_scsv"),
        ("session_renegotiation", "supports_secure_renegotiation", "secure_renegotiation"),
        ("session_renegotiation", "is_vulnerable_to_client_renegotiation_dos", "client renegotiation"),
        ("tls_extended_master_secret", "supports_ems_extension", "extended_master_secret"),
        ("tls_1_3_early_data", "supports_early_data", "early data"),
    ];
    for (plugin, field, name) in flags {
        if let Some(yes) = of(plugin)[field].as_bool() {
            said.yes(name, yes);
        }
    }
    let safe = |bad: bool| if bad { "vulnerable" } else { "safe" };
    let bad = [
        ("heartbleed", "is_vulnerable_to_heartbleed", "Heartbleed"),
        ("openssl_ccs_injection", "is_vulnerable_to_ccs_injection", "ChangeCipherSpec injection"),
    ];
    for (plugin, field, name) in bad {
        if let Some(bad) = of(plugin)[field].as_bool() {
            said.set(name, safe(bad));
        }
    }
    if let Some(robot) = of("robot")["robot_result"].as_str() {
        let unknown = robot.starts_with("UNKNOWN");
        let known = safe(!robot.starts_with("NOT_VULNERABLE"));
        said.set("ROBOT (Bleichenbacher)", if unknown { "unknown" } else { known });
    }
    let resumption = of("session_resumption");
    for (field, name) in
        [("session_id_resumption_result", "session ID (TLS 1.2)"), ("tls_ticket_resumption_result", "ticket (TLS 1.2)")]
    {
        match resumption[field].as_str() {
            Some("FULLY_SUPPORTED") => said.yes(name, true),
            Some("NOT_SUPPORTED") => said.yes(name, false),
            Some("SERVER_IS_TLS_1_3_ONLY") => said.set(name, "not asked"),
            Some(other) => said.set(name, other),
            None => {}
        }
    }
    let wanted = match text(&result["connectivity_result"]["client_auth_requirement"]) {
        "DISABLED" => "not asked for",
        "OPTIONAL" => "asked for",
        "REQUIRED" => "required",
        other => other,
    };
    said.set("client certificate", wanted);
    let deployments = list(of("certificate_info"), "certificate_deployments");
    if !deployments.is_empty() {
        let ours = |path: &&Value| path["trust_store"]["name"] == "Supplied CA file";
        let good = |one: &Value| {
            let path = list(one, "path_validation_results").iter().find(ours);
            path.is_some_and(|path| path["was_validation_successful"] == true)
        };
        said.yes("chain", deployments.iter().all(good));
    }
    said
}

/// Where testssl.sh's reports are kept, and found again by a later run: they take minutes each.
pub(crate) fn kept() -> Option<PathBuf> {
    std::env::var_os("CLASP_SCAN_KEEP").map(PathBuf::from)
}

fn testssl(server: &Server, folder: &Path) -> Said {
    let kept = kept().map(|folder| folder.join(format!("{}.json", server.name)));
    let known = kept.as_ref().and_then(|file| serde_json::from_slice(&std::fs::read(file).ok()?).ok());
    let all: Value = known.unwrap_or_else(|| {
        let written = ask_testssl(server, folder);
        if let Some(file) = kept {
            std::fs::write(file, &written).expect("the folder of CLASP_SCAN_KEEP");
        }
        serde_json::from_slice(&written).expect("a report of testssl.sh")
    });
    of_testssl(all.as_array().map_or(&[], Vec::as_slice))
}

fn ask_testssl(server: &Server, folder: &Path) -> Vec<u8> {
    let file = folder.join(format!("testssl-{}.json", server.port));
    let mut command = Command::new("testssl");
    command.args(["--warnings", "batch", "--color", "0", "--ip", "127.0.0.1", "--add-ca"]).arg(folder.join("root.pem"));
    // What both look at. Clients that it knows, headers and what stands beside TLS would take four times as long.
    command.args([
        "-p", "-P", "-f", "-S", "-e", "-H", "-I", "-T", "-BB", "-R", "-C", "-O", "-Z", "-W", "-F", "-J", "-D", "-4",
    ]);
    run(command.arg(format!("--jsonfile={}", file.display())).arg(target(server)));
    std::fs::read(file).unwrap()
}

/// The verdict that one of its findings is.
fn of_old_versions(id: &str) -> Option<&'static str> {
    Some(match id {
        "secure_renego" => "secure_renegotiation",
        "secure_client_renego" => "client renegotiation",
        "CRIME_TLS" => "compression",
        "fallback_SCSV" => "fallback_scsv",
        "sessionresumption_ticket" => "ticket (TLS 1.2)",
        "sessionresumption_ID" => "session ID (TLS 1.2)",
        _ => return None,
    })
}

/// Whose prime it is, in our words.
fn prime(found: &str) -> &str {
    match found {
        "no DH key with <= TLS 1.2" => "none",
        "--" => "nobody's",
        _ if found.starts_with("RFC7919") => "a prime of RFC 7919",
        _ if found.starts_with("RFC3526") || found.starts_with("RFC2409") => "a prime of RFC 2409 and RFC 3526",
        other => other,
    }
}

/// Its names of attacks, and ours.
const ATTACKS: [(&str, &str); 10] = [
    ("heartbleed", "Heartbleed"),
    ("CCS", "ChangeCipherSpec injection"),
    ("ticketbleed", "Ticketbleed"),
    ("ROBOT", "ROBOT (Bleichenbacher)"),
    ("POODLE_SSL", "POODLE"),
    ("SWEET32", "SWEET32"),
    ("FREAK", "FREAK"),
    ("DROWN", "DROWN"),
    ("LOGJAM", "Logjam"),
    ("RC4", "RC4"),
];

fn of_testssl(findings: &[Value]) -> Said {
    let mut said = Said::default();
    let find = |id: &str| findings.iter().find(|finding| finding["id"] == id).map(|finding| text(&finding["finding"]));
    let connects = find("TLS1_2").is_some();
    said.yes("connects", connects);
    // Where it gives up in the middle it has not asked for the rest.
    if connects && find("scanTime") != Some("Scan interrupted") {
        said.complete.extend(["any ", "key "]);
    }
    for finding in findings {
        let (id, found) = (text(&finding["id"]), text(&finding["finding"]));
        // One of several.
        let id = id.split(" <cert#").next().unwrap_or_default();
        let offered = found.starts_with("offered");
        match id {
            "SSLv2" => said.yes("SSL 2.0", offered),
            "SSLv3" => said.yes("SSL 3.0", offered),
            "TLS1" => said.yes("TLS 1.0", offered),
            "TLS1_1" => said.yes("TLS 1.1", offered),
            "TLS1_2" => said.yes("TLS 1.2", offered),
            "TLS1_3" => said.yes("TLS 1.3", offered),
            "PFS_ECDHE_curves" => found.split(' ').for_each(|name| said.yes(group(name), true)),
            // Before TLS 1.3 it knows them by their primes, and as groups they are of TLS 1.3.
            "DH_groups" if find("TLS1_3").is_some_and(|found| found.starts_with("offered")) => {
                let named = found.split(' ').filter(|name| name.starts_with("ffdhe"));
                named.for_each(|name| said.yes(group(name), true));
            }
            "TLS_extensions" if find("TLS1_2").is_some_and(|found| found.starts_with("offered")) => {
                said.yes("extended_master_secret", found.contains("/#23'"));
                said.yes("encrypt_then_mac", found.contains("/#22'"));
                said.yes("heartbeat", found.contains("/#15'"));
            }
            "ALPN" | "ALPN_HTTP2" => {
                ["h2", "http/1.1"]
                    .into_iter()
                    .filter(|name| found.contains(name))
                    .for_each(|name| said.yes(format!("alpn {name}"), true));
            }
            "OCSP_stapling" => said.yes("stapled", offered),
            "TLS_session_ticket" => {
                let seconds = found.strip_prefix("valid for ").and_then(|rest| rest.split(' ').next());
                seconds.into_iter().for_each(|seconds| said.set("ticket lifetime", seconds));
            }
            "cert_keySize" => {
                said.yes(format!("key {}", found.trim_end_matches(" bits").replace("EC ", "EC P-")), true);
            }
            "LOGJAM-common_primes" => said.set("DH prime", prime(found)),
            // Without a certificate of its own it does not come so far.
            _ if found.contains("prevents") || found.contains("client auth") => {
                if let Some(name) = of_old_versions(id) {
                    said.set(name, "not asked");
                }
            }
            // What TLS 1.3 does not have it does not ask for.
            "secure_renego" | "secure_client_renego" | "CRIME_TLS" | "fallback_SCSV" if found.contains("TLS 1.3") => {
                said.verdicts.extend(of_old_versions(id).map(|name| (name.to_owned(), "not asked".to_owned())));
            }
            "secure_renego" => said.yes("secure_renegotiation", found.starts_with("supported")),
            "secure_client_renego" => said.yes("client renegotiation", !found.starts_with("not vulnerable")),
            "CRIME_TLS" => said.yes("compression", !found.starts_with("not vulnerable")),
            // Where its connection failed it has no verdict.
            "sessionresumption_ticket" | "sessionresumption_ID" | "fallback_SCSV" if found.contains("failed") => {}
            "fallback_SCSV" => said.set("fallback_scsv", if found == "supported" { "yes" } else { found }),
            "sessionresumption_ticket" => said.yes("ticket (TLS 1.2)", found.starts_with("supported")),
            "sessionresumption_ID" => said.yes("session ID (TLS 1.2)", found.starts_with("supported")),
            "cert_chain_of_trust" => said.yes("chain", said.of("chain") != Some("no") && found.starts_with("passed")),
            "cipher_order" if found.contains("TLS 1.3 client determined") => said.set("order", "several"),
            "cipher_order" => {
                let found = found.trim_end_matches(" (TLS 1.3)");
                said.set("order", if found.to_lowercase().starts_with("not") { "client" } else { found });
            }
            "clientAuth" => said.set("client certificate", found),
            _ => {}
        }
        if let Some((_, name)) = ATTACKS.iter().find(|(theirs, _)| *theirs == id)
            && !found.starts_with("not applicable")
        {
            said.set(
                *name,
                if found.starts_with("not vulnerable") || found.starts_with("no ") { "safe" } else { "vulnerable" },
            );
        }
        if id.starts_with("cipher_x") {
            said.yes(format!("any {}", found.rsplit(' ').next().unwrap_or_default()), true);
        }
    }
    said
}
