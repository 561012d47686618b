//! Transport parameters: how they are written, and what of them early data counts on. RFC 9000 7.4, 18. What they mean to a
//! connection is the QUIC stack's.

use super::Side;
use crate::crypto::{CryptoResult, HashId, Provider};
use crate::error::{Error, Misuse, PeerError, Result};
use core::fmt;

/// What one end of QUIC says of itself in the handshake: the transport parameters, as they are written in the extension
/// quic_transport_parameters.
///
/// ```
/// use clasp::quic::Parameters;
/// // initial_max_data (0x04), a number in 4 bytes: 65536
/// let parameters = Parameters::new([0x04, 0x04, 0x80, 0x01, 0x00, 0x00])?;
/// assert!(Parameters::new([0x04, 0x04, 0x80]).is_err(), "cut short");
/// # Ok::<(), clasp::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Parameters {
    bytes: Vec<u8>,
    opaque: bool,
}

impl Parameters {
    /// Those of RFC 9000 18. The peer's are held to the same rules: a parameter twice, or of a form that it cannot have, ends the
    /// connection; and early data is taken only where what it counts on has not shrunk.
    ///
    /// # Errors
    /// If they are not well formed.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        match check(&bytes, None) {
            Ok(()) => Ok(Self { bytes, opaque: false }),
            Err(fault) => Err(Error::from(Misuse::BadSetting)
                .seen(format_args!("transport parameters: {fault}"))
                .wanted("transport parameters as in RFC 9000 18")),
        }
    }

    /// Those of a transport that has a form of its own for them. Nobody looks into them, nor into the peer's; early data is taken where
    /// they are the same as when the session was made.
    pub fn opaque(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), opaque: true }
    }

    /// As they are written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Holds the peer's to the rules, where there are any.
    pub(super) fn check_peer(&self, theirs: &[u8], from: Side) -> Result<()> {
        let checked = if self.opaque { Ok(()) } else { check(theirs, Some(from)) };
        checked.map_err(|fault| Error::from(PeerError::BadTransportParameters).seen(fault))
    }

    /// Server: what early data may count on, for a session to keep.
    pub(super) fn promises(&self, provider: &Provider) -> CryptoResult<Vec<u8>> {
        if self.opaque {
            return Ok(provider.hash(HashId::Sha256)?.digest(&[&self.bytes]).as_ref().to_vec());
        }
        Ok(Allowed::read(&self.bytes).unwrap_or_default().0.iter().flat_map(|n| n.to_be_bytes()).collect())
    }

    /// Server: whether we allow at least what we did then.
    pub(super) fn hold(&self, promises: &[u8], provider: &Provider) -> bool {
        if self.opaque {
            return self.promises(provider).is_ok_and(|ours| ours == promises);
        }
        let (numbers, rest) = promises.as_chunks::<8>();
        let Ok(before) = <&[[u8; 8]; ALLOWANCES.len()]>::try_from(numbers) else { return false };
        rest.is_empty()
            && Allowed::read(&self.bytes).unwrap_or_default().covers(&Allowed(before.map(u64::from_be_bytes)))
    }

    /// Client: that a server which takes early data allows at least what it did when the session was made.
    pub(super) fn check_kept(&self, before: &[u8], now: &[u8]) -> Result<()> {
        let (before, now) = (Allowed::read(before).unwrap_or_default(), Allowed::read(now).unwrap_or_default());
        if self.opaque || now.covers(&before) { Ok(()) } else { Err(PeerError::TransportParametersShrank.into()) }
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({} bytes{})", self.bytes.len(), if self.opaque { ", opaque" } else { "" })
    }
}

/// Numbers of parameters that early data counts on, with what is meant where they are missing: RFC 9000 7.4.1, RFC 9221 3.
const ALLOWANCES: [(u64, u64); 8] = [
    (0x04, 0), // initial_max_data
    (0x05, 0), // initial_max_stream_data_bidi_local
    (0x06, 0), // initial_max_stream_data_bidi_remote
    (0x07, 0), // initial_max_stream_data_uni
    (0x08, 0), // initial_max_streams_bidi
    (0x09, 0), // initial_max_streams_uni
    (0x0e, 2), // active_connection_id_limit
    (0x20, 0), // max_datagram_frame_size
];

/// How much of each is allowed, in that order.
#[derive(Clone, Copy)]
struct Allowed([u64; ALLOWANCES.len()]);

impl Default for Allowed {
    fn default() -> Self {
        Self(ALLOWANCES.map(|(_, default)| default))
    }
}

impl Allowed {
    /// None of what cannot be read.
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut allowed = Self::default();
        while !bytes.is_empty() {
            let (number, mut value) = parameter(&mut bytes)?;
            let place = allowed.0.iter_mut().zip(ALLOWANCES).find(|(_, (known, _))| *known == number);
            if let Some((place, _)) = place {
                *place = varint(&mut value)?;
            }
        }
        Some(allowed)
    }

    fn covers(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(ours, theirs)| *ours >= theirs)
    }
}

/// The form of a parameter's value.
enum Form {
    /// A number from the first to the last.
    Number(u64, u64),
    /// Nothing: it is there.
    Flag,
    /// So many bytes.
    Bytes(usize, usize),
    /// Two addresses, a connection ID, a token: RFC 9000 18.2.
    Address,
}

/// The largest number that can be written.
const MAX_VARINT: u64 = (1 << 62) - 1;
/// RFC 9000 17.2.
const MAX_CONNECTION_ID: usize = 20;
const TOKEN_LEN: usize = 16;

/// The parameters of RFC 9000 18.2 and RFC 9221 3: their form, and whether a client may say them. Others have any form.
fn form(number: u64) -> Option<(Form, bool)> {
    let any = Form::Number(0, MAX_VARINT);
    Some(match number {
        // original_destination_connection_id, retry_source_connection_id
        0x00 | 0x10 => (Form::Bytes(0, MAX_CONNECTION_ID), false),
        // initial_source_connection_id
        0x0f => (Form::Bytes(0, MAX_CONNECTION_ID), true),
        // stateless_reset_token
        0x02 => (Form::Bytes(TOKEN_LEN, TOKEN_LEN), false),
        // max_udp_payload_size
        0x03 => (Form::Number(1200, MAX_VARINT), true),
        // initial_max_streams_bidi, initial_max_streams_uni: RFC 9000 4.6
        0x08 | 0x09 => (Form::Number(0, 1 << 60), true),
        // ack_delay_exponent
        0x0a => (Form::Number(0, 20), true),
        // max_ack_delay
        0x0b => (Form::Number(0, (1 << 14) - 1), true),
        // disable_active_migration
        0x0c => (Form::Flag, true),
        // preferred_address
        0x0d => (Form::Address, false),
        // active_connection_id_limit
        0x0e => (Form::Number(2, MAX_VARINT), true),
        // max_idle_timeout, initial_max_data and that of streams, max_datagram_frame_size
        0x01 | 0x04..=0x07 | 0x20 => (any, true),
        _ => return None,
    })
}

impl Form {
    fn fits(&self, mut value: &[u8]) -> bool {
        match *self {
            Self::Number(least, most) => {
                varint(&mut value).is_some_and(|number| (least..=most).contains(&number)) && value.is_empty()
            }
            Self::Flag => value.is_empty(),
            Self::Bytes(least, most) => (least..=most).contains(&value.len()),
            Self::Address => {
                // IPv4 and IPv6, each with its port.
                const ADDRESSES: usize = 4 + 2 + 16 + 2;
                let Some([len, rest @ ..]) = value.get(ADDRESSES..) else { return false };
                let len = usize::from(*len);
                (1..=MAX_CONNECTION_ID).contains(&len) && rest.len() == len.saturating_add(TOKEN_LEN)
            }
        }
    }
}

/// What is wrong with parameters.
#[derive(Debug)]
enum Fault {
    Cut,
    Twice(u64),
    Form(u64, usize),
    OfServers(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("a parameter that is cut short"),
            Self::Twice(number) => write!(f, "parameter {number:#x} twice"),
            Self::Form(number, len) => {
                write!(f, "parameter {number:#x} with a value that it cannot have, of {len} bytes")
            }
            Self::OfServers(number) => write!(f, "parameter {number:#x}, which is a server's to say"),
        }
    }
}

/// `from` is whose they are, if that is known. What it costs is linear in their bytes, but for a sort.
fn check(mut bytes: &[u8], from: Option<Side>) -> core::result::Result<(), Fault> {
    let mut seen = Vec::new();
    while !bytes.is_empty() {
        let (number, value) = parameter(&mut bytes).ok_or(Fault::Cut)?;
        if let Some((form, of_clients)) = form(number) {
            if !of_clients && from == Some(Side::Client) {
                return Err(Fault::OfServers(number));
            }
            if !form.fits(value) {
                return Err(Fault::Form(number, value.len()));
            }
        }
        seen.push(number);
    }
    seen.sort_unstable();
    let twice = seen.iter().zip(seen.iter().skip(1)).find(|(one, other)| one == other);
    twice.map_or(Ok(()), |(number, _)| Err(Fault::Twice(*number)))
}

/// The next parameter: its number and its value. RFC 9000 18.
fn parameter<'a>(bytes: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let number = varint(bytes)?;
    let len = usize::try_from(varint(bytes)?).ok()?;
    let (value, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some((number, value))
}

/// A number of variable length: RFC 9000 16.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let first = *bytes.first()?;
    let (number, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    *bytes = rest;
    let mut value = [0; 8];
    value.get_mut(8_usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    // The two bits that tell the length stand above the rest.
    let bits = u32::try_from(number.len()).ok()?.checked_mul(8)?.checked_sub(2)?;
    Some(u64::from_be_bytes(value) & (1_u64.checked_shl(bits)?.wrapping_sub(1)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    /// RFC 9000 A.1.
    #[test]
    fn numbers_of_variable_length() {
        for (mut bytes, number) in [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
            (&[0xff; 8], MAX_VARINT),
        ] {
            assert_eq!((varint(&mut bytes), bytes.len()), (Some(number), 0));
        }
        for mut cut in [&[][..], &[0x40], &[0x80, 0, 0], &[0xc0; 7]] {
            assert_eq!(varint(&mut cut), None, "{cut:?}");
        }
    }

    #[test]
    fn each_parameter_has_its_form_and_stands_once() {
        let of = |number: u8, value: &[u8]| [&[number, u8::try_from(value.len()).unwrap()][..], value].concat();
        let address = |id: u8, len: usize| [&[0; 24][..], &[id], &vec![1; len]].concat();
        let from = |bytes: &[u8], side| check(bytes, Some(side)).map_err(|fault| fault.to_string());
        for (number, good, bad) in [
            (0x00, vec![vec![], vec![1; 20]], vec![vec![1; 21]]),
            (0x01, vec![vec![0], vec![0x40, 0]], vec![vec![], vec![0x40], vec![0, 0]]),
            (0x02, vec![vec![7; 16]], vec![vec![7; 15], vec![7; 17], vec![]]),
            (0x03, vec![vec![0x44, 0xb0]], vec![vec![0x44, 0xaf], vec![]]),
            (0x08, vec![vec![0xd0, 0, 0, 0, 0, 0, 0, 0]], vec![vec![0xd0, 0, 0, 0, 0, 0, 0, 1]]),
            (0x0a, vec![vec![20]], vec![vec![21]]),
            (0x0b, vec![vec![0x7f, 0xff]], vec![vec![0x80, 0, 0x40, 0]]),
            (0x0c, vec![vec![]], vec![vec![0]]),
            (
                0x0d,
                vec![address(1, 17), address(20, 36)],
                vec![address(0, 16), address(21, 37), address(4, 19), vec![0; 24]],
            ),
            (0x0e, vec![vec![2]], vec![vec![1], vec![0]]),
            (0x0f, vec![vec![], vec![1; 20]], vec![vec![1; 21]]),
            (0x20, vec![vec![0x40, 1]], vec![vec![0x40]]),
            (0x33, vec![vec![], vec![1; 60]], vec![]),
        ] {
            for value in good {
                assert_eq!(from(&of(number, &value), Side::Server), Ok(()), "{number:#x} {value:?}");
                let of_servers = [0x00, 0x02, 0x0d, 0x10].contains(&number);
                assert_eq!(from(&of(number, &value), Side::Client).is_err(), of_servers, "{number:#x} of a client");
                let twice = [of(number, &value), of(0x21, &[9]), of(number, &value)].concat();
                assert_eq!(from(&twice, Side::Server), Err(format!("parameter {number:#x} twice")));
            }
            for value in bad {
                assert!(from(&of(number, &value), Side::Server).is_err(), "{number:#x} {value:?}");
            }
        }
        for cut in [&[0x04][..], &[0x04, 0x04, 0, 0], &[0x40], &[0x04, 0x40], &[0x04, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(from(cut, Side::Client), Err("a parameter that is cut short".into()), "{cut:?}");
        }
    }

    #[test]
    fn what_early_data_counts_on_may_grow_and_not_shrink() {
        let provider = Provider::builtin();
        let usual = Parameters::new([0x04, 1, 50, 0x08, 1, 3]).unwrap();
        let kept = usual.promises(provider).unwrap();
        for (bytes, holds) in [
            (&[0x04, 1, 50, 0x08, 1, 3][..], true),
            (&[0x08, 1, 3, 0x04, 1, 51, 0x20, 1, 9, 0x0e, 1, 2], true),
            (&[0x04, 1, 49, 0x08, 1, 3], false),
            (&[0x04, 1, 50], false),
            (&[], false),
        ] {
            let now = Parameters::new(bytes).unwrap();
            assert_eq!(now.hold(&kept, provider), holds, "{bytes:?}");
            assert_eq!(usual.check_kept(usual.as_bytes(), bytes).is_ok(), holds, "{bytes:?}");
        }
        // The default of a limit on connection IDs is no limit of zero.
        let ids = Parameters::new([0x0e, 1, 3]).unwrap().promises(provider).unwrap();
        assert!(!usual.hold(&ids, provider) && !usual.hold(&[], provider) && !usual.hold(&kept[1..], provider));
        let (one, other) = (Parameters::opaque([1, 2]), Parameters::opaque([1, 3]));
        let kept = one.promises(provider).unwrap();
        assert!(one.hold(&kept, provider) && !other.hold(&kept, provider) && !usual.hold(&kept, provider));
        assert!(one.check_peer(&[9], Side::Client).is_ok() && one.check_kept(&[0x04, 1, 9], &[]).is_ok());
    }
}
