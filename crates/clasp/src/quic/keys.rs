//! The keys of packets: payload, header, Retry. RFC 9001 5.

use super::{Side, Version};
use crate::crypto::{self, AeadId, AeadKey, CryptoError, CryptoResult, HashId, Provider, SAMPLE_LEN, TAG_LEN};
use crate::error::{Error, Misuse, Result};
use crate::keys::maker::KeyMaterial;
use crate::keys::schedule13::{TrafficKeys, expand_label, extract};
use crate::record::RecordError;
use core::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The keys of both directions.
#[derive(Debug)]
pub struct Keys {
    /// What we send is sealed with these.
    pub local: DirectionKeys,
    /// What comes is opened with these.
    pub remote: DirectionKeys,
}

/// The keys of one direction at one level.
#[derive(Debug)]
pub struct DirectionKeys {
    /// Protects payloads.
    pub packet: PacketKey,
    /// Hides what headers say of packet numbers.
    pub header: HeaderKey,
}

/// The keys of payloads behind a key update; those of headers stay (RFC 9001 6).
#[derive(Debug)]
pub struct NextKeys {
    /// For what we send.
    pub local: PacketKey,
    /// For what comes.
    pub remote: PacketKey,
}

impl Keys {
    /// The keys of Initial packets, which come of the connection ID that the client chose for the server: RFC 9001 5.2. They keep
    /// nothing secret.
    ///
    /// ```
    /// use clasp::crypto::Provider;
    /// use clasp::quic::{Keys, Side, Version};
    /// let keys = Keys::initial(Provider::builtin(), Version::V1, b"\x83\x94\xc8\xf0\x3e\x51\x57\x08", Side::Client)?;
    /// # Ok::<(), clasp::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the provider lacks AES-128-GCM with its header protection, or SHA-256.
    pub fn initial(provider: &Provider, version: Version, connection_id: &[u8], side: Side) -> Result<Self> {
        let hash = provider.hash(HashId::Sha256)?;
        let mut initial = Zeroizing::new([0; 32]);
        extract(hash, version.initial_salt(), connection_id, &mut *initial);
        let of = |label: &[u8]| {
            let mut secret = Zeroizing::new([0; 32]);
            expand_label(hash, &*initial, label, &[], &mut *secret);
            let keys = TrafficKeys::of(hash, &*secret, AeadId::Aes128Gcm, version.labels());
            DirectionKeys::new(provider, &KeyMaterial::Tls13 { aead: AeadId::Aes128Gcm, keys: &keys })
        };
        let (client, server) = (of(b"client in")?, of(b"server in")?);
        Ok(match side {
            Side::Client => Self { local: client, remote: server },
            Side::Server => Self { local: server, remote: client },
        })
    }
}

impl DirectionKeys {
    pub(super) fn new(provider: &Provider, material: &KeyMaterial<'_>) -> CryptoResult<Self> {
        let KeyMaterial::Tls13 { aead, keys } = material else { return Err(CryptoError) };
        let header = provider.aead(*aead)?.header_key(keys.hp.get(..keys.key_len).ok_or(CryptoError)?)?;
        Ok(Self { packet: PacketKey::new(provider, material)?, header: HeaderKey(header) })
    }
}

/// Protects the payloads of packets in one direction: RFC 9001 5.3.
pub struct PacketKey {
    key: Box<dyn AeadKey>,
    iv: [u8; 12],
    aead: AeadId,
}

impl PacketKey {
    /// Bytes of the tag behind a payload.
    pub const TAG_LEN: usize = TAG_LEN;

    pub(super) fn new(provider: &Provider, material: &KeyMaterial<'_>) -> CryptoResult<Self> {
        // There is nothing else in QUIC.
        let KeyMaterial::Tls13 { aead, keys } = material else { return Err(CryptoError) };
        let key = provider.aead(*aead)?.key(keys.key.get(..keys.key_len).ok_or(CryptoError)?)?;
        Ok(Self { key, iv: keys.iv, aead: *aead })
    }

    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(4).zip(number.to_be_bytes()).for_each(|(byte, number)| *byte ^= number);
        nonce
    }

    /// Seals a packet in place: what stands behind its header of `header_len` bytes, but for the last [`TAG_LEN`](Self::TAG_LEN)
    /// bytes, which the tag takes. `number` is the whole packet number; under one key each is used once.
    ///
    /// # Errors
    /// If the packet is shorter than its header and the tag.
    pub fn seal(&self, number: u64, packet: &mut [u8], header_len: usize) -> Result<()> {
        let (header, rest) = packet.split_at_mut_checked(header_len).ok_or_else(too_short)?;
        let (payload, tag) = rest.split_last_chunk_mut::<TAG_LEN>().ok_or_else(too_short)?;
        Ok(self.key.seal(&self.nonce(number), header, payload, tag)?)
    }

    /// Opens a packet in place: gives how many bytes of `sealed` are its payload, which stands in front. `header` is as it was
    /// before its protection.
    ///
    /// # Errors
    /// If it was not sealed with these keys, this number and this header. The packet is dropped then (RFC 9001 5.5), and counts for
    /// [`integrity_limit`](Self::integrity_limit).
    pub fn open(&self, number: u64, header: &[u8], sealed: &mut [u8]) -> Result<usize> {
        self.key.open(&self.nonce(number), header, sealed).map_err(|_| RecordError::BadMac.into())
    }

    /// How many packets may be sealed with it; before that the keys are updated, or the connection ends: RFC 9001 6.6.
    pub const fn confidentiality_limit(&self) -> u64 {
        match self.aead {
            AeadId::Aes128Gcm | AeadId::Aes256Gcm => 1 << 23,
            // More than there are packet numbers.
            AeadId::ChaCha20Poly1305 => u64::MAX,
        }
    }

    /// How many packets of the peer's may fail to open, under all keys of a connection; then it ends: RFC 9001 6.6.
    pub const fn integrity_limit(&self) -> u64 {
        match self.aead {
            AeadId::Aes128Gcm | AeadId::Aes256Gcm => 1 << 52,
            AeadId::ChaCha20Poly1305 => 1 << 36,
        }
    }
}

impl Drop for PacketKey {
    fn drop(&mut self) {
        self.iv.zeroize();
    }
}

impl fmt::Debug for PacketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketKey({:?}, [secret])", self.aead)
    }
}

/// Protects the headers of packets in one direction: RFC 9001 5.4.
pub struct HeaderKey(Box<dyn crypto::MaskKey>);

/// A long header has this bit (RFC 9000 17.2), and hides fewer of its first byte.
const LONG: u8 = 0x80;
/// Where the sample stands behind the beginning of the packet number, whatever that is long: RFC 9001 5.4.2.
const SAMPLE_AT: usize = 4;

impl HeaderKey {
    /// Bytes behind the beginning of the packet number that a packet must have for its header to be protected; whoever seals one
    /// with less pads it (RFC 9001 5.4.2).
    pub const REACH: usize = SAMPLE_AT + SAMPLE_LEN;

    /// Hides the header of a packet whose payload is sealed. The packet number begins at `number_at`.
    ///
    /// # Errors
    /// If the packet ends before the sample does.
    pub fn protect(&self, packet: &mut [u8], number_at: usize) -> Result<()> {
        let mask = self.mask(packet, number_at)?;
        let len = number_len(*packet.first().ok_or_else(too_short)?);
        apply(packet, number_at, len, mask)
    }

    /// Shows the header of a packet that came, and gives how many bytes its packet number has. Nothing is known of it yet: the
    /// header is among what [`PacketKey::open`] checks.
    ///
    /// # Errors
    /// If the packet ends before the sample does; it is dropped then.
    pub fn unprotect(&self, packet: &mut [u8], number_at: usize) -> Result<usize> {
        let mask = self.mask(packet, number_at)?;
        let first = *packet.first().ok_or_else(too_short)?;
        let len = number_len(first ^ mask[0] & hidden(first));
        apply(packet, number_at, len, mask)?;
        Ok(len)
    }

    fn mask(&self, packet: &[u8], number_at: usize) -> Result<[u8; 5]> {
        let behind = number_at.checked_add(SAMPLE_AT).and_then(|at| packet.get(at..));
        let sample = behind.and_then(<[u8]>::first_chunk).ok_or_else(too_short)?;
        Ok(self.0.mask(sample)?)
    }
}

/// Bytes of the packet number, by a first byte that is not hidden.
fn number_len(first: u8) -> usize {
    usize::from(first & 3).saturating_add(1)
}

/// What of a first byte is hidden.
const fn hidden(first: u8) -> u8 {
    if first & LONG == 0 { 0x1f } else { 0x0f }
}

fn apply(packet: &mut [u8], number_at: usize, len: usize, mask: [u8; 5]) -> Result<()> {
    let [of_first, of_number @ ..] = mask;
    let first = packet.first_mut().ok_or_else(too_short)?;
    *first ^= of_first & hidden(*first);
    let number = packet.get_mut(number_at..).ok_or_else(too_short)?;
    number.iter_mut().take(len).zip(of_number).for_each(|(byte, mask)| *byte ^= mask);
    Ok(())
}

impl fmt::Debug for HeaderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeaderKey([secret])")
    }
}

#[cold]
fn too_short() -> Error {
    Error::from(Misuse::BufferTooSmall).seen("a packet of QUIC").wanted("its header, the sample of it, and a tag")
}

/// The tag of a Retry packet: RFC 9001 5.8. `packet` is the Retry without it, and `connection_id` the one that the client chose first.
/// It keeps packets that came about by accident from being taken for one; whoever saw the client's first packet can make it.
///
/// # Errors
/// If the provider lacks AES-128-GCM, or the connection ID is longer than 255 bytes.
pub fn retry_tag(provider: &Provider, version: Version, connection_id: &[u8], packet: &[u8]) -> Result<[u8; TAG_LEN]> {
    let (key, nonce) = version.retry();
    let len = u8::try_from(connection_id.len())
        .map_err(|_| Error::from(Misuse::TooLong).seen("a connection ID").wanted("at most 20 bytes"))?;
    let pseudo = [&[len][..], connection_id, packet].concat();
    let mut tag = [0; TAG_LEN];
    provider.aead(AeadId::Aes128Gcm)?.key(key)?.seal(nonce, &pseudo, &mut [], &mut tag)?;
    Ok(tag)
}
