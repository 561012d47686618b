//! A file with several listeners and routes, and a file that changes.

use crate::common::{Served, clasp, text};
use crate::stage::{LONG, Stage, ask, backend, connect, dns, shouting, shouting_tls, tcp};
use clasp::{ClientConfig, Error, ServerConfig};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// A file of settings, in which `{root}` and so on are files beside it.
fn configured(stage: &Stage, text: &str) -> Served {
    std::fs::write(stage.path("proxy.toml"), text).unwrap();
    stage.proxy("--config {proxy.toml}")
}

/// A backend that says who it is.
fn named(name: &'static str) -> std::net::SocketAddr {
    backend(move |mut tcp| {
        let _heard = tcp.read_to_end(&mut Vec::new());
        let _unheard = tcp.write_all(name.as_bytes());
    })
}

#[test]
fn names_and_protocols_choose_the_route_and_one_is_passed_through() {
    let stage = Stage::new();
    stage.issue("wild", "", vec![dns("*.a.test"), dns("x.a.test")]);
    stage.issue("own", "", vec![dns("own.test")]);
    let own = ServerConfig::builder().identity(stage.identity("own")).build().unwrap();
    let (exact, pattern, h2, passed, any) =
        (named("exact"), named("pattern"), named("h2"), shouting_tls(own), named("default"));
    let proxy = configured(
        &stage,
        &format!(
            r#"
            drain = 1
            [[listener]]
            listen = "127.0.0.1:0"
            [[listener.route]]
            to = "{any}"
            cert = "localhost.pem"
            key = "localhost-key.pem"
            [[listener.route]]
            names = ["*.a.test"]
            to = "{pattern}"
            cert = ["wild.pem"]
            key = ["wild-key.pem"]
            [[listener.route]]
            names = ["x.a.test"]
            to = "{exact}"
            cert = "wild.pem"
            key = "wild-key.pem"
            [[listener.route]]
            names = ["x.a.test"]
            match-alpn = ["h2"]
            alpn = ["h2"]
            to = "{h2}"
            cert = "wild.pem"
            key = "wild-key.pem"
            [[listener.route]]
            names = ["own.test"]
            to = "{passed}"
            pass-through = true
            "#
        ),
    );
    let client = stage.client("");
    let h2_client = Arc::new(ClientConfig::clone(&client).with_alpn(["h2"]).unwrap());
    for (client, name, said) in [
        (&client, "localhost", "default"),
        (&client, "w.a.test", "pattern"),
        (&client, "x.a.test", "exact"),
        (&h2_client, "x.a.test", "h2"),
        (&h2_client, "w.a.test", "pattern"),
        // The backend's own certificate is seen: nothing was opened on the way.
        (&client, "own.test", "WORD [] "),
    ] {
        let heard = ask(&mut connect(client, name, &proxy.address), b"word").unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), said, "{name}");
        let line = proxy.line("end=done");
        assert!(line.contains(&format!("name={name}")), "{line}");
        assert_eq!(line.contains("version="), name != "own.test", "{line}");
    }
}

#[test]
fn whom_no_route_is_for_is_told() {
    let stage = Stage::new();
    let proxy = configured(
        &stage,
        "[[listener]]\nlisten = \"127.0.0.1:0\"\n[[listener.route]]\nnames = [\"a.test\"]\nto = \"127.0.0.1:1\"\npass-through = true\n",
    );
    let error = ask(&mut connect(&stage.client(""), "localhost", &proxy.address), b"word").unwrap_err();
    let alert = Error::from_io(&error).and_then(Error::peer_alert).map(|alert| alert.name());
    assert_eq!(alert, Some("unrecognized_name"), "{error}");
    proxy.line("end=no_route");
}

#[test]
fn each_key_wrong_once_is_refused_with_its_line_and_its_words() {
    let stage = Stage::new();
    stage.issue("ca", "", vec![]);
    let good = "[[listener]]\nlisten = \"127.0.0.1:0\"\n[[listener.route]]\nto = \"127.0.0.1:1\"\n";
    let id = "cert = \"localhost.pem\"\nkey = \"localhost-key.pem\"\n";
    let tls = format!("{good}{id}");
    let through = format!("{good}pass-through = true\n");
    let mut wrong = Vec::new();
    for (file, words) in [
        ("listener = 1".into(), "line 1: invalid type"),
        (String::new(), "no listener"),
        ("[[listener]]\nlisten = \"a.test\"\n".into(), "listen a.test has no port"),
        ("[[listener]]\nlisten = \"127.0.0.1:0\"\n".into(), "no route"),
        ("[[listener]]\n[[listener.route]]\nto = \"a:1\"\n".into(), "missing field `listen`"),
        (format!("{tls}{good}{id}"), "listeners 127.0.0.1:0 and 127.0.0.1:0 want the same address"),
        (format!("dain = 3\n{tls}"), "line 1: there is no key dain here"),
        (format!("dain = 3\n{tls}"), "perhaps drain?"),
        (format!("{tls}cert_file = \"a\"\n"), "line 7: there is no key cert_file here"),
        (format!("{tls}client_ca = \"a\"\n"), "perhaps client-ca?"),
        (format!("drain = -1\n{tls}"), "line 1: invalid value: integer `-1`"),
        (format!("drain = 90000\n{tls}"), "drain 90000 is not within 0 to 86400"),
        (format!("watch = 90000\n{tls}"), "watch 90000 is not within"),
        (format!("idle-timeout = 0\n{tls}"), "idle-timeout 0 is not within 1"),
        (format!("connect-timeout = 0\n{tls}"), "connect-timeout 0 is not within 1"),
        (format!("handshake-timeout = 0\n{tls}"), "handshake-timeout 0 is not within 1"),
        (format!("max-connections = 0\n{tls}"), "max-connections 0 is not within 1"),
        (format!("max-handshakes = 0\n{tls}"), "max-handshakes 0 is not within 1"),
        (format!("log = \"xml\"\n{tls}"), "unknown variant `xml`, expected `text` or `json`"),
        (format!("admin = 9000\n{tls}"), "line 1: invalid type"),
        (format!("quiet = \"yes\"\n{tls}"), "line 1: invalid type"),
        (format!("{tls}to = \"b:1\"\n"), "line 7: duplicate key"),
        (tls.replace("127.0.0.1:1", "127.0.0.1"), "to 127.0.0.1 has no port"),
        (good.into(), "neither cert nor originate"),
        (format!("{good}cert = \"absent.pem\"\nkey = \"localhost-key.pem\"\n"), "absent.pem"),
        (format!("{good}cert = 7\n"), "wanted"),
        (format!("{good}originate = true\nkey = \"localhost-key.pem\"\n"), "key does nothing without cert"),
        (format!("{good}cert = \"localhost.pem\"\n"), "1 cert and 0 key"),
        (format!("{good}originate = true\nkey-password-file = \"p\"\n"), "key-password-file does nothing without key"),
        (format!("{tls}policy = \"old\"\n"), "there is no policy old"),
        (format!("{tls}tls = \"1.1\"\n"), "tls 1.1 is no version"),
        (format!("{tls}groups = [\"p-999\"]\n"), "there is no group p-999"),
        (format!("{tls}alpn = [\"\"]\n"), "ALPN"),
        (format!("{tls}client-ca = \"absent.pem\"\n"), "absent.pem"),
        (format!("{tls}client-auth = \"require\"\n"), "client-auth does nothing without client-ca"),
        (format!("{tls}client-auth = \"off\"\n"), "unknown variant `off`"),
        (format!("{tls}profile = \"legacy\"\n"), "profile does nothing without client-ca"),
        (format!("{tls}allow-cn = [\"a\"]\n"), "allow-uri does nothing without client-ca"),
        (format!("{tls}client-ca = \"root.pem\"\nallow-cn = [\"\"]\n"), "allow-cn has an empty name"),
        (format!("{tls}client-ca = \"root.pem\"\nallow-san = [\"*.a\"]\n"), "allow-san *.a is neither"),
        (format!("{tls}client-ca = \"root.pem\"\nallow-uri = [\"a\"]\n"), "allow-uri a: no URI"),
        (format!("{tls}name = \"a.test\"\n"), "name does nothing without originate"),
        (format!("{tls}ca = \"root.pem\"\n"), "ca does nothing without originate"),
        (format!("{tls}client-cert = \"ca.pem\"\n"), "client-cert does nothing without originate"),
        (format!("{good}originate = true\nclient-cert = \"ca.pem\"\n"), "client-cert does nothing without client-key"),
        (
            format!("{good}originate = true\nclient-key = \"ca-key.pem\"\n"),
            "client-key does nothing without client-cert",
        ),
        (
            tls.replace("[[listener.route]]", "proxy-from = [\"10.0.0.0/33\"]\n[[listener.route]]"),
            "proxy-from 10.0.0.0/33 is no network",
        ),
        (format!("{tls}send-proxy = \"v3\"\n"), "unknown variant `v3`, expected `v1` or `v2`"),
        (format!("{tls}client-cert-header = true\n"), "client-cert-header does nothing without client-ca"),
        (
            format!("{tls}client-ca = \"root.pem\"\nclient-cert-header = true\nalpn = [\"h2\"]\n"),
            "client-cert-header speaks HTTP/1.1, and alpn h2",
        ),
        (format!("{tls}names = [\"*\"]\n"), "names * is no name"),
        (format!("{tls}match-alpn = [\"\"]\n"), "match-alpn \"\" is no protocol"),
        (format!("{tls}pass-through = true\n"), "pass-through and key exclude each other"),
        (format!("{through}tls = \"1.3\"\n"), "pass-through and what TLS is told exclude each other"),
        (format!("{through}client-ca = \"root.pem\"\n"), "pass-through and client-ca exclude each other"),
        (format!("{through}client-auth = \"require\"\n"), "pass-through and client-auth exclude each other"),
        (format!("{through}profile = \"legacy\"\n"), "pass-through and profile exclude each other"),
        (format!("{through}allow-cn = [\"a\"]\n"), "pass-through and allow-cn, allow-san or allow-uri exclude"),
        (format!("{through}key-password-file = \"p\"\n"), "pass-through and key-password-file exclude each other"),
        (format!("{through}client-cert-header = true\n"), "pass-through and client-cert-header exclude each other"),
        (format!("{through}ca = \"root.pem\"\n"), "pass-through and ca exclude each other"),
        (format!("{through}name = \"a.test\"\n"), "pass-through and name exclude each other"),
        // What is empty would be what is absent: everybody.
        (format!("{tls}client-ca = \"root.pem\"\nallow-cn = []\n"), "an empty list: leave it out"),
        (format!("{tls}client-ca = \"root.pem\"\nallow-san = []\n"), "an empty list: leave it out"),
        (format!("{tls}client-ca = \"root.pem\"\nallow-uri = []\n"), "an empty list: leave it out"),
        (format!("{tls}names = []\n"), "an empty list: leave it out"),
        (format!("{tls}match-alpn = []\n"), "an empty list: leave it out"),
        (format!("{tls}groups = []\n"), "an empty list: leave it out"),
        (format!("{tls}alpn = []\n"), "an empty list: leave it out"),
        (format!("{good}cert = []\n"), "an empty list: leave it out"),
        (tls.replace("[[listener.route]]", "proxy-from = []\n[[listener.route]]"), "an empty list: leave it out"),
        (
            tls.replace("[[listener.route]]", "proxy-from = [\"unix\"]\n[[listener.route]]"),
            "proxy-from unix: nobody comes from there to 127.0.0.1:0, which is TCP",
        ),
        (
            tls.replace("[[listener.route]]", "proxy-from = [\"10.0.0.0/8\"]\n[[listener.route]]")
                .replace("127.0.0.1:0", "unix:/x"),
            "nobody comes from there to unix:/x, which is a Unix socket",
        ),
        (format!("{tls}match-alpn = [\"h2\"]\nalpn = [\"http/1.1\"]\n"), "agree on nothing"),
        (
            format!("{tls}match-alpn = [\"h2\"]\nclient-ca = \"root.pem\"\nclient-cert-header = true\n"),
            "agree on nothing",
        ),
        (
            format!("admin = \":8443\"\n{}", tls.replace("127.0.0.1:0", "127.0.0.1:8443")),
            "admin :8443 and the listener 127.0.0.1:8443 want the same address",
        ),
        (
            tls.replace("[[listener.route]]", "proxy-from = [\"10.0.0.1/8\"]\n[[listener.route]]"),
            "proxy-from 10.0.0.1/8 has bits behind the first 8",
        ),
        (
            format!("{tls}[[listener.route]]\nto = \"b:1\"\npass-through = true\n"),
            "route 2: it would never be taken: route 1",
        ),
        (format!("{tls}[[listener.route]]\nnames = [\"a\"]\nto = \"b:1\"\noriginate = true\n"), "clients without TLS"),
    ] {
        std::fs::write(stage.path("bad.toml"), &file).unwrap();
        let output = clasp(&["proxy", "--check", "--config", &stage.file("bad.toml")]);
        let said = text(&output.stderr);
        let found = said.contains(words) || words == "wanted" && said.contains("a file's name, or a list of such");
        if output.status.code() != Some(2) || !found || !said.contains("bad.toml") {
            wrong.push(format!("{words:?} is not in {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    std::fs::write(stage.path("good.toml"), tls).unwrap();
    let output = clasp(&["proxy", "--check", "--config", &stage.file("good.toml")]);
    assert_eq!(
        text(&output.stdout),
        "127.0.0.1:0: any name: TLS ends here, to 127.0.0.1:1\n",
        "{}",
        text(&output.stderr)
    );
}

/// A warning, and no more: clocks differ.
#[test]
fn certificates_that_clients_refuse_today_are_named() {
    let stage = Stage::new();
    stage.issue_for([1990, 2000], "old", "", vec![dns("localhost")]);
    stage.issue_for([4000, 4001], "new", "", vec![dns("localhost")]);
    for (name, words) in [
        ("old", "has expired on 2000-01-01 00:00:00 UTC: clients refuse it"),
        ("new", "is valid from 4000-01-01 00:00:00 UTC on"),
        ("localhost", ""),
    ] {
        let (cert, key) = (stage.file(&format!("{name}.pem")), stage.file(&format!("{name}-key.pem")));
        let output = clasp(&[
            "proxy",
            "--check",
            "--listen",
            "127.0.0.1:0",
            "--to",
            "127.0.0.1:1",
            "--cert",
            &cert,
            "--key",
            &key,
        ]);
        assert!(output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{name}: {said}");
    }
}

/// The serial number of the certificate that a new client sees.
fn seen(stage: &Stage, proxy: &Served) -> Vec<u8> {
    let mut tls = connect(&stage.client(""), "localhost", &proxy.address);
    let facts = tls.handshake().unwrap();
    facts.peer_chain()[0].to_vec()
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn certificates_that_change_are_shown_without_being_told_and_what_is_broken_is_not() {
    let stage = Stage::new();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --watch 1 ", shouting()));
    let before = seen(&stage, &proxy);
    let mut old = connect(&stage.client(""), "localhost", &proxy.address);
    old.write_all(b"before, ").unwrap();
    stage.issue("localhost", "", vec![dns("localhost")]);
    proxy.line("reloaded: 1 listeners, 1 routes");
    assert_ne!(seen(&stage, &proxy), before);
    assert_eq!(ask(&mut old, b"after").unwrap(), b"BEFORE, AFTER");
    let now = seen(&stage, &proxy);
    std::fs::write(stage.path("localhost.pem"), "half a certif").unwrap();
    proxy.line("reload: what there was goes on");
    assert_eq!(seen(&stage, &proxy), now);
}

#[test]
fn without_watching_a_signal_is_waited_for() {
    let stage = Stage::new();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --watch 0 ", shouting()));
    let before = seen(&stage, &proxy);
    stage.issue("localhost", "", vec![dns("localhost")]);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(seen(&stage, &proxy), before);
    proxy.signal("HUP");
    proxy.line("reloaded");
    assert_ne!(seen(&stage, &proxy), before);
}

#[test]
fn sessions_outlive_a_reload_and_lists_of_clients_do_not() {
    let stage = Stage::new();
    stage.issue("alice", "alice", vec![]);
    let (to, at) = (shouting(), free());
    let file = |who: &str| {
        let text = format!(
            "[[listener]]\nlisten = \"{at}\"\n[[listener.route]]\nto = \"{to}\"\ncert = \"localhost.pem\"\nkey = \"localhost-key.pem\"\n\
             client-ca = \"root.pem\"\nallow-cn = [\"{who}\"]\n"
        );
        std::fs::write(stage.path("proxy.toml"), text).unwrap();
    };
    file("alice");
    let proxy = stage.proxy("--config {proxy.toml}");
    let client = stage.client("alice");
    assert_eq!(ask(&mut connect(&client, "localhost", &at), b"word").unwrap(), b"WORD");
    proxy.signal("HUP");
    proxy.line("reloaded");
    assert_eq!(ask(&mut connect(&client, "localhost", &at), b"word").unwrap(), b"WORD");
    assert!(proxy.line("end=done").contains("resumed=ticket") || proxy.line("end=done").contains("resumed=ticket"));
    file("bob");
    proxy.line("reloaded");
    assert!(
        ask(&mut connect(&client, "localhost", &at), b"word").is_err(),
        "her session is good, and she is not let in"
    );
    assert!(proxy.line("end=client_not_allowed").contains("resumed=ticket"));
}

/// An address that nobody has.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn listeners_come_and_go_and_what_has_begun_goes_on() {
    let stage = Stage::new();
    let (to, one, two) = (shouting(), free(), free());
    let file = |at: &[&str]| {
        let route =
            format!("[[listener.route]]\nto = \"{to}\"\ncert = \"localhost.pem\"\nkey = \"localhost-key.pem\"\n");
        let all: String = at.iter().map(|at| format!("[[listener]]\nlisten = \"{at}\"\n{route}")).collect();
        std::fs::write(stage.path("proxy.toml"), format!("watch = 1\n{all}")).unwrap();
    };
    file(&[&one]);
    let proxy = stage.proxy("--config {proxy.toml}");
    let client = stage.client("");
    let mut old = connect(&client, "localhost", &one);
    old.write_all(b"old, ").unwrap();
    file(&[&two]);
    proxy.line("reloaded: 1 listeners, 1 routes");
    assert_eq!(ask(&mut connect(&client, "localhost", &two), b"word").unwrap(), b"WORD");
    eventually("the first is closed", || std::net::TcpStream::connect(&one).is_err());
    assert_eq!(ask(&mut old, b"and well").unwrap(), b"OLD, AND WELL");
    // An address that cannot be had: nothing of it is done.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    file(&[&one, &taken.local_addr().unwrap().to_string()]);
    proxy.line("reload: what there was goes on");
    assert!(std::net::TcpStream::connect(&one).is_err());
    assert_eq!(ask(&mut connect(&client, "localhost", &two), b"word").unwrap(), b"WORD");
}

/// Clients come all the while, and none is lost.
#[test]
fn no_connection_is_lost_by_a_hundred_reloads() {
    let stage = Stage::new();
    let proxy = stage.proxy(&format!("--listen 127.0.0.1:0 --to {} {{id}} --quiet", shouting()));
    let client = stage.client("");
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..2)
        .map(|_| {
            let (client, address) = (client.clone(), proxy.address.clone());
            let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
            thread::spawn(move || {
                while !stop.load(Relaxed) {
                    assert_eq!(ask(&mut connect(&client, "localhost", &address), b"word").unwrap(), b"WORD");
                    done.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    let mut long = connect(&client, "localhost", &proxy.address);
    for round in 0..100 {
        if round % 10 == 0 {
            stage.issue("localhost", "", vec![dns("localhost")]);
        }
        long.write_all(b"a").unwrap();
        proxy.signal("HUP");
        proxy.line("reload");
    }
    stop.store(true, Relaxed);
    load.into_iter().for_each(|one| one.join().unwrap());
    assert_eq!(ask(&mut long, b"").unwrap(), [b'A'; 100]);
    assert!(done.load(Relaxed) > 10, "{} connections", done.load(Relaxed));
}

#[test]
fn plain_clients_have_one_route() {
    let stage = Stage::new();
    let config = ServerConfig::builder().identity(stage.identity("localhost")).build().unwrap();
    let to = shouting_tls(config);
    let text = format!(
        "[[listener]]\nlisten = \"127.0.0.1:0\"\n[[listener.route]]\nto = \"{to}\"\noriginate = true\nname = \"localhost\"\nca = \"root.pem\"\n"
    );
    let proxy = configured(&stage, &text);
    let mut plain = tcp(&proxy.address);
    plain.write_all(b"word").unwrap();
    plain.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    plain.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "WORD [] ");
}
