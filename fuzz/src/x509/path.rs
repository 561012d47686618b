//! Whole paths with signatures that hold: the fuzzer says what the certificates are, who issued them and what their
//! extensions have, and they are then signed as it says. A path that is accepted is held against a model that knows
//! nothing of how it was found.

use super::chain::told;
use super::made::{self, Draft, Key, Made};
use crate::input::Input;
use clasp_x509::{Accepted, Options, PolicyInputs, Profile, Rejection, Roots, Usage, verify};
use rustls_pki_types::ServerName;

/// Keys and names there are; the first of each is the root's.
const KEYS: u8 = 5;
const NAMES: [&str; 5] = ["root", "one", "two", "three", "example.com"];

const EXTENSIONS: [&[u8]; 14] = [
    made::SAN,
    made::EKU,
    made::KEY_USAGE,
    made::NAME_CONSTRAINTS,
    made::POLICIES,
    made::MAPPINGS,
    made::POLICY_CONSTRAINTS,
    made::INHIBIT_ANY,
    made::BASIC_CONSTRAINTS,
    made::AKI,
    made::SKI,
    made::TLS_FEATURE,
    made::CRL_POINTS,
    &[0x2a, 3, 4],
];

/// What the model knows of a certificate.
#[derive(Clone, Copy, Debug)]
struct Model {
    subject: usize,
    issuer: usize,
    key: u8,
    signer: u8,
    authority: bool,
    length: Option<u8>,
    in_time: bool,
    /// An extension is not what it was made, or more than it: the model does not know its authority.
    changed: bool,
}

/// Makes the certificates, and checks them in every profile and in two orders.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let settings = input.byte();
    let mut models = Vec::new();
    let mut chain: Vec<Vec<u8>> = Vec::new();
    while !input.is_empty() && chain.len() < 7 {
        let (model, der) = make(&mut input, chain.is_empty());
        models.push(model);
        chain.push(der);
    }
    let mut roots = Roots::empty();
    roots.add_der(&super::authority().der).expect("our own authority");
    let host = ServerName::try_from("example.com").expect("a name");
    let usage = [Usage::Server, Usage::Client, Usage::Any][usize::from(settings) % 3];
    let presented: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let mut verdicts = Vec::new();
    for profile in Profile::ALL {
        let mut options = Options::new(made::at(made::NOW), usage).profile(profile).name(&host);
        options.policies = PolicyInputs {
            require_explicit: settings & 0x80 != 0,
            inhibit_mapping: settings & 0x40 != 0,
            inhibit_any: settings & 0x20 != 0,
            ..PolicyInputs::default()
        };
        let verdict = verify(&presented, &roots, &options);
        match &verdict {
            Ok(accepted) => sound(accepted, &models),
            Err(rejection) => told(rejection),
        }
        any_order(&presented, &roots, &options, &verdict);
        verdicts.push(verdict.is_ok());
    }
    // Each profile takes what the stricter ones take.
    assert!(verdicts.is_sorted(), "web-pki, rfc5280, legacy: {verdicts:?}");
}

fn make(input: &mut Input<'_>, leaf: bool) -> (Model, Vec<u8>) {
    let mut model = Model {
        subject: if leaf { 4 } else { input.below(NAMES.len()) },
        issuer: input.below(NAMES.len()),
        key: input.byte() % KEYS + 1,
        signer: input.byte() % KEYS + 1,
        authority: !leaf,
        length: None,
        in_time: true,
        changed: false,
    };
    let key = Key::seeded(model.key);
    let signer = Made { der: Vec::new(), subject: made::name(NAMES[model.issuer]), key: Key::seeded(model.signer) };
    let mut draft = Draft::new(made::name(NAMES[model.subject]), &key, Some(&signer));
    if leaf {
        let names = made::names(&[made::dns("example.com")]);
        draft.set(made::KEY_USAGE, true, made::usage(0x80)).set(made::SAN, false, names);
        let purposes = [made::oid(made::SERVER_AUTH), made::oid(made::CLIENT_AUTH)];
        draft.set(made::EKU, false, made::seq(&[&purposes.concat()]));
    } else {
        draft.set(made::BASIC_CONSTRAINTS, true, made::seq(&[&[1, 1, 0xff]])).set(
            made::KEY_USAGE,
            true,
            made::usage(6),
        );
    }
    for _ in 0..input.below(6) {
        change(input, &mut draft, &mut model);
    }
    (model, Made::of(&draft, key, Some(&signer)).der)
}

fn change(input: &mut Input<'_>, draft: &mut Draft, model: &mut Model) {
    match input.below(8) {
        0 => {
            model.length = Some(input.byte() % 4);
            draft.set(made::BASIC_CONSTRAINTS, true, made::path_length(model.length.unwrap_or(0)));
            model.authority = true;
        }
        1 => {
            draft.set(made::BASIC_CONSTRAINTS, true, made::seq(&[]));
            (model.authority, model.length) = (false, None);
        }
        2 => {
            let past = input.flag();
            let (from, to) = if past { ("200101000000Z", "210101000000Z") } else { ("400101000000Z", "410101000000Z") };
            draft.validity = made::seq(&[&made::utc(from), &made::utc(to)]);
            model.in_time = false;
        }
        3 => {
            draft.without(EXTENSIONS[input.below(EXTENSIONS.len())]);
            model.changed = true;
        }
        4 => draft.serial = input.short().to_vec(),
        // Well-formed constraints, so that their rules are met and not their reader alone.
        5 => {
            let kind = [0x82, 0x81, 0x86, 0x87, 0xa4][input.below(5)];
            let tree = made::tlv(kind, input.short());
            let (permitted, excluded) = if input.flag() { (vec![tree], vec![]) } else { (vec![], vec![tree]) };
            draft.set(made::NAME_CONSTRAINTS, true, made::subtrees(&permitted, &excluded));
        }
        6 => {
            let (n, m) = (input.byte() % 4, input.byte() % 4);
            let policy = |n: u8| if n == 0 { vec![0x55, 0x1d, 0x20, 0] } else { vec![0x2a, 3, n] };
            if input.flag() {
                draft.set(made::POLICIES, false, made::seq(&[&made::seq(&[&made::oid(&policy(n))])]));
            } else {
                let pair = made::seq(&[&made::oid(&policy(n)), &made::oid(&policy(m))]);
                draft.set(made::MAPPINGS, false, made::seq(&[&pair]));
            }
        }
        _ => {
            let id = EXTENSIONS[input.below(EXTENSIONS.len())];
            let critical = input.flag();
            draft.set(id, critical, input.short().to_vec());
            model.changed = true;
        }
    }
}

/// RFC 5280 6.1 in the few lines of it that a model can tell: names and keys fit, every issuer is an authority, nothing
/// is out of date, path lengths hold.
fn sound(accepted: &Accepted<'_>, models: &[Model]) {
    let path: Vec<Model> = accepted.path().iter().map(|at| models[*at]).collect();
    let (mut name, mut key) = (0, 1);
    let mut room = u32::MAX;
    for (height, certificate) in path.iter().enumerate().rev() {
        assert_eq!((certificate.issuer, certificate.signer), (name, key), "a link that does not fit: {path:?}");
        assert!(certificate.in_time, "out of date: {path:?}");
        if height > 0 {
            assert!(certificate.authority || certificate.changed, "no authority: {path:?}");
            if certificate.issuer != certificate.subject {
                room = room.checked_sub(1).expect("a path longer than allowed");
            }
            if !certificate.changed {
                room = room.min(certificate.length.map_or(u32::MAX, u32::from));
            }
        }
        (name, key) = (certificate.subject, certificate.key);
    }
}

/// The order of the certificates behind the first does not matter, nor what cannot be read among them.
fn any_order(
    presented: &[&[u8]],
    roots: &Roots,
    options: &Options<'_>,
    verdict: &Result<Accepted<'_>, Box<Rejection>>,
) {
    let Some((first, rest)) = presented.split_first() else { return };
    let mut turned = vec![*first, b"no certificate".as_slice()];
    turned.extend(rest.iter().rev());
    let again = verify(&turned, roots, options);
    assert_eq!(again.is_ok(), verdict.is_ok(), "in another order: {:?} {:?}", again.err(), verdict.as_ref().err());
}
