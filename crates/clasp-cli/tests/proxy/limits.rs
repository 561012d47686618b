//! Each limit holds.

use crate::common::{clasp, text};
use crate::stage::{LONG, Stage, ask, backend, connect, shouting, tcp};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn no_more_connections_than_were_allowed() {
    let stage = Stage::new();
    let arguments = "--max-connections 1";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} {arguments}", shouting()));
    let client = stage.client("");
    let mut first = connect(&client, "localhost", &proxy.address);
    first.handshake().unwrap();
    let (address, client) = (proxy.address.clone(), client);
    let (say, hear) = mpsc::channel();
    thread::spawn(move || say.send(ask(&mut connect(&client, "localhost", &address), b"second")).unwrap());
    assert!(hear.recv_timeout(Duration::from_millis(300)).is_err(), "it waits");
    assert_eq!(ask(&mut first, b"first").unwrap(), b"FIRST");
    drop(first);
    assert_eq!(hear.recv_timeout(LONG).unwrap().unwrap(), b"SECOND");
}

#[test]
fn handshakes_wait_for_a_place_and_not_for_the_silent() {
    let stage = Stage::new();
    let arguments = "--max-handshakes 1 --handshake-timeout 1";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} {arguments}", shouting()));
    // Nobody who says nothing takes the one place.
    let silent: Vec<_> = (0..5).map(|_| tcp(&proxy.address)).collect();
    let client = stage.client("");
    assert_eq!(ask(&mut connect(&client, "localhost", &proxy.address), b"word").unwrap(), b"WORD");
    for mut tcp in silent {
        let mut heard = Vec::new();
        tcp.read_to_end(&mut heard).unwrap();
        assert_eq!(heard.first(), Some(&21), "they are told: {heard:?}");
        proxy.line("end=client_took_too_long");
    }
    // Who has said hello, and no more, has it, and so does the next for as long; whoever comes third is told.
    let mut hello = Vec::new();
    let mut half = client.connect("localhost".try_into().unwrap());
    half.advance(&mut core::task::Context::from_waker(core::task::Waker::noop()), &mut hello).unwrap();
    let holders: Vec<_> = (0..2)
        .map(|_| {
            let mut holder = tcp(&proxy.address);
            holder.write_all(&hello).unwrap();
            thread::sleep(Duration::from_millis(200));
            holder
        })
        .collect();
    let error = ask(&mut connect(&client, "localhost", &proxy.address), b"word").unwrap_err();
    assert!(error.to_string().contains("internal_error"), "{error}");
    proxy.line("end=busy");
    proxy.line("end=client_took_too_long");
    proxy.line("end=client_took_too_long");
    drop(holders);
}

#[test]
fn what_stands_still_is_ended() {
    let stage = Stage::new();
    let arguments = "--idle-timeout 1";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} {arguments}", shouting()));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    // What moves is none: a byte each half second, for twice the limit.
    for _ in 0..4 {
        tls.write_all(b"a").unwrap();
        thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(ask(&mut tls, b"b").unwrap(), b"AAAAB");
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    tls.write_all(b"a").unwrap();
    assert!(tls.read(&mut [0]).is_err(), "no close_notify: it was no end");
    let line = loop {
        let line = proxy.line("end=");
        if !line.contains("end=done") {
            break line;
        }
    };
    assert!(line.contains("end=idle") && line.contains("in=1"), "{line}");
}

#[test]
fn a_backend_that_does_not_answer_is_not_waited_for() {
    let stage = Stage::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    // A queue of one, and it is full: the system lets the next ones wait.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let to = full.local_addr().unwrap();
    let waiting: Vec<_> =
        (0..8).map(|_| std::net::TcpStream::connect_timeout(&to, Duration::from_millis(100))).collect();
    assert!(waiting.iter().any(Result::is_err), "the queue is not full");
    let arguments = "--connect-timeout 1";
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {{id}} {arguments}"));
    ask(&mut connect(&stage.client(""), "localhost", &proxy.address), b"word").unwrap_err();
    proxy.line("end=connect_timeout");
}

/// What a client does not take, the backend is not asked for.
#[test]
fn a_slow_reader_holds_its_backend_back() {
    let stage = Stage::new();
    let said = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&said);
    let to = backend(move |mut tcp| {
        while tcp.write_all(&[7; 64 << 10]).is_ok() {
            counts.fetch_add(64 << 10, Relaxed);
        }
    });
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {to} {{id}}"));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    tls.read_exact(&mut [0; 1000]).unwrap();
    let until = Instant::now() + LONG;
    let mut before = usize::MAX;
    while before != said.load(Relaxed) {
        assert!(Instant::now() < until, "it never stops: {before} bytes");
        before = said.load(Relaxed);
        thread::sleep(Duration::from_millis(500));
    }
    // The kernel's buffers are some megabytes; the proxy's own are kilobytes.
    let status = std::fs::read_to_string(format!("/proc/{}/status", proxy.pid())).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).map(str::trim);
    let resident = resident.and_then(|kb| kb.trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
    assert!(before < 64 << 20 && resident < 100_000, "{before} bytes, {resident} kB");
}

#[test]
fn a_stop_lets_go_on_what_has_begun_and_takes_nobody_new() {
    let stage = Stage::new();
    let mut proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}}", shouting()));
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    tls.write_all(b"before, ").unwrap();
    proxy.signal("TERM");
    proxy.line("stopping: 1 connections have up to 30 s");
    assert!(std::net::TcpStream::connect(&proxy.address).is_err());
    assert_eq!(ask(&mut tls, b"after").unwrap(), b"BEFORE, AFTER");
    assert!(proxy.ended(LONG).unwrap().success());
}

#[test]
fn the_end_has_a_limit_and_a_second_signal_is_the_end() {
    let stage = Stage::new();
    for (drain, signals) in [("1", &["INT"][..]), ("600", &["TERM", "INT"])] {
        let mut proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --drain {drain}", shouting()));
        let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
        tls.write_all(b"word").unwrap();
        tls.handshake().unwrap();
        thread::sleep(Duration::from_millis(200));
        for signal in signals {
            proxy.signal(signal);
            proxy.line("stopping");
            if signals.len() > 1 {
                break;
            }
        }
        if signals.len() > 1 {
            proxy.signal("INT");
        }
        proxy.line("1 connections are cut off");
        assert!(proxy.line("end=cut_off").contains("in=4"), "it is told how far it came");
        assert!(proxy.ended(LONG).unwrap().success());
    }
}

#[test]
fn what_cannot_begin_says_why() {
    let stage = Stage::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let base = "proxy --listen 127.0.0.1:0 --to 127.0.0.1:1";
    for (line, words) in [
        (format!("proxy --listen {at} --to 127.0.0.1:1 {{id}}"), "another program has this address"),
        (format!("{base} --cert {{absent.pem}} --key {{localhost-key.pem}}"), "absent.pem"),
        (format!("{base} --cert {{localhost.pem}} --key {{localhost.pem}}"), "localhost.pem"),
        (format!("{base} {{id}} --client-ca {{absent.pem}}"), "absent.pem"),
        (format!("{base} --originate --ca {{localhost-key.pem}}"), "localhost-key.pem"),
        ("proxy --listen 127.0.0.1 --to 127.0.0.1:1 {id}".into(), "--listen 127.0.0.1 has no port"),
        ("proxy --listen 127.0.0.1:0 --to :80 {id}".into(), "--to :80 has no host"),
        ("proxy --listen 127.0.0.1:0 --to unix: {id}".into(), "unix: wants a path"),
        ("proxy --listen 127.0.0.1:0 --to unix:/x --originate".into(), "--name HOST"),
        (format!("{base} --originate --name a..b"), "a..b is neither"),
        (format!("{base} {{id}} --policy old"), "there is no policy old"),
        (format!("{base} {{id}} --groups p-999"), "there is no group p-999"),
        (format!("{base} {{id}} --profile odd --client-ca {{root.pem}}"), "there is no profile odd"),
    ] {
        let words_of = stage.fill(&line);
        let output = clasp(&words_of.iter().map(String::as_str).collect::<Vec<_>>());
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{line}: {said}");
    }
}
