//! The table as a table, and that an extension is added by one file and one row. What each does to a connection is in
//! `tests/extension_places.rs`.

use super::toy::TOY;
use super::*;
use crate::code::{CertificateType, ProtocolVersion};
use crate::config::{ClientConfig, Identity, ServerConfig};
use crate::error::{Cause, Error, PeerError};
use crate::handshake::hello::ClientOffer;
use crate::handshake::offer::Offered;
use crate::suite::SUITES13;
use crate::wire::{Extensions, Reader, Writer};

/// The real table with one row more, before the last.
static WITH_TOY: Table<{ ROWS.len() + 1 }> = Table::new(with_toy(), &ORDER);

const fn with_toy() -> [&'static Row; ROWS.len() + 1] {
    let mut rows = [ROWS[ROWS.len() - 1]; ROWS.len() + 1];
    let mut n = 0;
    while n < ROWS.len() - 1 {
        rows[n] = ROWS[n];
        n += 1;
    }
    rows[n] = &toy::ROW;
    rows
}

#[test]
fn every_known_extension_has_a_row_and_no_other() {
    for typ in (0..=u16::MAX).map(ExtensionType) {
        assert_eq!(TABLE.row(typ).map(|row| row.typ), typ.is_known().then_some(typ), "{typ}");
        assert_eq!(WITH_TOY.row(typ).is_some(), typ.is_known() || typ == TOY, "{typ}");
    }
}

fn client() -> std::sync::Arc<ClientConfig> {
    ClientConfig::builder().dangerous_trust_anyone().build().unwrap()
}

fn server() -> std::sync::Arc<ServerConfig> {
    let key = rcgen::KeyPair::generate().unwrap();
    let der = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap();
    let identity = Identity::from_der(vec![der.der().clone()], &key.serialize_der()).unwrap();
    ServerConfig::builder().identity(identity).build().unwrap()
}

/// A block as `body` writes it, with its length.
fn block(body: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut block = Vec::new();
    Writer::write(&mut block, |w| w.vec16(body)).unwrap();
    block
}

fn read(block: &[u8]) -> Extensions<'_> {
    Extensions::read(&mut Reader::new(block), false).unwrap()
}

fn types(block: &[u8]) -> Vec<ExtensionType> {
    read(block).iter().map(|e| e.typ).collect()
}

#[test]
fn one_file_and_one_row_make_an_extension() {
    let (client, server) = (client(), server());
    let offered = Offered::longest(&client);

    // It is offered, behind those that come before it in the table.
    let hello = block(|w| WITH_TOY.offer(&client, &offered, w));
    let mut others = types(&hello);
    let place = others.iter().position(|typ| *typ == TOY).unwrap();
    others.remove(place);
    assert_eq!(others, types(&block(|w| TABLE.offer(&client, &offered, w))));

    // A server reads it, or misses it, or says what is wrong with it.
    let mut offer = ClientOffer::default();
    let missed = WITH_TOY.check_offers(&server, &offer, ProtocolVersion::Tls12);
    assert_eq!(missed.unwrap_err().cause(), &Cause::Peer(PeerError::MissingExtension));
    WITH_TOY.read_offers(&mut offer, read(&hello)).unwrap();
    WITH_TOY.check_offers(&server, &offer, ProtocolVersion::Tls12).unwrap();
    for (body, decode) in [(&[7, 7][..], true), (&[], true), (&[8], false)] {
        let bad = block(|w| w.extension(TOY, |w| w.bytes(body)));
        let error = WITH_TOY.read_offers(&mut ClientOffer::default(), read(&bad)).unwrap_err();
        assert_eq!(matches!(error.cause(), Cause::Decode(_)), decode, "{error}");
        assert_eq!((error.place().extension, error.place().message), (Some(TOY), Some("ClientHello")));
    }
    WITH_TOY.read_offers(&mut offer, read(&hello)).unwrap();

    // It is answered, and the answer is read; one who does not know it has not asked.
    let answer = ServerResponse {
        config: &server,
        offer: &offer,
        suite12: None,
        resumed: false,
        alpn: None,
        server_type: CertificateType::X509,
        client_type: None,
        said12: Said12::default(),
        said13: Said13::default(),
    };
    let extensions = block(|w| WITH_TOY.answer(&answer, w));
    assert_eq!(types(&extensions).last(), Some(&TOY), "what ORDER does not name stands behind");
    let asked = Asked { config: &client, offered: &offered, suite12: None };
    let alone = block(|w| w.extension(TOY, |w| w.u8(7)));
    WITH_TOY.read_answers(&asked, read(&alone)).unwrap();
    let cause = |error: Error| error.cause().clone();
    let unasked = TABLE.read_answers(&asked, read(&alone)).map(drop).map_err(cause);
    assert_eq!(unasked, Err(Cause::Peer(PeerError::UnsolicitedExtension)));

    // Nowhere else may it stand.
    let elsewhere = WITH_TOY.read_hello13(&client, &offered, &SUITES13[0], read(&alone)).map(drop).map_err(cause);
    assert_eq!(elsewhere, Err(Cause::Peer(PeerError::ExtensionNotAllowed)));
    let elsewhere = WITH_TOY.read_ticket(read(&alone)).map(drop).map_err(cause);
    assert_eq!(elsewhere, Err(Cause::Peer(PeerError::ExtensionNotAllowed)));
    assert_eq!(TABLE.read_ticket(read(&alone)).map_err(cause), Ok(0), "what is not known is passed over");
}
