//! HTTP over a pipe, on a clock of its own.

use super::super::files::Files;
use super::*;
use tokio::io::{AsyncReadExt, BufReader, DuplexStream, duplex};
use tokio::task::JoinHandle;

const LIMIT: Duration = Duration::from_secs(15);
const SEND_LIMIT: Duration = Duration::from_secs(60);
const REQUEST: &[u8] = b"GET /page.txt HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A page of so many bytes, and a pipe that takes so many.
struct Site {
    directory: tempfile::TempDir,
    page: String,
}

type Pipe = Prefixed<BufReader<DuplexStream>>;

impl Site {
    fn new(size: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let page: String = ('a'..='z').cycle().take(size).collect();
        std::fs::write(directory.path().join("page.txt"), &page).unwrap();
        Self { directory, page }
    }

    fn service(&self) -> Service {
        let files = Files::new(self.directory.path(), []).unwrap();
        let (pages, stop, backlog) = (Pages::Files(Arc::new(files)), Stop::never(), Backlog::default());
        Service { pages, limit: LIMIT, send_limit: SEND_LIMIT, stop, backlog, alt_svc: None }
    }

    /// Reads an answer, which must be the page.
    async fn hear(&self, client: &mut DuplexStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        let mut page = vec![0; self.page.len()];
        client.read_exact(&mut page).await.unwrap();
        assert!(page == self.page.as_bytes());
    }
}

fn pipe(room: usize) -> (DuplexStream, Pipe) {
    let (client, server) = duplex(room);
    (client, Prefixed::new(Vec::new(), BufReader::new(server)))
}

fn start1(site: &Site, pipe: Pipe) -> JoinHandle<Result<(), Failure>> {
    tokio::spawn(http1(site.service(), pipe))
}

#[tokio::test(start_paused = true)]
async fn one_that_was_put_to_rest_serves_its_next_request() {
    let site = Site::new(100);
    let (mut client, server) = pipe(1 << 16);
    let service = site.service();
    client.write_all(REQUEST).await.unwrap();
    let (rested, ()) = tokio::join!(requests(&service, server, Instant::now()), site.hear(&mut client));
    let (server, since) = rested.unwrap().expect("the stream comes back");
    assert!(since.elapsed() <= 2 * LOOK);

    // What was read of the next request is not lost.
    let (half, rest) = REQUEST.split_at(REQUEST.len() / 2);
    let served = tokio::spawn(http1(service, server.behind(half)));
    tokio::time::sleep(5 * LOOK).await;
    client.write_all(rest).await.unwrap();
    site.hear(&mut client).await;
    drop(client);
    assert!(served.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn half_a_request_that_was_read_with_the_one_before_is_not_lost() {
    let site = Site::new(100);
    let (mut client, server) = pipe(1 << 16);
    let served = start1(&site, server);
    let (half, rest) = REQUEST.split_at(10);
    client.write_all(&[REQUEST, half].concat()).await.unwrap();
    site.hear(&mut client).await;
    tokio::time::sleep(5 * LOOK).await;
    client.write_all(rest).await.unwrap();
    site.hear(&mut client).await;
    // And whole ones behind one another.
    client.write_all(&REQUEST.repeat(20)).await.unwrap();
    for _ in 0..20 {
        site.hear(&mut client).await;
    }
    drop(client);
    assert!(served.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_its_side_behind_a_request_gets_the_answer() {
    let site = Site::new(100);
    let (mut client, server) = pipe(1 << 16);
    client.write_all(REQUEST).await.unwrap();
    client.shutdown().await.unwrap();
    let served = start1(&site, server);
    site.hear(&mut client).await;
    assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
    assert!(served.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_slowly_is_not_cut() {
    let site = Site::new(100_000);
    let (mut client, server) = pipe(64);
    let served = start1(&site, server);
    client.write_all(REQUEST).await.unwrap();
    tokio::time::sleep(2 * LIMIT).await;
    site.hear(&mut client).await;
    drop(client);
    assert!(served.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_cut_off_and_a_slow_one_is_not() {
    // More than is held for anybody.
    let site = Site::new(1_000_000);
    let (mut client, server) = pipe(64);
    let served = start1(&site, server);
    client.write_all(REQUEST).await.unwrap();
    let begun = Instant::now();
    let Err(failure) = served.await.unwrap() else { panic!("the server waits no longer") };
    assert!(failure.message().contains("took nothing of its answer for 60 s"), "{}", failure.message());
    assert!(begun.elapsed() >= SEND_LIMIT && begun.elapsed() <= SEND_LIMIT + 2 * LOOK, "{:?}", begun.elapsed());

    let (mut client, server) = pipe(64);
    let served = start1(&site, server);
    client.write_all(REQUEST).await.unwrap();
    let mut heard = vec![0; 100_000];
    // 2 KB a second.
    for _ in 0..8 {
        tokio::time::sleep(SEND_LIMIT * 5 / 6).await;
        client.read_exact(&mut heard).await.unwrap();
    }
    let mut rest = Vec::new();
    client.take(250_000).read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > 199_000 && served.await.unwrap().is_ok());
}

/// The end of a long answer, which the socket has still to send.
#[tokio::test(start_paused = true)]
async fn an_answer_whose_end_has_not_left_is_not_cut() {
    let site = Site::new(100);
    for moves in [true, false] {
        let (mut client, server) = pipe(1 << 16);
        let service = site.service();
        let backlog = service.backlog.clone();
        backlog.set(true);
        let served = tokio::spawn(http1(service, server));
        client.write_all(REQUEST).await.unwrap();
        site.hear(&mut client).await;
        for wait in 1..=3 {
            tokio::time::sleep(SEND_LIMIT * 2 / 3).await;
            assert_eq!(served.is_finished(), !moves && wait > 1, "{wait}");
            backlog.take(usize::from(moves));
        }
        let Err(failure) = served.await.unwrap() else { panic!("what does not leave is not waited for without end") };
        assert!(failure.message().contains("took nothing of its answer for 60 s"), "{}", failure.message());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_finishes_what_it_has_begun() {
    let site = Site::new(1_000_000);
    let (stop, asked) = Stop::new();
    let (mut client, server) = pipe(64);
    let served = tokio::spawn(http1(Service { stop: asked.clone(), ..site.service() }, server));
    client.write_all(REQUEST).await.unwrap();
    let mut front = [0; 100];
    client.read_exact(&mut front).await.unwrap();
    stop.ask();
    tokio::time::sleep(10 * LOOK).await;
    let mut all = front.to_vec();
    client.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(site.page.as_bytes()), "{}", all.len());
    assert!(served.await.unwrap().is_ok());

    // One that rests is closed at once.
    let (mut client, server) = pipe(1 << 16);
    let served = tokio::spawn(http1(Service { stop: asked, ..site.service() }, server));
    let begun = Instant::now();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(begun.elapsed() <= LOOK && served.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_limit_ends_a_connection_that_rests() {
    for requests in [0, 1, 3] {
        let site = Site::new(100);
        let (mut client, server) = pipe(1 << 16);
        let served = start1(&site, server);
        for _ in 0..requests {
            tokio::time::sleep(LIMIT - 2 * LOOK).await;
            client.write_all(REQUEST).await.unwrap();
            site.hear(&mut client).await;
        }
        let begun = Instant::now();
        assert_eq!(client.read(&mut [0; 10]).await.unwrap(), 0);
        assert!(begun.elapsed() >= LIMIT - LOOK && begun.elapsed() <= LIMIT + 2 * LOOK, "{:?}", begun.elapsed());
        assert!(served.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_ends_a_request_that_comes_byte_by_byte() {
    for before in [0, 1] {
        let site = Site::new(100);
        let (mut client, server) = pipe(1 << 16);
        let served = start1(&site, server);
        for _ in 0..before {
            client.write_all(REQUEST).await.unwrap();
            site.hear(&mut client).await;
        }
        let begun = Instant::now();
        for byte in REQUEST.iter().cycle().take_while(|b| **b != b'\r').cycle() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if client.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        assert!(begun.elapsed() <= LIMIT + Duration::from_secs(2), "{:?}", begun.elapsed());
        let Err(failure) = served.await.unwrap() else { panic!("the server says that it was too late") };
        assert!(failure.message().contains("no whole request in 15 s"), "{}", failure.message());
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_ends_http2_with_a_goodbye() {
    let site = Site::new(100);
    let (mut client, server) = pipe(1 << 16);
    let served = tokio::spawn(http2(site.service(), server));
    // RFC 9113 3.4: the preface is a line and settings; and an acknowledgement of theirs.
    client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0").await.unwrap();
    let begun = Instant::now();
    // RFC 9113 6.8: a first goodbye, and a last one once no request can be on its way any more.
    let mut goodbyes = 0;
    while goodbyes < 2 {
        // RFC 9113 4.1: length, type, flags, stream.
        let mut head = [0; 9];
        client.read_exact(&mut head).await.unwrap();
        let mut body = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        client.read_exact(&mut body).await.unwrap();
        match head[3] {
            // PING, by which hyper learns that: it is answered.
            6 => client.write_all(&[&[0, 0, 8, 6, 1, 0, 0, 0, 0], &body[..]].concat()).await.unwrap(),
            // GOAWAY
            7 => goodbyes += 1,
            _ => {}
        }
    }
    assert!(begun.elapsed() >= LIMIT);
    client.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(served.await.unwrap().is_ok());
    assert!(begun.elapsed() <= LIMIT + 2 * LOOK);
}
