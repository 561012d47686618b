//! Whether an answer of HTTP/1.1 is whole (RFC 9112 8): an end with close_notify is the server's, and it may have lost half of it.

use crate::failure::Failure;

/// More headers, or longer ones, than a server sends.
const MOST_HEADERS: usize = 256;
const LONGEST_HEAD: usize = 256 * 1024;
/// Longer than a chunk's size with its extensions, or a trailer.
const LONGEST_LINE: usize = 16 * 1024;

/// Looks at what passes by.
#[derive(Default)]
pub(super) struct HttpResponse {
    came: bool,
    next: Next,
    /// What belongs to a head or a line that goes on.
    open: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Head,
    /// So many bytes of the body.
    Body(u64),
    /// The size of a chunk; its data and the line end behind them; trailers.
    Size,
    Chunk(u64),
    Trailer,
    /// Whatever comes until the end. Of what is no HTTP nothing can be said.
    Anything,
}

impl HttpResponse {
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        self.came |= !bytes.is_empty();
        while !bytes.is_empty() {
            bytes = match self.next {
                Next::Body(0) | Next::Anything => return,
                Next::Body(left) => self.pass(bytes, left, Next::Body),
                Next::Chunk(left) => {
                    self.pass(bytes, left, |left| if left == 0 { Next::Size } else { Next::Chunk(left) })
                }
                Next::Head | Next::Size | Next::Trailer => {
                    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |at| at + 1);
                    let (line, rest) = bytes.split_at(end);
                    self.open.extend_from_slice(line);
                    self.line();
                    rest
                }
            };
        }
    }

    fn pass<'b>(&mut self, bytes: &'b [u8], left: u64, next: impl Fn(u64) -> Next) -> &'b [u8] {
        let some = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.next = next(left.saturating_sub(u64::try_from(some).unwrap_or(left)));
        bytes.get(some..).unwrap_or_default()
    }

    /// Looks at the head or the line that may have its end now.
    fn line(&mut self) {
        let longest = if self.next == Next::Head { LONGEST_HEAD } else { LONGEST_LINE };
        let next = match self.next {
            _ if self.open.len() > longest => Some(Next::Anything),
            _ if self.open.last() != Some(&b'\n') => None,
            Next::Head => self.head(),
            Next::Size => Some(match httparse::parse_chunk_size(&self.open) {
                Ok(httparse::Status::Complete((_, 0))) => Next::Trailer,
                Ok(httparse::Status::Complete((_, size))) => Next::Chunk(size.saturating_add(2)),
                _ => Next::Anything,
            }),
            _ if self.open.trim_ascii().is_empty() => Some(Next::Body(0)),
            other => Some(other),
        };
        if let Some(next) = next {
            self.next = next;
            self.open.clear();
        }
    }

    /// What comes behind a head, where it has its end.
    fn head(&self) -> Option<Next> {
        // A head ends with an empty line: it is read once, not with each line.
        if !self.open.ends_with(b"\r\n\r\n") && !self.open.ends_with(b"\n\n") && self.open.starts_with(b"HTTP/") {
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let Ok(httparse::Status::Complete(_)) = head.parse(&self.open) else { return Some(Next::Anything) };
        let values = |name: &'static str| {
            head.headers.iter().filter(move |h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.trim_ascii())
        };
        Some(match head.code {
            Some(101) => Next::Anything,
            Some(100..=199) => Next::Head,
            Some(204 | 304) => Next::Body(0),
            _ if values("transfer-encoding").any(|v| v.to_ascii_lowercase().ends_with(b"chunked")) => Next::Size,
            _ => match values("content-length").map(length).max() {
                Some(Some(length)) => Next::Body(length),
                Some(None) | None => Next::Anything,
            },
        })
    }

    /// What is missing at the end of the connection.
    pub(super) fn end(&self) -> Result<(), Failure> {
        let missing = match self.next {
            _ if !self.came => "the server closed the connection and answered nothing".into(),
            Next::Body(0) | Next::Anything => return Ok(()),
            Next::Body(left) => format!("the answer ends {left} bytes before its Content-Length"),
            Next::Head if !self.open.is_empty() && !self.open.starts_with(b"HTTP/") => return Ok(()),
            Next::Head => "the answer ends within its head".into(),
            Next::Size | Next::Chunk(_) | Next::Trailer => "the answer ends before its last chunk".into(),
        };
        Err(Failure::no(missing).hint("the server closed in good order: what is missing was lost behind it"))
    }
}

fn length(value: &[u8]) -> Option<u64> {
    core::str::from_utf8(value).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_is_not_whole_however_it_comes() {
        for (answer, whole) in [
            ("", false),
            ("HTTP/1.1 200 OK\r\nContent-Le", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 50\r\n\r\nab", false),
            ("HTTP/1.0 200 ok\n\nanything", true),
            ("HTTP/1.1 204 None\r\n\r\n", true),
            ("HTTP/1.1 103 Early\r\n\r\n", false),
            ("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nab", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", false),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n", true),
            ("no HTTP at all", true),
            ("GET / HTTP/1.1\r\nHost: an.echo\r\n\r\n", true),
        ] {
            for size in [1, 2, 7, answer.len().max(1)] {
                let mut seen = HttpResponse::default();
                answer.as_bytes().chunks(size).for_each(|piece| seen.take(piece));
                assert_eq!(seen.end().is_ok(), whole, "{answer:?} by {size}: {:?}", seen.next);
            }
        }
    }
}
