//! Headers whole, cut anywhere, and of garbage.

use super::*;

fn ends(client: &str, server: &str) -> Told {
    Told { ends: Some(Ends { client: client.parse().unwrap(), server: server.parse().unwrap() }) }
}

/// A header of version 2: command, family, body.
fn second(kind: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[kind, family], &length, body].concat()
}

const FOUR: &[u8] = &[192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x01, 0xbb];

fn good() -> Vec<(Vec<u8>, Told)> {
    let six: Vec<u8> = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
    let six = [&six[..], &[0x30, 0x39, 0x01, 0xbb]].concat();
    let values = [FOUR, &[1, 0, 2, b'h', b'2', 0x20, 0, 0]].concat();
    let told = ends("192.0.2.1:12345", "198.51.100.2:443");
    vec![
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\n".to_vec(), told),
        (b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n".to_vec(), ends("[2001:db8::1]:1", "[2001:db8::2]:65535")),
        (b"PROXY UNKNOWN\r\n".to_vec(), Told::default()),
        (b"PROXY UNKNOWN ffff::1 what ever 1 2\r\n".to_vec(), Told::default()),
        (second(0x21, 0x11, FOUR), told),
        (second(0x21, 0x11, &values), told),
        (second(0x21, 0x21, &six), ends("[2001:db8::1]:12345", "[2001:db8::1]:443")),
        (second(0x21, 0x31, &[0; 216]), Told::default()),
        (second(0x21, 0x00, &[]), Told::default()),
        (second(0x20, 0x00, &[]), Told::default()),
        (second(0x20, 0x11, b"whatever"), Told::default()),
    ]
}

#[test]
fn headers_are_read_and_what_is_behind_them_is_left() {
    for (bytes, told) in good() {
        let behind = [&bytes[..], b"\x16\x03\x01"].concat();
        assert_eq!(parse(&behind), Ok(Header::Whole(bytes.len(), told)), "{bytes:?}");
        for cut in 0..bytes.len() {
            assert_eq!(parse(&bytes[..cut]), Ok(Header::Part), "{cut} of {bytes:?}");
        }
    }
}

#[test]
fn what_is_no_header_is_refused_and_nothing_long_is_waited_for() {
    let line = |text: &str| text.as_bytes().to_vec();
    let long = [&b"PROXY TCP4 "[..], &[b'1'; 200]].concat();
    for bad in [
        line("GET / HTTP/1.1\r\n"),
        line("\x16\x03\x01"),
        line("PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n"),
        line("PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n"),
        line("PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n"),
        line("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"),
        line("PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n"),
        line("PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n"),
        line("PROXY \r\n"),
        line("PROXY TCP4 \u{e9} \r\n"),
        long,
        // A version, a command, a family that there is not; and addresses and values cut short.
        second(0x11, 0x11, FOUR),
        second(0x31, 0x11, FOUR),
        second(0x22, 0x11, FOUR),
        second(0x21, 0x12, FOUR),
        second(0x21, 0x41, FOUR),
        second(0x21, 0x11, &FOUR[..11]),
        second(0x21, 0x21, &[0; 35]),
        second(0x21, 0x31, &[0; 215]),
        second(0x21, 0x11, &[FOUR, &[1, 0]].concat()),
        second(0x21, 0x11, &[FOUR, &[1, 0, 3, 7, 7]].concat()),
        second(0x21, 0x11, &[0; LONGEST]),
    ] {
        assert!(parse(&bad).is_err(), "{:?}", bad.escape_ascii().to_string());
    }
    // What says that it is long is refused before it comes.
    assert!(parse(&[&SIGNATURE[..], &[0x21, 0x11, 0xff, 0xff]].concat()).is_err());
}

/// Whatever comes, there is an answer, and never one beyond what came.
#[test]
fn garbage_has_an_answer() {
    let mut seed = 7_u32;
    let mut dice = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(seed >> 24).unwrap()
    };
    for (bytes, _) in good() {
        for _ in 0..2000 {
            let mut bytes = [&bytes[..], b"behind"].concat();
            for _ in 0..1 + dice() % 4 {
                let at = usize::from(dice()) % bytes.len();
                bytes[at] = dice();
            }
            bytes.truncate(usize::from(dice()) % (bytes.len() + 1));
            if let Ok(Header::Whole(n, _)) = parse(&bytes) {
                assert!(n <= bytes.len(), "{bytes:?}");
            }
        }
    }
}

#[test]
fn what_we_tell_is_what_we_would_read() {
    let ends_of = |client: &str, server: &str| ends(client, server).ends;
    for (told, read) in [
        (None, None),
        (ends_of("192.0.2.1:1", "198.51.100.2:2"), ends_of("192.0.2.1:1", "198.51.100.2:2")),
        (ends_of("[2001:db8::1]:1", "[2001:db8::2]:2"), ends_of("[2001:db8::1]:1", "[2001:db8::2]:2")),
        (ends_of("[::ffff:192.0.2.1]:1", "198.51.100.2:2"), ends_of("192.0.2.1:1", "198.51.100.2:2")),
        (ends_of("[2001:db8::1]:1", "198.51.100.2:2"), ends_of("[2001:db8::1]:1", "[::ffff:198.51.100.2]:2")),
    ] {
        for version in [Version::V1, Version::V2] {
            let header = Telling { ends: told, server_name: Some("a.test"), facts: None }.header(version);
            assert_eq!(parse(&header), Ok(Header::Whole(header.len(), Told { ends: read })), "{told:?}");
        }
    }
}

#[test]
fn a_network_is_its_first_bits() {
    for (network, peer, good) in [
        ("10.0.0.0/8", "10.255.0.1:1", true),
        ("10.0.0.0/8", "11.0.0.1:1", false),
        ("10.0.0.0/8", "[::ffff:10.0.0.1]:1", true),
        ("10.0.0.7", "10.0.0.7:1", true),
        ("10.0.0.7", "10.0.0.6:1", false),
        ("0.0.0.0/0", "10.0.0.7:1", true),
        ("0.0.0.0/0", "[2001:db8::1]:1", false),
        ("2001:db8::/32", "[2001:db8:1::1]:1", true),
        ("2001:db8::/32", "[2001:db9::1]:1", false),
        ("::/0", "[2001:db9::1]:1", true),
        ("unix", "10.0.0.7:1", false),
    ] {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.has(Some(peer.parse().unwrap())), good, "{network:?} {peer}");
        assert_eq!(network.has(None), network == Network::Unix);
    }
    for odd in ["", "10.0.0.0/33", "::/129", "a.test", "10.0.0.0/", "10/8", "10.0.0.0/-1"] {
        assert!(odd.parse::<Network>().is_err(), "{odd}");
    }
}
