//! A server that does not send its issuer, which stands on a web server of this machine.
#![allow(clippy::unwrap_used)]

use clasp::config::{FetchIssuer, MissingIssuers};
use clasp::{Answer, ClientConfig, Identity, Roots, ServerConfig, Stream};
use clasp_hyper::HttpFetch;
use clasp_tokio::{Acceptor, Connector};
use core::convert::Infallible;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::duplex;
use tokio::net::TcpListener;

/// A web server with an issuer, and with other things.
async fn web(issuer: Vec<u8>) -> (SocketAddr, Arc<AtomicUsize>) {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = tcp.accept().await {
            let (issuer, counted) = (issuer.clone(), counted.clone());
            let answer = service_fn(move |request: Request<Incoming>| {
                counted.fetch_add(1, Ordering::Relaxed);
                let answer = match request.uri().path() {
                    "/issuer.cer" => Response::new(Full::new(Bytes::from(issuer.clone()))),
                    "/moved.cer" => {
                        let moved = Response::builder().status(302).header("location", "/issuer.cer");
                        moved.body(Full::default()).unwrap()
                    }
                    "/long.cer" => Response::new(Full::new(Bytes::from(vec![0x30; 1 << 20]))),
                    _ => Response::builder().status(404).body(Full::default()).unwrap(),
                };
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(async move {
                let _closed =
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(client), answer).await;
            });
        }
    });
    (address, asked)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// authorityInfoAccess: caIssuers at this address.
fn at(address: &str) -> CustomExtension {
    let element = |tag: u8, content: Vec<u8>| [vec![tag, u8::try_from(content.len()).unwrap()], content].concat();
    let method = vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let access = element(0x30, [method, element(0x86, address.as_bytes().to_vec())].concat());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], element(0x30, access))
}

struct Lab {
    roots: Arc<Roots>,
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    middle: CertifiedIssuer<'static, KeyPair>,
}

impl Lab {
    async fn new() -> Self {
        let root = CertifiedIssuer::self_signed(authority("Root"), KeyPair::generate().unwrap()).unwrap();
        let middle = CertifiedIssuer::signed_by(authority("Middle"), KeyPair::generate().unwrap(), &root).unwrap();
        let mut roots = Roots::empty();
        roots.add_pem(root.pem().as_bytes()).unwrap();
        let (address, asked) = web(middle.der().to_vec()).await;
        Self { roots: Arc::new(roots), address, asked, middle }
    }

    /// A server whose certificate says that its issuer is there, and that sends itself alone.
    fn server(&self, path: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        leaf.custom_extensions = vec![at(&format!("http://{}{path}", self.address))];
        let leaf = leaf.signed_by(&key, &self.middle).unwrap();
        let identity = Identity::from_pem(leaf.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
        ServerConfig::builder().identity(identity).build().unwrap()
    }

    fn client(&self, fetch: HttpFetch) -> Arc<ClientConfig> {
        let chains = MissingIssuers::new(self.roots.clone(), fetch);
        ClientConfig::builder().trust_fetching(chains).build().unwrap()
    }

    async fn connect(&self, fetch: HttpFetch, path: &str) -> io::Result<()> {
        let (connector, acceptor) = (Connector::new(self.client(fetch)), Acceptor::new(self.server(path)));
        let (up, down) = duplex(1 << 16);
        let name = "localhost".try_into().unwrap();
        let (client, _server) = tokio::join!(connector.connect(name, up), acceptor.accept(down));
        client.map(drop)
    }
}

#[tokio::test]
async fn a_missing_issuer_is_fetched() {
    let lab = Lab::new().await;
    lab.connect(HttpFetch::new().any_port(true).private_addresses(true), "/issuer.cer").await.unwrap();
    assert_eq!(lab.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_is_not_there_or_elsewhere_or_too_long_is_not_fetched() {
    let lab = Lab::new().await;
    let fetch = || HttpFetch::new().any_port(true).private_addresses(true);
    for (path, words) in [("/none.cer", "404"), ("/moved.cer", "302"), ("/long.cer", "limit")] {
        let error = lab.connect(fetch(), path).await.unwrap_err();
        assert!(error.to_string().contains(words) && error.to_string().contains(path), "{error}");
    }
    assert_eq!(lab.asked.load(Ordering::Relaxed), 3, "a redirect is not followed");
    let error = lab.connect(fetch().bytes(100), "/issuer.cer").await.unwrap_err();
    assert!(error.to_string().contains("limit"), "{error}");
}

/// Whoever sends a certificate chooses the address.
#[tokio::test]
async fn private_addresses_are_not_gone_to_unless_that_is_said() {
    let lab = Lab::new().await;
    let error = lab.connect(HttpFetch::new().any_port(true), "/issuer.cer").await.unwrap_err();
    assert!(error.to_string().contains("private network"), "{error}");
    assert_eq!(lab.asked.load(Ordering::Relaxed), 0);
}

/// Nor the port.
#[tokio::test]
async fn other_ports_than_that_of_http_are_not_gone_to_unless_that_is_said() {
    let lab = Lab::new().await;
    let error = lab.connect(HttpFetch::new().private_addresses(true), "/issuer.cer").await.unwrap_err();
    assert!(error.to_string().contains(&format!("port {}", lab.address.port())), "{error}");
    assert_eq!(lab.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_web_server_that_says_nothing_is_not_waited_for() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/issuer.cer", tcp.local_addr().unwrap());
    let fetch = HttpFetch::new().any_port(true).private_addresses(true).time(Duration::from_millis(50));
    let Answer::Later(fetching) = fetch.fetch(&address) else { unreachable!("it takes a while") };
    assert_eq!(fetching.await.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

/// A blocking stream is driven by no runtime, and its thread waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_client_fetches_too() {
    let lab = Lab::new().await;
    let (client, server) =
        (lab.client(HttpFetch::new().any_port(true).private_addresses(true)), lab.server("/issuer.cer"));
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let (down, _) = tcp.accept().unwrap();
        Stream::new(server.accept(), down).handshake().map(drop)
    });
    let asking = std::thread::spawn(move || {
        let up = std::net::TcpStream::connect(address).unwrap();
        Stream::new(client.connect("localhost".try_into().unwrap()), up).handshake().map(drop)
    });
    let done = tokio::task::spawn_blocking(|| (asking.join().unwrap(), serving.join().unwrap())).await.unwrap();
    done.0.unwrap();
    done.1.unwrap();
}
