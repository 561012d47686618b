//! Whether a server speaks QUIC: RFC 9000 6. A packet of a version that nobody speaks is answered with those that are, and costs
//! the server no more than that.

use super::answer::Bytes;
use super::hello::random;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Kept for this use (RFC 9000 15).
const NOBODYS: u32 = 0x1a2a_3a4a;
/// A datagram that begins a connection has so many bytes at least (RFC 9000 14.1).
const DATAGRAM: usize = 1200;

/// The versions that it speaks; none where nothing answers.
pub(crate) async fn versions(address: SocketAddr, limit: Duration) -> Option<Vec<String>> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.ok()?;
    socket.connect(address).await.ok()?;
    let (to, from) = (random(), random());
    let mut datagram = vec![0xc3];
    datagram.extend_from_slice(&NOBODYS.to_be_bytes());
    for id in [&to[..8], &from[..8]] {
        datagram.push(8);
        datagram.extend_from_slice(id);
    }
    datagram.resize(DATAGRAM, 0);
    let mut buffer = [0; 2048];
    for _try in 0..2 {
        socket.send(&datagram).await.ok()?;
        match timeout(limit, socket.recv(&mut buffer)).await {
            Ok(Ok(count)) => return read(buffer.get(..count)?, &from[..8]),
            // Nobody listens there.
            Ok(Err(_)) => return None,
            Err(_) => {}
        }
    }
    None
}

/// A Version Negotiation packet (RFC 9000 17.2.1) for us.
fn read(datagram: &[u8], ours: &[u8]) -> Option<Vec<String>> {
    let mut b = Bytes(datagram);
    if b.number(1)? & 0x80 == 0 || b.number(4)? != 0 || b.listed(1)? != ours {
        return None;
    }
    b.listed(1)?;
    let mut versions = Vec::new();
    while let Some(version) = b.number(4) {
        versions.push(match version {
            1 => "1".into(),
            0x6b33_43cf => "2".into(),
            // Meaningless on purpose.
            grease if grease & 0x0f0f_0f0f == 0x0a0a_0a0a => continue,
            draft if draft & 0xffff_ff00 == 0xff00_0000 => format!("draft-{}", draft & 0xff),
            other => format!("{other:#010x}"),
        });
    }
    Some(versions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_version_negotiation_is_read_and_silence_is_none() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let answering = tokio::spawn(async move {
            let mut buffer = [0; 2048];
            let (count, peer) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(count, DATAGRAM);
            let (to, from) = (buffer[6..14].to_vec(), buffer[15..23].to_vec());
            let mut answer = vec![0x80, 0, 0, 0, 0, 8];
            answer.extend_from_slice(&from);
            answer.push(8);
            answer.extend_from_slice(&to);
            answer.extend_from_slice(&[0, 0, 0, 1, 0x6b, 0x33, 0x43, 0xcf, 0xda, 0x5a, 0x3a, 0xba, 0xff, 0, 0, 29]);
            server.send_to(&answer, peer).await.unwrap();
        });
        let spoken = versions(address, Duration::from_secs(5)).await;
        assert_eq!(spoken, Some(vec!["1".into(), "2".into(), "draft-29".into()]));
        answering.await.unwrap();
        assert_eq!(versions(address, Duration::from_millis(50)).await, None);
        assert_eq!(read(&[0x80, 0, 0, 0, 0, 8, 1], &[1; 8]), None);
    }
}
