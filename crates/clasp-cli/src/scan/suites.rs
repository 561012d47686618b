//! The cipher suites that a server may speak: all that are registered, whether Clasp speaks them or not.

/// A line each: the code in hexadecimal, and the name in the registry. Names of suites that were never registered (RFC 6101's
/// export suites of 56 bits) are those of their draft.
const TABLE: &str = include_str!("../../data/cipher-suites.txt");

/// Of TLS 1.3, by its record protection alone.
pub(crate) const TLS13: [u16; 11] =
    [0x1302, 0x1303, 0x1301, 0x1304, 0x1305, 0x1306, 0x1307, 0x00c6, 0x00c7, 0xc0b4, 0xc0b5];

/// All suites for the versions before TLS 1.3: those that servers mostly have come first, so that they are found together.
pub(crate) fn before_tls13() -> Vec<u16> {
    let mut all: Vec<u16> = table().map(|(code, _)| code).filter(|code| !TLS13.contains(code)).collect();
    all.retain(|code| !name(*code).contains("_MGM_")); // of TLS 1.3 too (RFC 9367)
    all.sort_by_key(|code| rarity(&name(*code)));
    all
}

fn table() -> impl Iterator<Item = (u16, &'static str)> {
    TABLE.lines().filter_map(|line| {
        let (code, name) = line.split_once(' ')?;
        Some((u16::from_str_radix(code, 16).ok()?, name))
    })
}

fn rarity(name: &str) -> u8 {
    let rare = ["PSK", "SRP", "KRB5", "ECCPWD", "_DH_", "ECDH_", "GOST", "ARIA", "DSS"];
    if rare.iter().any(|word| name.contains(word)) { 1 } else { 0 }
}

/// A suite's name, or its number.
pub(crate) fn name(code: u16) -> String {
    table().find(|(known, _)| *known == code).map_or_else(|| format!("{code:#06x}"), |(_, name)| name.to_owned())
}

/// How good a suite is by today's measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Strength {
    /// Keeps nothing secret from whoever wants to know: no encryption, keys of 40 or 56 bits, RC4, nobody authenticated.
    Broken,
    /// 64-bit blocks (SWEET32), or nothing to tell of it.
    Weak,
    /// RSA key transport, CBC, or tags of eight bytes: what RFC 9325 4.2 advises against.
    Old,
    /// Forward secrecy and an AEAD.
    Good,
}

impl Strength {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Weak => "weak",
            Self::Old => "old",
            Self::Good => "good",
        }
    }
}

/// By its name, which says all of it.
pub(crate) fn strength(code: u16) -> Strength {
    let name = name(code);
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if any(&["NULL", "EXPORT", "_RC4_", "_RC2_", "_DES_CBC", "DES40", "DES_CBC_40", "_anon_", "28147_CNT"])
        || matches!(code, 0xc0b4 | 0xc0b5)
    {
        Strength::Broken
    } else if any(&["3DES", "IDEA", "MAGMA"]) || !name.starts_with("TLS_") {
        Strength::Weak
    } else if (TLS13.contains(&code) && code != 0x1305)
        || (has_forward_secrecy(code) && is_aead(code) && !name.contains("CCM_8"))
    {
        Strength::Good
    } else {
        Strength::Old
    }
}

/// Whether the key exchange is of the moment: what is recorded today stays closed to who gets the server's key tomorrow.
pub(crate) fn has_forward_secrecy(code: u16) -> bool {
    let name = name(code);
    TLS13.contains(&code) || name.contains("DHE_") || name.contains("_anon_") || name.contains("ECCPWD")
}

pub(crate) fn is_aead(code: u16) -> bool {
    let name = name(code);
    name.contains("_GCM_") || name.contains("_CCM") || name.contains("POLY1305") || name.contains("AEGIS")
}

/// Those for which a predicate of their name holds.
pub(crate) fn named(suites: &[u16], word: &str) -> Vec<u16> {
    suites.iter().copied().filter(|code| name(*code).contains(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_without_a_second_entry() {
        let mut codes: Vec<u16> = table().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), TABLE.lines().count());
        codes.dedup();
        assert_eq!(codes.len(), TABLE.lines().count(), "in order, each once");
        // Every suite that Clasp has a name for has the same one here.
        for code in (0..=u16::MAX).map(clasp::CipherSuite) {
            let signals = [0x0000, 0x00ff, 0x5600];
            if code.is_known() && !signals.contains(&code.0) {
                let line = format!("{:04x} {}", code.0, code.name());
                assert_eq!(name(code.0), code.name(), "crates/clasp-cli/data/cipher-suites.txt wants the line {line}");
            }
        }
        assert!(TLS13.iter().all(|code| codes.contains(code)));
    }

    /// Else they are asked for in hellos of TLS 1.2.
    #[test]
    fn every_tls13_suite_of_the_library_is_of_tls13_here() {
        for suite in clasp::suite::SUITES13 {
            assert!(TLS13.contains(&suite.code.0), "add {:#06x} ({}) to TLS13", suite.code.0, suite.code);
        }
    }

    #[test]
    fn strength_follows_the_name() {
        for (code, wanted) in [
            (0x1301, Strength::Good),
            (0xc02f, Strength::Good),
            (0x009e, Strength::Good),
            (0xc0ac, Strength::Good),
            (0xc0ae, Strength::Old),
            (0x1305, Strength::Old),
            (0xc013, Strength::Old),
            (0x009c, Strength::Old),
            (0x002f, Strength::Old),
            (0x000a, Strength::Weak),
            (0xc012, Strength::Weak),
            (0x0005, Strength::Broken),
            (0x0009, Strength::Broken),
            (0x0008, Strength::Broken),
            (0x0029, Strength::Broken),
            (0xc018, Strength::Broken),
            (0xc0b4, Strength::Broken),
            (0xfefe, Strength::Weak),
        ] {
            assert_eq!(strength(code), wanted, "{}", name(code));
        }
    }
}
