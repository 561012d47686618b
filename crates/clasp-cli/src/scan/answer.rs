//! What a server answers to a raw hello, as far as it is in the clear: its ServerHello, and before TLS 1.3 the rest of its flight.
//! The bytes are a stranger's: nothing is taken from them but through [`Bytes`], and of their number there is a limit.

use clasp::code::ExtensionType as E;
use clasp::hello::HELLO_RETRY_REQUEST_RANDOM;

/// No flight that is worth reading is longer: a chain of certificates may have its 16 MB elsewhere.
pub(crate) const MOST: usize = 256 * 1024;

/// Bytes to read from.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    /// A number of so many bytes, big-endian.
    pub(crate) fn number(&mut self, width: usize) -> Option<usize> {
        Some(self.take(width)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
    }

    pub(crate) fn code(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    /// What stands behind its length of so many bytes.
    pub(crate) fn listed(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self.number(width)?;
        self.take(length)
    }
}

/// A ServerHello, or a HelloRetryRequest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerHello {
    /// What was chosen, by supported_versions if that is there.
    pub(crate) version: u16,
    pub(crate) random: Vec<u8>,
    pub(crate) session: Vec<u8>,
    pub(crate) suite: u16,
    pub(crate) compression: u8,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
    pub(crate) retry: bool,
}

impl ServerHello {
    pub(crate) fn extension(&self, typ: E) -> Option<&[u8]> {
        self.extensions.iter().find(|(found, _)| *found == typ.0).map(|(_, body)| &body[..])
    }

    /// The group of its share, or the one that it asks for (TLS 1.3).
    pub(crate) fn group(&self) -> Option<u16> {
        Bytes(self.extension(E::KeyShare)?).code()
    }

    fn read(body: &[u8]) -> Option<Self> {
        let mut b = Bytes(body);
        let mut hello = Self { version: b.code()?, random: b.take(32)?.into(), ..Self::default() };
        hello.session = b.listed(1)?.into();
        hello.suite = b.code()?;
        hello.compression = u8::try_from(b.number(1)?).ok()?;
        if !b.0.is_empty() {
            let mut list = Bytes(b.listed(2)?);
            while !list.0.is_empty() {
                let typ = list.code()?;
                hello.extensions.push((typ, list.listed(2)?.into()));
            }
        }
        if let Some(version) = hello.extension(E::SupportedVersions).and_then(|body| Bytes(body).code()) {
            hello.version = version;
        }
        hello.retry = hello.random == HELLO_RETRY_REQUEST_RANDOM;
        Some(hello)
    }
}

/// A ServerKeyExchange, as far as it tells what was chosen: RFC 5246 7.4.3, RFC 8422 5.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyExchange {
    pub(crate) curve: Option<u16>,
    /// The prime of a Diffie–Hellman group, and the server's public value.
    pub(crate) prime: Option<Vec<u8>>,
    pub(crate) public: Vec<u8>,
    /// With what it is signed, in TLS 1.2.
    pub(crate) scheme: Option<u16>,
    /// Bits of the key of an RSA export exchange.
    pub(crate) export_bits: Option<usize>,
}

impl KeyExchange {
    fn read(body: &[u8], suite: u16, version: u16) -> Option<Self> {
        let name = super::suites::name(suite);
        let mut b = Bytes(body);
        let mut read = Self::default();
        if name.contains("_PSK_") {
            // A hint which key is meant stands first (RFC 4279 2, RFC 5489 2), and nothing is signed.
            b.listed(2)?;
        }
        if name.contains("ECDHE_") || name.contains("ECDH_anon") {
            let kind = b.number(1)?;
            if kind != 3 {
                return Some(read);
            }
            read.curve = Some(b.code()?);
            read.public = b.listed(1)?.into();
        } else if name.contains("DHE_") || name.contains("DH_anon") {
            read.prime = Some(without_zeros(b.listed(2)?).into());
            b.listed(2)?;
            read.public = b.listed(2)?.into();
        } else if name.contains("RSA_EXPORT") {
            read.export_bits = Some(without_zeros(b.listed(2)?).len() * 8);
            b.listed(2)?;
        } else {
            return Some(read);
        }
        if version == super::hello::TLS12 && !name.contains("_anon_") && !name.contains("_PSK_") {
            read.scheme = b.code();
        }
        Some(read)
    }
}

pub(crate) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// The ServerHello is all that is wanted.
    Hello,
    /// To the end of the flight.
    Done,
}

/// What came so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) hello: Option<ServerHello>,
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) key_exchange: Option<KeyExchange>,
    pub(crate) asks_for_certificate: bool,
    pub(crate) staple: Option<Vec<u8>>,
    pub(crate) done: bool,
    /// Level and description.
    pub(crate) alert: Option<(u8, u8)>,
    /// The first bytes of something that is no TLS.
    pub(crate) strange: Option<Vec<u8>>,
}

/// Reads records and messages as they come.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) bytes: Vec<u8>,
    pub(crate) messages: Vec<u8>,
    pub(crate) flight: Flight,
}

impl Reader {
    /// Takes what came; says whether that is enough.
    pub(crate) fn feed(&mut self, came: &[u8], until: Until) -> bool {
        self.bytes.extend_from_slice(came);
        let mut at = 0;
        while self.flight.strange.is_none()
            && !self.is_enough(until)
            && let Some(used) = self.record(at)
        {
            at += used;
        }
        self.bytes.drain(..at);
        self.is_enough(until)
    }

    fn is_enough(&self, until: Until) -> bool {
        let flight = &self.flight;
        let over = |hello: &ServerHello| until == Until::Hello || hello.version >= super::hello::TLS13;
        flight.done
            || flight.strange.is_some()
            || flight.alert.is_some_and(|(level, _)| level == 2)
            || flight.hello.as_ref().is_some_and(over)
    }

    /// One record, if it is whole: its length.
    fn record(&mut self, at: usize) -> Option<usize> {
        let mut b = Bytes(self.bytes.get(at..)?);
        let all = b.0;
        let content = *all.first()?;
        if !(20..=24).contains(&content) || all.get(1).is_some_and(|major| *major != 3) {
            self.flight.strange = Some(all.iter().copied().take(64).collect());
            return None;
        }
        b.take(3)?;
        let body = b.listed(2)?;
        let used = 5 + body.len();
        match (content, body) {
            (21, [level, description, ..]) => self.flight.alert = Some((*level, *description)),
            (22, _) => {
                let body = body.to_vec();
                self.messages.extend_from_slice(&body);
                self.handshake();
            }
            _ => {}
        }
        Some(used)
    }

    fn handshake(&mut self) {
        let mut at = 0;
        while let Some(rest) = self.messages.get(at..) {
            let mut b = Bytes(rest);
            let (Some(kind), Some(body)) = (b.number(1), b.listed(3)) else { break };
            at += 4 + body.len();
            let body = body.to_vec();
            if self.message(kind, &body).is_none() {
                self.flight.strange = Some(body.iter().copied().take(64).collect());
                break;
            }
        }
        self.messages.drain(..at.min(self.messages.len()));
    }

    fn message(&mut self, kind: usize, body: &[u8]) -> Option<()> {
        let flight = &mut self.flight;
        match kind {
            2 => flight.hello = Some(ServerHello::read(body)?),
            11 => {
                let mut list = Bytes(Bytes(body).listed(3)?);
                while !list.0.is_empty() {
                    flight.certificates.push(list.listed(3)?.into());
                }
            }
            12 => {
                let hello = flight.hello.as_ref()?;
                flight.key_exchange = Some(KeyExchange::read(body, hello.suite, hello.version)?);
            }
            13 => flight.asks_for_certificate = true,
            14 => flight.done = true,
            22 => flight.staple = Some(body.get(4..)?.into()),
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: u8, body: &[u8]) -> Vec<u8> {
        [&[content, 3, 3][..], &u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &u32::try_from(body.len()).unwrap().to_be_bytes()[1..], body].concat()
    }

    fn hello() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend_from_slice(&[7; 32]);
        body.extend_from_slice(&[0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]);
        message(2, &body)
    }

    #[test]
    fn a_flight_is_read_in_pieces_of_any_size() {
        let key_exchange = [&[3, 0, 29, 32][..], &[9; 32], &[4, 3, 0, 0]].concat();
        let all = [
            hello(),
            message(11, &[0, 0, 5, 0, 0, 2, 0x30, 0]),
            message(22, &[1, 0, 0, 1, 0x30]),
            message(12, &key_exchange),
            message(13, &[0, 0, 0]),
            message(14, &[]),
        ]
        .concat();
        let (first, second) = all.split_at(50);
        let wire = [record(22, first), record(22, second)].concat();
        for step in [1, 7, wire.len()] {
            let mut reader = Reader::default();
            let enough: Vec<bool> = wire.chunks(step).map(|chunk| reader.feed(chunk, Until::Done)).collect();
            assert_eq!(enough.iter().filter(|enough| **enough).count(), 1, "at its end");
            let flight = reader.flight;
            assert_eq!(flight.certificates, [[0x30, 0]]);
            let kx = flight.key_exchange.unwrap();
            assert_eq!((kx.curve, kx.scheme), (Some(29), Some(0x0403)));
            assert!(flight.asks_for_certificate && flight.done && flight.staple == Some(vec![0x30]));
            assert_eq!(flight.hello.unwrap().suite, 0xc02f);
        }
    }

    #[test]
    fn a_hint_stands_before_the_group_of_a_pre_shared_key() {
        let hint = [&[0, 4][..], b"hint"].concat();
        let ecdhe = [&hint[..], &[3, 0, 29, 2, 8, 9]].concat();
        let dhe = [&hint[..], &[0, 2, 0x80, 1, 0, 1, 2, 0, 1, 7]].concat();
        let read = |body: &[u8], suite| KeyExchange::read(body, suite, super::super::hello::TLS12).unwrap();
        assert_eq!(read(&ecdhe, 0xc035), KeyExchange { curve: Some(29), public: vec![8, 9], ..Default::default() });
        let wanted = KeyExchange { prime: Some(vec![0x80, 1]), public: vec![7], ..Default::default() };
        assert_eq!(read(&dhe, 0x0090), wanted);
    }

    #[test]
    fn what_is_no_tls_is_said() {
        let mut reader = Reader::default();
        assert!(reader.feed(b"SSH-2.0-OpenSSH_9.2\r\n", Until::Hello));
        assert!(reader.flight.strange.unwrap().starts_with(b"SSH-2.0"));
        // A ServerHello that ends early, a list that is longer than its message.
        for bad in [message(2, &[3, 3, 1]), message(11, &[0, 0, 9, 1])] {
            let mut reader = Reader::default();
            assert!(reader.feed(&record(22, &bad), Until::Done));
            assert!(reader.flight.strange.is_some());
        }
    }

    #[test]
    fn an_alert_ends_it_and_a_warning_does_not() {
        let mut reader = Reader::default();
        assert!(!reader.feed(&record(21, &[1, 112]), Until::Hello));
        assert!(reader.feed(&record(21, &[2, 40]), Until::Hello));
        assert_eq!(reader.flight.alert, Some((2, 40)));
    }
}
