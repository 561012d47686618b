//! Chains of three with faults in them.

use crate::made::*;

/// A chain, DER.
pub(crate) struct Chain {
    pub(crate) root: Vec<u8>,
    pub(crate) middle: Vec<u8>,
    pub(crate) leaf: Vec<u8>,
}

/// Where a fault is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum In {
    Root,
    Middle,
    Leaf,
}

/// Something wrong, or unusual, with one certificate.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    place: In,
    change: fn(&mut Draft),
}

impl Chain {
    pub(crate) fn with(faults: &[&Fault]) -> Self {
        let change = |place: In, draft: &mut Draft| {
            faults.iter().filter(|fault| fault.place == place).for_each(|fault| (fault.change)(draft));
        };
        let root = authority_of("root", Key::seeded(1), None, |d| change(In::Root, d));
        let middle = authority_of("middle", Key::seeded(2), Some(&root), |d| change(In::Middle, d));
        let leaf = server_of(Key::seeded(3), &middle, |d| change(In::Leaf, d));
        Self { root: root.der, middle: middle.der, leaf: leaf.der }
    }
}

const UNKNOWN: &[u8] = &[0x2a, 3, 4, 5];

fn dates(from: &str, to: &str) -> Vec<u8> {
    seq(&[&utc(from), &utc(to)])
}

macro_rules! faults {
    ($($place:ident $name:literal $change:expr;)+) => {
        pub(crate) const FAULTS: &[Fault] = &[$(Fault { name: $name, place: In::$place, change: $change }),+];
    };
}

faults! {
    Leaf "leaf: nothing" |_| ();
    Leaf "leaf: expired" |d| d.validity = dates("200101000000Z", "210101000000Z");
    Leaf "leaf: not yet valid" |d| d.validity = dates("400101000000Z", "410101000000Z");
    Leaf "leaf: ends before it begins" |d| d.validity = dates("310101000000Z", "290101000000Z");
    Leaf "leaf: another name" |d| { d.subject = name("example.org"); d.set(SAN, false, names(&[dns("example.org")])); };
    Leaf "leaf: no subjectAltName" |d| { d.without(SAN); };
    Leaf "leaf: common name not among the names" |d| d.subject = name("other.example.org");
    Leaf "leaf: critical subjectAltName beside a subject" |d| { d.set(SAN, true, names(&[dns("example.com")])); };
    Leaf "leaf: empty subject, subjectAltName not critical" |d| d.subject = seq(&[]);
    Leaf "leaf: empty subject, critical subjectAltName" |d| {
        d.subject = seq(&[]);
        d.set(SAN, true, names(&[dns("example.com")]));
    };
    Leaf "leaf: wildcard of a top-level domain" |d| {
        d.subject = name("no host");
        d.set(SAN, false, names(&[dns("*.com")]));
    };
    Leaf "leaf: name with a trailing dot" |d| { d.set(SAN, false, names(&[dns("example.com.")])); };
    Leaf "leaf: underscore among the names" |d| {
        d.set(SAN, false, names(&[dns("example.com"), dns("a_b.example.com")]));
    };
    Leaf "leaf: empty list of names" |d| { d.set(SAN, false, names(&[])); };
    Leaf "leaf: no extKeyUsage" |d| { d.without(EKU); };
    Leaf "leaf: extKeyUsage for clients" |d| { d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])); };
    Leaf "leaf: anyExtendedKeyUsage" |d| { d.set(EKU, false, seq(&[&oid(&[0x55, 0x1d, 37, 0])])); };
    Leaf "leaf: critical extKeyUsage" |d| { d.set(EKU, true, seq(&[&oid(SERVER_AUTH)])); };
    Leaf "leaf: OCSP signing too" |d| { d.set(EKU, false, seq(&[&oid(SERVER_AUTH), &oid(OCSP_SIGNING)])); };
    Leaf "leaf: no keyUsage" |d| { d.without(KEY_USAGE); };
    Leaf "leaf: keyUsage for certificates" |d| { d.set(KEY_USAGE, true, usage(0x84)); };
    Leaf "leaf: keyUsage that allows nothing" |d| { d.set(KEY_USAGE, true, vec![3, 1, 0]); };
    Leaf "leaf: keyUsage for lists" |d| { d.set(KEY_USAGE, true, usage(0x02)); };
    Leaf "leaf: an authority" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 0xff]])); };
    Leaf "leaf: path length without cA" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[&[2, 1, 0]])); };
    Leaf "leaf: unknown critical extension" |d| { d.set(UNKNOWN, true, vec![5, 0]); };
    Leaf "leaf: unknown extension" |d| { d.set(UNKNOWN, false, vec![5, 0]); };
    Leaf "leaf: an extension twice" |d| d.extensions.push((EKU, false, seq(&[&oid(SERVER_AUTH)])));
    Leaf "leaf: an unknown extension twice" |d| {
        d.extensions.push((UNKNOWN, false, vec![5, 0]));
        d.extensions.push((UNKNOWN, false, vec![5, 0]));
    };
    Leaf "leaf: serial number 0" |d| d.serial = vec![0];
    Leaf "leaf: negative serial number" |d| d.serial = vec![0x80];
    Leaf "leaf: serial number of 21 bytes" |d| d.serial = vec![1; 21];
    Leaf "leaf: serial number not minimal" |d| d.serial = vec![0, 1];
    Leaf "leaf: version 1" |d| { d.version = Vec::new(); d.extensions.clear(); };
    Leaf "leaf: version 2 with extensions" |d| d.version = tlv(0xa0, &[2, 1, 1]);
    Leaf "leaf: version 1 with extensions" |d| d.version = Vec::new();
    Leaf "leaf: version 4" |d| d.version = tlv(0xa0, &[2, 1, 3]);
    Leaf "leaf: no authorityKeyIdentifier" |d| { d.without(AKI); };
    Leaf "leaf: another key in authorityKeyIdentifier" |d| { d.set(AKI, false, seq(&[&tlv(0x80, &[7; 20])])); };
    Leaf "leaf: critical authorityKeyIdentifier" |d| {
        let value = d.extensions.iter().find(|(id, ..)| *id == AKI).unwrap().2.clone();
        d.set(AKI, true, value);
    };
    Leaf "leaf: GeneralizedTime before 2050" |d| {
        d.validity = seq(&[&utc("290101000000Z"), &general("20310101000000Z")]);
    };
    Leaf "leaf: dates without seconds" |d| d.validity = dates("2901010000Z", "3101010000Z");
    Leaf "leaf: unique identifiers" |d| d.unique_ids = vec![0x81, 2, 0, 1];
    Leaf "leaf: name constraints" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.com")], &[])); };
    Leaf "leaf: cA FALSE encoded" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 0]])); };
    Leaf "leaf: TRUE encoded as 1" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[&[1, 1, 1]])); };
    Leaf "leaf: issuer in another case" |d| d.issuer = name("MIDDLE");
    Leaf "leaf: issuer as PrintableString" |d| d.issuer = name_as(0x13, b"middle");
    Leaf "leaf: another issuer" |d| d.issuer = name("muddle");
    Leaf "leaf: must staple" |d| { d.set(TLS_FEATURE, false, seq(&[&[2, 1, 5]])); };
    Leaf "leaf: policies, one twice" |d| {
        let policy = seq(&[&oid(&[0x2a, 3])]);
        d.set(POLICIES, false, seq(&[&policy, &policy]));
    };
    Middle "middle: expired" |d| d.validity = dates("200101000000Z", "210101000000Z");
    Middle "middle: no basicConstraints" |d| { d.without(BASIC_CONSTRAINTS); };
    Middle "middle: cA FALSE" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[])); };
    Middle "middle: basicConstraints not critical" |d| { d.set(BASIC_CONSTRAINTS, false, seq(&[&[1, 1, 0xff]])); };
    Middle "middle: path length 0" |d| { d.set(BASIC_CONSTRAINTS, true, path_length(0)); };
    Middle "middle: negative path length" |d| { d.set(BASIC_CONSTRAINTS, true, path_length(0x80)); };
    Middle "middle: keyUsage without keyCertSign" |d| { d.set(KEY_USAGE, true, usage(0x02)); };
    Middle "middle: no keyUsage" |d| { d.without(KEY_USAGE); };
    Middle "middle: extKeyUsage for clients" |d| { d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])); };
    Middle "middle: anyExtendedKeyUsage" |d| { d.set(EKU, false, seq(&[&oid(&[0x55, 0x1d, 37, 0])])); };
    Middle "middle: extKeyUsage for servers" |d| { d.set(EKU, false, seq(&[&oid(SERVER_AUTH)])); };
    Middle "middle: permits the name" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("com")], &[])); };
    Middle "middle: permits another name" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.org")], &[])); };
    Middle "middle: excludes the name" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[dns("example.com")])); };
    Middle "middle: excludes all names" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[dns("")])); };
    Middle "middle: excludes below a wildcard" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[dns("a.wild.org")]));
    };
    Middle "middle: constraint with a leading dot" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[dns(".com")], &[]));
    };
    Middle "middle: excludes the address" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[tlv(0x87, &[192, 0, 2, 0, 255, 255, 255, 0])]));
    };
    Middle "middle: mask of an address with holes" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[tlv(0x87, &[10, 0, 0, 0, 255, 0, 255, 0])]));
    };
    Middle "middle: permits a directory name alone" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[tlv(0xa4, &name("example.org"))], &[]));
    };
    Middle "middle: excludes the subject" |d| {
        d.set(NAME_CONSTRAINTS, true, subtrees(&[], &[tlv(0xa4, &name("Example.COM"))]));
    };
    Middle "middle: name constraints not critical" |d| {
        d.set(NAME_CONSTRAINTS, false, subtrees(&[dns("com")], &[]));
    };
    Middle "middle: empty name constraints" |d| { d.set(NAME_CONSTRAINTS, true, seq(&[])); };
    Middle "middle: unknown critical extension" |d| { d.set(UNKNOWN, true, vec![5, 0]); };
    Middle "middle: no subjectKeyIdentifier" |d| { d.without(SKI); };
    Middle "middle: no authorityKeyIdentifier" |d| { d.without(AKI); };
    Middle "middle: critical subjectKeyIdentifier" |d| {
        let value = d.extensions.iter().find(|(id, ..)| *id == SKI).unwrap().2.clone();
        d.set(SKI, true, value);
    };
    Middle "middle: explicit policy required, none there" |d| {
        d.set(POLICY_CONSTRAINTS, true, seq(&[&[0x80, 1, 0]]));
    };
    Middle "middle: policyConstraints not critical" |d| {
        d.set(POLICY_CONSTRAINTS, false, seq(&[&[0x81, 1, 5]]));
    };
    Middle "middle: version 1" |d| { d.version = Vec::new(); d.extensions.clear(); };
    Middle "middle: serial number of 21 bytes" |d| d.serial = vec![1; 21];
    Middle "middle: another key" |d| d.spki = Key::seeded(9).spki();
    Root "root: expired" |d| d.validity = dates("200101000000Z", "210101000000Z");
    Root "root: no basicConstraints" |d| { d.without(BASIC_CONSTRAINTS); };
    Root "root: cA FALSE" |d| { d.set(BASIC_CONSTRAINTS, true, seq(&[])); };
    Root "root: path length 0" |d| { d.set(BASIC_CONSTRAINTS, true, path_length(0)); };
    Root "root: keyUsage without keyCertSign" |d| { d.set(KEY_USAGE, true, usage(0x02)); };
    Root "root: no keyUsage" |d| { d.without(KEY_USAGE); };
    Root "root: extKeyUsage for servers" |d| { d.set(EKU, false, seq(&[&oid(SERVER_AUTH)])); };
    Root "root: extKeyUsage for clients" |d| { d.set(EKU, false, seq(&[&oid(CLIENT_AUTH)])); };
    Root "root: permits another name" |d| { d.set(NAME_CONSTRAINTS, true, subtrees(&[dns("example.org")], &[])); };
    Root "root: no subjectKeyIdentifier" |d| { d.without(SKI); };
    Root "root: version 1" |d| { d.version = Vec::new(); d.extensions.clear(); };
    Root "root: unknown critical extension" |d| { d.set(UNKNOWN, true, vec![5, 0]); };
    Root "root: serial number 0" |d| d.serial = vec![0];
    Root "root: another key" |d| d.spki = Key::seeded(9).spki();
}
