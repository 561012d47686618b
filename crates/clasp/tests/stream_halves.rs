//! A blocking stream in two halves, over a real socket.
#![allow(clippy::unwrap_used)]

use clasp::error::{Cause, Misuse};
use clasp::record::RecordError;
use clasp::wire::code::{AlertDescription, ProtocolVersion};
use clasp::{ClientConfig, Error, Policy, ServerConfig, Stream, StreamReader, StreamWriter};
use clasp_testkit::{KeyKind, authority};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

type Tls = Stream<TcpStream>;

fn configs(policy: Policy) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let identity = authority().issue(KeyKind::P256, &["localhost"]).identity();
    let server = ServerConfig::builder().identity(identity).max_early_data(100).build().unwrap();
    let early = policy.speaks(ProtocolVersion::Tls13);
    let client = ClientConfig::builder().trust(authority().roots()).policy(policy).early_data(early).build().unwrap();
    (client, server)
}

/// Both ends of a socket, before the handshake.
fn ends(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> (Tls, Tls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    (Stream::new(client.connect("localhost".try_into().unwrap()), near), Stream::new(server.accept(), far))
}

/// The same, after it.
fn pair(policy: Policy) -> (Tls, Tls) {
    let (client, server) = configs(policy);
    let (mut near, mut far) = ends(&client, &server);
    let serving = thread::spawn(move || far.handshake().map(|_| far));
    near.handshake().unwrap();
    (near, serving.join().unwrap().unwrap())
}

fn apart(tls: Tls) -> (StreamReader<TcpStream>, StreamWriter<TcpStream>) {
    tls.into_split(TcpStream::try_clone).map_err(|(_, error)| error).unwrap()
}

fn cause(error: &io::Error) -> &Cause {
    Error::from_io(error).unwrap().cause()
}

#[test]
fn megabytes_go_both_ways_at_once() {
    let sent: Arc<Vec<u8>> = Arc::new((0..=250).cycle().take(4_000_000).collect());
    for version in [ProtocolVersion::Tls12, ProtocolVersion::Tls13] {
        let (near, far) = pair(Policy::default().with_versions([version]));
        let halves = [apart(near), apart(far)].map(|(mut reader, mut writer)| {
            let sent = sent.clone();
            let writing = thread::spawn(move || {
                for block in sent.chunks(70_001) {
                    writer.write_all(block).unwrap();
                    assert_eq!(writer.update_keys(true).is_ok(), version == ProtocolVersion::Tls13);
                }
                writer.close().unwrap();
                let refused = writer.write(b"more").unwrap_err();
                assert_eq!(*cause(&refused), Cause::Misuse(Misuse::AlreadyClosed));
                assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
                writer
            });
            let reading = thread::spawn(move || {
                let mut got = Vec::new();
                let lent = reader.fill_buf().unwrap().to_vec();
                reader.consume(lent.len());
                got.extend(lent);
                reader.read_to_end(&mut got).unwrap();
                assert!(reader.connection().peer_closed());
                got
            });
            (writing, reading)
        });
        for (writing, reading) in halves {
            assert!(reading.join().unwrap() == *sent);
            drop(writing.join().unwrap());
        }
    }
}

/// What had been decrypted, and what had been taken to be sent, goes along.
#[test]
fn nothing_that_was_on_its_way_is_lost() {
    let (mut near, mut far) = pair(Policy::default());
    far.write_all(b"first and last").unwrap();
    let mut first = [0; 6];
    near.read_exact(&mut first).unwrap();
    let (mut reader, mut writer) = apart(near);
    let mut last = [0; 8];
    reader.read_exact(&mut last).unwrap();
    assert_eq!((&first, &last), (b"first ", b"and last"));
    writer.write_all(b"answer").unwrap();
    writer.close().unwrap();
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"answer");
}

/// Turns a bit of the first record after the handshake.
struct Bad(TcpStream, bool);

impl Read for Bad {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        if n > 0 && !core::mem::replace(&mut self.1, true) {
            buf[n - 1] ^= 1;
        }
        Ok(n)
    }
}

#[test]
fn where_the_reader_fails_the_writer_tells_the_peer() {
    for by_flush in [true, false] {
        let (mut near, mut far) = pair(Policy::default());
        // The tickets are read before.
        far.write_all(b"x").unwrap();
        near.read_exact(&mut [0]).unwrap();
        let halves = near.into_split(|tcp| Ok(Bad(tcp.try_clone()?, false)));
        let (mut reader, mut writer) = halves.map_err(|(_, error)| error).unwrap();
        far.write_all(b"turned on the way").unwrap();
        let failed = reader.read(&mut [0; 100]).unwrap_err();
        assert_eq!(*cause(&failed), Cause::Record(RecordError::BadMac));
        assert!(writer.is_due());
        let refused = if by_flush { writer.flush().unwrap_err() } else { writer.write(b"data").unwrap_err() };
        assert_eq!(cause(&refused), cause(&failed));
        assert!(!writer.is_due());
        let told = far.read(&mut [0; 100]).unwrap_err();
        assert_eq!(*cause(&told), Cause::Alert(AlertDescription::BadRecordMac));
    }
}

#[test]
fn a_transport_that_is_cut_off_is_no_end() {
    let (near, mut far) = pair(Policy::default());
    let (mut reader, mut writer) = apart(near);
    far.write_all(b"part").unwrap();
    drop(far);
    let mut got = Vec::new();
    assert_eq!(reader.read_to_end(&mut got).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(got, b"part");
    assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::UnexpectedEof, "and stays none");
    // Whether the peer still reads is the transport's to say.
    assert_eq!(writer.write(b"data").unwrap(), 4);
}

/// A reader that finds nothing gives its cipher back, as a whole stream does, and has it again.
#[test]
fn a_reader_may_wait_in_turns() {
    let (near, mut far) = pair(Policy::default());
    let (mut reader, mut writer) = apart(near);
    reader.transport().set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    for round in 0..5_u8 {
        let mut byte = [0xee];
        for _ in 0..2 {
            let nothing = reader.read(&mut byte).unwrap_err().kind();
            assert!(matches!(nothing, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");
        }
        far.write_all(&[round]).unwrap();
        while reader.read(&mut byte).is_err() {}
        assert_eq!(byte, [round]);
        writer.write_all(&[round]).unwrap();
        far.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [round]);
    }
}

#[test]
fn a_stream_that_cannot_be_taken_apart_is_given_back() {
    let (client, server) = configs(Policy::default());
    // The first round gives the client a session, the second has early data.
    for round in 0..2 {
        let (mut near, mut far) = ends(&client, &server);
        let serving = thread::spawn(move || {
            far.handshake().unwrap();
            if round == 1 {
                let (whole, error) = far.into_split(TcpStream::try_clone).map(drop).unwrap_err();
                assert_eq!(*cause(&error), Cause::Misuse(Misuse::CannotSplit));
                far = whole;
                let mut early = [0; 5];
                assert_eq!(far.read_early(&mut early).unwrap(), 5);
                assert_eq!(&early, b"early");
            }
            let (mut reader, mut writer) = apart(far);
            let mut got = Vec::new();
            reader.read_to_end(&mut got).unwrap();
            writer.write_all(&got).unwrap();
            writer.close().unwrap();
        });
        if round == 1 {
            assert_eq!(near.send_early(b"early").unwrap(), 5);
        }
        let (whole, error) = near.into_split(TcpStream::try_clone).map(drop).unwrap_err();
        assert_eq!(*cause(&error), Cause::Misuse(Misuse::HandshakeUnfinished));
        near = whole;
        near.handshake().unwrap();
        let refused = near.into_split(|_| Err::<TcpStream, _>(ErrorKind::Unsupported.into())).map(drop);
        let (whole, error) = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let (mut reader, mut writer) = apart(whole);
        writer.write_all(b"there and back").unwrap();
        writer.close().unwrap();
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        assert_eq!(got, b"there and back");
        serving.join().unwrap();
    }
}
