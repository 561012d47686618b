//! JA3 and JA4: short names for what programs say hello in the same way. Whoever wants to can say hello like another.

use super::ClientHello;
use crate::code::{ExtensionType, ProtocolVersion, is_grease};
use crate::crypto::fingerprint::{md5, sha256};
use core::fmt::{LowerHex, Write as _};

/// Bytes of a digest that JA4 shows: twelve hexadecimal digits.
const SHOWN: usize = 6;
/// JA4 counts with two digits.
const MOST_COUNTED: usize = 99;

impl ClientHello {
    /// JA3: the MD5 of [`ja3_text`](Self::ja3_text), in hexadecimal digits. Browsers order their extensions by chance, and have
    /// another at each connection: [`ja4`](Self::ja4) has not.
    pub fn ja3(&self) -> String {
        hex(&md5(self.ja3_text().as_bytes()))
    }

    /// What JA3 is the digest of: version, suites, extensions, groups and point formats, in decimal digits and in the client's
    /// order, without GREASE (RFC 8701).
    pub fn ja3_text(&self) -> String {
        let version = self.legacy_version().0;
        let suites = joined(self.suites().map(|suite| suite.0));
        let extensions = joined(self.extensions().map(|typ| typ.0));
        let groups = joined(self.groups().map(|group| group.0));
        let formats: Vec<_> = self.point_formats().iter().map(ToString::to_string).collect();
        format!("{version},{suites},{extensions},{groups},{}", formats.join("-"))
    }

    /// JA4, of a hello over TCP: version, server name or none, counts of suites and extensions, the first application protocol; then
    /// digests of the suites, and of extensions and signature schemes. Suites and extensions are sorted first.
    pub fn ja4(&self) -> String {
        let (suites, extensions) = (self.sorted_suites(), self.ja4_extensions());
        format!("{}_{}_{}", self.ja4_head(), short(&suites), short(&extensions))
    }

    /// JA4 with the lists themselves in place of their digests ("JA4_r").
    pub fn ja4_text(&self) -> String {
        format!("{}_{}_{}", self.ja4_head(), self.sorted_suites(), self.ja4_extensions())
    }

    fn ja4_head(&self) -> String {
        let versions = self.versions().filter(|version| !is_grease(version.0));
        let version = match versions.max() {
            Some(ProtocolVersion::Tls13) => "13",
            Some(ProtocolVersion::Tls12) => "12",
            Some(ProtocolVersion::Tls11) => "11",
            Some(ProtocolVersion::Tls10) => "10",
            Some(ProtocolVersion::Ssl3) => "s3",
            _ => "00",
        };
        let named = if self.extension(ExtensionType::ServerName).is_some() { 'd' } else { 'i' };
        let count = |codes: &mut dyn Iterator<Item = u16>| without_grease(codes).count().min(MOST_COUNTED);
        let suites = count(&mut self.suites().map(|suite| suite.0));
        let extensions = count(&mut self.extensions().map(|typ| typ.0));
        format!("t{version}{named}{suites:02}{extensions:02}{}", self.ja4_protocol())
    }

    /// The first and the last letter of the first protocol; of its hexadecimal digits if it begins or ends with none.
    fn ja4_protocol(&self) -> String {
        let Some((first, last)) = self.alpn().next().and_then(|name| name.first().zip(name.last())) else {
            return "00".into();
        };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            return [char::from(*first), char::from(*last)].iter().collect();
        }
        format!("{:x}{:x}", first >> 4, last & 0xf)
    }

    fn sorted_suites(&self) -> String {
        let mut suites: Vec<u16> = without_grease(self.suites().map(|suite| suite.0)).collect();
        suites.sort_unstable();
        list(&suites)
    }

    /// The head has told of server name and protocols.
    fn ja4_extensions(&self) -> String {
        let told = [ExtensionType::ServerName, ExtensionType::Alpn];
        let others = self.extensions().filter(|typ| !told.contains(typ)).map(|typ| typ.0);
        let mut extensions: Vec<u16> = without_grease(others).collect();
        extensions.sort_unstable();
        let schemes: Vec<u16> = without_grease(self.schemes().map(|scheme| scheme.0)).collect();
        let mut text = list(&extensions);
        if !schemes.is_empty() {
            text.push('_');
            text.push_str(&list(&schemes));
        }
        text
    }
}

fn without_grease(codes: impl Iterator<Item = u16>) -> impl Iterator<Item = u16> {
    codes.filter(|code| !is_grease(*code))
}

fn joined(codes: impl Iterator<Item = u16>) -> String {
    without_grease(codes).map(|code| code.to_string()).collect::<Vec<_>>().join("-")
}

fn list(codes: &[u16]) -> String {
    codes.iter().map(|code| format!("{code:04x}")).collect::<Vec<_>>().join(",")
}

/// The front of a list's digest; of an empty one zeros.
fn short(list: &str) -> String {
    let digest = if list.is_empty() { [0; 32] } else { sha256(list.as_bytes()) };
    hex(digest.get(..SHOWN).unwrap_or_default())
}

fn hex<B: LowerHex>(bytes: &[B]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A string takes everything.
        let _always = write!(text, "{byte:02x}");
        text
    })
}
