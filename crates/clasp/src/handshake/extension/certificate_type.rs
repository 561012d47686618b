//! server_certificate_type and client_certificate_type: RFC 7250. Without a word the certificates of both sides are X.509.

use super::row::Block::{ClientHello, EncryptedExtensions, ServerHello12};
use super::row::Row;
use crate::code::{CertificateType, ExtensionType};
use crate::config::{ClientConfig, ServerConfig};
use crate::error::{Error, PeerError, Result};
use crate::handshake::hello::ClientOffer;
use crate::wire::extension::certificate;
use crate::wire::{Extension, Writer};

pub(super) static SERVER: Row = Row {
    offer: |config, _, w| offer(ExtensionType::ServerCertificateType, &config.server_types, w),
    read_offer: |offer, e| {
        offer.server_types = Some(read(e)?);
        Ok(())
    },
    asked: |config, _| is_said(&config.server_types),
    answer: |answer, w| {
        if answer.offer.server_types.is_some() {
            w.extension(ExtensionType::ServerCertificateType, |w| w.u8(answer.server_type.0));
        }
    },
    read_answer: |settled, asked, e| {
        settled.types.server = selected(&asked.config.server_types, e)?;
        Ok(())
    },
    ..Row::new(ExtensionType::ServerCertificateType, &[ClientHello, ServerHello12, EncryptedExtensions])
};

pub(super) static CLIENT: Row = Row {
    offer: |config, _, w| offer(ExtensionType::ClientCertificateType, &config.client_types, w),
    read_offer: |offer, e| {
        offer.client_types = Some(read(e)?);
        Ok(())
    },
    asked: |config, _| is_said(&config.client_types),
    answer: |answer, w| {
        if let (Some(_), Some(client)) = (answer.offer.client_types, answer.client_type) {
            w.extension(ExtensionType::ClientCertificateType, |w| w.u8(client.0));
        }
    },
    read_answer: |settled, asked, e| {
        settled.types.client = selected(&asked.config.client_types, e)?;
        Ok(())
    },
    ..Row::new(ExtensionType::ClientCertificateType, &[ClientHello, ServerHello12, EncryptedExtensions])
};

/// X.509 alone goes without saying: RFC 7250 4.1.
fn is_said(types: &[CertificateType]) -> bool {
    types != [CertificateType::X509]
}

fn offer(typ: ExtensionType, types: &[CertificateType], w: &mut Writer<'_>) {
    if is_said(types) && !types.is_empty() {
        certificate::write_types(typ, types, w);
    }
}

/// What a list of certificate types says that is not there: RFC 7250 4.1.
const X509_ALONE: &[u8] = &[CertificateType::X509.0];

/// A client's list; one of X.509 alone must be left out (RFC 7250 4.1).
fn read(e: Extension<'_>) -> Result<&[u8]> {
    if e.body == [0] {
        return Err(PeerError::WrongCertificateType.into());
    }
    let types = certificate::types(e)?;
    if types == X509_ALONE {
        return Err(PeerError::WrongCertificateType.into());
    }
    Ok(types)
}

/// A server's choice: one of those that were offered (RFC 7250 4.2).
fn selected(offered: &[CertificateType], e: Extension<'_>) -> Result<CertificateType> {
    let chosen = certificate::selected_type(e)?;
    if offered.contains(&chosen) {
        return Ok(chosen);
    }
    Err(Error::from(PeerError::BadCertificateType).seen(chosen))
}

impl<'a> ClientOffer<'a> {
    /// The kinds of certificate the client takes.
    pub(crate) fn takes_types(&self) -> impl Iterator<Item = CertificateType> + 'a {
        self.server_types.unwrap_or(X509_ALONE).iter().copied().map(CertificateType)
    }

    /// The kind to ask of the client: our preference among those it can show (RFC 7250 4.2).
    pub(crate) fn client_type(&self, config: &ServerConfig) -> Result<CertificateType> {
        let theirs = self.client_types.unwrap_or(X509_ALONE);
        let common = config.client_types.iter().find(|t| theirs.contains(&t.0)).copied();
        common.ok_or_else(|| Error::from(PeerError::BadCertificateType).in_message("ClientHello"))
    }
}

/// The kinds of certificate a server settled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Types {
    pub(crate) server: CertificateType,
    pub(crate) client: CertificateType,
}

impl Default for Types {
    fn default() -> Self {
        Self { server: CertificateType::X509, client: CertificateType::X509 }
    }
}

impl Types {
    /// A server that is silent has an X.509 certificate: that must be one of the kinds we take.
    pub(crate) fn check_server(self, config: &ClientConfig) -> Result<()> {
        if config.server_types.contains(&self.server) {
            return Ok(());
        }
        Err(Error::from(PeerError::BadCertificateType).seen(self.server))
    }
}
