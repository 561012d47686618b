//! A hello that is read before anybody answers it, and its fingerprints.
#![allow(clippy::unwrap_used, clippy::panic)]

mod flights;

use clasp::config::{Admission, ClientHelloFacts, Identities, Resolver};
use clasp::hello::{ClientHello, HelloReader};
use clasp::wire::code::{AlertDescription, CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};
use clasp::{Answer, ClientConfig, Error, Exchange, Identity, Policy, ServerConfig};
use clasp_testkit::torture::Dice;
use clasp_testkit::{KeyKind, Pair, authority};
use core::task::{Context, Waker};
use flights::hello::*;
use flights::*;
use std::sync::{Arc, Mutex};

fn codes(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_be_bytes()).collect()
}

fn named(name: &str) -> Vec<u8> {
    ext(SERVER_NAME, &v16(&[&[0], &v16(name.as_bytes())[..]].concat()))
}

fn parse(hello: &Hello) -> ClientHello {
    ClientHello::parse(&hello.message()).unwrap()
}

/// As Chrome 143 says it, with GREASE in each place: https://tls.browserleaks.com names it so.
fn chrome() -> Hello {
    let suites = [
        0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d,
        0x2f, 0x35,
    ];
    let schemes = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let extensions = vec![
        ext(0x3a3a, &[]),
        ext(PSK_MODES, &v8(&[1])),
        ext(SHARES, &v16(&[share(0x4a4a, &[0]), share(0x1d, &[9; 32])].concat())),
        ext(ALPN, &v16(&[v8(b"h2"), v8(b"http/1.1")].concat())),
        ext(65037, &[0; 10]),
        ext(EXTENDED_MASTER, &[]),
        ext(17613, &[0, 3, 2, b'h', b'2']),
        named("tls.browserleaks.com"),
        ext(POINT_FORMATS, &v8(&[0])),
        ext(GROUPS, &v16(&codes(&[0x4a4a, 4588, 29, 23, 24]))),
        ext(VERSIONS, &v8(&codes(&[0x5a5a, 0x0304, 0x0303]))),
        ext(RENEGOTIATION, &[0]),
        ext(35, &[]),
        ext(TIMESTAMPS, &[]),
        ext(STATUS, &[1, 0, 0, 0, 0]),
        ext(SCHEMES, &v16(&codes(&schemes))),
        ext(COMPRESSION, &v8(&[0, 2])),
        ext(0xaaaa, &[0]),
    ];
    Hello { extensions, suites: codes(&suites), ..Hello::tls13() }
}

#[test]
fn a_hello_says_what_it_says() {
    let hello = parse(&chrome());
    assert_eq!(hello.server_name(), Some("tls.browserleaks.com"));
    assert_eq!(hello.alpn().collect::<Vec<_>>(), [&b"h2"[..], b"http/1.1"]);
    assert_eq!(hello.legacy_version(), TLS12);
    assert_eq!(hello.versions().collect::<Vec<_>>(), [ProtocolVersion(0x5a5a), TLS13, TLS12]);
    assert_eq!(hello.suites().nth(1), Some(CipherSuite::TLS_AES_128_GCM_SHA256));
    assert_eq!(hello.groups().map(|group| group.0).collect::<Vec<_>>(), [0x4a4a, 4588, 29, 23, 24]);
    assert_eq!(hello.schemes().count(), 8);
    assert_eq!(hello.point_formats(), [0]);
    assert_eq!(hello.extensions().count(), 18);
    assert_eq!(hello.extension(ExtensionType::PskKeyExchangeModes), Some(&[1, 1][..]));
    assert_eq!(hello.extension(ExtensionType::PreSharedKey), None);
    assert_eq!(hello.message(), chrome().message());
    assert!(format!("{hello:?}").contains("tls.browserleaks.com"));
    // Without any extension it is a hello of TLS 1.2.
    let old = parse(&Hello { extensions: Vec::new(), ..Hello::tls12() });
    assert_eq!(old.versions().collect::<Vec<_>>(), [TLS12]);
    assert_eq!((old.server_name(), old.alpn().count(), old.groups().count()), (None, 0, 0));
}

#[test]
fn ja3_and_ja4_of_a_browser() {
    let hello = parse(&chrome());
    let text = "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,\
                45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0";
    assert_eq!(hello.ja3_text(), text);
    assert_eq!(hello.ja3(), "98487aa16281980e7d1120d399efb6a4");
    assert_eq!(hello.ja4(), "t13d1516h2_8daaf6152771_d8a2da3f94cd");
    let text = "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_\
                0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,fe0d,ff01_\
                0403,0804,0401,0503,0805,0501,0806,0601";
    assert_eq!(hello.ja4_text(), text);
}

/// The two examples of JA3's README.
#[test]
fn ja3_of_old_clients() {
    let bare = Hello { version: [3, 1], extensions: Vec::new(), ..Hello::tls12() };
    let few = codes(&[4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99]);
    let few = parse(&Hello { suites: few, ..bare.clone() });
    assert_eq!(few.ja3_text(), "769,4-5-10-9-100-98-3-6-19-18-99,,,");
    assert_eq!(few.ja3(), "de350869b8c85de67a350c8d186f11e6");
    let extensions = vec![named("a.example"), ext(GROUPS, &v16(&codes(&[23, 24, 25]))), ext(POINT_FORMATS, &v8(&[0]))];
    let suites = codes(&[47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4]);
    let more = parse(&Hello { suites, extensions, ..bare });
    assert_eq!(more.ja3_text(), "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
    assert_eq!(more.ja3(), "ada70206e40642a3e4461f35503241d5");
}

#[test]
fn ja4_where_a_part_is_missing_or_odd() {
    let head = |hello: &Hello| parse(hello).ja4_text().split('_').next().unwrap().to_owned();
    let none = Hello { extensions: Vec::new(), ..Hello::tls12() };
    assert_eq!(parse(&none).ja4(), format!("t12i030000_{}_000000000000", &parse(&Hello::tls12()).ja4()[11..23]));
    let grease = Hello { suites: codes(&[0x0a0a]), ..none.clone() };
    assert_eq!(parse(&grease).ja4(), "t12i000000_000000000000_000000000000");
    // Without signature schemes nothing stands behind the extensions.
    assert!(parse(&Hello::tls12().without(SCHEMES)).ja4_text().ends_with("_000a,0017,ff01"));
    for (version, wanted) in [([3, 0], "s3"), ([3, 1], "10"), ([3, 2], "11"), ([3, 3], "12"), ([9, 9], "00")] {
        assert_eq!(head(&Hello { version, ..none.clone() }), format!("t{wanted}i030000"));
    }
    let protocol = |name: &[u8]| head(&none.clone().with(ext(ALPN, &v16(&v8(name)))))[8..].to_owned();
    assert_eq!(protocol(b"http/1.1"), "h1");
    assert_eq!(protocol(b"x"), "xx");
    assert_eq!(protocol(&[0xab]), "ab");
    assert_eq!(protocol(&[0xab, 0xcd]), "ad");
    assert_eq!(protocol(&[0x30, 0xab]), "3b");
    assert_eq!(protocol(&[0x30, 0x31, 0xab, 0xcd]), "3d");
    let many = Hello { suites: codes(&(0..300).collect::<Vec<_>>()), ..none };
    assert_eq!(head(&many), "t12i990000");
}

/// However its records and its bytes are cut, it is found when it is whole, and not before.
#[test]
fn a_hello_in_many_records_and_segments() {
    let message = chrome().message();
    for size in [1, 5, 100, 400, message.len()] {
        let records: Vec<u8> = message.chunks(size).flat_map(|part| record(22, part)).collect();
        let (mut reader, mut whole) = (HelloReader::default(), HelloReader::default());
        for end in 0..records.len() {
            assert!(reader.read(&records[..end]).unwrap().is_none(), "{end} of {} bytes", records.len());
        }
        let behind = [&records[..], &record(23, b"early data")].concat();
        assert_eq!(whole.read(&behind).unwrap().unwrap().message(), message);
        assert_eq!(reader.read(&records).unwrap().unwrap().server_name(), Some("tls.browserleaks.com"));
    }
}

#[test]
fn what_is_no_hello_is_refused_in_the_words_of_a_handshake() {
    let refused = |bytes: &[u8]| {
        let alone = HelloReader::default().read(bytes).unwrap_err();
        let error = server().receive(&mut bytes.to_vec(), &mut Vec::new()).map(drop).unwrap_err();
        assert_eq!(alone.alert(), error.alert(), "{alone}: {error}");
        alone.to_string()
    };
    assert!(refused(b"GET / HTTP/1.1\r\n\r\n").contains("HTTP"));
    assert!(refused(b"SSH-2.0-OpenSSH_9.9\r\n").contains("does not speak TLS"));
    assert!(refused(&[0x80, 0x2e, 1, 0, 2, 0, 0, 0]).contains("SSL 2"));
    assert!(refused(&record(22, &[])).contains("without content"));
    assert!(refused(&record(22, &[2, 0, 0, 0])).contains("wanted: ClientHello"));
    assert!(refused(&record(22, &[1, 0, 0, 3, 3, 3, 0])).contains("cut short"));
    assert!(refused(&record(22, &[1, 0xff, 0, 0])).contains("more than its kind may have"));
    assert!(refused(&record(22, &Hello::tls13().with(named("b\u{fc}cher.example")).message())).contains("DNS name"));
    assert!(refused(&record(22, &Hello::tls13().with(ext(ALPN, &[0, 0])).message())).contains("is empty"));
    assert!(refused(&[&[22, 3, 1][..], &v16(&[1; 16_385])].concat()).contains("longer than it may be"));
    let data = HelloReader::default().read(&record(23, b"data")).unwrap_err();
    assert_eq!(data.alert(), AlertDescription::UnexpectedMessage);
    assert_eq!(HelloReader::refusal(AlertDescription::UnrecognizedName), [21, 3, 3, 0, 2, 2, 112]);
}

#[test]
fn a_hello_without_end_is_refused_at_the_limit() {
    let long = long(&Hello::tls13().with(ext(PADDING, &[0; 30_000])));
    let drips: Vec<u8> = Hello::tls13().message()[..100].iter().flat_map(|byte| record(22, &[*byte])).collect();
    for (bytes, limit) in [(&long, 16 << 10), (&drips, 600)] {
        let mut reader = HelloReader::default().limit(limit);
        assert!(reader.read(&bytes[..limit - 1]).unwrap().is_none());
        let error = reader.read(&bytes[..limit]).unwrap_err();
        assert!(error.to_string().contains(&format!("within {limit} bytes")), "{error}");
    }
    assert!(HelloReader::default().limit(64 << 10).read(&long).unwrap().is_some());
}

/// What is altered at random is refused or read, never more.
#[test]
fn no_hello_makes_it_panic() {
    let message = chrome().message();
    let mut dice = Dice::new(7);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = message.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            bytes[at] = u8::try_from(dice.below(256)).unwrap();
        }
        if let Ok(hello) = ClientHello::parse(&bytes) {
            let _unread = (hello.server_name(), hello.versions().count(), hello.ja3(), hello.ja4(), hello.ja4_text());
            read += 1;
        }
    }
    assert!(read > 1000 && read < 20_000, "{read}");
}

/// What was read to look at it is what the handshake goes on with.
#[test]
fn what_was_read_ahead_is_put_into_an_exchange() {
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).build().unwrap();
    let mut client = client.connect("localhost".try_into().unwrap());
    let (mut cx, mut hello) = (Context::from_waker(Waker::noop()), Vec::new());
    client.advance(&mut cx, &mut hello).unwrap();
    let alone = HelloReader::default().read(&hello).unwrap().unwrap();
    assert_eq!(alone.server_name(), Some("localhost"));
    let mut exchange = Exchange::new(server.accept());
    exchange.put(&hello);
    assert_eq!(exchange.waiting(), hello.len());
    exchange.advance(&mut cx).unwrap();
    while exchange.take().unwrap() {}
    let mut out = Vec::new();
    client.receive(&mut exchange.unsent().to_vec(), &mut out).unwrap();
    assert!(!out.is_empty(), "the client goes on");
}

/// Notes what it is shown, and chooses.
struct Notes(Identities, Mutex<Vec<ClientHello>>);

impl Resolver for Notes {
    fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<Arc<Identity>>> {
        self.1.lock().unwrap().push(hello.hello.clone());
        self.0.resolve(hello)
    }
}

/// Refuses a program by the way it says hello.
struct Refuses(String);

impl Admission for Refuses {
    fn admit<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<()>> {
        let refused = hello.hello.ja4() == self.0;
        Answer::Now(if refused { Err(Error::refused(AlertDescription::AccessDenied)) } else { Ok(()) })
    }
}

#[test]
fn a_server_tells_programs_apart_by_their_hellos() {
    let client = || ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let identity = || Identities::new([authority().issue(KeyKind::P256, &["localhost"]).identity()]);
    let groups = Policy::default().with_groups([NamedGroup::Secp384r1]);
    let notes = Arc::new(Notes(identity(), Mutex::default()));
    let server = ServerConfig::builder().identity(notes.clone()).policy(groups).build().unwrap();
    // It is asked for a second hello.
    let mut pair = Pair::new(&client(), &server);
    pair.drive().unwrap();
    assert!(pair.server.facts().unwrap().hello_retried);
    let noted = notes.1.lock().unwrap()[0].clone();
    let mut again = client().connect("localhost".try_into().unwrap());
    let mut hello = Vec::new();
    again.advance(&mut Context::from_waker(Waker::noop()), &mut hello).unwrap();
    let hello = HelloReader::default().read(&hello).unwrap().unwrap();
    assert_eq!((noted.ja4(), noted.message().len()), (hello.ja4(), hello.message().len()));

    let resolver = Arc::new(identity());
    for (ja4, served) in [(noted.ja4(), false), ("another".into(), true)] {
        let admission = Arc::new(Refuses(ja4));
        let server = ServerConfig::builder().identity(resolver.clone()).admission(admission).build().unwrap();
        assert_eq!(Pair::new(&client(), &server).drive().is_ok(), served);
    }
}
