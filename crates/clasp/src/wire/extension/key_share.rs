//! key_share: RFC 9846 4.2.8.

use crate::code::{ExtensionType, NamedGroup};
use crate::wire::decode::DecodeKind;
use crate::wire::{Extension, Parsed, Reader, Recorder, Writer};

/// One KeyShareEntry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShareEntry<'a> {
    /// The group.
    pub group: NamedGroup,
    /// The public value.
    pub public: &'a [u8],
}

impl<'a> KeyShareEntry<'a> {
    fn read<R: Recorder>(r: &mut Reader<'a, R>) -> Parsed<Self> {
        let group = r.code("group")?;
        Ok(Self { group, public: r.vec16("key_exchange")?.non_empty("key_exchange")?.rest() })
    }

    fn write(&self, w: &mut Writer<'_>) {
        w.u16(self.group.0);
        w.vec16(|w| w.bytes(self.public));
    }
}

/// A client's shares, checked; each group stands at most once.
#[derive(Clone, Copy, Debug)]
pub struct ClientShares<'a>(Reader<'a>);

impl<'a> ClientShares<'a> {
    /// The shares in order. None asks for a HelloRetryRequest.
    pub fn iter(self) -> impl Iterator<Item = KeyShareEntry<'a>> + Clone {
        let mut walk = self.0;
        core::iter::from_fn(move || KeyShareEntry::read(&mut walk).ok())
    }
}

/// Shares among which one that is there twice is looked for one by one: there are not so many groups.
const FEW: usize = 64;

/// Reads a client's shares.
///
/// # Errors
/// If the list is not well framed, or a group stands in it twice.
pub fn client<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<ClientShares<'a>> {
    let mut r = e.reader();
    let list = r.vec16("client_shares")?;
    r.finish("key_share")?;
    let mut seen = [0_u16; FEW];
    let mut count = 0;
    let mut walk = list;
    while !walk.is_empty() {
        let Some((known, [slot, ..])) = seen.split_at_mut_checked(count) else { return each_once(list, walk, &seen) };
        let group = walk.element("KeyShareEntry", KeyShareEntry::read)?.group.0;
        if known.contains(&group) {
            return Err(walk.error("client_shares", DecodeKind::Duplicate(u32::from(group))));
        }
        *slot = group;
        count = count.saturating_add(1);
    }
    Ok(ClientShares(list.silent()))
}

/// Reads on, behind shares of these groups, in time that grows as the list does: a bit for each group there can be.
#[cold]
#[inline(never)]
fn each_once<'a, R: Recorder>(
    list: Reader<'a, R>,
    mut walk: Reader<'a, R>,
    before: &[u16],
) -> Parsed<ClientShares<'a>> {
    let mut seen = [0_u64; 1 << 10];
    let mut is_new = |group: u16| {
        let bit = 1 << (group & 63);
        let Some(word) = seen.get_mut(usize::from(group >> 6)) else { return true };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    };
    before.iter().for_each(|group| {
        is_new(*group);
    });
    while !walk.is_empty() {
        let group = walk.element("KeyShareEntry", KeyShareEntry::read)?.group.0;
        if !is_new(group) {
            return Err(walk.error("client_shares", DecodeKind::Duplicate(u32::from(group))));
        }
    }
    Ok(ClientShares(list.silent()))
}

/// Reads the share of a ServerHello.
///
/// # Errors
/// If it is not exactly one share.
pub fn server<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<KeyShareEntry<'a>> {
    let mut r = e.reader();
    let share = KeyShareEntry::read(&mut r)?;
    r.finish("key_share")?;
    Ok(share)
}

/// Reads the group of a HelloRetryRequest.
///
/// # Errors
/// If it is not exactly one group.
pub fn retry<R: Recorder>(e: Extension<'_, R>) -> Parsed<NamedGroup> {
    let mut r = e.reader();
    let group = r.code("selected_group")?;
    r.finish("key_share")?;
    Ok(group)
}

/// Writes a client's shares.
pub fn write_client<'a>(shares: impl IntoIterator<Item = KeyShareEntry<'a>>, w: &mut Writer<'_>) {
    w.extension(ExtensionType::KeyShare, |w| w.vec16(|w| shares.into_iter().for_each(|s| s.write(w))));
}

/// Writes the share of a ServerHello.
pub fn write_server(share: KeyShareEntry<'_>, w: &mut Writer<'_>) {
    w.extension(ExtensionType::KeyShare, |w| share.write(w));
}

/// Writes the group of a HelloRetryRequest.
pub fn write_retry(group: NamedGroup, w: &mut Writer<'_>) {
    w.extension(ExtensionType::KeyShare, |w| w.u16(group.0));
}
