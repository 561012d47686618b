//! The options of `clasp connect`.

use crate::negotiation::Negotiation;
use clasp::config::KeyPin;
use std::path::PathBuf;

const HELP: &str = "\
Examples:
  clasp connect example.com:443 --get /
  clasp connect localhost:4433 --ca ca/root.pem --resume
  clasp connect example.com --http3 --get /
  clasp connect 192.0.2.7:443 --servername camera.example --policy legacy
  clasp connect localhost:4433 --ca ca/root.pem --get / --resume --early-data
  clasp connect camera.local:443 --insecure --pin sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
  clasp connect hidden.example:443 --get / --ech AED+DQA8...
  echo hello | clasp connect localhost:4433 --ca ca/root.pem
Of revocation, what the server staples is looked at: one that says revoked is refused, and a certificate that demands one must have
it. No list is looked at: clasp verify --crl does that. The profiles are those of clasp verify --help.
Words go to stderr, the peer's data to stdout. After the end of stdin the answer is waited for: --wait.
Exit codes: 0 spoken; 1 refused by either side, cut off, or no answer; 2 could not try";

/// Speak TLS to HOST:PORT: says what was negotiated on stderr, then joins stdin and stdout to the connection.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) peer: Peer,
    /// Fetch PATH by HTTP/1.1, or with --http3 by HTTP/3, instead of joining stdin and stdout
    #[arg(long, value_name = "PATH")]
    pub(super) get: Option<String>,
    /// Say what was negotiated as JSON on stdout, then close
    #[arg(long, conflicts_with = "get")]
    pub(super) json: bool,
    /// How long the server may be silent after the end of stdin before we say close_notify, which makes many servers drop
    /// their answer; 0 says it at once
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = seconds(0), conflicts_with_all = ["get", "json"])]
    pub(super) wait: u64,
    /// Speak HTTP/3, over QUIC: with --get or --json. The port may be missing, and is 443 then
    #[arg(long, conflicts_with_all = ["wait", "resume", "early_data", "keyupdate", "alpn", "ech"])]
    pub(super) http3: bool,
    /// Reconnect with the session, and say whether it was taken
    #[arg(long)]
    pub(super) resume: bool,
    /// Send the request of --get as early data (0-RTT) when reconnecting: an attacker can make it arrive twice
    #[arg(long, requires = "resume", requires = "get")]
    pub(super) early_data: bool,
    /// Hide whom we ask for (Encrypted Client Hello): a file with the server's ECHConfigList, or the list in base64, as it stands behind
    /// ech= in its HTTPS record; or grease: only look like it; or off [default: off]
    #[arg(long, value_name = "FILE|BASE64|grease|off")]
    pub(super) ech: Option<String>,
    /// Move our keys on after the handshake, and ask the server to do the same (TLS 1.3)
    #[arg(long, conflicts_with = "json")]
    pub(super) keyupdate: bool,
}

/// Whom to speak to, and how: what every command has that is a client.
#[derive(clap::Args, Clone)]
pub(crate) struct Peer {
    /// Whom to connect to
    #[arg(value_name = "HOST:PORT")]
    pub(crate) target: String,
    /// How long the server may keep us waiting: for the connection, the handshake, each part of an answer, and room for what we send
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = seconds(1))]
    pub(crate) timeout: u64,
    /// Trust the CAs of this PEM file instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
    /// How strict to be with the server's chain: web-pki (the public web), rfc5280 (private authorities) or legacy (old devices)
    /// [default: rfc5280 for --ca, web-pki for the system's roots]
    #[arg(long, conflicts_with = "insecure")]
    pub(crate) profile: Option<String>,
    /// Let the common name of the server's certificate stand in for missing subjectAltNames
    #[arg(long, conflicts_with = "insecure")]
    pub(crate) common_name: bool,
    /// Have the server have this key, besides a trusted chain; with --insecure in place of one. sha256// and the digest of its
    /// SubjectPublicKeyInfo in base64, as for curl; several are several that it may have
    #[arg(long, value_name = "PIN", value_delimiter = ';')]
    pub(crate) pin: Vec<KeyPin>,
    /// A certificate for servers that ask for one (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// The file with the password of this key, where it is encrypted, or of the PKCS #12 archive that --cert and --key both name
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) key_password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) negotiation: Negotiation,
    /// Take these signature schemes alone, such as ecdsa_secp256r1_sha256,rsa_pss_rsae_sha256
    #[arg(long, value_name = "SCHEMES", value_delimiter = ',')]
    pub(crate) schemes: Vec<String>,
    /// Offer no meaningless values among the real ones (GREASE, RFC 8701), for servers that die of them
    #[arg(long)]
    pub(crate) no_grease: bool,
    /// Ask for no stapled OCSP response (RFC 6066 8), for servers that die of it; a certificate that must come with one (RFC 7633)
    /// is refused then
    #[arg(long)]
    pub(crate) no_status_request: bool,
    /// The name to ask for and check, instead of HOST
    #[arg(long, value_name = "NAME")]
    pub(crate) servername: Option<String>,
    /// Application protocols to offer, best first
    #[arg(long, value_delimiter = ',')]
    pub(crate) alpn: Vec<String>,
    /// Take any certificate: whoever is in the middle reads everything
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Append the secrets to FILE (SSLKEYLOGFILE format)
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,
}

/// A number of seconds; a day is as good as for ever.
fn seconds(least: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(least..=86_400)
}
