//! Identities from the files that the runner writes.

use crate::doubles::{Numbered, ShimSigner};
use crate::failure::Failure;
use crate::flags::{Credential, CredentialKind, Flags};
use clasp::config::{Identity, PreSharedKey};
use clasp::crypto::{HashId, PrivateKey, Provider};
use clasp::wire::code::SignatureScheme;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// The certificates of a PEM file.
pub(crate) fn chain(path: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read = CertificateDer::pem_file_iter(path).map_err(|e| Failure::new(e.to_string()))?;
    read.map(|c| c.map_err(|e| Failure::new(e.to_string()))).collect()
}

fn key(path: &str) -> Result<Arc<PrivateKey>, Failure> {
    let der = PrivateKeyDer::from_pem_file(path).map_err(|e| Failure::new(format!("{path}: {e}")))?;
    match PrivateKey::from_der(der) {
        Ok(key) => Ok(Arc::new(key)),
        Err(_) => Err(Failure::unimplemented("this kind of private key")),
    }
}

/// The identities of the flags, in their order; the one without a number comes last.
pub(crate) fn identities(flags: &Flags) -> Result<Vec<Numbered>, Failure> {
    let mut all = Vec::new();
    for (n, credential) in flags.credentials.iter().enumerate() {
        if credential.kind != CredentialKind::PreSharedKey {
            all.push(numbered(flags, credential, Some(n))?);
        }
    }
    if flags.base.key_file.is_some() {
        all.push(numbered(flags, &flags.base, None)?);
    }
    Ok(all)
}

fn numbered(flags: &Flags, credential: &Credential, number: Option<usize>) -> Result<Numbered, Failure> {
    let key = key(credential.key_file.as_deref().ok_or_else(|| Failure::new("no -key-file"))?)?;
    let prefs: Vec<SignatureScheme> = if credential.signing_prefs.is_empty() {
        flags.base.signing_prefs.iter().copied().map(SignatureScheme).collect()
    } else {
        credential.signing_prefs.iter().copied().map(SignatureScheme).collect()
    };
    if prefs.iter().any(|s| matches!(*s, SignatureScheme::RsaPkcs1Sha1 | SignatureScheme::EcdsaSha1)) {
        return Err(Failure::unimplemented("signatures over SHA-1"));
    }
    let narrowed = !prefs.is_empty();
    let schemes = if narrowed {
        prefs.into_iter().filter(|s| key.schemes().contains(s)).collect()
    } else {
        key.schemes().to_vec()
    };
    let signer = Arc::new(ShimSigner { key: key.clone(), schemes, slow: flags.async_ });
    let raw = credential.kind == CredentialKind::RawPublicKey;
    let (mut identity, issuers) = if raw {
        let spki = key.spki().map_err(|_| Failure::new("no public key"))?;
        (Identity::raw_with_signer(spki, signer), Vec::new())
    } else {
        let path = credential.cert_file.as_deref().ok_or_else(|| Failure::new("no -cert-file"))?;
        let chain = chain(path)?;
        let issuers = chain
            .iter()
            .filter_map(|c| clasp_x509::Certificate::parse(c).ok().map(|c| c.issuer_der().to_vec()))
            .collect();
        let rsa = key.schemes().contains(&SignatureScheme::RsaPssRsaeSha256);
        let identity = Identity::with_signer(chain, signer)?;
        let identity = if rsa { identity.with_transport_key(key)? } else { identity };
        (identity, issuers)
    };
    let staple = credential
        .ocsp
        .clone()
        .filter(|_| !flags.use_ocsp_callback || flags.set_ocsp_in_callback || !flags.decline_ocsp_callback);
    if let Some(ocsp) = staple.filter(|_| !flags.decline_ocsp_callback) {
        identity = identity.with_ocsp(ocsp);
    }
    if let Some(list) = &credential.timestamps {
        identity = identity.with_timestamps(list.clone())?;
    }
    let must_match_issuer = credential.must_match_issuer;
    Ok(Numbered { number, identity: Arc::new(identity), issuers, must_match_issuer })
}

/// The external keys of the flags: each imported for the hashes that suites have.
pub(crate) fn psks(flags: &Flags) -> Result<Vec<(usize, PreSharedKey)>, Failure> {
    let mut all = Vec::new();
    for (n, c) in flags.credentials.iter().enumerate() {
        if c.kind == CredentialKind::PreSharedKey {
            let own = if c.psk_sha384 { HashId::Sha384 } else { HashId::Sha256 };
            let imported = PreSharedKey::imported_with(&c.psk_identity, &c.psk, &c.psk_context, own)?;
            all.extend(imported.into_iter().map(|key| (n, key)));
        }
    }
    Ok(all)
}

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    let hash = Provider::builtin().hash(HashId::Sha256).expect("the built-in hash");
    hash.digest(&[bytes]).as_ref().to_vec()
}
