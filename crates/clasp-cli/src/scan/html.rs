//! Reports as one page that stands by itself: no script, no request to anywhere, dark where the system is.

use super::report::{Level, Order, Report, Verdict};
use crate::trace::svg::escape;
use std::fmt::Write;

const CSS: &str = include_str!("../../page/page.css");
/// What a report has besides.
const MORE: &str = "main{max-width:1100px}table{width:100%;margin:4px 0 14px}th,td{overflow-wrap:break-word}caption{text-align:left;font-weight:600;padding:10px 0 4px}\
.level{display:inline-block;min-width:5.5em;font-weight:600}.findings{list-style:none;padding:0;margin:8px 0}.findings li{padding:6px 0;border-top:1px solid var(--line)}";

/// The page.
pub(crate) fn page(reports: &[Report]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Clasp scan</title>\n<style>{CSS}{MORE}</style>\n</head>\n\
         <body>\n<header><h1>Clasp scan</h1></header>\n<main>\n"
    );
    for report in reports {
        one(report, &mut out);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn put(out: &mut String, text: impl AsRef<str>) {
    out.push_str(text.as_ref());
    out.push('\n');
}

fn one(report: &Report, out: &mut String) {
    put(out, format!("<section class=\"trace\"><h2>{}</h2>", escape(&report.target)));
    let grade = report.grade.map_or_else(String::new, |grade| format!("grade {grade} · "));
    let via = report.starttls.as_ref().map_or_else(String::new, |by| format!("by STARTTLS in {by} · "));
    let class = if report.grade == Some('A') { "good" } else { "bad" };
    let cost = format!("{via}{} · {} connections, {} s", report.address, report.connections, report.seconds);
    put(out, format!("<p><span class=\"{class}\">{grade}</span>{}</p>", escape(&cost)));
    if let Some(why) = &report.failed {
        return put(out, format!("<p class=\"bad\">{}</p></section>", escape(why)));
    }
    findings(report, out);
    spoken(report, out);
    chains(report, out);
    conduct(report, out);
    put(out, "</section>");
}

fn findings(report: &Report, out: &mut String) {
    if report.findings.is_empty() {
        return put(out, "<p class=\"good\">nothing to change</p>");
    }
    put(out, "<ul class=\"findings\">");
    for finding in &report.findings {
        let class = if finding.level == Level::Bad { "level bad" } else { "level" };
        let repair = match &*finding.repair {
            "" => String::new(),
            repair => format!("<br><span class=\"soft\">{}</span>", escape(repair)),
        };
        let (level, what) = (finding.level.name(), escape(&finding.what));
        put(out, format!("<li><span class=\"{class}\">{level}</span> {what}{repair}</li>"));
    }
    put(out, "</ul>");
}

/// A table, if there is something to stand in it. Whatever stands there is text.
fn table<const N: usize>(out: &mut String, caption: &str, heads: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    // Where a word is longer than a narrow window, the table scrolls: a keyboard has to come to it.
    let (name, group) = (escape(caption), "class=\"scroll\" role=\"group\" tabindex=\"0\"");
    let _infallible = write!(out, "<div {group} aria-label=\"{name}\"><table><caption>{name}</caption><thead><tr>");
    heads.iter().for_each(|head| {
        let _infallible = write!(out, "<th scope=\"col\">{head}</th>");
    });
    put(out, "</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        row.iter().for_each(|cell| {
            // The names of suites and schemes are long, and may break.
            let _infallible = write!(out, "<td>{}</td>", escape(cell).replace('_', "_<wbr>"));
        });
        put(out, "</tr>");
    }
    put(out, "</tbody></table></div>");
}

const fn order(order: Order) -> &'static str {
    match order {
        Order::Server => ", in the server's order",
        Order::Client => ", in the client's order",
        Order::Unknown => "",
    }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.into()
}

fn spoken(report: &Report, out: &mut String) {
    let versions = report.versions.iter().map(|v| [v.name.into(), yes(v.spoken), v.words.clone().unwrap_or_default()]);
    table(out, "Versions", ["version", "spoken", "what the server said"], versions);
    for suites in &report.suites {
        let rows = suites
            .suites
            .iter()
            .map(|suite| [suite.name.clone(), suite.strength.name().into(), yes(suite.forward_secrecy)]);
        let caption = format!("Cipher suites of {}{}", suites.version, order(suites.order));
        table(out, &caption, ["suite", "strength", "forward secrecy"], rows);
    }
    for groups in &report.groups {
        let rows = groups.groups.iter().map(|group| [group.name.clone(), yes(group.post_quantum)]);
        let caption = format!("Groups of {}{}", groups.version, order(groups.order));
        table(out, &caption, ["group", "post-quantum"], rows);
    }
    let schemes = report.schemes.iter().filter(|s| !s.schemes.is_empty());
    let schemes = schemes.map(|s| [s.version.into(), s.schemes.join(", ")]);
    table(out, "Signature schemes", ["version", "schemes"], schemes);
    let e = &report.extensions;
    let flags = [
        ("secure renegotiation", e.secure_renegotiation),
        ("extended master secret", e.extended_master_secret),
        ("encrypt-then-MAC", e.encrypt_then_mac),
        ("TLS_FALLBACK_SCSV", e.fallback_scsv),
    ];
    let flags = flags.into_iter().filter_map(|(name, has)| Some([name.into(), yes(has?)]));
    table(out, "Before TLS 1.3", ["what", "there"], flags);
}

fn chains(report: &Report, out: &mut String) {
    let rows = report.chains.iter().map(|chain| {
        let verdict = match &chain.reason {
            _ if chain.accepted => "accepted".into(),
            reason => format!("refused: {}", reason.as_deref().unwrap_or_default()),
        };
        let staple = chain.staple_words();
        let about = format!("{}, {}, {} days left, {staple}", chain.key, chain.signature, chain.days_left);
        [verdict, about, chain.path.join("; "), chain.names.join(", ")]
    });
    table(out, "Certificate chains", ["verdict", "key", "path", "names"], rows);
}

fn conduct(report: &Report, out: &mut String) {
    let resumption = report.resumption.iter().map(|resumed| {
        let works = resumed.works.map_or_else(|| "not tried".into(), yes);
        let lifetime = resumed.lifetime.map_or_else(String::new, |seconds| format!("{seconds} s"));
        let early = resumed.early_data.map_or_else(String::new, |most| format!("{most} bytes"));
        [resumed.by.into(), works, lifetime, early, resumed.words.clone().unwrap_or_default()]
    });
    table(out, "Resumption", ["by", "works", "lifetime", "early data", "words"], resumption);
    let mut rest: Vec<[String; 2]> = Vec::new();
    if !report.alpn.is_empty() {
        rest.push(["protocols".into(), report.alpn.join(", ")]);
    }
    rest.extend(report.quic.iter().map(|versions| ["QUIC".into(), versions.join(", ")]));
    if let Some(http) = &report.http {
        let hsts = http.strict_transport_security.as_deref().unwrap_or("none");
        rest.push(["HTTP".into(), format!("{}, Strict-Transport-Security: {hsts}", http.status)]);
    }
    rest.extend(
        report.renegotiation.iter().map(|r| ["renegotiation by clients".into(), format!("{}: {}", r.name(), r.words)]),
    );
    rest.extend(report.client_certificate.map(|asked| ["client certificate".into(), asked.into()]));
    if let Some(dh) = &report.diffie_hellman {
        let reused = if dh.reused { ", the same value twice" } else { "" };
        let prime = dh.whose();
        rest.push(["Diffie-Hellman".into(), format!("{} bits, {prime}{reused}", dh.bits)]);
    }
    table(out, "Conduct", ["what", "seen"], rest.into_iter());
    let hello = report.hello.iter().map(|tried| [tried.name.into(), yes(tried.good), tried.words.clone()]);
    table(out, "Hellos that are right", ["hello", "borne", "seen"], hello);
    let attacks = report.attacks.iter().map(|attack| {
        let verdict = match attack.verdict {
            Verdict::Safe => "safe",
            Verdict::Vulnerable => "vulnerable",
            Verdict::Unknown => "not known",
        };
        [attack.name.into(), attack.id.into(), verdict.into(), attack.words.clone()]
    });
    table(out, "Known attacks", ["attack", "report", "verdict", "why"], attacks);
    let policies = report.policies.iter().map(|p| [p.policy.into(), yes(p.connects), p.words.clone()]);
    table(out, "Policies of Clasp", ["policy", "connects", "words"], policies);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_server_says_is_markup() {
        let hostile = "<script>alert(1)</script>";
        let report = Report { target: hostile.into(), alpn: vec![hostile.into()], ..Report::default() };
        let page = page(&[report]);
        assert!(!page.contains("<script") && page.matches("&lt;script&gt;").count() == 2, "{page}");
    }
}
