use super::decode::DecodeKind;
use super::extension::{self, certificate, early, ech, key_share, pre_shared_key};
use super::message::{
    ClientHello, ClientHelloView, ClientKeyExchange, Message, ServerKeyExchange, ServerKeyExchangeView,
};
use super::*;
use crate::code::{CertificateType, CipherSuite, ExtensionType, MaxFragmentLength, NamedGroup, ProtocolVersion};

/// Whether an extension of this type and body is read.
type Reads = fn(Extension<'_>) -> bool;

/// RFC 9846 3.4: an extension's body is what it says, and nothing behind that; nor less.
#[test]
fn every_extension_is_read_to_its_end() {
    use ExtensionType as T;
    let share = [&[0, 29, 0, 1][..], &[7]].concat();
    let cases: [(T, &[u8], Reads); 27] = [
        (T::SupportedGroups, &[0, 2, 0, 29], |e| extension::codes(e, "groups").is_ok()),
        (T::SignatureAlgorithms, &[0, 2, 4, 3], |e| extension::codes(e, "schemes").is_ok()),
        (T::EcPointFormats, &[1, 0], |e| extension::vec8(e, "formats").is_ok()),
        (T::PskKeyExchangeModes, &[1, 1], |e| pre_shared_key::modes(e).is_ok()),
        (T::ClientCertificateType, &[1, 2], |e| certificate::types(e).is_ok()),
        (T::MaxFragmentLength, &[1], |e| extension::max_fragment_length(e).is_ok()),
        (T::RecordSizeLimit, &[0, 64], |e| extension::record_size_limit(e).is_ok()),
        (T::SupportedVersions, &[2, 3, 4], |e| extension::supported_versions(e).is_ok()),
        (T::SupportedVersions, &[3, 4], |e| early::selected_version(e).is_ok()),
        (T::RenegotiationInfo, &[1, 9], |e| extension::renegotiation_info(e).is_ok()),
        (T::Alpn, &[0, 3, 2, b'h', b'2'], |e| extension::alpn(e).is_ok()),
        (T::Cookie, &[0, 1, 9], |e| early::cookie(e).is_ok()),
        (T::EarlyData, &[0, 0, 0, 9], |e| early::max_early_data(e).is_ok()),
        (T::KeyShare, &[&[0, 5][..], &share].concat(), |e| key_share::client(e).is_ok()),
        (T::KeyShare, &share, |e| key_share::server(e).is_ok()),
        (T::KeyShare, &[0, 29], |e| key_share::retry(e).is_ok()),
        (T::PreSharedKey, &[0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 2, 1, 9], |e| pre_shared_key::offered(e).is_ok()),
        (T::PreSharedKey, &[0, 1], |e| pre_shared_key::selected(e).is_ok()),
        (T::ServerName, &[0, 4, 0, 0, 1, b'a'], |e| extension::server_name(e).is_ok()),
        (T::StatusRequest, &[1, 0, 3, 0, 1, 9, 0, 0], |e| extension::status_request(e).is_ok()),
        (T::StatusRequest, &[1, 0, 0, 1, 9], |e| certificate::status(e).is_ok()),
        (T::CompressCertificate, &[2, 0, 1], |e| certificate::compression(e).is_ok()),
        (T::SignedCertificateTimestamp, &[0, 3, 0, 1, 9], |e| certificate::timestamps(e).is_ok()),
        (T::EncryptedClientHello, &[0, 0, 1, 0, 1, 7, 0, 1, 9, 0, 1, 9], |e| ech::client(e).is_ok()),
        (T::EncryptedClientHello, &[1], |e| ech::client(e).is_ok()),
        (T::EncryptedClientHello, &[1, 2, 3, 4, 5, 6, 7, 8], |e| ech::confirmation(e).is_ok()),
        (T::EncryptedClientHello, &[0, 1, 9], |e| ech::retry_configs(e).is_ok()),
    ];
    for (typ, body, reads) in cases {
        assert!(reads(Extension::new(typ, body, 0)), "{typ}");
        assert!(!reads(Extension::new(typ, &[body, &[0]].concat(), 0)), "{typ} with a byte behind it");
        for len in 0..body.len() {
            assert!(!reads(Extension::new(typ, &body[..len], 0)), "{typ} cut to {len}");
        }
    }
    let authorities = Extension::new(T::CertificateAuthorities, &[0, 3, 0, 1, 9], 0);
    assert_eq!(certificate::authorities(authorities).unwrap().iter().collect::<Vec<_>>(), [&[9]]);
    let longer = Extension::new(T::CertificateAuthorities, &[0, 3, 0, 1, 9, 0], 0);
    assert!(certificate::authorities(longer).is_err());
    let selected = |body: &[u8]| certificate::selected_type(Extension::new(T::ServerCertificateType, body, 0)).ok();
    assert_eq!([selected(&[2]), selected(&[2, 0]), selected(&[])], [Some(CertificateType(2)), None, None]);
    assert!(extension::flag(Extension::new(T::EarlyData, &[], 0), "flag").unwrap());
    assert!(extension::flag(Extension::new(T::EarlyData, &[0], 0), "flag").is_err());
}

#[test]
fn values_that_have_no_meaning_are_refused() {
    let limit =
        |n: u16| extension::record_size_limit(Extension::new(ExtensionType::RecordSizeLimit, &n.to_be_bytes(), 0));
    assert_eq!((limit(64), limit(0xffff)), (Ok(64), Ok(0xffff)));
    assert_eq!(limit(63).unwrap_err().kind, DecodeKind::IllegalValue(63));
    for code in [0, 1, 4, 5] {
        let e = Extension::new(ExtensionType::MaxFragmentLength, core::slice::from_ref(&code), 0);
        let wanted = (1..=4).contains(&code).then_some(MaxFragmentLength(code));
        assert_eq!(extension::max_fragment_length(e).ok(), wanted);
    }
    let compression = |body: &[u8]| {
        certificate::compression(Extension::new(ExtensionType::CompressCertificate, body, 0))
            .map(|list| list.iter().count())
    };
    assert_eq!(compression(&[4, 0, 1, 0, 2]), Ok(2));
    assert_eq!(compression(&[6, 0, 1, 0, 2, 0, 1]).unwrap_err().kind, DecodeKind::Duplicate(1));
    assert!(compression(&[3, 0, 1, 0]).is_err(), "an odd list");
    // RFC 6066 3: names of other types are passed over, and one host is enough.
    let name = |list: &[u8]| {
        let length = u16::try_from(list.len()).unwrap().to_be_bytes();
        let body = [&length[..], list].concat();
        extension::server_name(Extension::new(ExtensionType::ServerName, &body, 0)).map(|name| name.map(<[u8]>::to_vec))
    };
    assert_eq!(name(&[1, 0, 1, 9, 0, 0, 1, b'a', 2, 0, 0]), Ok(Some(b"a".to_vec())));
    assert_eq!(name(&[1, 0, 1, 9]), Ok(None));
    assert_eq!(name(&[0, 0, 1, b'a', 0, 0, 1, b'b']).unwrap_err().kind, DecodeKind::Duplicate(0));
    assert_eq!(name(&[0, 0, 1, 0]).unwrap_err().kind, DecodeKind::IllegalValue(0));
    assert!(name(&[0, 0, 0]).is_err(), "an empty name");
    for (length, good) in [(255_u16, true), (256, false)] {
        let host = [&[0][..], &length.to_be_bytes(), &vec![b'a'; length.into()]].concat();
        assert_eq!(name(&host).is_ok(), good, "{length}");
    }
    let asks = |body: &[u8]| extension::status_request(Extension::new(ExtensionType::StatusRequest, body, 0));
    assert_eq!((asks(&[2, 9, 9]), asks(&[1, 0, 0, 0, 0])), (Ok(false), Ok(true)));
    assert!(asks(&[1, 0, 2, 0, 0, 0, 0]).is_err(), "a responder without a name");
}

/// More of them than a table on the stack has, with one that is there twice at each place.
#[test]
fn an_extension_or_a_share_is_there_once_however_many_there_are() {
    for count in [1_u16, 2, 63, 64, 65, 66, 200] {
        for again in [None, Some(0), Some(count / 2), Some(count - 1)] {
            let types = (0..count).map(|n| 0x0100 + n).chain(again.map(|n| 0x0100 + n));
            let mut block = Vec::new();
            Writer::write(&mut block, |w| {
                w.vec16(|w| types.clone().for_each(|t| w.extension(ExtensionType(t), |_| ())));
            })
            .unwrap();
            let read = Extensions::read(&mut Reader::new(&block), false);
            let wanted = again.map(|n| DecodeKind::DuplicateExtension(0x0100 + n));
            assert_eq!(read.err().map(|error| error.kind), wanted, "{count} {again:?}");
            if let Ok(all) = read {
                assert_eq!((all.iter().count(), all.last()), (count.into(), Some(ExtensionType(0x0100 + count - 1))));
                assert_eq!(all.find(ExtensionType(0x0100)).map(|e| e.offset), Some(6));
                assert!(all.find(ExtensionType(0x0fff)).is_none() && all.bytes().len() + 2 == block.len());
            }
            let mut body = Vec::new();
            Writer::write(&mut body, |w| {
                w.vec16(|w| {
                    types.for_each(|t| {
                        w.u16(t);
                        w.vec16(|w| w.u8(9));
                    });
                });
            })
            .unwrap();
            let read = key_share::client(Extension::new(ExtensionType::KeyShare, &body, 0));
            let wanted = again.map(|n| DecodeKind::Duplicate(u32::from(0x0100 + n)));
            assert_eq!(read.err().map(|error| error.kind), wanted, "{count} {again:?}");
            if let Ok(all) = read {
                assert_eq!(all.iter().count(), usize::from(count));
            }
        }
    }
    assert_eq!(Extensions::read(&mut Reader::new(&[]), true).unwrap().iter().count(), 0);
    assert!(Extensions::read(&mut Reader::new(&[]), false).is_err());
}

/// RFC 5246 7.4.3, 7.4.7: a key exchange is what its suite says, and nothing behind it.
#[test]
fn a_key_exchange_is_read_to_its_end() {
    let signature = [4, 3, 0, 1, 8];
    let ecdh = [&[3, 0, 29, 1, 7][..], &signature].concat();
    let dh = [&[0, 1, 23, 0, 1, 2, 0, 1, 9][..], &signature].concat();
    let view = |bytes: &[u8], ecdhe: bool| {
        let view = ServerKeyExchangeView::new(Reader::new(bytes));
        if ecdhe { view.ecdh().map(|_| ()) } else { view.dh().map(|_| ()) }
    };
    for (body, ecdhe) in [(&ecdh, true), (&dh, false)] {
        assert_eq!(view(body, ecdhe), Ok(()));
        assert_eq!(view(&[&body[..], &[0]].concat(), ecdhe).unwrap_err().kind, DecodeKind::TrailingData(1));
        assert!((0..body.len()).all(|len| view(&body[..len], ecdhe).is_err()));
    }
    let read = ServerKeyExchangeView::new(Reader::new(&ecdh)).ecdh().unwrap();
    assert_eq!((read.group, read.public, read.signed), (NamedGroup::X25519, &[7][..], &ecdh[..5]));
    let read = ServerKeyExchangeView::new(Reader::new(&dh)).dh().unwrap();
    assert_eq!((read.p, read.g, read.public, read.signed), (&[23][..], &[2][..], &[9][..], &dh[..9]));
    assert_eq!(view(&[1, 0, 29, 1, 7, 4, 3, 0, 1, 8], true).unwrap_err().kind, DecodeKind::IllegalValue(1));
    let whole = ServerKeyExchange::parse(&mut Reader::new(&ecdh)).unwrap();
    assert!(whole.ecdh().is_ok());
    let client = |bytes: &'static [u8]| ClientKeyExchange::parse(&mut Reader::new(bytes)).unwrap();
    assert_eq!((client(&[1, 9]).point(), client(&[0, 1, 9]).long("value")), (Ok(&[9][..]), Ok(&[9][..])));
    for (bad, point) in
        [(&[1, 9, 0][..], true), (&[0], true), (&[2, 9], true), (&[0, 1, 9, 0], false), (&[0, 0], false)]
    {
        let read = if point { client(bad).point() } else { client(bad).long("value") };
        assert!(read.is_err(), "{bad:?}");
    }
}

#[test]
fn a_hello_is_written_as_it_is_read() {
    let session_id = [5; 32];
    let body = |id: &[u8], extensions: &[u8]| {
        [&[3, 3][..], &[7; 32], &[u8::try_from(id.len()).unwrap()], id, &[0, 4, 0x13, 1, 0x13, 2, 2, 1, 0], extensions]
            .concat()
    };
    for extensions in [&[][..], &[0, 4, 0, 10, 0, 0]] {
        for id in [&[][..], &session_id] {
            let bytes = body(id, extensions);
            let mut r = Reader::new(&bytes);
            let read: ClientHelloView<'_> = ClientHello::parse(&mut r).unwrap();
            assert!(r.is_empty() && read.version == ProtocolVersion::Tls12 && read.compression == [1, 0]);
            assert_eq!(read.suites.iter().map(CipherSuite).collect::<Vec<_>>()[1], CipherSuite(0x1302));
            assert!(read.suites.contains(0x1301) && !read.suites.contains(0x1303) && !read.suites.is_empty());
            let mut written = Vec::new();
            Writer::write(&mut written, |w| read.encode(w)).unwrap();
            assert_eq!(written, bytes);
        }
    }
    let long = body(&[5; 33], &[]);
    assert_eq!(ClientHello::parse(&mut Reader::new(&long)).unwrap_err().kind, DecodeKind::BadLength(33));
}

#[test]
fn a_reader_says_what_it_missed_and_where() {
    let bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let mut r = Reader::at(&bytes, 100);
    assert_eq!((r.u8("a"), r.u16("b"), r.u24("c"), r.u32("d")), (Ok(1), Ok(0x0203), Ok(0x0004_0506), Ok(0x0708_090a)));
    let missed = r.u8("e").unwrap_err();
    assert_eq!((missed.what, missed.kind, missed.offset), ("e", DecodeKind::Truncated, 110));
    assert_eq!(missed.to_string(), "e is cut short at byte 110");
    let mut r = Reader::new(&[2, 8, 9, 7]);
    let inner = r.vec8("list").unwrap();
    assert_eq!((inner.rest(), inner.offset(), r.offset()), (&[8, 9][..], 1, 3));
    assert_eq!(inner.finish("list").unwrap_err().kind, DecodeKind::TrailingData(2));
    assert_eq!(Reader::new(&[]).non_empty("x").unwrap_err().kind, DecodeKind::Empty);
    assert!(Reader::new(&[0, 0, 1]).vec24("x").is_err() && Reader::new(&[0, 1]).vec16("x").is_err());
    assert_eq!(Reader::new(&[0, 0, 1, 9]).vec24("x").unwrap().rest(), [9]);
    let mut written = Vec::new();
    Writer::write(&mut written, |w| {
        w.vec16_or_nothing(|_| ());
        w.u8(9);
        w.vec16_or_nothing(|w| w.u8(8));
        w.vec16(|_| ());
    })
    .unwrap();
    assert_eq!(written, [9, 0, 1, 8, 0, 0]);
}
