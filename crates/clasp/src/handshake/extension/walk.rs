//! The loops over the table: what writes, reads or misses extensions, in whichever message, goes through here.

use super::record_size_limit::check_one_limit;
use super::row::{Asked, Block, Hello13, Request, Row, ServerResponse, Staple};
use crate::code::{ExtensionType, NamedGroup, ProtocolVersion};
use crate::config::{CertificateRequestFacts, ClientConfig, ServerConfig};
use crate::error::{PeerError, Result};
use crate::facts::PeerIdentity;
use crate::handshake::hello::{ClientOffer, ServerAnswer13, Settled};
use crate::handshake::offer::Offered;
use crate::handshake::retry13::Retry;
use crate::session::ServerSession;
use crate::suite::Suite13;
use crate::wire::{Extensions, Writer};

/// Places to look a type up in, several for each row.
const SLOTS: usize = 128;

/// Rows, made ready by the compiler: each is found at once, and those of a message stand in its order on the wire.
pub(crate) struct Table<const N: usize> {
    by_type: [Option<&'static Row>; SLOTS],
    /// Those of each message, and how many there are.
    by_block: [([&'static Row; N], usize); Block::ALL.len()],
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the compiler runs it, and stops at a panic"
)]
impl<const N: usize> Table<N> {
    /// Rows, in the order of a ClientHello. In a message of `order` those it names come first, the others behind them.
    pub(super) const fn new(rows: [&'static Row; N], order: &[(Block, &[ExtensionType])]) -> Self {
        assert!(2 * N < SLOTS, "more places to look types up in");
        assert!(rows[N - 1].typ.0 == ExtensionType::PreSharedKey.0, "RFC 9846 4.2.11: pre_shared_key is the last");
        let mut by_type: [Option<&'static Row>; SLOTS] = [None; SLOTS];
        let mut n = 0;
        while n < N {
            let mut at = slot(rows[n].typ);
            while let Some(other) = by_type[at] {
                assert!(other.typ.0 != rows[n].typ.0, "a type has one row");
                at = (at + 1) % SLOTS;
            }
            by_type[at] = Some(rows[n]);
            n += 1;
        }
        let mut by_block = [(rows, 0); Block::ALL.len()];
        let mut block = 0;
        while block < by_block.len() {
            by_block[block] = in_order(rows, Block::ALL[block], order);
            block += 1;
        }
        Self { by_type, by_block }
    }
}

/// The rows of a message in its order, and how many there are.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the compiler runs it, and stops at a panic"
)]
const fn in_order<const N: usize>(
    rows: [&'static Row; N],
    block: Block,
    order: &[(Block, &[ExtensionType])],
) -> ([&'static Row; N], usize) {
    let (mut sorted, mut count) = (rows, 0);
    let mut place = 0;
    while place < order.len() {
        let (of, first) = order[place];
        let mut nth = 0;
        while of as u8 == block as u8 && nth < first.len() {
            let row = rows[position(&rows, first[nth])];
            assert!(row.stands_in(block), "what is written in a message may stand there");
            sorted[count] = row;
            (count, nth) = (count + 1, nth + 1);
        }
        place += 1;
    }
    let named = count;
    let mut n = 0;
    while n < N {
        let (before, _) = sorted.split_at(named);
        if rows[n].stands_in(block) && position(before, rows[n].typ) == named {
            sorted[count] = rows[n];
            count += 1;
        }
        n += 1;
    }
    (sorted, count)
}

/// Where the row of a type stands among these; how many they are if it does not.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the compiler runs it, and stops at a panic"
)]
const fn position(rows: &[&'static Row], typ: ExtensionType) -> usize {
    let mut at = 0;
    while at < rows.len() && rows[at].typ.0 != typ.0 {
        at += 1;
    }
    at
}

/// Where to begin to look for a type: most are below 64, some in 0xff__ and 0xfe__.
const fn slot(typ: ExtensionType) -> usize {
    (typ.0 ^ (typ.0 >> 8)) as usize % SLOTS
}

impl<const N: usize> Table<N> {
    /// The row of a type, if there is one.
    pub(super) fn row(&self, typ: ExtensionType) -> Option<&'static Row> {
        let mut at = slot(typ);
        loop {
            // Behind the last that may be it is a place without a row.
            let row = (*self.by_type.get(at % SLOTS)?)?;
            if row.typ == typ {
                return Some(row);
            }
            at = at.wrapping_add(1);
        }
    }

    /// The rows of a message, in its order.
    fn rows(&self, block: Block) -> &[&'static Row] {
        let (rows, count) = self.by_block.get(block as usize).map_or((&[][..], 0), |(rows, count)| (&rows[..], *count));
        rows.get(..count).unwrap_or_default()
    }

    /// The row of an extension that must be in its place if it is known; none if it is not.
    fn in_place(&self, block: Block, typ: ExtensionType) -> Result<Option<&'static Row>> {
        match self.row(typ) {
            Some(row) if !row.stands_in(block) => Err(PeerError::ExtensionNotAllowed.into()),
            row => Ok(row),
        }
    }

    /// The row of an extension that answers one of ours, which must be in its place and asked for.
    fn answered(&self, block: Block, typ: ExtensionType, asked: impl FnOnce(&Row) -> bool) -> Result<&'static Row> {
        let row = match block {
            // RFC 5246 7.4.1.4 has one word for both.
            Block::ServerHello12 => self.row(typ).filter(|row| row.stands_in(block)),
            _ => self.in_place(block, typ)?,
        };
        row.filter(|row| asked(row)).ok_or_else(|| PeerError::UnsolicitedExtension.into())
    }

    /// Client: writes the extensions of our ClientHello. GREASE stands first and last (RFC 8701 3.1), but for pre_shared_key,
    /// which nothing may stand behind.
    pub(crate) fn offer(&self, config: &ClientConfig, offered: &Offered, w: &mut Writer<'_>) {
        let Some((pre_shared_key, rows)) = self.rows(Block::ClientHello).split_last() else { return };
        let [tls12, tls13] = [ProtocolVersion::Tls12, ProtocolVersion::Tls13].map(|v| offered.speaks(config, v));
        let speaks =
            |row: &&&'static Row| row.only.is_none_or(|v| if v == ProtocolVersion::Tls13 { tls13 } else { tls12 });
        let [first, last] = offered.grease.as_ref().map_or([None; 2], |grease| grease.extensions.map(Some));
        first.into_iter().for_each(|typ| w.extension(ExtensionType(typ), |_| ()));
        rows.iter().filter(speaks).for_each(|row| (row.offer)(config, offered, w));
        last.into_iter().for_each(|typ| w.extension(ExtensionType(typ), |w| w.u8(0)));
        (pre_shared_key.offer)(config, offered, w);
    }

    /// Server: reads the extensions of a ClientHello. What is not known is passed over: RFC 9846 4.2.
    pub(crate) fn read_offers<'a>(&self, offer: &mut ClientOffer<'a>, extensions: Extensions<'a>) -> Result<()> {
        for e in extensions.iter() {
            let row = self.in_place(Block::ClientHello, e.typ);
            let read = row.and_then(|row| row.map_or(Ok(()), |row| (row.read_offer)(offer, e)));
            read.map_err(|x| x.in_extension(e.typ).in_message("ClientHello"))?;
        }
        Ok(())
    }

    /// Server: what a hello of this version must have.
    pub(crate) fn check_offers(
        &self,
        config: &ServerConfig,
        offer: &ClientOffer<'_>,
        version: ProtocolVersion,
    ) -> Result<()> {
        let of_version = |row: &&&'static Row| row.only.is_none_or(|only| only == version);
        self.rows(Block::ClientHello)
            .iter()
            .filter(of_version)
            .try_for_each(|row| (row.if_missing)(config, offer, version))
    }

    /// Whether a second ClientHello may say something else here: RFC 9846 4.1.2.
    pub(crate) fn may_change(&self, typ: ExtensionType) -> bool {
        self.row(typ).is_some_and(|row| row.may_change)
    }

    /// Server: writes the extensions of a ServerHello of TLS 1.2 or of EncryptedExtensions.
    pub(crate) fn answer(&self, answer: &ServerResponse<'_>, w: &mut Writer<'_>) {
        self.rows(answer.block()).iter().for_each(|row| (row.answer)(answer, w));
    }

    /// Client: reads them.
    pub(crate) fn read_answers(&self, asked: &Asked<'_>, extensions: Extensions<'_>) -> Result<Settled> {
        let block = asked.block();
        let mut settled = Settled::default();
        for e in extensions.iter() {
            let row = self.answered(block, e.typ, |row| row.is_asked(asked.config, asked.offered));
            row.and_then(|row| (row.read_answer)(&mut settled, asked, e)).map_err(|x| x.in_extension(e.typ))?;
        }
        check_one_limit(extensions)?;
        self.rows(block).iter().try_for_each(|row| (row.if_unanswered)(asked.config, &settled))?;
        Ok(settled)
    }

    /// Server: writes the extensions of a ServerHello of TLS 1.3.
    pub(crate) fn hello13(&self, hello: &Hello13<'_>, w: &mut Writer<'_>) {
        self.rows(Block::ServerHello13).iter().for_each(|row| (row.hello13)(hello, w));
    }

    /// Client: reads them.
    pub(crate) fn read_hello13<'a>(
        &self,
        config: &ClientConfig,
        offered: &Offered,
        suite: &Suite13,
        extensions: Extensions<'a>,
    ) -> Result<ServerAnswer13<'a>> {
        let mut answer = ServerAnswer13::default();
        for e in extensions.iter() {
            let row = self.answered(Block::ServerHello13, e.typ, |row| row.is_asked(config, offered));
            row.and_then(|row| (row.read_hello13)(&mut answer, offered, suite, e))
                .map_err(|x| x.in_extension(e.typ))?;
        }
        Ok(answer)
    }

    /// Server: writes the extensions of a HelloRetryRequest for a share of this group.
    pub(crate) fn retry(&self, group: NamedGroup, w: &mut Writer<'_>) {
        self.rows(Block::HelloRetryRequest).iter().for_each(|row| (row.retry)(group, w));
    }

    /// Client: reads them.
    pub(crate) fn read_retry(
        &self,
        retry: &mut Retry,
        config: &ClientConfig,
        offered: &Offered,
        extensions: Extensions<'_>,
    ) -> Result<()> {
        for e in extensions.iter() {
            let row = self.answered(Block::HelloRetryRequest, e.typ, |row| row.is_asked(config, offered));
            row.and_then(|row| (row.read_retry)(retry, e)).map_err(|x| x.in_extension(e.typ))?;
        }
        Ok(())
    }

    /// Server: writes the extensions of a CertificateRequest of TLS 1.3.
    pub(crate) fn request(&self, request: &Request<'_>, w: &mut Writer<'_>) {
        self.rows(Block::CertificateRequest).iter().for_each(|row| (row.request)(request, w));
    }

    /// Client: reads them. What is not known is passed over: RFC 9846 4.3.2.
    pub(crate) fn read_requests(&self, facts: &mut CertificateRequestFacts, extensions: Extensions<'_>) -> Result<()> {
        for e in extensions.iter() {
            let row = self.in_place(Block::CertificateRequest, e.typ);
            let read = row.and_then(|row| row.map_or(Ok(()), |row| (row.read_request)(facts, e)));
            read.map_err(|x| x.in_extension(e.typ))?;
        }
        Ok(())
    }

    /// Writes what goes with a certificate of ours in TLS 1.3.
    pub(crate) fn staple(&self, staple: &Staple<'_>, w: &mut Writer<'_>) {
        self.rows(Block::Certificate).iter().for_each(|row| (row.staple)(staple, w));
    }

    /// Reads what goes with the peer's next certificate in TLS 1.3, as far as it was `asked` for.
    pub(crate) fn read_staples(
        &self,
        presented: &mut PeerIdentity,
        extensions: Extensions<'_>,
        asked: impl Fn(&Row) -> bool,
    ) -> Result<()> {
        for e in extensions.iter() {
            let row = self.answered(Block::Certificate, e.typ, &asked);
            row.and_then(|row| (row.read_staple)(presented, e)).map_err(|x| x.in_extension(e.typ))?;
        }
        Ok(())
    }

    /// Server: writes the extensions of a NewSessionTicket of TLS 1.3.
    pub(crate) fn ticket(&self, session: &ServerSession, w: &mut Writer<'_>) {
        self.rows(Block::NewSessionTicket).iter().for_each(|row| (row.ticket)(session, w));
    }

    /// Client: reads them, and gives how much early data may go with the ticket. What is not known is passed over: RFC
    /// 9846 4.6.1.
    pub(crate) fn read_ticket(&self, extensions: Extensions<'_>) -> Result<u32> {
        let mut max_early_data = 0;
        for e in extensions.iter() {
            let row = self.in_place(Block::NewSessionTicket, e.typ);
            let read = row.and_then(|row| row.map_or(Ok(()), |row| (row.read_ticket)(&mut max_early_data, e)));
            read.map_err(|x| x.in_extension(e.typ))?;
        }
        Ok(max_early_data)
    }
}
