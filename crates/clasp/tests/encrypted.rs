//! Identities whose key is behind a password, as OpenSSL 3 writes them (`encrypted/`: `openssl pkcs12 -export`, with `-legacy`,
//! with `-nokeys`; `openssl pkcs8 -topk8`, with `-v2 des3`, `-scrypt`, `-v1 PBE-SHA1-3DES`, `-iter`; `openssl ec -aes256`).
#![cfg(feature = "encrypted-keys")]
#![allow(clippy::unwrap_used)]

use clasp::error::{Cause, Misuse};
use clasp::pki_types::CertificateDer;
use clasp::{Error, Identity};
use clasp_testkit::{KeyKind, authority};
use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};

/// With a character beyond ASCII: PKCS #12 hashes it as UTF-16, PKCS #8 as it stands.
const PASSWORD: &str = "the pass–word";

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("encrypted/", $name))
    };
}

fn der() -> Vec<CertificateDer<'static>> {
    Identity::from_pem(file!("cert.pem"), file!("plain.pem")).unwrap().chain().to_vec()
}

/// Refused, and in which words.
fn refused(what: &str, identity: clasp::Result<Identity>, words: &[&str]) -> Error {
    let error = identity.unwrap_err();
    assert_eq!(error.cause(), &Cause::Misuse(Misuse::BadPrivateKey), "{what}: {error}");
    for words in words {
        assert!(error.to_string().contains(words), "{what}: {words} is not in: {error}");
    }
    assert!(!error.to_string().contains("word–"), "the password: {error}");
    error
}

#[test]
fn archives_of_today_and_of_yesterday_are_read() {
    for archive in [&file!("today.p12")[..], file!("legacy.p12")] {
        assert_eq!(Identity::from_pkcs12(archive, PASSWORD).unwrap().chain(), der());
        for wrong in ["", "the pass-word", "the pass–word "] {
            refused("another password", Identity::from_pkcs12(archive, wrong), &["password does not open"]);
        }
    }
}

#[test]
fn an_archive_without_one_key_says_so() {
    let none = Identity::from_pkcs12(file!("nokey.p12"), PASSWORD);
    refused("none", none, &["without a private key", "wanted: one private key, with its certificate"]);
    let mut store = KeyStore::new();
    for name in ["first.test", "second.test"] {
        let issued = authority().issue(KeyKind::P256, &[name]);
        let chain = issued.chain.iter().map(|der| Certificate::from_der(der).unwrap());
        let entry = PrivateKeyChain::new(name, PrivateKey::from_der(&issued.key).unwrap(), chain.collect::<Vec<_>>());
        store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    }
    let two = store.writer(PASSWORD).write().unwrap();
    refused("several", Identity::from_pkcs12(&two, PASSWORD), &["with 2 private keys", "wanted: one"]);
    for cut in [0, 1, 40, two.len() / 2] {
        refused("cut", Identity::from_pkcs12(&two[..cut], PASSWORD), &["cannot be read"]);
    }
}

/// `circle.p12`: the key's certificate is issued by one authority, that by another, and that by the first. Version 0.2 of p12-keystore went
/// round without end, and took memory at each turn.
#[test]
fn authorities_that_issue_each_other_are_gone_through_once() {
    let identity = Identity::from_pkcs12(file!("circle.p12"), PASSWORD).unwrap();
    assert_eq!(identity.chain().len(), 3, "the certificate, and each of the two once");
}

#[test]
fn keys_of_pkcs8_are_read_with_their_password() {
    let open = |key: &[u8], password: &str| Identity::from_pem_encrypted(file!("cert.pem"), key, password);
    for key in [&file!("pbes2.pem")[..], file!("des3.pem"), file!("scrypt.pem")] {
        assert_eq!(open(key, PASSWORD).unwrap().chain(), der());
        for wrong in 0..4 {
            refused(
                "another password",
                open(key, &wrong.to_string()),
                &["password does not open", "wanted: its password"],
            );
        }
    }
    assert_eq!(open(file!("plain.pem"), "no matter").unwrap().chain(), der(), "a key in the clear");
}

#[test]
fn what_cannot_be_opened_says_what_can() {
    let open = |key: &[u8]| Identity::from_pem_encrypted(file!("cert.pem"), key, PASSWORD);
    refused("PBES1", open(file!("pbes1.pem")), &["a form that is not known", "PBES2"]);
    // 10,000,001 rounds; 254 MiB: nothing of it is begun.
    refused("PBKDF2", open(file!("costly-pbkdf2.pem")), &["takes 10000001 rounds", "wanted: at most"]);
    refused(
        "scrypt",
        open(file!("costly-scrypt.pem")),
        &["takes 266338304 bytes of memory, 1 times", "wanted: at most"],
    );
    refused("headers", open(file!("old-headers.pem")), &["encrypted EC PRIVATE KEY", "openssl pkcs8 -topk8"]);
    refused("nothing", open(file!("cert.pem")), &["a certificate", "wanted"]);
    let twice = [file!("pbes2.pem").as_slice(), file!("des3.pem").as_slice()].concat();
    refused("two keys", open(&twice), &["2 private keys", "one private key"]);
    let without = Identity::from_pem(file!("cert.pem"), file!("pbes2.pem"));
    refused("no password", without, &["hint: Identity::from_pem_encrypted takes its password"]);
}

/// The error of a file names it, and has the system's own as its source.
#[test]
fn files_are_read_and_named() {
    let path = |name: &str| format!("{}/tests/encrypted/{name}", env!("CARGO_MANIFEST_DIR"));
    let identity = Identity::from_pem_files(path("cert.pem"), path("plain.pem")).unwrap();
    assert_eq!(identity.chain(), der());
    let missing = Identity::from_pem_files(path("cert.pem"), path("none.pem"));
    let error = refused("missing", missing, &["none.pem", "because: No such file"]);
    assert!(std::error::Error::source(&error).unwrap().is::<std::io::Error>());
    let encrypted = Identity::from_pem_files(path("cert.pem"), path("pbes2.pem"));
    refused("encrypted", encrypted, &["look at ", "pbes2.pem", "Identity::from_pem_encrypted"]);
}
