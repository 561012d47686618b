//! Writing OCSP responses, for a small authority that signs its own: RFC 6960 4.2.1.

use super::ocsp::CertStatus;
use crate::certificate::Certificate;
use crate::der::{self, constructed, element, primitive};
use crate::oid;
use crate::spki::Spki;
use crate::time::Moment;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// A response that waits for its signature.
#[derive(Clone, Debug)]
pub struct UnsignedOcsp {
    data: Vec<u8>,
}

impl UnsignedOcsp {
    /// Says the status of a certificate, in the name of the authority that issued it. The times are seconds since 1970.
    pub fn new(
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        status: CertStatus,
        this_update: i64,
        next_update: i64,
    ) -> Self {
        let hash = |bytes: &[u8]| element(der::OCTET_STRING, digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
        // SHA-1 is what every client knows here (RFC 5019 2.1.1); it names the issuer, and vouches for nothing.
        let sha1 = element(der::SEQUENCE, &[&element(der::OID, oid::SHA1)[..], &[5, 0]].concat());
        let id = [
            sha1,
            hash(issuer.subject_der()),
            hash(Spki::parse(issuer.spki()).map_or(&[][..], |spki| spki.key())),
            element(der::INTEGER, certificate.serial_der()),
        ];
        let status = match status {
            CertStatus::Good => element(primitive(0), &[]),
            CertStatus::Revoked(at, reason) => {
                let reason = element(constructed(0), &element(der::ENUMERATED, &[reason.0]));
                element(constructed(1), &[time(at), reason].concat())
            }
            CertStatus::Unknown => element(primitive(2), &[]),
        };
        let next = element(constructed(0), &time(next_update));
        let single =
            element(der::SEQUENCE, &[element(der::SEQUENCE, &id.concat()), status, time(this_update), next].concat());
        let responder = element(constructed(1), issuer.subject_der());
        let data = [responder, time(this_update), element(der::SEQUENCE, &single)];
        Self { data: element(der::SEQUENCE, &data.concat()) }
    }

    /// What the issuer's key is to sign.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.data
    }

    /// The response, DER, once its signature is there; `algorithm` is the AlgorithmIdentifier, DER.
    pub fn signed(&self, algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
        let signature = element(der::BIT_STRING, &[&[0], signature].concat());
        let basic = element(der::SEQUENCE, &[&self.data[..], algorithm, &signature].concat());
        let typed = [element(der::OID, oid::OCSP_BASIC), element(der::OCTET_STRING, &basic)].concat();
        let bytes = element(constructed(0), &element(der::SEQUENCE, &typed));
        element(der::SEQUENCE, &[element(der::ENUMERATED, &[0]), bytes].concat())
    }
}

/// GeneralizedTime.
fn time(at: i64) -> Vec<u8> {
    let digits: String = Moment(at).to_string().chars().filter(char::is_ascii_digit).collect();
    element(der::GENERALIZED_TIME, format!("{digits}Z").as_bytes())
}
