//! The hash of the conversation: RFC 9846 4.4.1, RFC 5246 7.4.9.

use crate::code::HandshakeType;
use crate::crypto::{Digest, Hash, HashContext};

/// Every handshake message so far, hashed as it goes once the hash is known. The bytes are those of the wire: nothing
/// is encoded again.
pub(crate) struct Transcript {
    /// The messages themselves, until the hash is chosen; kept longer where TLS 1.2 client authentication signs them.
    bytes: Vec<u8>,
    keep: bool,
    context: Option<Box<dyn HashContext>>,
}

/// Bytes that most ServerHellos fit in: the hash is chosen when one has come.
const ROOM_FOR_ANSWER: usize = 160;

impl Transcript {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::new(), keep: true, context: None }
    }

    /// Adds whole messages, as they stood on the wire.
    pub(crate) fn add(&mut self, messages: &[u8]) {
        if let Some(context) = &mut self.context {
            context.update(messages);
        }
        if self.keep {
            if self.bytes.is_empty() {
                self.bytes.reserve(messages.len().saturating_add(ROOM_FOR_ANSWER));
            }
            self.bytes.extend_from_slice(messages);
        }
    }

    /// The hash is chosen: everything so far goes into it.
    pub(crate) fn start(&mut self, hash: &dyn Hash) {
        let mut context = hash.start();
        context.update(&self.bytes);
        self.context = Some(context);
    }

    /// At a HelloRetryRequest the first hello is replaced by its hash: RFC 9846 4.4.1. `request` is the request if it
    /// stands in the transcript already.
    pub(crate) fn retry(&mut self, hash: &dyn Hash, request: &[u8]) {
        let digest = hash.digest(&[self.bytes.strip_suffix(request).unwrap_or(&self.bytes)]);
        let value = digest.as_ref();
        self.bytes.clear();
        let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
        self.bytes.extend_from_slice(&[HandshakeType::MessageHash.0, 0, 0, length]);
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(request);
    }

    /// The last message is another than what stood on the wire: RFC 9849 6.1, 7.1.
    pub(crate) fn replace_last(&mut self, message: &[u8], by: &[u8]) {
        let before = self.bytes.len().saturating_sub(message.len());
        self.bytes.truncate(before);
        self.bytes.extend_from_slice(by);
    }

    /// What stands before the last message is another than what the conversation went on from: RFC 9849 6.1.4.
    pub(crate) fn replace_before(&mut self, message: &[u8], by: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(by);
        self.bytes.extend_from_slice(message);
    }

    /// The hash of what there is but for the last `tail` bytes: what a binder covers.
    pub(crate) fn hash_without(&self, hash: &dyn Hash, tail: usize) -> Digest {
        let covered = self.bytes.len().saturating_sub(tail);
        hash.digest(&[self.bytes.get(..covered).unwrap_or_default()])
    }

    /// The messages themselves are not needed any more.
    pub(crate) fn forget_bytes(&mut self) {
        self.keep = false;
        self.bytes = Vec::new();
    }

    /// The messages themselves: TLS 1.2 CertificateVerify signs them, not their hash (RFC 5246 7.4.8).
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The conversation so far, to go on from without changing this one. The messages themselves stay behind.
    pub(crate) fn fork(&self) -> Self {
        Self { bytes: Vec::new(), keep: false, context: self.context.as_ref().map(|context| context.fork()) }
    }

    /// The hash of the conversation as it would be with these messages behind it.
    pub(crate) fn hash_with(&self, messages: &[&[u8]]) -> Digest {
        self.context.as_ref().map_or(Digest::empty(), |context| {
            let mut context = context.fork();
            messages.iter().for_each(|message| context.update(message));
            context.value()
        })
    }

    /// The hash of the conversation so far; of nothing if no hash is chosen yet, which only a bug could ask for.
    pub(crate) fn hash(&self) -> Digest {
        self.context.as_ref().map_or(Digest::empty(), |context| context.value())
    }
}
