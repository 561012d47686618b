//! The seeds: what Clasp itself says and makes.

use crate::tls::end::End;
use crate::tls::extension;
use crate::tls::link::records;
use crate::tls::scenario::{self, Crypto};
use crate::x509::made::{self, Key};
use crate::x509::{authority, leaf};
use clasp::ServerName;
use clasp::wire::code::ExtensionType;
use clasp::wire::message::{Checked, ClientHello, ServerHello};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Wrap, record};
use clasp_testkit::{KeyKind, provider};
use clasp_x509::{CertStatus, Certificate, UnsignedOcsp};
use std::collections::{BTreeMap, BTreeSet};

/// A target, a file's name, its content.
pub type Seed = (&'static str, String, Vec<u8>);

/// All of them.
///
/// # Panics
/// If a scenario does not work.
pub fn all() -> Vec<Seed> {
    let mut out = conversations();
    out.extend(scripts());
    out.extend(files());
    out.extend(lists());
    out.extend(quic());
    out
}

/// Every conversation over QUIC as it is, and with one thing done to a piece of it.
fn quic() -> Vec<Seed> {
    let mut out = Vec::new();
    for at in 0..crate::tls::quic::count() {
        let index = u8::try_from(at).expect("few conversations");
        // A version, parameters that are looked at, one each: initial_max_data. The server's may have a byte too many.
        let head = [index, index % 2, 1, 3, 4, 1, 20, 3, 4, 1, 30];
        assert!(crate::tls::quic::is_whole(&head), "conversation {at}");
        out.push(("quic", format!("honest-{at}"), head.to_vec()));
        let bent = [&head[..7], &[4, 4, 1, 30, 0]].concat();
        out.push(("quic", format!("bent-{at}"), bent));
        for (act, rest) in [(1, [0, 40, 7]), (4, [2, 0, 0]), (5, [0, 60, 0]), (8, [5, 0, 0]), (11, [0, 0, 0])] {
            let late = u8::try_from(at % 4).expect("at most 3");
            let script = [&head[..], &vec![0; usize::from(late)], &[act], &rest].concat();
            out.push(("quic", format!("act-{act}-{at}"), script));
        }
    }
    out
}

/// Both directions of a conversation of hollow cryptography, and what the server's store was given.
fn talk(at: usize) -> ([Vec<u8>; 2], Vec<u8>) {
    let scenario = &scenario::all(Crypto::Hollow)[at];
    provider::reseed(7);
    scenario::plant(None);
    scenario::last_put();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = End::new(scenario.client.connect(name));
    if scenario.early {
        client.connection.send_early(b"early", &mut client.out).expect("early data");
    }
    let mut server = End::new(scenario.server.accept());
    let mut said = [Vec::new(), Vec::new()];
    for _ in 0..8 {
        said[0].extend_from_slice(&client.out);
        server.feed(&core::mem::take(&mut client.out));
        server.advance();
        said[1].extend_from_slice(&server.out);
        client.feed(&core::mem::take(&mut server.out));
        client.advance();
    }
    assert!(client.is_whole() && server.is_whole(), "{}", scenario.name);
    (said, scenario::last_put())
}

fn conversations() -> Vec<Seed> {
    let mut out = Vec::new();
    let mut messages = BTreeMap::new();
    let mut resumed = 0;
    for at in 0..scenario::all(Crypto::Hollow).len() {
        let ([client, server], kept) = talk(at);
        if scenario::all(Crypto::Hollow)[at].name.contains("resumed") {
            out.push(("session", format!("scenario-{at}"), [&[resumed], &kept[..]].concat()));
            resumed += 1;
        }
        let index = u8::try_from(at).expect("few scenarios");
        out.push(("server", format!("scenario-{at}"), [&[index, 0], &client[..]].concat()));
        out.push(("client", format!("scenario-{at}"), [&[index, 0x30], &server[..]].concat()));
        if at % 4 == 0 {
            out.push(("record", format!("scenario-{at}"), [&[0x40, 0], &client[..]].concat()));
        }
        for record in records(&client).into_iter().chain(records(&server)) {
            for message in handshake(record) {
                messages.entry((message[0], message.len())).or_insert(message);
            }
        }
    }
    for ((kind, len), message) in messages {
        for body in extensions(&message) {
            out.push(("extension", format!("{:02}-{}-{len}", body[0], body.len()), body));
        }
        if len < 700 {
            out.push(("message", format!("{kind:02}-{len}"), message.clone()));
        }
        if matches!(kind, 1 | 2 | 11) {
            out.push(("fields", format!("{kind:02}-{len}"), message));
        }
    }
    out
}

/// Hellos with one extension as long as the block can be, its list filled with what it had: libFuzzer comes to no such length by
/// itself. Some 65 KB each, and so not among `all`.
///
/// # Panics
/// If a scenario does not work.
pub fn greatest() -> Vec<Seed> {
    let mut out = Vec::new();
    let mut known = BTreeSet::new();
    for at in 0..scenario::all(Crypto::Hollow).len() {
        let (flights, _) = talk(at);
        let index = u8::try_from(at).expect("few scenarios");
        for (flight, target, head) in [(&flights[0], "server", [index, 0]), (&flights[1], "client", [index, 0x30])] {
            let hellos = records(flight).into_iter().flat_map(handshake).filter(|m| matches!(m[0], 1 | 2));
            for (typ, hello) in hellos.flat_map(|hello| grown(&hello)) {
                if known.insert((hello[0], typ)) {
                    let name = format!("{:02}-{typ}", hello[0]);
                    let said: Vec<u8> =
                        hello.chunks(16_000).flat_map(|part| record(Wrap::Plain, HANDSHAKE, part)).collect();
                    out.push((target, name.clone(), [&head[..], &said].concat()));
                    out.push(("fields", name.clone(), hello.clone()));
                    out.push(("message", name, hello));
                }
            }
        }
    }
    out
}

/// A hello once for each of its extensions that has a body: that one as long as can be.
fn grown(hello: &[u8]) -> Vec<(u16, Vec<u8>)> {
    const MOST: usize = 65_535;
    let block = match hello[0] {
        1 => Checked::<ClientHello>::new(hello.to_vec()).map(|h| h.view().extensions.bytes().to_vec()),
        _ => Checked::<ServerHello>::new(hello.to_vec()).map(|h| h.view().extensions.bytes().to_vec()),
    };
    let block = block.expect("what Clasp said");
    let before = &hello[4..hello.len() - block.len() - 2];
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&[a, b, c, d]) = block.get(at..at + 4).and_then(|head| head.first_chunk()) {
        let length = usize::from(u16::from_be_bytes([c, d]));
        let (start, end) = (at + 4, at + 4 + length);
        if length > 0 {
            let long = filled(&block[start..end], MOST - (block.len() - length));
            let whole = [&block[..at], &[a, b], &short(long.len()), &long, &block[end..]].concat();
            let body = [before, &short(whole.len()), &whole].concat();
            let size = u32::try_from(body.len()).expect("short").to_be_bytes();
            out.push((u16::from_be_bytes([a, b]), [&[hello[0]], &size[1..], &body].concat()));
        }
        at = end;
    }
    out
}

/// An extension's body with so much room: a list has its items again and again, and a length that fits.
fn filled(body: &[u8], room: usize) -> Vec<u8> {
    let again = |of: &[u8], n: usize| of.iter().copied().cycle().take(n).collect::<Vec<u8>>();
    match body {
        [a, b, items @ ..] if !items.is_empty() && usize::from(u16::from_be_bytes([*a, *b])) == items.len() => {
            let n = (room - 2) / items.len() * items.len();
            [&short(n)[..], &again(items, n)].concat()
        }
        [n, items @ ..] if !items.is_empty() && usize::from(*n) == items.len() => {
            let n = 255 / items.len() * items.len();
            [&[u8::try_from(n).expect("at most 255")][..], &again(items, n)].concat()
        }
        _ => again(body, room),
    }
}

/// A length in two bytes.
fn short(n: usize) -> [u8; 2] {
    u16::try_from(n).expect("short").to_be_bytes()
}

/// The handshake messages of a record, in the clear or under hollow keys.
fn handshake(record: &[u8]) -> Vec<Vec<u8>> {
    const TAG: usize = 16;
    let mut rest = match record {
        [22, ..] => &record[5..],
        [23, .., 22, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => &record[5..record.len() - TAG - 1],
        _ => &[],
    };
    let mut out = Vec::new();
    while let [_, a, b, c, ..] = *rest {
        let len = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
        let Some((message, later)) = rest.split_at_checked(len) else { break };
        out.push(message.to_vec());
        rest = later;
    }
    out
}

/// Extension bodies of a hello, behind the number of their kind in `tls::extension`.
fn extensions(message: &[u8]) -> Vec<Vec<u8>> {
    use ExtensionType as E;
    let client = [
        (E::ServerName, 0),
        (E::SupportedGroups, 1),
        (E::EcPointFormats, 2),
        (E::ExtendedMasterSecret, 3),
        (E::Alpn, 4),
        (E::StatusRequest, 5),
        (E::MaxFragmentLength, 6),
        (E::RecordSizeLimit, 7),
        (E::SupportedVersions, 8),
        (E::RenegotiationInfo, 9),
        (E::KeyShare, 10),
        (E::PreSharedKey, 13),
        (E::PskKeyExchangeModes, 15),
        (E::CompressCertificate, 16),
        (E::ServerCertificateType, 18),
        (E::Cookie, 23),
    ];
    let server = [(E::KeyShare, 11), (E::PreSharedKey, 14), (E::SupportedVersions, 22)];
    let found = |block: clasp::wire::Extensions<'_>, kinds: &[(E, u8)]| {
        let mut out: Vec<Vec<u8>> = Vec::new();
        for (typ, kind) in kinds {
            out.extend(block.find(*typ).map(|e| [&[*kind], e.body].concat()));
        }
        let kind = u8::try_from(extension::BLOCK).expect("few kinds");
        out.push([&[kind], &u16::try_from(block.bytes().len()).unwrap_or(0).to_be_bytes()[..], block.bytes()].concat());
        out
    };
    if message[0] == 1
        && let Ok(hello) = Checked::<ClientHello>::new(message.to_vec())
    {
        return found(hello.view().extensions, &client);
    }
    if message[0] == 2
        && let Ok(hello) = Checked::<ServerHello>::new(message.to_vec())
    {
        return found(hello.view().extensions, &server);
    }
    Vec::new()
}

/// What is done to conversations, and what paths are made.
fn scripts() -> Vec<Seed> {
    let mut out: Vec<Seed> = Vec::new();
    for target in ["link", "link_hollow"] {
        for at in 0..scenario::all(Crypto::Hollow).len() {
            let index = u8::try_from(at).expect("few scenarios");
            out.push((target, format!("whole-{at}"), vec![index]));
            // Each thing that can be done to a record, to the first or the third.
            let doing = u8::try_from(1 + at % 15).expect("few things");
            out.push((target, format!("first-{at}"), vec![index, doing, 0, 9, 3, 1, 2, 3]));
            out.push((target, format!("third-{at}"), vec![index, 0, 0, 15 - doing % 15, 0, 30, 4, 22, 1, 0, 0]));
        }
        for length in 0..12 {
            out.push((target, format!("stretched-{length}"), vec![length, 16, 0, 40 + 9 * length, length, 0xff, 0]));
        }
        out.push((target, "pieces".into(), [12, 0].repeat(20)));
    }
    let leaf_by_one = [1, 4, 1, 0];
    let one_by_root = [1, 0, 1, 0, 0];
    let path = [&[0][..], &leaf_by_one, &one_by_root].concat();
    out.push(("path", "three".into(), path.clone()));
    out.push(("path", "direct".into(), vec![0, 0, 4, 0, 0]));
    // Another by the same name before it, a loop behind it.
    out.push((
        "path",
        "cross".into(),
        [&[1][..], &leaf_by_one, &[1, 2, 1, 3, 0], &one_by_root, &[2, 1, 2, 1, 0]].concat(),
    ));
    let constrained = [&[0][..], &leaf_by_one, &[1, 0, 1, 0, 1, 5, 0, 11], b"example.com", &[1]].concat();
    out.push(("path", "constrained".into(), constrained));
    out.push(("path", "policies".into(), [&[0x80, 1, 4, 1, 1, 6, 1, 0, 1][..], &[1, 0, 1, 0, 1, 6, 1, 0, 1]].concat()));
    out.push(("path", "length".into(), [&[0][..], &[2, 4, 2, 0], &[2, 1, 2, 1, 0], &[1, 0, 1, 0, 1, 0, 0]].concat()));
    out
}

/// Certificates, keys, requests, whole files.
fn files() -> Vec<Seed> {
    let (root, end) = (authority(), leaf());
    let long = |der: &[u8]| [&u16::try_from(der.len()).expect("short").to_be_bytes()[..], der].concat();
    let issued = clasp_testkit::authority().issue(KeyKind::Ed25519, &["localhost"]);
    let middle = made::authority_of("middle", Key::seeded(3), Some(root), |_| ());
    let below = made::server_of(Key::seeded(4), &middle, |d| {
        let everything =
            made::names(&[made::dns("*.example.com"), made::tlv(0x86, b"spiffe://a.b/c"), made::tlv(0x81, b"a@b.c")]);
        d.set(made::SAN, false, everything)
            .set(made::NAME_CONSTRAINTS, true, made::subtrees(&[made::dns("example.com")], &[made::tlv(0x87, &[0; 8])]))
            .set(made::POLICIES, false, made::seq(&[&made::seq(&[&made::oid(&[0x2a, 3])])]))
            .set(made::TLS_FEATURE, false, made::seq(&[&[2, 1, 5]]));
    });
    let attributes = made::tlv(0xa0, &[]);
    let info = made::seq(&[&[2, 1, 0], &made::name("asked for"), &Key::seeded(5).spki(), &attributes]);
    let pem = [long(issued.chain_pem.as_bytes()), issued.key_pem.clone().into_bytes()].concat();
    vec![
        ("certificate", "root".into(), root.der.clone()),
        ("certificate", "leaf".into(), end.der.clone()),
        ("certificate", "everything".into(), below.der.clone()),
        ("certificate", "request".into(), Key::seeded(5).frame(&info)),
        ("certificate", "key".into(), issued.key.clone()),
        ("certificate", "spki".into(), Key::seeded(5).spki()),
        ("chain", "two".into(), [&[0, 0][..], &long(&end.der), &long(&root.der)].concat()),
        ("chain", "three".into(), [&[1, 0][..], &long(&below.der), &long(&middle.der), &long(&middle.der)].concat()),
        ("keys", "pem".into(), pem),
        ("keys", "der".into(), issued.key),
        ("keys", "chain".into(), issued.chain_pem.into_bytes()),
    ]
}

/// Revocation, names, timestamps.
fn lists() -> Vec<Seed> {
    let (root, end) = (authority(), leaf());
    let now = i64::try_from(made::NOW).expect("a date");
    let certificate = Certificate::parse(&end.der).expect("our own");
    let issuer = Certificate::parse(&root.der).expect("our own");
    let unsigned = UnsignedOcsp::new(&certificate, &issuer, CertStatus::Good, now - 60, now + 3600);
    let whole = unsigned.signed(&root.key.algorithm(), &root.key.sign(unsigned.to_be_signed()));
    let sct = [&[0][..], &[7; 32], &[0, 0, 1, 0x80, 0, 0, 0, 0], &[0, 0, 4, 3, 0, 4, 0x30, 2, 5, 0]].concat();
    let prefixed = |bytes: &[u8]| [&u16::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat();
    let names = [&[0, 0, 0, 3, 7][..], b"Good CA", &[0, 0, 1, 3, 9], b" good  ca", &[11], b"example.com"].concat();
    vec![
        ("crl", "signed".into(), vec![1, 0, 0, 0, 0, 1, 1, 0, 0]),
        ("crl", "two".into(), vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 2, 9, 9, 0]),
        ("crl", "delta".into(), vec![1, 0, 0, 0, 0, 0, 1, 0, 1, 3, 2, 1, 4, 0, 0, 0, 1, 1, 0, 0]),
        ("crl", "scope".into(), vec![1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 5, 0x30, 3, 0x81, 1, 0xff]),
        ("ocsp", "whole".into(), [&[0, 0][..], &whole].concat()),
        ("ocsp", "data".into(), [&[1, 1][..], unsigned.to_be_signed()].concat()),
        ("ocsp", "changed".into(), vec![0, 2, 0, 0, 0, 40, 1]),
        ("name", "strings".into(), [&names[..], &made::dns("example.com")].concat()),
        ("sct", "one".into(), prefixed(&prefixed(&sct))),
    ]
}
