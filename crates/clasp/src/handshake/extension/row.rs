//! What a row of the table is: one extension, the messages it may stand in, and what is done with it in each of them. What an
//! extension does not do is left out of its row, and is nothing then.

use crate::code::{CertificateType, ExtensionType, NamedGroup, ProtocolVersion};
use crate::config::{CertificateRequestFacts, ClientConfig, Identity, ServerConfig};
use crate::ech::EchKeyRing;
use crate::error::Result;
use crate::facts::PeerIdentity;
use crate::handshake::hello::{ClientOffer, ServerAnswer13, Settled};
use crate::handshake::offer::Offered;
use crate::handshake::retry13::Retry;
use crate::session::ServerSession;
use crate::suite::{Suite, Suite13};
use crate::wire::{Extension, Writer};
use std::sync::Arc;

/// A message that has extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    ClientHello,
    /// That of TLS 1.2.
    ServerHello12,
    /// That of TLS 1.3.
    ServerHello13,
    HelloRetryRequest,
    EncryptedExtensions,
    CertificateRequest,
    Certificate,
    NewSessionTicket,
}

impl Block {
    pub(super) const ALL: [Self; 8] = [
        Self::ClientHello,
        Self::ServerHello12,
        Self::ServerHello13,
        Self::HelloRetryRequest,
        Self::EncryptedExtensions,
        Self::CertificateRequest,
        Self::Certificate,
        Self::NewSessionTicket,
    ];
}

/// One extension.
///
/// Its functions call the parsers of `wire::extension`, each where it knows what to do with what they give. For whoever only
/// looks on, `wire/fields/parsers.rs` has which parser reads what where, by itself, because it stands below the handshake;
/// what holds the two together is said there.
pub(crate) struct Row {
    pub(super) typ: ExtensionType,
    /// The messages it may stand in, a bit for each: RFC 9846 4.2.
    pub(super) blocks: u8,
    /// The version that it means something to, if not to both.
    pub(super) only: Option<ProtocolVersion>,
    /// Whether a client may change it in its second hello: RFC 9846 4.1.2.
    pub(super) may_change: bool,

    /// Client, ClientHello: writes it, if it is to be there.
    pub(super) offer: fn(&ClientConfig, &Offered, &mut Writer<'_>),
    /// Server: takes what it says.
    pub(super) read_offer: for<'a> fn(&mut ClientOffer<'a>, Extension<'a>) -> Result<()>,
    /// Server, when the version is chosen: what follows if it is missing. It looks for itself whether it is.
    pub(super) if_missing: fn(&ServerConfig, &ClientOffer<'_>, ProtocolVersion) -> Result<()>,

    /// Client: whether a server that answers it, in whichever message, was asked.
    pub(super) asked: fn(&ClientConfig, &Offered) -> bool,
    /// Server, ServerHello of TLS 1.2 and EncryptedExtensions: writes it, if it is to be there.
    pub(super) answer: fn(&ServerResponse<'_>, &mut Writer<'_>),
    /// Client: takes what it says.
    pub(super) read_answer: fn(&mut Settled, &Asked<'_>, Extension<'_>) -> Result<()>,
    /// Client: what follows if it is missing.
    pub(super) if_unanswered: fn(&ClientConfig, &Settled) -> Result<()>,

    /// Server, ServerHello of TLS 1.3.
    pub(super) hello13: fn(&Hello13<'_>, &mut Writer<'_>),
    pub(super) read_hello13: for<'a> fn(&mut ServerAnswer13<'a>, &Offered, &Suite13, Extension<'a>) -> Result<()>,
    /// Server, HelloRetryRequest that asks for a share of this group.
    pub(super) retry: fn(NamedGroup, &mut Writer<'_>),
    pub(super) read_retry: fn(&mut Retry, Extension<'_>) -> Result<()>,

    /// Server: whether a client that shows it with its certificate was asked.
    pub(super) requested: fn(&ServerConfig) -> bool,
    /// Server, CertificateRequest of TLS 1.3.
    pub(super) request: fn(&Request<'_>, &mut Writer<'_>),
    pub(super) read_request: fn(&mut CertificateRequestFacts, Extension<'_>) -> Result<()>,
    /// Either side, beside its certificate in a Certificate of TLS 1.3.
    pub(super) staple: fn(&Staple<'_>, &mut Writer<'_>),
    /// Beside whichever certificate of the peer's: that of the first one counts.
    pub(super) read_staple: fn(&mut PeerIdentity, Extension<'_>) -> Result<()>,
    /// Server, NewSessionTicket of TLS 1.3.
    pub(super) ticket: fn(&ServerSession, &mut Writer<'_>),
    /// Client: how much early data may go with the ticket.
    pub(super) read_ticket: fn(&mut u32, Extension<'_>) -> Result<()>,
}

impl Row {
    /// A row that does nothing yet.
    pub(super) const fn new(typ: ExtensionType, blocks: &[Block]) -> Self {
        Self {
            typ,
            blocks: bits(blocks),
            only: None,
            may_change: false,
            offer: |_, _, _| (),
            read_offer: |_, _| Ok(()),
            if_missing: |_, _, _| Ok(()),
            asked: |_, _| false,
            answer: |_, _| (),
            read_answer: |_, _, _| Ok(()),
            if_unanswered: |_, _| Ok(()),
            hello13: |_, _| (),
            read_hello13: |_, _, _, _| Ok(()),
            retry: |_, _| (),
            read_retry: |_, _| Ok(()),
            requested: |_| false,
            request: |_, _| (),
            read_request: |_, _| Ok(()),
            staple: |_, _| (),
            read_staple: |_, _| Ok(()),
            ticket: |_, _| (),
            read_ticket: |_, _| Ok(()),
        }
    }

    /// Client: whether a server that answers it was asked.
    pub(crate) fn is_asked(&self, config: &ClientConfig, offered: &Offered) -> bool {
        (self.asked)(config, offered)
    }

    /// Server: whether a client that shows it with its certificate was asked.
    pub(crate) fn is_requested(&self, config: &ServerConfig) -> bool {
        (self.requested)(config)
    }

    /// Whether it may stand in this message.
    pub(super) const fn stands_in(&self, block: Block) -> bool {
        self.blocks & bits(&[block]) != 0
    }
}

const fn bits(mut blocks: &[Block]) -> u8 {
    let mut bits = 0;
    while let [block, rest @ ..] = blocks {
        bits |= 1 << *block as u8;
        blocks = rest;
    }
    bits
}

/// What our server answers in its ServerHello of TLS 1.2 or in EncryptedExtensions.
pub(crate) struct ServerResponse<'a> {
    pub(crate) config: &'a ServerConfig,
    pub(crate) offer: &'a ClientOffer<'a>,
    /// The suite of TLS 1.2; none in TLS 1.3.
    pub(crate) suite12: Option<&'static Suite>,
    pub(crate) resumed: bool,
    pub(crate) alpn: Option<&'a [u8]>,
    /// The kind of our certificate.
    pub(crate) server_type: CertificateType,
    /// The kind of certificate that the client is asked for, if it is asked for one.
    pub(crate) client_type: Option<CertificateType>,
    /// What only TLS 1.2 says here.
    pub(crate) said12: Said12<'a>,
    /// What only TLS 1.3 says here.
    pub(crate) said13: Said13,
}

impl ServerResponse<'_> {
    /// The message it stands in.
    pub(super) const fn block(&self) -> Block {
        block(self.suite12)
    }
}

const fn block(suite12: Option<&'static Suite>) -> Block {
    if suite12.is_some() { Block::ServerHello12 } else { Block::EncryptedExtensions }
}

/// See [`ServerResponse`].
#[derive(Default)]
pub(crate) struct Said12<'a> {
    pub(crate) new_ticket: bool,
    pub(crate) status: bool,
    pub(crate) timestamps: Option<&'a [u8]>,
}

/// See [`ServerResponse`].
#[derive(Default)]
pub(crate) struct Said13 {
    pub(crate) group: Option<NamedGroup>,
    pub(crate) early_data: bool,
    /// What our carrier says to the client's.
    pub(crate) parameters: Option<Box<[u8]>>,
    /// The keys of which none opened what the client hides.
    pub(crate) ech: Option<Arc<EchKeyRing>>,
}

/// What a server's answers are held against.
pub(crate) struct Asked<'a> {
    pub(crate) config: &'a ClientConfig,
    pub(crate) offered: &'a Offered,
    /// The suite of TLS 1.2; none in TLS 1.3.
    pub(crate) suite12: Option<&'static Suite>,
}

impl Asked<'_> {
    /// The message they stand in.
    pub(super) const fn block(&self) -> Block {
        block(self.suite12)
    }
}

/// What our server says in its ServerHello of TLS 1.3.
pub(crate) struct Hello13<'a> {
    /// The place of the pre-shared key that it takes.
    pub(crate) selected: Option<u16>,
    pub(crate) share: Option<(NamedGroup, &'a [u8])>,
}

/// What our server asks of a client's certificate in TLS 1.3.
pub(crate) struct Request<'a> {
    pub(crate) config: &'a ServerConfig,
    pub(crate) authorities: &'a [Vec<u8>],
}

/// What goes with a certificate of ours, as far as the peer asked for it.
pub(crate) struct Staple<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) status: bool,
    pub(crate) timestamps: bool,
}
