//! Certificates, backends and clients to put a proxy between.

use clasp::{ClientConfig, Identity, Roots, ServerConfig, Stream};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Nothing takes longer.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// An authority, and whom it has named: files, each with its key in `NAME-key.pem`.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Root");
        std::fs::write(folder.path().join("root.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let stage = Self { folder, issuer: Issuer::new(params, key) };
        stage.issue("localhost", "", vec![dns("localhost"), SanType::IpAddress([127, 0, 0, 1].into())]);
        stage
    }

    /// Names somebody, for either side.
    pub(crate) fn issue(&self, name: &str, common: &str, names: Vec<SanType>) {
        self.issue_for([1975, 4096], name, common, names);
    }

    /// From the first day of one year to that of another.
    pub(crate) fn issue_for(&self, years: [i32; 2], name: &str, common: &str, names: Vec<SanType>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        [params.not_before, params.not_after] = years.map(|year| rcgen::date_time_ymd(year, 1, 1));
        params.subject_alt_names = names;
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !common.is_empty() {
            params.distinguished_name.push(DnType::CommonName, common);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.path(&format!("{name}.pem")), certificate.pem()).unwrap();
        std::fs::write(self.path(&format!("{name}-key.pem")), key.serialize_pem()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().into()
    }

    pub(crate) fn identity(&self, name: &str) -> Identity {
        Identity::from_pem_files(self.path(&format!("{name}.pem")), self.path(&format!("{name}-key.pem"))).unwrap()
    }

    pub(crate) fn roots(&self) -> Arc<Roots> {
        let mut roots = Roots::empty();
        roots.add_pem(&std::fs::read(self.path("root.pem")).unwrap()).unwrap();
        Arc::new(roots)
    }

    /// A client, with the certificate of this name if it is one.
    pub(crate) fn client(&self, identity: &str) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder().trust(self.roots());
        let builder = if identity.is_empty() { builder } else { builder.identity(self.identity(identity)) };
        builder.build().unwrap()
    }

    /// A line of options in which `{NAME}` is a file here, and `{id}` the certificate of localhost.
    pub(crate) fn fill(&self, line: &str) -> Vec<String> {
        let line = line.replace("{id}", "--cert {localhost.pem} --key {localhost-key.pem}");
        let word = |word: &str| match word.split_once('{').zip(word.split_once('}')) {
            Some(((before, _), (_, after))) => {
                let name = &word[before.len() + 1..word.len() - after.len() - 1];
                format!("{before}{}{after}", self.file(name))
            }
            None => word.to_owned(),
        };
        line.split_whitespace().map(word).collect()
    }

    /// A proxy with these options.
    pub(crate) fn proxy(&self, line: &str) -> crate::common::Served {
        let words = self.fill(line);
        crate::common::proxy(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

pub(crate) fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

pub(crate) fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// A socket that waits for nobody without end.
pub(crate) fn tcp(address: &str) -> TcpStream {
    let tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(LONG)).unwrap();
    tcp.set_write_timeout(Some(LONG)).unwrap();
    tcp
}

pub(crate) fn connect(config: &Arc<ClientConfig>, name: &str, address: &str) -> Stream<TcpStream> {
    Stream::new(config.connect(name.to_owned().try_into().unwrap()), tcp(address))
}

/// Says something to its end, and hears the answer to its end.
pub(crate) fn ask(tls: &mut Stream<TcpStream>, words: &[u8]) -> io::Result<Vec<u8>> {
    tls.write_all(words)?;
    tls.close()?;
    let mut heard = Vec::new();
    tls.read_to_end(&mut heard)?;
    Ok(heard)
}

/// A backend: each client is served by `serve`, on a thread of its own.
pub(crate) fn backend(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            tcp.set_read_timeout(Some(LONG)).unwrap();
            thread::spawn(move || serve(tcp));
        }
    });
    address
}

/// What a backend that shouts back does with whatever it can read and write.
pub(crate) fn shout(stream: &mut (impl Read + Write)) {
    let mut heard = Vec::new();
    if stream.read_to_end(&mut heard).is_ok() {
        // A client that has gone hears nothing.
        let _unheard = stream.write_all(&heard.to_ascii_uppercase());
    }
}

/// A backend that reads to the end, and then shouts it back.
pub(crate) fn shouting() -> SocketAddr {
    backend(|mut tcp| shout(&mut tcp))
}

/// The same, over TLS; it says how it sees the client.
pub(crate) fn shouting_tls(config: Arc<ServerConfig>) -> SocketAddr {
    backend(move |tcp| {
        let mut tls = Stream::new(config.accept(), tcp);
        let mut heard = Vec::new();
        let Ok(facts) = tls.handshake() else { return };
        if tls.read_to_end(&mut heard).is_err() {
            return;
        }
        let who: Vec<String> = facts.peer_identifiers().iter().map(ToString::to_string).collect();
        let alpn = facts.alpn.clone().unwrap_or_default();
        let said =
            format!("{} {who:?} {}", String::from_utf8_lossy(&heard).to_uppercase(), String::from_utf8_lossy(&alpn));
        let _unheard = tls.write_all(said.as_bytes());
        let _closed = tls.close();
    })
}
