//! A server, looked at from outside: what it speaks, chooses, shows and bears. Raw hellos ask for what Clasp itself does not speak;
//! what is encrypted is seen by a client of Clasp's.

mod answer;
mod attacks;
pub(crate) mod baseline;
mod chain;
mod choices;
mod dial;
mod hello;
pub(crate) mod html;
mod judge;
mod prime;
mod proof;
mod quic;
mod renegotiation;
pub(crate) mod report;
mod robot;
pub(crate) mod starttls;
mod suites;
mod talk;
pub(crate) mod text;
mod tolerance;

use answer::Until;
use chain::Shown;
use clasp::code::ProtocolVersion;
use clasp::{Roots, ServerName};
use dial::{Dial, Reply};
use hello::Hello;
use proof::Attempt;
use report::{Groups, Report, Resumed, Version};
use starttls::StartTls;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use talk::Talk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Whom to look at, and how gently.
#[derive(Clone)]
pub(crate) struct Subject {
    /// As it was given.
    pub(crate) target: String,
    pub(crate) name: ServerName<'static>,
    /// The first is looked at; at the others sessions are tried.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) starttls: Option<StartTls>,
    /// For each step.
    pub(crate) limit: Duration,
    /// Connections at once.
    pub(crate) at_once: usize,
    pub(crate) roots: Arc<Roots>,
}

/// What is being done, for who waits.
pub(crate) type Progress<'p> = &'p (dyn Fn(&'static str) + Send + Sync);

/// Looks at it.
pub(crate) async fn scan(subject: &Subject, progress: Progress<'_>) -> Report {
    let since = Instant::now();
    let mut report = Report { target: subject.target.clone(), ..Report::default() };
    let Some((address, others)) = subject.addresses.split_first() else {
        report.failed = Some("the name has no address".into());
        return report;
    };
    let server_name = match &subject.name {
        ServerName::DnsName(name) => Some(name.as_ref().to_owned()),
        _ => None,
    };
    report.address = address.to_string();
    report.server_name.clone_from(&server_name);
    report.starttls = subject.starttls.map(|protocol| format!("{protocol:?}").to_lowercase());
    let dial = Arc::new(Dial {
        server_name,
        starttls: subject.starttls,
        ..Dial::new(*address, subject.limit, subject.at_once)
    });
    if let Err(error) = dial.open().await {
        let timed_out = error.kind() == std::io::ErrorKind::TimedOut;
        report.failed = Some(if timed_out { "no answer within the time limit".into() } else { error.to_string() });
        return report;
    }
    look(&dial, subject, others, &mut report, progress).await;
    judge::judge(&mut report);
    report.seconds = (since.elapsed().as_secs_f64() * 100.0).round() / 100.0;
    report.connections = dial.connections.load(Relaxed);
    report
}

async fn look(dial: &Arc<Dial>, subject: &Subject, others: &[SocketAddr], report: &mut Report, progress: Progress<'_>) {
    progress("versions and suites");
    let (ssl2, choices) = tokio::join!(ssl2(dial), choices::all(dial));
    for choices in choices {
        report.versions.push(choices.version);
        report.suites.push(choices.suites);
    }
    report.versions.push(ssl2);
    report.suites.retain(|suites| !suites.suites.is_empty());
    if report.versions.iter().all(|version| !version.spoken) {
        let said = report.versions.iter().find_map(|version| version.words.clone());
        report.failed = Some(format!("speaks no version of TLS: {}", said.unwrap_or_default()));
        return;
    }
    let suites13 = report.suites_of("TLS 1.3");
    let best_old = best_before_tls13(report);
    progress("groups and signature schemes");
    keys(dial, report, &suites13, best_old.as_ref()).await;
    progress("chains, sessions and protocols");
    talks(dial, subject, others, report, best_old.as_ref()).await;
    progress("hellos of other forms");
    let old12 = report.suites_of("TLS 1.2");
    if report.speaks("TLS 1.3") || report.speaks("TLS 1.2") {
        report.hello = tolerance::tried(dial, report.speaks("TLS 1.3"), &old12).await;
    }
    progress("known attacks");
    let old = best_old.as_ref().map(|(version, _, suites)| (*version, &suites[..]));
    let attacks = attacks::all(dial, report, old).await;
    report.attacks.extend(attacks);
    progress("QUIC");
    if subject.starttls.is_none() {
        report.quic = quic::versions(dial.address, subject.limit.min(Duration::from_secs(1))).await;
    }
}

/// Number, name and suites of the best version before TLS 1.3.
type Old = (u16, &'static str, Vec<u16>);

fn best_before_tls13(report: &Report) -> Option<Old> {
    [(hello::TLS12, "TLS 1.2"), (0x0302, "TLS 1.1"), (hello::TLS10, "TLS 1.0"), (hello::SSL3, "SSL 3.0")]
        .into_iter()
        .find(|(_, name)| report.speaks(name))
        .map(|(version, name)| (version, name, report.suites_of(name)))
}

async fn keys(dial: &Arc<Dial>, report: &mut Report, suites13: &[u16], old: Option<&Old>) {
    let tls13 = async {
        if suites13.is_empty() {
            return None;
        }
        let groups = choices::groups13(dial, suites13).await;
        let schemes = choices::schemes13(dial, suites13, &groups).await;
        Some((groups, schemes))
    };
    let before = async {
        let (version, name, suites) = old?;
        let groups = choices::groups12(dial, *version, name, suites).await;
        let tls12 = *version == hello::TLS12;
        let schemes = if tls12 { Some(choices::schemes12(dial, suites).await) } else { None };
        let dh = choices::diffie_hellman(dial, *version, suites).await;
        let mut extensions = tolerance::extensions(dial, *version, suites).await;
        extensions.ecdhe_reused = choices::ecdhe_reused(dial, *version, suites).await;
        Some((groups, schemes, dh, extensions))
    };
    let (tls13, before) = tokio::join!(tls13, before);
    let keep = |groups: Groups| Some(groups).filter(|groups| !groups.groups.is_empty());
    if let Some((groups, schemes)) = tls13 {
        report.groups.extend(keep(groups));
        report.schemes.push(schemes);
    }
    if let Some((groups, schemes, dh, extensions)) = before {
        report.groups.extend(keep(groups));
        report.schemes.extend(schemes);
        report.diffie_hellman = dh;
        report.extensions = extensions;
    }
    // A fallback is one where there is something better: below the best.
    let best = report.versions.iter().position(|version| version.spoken);
    let below = [hello::TLS12, 0x0302, hello::TLS10, hello::SSL3].into_iter();
    if let Some((version, suites)) = best.and_then(|best| {
        below.skip(best).find_map(|version| {
            let name = ProtocolVersion(version).name();
            let suites = report.suites_of(name);
            (report.speaks(name) && !suites.is_empty()).then_some((version, suites))
        })
    }) {
        report.extensions.fallback_scsv = choices_fallback(dial, version, &suites, best).await;
    }
}

/// It counts below the server's best version alone.
async fn choices_fallback(dial: &Dial, version: u16, suites: &[u16], best: Option<usize>) -> Option<bool> {
    let of_best = [hello::TLS13, hello::TLS12, 0x0302, hello::TLS10, hello::SSL3];
    if best.and_then(|best| of_best.get(best)) == Some(&version) {
        return None;
    }
    tolerance::fallback(dial, version, suites).await
}

/// SSL 2.0 is asked for in its own words.
async fn ssl2(dial: &Dial) -> Version {
    let mut version = Version { name: "SSL 2.0", spoken: false, words: None };
    let Ok(mut open) = dial.open().await else { return version };
    let mut answer = [0; 5];
    let heard = async {
        open.tcp.write_all(&hello::ssl2()).await?;
        open.tcp.read_exact(&mut answer).await
    };
    let heard = tokio::time::timeout(dial.limit, heard).await;
    // A SERVER-HELLO: two bytes of length with the highest bit, and its type, 4.
    version.spoken = matches!(heard, Ok(Ok(_))) && answer[0] & 0x80 != 0 && answer[2] == 4;
    if !version.spoken {
        version.words = Some("no SERVER-HELLO".into());
    }
    version
}

async fn talks(dial: &Arc<Dial>, subject: &Subject, others: &[SocketAddr], report: &mut Report, old: Option<&Old>) {
    let talk = Talk { dial, name: subject.name.clone() };
    let plain = subject.starttls.is_none();
    let versions: Vec<ProtocolVersion> = [ProtocolVersion::Tls13, ProtocolVersion::Tls12]
        .into_iter()
        .filter(|version| report.speaks(version.name()))
        .collect();
    let (policies, attempts) = tokio::join!(talk.policies(), proof::attempts(&talk, &versions));
    // By itself: a server that serves one after the other must not have others wait for its answer.
    let stalls = |version: &ProtocolVersion| proof::stalls(&attempts, *version);
    let is_over = !versions.is_empty() && versions.iter().all(stalls);
    let answer = if is_over { (None, None) } else { talk.request(plain).await };
    report.policies = policies;
    report.handshakes = proof::handshakes(&attempts, &versions);
    (report.http, report.client_certificate) = answer;
    chains(dial, subject, report, &attempts, old).await;
    if plain && !is_over {
        report.alpn = talk.alpn(&["h2", "http/1.1", "http/1.0"]).await;
    }
    let mut ticket = None;
    let ways = [(ProtocolVersion::Tls13, true), (ProtocolVersion::Tls12, true), (ProtocolVersion::Tls12, false)];
    for (version, tickets) in ways {
        if stalls(&version) {
            let words = Some("no handshake came to its end within the time limit".into());
            report.resumption.push(Resumed { words, ..talk::untried(version, tickets) });
        } else if report.speaks(version.name()) {
            let (resumed, given) = talk.resumption(version, tickets, others).await;
            report.resumption.push(resumed);
            ticket = ticket.or(given.filter(|_| version == ProtocolVersion::Tls12));
        }
    }
    if report.speaks("TLS 1.2") {
        report.attacks.push(talk.ticketbleed(ticket, &report.suites_of("TLS 1.2")).await);
    }
    report.renegotiation = match old {
        Some(_) if stalls(&ProtocolVersion::Tls12) => Some(renegotiation::not_asked("no handshake came to its end")),
        Some((hello::TLS12, ..)) => Some(renegotiation::ask(&talk).await),
        Some((_, name, _)) => Some(renegotiation::not_asked(&format!("Clasp has no keys of {name} to ask it under"))),
        None => None,
    };
}

/// The chains that were shown, by whoever has proven to have their keys or not.
async fn chains(dial: &Dial, subject: &Subject, report: &mut Report, attempts: &[Attempt], old: Option<&Old>) {
    let judge = |key: &str, shown: &Shown| chain::judged(shown, key, &subject.roots, &subject.name);
    for attempt in proof::chains(attempts) {
        let mut chain = judge(attempt.kind, &attempt.shown);
        if !attempt.is_proven {
            chain::unproven(&mut chain, &attempt.words);
        }
        report.chains.push(chain);
    }
    // Who has let us wait already is not asked again.
    let waits = attempts.iter().any(|attempt| attempt.is_silent);
    let is_known = !report.chains.is_empty() && (waits || report.client_certificate.is_some());
    if !is_known
        && let Some((version, _, suites)) = old
        && let Some((shown, asks)) = raw_chain(dial, *version, suites).await
    {
        if report.chains.is_empty() {
            let mut chain = shown.map(|shown| judge("", &shown));
            // Of versions that are too old for Clasp nobody asks for a proof: they are refused by themselves.
            if let (Some(chain), Some(failed)) = (&mut chain, report.handshakes.first()) {
                chain::unproven(chain, &failed.words);
            }
            report.chains.extend(chain);
        }
        let asked = if asks { "asked for" } else { "not asked for" };
        report.client_certificate = report.client_certificate.or(Some(asked));
    }
}

/// Of a server with whom no handshake came to its end: what it shows in the clear, and whether it asks for a certificate.
async fn raw_chain(dial: &Dial, version: u16, suites: &[u16]) -> Option<(Option<Shown>, bool)> {
    let mut hello = Hello::old(version, suites.to_vec(), dial.server_name.as_deref());
    hello.more.push((clasp::code::ExtensionType::StatusRequest.0, vec![1, 0, 0, 0, 0]));
    let Reply::Said(flight) = dial.ask(&hello, Until::Done).await else { return None };
    let staple = flight.staple;
    let asks = flight.asks_for_certificate;
    let chain = flight.certificates.into_iter().map(Into::into).collect();
    let shown = Shown { chain, staple, timestamps: 0 };
    flight.done.then_some((Some(shown).filter(|shown| !shown.chain.is_empty()), asks))
}
