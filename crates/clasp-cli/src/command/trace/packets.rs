//! The TCP segments of a capture, pcap or pcapng.

use crate::failure::Failure;
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::{Linktype, PcapBlockOwned, PcapError, create_reader};
use std::fs::File;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Room for the largest block: packets are cut at 256 KB by all that write captures.
const BUFFER: usize = 1 << 20;

/// How often a block is read on before it is taken for cut: a file gives a whole buffer at once, a pipe its pieces.
const MOST_READS: u32 = 4096;

/// A segment as it was captured.
pub(super) struct Segment<'a> {
    pub(super) at: SystemTime,
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) payload: &'a [u8],
}

/// What there is to say of a capture.
#[derive(Default)]
pub(super) struct Ending {
    /// It ends within a packet.
    pub(super) cut: bool,
    pub(super) packets: usize,
    /// Packets of links that are not known here.
    pub(super) unknown_links: usize,
}

/// Where packets were captured, and how their times are written: so many units a second, and seconds to be added.
struct Interface {
    link: Linktype,
    offset: i64,
    resolution: u64,
}

impl Interface {
    /// A time in its units, if it is one.
    fn time(&self, units: u64) -> Option<SystemTime> {
        let (seconds, rest) = (units.checked_div(self.resolution)?, units.checked_rem(self.resolution)?);
        let seconds = u64::try_from(i64::try_from(seconds).ok()?.checked_add(self.offset)?).ok()?;
        let nanoseconds = u128::from(rest).checked_mul(1_000_000_000)?.checked_div(self.resolution.into())?;
        let since = Duration::new(seconds, u32::try_from(nanoseconds).ok()?);
        SystemTime::UNIX_EPOCH.checked_add(since)
    }
}

/// if_tsresol: a power of ten, or, with the highest bit, of two. What nobody can have meant is none.
fn resolution(written: u8) -> Option<u64> {
    let exponent = u32::from(written & 0x7f);
    if written & 0x80 == 0 { 10_u64.checked_pow(exponent) } else { 1_u64.checked_shl(exponent) }
}

/// Goes through a capture.
pub(super) fn read(path: &Path, mut each: impl FnMut(&Segment<'_>)) -> Result<Ending, Failure> {
    let file = File::open(path).map_err(|e| Failure::file(path, e))?;
    let mut reader = create_reader(BUFFER, file).map_err(|e| not_one(path, &e))?;
    let mut ending = Ending::default();
    let (mut interfaces, mut waited) = (Vec::new(), 0);
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                waited = 0;
                if let Some((at, link, data)) = packet(&block, &mut interfaces) {
                    ending.packets += 1;
                    match sliced(link, data) {
                        None => ending.unknown_links += 1,
                        Some(slices) => segment(at, &slices).iter().for_each(&mut each),
                    }
                }
                reader.consume(consumed);
            }
            Err(PcapError::Eof) => return Ok(ending),
            // At the end of the file there is no more to come for what is not whole.
            Err(PcapError::Incomplete(_)) => {
                waited += 1;
                if reader.reader_exhausted() || waited > MOST_READS {
                    ending.cut = true;
                    return Ok(ending);
                }
                reader.refill().map_err(|e| Failure::file(path, format_args!("cannot be read on: {e}")))?;
            }
            Err(PcapError::UnexpectedEof) => {
                ending.cut = true;
                return Ok(ending);
            }
            Err(error) => return Err(Failure::file(path, format_args!("is no capture from here on: {error}"))),
        }
    }
}

fn not_one(path: &Path, error: &PcapError<&'static [u8]>) -> Failure {
    match error {
        PcapError::ReadError => Failure::file(path, "cannot be read"),
        _ => Failure::file(path, "is no capture: wanted pcap or pcapng")
            .hint("tcpdump -w FILE writes one, Wireshark too"),
    }
}

/// A packet of a block, with its time and its link.
fn packet<'b>(
    block: &'b PcapBlockOwned<'_>,
    interfaces: &mut Vec<Interface>,
) -> Option<(SystemTime, Linktype, &'b [u8])> {
    use pcap_parser::pcapng::Block;
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let resolution = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
            *interfaces = vec![Interface { link: header.network, offset: 0, resolution }];
            None
        }
        PcapBlockOwned::Legacy(packet) => {
            let interface = interfaces.first()?;
            let units =
                u64::from(packet.ts_sec).checked_mul(interface.resolution)?.checked_add(packet.ts_usec.into())?;
            Some((interface.time(units)?, interface.link, captured(packet.data, packet.caplen)))
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(described)) => {
            let resolution = resolution(described.if_tsresol).unwrap_or(1_000_000);
            interfaces.push(Interface { link: described.linktype, offset: described.if_tsoffset, resolution });
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
            let interface = interfaces.get(usize::try_from(packet.if_id).ok()?)?;
            let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
            Some((interface.time(units)?, interface.link, captured(packet.data, packet.caplen)))
        }
        // Others have no time, or no packet.
        PcapBlockOwned::NG(_) => None,
    }
}

/// Without what fills its block.
fn captured(data: &[u8], length: u32) -> &[u8] {
    usize::try_from(length).ok().and_then(|length| data.get(..length)).unwrap_or(data)
}

/// The headers of a packet, where its link is known: the numbers of <https://www.tcpdump.org/linktypes.html>.
fn sliced(link: Linktype, data: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    let behind = |bytes: usize| data.get(bytes..).and_then(|ip| LaxSlicedPacket::from_ip(ip).ok());
    match link.0 {
        1 => LaxSlicedPacket::from_ethernet(data).ok(),
        12 | 14 | 101 | 228 | 229 => behind(0),
        // BSD's loopback; Linux's "any".
        0 | 108 => behind(4),
        113 => behind(16),
        276 => behind(20),
        _ => None,
    }
}

fn segment<'a>(at: SystemTime, packet: &LaxSlicedPacket<'a>) -> Option<Segment<'a>> {
    let Some(TransportSlice::Tcp(tcp)) = &packet.transport else { return None };
    let (from, to): (IpAddr, IpAddr) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return None,
    };
    Some(Segment {
        at,
        from: SocketAddr::new(from, tcp.source_port()),
        to: SocketAddr::new(to, tcp.destination_port()),
        sequence: tcp.sequence_number(),
        syn: tcp.syn(),
        ack: tcp.ack(),
        payload: tcp.payload(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_unit_and_no_sum_is_too_great() {
        let interface =
            |offset, written| Interface { link: Linktype(1), offset, resolution: resolution(written).unwrap() };
        let at = |interface: Interface, units| {
            let time = interface.time(units)?;
            Some(time.duration_since(SystemTime::UNIX_EPOCH).unwrap())
        };
        assert_eq!(at(interface(0, 6), 1_500_000), Some(Duration::from_millis(1500)));
        assert_eq!(at(interface(10, 9), 2_000_000_001), Some(Duration::new(12, 1)));
        assert_eq!(at(interface(-1, 0x81), 5), Some(Duration::from_millis(1500)));
        // pcap-parser adds these up beyond what its numbers hold.
        for (offset, units) in [(i64::MAX, u64::MAX), (i64::MIN, 0), (i64::MAX, 1)] {
            assert_eq!(at(interface(offset, 0), units), None);
        }
        assert_eq!((resolution(20), resolution(0xc0), resolution(0xbf)), (None, None, Some(1 << 63)));
    }
}
