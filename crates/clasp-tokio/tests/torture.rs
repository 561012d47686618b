//! The contracts of tokio's `AsyncRead` and `AsyncWrite`, over transports that do whatever those let them do, with reader and
//! writer on two tasks. The clock is tokio's, and stands while anybody can go on: whoever hangs is found at once.
//!
//! `CLASP_SOAK=300` has the soak take five minutes.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::wire::code::NamedGroup;
use clasp::{ClientConfig, Identity, Policy, ServerConfig};
use clasp_testkit::hollow_bytes::{Wrap, record};
use clasp_testkit::torture::Dice;
use clasp_testkit::{KeyKind, authority, provider};
use clasp_tokio::{Acceptor, Connector, TlsStream};
use common::{Evil, Stalls, byte};
use rustls_pki_types::PrivateKeyDer;
use std::io::ErrorKind;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream, duplex, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls};

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap())
}

fn acceptor() -> Acceptor {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    Acceptor::new(ServerConfig::builder().identity(identity).build().unwrap())
}

async fn pair<T: AsyncRead + AsyncWrite + Unpin>(up: T, down: T) -> (TlsStream<T>, TlsStream<T>) {
    let (connector, acceptor) = (connector(), acceptor());
    let (client, server) = tokio::join!(connector.connect("localhost".try_into().unwrap(), up), acceptor.accept(down));
    (client.unwrap(), server.unwrap())
}

/// Sends so many bytes in pieces of all sizes, with pauses.
async fn send_only<W: AsyncWrite + Unpin>(mut to: W, mut dice: Dice, length: usize) -> W {
    let mut at = 0;
    while at < length {
        let most = 1 + dice.below(20_000);
        let data: Vec<u8> = (at..length.min(at + most)).map(byte).collect();
        at += to.write(&data).await.unwrap();
        if dice.once_in(4) {
            to.flush().await.unwrap();
        }
        if dice.once_in(8) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    to.flush().await.unwrap();
    to
}

/// The same, and says that there is no more.
async fn send<W: AsyncWrite + Unpin>(to: W, dice: Dice, length: usize) -> W {
    let mut to = send_only(to, dice, length).await;
    to.shutdown().await.unwrap();
    to
}

/// Takes them, with pauses, to the end.
async fn receive<R: AsyncRead + Unpin>(mut from: R, mut dice: Dice, length: usize) -> R {
    let mut got = 0;
    loop {
        let mut data = vec![0; 1 + dice.below(30_000)];
        let n = from.read(&mut data).await.unwrap();
        if n == 0 {
            break;
        }
        assert!(data[..n].iter().enumerate().all(|(i, b)| *b == byte(got + i)), "not what was sent, at {got}");
        got += n;
        if dice.once_in(8) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(got, length);
    from
}

/// Both ends, each with a task that reads and one that writes.
async fn talk<A, B>(a: A, b: B, seed: u64, length: usize)
where
    A: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let ((ar, aw), (br, bw)) = (split(a), split(b));
    let dice = |n| Dice::new(4 * seed + n);
    let tasks = (
        tokio::spawn(send(aw, dice(0), length)),
        tokio::spawn(send(bw, dice(1), length)),
        tokio::spawn(receive(ar, dice(2), length)),
        tokio::spawn(receive(br, dice(3), length)),
    );
    let done = timeout(Duration::from_secs(20), async { tokio::join!(tasks.0, tasks.1, tasks.2, tasks.3) }).await;
    let done = done.unwrap_or_else(|_| unreachable!("seed {seed}: somebody was not woken"));
    drop((done.0.unwrap(), done.1.unwrap(), done.2.unwrap(), done.3.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn reader_and_writer_on_two_tasks_lose_no_wakeup_and_no_byte() {
    for seed in 0..60 {
        let room = [700, 5000, 40_000][usize::try_from(seed % 3).unwrap()];
        let (up, down) = Evil::pair(seed, seed % 2 == 0, room);
        let (client, server) = timeout(Duration::from_secs(9), pair(up, down)).await.expect("a handshake");
        talk(client, server, seed, 200_000).await;
    }
}

fn rustls_pair() -> (TlsConnector, TlsAcceptor) {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority().der().to_vec().into()).unwrap();
    let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let chain = issued.chain;
    let key = PrivateKeyDer::try_from(issued.key).unwrap();
    let server = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    (TlsConnector::from(Arc::new(client)), TlsAcceptor::from(Arc::new(server)))
}

/// Two tasks an end, on two threads, against ourselves and against rustls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_with_stalls_against_ourselves_and_rustls() {
    let seconds = std::env::var("CLASP_SOAK").map_or(3, |seconds| seconds.parse().unwrap());
    let (began, mut seed) = (Instant::now(), 0);
    let (rustls_client, rustls_server) = rustls_pair();
    while began.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        let (up, down) = Evil::pair(seed, false, 20_000);
        match seed % 3 {
            0 => {
                let (client, server) = pair(up, down).await;
                talk(client, server, seed, 300_000).await;
            }
            1 => {
                let (connector, name) = (connector(), "localhost".try_into().unwrap());
                let (client, server) = tokio::join!(connector.connect(name, up), rustls_server.accept(down));
                talk(client.unwrap(), server.unwrap(), seed, 300_000).await;
            }
            _ => {
                let (acceptor, name) = (acceptor(), "localhost".try_into().unwrap());
                let (client, server) = tokio::join!(rustls_client.connect(name, up), acceptor.accept(down));
                talk(client.unwrap(), server.unwrap(), seed, 300_000).await;
            }
        }
    }
}

/// The other end is OpenSSL's, in either role, which takes what it sends from a pipe and puts what it gets into another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soak_with_stalls_against_openssl() {
    if Command::new("openssl").arg("version").output().await.is_err() {
        return;
    }
    let seconds = std::env::var("CLASP_SOAK").map_or(2, |seconds| seconds.parse().unwrap());
    let (began, mut seed) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(seconds) {
        seed += 1;
        timeout(Duration::from_secs(30), against_openssl(seed)).await.expect("somebody was not woken");
    }
}

/// On a port that no outgoing connection is given, so that it can be left to a server of another's.
async fn listener(seed: u64) -> (TcpListener, u16) {
    let mut dice = Dice::new(seed + u64::from(std::process::id()));
    loop {
        let port = u16::try_from(10_000 + dice.below(20_000)).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return (listener, port);
        }
    }
}

async fn against_openssl(seed: u64) {
    const LENGTH: usize = 600_000;
    let files = tempfile::tempdir().unwrap();
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    let (chain, key) = (files.path().join("chain.pem"), files.path().join("key.pem"));
    std::fs::write(&chain, &issued.chain_pem).unwrap();
    std::fs::write(&key, &issued.key_pem).unwrap();
    let (listener, port) = listener(seed).await;
    let mut openssl = Command::new("openssl");
    openssl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let (mut openssl, tls) = if seed.is_multiple_of(2) {
        openssl.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{port}")]);
        let openssl = openssl.spawn().unwrap();
        let tcp = Stalls::new(listener.accept().await.unwrap().0, seed);
        (openssl, acceptor().accept(tcp).await.unwrap())
    } else {
        drop(listener);
        openssl.args(["s_server", "-quiet", "-naccept", "1", "-accept", &format!("127.0.0.1:{port}")]);
        let openssl = openssl.arg("-cert").arg(&chain).arg("-key").arg(&key).spawn().unwrap();
        let tcp = loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(tcp) => break Stalls::new(tcp, seed),
                Err(_not_yet) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let anyone = Connector::new(ClientConfig::builder().dangerous_trust_anyone().build().unwrap());
        (openssl, anyone.connect("localhost".try_into().unwrap(), tcp).await.unwrap())
    };
    let (mut reader, writer) = split(tls);
    let data: Vec<u8> = (0..LENGTH).map(byte).collect();
    let (mut into, mut out) = (openssl.stdin.take().unwrap(), openssl.stdout.take().unwrap());
    let fed = data.clone();
    let feeding = tokio::spawn(async move { into.write_all(&fed).await.map(|()| into) });
    let sending = tokio::spawn(send_only(writer, Dice::new(seed), LENGTH));
    let reading = tokio::spawn(async move {
        let mut got = vec![0; LENGTH];
        reader.read_exact(&mut got).await.map(|_| (got, reader))
    });
    let mut taken = vec![0; LENGTH];
    out.read_exact(&mut taken).await.unwrap();
    assert!(taken == data, "seed {seed}: OpenSSL got something else");
    let (got, reader) = reading.await.unwrap().unwrap();
    assert!(got == data, "seed {seed}: OpenSSL's came as something else");
    drop((feeding.await.unwrap().unwrap(), sending.await.unwrap(), reader));
}

/// An alert is no use to a peer that does not get it.
#[tokio::test(start_paused = true)]
async fn the_alert_of_a_handshake_that_fails_arrives_over_any_transport() {
    for seed in 0..40 {
        let (up, down) = Evil::pair(seed, seed % 2 == 0, 700);
        let strict = ClientConfig::builder().trust(clasp_testkit::other_authority().roots()).build().unwrap();
        let (connector, acceptor) = (Connector::new(strict), acceptor());
        let connecting = connector.connect("localhost".try_into().unwrap(), up);
        let (refused, told) =
            timeout(Duration::from_secs(5), async { tokio::join!(connecting, acceptor.accept(down)) }).await.unwrap();
        let (refused, told) = (refused.unwrap_err(), told.map(drop).unwrap_err().into_parts().0);
        assert!(told.to_string().contains("refused with the alert"), "seed {seed}: {refused}; the server: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_took_the_data_says_so_and_the_error_comes_with_the_next_call() {
    for (flushes, kind) in [(false, ErrorKind::TimedOut), (true, ErrorKind::BrokenPipe)] {
        let (up, down) = Evil::pair(7, false, 50_000);
        let broken = up.broken.clone();
        let (mut client, mut server) = pair(up, down).await;
        *broken.lock().unwrap() = Some(kind);
        assert_eq!(client.write(b"pay 5;").await.unwrap(), 6);
        *broken.lock().unwrap() = None;
        let told = if flushes { client.flush().await } else { client.write(b"again").await.map(drop) };
        assert_eq!(told.unwrap_err().kind(), kind);
        client.shutdown().await.unwrap();
        let mut got = String::new();
        server.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "pay 5;", "once, and nothing that was refused");
        assert_eq!(client.write(b"more").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_come_is_read_to_the_peers_end_although_writing_has_failed() {
    for seed in 0..30 {
        let (up, down) = Evil::pair(seed, false, 50_000);
        let broken = up.broken.clone();
        let (mut client, mut server) = pair(up, down).await;
        let answer: Vec<u8> = (0..30_000).map(byte).collect();
        server.write_all(&answer).await.unwrap();
        server.shutdown().await.unwrap();
        *broken.lock().unwrap() = Some(ErrorKind::BrokenPipe);
        assert_eq!(client.write(b"request").await.unwrap(), 7);
        if seed.is_multiple_of(2) {
            assert_eq!(client.write(b"more of it").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
        let mut got = Vec::new();
        timeout(Duration::from_secs(5), client.read_to_end(&mut got)).await.unwrap().unwrap();
        assert!(got == answer, "{} of {} bytes", got.len(), answer.len());
        assert_eq!(client.flush().await.unwrap_err().kind(), ErrorKind::BrokenPipe, "who writes is told");
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_ends_without_close_notify_ends_reading_and_not_writing() {
    let (up, down) = Evil::pair(3, false, 50_000);
    let (client, mut server) = pair(up, down).await;
    let (exchange, mut transport) = client.into_parts();
    transport.shutdown().await.unwrap();
    for _ in 0..2 {
        assert_eq!(server.read(&mut [0; 9]).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
    server.write_all(b"still here").await.unwrap();
    server.shutdown().await.unwrap();
    let mut wire = Vec::new();
    transport.read_to_end(&mut wire).await.unwrap();
    let mut connection = exchange.into_connection().unwrap();
    let mut at = 0;
    let mut got = Vec::new();
    while at < wire.len() {
        let received = connection.receive(&mut wire[at..], &mut Vec::new()).unwrap();
        got.extend_from_slice(received.data);
        at += received.used;
    }
    assert_eq!(got, b"still here");
    assert!(connection.peer_closed());
}

/// Over a `BufStream`, and over TLS over a `BufStream`, whose streams may hold bytes back in a buffer below them.
#[tokio::test(start_paused = true)]
async fn transports_that_buffer_until_they_are_flushed_hang_nothing() {
    let exchange = async {
        let (a, b) = duplex(4000);
        let (client, server) = pair(BufStream::new(a), BufStream::new(b)).await;
        let (mut client, mut server) = pair(client, server).await;
        client.write_all(b"question").await.unwrap();
        client.flush().await.unwrap();
        let mut question = [0; 8];
        server.read_exact(&mut question).await.unwrap();
        // Whoever waits for the peer has said all before.
        server.write_all(&question).await.unwrap();
        let ending = async {
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
            server.shutdown().await.unwrap();
        };
        let asking = async {
            let mut answer = [0; 8];
            client.read_exact(&mut answer).await.unwrap();
            client.shutdown().await.unwrap();
            assert_eq!(client.read(&mut answer).await.unwrap(), 0);
        };
        tokio::join!(ending, asking);
    };
    timeout(Duration::from_secs(9), exchange).await.unwrap();
}

/// A record under hollow keys.
fn sealed(content: u8, body: &[u8]) -> Vec<u8> {
    record(Wrap::Plain, 23, &[body, &[content], &[0; 16]].concat())
}

#[tokio::test(start_paused = true)]
async fn what_a_peer_makes_us_say_is_bounded_while_it_does_not_read() {
    let alice: Arc<Identity> = Arc::new(authority().issue(KeyKind::P256, &["alice"]).identity());
    let policy = || Policy::modern().with_groups([NamedGroup::X25519]);
    let client = ClientConfig::builder().trust(authority().roots()).provider(provider::hollow()).policy(policy());
    let client = client.post_handshake_auth(true).identity(alice).build().unwrap();
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).provider(provider::hollow()).policy(policy());
    let server = server.build().unwrap();
    let (up, down) = duplex(4000);
    let (connector, acceptor) = (Connector::new(client), Acceptor::new(server));
    let name = "localhost".try_into().unwrap();
    let (client, server) = tokio::join!(connector.connect(name, up), acceptor.accept(down));
    let (mut client, (_, mut raw)) = (client.unwrap(), server.unwrap().into_parts());
    // The server asks and asks, and reads nothing.
    let mut asked = 0_u32;
    let asking = async {
        while asked < 20_000 {
            let request = [&[4][..], &asked.to_be_bytes(), &[0, 8, 0, 13, 0, 4, 0, 2, 4, 3]].concat();
            let body = [&[13, 0, 0, u8::try_from(request.len()).unwrap()][..], &request].concat();
            // Data between, without which the connection ends after some.
            raw.write_all(&[sealed(22, &body), sealed(23, b"x")].concat()).await.unwrap();
            asked += 1;
        }
    };
    let mut data = Vec::new();
    let reading = client.read_to_end(&mut data);
    let both = async { tokio::join!(asking, reading) };
    assert!(timeout(Duration::from_secs(5), both).await.is_err(), "the client waits for the server to read");
    let waiting = format!("{client:?}");
    let (exchange, _) = client.into_parts();
    assert!(exchange.connection().failure().is_none(), "{waiting}");
    assert!(exchange.unsent().len() < 64 << 10, "{} bytes wait", exchange.unsent().len());
    assert!((1..2000).contains(&asked), "{asked} were taken");
}
