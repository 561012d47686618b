//! Mail, a store, queues and web sockets.
#![allow(clippy::unwrap_used)]

mod common;

use clasp::Stream;
use clasp_testkit::words;
use common::{Tls, assert_no_libssl, line, lines, listen, listen_tls, root, server_config};
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

fn root_certificate() -> native_tls::Certificate {
    native_tls::Certificate::from_pem(root().as_bytes()).unwrap()
}

fn connector() -> native_tls::TlsConnector {
    native_tls::TlsConnector::builder().add_root_certificate(root_certificate()).build().unwrap()
}

/// A mail server's words, from the greeting or from EHLO on.
fn smtp(tls: Tls, greets: bool, mail: &Sender<String>) {
    let mut tls = lines(tls);
    if greets {
        tls.get_mut().write_all(b"220 here\r\n").unwrap();
    }
    loop {
        let command = line(&mut tls);
        let answer = match command.split(' ').next().unwrap() {
            "EHLO" => "250 here",
            "DATA" => {
                tls.get_mut().write_all(b"354 go on\r\n").unwrap();
                let text: Vec<String> = core::iter::repeat_with(|| line(&mut tls)).take_while(|l| l != ".").collect();
                mail.send(text.join("\n")).unwrap();
                "250 taken"
            }
            "QUIT" | "" => break,
            _ => "250 yes",
        };
        tls.get_mut().write_all(format!("{answer}\r\n").as_bytes()).unwrap();
    }
}

fn lettre_sends(tls: lettre::transport::smtp::client::Tls, port: u16) -> Result<(), String> {
    use lettre::{Message, SmtpTransport, Transport};
    let message = Message::builder()
        .from("a@localhost".parse().unwrap())
        .to("b@localhost".parse().unwrap())
        .subject("over Clasp")
        .body("a letter".to_owned())
        .unwrap();
    let mailer = SmtpTransport::builder_dangerous("localhost").port(port).tls(tls).build();
    mailer.send(&message).map(drop).map_err(|error| words(&error))
}

#[test]
fn lettre_sends_mail_over_tls_and_by_starttls() {
    use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
    let parameters = |trusts: bool| {
        let builder = TlsParameters::builder("localhost".to_owned());
        let root = Certificate::from_pem(root().as_bytes()).unwrap();
        if trusts { builder.add_root_certificate(root) } else { builder }.build().unwrap()
    };
    let (mail, inbox) = channel();
    let implicit = mail.clone();
    let port = listen_tls(move |tls| smtp(tls, true, &implicit));
    lettre_sends(Tls::Wrapper(parameters(true)), port).unwrap();
    assert!(inbox.recv().unwrap().ends_with("a letter"));
    let refused = lettre_sends(Tls::Wrapper(parameters(false)), port).unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");

    let config = server_config(&[]);
    let port = listen(move |mut tcp: TcpStream| {
        tcp.write_all(b"220 here\r\n").unwrap();
        let mut reader = BufReader::new(tcp.try_clone().unwrap());
        while line(&mut reader) != "STARTTLS" {
            tcp.write_all(b"250-here\r\n250 STARTTLS\r\n").unwrap();
        }
        tcp.write_all(b"220 go on\r\n").unwrap();
        assert!(reader.buffer().is_empty());
        smtp(Stream::new(config.accept(), tcp), false, &mail);
    });
    lettre_sends(Tls::Required(parameters(true)), port).unwrap();
    assert!(inbox.recv().unwrap().contains("Subject: over Clasp"));
    assert_no_libssl();
}

#[test]
fn redis_asks_over_tls() {
    let port = listen_tls(|tls| {
        let mut tls = lines(tls);
        // Each command is an array of strings. All are answered with the last word.
        while let Some(count) = line(&mut tls).strip_prefix('*').and_then(|n| n.parse::<usize>().ok()) {
            let words: Vec<String> = (0..count)
                .map(|_| {
                    line(&mut tls);
                    line(&mut tls)
                })
                .collect();
            tls.get_mut().write_all(format!("+{}\r\n", words.last().unwrap()).as_bytes()).unwrap();
        }
    });
    let ask = |client: redis::Client| {
        let mut connection = client.get_connection()?;
        redis::cmd("ECHO").arg("hello").query::<String>(&mut connection)
    };
    let url = format!("rediss://localhost:{port}/");
    let roots = redis::TlsCertificates { client_tls: None, root_cert: Some(root().as_bytes().to_vec()) };
    assert_eq!(ask(redis::Client::build_with_tls(url.as_str(), roots).unwrap()).unwrap(), "hello");
    let refused = words(&ask(redis::Client::open(url.as_str()).unwrap()).unwrap_err());
    assert!(refused.contains("certificate"), "{refused}");
    assert_eq!(ask(redis::Client::open(format!("{url}#insecure")).unwrap()).unwrap(), "hello");
}

/// MQTT 3.1.1: CONNECT is answered with CONNACK.
#[tokio::test]
async fn rumqttc_connects_over_tls() {
    use rumqttc::{AsyncClient, Event, MqttOptions, Packet, TlsConfiguration, Transport};
    let port = listen_tls(|mut tls| {
        let mut head = [0; 2];
        tls.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 0x10, "CONNECT");
        tls.read_exact(&mut vec![0; head[1].into()]).unwrap();
        tls.write_all(&[0x20, 2, 0, 0]).unwrap();
        // Until the client goes.
        let _cut = tls.read(&mut [0]);
    });
    let mut options = MqttOptions::new("id", "localhost", port);
    let tls = TlsConfiguration::SimpleNative { ca: root().as_bytes().to_vec(), client_auth: None };
    options.set_transport(Transport::tls_with_config(tls));
    let (_client, mut events) = AsyncClient::new(options, 10);
    assert!(matches!(events.poll().await.unwrap(), Event::Incoming(Packet::ConnAck(_))));
}

#[tokio::test]
async fn tokio_tungstenite_speaks_web_sockets() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::{self, Message};
    use tokio_tungstenite::{Connector, connect_async_tls_with_config};
    let port = listen_tls(|tls| {
        let mut socket = tungstenite::accept(tls).unwrap();
        let word = socket.read().unwrap();
        socket.send(word).unwrap();
        let _closed = socket.read();
    });
    let connector = Connector::NativeTls(connector());
    let url = format!("wss://localhost:{port}/");
    let (mut socket, _) = connect_async_tls_with_config(url, None, false, Some(connector)).await.unwrap();
    let word = Message::text("x".repeat(100_000));
    socket.send(word.clone()).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), word);
    socket.close(None).await.unwrap();
}
