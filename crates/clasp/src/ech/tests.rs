use super::*;
use crate::code::{HpkeAead, HpkeKdf, HpkeKem};
use crate::crypto::Provider;
use crate::hpke::{RecipientKey, Suite};

/// The example of RFC 9934 3.
const PEM: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEICjd4yGRdsoP9gU7YT7My8DHx1Tjme8GYDXrOMCi8v1V
-----END PRIVATE KEY-----
-----BEGIN ECHCONFIG-----
AD7+DQA65wAgACA8wVN2BtscOl3vQheUzHeIkVmKIiydUhDCliA4iyQRCwAEAAEA
AQALZXhhbXBsZS5jb20AAA==
-----END ECHCONFIG-----
";

fn provider() -> &'static Provider {
    Provider::builtin()
}

fn key(name: &str) -> EchKey {
    EchKey::generate(provider(), &EchParameters::new(name)).unwrap()
}

#[test]
fn the_file_of_the_rfc_is_read_and_written() {
    let key = EchKey::from_pem(provider(), PEM.as_bytes()).unwrap();
    let [config] = key.list().configs() else { panic!("{:?}", key.list()) };
    assert_eq!((config.id(), config.public_name(), config.max_name_length()), (0xe7, &b"example.com"[..], 0));
    assert!(config.suites().eq([Suite::default()]));
    assert_eq!(config.suite(provider()), Ok(Suite::default()));
    assert_eq!(*key.to_pem().unwrap(), PEM);
    // Only what is published, or with the key that is of no concern then.
    let (private, list) = PEM.split_at(PEM.find("-----BEGIN ECHCONFIG").unwrap());
    for text in [list, PEM] {
        assert_eq!(&EchConfigList::from_pem(text.as_bytes()).unwrap(), key.list());
    }
    assert_eq!(key.list().to_pem(), list);
    for text in [private, list, &format!("{list}{private}"), &format!("{PEM}{list}"), &format!("{private}{PEM}"), ""] {
        assert!(matches!(EchKey::from_pem(provider(), text.as_bytes()), Err(EchError::Pem(_))), "{text}");
    }
    for text in [private, &format!("{list}{private}"), &format!("{PEM}{list}"), &format!("{private}{PEM}"), ""] {
        assert!(matches!(EchConfigList::from_pem(text.as_bytes()), Err(EchError::Pem(_))), "{text}");
    }
    let other = format!("{private}{}", self::key("a.example").list().to_pem());
    assert_eq!(EchKey::from_pem(provider(), other.as_bytes()).unwrap_err(), EchError::OtherKey);
    // Ed25519 has the same form.
    let signing = PEM.replace("K2Vu", "K2Vw");
    assert_eq!(EchKey::from_pem(provider(), signing.as_bytes()).unwrap_err(), EchError::PrivateKey);
}

#[test]
fn keys_of_every_kind_go_to_a_file_and_come_back() {
    for kem in [
        HpkeKem::DhkemX25519HkdfSha256,
        HpkeKem::DhkemP256HkdfSha256,
        HpkeKem::DhkemP384HkdfSha384,
        HpkeKem::DhkemP521HkdfSha512,
    ] {
        let parameters = EchParameters { kem, max_name_length: 40, ..EchParameters::new("public.example") };
        let made = EchKey::generate(provider(), &parameters).unwrap();
        let read = EchKey::from_pem(provider(), made.to_pem().unwrap().as_bytes()).unwrap();
        assert_eq!((read.list(), read.key().public()), (made.list(), made.key().public()));
        assert_eq!(read.configs().count(), 1);
        let config = &made.list().configs()[0];
        let suite = config.suite(provider()).unwrap();
        assert_eq!((suite.kem, config.kem(), config.max_name_length()), (kem, kem, 40));
        let (encapsulated, mut sealer) = suite.sealer(provider(), config.public_key(), b"x").unwrap();
        let mut message = b"hidden".to_vec();
        sealer.seal(b"", &mut message).unwrap();
        suite.opener(provider(), read.key(), &encapsulated, b"x").unwrap().open(b"", &mut message).unwrap();
        assert_eq!(message, b"hidden");
        assert!(!format!("{made:?}").contains(&format!("{:?}", made.key().expose_private())));
    }
}

#[test]
fn what_no_client_would_take_is_not_made() {
    let refused = |parameters: EchParameters| EchKey::generate(provider(), &parameters).unwrap_err();
    for name in ["", "a b", "10.0.0.1", "example.0x", "a_b.example", &"a.".repeat(130)] {
        assert_eq!(refused(EchParameters::new(name)), EchError::Unfit(Unfit::PublicName), "{name}");
    }
    let parameters = EchParameters::new("a.example");
    let none = EchParameters { suites: Vec::new(), ..parameters.clone() };
    assert!(matches!(refused(none), EchError::Malformed(_)));
    let unknown = vec![(HpkeKdf(0x77), HpkeAead(0x77))];
    assert_eq!(refused(EchParameters { suites: unknown, ..parameters.clone() }), EchError::Unfit(Unfit::Algorithms));
    let many = vec![(HpkeKdf::HkdfSha256, HpkeAead::Aes128Gcm); 0x4000];
    assert_eq!(refused(EchParameters { suites: many, ..parameters.clone() }), EchError::TooLong);
    let kem = HpkeKem::DhkemX448HkdfSha512;
    assert_eq!(refused(EchParameters { kem, ..parameters }), EchError::Crypto);
}

/// A configuration with these bytes in place of the part that is named.
struct Parts {
    version: u16,
    kem: u16,
    public_key: Vec<u8>,
    suites: Vec<u8>,
    name: Vec<u8>,
    extensions: Vec<u8>,
    behind: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            version: 0xfe0d,
            kem: 0x20,
            public_key: vec![9; 32],
            suites: vec![0, 1, 0, 1],
            name: b"a.example".to_vec(),
            extensions: Vec::new(),
            behind: Vec::new(),
        }
    }
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

impl Parts {
    fn config(&self) -> Vec<u8> {
        let name = [&[u8::try_from(self.name.len()).unwrap()], &self.name[..]].concat();
        let contents = [
            &[7][..],
            &self.kem.to_be_bytes(),
            &prefixed(&self.public_key),
            &prefixed(&self.suites),
            &[0],
            &name,
            &prefixed(&self.extensions),
            &self.behind,
        ]
        .concat();
        [&self.version.to_be_bytes()[..], &prefixed(&contents)].concat()
    }

    fn list(&self) -> Result<EchConfigList, EchError> {
        EchConfigList::parse(&prefixed(&self.config()))
    }
}

#[test]
fn versions_that_are_not_known_are_passed_over() {
    let known = Parts::default().config();
    let unknown = Parts { version: 0xfe0e, behind: vec![1, 2, 3], ..Parts::default() }.config();
    let nothing = [0x12, 0x34, 0, 0];
    let bytes = prefixed(&[&unknown[..], &nothing, &known, &unknown].concat());
    let list = EchConfigList::parse(&bytes).unwrap();
    assert_eq!(list.as_bytes(), bytes);
    assert_eq!(list.configs().iter().map(EchConfig::as_bytes).collect::<Vec<_>>(), [&known[..]]);
    assert_eq!(list.choose(provider()).map(|(config, _)| config.id()), Some(7));
    let strange = EchConfigList::parse(&prefixed(&unknown)).unwrap();
    assert!(strange.configs().is_empty() && strange.choose(provider()).is_none());
}

#[test]
fn what_a_client_must_not_use_says_why() {
    let unfit = |parts: Parts| parts.list().unwrap().configs()[0].suite(provider()).unwrap_err();
    let mandatory = |typ: u16| [&typ.to_be_bytes()[..], &[0, 1, 7]].concat();
    assert_eq!(
        unfit(Parts { extensions: [mandatory(5), mandatory(0x8001)].concat(), ..Parts::default() }),
        Unfit::MandatoryExtension(0x8001)
    );
    assert_eq!(unfit(Parts { name: b"192.0.2.1".to_vec(), ..Parts::default() }), Unfit::PublicName);
    assert_eq!(unfit(Parts { suites: vec![0, 1, 0xff, 0xff], ..Parts::default() }), Unfit::Algorithms);
    assert_eq!(unfit(Parts { kem: 0x21, ..Parts::default() }), Unfit::Algorithms);
    assert_eq!(unfit(Parts { public_key: vec![9; 31], ..Parts::default() }), Unfit::PublicKey);
    // What is not mandatory is passed over, and so is the first suite that is not known.
    let good = Parts { extensions: mandatory(5), suites: vec![0, 9, 0, 9, 0, 1, 0, 3], ..Parts::default() };
    let list = good.list().unwrap();
    let suite = Suite { aead: HpkeAead::ChaCha20Poly1305, ..Suite::default() };
    assert_eq!(list.configs()[0].suite(provider()), Ok(suite));
    // The next one is taken.
    let bad = Parts { name: b"1".to_vec(), ..Parts::default() }.config();
    let list = EchConfigList::parse(&prefixed(&[bad, good.config()].concat())).unwrap();
    assert_eq!(list.choose(provider()), Some((&list.configs()[1], suite)));
}

#[test]
fn what_cannot_be_read_is_refused_whole() {
    let twice = [5, 0x1234, 5].map(|typ: u16| [&typ.to_be_bytes()[..], &[0, 0]].concat()).concat();
    for (what, parts) in [
        ("trailing bytes", Parts { behind: vec![0], ..Parts::default() }),
        ("no key", Parts { public_key: Vec::new(), ..Parts::default() }),
        ("no suites", Parts { suites: Vec::new(), ..Parts::default() }),
        ("half a suite", Parts { suites: vec![0, 1, 0, 1, 0, 1], ..Parts::default() }),
        ("no name", Parts { name: Vec::new(), ..Parts::default() }),
        ("half an extension", Parts { extensions: vec![0, 1, 0, 9], ..Parts::default() }),
        ("an extension twice", Parts { extensions: twice, ..Parts::default() }),
    ] {
        assert!(matches!(parts.list(), Err(EchError::Malformed(_))), "{what}");
        // Of a version that is not known, it is nobody's business.
        assert!(Parts { version: 1, ..parts }.list().is_ok(), "{what}");
    }
    let good = prefixed(&Parts::default().config());
    assert!(EchConfigList::parse(&good).is_ok());
    for cut in 0..good.len() {
        assert!(EchConfigList::parse(&good[..cut]).is_err(), "{cut}");
        assert!(EchConfigList::parse(&prefixed(&good[2..cut.max(2)])).is_err(), "{cut}");
    }
    assert!(EchConfigList::parse(&[&good[..], &[0]].concat()).is_err());
    assert!(EchConfigList::of([]).is_err());
    assert_eq!(EchConfigList::from_base64("no base64"), Err(EchError::Base64));
}

#[test]
fn a_list_has_the_configurations_of_several_keys() {
    let (one, two) = (key("one.example"), key("two.example"));
    let list = EchConfigList::of(one.list().configs().iter().chain(two.list().configs())).unwrap();
    assert_eq!(list.configs().len(), 2);
    let private = RecipientKey::from_private(provider(), two.key().kem(), two.key().expose_private()).unwrap();
    let both = EchKey::new(private, list).unwrap();
    assert_eq!(both.configs().map(EchConfig::public_name).collect::<Vec<_>>(), [b"two.example"]);
    assert_eq!(both.list().configs().len(), 2);
}
