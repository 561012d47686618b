//! Revocation lists: which deltas change what a list says, whom a list speaks for, and what it tells of itself.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_x509::{Certificate, Check, Crl, KnownCrl, OcspResponse, Profile, Reason, RevocationReason, Scope, verify};
use common::answers::*;
use common::*;

const REASON: &[u8] = &[0x55, 0x1d, 21];
const INVALIDITY: &[u8] = &[0x55, 0x1d, 24];

struct Scene {
    root: Made,
    leaf: Made,
}

impl Scene {
    fn new(change: impl FnOnce(&mut Draft)) -> Self {
        let root = authority("root", None, |_| ());
        let leaf = server(&root, |d| {
            d.serial = vec![9];
            change(d);
        });
        Self { root, leaf }
    }

    /// What these lists say of the leaf: read as they are, and kept.
    fn judge(&self, profile: Profile, lists: &[Vec<u8>]) -> Result<(), Reason> {
        let kept: Vec<KnownCrl> = lists.iter().map(|list| KnownCrl::read(list.clone()).unwrap()).collect();
        let kept: Vec<Crl<'_>> = kept.iter().map(|list| list.crl().unwrap()).collect();
        let read: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let [one, other] = [&read, &kept].map(|lists| {
            let mut options = options(profile);
            options.revocation.lists = lists;
            (options.revocation.check, options.revocation.scope) = (Check::Require, Scope::Leaf);
            let verdict = verify(&chain(&[&self.leaf]), &store(&[&self.root]), &options);
            verdict.map(|_| ()).map_err(|refused| refused.reason())
        });
        assert_eq!(one, other, "a list that is kept says what it said");
        one
    }

    fn scoped(&self, scope: &[u8]) -> Vec<u8> {
        list(&self.root, |l| l.extensions.push((POINT, true, seq(&[scope]))))
    }
}

type Change = Box<dyn Fn(&mut List)>;
type Altered<'a> = &'a dyn Fn(&mut List);

fn for_reason(reason: u8) -> Vec<Extension> {
    vec![(REASON, false, vec![10, 1, reason])]
}

/// A delta that is of nobody, of another time or of another list takes nobody off a list.
#[test]
fn a_delta_counts_where_it_is_of_this_list_and_of_today() {
    let scene = Scene::new(|_| ());
    let held = list(&scene.root, |l| l.entries = vec![entry(&[9], &for_reason(6))]);
    let number = |bytes: &[u8]| tlv(2, bytes);
    let delta = |base: &[u8], new: &[u8], change: &dyn Fn(&mut List)| {
        list(&scene.root, |l| {
            l.entries = vec![entry(&[9], &for_reason(8))];
            l.extensions = vec![(CRL_NUMBER, false, number(new)), (DELTA, true, number(base)), key_id(&scene.root)];
            change(l);
        })
    };
    let judge = |profile, delta: Vec<u8>| scene.judge(profile, &[held.clone(), delta]);
    for (base, new) in [([5], [6]), ([4], [6])] {
        assert_eq!(judge(Profile::WebPki, delta(&base, &new, &|_| ())), Ok(()), "{new:?} since {base:?}");
    }
    // RFC 5280 5.2.4 (c): the complete list is the older one.
    assert_eq!(judge(Profile::WebPki, delta(&[5], &[5], &|_| ())), Err(Reason::Revoked), "no later than the list");
    // A number of two bytes is greater than one of one byte, whatever that is.
    let of_300 = list(&scene.root, |l| {
        l.entries = vec![entry(&[9], &for_reason(6))];
        l.extensions = vec![(CRL_NUMBER, false, number(&[1, 44])), key_id(&scene.root)];
    });
    let since = |base: &[u8], new: &[u8]| scene.judge(Profile::WebPki, &[of_300.clone(), delta(base, new, &|_| ())]);
    assert_eq!(since(&[0, 0xff], &[1, 45]), Ok(()), "301 since 255");
    assert_eq!(since(&[0, 0xff], &[0, 0xff]), Err(Reason::Revoked), "255, which is older than 300");
    assert_eq!(since(&[1, 45], &[1, 46]), Err(Reason::Revoked), "302 since 301, which nobody has");

    let stranger = authority("root", None, |_| ());
    let unknown: &'static [u8] = &[0x2a, 3, 4];
    let (later, earlier) = ("300318000000Z", "300315000000Z");
    let of_stranger = list(&stranger, |l| {
        l.entries = vec![entry(&[9], &for_reason(8))];
        l.extensions = vec![(CRL_NUMBER, false, number(&[6])), (DELTA, true, number(&[5])), key_id(&scene.root)];
    });
    assert_eq!(judge(Profile::WebPki, of_stranger), Err(Reason::Revoked), "signed by another key");
    let cases: [(&str, Altered<'_>); 7] = [
        ("out of date", &|l| l.to = Some(earlier)),
        ("of the future", &|l| l.from = later),
        ("a critical extension", &|l| l.extensions.push((unknown, true, vec![5, 0]))),
        ("an entry's critical extension", &|l| l.entries.push(entry(&[1], &[(unknown, true, vec![5, 0])]))),
        ("another scope", &|l| l.extensions.push((POINT, true, seq(&[&[0x81, 1, 0xff]])))),
        ("another key's identifier", &|l| l.extensions[2] = (AKI, false, seq(&[&tlv(0x80, &[1; 20])]))),
        ("another issuer", &|l| l.issuer = name("other")),
    ];
    for (what, change) in cases {
        for profile in Profile::ALL {
            assert_eq!(judge(profile, delta(&[5], &[6], change)), Err(Reason::Revoked), "{what} {profile:?}");
        }
    }
    // What the strictest profile asks of a list's form it asks of a delta's.
    let odd = |l: &mut List| l.extensions[0].1 = true;
    assert_eq!(judge(Profile::WebPki, delta(&[5], &[6], &odd)), Err(Reason::Revoked));
    assert_eq!(judge(Profile::Rfc5280, delta(&[5], &[6], &odd)), Ok(()));
}

/// RFC 5280 6.3.3 (d), (l): lists of some reasons each settle it together.
#[test]
fn lists_of_some_reasons_settle_it_together() {
    let some = |last: u8, first: u8| vec![0x83, 3, 7, first, last];
    let (these, others) = (some(0, 0x7e), some(0x80, 0x01));
    let scene = Scene::new(|_| ());
    let (one, other) = (scene.scoped(&these), scene.scoped(&others));
    let (no, yes) = (Err(Reason::StatusUnknown), Ok(()));
    for profile in Profile::ALL {
        assert_eq!(scene.judge(profile, std::slice::from_ref(&one)), no, "{profile:?}");
        assert_eq!(scene.judge(profile, std::slice::from_ref(&other)), no, "{profile:?}");
        assert_eq!(scene.judge(profile, &[one.clone(), other.clone()]), yes, "{profile:?}");
        assert_eq!(scene.judge(profile, &[other.clone(), one.clone()]), yes, "{profile:?}");
    }
    let revoking = list(&scene.root, |l| {
        l.entries = vec![entry(&[9], &for_reason(1))];
        l.extensions.push((POINT, true, seq(&[&others])));
    });
    assert_eq!(scene.judge(Profile::WebPki, &[list(&scene.root, |_| ()), revoking]), Err(Reason::Revoked));
}

/// Bits behind the end of ReasonFlags are counted by one reader and not by another: such a list is not read.
#[test]
fn reasons_have_zeros_behind_their_end() {
    let scene = Scene::new(|_| ());
    for (reasons, good) in [
        (&[0x83, 2, 1, 0x7e][..], true),
        (&[0x83, 2, 7, 0x7e], false),
        (&[0x83, 2, 1, 0x7f], false),
        (&[0x83, 3, 7, 0x7f, 0x80], true),
        (&[0x83, 3, 7, 0x7f, 0xc0], false),
        (&[0x83, 2, 8, 0], false),
        (&[0x83, 1, 0], false),
    ] {
        assert_eq!(Crl::parse(&scene.scoped(reasons)).is_ok(), good, "{reasons:x?}");
    }
}

/// A certificate that names its own issuer as that of its lists says what goes without saying: the list that revokes it does.
#[test]
fn the_issuer_itself_is_nobody_else() {
    let named = |by: &[u8]| {
        let uri = tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.test/")));
        seq(&[&seq(&[&uri, &tlv(0xa2, &tlv(0xa4, by))])])
    };
    let revoked = Err(Reason::Revoked);
    for (issuer, plain, revoking) in [
        ("root", Ok(()), revoked),
        ("ROOT", Ok(()), revoked),
        ("another", Err(Reason::StatusUnknown), Err(Reason::StatusUnknown)),
    ] {
        let scene = Scene::new(|d| {
            d.set(CRL_POINTS, false, named(&name(issuer)));
        });
        let with = |entries: Vec<Vec<u8>>| scene.judge(Profile::Rfc5280, &[list(&scene.root, |l| l.entries = entries)]);
        assert_eq!(with(Vec::new()), plain, "{issuer}");
        assert_eq!(with(vec![entry(&[9], &for_reason(1))]), revoking, "{issuer}");
    }
}

#[test]
fn a_list_speaks_for_its_own_kind_of_certificate() {
    let scene = Scene::new(|_| ());
    let (yes, no) = (Ok(()), Err(Reason::StatusUnknown));
    for (what, scope, wanted) in [
        ("users only", &[0x81, 1, 0xff][..], yes),
        ("authorities only", &[0x82, 1, 0xff], no),
        ("attributes only", &[0x85, 1, 0xff], no),
    ] {
        assert_eq!(scene.judge(Profile::WebPki, &[scene.scoped(scope)]), wanted, "{what}");
    }
    // Of an authority it is the other way round.
    let root = authority("root", None, |_| ());
    let middle = authority("middle", Some(&root), |d| d.serial = vec![7]);
    let leaf = server(&middle, |d| d.serial = vec![9]);
    let judge = |scope: &[u8]| {
        let lists = [list(&root, |l| l.extensions.push((POINT, true, seq(&[scope])))), list(&middle, |_| ())];
        let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
        let mut options = options(Profile::WebPki);
        (options.revocation.check, options.revocation.lists) = (Check::Require, &lists);
        verify(&chain(&[&leaf, &middle]), &store(&[&root]), &options).map(|_| ()).map_err(|refused| refused.reason())
    };
    assert_eq!(judge(&[0x82, 1, 0xff]), yes);
    assert_eq!(judge(&[0x81, 1, 0xff]), no);
}

/// Moments at which a list begins and ends to count, and how old it may be: the last second is within.
#[test]
fn a_list_counts_from_its_first_second_to_its_last() {
    let scene = Scene::new(|_| ());
    let (before, now, after) = ("300317174639Z", "300317174640Z", "300317174641Z");
    for (from, to, good) in [
        (now, Some(TO), true),
        (after, Some(TO), false),
        (FROM, Some(now), true),
        (FROM, Some(before), false),
        (now, Some(now), true),
    ] {
        let verdict = scene.judge(Profile::WebPki, &[list(&scene.root, |l| (l.from, l.to) = (from, to))]);
        assert_eq!(verdict.is_ok(), good, "{from} to {to:?}");
    }
    let aged = |max_age: u64| {
        let der = list(&scene.root, |l| l.from = "300317174600Z");
        let lists = [Crl::parse(&der).unwrap()];
        let mut options = options(Profile::WebPki);
        (options.revocation.check, options.revocation.lists) = (Check::Require, &lists);
        options.revocation.max_age = Some(max_age);
        verify(&chain(&[&scene.leaf]), &store(&[&scene.root]), &options).map(|accepted| accepted.until())
    };
    assert_eq!(aged(40).unwrap(), i64::try_from(NOW).unwrap());
    assert_eq!(aged(39).unwrap_err().reason(), Reason::StatusUnknown);
    assert_eq!(aged(45).unwrap(), i64::try_from(NOW).unwrap() + 5, "until it is too old");
    assert!(aged(u64::MAX).is_ok());
}

/// What a list is about, in words; whatever stands in a name, it passes for one name.
#[test]
fn the_scope_of_a_list_in_words() {
    let root = authority("root", None, |_| ());
    let words = |scope: &[&[u8]]| {
        let der = list(&root, |l| l.extensions.push((POINT, true, seq(scope))));
        Crl::parse(&der).unwrap().scope().map(|scope| scope.to_string()).unwrap()
    };
    assert!(Crl::parse(&list(&root, |_| ())).unwrap().scope().is_none());
    let at = |names: &[u8]| tlv(0xa0, &tlv(0xa0, names));
    let uri = |text: &[u8]| tlv(0x86, text);
    assert_eq!(words(&[&at(&uri(b"http://a.test/"))]), "http://a.test/");
    let two = [uri(b"http://a.test/ \"b\", c"), uri(b"\x1b[2J\\")].concat();
    assert_eq!(words(&[&at(&two)]), "\"http://a.test/ \\\"b\\\", c\", \\u{1b}[2J\\\\");
    assert_eq!(
        words(&[&[0x81, 1, 0xff], &[0x83, 2, 5, 0x60]]),
        "users' certificates only; for keyCompromise, cACompromise only"
    );
    assert_eq!(words(&[&[0x82, 1, 0xff], &[0x83, 2, 0, 0]]), "authorities' certificates only; for no reason only");
    assert_eq!(words(&[&[0x85, 1, 0xff]]), "attribute certificates only");
    assert_eq!(words(&[&[0x83, 3, 7, 0, 0x80]]), "for aACompromise only");
    assert_eq!(words(&[&[0x84, 1, 0xff]]), "indirect: about certificates of other issuers too");
    let below = tlv(0xa0, &tlv(0xa1, &seq(&[&oid(&[0x55, 4, 3]), &tlv(0x0c, b"one")])));
    assert_eq!(words(&[&below]), "CN=one below the name of the lists' issuer");
}

#[test]
fn what_a_list_tells_of_itself() {
    let root = authority("root", None, |_| ());
    let plain = list(&root, |_| ());
    let read = Crl::parse(&plain).unwrap();
    assert_eq!((read.issuer(), read.number()), ("CN=root".into(), Some("05".into())));
    assert_eq!((read.this_update(), read.next_update()), (1_898_553_600, Some(1_901_232_000)));
    assert_eq!((read.len(), read.is_empty(), read.entries().count()), (0, true, 0));
    assert!(!read.is_delta() && !read.is_indirect());
    assert!(read.signature_algorithm().contains("ECDSA"), "{}", read.signature_algorithm());

    let full = list(&root, |l| {
        let since: Extension = (INVALIDITY, false, general("20300201000000Z"));
        l.entries = vec![entry(&[1, 2], &[]), entry(&[3], &[for_reason(3).remove(0), since])];
        l.to = None;
        l.extensions = vec![(DELTA, true, vec![2, 1, 1]), (POINT, true, seq(&[&[0x84, 1, 0xff]]))];
    });
    let read = Crl::parse(&full).unwrap();
    assert_eq!((read.number(), read.next_update(), read.len(), read.is_empty()), (None, None, 2, false));
    assert!(read.is_delta() && read.is_indirect());
    let entries: Vec<_> = read.entries().map(|e| (e.serial(), e.date(), e.reason())).collect();
    let at = 1_898_640_000;
    assert_eq!(entries, [("0102".into(), at, RevocationReason(0)), ("03".into(), at, RevocationReason(3))]);
    let kept = KnownCrl::read(full.clone()).unwrap();
    assert_eq!((kept.crl().unwrap().len(), kept.crl().unwrap().entries().count()), (2, 2));
    assert_eq!(format!("{kept:?}"), format!("KnownCrl(2 entries, {} bytes)", full.len()));
    let other = KnownCrl::read(plain).unwrap();
    assert_ne!(kept.digest(), other.digest());
    assert_eq!(kept.digest(), KnownCrl::read(full).unwrap().digest());
}

/// RFC 5280 5: what is not as it says is not read.
#[test]
fn numbers_dates_and_entries_are_as_they_should_be() {
    let root = authority("root", None, |_| ());
    let number = |bytes: &[u8]| {
        let der = list(&root, |l| l.extensions[0] = (CRL_NUMBER, false, tlv(2, bytes)));
        Crl::parse(&der).map(|read| read.number())
    };
    assert_eq!(number(&[0]).unwrap(), Some("00".into()));
    assert_eq!(number(&[0, 0x80]).unwrap(), Some("80".into()));
    for bad in [&[][..], &[0x80], &[0xff, 1], &[0, 0x7f], &[0, 1, 1]] {
        assert!(number(bad).is_err(), "{bad:x?}");
    }
    let extended = |extensions: &[Extension]| {
        let der = list(&root, |l| l.entries = vec![entry(&[9], extensions)]);
        Crl::parse(&der).map(|read| read.entries().next().unwrap().reason())
    };
    assert_eq!(extended(&for_reason(10)).unwrap(), RevocationReason(10));
    assert!(extended(&for_reason(11)).is_err(), "no such reason");
    assert!(extended(&[(REASON, false, vec![2, 1, 1])]).is_err(), "no ENUMERATED");
    assert!(extended(&[(REASON, false, vec![10, 1, 1, 5, 0])]).is_err(), "more behind it");
    assert!(extended(&[(INVALIDITY, false, utc("3002010000Z"))]).is_err(), "no time");
    assert!(extended(&[(&[0x55, 0x1d, 29], true, seq(&[&[5, 0]]))]).is_err(), "no issuer");
    assert!(extended(&[(&[0x2a, 3], false, vec![5, 0])]).is_ok(), "an extension that nobody need know");
}

/// Of a list that is kept, an entry is found by a hash of its serial number, and is the one by the number itself.
#[test]
fn a_serial_number_of_the_same_hash_is_another_certificate() {
    // Two that FNV-1a takes to the same place.
    let (one, other) = ([0x1a, 0x7d, 0x39, 0xc0, 0x54, 0x75], [0x3e, 0xb9, 0x90, 0x41, 0xd5, 0xb0]);
    for (revoked, wanted) in [(&one, Err(Reason::Revoked)), (&other, Ok(()))] {
        let scene = Scene::new(|d| d.serial = one.to_vec());
        let list = list(&scene.root, |l| l.entries = vec![entry(revoked, &[])]);
        assert_eq!(scene.judge(Profile::WebPki, &[list]), wanted);
    }
}

/// What a list may say besides, critical or not: RFC 5280 5.2.
#[test]
fn extensions_of_lists() {
    let scene = Scene::new(|_| ());
    let with = |extra: Extension| list(&scene.root, |l| l.extensions.push(extra));
    let freshest: &'static [u8] = &[0x55, 0x1d, 46];
    let names: &'static [u8] = &[0x55, 0x1d, 18];
    let point = seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.example/")))])]);
    let no = Err(Reason::StatusUnknown);
    let judge = |profile, extra: Extension| scene.judge(profile, &[with(extra)]);
    assert_eq!(judge(Profile::WebPki, (freshest, false, point.clone())), Ok(()));
    assert!(Crl::parse(&with((freshest, false, seq(&[&[5, 0]])))).is_err());
    // What is critical was processed, or the list says nothing; whom it revokes is then not known to be good either.
    let unknown: &'static [u8] = &[0x2a, 3];
    let others = [(names, seq(&[&dns("a.test")])), (AUTHORITY_INFO, seq(&[&[5, 0]])), (unknown, vec![5, 0])];
    for (id, value) in others.into_iter().chain([(freshest, point)]) {
        for profile in Profile::ALL {
            assert_eq!(judge(profile, (id, false, value.clone())), Ok(()), "{id:x?} {profile:?}");
            assert_eq!(judge(profile, (id, true, value.clone())), no, "{id:x?} {profile:?}");
        }
    }
    let read = with((freshest, true, seq(&[&seq(&[&tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://a.test/")))])])));
    let read = Crl::parse(&read).unwrap();
    assert_eq!(read.unprocessed().map(|oid| oid.to_string()).as_deref(), Some("freshestCRL"));
    assert_eq!(read.fresh_list_points().map(|point| point.to_string()).collect::<Vec<_>>(), ["http://a.test/"]);
    // A delta says so in a way that nobody can overlook.
    let held = list(&scene.root, |l| l.entries = vec![entry(&[9], &for_reason(6))]);
    let delta = |critical| {
        list(&scene.root, |l| {
            l.entries = vec![entry(&[9], &for_reason(8))];
            let since: Extension = (DELTA, critical, vec![2, 1, 5]);
            l.extensions = vec![(CRL_NUMBER, false, vec![2, 1, 6]), since, key_id(&scene.root)];
        })
    };
    assert_eq!(scene.judge(Profile::WebPki, &[held.clone(), delta(true)]), Ok(()));
    assert_eq!(scene.judge(Profile::WebPki, &[held, delta(false)]), Err(Reason::Revoked));
    // The strictest profile wants nextUpdate, whatever age the caller bears.
    let endless = list(&scene.root, |l| l.to = None);
    for (profile, good) in [(Profile::WebPki, false), (Profile::Rfc5280, true)] {
        let lists = [Crl::parse(&endless).unwrap()];
        let mut options = options(profile);
        (options.revocation.check, options.revocation.lists) = (Check::Require, &lists);
        options.revocation.max_age = Some(100 * 86_400);
        assert_eq!(verify(&chain(&[&scene.leaf]), &store(&[&scene.root]), &options).is_ok(), good, "{profile:?}");
    }
}

impl Scene {
    /// A list of this number, or a delta since `base`, in which the leaf stands for these reasons.
    fn numbered(&self, base: Option<u8>, number: u8, reasons: &[u8], change: Altered<'_>) -> Vec<u8> {
        list(&self.root, |l| {
            l.entries = reasons.iter().map(|reason| entry(&[9], &for_reason(*reason))).collect();
            l.extensions = vec![(CRL_NUMBER, false, vec![2, 1, number]), key_id(&self.root)];
            l.extensions.extend(base.map(|base| -> Extension { (DELTA, true, vec![2, 1, base]) }));
            change(l);
        })
    }
}

/// X.690 8.3.2: a number has one form. In another it would be another certificate's to whoever compares bytes: revoked, and good.
#[test]
fn a_serial_number_in_another_form_is_not_read() {
    let root = authority("root", None, |_| ());
    for serial in [&[0, 0, 0x12, 0x34][..], &[0, 0x12, 0x34], &[0xff, 0xff], &[0xff, 0x80], &[0, 0], &[]] {
        let leaf = server(&root, |d| d.serial = serial.to_vec());
        assert_eq!(Certificate::parse(&leaf.der).unwrap_err().field(), "serialNumber", "{serial:x?}");
        for profile in Profile::ALL {
            let refused = verify(&chain(&[&leaf]), &store(&[&root]), &options(profile)).unwrap_err();
            assert_eq!(refused.reason(), Reason::BadEncoding, "{serial:x?} {profile:?}");
        }
        let listed = list(&root, |l| l.entries = vec![entry(serial, &[])]);
        assert_eq!(Crl::parse(&listed).unwrap_err().field(), "userCertificate", "{serial:x?}");
        assert!(KnownCrl::read(listed).is_err(), "{serial:x?}");
        assert!(OcspResponse::parse(&response(&root, &root, |a| a.serial = serial.to_vec())).is_err(), "{serial:x?}");
        let named = server(&root, |d| {
            d.set(AKI, false, seq(&[&tlv(0x80, &root.key.id()), &tlv(0x82, serial)])).tbs();
        });
        assert_eq!(Certificate::parse(&named.der).unwrap_err().field(), "authorityCertSerialNumber", "{serial:x?}");
    }
    for serial in [&[0][..], &[0, 0x80], &[0x80], &[0xff, 0x7f]] {
        assert!(Certificate::parse(&server(&root, |d| d.serial = serial.to_vec()).der).is_ok(), "{serial:x?}");
    }
}

/// RFC 5280 5.3.1, 5.3.3: an entry takes a certificate off a list where it is certainly about it, and nothing else stands there.
#[test]
fn a_delta_takes_nobody_off_a_list_whom_it_may_not_mean() {
    let scene = Scene::new(|_| ());
    let (remove, hold, compromise) = (8, 6, 1);
    let complete = |reason| scene.numbered(None, 5, &[reason], &|_| ());
    let delta = |reasons: &[u8]| scene.numbered(Some(5), 6, reasons, &|_| ());
    let held = complete(hold);
    let named = |of: &[u8], reason| {
        let issuer: Extension = (&[0x55, 0x1d, 29], true, seq(&[&tlv(0xa4, of)]));
        move |serial: &[u8]| entry(serial, &[for_reason(reason).remove(0), issuer.clone()])
    };
    let (other, own) = (name("Other"), scene.root.subject.clone());
    let with = |entries: Vec<Vec<u8>>| scene.numbered(Some(5), 6, &[], &|l| l.entries.clone_from(&entries));
    let removal = || entry(&[9], &for_reason(remove));
    let (off, on) = (Ok(()), Err(Reason::Revoked));
    for (what, delta, wanted) in [
        ("a removal", delta(&[remove]), off),
        ("two of them", delta(&[remove, remove]), off),
        ("a removal, and compromised", delta(&[remove, compromise]), on),
        ("compromised, and a removal", delta(&[compromise, remove]), on),
        ("a removal, and held", delta(&[remove, hold]), on),
        ("of another issuer, where no issuer may stand", with(vec![named(&other, remove)(&[9])]), on),
        ("behind one of another issuer", with(vec![named(&other, 0)(&[1]), removal()]), on),
        ("before one of another issuer", with(vec![removal(), named(&other, 0)(&[1])]), off),
        ("of the list's own issuer", with(vec![named(&own, remove)(&[9])]), off),
        ("of another issuer, and it revokes", with(vec![named(&other, compromise)(&[9])]), on),
    ] {
        for profile in [Profile::Rfc5280, Profile::Legacy] {
            assert_eq!(scene.judge(profile, &[held.clone(), delta.clone()]), wanted, "{what} {profile:?}");
            assert_eq!(scene.judge(profile, &[delta.clone(), held.clone()]), wanted, "{what} {profile:?}, turned");
        }
    }
    assert_eq!(scene.judge(Profile::WebPki, &[complete(compromise), delta(&[remove])]), on, "no hold was lifted");
    let both = scene.numbered(None, 5, &[remove, compromise], &|_| ());
    assert_eq!(scene.judge(Profile::WebPki, &[both, delta(&[remove])]), on, "twice in the complete list");
}

/// What an authority says it has revoked is revoked, also where its delta cannot be put together with a complete list.
#[test]
fn whom_a_delta_revokes_is_revoked_whatever_it_changes() {
    let scene = Scene::new(|_| ());
    let plain: Altered<'_> = &|_| ();
    let without: &dyn Fn(&'static [u8]) -> Change =
        &|id| Box::new(move |l| l.extensions.retain(|(oid, ..)| *oid != id));
    let old: Altered<'_> = &|l| (l.from, l.to) = ("300301000000Z", Some("300302000000Z"));
    let (no_key, no_number) = (without(AKI), without(CRL_NUMBER));
    let empty = |change: Altered<'_>| scene.numbered(None, 5, &[], change);
    let revoking = |base, number, change: Altered<'_>| scene.numbered(Some(base), number, &[1], change);
    for (what, lists) in [
        ("alone", vec![revoking(5, 6, plain)]),
        ("since a later list", vec![empty(plain), revoking(7, 8, plain)]),
        ("no later than the list", vec![empty(plain), revoking(4, 5, plain)]),
        ("out of date", vec![empty(plain), revoking(5, 6, old)]),
        ("without a key identifier", vec![empty(plain), revoking(5, 6, &no_key)]),
        ("a list without one", vec![empty(&no_key), revoking(5, 6, plain)]),
        ("a list without a number", vec![empty(&no_number), revoking(5, 6, plain)]),
        ("without a number", vec![empty(plain), revoking(5, 6, &no_number)]),
        (
            "a later one that has forgotten it",
            vec![empty(plain), revoking(5, 6, plain), scene.numbered(Some(5), 7, &[], plain)],
        ),
    ] {
        assert_eq!(scene.judge(Profile::Rfc5280, &lists), Err(Reason::Revoked), "{what}");
    }
    let lists = [revoking(5, 6, plain)];
    let lists: Vec<Crl<'_>> = lists.iter().map(|list| Crl::parse(list).unwrap()).collect();
    let good = response(&scene.root, &scene.root, |_| ());
    for (check, responses) in [(Check::Prefer, &[][..]), (Check::Require, &[&good[..]])] {
        let mut options = options(Profile::WebPki);
        (options.revocation.check, options.revocation.lists) = (check, &lists);
        options.revocation.responses = responses;
        let refused = verify(&chain(&[&scene.leaf]), &store(&[&scene.root]), &options).unwrap_err();
        assert_eq!(refused.reason(), Reason::Revoked, "{check:?} {}", responses.len());
    }
    let stranger = authority("root", None, |_| ());
    let forged = list(&stranger, |l| {
        l.entries = vec![entry(&[9], &for_reason(1))];
        l.extensions = vec![(CRL_NUMBER, false, vec![2, 1, 6]), key_id(&scene.root), (DELTA, true, vec![2, 1, 5])];
    });
    assert_eq!(scene.judge(Profile::Rfc5280, &[empty(plain), forged]), Ok(()), "by another key");
    assert_eq!(
        scene.judge(Profile::Rfc5280, &[scene.numbered(Some(5), 6, &[], plain)]),
        Err(Reason::StatusUnknown),
        "a delta alone vouches for nobody"
    );
}

/// A hold ends with a list as new as the delta that has it, and with nothing else.
#[test]
fn a_hold_of_a_delta_counts_until_a_later_list_has_let_go_of_it() {
    let scene = Scene::new(|_| ());
    let plain: Altered<'_> = &|_| ();
    let old: Altered<'_> = &|l| (l.from, l.to) = ("300301000000Z", Some("300302000000Z"));
    let (held, base) = (scene.numbered(Some(7), 8, &[6], plain), scene.numbered(None, 5, &[], plain));
    let complete = |number| scene.numbered(None, number, &[], plain);
    let (off, on) = (Ok(()), Err(Reason::Revoked));
    for (what, lists, wanted) in [
        ("alone", vec![held.clone()], on),
        ("an older list", vec![held.clone(), base.clone()], on),
        ("a list of the same number", vec![held.clone(), complete(8)], off),
        ("a later list", vec![complete(9), held.clone()], off),
        ("a later list that is out of date", vec![held.clone(), scene.numbered(None, 9, &[], old), base.clone()], on),
        (
            "a later list of other certificates",
            vec![
                held.clone(),
                base.clone(),
                scene.numbered(None, 9, &[], &|l| {
                    l.extensions.push((POINT, true, seq(&[&[0x81, 1, 0xff]])));
                }),
            ],
            on,
        ),
        (
            "an older list with a later delta",
            vec![held.clone(), base.clone(), scene.numbered(Some(5), 9, &[8], plain)],
            off,
        ),
        (
            "an older list with an older delta",
            vec![held.clone(), base.clone(), scene.numbered(Some(5), 7, &[], plain)],
            on,
        ),
        ("out of date, and a list of today", vec![scene.numbered(Some(7), 8, &[6], old), base.clone()], off),
    ] {
        assert_eq!(scene.judge(Profile::Rfc5280, &lists), wanted, "{what}");
    }
}
