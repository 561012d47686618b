//! redis, rumqttc and lettre, to redis-server, mosquitto and aiosmtpd, which have OpenSSL.
//!
//! Without one its test says so and passes; with `CLASP_INTEROP=require` (in CI) it fails.
#![allow(clippy::unwrap_used)]

mod common;

use clasp_testkit::{KeyKind, authority};
use common::{assert_no_libssl, root};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server of others, with a certificate for `localhost`; it ends with this.
struct Daemon {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Daemon {
    /// Starts `program` in a folder that has `ca.pem`, `cert.pem`, `key.pem` and room for its own files. `set_up` is told of the folder and
    /// the port.
    fn start(program: &str, set_up: impl FnOnce(&mut Command, &str, u16)) -> Option<Self> {
        let interop = std::env::var("CLASP_INTEROP").unwrap_or_default();
        if interop == "off" {
            eprintln!("skipped: switched off by CLASP_INTEROP");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("clasp-applications-{}-{port}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let issued = authority().issue(KeyKind::P256, &["localhost"]);
        fs::write(folder.join("ca.pem"), root()).unwrap();
        fs::write(folder.join("cert.pem"), &issued.chain_pem).unwrap();
        fs::write(folder.join("key.pem"), &issued.key_pem).unwrap();
        let mut command = Command::new(program);
        command.current_dir(&folder).stdout(fs::File::create(folder.join("said")).unwrap()).stderr(Stdio::null());
        set_up(&mut command, folder.to_str().unwrap(), port);
        let Ok(child) = command.spawn() else {
            fs::remove_dir_all(&folder).unwrap();
            assert_ne!(interop, "require", "there is no {program}");
            eprintln!("skipped: there is no {program}");
            return None;
        };
        let mut daemon = Self { child, folder, port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = daemon.child.try_wait().unwrap();
            assert!(
                ended.is_none() && began.elapsed() < Duration::from_secs(20),
                "{program}: {ended:?} {}",
                daemon.said()
            );
            thread::sleep(Duration::from_millis(20));
        }
        Some(daemon)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.join("said")).unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        let _left = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn redis_keeps_what_it_is_told_over_tls() {
    let daemon = Daemon::start("redis-server", |command, folder, port| {
        command.args(["--port", "0", "--bind", "127.0.0.1", "--save", "", "--tls-port", &port.to_string()]);
        command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]);
        command.args(["--tls-auth-clients", "no", "--dir", folder]);
    });
    let Some(daemon) = daemon else { return };
    let roots = redis::TlsCertificates { client_tls: None, root_cert: Some(root().as_bytes().to_vec()) };
    let client = redis::Client::build_with_tls(format!("rediss://localhost:{}/", daemon.port), roots).unwrap();
    let mut connection = client.get_connection().unwrap();
    let long = "x".repeat(100_000);
    redis::cmd("SET").arg("name").arg(&long).exec(&mut connection).unwrap();
    assert_eq!(redis::cmd("GET").arg("name").query::<String>(&mut connection).unwrap(), long);
    assert_no_libssl();
}

#[tokio::test]
async fn rumqttc_hears_what_it_has_published_over_tls() {
    use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
    let daemon = Daemon::start("/usr/sbin/mosquitto", |command, folder, port| {
        let settings = format!(
            "listener {port} 127.0.0.1\ncertfile cert.pem\nkeyfile key.pem\nallow_anonymous true\nuser root\npersistence false\n"
        );
        fs::write(format!("{folder}/mosquitto.conf"), settings).unwrap();
        command.args(["-c", "mosquitto.conf"]);
    });
    let Some(daemon) = daemon else { return };
    let mut options = MqttOptions::new("id", "localhost", daemon.port);
    let tls = TlsConfiguration::SimpleNative { ca: root().as_bytes().to_vec(), client_auth: None };
    options.set_transport(Transport::tls_with_config(tls));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("room", QoS::AtLeastOnce).await.unwrap();
    client.publish("room", QoS::AtLeastOnce, false, "warm").await.unwrap();
    let heard = loop {
        if let Event::Incoming(Packet::Publish(message)) = events.poll().await.unwrap() {
            break message;
        }
    };
    assert_eq!((heard.topic.as_str(), &heard.payload[..]), ("room", &b"warm"[..]));
}

#[test]
fn lettre_hands_mail_to_a_server_that_wants_starttls() {
    use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
    use lettre::{Message, SmtpTransport, Transport};
    let daemon = Daemon::start("/usr/bin/aiosmtpd", |command, _, port| {
        command.env("PYTHONUNBUFFERED", "1");
        command.args(["-n", "-l", &format!("127.0.0.1:{port}"), "-c", "aiosmtpd.handlers.Debugging", "stdout"]);
        command.args(["--tlscert", "cert.pem", "--tlskey", "key.pem"]);
    });
    let Some(daemon) = daemon else { return };
    let root = Certificate::from_pem(root().as_bytes()).unwrap();
    let tls = TlsParameters::builder("localhost".to_owned()).add_root_certificate(root).build().unwrap();
    let mailer = SmtpTransport::builder_dangerous("localhost").port(daemon.port).tls(Tls::Required(tls)).build();
    let (from, to) = ("a@localhost".parse().unwrap(), "b@localhost".parse().unwrap());
    let message = Message::builder().from(from).to(to).subject("over Clasp").body("a letter".to_owned()).unwrap();
    mailer.send(&message).unwrap();
    assert!(daemon.said().contains("a letter"), "{}", daemon.said());
}
