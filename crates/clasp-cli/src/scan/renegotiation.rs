//! Whether a server renegotiates when its client asks for that (RFC 5746, CVE-2009-3555, CVE-2011-1473). Clasp never renegotiates: its client makes the
//! connection, and what comes then, a second ClientHello under the keys of the first, is sealed here.

use super::dial::{Dial, Open};
use super::hello::{Hello, TLS12};
use super::report::Renegotiation;
use super::talk::{self, Talk};
use crate::terminal::shown;
use clasp::code::{CipherSuite, ExtensionType as E, HandshakeType, ProtocolVersion};
use clasp::crypto::{AeadId, Provider, TAG_LEN, Use};
use clasp::suite::{Bulk, Suite};
use clasp::trace::{Direction, Observation, Observer, What};
use clasp::{AlertDescription, Facts, Policy};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
/// RFC 5246 6.2.3: a record's body at most.
const MOST: usize = (1 << 14) + 2048;
/// Records of a greeting, say, that come before an answer at most.
const MOST_RECORDS: u64 = 16;
/// How long an answer may take: who says nothing does not renegotiate.
const SILENCE: Duration = Duration::from_secs(3);

/// One direction's keys, by the names of RFC 5246 6.3.
#[derive(Default)]
struct Keys {
    key: Zeroizing<Vec<u8>>,
    iv: Zeroizing<Vec<u8>>,
    mac: Zeroizing<Vec<u8>>,
}

#[derive(Default)]
struct Learned {
    client: Keys,
    server: Keys,
    /// What our Finished says: a hello that renegotiates securely repeats it (RFC 5746 3.5).
    verify_data: Vec<u8>,
}

/// Learns the keys of its own connection.
#[derive(Default)]
struct Ear(Mutex<Learned>);

impl Observer for Ear {
    fn observe(&self, seen: &Observation<'_>) {
        let mut learned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.what {
            What::Derived { name, value: Some(value) } => {
                let (side, name) = match (name.strip_prefix("client_write_"), name.strip_prefix("server_write_")) {
                    (Some(name), _) => (&mut learned.client, name),
                    (_, Some(name)) => (&mut learned.server, name),
                    _ => return,
                };
                let place = match name {
                    "key" => &mut side.key,
                    "IV" => &mut side.iv,
                    "MAC_key" => &mut side.mac,
                    _ => return,
                };
                *place = Zeroizing::new(value.dangerous_expose().to_vec());
            }
            What::Message { direction: Direction::Sent, kind: HandshakeType::Finished, bytes, .. } => {
                learned.verify_data = bytes.get(4..).unwrap_or_default().to_vec();
            }
            _ => {}
        }
    }
}

/// Whom it cannot be asked of, and why.
pub(crate) fn not_asked(why: &str) -> Renegotiation {
    Renegotiation { allowed: None, words: format!("not asked: {why}") }
}

/// Asks for it, and hears how the server answers.
pub(crate) async fn ask(talk: &Talk<'_>) -> Renegotiation {
    match begun(talk).await {
        Err(words) => Renegotiation { allowed: None, words },
        Ok(begun) => begun.again(talk.dial).await,
    }
}

/// A connection whose keys are known.
struct Begun<'d> {
    open: Open<'d>,
    suite: &'static Suite,
    learned: Learned,
    /// The server knows RFC 5746.
    secure: bool,
}

async fn begun<'d>(talk: &Talk<'d>) -> Result<Begun<'d>, String> {
    let ear = Arc::new(Ear::default());
    let policy = Policy::legacy().with_versions([ProtocolVersion::Tls12]);
    // The classic order of MAC and cipher, which all servers have.
    let config = talk::builder(policy).no_sessions().encrypt_then_mac(false).dangerous_observe_secrets(ear.clone());
    let made = match talk::config(config) {
        Ok(config) => talk.connect(config).await,
        Err(error) => Err(error),
    };
    let made = made.map_err(|error| format!("not asked: {}", talk::words(&error)))?;
    let (facts, open) = made.taken_apart();
    let Facts { suite, secure_renegotiation: secure, .. } = *facts;
    let suite = Suite::find(suite).ok_or_else(|| format!("not asked: {suite} is not spoken"))?;
    let learned = std::mem::take(&mut *ear.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Begun { open, suite, learned, secure })
}

impl Begun<'_> {
    /// The hello that asks for it: as a first one, but for the proof of who has spoken before.
    fn hello(&self, dial: &Dial) -> Vec<u8> {
        // With what was agreed alone: whether it would be something else is not asked.
        let CipherSuite(code) = self.suite.code;
        let mut hello = Hello::old(TLS12, vec![code], dial.server_name.as_deref());
        hello.more.retain(|(typ, _)| *typ != E::RenegotiationInfo.0);
        if self.secure {
            let length = u8::try_from(self.learned.verify_data.len()).unwrap_or_default();
            let proof = [&[length][..], &self.learned.verify_data].concat();
            hello.more.push((E::RenegotiationInfo.0, proof));
        }
        hello.message()
    }

    async fn again(mut self, dial: &Dial) -> Renegotiation {
        let hello = self.hello(dial);
        let Some(record) = seal(self.suite.bulk, &self.learned.client, 1, &hello) else {
            return Renegotiation { allowed: None, words: "not asked: the hello could not be sealed".into() };
        };
        if self.open.tcp.write_all(&record).await.is_err() {
            return Renegotiation { allowed: Some(false), words: "closes the connection".into() };
        }
        let (allowed, words) = self.answer(dial.limit.min(SILENCE)).await;
        let how = if self.secure { "" } else { ", without RFC 5746" };
        Renegotiation { allowed, words: if allowed == Some(true) { format!("{words}{how}") } else { words } }
    }

    async fn answer(&mut self, within: Duration) -> (Option<bool>, String) {
        let until = Instant::now() + within;
        // The server's Finished was the first.
        for sequence in 1..=MOST_RECORDS {
            let (content, body) = match timeout_at(until, record(&mut self.open)).await {
                Err(_) => return (Some(false), "says nothing to it".into()),
                Ok(None) => return (Some(false), "closes the connection".into()),
                Ok(Some(record)) => record,
            };
            let plain = open(self.suite.bulk, &self.learned.server, (sequence, content), body);
            match (content, plain.as_deref()) {
                (ALERT, Some([_, code])) => {
                    let alert = AlertDescription(*code);
                    return (Some(false), shown(&format!("refuses it: alert {alert}")));
                }
                (ALERT, _) => return (Some(false), "refuses it with an alert".into()),
                (HANDSHAKE, Some([0, ..])) => {}
                (HANDSHAKE, Some([2, ..])) => return (Some(true), "renegotiates: answers with a ServerHello".into()),
                (HANDSHAKE, _) => return (None, "answers with a message that is no ServerHello".into()),
                _ => {}
            }
        }
        (Some(false), "goes on as if it had not been asked".into())
    }
}

/// The next record: its type and its body.
async fn record(open: &mut Open<'_>) -> Option<(u8, Vec<u8>)> {
    let mut header = [0; 5];
    open.tcp.read_exact(&mut header).await.ok()?;
    let [content, _, _, high, low] = header;
    let mut body = vec![0; Some(usize::from(u16::from_be_bytes([high, low]))).filter(|length| *length <= MOST)?];
    open.tcp.read_exact(&mut body).await.ok()?;
    Some((content, body))
}

/// What stands before a record's length in what is authenticated: its number, type and version.
fn head(sequence: u64, content: u8) -> [u8; 11] {
    let mut head = [0; 11];
    let (number, rest) = head.split_at_mut(8);
    number.copy_from_slice(&sequence.to_be_bytes());
    rest.copy_from_slice(&[content, 3, 3]);
    head
}

fn additional(sequence: u64, content: u8, length: usize) -> Option<Vec<u8>> {
    Some([&head(sequence, content)[..], &u16::try_from(length).ok()?.to_be_bytes()].concat())
}

/// RFC 5288 3: a salt, and the number, which stands in the record; RFC 7905 2: both in one, and nothing in the record.
fn nonce(aead: AeadId, iv: &[u8], explicit: [u8; 8]) -> Option<[u8; 12]> {
    let mut nonce = [0; 12];
    if aead == AeadId::ChaCha20Poly1305 {
        nonce.copy_from_slice(iv.get(..12)?);
        nonce.iter_mut().skip(4).zip(explicit).for_each(|(byte, of)| *byte ^= of);
    } else {
        let (salt, rest) = nonce.split_at_mut(4);
        salt.copy_from_slice(iv.get(..4)?);
        rest.copy_from_slice(&explicit);
    }
    Some(nonce)
}

/// A record with a handshake message: RFC 5246 6.2.3.
fn seal(bulk: Bulk, keys: &Keys, sequence: u64, message: &[u8]) -> Option<Vec<u8>> {
    let provider = Provider::builtin();
    let body = match bulk {
        Bulk::Aead(id) => {
            let explicit = sequence.to_be_bytes();
            let (mut sealed, mut tag) = (message.to_vec(), [0; TAG_LEN]);
            let key = provider.aead(id).ok()?.key(&keys.key).ok()?;
            let about = additional(sequence, HANDSHAKE, message.len())?;
            key.seal(&nonce(id, &keys.iv, explicit)?, &about, &mut sealed, &mut tag).ok()?;
            let stands = if id == AeadId::ChaCha20Poly1305 { &[][..] } else { &explicit };
            [stands, &sealed, &tag].concat()
        }
        Bulk::Cbc(id) => {
            let mut key = provider.legacy?.cbc_hmac(id, &keys.mac, &keys.key, Use::Seal)?.ok()?;
            // The IV, the MAC and the padding.
            let mut body = vec![0; 16 + message.len() + 64 + 16];
            provider.random.fill(body.get_mut(..16)?).ok()?;
            body.get_mut(16..16 + message.len())?.copy_from_slice(message);
            let length = key.seal(&head(sequence, HANDSHAKE), &mut body, message.len()).ok()?;
            body.truncate(length);
            body
        }
        _ => return None,
    };
    let length = u16::try_from(body.len()).ok()?.to_be_bytes();
    Some([&[HANDSHAKE, 3, 3], &length[..], &body].concat())
}

/// What stands in a record, if it opens.
fn open(bulk: Bulk, keys: &Keys, (sequence, content): (u64, u8), mut body: Vec<u8>) -> Option<Vec<u8>> {
    let provider = Provider::builtin();
    match bulk {
        Bulk::Aead(id) => {
            let explicit = if id == AeadId::ChaCha20Poly1305 {
                sequence.to_be_bytes()
            } else {
                let explicit = *body.first_chunk()?;
                body.drain(..8);
                explicit
            };
            let key = provider.aead(id).ok()?.key(&keys.key).ok()?;
            let about = additional(sequence, content, body.len().checked_sub(TAG_LEN)?)?;
            let length = key.open(&nonce(id, &keys.iv, explicit)?, &about, &mut body).ok()?;
            body.truncate(length);
        }
        Bulk::Cbc(id) => {
            let mut key = provider.legacy?.cbc_hmac(id, &keys.mac, &keys.key, Use::Open)?.ok()?;
            let iv = *body.first_chunk()?;
            body.drain(..16);
            let length = key.open(&iv, &head(sequence, content), &mut body).ok()?;
            body.truncate(length);
        }
        _ => return None,
    }
    Some(body)
}
