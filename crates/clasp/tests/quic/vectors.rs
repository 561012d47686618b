//! RFC 9001 A, RFC 9369 A. Secrets that only the inside has (A.5) stand beside the keys.

use clasp::crypto::Provider;
use clasp::quic::{HeaderKey, Keys, PacketKey, Side, Version, retry_tag};

const CONNECTION_ID: &[u8] = b"\x83\x94\xc8\xf0\x3e\x51\x57\x08";

/// The CRYPTO frame of A.2; PADDING follows.
const CLIENT_HELLO: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c\
    00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504\
    616c706e000500050100000000003300260024001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748\
    002b0003020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900320408ffffffffffffffff0504\
    8000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

/// The ACK and CRYPTO frames of A.3.
const SERVER_HELLO: &str = "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a04\
    5a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// A packet as it is sent, which whoever gets it reads again.
fn protected(
    (sender, receiver): (&Keys, &Keys),
    number: u64,
    header: &str,
    number_at: usize,
    payload: &[u8],
) -> Vec<u8> {
    let header = hex(header);
    let mut packet = [&header, payload, &[0; PacketKey::TAG_LEN]].concat();
    sender.local.packet.seal(number, &mut packet, header.len()).unwrap();
    sender.local.header.protect(&mut packet, number_at).unwrap();

    let mut came = packet.clone();
    assert_eq!(receiver.remote.header.unprotect(&mut came, number_at).unwrap(), header.len() - number_at);
    let (shown, sealed) = came.split_at_mut(header.len());
    assert_eq!(shown, header);
    assert_eq!(receiver.remote.packet.open(number, shown, sealed).unwrap(), payload.len());
    assert_eq!(sealed[..payload.len()], *payload);
    packet
}

/// What stands first and last: behind the tag there is nothing that could be otherwise.
fn assert_ends(packet: &[u8], first: &str, last: &str) {
    let (first, last) = (hex(first), hex(last));
    assert_eq!(packet[..first.len()], first);
    assert_eq!(packet[packet.len() - last.len()..], last);
}

#[test]
fn initial_packets() {
    for provider in Provider::choices() {
        for (version, client_header, client, server_header, server) in [
            (
                Version::V1,
                "c300000001088394c8f03e5157080000449e00000002",
                [
                    "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c",
                    "7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934",
                ],
                "c1000000010008f067a5502a4262b50040750001",
                "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a9\
                 9f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93\
                 795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee",
            ),
            (
                Version::V2,
                "d36b3343cf088394c8f03e5157080000449e00000002",
                [
                    "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c",
                    "9a37ddec600545473cfb5a05e08d0b209973b2172b4d21fb69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc",
                ],
                "d16b3343cf0008f067a5502a4262b50040750001",
                "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf8726301791535\
                 8230035f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a081\
                 2d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140",
            ),
        ] {
            let keys = |side| Keys::initial(provider, version, CONNECTION_ID, side).unwrap();
            let (of_client, of_server) = (keys(Side::Client), keys(Side::Server));
            let mut payload = hex(CLIENT_HELLO);
            payload.resize(1162, 0);
            let packet = protected((&of_client, &of_server), 2, client_header, 18, &payload);
            assert_eq!(packet.len(), 1200);
            assert_ends(&packet, client[0], client[1]);
            let packet = protected((&of_server, &of_client), 1, server_header, 18, &hex(SERVER_HELLO));
            assert_eq!(packet, hex(server), "{version:?}");
        }
    }
}

/// RFC 9001 A.4, RFC 9369 A.4.
#[test]
fn retry() {
    for (version, packet) in [
        (Version::V1, "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba"),
        (Version::V2, "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6"),
    ] {
        let packet = hex(packet);
        let (front, tag) = packet.split_last_chunk::<16>().unwrap();
        assert_eq!(retry_tag(Provider::builtin(), version, CONNECTION_ID, front).unwrap(), *tag, "{version:?}");
        assert_ne!(retry_tag(Provider::builtin(), version, b"another", front).unwrap(), *tag);
        assert!(retry_tag(Provider::builtin(), version, &[0; 256], front).is_err());
    }
}

#[test]
fn versions_have_numbers() {
    for version in [Version::V1, Version::V2] {
        assert_eq!(Version::from_number(version.number()), Some(version));
    }
    assert_eq!([0, 2, 0xff00_001d].map(Version::from_number), [None; 3]);
}

/// RFC 9001 6.6, B.1, B.2.
#[test]
fn limits_are_those_of_the_aead() {
    let keys = Keys::initial(Provider::builtin(), Version::V1, CONNECTION_ID, Side::Client).unwrap();
    assert_eq!((keys.local.packet.confidentiality_limit(), keys.local.packet.integrity_limit()), (1 << 23, 1 << 52));
}

/// A packet that is too short for what is looked at is refused, whatever stands in it; one that was altered does not open.
#[test]
fn packets_that_cannot_be() {
    let keys = |side| Keys::initial(Provider::builtin(), Version::V1, CONNECTION_ID, side).unwrap();
    let (client, server) = (keys(Side::Client), keys(Side::Server));
    for len in 0..40 {
        let mut packet = vec![0xc3; len];
        for at in [0, 1, 18, 30, usize::MAX] {
            let fits = at.checked_add(HeaderKey::REACH).is_some_and(|reach| reach <= len);
            assert_eq!(client.local.header.protect(&mut packet, at).is_ok(), fits, "{at} of {len}");
            assert_eq!(client.local.header.unprotect(&mut packet, at).is_ok(), fits, "{at} of {len}");
        }
        assert_eq!(client.local.packet.seal(0, &mut packet, 18).is_ok(), len >= 18 + PacketKey::TAG_LEN);
        assert!(client.local.packet.open(0, &[], &mut packet).is_err());
    }
    let mut packet = vec![7; 60];
    client.local.packet.seal(5, &mut packet, 10).unwrap();
    for bit in 0..packet.len() * 8 {
        let mut altered = packet.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let (header, sealed) = altered.split_at_mut(10);
        assert!(server.remote.packet.open(5, header, sealed).is_err(), "bit {bit}");
    }
    let (header, sealed) = packet.split_at_mut(10);
    assert!(server.remote.packet.open(5 + (1 << 32), header, &mut sealed.to_vec()).is_err(), "another number");
    assert_eq!(server.remote.packet.open(5, header, sealed).unwrap(), 34);
}
