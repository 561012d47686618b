//! The example of HTTP/3, with itself and with rustls.

#[allow(dead_code)]
#[path = "../../examples/http3.rs"]
mod example;

use crate::peers::{LOOPBACK, client, run, rustls_client, rustls_server, server};
use example::{PROTOCOL, get, serve};

#[test]
fn requests_are_answered_by_each_of_each() {
    run(async {
        let ours = clasp_quinn::client(client().alpn([PROTOCOL]).build().unwrap(), LOOPBACK.into()).unwrap();
        let theirs = rustls_client(PROTOCOL);
        let servers = [
            clasp_quinn::server(server().alpn([PROTOCOL]).build().unwrap(), LOOPBACK.into()).unwrap(),
            rustls_server(PROTOCOL),
        ];
        for endpoint in servers {
            let address = endpoint.local_addr().unwrap();
            tokio::spawn(serve(endpoint));
            for asking in [&ours, &theirs] {
                for path in ["/", "/one/more"] {
                    let (status, body) = get(asking, address, "localhost", path).await.unwrap();
                    assert_eq!((status.as_u16(), body), (200, format!("GET {path}").into_bytes()));
                }
            }
        }
    });
}
