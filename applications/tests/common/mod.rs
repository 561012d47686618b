//! Servers for applications to talk to: Clasp's own stream, and a few words of each protocol.
#![allow(dead_code, clippy::unwrap_used)]

use clasp::{ServerConfig, Stream};
use clasp_testkit::{KeyKind, authority};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

pub(crate) type Tls = Stream<TcpStream>;

/// For `localhost`, of the authority that all tests share.
pub(crate) fn server_config(alpn: &[&str]) -> Arc<ServerConfig> {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    ServerConfig::builder().identity(identity).alpn(alpn).build().unwrap()
}

/// The authority's certificate, PEM.
pub(crate) fn root() -> &'static str {
    authority().pem()
}

/// Calls `talk` with each connection; gives the port.
pub(crate) fn listen(talk: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let talk = Arc::new(talk);
        for tcp in listener.incoming() {
            let talk = talk.clone();
            thread::spawn(move || talk(tcp.unwrap()));
        }
    });
    port
}

/// The same, over TLS from the first byte.
pub(crate) fn listen_tls(talk: impl Fn(Tls) + Send + Sync + 'static) -> u16 {
    let config = server_config(&[]);
    listen(move |tcp| {
        let mut tls = Stream::new(config.accept(), tcp);
        // A client that refuses the server is none to talk to.
        if tls.handshake().is_ok() {
            talk(tls);
        }
    })
}

/// A line without its end.
pub(crate) fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

pub(crate) fn lines(tls: Tls) -> BufReader<Tls> {
    BufReader::new(tls)
}

/// No OpenSSL is in this process.
pub(crate) fn assert_no_libssl() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    assert!(maps.contains("libc"), "what is mapped can be seen");
    assert!(!maps.contains("libssl") && !maps.contains("libcrypto"), "{maps}");
}
