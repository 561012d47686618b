//! The conversations over real TCP.

use super::cast::{CLASSIC, Cast, MODERN};
use crate::failure::Failure;
use crate::timeline::Conversation;
use crate::trace::Side;
use crate::trace::recorder::Recorder;
use clasp::code::NamedGroup;
use clasp::{ClientConfig, Facts, Resumption, ServerConfig, Stream};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

const REQUEST: &[u8] = b"hello from the client";
const ANSWER: &[u8] = b"hello from the server";
/// Nothing here takes so long; a bug must not hang the demonstration.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn conversations(cast: &Cast) -> Result<Vec<Conversation>, Failure> {
    let plain = cast.server()?.build()?;
    let ticketing = cast.server_with_tickets()?.build()?;
    let asking = cast.server_that_asks()?.build()?;
    let classic = cast.client(CLASSIC).build()?;
    let modern = cast.client(MODERN).build()?;
    let alice = cast.client_with_certificate(MODERN).build()?;
    let fresh = cast.client(MODERN).build()?;
    let middle = cast.man_in_the_middle()?.build()?;
    let resumed = |by: Resumption| move |c: &Talked| c.resumed == Some(by);
    let (today, server13, retrying) =
        (cast.client13().build()?, cast.server13()?.build()?, cast.server_that_retries()?.build()?);
    Ok(vec![
        good(
            "1. RSA key transport, in full: the client encrypts a secret to the server's key",
            &classic,
            &plain,
            |c| c.resumed.is_none(),
        )?,
        good("2. ECDHE, in full: a fresh secret that no key opens later", &modern, &ticketing, |c| {
            c.resumed.is_none()
        })?,
        good("3. With a certificate of the client's", &alice, &asking, |c| c.client_proven)?,
        good("4. Resumed by session ID: the server kept the state", &classic, &plain, resumed(Resumption::SessionId))?,
        good(
            "5. Resumed by ticket: the client kept the state, sealed",
            &modern,
            &ticketing,
            resumed(Resumption::Ticket),
        )?,
        bad(
            "6. A man in the middle, with a certificate of the same name from another CA",
            &fresh,
            &middle,
            None,
            "bad_certificate",
        )?,
        bad("7. A record altered on the way", &fresh, &plain, Some(alter as Alter), "bad_record_mac")?,
        good("8. TLS 1.3, with a hybrid key exchange: safe from quantum computers too", &today, &server13, |c| {
            c.group.is_some_and(NamedGroup::is_hybrid)
        })?,
        good("9. TLS 1.3, resumed by ticket, with a fresh key exchange", &today, &server13, |c| {
            c.resumed == Some(Resumption::Ticket) && c.group.is_some()
        })?,
        good("10. TLS 1.3, the server asking for another key share", &today, &retrying, |c| c.retried)?,
    ])
}

/// What a conversation came to.
struct Talked {
    resumed: Option<Resumption>,
    client_proven: bool,
    group: Option<NamedGroup>,
    retried: bool,
}

/// Both sides of a conversation, and who looks at each.
struct Sides {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    of_client: Arc<Recorder>,
    of_server: Arc<Recorder>,
}

impl Sides {
    fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        let began = SystemTime::now();
        let [of_client, of_server] = [Side::Client, Side::Server].map(|side| Arc::new(Recorder::new(side, began)));
        Self {
            client: Arc::new(ClientConfig::clone(client).with_observer(of_client.clone())),
            server: Arc::new(ServerConfig::clone(server).with_observer(of_server.clone())),
            of_client,
            of_server,
        }
    }

    fn conversation(&self, title: &str, outcome: String, as_expected: bool) -> Conversation {
        Conversation::new(self.of_client.take(title), outcome, as_expected).with_server(self.of_server.take(title))
    }
}

fn good(
    title: &str,
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    expected: impl Fn(&Talked) -> bool,
) -> Result<Conversation, Failure> {
    let sides = Sides::new(client, server);
    let (address, serving) = serve(&sides.server)?;
    let talked = talk(&sides.client, address)?;
    let answered = serving.join().map_err(|_| Failure::cannot("the demo's server stopped"))?;
    let as_expected = answered.is_ok() && expected(&talked);
    let mut outcome = "both directions authenticated, data exchanged, orderly closed".to_string();
    if let Some(by) = talked.resumed {
        outcome += &format!("; resumed by {}", by.name());
    }
    if talked.client_proven {
        outcome += "; the client proved who it is";
    }
    Ok(sides.conversation(title, outcome, as_expected))
}

fn talk(client: &Arc<ClientConfig>, address: SocketAddr) -> Result<Talked, Failure> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_nodelay(true)?;
    let name = "localhost".try_into().map_err(Failure::cannot)?;
    let mut tls = Stream::new(client.connect(name), tcp);
    tls.write_all(REQUEST)?;
    let mut answer = vec![0; ANSWER.len()];
    tls.read_exact(&mut answer)?;
    let facts = tls.handshake()?;
    tls.close()?;
    let mut rest = Vec::new();
    tls.read_to_end(&mut rest)?;
    if answer != ANSWER || !rest.is_empty() {
        return Err(Failure::no("the server's data did not come as it was sent"));
    }
    let Facts { resumed, client_authenticated: client_proven, group, hello_retried: retried, .. } = *facts;
    Ok(Talked { resumed, client_proven, group, retried })
}

type Serving = thread::JoinHandle<io::Result<()>>;

/// Serves one connection.
fn serve(config: &Arc<ServerConfig>) -> Result<(SocketAddr, Serving), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let config = config.clone();
    let serving = thread::spawn(move || {
        let (tcp, _) = listener.accept()?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_nodelay(true)?;
        let mut tls = Stream::new(config.accept(), tcp);
        let result = answer(&mut tls);
        if result.is_err() {
            // Half-close and drain, so that the alert arrives and no reset overtakes it.
            tls.transport().shutdown(Shutdown::Write)?;
            io::copy(tls.transport_mut(), &mut io::sink())?;
        }
        result
    });
    Ok((address, serving))
}

fn answer(tls: &mut Stream<TcpStream>) -> io::Result<()> {
    let mut request = vec![0; REQUEST.len()];
    tls.read_exact(&mut request)?;
    tls.write_all(ANSWER)?;
    tls.read_to_end(&mut Vec::new())?;
    tls.close()
}

type Alter = fn(&mut TcpStream, &mut TcpStream) -> io::Result<()>;

/// A conversation that must fail, with this alert sent by whoever finds out.
fn bad(
    title: &str,
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
    between: Option<Alter>,
    alert: &str,
) -> Result<Conversation, Failure> {
    let sides = Sides::new(client, server);
    let (mut address, serving) = serve(&sides.server)?;
    if let Some(alter) = between {
        let proxy = TcpListener::bind("127.0.0.1:0")?;
        let to = std::mem::replace(&mut address, proxy.local_addr()?);
        thread::spawn(move || -> io::Result<()> {
            let (mut from, _) = proxy.accept()?;
            let mut to = TcpStream::connect(to)?;
            let (mut back_from, mut back_to) = (to.try_clone()?, from.try_clone()?);
            thread::spawn(move || {
                io::copy(&mut back_from, &mut back_to).and_then(|_| back_to.shutdown(Shutdown::Write))
            });
            alter(&mut from, &mut to)
        });
    }
    let seen = talk(&sides.client, address);
    let served = serving.join().map_err(|_| Failure::cannot("the demo's server stopped"))?;
    let mut conversation = sides.conversation(title, String::new(), false);
    let told = conversation.events.iter().any(|e| e.what == format!("fatal alert {alert}"));
    let (as_expected, outcome) = match (seen, served) {
        (Err(client), Err(server)) => {
            let server = Failure::from_io(server);
            let finder = if between.is_some() { &server } else { &client };
            (told, format!("refused: {}", finder.message()))
        }
        _ => (false, "it was taken".into()),
    };
    conversation.conclude(outcome, as_expected);
    // Whoever alters a record has no lane: it answers nothing of its own.
    conversation.trace.man_in_the_middle = between.is_none();
    Ok(conversation)
}

/// Passes records on, and flips one bit in the first with application data.
fn alter(from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
    const APPLICATION_DATA: u8 = 23;
    let mut header = [0; 5];
    while from.read_exact(&mut header).is_ok() {
        let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        from.read_exact(&mut body)?;
        if header[0] == APPLICATION_DATA
            && let Some(byte) = body.last_mut()
        {
            *byte ^= 1;
        }
        to.write_all(&header)?;
        to.write_all(&body)?;
    }
    to.shutdown(Shutdown::Write)
}
