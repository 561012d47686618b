//! Records and handshake messages under the [`hollow`](crate::provider::hollow) provider, for tests that alter what a side
//! says.

/// Content types of records.
pub const CCS: u8 = 20;
/// A handshake message's.
pub const HANDSHAKE: u8 = 22;
/// Application data's.
pub const DATA: u8 = 23;

const TAG: usize = 16;
const EXPLICIT_NONCE: usize = 8;
const HEADER: usize = 5;

/// How a record is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// Not at all.
    Plain,
    /// AES-GCM of TLS 1.2.
    Gcm12,
    /// TLS 1.3.
    Inner13,
}

/// A record that opens.
///
/// # Panics
/// If the body is longer than a length can say.
pub fn record(wrap: Wrap, content: u8, body: &[u8]) -> Vec<u8> {
    let (outer, body) = match wrap {
        Wrap::Plain => (content, body.to_vec()),
        Wrap::Gcm12 => (content, [&[0; EXPLICIT_NONCE], body, &[0; TAG]].concat()),
        Wrap::Inner13 => (DATA, [body, &[content], &[0; TAG]].concat()),
    };
    let length = u16::try_from(body.len()).expect("a record").to_be_bytes();
    [&[outer, 3, 3, length[0], length[1]], &body[..]].concat()
}

/// One handshake message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type.
    pub kind: u8,
    /// What stands behind its length.
    pub body: Vec<u8>,
}

impl Message {
    /// As it stands in a record.
    ///
    /// # Panics
    /// If the body is longer than a length can say.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.body.len()).expect("a message").to_be_bytes();
        [&[self.kind], &length[1..], &self.body[..]].concat()
    }
}

/// The handshake messages of a flight of whole records. In TLS 1.2 those behind ChangeCipherSpec are of AES-GCM.
///
/// # Panics
/// If it is no such flight.
pub fn messages(mut flight: &[u8], tls13: bool) -> Vec<Message> {
    let (mut bytes, mut changed) = (Vec::new(), false);
    while !flight.is_empty() {
        let length = usize::from(u16::from_be_bytes([flight[3], flight[4]]));
        let (record, rest) = flight.split_at(HEADER + length);
        match (record[0], &record[HEADER..]) {
            (CCS, _) => changed = true,
            (DATA, body) => match body[..body.len() - TAG].split_last() {
                Some((&HANDSHAKE, inner)) => bytes.extend_from_slice(inner),
                other => assert!(other.is_some(), "a record without a content type"),
            },
            (_, body) if changed && !tls13 => bytes.extend_from_slice(&body[EXPLICIT_NONCE..body.len() - TAG]),
            (_, body) => bytes.extend_from_slice(body),
        }
        flight = rest;
    }
    let (mut rest, mut out) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let length = u32::from_be_bytes([0, rest[1], rest[2], rest[3]]);
        let (message, behind) = rest.split_at(4 + usize::try_from(length).expect("a length"));
        out.push(Message { kind: message[0], body: message[4..].to_vec() });
        rest = behind;
    }
    out
}
