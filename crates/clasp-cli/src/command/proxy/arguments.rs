//! The options of `clasp proxy`.

use super::header::Version;
use super::settings::{Ask, Form, ListenerSettings, RouteSettings, Settings};
use crate::negotiation::Negotiation;
use std::path::{Path, PathBuf};

const HELP: &str = "\
Examples:
  clasp proxy --listen :8443 --to 127.0.0.1:8080 --cert chain.pem --key key.pem
  clasp proxy --listen :8443 --to unix:/run/app.sock --cert chain.pem --key key.pem --client-ca clients.pem --allow-uri spiffe://a.test/web
  clasp proxy --listen 127.0.0.1:5433 --to db.example:5432 --originate --ca ca.pem --client-cert me.pem --client-key me-key.pem
  clasp proxy --listen :8443 --to 10.0.0.2:8443 --cert chain.pem --key key.pem --originate --name app.internal --ca ca.pem
  clasp proxy --config proxy.toml --check && clasp proxy --config proxy.toml
SIGHUP: the file and the certificates are read again; connections that there are go on.
SIGTERM or Ctrl-C: nobody new is taken, and what has begun may go on for --drain seconds; a second one ends it at once.
Exit codes: 0 stopped by a signal; 2 could not begin";

/// What a file says itself.
#[rustfmt::skip]
const NOT_BESIDE_A_FILE: [&str; 33] = [
    "listen", "to", "cert", "key", "key_password_file", "policy", "tls",
    "groups", "alpn", "client_ca", "client_auth", "profile", "allow_cn", "allow_san",
    "allow_uri", "originate", "name", "ca", "client_cert", "client_key",
    "proxy_from", "send_proxy", "client_cert_header", "max_connections", "max_handshakes", "handshake_timeout", "idle_timeout", "connect_timeout", "drain", "watch", "log",
    "quiet", "admin",
];

/// TLS in front of what speaks none, and for what speaks none.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// A file (TOML) that says all of it, for several listeners and routes
    #[arg(long, value_name = "FILE", conflicts_with_all = NOT_BESIDE_A_FILE)]
    config: Option<PathBuf>,
    /// Say whether it could begin, and what it would do, and end
    #[arg(long)]
    check: bool,
    /// Where clients come: HOST:PORT, :PORT (every address), unix:PATH, or systemd:0 (a socket that was passed)
    #[arg(long, value_name = "ADDRESS", required_unless_present = "config")]
    listen: Option<String>,
    /// Where they go: HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS", required_unless_present = "config")]
    to: Option<String>,
    /// The certificate chain that clients see (PEM); may be repeated, chosen by server name and the client's algorithms
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,
    /// The private key of the --cert at the same place
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The file with the password of the --key, where it is encrypted, or of the PKCS #12 archive that --cert and --key both name
    #[arg(long, value_name = "FILE", requires = "key")]
    key_password_file: Option<PathBuf>,
    #[command(flatten)]
    negotiation: Negotiation,
    /// Application protocols, best first. The backend of --originate is offered what was agreed with the client, or all of them to
    /// a client without TLS
    #[arg(long, value_delimiter = ',')]
    alpn: Vec<String>,
    /// The CA of clients' certificates (PEM); clients must have one then
    #[arg(long, value_name = "FILE", requires = "cert")]
    client_ca: Option<PathBuf>,
    /// Whether clients must have a certificate, or are only asked for one [default: require]
    #[arg(long, requires = "client_ca")]
    client_auth: Option<Ask>,
    /// How strict to be with clients' chains: web-pki, rfc5280 or legacy [default: rfc5280]
    #[arg(long, requires = "client_ca")]
    profile: Option<String>,
    /// Let in clients whose certificate has this common name, and no other. Of all --allow-... one has to fit
    #[arg(long, value_name = "NAME", requires = "client_ca")]
    allow_cn: Vec<String>,
    /// Let in clients whose certificate has this subjectAltName: a DNS name, an IP address or an e-mail address
    #[arg(long, value_name = "NAME", requires = "client_ca")]
    allow_san: Vec<String>,
    /// Let in clients whose certificate has this URI, such as a SPIFFE ID; `*` stands for one segment of its path, `**` at the end for
    /// any number
    #[arg(long, value_name = "URI", requires = "client_ca")]
    allow_uri: Vec<String>,
    /// Speak TLS to the backend
    #[arg(long)]
    originate: bool,
    /// The name that the backend's certificate has to be for [default: the host of --to]
    #[arg(long, requires = "originate")]
    name: Option<String>,
    /// Whom to trust for the backend: a CA (PEM); may be repeated [default: the system's]
    #[arg(long, value_name = "FILE", requires = "originate")]
    ca: Vec<PathBuf>,
    /// The certificate chain that the backend sees (PEM)
    #[arg(long, value_name = "FILE", requires = "originate", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Networks from which each client begins with a PROXY header (v1 or v2), which says who it is: 10.0.0.0/8, an address, or unix
    #[arg(long, value_name = "NETWORK", value_delimiter = ',')]
    proxy_from: Vec<String>,
    /// Tell the backend who the client is, by a PROXY header
    #[arg(long, value_name = "VERSION")]
    send_proxy: Option<Version>,
    /// Speak HTTP/1.1 with both sides, and tell the backend the client's certificate in the header Client-Cert (RFC 9440); what clients say
    /// there themselves is taken away
    #[arg(long, requires = "client_ca")]
    client_cert_header: bool,
    /// Connections at once; more wait until one ends
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,
    /// Handshakes with clients at once; who has said hello waits for a place
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_handshakes: u32,
    /// How long a client may take for its hello, and then for the rest of its handshake; the backend, for its own
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = seconds())]
    handshake_timeout: u64,
    /// How long a connection may stand without a byte
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = seconds())]
    idle_timeout: u64,
    /// How long the backend may take to be there
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = seconds())]
    connect_timeout: u64,
    /// How long what has begun may go on after SIGTERM or Ctrl-C
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    drain: u64,
    /// How often the certificates (and the --config) are looked at, and read again where they have changed; 0: on SIGHUP alone
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    watch: u64,
    /// Where metrics (/metrics, for Prometheus) and health (/healthz, /readyz) are told over plain HTTP: an address for ourselves alone
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// How connections are logged, a line each
    #[arg(long, default_value = "text")]
    log: Form,
    /// Log the connections that fail, and no others
    #[arg(long)]
    quiet: bool,
}

/// A number of seconds; a day is as good as for ever.
fn seconds() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=86_400)
}

impl Arguments {
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    pub(super) fn check(&self) -> bool {
        self.check
    }

    /// The same as a file would say it: one listener, and one route.
    pub(super) fn settings(&self) -> Settings {
        let route = RouteSettings {
            names: Vec::new(),
            match_alpn: Vec::new(),
            to: self.to.clone().unwrap_or_default(),
            pass_through: false,
            cert: self.cert.clone(),
            key: self.key.clone(),
            key_password_file: self.key_password_file.clone(),
            policy: Some(self.negotiation.policy_name().into()),
            tls: self.negotiation.version().map(Into::into),
            groups: self.negotiation.groups().to_vec(),
            alpn: self.alpn.clone(),
            client_ca: self.client_ca.clone(),
            client_auth: self.client_auth,
            profile: self.profile.clone(),
            allow_cn: self.allow_cn.clone(),
            allow_san: self.allow_san.clone(),
            allow_uri: self.allow_uri.clone(),
            originate: self.originate,
            name: self.name.clone(),
            ca: self.ca.clone(),
            client_cert: self.client_cert.clone(),
            client_key: self.client_key.clone(),
            send_proxy: self.send_proxy,
            client_cert_header: self.client_cert_header,
        };
        Settings {
            log: self.log,
            quiet: self.quiet,
            admin: self.admin.clone(),
            max_connections: self.max_connections,
            max_handshakes: self.max_handshakes,
            handshake_timeout: self.handshake_timeout,
            idle_timeout: self.idle_timeout,
            connect_timeout: self.connect_timeout,
            drain: self.drain,
            watch: self.watch,
            listener: vec![ListenerSettings {
                listen: self.listen.clone().unwrap_or_default(),
                proxy_from: self.proxy_from.clone(),
                route: vec![route],
            }],
        }
    }
}
