//! The words before TLS begins, in protocols that start without it.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A protocol that can be asked to begin TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum StartTls {
    Smtp,
    Imap,
    Pop3,
    Ftp,
    Ldap,
    Postgres,
    Mysql,
    Xmpp,
}

/// No greeting is longer.
const MOST: usize = 64 * 1024;

/// Says what has to be said, until TLS can begin.
///
/// Each byte is read by itself where lines are read: what follows the last line belongs to TLS.
pub(crate) async fn start<T>(protocol: StartTls, stream: &mut T, host: Option<&str>) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    match protocol {
        StartTls::Smtp => {
            replies(stream, "220").await?;
            stream.write_all(b"EHLO clasp.invalid\r\n").await?;
            replies(stream, "250").await?;
            stream.write_all(b"STARTTLS\r\n").await?;
            replies(stream, "220").await
        }
        StartTls::Ftp => {
            replies(stream, "220").await?;
            stream.write_all(b"AUTH TLS\r\n").await?;
            replies(stream, "234").await
        }
        StartTls::Imap => {
            wanted(&line(stream).await?, "* OK")?;
            stream.write_all(b"a1 STARTTLS\r\n").await?;
            until_line(stream, "a1 ", "a1 OK").await
        }
        StartTls::Pop3 => {
            wanted(&line(stream).await?, "+OK")?;
            stream.write_all(b"STLS\r\n").await?;
            wanted(&line(stream).await?, "+OK")
        }
        StartTls::Postgres => {
            // SSLRequest: its length, and the number that stands for it.
            stream.write_all(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]).await?;
            match stream.read_u8().await? {
                b'S' => Ok(()),
                other => Err(refused(&char::from(other).to_string(), "S")),
            }
        }
        StartTls::Ldap => ldap(stream).await,
        StartTls::Mysql => mysql(stream).await,
        StartTls::Xmpp => xmpp(stream, host).await,
    }
}

fn refused(seen: &str, wanted: &str) -> io::Error {
    let seen = crate::terminal::shown(seen);
    io::Error::other(format!("STARTTLS: the server said {seen:?}; wanted {wanted}"))
}

fn wanted(line: &str, start: &str) -> io::Result<()> {
    if line.starts_with(start) { Ok(()) } else { Err(refused(line, start)) }
}

async fn line<T: AsyncRead + Unpin>(stream: &mut T) -> io::Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MOST {
        match stream.read_u8().await? {
            b'\n' => break,
            b'\r' => {}
            byte => bytes.push(byte),
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Lines of SMTP and FTP: a code, and a hyphen behind it in all but the last.
async fn replies<T: AsyncRead + Unpin>(stream: &mut T, code: &str) -> io::Result<()> {
    for _line in 0..100 {
        let line = line(stream).await?;
        // FTP may have lines between that have no code.
        if line.get(3..4) == Some("-") || line.starts_with(' ') {
            continue;
        }
        return wanted(&line, code);
    }
    Err(refused("a hundred lines without an end", code))
}

async fn until_line<T: AsyncRead + Unpin>(stream: &mut T, tag: &str, good: &str) -> io::Result<()> {
    for _line in 0..100 {
        let line = line(stream).await?;
        if line.starts_with(tag) {
            return wanted(&line, good);
        }
    }
    Err(refused("a hundred lines without an end", good))
}

/// An ExtendedRequest of 1.3.6.1.4.1.1466.20037 (RFC 4511 4.14), and its response.
async fn ldap<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> io::Result<()> {
    const OID: &[u8] = b"1.3.6.1.4.1.1466.20037";
    let request = [&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16][..], OID].concat();
    stream.write_all(&request).await?;
    let mut header = [0; 2];
    stream.read_exact(&mut header).await?;
    let length = match (header[0], header[1]) {
        (0x30, short @ 0..=0x7f) => usize::from(short),
        (0x30, 0x81) => usize::from(stream.read_u8().await?),
        (0x30, 0x82) => usize::from(stream.read_u16().await?),
        (0x30, 0x84) => usize::try_from(stream.read_u32().await?).unwrap_or(MOST + 1),
        _ => return Err(refused(&format!("{header:02x?}"), "an LDAP message")),
    };
    if length > MOST {
        return Err(refused("a message that is too long", "an ExtendedResponse"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    // messageID, [APPLICATION 24], and the resultCode, an ENUMERATED: 0 is success.
    let response = body.iter().position(|byte| *byte == 0x78).and_then(|at| body.get(at..)).unwrap_or_default();
    match response.windows(3).find(|window| window.starts_with(&[10, 1])) {
        Some([.., 0]) => Ok(()),
        _ => Err(refused("that it does not begin TLS", "resultCode success")),
    }
}

/// The server's greeting, and an SSLRequest with CLIENT_SSL among its capabilities.
async fn mysql<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> io::Result<()> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).await?;
    let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    if length > MOST {
        return Err(refused("a greeting that is too long", "MySQL's"));
    }
    let mut greeting = vec![0; length];
    stream.read_exact(&mut greeting).await?;
    if greeting.first() != Some(&10) {
        return Err(refused(&String::from_utf8_lossy(&greeting), "a greeting of version 10"));
    }
    // Behind the version's text: thread id, eight bytes and a zero, and the lower capabilities.
    let behind = greeting.iter().position(|byte| *byte == 0).map_or(0, |at| at + 1 + 4 + 8 + 1);
    let capable = greeting.get(behind + 1).is_some_and(|byte| byte & 0x08 != 0);
    if !capable {
        return Err(refused("no CLIENT_SSL", "that it speaks TLS"));
    }
    // CLIENT_PROTOCOL_41, CLIENT_SSL, CLIENT_SECURE_CONNECTION; packets of up to 16 MB; utf8.
    let mut request = vec![0x20, 0, 0, header[3].wrapping_add(1), 0x00, 0x8a, 0, 0, 0, 0, 0, 1, 33];
    request.extend_from_slice(&[0; 23]);
    stream.write_all(&request).await
}

/// RFC 6120 5.4.
async fn xmpp<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T, host: Option<&str>) -> io::Result<()> {
    let to = host.map_or_else(String::new, |host| format!(" to='{host}'"));
    let open = format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'{to} version='1.0'>"
    );
    stream.write_all(open.as_bytes()).await?;
    let features = until_text(stream, &["</stream:features>", "</stream:stream>"]).await?;
    if !features.contains("urn:ietf:params:xml:ns:xmpp-tls") {
        return Err(refused("no starttls among its features", "<starttls/>"));
    }
    stream.write_all(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    let answer = until_text(stream, &[">"]).await?;
    if answer.contains("<proceed") { Ok(()) } else { Err(refused(&answer, "<proceed/>")) }
}

async fn until_text<T: AsyncRead + Unpin>(stream: &mut T, ends: &[&str]) -> io::Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < MOST {
        bytes.push(stream.read_u8().await?);
        if ends.iter().any(|end| bytes.ends_with(end.as_bytes())) {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dialogue: what the server says at each point, and what it must have heard before.
    async fn dialogue(protocol: StartTls, says: &[(&[u8], &[u8])]) -> io::Result<()> {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let says: Vec<(Vec<u8>, Vec<u8>)> = says.iter().map(|(heard, said)| (heard.to_vec(), said.to_vec())).collect();
        let server = tokio::spawn(async move {
            for (heard, said) in says {
                let mut bytes = vec![0; heard.len()];
                theirs.read_exact(&mut bytes).await.unwrap();
                assert_eq!(bytes, heard, "{}", String::from_utf8_lossy(&bytes));
                theirs.write_all(&said).await.unwrap();
            }
            theirs
        });
        let outcome = start(protocol, &mut ours, Some("a.example")).await;
        if outcome.is_ok() {
            // What comes next is TLS's.
            let mut theirs = server.await.unwrap();
            theirs.write_all(b"\x16").await.unwrap();
            assert_eq!(ours.read_u8().await.unwrap(), 0x16);
        }
        outcome
    }

    #[tokio::test]
    async fn every_protocol_gets_to_where_tls_begins() {
        let ehlo: &[u8] = b"EHLO clasp.invalid\r\n";
        let smtp: [(&[u8], &[u8]); 3] = [
            (b"", b"220-hello\r\n220 there\r\n"),
            (ehlo, b"250-a.example\r\n250 STARTTLS\r\n"),
            (b"STARTTLS\r\n", b"220 go\r\n"),
        ];
        dialogue(StartTls::Smtp, &smtp).await.unwrap();
        dialogue(StartTls::Ftp, &[(b"", b"220-a\r\n more\r\n220 b\r\n"), (b"AUTH TLS\r\n", b"234 ok\r\n")])
            .await
            .unwrap();
        dialogue(StartTls::Imap, &[(b"", b"* OK\r\n"), (b"a1 STARTTLS\r\n", b"* x\r\na1 OK\r\n")]).await.unwrap();
        dialogue(StartTls::Pop3, &[(b"", b"+OK\r\n"), (b"STLS\r\n", b"+OK\r\n")]).await.unwrap();
        dialogue(StartTls::Postgres, &[(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f], b"S")]).await.unwrap();
        let ldap = [&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16][..], b"1.3.6.1.4.1.1466.20037"].concat();
        let success = [0x30, 0x0c, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0];
        dialogue(StartTls::Ldap, &[(&ldap, &success)]).await.unwrap();
        let mut greeting = [&[0; 4][..], b"\x0a8.0\0", &[1, 2, 3, 4], &[7; 8], &[0, 0xff, 0xff, 33]].concat();
        greeting[0] = u8::try_from(greeting.len() - 4).unwrap();
        let request = [&[0x20, 0, 0, 1, 0, 0x8a, 0, 0, 0, 0, 0, 1, 33][..], &[0; 23]].concat();
        dialogue(StartTls::Mysql, &[(b"", &greeting), (&request, b"")]).await.unwrap();
        let open = b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0'>";
        let features = b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
        let ask = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
        dialogue(StartTls::Xmpp, &[(open, features), (ask, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")])
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_refusal_says_what_was_seen_and_wanted() {
        let refusal = dialogue(StartTls::Pop3, &[(b"", b"-ERR \x1b[2Jno\r\n")]).await.unwrap_err();
        assert_eq!(refusal.to_string(), "STARTTLS: the server said \"-ERR \\\\u{1b}[2Jno\"; wanted +OK");
        dialogue(StartTls::Postgres, &[(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f], b"N")]).await.unwrap_err();
        dialogue(StartTls::Imap, &[(b"", b"* OK\r\n"), (b"a1 STARTTLS\r\n", b"a1 BAD\r\n")]).await.unwrap_err();
    }
}
