//! What can be seen of connections.

use clasp::config::{ClientBuilder, Ready, ServerBuilder};
use clasp::trace::{Observation, Observer, What};
use clasp::wire::code::HandshakeType;
use clasp::{ClientConfig, ServerConfig};
use clasp_testkit::{ManualClock, Pair};
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When connections begin, in seconds since 1970.
pub(crate) const NOW: u64 = 1_780_000_000;

/// Writes down messages and records.
#[derive(Default)]
struct Scribe(Mutex<String>);

/// Fields that are never twice the same: what is random, and what hangs on it. A ticket of TLS 1.2 is all its extension holds.
const RANDOM: &[&str] =
    &["random", "session_id", "key_exchange", "identity", "obfuscated_ticket_age", "PskBinderEntry", "extension_data"];

impl Observer for Scribe {
    fn observe(&self, seen: &Observation<'_>) {
        let mut text = self.0.lock().unwrap();
        match &seen.what {
            What::Message { direction, kind, bytes, .. } => {
                writeln!(text, "{direction:?} {kind}, {} bytes", bytes.len()).unwrap();
                for field in seen.what.fields().fields {
                    let secret = [HandshakeType::CertificateVerify, HandshakeType::NewSessionTicket].contains(kind)
                        || [HandshakeType::ServerKeyExchange, HandshakeType::ClientKeyExchange].contains(kind)
                        || *kind == HandshakeType::Finished;
                    // A value of GREASE is one of sixteen.
                    let grease = field.value.starts_with("GREASE");
                    let value = match () {
                        () if secret || RANDOM.contains(&field.name) => format!("{} bytes", field.bytes.len()),
                        () if grease => "GREASE".to_owned(),
                        () => field.value,
                    };
                    writeln!(text, "  {}: {value}", field.name).unwrap();
                }
            }
            What::Record { direction, content, plain_len, wire_len, .. } => {
                writeln!(text, "{direction:?} {content}, {plain_len} in {wire_len}").unwrap();
            }
            What::Resumed { by } => writeln!(text, "resumed by {by}").unwrap(),
            What::ChangeCipherSpec { direction } => writeln!(text, "{direction:?} ChangeCipherSpec").unwrap(),
            What::Alert { direction, alert, .. } => writeln!(text, "{direction:?} {alert}").unwrap(),
            _ => {}
        }
    }
}

/// Two connections, one a minute after the other. The server's clock runs a second a minute ahead of the client's.
pub(crate) fn look(client: ClientBuilder<Ready>, server: ServerBuilder<Ready>) -> String {
    let (of_client, of_server) = (ManualClock::at(NOW), ManualClock::at(NOW));
    let client = client.clock(Arc::new(of_client.clone()));
    let server = server.clock(Arc::new(of_server.clone()));
    look_by(&client.build().unwrap(), &server.build().unwrap(), || {
        of_client.advance(Duration::from_secs(60));
        of_server.advance(Duration::from_secs(61));
    })
}

/// The same of configurations as they are.
pub(crate) fn look_by(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>, between: impl Fn()) -> String {
    let scribe = Arc::new(Scribe::default());
    let client = Arc::new(ClientConfig::clone(client).with_observer(scribe.clone()));
    for _ in 0..2 {
        let mut pair = Pair::new(&client, server);
        let early = pair.client.early_data_left();
        pair.drive_one_client_flight().unwrap();
        if early > 0 {
            pair.client.send_early(b"early", &mut pair.to_server).unwrap();
        }
        let result = pair.drive().map_err(|e| e.to_string());
        let sent = pair.client_sends(&[7; 3000]).and_then(|()| pair.server_sends(&[8; 3000]));
        let asked = pair.server.request_certificate(&mut pair.to_client);
        let ended = pair.drive().map_err(|e| e.to_string());
        let words = |r: Result<(), clasp::Error>| r.map_err(|e| e.to_string());
        let mut text = scribe.0.lock().unwrap();
        writeln!(text, "{result:?} {:?} {:?} {ended:?}", words(sent), words(asked)).unwrap();
        for side in [&pair.client, &pair.server] {
            writeln!(text, "{:?}\n{:?}", side.facts(), side.failure().map(ToString::to_string)).unwrap();
        }
        writeln!(text, "{} and {} bytes came", pair.server_data.len(), pair.client_data.len()).unwrap();
        drop(text);
        between();
    }
    let text = scribe.0.lock().unwrap();
    text.clone()
}
