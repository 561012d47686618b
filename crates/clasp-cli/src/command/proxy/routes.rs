//! Which route a client takes, by the name and the protocols that its hello has.

use crate::failure::Failure;
use core::fmt;

/// What a route is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Matcher {
    names: Vec<String>,
    alpn: Vec<String>,
}

/// How well a route fits; more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// It asks for a protocol, and the client has it.
    protocol: bool,
    name: Named,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    Any,
    Pattern,
    Exactly,
}

impl Matcher {
    pub(super) fn new(names: &[String], alpn: &[String]) -> Result<Self, Failure> {
        let names: Vec<String> = names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        for name in &names {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if plain.is_empty() || !plain.chars().all(good) || plain.split('.').any(str::is_empty) {
                return Err(Failure::cannot(format_args!("--names {name} is no name that a client could ask for"))
                    .hint("a DNS name in ASCII, or *.NAME for every name one label longer"));
            }
        }
        if let Some(odd) = alpn.iter().find(|protocol| protocol.is_empty() || protocol.len() > 255) {
            return Err(Failure::cannot(format_args!("--match-alpn {odd:?} is no protocol's name")));
        }
        Ok(Self { names, alpn: alpn.to_vec() })
    }

    /// For whoever asks for nothing that another route has.
    pub(super) fn is_default(&self) -> bool {
        self.names.is_empty() && self.alpn.is_empty()
    }

    /// Whether this one would never be chosen where the other stands before it.
    pub(super) fn is_hidden_by(&self, other: &Self) -> bool {
        let all = |mine: &[String], theirs: &[String]| mine.iter().all(|one| theirs.contains(one));
        self.names.is_empty() == other.names.is_empty()
            && self.alpn.is_empty() == other.alpn.is_empty()
            && all(&self.names, &other.names)
            && all(&self.alpn, &other.alpn)
    }

    /// How well it fits a client that asks for this name and speaks these protocols.
    pub(super) fn fit<'a>(&self, name: Option<&str>, mut alpn: impl Iterator<Item = &'a [u8]>) -> Option<Fit> {
        let protocol = !self.alpn.is_empty();
        if protocol && !alpn.any(|offered| self.alpn.iter().any(|wanted| wanted.as_bytes() == offered)) {
            return None;
        }
        if self.names.is_empty() {
            return Some(Fit { name: Named::Any, protocol });
        }
        let asked = name?.trim_end_matches('.').to_ascii_lowercase();
        let named = self.names.iter().filter_map(|name| named(name, &asked)).max()?;
        Some(Fit { name: named, protocol })
    }
}

/// As `--check` says it.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.names[..] {
            [] => f.write_str("any name")?,
            names => f.write_str(&names.join(" "))?,
        }
        if !self.alpn.is_empty() {
            write!(f, " with {}", self.alpn.join(" or "))?;
        }
        Ok(())
    }
}

/// `*.` stands for one label, as in certificates (RFC 9525 6.3).
fn named(name: &str, asked: &str) -> Option<Named> {
    match name.strip_prefix("*.") {
        None => (name == asked).then_some(Named::Exactly),
        Some(parent) => {
            let (label, rest) = asked.split_once('.')?;
            (!label.is_empty() && rest == parent).then_some(Named::Pattern)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(names: &[&str], alpn: &[&str]) -> Matcher {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Matcher::new(&owned(names), &owned(alpn)).unwrap()
    }

    fn chosen(routes: &[Matcher], name: Option<&str>, alpn: &[&str]) -> Option<usize> {
        let fits = routes.iter().map(|route| route.fit(name, alpn.iter().map(|p| p.as_bytes())));
        fits.enumerate().filter_map(|(at, fit)| Some((fit?, core::cmp::Reverse(at)))).max().map(|(_, at)| at.0)
    }

    #[test]
    fn the_narrowest_route_is_taken() {
        let routes = [
            matcher(&[], &[]),
            matcher(&["*.a.test"], &[]),
            matcher(&["x.a.test", "Y.a.test."], &[]),
            matcher(&["x.a.test"], &["h2"]),
            matcher(&[], &["acme-tls/1"]),
        ];
        for (name, alpn, place) in [
            (None, &[][..], 0),
            (Some("b.test"), &["h2"], 0),
            (Some("w.a.test"), &[], 1),
            (Some("v.w.a.test"), &[], 0),
            (Some("a.test"), &[], 0),
            (Some(".a.test"), &[], 0),
            (Some("X.A.test."), &["http/1.1"], 2),
            (Some("y.a.test"), &["h2"], 2),
            (Some("x.a.test"), &["http/1.1", "h2"], 3),
            (Some("b.test"), &["acme-tls/1"], 4),
            (Some("w.a.test"), &["acme-tls/1"], 4),
        ] {
            assert_eq!(chosen(&routes, name, alpn), Some(place), "{name:?} {alpn:?}");
        }
        assert_eq!(chosen(&routes[1..4], Some("b.test"), &[]), None);
    }

    #[test]
    fn what_would_never_be_chosen_is_known() {
        let one = matcher(&["a.test", "b.test"], &[]);
        assert!(matcher(&["b.test"], &[]).is_hidden_by(&one));
        assert!(!matcher(&["b.test", "c.test"], &[]).is_hidden_by(&one));
        assert!(!matcher(&["b.test"], &["h2"]).is_hidden_by(&one));
        assert!(!matcher(&[], &[]).is_hidden_by(&one));
        assert!(matcher(&[], &[]).is_hidden_by(&matcher(&[], &[])));
        for name in ["", "*.", "a..b", "*", "a.*.b", "bücher.test", "a b"] {
            assert!(Matcher::new(&[name.into()], &[]).is_err(), "{name}");
        }
    }
}
