//! Revocation lists: as they come, and signed by the right issuer with what the fuzzer puts into them.

use super::certificate::short;
use super::made::{self, Key};
use crate::input::Input;
use clasp_x509::{Certificate, Crl, Options, Profile, Revocation, Standing, Usage, standing};

/// The first byte says whether the rest is a list, or parts of two to be signed.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let profile = Profile::ALL[input.below(3)];
    if input.flag() {
        return judge(&[input.0.to_vec()], profile);
    }
    let mut lists = Vec::new();
    while !input.is_empty() && lists.len() < 3 {
        lists.push(list(&mut input));
    }
    judge(&lists, profile);
}

/// A list by the authority, or by another of its name; entries and extensions are the fuzzer's.
fn list(input: &mut Input<'_>) -> Vec<u8> {
    let by = Key::seeded(if input.byte() == 0xff { 3 } else { 1 });
    let version = if input.byte() == 0xff { Vec::new() } else { vec![2, 1, 1] };
    let issuer = if input.byte() == 0xff { made::name("another") } else { made::name("root") };
    let dates = [made::utc("300101000000Z"), made::utc("310101000000Z")].concat();
    let mut entries = Vec::new();
    for _ in 0..input.below(4) {
        let serial = if input.flag() { vec![0x11, 0x22] } else { input.short().to_vec() };
        let extensions = input.short();
        let extensions = if extensions.is_empty() { Vec::new() } else { made::tlv(0x30, extensions) };
        entries.extend(made::seq(&[&made::tlv(2, &serial), &made::utc("300101000000Z"), &extensions]));
    }
    let entries = if entries.is_empty() { entries } else { made::tlv(0x30, &entries) };
    let key = made::seq(&[&made::tlv(0x80, &super::authority().key.id())]);
    let extension = |id: &[u8], critical: bool, value: &[u8]| {
        let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
        made::seq(&[&made::oid(id), critical, &made::tlv(4, value)])
    };
    let mut extensions = [extension(made::AKI, false, &key), extension(&[0x55, 0x1d, 20], false, &[2, 1, 5])].concat();
    // deltaCRLIndicator, issuingDistributionPoint, freshestCRL, one that nobody knows.
    const MORE: [&[u8]; 4] = [&[0x55, 0x1d, 27], &[0x55, 0x1d, 28], &[0x55, 0x1d, 46], &[0x2a, 3, 4]];
    for _ in 0..input.below(3) {
        let id = MORE[input.below(4)];
        let critical = input.flag();
        extensions.extend(extension(id, critical, input.short()));
    }
    let extensions = made::tlv(0xa0, &made::tlv(0x30, &extensions));
    by.frame(&made::seq(&[&version, &by.algorithm(), &issuer, &dates, &entries, &extensions]))
}

fn judge(lists: &[Vec<u8>], profile: Profile) {
    let parsed: Vec<Crl<'_>> = lists.iter().filter_map(|der| Crl::parse(der).ok()).collect();
    let mut named = false;
    for list in &parsed {
        assert_eq!(list.entries().count(), list.len());
        short(&list.issuer());
        short(&list.signature_algorithm());
        named |= list.entries().any(|entry| entry.serial() == "1122");
        list.entries().for_each(|entry| short(&entry.reason().to_string()));
    }
    let leaf = Certificate::parse(&super::leaf().der).expect("our own certificate");
    let issuer = [Certificate::parse(&super::authority().der).expect("our own authority")];
    let turned: Vec<Crl<'_>> = parsed.iter().rev().copied().collect();
    let verdict = |lists: &[Crl<'_>]| {
        let revocation = Revocation { lists, ..Revocation::default() };
        let options = Options::new(made::at(made::NOW), Usage::Any).profile(profile).revocation(revocation);
        standing(&leaf, &issuer, &options)
    };
    let (one, other) = (verdict(&parsed), verdict(&turned));
    let class = |standing: &Standing| match standing {
        Standing::Good => 0,
        Standing::Revoked { .. } => 1,
        Standing::Unknown(_) => 2,
    };
    assert_eq!(class(&one), class(&other), "in another order: {one:?} {other:?}");
    assert!(named || !matches!(one, Standing::Revoked { .. }), "revoked, and in no list");
    if let Standing::Unknown(why) = one {
        short(&why.to_string());
    }
}
