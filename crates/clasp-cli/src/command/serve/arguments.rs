//! The options of `clasp serve`.

use crate::negotiation::Negotiation;
use std::path::PathBuf;

const HELP: &str = "\
Examples:
  clasp serve                             a status page; makes a CA and a certificate for localhost
  clasp serve site --listen 0.0.0.0:8443 --cert server.pem --key server-key.pem
  clasp serve --client-ca ca/root.pem --json
  clasp serve --echo --policy legacy --tls 1.2
  clasp serve site --http3
  clasp serve --early-data 16384 --groups X25519MLKEM768,x25519
With --client-ca a client's chain and its use are checked, and not whether it is revoked: no list is looked at. Certificates that end
soon do without (clasp ca issue --days 1). The profiles are those of clasp verify --help.
SIGTERM or Ctrl-C: what has begun is finished within --drain seconds; a second one ends it at once.
SIGHUP: the --cert and --key files are read again; so they are when they have changed (they are looked at every 10 seconds).
Connections that there are go on, and what cannot be read changes nothing.
Exit codes: 0 stopped by a signal; 2 could not begin";

/// An HTTPS server for a directory, or a status page that shows what was negotiated.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The directory to serve; a status page without one. What begins with a dot is not served (but for .well-known), nor what
    /// holds a private key in its first 16 MB: PEM, DER, base64 of DER, JWK, PuTTY's and age's, PKCS #12. What is hidden in an
    /// archive, or encrypted in another way, is not known for one
    pub(super) dir: Option<PathBuf>,
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:4433")]
    pub(super) listen: String,
    /// A certificate chain (PEM); may be repeated, chosen by server name and the client's algorithms
    #[arg(long, value_name = "FILE")]
    pub(super) cert: Vec<PathBuf>,
    /// The private key of the --cert at the same place
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Vec<PathBuf>,
    /// The file with the password of the --key, where it is encrypted, or of the PKCS #12 archive that --cert and --key both name
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) key_password_file: Option<PathBuf>,
    /// A key for Encrypted Client Hello, as `clasp ech keygen` makes them; of several the first is told to clients whose configuration is
    /// out of date
    #[arg(long, value_name = "FILE")]
    pub(super) ech: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) negotiation: Negotiation,
    /// Whether clients are asked for a certificate: require where there is a --client-ca, and off without
    #[arg(long, value_parser = ["off", "request", "require"])]
    pub(super) client_auth: Option<String>,
    /// The CA of clients' certificates (PEM), or `any`; without --client-auth, clients must have one
    #[arg(long, value_name = "FILE|any")]
    pub(super) client_ca: Option<String>,
    /// How strict to be with clients' chains: web-pki, rfc5280 or legacy [default: rfc5280]
    #[arg(long, requires = "client_ca")]
    pub(super) profile: Option<String>,
    /// Application protocols, best first
    #[arg(long, value_delimiter = ',', default_value = "h2,http/1.1", conflicts_with = "echo")]
    pub(super) alpn: Vec<String>,
    /// Speak HTTP/3 too: the same port over UDP, which the answers over TCP tell of (Alt-Svc). The limits are the same, and a
    /// connection is one, over TCP or UDP
    #[arg(long, conflicts_with = "echo")]
    pub(super) http3: bool,
    /// Session tickets after a handshake of TLS 1.3, each for one connection more; 0 gives none, in TLS 1.2 neither [default: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=32))]
    pub(super) tickets: Option<u8>,
    /// Bytes of memory for sessions by ID; 0 keeps none [default: 16777216]
    #[arg(long, value_name = "BYTES")]
    pub(super) session_cache: Option<usize>,
    /// Take up to this many bytes of early data (0-RTT); what comes so can be a replay
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(super) early_data: u32,
    /// Move our keys on after each handshake, and ask the client to do the same (TLS 1.3)
    #[arg(long)]
    pub(super) keyupdate: bool,
    /// Whether clients of TLS 1.2 must know of secure renegotiation (RFC 5746): `require` or `any` [default: as the policy has it]
    #[arg(long, value_parser = ["require", "any"])]
    pub(super) secure_renegotiation: Option<String>,
    /// How long a connection may stand without a whole request; with --echo, without a byte
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = seconds())]
    pub(super) keep_alive: u64,
    /// How long a client may take nothing of what it has asked for
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = seconds(), conflicts_with = "echo")]
    pub(super) send_timeout: u64,
    /// Connections at once; more wait until one ends
    #[arg(long, value_name = "N", default_value_t = 16_384, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) max_connections: u32,
    /// How long what has begun may go on after SIGTERM or Ctrl-C; a second one ends it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub(super) drain: u64,
    /// Send back what comes instead of speaking HTTP
    #[arg(long, conflicts_with = "dir")]
    pub(super) echo: bool,
    /// Append the secrets to FILE (SSLKEYLOGFILE format)
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
    /// Log each connection as a line of JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
    /// Log the connections that fail, and no others
    #[arg(long)]
    pub(super) quiet: bool,
}

/// A number of seconds; a day is as good as for ever.
fn seconds() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=86_400)
}
