//! The admin port.

use crate::common::{Served, clasp, text};
use crate::stage::{LONG, Stage, ask, connect, shouting, tcp};
use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

/// The answer to a request, head and body.
fn http(address: &str, request: &str) -> String {
    let mut tcp = tcp(address);
    tcp.write_all(format!("{request} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut heard = String::new();
    tcp.read_to_string(&mut heard).unwrap();
    heard
}

/// The value of a metric, by all that stands before it.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

fn admin(proxy: &Served) -> String {
    let line = proxy.line("admin: http://");
    line.trim_start_matches("admin: http://").trim_end_matches("/metrics").to_owned()
}

#[test]
fn what_goes_on_is_counted_and_the_end_is_told() {
    let stage = Stage::new();
    let mut proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --admin 127.0.0.1:0", shouting()));
    let (at, client) = (admin(&proxy), stage.client(""));
    for _ in 0..2 {
        assert_eq!(ask(&mut connect(&client, "localhost", &proxy.address), b"word").unwrap(), b"WORD");
        proxy.line("end=done");
    }
    tcp(&proxy.address).write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    proxy.line("end=client_plain_http");
    let mut open = connect(&client, "localhost", &proxy.address);
    open.write_all(b"byte").unwrap();
    let of = format!("listener=\"{}\"", proxy.address);
    let until = Instant::now() + LONG;
    let metrics = loop {
        let metrics = http(&at, "GET /metrics");
        if value(&metrics, &format!("clasp_proxy_bytes_total{{{of},direction=\"in\"}}")) == Some(12.0) {
            break metrics;
        }
        assert!(Instant::now() < until, "{metrics}");
        thread::sleep(Duration::from_millis(50));
    };
    assert!(metrics.starts_with("HTTP/1.1 200 OK") && metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    let suite = "version=\"TLS 1.3\",suite=\"TLS_AES_256_GCM_SHA384\"";
    let suite = if metrics.contains(suite) { suite } else { "version=\"TLS 1.3\",suite=\"TLS_AES_128_GCM_SHA256\"" };
    for (name, wanted) in [
        (format!("clasp_proxy_connections_total{{{of},end=\"done\"}}"), 2.0),
        (format!("clasp_proxy_connections_total{{{of},end=\"client_plain_http\"}}"), 1.0),
        (format!("clasp_proxy_connections_open{{{of}}}"), 1.0),
        (format!("clasp_proxy_handshakes_total{{{of},result=\"ok\",{suite},resumed=\"no\"}}"), 1.0),
        (format!("clasp_proxy_handshakes_total{{{of},result=\"ok\",{suite},resumed=\"yes\"}}"), 2.0),
        (
            format!(
                "clasp_proxy_handshakes_total{{{of},result=\"client_plain_http\",version=\"\",suite=\"\",resumed=\"\"}}"
            ),
            1.0,
        ),
        (format!("clasp_proxy_bytes_total{{{of},direction=\"out\"}}"), 8.0),
        ("clasp_proxy_handshake_duration_seconds_count{resumed=\"yes\"}".into(), 2.0),
        ("clasp_proxy_handshake_duration_seconds_bucket{resumed=\"no\",le=\"+Inf\"}".into(), 1.0),
    ] {
        assert_eq!(value(&metrics, &name), Some(wanted), "{name}: {metrics}");
    }
    let file = stage.file("localhost.pem");
    let end = value(&metrics, &format!("clasp_proxy_certificate_not_after_timestamp_seconds{{file=\"{file}\"}}"));
    assert!(end.is_some_and(|end| end > 1_900_000_000.0), "{end:?}: {metrics}");
    proxy.signal("HUP");
    proxy.line("reloaded");
    assert_eq!(value(&http(&at, "GET /metrics"), "clasp_proxy_reloads_total{result=\"ok\"}"), Some(1.0));

    assert!(http(&at, "GET /healthz").ends_with("\r\n\r\nok\n"));
    assert!(http(&at, "GET /readyz").starts_with("HTTP/1.1 200"));
    assert!(http(&at, "GET /other").starts_with("HTTP/1.1 404"));
    assert!(http(&at, "POST /metrics").starts_with("HTTP/1.1 405"));
    proxy.signal("TERM");
    proxy.line("stopping");
    // Who balances loads sees it go before it is gone.
    assert!(http(&at, "GET /readyz").starts_with("HTTP/1.1 503"));
    assert!(http(&at, "GET /healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(ask(&mut open, b"").unwrap(), b"BYTE");
    assert!(proxy.ended(LONG).unwrap().success());
    let said = clasp(&["proxy", "--listen", "127.0.0.1:0", "--to", "a:1", "--originate", "--admin", "nowhere"]);
    assert!(said.status.code() == Some(2) && text(&said.stderr).contains("--admin nowhere"), "{}", text(&said.stderr));
}
