//! Which file a request's path names, and which files are nobody's business.

use super::body::AT_ONCE;
use clasp::crypto::PrivateKey;
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::io::{self, Read, Seek, SeekFrom};
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

/// Longer than any line that begins a private key.
const LINE: usize = 128;

/// Whether a file, of which the front has been read, holds a private key: in PEM anywhere among other things, or in DER. Reads on
/// where it may, and gives the file back where it was.
pub(super) fn holds_private_key(front: &[u8], file: &mut (impl Read + Seek)) -> io::Result<bool> {
    // DER begins with a SEQUENCE, and so do few other things that are served.
    if begins_key(front) || front.first() == Some(&0x30) && PrivateKey::from_der(front).is_ok() {
        return Ok(true);
    }
    if !lines(front).any(|line| line.starts_with(b"-----BEGIN ")) {
        return Ok(false);
    }
    // A bundle: the key may stand behind any number of certificates.
    let here = file.stream_position()?;
    let mut window = front.to_vec();
    let mut piece = vec![0; AT_ONCE];
    loop {
        window.drain(..window.len().saturating_sub(LINE));
        let n = file.read(&mut piece)?;
        if n == 0 {
            break;
        }
        window.extend_from_slice(piece.get(..n).unwrap_or_default());
        if begins_key(&window) {
            return Ok(true);
        }
    }
    file.seek(SeekFrom::Start(here))?;
    Ok(false)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}

fn begins_key(text: &[u8]) -> bool {
    lines(text).any(|line| line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----"))
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

    fn holds(bytes: &[u8]) -> bool {
        let mut file = io::Cursor::new(bytes);
        let mut front = vec![0; bytes.len().min(AT_ONCE)];
        file.read_exact(&mut front).unwrap();
        let found = holds_private_key(&front, &mut file).unwrap();
        assert!(found || file.position() == u64::try_from(front.len()).unwrap(), "the rest is read from there");
        found
    }

    #[test]
    fn a_private_key_behind_many_certificates_is_known_wherever_it_stands() {
        let certificate = rcgen::generate_simple_self_signed(["a.test".to_string()]).unwrap();
        let bundle = certificate.cert.pem().repeat(2 * AT_ONCE / certificate.cert.pem().len() + 2);
        assert!(!holds(bundle.as_bytes()));
        for at in [AT_ONCE - 40, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE - 7, bundle.len()] {
            let mut with = bundle.clone().into_bytes();
            with.splice(at..at, *b"\n-----BEGIN PRIVATE KEY-----\n");
            assert!(holds(&with), "{at}");
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
            assert!(holds(text), "{}", String::from_utf8_lossy(text));
        }
        let key = rcgen::KeyPair::generate().unwrap();
        assert!(holds(&key.serialize_der()));
        let certificate = rcgen::generate_simple_self_signed(["a.test".to_string()]).unwrap();
        for public in
            [certificate.cert.der().to_vec(), certificate.cert.pem().into_bytes(), b"0 things".to_vec(), vec![]]
        {
            assert!(!holds(&public));
        }
    }
}
