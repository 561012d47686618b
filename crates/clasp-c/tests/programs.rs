//! C programs over the library: the examples with each other and with OpenSSL, and one that does everything wrong, by itself, under
//! AddressSanitizer and under valgrind. What is not installed is passed over, unless `CLASP_C=require`; so are OpenSSL and valgrind
//! where `CLASP_INTEROP=off`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
#![cfg(target_os = "linux")]

use clasp_testkit::{Authority, KeyKind, authority};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn is_required() -> bool {
    std::env::var("CLASP_C").as_deref() == Ok("require")
}

fn passed_over(there: bool, what: &str) -> bool {
    assert!(there || !is_required(), "{what} is missing");
    if !there {
        eprintln!("passed over: no {what}");
    }
    there
}

/// Whether a program is there. The C compiler always has to be: AWS-LC needs it.
fn has(program: &str, asked: &str) -> bool {
    let there = Command::new(program).arg(asked).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    passed_over(there, program)
}

/// The same of another TLS library, and of what takes long: only where there are to be such (docs/testing.md).
fn has_and_wants(program: &str, asked: &str) -> bool {
    let off = std::env::var("CLASP_INTEROP").as_deref() == Ok("off");
    (is_required() || !off) && has(program, asked)
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Runs it, and holds it to success.
fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    output
}

/// The library as it is installed, by the script that installs it.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clasp-c");
        let exe = std::env::current_exe().unwrap();
        run(Command::new("sh").arg(here().join("install.sh")).arg(&prefix).arg(exe.parent().unwrap()));
        prefix
    })
}

/// As the README says: by pkg-config, where it is.
fn flags() -> Vec<String> {
    if !has("pkg-config", "--version") {
        let at = |folder| prefix().join(folder).display().to_string();
        return vec![format!("-I{}", at("include")), format!("-L{}", at("lib")), "-lclasp_c".into()];
    }
    let mut command = Command::new("pkg-config");
    command.args(["--cflags", "--libs", "clasp-c"]).env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    String::from_utf8(run(&mut command).stdout).unwrap().split_whitespace().map(str::to_owned).collect()
}

fn compile(source: &str, name: &str, flags: &[String], more: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let strict = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"];
    run(Command::new("cc").args(strict).arg(here().join(source)).args(flags).args(more).arg("-o").arg(&program));
    program
}

fn example(name: &str) -> &'static Path {
    static CLIENT: OnceLock<PathBuf> = OnceLock::new();
    static SERVER: OnceLock<PathBuf> = OnceLock::new();
    let cell = if name == "client" { &CLIENT } else { &SERVER };
    cell.get_or_init(|| compile(&format!("examples/{name}.c"), &format!("clasp-c-{name}"), &flags(), &[]))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", prefix().join("lib"));
    command
}

/// An authority and what it has issued, in files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        let issued = authority().issue(KeyKind::P256, &["localhost", "server.test"]);
        let other = Authority::new("nobody's");
        let all = [
            ("ca.pem", authority().pem()),
            ("other.pem", other.pem()),
            ("cert.pem", &issued.chain_pem),
            ("key.pem", &issued.key_pem),
        ];
        for (name, pem) in all {
            std::fs::write(files.path(name), pem).unwrap();
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A server that says on stdout where it listens.
struct Server {
    child: Child,
    port: String,
}

impl Server {
    /// The port is what stands last in the first line that has `word`.
    fn start(command: &mut Command, word: &str) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains(word))).expect("a server that listens");
        // It may have more to say.
        std::thread::spawn(move || lines.for_each(drop));
        let port = line.rsplit([' ', ':']).next().unwrap().to_owned();
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn client(files: &Files, port: &str, roots: &str, shows: bool) -> Output {
    let mut client = command(example("client"));
    client.args(["localhost", port, "/"]).arg(files.path(roots));
    if shows {
        client.arg(files.path("cert.pem")).arg(files.path("key.pem"));
    }
    client.output().unwrap()
}

#[test]
fn the_examples_speak_with_each_other() {
    let files = Files::new();
    let mut server = command(example("server"));
    server.arg("0").args(["cert.pem", "key.pem", "ca.pem"].map(|name| files.path(name))).arg("4");
    let mut server = Server::start(&mut server, "listening");
    for _ in 0..2 {
        let good = said(&client(&files, &server.port, "ca.pem", true));
        assert!(good.contains("hello from localhost over TLS 1.3, to a client with a certificate"), "{good}");
        assert!(good.contains("exit status: 0") && good.contains("TLS_AES_"), "{good}");
    }
    let bare = said(&client(&files, &server.port, "ca.pem", false));
    assert!(bare.contains("exit status: 1") && bare.contains("certificate_required"), "{bare}");
    let elsewhere = said(&client(&files, &server.port, "other.pem", true));
    assert!(elsewhere.contains("exit status: 1") && elsewhere.contains("error: "), "{elsewhere}");
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn an_example_is_linked_with_the_static_library() {
    let flags =
        [format!("-I{}", prefix().join("include").display()), prefix().join("lib/libclasp_c.a").display().to_string()];
    let server = compile("examples/server.c", "clasp-c-server-static", &flags, &["-lpthread", "-lm", "-ldl"]);
    let files = Files::new();
    let mut alone = Command::new(server);
    alone.arg("0").args(["cert.pem", "key.pem"].map(|name| files.path(name))).args(["-", "1"]);
    let mut server = Server::start(&mut alone, "listening");
    let good = said(&client(&files, &server.port, "ca.pem", false));
    assert!(good.contains("hello from localhost over TLS 1.3\n"), "{good}");
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn the_client_speaks_with_openssls_server() {
    if !has_and_wants("openssl", "version") {
        return;
    }
    let files = Files::new();
    for version in ["-tls1_2", "-tls1_3"] {
        let mut server = Command::new("openssl");
        server.args(["s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1", version]);
        server.arg("-cert").arg(files.path("cert.pem")).arg("-key").arg(files.path("key.pem"));
        server.arg("-CAfile").arg(files.path("ca.pem")).stderr(Stdio::null());
        let server = Server::start(&mut server, "ACCEPT");
        let good = said(&client(&files, &server.port, "ca.pem", true));
        assert!(good.contains("HTTP/1.0 200 ok") && good.contains("exit status: 0"), "{version}: {good}");
    }
}

#[test]
fn the_server_speaks_with_openssls_client() {
    if !has_and_wants("openssl", "version") {
        return;
    }
    let files = Files::new();
    let mut server = command(example("server"));
    server.arg("0").args(["cert.pem", "key.pem"].map(|name| files.path(name))).args(["-", "2"]);
    let mut server = Server::start(&mut server, "listening");
    for (version, name) in [("-tls1_2", "TLS 1.2"), ("-tls1_3", "TLS 1.3")] {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-quiet", "-verify_return_error", "-servername", "localhost", version]);
        client.args(["-connect", &format!("127.0.0.1:{}", server.port), "-CAfile"]).arg(files.path("ca.pem"));
        let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        client.stdin.as_mut().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let stdin = client.stdin.take();
        let answer = said(&client.wait_with_output().unwrap());
        drop(stdin);
        assert!(answer.contains(&format!("hello from localhost over {name}")), "{answer}");
    }
    assert!(server.child.wait().unwrap().success());
}

fn misuse(program: &mut Command, files: &Files, rounds: &str) {
    let paths = ["ca.pem", "cert.pem", "key.pem"].map(|name| files.path(name));
    // One of OpenSSL's, that clasp's own tests have.
    let archive = here().join("../clasp/tests/encrypted/today.p12");
    let program = program.env("LD_LIBRARY_PATH", prefix().join("lib")).args(paths);
    let output = run(program.arg(archive).args(["the pass–word", rounds]));
    assert!(String::from_utf8_lossy(&output.stdout).contains("all of it was refused, or done"), "{}", said(&output));
}

#[test]
fn misuse_is_refused_and_harms_nobody() {
    let program = compile("tests/c/misuse.c", "clasp-c-misuse", &flags(), &[]);
    misuse(&mut Command::new(&program), &Files::new(), "300");
}

#[test]
fn misuse_under_address_sanitizer() {
    let script = "echo 'int main(void) { return 0; }' | cc -fsanitize=address,undefined -xc - -o /dev/null";
    let probe = Command::new("sh").args(["-c", script]).output().unwrap();
    if !passed_over(probe.status.success(), "AddressSanitizer") {
        return;
    }
    let program = compile("tests/c/misuse.c", "clasp-c-misuse-asan", &flags(), &["-fsanitize=address,undefined"]);
    misuse(&mut Command::new(&program), &Files::new(), "100");
}

/// docs/testing.md, "Other processors".
fn is_choice_forced() -> bool {
    option_env!("CLASP_TEST_PROVIDER")
        .is_some_and(|told| told != "asked" || std::env::var_os("CLASP_TEST_PROVIDER_NOW").is_some())
}

#[test]
fn misuse_under_valgrind() {
    if !has_and_wants("valgrind", "--version") {
        return;
    }
    let program = compile("tests/c/misuse.c", "clasp-c-misuse-valgrind", &flags(), &[]);
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"])
        // Whoever forces a choice gets assembly that valgrind's processor would not be given, and whose definedness it cannot follow.
        .args(is_choice_forced().then_some("--undef-value-errors=no"))
        .arg(&program);
    misuse(&mut valgrind, &Files::new(), "5");
}
