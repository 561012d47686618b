//! What a client says after the server's flight, and that a server must refuse, each with the alert that its RFC asks for.
#![cfg(feature = "legacy")]
#![allow(clippy::unwrap_used)]

mod flights;

use clasp::suite::Kx;
use clasp::wire::code::AlertDescription as Alert;
use flights::replied::*;
use flights::*;

#[test]
fn honest_replies_are_taken() {
    for kx in [Kx::Ecdhe, Kx::Rsa, Kx::Dhe] {
        assert_eq!(Replied::new(TLS12, kx).outcome(), None);
    }
    assert_eq!(Replied::new(TLS13, Kx::Ecdhe).outcome(), None);
}

/// RFC 5246 7.4.7, RFC 8422 5.7.
#[test]
fn client_key_exchange() {
    let of = |kx, change: &dyn Fn(&mut Vec<u8>)| Replied::new(TLS12, kx).change(CLIENT_KEY_EXCHANGE, change).outcome();
    for kx in [Kx::Ecdhe, Kx::Rsa, Kx::Dhe] {
        assert_eq!(of(kx, &Vec::clear), Some("decode_error"), "nothing");
        assert_eq!(of(kx, &|b| b.push(0)), Some("decode_error"), "a byte behind");
        assert_eq!(of(kx, &|b| b.truncate(b.len() - 1)), Some("decode_error"), "a byte too few");
    }
    assert_eq!(of(Kx::Ecdhe, &|b| *b = vec![0]), Some("decode_error"), "an empty point");
    assert_eq!(of(Kx::Ecdhe, &|b| *b = vec![1, 7]), Some("illegal_parameter"), "a short point");
    for kx in [Kx::Rsa, Kx::Dhe] {
        assert_eq!(of(kx, &|b| *b = vec![0, 0]), Some("decode_error"), "an empty value");
    }
}

/// RFC 5246 7.4.6, 7.4.8; RFC 9846 4.4.2, 4.4.3, 4.2.
#[test]
fn certificates_and_their_proofs() {
    for version in [TLS12, TLS13] {
        let of = |kind, change: &dyn Fn(&mut Vec<u8>)| Replied::new(version, Kx::Ecdhe).change(kind, change);
        let verify = |name, change: &dyn Fn(&mut Vec<u8>), alert| of(CERTIFICATE_VERIFY, change).refused(name, alert);
        verify("SHA-1", &|b| b[..2].copy_from_slice(&[2, 3]), Alert::IllegalParameter);
        verify("a scheme for RSA", &|b| b[..2].copy_from_slice(&[8, 4]), Alert::IllegalParameter);
        verify("PKCS #1", &|b| b[..2].copy_from_slice(&[4, 1]), Alert::IllegalParameter);
        verify("an unknown scheme", &|b| b[..2].copy_from_slice(&[0x5a, 0x5a]), Alert::IllegalParameter);
        verify("no signature", &|b| *b = [&b[..2], &[0, 0]].concat(), Alert::DecryptError);
        verify("a byte behind", &|b| b.push(0), Alert::DecodeError);
        verify("nothing", &Vec::clear, Alert::DecodeError);
        let shown = |name, change: &dyn Fn(&mut Vec<u8>), alert| of(CERTIFICATE, change).refused(name, alert);
        shown("a byte behind", &|b| b.push(0), Alert::DecodeError);
        shown("nothing", &Vec::clear, Alert::DecodeError);
        shown("a list cut short", &|b| b.truncate(b.len() - 1), Alert::DecodeError);
    }
    let shown = |name, change: &dyn Fn(&mut Vec<u8>), alert| {
        Replied::new(TLS13, Kx::Ecdhe).change(CERTIFICATE, change).refused(name, alert);
    };
    shown("a context", &|b| drop(b.splice(0..1, [1, 7])), Alert::IllegalParameter);
    let entry = |extensions: &[u8]| {
        let certificate = &CLIENT.chain[0];
        let length = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
        let block = u16::try_from(extensions.len()).unwrap().to_be_bytes();
        let list = [&length(certificate.len())[..], certificate, &block, extensions].concat();
        [&[0], &length(list.len())[..], &list].concat()
    };
    shown("a staple not asked for", &|b| *b = entry(&[0, 5, 0, 0]), Alert::UnsupportedExtension);
    shown("an unknown extension", &|b| *b = entry(&[0x5a, 0x5a, 0, 0]), Alert::UnsupportedExtension);
    shown("an extension out of place", &|b| *b = entry(&[0, 51, 0, 0]), Alert::IllegalParameter);
    shown("an extension twice", &|b| *b = entry(&[0, 5, 0, 0, 0, 5, 0, 0]), Alert::DecodeError);
    shown("half an extension", &|b| *b = entry(&[0, 5, 0]), Alert::DecodeError);
}

/// RFC 5246 7.4.9, RFC 9846 4.4.4.
#[test]
fn finished() {
    for version in [TLS12, TLS13] {
        let of = |change: &dyn Fn(&mut Vec<u8>)| Replied::new(version, Kx::Ecdhe).change(FINISHED, change).outcome();
        assert_eq!(of(&|b| b[0] ^= 1), Some("decrypt_error"));
        assert_eq!(of(&|b| b.push(0)), Some("decode_error"));
        assert_eq!(of(&|b| b.truncate(b.len() - 1)), Some("decode_error"));
        assert_eq!(of(&Vec::clear), Some("decode_error"));
    }
}
