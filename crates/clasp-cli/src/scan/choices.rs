//! What a server chooses of what it is offered: versions, suites, groups, signature schemes, each by asking until it refuses.

use super::answer::Until;
use super::dial::{Dial, Reply};
use super::hello::{self, Hello, SCHEMES, TLS12, TLS13};
use super::prime::{self, Modulus};
use super::report::{self, DiffieHellman, Groups, Order, Schemes, Suites, Version};
use super::suites;
use std::sync::Arc;

/// Servers that read no hello of hundreds of suites are met; few have trouble with so many.
const PORTION: usize = 110;

const VERSIONS: [(u16, &str); 4] =
    [(TLS12, "TLS 1.2"), (0x0302, "TLS 1.1"), (hello::TLS10, "TLS 1.0"), (hello::SSL3, "SSL 3.0")];

fn name(dial: &Dial) -> Option<&str> {
    dial.server_name.as_deref()
}

/// Everything of one version.
pub(crate) struct Choices {
    pub(crate) version: Version,
    pub(crate) suites: Suites,
}

/// All versions, each with its suites, at the same time.
pub(crate) async fn all(dial: &Arc<Dial>) -> Vec<Choices> {
    let mut asked = vec![tokio::spawn({
        let dial = Arc::clone(dial);
        async move { tls13(&dial).await }
    })];
    for (version, label) in VERSIONS {
        let dial = Arc::clone(dial);
        asked.push(tokio::spawn(async move { before_tls13(&dial, version, label).await }));
    }
    let mut all = Vec::new();
    for task in asked {
        if let Ok(choices) = task.await {
            all.push(choices);
        }
    }
    all
}

async fn tls13(dial: &Dial) -> Choices {
    let (found, first) = until_refused(dial, &suites::TLS13, |rest| with_share(dial, rest)).await;
    let spoken = !found.is_empty();
    let order = order(dial, &found, |rest| with_share(dial, rest)).await;
    let found = listed(found, order);
    Choices {
        version: Version { name: "TLS 1.3", spoken, words: (!spoken).then(|| first.words()) },
        suites: Suites { version: "TLS 1.3", order, suites: found.into_iter().map(report::suite).collect() },
    }
}

/// A hello of TLS 1.3 as most clients send it: servers that name no group of their own accord are met.
pub(crate) fn with_share(dial: &Dial, suites: &[u16]) -> Hello {
    let mut hello = Hello::tls13(suites.to_vec(), name(dial));
    hello.shares = [29, 23].into_iter().filter_map(|group| Some((group, hello::base_point(group)?))).collect();
    hello
}

async fn before_tls13(dial: &Dial, version: u16, label: &'static str) -> Choices {
    let offer = |rest: &[u16]| Hello::old(version, rest.to_vec(), name(dial));
    let (mut found, mut first, mut portions) = (Vec::new(), None, 0);
    for portion in suites::before_tls13().chunks(PORTION) {
        let (some, reply) = until_refused(dial, portion, offer).await;
        portions += usize::from(!some.is_empty());
        found.extend(some);
        let better = first.as_ref().is_none_or(|reply: &Reply| reply.hello().is_none());
        if better || matches!(reply, Reply::Unreachable(_)) {
            first = Some(reply);
        }
        // Who answers with another version speaks this one with no suite.
        if !first.as_ref().is_some_and(|reply| is_open(reply, version)) {
            break;
        }
    }
    if portions > 1 {
        // Whose order it is can be told of all together alone.
        let (again, _) = until_refused(dial, &found, offer).await;
        if again.len() == found.len() {
            found = again;
        }
    }
    let order = order(dial, &found, offer).await;
    let found = listed(found, order);
    let spoken = !found.is_empty();
    let first = first.unwrap_or(Reply::Silent);
    Choices {
        version: Version { name: label, spoken, words: (!spoken).then(|| words(&first)) },
        suites: Suites { version: label, order, suites: found.into_iter().map(report::suite).collect() },
    }
}

/// Whether other suites may have better luck: what the server refused may have been the suites alone.
fn is_open(reply: &Reply, version: u16) -> bool {
    match reply {
        Reply::Said(flight) => match (&flight.hello, flight.alert) {
            (Some(hello), _) => hello.version == version,
            (None, Some((_, alert))) => alert != clasp::AlertDescription::ProtocolVersion.0,
            (None, None) => false,
        },
        Reply::Closed => true,
        Reply::Silent | Reply::Unreachable(_) => false,
    }
}

fn words(reply: &Reply) -> String {
    match reply.hello() {
        Some(hello) => format!("the server answers with {}", clasp::ProtocolVersion(hello.version)),
        None => reply.words(),
    }
}

/// Offers suites, and those that are left without the one that was taken, until the server takes none. Gives the first answer too.
async fn until_refused(dial: &Dial, suites: &[u16], offer: impl Fn(&[u16]) -> Hello) -> (Vec<u16>, Reply) {
    let (mut rest, mut found, mut first) = (suites.to_vec(), Vec::new(), None);
    while !rest.is_empty() {
        let hello = offer(&rest);
        let wanted = if hello.versions.is_empty() { hello.version } else { TLS13 };
        let reply = dial.ask(&hello, Until::Hello).await;
        let taken = reply.hello().filter(|answer| answer.version == wanted).map(|answer| answer.suite);
        first.get_or_insert(reply);
        let Some(place) = taken.and_then(|suite| rest.iter().position(|code| *code == suite)) else { break };
        found.push(rest.remove(place));
    }
    (found, first.unwrap_or(Reply::Silent))
}

/// Where the client's order decides, that of our questions says nothing: the better ones first.
fn listed(mut found: Vec<u16>, order: Order) -> Vec<u16> {
    if order != Order::Server {
        found.sort_by_key(|code| std::cmp::Reverse(suites::strength(*code)));
    }
    found
}

/// Whose preference it was: the server's if the other way round brings the same.
async fn order(dial: &Dial, found: &[u16], offer: impl Fn(&[u16]) -> Hello) -> Order {
    let [first, .., last] = found else { return Order::Unknown };
    let mut turned = found.to_vec();
    turned.reverse();
    match dial.ask(&offer(&turned), Until::Hello).await.hello().map(|hello| hello.suite) {
        Some(suite) if suite == *first => Order::Server,
        Some(suite) if suite == *last => Order::Client,
        _ => Order::Unknown,
    }
}

/// The groups of TLS 1.3, by what the server asks for where it is given no share.
pub(crate) async fn groups13(dial: &Dial, suites: &[u16]) -> Groups {
    let offer = |groups: &[u16]| {
        let mut hello = Hello::tls13(suites.to_vec(), name(dial));
        hello.groups = groups.to_vec();
        hello
    };
    let (mut rest, mut found) = (Hello::tls13(Vec::new(), None).groups, Vec::new());
    while let Some(place) = asked_for(dial, &offer(&rest)).await.and_then(|group| rest.iter().position(|g| *g == group))
    {
        found.push(rest.remove(place));
    }
    let retries = Some(!found.is_empty());
    let order = match &found[..] {
        [first, .., last] => {
            let turned: Vec<u16> = found.iter().rev().copied().collect();
            match asked_for(dial, &offer(&turned)).await {
                Some(group) if group == *first => Order::Server,
                Some(group) if group == *last => Order::Client,
                _ => Order::Unknown,
            }
        }
        _ => Order::Unknown,
    };
    if found.is_empty() {
        found = one_by_one(dial, suites).await;
    }
    Groups { version: "TLS 1.3", order, groups: found.into_iter().map(report::group).collect(), retries }
}

async fn asked_for(dial: &Dial, hello: &Hello) -> Option<u16> {
    dial.ask(hello, Until::Hello).await.hello().filter(|answer| answer.retry)?.group()
}

/// A server that asks for nothing is given a share of each group that we have one of.
async fn one_by_one(dial: &Dial, suites: &[u16]) -> Vec<u16> {
    let mut found = Vec::new();
    for group in Hello::tls13(Vec::new(), None).groups {
        let Some(share) = hello::base_point(group) else { continue };
        let mut hello = Hello::tls13(suites.to_vec(), name(dial));
        hello.groups = vec![group];
        hello.shares = vec![(group, share)];
        if dial.ask(&hello, Until::Hello).await.hello().is_some_and(|answer| answer.version == TLS13) {
            found.push(group);
        }
    }
    found
}

/// The curves before TLS 1.3, by the ServerKeyExchange.
pub(crate) async fn groups12(dial: &Dial, version: u16, label: &'static str, suites: &[u16]) -> Groups {
    let ephemeral = suites::named(suites, "ECDHE_");
    let without_ecdsa: Vec<u16> = ephemeral.iter().copied().filter(|c| !suites::name(*c).contains("ECDSA")).collect();
    // An ECDSA key lies on a curve that has to be offered as well (RFC 8422 5.1): RSA's have no such wish.
    let suites = if without_ecdsa.is_empty() { ephemeral } else { without_ecdsa };
    let mut groups = Groups { version: label, ..Groups::default() };
    if suites.is_empty() {
        return groups;
    }
    let first = Hello::old(version, suites, name(dial));
    let (mut rest, mut found) = (first.groups.clone(), Vec::new());
    loop {
        let curve = match curve(dial, &Hello { groups: rest.clone(), ..first.clone() }).await {
            Some(curve) => Some(curve),
            None if found.is_empty() => None,
            // The key's own curve may be among those that are found.
            None => curve(dial, &Hello { groups: [&rest[..], &found].concat(), ..first.clone() }).await,
        };
        let Some(place) = curve.and_then(|curve| rest.iter().position(|group| *group == curve)) else { break };
        found.push(rest.remove(place));
    }
    if let [best, .., last] = found[..] {
        let turned = found.iter().rev().copied().collect();
        groups.order = match curve(dial, &Hello { groups: turned, ..first }).await {
            Some(group) if group == best => Order::Server,
            Some(group) if group == last => Order::Client,
            _ => Order::Unknown,
        };
    }
    groups.groups = found.into_iter().map(report::group).collect();
    groups
}

async fn curve(dial: &Dial, hello: &Hello) -> Option<u16> {
    dial.ask(hello, Until::Done).await.flight()?.key_exchange.as_ref()?.curve
}

/// The schemes that a server signs with, each offered alone.
pub(crate) async fn schemes12(dial: &Arc<Dial>, suites: &[u16]) -> Schemes {
    let signed: Vec<u16> = suites
        .iter()
        .copied()
        .filter(|code| suites::name(*code).contains("DHE_") && !suites::name(*code).contains("PSK"))
        .collect();
    let offers = if signed.is_empty() { Vec::new() } else { SCHEMES.to_vec() };
    let schemes = each(dial, offers, move |dial, scheme| {
        let hello = Hello { schemes: vec![scheme], ..Hello::old(TLS12, signed.clone(), name(dial)) };
        async move {
            let reply = dial.ask(&hello, Until::Done).await;
            reply.flight().and_then(|flight| flight.key_exchange.as_ref()?.scheme) == Some(scheme)
        }
    })
    .await;
    Schemes { version: "TLS 1.2", schemes }
}

/// In TLS 1.3 the signature is encrypted, but who cannot sign says so before its ServerHello.
pub(crate) async fn schemes13(dial: &Arc<Dial>, suites: &[u16], groups: &Groups) -> Schemes {
    let share = groups.groups.iter().find_map(|group| Some((group.code, hello::base_point(group.code)?)));
    let offers = if share.is_some() { SCHEMES.to_vec() } else { Vec::new() };
    let offers = offers.into_iter().filter(|code| clasp::SignatureScheme(*code).is_for_tls13() && *code >= 0x0403);
    let offers = offers.filter(|code| !matches!(code, 0x0502 | 0x0602)).collect();
    let suites = suites.to_vec();
    let schemes = each(dial, offers, move |dial, scheme| {
        let hello = Hello {
            schemes: vec![scheme],
            shares: share.clone().into_iter().collect(),
            ..Hello::tls13(suites.clone(), name(dial))
        };
        async move {
            let reply = dial.ask(&hello, Until::Hello).await;
            reply.hello().is_some_and(|answer| answer.version == TLS13 && !answer.retry)
        }
    })
    .await;
    Schemes { version: "TLS 1.3", schemes }
}

/// Asks of each, as many at once as there is room for.
async fn each<'d, F>(dial: &'d Dial, codes: Vec<u16>, ask: impl Fn(&'d Dial, u16) -> F) -> Vec<String>
where
    F: Future<Output = bool>,
{
    let mut waiting: Vec<_> = codes.iter().map(|code| Box::pin(ask(dial, *code))).collect();
    let mut answers = vec![None; codes.len()];
    std::future::poll_fn(|cx| {
        for (answer, future) in answers.iter_mut().zip(&mut waiting).filter(|(answer, _)| answer.is_none()) {
            if let std::task::Poll::Ready(yes) = future.as_mut().poll(cx) {
                *answer = Some(yes);
            }
        }
        if answers.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    codes.iter().zip(answers).filter(|(_, yes)| *yes == Some(true)).map(|(code, _)| report::scheme(*code)).collect()
}

/// The worst Diffie–Hellman group of a server, and whether it keeps its key.
pub(crate) async fn diffie_hellman(dial: &Dial, version: u16, suites: &[u16]) -> Option<DiffieHellman> {
    let of = |word: &str| -> Vec<u16> {
        let is_other = |code: &u16| ["ECDHE", "EXPORT"].iter().any(|other| suites::name(*code).contains(other));
        suites::named(suites, word).into_iter().filter(|code| !is_other(code)).collect()
    };
    let mut found: Option<DiffieHellman> = None;
    // A server may take a shorter group where there is no certificate whose strength it has to match.
    for suites in [of("DHE_"), of("DH_anon")].into_iter().filter(|suites| !suites.is_empty()) {
        let Some(one) = one_diffie_hellman(dial, version, suites).await else { continue };
        let reused = one.reused || found.as_ref().is_some_and(|other| other.reused);
        let worst = found.into_iter().chain([one]).min_by_key(|group| prime::rank(group.is_prime, group.bits));
        found = worst.map(|worst| DiffieHellman { reused, ..worst });
    }
    found
}

async fn one_diffie_hellman(dial: &Dial, version: u16, suites: Vec<u16>) -> Option<DiffieHellman> {
    let hello = Hello::old(version, suites, name(dial));
    let mut seen = Vec::new();
    for _twice in 0..2 {
        let reply = dial.ask(&Hello { random: hello::random(), ..hello.clone() }, Until::Done).await;
        seen.push(reply.flight().and_then(|flight| flight.key_exchange.clone())?);
    }
    let (first, second) = (seen.first()?, seen.get(1)?);
    let reused = first.public == second.public && !first.public.is_empty();
    let moduli = [first.prime.clone()?, second.prime.clone()?];
    // Away from where answers are waited for: it is work, and no waiting.
    tokio::task::spawn_blocking(move || looked_at(&moduli, reused)).await.ok()?
}

fn looked_at(moduli: &[Vec<u8>; 2], reused: bool) -> Option<DiffieHellman> {
    let [first, second] = moduli;
    let others = Some(second).filter(|second| *second != first);
    let looked = [first].into_iter().chain(others).map(|modulus| prime::look(modulus));
    let Modulus { bits, whose, is_prime, is_safe } =
        looked.min_by_key(|modulus| prime::rank(modulus.is_prime, modulus.bits))?;
    Some(DiffieHellman { bits, prime: whose, is_prime, safe_prime: is_safe, reused })
}

/// Whether the server's ECDHE value is the same twice.
pub(crate) async fn ecdhe_reused(dial: &Dial, version: u16, suites: &[u16]) -> Option<bool> {
    let ephemeral = suites::named(suites, "ECDHE_");
    if ephemeral.is_empty() {
        return None;
    }
    let mut values = Vec::new();
    for _twice in 0..2 {
        let reply = dial.ask(&Hello::old(version, ephemeral.clone(), name(dial)), Until::Done).await;
        values.push(reply.flight().and_then(|flight| Some(flight.key_exchange.as_ref()?.public.clone()))?);
    }
    Some(values.first() == values.get(1))
}
