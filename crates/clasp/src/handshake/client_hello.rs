//! The bytes of a ClientHello, made of what is offered (RFC 9846 4.1.2, RFC 5246 7.4.1.2), and how long a ticket may be for
//! them to fit.

use super::extension::TABLE;
use super::hiding13::{self, Side};
use super::offer::{Offered, PskSecret};
use crate::code::{HandshakeType, NamedGroup, ProtocolVersion};
use crate::config::{ClientConfig, PreSharedKey};
use crate::error::{Error, Outside, PeerError, Result};
use crate::keys::schedule13::Vault13;
use crate::record::limits::MAX_CLIENT_HELLO;
use crate::wire::message::frame;
use crate::wire::{TooLong, Writer};

/// Encodes the hello behind what `out` holds. `prefix` is what the transcript holds before it.
pub(super) fn encode(offered: &mut Offered, config: &ClientConfig, prefix: &[u8], out: &mut Vec<u8>) -> Result<()> {
    if hiding13::encode(offered, config, prefix, out)? {
        return Ok(());
    }
    hiding13::prepare(offered, config)?;
    let start = out.len();
    frame(out, HandshakeType::ClientHello, |w| write(offered, config, w)).map_err(|e| too_long(offered, e))?;
    fill_binders(offered, config, prefix, out.get_mut(start..).unwrap_or_default())
}

pub(super) fn write(offered: &Offered, config: &ClientConfig, w: &mut Writer<'_>) {
    write_head(offered, config, &offered.session_id, w);
    w.vec16(|w| TABLE.offer(config, offered, w));
}

/// What stands before the extensions.
pub(super) fn write_head(offered: &Offered, config: &ClientConfig, session_id: &[u8], w: &mut Writer<'_>) {
    w.u16(ProtocolVersion::Tls12.0);
    w.bytes(offered.said_random());
    w.vec8(|w| w.bytes(session_id));
    w.vec16(|w| {
        offered.grease.iter().for_each(|g| w.u16(g.suite));
        config.policy.suites13().for_each(|s| w.u16(s.code.0));
        if offered.side != Side::Inner {
            config.policy.suites12().for_each(|s| w.u16(s.code.0));
        }
    });
    w.vec8(|w| w.u8(0));
}

/// A hello that cannot be written is the caller's doing, but for a cookie: that is the server's.
pub(super) fn too_long(offered: &Offered, e: TooLong) -> Error {
    let Some(cookie) = &offered.cookie else { return Error::from(e).in_message(HandshakeType::ClientHello.name()) };
    let fits = e.fits.saturating_sub(e.length.saturating_sub(cookie.len()));
    let error = Error::from(PeerError::CookieTooLong).seen(format_args!("a cookie of {} bytes", cookie.len()));
    error.wanted(format_args!("at most {fits}")).in_message("HelloRetryRequest")
}

/// RFC 9846 4.2.11.2: each binder is over the hello up to the binders.
pub(super) fn fill_binders(
    offered: &mut Offered,
    config: &ClientConfig,
    prefix: &[u8],
    hello: &mut [u8],
) -> Result<()> {
    let binders_len =
        offered.psks.iter().fold(2, |sum: usize, psk| sum.saturating_add(1).saturating_add(psk.hash.len()));
    let at = hello.len().checked_sub(binders_len).filter(|_| !offered.psks.is_empty());
    let Some(at) = at else { return Ok(()) };
    let session = offered.session.as_ref();
    let (covered, binders) = hello.split_at_mut(at);
    let mut slots = binders.get_mut(2..).unwrap_or_default();
    for psk in &mut offered.psks {
        let hash = config.provider.hash(psk.hash)?;
        let transcript = hash.digest(&[prefix, covered]);
        let secret = match psk.secret {
            PskSecret::Session => session.and_then(|s| s.master.get(..psk.hash.len())),
            PskSecret::External(n) => config.psks.get(n).map(|p: &PreSharedKey| &p.secret[..]),
        };
        let (vault, stage) = Vault13::early(hash, Some((secret.ok_or(Outside::Bug)?, psk.kind)));
        let binder = vault.binder(&stage, transcript.as_ref());
        let (_length, behind) = slots.split_first_mut().ok_or(Outside::Bug)?;
        let (slot, behind) = behind.split_at_mut_checked(psk.hash.len()).ok_or(Outside::Bug)?;
        slot.copy_from_slice(binder.as_ref());
        slots = behind;
        psk.schedule = Some((vault, stage));
    }
    Ok(())
}

/// A key share with its group and length. Of a group that is not known here it is at most that of the largest.
fn share_len(group: NamedGroup) -> usize {
    const AROUND: usize = 2 + 2;
    match group {
        NamedGroup::X25519 => AROUND + 32,
        NamedGroup::Secp256r1 => AROUND + 65,
        NamedGroup::Secp384r1 => AROUND + 97,
        NamedGroup::Secp521r1 => AROUND + 133,
        NamedGroup::X25519MlKem768 => AROUND + 1184 + 32,
        NamedGroup::SecP256r1MlKem768 => AROUND + 65 + 1184,
        _ => AROUND + 97 + 1568,
    }
}

/// What a hello's extensions may have together: RFC 9846 4.1.2.
const MAX_EXTENSIONS: usize = 65_535;
/// server_name with the longest DNS name: RFC 6066 3, RFC 1035 2.3.4.
const LONGEST_NAME: usize = 4 + 2 + 1 + 2 + 253;
/// What goes with a ticket, its binder and early_data.
const BESIDE_TICKET: usize = 4 + 2 + 2 + 4 + 2 + 1 + 48 + 4;

/// How long a ticket may be for a hello of this configuration to hold it, whatever the server's name.
pub(crate) fn room_for_ticket(config: &ClientConfig) -> Result<usize> {
    let longest = Offered::longest(config);
    let (mut hello, mut block) = (Vec::new(), Vec::new());
    frame(&mut hello, HandshakeType::ClientHello, |w| write(&longest, config, w)).map_err(|e| too_long(&longest, e))?;
    Writer::write(&mut block, |w| TABLE.offer(config, &longest, w))?;
    // What it lacks can be counted: the shares and the name.
    let shares = config.first_shares.iter().map(|group| share_len(*group)).sum::<usize>();
    let later = shares.saturating_add(if config.send_server_name { LONGEST_NAME } else { 0 });
    let length = block.len().saturating_add(later);
    if length > MAX_EXTENSIONS {
        return Err(too_long(&longest, TooLong { length, fits: MAX_EXTENSIONS, extension: None }));
    }
    let room = MAX_EXTENSIONS.saturating_sub(length);
    Ok(room.min(MAX_CLIENT_HELLO.saturating_sub(hello.len().saturating_add(later))).saturating_sub(BESIDE_TICKET))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::crypto::Provider;

    /// What is counted before a share is made is what it then takes.
    #[test]
    fn a_share_takes_what_is_counted_for_it() {
        for group in Provider::builtin().groups.iter() {
            let takes = 2 + 2 + group.start().unwrap().public().len();
            match group.id() {
                id @ (NamedGroup::X25519
                | NamedGroup::Secp256r1
                | NamedGroup::Secp384r1
                | NamedGroup::Secp521r1
                | NamedGroup::X25519MlKem768
                | NamedGroup::SecP256r1MlKem768) => assert_eq!(share_len(id), takes, "{id}"),
                id => assert!(share_len(id) >= takes, "{id}"),
            }
        }
    }

    /// A hello whose extensions are as long as can be is one that can be said, without room for a ticket; one longer is not.
    #[test]
    fn extensions_are_as_long_as_their_length_can_say() {
        let with = |bytes: usize| {
            let mut left = bytes;
            let protocols = (0..).map_while(|n| {
                // None is there twice, and what is left is enough for another.
                let piece = if (257..266).contains(&left) { 240 } else { left.min(256) };
                left -= piece;
                (piece > 0).then(|| format!("{n:0width$}", width = piece - 1))
            });
            ClientConfig::builder().dangerous_trust_anyone().alpn(protocols.collect::<Vec<_>>()).build()
        };
        let mut span = (300, 65_535);
        while span.1 - span.0 > 1 {
            let middle = (span.0 + span.1) / 2;
            if with(middle).is_ok() { span.0 = middle } else { span.1 = middle }
        }
        let config = with(span.0).unwrap();
        let mut block = Vec::new();
        Writer::write(&mut block, |w| TABLE.offer(&config, &Offered::longest(&config), w)).unwrap();
        let shares = config.first_shares.iter().map(|group| share_len(*group)).sum::<usize>();
        assert_eq!(block.len() + shares + LONGEST_NAME, MAX_EXTENSIONS);
        assert_eq!(room_for_ticket(&config).unwrap(), 0);
    }
}
