//! tonic's server and tonic's channel over Clasp: the health service, which is generated already.
#![allow(clippy::unwrap_used)]

use clasp::config::{ClientAuth, WebPki};
use clasp::{ClientConfig, ServerConfig};
use clasp_hyper::HttpsConnector;
use clasp_testkit::{KeyKind, authority};
use clasp_tonic::{Incoming, TlsInfo};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

type Names = Arc<Mutex<Vec<String>>>;

/// Lets clients of `.example` in, and keeps their names.
fn admit(names: &Names, request: Request<()>) -> Result<Request<()>, Status> {
    let client = request.extensions().get::<TlsInfo>().unwrap();
    assert!(client.remote_addr.ip().is_loopback());
    assert_eq!(client.facts.alpn.as_deref(), Some(&b"h2"[..]));
    let name = client.facts.peer_identifiers().first().map(ToString::to_string).unwrap_or_default();
    names.lock().unwrap().push(name.clone());
    if name.ends_with(".example") { Ok(request) } else { Err(Status::permission_denied(name)) }
}

struct Running {
    port: u16,
    reporter: HealthReporter,
    names: Names,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<Result<(), tonic::transport::Error>>,
}

async fn serve() -> Running {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let auth = ClientAuth::Require(Arc::new(WebPki::clients(authority().roots())));
    let config = ServerConfig::builder().identity(identity).client_auth(auth).build().unwrap();
    let incoming = Incoming::bind("127.0.0.1:0", config).await.unwrap();
    let port = incoming.local_addr().unwrap().port();
    let reporter = HealthReporter::new();
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    let names = Names::default();
    let kept = names.clone();
    let service = InterceptedService::new(health, move |request| admit(&kept, request));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, async {
        let _told = stopped.await;
    });
    Running { port, reporter, names, stop, serving: tokio::spawn(serving) }
}

async fn channel(port: u16, name: Option<&str>) -> Result<Channel, String> {
    let mut builder = ClientConfig::builder().trust(authority().roots());
    if let Some(name) = name {
        builder = builder.identity(Arc::new(Arc::new(authority().issue(KeyKind::P256, &[name]).identity())));
    }
    let connector = HttpsConnector::new(builder.build().unwrap()).unwrap();
    let endpoint = Endpoint::from_shared(format!("https://localhost:{port}")).unwrap();
    endpoint.connect_with_connector(connector).await.map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn a_call_and_a_stream_go_over_one_connection_and_the_service_knows_who_asks() {
    let running = serve().await;
    let silent = TcpStream::connect(("127.0.0.1", running.port)).await.unwrap();
    let mut alice = HealthClient::new(channel(running.port, Some("alice.example")).await.unwrap());
    let whole = || HealthCheckRequest { service: "shop".into() };
    running.reporter.set_service_status("shop", ServingStatus::Serving).await;
    assert_eq!(alice.check(whole()).await.unwrap().into_inner().status, ServingStatus::Serving as i32);

    let mut watched = alice.watch(whole()).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status, ServingStatus::Serving as i32);
    running.reporter.set_service_status("shop", ServingStatus::NotServing).await;
    assert_eq!(watched.message().await.unwrap().unwrap().status, ServingStatus::NotServing as i32);
    assert_eq!(*running.names.lock().unwrap(), ["alice.example", "alice.example"]);

    let mut mallory = HealthClient::new(channel(running.port, Some("mallory.test")).await.unwrap());
    assert_eq!(mallory.check(whole()).await.unwrap_err().code(), Code::PermissionDenied);
    drop((alice, watched, mallory, silent));
    running.stop.send(()).unwrap();
    running.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_without_a_certificate_is_refused_before_any_call() {
    let running = serve().await;
    // In TLS 1.3 the refusal may come after the client thinks that it is connected.
    let refused = match channel(running.port, None).await {
        Err(refused) => refused,
        Ok(channel) => {
            let check = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
            format!("{:?}", check.unwrap_err())
        }
    };
    assert!(refused.contains("certificate"), "{refused}");
    assert!(running.names.lock().unwrap().is_empty());
    drop(running.stop);
    running.serving.await.unwrap().unwrap();
}
