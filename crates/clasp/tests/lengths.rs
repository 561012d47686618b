//! Every field of every message of both sides that has a length, at its least, at its greatest and beyond, and what comes
//! of it: success or an error of the peer's kind, never a panic.
//!
//! An honest conversation over the hollow provider gives the messages of the peer. The peer then plays them, one field of
//! one message altered; the lengths around the field are those of what is there. What it says after that is what it
//! said in the honest conversation, so that whatever an end keeps of the message is kept, and a client's next connection
//! is begun too.
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use clasp::error::Blame;
use clasp::suite::Kx;
use clasp::wire::code::{HandshakeType as H, ProtocolVersion};
use clasp::{Connection, Error};
use clasp_testkit::hollow_bytes::{HANDSHAKE, Wrap, record};
use clasp_testkit::script::{CLASSIC, MODERN, Scenario, Sides, honest, play};
use core::task::{Context, Waker};
use fields::{Field, message};

mod fields;

/// Bytes that a field is filled with: such as no name has, and such as one may have.
const FILLS: [u8; 2] = [0xff, b'a'];
/// A message is read up to here.
const ENOUGH: usize = 1 << 18;

fn scenarios() -> Vec<Scenario> {
    let (classic, modern) = (Scenario { all: true, ..CLASSIC }, Scenario { all: true, ..MODERN });
    vec![
        Scenario { name: "1.2", client_certificate: true, ..classic },
        Scenario { name: "1.2 RSA key transport", kx: Kx::Rsa, ..classic },
        Scenario { name: "1.2 DHE", kx: Kx::Dhe, ..classic },
        Scenario { name: "1.2 resumed", before: 1, ..classic },
        Scenario { name: "1.3", client_certificate: true, ..modern },
        Scenario { name: "1.3 early data", before: 1, early_data: true, ..modern },
        Scenario { name: "1.3 HelloRetryRequest", hello_retry: true, ..modern },
    ]
}

/// One message, altered.
struct Altered {
    what: String,
    body: Vec<u8>,
}

/// How long a field is made that holds at most `greatest` bytes.
fn sizes(greatest: usize) -> Vec<usize> {
    let mut sizes = vec![0, 1, 86, 255, 256, greatest.saturating_sub(136), greatest];
    sizes.retain(|n| *n <= greatest);
    sizes.dedup();
    sizes
}

/// Every field of a message at every length.
fn altered(tree: &Field) -> Vec<Altered> {
    let mut all = Vec::new();
    for path in tree.paths() {
        let field = tree.at(&path);
        let what = field.name.clone();
        let greatest = tree.room(&path).min(ENOUGH);
        for size in sizes(greatest) {
            for fill in FILLS {
                let body = tree.replaced(&path, &vec![fill; size]);
                all.push(Altered { what: format!("{what} of {size} bytes {fill:#x}"), body });
            }
        }
        // As many of what it holds as there can be.
        let own = field.content();
        if !own.is_empty() {
            let body = tree.replaced(&path, &own.repeat(greatest / own.len()));
            all.push(Altered { what: format!("{what}, its content again and again"), body });
        }
        // Beyond: more than there is behind the length.
        for more in [1, usize::MAX] {
            if let Some(body) = tree.announcing(&path, more) {
                all.push(Altered { what: format!("{what} that says {more} too many"), body });
            }
        }
    }
    all
}

const EXTENSIONS: [u16; 30] = [
    0, 1, 5, 10, 11, 13, 16, 18, 19, 20, 21, 22, 23, 27, 28, 35, 41, 42, 43, 44, 45, 47, 49, 50, 51, 57, 0x0a0a,
    0x5a5a, 0xff01, 0xffff,
];

/// Every extension there is, in every block of extensions, as long as it can be, in every framing.
fn extended(tree: &Field) -> Vec<Altered> {
    let mut all = Vec::new();
    for path in tree.paths().into_iter().filter(|path| tree.at(path).is_extensions()) {
        for typ in EXTENSIONS {
            let others = tree.at(&path).without(typ);
            let room = tree.room(&path).saturating_sub(others.len() + 4).min(0xffff);
            let vec16 = |n: usize, content: Vec<u8>| [&u16::try_from(n).unwrap().to_be_bytes()[..], &content].concat();
            let full = |n: usize| vec16(n, vec![b'a'; n]);
            let bodies = [
                ("empty", Vec::new()),
                ("raw", vec![0xff; room]),
                ("a vector", full(room - 2)),
                ("a vector in a vector", vec16(room - 2, full(room - 4))),
                ("a short vector in a vector", [&vec16(86, [&[85][..], &[b'a'; 85]].concat())[..]].concat()),
                ("a short vector", [&[255][..], &[0xff; 255]].concat()),
                ("a name", vec16(91, [&[0][..], &vec16(88, vec![0xff; 88])].concat())),
                ("a share", [&[0, 29][..], &full(room - 4)].concat()),
            ];
            for (form, body) in bodies {
                let extension = [&typ.to_be_bytes()[..], &vec16(body.len(), body.clone())].concat();
                // pre_shared_key stays the last: RFC 9846 4.2.11.
                let block = if typ == 41 { [others.clone(), extension] } else { [extension, others.clone()] }.concat();
                let what = format!("extension {typ}, {form} of {} bytes", body.len());
                all.push(Altered { what, body: tree.replaced(&path, &block) });
            }
        }
    }
    all
}

fn records(wrap: Wrap, kind: u8, body: &[u8]) -> Vec<Vec<u8>> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[kind], &length[1..], body].concat();
    message.chunks(15_000).map(|part| record(wrap, HANDSHAKE, part)).collect()
}

/// An error that a peer's bytes may come to: the peer is to blame, and the text is for people.
fn check(error: &Error) -> Result<(), String> {
    let text = error.to_string();
    if error.blame() == Blame::Peer { Ok(()) } else { Err(format!("{:?} is to blame: {text:.300}", error.blame())) }
}

/// Says all that is left to say; the next connection of a client begins then.
fn go_on(mut end: Connection, sides: &Sides, to_client: bool, said: &[Vec<u8>]) -> Result<(), String> {
    let mut out = Vec::new();
    for record in said {
        if let Err(error) = end.receive(&mut record.clone(), &mut out) {
            check(&error)?;
            break;
        }
    }
    if to_client {
        let mut next = sides.client.connect("localhost".try_into().unwrap());
        next.advance(&mut Context::from_waker(Waker::noop()), &mut out).map_err(|e| format!("the next hello: {e}"))?;
    }
    Ok(())
}

/// Says where it was if the test panics there.
struct Place(String);

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("panicked at {}", self.0);
        }
    }
}

fn every(alter: fn(&Field) -> Vec<Altered>, of: fn(&Scenario) -> bool) -> usize {
    let (mut faults, mut count) = (Vec::new(), 0);
    for scenario in scenarios().into_iter().filter(of) {
        let tls12 = scenario.version == ProtocolVersion::Tls12;
        let mut kept = None;
        let said = honest(&scenario.fresh(&mut kept), tls12);
        for (to_client, said) in [true, false].into_iter().zip(&said) {
            for (wait, (unit, bytes)) in said.iter().enumerate() {
                let Some(kind) = unit.kind else { continue };
                let tree = message(kind, scenario.kx, !tls12, bytes, unit.wrap);
                for Altered { what, body } in alter(&tree) {
                    let whom = if to_client { "client" } else { "server" };
                    let place = Place(format!("{}, to the {whom}, {kind}: {what}", scenario.name));
                    let sides = scenario.fresh(&mut kept);
                    let rest = said[wait + 1..].iter().map(|(_, bytes)| bytes.clone());
                    let left: Vec<_> = records(unit.wrap, kind.0, &body).into_iter().chain(rest).collect();
                    let end = play(&sides, to_client, &said[..wait]);
                    count += 1;
                    if let Err(fault) = go_on(end, &sides, to_client, &left) {
                        faults.push(format!("{}: {fault}", place.0));
                    }
                }
            }
        }
    }
    faults.truncate(40);
    assert!(faults.is_empty(), "{count} messages:\n{}", faults.join("\n"));
    count
}

#[test]
fn every_field_with_a_length_at_its_least_its_greatest_and_beyond_makes_no_end_panic() {
    let count = every(altered, |_| true);
    assert!(count > 2000, "{count} messages");
}

#[test]
fn every_extension_as_long_as_it_can_be_makes_no_end_panic() {
    let count = every(extended, |s| s.before == 0 && s.kx == Kx::Ecdhe);
    assert!(count > 2000, "{count} messages");
}

/// The parts of which the altered messages are made say what stood in the honest ones.
#[test]
fn messages_are_taken_apart_and_put_together() {
    let mut seen = Vec::new();
    for scenario in scenarios() {
        let tls12 = scenario.version == ProtocolVersion::Tls12;
        for (unit, bytes) in honest(&scenario.sides(), tls12).iter().flatten() {
            let Some(kind) = unit.kind else { continue };
            let tree = message(kind, scenario.kx, !tls12, bytes, unit.wrap);
            let again = records(unit.wrap, kind.0, &tree.bytes());
            assert_eq!(again.concat(), *bytes, "{kind}");
            seen.push(kind);
        }
    }
    let all = [
        H::ClientHello,
        H::ServerHello,
        H::EncryptedExtensions,
        H::Certificate,
        H::CertificateRequest,
        H::CertificateVerify,
        H::ServerKeyExchange,
        H::ClientKeyExchange,
        H::NewSessionTicket,
        H::Finished,
    ];
    assert!(all.iter().all(|kind| seen.contains(kind)), "{seen:?}");
}
