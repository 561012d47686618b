//! Known attacks, told by how the server behaves: nothing is taken from it, and nothing is changed in it. What is asked for
//! goes no further than what tells the one from the other.

use super::dial::{Dial, Next};
use super::hello::Hello;
use super::report::{Attack, DiffieHellman, Renegotiation, Report, Verdict};
use super::{robot, suites, tolerance};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn attack(name: &'static str, id: &'static str, verdict: Verdict, words: impl Into<String>) -> Attack {
    Attack { name, id, verdict, words: words.into() }
}

/// How long we wait for what a sound server does not send.
const SILENCE: Duration = Duration::from_millis(900);

/// All of them.
pub(crate) async fn all(dial: &Dial, report: &Report, old: Option<(u16, &[u16])>) -> Vec<Attack> {
    let mut attacks = by_choices(report);
    let none = |name, id| attack(name, id, Verdict::Safe, "speaks no version before TLS 1.3");
    match old {
        None => {
            for (name, id) in [HEARTBLEED, CCS, ROBOT] {
                attacks.push(none(name, id));
            }
        }
        Some((version, suites)) => {
            attacks.push(heartbleed(dial, version, suites, report.extensions.heartbeat).await);
            attacks.push(early_ccs(dial, version, suites).await);
            attacks.push(bleichenbacher(dial, version, suites).await);
        }
    }
    attacks
}

const HEARTBLEED: (&str, &str) = ("Heartbleed", "CVE-2014-0160");
const CCS: (&str, &str) = ("ChangeCipherSpec injection", "CVE-2014-0224");
const ROBOT: (&str, &str) = ("ROBOT (Bleichenbacher)", "CVE-2017-13099");

/// A HeartbeatRequest that says it has 64 bytes and has one: a sound server drops it (RFC 6520 4).
async fn heartbleed(dial: &Dial, version: u16, suites: &[u16], spoken: Option<bool>) -> Attack {
    let (name, id) = HEARTBLEED;
    if spoken == Some(false) {
        return attack(name, id, Verdict::Safe, "does not speak heartbeats");
    }
    let mut hello = Hello::old(version, suites.to_vec(), dial.server_name.as_deref());
    hello.more.push((tolerance::HEARTBEAT, vec![1]));
    let Some((mut open, _)) = dial.begin(&hello).await else {
        return attack(name, id, Verdict::Unknown, "the server did not get as far as that");
    };
    let mut record = vec![24];
    record.extend_from_slice(&version.to_be_bytes());
    let mut body = vec![1, 0, 64, 0x43];
    body.extend_from_slice(&[0; 16]);
    record.extend_from_slice(&[0, u8::try_from(body.len()).unwrap_or_default()]);
    record.extend_from_slice(&body);
    if open.tcp.write_all(&record).await.is_err() {
        return attack(name, id, Verdict::Safe, "the connection was closed");
    }
    match open.next(SILENCE).await {
        Next::Record(24, _) => {
            let words = "answers a heartbeat that is longer than what came: it gives its memory away, keys included";
            attack(name, id, Verdict::Vulnerable, words)
        }
        Next::Record(..) | Next::End => attack(name, id, Verdict::Safe, "refuses a heartbeat in a handshake"),
        Next::Nothing => attack(name, id, Verdict::Safe, "drops a heartbeat that is too long"),
    }
}

/// A ChangeCipherSpec before the keys are agreed: a sound server refuses it at once.
async fn early_ccs(dial: &Dial, version: u16, suites: &[u16]) -> Attack {
    let (name, id) = CCS;
    let hello = Hello::old(version, suites.to_vec(), dial.server_name.as_deref());
    let Some((mut open, _)) = dial.begin(&hello).await else {
        return attack(name, id, Verdict::Unknown, "the server did not get as far as that");
    };
    let [high, low] = version.to_be_bytes();
    let ccs = [20, high, low, 0, 1, 1];
    let sent = open.tcp.write_all(&ccs).await;
    let first = if sent.is_ok() { open.next(SILENCE).await } else { Next::End };
    match first {
        Next::Record(..) | Next::End => {
            return attack(name, id, Verdict::Safe, "refuses a ChangeCipherSpec that comes early");
        }
        Next::Nothing => {}
    }
    // It said nothing. One that has taken keys made of nothing cannot decipher what comes next, and says so.
    let sent = open.tcp.write_all(&ccs).await;
    match if sent.is_ok() { open.next(SILENCE).await } else { Next::End } {
        Next::Record(21, Some(20 | 21)) => {
            let words = "takes a ChangeCipherSpec before keys are agreed: whoever is in the middle knows the keys";
            attack(name, id, Verdict::Vulnerable, words)
        }
        Next::Nothing => attack(name, id, Verdict::Unknown, "says nothing to a ChangeCipherSpec that comes early"),
        _ => attack(name, id, Verdict::Safe, "refuses a second ChangeCipherSpec"),
    }
}

async fn bleichenbacher(dial: &Dial, version: u16, suites: &[u16]) -> Attack {
    let (name, id) = ROBOT;
    let transport: Vec<u16> = suites::named(suites, "TLS_RSA_WITH");
    if transport.is_empty() {
        return attack(name, id, Verdict::Safe, "has no RSA key transport");
    }
    let (verdict, words) = robot::ask(dial, version, &transport).await;
    attack(name, id, verdict, words)
}

/// A second handshake that does not prove who had the first one. Who refuses each has none that somebody could speak before.
fn renegotiation(report: &Report) -> Attack {
    let (verdict, words) = match (report.extensions.secure_renegotiation, &report.renegotiation) {
        (Some(false), Some(Renegotiation { allowed: Some(true), .. })) => (
            Verdict::Vulnerable,
            "renegotiates without RFC 5746: what an attacker has said before counts as the client's",
        ),
        (Some(false), Some(Renegotiation { allowed: Some(false), .. })) => {
            (Verdict::Safe, "does not know RFC 5746, and refuses to renegotiate")
        }
        (Some(false), _) => (Verdict::Unknown, "does not know RFC 5746; whether it renegotiates could not be asked"),
        _ => (Verdict::Safe, "renegotiation is secure, or there is none"),
    };
    attack("insecure renegotiation", "CVE-2009-3555", verdict, words)
}

/// A group in which logarithms can be taken: a short one, or one whose modulus falls into factors.
fn logjam(export: &[String], dh: Option<&DiffieHellman>) -> Attack {
    let (verdict, words) = match dh {
        _ if !export.is_empty() => (Verdict::Vulnerable, format!("has {}", export.join(", "))),
        Some(dh) if dh.is_prime == Some(false) => {
            let words = format!(
                "its Diffie–Hellman modulus of {} bits is no prime: whoever knows its factors reads all that was agreed with it",
                dh.bits
            );
            (Verdict::Vulnerable, words)
        }
        Some(dh) if dh.bits <= 1024 => {
            (Verdict::Vulnerable, format!("Diffie–Hellman of {} bits, {}", dh.bits, dh.whose()))
        }
        Some(dh) if dh.is_prime.is_none() => (
            Verdict::Unknown,
            format!("whether its Diffie–Hellman modulus of {} bits is a prime was not looked at", dh.bits),
        ),
        _ => (Verdict::Safe, "has no weak Diffie–Hellman group".into()),
    };
    attack("Logjam", "CVE-2015-4000", verdict, words)
}

/// Those that follow from what the server chooses.
fn by_choices(report: &Report) -> Vec<Attack> {
    let old = report.old_suites();
    let ssl3 = report.suites_of("SSL 3.0");
    let told = |name, id, bad: bool, yes: String, no: &str| {
        if bad { attack(name, id, Verdict::Vulnerable, yes) } else { attack(name, id, Verdict::Safe, no) }
    };
    let some = |words: &[&str]| -> Vec<String> {
        let has = |name: &String| words.iter().any(|word| name.contains(word));
        old.iter().map(|code| suites::name(*code)).filter(has).collect()
    };
    let rsa_export = some(&["TLS_RSA_EXPORT"]);
    let dhe_export = some(&["TLS_DHE_RSA_EXPORT", "TLS_DHE_DSS_EXPORT", "TLS_DH_anon_EXPORT"]);
    let small = some(&["3DES", "IDEA", "_DES_", "DES40", "RC2"]);
    let rc4 = some(&["RC4"]);
    let poodle = !suites::named(&ssl3, "_CBC_").is_empty();
    let dh = report.diffie_hellman.as_ref();
    let first = |names: &[String]| match names {
        [] => String::new(),
        [one] => format!("has {one}"),
        [one, rest @ ..] => format!("has {one} and {} more", rest.len()),
    };
    vec![
        told("DROWN", "CVE-2016-0800", report.speaks("SSL 2.0"), "speaks SSL 2.0".into(), "does not speak SSL 2.0"),
        told("POODLE", "CVE-2014-3566", poodle, "speaks SSL 3.0 with CBC".into(), "has no CBC suite in SSL 3.0"),
        told("FREAK", "CVE-2015-0204", !rsa_export.is_empty(), first(&rsa_export), "has no RSA export suite"),
        logjam(&dhe_export, dh),
        told("SWEET32", "CVE-2016-2183", !small.is_empty(), first(&small), "has no suite with blocks of 64 bits"),
        told("RC4", "CVE-2013-2566", !rc4.is_empty(), first(&rc4), "has no RC4"),
        told(
            "CRIME",
            "CVE-2012-4929",
            report.extensions.compression == Some(true),
            "compresses what it encrypts".into(),
            "does not compress",
        ),
        told(
            "Raccoon",
            "CVE-2020-1968",
            dh.is_some_and(|dh| dh.reused),
            "its Diffie–Hellman value is the same twice".into(),
            "keeps no Diffie–Hellman key",
        ),
        renegotiation(report),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modulus_that_is_no_prime_is_weak_however_long_it_is() {
        let verdict = |bits, is_prime| {
            let dh = DiffieHellman { bits, prime: None, is_prime, safe_prime: None, reused: false };
            let attack = logjam(&[], Some(&dh));
            (attack.verdict, attack.words.contains("no prime"))
        };
        assert_eq!(verdict(2048, Some(true)), (Verdict::Safe, false));
        assert_eq!(verdict(1024, Some(true)), (Verdict::Vulnerable, false));
        assert_eq!(verdict(2048, Some(false)), (Verdict::Vulnerable, true));
        assert_eq!(verdict(1024, Some(false)), (Verdict::Vulnerable, true));
        assert_eq!(verdict(9000, None), (Verdict::Unknown, false));
        assert_eq!(logjam(&[], None).verdict, Verdict::Safe);
        assert_eq!(logjam(&["one".into()], None).verdict, Verdict::Vulnerable);
    }

    #[test]
    fn insecure_renegotiation_is_told_by_what_the_server_does() {
        let verdict = |secure, allowed: Option<bool>| {
            let mut report =
                Report { renegotiation: Some(Renegotiation { allowed, words: String::new() }), ..Report::default() };
            report.extensions.secure_renegotiation = secure;
            let attacks = by_choices(&report);
            attacks.into_iter().find(|attack| attack.id == "CVE-2009-3555").unwrap().verdict
        };
        assert_eq!(verdict(Some(true), Some(true)), Verdict::Safe);
        assert_eq!(verdict(Some(false), Some(true)), Verdict::Vulnerable);
        assert_eq!(verdict(Some(false), Some(false)), Verdict::Safe);
        assert_eq!(verdict(Some(false), None), Verdict::Unknown);
    }
}
