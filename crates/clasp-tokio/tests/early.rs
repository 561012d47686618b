//! What a client says before the server has answered.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use clasp::{ClientConfig, EarlyData, ServerConfig};
use clasp_testkit::{KeyKind, authority};
use clasp_tokio::{Acceptor, Connector};
use common::{Evil, byte};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex};
use tokio::time::Instant;

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).early_data(true).build().unwrap())
}

fn acceptor(max_early_data: u32) -> Acceptor {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    Acceptor::new(ServerConfig::builder().identity(identity).max_early_data(max_early_data).build().unwrap())
}

/// What came of one connection.
struct Came {
    sent: usize,
    again: Vec<u8>,
    told: EarlyData,
    early: Vec<u8>,
    late: Vec<u8>,
}

/// A client that says all it can of this early, and the rest after the handshake.
async fn say<T>((up, down): (T, T), connector: &Connector, acceptor: &Acceptor, all: &[u8]) -> io::Result<Came>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let saying = async {
        let mut connecting = connector.begin("localhost".try_into().unwrap(), up);
        let mut sent = 0;
        while sent < all.len() {
            match connecting.send_early(&all[sent..]).await? {
                0 => break,
                n => sent += n,
            }
        }
        let mut tls = connecting.handshake().await?;
        let told = tls.facts().early_data;
        let again = tls.take_refused_early_data();
        assert!(tls.take_refused_early_data().is_empty(), "it is given once");
        tls.write_all(&again).await?;
        tls.write_all(&all[sent..]).await?;
        tls.shutdown().await?;
        tls.read_to_end(&mut Vec::new()).await?;
        Ok::<_, io::Error>((sent, again, told))
    };
    let hearing = async {
        let mut tls = acceptor.accept(down).await?;
        let (early, mut late) = (tls.take_early_data(), Vec::new());
        tls.read_to_end(&mut late).await?;
        tls.shutdown().await?;
        Ok::<_, io::Error>((early, late))
    };
    let (said, heard) = tokio::join!(saying, hearing);
    let ((sent, again, told), (early, late)) = (said?, heard?);
    Ok(Came { sent, again, told, early, late })
}

#[tokio::test]
async fn early_data_is_sent_taken_and_told_of() {
    let (connector, acceptor) = (connector(), acceptor(5));
    let first = say(duplex(1 << 16), &connector, &acceptor, b"early and late").await.unwrap();
    assert_eq!((first.sent, first.told, &first.late[..]), (0, EarlyData::NotOffered, &b"early and late"[..]));

    let second = say(duplex(1 << 16), &connector, &acceptor, b"early and late").await.unwrap();
    assert_eq!((second.sent, second.told), (5, EarlyData::Accepted), "as much as the server allows");
    assert_eq!((&second.early[..], &second.late[..]), (&b"early"[..], &b" and late"[..]));
    assert!(second.again.is_empty());
}

#[tokio::test]
async fn early_data_that_is_not_read_is_given_back() {
    let connector = connector();
    say(duplex(1 << 16), &connector, &acceptor(100), b"").await.unwrap();
    // Another server knows no ticket of the first.
    let came = say(duplex(1 << 16), &connector, &acceptor(100), b"early").await.unwrap();
    assert_eq!((came.sent, came.told, &came.again[..]), (5, EarlyData::Rejected, &b"early"[..]));
    assert_eq!((&came.early[..], &came.late[..]), (&b""[..], &b"early"[..]));
}

/// More than the transport holds, taken and refused, while server and client have to hear each other meanwhile.
#[tokio::test]
async fn much_early_data_goes_through_a_narrow_and_stalling_transport() {
    let all: Vec<u8> = (0..150_000).map(byte).collect();
    for seed in 0..10 {
        let (connector, acceptor, other) = (connector(), acceptor(200_000), acceptor(200_000));
        say(duplex(1000), &connector, &acceptor, b"").await.unwrap();
        let came = say(Evil::pair(seed, seed.is_multiple_of(2), 700), &connector, &acceptor, &all).await.unwrap();
        assert_eq!((came.told, came.again.len()), (EarlyData::Accepted, 0), "seed {seed}");
        assert!(came.sent > 0 && came.early.len() == came.sent, "{} of {}", came.early.len(), came.sent);
        assert!([came.early, came.late].concat() == all, "seed {seed}");
        let came = say(Evil::pair(seed, false, 700), &connector, &other, &all).await.unwrap();
        assert_eq!((came.told, came.again.len()), (EarlyData::Rejected, came.sent), "seed {seed}");
        assert!(came.early.is_empty() && came.late == all, "seed {seed}");
    }
}

/// The server takes the connection, and nothing else.
#[tokio::test(start_paused = true)]
async fn early_data_has_the_time_limit_of_its_handshake() {
    let connector = connector();
    say(duplex(1 << 16), &connector, &acceptor(200_000), b"").await.unwrap();
    let (up, _down) = duplex(4000);
    let began = Instant::now();
    let mut connecting = connector.begin("localhost".try_into().unwrap(), up);
    assert!(connecting.send_early(&[7; 10_000]).await.unwrap() > 0);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let error = connecting.send_early(&[7; 10_000]).await.unwrap_err();
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(30) && took < Duration::from_secs(31), "{took:?}");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(connecting.handshake().await.map(drop).unwrap_err().kind(), ErrorKind::TimedOut, "and stays so");
}

#[tokio::test]
async fn a_call_that_is_given_up_has_taken_nothing() {
    let (connector, acceptor) = (connector(), acceptor(200_000));
    say(duplex(1 << 16), &connector, &acceptor, b"").await.unwrap();
    let (up, down) = duplex(4000);
    let mut connecting = connector.begin("localhost".try_into().unwrap(), up);
    let sent = connecting.send_early(&[1; 10_000]).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(1), connecting.send_early(&[2; 10_000])).await;
    assert!(waits.is_err(), "the transport is full");
    let hearing = async {
        let mut tls = acceptor.accept(down).await.unwrap();
        tls.take_early_data()
    };
    let (client, early) = tokio::join!(connecting.handshake(), hearing);
    assert_eq!(client.unwrap().facts().early_data, EarlyData::Accepted);
    assert_eq!(early, vec![1; sent]);
}
