//! The conversations over real TCP.

use super::cast::{CLASSIC, Cast, MODERN};
use crate::failure::Failure;
use crate::timeline::Conversation;
use crate::trace::Side;
use crate::trace::recorder::Recorder;
use clasp::code::NamedGroup;
use clasp::config::{Admission, ClientHelloFacts, Ready, ServerBuilder};
use clasp::{Answer, ClientConfig, Facts, Resumption, ServerConfig, Stream};
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
        middle(cast)?,
        altered("7. A record altered on the way", &cast.client(MODERN).build()?, &plain)?,
        good("8. TLS 1.3, with a hybrid key exchange: safe from quantum computers too", &today, &server13, |c| {
            c.group.is_some_and(NamedGroup::is_hybrid)
        })?,
        good("9. TLS 1.3, resumed by ticket, with a fresh key exchange", &today, &server13, |c| {
            c.resumed == Some(Resumption::Ticket) && c.group.is_some()
        })?,
        good("10. TLS 1.3, the server asking for another key share", &today, &retrying, |c| c.retried)?,
    ])
}

/// Somebody stands between, and is found out.
pub(super) fn middle(cast: &Cast) -> Result<Conversation, Failure> {
    refused(
        "6. A man in the middle, with a certificate of the same name from another CA",
        &cast.client(MODERN).build()?,
        (cast.man_in_the_middle()?, &cast.client(MODERN).build()?),
        &cast.server()?.build()?,
    )
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
        Self::since(SystemTime::now(), client, server)
    }

    fn since(began: SystemTime, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
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

/// What a man in the middle does before he answers a client: he asks the real server, who has no reason to refuse him.
struct Asks {
    server: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Admission for Asks {
    fn admit<'a>(&'a self, _: &'a ClientHelloFacts) -> Answer<'a, clasp::Result<()>> {
        // What he learns there is of no use to him: the certificate has a key that he has not.
        let _learned = self.ask();
        Answer::Now(Ok(()))
    }
}

impl Asks {
    fn ask(&self) -> io::Result<()> {
        let tcp = TcpStream::connect(self.server)?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        let name = "localhost".try_into().map_err(io::Error::other)?;
        let mut tls = Stream::new(self.config.connect(name), tcp);
        tls.write_all(REQUEST)?;
        tls.read_exact(&mut vec![0; ANSWER.len()])?;
        tls.close()
    }
}

/// A conversation with somebody in the middle, whose certificate the client refuses.
fn refused(
    title: &str,
    client: &Arc<ClientConfig>,
    (middle, of_middle): (ServerBuilder<Ready>, &Arc<ClientConfig>),
    server: &Arc<ServerConfig>,
) -> Result<Conversation, Failure> {
    let began = SystemTime::now();
    let far = Sides::since(began, of_middle, server);
    let (real, behind) = serve(&far.server)?;
    let middle = middle.admission(Arc::new(Asks { server: real, config: far.client.clone() })).build()?;
    let near = Sides::since(began, client, &middle);
    let (address, serving) = serve(&near.server)?;
    let seen = talk(&near.client, address);
    let served = serving.join().map_err(|_| Failure::cannot("the demo's man in the middle stopped"))?;
    let answered = behind.join().map_err(|_| Failure::cannot("the demo's server stopped"))?;
    let mut conversation = near.conversation(title, String::new(), false);
    let (good, outcome) = match (seen, served, answered) {
        (Err(why), Err(_), Ok(())) => (told(&conversation, "bad_certificate"), format!("refused: {}", why.message())),
        _ => (false, "it was taken".into()),
    };
    conversation.conclude(outcome, good);
    let beyond = far.conversation(title, String::new(), true).trace;
    conversation.trace.beyond(beyond);
    Ok(conversation)
}

fn told(conversation: &Conversation, alert: &str) -> bool {
    conversation.events.iter().any(|e| e.what == format!("fatal alert {alert}"))
}

/// A conversation with somebody on the way who alters a record: he has no lane, as he answers nothing of his own.
fn altered(title: &str, client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<Conversation, Failure> {
    let sides = Sides::new(client, server);
    let (to, serving) = serve(&sides.server)?;
    let proxy = TcpListener::bind("127.0.0.1:0")?;
    let address = proxy.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        let (mut from, _) = proxy.accept()?;
        let mut to = TcpStream::connect(to)?;
        let (mut back_from, mut back_to) = (to.try_clone()?, from.try_clone()?);
        thread::spawn(move || io::copy(&mut back_from, &mut back_to).and_then(|_| back_to.shutdown(Shutdown::Write)));
        alter(&mut from, &mut to)
    });
    let seen = talk(&sides.client, address);
    let served = serving.join().map_err(|_| Failure::cannot("the demo's server stopped"))?;
    let mut conversation = sides.conversation(title, String::new(), false);
    let (good, outcome) = match (seen, served) {
        (Err(_), Err(server)) => {
            let found = Failure::from_io(server);
            (told(&conversation, "bad_record_mac"), format!("refused: {}", found.message()))
        }
        _ => (false, "it was taken".into()),
    };
    conversation.conclude(outcome, good);
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
