//! The chains and keys of a run: root, intermediate, leaves for server and client, once per kind of key.

use anyhow::Result;
use bench_harness::credentials::{Certificate, Credentials, Family, Identity};
use bench_harness::scenario::{Key, SERVER_NAME};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
use std::path::{Path, PathBuf};

/// Makes them and writes them for the workers.
pub(crate) fn write(directory: &Path) -> Result<PathBuf> {
    let credentials = Credentials { ecdsa: family(Key::EcdsaP256)?, rsa: family(Key::Rsa2048)? };
    let path = directory.join("credentials.json");
    std::fs::write(&path, serde_json::to_vec(&credentials)?)?;
    Ok(path)
}

pub(crate) fn family(key: Key) -> Result<Family> {
    let (root_params, root_key) = (authority("Bench Root"), new_key(key)?);
    let root = root_params.self_signed(&root_key)?;
    let root_issuer = Issuer::new(root_params, root_key);
    let (middle_params, middle_key) = (authority("Bench Intermediate"), new_key(key)?);
    let middle = form(&middle_params.signed_by(&middle_key, &root_issuer)?);
    let middle_issuer = Issuer::new(middle_params, middle_key);
    let leaf = |usage| -> Result<Identity> {
        let mut params = params(SERVER_NAME);
        params.subject_alt_names = vec![rcgen::SanType::DnsName(SERVER_NAME.try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![usage];
        let own = new_key(key)?;
        let certificate = params.signed_by(&own, &middle_issuer)?;
        Ok(Identity {
            chain: vec![form(&certificate), middle.clone()],
            key_der: own.serialize_der(),
            key_pem: own.serialize_pem(),
        })
    };
    let server = leaf(ExtendedKeyUsagePurpose::ServerAuth)?;
    let client = leaf(ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(Family { root: form(&root), server, client })
}

fn new_key(key: Key) -> Result<KeyPair> {
    Ok(match key {
        Key::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        Key::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
    })
}

fn form(certificate: &rcgen::Certificate) -> Certificate {
    Certificate { der: certificate.der().to_vec(), pem: certificate.pem() }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2025, 1, 1);
    params.not_after = rcgen::date_time_ymd(2035, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}
