//! Private keys of HPKE as PKCS #8 has them: RFC 5958, RFC 8410 7, RFC 5915.

use super::error::EchError;
use crate::code::HpkeKem;
use clasp_x509::kind;
use zeroize::Zeroizing;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 4;
const OID: u8 = 6;
/// INTEGER 0 and 1.
const ZERO: [u8; 3] = [2, 1, 0];
const ONE: [u8; 3] = [2, 1, 1];
/// id-ecPublicKey
const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];

/// The curves of the mechanisms, and whether a key there is an ECPrivateKey.
const CURVES: [(HpkeKem, &[u8], bool); 4] = [
    (HpkeKem::DhkemX25519HkdfSha256, &[0x2b, 0x65, 110], false),
    (HpkeKem::DhkemP256HkdfSha256, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], true),
    (HpkeKem::DhkemP384HkdfSha384, &[0x2b, 0x81, 4, 0, 34], true),
    (HpkeKem::DhkemP521HkdfSha512, &[0x2b, 0x81, 4, 0, 35], true),
];

/// The mechanism, and the key as RFC 9180 7.1.2 writes it.
pub(super) fn read(der: &[u8]) -> Result<(HpkeKem, &[u8]), EchError> {
    let (curve, key) = kind::agreement_key(der).ok_or(EchError::PrivateKey)?;
    let (kem, ..) = CURVES.iter().find(|(_, oid, _)| *oid == curve).ok_or(EchError::PrivateKey)?;
    Ok((*kem, key))
}

pub(super) fn write(kem: HpkeKem, private: &[u8]) -> Result<Zeroizing<Vec<u8>>, EchError> {
    let (_, curve, is_ec) = CURVES.iter().find(|(known, ..)| *known == kem).ok_or(EchError::PrivateKey)?;
    let curve = tagged(OID, &[curve])?;
    let key = tagged(OCTET_STRING, &[private])?;
    let (algorithm, key) = if *is_ec {
        (tagged(SEQUENCE, &[&*tagged(OID, &[&EC])?, &curve])?, tagged(SEQUENCE, &[&ONE, &key])?)
    } else {
        (tagged(SEQUENCE, &[&curve])?, key)
    };
    tagged(SEQUENCE, &[&ZERO, &algorithm, &tagged(OCTET_STRING, &[&key])?])
}

/// One DER element of less than 256 bytes. Its room is taken at once, so that no copy stays behind.
fn tagged(tag: u8, content: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, EchError> {
    let length = content.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
    let mut out = Zeroizing::new(Vec::with_capacity(length.saturating_add(3)));
    out.push(tag);
    match u8::try_from(length).map_err(|_| EchError::PrivateKey)? {
        short @ 0..=0x7f => out.push(short),
        long => out.extend_from_slice(&[0x81, long]),
    }
    content.iter().for_each(|part| out.extend_from_slice(part));
    Ok(out)
}
