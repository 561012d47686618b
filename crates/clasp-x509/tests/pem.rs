//! PEM files as people have them: what OpenSSL takes is taken, and nothing is lost without a word.
#![allow(clippy::unwrap_used)]

mod common;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clasp_x509::kind::{self, Kind};
use clasp_x509::pem::{self, Section};
use clasp_x509::{Options, Profile, Reason, Roots, RootsError, Usage, verify};
use common::answers::*;
use common::*;

fn block_of(label: &str, der: &[u8], end: &str) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let lines: String = lines.iter().flat_map(|line| [*line, end]).collect();
    format!("-----BEGIN {label}-----{end}{lines}-----END {label}-----{end}")
}

fn block(label: &str, der: &[u8]) -> String {
    block_of(label, der, "\n")
}

fn certificate(der: &[u8]) -> String {
    block("CERTIFICATE", der)
}

struct Two {
    one: Vec<u8>,
    two: Vec<u8>,
}

impl Two {
    fn new() -> Self {
        Self { one: authority("one", None, |_| ()).der, two: authority("two", None, |_| ()).der }
    }

    fn taken(&self, file: &[u8]) -> Result<(), String> {
        let sections = pem::items(file, Kind::Certificate).map_err(|fault| fault.to_string())?;
        let found: Vec<&[u8]> = sections.iter().map(Section::der).collect();
        assert_eq!(found, [&self.one[..], &self.two], "of {}", String::from_utf8_lossy(file));
        Ok(())
    }
}

#[test]
fn what_open_ssl_takes_is_taken() {
    let two = Two::new();
    let (a, b) = (certificate(&two.one), certificate(&two.two));
    let bom = "\u{feff}";
    let flat = |der: &[u8]| {
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(der))
    };
    for (what, file) in [
        ("plain", format!("{a}{b}")),
        ("a byte-order mark", format!("{bom}{a}{b}")),
        ("two files with byte-order marks", format!("{bom}{a}{bom}{b}")),
        ("CR LF", block_of("CERTIFICATE", &two.one, "\r\n") + &block_of("CERTIFICATE", &two.two, "\r\n")),
        ("CR", block_of("CERTIFICATE", &two.one, "\r") + &block_of("CERTIFICATE", &two.two, "\r")),
        ("old label", block("X509 CERTIFICATE", &two.one) + &b),
        ("trusted", block("TRUSTED CERTIFICATE", &two.one) + &b),
        (
            "trusted, with an alias",
            block("TRUSTED CERTIFICATE", &[&two.one[..], &seq(&[&tlv(12, b"x")])].concat()) + &b,
        ),
        (
            "text around",
            format!("subject=CN = one\n0 s:/CN=one - the END of it\n\n{a}Bag Attributes\n  x: 1\n{b}\nbye"),
        ),
        ("white space behind", a.replace('\n', " \t\n") + &b),
        ("white space before data", a.replace("\nM", "\n  M") + &b),
        ("headers", a.replacen("-----\n", "-----\nX-Note: 1\n more\nY: 2\n\n", 1) + &b),
        ("an empty line", a.replacen("-----\n", "-----\n\n", 1) + &b),
        ("no newline at the end", format!("{a}{}", b.trim_end())),
        ("lines of any length", flat(&two.one) + &flat(&two.two)),
        ("a key between", format!("{a}{}{b}", block("PRIVATE KEY", &[0x30, 0]))),
        (
            "parameters and a key before",
            block("EC PARAMETERS", &[6, 1, 1]) + &block("EC PRIVATE KEY", &[0x30, 0]) + &a + &b,
        ),
    ] {
        two.taken(file.as_bytes()).unwrap_or_else(|fault| panic!("{what}: {fault}"));
    }
}

/// Never fewer items than BEGIN lines: what cannot be read is an error that names the line.
#[test]
fn what_is_not_understood_is_an_error_with_its_line() {
    let two = Two::new();
    let (a, b) = (certificate(&two.one), certificate(&two.two));
    let after = a.lines().count() + 1;
    let in_a = |from: &str, to: &str| a.replacen(from, to, 1) + &b;
    let last = a.lines().count() - 1;
    let cut = a.lines().take(last).map(|line| format!("{line}\n")).collect::<String>();
    for (what, file, line) in [
        ("two markers in one line", a.trim_end().to_owned() + &b, after - 1),
        ("damage", in_a("\nM", "\n%%M"), 2),
        ("damage in the middle of a file", a.clone() + &certificate(&two.two).replacen("\nM", "\nM%%", 1), after + 1),
        ("a letter too few", in_a("\nM", "\n"), after - 1),
        ("no END", cut.clone() + &b, after - 1),
        ("no END at the end of the file", a.clone() + b.split("-----END").next().unwrap(), after),
        ("another END", in_a("END CERTIFICATE", "END X509 CERTIFICATE"), after - 1),
        ("END without BEGIN", a.clone() + b.split_once('\n').unwrap().1, after + b.lines().count() - 2),
        ("four dashes before", in_a("-----BEGIN", "----BEGIN"), 1),
        ("four dashes behind", in_a("CERTIFICATE-----", "CERTIFICATE----"), 1),
        ("spaces before", in_a("-----BEGIN", "  -----BEGIN"), 1),
        ("spaces within", in_a("-----BEGIN", "----- BEGIN"), 1),
        ("small letters", in_a("-----BEGIN CERT", "-----begin cert"), 1),
        ("a dash of a word processor", in_a("-----BEGIN", "\u{2014}\u{2014}BEGIN"), 1),
        ("data in the line of BEGIN", in_a("CERTIFICATE-----\n", "CERTIFICATE-----"), 1),
        ("data behind END", in_a("END CERTIFICATE-----", "END CERTIFICATE-----x"), after - 1),
        ("no data", in_a(&a, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), 2),
        ("a label that is not known", a.clone() + &block("CERTIFICATES", &two.two), after),
        ("PKCS #7", a.clone() + &block("PKCS7", &two.two), after),
        ("a section in a section", cut + &a, after - 1),
        ("trust that cannot be read", a.clone() + &block("TRUSTED CERTIFICATE", &[&two.two[..], &[1]].concat()), after),
    ] {
        let fault = pem::items(file.as_bytes(), Kind::Certificate).expect_err(what);
        assert_eq!(fault.line, line, "{what}: {fault}");
        let mut roots = Roots::empty();
        assert!(roots.add_pem(file.as_bytes()).is_err() && roots.is_empty(), "{what}");
    }
}

#[test]
fn files_that_are_no_pem_are_named() {
    let root = authority("root", None, |_| ());
    let crl = list(&root, |_| ());
    let utf16: Vec<u8> = certificate(&root.der).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pkcs7 = seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]), &tlv(0xa0, &[0x30, 0])]);
    let pkcs12 = seq(&[&[2, 1, 3], &pkcs7]);
    let pbes2 = seq(&[&seq(&[&oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13]), &[0x30, 0]]), &tlv(4, &[1])]);
    for (file, words) in [
        (root.der.clone(), "a certificate in DER"),
        (crl.clone(), "a revocation list in DER"),
        (response(&root, &root, |_| ()), "an OCSP response in DER"),
        ([&root.der[..], &root.der].concat(), "a certificate in DER, and "),
        ([&crl[..], b"\n"].concat(), "a revocation list in DER, and 1 bytes behind it"),
        (pkcs7.clone(), "PKCS #7 in DER"),
        (pkcs7, "openssl pkcs7 -inform DER"),
        (pkcs12, "PKCS #12 in DER"),
        (pbes2, "an encrypted private key in DER"),
        (utf16, "UTF-16"),
        (Vec::new(), "an empty file"),
        (b"hello\n".to_vec(), "no BEGIN line"),
        (block("X509 CRL", &crl).into_bytes(), "a revocation list (BEGIN X509 CRL)"),
        ((certificate(&root.der) + &block("X509 CRL", &crl)).into_bytes(), "a revocation list (BEGIN X509 CRL)"),
    ] {
        let fault = Roots::empty().add_pem(&file).unwrap_err();
        assert!(fault.to_string().contains(words), "{words}: {fault}");
    }
}

/// What stands beside PEM as DER would be lost: a list that revokes, say.
#[test]
fn der_beside_pem_is_refused_and_text_is_not() {
    let root = authority("root", None, |_| ());
    let (crl, later) = (list(&root, |_| ()), list(&root, |l| l.to = None));
    let pem = block("X509 CRL", &crl);
    for (file, line) in [
        ([pem.as_bytes(), &later].concat(), pem.lines().count() + 1),
        ([&later[..], b"\n", pem.as_bytes()].concat(), 1),
        ([pem.as_bytes(), b"text\n\x00\x01text\n", pem.as_bytes()].concat(), pem.lines().count() + 2),
    ] {
        let fault = pem::items(&file, Kind::Crl).unwrap_err();
        assert!(fault.line == line && fault.found == "bytes that are no text", "{fault}, not line {line}");
    }
    let text = "subject=O = Müller\tAG\x0c \x1b[1m\n\x1a\0\0";
    assert_eq!(pem::items((text.to_owned() + "\n" + &pem + text).as_bytes(), Kind::Crl).unwrap().len(), 1);
}

#[test]
fn private_keys_are_one_and_not_encrypted() {
    let key = [&[0x30, 3][..], &[2, 1, 0]].concat();
    let plain = block("PRIVATE KEY", &key);
    let words = |file: &str| pem::private_key(file.as_bytes()).unwrap_err().to_string();
    let old = block("RSA PRIVATE KEY", &key).replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES\n\n", 1);
    assert!(words(&old).contains("an encrypted private key"), "{}", words(&old));
    assert!(words(&block("ENCRYPTED PRIVATE KEY", &key)).contains("openssl pkey"));
    assert!(words(&(plain.clone() + &plain)).contains("line 4"), "{}", words(&(plain.clone() + &plain)));
    assert!(words(&certificate(&key)).contains("a private key"));
    let beside = block("EC PARAMETERS", &[6, 1, 1]) + &certificate(&key) + &plain;
    assert_eq!(pem::private_key(beside.as_bytes()).unwrap().der(), key);
    assert!(!format!("{:?}", pem::private_key(plain.as_bytes()).unwrap()).contains("30"), "nothing of the key");
}

/// A key whose lines were joined (by an environment variable, an editor) is refused, and not told to whoever reads the log.
#[test]
fn an_error_quotes_markers_and_nothing_of_a_key() {
    let key: Vec<u8> = (0..48u8).map(|n| n.wrapping_mul(37)).collect();
    let file = block("PRIVATE KEY", &key);
    let data = file.lines().nth(1).unwrap();
    for (what, odd) in [
        ("all in one line", file.replace('\n', "")),
        ("with spaces", file.replace('\n', " ")),
        ("line ends spelled out", file.replace('\n', "\\n")),
        ("data behind BEGIN", file.replacen("-----\n", "-----", 1)),
        ("data before END", file.replacen("\n-----END", "-----END", 1)),
        ("data before a damaged END", file.replacen("\n-----END", "--END", 1)),
        ("data behind END", file.trim_end().to_owned() + data),
        ("without dashes behind", file.replacen("KEY-----\n", "KEY", 1)),
    ] {
        let fault = pem::private_key(odd.as_bytes()).expect_err(what).to_string();
        let told =
            data.as_bytes().windows(4).filter(|part| fault.contains(core::str::from_utf8(part).unwrap())).count();
        assert_eq!(told, 0, "{what}: {fault}");
        assert!(fault.contains("PRIVATE"), "{what}: {fault}");
    }
}

/// A bundle says which of its roots cannot be read, and takes none of them.
#[test]
fn a_bad_root_is_named_by_its_number() {
    let two = Two::new();
    let file = certificate(&two.one) + &certificate(&two.two[..two.two.len() - 1]) + &certificate(&two.two);
    let mut roots = Roots::empty();
    let fault = roots.add_pem(file.as_bytes()).unwrap_err();
    assert!(matches!(fault, RootsError::InFile { number: 2, .. }), "{fault}");
    assert!(fault.to_string().contains("root 2, in line"), "{fault}");
    assert!(roots.is_empty());
}

/// What OpenSSL's `-addtrust` and `-addreject` say holds.
#[test]
fn a_trusted_certificate_is_trusted_for_its_uses_alone() {
    let root = authority("root", None, |_| ());
    let leaf = server(&root, |d| d.without(EKU).tbs().clear());
    let uses = |list: &[&[u8]]| list.iter().flat_map(|use_| oid(use_)).collect::<Vec<u8>>();
    for (what, aux, server, client) in [
        ("nothing said", seq(&[]), true, true),
        ("servers", seq(&[&tlv(0x30, &uses(&[SERVER_AUTH]))]), true, false),
        ("clients", seq(&[&tlv(0x30, &uses(&[CLIENT_AUTH]))]), false, true),
        ("no servers", seq(&[&tlv(0xa0, &uses(&[SERVER_AUTH]))]), false, true),
        ("code", seq(&[&tlv(0x30, &uses(&[&[0x2b, 6, 1, 5, 5, 7, 3, 3]]))]), false, false),
        ("any use", seq(&[&tlv(0x30, &uses(&[&[0x55, 0x1d, 37, 0]]))]), true, true),
    ] {
        let mut roots = Roots::empty();
        roots.add_pem(block("TRUSTED CERTIFICATE", &[&root.der[..], &aux].concat()).as_bytes()).unwrap();
        for (usage, good) in [(Usage::Server, server), (Usage::Client, client)] {
            let options = Options::new(at(NOW), usage).profile(Profile::Rfc5280);
            let verdict = verify(&chain(&[&leaf]), &roots, &options).map(|_| ()).map_err(|refused| refused.reason());
            assert_eq!(verdict, if good { Ok(()) } else { Err(Reason::WrongUsage) }, "{what} for {usage:?}");
        }
    }
}

#[test]
fn keys_and_parameters_have_their_names() {
    let number = |bits: usize, last: u8| {
        let mut bytes = vec![0, 0x80];
        bytes.resize(bits / 8, 7);
        bytes.push(last);
        tlv(2, &bytes)
    };
    let (big, zero, e) = (number(2048, 1), [2, 1, 0], [2, 3, 1, 0, 1]);
    let q = number(256, 1);
    let rsa = seq(&[&zero, &big, &e, &big, &q, &q, &q, &q, &q]);
    for (der, kind, name) in [
        (rsa.clone(), Kind::PrivateKey, "RSA 2048"),
        (seq(&[&zero, &big, &q, &big, &big, &q]), Kind::PrivateKey, "DSA 2048"),
        (seq(&[&zero, &seq(&[&oid(&[0x2b, 0x65, 110])]), &tlv(4, &[4, 0])]), Kind::PrivateKey, "X25519"),
        (
            seq(&[&zero, &seq(&[&oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2])]), &tlv(4, &[4, 0])]),
            Kind::PrivateKey,
            "ML-KEM-768",
        ),
        (seq(&[&big, &[2, 1, 2]]), Kind::Parameters, "Diffie-Hellman group of 2048 bits"),
        (seq(&[&big, &[2, 1, 2], &[2, 2, 1, 0]]), Kind::Parameters, "Diffie-Hellman group of 2048 bits"),
        (seq(&[&big, &big, &q]), Kind::Parameters, "Diffie-Hellman group of 2048 bits, of X9.42"),
        (seq(&[&big, &q, &big]), Kind::Parameters, "DSA 2048"),
        (oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]), Kind::Parameters, "EC P-256"),
        (seq(&[&big, &e]), Kind::PublicKey, ""),
    ] {
        assert_eq!(kind::of(&der), Some(kind), "{name}");
        let named = kind::private_key(&der).or_else(|| kind::parameters(&der)).unwrap_or_default();
        assert_eq!(named, name);
        let longer = [&der[..], &[0]].concat();
        assert_eq!(kind::of(&longer), None, "{name}: read to its end");
    }
}
