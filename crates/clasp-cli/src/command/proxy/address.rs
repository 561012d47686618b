//! Where to listen and whom to call: TCP, or a Unix socket.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

/// An address as it is written: `HOST:PORT`, `:PORT` (every address of this host), or `unix:PATH`; to listen, `systemd:NUMBER` too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp(String),
    Unix(PathBuf),
    /// A socket that the service manager has opened for us: which of them, from 0 on.
    Passed(usize),
}

impl Address {
    /// The host, for a certificate that is to be for it.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            Self::Tcp(text) => {
                let (host, _) = text.rsplit_once(':')?;
                Some(host.trim_start_matches('[').trim_end_matches(']'))
            }
            Self::Unix(_) | Self::Passed(_) => None,
        }
    }
}

impl Address {
    /// Whether one socket cannot be opened beside the other: it is the same, or all of this host's addresses and one of them.
    pub(super) fn clashes(&self, other: &Self) -> bool {
        let (Self::Tcp(one), Self::Tcp(two)) = (self, other) else { return self == other };
        let (Some((host, port)), Some((other_host, other_port))) = (one.rsplit_once(':'), two.rsplit_once(':')) else {
            return false;
        };
        let is_all = |host: &str| matches!(host, "" | "0.0.0.0" | "[::]");
        // Of port 0 each has its own.
        let same_port = port.parse::<u16>().is_ok_and(|port| port != 0 && other_port.parse() == Ok(port));
        same_port && (host.eq_ignore_ascii_case(other_host) || is_all(host) || is_all(other_host))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err("unix: wants a path, as in unix:/run/app.sock".into());
            }
            if cfg!(not(unix)) {
                return Err(format!("{text}: this system has no Unix sockets"));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Some(number) = text.strip_prefix("systemd:") {
            let number =
                number.parse().map_err(|_| format!("{text}: write systemd:0 for the first socket that is passed"))?;
            return Ok(Self::Passed(number));
        }
        match text.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => Ok(Self::Tcp(text.into())),
            _ => Err(format!("{text} has no port; write HOST:PORT, :PORT or unix:PATH")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(text) => f.write_str(text),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Passed(number) => write!(f, "systemd:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_opened_once() {
        let clash = |a: &str, b: &str| a.parse::<Address>().unwrap().clashes(&b.parse().unwrap());
        for (a, b) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            (":80", "127.0.0.1:80"),
            ("0.0.0.0:80", "10.0.0.1:080"),
            ("[::1]:80", "[::]:80"),
            ("a.test:80", "A.test:80"),
            ("unix:/a", "unix:/a"),
            ("systemd:0", "systemd:0"),
        ] {
            assert!(clash(a, b) && clash(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("127.0.0.1:0", ":0"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            (":80", ":81"),
            ("unix:/a", "unix:/b"),
            ("unix:/a", ":80"),
        ] {
            assert!(!clash(a, b) && !clash(b, a), "{a} {b}");
        }
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, host) in [
            ("example.com:443", Some("example.com")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            (":8443", Some("")),
            ("unix:/run/app.sock", None),
            ("systemd:1", None),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.host()), (text, host));
        }
        for (text, words) in [
            ("example.com", "no port"),
            ("example.com:https", "no port"),
            ("example.com:70000", "no port"),
            ("unix:", "a path"),
            ("systemd:web", "systemd:0"),
        ] {
            assert!(text.parse::<Address>().unwrap_err().contains(words), "{text}");
        }
    }
}
