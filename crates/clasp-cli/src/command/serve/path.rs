//! Which file a request's path names, and which files are nobody's business.

use super::body::AT_ONCE;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD_NO_PAD};
use clasp::x509::kind::{self, Kind};
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

/// Longer than a private key without markers, by whose whole it is known: of RSA with 8192 bits, in base64.
const BEGINNING: usize = 8 << 10;

/// How far a file is searched. Nobody keeps a key behind more of something else, and images of disks are served too.
const SEARCHED: u64 = 16 << 20;

/// Whether a file, of which the front has been read, holds a private key: in PEM or another form in text anywhere among other things, in its
/// first 16 MB, or in DER. Gives the file back where it was.
pub(super) fn holds_private_key(front: &[u8], file: &mut (impl Read + Seek)) -> io::Result<bool> {
    if has_key(front) || is_key(front) {
        return Ok(true);
    }
    if front.len() < AT_ONCE {
        return Ok(false);
    }
    // A bundle, an archive, a long text: the key may stand behind anything.
    let here = file.stream_position()?;
    let mut rest = file.take(SEARCHED.saturating_sub(here));
    let mut window = front.to_vec();
    let mut piece = vec![0; 8 * AT_ONCE];
    loop {
        window.drain(..window.len().saturating_sub(BEGINNING));
        let n = rest.read(&mut piece)?;
        if n == 0 {
            break;
        }
        window.extend_from_slice(piece.get(..n).unwrap_or_default());
        if has_key(&window) {
            return Ok(true);
        }
    }
    file.seek(SeekFrom::Start(here))?;
    Ok(false)
}

/// BEGIN, in either byte order.
const IN_UTF16: &[u8] = b"B\0E\0G\0I\0N";

fn places<'t>(text: &'t [u8], part: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    memchr::memmem::find_iter(text, part)
}

fn has(text: &[u8], part: &[u8]) -> bool {
    places(text, part).next().is_some()
}

fn has_key(text: &[u8]) -> bool {
    begins_key(text) || has_jwk(text) || has_bare_base64(text) || has_other(text)
}

/// A key as JSON (RFC 7517), by itself, in a set or as a string in something else: `d` is the private part of RSA and of curves, `k` a
/// secret that both sides have.
fn has_jwk(text: &[u8]) -> bool {
    if !has(text, b"kty") {
        return false;
    }
    let plain: Vec<u8> = text.iter().copied().filter(|b| *b != b'\\' && !b.is_ascii_whitespace()).collect();
    let of_url = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let secret = |name: &[u8]| {
        let values = places(&plain, name).filter_map(|at| plain.get(at + name.len()..));
        values.map(|value| value.iter().take_while(of_url).count()).any(|length| length >= LEAST_SECRET)
    };
    has(&plain, b"\"kty\":") && (secret(b"\"d\":\"") || secret(b"\"k\":\""))
}

/// Base64url of 16 bytes; whatever is shorter is no key.
const LEAST_SECRET: usize = 22;

/// DER in base64 without markers, in lines or in one, as settings have it: it begins with a SEQUENCE, and says how long it is.
fn has_bare_base64(text: &[u8]) -> bool {
    let of_base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
    let begins =
        |at: &usize| at.checked_sub(1).and_then(|before| text.get(before)).is_none_or(|before| !of_base64(before));
    places(text, b"M").filter(begins).any(|at| {
        let data =
            text.get(at..).unwrap_or_default().iter().filter(|b| !b.is_ascii_whitespace()).take_while(|b| of_base64(b));
        let data = data.map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        });
        let header: Vec<u8> = data.clone().take(8).collect();
        let length = match STANDARD_NO_PAD.decode(header).as_deref() {
            Ok([0x30, length @ 16..=0x7f, ..]) => usize::from(*length) + 2,
            Ok([0x30, 0x81, length, ..]) => usize::from(*length) + 3,
            Ok([0x30, 0x82, high, low, ..]) => usize::from(u16::from_be_bytes([*high, *low])) + 4,
            _ => return false,
        };
        let wanted = (length * 4).div_ceil(3);
        let digits: Vec<u8> = data.take(wanted.min(BEGINNING)).collect();
        digits.len() == wanted && LENIENT.decode(digits).is_ok_and(|der| is_key(&der))
    })
}

/// The last digit of a key that something follows without a gap may have bits of that.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Keys of other programs, by what stands in front of them: PuTTY's, and age's.
fn has_other(text: &[u8]) -> bool {
    const AGE: &[u8] = b"AGE-SECRET-KEY-1";
    let age = |at: usize| {
        text.get(at + AGE.len()..).unwrap_or_default().iter().take_while(|b| b.is_ascii_alphanumeric()).count()
    };
    (has(text, b"PuTTY-User-Key-File-") && has(text, b"Private-Lines:"))
        || places(text, AGE).any(|at| age(at) >= LEAST_DATA)
}

/// DER begins with a SEQUENCE, and so do few other things that are served.
fn is_key(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
        && matches!(kind::of(bytes), Some(Kind::PrivateKey | Kind::EncryptedKey | Kind::Pkcs12))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| matches!(b, b'\n' | b'\r')).map(<[u8]>::trim_ascii)
}

/// A marker alone in its line, or one with data behind it: in JSON, in a line that was joined, behind a byte-order mark. A page
/// or a program that speaks of markers has none behind them.
fn begins_key(text: &[u8]) -> bool {
    if has(text, IN_UTF16) {
        let narrow: Vec<u8> = text.iter().copied().filter(|b| *b != 0).collect();
        if begins_key(&narrow) {
            return true;
        }
    }
    const MARKERS: [&[u8]; 2] = [b"PRIVATE KEY-----", b"PRIVATE KEY BLOCK-----"];
    let begins = |line: &[u8]| line.starts_with(b"-----BEGIN ") && MARKERS.iter().any(|m| line.ends_with(m));
    if !has(text, b"PRIVATE KEY") {
        return false;
    }
    lines(text).any(begins)
        || places(text, MARKERS[0]).any(|at| {
            let behind = text.get(at + MARKERS[0].len()..).unwrap_or_default();
            // Line ends, in JSON and in shell as well.
            let gap = |b: &&u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b'\\' | b'r' | b'n' | b'"' | b'\'');
            let base64 = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
            behind.iter().skip_while(gap).take_while(base64).count() >= LEAST_DATA
        })
}

/// Base64 of the smallest private keys is longer; no word of a text is.
const LEAST_DATA: usize = 40;

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
        // Behind something else than certificates, too: a text, an archive.
        let text = [&vec![b'x'; 2 * AT_ONCE][..], b"\n-----BEGIN PRIVATE KEY-----\n"].concat();
        assert!(holds(&text) && !holds(&text[..2 * AT_ONCE]));
        for at in [AT_ONCE - 40, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE - 7, bundle.len()] {
            let mut with = bundle.clone().into_bytes();
            with.splice(at..at, *b"\n-----BEGIN PRIVATE KEY-----\n");
            assert!(holds(&with), "{at}");
        }
    }

    /// EncryptedPrivateKeyInfo with PBES2 (RFC 5958 3, RFC 8018 A.4), of no key.
    fn encrypted() -> Vec<u8> {
        let der = vec![0x30, 0x12, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13, 0x30, 0, 4, 1, 9];
        assert_eq!(usize::from(der[1]), der.len() - 2);
        der
    }

    fn keys_without_markers(der: &[u8]) -> [(String, &'static str); 9] {
        let plain = base64::prelude::BASE64_STANDARD.encode(der);
        let lines: Vec<&str> = [0, 64, 128].iter().map(|at| &plain[*at..plain.len().min(at + 64)]).collect();
        let d = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
        let jwk = format!("{{\"kty\": \"EC\",\n \"crv\": \"P-256\", \"d\" :\n\"{d}\"}}");
        [
            (plain.clone(), "in base64"),
            (lines.join("\r\n"), "in base64, in lines"),
            (format!("tls:\n  key: \"{plain}\"\n"), "in base64, among settings"),
            (base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(der), "in base64url"),
            (jwk.clone(), "as JWK"),
            (
                format!("{{\"jwk\":\"{}\"}}", jwk.replace('"', "\\\"").replace('\n', "\\t")).replace("\\t", ""),
                "as JWK in a string",
            ),
            (format!("{{\"keys\":[{{\"k\":\"{d}\",\"kty\":\"oct\"}}]}}"), "a secret as JWK"),
            ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAA\n".into(), "PuTTY's"),
            (format!("AGE-SECRET-KEY-1{}", "Q".repeat(58)), "age's"),
        ]
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
        let pem = key.serialize_pem();
        let wide: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (what, text) in [
            ("behind a byte-order mark", format!("\u{feff}{pem}").into_bytes()),
            ("in JSON", format!("{{\n  \"private_key\": \"{}\"\n}}", pem.replace('\n', "\\n")).into_bytes()),
            ("in a line of a program", format!("  key = '{}'", pem.replace('\n', "")).into_bytes()),
            ("with its data behind BEGIN", pem.replacen("-----\n", "-----", 1).into_bytes()),
            ("in UTF-16", wide.clone()),
            ("in UTF-16, the other byte order", [&[0], &wide[..wide.len() - 1]].concat()),
            ("of PGP", b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n".to_vec()),
            ("encrypted, in DER", encrypted()),
        ] {
            assert!(holds(&text), "{what}");
        }
        for (text, what) in keys_without_markers(&key.serialize_der()) {
            assert!(holds(text.as_bytes()), "{what}");
            let behind = [&vec![b'x'; 9 * AT_ONCE - 3000][..], b"\n", text.as_bytes()].concat();
            assert!(holds(&behind), "{what}, behind something else");
        }
        for page in [
            "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"d\":\"short\"}]}",
            "a JWK has \"kty\", and a private one \"d\" too",
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
            "PuTTY-User-Key-File-3 is what begins it, and age's begin with AGE-SECRET-KEY-1",
            "<p>It begins with <code>-----BEGIN PRIVATE KEY-----</code> and ends with <code>-----END PRIVATE KEY-----</code>",
            "var begin = '-----BEGIN PRIVATE KEY-----\\n', end = '\\n-----END PRIVATE KEY-----';",
        ] {
            assert!(!holds(page.as_bytes()), "{page}");
        }
        let certificate = rcgen::generate_simple_self_signed(["a.test".to_string()]).unwrap();
        for public in
            [certificate.cert.der().to_vec(), certificate.cert.pem().into_bytes(), b"0 things".to_vec(), vec![]]
        {
            assert!(!holds(&public));
        }
    }
}
