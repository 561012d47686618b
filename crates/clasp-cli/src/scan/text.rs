//! A report for people: what is to be done first, then all that was seen.

use super::report::{Level, Order, Report, Verdict};
use crate::terminal::{Style, on_stdout};

/// As lines.
pub(crate) fn text(report: &Report, all: bool) -> String {
    let mut lines = vec![head(report)];
    if let Some(why) = &report.failed {
        lines.push(format!("  {}", on_stdout(Style::Bad, why)));
        return lines.join("\n");
    }
    findings(report, &mut lines);
    lines.push(String::new());
    spoken(report, all, &mut lines);
    chains(report, &mut lines);
    conduct(report, &mut lines);
    lines.join("\n")
}

fn head(report: &Report) -> String {
    let grade = report.grade.map_or_else(String::new, |grade| {
        let style = if grade == 'A' { Style::Good } else { Style::Bad };
        format!("   grade {}", on_stdout(style, &grade.to_string()))
    });
    let via = report.starttls.as_ref().map_or_else(String::new, |protocol| format!(" by STARTTLS in {protocol}"));
    let name = on_stdout(Style::Bold, &report.target);
    let cost = if report.connections > 0 {
        format!("   {} connections, {} s", report.connections, report.seconds)
    } else {
        String::new()
    };
    format!("{name} at {}{via}{grade}{cost}", report.address)
}

fn findings(report: &Report, lines: &mut Vec<String>) {
    if report.findings.is_empty() {
        lines.push("  nothing to change".into());
    }
    for finding in &report.findings {
        let style = if finding.level == Level::Bad { Style::Bad } else { Style::Bold };
        lines.push(format!("  {} {}", on_stdout(style, &format!("{:<8}", finding.level.name())), finding.what));
        if !finding.repair.is_empty() {
            lines.push(format!("           {}", finding.repair));
        }
    }
}

fn row(lines: &mut Vec<String>, name: &str, value: impl AsRef<str>) {
    lines.push(format!("  {name:<11} {}", value.as_ref()));
}

fn order(order: Order) -> &'static str {
    match order {
        Order::Server => " (the server's order)",
        Order::Client => " (the client's order)",
        Order::Unknown => "",
    }
}

fn spoken(report: &Report, all: bool, lines: &mut Vec<String>) {
    let spoken: Vec<&str> = report.versions.iter().filter(|v| v.spoken).map(|v| v.name).collect();
    row(lines, "versions", spoken.join(", "));
    for suites in &report.suites {
        row(lines, suites.version, format!("{} suites{}", suites.suites.len(), order(suites.order)));
        for suite in &suites.suites {
            let secrecy = if suite.forward_secrecy { "" } else { ", no forward secrecy" };
            lines.push(format!("              {:<6} {}{secrecy}", suite.strength.name(), suite.name));
        }
    }
    for groups in &report.groups {
        let names: Vec<&str> = groups.groups.iter().map(|group| group.name.as_str()).collect();
        row(lines, "groups", format!("{}: {}{}", groups.version, names.join(", "), order(groups.order)));
    }
    if let Some(dh) = &report.diffie_hellman {
        let prime = dh.whose();
        row(
            lines,
            "DHE",
            format!("{} bits, {prime}{}", dh.bits, if dh.reused { ", the same value twice" } else { "" }),
        );
    }
    for schemes in report.schemes.iter().filter(|schemes| !schemes.schemes.is_empty()) {
        row(lines, "signatures", format!("{}: {}", schemes.version, schemes.schemes.join(", ")));
    }
    for version in report.versions.iter().filter(|version| all && !version.spoken) {
        row(lines, version.name, version.words.as_deref().unwrap_or_default());
    }
    let extensions = &report.extensions;
    let known = [
        ("secure renegotiation", extensions.secure_renegotiation),
        ("extended master secret", extensions.extended_master_secret),
        ("encrypt-then-MAC", extensions.encrypt_then_mac),
        ("TLS_FALLBACK_SCSV", extensions.fallback_scsv),
    ];
    let said: Vec<String> = known
        .iter()
        .filter_map(|(name, has)| has.map(|has| format!("{}{name}", if has { "" } else { "no " })))
        .collect();
    if !said.is_empty() {
        row(lines, "before 1.3", said.join(", "));
    }
    if let Some(asked) = &report.renegotiation {
        row(lines, "renegotiates", format!("{}: {}", asked.name(), asked.words));
    }
}

fn chains(report: &Report, lines: &mut Vec<String>) {
    for chain in &report.chains {
        let verdict =
            if chain.accepted { on_stdout(Style::Good, "accepted") } else { on_stdout(Style::Bad, "refused") };
        // Of what cannot be read no more is known than what was asked for.
        let what = match &chain.signature[..] {
            "" => chain.key.clone(),
            signature => format!("{}, {signature}, {} days left", chain.key, chain.days_left),
        };
        row(lines, "chain", format!("{verdict}: {what}"));
        lines.extend(chain.path.iter().map(|step| format!("              {step}")));
        if !chain.names.is_empty() {
            lines.push(format!("              for {}", chain.names.join(", ")));
        }
        let staple = chain.staple_words();
        lines.push(format!("              {staple}, {} certificate timestamps", chain.timestamps));
    }
}

fn conduct(report: &Report, lines: &mut Vec<String>) {
    for resumed in &report.resumption {
        let mut words = vec![match resumed.works {
            Some(true) => "works".to_owned(),
            Some(false) => "does not work".to_owned(),
            None => "not tried".to_owned(),
        }];
        words.extend(resumed.lifetime.map(|seconds| format!("for {seconds} s")));
        words.extend(resumed.tickets.map(|count| format!("{count} tickets")));
        words.extend(resumed.early_data.map(|most| format!("{most} bytes of early data")));
        words.extend(resumed.words.clone());
        row(lines, "resumption", format!("by {}: {}", resumed.by, words.join(", ")));
    }
    if !report.alpn.is_empty() {
        row(lines, "protocols", report.alpn.join(", "));
    }
    if let Some(versions) = &report.quic {
        row(lines, "QUIC", format!("versions {}", versions.join(", ")));
    }
    if let Some(http) = &report.http {
        let hsts = http.strict_transport_security.as_deref().unwrap_or("none");
        row(lines, "HTTP", format!("{}, Strict-Transport-Security: {hsts}", http.status));
    }
    if let Some(asked) = report.client_certificate {
        row(lines, "client cert", asked);
    }
    for tried in &report.hello {
        row(lines, if tried.good { "bears" } else { "breaks at" }, format!("{}: {}", tried.name, tried.words));
    }
    for attack in &report.attacks {
        let verdict = match attack.verdict {
            Verdict::Safe => on_stdout(Style::Good, "safe"),
            Verdict::Vulnerable => on_stdout(Style::Bad, "vulnerable"),
            Verdict::Unknown => "not known".into(),
        };
        row(lines, "attack", format!("{} ({}): {verdict}, {}", attack.name, attack.id, attack.words));
    }
    for policy in &report.policies {
        let verdict = if policy.connects { "connects" } else { "does not connect" };
        row(lines, "policy", format!("{} {verdict}: {}", policy.policy, policy.words));
    }
}
