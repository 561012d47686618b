//! The certificates of the servers that are looked at, in files of one folder: `NAME.pem` and `NAME.key`, and `root.pem`.

use base64::Engine;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SignatureAlgorithm,
};
use std::path::Path;
use time::{Duration, OffsetDateTime};

struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str, above: Option<&Self>) -> (Self, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let made = match above {
            Some(above) => params.signed_by(&key, &above.0).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        (Self(Issuer::new(params, key)), made.pem())
    }

    fn issue(&self, folder: &Path, name: &str, algorithm: &'static SignatureAlgorithm, days: [i64; 2]) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        // Of the same subject NSS knows but one.
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let [first, last] = days.map(|days| OffsetDateTime::now_utc() + Duration::days(days));
        (params.not_before, params.not_after) = (first, last);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), leaf.pem()).unwrap();
        let pem = if algorithm == &rcgen::PKCS_ED25519 { of_rfc5208(&key) } else { key.serialize_pem() };
        std::fs::write(folder.join(format!("{name}.key")), pem).unwrap();
    }
}

/// An Ed25519 key without its public half, which OpenSSL 3.0 does not read (RFC 5958 2, version 1).
fn of_rfc5208(key: &KeyPair) -> String {
    const START: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = [&START, &key.serialize_der()[16..48]].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// All of them.
pub(crate) fn write(folder: &Path) {
    let (root, pem) = Authority::new("Root of the agreement", None);
    std::fs::write(folder.join("root.pem"), pem).unwrap();
    let now = [-1, 90];
    root.issue(folder, "p256", &rcgen::PKCS_ECDSA_P256_SHA256, now);
    root.issue(folder, "p384", &rcgen::PKCS_ECDSA_P384_SHA384, now);
    root.issue(folder, "ed25519", &rcgen::PKCS_ED25519, now);
    root.issue(folder, "rsa", &rcgen::PKCS_RSA_SHA256, now);
    root.issue(folder, "expired", &rcgen::PKCS_ECDSA_P256_SHA256, [-90, -1]);
    let (between, _pem) = Authority::new("Between", Some(&root));
    between.issue(folder, "below", &rcgen::PKCS_ECDSA_P256_SHA256, now);
}
