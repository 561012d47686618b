//! HelloRetryRequest: a server that needs another hello says which, once; a client says it.              RFC 9846 4.1.4

use super::admit;
use super::ech13::{Ech, write_mark};
use super::extension::{TABLE, supported_versions};
use super::hello::{ClientOffer, send_server_hello};
use super::hiding13;
use super::link::Link;
use super::offer::{Offered, send_again, shares_curve};
use super::{client13, server13};
use crate::code::{ExtensionType, NamedGroup};
use crate::config::{ClientConfig, ServerConfig};
use crate::crypto::HashId;
use crate::error::{Error, PeerError, Result};
use crate::suite::Suite13;
use crate::wire::extension::key_share;
use crate::wire::message::{Checked, ClientHelloView, HELLO_RETRY_REQUEST_RANDOM, ServerHello, ServerHelloView};

/// Server: asks for a share of the group. Gives the identity of the pre-shared key that would be taken of this hello.
pub(super) async fn ask<'a>(
    link: &mut Link,
    config: &ServerConfig,
    suite: &Suite13,
    group: NamedGroup,
    (offer, ech): (&ClientOffer<'a>, &Ech),
) -> Result<Option<&'a [u8]>> {
    let fitting = admit::server13(link, config, offer, suite).await.map_err(|e| e.in_message("ClientHello"))?;
    let fitting = fitting.and_then(|key| offer.psks?.identities().nth(key.index)).map(|psk| psk.identity);
    let hash = config.provider.hash(suite.hash)?;
    link.transcript.retry(hash, &[]);
    let about = (offer.session_id, suite.code);
    let mark = ech.retry_mark(link, hash, about, |w| TABLE.retry(group, w))?;
    send_server_hello(link, &HELLO_RETRY_REQUEST_RANDOM, offer.session_id, suite.code, |w| {
        TABLE.retry(group, w);
        mark.iter().for_each(|mark| write_mark(mark, w));
    })?;
    if !offer.session_id.is_empty() {
        link.send_compatibility_ccs();
    }
    if offer.early_data {
        link.skip_early_data(config.max_early_data);
    }
    Ok(fitting)
}

/// Server: reads the second hello, which is what was asked for.
pub(super) fn read_second<'a>(
    config: &ServerConfig,
    (first, second): (&ClientHelloView<'_>, &ClientHelloView<'a>),
    group: NamedGroup,
    fitting: Option<&[u8]>,
) -> Result<ClientOffer<'a>> {
    check_same_but_for_retry(first, second)?;
    let again = ClientOffer::read(second)?;
    server13::check_hello(config, &again)?;
    // 4.1.2: the key that would be taken may not be gone; only keys that do not fit the suite may.
    if let Some(identity) = fitting {
        let Some(psks) = again.psks else { return Err(PeerError::PsksWithdrawn.into()) };
        if !psks.identities().any(|psk| psk.identity == identity) {
            return Err(PeerError::PskWithdrawn.into());
        }
    }
    // 4.1.2: one share, of the group that was asked for; and no early data any more.
    let shares: Vec<NamedGroup> = again.shares.into_iter().flat_map(|s| s.iter()).map(|s| s.group).collect();
    if shares != [group] {
        let seen = shares.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::from(PeerError::WrongGroupSelected).seen(seen).wanted(group));
    }
    if again.early_data {
        return Err(Error::from(PeerError::HelloChangedAfterRetry).seen("early_data").wanted("no early data"));
    }
    Ok(again)
}

/// RFC 9846 4.1.2: what a second hello may change, and that it has changed nothing else.
fn check_same_but_for_retry<'a>(first: &ClientHelloView<'a>, second: &ClientHelloView<'a>) -> Result<()> {
    let changed = |what: &str| {
        let error = Error::from(PeerError::HelloChangedAfterRetry).seen(format_args!("another {what}"));
        error.wanted("that of the first hello")
    };
    for (what, same) in [
        ("legacy_version", first.version == second.version),
        ("random", first.random == second.random),
        ("legacy_session_id", first.session_id == second.session_id),
        ("list of cipher suites", first.suites == second.suites),
        ("list of compression methods", first.compression == second.compression),
    ] {
        if !same {
            return Err(changed(what));
        }
    }
    // A key may go or be bound anew; none comes.
    let brings = |typ| first.extensions.find(typ).is_none() && second.extensions.find(typ).is_some();
    if brings(ExtensionType::PreSharedKey) {
        return Err(changed("offer of keys").in_extension(ExtensionType::PreSharedKey));
    }
    // The order says nothing but that pre_shared_key is last (4.2), and wolfSSL puts them in another.
    let kept = |hello: &ClientHelloView<'a>| {
        let mut all: Vec<_> = hello.extensions.iter().filter(|e| !TABLE.may_change(e.typ)).collect();
        all.sort_unstable_by_key(|e| e.typ.0);
        all.into_iter()
    };
    let (mut before, mut after) = (kept(first), kept(second));
    loop {
        match (before.next(), after.next()) {
            (None, None) => return Ok(()),
            (Some(one), Some(other)) if one.typ == other.typ && one.body == other.body => {}
            (Some(e), _) | (None, Some(e)) => return Err(changed("value").in_extension(e.typ)),
        }
    }
}

/// Client: says hello once more. The request must change something, and only what it may.
pub(super) async fn answer(
    link: &mut Link,
    config: &ClientConfig,
    offered: &mut Offered,
    request: Checked<ServerHello>,
) -> Result<(&'static Suite13, Checked<ServerHello>)> {
    let in_request = |e: Error| e.in_message("HelloRetryRequest");
    let suite = client13::suite(config, offered, &request.view()).map_err(in_request)?;
    let retry = Retry::read(config, offered, suite, &request.view()).map_err(in_request)?;
    let hash = config.provider.hash(suite.hash)?;
    link.transcript.retry(hash, request.bytes());
    if offered.early.is_some() {
        link.early_data_refused();
        link.write_plain();
    } else if config.middlebox_compatibility {
        link.send_compatibility_ccs();
    }
    let group = retry.group;
    send_again(link, config, offered, retry)?;

    let hello = link.recv::<ServerHello>().await?;
    let view = hello.view();
    if view.is_hello_retry_request() {
        return Err(Error::from(PeerError::SecondHelloRetry).in_message("ServerHello"));
    }
    if view.suite != suite.code {
        let error = Error::from(PeerError::SuiteChangedAfterRetry).seen(view.suite).wanted(suite.code);
        return Err(error.in_message("ServerHello"));
    }
    supported_versions::check_again(&view).map_err(|e| e.in_message("ServerHello"))?;
    hiding13::hear_again(link, config, offered, &hello)?;
    if let Some(group) = group {
        // 4.1.4: the share must be in the group that was asked for.
        let share = view.extensions.find(ExtensionType::KeyShare).map(key_share::server).transpose()?;
        if share.is_some_and(|s| s.group != group) {
            return Err(Error::from(PeerError::WrongGroupSelected).wanted(group).in_message("ServerHello"));
        }
    }
    Ok((suite, hello))
}

/// What a server asks for in another hello.
pub(crate) struct Retry {
    /// The hash of the suite it has chosen, whose keys alone are of use now.
    pub(crate) hash: HashId,
    /// The group of the share it wants.
    pub(crate) group: Option<NamedGroup>,
    pub(crate) cookie: Option<Vec<u8>>,
}

impl Retry {
    fn read(config: &ClientConfig, offered: &Offered, suite: &Suite13, view: &ServerHelloView<'_>) -> Result<Self> {
        let mut retry = Self { hash: suite.hash, group: None, cookie: None };
        TABLE.read_retry(&mut retry, config, offered, view.extensions)?;
        if let Some(group) = retry.group {
            let shared = |(g, share): &(NamedGroup, Box<dyn crate::crypto::KeyShare>)| {
                *g == group || share.also().is_some_and(|(curve, _)| curve == group && shares_curve(config, curve))
            };
            if !config.policy.groups.contains(&group) {
                return Err(Error::from(PeerError::WrongGroupSelected).seen(group).wanted("a group that was offered"));
            }
            if offered.shares.iter().any(shared) {
                return Err(Error::from(PeerError::BadHelloRetry).seen(group).wanted("a group without a share"));
            }
        } else if retry.cookie.is_none() {
            return Err(PeerError::BadHelloRetry.into());
        }
        Ok(retry)
    }
}
