//! Names: distinguished names compared, server names matched.

use super::certificate::{look, short};
use super::made;
use crate::input::Input;
use clasp_x509::{Certificate, Name};
use rustls_pki_types::ServerName;

/// Two distinguished names of strings, and a list of subjectAltNames.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let raw = Name(input.0);
    short(&raw.to_string());
    assert!(raw.is_same(raw));
    let (a, b) = (distinguished(&mut input), distinguished(&mut input));
    let (one, other) = (Name(&a), Name(&b));
    assert!(one.is_same(one));
    assert_eq!(one.is_same(other), other.is_same(one));
    // The same for a third that is one of them: sameness is carried on.
    assert!(!one.is_same(other) || raw.is_same(one) == raw.is_same(other));
    short(&one.to_string());

    let host = input.short();
    let alt_names = made::tlv(0x30, input.0);
    let mut draft = made::Draft::new(a, &made::Key::seeded(2), Some(super::authority()));
    draft.set(made::SAN, false, alt_names);
    let der = made::seq(&[&draft.tbs(), &draft.algorithm, &made::bit_string(&[0; 64])]);
    let Ok(certificate) = Certificate::parse(&der) else { return };
    look(&certificate);
    let Ok(host) = core::str::from_utf8(host) else { return };
    let Ok(wanted) = ServerName::try_from(host) else { return };
    if certificate.is_for(&wanted) {
        let named = certificate.alt_names().any(|name| {
            let name = name.to_string();
            let base = name.strip_prefix("*.").unwrap_or(&name).to_ascii_lowercase();
            let host = wanted.to_str().to_ascii_lowercase();
            host.trim_end_matches('.').ends_with(base.trim_end_matches('.'))
        });
        assert!(named, "{host} is in none of its names");
    }
}

/// A name of one to three attributes whose strings are the fuzzer's.
fn distinguished(input: &mut Input<'_>) -> Vec<u8> {
    const STRINGS: [u8; 8] = [0x0c, 0x13, 0x14, 0x16, 0x1e, 0x1c, 0x12, 0x04];
    let mut rdns = Vec::new();
    for _ in 0..=input.below(3) {
        let mut set = Vec::new();
        for _ in 0..=input.below(2) {
            let kind = STRINGS[input.below(STRINGS.len())];
            set.extend(made::seq(&[&made::oid(&[0x55, 4, input.byte() & 0x7f]), &made::tlv(kind, input.short())]));
        }
        rdns.extend(made::tlv(0x31, &set));
    }
    made::tlv(0x30, &rdns)
}
