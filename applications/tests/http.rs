//! reqwest (async over HTTP/2, blocking) and ureq.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_testkit::words;
use clasp_tokio::{Acceptor, Listener};
use common::{assert_no_libssl, root, server_config};
use core::convert::Infallible;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// HTTP/1.1 and HTTP/2, in a thread of its own: the port.
fn server() -> u16 {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(tcp.local_addr().unwrap().port()).unwrap();
            let mut listener = Listener::new(tcp, Acceptor::new(server_config(&["h2", "http/1.1"])));
            loop {
                let (tls, _) = listener.accept().await;
                tokio::spawn(async move {
                    let answer = service_fn(|request: Request<Incoming>| async move {
                        let said = format!("{:?} {}", request.version(), request.uri().path());
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(said))))
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _closed = builder.serve_connection(TokioIo::new(tls), answer).await;
                });
            }
        });
    });
    told.recv().unwrap()
}

fn reqwest_root() -> reqwest::Certificate {
    reqwest::Certificate::from_pem(root().as_bytes()).unwrap()
}

#[tokio::test]
async fn reqwest_speaks_http2_to_a_private_authoritys_server_and_refuses_strangers() {
    let uri = format!("https://localhost:{}/path", server());
    let client = reqwest::Client::builder().add_root_certificate(reqwest_root()).build().unwrap();
    let answers = [client.get(&uri).send(), client.get(&uri).send(), client.get(&uri).send()];
    let [a, b, c] = answers;
    let (a, b, c) = tokio::join!(a, b, c);
    for answer in [a, b, c] {
        assert_eq!(answer.unwrap().text().await.unwrap(), "HTTP/2.0 /path");
    }
    let stranger = reqwest::Client::builder().tls_built_in_root_certs(false).build().unwrap();
    let refused = words(&stranger.get(&uri).send().await.unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
    let careless = reqwest::Client::builder().danger_accept_invalid_certs(true).build().unwrap();
    assert!(careless.get(&uri).send().await.is_ok());
    let other = client.get(uri.replace("localhost", "127.0.0.1")).send().await;
    assert!(words(&other.unwrap_err()).contains("127.0.0.1"));
    assert_no_libssl();
}

/// What reqwest stands on, by itself.
#[tokio::test]
async fn hyper_tls_connects_a_pooled_client() {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::client::legacy::{Client, connect::HttpConnector};
    let connector = |trusts: bool| {
        let mut builder = native_tls::TlsConnector::builder();
        if trusts {
            builder.add_root_certificate(native_tls::Certificate::from_pem(root().as_bytes()).unwrap());
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        hyper_tls::HttpsConnector::from((http, builder.build().unwrap().into()))
    };
    let port = server();
    let ask = async |trusts: bool| {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector(trusts));
        let answer = client.get(format!("https://localhost:{port}/page").parse().unwrap()).await?;
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, hyper_util::client::legacy::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    assert_eq!(ask(true).await.unwrap(), "HTTP/1.1 /page");
    let refused = words(&ask(false).await.unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
}

#[test]
fn reqwest_blocks_and_keeps_to_versions() {
    let uri = format!("https://localhost:{}/", server());
    let builder = || reqwest::blocking::Client::builder().add_root_certificate(reqwest_root());
    let old = builder().max_tls_version(reqwest::tls::Version::TLS_1_2).http1_only().build().unwrap();
    assert_eq!(old.get(&uri).send().unwrap().text().unwrap(), "HTTP/1.1 /");
}

#[test]
fn ureq_speaks_https() {
    use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
    let uri = format!("https://localhost:{}/ureq", server());
    let agent = |roots: RootCerts| {
        let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots).build();
        ureq::Agent::config_builder().tls_config(tls).build().new_agent()
    };
    let own = Certificate::from_pem(root().as_bytes()).unwrap().to_owned();
    let mut answer = agent(RootCerts::new_with_certs(&[own])).get(&uri).call().unwrap();
    assert_eq!(answer.body_mut().read_to_string().unwrap(), "HTTP/1.1 /ureq");
    let refused = agent(RootCerts::PlatformVerifier).get(&uri).call().unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
}
