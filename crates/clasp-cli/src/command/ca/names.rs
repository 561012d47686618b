//! Which names a certificate can be issued for: those by which a client can find it good.

use crate::failure::Failure;
use rcgen::SanType;
use std::fmt;
use std::net::IpAddr;

/// A name as a certificate has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Dns(String),
    Ip(IpAddr),
    Email(String),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(text) | Self::Email(text) => f.write_str(text),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

impl Name {
    /// As a subjectAltName.
    pub(super) fn to_san(&self) -> Result<SanType, Failure> {
        let ascii = |text: &str| text.try_into().map_err(Failure::cannot);
        Ok(match self {
            Self::Dns(text) => SanType::DnsName(ascii(text)?),
            Self::Email(text) => SanType::Rfc822Name(ascii(text)?),
            Self::Ip(address) => SanType::IpAddress(*address),
        })
    }
}

/// The names, each once, put into the form in which they are compared.
pub(super) fn all(texts: &[String], client: bool) -> Result<Vec<Name>, Failure> {
    let mut names = Vec::new();
    for text in texts {
        let name = one(text, client).map_err(|(what, hint)| {
            let failure = Failure::cannot(format_args!("no client would take a certificate for {text:?}: {what}"));
            if hint.is_empty() { failure } else { failure.hint(hint) }
        })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

type Wrong = (&'static str, &'static str);

fn one(text: &str, client: bool) -> Result<Name, Wrong> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse() {
        return Ok(Name::Ip(address));
    }
    if client && let Some((who, domain)) = text.rsplit_once('@') {
        // RFC 5321 4.1.2: a dot-string; nobody writes the quoted one.
        let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
        if !who.split('.').all(is_atom) || who.len() > 64 {
            return Err(("it is no e-mail address", ""));
        }
        return Ok(Name::Email(format!("{who}@{}", dns(domain)?)));
    }
    match text.strip_prefix("*.") {
        None => dns(text).map(Name::Dns),
        Some(_) if client => Err(("a client has no wildcard", "")),
        // RFC 9525 6.3, and what clients make of it: a star for a whole label, and none for half the world.
        Some(rest) => match dns(rest)? {
            rest if rest.contains('.') => Ok(Name::Dns(format!("*.{rest}"))),
            _ => Err(("a wildcard stands in front of two labels at least", "as in *.site.test")),
        },
    }
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// RFC 1035 2.3.1 with RFC 1123 2.1, and the underscore that some hosts have; without the root's dot (RFC 5280 4.2.1.6).
fn dns(text: &str) -> Result<String, Wrong> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.contains('/') {
        return Err(("it is no host name", "give the host alone, without https:// and path"));
    }
    if name.contains(':') {
        return Err(("it is neither a host name nor an IP address", "give the host alone, without a port"));
    }
    if name.contains('*') {
        return Err(("a star stands for a whole first label", "as in *.site.test"));
    }
    if !name.is_ascii() {
        return Err((
            "certificates have host names in ASCII",
            "write it in its A-label form, as xn--bcher-kva.test for bücher.test",
        ));
    }
    if name.is_empty() || name.len() > 253 || name.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err(("labels have 1 to 63 characters, and names 253 at most", ""));
    }
    let is_fine = |label: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    if !name.split('.').all(is_fine) {
        return Err(("labels are of letters, digits and hyphens inside", ""));
    }
    // WHATWG URL 3.5: what ends in a number is an IPv4 address to clients, and this is none.
    if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return Err(("it ends in a number and is no IP address", ""));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_names_are_refused_and_others_put_right() {
        for (text, name) in [
            ("localhost", "localhost"),
            ("Site.TEST", "site.test"),
            ("dot.test.", "dot.test"),
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("0:0:0:0:0:0:0:1", "::1"),
            ("127.0.0.1", "127.0.0.1"),
            ("*.site.test", "*.site.test"),
            ("xn--bcher-kva.test", "xn--bcher-kva.test"),
            ("a_b.test", "a_b.test"),
        ] {
            assert_eq!(one(text, false).map(|n| n.to_string()), Ok(name.to_string()), "{text}");
        }
        let long = format!("{}.test", "a".repeat(64));
        let longer = format!("{}test", "a.".repeat(125));
        for text in [
            "",
            ".",
            "..",
            "*",
            "*.test",
            "*.*.test",
            "a.*.test",
            "w*.site.test",
            "has space",
            "https://x.test",
            "x.test/",
            "x.test:443",
            "[::1]:443",
            "[x.test]",
            &long,
            &longer,
            "bücher.test",
            "a..test",
            ".test",
            "-a.test",
            "a-.test",
            "256.1.1.1",
            "1.2.3",
            "12",
            "a\0.test",
            "a\n.test",
            "fe80::1%eth0",
            "127.0.0.1/8",
            "a@b.test",
            "::g",
        ] {
            assert!(one(text, false).is_err(), "{text:?}");
        }
        for (text, name) in
            [("alice", "alice"), ("alice@site.test", "alice@site.test"), ("a.b+c@Site.test.", "a.b+c@site.test")]
        {
            assert_eq!(one(text, true).map(|n| n.to_string()), Ok(name.to_string()), "{text}");
        }
        for text in ["@site.test", "a b@site.test", "a@", "a@*.site.test", "a@-x.test", "*.site.test", "a..b@site.test"]
        {
            assert!(one(text, true).is_err(), "{text:?}");
        }
        let twice = ["a.test", "A.test.", "b.test"].map(String::from);
        assert_eq!(all(&twice, false).unwrap().len(), 2);
    }
}
