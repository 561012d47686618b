//! Every option of every command changes something, or is refused together with what it clashes with. An option without a row in
//! this table fails.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod table;

use common::{clasp, clasp_fed, serve, text};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use table::Way::{Connect, Elsewhere, Hello, Run, Serve, Trace};
use table::{CLASHES, FIELDS, GET, ID, TABLE};

#[test]
fn every_option_has_a_row() {
    let mut options = BTreeSet::new();
    walk(&clasp_cli::options(), "", &mut options);
    assert!(options.len() > 60, "{}", options.len());
    let rows: BTreeSet<_> =
        TABLE.iter().map(|(command, option, _)| (command.to_string(), option.to_string())).collect();
    assert_eq!(rows.len(), TABLE.len(), "a row twice");
    let without: Vec<_> = options.difference(&rows).collect();
    assert!(
        without.is_empty(),
        "options without a row in TABLE of crates/clasp-cli/tests/options/table.rs: {without:?}"
    );
    let gone: Vec<_> = rows.difference(&options).collect();
    assert!(gone.is_empty(), "rows of TABLE without an option: {gone:?}");
}

#[test]
fn every_command_has_a_row_in_the_readme() {
    let readme = include_str!("../../../../README.md");
    for command in clasp_cli::options().get_subcommands().filter(|command| command.get_name() != "help") {
        let row = format!("| `clasp {}", command.get_name());
        assert!(readme.contains(&row), "the table of commands in README.md has no row that begins with {row}");
    }
}

fn walk(command: &clap::Command, path: &str, options: &mut BTreeSet<(String, String)>) {
    for option in command
        .get_opts()
        .chain(command.get_arguments().filter(|a| a.get_action().takes_values() || !a.is_positional()))
    {
        if let Some(long) = option.get_long().filter(|long| !["help", "version"].contains(long)) {
            options.insert((path.to_string(), long.to_string()));
        }
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        walk(sub, format!("{path} {}", sub.get_name()).trim(), options);
    }
}

/// Files to work with, made once.
struct Stage {
    folder: tempfile::TempDir,
    number: std::cell::Cell<u32>,
}

/// Both in one file, behind the password of [`common::password_file`].
fn archive(chain: &str, key: &str) -> Vec<u8> {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    let chain = clasp_x509::pem::items(chain.as_bytes(), clasp_x509::kind::Kind::Certificate).unwrap();
    let chain: Vec<_> = chain.iter().map(|section| Certificate::from_der(section.der()).unwrap()).collect();
    let key = PrivateKey::from_der(clasp_x509::pem::private_key(key.as_bytes()).unwrap().der()).unwrap();
    let mut store = KeyStore::new();
    store.add_entry("alice", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("alice", key, chain)));
    store.writer("the pass–word").write().unwrap()
}

impl Stage {
    fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap(), number: std::cell::Cell::default() };
        for line in [
            "ca init {ca}",
            "ca issue {ca} localhost 127.0.0.1",
            "ca issue {ca} twin.test",
            "ca issue {ca} revoked.test",
            "ca issue {ca} alice --client",
            "ca revoke {ca} revoked.test.pem",
            "ca crl {ca}",
            "ca ocsp {ca} revoked.test.pem",
            "ech keygen --public-name localhost --out {ech}",
            "ca init {deepca} --intermediate",
            "ca issue {deepca} a.test",
            "ca ocsp {deepca} a.test.pem",
        ] {
            let (said, code) = stage.run(line);
            assert_eq!(code, Some(0), "{line}: {said}");
        }
        std::fs::create_dir(stage.folder.path().join("www")).unwrap();
        let read = |name: &str| std::fs::read_to_string(stage.fill(name)).unwrap();
        let key = rcgen::KeyPair::from_pem(&read("{ca}/root-key.pem")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&read("{root}"), key).unwrap();
        let own = |names: Vec<String>| {
            let mut params = rcgen::CertificateParams::new(names).unwrap();
            params.not_after = rcgen::date_time_ymd(2060, 1, 1);
            params
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let mut old = own(Vec::new());
        old.distinguished_name.push(rcgen::DnType::CommonName, "old.test");
        std::fs::write(stage.fill("{old}"), old.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        let twin = own(vec!["localhost".into()]);
        std::fs::write(stage.fill("{twin}"), twin.signed_by(&key, &issuer).unwrap().pem()).unwrap();
        std::fs::write(stage.fill("{twins}"), key.serialize_pem()).unwrap();
        std::fs::write(stage.fill("{archive}"), archive(&read("{alice}"), &read("{alices}"))).unwrap();
        common::password_file(stage.folder.path());
        stage
    }

    fn fill(&self, line: &str) -> String {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_string();
        let mut line = line.replace("{get}", GET).replace("{id}", ID).replace("{fields}", FIELDS);
        for (name, file) in [
            ("ca", "ca"),
            ("deepca", "deep"),
            ("dir", "www"),
            ("root", "ca/root.pem"),
            ("chain", "ca/localhost.pem"),
            ("key", "ca/localhost-key.pem"),
            ("twin", "ca/twin.test.pem"),
            ("twins", "ca/twin.test-key.pem"),
            ("alice", "ca/alice-client.pem"),
            ("alices", "ca/alice-client-key.pem"),
            ("archive", "ca/alice.p12"),
            ("password", "password"),
            ("ech", "ech.pem"),
            ("revoked", "ca/revoked.test.pem"),
            ("ocsp", "ca/revoked.test.ocsp"),
            ("crl", "ca/crl.pem"),
            ("old", "ca/old.pem"),
            ("deep", "deep/a.test.pem"),
            ("deeproot", "deep/root.pem"),
            ("deepocsp", "deep/a.test.ocsp"),
            ("new", &format!("new{}", self.number.get())),
        ] {
            line = line.replace(&format!("{{{name}}}"), &path(file));
        }
        line
    }

    /// Runs commands joined by `&&`; gives all that was said, and the last code.
    fn run(&self, line: &str) -> (String, Option<i32>) {
        let (mut said, mut code) = (String::new(), None);
        for command in self.fill(line).split("&&") {
            let output = clasp(&command.split_whitespace().collect::<Vec<_>>());
            said += &(text(&output.stdout) + &text(&output.stderr));
            code = output.status.code();
        }
        (said + &self.written(), code)
    }

    /// What was written into `{new}`, if it is a file; the next run has another.
    fn written(&self) -> String {
        let new = self.fill("{new}");
        self.number.set(self.number.get() + 1);
        if Path::new(&new).is_file() { std::fs::read_to_string(&new).unwrap() } else { String::new() }
    }

    /// What a server and a client with these options say.
    fn talk(&self, serving: &str, connect: &[&str], connecting: &str) -> String {
        let (serving, connecting) = (self.fill(serving), self.fill(connecting));
        let home = self.folder.path().join("home");
        let server = serve(&serving.split_whitespace().collect::<Vec<_>>(), &home);
        let target = format!("localhost:{}", server.port());
        let line: Vec<_> = connect.iter().copied().chain([&*target]).chain(connecting.split_whitespace()).collect();
        let output = clasp_fed(&line, b"what was fed\r\n\r\n");
        let mut said = text(&output.stdout) + &text(&output.stderr);
        while let Ok(line) = server.lines.recv_timeout(Duration::from_millis(200)) {
            said += &(line + "\n");
        }
        said + &self.written()
    }
}

/// A peer that takes a hello and hangs up, and what it took.
fn taker() -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("localhost:{}", listener.local_addr().unwrap().port());
    let (say, hear) = channel();
    thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tcp = tcp.unwrap();
            let mut head = [0; 5];
            tcp.read_exact(&mut head).unwrap();
            let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            tcp.read_exact(&mut hello).unwrap();
            let _gone = tcp.write_all(&[21, 3, 3, 0, 2, 2, 40]);
            say.send(hello).unwrap();
        }
    });
    (target, hear)
}

fn shows(option: &str, without: &str, with: &str, words: &str) {
    let (lacks, has, words) = match words.strip_prefix('!') {
        Some(words) => (with, without, words),
        None => (without, with, words),
    };
    assert!(has.contains(words), "--{option}: {words:?} is not in {has}");
    assert!(!lacks.contains(words), "--{option} changes nothing: {words:?} is in {lacks}");
}

fn rows(of: impl Fn(&str) -> bool) {
    let stage = Stage::new();
    let (target, hellos) = taker();
    for (_, option, way) in TABLE.iter().filter(|(command, ..)| of(command)) {
        match way {
            Connect(serving, without, with, words) => {
                let talk = |options| stage.talk(serving, &["connect"], options);
                shows(option, &talk(without), &talk(with), words);
            }
            Trace(serving, without, with, words) => {
                let talk = |options| stage.talk(serving, &["trace", "connect"], options);
                shows(option, &talk(without), &talk(with), words);
            }
            Serve(connecting, without, with, words) => {
                let talk = |options| stage.talk(options, &["connect"], connecting);
                shows(option, &talk(without), &talk(with), words);
            }
            Run(without, with, words) => shows(option, &stage.run(without).0, &stage.run(with).0, words),
            Hello(with, is_so) => {
                let hello = |options: &str| {
                    stage.run(&format!("connect {target} --insecure {options}"));
                    hellos.recv_timeout(Duration::from_secs(10)).unwrap()
                };
                assert!(!is_so(&hello("")), "--{option} changes nothing");
                assert!(is_so(&hello(with)), "--{option} has no effect");
            }
            Elsewhere(file, test) => {
                let (_, body) = file.split_once(&format!("fn {test}(")).expect(test);
                let body = body.split_once("\n}\n").map_or(body, |(body, _)| body);
                let uses = [format!("--{option}\""), format!("--{option} ")];
                assert!(uses.iter().any(|way| body.contains(way)), "{test} does not use --{option}");
            }
        }
    }
}

#[test]
fn each_option_of_connect_changes_something() {
    rows(|command| command == "connect");
}

#[test]
fn each_option_of_serve_changes_something() {
    rows(|command| command == "serve");
}

#[test]
fn each_option_of_trace_changes_something() {
    rows(|command| command.starts_with("trace"));
}

#[test]
fn each_option_of_the_others_changes_something() {
    rows(|command| !["connect", "serve"].contains(&command) && !command.starts_with("trace"));
}

#[test]
fn what_would_do_nothing_is_refused_by_name() {
    let stage = Stage::new();
    for (line, names) in CLASHES {
        let (said, code) = stage.run(line);
        assert_eq!(code, Some(2), "{line}: {said}");
        let error = said.split("Usage:").next().unwrap();
        for name in *names {
            assert!(error.contains(name), "{line}: {name} is not named in {said}");
        }
    }
}

/// README: each has `--help` with examples and exit codes.
#[test]
fn each_commands_help_has_examples_and_exit_codes() {
    let mut command = clasp_cli::options();
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let (name, help) = (sub.get_name().to_owned(), sub.render_long_help().to_string());
        assert!(help.contains("Examples:\n  clasp ") && help.contains("Exit codes: 0 "), "{name}: {help}");
    }
}
