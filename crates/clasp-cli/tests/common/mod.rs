//! Running the program.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)] // each test program uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

/// Runs the program to its end.
pub(crate) fn clasp(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clasp"));
    command.args(arguments).stdin(Stdio::null()).env("NO_COLOR", "1").output().unwrap()
}

/// Runs the program to its end, with this on its stdin.
pub(crate) fn clasp_fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clasp"));
    command.args(arguments).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeding = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    output
}

/// Fails with this code and these words, in at most two lines.
pub(crate) fn refuses(output: &Output, code: i32, words: &str) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(words), "{words:?} is not in: {error}");
    assert!(error.lines().filter(|l| l.starts_with("error:") || l.starts_with("hint:")).count() <= 2, "{error}");
    assert!(!error.contains("; hint:"), "a hint has its own line, and stands once: {error}");
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file of the library's tests of identities behind a password, and one that says the password.
pub(crate) fn encrypted(name: &str) -> String {
    format!("{}/../clasp/tests/encrypted/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn password_file(folder: &Path) -> String {
    let path = folder.join("password");
    std::fs::write(&path, "the pass–word\n").unwrap();
    path.to_str().unwrap().into()
}

/// A `clasp serve` or `clasp proxy` that ends with the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
    /// What it says, line by line.
    pub(crate) lines: Receiver<String>,
}

impl Served {
    pub(crate) fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// How it ended, if it does within this time.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            match self.child.try_wait().unwrap() {
                None if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
                outcome => return outcome,
            }
        }
    }

    /// The next line with these words.
    pub(crate) fn line(&self, words: &str) -> String {
        let mut others = Vec::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("no line with {words}, but {others:?}"));
            if line.contains(words) {
                return line;
            }
            others.push(line);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Starts `clasp serve` on a free port and waits until it listens.
pub(crate) fn serve(arguments: &[&str], home: &Path) -> Served {
    serve_by(Command::new(env!("CARGO_BIN_EXE_clasp")), arguments, home)
}

/// With no more than so many descriptors.
#[cfg(unix)]
pub(crate) fn serve_within(descriptors: u32, arguments: &[&str], home: &Path) -> Served {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_clasp")]);
    serve_by(command, arguments, home)
}

fn serve_by(mut command: Command, arguments: &[&str], home: &Path) -> Served {
    command.arg("serve").args(["--listen", "127.0.0.1:0"]).args(arguments);
    command.env("XDG_DATA_HOME", home).env("HOME", home);
    start(command)
}

/// Starts `clasp proxy` with these options, and waits until it listens.
pub(crate) fn proxy(arguments: &[&str]) -> Served {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clasp"));
    command.arg("proxy").args(arguments);
    start(command)
}

fn start(command: Command) -> Served {
    started(command, Stdio::null())
}

/// Starts what serves, with this as its stdin, and waits until it listens.
pub(crate) fn started(mut command: Command, stdin: Stdio) -> Served {
    command.env("NO_COLOR", "1");
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (said, heard) = std::sync::mpsc::channel();
    let outputs: [Box<dyn Read + Send>; 2] =
        [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
    for output in outputs {
        let said = said.clone();
        thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).for_each(|l| drop(said.send(l))));
    }
    let mut before = Vec::new();
    let line = heard.iter().inspect(|l| before.push(l.clone())).find(|l| l.contains("listening on "));
    let line = line.unwrap_or_else(|| panic!("it does not listen: {before:?}"));
    let (_, address) = line.split_once("listening on ").unwrap();
    let address = address.trim_start_matches("https://").split(['/', ',']).next().unwrap_or_default().into();
    Served { child, address, lines: heard }
}

/// A CA's root, a chain for localhost and its key, in files.
pub(crate) fn issued(folder: &Path) -> (String, String, String) {
    let ca = folder.join("ca");
    let ca = ca.to_str().unwrap();
    let made = clasp(&["ca", "init", ca]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made = clasp(&["ca", "issue", ca, "localhost", "127.0.0.1"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let find = |end: &str| {
        let mut all: Vec<String> = std::fs::read_dir(ca)
            .unwrap()
            .map(|e| e.unwrap().path().to_str().unwrap().to_string())
            .filter(|p| p.ends_with(end))
            .collect();
        all.sort();
        all.first().cloned().expect("a file with this ending")
    };
    (find("root.pem"), find("localhost.pem"), find("localhost-key.pem"))
}

/// Types of handshake messages: the last that comes.
pub(crate) const SERVER_HELLO: u8 = 2;
pub(crate) const CERTIFICATE: u8 = 11;

/// What comes behind it.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    Closes,
    Stalls,
}

/// A server who says what that one says as far as the first message in the clear of this type. Gives its address.
pub(crate) fn cut_off(server: &str, behind: u8, then: Then) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, server) = (listener.local_addr().unwrap().to_string(), server.to_owned());
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(&server) else { continue };
            thread::spawn(move || {
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let forth = thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
                if pass(&server, &client, behind).is_some() && matches!(then, Then::Stalls) {
                    // Until the client has enough of it.
                    forth.join().unwrap();
                }
                let _gone = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
            });
        }
    });
    address
}

/// Whether it came so far.
fn pass(mut server: &TcpStream, mut client: &TcpStream, behind: u8) -> Option<()> {
    loop {
        let mut head = [0; 5];
        server.read_exact(&mut head).ok()?;
        let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        server.read_exact(&mut record).ok()?;
        let end = if head[0] == 22 { end_of(&record, behind) } else { None };
        record.truncate(end.unwrap_or(record.len()));
        let length = u16::try_from(record.len()).unwrap().to_be_bytes();
        client.write_all(&[&head[..3], &length, &record].concat()).ok()?;
        if end.is_some() {
            return Some(());
        }
    }
}

/// Where the first message of this type ends, in a record of whole messages.
fn end_of(record: &[u8], kind: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let header = record.get(at..at + 4)?;
        at += 4 + usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] == kind {
            return Some(at);
        }
    }
}

/// A directory to serve, and a certificate for whoever serves it.
pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) root: String,
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) www: PathBuf,
}

impl Site {
    /// A page, and a file of so many bytes.
    pub(crate) fn with_large(bytes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, chain, key) = issued(folder.path());
        let www = folder.path().join("www");
        std::fs::create_dir(&www).unwrap();
        std::fs::write(www.join("page.txt"), "a page").unwrap();
        std::fs::write(www.join("large"), vec![b'x'; bytes]).unwrap();
        Self { folder, root, chain, key, www }
    }
}
