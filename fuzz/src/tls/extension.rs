//! Every extension's body, and the block they stand in: what is read is written again as it was.

use crate::input::Input;
use clasp::wire::code::{CertificateType, CompressionAlgorithm, ExtensionType, PskKeyExchangeMode};
use clasp::wire::extension::{self, certificate, early, key_share, pre_shared_key};
use clasp::wire::{Extension, Extensions, Parsed, Reader, Writer};

/// Reads the bytes as a body of one kind.
type Kind = fn(Extension<'_>);

/// The place of a kind is what a seed begins with: a new one stands at the end.
const KINDS: &[Kind] = &[
    |e| {
        again(e, extension::server_name(e), |name, w| match name.and_then(|name| core::str::from_utf8(name).ok()) {
            // Three lengths, a type and the name; names of other types may stand beside it.
            Some(name) if e.body.len() == 5 + name.len() => extension::write_server_name(name, w),
            _ => as_it_was(e, w),
        })
    },
    |e| again(e, extension::codes(e, "codes"), |list, w| extension::write_codes(e.typ, list.iter(), w)),
    |e| again(e, extension::vec8(e, "list"), |list, w| w.extension(e.typ, |w| w.vec8(|w| w.bytes(list)))),
    |e| again(e, extension::empty(e, "empty"), |(), w| w.extension(e.typ, |_| ())),
    |e| again(e, extension::alpn(e), |list, w| extension::write_alpn(&list.iter().collect::<Vec<_>>(), w)),
    |e| look(extension::status_request(e), |_| ()),
    |e| again(e, extension::max_fragment_length(e), |code, w| w.extension(e.typ, |w| w.u8(code.0))),
    |e| again(e, extension::record_size_limit(e), |limit, w| w.extension(e.typ, |w| w.u16(limit))),
    |e| again(e, extension::supported_versions(e), |list, w| early::write_versions(list.iter(), w)),
    |e| again(e, extension::renegotiation_info(e), |info, w| w.extension(e.typ, |w| w.vec8(|w| w.bytes(info)))),
    |e| again(e, key_share::client(e), |list, w| key_share::write_client(list.iter(), w)),
    |e| again(e, key_share::server(e), key_share::write_server),
    |e| again(e, key_share::retry(e), key_share::write_retry),
    |e| {
        look(pre_shared_key::offered(e), |offer| {
            let (identities, binders) = (offer.identities().count(), offer.binders().count());
            assert!(identities > 0 && binders > 0 && offer.binders_len <= e.body.len());
        })
    },
    |e| again(e, pre_shared_key::selected(e), pre_shared_key::write_selected),
    |e| {
        again(e, pre_shared_key::modes(e), |modes, w| {
            let modes: Vec<PskKeyExchangeMode> = modes.iter().map(|m| PskKeyExchangeMode(*m)).collect();
            pre_shared_key::write_modes(&modes, w);
        })
    },
    |e| {
        again(e, certificate::compression(e), |list, w| {
            certificate::write_compression(list.iter().map(CompressionAlgorithm), w);
        })
    },
    |e| {
        again(e, certificate::authorities(e), |list, w| {
            certificate::write_authorities(&list.iter().collect::<Vec<_>>(), w);
        })
    },
    |e| {
        again(e, certificate::types(e), |types, w| {
            let types: Vec<CertificateType> = types.iter().map(|t| CertificateType(*t)).collect();
            certificate::write_types(e.typ, &types, w);
        })
    },
    |e| again(e, certificate::selected_type(e), |one, w| w.extension(e.typ, |w| w.u8(one.0))),
    |e| again(e, certificate::status(e), certificate::write_status),
    |e| again(e, certificate::timestamps(e), |list, w| w.extension(e.typ, |w| w.bytes(list))),
    |e| again(e, early::selected_version(e), early::write_selected_version),
    |e| again(e, early::cookie(e), early::write_cookie),
    |e| again(e, early::max_early_data(e), |max, w| w.extension(e.typ, |w| w.u32(max))),
];

/// What the first byte chooses behind all kinds: a block of extensions.
pub(crate) const BLOCK: usize = KINDS.len();

/// The first byte chooses what the rest is read as.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.below(BLOCK + 1);
    let body = input.take(usize::from(u16::MAX) - 4);
    match KINDS.get(kind) {
        Some(kind) => kind(Extension::new(ExtensionType(0xfafa), body, 0)),
        None => block(body),
    }
}

/// A block of extensions: each stands where it says, and no type twice.
fn block(bytes: &[u8]) {
    for optional in [true, false] {
        let mut r = Reader::new(bytes);
        let Ok(extensions) = Extensions::read(&mut r, optional) else { continue };
        let mut seen = Vec::new();
        for e in extensions.iter() {
            assert_eq!(&bytes[e.offset..][..e.body.len()], e.body);
            assert!(!seen.contains(&e.typ), "{} stands twice", e.typ);
            seen.push(e.typ);
            assert_eq!(extensions.find(e.typ), Some(e));
        }
        assert_eq!(extensions.last(), seen.last().copied());
    }
}

fn look<T>(read: Parsed<T>, look: impl FnOnce(T)) {
    match read {
        Ok(value) => look(value),
        Err(error) => assert!(error.alert().is_known(), "{error}"),
    }
}

/// Writes what was read, and compares bodies.
fn again<T>(e: Extension<'_>, read: Parsed<T>, write: impl FnOnce(T, &mut Writer<'_>)) {
    look(read, |value| {
        let mut written = Vec::new();
        Writer::write(&mut written, |w| write(value, w)).expect("what was read fits what it was read from");
        assert_eq!(&written[4..], e.body);
    });
}

fn as_it_was(e: Extension<'_>, w: &mut Writer<'_>) {
    w.extension(e.typ, |w| w.bytes(e.body));
}
