//! Object identifiers: the content of their DER, and their names.

use core::fmt;

/// An object identifier, as the content of its DER.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Oid<'a>(pub &'a [u8]);

macro_rules! oids {
    ($($name:ident = $text:literal $bytes:expr;)*) => {
        $(pub(crate) const $name: &[u8] = &$bytes;)*
        const NAMES: &[(&[u8], &str)] = &[$(($name, $text)),*];
    };
}

oids! {
    SUBJECT_KEY_ID = "subjectKeyIdentifier" [0x55, 0x1d, 14];
    KEY_USAGE = "keyUsage" [0x55, 0x1d, 15];
    SUBJECT_ALT_NAME = "subjectAltName" [0x55, 0x1d, 17];
    ISSUER_ALT_NAME = "issuerAltName" [0x55, 0x1d, 18];
    BASIC_CONSTRAINTS = "basicConstraints" [0x55, 0x1d, 19];
    CRL_NUMBER = "cRLNumber" [0x55, 0x1d, 20];
    REASON_CODE = "reasonCode" [0x55, 0x1d, 21];
    INVALIDITY_DATE = "invalidityDate" [0x55, 0x1d, 24];
    DELTA_CRL = "deltaCRLIndicator" [0x55, 0x1d, 27];
    ISSUING_POINT = "issuingDistributionPoint" [0x55, 0x1d, 28];
    CERTIFICATE_ISSUER = "certificateIssuer" [0x55, 0x1d, 29];
    NAME_CONSTRAINTS = "nameConstraints" [0x55, 0x1d, 30];
    CRL_POINTS = "cRLDistributionPoints" [0x55, 0x1d, 31];
    POLICIES = "certificatePolicies" [0x55, 0x1d, 32];
    ANY_POLICY = "anyPolicy" [0x55, 0x1d, 32, 0];
    POLICY_MAPPINGS = "policyMappings" [0x55, 0x1d, 33];
    AUTHORITY_KEY_ID = "authorityKeyIdentifier" [0x55, 0x1d, 35];
    POLICY_CONSTRAINTS = "policyConstraints" [0x55, 0x1d, 36];
    EXTENDED_KEY_USAGE = "extKeyUsage" [0x55, 0x1d, 37];
    ANY_USAGE = "anyExtendedKeyUsage" [0x55, 0x1d, 37, 0];
    FRESHEST_CRL = "freshestCRL" [0x55, 0x1d, 46];
    INHIBIT_ANY = "inhibitAnyPolicy" [0x55, 0x1d, 54];
    AUTHORITY_INFO = "authorityInfoAccess" [0x2b, 6, 1, 5, 5, 7, 1, 1];
    SUBJECT_INFO = "subjectInfoAccess" [0x2b, 6, 1, 5, 5, 7, 1, 11];
    TLS_FEATURE = "tlsfeature" [0x2b, 6, 1, 5, 5, 7, 1, 24];
    CPS = "CPS pointer" [0x2b, 6, 1, 5, 5, 7, 2, 1];
    USER_NOTICE = "user notice" [0x2b, 6, 1, 5, 5, 7, 2, 2];
    SERVER_AUTH = "serverAuth" [0x2b, 6, 1, 5, 5, 7, 3, 1];
    CLIENT_AUTH = "clientAuth" [0x2b, 6, 1, 5, 5, 7, 3, 2];
    CODE_SIGNING = "codeSigning" [0x2b, 6, 1, 5, 5, 7, 3, 3];
    EMAIL_PROTECTION = "emailProtection" [0x2b, 6, 1, 5, 5, 7, 3, 4];
    TIME_STAMPING = "timeStamping" [0x2b, 6, 1, 5, 5, 7, 3, 8];
    OCSP_SIGNING = "OCSPSigning" [0x2b, 6, 1, 5, 5, 7, 3, 9];
    SMTP_UTF8_MAILBOX = "SmtpUTF8Mailbox" [0x2b, 6, 1, 5, 5, 7, 8, 9];
    OCSP = "ocsp" [0x2b, 6, 1, 5, 5, 7, 48, 1];
    OCSP_BASIC = "basic OCSP response" [0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
    OCSP_NONCE = "OCSP nonce" [0x2b, 6, 1, 5, 5, 7, 48, 1, 2];
    OCSP_NO_CHECK = "ocsp-nocheck" [0x2b, 6, 1, 5, 5, 7, 48, 1, 5];
    CA_ISSUERS = "caIssuers" [0x2b, 6, 1, 5, 5, 7, 48, 2];
    SCT_LIST = "signedCertificateTimestamps" [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 2];
    CT_POISON = "certificateTransparencyPoison" [0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 3];
    SUBJECT_DIRECTORY = "subjectDirectoryAttributes" [0x55, 0x1d, 9];
    MS_APPLICATION_POLICIES = "applicationPolicies" [0x2b, 6, 1, 4, 1, 0x82, 0x37, 21, 10];
    COMMON_NAME = "CN" [0x55, 4, 3];
    SURNAME = "SN" [0x55, 4, 4];
    SERIAL_NUMBER = "serialNumber" [0x55, 4, 5];
    COUNTRY = "C" [0x55, 4, 6];
    LOCALITY = "L" [0x55, 4, 7];
    STATE = "ST" [0x55, 4, 8];
    STREET = "street" [0x55, 4, 9];
    ORGANIZATION = "O" [0x55, 4, 10];
    ORGANIZATIONAL_UNIT = "OU" [0x55, 4, 11];
    TITLE = "title" [0x55, 4, 12];
    BUSINESS_CATEGORY = "businessCategory" [0x55, 4, 15];
    POSTAL_CODE = "postalCode" [0x55, 4, 17];
    GIVEN_NAME = "GN" [0x55, 4, 42];
    DN_QUALIFIER = "dnQualifier" [0x55, 4, 46];
    PSEUDONYM = "pseudonym" [0x55, 4, 65];
    ORGANIZATION_ID = "organizationIdentifier" [0x55, 4, 97];
    DOMAIN_COMPONENT = "DC" [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];
    USER_ID = "UID" [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1];
    EMAIL_ADDRESS = "emailAddress" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
    EXTENSION_REQUEST = "extensionRequest" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
    RSA = "RSA" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    MD5_RSA = "RSA with MD5" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4];
    SHA1_RSA = "RSA with SHA-1" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5];
    MGF1 = "MGF1" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    RSA_PSS = "RSASSA-PSS" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    SHA256_RSA = "RSA with SHA-256" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    SHA384_RSA = "RSA with SHA-384" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12];
    SHA512_RSA = "RSA with SHA-512" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13];
    EC = "EC" [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    P256 = "P-256" [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    P384 = "P-384" [0x2b, 0x81, 4, 0, 34];
    P521 = "P-521" [0x2b, 0x81, 4, 0, 35];
    SHA1_ECDSA = "ECDSA with SHA-1" [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];
    SHA256_ECDSA = "ECDSA with SHA-256" [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    SHA384_ECDSA = "ECDSA with SHA-384" [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    SHA512_ECDSA = "ECDSA with SHA-512" [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
    SECP256K1 = "secp256k1" [0x2b, 0x81, 4, 0, 10];
    BRAINPOOL_P256 = "brainpoolP256r1" [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7];
    BRAINPOOL_P384 = "brainpoolP384r1" [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 11];
    BRAINPOOL_P512 = "brainpoolP512r1" [0x2b, 0x24, 3, 3, 2, 8, 1, 1, 13];
    DIFFIE_HELLMAN = "Diffie-Hellman" [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 3, 1];
    X942_DIFFIE_HELLMAN = "Diffie-Hellman of X9.42" [0x2a, 0x86, 0x48, 0xce, 0x3e, 2, 1];
    X25519 = "X25519" [0x2b, 0x65, 110];
    X448 = "X448" [0x2b, 0x65, 111];
    ML_KEM_512 = "ML-KEM-512" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 1];
    ML_KEM_768 = "ML-KEM-768" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 2];
    ML_KEM_1024 = "ML-KEM-1024" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, 3];
    ED25519 = "Ed25519" [0x2b, 0x65, 112];
    ED448 = "Ed448" [0x2b, 0x65, 113];
    DSA = "DSA" [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
    SHA1_DSA = "DSA with SHA-1" [0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
    ML_DSA_44 = "ML-DSA-44" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17];
    ML_DSA_65 = "ML-DSA-65" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
    ML_DSA_87 = "ML-DSA-87" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 19];
    SHA1 = "SHA-1" [0x2b, 0x0e, 3, 2, 26];
    SHA256 = "SHA-256" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    SHA384 = "SHA-384" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
    SHA512 = "SHA-512" [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];
}

impl Oid<'_> {
    /// Its name, where this crate has one.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(oid, _)| *oid == self.0).map(|(_, name)| *name)
    }
}

impl fmt::Display for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.write_str(name);
        }
        let mut value: u64 = 0;
        let mut first = true;
        for byte in self.0.iter().take(64) {
            value = value.checked_mul(128).and_then(|v| v.checked_add(u64::from(byte & 0x7f))).unwrap_or(u64::MAX);
            if byte & 0x80 != 0 {
                continue;
            }
            if first {
                let root = (value / 40).min(2);
                write!(f, "{root}.{}", value.saturating_sub(root.saturating_mul(40)))?;
            } else {
                write!(f, ".{value}")?;
            }
            (value, first) = (0, false);
        }
        Ok(())
    }
}

impl fmt::Debug for Oid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_people() {
        assert_eq!(Oid(SERVER_AUTH).to_string(), "serverAuth");
        assert_eq!(Oid(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1]).to_string(), "1.3.6.1.4.1.311.2.1");
        assert_eq!(Oid(&[0x88, 0x37, 1]).to_string(), "2.999.1");
        let names: std::collections::HashSet<_> = NAMES.iter().map(|(oid, _)| oid).collect();
        assert_eq!(names.len(), NAMES.len(), "two names for one identifier");
    }
}
