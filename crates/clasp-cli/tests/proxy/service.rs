//! Under a service manager.

use crate::common::started;
use crate::stage::{LONG, Stage, ask, connect, shouting};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::{Command, Stdio};

#[test]
fn sockets_may_be_passed_and_the_manager_is_told() {
    let stage = Stage::new();
    let notify = UnixDatagram::bind(stage.path("notify")).unwrap();
    notify.set_read_timeout(Some(LONG)).unwrap();
    let said = || {
        let mut buffer = [0; 256];
        let n = notify.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).into_owned()
    };
    let start = |socket: OwnedFd, options: &str| {
        let mut command = Command::new("sh");
        let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" proxy \"$@\"";
        command.args(["-c", script, env!("CARGO_BIN_EXE_clasp")]).args(stage.fill(options));
        command.env("NOTIFY_SOCKET", stage.path("notify"));
        started(command, Stdio::from(socket))
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut proxy = start(listener.into(), &format!("--listen systemd:0 --to {} {{id}}", shouting()));
    assert!(said().contains("READY=1"));
    assert_eq!(ask(&mut connect(&stage.client(""), "localhost", &address), b"word").unwrap(), b"WORD");
    proxy.signal("HUP");
    proxy.line("reloaded");
    assert_eq!(ask(&mut connect(&stage.client(""), "localhost", &address), b"word").unwrap(), b"WORD");
    proxy.signal("TERM");
    assert!(said().contains("STOPPING=1"));
    assert!(proxy.ended(LONG).unwrap().success());

    let path = stage.path("passed.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut proxy = start(listener.into(), "--listen systemd:0 --to 127.0.0.1:1 {id}");
    assert!(said().contains("READY=1"));
    drop(UnixStream::connect(&path).unwrap());
    proxy.line("end=client_silent");
    proxy.signal("TERM");
    assert!(said().contains("STOPPING=1"));
    assert!(proxy.ended(LONG).unwrap().success());
    assert!(path.exists(), "its name is the manager's");
}

#[test]
fn a_socket_that_was_not_passed_is_none() {
    let stage = Stage::new();
    for (options, words) in [
        ("--listen systemd:0 --to a:1 {id}", "no socket of this number was passed"),
        ("--listen systemd:web --to a:1 {id}", "write systemd:0"),
        ("--listen :1 --to systemd:0 {id}", "is a socket to listen on"),
    ] {
        let options = stage.fill(options);
        let words_of: Vec<&str> = ["proxy"].into_iter().chain(options.iter().map(String::as_str)).collect();
        let said = crate::common::text(&crate::common::clasp(&words_of).stderr);
        assert!(said.contains(words), "{words}: {said}");
    }
}
