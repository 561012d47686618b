//! Many clients at once, over TCP: those that are slow, that leave and that are refused hold up nobody.
#![allow(clippy::unwrap_used, clippy::panic)]

use clasp::config::{ClientHelloFacts, Identities, Resolver};
use clasp::{Answer, ClientConfig, Identity, ServerConfig, TimeLimits};
use clasp_testkit::{KeyKind, authority};
use clasp_tokio::{Acceptor, Connector, Listener};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Told = Arc<Mutex<Vec<(Option<SocketAddr>, String)>>>;

async fn listener(limits: TimeLimits) -> (Listener, SocketAddr, Told) {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    listener_of(ServerConfig::builder().identity(identity).build().unwrap(), limits).await
}

async fn listener_of(server: Arc<ServerConfig>, limits: TimeLimits) -> (Listener, SocketAddr, Told) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let told = Told::default();
    let tell = told.clone();
    let listener = Listener::new(tcp, Acceptor::new(server).with_limits(limits))
        .on_error(move |peer, error: &io::Error| tell.lock().unwrap().push((peer, error.to_string())));
    let address = listener.local_addr().unwrap();
    (listener, address, told)
}

fn connector() -> Connector {
    Connector::new(ClientConfig::builder().trust(authority().roots()).build().unwrap())
}

/// A client that says one word and hears one.
async fn talk(address: SocketAddr) -> io::Result<String> {
    let tcp = TcpStream::connect(address).await?;
    let mut tls = connector().connect("localhost".try_into().unwrap(), tcp).await?;
    tls.write_all(b"word").await?;
    tls.shutdown().await?;
    let mut heard = String::new();
    tls.read_to_string(&mut heard).await?;
    Ok(heard)
}

async fn answer(listener: &mut Listener) -> SocketAddr {
    let (mut tls, peer) = listener.accept().await;
    let mut word = String::new();
    tls.read_to_string(&mut word).await.unwrap();
    tls.write_all(word.to_uppercase().as_bytes()).await.unwrap();
    tls.shutdown().await.unwrap();
    peer
}

#[tokio::test]
async fn clients_that_say_nothing_hold_up_no_other() {
    let (mut listener, address, told) = listener(TimeLimits::default()).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    for _ in 0..3 {
        let (heard, _) = tokio::join!(talk(address), answer(&mut listener));
        assert_eq!(heard.unwrap(), "WORD");
    }
    assert!(told.lock().unwrap().is_empty(), "{told:?}");
}

/// The seats are taken by clients that say nothing; they are free again when their time is over.
#[tokio::test]
async fn no_more_handshakes_go_on_than_are_allowed() {
    let limits = TimeLimits::default().handshake(Duration::from_millis(200));
    let (listener, address, told) = listener(limits).await;
    let mut listener = listener.max_handshakes(2);
    let silent = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let names = silent.each_ref().map(|tcp| Some(tcp.local_addr().unwrap()));
    let client = tokio::spawn(async move {
        // It is behind the two in the system's queue.
        talk(address).await
    });
    let peer = answer(&mut listener).await;
    assert_eq!(client.await.unwrap().unwrap(), "WORD");
    assert!(!names.contains(&Some(peer)));
    // It was taken after one of the two had been given up at least.
    let told = told.lock().unwrap();
    assert!(!told.is_empty() && told.iter().all(|(peer, _)| names.contains(peer)), "{told:?}");
}

/// A client in a crowd of those that open connections and say nothing.
#[tokio::test]
async fn who_says_nothing_makes_way_where_every_seat_is_taken() {
    let (listener, address, told) = listener(TimeLimits::default()).await;
    let mut listener = listener.max_handshakes(2);
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let began = Instant::now();
    let (heard, _) = tokio::join!(talk(address), answer(&mut listener));
    assert_eq!(heard.unwrap(), "WORD");
    // The grace of those before it, and far less than they may take for a hello.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let told = told.lock().unwrap();
    let [(first, words), ..] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*first, Some(silent[0].local_addr().unwrap()), "the longest silent goes first");
    assert!(told.len() < 3 && words.contains("made way"), "{told:?}");
}

#[tokio::test]
async fn a_hello_has_a_time_of_its_own() {
    let (listener, address, told) = listener(TimeLimits::default()).await;
    let mut listener = listener.hello_within(Duration::from_millis(100));
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(&[22, 3, 1, 2]).await.unwrap();
    let mut alert = Vec::new();
    tokio::select! {
        _ = listener.accept() => panic!("nobody said hello"),
        ended = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut alert)) => ended.unwrap().unwrap(),
    };
    assert_eq!(alert[0], 21, "{alert:?}");
    let told = told.lock().unwrap();
    assert!(told.iter().all(|(_, words)| words.contains("ClientHello")), "{told:?}");
}

/// A hello is work done, and perhaps money spent: its client is not sent away for the next.
#[tokio::test]
async fn who_has_said_hello_keeps_its_seat() {
    let limits = TimeLimits::default().handshake(Duration::from_secs(3));
    let (listener, address, told) = listener(limits).await;
    let mut listener = listener.max_handshakes(1);
    let client = ClientConfig::builder().trust(authority().roots()).build().unwrap();
    let mut hello = Vec::new();
    let mut cx = core::task::Context::from_waker(core::task::Waker::noop());
    client.connect("localhost".try_into().unwrap()).advance(&mut cx, &mut hello).unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(&hello).await.unwrap();
    let began = Instant::now();
    let (heard, _) = tokio::join!(talk(address), answer(&mut listener));
    assert_eq!(heard.unwrap(), "WORD");
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
    let told = told.lock().unwrap();
    assert!(!told.is_empty() && told.iter().all(|(_, words)| !words.contains("made way")), "{told:?}");
}

/// Whoever is refused is named, learns why, and the next is served.
#[tokio::test]
async fn a_client_that_is_refused_is_told_and_the_next_is_served() {
    let (mut listener, address, told) = listener(TimeLimits::default()).await;
    let refused = async {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        let own = tcp.local_addr().unwrap();
        // More than the listener reads before it refuses: were the socket closed at once, a reset would overtake the alert.
        let plain = [b"GET / HTTP/1.1\r\n".to_vec(), vec![b'x'; 100_000]].concat();
        tcp.write_all(&plain).await.unwrap();
        let mut alert = Vec::new();
        tcp.read_to_end(&mut alert).await.unwrap();
        (alert, own)
    };
    let both = async { (refused.await, talk(address).await) };
    let (((alert, own), heard), _) = tokio::join!(both, answer(&mut listener));
    assert_eq!((alert[0], alert[5]), (21, 2), "a fatal alert: {alert:?}");
    assert_eq!(heard.unwrap(), "WORD");
    let told = told.lock().unwrap();
    let [(peer, words)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*peer, Some(own));
    assert!(words.contains("HTTP"), "{words}");
}

/// A resolver that panics ends the handshake that it panics in.
#[tokio::test]
async fn a_panic_in_one_handshake_is_told_and_the_next_client_is_served() {
    struct Panics(Identities, AtomicBool);
    impl Resolver for Panics {
        fn resolve<'a>(&'a self, hello: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<Arc<Identity>>> {
            assert!(self.1.swap(true, Ordering::Relaxed), "at the first client");
            self.0.resolve(hello)
        }
    }
    let identities = Identities::new([authority().issue(KeyKind::P256, &["localhost"]).identity()]);
    let resolver = Arc::new(Panics(identities, AtomicBool::new(false)));
    let server = ServerConfig::builder().identity(resolver).build().unwrap();
    let (mut listener, address, told) = listener_of(server, TimeLimits::default()).await;
    let both = async { (talk(address).await, talk(address).await) };
    let ((first, second), _) = tokio::join!(both, answer(&mut listener));
    assert!(first.is_err());
    assert_eq!(second.unwrap(), "WORD");
    let told = told.lock().unwrap();
    let [(None, words)] = &told[..] else { panic!("{told:?}") };
    assert!(words.contains("panicked"), "{words}");
}

/// A future that is dropped has lost no client.
#[tokio::test]
async fn accepting_is_cancellation_safe() {
    let (mut listener, address, _) = listener(TimeLimits::default()).await;
    let client = tokio::spawn(talk(address));
    let mut turns = 0;
    let (mut tls, _) = loop {
        turns += 1;
        tokio::select! {
            biased;
            done = listener.accept() => break done,
            () = tokio::task::yield_now() => {}
        }
    };
    assert!(turns > 1, "the handshake took more than one turn");
    let mut word = String::new();
    tls.read_to_string(&mut word).await.unwrap();
    assert_eq!(word, "word");
    tls.shutdown().await.unwrap();
    assert_eq!(client.await.unwrap().unwrap(), "");
}

/// The error of a handshake goes with `?`, reads as an error, and gives the transport back.
#[tokio::test]
async fn an_accept_error_is_an_error() {
    async fn serve(acceptor: &Acceptor, transport: &[u8]) -> io::Result<()> {
        let transport = tokio::io::join(transport, tokio::io::sink());
        acceptor.accept(transport).await?;
        Ok(())
    }
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let acceptor = Acceptor::new(ServerConfig::builder().identity(identity).build().unwrap());
    let error = serve(&acceptor, b"").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let transport = tokio::io::join(&b"GET / HTTP/1.1\r\n\r\n"[..], tokio::io::sink());
    let refused = acceptor.accept(transport).await.unwrap_err();
    assert!(refused.to_string().contains("HTTP"), "{refused}");
    let boxed: Box<dyn core::error::Error> = Box::new(refused);
    assert!(boxed.to_string().contains("HTTP"), "{boxed}");
}
