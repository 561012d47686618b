//! HTTP/3 of `clasp serve` and `clasp connect`: with each other, and with quinn, rustls and h3.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use clasp::{ClientConfig, Roots};
use common::{Served, Site, clasp, refuses, serve, text};
use h3::client::{RequestStream, SendRequest};
use h3_quinn::{BidiStream, OpenStreams};
use hyper::body::{Buf, Bytes};
use hyper::{Method, Request, Response};
use quinn::{Connection, ConnectionError, Endpoint, VarInt};
use std::future::{Future, poll_fn};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const LARGE: usize = 5_000_000;
const NO_ERROR: VarInt = VarInt::from_u32(0x100);
const EXCESSIVE_LOAD: VarInt = VarInt::from_u32(0x107);

impl Site {
    fn new() -> Self {
        Self::with_large(LARGE)
    }

    fn serve(&self, more: &[&str]) -> Served {
        let own = [self.www.to_str().unwrap(), "--http3", "--cert", &self.chain, "--key", &self.key];
        serve(&[&own[..], more].concat(), self.folder.path())
    }

    fn connect(&self, server: &Served, more: &[&str]) -> std::process::Output {
        let target = format!("127.0.0.1:{}", server.port());
        clasp(&[&["connect", &target, "--ca", &self.root], more].concat())
    }

    /// quinn with rustls, which has nothing of ours.
    fn stranger(&self) -> Endpoint {
        let mut roots = quinn::rustls::RootCertStore::empty();
        let pem = std::fs::read(&self.root).unwrap();
        let der = clasp::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap();
        roots.add(der).unwrap();
        let provider = Arc::new(quinn::rustls::crypto::aws_lc_rs::default_provider());
        let config = quinn::rustls::ClientConfig::builder_with_provider(provider);
        let config = config.with_protocol_versions(&[&quinn::rustls::version::TLS13]).unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h3".to_vec()];
        let config = quinn::crypto::rustls::QuicClientConfig::try_from(config).unwrap();
        let mut endpoint = Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
        let mut config = quinn::ClientConfig::new(Arc::new(config));
        // Less than the socket holds: nothing is lost, the last packet neither, which comes once.
        let mut transport = quinn::TransportConfig::default();
        transport.stream_receive_window(64_000_u32.into());
        config.transport_config(Arc::new(transport));
        endpoint.set_default_client_config(config);
        endpoint
    }
}

async fn quic(endpoint: &Endpoint, server: &Served) -> Connection {
    let address: SocketAddr = server.address.parse().unwrap();
    endpoint.connect(address, "localhost").unwrap().await.unwrap()
}

async fn http(quic: &Connection) -> SendRequest<OpenStreams, Bytes> {
    let (mut driver, http) = h3::client::new(h3_quinn::Connection::new(quic.clone())).await.unwrap();
    tokio::spawn(async move { poll_fn(|cx| driver.poll_close(cx)).await });
    http
}

type Stream = RequestStream<BidiStream<Bytes>, Bytes>;

async fn ask(http: &mut SendRequest<OpenStreams, Bytes>, method: Method, path: &str) -> (Response<()>, Stream) {
    let request = Request::builder().method(method).uri(format!("https://localhost{path}")).body(()).unwrap();
    let mut stream = http.send_request(request).await.unwrap();
    stream.finish().await.unwrap();
    (stream.recv_response().await.unwrap(), stream)
}

async fn body(stream: &mut Stream) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(mut piece) = stream.recv_data().await.unwrap() {
        body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
    }
    body
}

fn run<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), what).await.unwrap() })
}

#[test]
fn a_client_and_a_server_of_ours_have_what_they_have_over_tcp() {
    let site = Site::new();
    let server = site.serve(&[]);
    let page = site.connect(&server, &["--http3", "--get", "/page.txt"]);
    let (head, said) = (text(&page.stdout), text(&page.stderr));
    assert!(head.starts_with("HTTP/3 200\r\n") && head.contains("content-length: 6\r\n"), "{head}{said}");
    assert!(head.ends_with("\r\n\r\na page") && !head.contains("alt-svc") && page.status.success(), "{head}");
    assert!(said.contains("alpn      h3") && said.contains("trusted, and for this name"), "{said}");
    server.line("TLS_AES_128_GCM_SHA256, HTTP/3");

    let large = site.connect(&server, &["--http3", "--get", "/large"]);
    assert!(large.stdout.ends_with(&vec![b'x'; LARGE]) && large.status.success());
    let missing = site.connect(&server, &["--http3", "--get", "/missing"]);
    assert!(text(&missing.stdout).starts_with("HTTP/3 404\r\n") && missing.status.success());
    let json = site.connect(&server, &["--http3", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["connections"][0]["alpn"], &json["confirmed"]), (&"h3".into(), &true.into()), "{json}");

    // Over TCP it is said where else there is more.
    let page = site.connect(&server, &["--get", "/page.txt"]);
    let elsewhere = format!("alt-svc: h3=\":{}\"; ma=86400\r\n", server.port());
    assert!(text(&page.stdout).contains(&elsewhere), "{}", text(&page.stdout));

    // A certificate is refused in the same words, but for where that was.
    let target = format!("127.0.0.1:{}", server.port());
    let refused = |more: &[&str]| {
        let output = clasp(&[&["connect", &target, "--get", "/"], more].concat());
        refuses(&output, 1, "issuer is not trusted");
        let error = text(&output.stderr);
        error.replace("[QUIC client]", "").replace("[client TLS 1.3]", "")
    };
    assert_eq!(refused(&["--http3"]), refused(&[]));
}

#[test]
fn who_does_not_speak_it_is_told_in_time() {
    let site = Site::new();
    let own = ["--cert", &site.chain, "--key", &site.key];
    let server = serve(&own, site.folder.path());
    let silent = site.connect(&server, &["--http3", "--get", "/", "--timeout", "1"]);
    refuses(&silent, 1, "within 1 s");
}

#[test]
fn a_stranger_gets_what_it_asks_for() {
    let site = Site::new();
    // One place: whoever comes shows its address first.
    let server = site.serve(&["--max-connections", "1"]);
    run(async {
        let stranger = site.stranger();
        let quic = quic(&stranger, &server).await;
        let mut http = http(&quic).await;
        for (method, path, status, length, bytes) in [
            (Method::GET, "/page.txt", 200, "6", 6),
            (Method::HEAD, "/page.txt", 200, "6", 0),
            (Method::HEAD, "/large", 200, "5000000", 0),
            (Method::GET, "/large", 200, "5000000", LARGE),
            (Method::GET, "/../site.pem", 404, "10", 10),
            (Method::POST, "/page.txt", 405, "18", 18),
        ] {
            let (head, mut stream) = ask(&mut http, method.clone(), path).await;
            let said = (head.status().as_u16(), head.headers()["content-length"].to_str().unwrap());
            assert_eq!((said, body(&mut stream).await.len()), ((status, length), bytes), "{method} {path}");
            assert!(head.headers().contains_key("date") && !head.headers().contains_key("alt-svc"));
        }
        // As many at once as may be.
        let mut streams = Vec::new();
        for _ in 0..100 {
            streams.push(ask(&mut http, Method::GET, "/page.txt").await.1);
        }
        for stream in &mut streams {
            assert_eq!(body(stream).await, b"a page");
        }
    });
}

#[test]
fn what_a_client_may_hold_has_limits() {
    let site = Site::new();
    let server = site.serve(&["--send-timeout", "3"]);
    run(async {
        let stranger = site.stranger();
        // Who takes nothing of what it asked for.
        let greedy = quic(&stranger, &server).await;
        let mut asking = http(&greedy).await;
        let (_, _stream) = ask(&mut asking, Method::GET, "/large").await;
        server.line("took nothing of its answer for 3 s");
        assert!(
            matches!(greedy.closed().await, ConnectionError::ApplicationClosed(close) if close.error_code == NO_ERROR)
        );

        // HEADERS of a gigabyte; the connection goes on.
        let long = quic(&stranger, &server).await;
        let mut asking = http(&long).await;
        let (mut send, _receive) = long.open_bi().await.unwrap();
        send.write_all(&[1, 0xc0, 0, 0, 0, 0x40, 0, 0, 0]).await.unwrap();
        assert_eq!(send.stopped().await, Ok(Some(EXCESSIVE_LOAD)));
        assert_eq!(body(&mut ask(&mut asking, Method::GET, "/page.txt").await.1).await, b"a page");
    });
    let server = site.serve(&["--keep-alive", "1"]);
    run(async {
        // Who asks for nothing, or never comes to the end of it.
        let stranger = site.stranger();
        let (idle, half) = (quic(&stranger, &server).await, quic(&stranger, &server).await);
        let mut begun = half.open_bi().await.ok();
        if let Some((send, _)) = &mut begun {
            let _late = send.write_all(&[1, 9]).await;
        }
        for connection in [idle, half] {
            let closed = connection.closed().await;
            let code = matches!(&closed, ConnectionError::ApplicationClosed(close) if close.error_code == NO_ERROR);
            assert!(code, "{closed}");
        }
    });
}

#[test]
fn certificates_are_read_again_and_connections_go_on() {
    let site = Site::new();
    let server = site.serve(&[]);
    run(async {
        let stranger = site.stranger();
        let before = quic(&stranger, &server).await;
        let mut asking = http(&before).await;
        assert_eq!(body(&mut ask(&mut asking, Method::GET, "/page.txt").await.1).await, b"a page");
        let ca = site.folder.path().join("ca");
        let made = clasp(&["ca", "issue", ca.to_str().unwrap(), "renewed.test", "localhost"]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        std::fs::copy(ca.join("renewed.test.pem"), &site.chain).unwrap();
        std::fs::copy(ca.join("renewed.test-key.pem"), &site.key).unwrap();
        server.signal("HUP");
        server.line("reloaded");
        let leaf = |quic: &Connection| {
            let chain = quic.peer_identity().unwrap();
            chain.downcast::<Vec<clasp::pki_types::CertificateDer<'static>>>().unwrap()[0].to_vec()
        };
        // Another client: this one would resume, and see no certificate.
        let after = quic(&site.stranger(), &server).await;
        assert_ne!(leaf(&after), leaf(&before));
        let mut both = [asking, http(&after).await];
        for http in &mut both {
            assert_eq!(body(&mut ask(http, Method::GET, "/page.txt").await.1).await, b"a page");
        }
    });
}

#[test]
fn the_end_waits_for_what_is_under_way() {
    let site = Site::new();
    let mut server = site.serve(&[]);
    run(async {
        let stranger = site.stranger();
        let idle = quic(&stranger, &server).await;
        let _idle = http(&idle).await;
        let busy = quic(&stranger, &server).await;
        let mut asking = http(&busy).await;
        let (_, mut stream) = ask(&mut asking, Method::GET, "/large").await;
        server.signal("TERM");
        server.line("stopping: 2 connections");
        // Whoever has nothing under way is sent off.
        assert!(
            matches!(idle.closed().await, ConnectionError::ApplicationClosed(close) if close.error_code == NO_ERROR)
        );
        assert!(server.ended(Duration::ZERO).is_none());
        assert_eq!(body(&mut stream).await.len(), LARGE);
        assert!(
            matches!(busy.closed().await, ConnectionError::ApplicationClosed(close) if close.error_code == NO_ERROR)
        );
    });
    assert!(server.ended(Duration::from_secs(20)).unwrap().success());
}

#[test]
fn the_end_has_a_limit_and_cuts_off() {
    let site = Site::new();
    let mut server = site.serve(&["--drain", "0"]);
    run(async {
        let stranger = site.stranger();
        let quic = quic(&stranger, &server).await;
        let mut asking = http(&quic).await;
        let (_, mut stream) = ask(&mut asking, Method::GET, "/large").await;
        server.signal("TERM");
        // What it had is not taken for all.
        assert!(
            matches!(quic.closed().await, ConnectionError::ApplicationClosed(close) if close.error_code != NO_ERROR)
        );
        assert!(loop {
            match stream.recv_data().await {
                Ok(Some(_)) => {}
                Ok(None) => break false,
                Err(_) => break true,
            }
        });
    });
    assert!(server.ended(Duration::from_secs(20)).unwrap().success());
}

#[test]
fn clients_show_certificates_where_they_must() {
    let site = Site::new();
    let server = site.serve(&["--client-ca", &site.root]);
    let ask = ["--http3", "--get", "/page.txt"];
    let without = site.connect(&server, &ask);
    refuses(&without, 1, "certificate_required");
    assert!(text(&without.stderr).contains("--cert FILE --key FILE"), "{}", text(&without.stderr));
    server.line("certificate");
    let ca = site.folder.path().join("ca");
    let made = clasp(&["ca", "issue", ca.to_str().unwrap(), "alice", "--client"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let (cert, key) = (ca.join("alice-client.pem"), ca.join("alice-client-key.pem"));
    let own = ["--cert", cert.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let with = site.connect(&server, &[&ask[..], &own].concat());
    assert!(text(&with.stdout).ends_with("a page"), "{}", text(&with.stderr));
}

#[test]
fn early_data_is_taken_where_it_may_be() {
    for (more, taken) in [(&[][..], false), (&["--early-data", "16384"], true)] {
        let site = Site::new();
        let server = site.serve(more);
        run(async {
            let mut roots = Roots::empty();
            roots.add_pem(&std::fs::read(&site.root).unwrap()).unwrap();
            let config = ClientConfig::builder().trust(Arc::new(roots)).alpn(["h3"]).early_data(true).build().unwrap();
            let endpoint = clasp_quinn::client(config, (Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
            let first = quic(&endpoint, &server).await;
            let mut asking = http(&first).await;
            assert_eq!(body(&mut ask(&mut asking, Method::GET, "/page.txt").await.1).await, b"a page");
            first.close(NO_ERROR, b"");
            let connecting = endpoint.connect(server.address.parse().unwrap(), "localhost").unwrap();
            let second = match connecting.into_0rtt() {
                Ok((early, accepted)) => {
                    assert!(taken);
                    let mut asking = http(&early).await;
                    assert_eq!(body(&mut ask(&mut asking, Method::GET, "/page.txt").await.1).await, b"a page");
                    assert!(accepted.await);
                    early
                }
                Err(connecting) => {
                    assert!(!taken);
                    connecting.await.unwrap()
                }
            };
            second.close(NO_ERROR, b"");
        });
    }
}
