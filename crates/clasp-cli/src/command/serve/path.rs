//! Which file a request's path names, and which files are nobody's business.

use clasp::crypto::PrivateKey;
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where certificates' challenges and the like stand (RFC 8615): the one name with a dot in front that is meant to be seen.
const WELL_KNOWN: &str = ".well-known";
/// Files that hold private keys by their name: PKCS#12 and Java's stores are encrypted, and no page of a site.
const KEYS: [&str; 6] = ["key", "p8", "pk8", "p12", "pfx", "jks"];

/// The path below the directory, from a URI's. None where it leads elsewhere: through a parent, a separator that is written as
/// %2F, or a name that is hidden.
pub(super) fn below(uri_path: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for segment in uri_path.split('/').filter(|s| !s.is_empty()) {
        let bytes: Vec<u8> = percent_decode_str(segment).collect();
        if bytes.iter().any(|b| matches!(b, b'/' | 0)) || is_elsewhere_on_windows(&bytes) {
            return None;
        }
        let name = name(bytes)?;
        if !is_shown(&name) {
            return None;
        }
        path.push(name);
    }
    Some(path)
}

/// There, a backslash separates, and a colon names a drive or a stream.
fn is_elsewhere_on_windows(name: &[u8]) -> bool {
    cfg!(windows) && name.iter().any(|b| matches!(b, b'\\' | b':'))
}

#[cfg(unix)]
fn name(bytes: Vec<u8>) -> Option<std::ffi::OsString> {
    Some(std::os::unix::ffi::OsStringExt::from_vec(bytes))
}

#[cfg(not(unix))]
fn name(bytes: Vec<u8>) -> Option<std::ffi::OsString> {
    String::from_utf8(bytes).ok().map(Into::into)
}

/// Names with a dot in front are not: `.`, `..`, `.git`, `.env`, `.htpasswd`.
fn is_shown(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".") || name == WELL_KNOWN
}

/// Whether a file may be served, by its real path below the directory: a link must not show what its own name would not.
pub(super) fn may_be_served(below: &Path) -> bool {
    let names_a_key = |extension: &OsStr| KEYS.iter().any(|k| extension.eq_ignore_ascii_case(k));
    below.iter().all(is_shown) && !below.extension().is_some_and(names_a_key)
}

/// Whether these first bytes of a file are those of a private key, in PEM among other things, or in DER.
pub(super) fn holds_private_key(front: &[u8]) -> bool {
    let begins = |line: &[u8]| {
        let line = line.trim_ascii();
        line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----")
    };
    front.split(|b| matches!(b, b'\n' | b'\r')).any(begins)
        // DER begins with a SEQUENCE, and so do few other things that are served.
        || front.first() == Some(&0x30) && PrivateKey::from_der(front).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_and_lead_nowhere_else() {
        for (uri, path) in [
            ("/", ""),
            ("/a/b.txt", "a/b.txt"),
            ("//a//b", "a/b"),
            ("/100%25%20sure.txt", "100% sure.txt"),
            ("/b%C3%BCcher/%e6%97%a5.html", "bücher/日.html"),
            ("/bücher", "bücher"),
            ("/a+b%2Bc", "a+b+c"),
            ("/50%", "50%"),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"),
        ] {
            assert_eq!(below(uri).as_deref(), Some(Path::new(path)), "{uri}");
        }
        let elsewhere = [
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/%2E%2e%2fx",
            "/a%2Fb",
            "/..%5cx/../y",
            "/a%00b",
            "/./a",
            "/.git/config",
            "/a/.env",
            "/%2ehtpasswd",
            "/.well-known/.git",
            "/...",
        ];
        for uri in elsewhere {
            assert_eq!(below(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_private_key_is_known_by_name_and_by_content() {
        for (path, served) in [
            ("page.html", true),
            ("keyboard.txt", true),
            ("a/server.key", false),
            ("a/SERVER.KEY", false),
            ("store.p12", false),
            (".env", false),
            ("a/.git/config", false),
        ] {
            assert_eq!(may_be_served(Path::new(path)), served, "{path}");
        }
        for text in [
            &b"-----BEGIN PRIVATE KEY-----\nMA=="[..],
            b"-----BEGIN CERTIFICATE-----\r\nMA==\r\n-----END CERTIFICATE-----\r\n-----BEGIN RSA PRIVATE KEY-----\r\n",
            b"\xef\xbb\xbf\n  -----BEGIN EC PRIVATE KEY-----",
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----",
            b"-----BEGIN OPENSSH PRIVATE KEY-----\n",
        ] {
            assert!(holds_private_key(text), "{}", String::from_utf8_lossy(text));
        }
        let key = rcgen::KeyPair::generate().unwrap();
        assert!(holds_private_key(&key.serialize_der()));
        let certificate = rcgen::generate_simple_self_signed(["a.test".to_string()]).unwrap();
        for public in
            [certificate.cert.der().to_vec(), certificate.cert.pem().into_bytes(), b"0 things".to_vec(), vec![]]
        {
            assert!(!holds_private_key(&public));
        }
    }
}
