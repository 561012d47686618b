//! Key exchange, each side's half. TLS 1.2: RFC 5246 7.4.3, 7.4.7; RFC 8422 5.4, 5.7; RFC 7919. TLS 1.3: RFC 9846
//! 4.2.8.

use crate::code::NamedGroup;
use crate::config::Policy;
use crate::crypto::{KeyShare, Legacy, Provider, SharedSecret};
use crate::error::{Error, Misuse, Outside, PeerError, Result};
use crate::keys::schedule12::Vault12;
use crate::wire::Writer;
use crate::wire::message::{ClientKeyExchangeView, DhParams, EcdhParams, ServerKeyExchangeView};
use smallvec::SmallVec;

/// The classic suites' primitives, which a policy check has found to be there.
pub(super) fn legacy(provider: &Provider) -> Result<&'static dyn Legacy> {
    provider.legacy.ok_or_else(|| Error::from(Misuse::BadPolicy).wanted("the cargo feature `legacy`"))
}

/// Makes an ephemeral key in `group`, of whatever kind it is.
pub(super) fn start(provider: &Provider, group: NamedGroup) -> Result<Box<dyn KeyShare>> {
    if group.is_ffdhe() {
        let legacy = legacy(provider)?;
        let (p, g) = legacy.ffdhe(group).ok_or(Outside::Bug)?;
        return Ok(legacy.dh(p, g)?);
    }
    Ok(provider.group(group).ok_or(Outside::Bug)?.start()?)
}

/// Our key shares, each with its group.
pub(super) type Shares = SmallVec<[(NamedGroup, Box<dyn KeyShare>); 2]>;

/// TLS 1.3 server: agrees with the client's share and gives ours.
pub(super) fn answer(
    provider: &Provider,
    group: NamedGroup,
    theirs: &[u8],
    secret: &mut SharedSecret,
) -> Result<Vec<u8>> {
    let bad = |_| Error::from(PeerError::BadKeyShare).seen(format_args!("{} bytes for {group}", theirs.len()));
    if group.is_ffdhe() {
        let share = start(provider, group)?;
        check_ffdhe(theirs, share.public())?;
        let public = share.public().to_vec();
        share.finish(theirs, secret).map_err(bad)?;
        return Ok(public);
    }
    let mut public = Vec::new();
    provider.group(group).ok_or(Outside::Bug)?.answer(theirs, secret, &mut public).map_err(bad)?;
    Ok(public)
}

/// TLS 1.3 client: agrees with the server's share, with whichever of ours is in its group.
pub(super) fn finish(shares: Shares, group: NamedGroup, theirs: &[u8], secret: &mut SharedSecret) -> Result<()> {
    let bad = |_| Error::from(PeerError::BadKeyShare).seen(format_args!("{} bytes for {group}", theirs.len()));
    for (ours, share) in shares {
        if ours == group {
            if group.is_ffdhe() {
                check_ffdhe(theirs, share.public())?;
            }
            return share.finish(theirs, secret).map_err(bad);
        }
        if share.also().is_some_and(|(curve, _)| curve == group) {
            return share.finish_also(theirs, secret).map_err(bad);
        }
    }
    Err(Error::from(PeerError::WrongGroupSelected).seen(group).wanted("a group that a share was sent for"))
}

/// RFC 9846 4.2.8.1: a finite-field value is padded to the length of the prime.
fn check_ffdhe(theirs: &[u8], ours: &[u8]) -> Result<()> {
    if theirs.len() == ours.len() {
        return Ok(());
    }
    let (seen, wanted) = (format!("{} bytes", theirs.len()), format!("{} bytes", ours.len()));
    Err(Error::from(PeerError::BadKeyShare).seen(seen).wanted(wanted))
}

/// Server: makes an ephemeral key in `group`, and writes the parameters to sign behind what `out` holds.
pub(super) fn server_share(provider: &Provider, group: NamedGroup, out: &mut Vec<u8>) -> Result<Box<dyn KeyShare>> {
    let share = start(provider, group)?;
    if group.is_ffdhe() {
        let (p, g) = legacy(provider)?.ffdhe(group).ok_or(Outside::Bug)?;
        Writer::write(out, |w| ServerKeyExchangeView::encode_dh(p, g, share.public(), w))?;
    } else {
        Writer::write(out, |w| ServerKeyExchangeView::encode_ecdh(group, share.public(), w))?;
    }
    Ok(share)
}

/// Server: agrees with the client's public value.
pub(super) fn server_agree(
    share: Box<dyn KeyShare>,
    group: NamedGroup,
    message: ClientKeyExchangeView<'_>,
    vault: &mut Vault12,
) -> Result<()> {
    let public = if group.is_ffdhe() { message.long("dh_Yc")? } else { message.point()? };
    agree(share, Some(group), public, vault)
}

/// Client: agrees in an elliptic curve; gives our public value.
pub(super) fn client_ecdh(
    provider: &Provider,
    policy: &Policy,
    params: &EcdhParams<'_>,
    vault: &mut Vault12,
) -> Result<Vec<u8>> {
    let group = params.group;
    let offered = policy.groups.contains(&group) && !group.is_ffdhe() && !group.is_post_quantum();
    let Some(curve) = provider.group(group).filter(|_| offered) else {
        return Err(Error::from(PeerError::WrongGroupSelected).seen(group).wanted("a group that was offered"));
    };
    let share = curve.start()?;
    let ours = share.public().to_vec();
    agree(share, Some(group), params.public, vault)?;
    Ok(ours)
}

/// Client: agrees in a finite field; gives our public value and the group's name if it has one. A group without a name
/// is taken from 2048 bits up (Logjam); that it is a safe prime is the server's word.
pub(super) fn client_dh(
    provider: &Provider,
    policy: &Policy,
    params: &DhParams<'_>,
    vault: &mut Vault12,
) -> Result<(Vec<u8>, Option<NamedGroup>)> {
    let legacy = legacy(provider)?;
    let named = policy.groups.iter().copied().find(|g| legacy.ffdhe(*g) == Some((params.p, params.g)));
    let share = legacy.dh(params.p, params.g).map_err(|_| {
        Error::from(PeerError::WeakDhGroup)
            .seen(format_args!("a prime of {} bytes", params.p.len()))
            .wanted("2048 to 8192 bits")
            .hint("have the server use ECDHE or a group of RFC 7919")
    })?;
    let ours = share.public().to_vec();
    agree(share, named, params.public, vault)?;
    Ok((ours, named))
}

/// A group without a name is a finite field of the server's own.
fn agree(share: Box<dyn KeyShare>, group: Option<NamedGroup>, public: &[u8], vault: &mut Vault12) -> Result<()> {
    share.finish(public, &mut vault.premaster).map_err(|_| {
        let group = group.map_or_else(|| "the server's group".to_owned(), |group| group.to_string());
        Error::from(PeerError::BadKeyShare).seen(format_args!("{} bytes for {group}", public.len()))
    })?;
    // RFC 5246 8.1.2; RFC 8422 5.11 keeps the zeros of curves.
    if group.is_none_or(NamedGroup::is_ffdhe) {
        vault.premaster.strip_leading_zeros();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::crypto::{CryptoResult, SharedSecret};

    /// Agrees on whatever the peer says.
    struct Echo;

    impl KeyShare for Echo {
        fn public(&self) -> &[u8] {
            &[]
        }

        fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
            secret.fill(peer.len()).copy_from_slice(peer);
            Ok(())
        }
    }

    /// RFC 5246 8.1.2 strips the zeros at the front of what is agreed on in a finite field; RFC 8422 5.11 keeps those of a curve.
    #[test]
    fn the_zeros_at_the_front_are_stripped_in_finite_fields_alone() {
        for (group, wanted) in [
            (None, &[1, 0, 2][..]),
            (Some(NamedGroup::Ffdhe2048), &[1, 0, 2]),
            (Some(NamedGroup::Secp256r1), &[0, 0, 1, 0, 2]),
            (Some(NamedGroup::X25519), &[0, 0, 1, 0, 2]),
        ] {
            let mut vault = Vault12::new();
            agree(Box::new(Echo), group, &[0, 0, 1, 0, 2], &mut vault).unwrap();
            assert_eq!(vault.premaster.expose(), wanted, "{group:?}");
        }
    }
}
