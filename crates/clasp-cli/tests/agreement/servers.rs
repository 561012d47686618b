//! The servers that are looked at: good ones, bad ones, and such as are broken on purpose.

use clasp_interop::ports::Ports;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whose program it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    OpenSsl,
    GnuTls,
    Nss,
    Nginx,
    Go,
    Java,
    Node,
    Tlslite,
    Clasp,
}

use Maker::{Clasp, GnuTls, Go, Java, Nginx, Node, Nss, OpenSsl, Tlslite};

/// A server: its name, whose it is, and what it is told.
pub(crate) type Config = (&'static str, Maker, &'static str);

/// Those marked with a `*` are the sample.
pub(crate) const SERVERS: [Config; 53] = [
    ("*openssl", OpenSsl, "-cert p256.pem -key p256.key"),
    ("openssl-rsa", OpenSsl, "-cert rsa.pem -key rsa.key"),
    ("openssl-two-keys", OpenSsl, "-cert p256.pem -key p256.key -dcert rsa.pem -dkey rsa.key"),
    ("openssl-ed25519", OpenSsl, "-cert ed25519.pem -key ed25519.key"),
    ("openssl-p384-key", OpenSsl, "-cert p384.pem -key p384.key"),
    ("*openssl-tls13", OpenSsl, "-cert p256.pem -key p256.key -tls1_3"),
    ("openssl-tls12", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2"),
    ("openssl-tls11", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_1 -cipher ALL:@SECLEVEL=0"),
    ("*openssl-tls10", OpenSsl, "-cert rsa.pem -key rsa.key -tls1 -cipher ALL:@SECLEVEL=0"),
    ("openssl-own-order", OpenSsl, "-cert rsa.pem -key rsa.key -serverpref"),
    ("openssl-chacha-first", OpenSsl, "-cert p256.pem -key p256.key -serverpref -prioritize_chacha"),
    ("*openssl-everything", OpenSsl, "-cert rsa.pem -key rsa.key -cipher ALL:eNULL:@SECLEVEL=0 -min_protocol TLSv1"),
    ("openssl-null", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -cipher eNULL:@SECLEVEL=0"),
    (
        "openssl-cbc",
        OpenSsl,
        "-cert rsa.pem -key rsa.key -tls1_2 -cipher ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA384:AES128-SHA",
    ),
    ("openssl-key-transport", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -cipher kRSA"),
    ("*openssl-dh1024", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -cipher kDHE:@SECLEVEL=0 -dhparam dh1024.pem"),
    ("openssl-dh2048", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -cipher kDHE -dhparam dh2048.pem"),
    ("openssl-anonymous", OpenSsl, "-nocert -tls1_2 -cipher aNULL:@SECLEVEL=0"),
    ("openssl-p384-group", OpenSsl, "-cert p256.pem -key p256.key -groups P-384"),
    ("openssl-one-scheme", OpenSsl, "-cert rsa.pem -key rsa.key -sigalgs RSA-PSS+SHA256"),
    ("openssl-no-ticket", OpenSsl, "-cert p256.pem -key p256.key -no_ticket"),
    ("openssl-no-session", OpenSsl, "-cert p256.pem -key p256.key -no_ticket -no_cache"),
    ("openssl-asks", OpenSsl, "-cert p256.pem -key p256.key -verify 1"),
    ("openssl-requires", OpenSsl, "-cert p256.pem -key p256.key -Verify 1"),
    ("openssl-expired", OpenSsl, "-cert expired.pem -key expired.key"),
    ("openssl-gap-in-chain", OpenSsl, "-cert below.pem -key below.key"),
    ("openssl-psk", OpenSsl, "-nocert -tls1_2 -psk 00112233445566778899aabbccddeeff -cipher PSK"),
    ("openssl-legacy-renegotiation", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -legacy_renegotiation"),
    ("openssl-renegotiates", OpenSsl, "-cert rsa.pem -key rsa.key -tls1_2 -client_renegotiation"),
    (
        "openssl-tls12-tls13",
        OpenSsl,
        "-cert p256.pem -key p256.key -cipher ECDHE+AESGCM -ciphersuites TLS_AES_128_GCM_SHA256",
    ),
    (
        "openssl-ccm",
        OpenSsl,
        "-cert rsa.pem -key rsa.key -cipher AESCCM:AESCCM8 -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
    ),
    ("*gnutls", GnuTls, "p256 --priority NORMAL"),
    ("gnutls-tls12", GnuTls, "rsa --priority NORMAL:-VERS-TLS1.3"),
    ("gnutls-legacy", GnuTls, "rsa --priority LEGACY:+ANON-ECDH:+3DES-CBC:+ARCFOUR-128:+VERS-TLS1.0:+VERS-TLS1.1"),
    ("gnutls-secure256", GnuTls, "p384 --priority SECURE256"),
    ("gnutls-early-data", GnuTls, "p256 --priority NORMAL --earlydata"),
    ("*nss", Nss, "-n rsa -V tls1.0:tls1.3 -u"),
    ("nss-tls12", Nss, "-e p256 -V tls1.2:tls1.2 -u"),
    ("nginx", Nginx, "ssl_certificate p256.pem; ssl_certificate_key p256.key;"),
    (
        "*nginx-everything",
        Nginx,
        "ssl_certificate rsa.pem; ssl_certificate_key rsa.key; ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_prefer_server_ciphers on; ssl_session_cache shared:a:1m; ssl_dhparam dh2048.pem;",
    ),
    (
        "*nginx-no-tickets",
        Nginx,
        "ssl_certificate rsa.pem; ssl_certificate_key rsa.key; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets off; ssl_session_cache shared:b:1m; ssl_early_data on; add_header Strict-Transport-Security max-age=63072000;",
    ),
    ("go", Go, "default"),
    ("*go-everything", Go, "everything"),
    ("java", Java, "default"),
    ("*java-everything", Java, "everything"),
    ("node", Node, "default"),
    ("node-everything", Node, "everything"),
    ("tlslite", Tlslite, "default"),
    ("*tlslite-ssl3", Tlslite, "ssl3"),
    ("*clasp", Clasp, "--cert p256.pem --key p256.key"),
    ("clasp-legacy", Clasp, "--cert rsa.pem --key rsa.key --policy legacy"),
    ("clasp-early-data", Clasp, "--cert p256.pem --key p256.key --policy modern --early-data 4096"),
    ("clasp-requires", Clasp, "--cert p256.pem --key p256.key --client-ca root.pem"),
];

/// A server that ends with the test.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Where they are started.
pub(crate) struct Farm<'f> {
    pub(crate) folder: &'f Path,
    ports: Ports,
}

fn run(command: &mut Command) -> Result<(), String> {
    let output =
        command.stdin(Stdio::null()).output().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    let said = || String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", said())) }
}

impl<'f> Farm<'f> {
    pub(crate) fn new(folder: &'f Path) -> Self {
        Self { folder, ports: Ports::new() }
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder).env("HOME", self.folder).env("NO_COLOR", "1");
        command
    }

    /// What its makers need before they can serve. Says why one cannot.
    pub(crate) fn prepare(&self, maker: Maker) -> Result<(), String> {
        let write = |name: &str, text: &str| std::fs::write(self.folder.join(name), text).map_err(|e| e.to_string());
        match maker {
            OpenSsl => {
                write("dh1024.pem", include_str!("dh1024.pem"))?;
                write("dh2048.pem", DH2048)?;
                run(self.command("openssl").arg("version"))
            }
            GnuTls => run(self.command("gnutls-serv").arg("--version")),
            Nss => self.database(),
            Nginx => write("dh2048.pem", DH2048).and_then(|()| run(&mut self.nginx("-v"))),
            Go => {
                write("server.go", include_str!("scripts/server.go"))?;
                let cache = self.folder.join("go-cache");
                run(self.command("go").env("GOCACHE", cache).args(["build", "-o", "go-server", "server.go"]))
            }
            Java => {
                write("Server.java", include_str!("scripts/Server.java"))?;
                run(self.command("javac").arg("Server.java"))
            }
            Node => {
                write("server.js", include_str!("scripts/server.js")).and_then(|()| run(self.command("node").arg("-v")))
            }
            Tlslite => {
                write("server.py", include_str!("scripts/server.py"))?;
                run(self.command(python()).args(["-c", "import tlslite"]))
            }
            Clasp => Ok(()),
        }
    }

    fn nginx(&self, argument: &str) -> Command {
        // Debian has it where only root looks.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let mut command = self.command("nginx");
        command.env("PATH", path).arg(argument);
        command
    }

    /// NSS takes keys from a database alone.
    fn database(&self) -> Result<(), String> {
        let folder = self.folder.join("nss");
        std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        run(self.command("selfserv").arg("-b").args(["-p", "1"])).or_else(|said| {
            // It has no way to be asked for its version.
            if said.contains("No such file") { Err(said) } else { Ok(()) }
        })?;
        run(self.command("certutil").args(["-N", "-d", "sql:nss", "--empty-password"]))?;
        run(self.command("certutil").args(["-A", "-d", "sql:nss", "-n", "root", "-t", "CT,C,C", "-i", "root.pem"]))?;
        for name in ["rsa", "p256"] {
            let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
            let pack = ["pkcs12", "-export", "-passout", "pass:x", "-out", "nss.p12"];
            run(self.command("openssl").args(pack).args(["-name", name, "-in", &pem, "-inkey", &key]))?;
            run(self.command("pk12util").args(["-d", "sql:nss", "-W", "x", "-K", "", "-i", "nss.p12"]))?;
        }
        Ok(())
    }

    fn serving(&self, (name, maker, told): Config, port: u16) -> Result<Command, String> {
        let words: Vec<&str> = told.split_whitespace().collect();
        let number = port.to_string();
        let mut command = match maker {
            OpenSsl => {
                let mut command = self.command("openssl");
                command.args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}")]).args(words);
                command
            }
            GnuTls => {
                let mut command = self.command("gnutls-serv");
                let (key, rest) = words.split_first().ok_or("no key is named")?;
                command.args(["--quiet", "--http", "--disable-client-cert", "--port", &number]).args(rest);
                command.args(["--x509certfile", &format!("{key}.pem"), "--x509keyfile", &format!("{key}.key")]);
                command
            }
            Nss => {
                let mut command = self.command("selfserv");
                command.args(["-d", "sql:nss", "-w", "", "-p", &number, "-t", "8"]).args(words);
                command
            }
            Nginx => {
                let text = format!(
                    "daemon off; master_process off; pid {name}.pid; error_log stderr; events {{}}\n\
                     http {{ access_log off; client_body_temp_path {name}-1; proxy_temp_path {name}-2; fastcgi_temp_path {name}-3; \
                     uwsgi_temp_path {name}-4; scgi_temp_path {name}-5;\n\
                     server {{ listen 127.0.0.1:{port} ssl; {told} location / {{ return 200 page; }} }} }}\n"
                );
                let file = self.folder.join(format!("{name}.conf"));
                std::fs::write(&file, text).map_err(|e| e.to_string())?;
                let mut command = self.nginx("-p");
                command.arg(self.folder).arg("-c").arg(file);
                command
            }
            Go => self.with_port(self.folder.join("go-server"), &[], &number, told),
            Java => self.with_port("java", &["-cp", ".", "Server"], &number, told),
            Node => self.with_port("node", &["server.js"], &number, told),
            Tlslite => self.with_port(python(), &["server.py"], &number, told),
            Clasp => {
                let mut command = self.command(env!("CARGO_BIN_EXE_clasp"));
                command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).args(words);
                command
            }
        };
        let log = File::create(self.log(name)).map_err(|e| e.to_string())?;
        // Some end with their input.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        Ok(command)
    }

    fn with_port(&self, program: impl AsRef<std::ffi::OsStr>, first: &[&str], port: &str, told: &str) -> Command {
        let mut command = self.command(program);
        command.args(first).args([port, told]);
        command
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}.log", name.trim_start_matches('*')))
    }

    /// Starts it, and waits until it answers. Somebody else may have taken the port meanwhile: then there is another.
    pub(crate) fn start(&self, config: Config) -> Result<Server, String> {
        let name = config.0.trim_start_matches('*');
        let config = (name, config.1, config.2);
        for _attempt in 0..3 {
            let port = self.ports.next().map_err(|e| e.to_string())?;
            let mut command = self.serving(config, port)?;
            let child = command.spawn().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
            let mut server = Server { name, port, child };
            let until = Instant::now() + Duration::from_secs(30);
            while Instant::now() < until && matches!(server.child.try_wait(), Ok(None)) {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Ok(server);
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Err(format!("{name} does not serve: {}", std::fs::read_to_string(self.log(name)).unwrap_or_default()))
    }
}

/// Where `.ci/run` installs what comes from PyPI.
pub(crate) fn peers(program: &str) -> PathBuf {
    let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/bin").join(program);
    if there.exists() { there } else { program.into() }
}

fn python() -> PathBuf {
    peers("python3")
}

/// A group of nobody else, of 2048 bits (`openssl dhparam 2048`).
const DH2048: &str = include_str!("dh2048.pem");
