//! For the examples: a private authority and a server on loopback, in place of files and of a real host.

use clasp::{Identity, Roots, ServerConfig, Stream};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) type Result<T = ()> = core::result::Result<T, Box<dyn core::error::Error + Send + Sync>>;

/// An authority of one's own.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "An authority for an example");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        Ok(Self { pem: params.self_signed(&key)?.pem(), issuer: Issuer::new(params, key) })
    }

    /// What those who trust it hold: the content of its `ca.pem`.
    pub(crate) fn roots(&self) -> Result<Roots> {
        let mut roots = Roots::empty();
        roots.add_pem(self.pem.as_bytes())?;
        Ok(roots)
    }

    /// A certificate for a name, and its key.
    pub(crate) fn issue(&self, name: &str) -> Result<Identity> {
        let (certificate, key) = self.issue_pem(name)?;
        Ok(Identity::from_pem(certificate.as_bytes(), key.as_bytes())?)
    }

    /// The same, as the content of their files.
    pub(crate) fn issue_pem(&self, name: &str) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// A server of as many clients as come, one after the other. What it answered stands in what it gives.
pub(crate) fn serve(
    config: &Arc<ServerConfig>,
    clients: usize,
    answer: impl Fn(&mut Stream<TcpStream>) -> Result<String> + Send + 'static,
) -> Result<(SocketAddr, JoinHandle<Vec<Result<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, config) = (listener.local_addr()?, config.clone());
    let one = move |tcp: TcpStream| {
        tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut tls = Stream::new(config.accept(), tcp);
        let words = answer(&mut tls)?;
        tls.write_all(words.as_bytes())?;
        tls.close()?;
        Ok(words)
    };
    Ok((address, thread::spawn(move || listener.incoming().take(clients).map(|tcp| one(tcp?)).collect())))
}

/// All that the other side sends before it says that it is done.
pub(crate) fn rest(tls: &mut impl Read) -> Result<String> {
    let mut text = String::new();
    tls.read_to_string(&mut text)?;
    Ok(text)
}
