//! What is known of a connection once its handshake is done.

use super::{End, PeerIdentity};
use crate::code::{CertificateType, CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use rustls_pki_types::CertificateDer;
use std::sync::Arc;
use std::time::SystemTime;

/// What a handshake settled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The protocol version.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub suite: CipherSuite,
    /// The group of the key exchange; none with RSA key transport, with resumption, or a group without a name.
    pub group: Option<NamedGroup>,
    /// How the server proved its key (known to the client in a full handshake with a signature).
    pub signature_scheme: Option<SignatureScheme>,
    /// How the client proved its key, where it did in this handshake (known to the server).
    pub client_scheme: Option<SignatureScheme>,
    /// What the peer has shown of itself; none if it has no certificate.
    pub peer: Option<Arc<PeerIdentity>>,
    /// What the peer's chain holds: certificates, or a raw public key.
    pub peer_type: CertificateType,
    /// The server's name, as asked for.
    pub server_name: Option<String>,
    /// The application protocol (RFC 7301).
    pub alpn: Option<Vec<u8>>,
    /// How the session was resumed, if it was.
    pub resumed: Option<Resumption>,
    /// The name of the external pre-shared key that both sides proved, in this handshake or in the one whose session this
    /// connection resumes (TLS 1.3); [`resumed`](Self::resumed) tells which.
    pub psk_identity: Option<Vec<u8>>,
    /// What became of early data.
    pub early_data: EarlyData,
    /// Why it was not read, if it was not.
    pub early_data_refusal: Option<EarlyDataRefusal>,
    /// By how many seconds the age that the client gives its ticket is ahead of the server's clock (TLS 1.3, known to a
    /// server that resumes); negative if behind.
    pub ticket_age_skew: Option<i32>,
    /// Whether the server asked for a second hello (TLS 1.3).
    pub hello_retried: bool,
    /// Whether the server asked for a certificate (known to the client). In TLS 1.3 a client's handshake is done before the
    /// server has looked at it: [`Connection::is_confirmed`](crate::Connection::is_confirmed).
    pub certificate_requested: bool,
    /// Whether the client proved a certificate.
    pub client_authenticated: bool,
    /// When what authenticated the peer counts no longer.
    pub(crate) authenticated_until: End,
    /// Whether the master secret is bound to the whole conversation (RFC 7627).
    pub extended_master_secret: bool,
    /// Whether CBC records are encrypted before they are MACed (RFC 7366).
    pub encrypt_then_mac: bool,
    /// Whether the peer speaks RFC 5746.
    pub secure_renegotiation: bool,
    /// The most plaintext that the peer may put into a record, where record_size_limit or max_fragment_length settled that
    /// (RFC 8449, RFC 6066 4); none if the peer took neither.
    pub record_size_limit: Option<u16>,
    /// What became of Encrypted Client Hello (known to the client, and to a server that has keys for it); none if the client hid
    /// nothing.
    pub encrypted_client_hello: Option<Box<EchFacts>>,
}

/// What became of Encrypted Client Hello: RFC 9849.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EchFacts {
    /// Whether the hidden hello was opened. All other facts are of that one then, the server's name as well; if not, of the one
    /// that all could see.
    pub accepted: bool,
    /// The server's name that all could see.
    pub outer_name: Option<String>,
    /// Client: what the server gives to try again with.
    pub(crate) retry_configs: Option<crate::ech::EchConfigList>,
}

/// How a session was resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resumption {
    /// By its ID: the server kept the state.
    SessionId,
    /// By a ticket: the client kept it.
    Ticket,
    /// By a pre-shared key that came from outside.
    ExternalPsk,
}

/// What became of early data (0-RTT).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EarlyData {
    /// There was none.
    NotOffered,
    /// The server took it.
    Accepted,
    /// The server did not read it; the client must send it again.
    Rejected,
}

/// Why a server did not read early data. A server knows its own reasons; a client sees some, and
/// [`ByServer`](Self::ByServer) for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EarlyDataRefusal {
    /// The server takes none.
    Disabled,
    /// The server asked for a second hello (RFC 9846 4.2.10).
    HelloRetried,
    /// The session was not resumed, or not by the first key of the list.
    NotResumed,
    /// The ticket allows none.
    NotAllowed,
    /// The cipher suite is not the session's.
    Suite,
    /// The application protocol is not the session's.
    Protocol,
    /// The ticket's age and the server's clock are too far apart (RFC 9846 8.3).
    Age,
    /// The same hello has come before, or nobody can tell (RFC 9846 8).
    Replayed,
    /// What the transport promised when the session was made it does not promise any more (QUIC: RFC 9000 7.4.1).
    Parameters,
    /// The server did not say why.
    ByServer,
}

impl Resumption {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SessionId => "session ID",
            Self::Ticket => "ticket",
            Self::ExternalPsk => "external PSK",
        }
    }
}

impl Facts {
    /// The peer's certificates, DER, its own first; or one raw public key.
    pub fn peer_chain(&self) -> &[CertificateDer<'static>] {
        self.peer.as_ref().map_or(&[], |peer| &peer.chain)
    }

    /// Until when sessions of this connection can be resumed, however often: then what authenticated the peer counts no longer.
    /// It is the end of the first of the peer's certificates, as the verifier has it, and at most seven days after they were
    /// shown; at a server whose sessions last longer, as long as those do.
    pub fn authenticated_until(&self) -> SystemTime {
        self.authenticated_until.time()
    }

    /// The stapled OCSP response, DER.
    pub fn ocsp(&self) -> Option<&[u8]> {
        self.peer.as_ref()?.ocsp.as_deref()
    }

    /// The certificate timestamps that came with the server's certificate (RFC 6962 3.3).
    pub fn timestamps(&self) -> Option<&[u8]> {
        self.peer.as_ref()?.timestamps.as_deref()
    }

    /// Who the peer's certificate says it is: names, addresses, mailboxes, URIs and SPIFFE IDs, in the certificate's
    /// order, then its subject. Empty without a certificate.
    pub fn peer_identifiers(&self) -> Vec<clasp_x509::Identifier> {
        let leaf = self.peer_chain().first().and_then(|der| clasp_x509::Certificate::parse(der).ok());
        leaf.map_or_else(Vec::new, |leaf| leaf.identifiers())
    }

    pub(crate) const fn new(version: ProtocolVersion, suite: CipherSuite) -> Self {
        Self {
            version,
            suite,
            group: None,
            signature_scheme: None,
            client_scheme: None,
            peer: None,
            peer_type: CertificateType::X509,
            server_name: None,
            alpn: None,
            resumed: None,
            psk_identity: None,
            early_data: EarlyData::NotOffered,
            early_data_refusal: None,
            ticket_age_skew: None,
            hello_retried: false,
            certificate_requested: false,
            client_authenticated: false,
            authenticated_until: End(0),
            extended_master_secret: false,
            encrypt_then_mac: false,
            secure_renegotiation: false,
            record_size_limit: None,
            encrypted_client_hello: None,
        }
    }
}
