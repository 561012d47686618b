//! ClientHellos of any kind, also such as Clasp would never send: RFC 9846 4.1.2, RFC 5246 7.4.1.2, SSL 2.0.

use clasp::code::ExtensionType as E;

/// The greatest of our hellos is a few kilobytes, so that no length here can be cut off.
fn put(out: &mut Vec<u8>, width: usize, body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&length[length.len() - width..]);
    out.extend_from_slice(body);
}

fn codes(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_be_bytes()).collect()
}

fn listed(width: usize, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, width, body);
    out
}

/// How its bytes are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cut {
    /// One record, one write.
    #[default]
    Whole,
    /// One record, in two segments of TCP.
    Segments,
    /// Two records.
    Records,
}

/// What a client says first.
#[derive(Clone, Debug)]
pub(crate) struct Hello {
    /// The version in the record's header.
    pub(crate) record: u16,
    /// The version in the hello, which from TLS 1.3 on says nothing.
    pub(crate) version: u16,
    /// supported_versions, where there is one.
    pub(crate) versions: Vec<u16>,
    pub(crate) session: Vec<u8>,
    pub(crate) suites: Vec<u16>,
    pub(crate) compressions: Vec<u8>,
    /// The DNS name to ask for.
    pub(crate) server_name: Option<String>,
    pub(crate) groups: Vec<u16>,
    /// Public values, by group; an empty list asks the server to say which group it wants (RFC 9846 4.2.8).
    pub(crate) shares: Vec<(u16, Vec<u8>)>,
    pub(crate) schemes: Vec<u16>,
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Whatever else.
    pub(crate) more: Vec<(u16, Vec<u8>)>,
    /// Padding (RFC 7685) up to so many bytes of hello.
    pub(crate) pad_to: usize,
    pub(crate) random: [u8; 32],
}

pub(crate) const SSL3: u16 = 0x0300;
pub(crate) const TLS10: u16 = 0x0301;
pub(crate) const TLS12: u16 = 0x0303;
pub(crate) const TLS13: u16 = 0x0304;

/// Groups that one may meet: RFC 8422, 7919, 7748, 9847's hybrids, brainpool (RFC 7027, 8734), SM2 (RFC 8998), GOST (RFC 9189).
pub(crate) const GROUPS: [u16; 40] = [
    0x11ec, 0x11eb, 0x11ed, 0x0200, 0x0201, 0x0202, 0x6399, 29, 23, 24, 25, 30, 256, 257, 258, 259, 260, 26, 27, 28,
    31, 32, 33, 41, 34, 35, 22, 21, 19, 20, 18, 14, 13, 12, 11, 10, 9, 16, 17, 15,
];

/// Signature schemes that one may meet. SHA-224, DSA and MD5 are of TLS 1.2 alone.
pub(crate) const SCHEMES: [u16; 32] = [
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b,
    0x0904, 0x0905, 0x0906, 0x081a, 0x081b, 0x081c, 0x0708, 0x0203, 0x0201, 0x0303, 0x0301, 0x0402, 0x0502, 0x0602,
    0x0302, 0x0202, 0x0103, 0x0101,
];

impl Hello {
    /// The hello of a version up to TLS 1.2.
    pub(crate) fn old(version: u16, suites: Vec<u16>, server_name: Option<&str>) -> Self {
        Self {
            record: version.min(TLS10),
            version,
            versions: Vec::new(),
            session: Vec::new(),
            suites,
            compressions: vec![0],
            server_name: server_name.map(Into::into),
            groups: GROUPS.into_iter().filter(|group| !is_for_tls13_alone(*group)).collect(),
            shares: Vec::new(),
            schemes: if version == TLS12 { SCHEMES.to_vec() } else { Vec::new() },
            alpn: Vec::new(),
            more: vec![(E::RenegotiationInfo.0, vec![0]), (E::ExtendedMasterSecret.0, Vec::new())],
            pad_to: 0,
            random: random(),
        }
    }

    /// One for TLS 1.3 alone that has no share, so that the server names its group: nobody has computed anything until then.
    pub(crate) fn tls13(suites: Vec<u16>, server_name: Option<&str>) -> Self {
        let mut hello = Self::old(TLS12, suites, server_name);
        hello.versions = vec![TLS13];
        hello.groups = GROUPS.into_iter().filter(|group| !is_before_tls13_alone(*group)).collect();
        hello.session = random().to_vec();
        hello
    }

    /// What stands in the handshake.
    pub(crate) fn message(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&self.version.to_be_bytes());
        body.extend_from_slice(&self.random);
        put(&mut body, 1, &self.session);
        let mut suites = self.suites.clone();
        if self.version == SSL3 {
            // There are no extensions yet.
            suites.push(0x00ff);
        }
        put(&mut body, 2, &codes(&suites));
        put(&mut body, 1, &self.compressions);
        if self.version > SSL3 {
            let mut extensions = self.extensions();
            let length = 4 + body.len() + 2 + extensions.len();
            if length < self.pad_to {
                extension(&mut extensions, E::Padding.0, &vec![0; (self.pad_to - length).saturating_sub(4)]);
            }
            put(&mut body, 2, &extensions);
        }
        let mut message = vec![1];
        put(&mut message, 3, &body);
        message
    }

    fn extensions(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(name) = &self.server_name {
            let mut entry = vec![0];
            put(&mut entry, 2, name.as_bytes());
            extension(&mut out, E::ServerName.0, &listed(2, &entry));
        }
        if !self.groups.is_empty() {
            extension(&mut out, E::SupportedGroups.0, &listed(2, &codes(&self.groups)));
            extension(&mut out, E::EcPointFormats.0, &[1, 0]);
        }
        if !self.schemes.is_empty() {
            extension(&mut out, E::SignatureAlgorithms.0, &listed(2, &codes(&self.schemes)));
            // What certificates are signed with is another matter (RFC 9846 4.2.3).
            extension(&mut out, E::SignatureAlgorithmsCert.0, &listed(2, &codes(&SCHEMES)));
        }
        if !self.alpn.is_empty() {
            let list: Vec<u8> = self.alpn.iter().flat_map(|protocol| listed(1, protocol)).collect();
            extension(&mut out, E::Alpn.0, &listed(2, &list));
        }
        if !self.versions.is_empty() {
            extension(&mut out, E::SupportedVersions.0, &listed(1, &codes(&self.versions)));
            let mut shares = Vec::new();
            for (group, public) in &self.shares {
                shares.extend_from_slice(&group.to_be_bytes());
                put(&mut shares, 2, public);
            }
            extension(&mut out, E::KeyShare.0, &listed(2, &shares));
            extension(&mut out, E::PskKeyExchangeModes.0, &[1, 1]);
        }
        for (typ, body) in &self.more {
            extension(&mut out, *typ, body);
        }
        out
    }

    /// What is written, in so many writes.
    pub(crate) fn writes(&self, cut: Cut) -> Vec<Vec<u8>> {
        let message = self.message();
        let record = |body: &[u8]| {
            let mut out = vec![22];
            out.extend_from_slice(&self.record.to_be_bytes());
            put(&mut out, 2, body);
            out
        };
        let middle = message.len() / 2;
        match cut {
            Cut::Whole => vec![record(&message)],
            Cut::Segments => {
                let mut first = record(&message);
                let rest = first.split_off(middle);
                vec![first, rest]
            }
            Cut::Records => vec![[record(&message[..middle]), record(&message[middle..])].concat()],
        }
    }
}

fn extension(out: &mut Vec<u8>, typ: u16, body: &[u8]) {
    out.extend_from_slice(&typ.to_be_bytes());
    put(out, 2, body);
}

/// ML-KEM and its hybrids, SM2 and GOST's signatures: TLS 1.2 does not have them.
fn is_for_tls13_alone(group: u16) -> bool {
    matches!(group, 0x0200..=0x0202 | 0x11eb..=0x11ed | 0x6399 | 31..=33)
}

/// Curves that TLS 1.3 has no place for (RFC 9846 4.2.7): a server may refuse who offers them for it alone.
fn is_before_tls13_alone(group: u16) -> bool {
    matches!(group, 1..=22 | 26..=28)
}

/// A public value that is a valid one of its group: its base point. Nothing is agreed with it.
pub(crate) fn base_point(group: u16) -> Option<Vec<u8>> {
    const P256: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                        4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let hex = |text: &str| {
        (0..text.len()).step_by(2).filter_map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
    };
    match group {
        29 => Some([&[9][..], &[0; 31]].concat()),
        23 => Some(hex(P256)),
        // The others by the library that computes with them.
        other => {
            let group = clasp::crypto::Provider::builtin().group(clasp::NamedGroup(other))?;
            Some(group.start().ok()?.public().to_vec())
        }
    }
}

/// The hello of SSL 2.0, with its seven suites of three bytes.
pub(crate) fn ssl2() -> Vec<u8> {
    const SUITES: [u32; 7] = [0x01_0080, 0x02_0080, 0x03_0080, 0x04_0080, 0x05_0080, 0x06_0040, 0x07_00c0];
    let mut body = vec![1, 0, 2];
    body.extend_from_slice(&21_u16.to_be_bytes());
    body.extend_from_slice(&0_u16.to_be_bytes());
    body.extend_from_slice(&16_u16.to_be_bytes());
    body.extend(SUITES.iter().flat_map(|suite| suite.to_be_bytes().into_iter().skip(1)));
    body.extend_from_slice(&random()[..16]);
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX) | 0x8000;
    [&length.to_be_bytes()[..], &body].concat()
}

/// Bytes that nobody else sends. They keep nothing secret.
pub(crate) fn random() -> [u8; 32] {
    use std::hash::{BuildHasher, Hasher};
    let mut out = [0; 32];
    for chunk in out.chunks_mut(8) {
        // The standard library's hashers are keyed by the system's randomness, each anew.
        let hasher = std::collections::hash_map::RandomState::new().build_hasher();
        chunk.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_write_is_a_client_hello() {
        let mut hello = Hello::tls13(suites(), Some("example.com"));
        hello.shares = vec![(29, base_point(29).unwrap()), (0x11ec, base_point(0x11ec).unwrap())];
        hello.alpn = vec![b"h2".to_vec()];
        hello.pad_to = 3000;
        let message = hello.message();
        assert_eq!(message.len(), 3000);
        let seen = clasp::hello::ClientHello::parse(&message).unwrap();
        assert_eq!(seen.server_name(), Some("example.com"));
        let old = Hello::old(SSL3, suites(), Some("example.com")).message();
        assert_eq!(old.len(), 4 + 2 + 32 + 1 + 2 + 2 * (suites().len() + 1) + 2);
    }

    #[test]
    fn a_hello_for_one_version_has_no_group_of_another() {
        let (new, old) = (Hello::tls13(suites(), None), Hello::old(TLS12, suites(), None));
        let has = |hello: &Hello, code| hello.groups.contains(&code);
        for (code, in_new, in_old) in [(29, true, true), (26, false, true), (31, true, false), (0x11ec, true, false)] {
            assert_eq!((has(&new, code), has(&old, code)), (in_new, in_old), "{code}");
        }
        // secp224r1 and the curves over binary fields, too.
        assert!(!new.groups.iter().any(|code| (1..=22).contains(code)) && has(&old, 21));
    }

    fn suites() -> Vec<u16> {
        vec![0x1301, 0xc02f]
    }

    #[test]
    fn two_records_hold_what_one_holds() {
        let hello = Hello::tls13(suites(), None);
        let whole = hello.writes(Cut::Whole).concat();
        assert_eq!(hello.writes(Cut::Segments).concat(), whole);
        let two = hello.writes(Cut::Records).concat();
        assert_eq!(two.len(), whole.len() + 5);
    }
}
