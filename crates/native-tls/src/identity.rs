//! Certificates, and whose key one has.

use crate::{Error, Result};
use clasp::pki_types::CertificateDer;
use clasp_x509::kind::Kind;
use clasp_x509::pem::{self, PemError};
use std::sync::Arc;

/// A chain of certificates and the private key of the first.
#[derive(Clone)]
pub struct Identity(Arc<clasp::Identity>);

impl Identity {
    /// From a PKCS #12 archive (DER) and its password: one private key, its certificate, and those that lead to a root.
    ///
    /// # Errors
    /// If it cannot be read, the password is wrong, or there is not one key with a certificate of its own.
    pub fn from_pkcs12(der: &[u8], password: &str) -> Result<Self> {
        Ok(Self(Arc::new(clasp::Identity::from_pkcs12(der, password)?)))
    }

    /// From PEM: the chain (own certificate first), and its private key as PKCS #8.
    ///
    /// # Errors
    /// If either cannot be read, the key is in another form, or it is not the certificate's.
    pub fn from_pkcs8(pem: &[u8], key: &[u8]) -> Result<Self> {
        let chain = items(pem)?.into_iter().map(|Certificate(der)| der.into()).collect();
        let section = pem::private_key(key).map_err(|fault| unread(&fault))?;
        // As the original does: programs tell forms of keys apart by it.
        if section.label() != "PRIVATE KEY" {
            return Err(Error::words(format!("found {}, wanted PRIVATE KEY (PKCS #8)", section.label())));
        }
        Ok(Self(Arc::new(clasp::Identity::from_der(chain, section.der())?)))
    }

    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        self.0.chain()
    }

    pub(crate) fn clasp(&self) -> Arc<clasp::Identity> {
        self.0.clone()
    }
}

/// A certificate.
#[derive(Clone)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// From DER.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        clasp_x509::Certificate::parse(der)
            .map_err(|error| Error::words(format!("a certificate that cannot be read: {error}")))?;
        Ok(Self(der.to_vec()))
    }

    /// From PEM; the first, if there are several.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        items(pem)?.into_iter().next().ok_or_else(|| Error::words("no certificate"))
    }

    /// All of a PEM file.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn stack_from_pem(pem: &[u8]) -> Result<Vec<Self>> {
        items(pem)
    }

    /// As DER.
    ///
    /// # Errors
    /// None: the signature is the original's.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.0
    }
}

fn items(pem: &[u8]) -> Result<Vec<Certificate>> {
    let sections = pem::items(pem, Kind::Certificate).map_err(|fault| unread(&fault))?;
    sections.iter().map(|section| Certificate::from_der(section.der())).collect()
}

fn unread(fault: &PemError) -> Error {
    let line = if fault.line > 0 { format!("line {}: ", fault.line) } else { String::new() };
    Error::words(format!("{line}found {}, wanted {}", fault.found, fault.wanted))
}
