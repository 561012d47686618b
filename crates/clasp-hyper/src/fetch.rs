//! Issuers' certificates over plain HTTP.

use clasp::Answer;
use clasp::config::FetchIssuer;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

/// For one certificate, name and all.
const TIME: Duration = Duration::from_secs(5);
/// A certificate, with room to spare.
const BYTES: usize = 64 << 10;
/// Where certificates say that their issuers are, but for few.
const HTTP: u16 = 80;

/// Fetches issuers for [`MissingIssuers`](clasp::config::MissingIssuers): one request of plain HTTP for each, which takes five
/// seconds and 64 KiB at most. No redirect is followed, and no port but 80 and no address of a private network is gone to, unless that
/// is said: whoever sends a certificate chooses where this goes.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use clasp::config::MissingIssuers;
/// use clasp::{ClientConfig, Roots};
/// use clasp_hyper::HttpFetch;
/// let chains = MissingIssuers::new(Roots::native()?, HttpFetch::new());
/// let config = ClientConfig::builder().trust_fetching(chains).build()?;
/// # drop(config); Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct HttpFetch {
    runtime: Handle,
    time: Duration,
    bytes: usize,
    private: bool,
    any_port: bool,
}

impl HttpFetch {
    /// On the tokio runtime in which it is made.
    ///
    /// # Panics
    /// Outside a tokio runtime; see [`on`](Self::on).
    #[expect(clippy::new_without_default, reason = "it panics where there is no runtime")]
    pub fn new() -> Self {
        Self::on(Handle::current())
    }

    /// On this runtime, which has IO and timers. Connections may be driven elsewhere, by a blocking
    /// [`Stream`](clasp::Stream) too.
    pub fn on(runtime: Handle) -> Self {
        Self { runtime, time: TIME, bytes: BYTES, private: false, any_port: false }
    }

    /// How long one may take, from the name's address to the last byte.
    #[must_use]
    pub fn time(self, limit: Duration) -> Self {
        Self { time: limit, ..self }
    }

    /// How long one may be, in bytes.
    #[must_use]
    pub fn bytes(self, limit: usize) -> Self {
        Self { bytes: limit, ..self }
    }

    /// Whether addresses of private networks, and of this machine, are gone to: for an authority that has its server there. Off by
    /// default.
    #[must_use]
    pub fn private_addresses(self, yes: bool) -> Self {
        Self { private: yes, ..self }
    }

    /// Whether other ports than 80, HTTP's own, are gone to. Off by default: what listens there may take a request for one of its
    /// own protocol's.
    #[must_use]
    pub fn any_port(self, yes: bool) -> Self {
        Self { any_port: yes, ..self }
    }

    async fn get(&self, address: &str) -> io::Result<Vec<u8>> {
        let uri: Uri = address.parse().map_err(io::Error::other)?;
        let tcp = self.connect(&uri).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.map_err(io::Error::other)?;
        let asking = async {
            let target = uri.path_and_query().map_or("/", |path| path.as_str());
            let host = uri.authority().map_or("", |authority| authority.as_str());
            let request = Request::builder().method(Method::GET).uri(target);
            let request = request.header(header::HOST, host).header(header::CONNECTION, "close");
            let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
            let answer = sender.send_request(request).await.map_err(io::Error::other)?;
            if answer.status() != StatusCode::OK {
                return Err(io::Error::other(format!("the answer {}", answer.status())));
            }
            let body = Limited::new(answer.into_body(), self.bytes).collect().await.map_err(io::Error::other)?;
            Ok(body.to_bytes().to_vec())
        };
        let (asked, driven) = (std::pin::pin!(asking), std::pin::pin!(connection));
        tokio::select! {
            biased;
            body = asked => body,
            // The rest of the answer may be there already.
            Err(error) = driven => Err(io::Error::other(error)),
        }
    }

    async fn connect(&self, uri: &Uri) -> io::Result<TcpStream> {
        let host = uri.host().unwrap_or_default();
        // RFC 3986 3.2.2: an IPv6 address stands in brackets.
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = uri.port_u16().unwrap_or(HTTP);
        if port != HTTP && !self.any_port {
            let error = format!("port {port} of {host} is not HTTP's own (any_port)");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
        }
        let found = tokio::net::lookup_host((bare, port)).await?;
        let allowed: Vec<SocketAddr> = found.filter(|place| self.private || is_public(place.ip())).collect();
        if allowed.is_empty() {
            let error = format!("{host} has no address but of a private network (private_addresses)");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
        }
        TcpStream::connect(&allowed[..]).await
    }
}

impl FetchIssuer for HttpFetch {
    fn fetch<'a>(&'a self, address: &'a str) -> Answer<'a, io::Result<Vec<u8>>> {
        let (this, address) = (self.clone(), address.to_owned());
        let asked = self.runtime.spawn(async move {
            match tokio::time::timeout(this.time, this.get(&address)).await {
                Ok(got) => got,
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {:?}", this.time))),
            }
        });
        Answer::later(async { asked.await.map_err(io::Error::other)? })
    }
}

/// Whether it may be anybody's: none of those that the registries keep for private networks, one link, one machine, many at
/// once, or a protocol of their own (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public4(v4),
        IpAddr::V6(v6) => is_public6(v6),
    }
}

fn is_public4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special =
        v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || v4.is_documentation();
    // "This network", what providers share behind one address (RFC 6598), and what is reserved, broadcast among it.
    let special = special || a == 0 || a == 100 && (64..128).contains(&b) || a >= 240;
    // Assignments of protocols, relays to IPv6 (RFC 7526), benchmarks (RFC 2544).
    !(special || (a, b, c) == (192, 0, 0) || (a, b, c) == (192, 88, 99) || a == 198 && (18..20).contains(&b))
}

fn is_public6(v6: Ipv6Addr) -> bool {
    let [first, second, ..] = v6.segments();
    // Of all the rest none is given to anybody (RFC 4291 2.4).
    let global = first & 0xe000 == 0x2000;
    // Assignments of protocols, 2001::/23, Teredo among them; for documents, 2001:db8::/32 and 3fff::/20; and 2002::/16, which
    // leads to addresses of IPv4.
    let special = first == 0x2001 && (second < 0x200 || second == 0xdb8) || first == 0x2002;
    global && !(special || first == 0x3fff && second < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_others() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "192.0.2.1",
            "192.0.0.8",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "::10.0.0.1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:20::1",
            "3fff::1",
            "5f00::1",
            "64:ff9b:1::1",
            "fec0::1",
        ];
        let public = [
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2001:200::1",
            "3fff:1000::1",
            "2606:4700::1111",
            "2001:4860::8888",
        ];
        for (addresses, wanted) in [(&private[..], false), (&public, true)] {
            for address in addresses {
                assert_eq!(
                    is_public(address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
                    wanted,
                    "{address}"
                );
            }
        }
    }
}
