//! Who we are: a certificate chain and its private key.
#![allow(unsafe_code, reason = "#[unsafe(no_mangle)] gives functions their names in C; there is no other")]

use crate::boundary::{free, give, text};
use crate::error::clasp_error;
use crate::memory::clasp_bytes;
use clasp::Identity;
use core::mem::MaybeUninit;
use std::sync::Arc;

/// A certificate chain and its private key. Nothing changes it: any number of threads, builders and configurations may share it. The
/// key is wiped when the last of them is freed.
#[allow(non_camel_case_types, reason = "C's names")]
pub struct clasp_identity(Arc<Identity>);

impl clasp_identity {
    pub(crate) fn share(&self) -> Arc<Identity> {
        self.0.clone()
    }
}

/// Reads a chain in PEM, own certificate first, and its private key in PEM (PKCS #8, PKCS #1 or SEC 1, unencrypted). The key has to be
/// the certificate's. What Clasp reads of the key it wipes; the caller wipes what it has read into `key_pem`. Free *identity with
/// clasp_identity_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_identity_from_pem(
    chain_pem: clasp_bytes<'_>,
    key_pem: clasp_bytes<'_>,
    identity: Option<&mut MaybeUninit<Option<Box<clasp_identity>>>>,
) -> Option<Box<clasp_error>> {
    give(identity, "identity", || {
        let read = Identity::from_pem(chain_pem.get("chain_pem")?, key_pem.get("key_pem")?)?;
        Ok(Some(Box::new(clasp_identity(Arc::new(read)))))
    })
}

/// Reads a PKCS #12 archive (RFC 7292; .p12, .pfx) and its password, in UTF-8: one private key, its certificate, and those that lead to
/// a root. What Clasp makes of the key it wipes; what the reader of archives copies meanwhile is not, and the password is the caller's to
/// wipe. Free *identity with clasp_identity_free.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C" fn clasp_identity_from_pkcs12(
    archive: clasp_bytes<'_>,
    password: clasp_bytes<'_>,
    identity: Option<&mut MaybeUninit<Option<Box<clasp_identity>>>>,
) -> Option<Box<clasp_error>> {
    give(identity, "identity", || {
        let password = text(password.get("password")?, "password")?;
        let read = Identity::from_pkcs12(archive.get("archive")?, password)?;
        Ok(Some(Box::new(clasp_identity(Arc::new(read)))))
    })
}

/// Frees an identity. NULL is borne; builders and configurations keep what they were given.
#[unsafe(no_mangle)]
pub extern "C" fn clasp_identity_free(identity: Option<Box<clasp_identity>>) {
    free(identity);
}
