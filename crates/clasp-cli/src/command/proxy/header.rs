//! The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2.1 and 2.2): who a client is, as whoever stands before us says, and
//! as we say to the backend.

use super::address::Address;
use super::wire::Plain;
use clasp::Facts;
use clasp_x509::Certificate;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;
use std::io;
use tokio::io::AsyncReadExt as _;

/// What version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// 2.1: the longest line of version 1.
const LONGEST_LINE: usize = 107;
/// A header of version 2 with all that HAProxy and the clouds' balancers put into it has some hundred bytes.
const LONGEST: usize = 4096;

/// Both ends of a connection. None where the one before us speaks for itself, or does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) ends: Option<Ends>,
}

/// A client, and where it believes it is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
}

/// What has come of a header.
#[derive(Debug, PartialEq, Eq)]
enum Header {
    /// More is to come.
    Part,
    /// So many bytes are it.
    Whole(usize, Told),
}

/// Reads a header, and no byte behind it.
pub(super) async fn read(plain: &mut Plain) -> io::Result<Told> {
    let mut bytes = Vec::new();
    loop {
        let wrong = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        if let Header::Whole(n, told) = parse(&bytes).map_err(wrong)? {
            plain.put_back(bytes.split_off(n));
            return Ok(told);
        }
        bytes.reserve(256);
        if plain.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Header, &'static str> {
    if let Some(rest) = bytes.strip_prefix(SIGNATURE) {
        return version2(rest);
    }
    if bytes.starts_with(b"PROXY ") {
        return version1(bytes);
    }
    if SIGNATURE.starts_with(bytes) || b"PROXY ".starts_with(bytes) {
        return Ok(Header::Part);
    }
    Err("this is no PROXY header")
}

fn version1(bytes: &[u8]) -> Result<Header, &'static str> {
    let within = bytes.get(..LONGEST_LINE).unwrap_or(bytes);
    let Some(end) = within.windows(2).position(|two| two == b"\r\n") else {
        return if bytes.len() < LONGEST_LINE { Ok(Header::Part) } else { Err("a PROXY line without an end") };
    };
    let whole = |ends| Ok(Header::Whole(end.saturating_add(2), Told { ends }));
    let line =
        within.get(..end).and_then(|line| core::str::from_utf8(line).ok()).ok_or("a PROXY line that is no text")?;
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => whole(None),
        ["PROXY", family, client, server, from, to] => {
            let address = |text: &str| match family {
                "TCP4" => text.parse().ok().map(IpAddr::V4),
                "TCP6" => text.parse().ok().map(IpAddr::V6),
                _ => None,
            };
            let end = |text, number| Some(SocketAddr::new(address(text)?, port(number)?));
            let (client, server) = end(client, from).zip(end(server, to)).ok_or("a PROXY line with odd addresses")?;
            whole(Some(Ends { client, server }))
        }
        _ => Err("a PROXY line that has not its six words"),
    }
}

/// Decimal, and no other way to write it.
fn port(text: &str) -> Option<u16> {
    let number: u16 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn version2(rest: &[u8]) -> Result<Header, &'static str> {
    let [kind, family, high, low, body @ ..] = rest else { return Ok(Header::Part) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let whole = SIGNATURE.len().saturating_add(4).saturating_add(length);
    if whole > LONGEST {
        return Err("a PROXY header of more than 4096 bytes");
    }
    if kind >> 4 != 2 || kind & 15 > 1 {
        return Err("a PROXY header of a version or a command that there is not");
    }
    let Some(body) = body.get(..length) else { return Ok(Header::Part) };
    let (ends, more) = match (kind & 15, family) {
        // Its own connection: a look whether we are there. What follows is to be passed over.
        (0, _) => return Ok(Header::Whole(whole, Told::default())),
        (_, 0x00) => (None, body),
        (_, 0x11) => {
            let (addresses, more) = body.split_first_chunk::<12>().ok_or("a PROXY header cut short")?;
            let [a, b, c, d, e, f, g, h, ports @ ..] = *addresses;
            (Some(ends(Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into(), ports)), more)
        }
        (_, 0x21) => {
            let (client, more) = body.split_first_chunk::<16>().ok_or("a PROXY header cut short")?;
            let (server, more) = more.split_first_chunk::<16>().ok_or("a PROXY header cut short")?;
            let (ports, more) = more.split_first_chunk::<4>().ok_or("a PROXY header cut short")?;
            (Some(ends(Ipv6Addr::from(*client).into(), Ipv6Addr::from(*server).into(), *ports)), more)
        }
        (_, 0x31) => (None, body.get(216..).ok_or("a PROXY header cut short")?),
        _ => return Err("a PROXY header of a family that is no stream"),
    };
    check_values(more)?;
    Ok(Header::Whole(whole, Told { ends }))
}

fn ends(client: IpAddr, server: IpAddr, ports: [u8; 4]) -> Ends {
    let [a, b, c, d] = ports;
    Ends {
        client: SocketAddr::new(client, u16::from_be_bytes([a, b])),
        server: SocketAddr::new(server, u16::from_be_bytes([c, d])),
    }
}

/// 2.2.7: type, length, value, to the end. What they say is not looked at.
fn check_values(mut rest: &[u8]) -> Result<(), &'static str> {
    while !rest.is_empty() {
        let [_, high, low, more @ ..] = rest else { return Err("a PROXY header with a value cut short") };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = more.get(length..).ok_or("a PROXY header with a value cut short")?;
    }
    Ok(())
}

/// How a backend is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Version {
    /// A line: addresses alone
    V1,
    /// Bytes: addresses, the name asked for, the protocol, the TLS version, the suite, the client's common name
    V2,
}

/// What there is to tell.
pub(super) struct Telling<'a> {
    pub(super) ends: Option<Ends>,
    pub(super) server_name: Option<&'a str>,
    /// Where TLS ended here.
    pub(super) facts: Option<&'a Facts>,
}

impl Telling<'_> {
    pub(super) fn header(&self, version: Version) -> Vec<u8> {
        match version {
            Version::V1 => self.line().into_bytes(),
            Version::V2 => self.bytes(),
        }
    }

    fn line(&self) -> String {
        let Some(Ends { client, server }) = self.ends.map(same_family) else { return "PROXY UNKNOWN\r\n".into() };
        let family = if client.is_ipv4() { "TCP4" } else { "TCP6" };
        format!("PROXY {family} {} {} {} {}\r\n", client.ip(), server.ip(), client.port(), server.port())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let family = match self.ends.map(same_family) {
            None => 0x00,
            Some(Ends { client, server }) => {
                let family = match (client.ip(), server.ip()) {
                    (IpAddr::V4(client), IpAddr::V4(server)) => {
                        body.extend([client.octets(), server.octets()].concat());
                        0x11
                    }
                    (client, server) => {
                        body.extend([mapped(client).octets(), mapped(server).octets()].concat());
                        0x21
                    }
                };
                body.extend(client.port().to_be_bytes());
                body.extend(server.port().to_be_bytes());
                family
            }
        };
        if let Some(protocol) = self.facts.and_then(|facts| facts.alpn.as_deref()) {
            value(&mut body, 0x01, protocol);
        }
        if let Some(name) = self.server_name {
            value(&mut body, 0x02, name.as_bytes());
        }
        if let Some(facts) = self.facts {
            value(&mut body, 0x20, &about_tls(facts));
        }
        let mut out = SIGNATURE.to_vec();
        out.extend([0x21, family]);
        // Each value has a bound, and so have all together.
        out.extend(u16::try_from(body.len()).unwrap_or(0).to_be_bytes());
        out.extend(body);
        out
    }
}

/// A backend has room for so much of one value; what is longer is left out, as a part of it would be another name.
const LONGEST_VALUE: usize = 1024;

fn value(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    if let Some(length) = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() <= LONGEST_VALUE.saturating_mul(2)) {
        out.push(kind);
        out.extend(length.to_be_bytes());
        out.extend(bytes);
    }
}

/// 2.2.6: PP2_TYPE_SSL. A certificate that is told of has been verified: nobody has another here.
fn about_tls(facts: &Facts) -> Vec<u8> {
    const TLS: u8 = 1;
    const CERTIFICATE_NOW: u8 = 2;
    const CERTIFICATE_IN_SESSION: u8 = 4;
    let client = match (facts.client_authenticated, facts.resumed) {
        (false, _) => TLS,
        (true, None) => TLS | CERTIFICATE_NOW | CERTIFICATE_IN_SESSION,
        (true, Some(_)) => TLS | CERTIFICATE_IN_SESSION,
    };
    let mut out = vec![client];
    out.extend(u32::from(!facts.client_authenticated).to_be_bytes());
    let version = facts.version.name().replace("TLS ", "TLSv");
    value(&mut out, 0x21, version.as_bytes());
    if let Some(name) = common_name(facts).filter(|name| name.len() <= LONGEST_VALUE) {
        value(&mut out, 0x22, name.as_bytes());
    }
    value(&mut out, 0x23, facts.suite.name().as_bytes());
    out
}

/// Where there is one, and no second.
fn common_name(facts: &Facts) -> Option<String> {
    let leaf = facts.peer_chain().first().filter(|_| facts.client_authenticated)?;
    let mut names = Certificate::parse(leaf).ok()?.common_names();
    names.pop().filter(|_| names.is_empty())
}

/// 2.1: both of one family.
fn same_family(ends: Ends) -> Ends {
    let Ends { mut client, mut server } = ends;
    client.set_ip(client.ip().to_canonical());
    server.set_ip(server.ip().to_canonical());
    if client.is_ipv4() != server.is_ipv4() {
        client.set_ip(mapped(client.ip()).into());
        server.set_ip(mapped(server.ip()).into());
    }
    Ends { client, server }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Whose headers are taken: addresses whose first bits are these, or whoever comes by a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Unix,
    Of { address: IpAddr, bits: u8 },
}

impl Network {
    /// Whether somebody can come from there to this socket; of one that was passed it is not known.
    pub(super) const fn reaches(self, socket: &Address) -> bool {
        match socket {
            Address::Tcp(_) => !matches!(self, Self::Unix),
            Address::Unix(_) => matches!(self, Self::Unix),
            Address::Passed(_) => true,
        }
    }

    pub(super) fn has(self, peer: Option<SocketAddr>) -> bool {
        let (address, bits, peer) = match (self, peer.map(|peer| peer.ip().to_canonical())) {
            (Self::Unix, peer) => return peer.is_none(),
            (Self::Of { .. }, None) => return false,
            (Self::Of { address, bits }, Some(peer)) => (address, bits, peer),
        };
        let same = |a: u128, b: u128, all: u8| {
            let rest = u32::from(all.saturating_sub(bits));
            a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
        };
        match (address, peer) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u32::from(a).into(), u32::from(b).into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), 128),
            _ => false,
        }
    }
}

/// Whether an address has bits that its network does not look at: one of the two figures is a mistake.
fn has_bits_behind(address: IpAddr, bits: u32) -> bool {
    match address {
        IpAddr::V4(address) => address.to_bits().checked_shl(bits).unwrap_or(0) != 0,
        IpAddr::V6(address) => address.to_bits().checked_shl(bits).unwrap_or(0) != 0,
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let wrong = || format!("{text} is no network; write 10.0.0.0/8, 2001:db8::/32, an address, or unix");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > all {
            return Err(wrong());
        }
        if has_bits_behind(address, u32::from(bits)) {
            return Err(format!("{address}/{bits} has bits behind the first {bits}: write the network's own address"));
        }
        Ok(Self::Of { address, bits })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ends {
            Some(Ends { client, .. }) => write!(f, "{client}"),
            None => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests;
