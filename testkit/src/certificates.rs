//! Certificates made on the spot.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clasp::crypto::PrivateKey;
use clasp::pki_types::{CertificateDer, CertificateRevocationListDer};
use clasp::{Identity, Roots};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
    PKCS_RSA_SHA256, RevokedCertParams, SignatureAlgorithm, SigningKey,
};
use std::sync::{Arc, OnceLock};

/// A certificate authority.
pub struct Authority {
    der: Vec<u8>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What kind of key a certificate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits.
    Rsa,
    /// The same for RSASSA-PSS alone, with any hash and salt (RFC 4055 1.2).
    RsaPss,
    /// ECDSA P-256.
    P256,
    /// ECDSA P-384.
    P384,
    /// Ed25519.
    Ed25519,
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, DER.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key, PKCS#8.
    pub key: Vec<u8>,
    /// The certificate in PEM.
    pub chain_pem: String,
    /// The key in PEM.
    pub key_pem: String,
}

/// The authority that tests trust.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("Clasp Test CA"))
}

/// Another authority of the same name, with another key: a man in the middle's.
pub fn other_authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::new("Clasp Test CA"))
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// If a key or certificate cannot be made.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).expect("a certificate");
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Self { der, pem, issuer: Issuer::new(params, key) }
    }

    /// Its certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Roots that trust it alone.
    ///
    /// # Panics
    /// If its own certificate cannot be read.
    pub fn roots(&self) -> Arc<Roots> {
        let mut roots = Roots::empty();
        roots.add_der(&self.der).expect("a certificate that was just made");
        Arc::new(roots)
    }

    /// A revocation list (DER) that revokes these serial numbers of one byte each.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn revocation_list(&self, serials: &[u8]) -> CertificateRevocationListDer<'static> {
        self.revocation_list_until(serials, (2060, 1, 1))
    }

    /// The same, whose next one is due on this day (year, month, day).
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn revocation_list_until(
        &self,
        serials: &[u8],
        (year, month, day): (i32, u8, u8),
    ) -> CertificateRevocationListDer<'static> {
        let revoked = |serial: &u8| RevokedCertParams {
            serial_number: vec![*serial].into(),
            revocation_time: rcgen::date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2025, 1, 1),
            next_update: rcgen::date_time_ymd(year, month, day),
            crl_number: vec![1].into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").into()
    }

    /// Issues a certificate for servers and clients of these names.
    ///
    /// # Panics
    /// If a key or certificate cannot be made.
    pub fn issue(&self, kind: KeyKind, names: &[&str]) -> Issued {
        self.issue_with(kind, names, |_| ())
    }

    /// The same, with changes to what is issued.
    ///
    /// # Panics
    /// If a key or certificate cannot be made.
    pub fn issue_with(&self, kind: KeyKind, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let algorithm: &SignatureAlgorithm = match kind {
            KeyKind::Rsa | KeyKind::RsaPss => &PKCS_RSA_SHA256,
            KeyKind::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyKind::P384 => &PKCS_ECDSA_P384_SHA384,
            KeyKind::Ed25519 => &PKCS_ED25519,
        };
        let key = match kind {
            KeyKind::Rsa | KeyKind::RsaPss => rsa_key(),
            _ => KeyPair::generate_for(algorithm).expect("a key"),
        };
        let mut params = params(names.first().copied().unwrap_or("nobody"));
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        params.subject_alt_names = CertificateParams::new(names).expect("names").subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if kind == KeyKind::RsaPss {
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        }
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        if kind == KeyKind::RsaPss {
            return self.with_key_for_pss(certificate.der(), &key);
        }
        Issued {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

impl Authority {
    /// A certificate for these names like any other, but for its key: a point on a curve that nobody here knows
    /// (prime192v1, RFC 3279 2.3.5). The identity signs with a key of P-256, as whoever lies about its key would.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn with_unknown_key(&self, names: &[&str]) -> Identity {
        // AlgorithmIdentifier: id-ecPublicKey, and prime256v1, whose last byte makes it another curve.
        const P256: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
        let issued = self.issue(KeyKind::P256, names);
        let mut tbs = to_be_signed(&issued.chain[0]).to_vec();
        let at = tbs.windows(P256.len()).position(|w| w == P256).expect("the key");
        tbs[at + P256.len() - 1] = 1;
        let certificate = self.sign(&tbs);
        let key = Arc::new(PrivateKey::from_der(&issued.key).expect("a key that was just made"));
        Identity::with_signer(vec![certificate.into()], key).expect("a certificate that was just made")
    }

    /// A certificate like this one, whose key and the key itself are for RSASSA-PSS alone: rcgen makes none.
    fn with_key_for_pss(&self, der: &[u8], key: &KeyPair) -> Issued {
        let certificate = self.sign(&for_pss_alone(to_be_signed(der), true));
        let key = for_pss_alone(&key.serialize_der(), false);
        Issued {
            chain_pem: pem("CERTIFICATE", &certificate),
            key_pem: pem("PRIVATE KEY", &key),
            chain: vec![certificate.into()],
            key,
        }
    }

    /// A certificate of what is to be signed. The authority's key is one of P-256.
    fn sign(&self, tbs: &[u8]) -> Vec<u8> {
        const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
        let signature = self.issuer.key().sign(tbs).expect("a signature");
        let signature = [&[3, u8::try_from(signature.len() + 1).expect("a short one"), 0], &signature[..]].concat();
        let content = [tbs, ECDSA_SHA256, &signature].concat();
        let length = u16::try_from(content.len()).expect("a short one").to_be_bytes();
        [&[0x30, 0x82], &length[..], &content].concat()
    }
}

/// The tbsCertificate of a certificate: SEQUENCE { tbsCertificate, ..., each with a length of two bytes.
fn to_be_signed(certificate: &[u8]) -> &[u8] {
    let length = usize::from(u16::from_be_bytes([certificate[6], certificate[7]]));
    &certificate[4..8 + length]
}

/// A tbsCertificate or a PrivateKeyInfo with an RSA key, and id-RSASSA-PSS without parameters in place of rsaEncryption: two bytes
/// shorter, and with it the whole, and the SubjectPublicKeyInfo around it.
fn for_pss_alone(der: &[u8], in_spki: bool) -> Vec<u8> {
    const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const PSS: &[u8] = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    let at = der.windows(RSA.len()).position(|w| w == RSA).expect("an RSA key");
    let mut der = [&der[..at], PSS, &der[at + RSA.len()..]].concat();
    for header in [Some(0), in_spki.then(|| at - 4)].into_iter().flatten() {
        let length = u16::from_be_bytes([der[header + 2], der[header + 3]]) - 2;
        der[header + 2..header + 4].copy_from_slice(&length.to_be_bytes());
    }
    der
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// Making an RSA key takes long, so all tests of a process share one.
fn rsa_key() -> KeyPair {
    static KEY: OnceLock<String> = OnceLock::new();
    let pem = KEY.get_or_init(|| KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key").serialize_pem());
    KeyPair::from_pem(pem).expect("a key that was just made")
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2060, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

impl Issued {
    /// As an identity.
    ///
    /// # Panics
    /// If Clasp cannot read what was just made.
    pub fn identity(&self) -> Identity {
        Identity::from_der(self.chain.clone(), &self.key).expect("an identity that was just made")
    }
}

impl core::fmt::Debug for Authority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Authority")
    }
}
