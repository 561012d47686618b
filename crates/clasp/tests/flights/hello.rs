//! A ClientHello, and what a server says to it.

use super::*;
use clasp::{Connection, Policy, ServerConfig};
use clasp_testkit::{KeyKind, authority};

pub(crate) fn v8(body: &[u8]) -> Vec<u8> {
    [&[u8::try_from(body.len()).unwrap()], body].concat()
}

pub(crate) fn v16(body: &[u8]) -> Vec<u8> {
    [&u16::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

pub(crate) fn ext(typ: u16, body: &[u8]) -> Vec<u8> {
    [&typ.to_be_bytes()[..], &v16(body)].concat()
}

pub(crate) fn record(content: u8, body: &[u8]) -> Vec<u8> {
    [&[content, 3, 1][..], &v16(body)].concat()
}

/// A ClientHello to change.
#[derive(Clone)]
pub(crate) struct Hello {
    pub(crate) version: [u8; 2],
    pub(crate) random: [u8; 32],
    pub(crate) session_id: Vec<u8>,
    pub(crate) suites: Vec<u8>,
    pub(crate) compression: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) tail: Vec<u8>,
}

pub(crate) fn share(group: u16, public: &[u8]) -> Vec<u8> {
    [&group.to_be_bytes()[..], &v16(public)].concat()
}

pub(crate) fn psk(identities: usize, binders: usize) -> Vec<u8> {
    psk_of(b"nobody's", 7, identities, binders)
}

pub(crate) fn psk_of(identity: &[u8], binder: u8, identities: usize, binders: usize) -> Vec<u8> {
    let identity = [v16(identity), vec![0; 4]].concat();
    ext(PSK, &[v16(&identity.repeat(identities)), v16(&v8(&[binder; 32]).repeat(binders))].concat())
}

impl Hello {
    pub(crate) fn common() -> Vec<Vec<u8>> {
        let schemes = [4, 3, 8, 4, 4, 1];
        vec![ext(GROUPS, &v16(&[0, 0x1d, 0, 0x17])), ext(SCHEMES, &v16(&schemes))]
    }

    pub(crate) fn tls13() -> Self {
        let mut extensions = Self::common();
        extensions.push(ext(VERSIONS, &v8(&[3, 4])));
        extensions.push(ext(SHARES, &v16(&share(0x1d, &[9; 32]))));
        let suites = vec![0x13, 1, 0xc0, 0x2b, 0xc0, 0x2f];
        let (session_id, tail) = (Vec::new(), Vec::new());
        Self { version: [3, 3], random: [5; 32], session_id, suites, compression: vec![0], extensions, tail }
    }

    pub(crate) fn tls12() -> Self {
        let mut extensions = Self::common();
        extensions.push(ext(EXTENDED_MASTER, &[]));
        extensions.push(ext(RENEGOTIATION, &[0]));
        Self { extensions, ..Self::tls13() }
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// With one more extension, or in place of the one of its type.
    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        match self.extensions.iter_mut().find(|e| e[..2] == extension[..2]) {
            Some(old) => *old = extension,
            None => self.extensions.push(extension),
        }
        self
    }

    pub(crate) fn without(mut self, typ: u16) -> Self {
        self.extensions.retain(|e| e[..2] != typ.to_be_bytes());
        self
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let body = [
            &self.version[..],
            &self.random,
            &v8(&self.session_id),
            &v16(&self.suites),
            &v8(&self.compression),
            &v16(&self.extensions.concat()),
            &self.tail,
        ]
        .concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[1], &length[1..], &body[..]].concat()
    }
}

pub(crate) fn server() -> Connection {
    server_of(Policy::default())
}

pub(crate) fn server_of(policy: Policy) -> Connection {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let config = ServerConfig::builder().identity(identity).policy(policy).alpn(["h2"]).build().unwrap();
    config.accept()
}

/// The server's answer: the alert, or the version of its hello.
pub(crate) fn answer(flight: &[u8]) -> &'static str {
    answer_of(server(), flight)
}

pub(crate) fn answer_of(mut server: Connection, flight: &[u8]) -> &'static str {
    let mut out = Vec::new();
    match server.receive(&mut flight.to_vec(), &mut out).map(drop) {
        Err(error) => {
            let sent = &out[out.len() - 7..];
            assert_eq!((sent[0], sent[6]), (21, error.alert().0), "the alert on the wire");
            error.alert().name()
        }
        Ok(()) if out.is_empty() => "nothing",
        Ok(()) if out.windows(6).any(|w| w == [0, 43, 0, 2, 3, 4]) => "TLS 1.3",
        Ok(()) => "TLS 1.2",
    }
}

/// A hello in as many records as it takes.
pub(crate) fn long(hello: &Hello) -> Vec<u8> {
    hello.message().chunks(1 << 14).flat_map(|part| record(22, part)).collect()
}

pub(crate) fn refused(name: &str, hello: &Hello, alert: &str) {
    assert_eq!(answer(&record(22, &hello.message())), alert, "{name}");
}

pub(crate) fn taken(name: &str, hello: &Hello, version: &str) {
    assert_eq!(answer(&record(22, &hello.message())), version, "{name}");
}
