//! A real PostgreSQL, in a folder of its own, for as long as the test's process lives.

use crate::{KeyKind, authority};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// How often it is looked whether the server answers, and how many times.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: usize = 600;

/// A server that takes TLS alone, with a certificate for `localhost` of [`authority`]: `alice` with [`PASSWORD`] by
/// SCRAM-SHA-256, `bob` with a certificate of [`authority`] whose common name is his.
#[derive(Debug)]
pub struct Postgres {
    /// Where it listens, at 127.0.0.1.
    pub port: u16,
    /// The server's log, if it has one yet.
    pub log: PathBuf,
    /// The server ends when this does: with the process.
    _alive: ChildStdin,
}

/// The password of `alice`.
pub const PASSWORD: &str = "a word to pass";

const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
ssl = on
ssl_cert_file = 'cert.pem'
ssl_key_file = 'key.pem'
ssl_ca_file = 'ca.pem'
fsync = off
shared_buffers = '1MB'
max_connections = 20
";
const WHO_MAY: &str = "
hostssl all alice 127.0.0.1/32 scram-sha-256
hostssl all bob 127.0.0.1/32 cert
";

/// The server of this process; `None`, with a word about it on stderr, where it is switched off or not installed.
///
/// # Panics
/// If it cannot be started, or is missing where `CLASP_INTEROP=require`.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn start() -> Option<Postgres> {
    let interop = std::env::var("CLASP_INTEROP").unwrap_or_default();
    if interop == "off" {
        eprintln!("skipped: switched off by CLASP_INTEROP");
        return None;
    }
    let Some(programs) = programs() else {
        assert_ne!(interop, "require", "there is no postgres");
        eprintln!("skipped: there is no postgres");
        return None;
    };
    let base = std::env::temp_dir().join(format!("clasp-postgres-{}", std::process::id()));
    let data = base.join("data");
    std::fs::create_dir(&base).expect("a folder");
    let user = User::unprivileged();
    user.owns(&base);
    let program = |name: &str| user.command(&programs.join(name));
    succeed(program("initdb").args(["--no-sync", "--locale=C", "--encoding=UTF8", "-U", "owner", "-D"]).arg(&data));
    set_up(&data, &user);
    let mut single = program("postgres");
    single.args(["--single", "-D"]).arg(&data).arg("postgres").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = single.spawn().expect("postgres");
    let roles = format!("CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}';\nCREATE ROLE bob LOGIN;\n");
    child.stdin.take().expect("piped").write_all(roles.as_bytes()).expect("postgres reads");
    assert!(child.wait().expect("postgres").success(), "roles");
    Some(run(&base, &programs.join("postgres"), &user))
}

/// Certificates, settings, and who may connect.
fn set_up(data: &Path, user: &User) {
    let issued = authority().issue(KeyKind::P256, &["localhost"]);
    for (file, content) in [
        ("cert.pem", issued.chain_pem.as_str()),
        ("key.pem", &issued.key_pem),
        ("ca.pem", authority().pem()),
        ("postgresql.conf", SETTINGS),
        ("pg_hba.conf", WHO_MAY),
    ] {
        let path = data.join(file);
        std::fs::write(&path, content).expect("a file");
        // A key that others may read is refused.
        succeed(Command::new("chmod").arg("600").arg(&path));
        user.owns(&path);
    }
}

/// Begins to serve, at a port that is free.
fn run(base: &Path, postgres: &Path, user: &User) -> Postgres {
    // Whoever waits for the end of its stdin waits for that of this process, however it comes.
    const KEEPER: &str = r#""$1" -D "$2/data" -p "$3" -k "$2" >"$2/log" 2>&1 & server=$!
        read -r _; kill -QUIT $server; wait $server; rm -rf "$2""#;
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("bound").port()
    };
    let mut keeper = user.command(Path::new("sh"));
    keeper.args(["-c", KEEPER, "sh"]).arg(postgres).arg(base).arg(port.to_string());
    keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let alive = keeper.spawn().expect("sh").stdin.take().expect("piped");
    let log = base.join("log");
    for _ in 0..LOOKS {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if said.contains("ready to accept connections") && TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Postgres { port, log, _alive: alive };
        }
        assert!(!said.contains("FATAL"), "{said}");
        std::thread::sleep(LOOK);
    }
    panic_with(&log)
}

#[expect(clippy::panic, reason = "for tests")]
fn panic_with(log: &Path) -> ! {
    panic!("postgres does not answer: {}", std::fs::read_to_string(log).unwrap_or_default())
}

/// Where its programs are: Debian does not have them in the path.
fn programs() -> Option<PathBuf> {
    let of_debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let of_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let mut all = of_debian.map(|version| version.path().join("bin")).chain(of_path);
    all.find(|folder| ["initdb", "postgres"].iter().all(|program| folder.join(program).exists()))
}

fn succeed(command: &mut Command) {
    let out = command.output().expect("a program");
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Whom it runs as: it refuses to be root.
struct User(Option<&'static str>);

impl User {
    fn unprivileged() -> Self {
        let id = Command::new("id").arg("-u").output().expect("id");
        Self((id.stdout == b"0\n").then_some("postgres"))
    }

    fn command(&self, program: &Path) -> Command {
        let Some(name) = self.0 else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args(["--clear-groups", "--reuid", name, "--regid", name, "--"]).arg(program);
        command
    }

    fn owns(&self, path: &Path) {
        if let Some(name) = self.0 {
            succeed(Command::new("chown").arg(name).arg(path));
        }
    }
}
