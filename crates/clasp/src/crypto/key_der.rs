//! Private keys in DER, as callers have them.

use core::fmt;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

/// What a private key is read from: [`PrivateKeyDer`] by reference or by value, or bytes in DER. Which of its forms they have
/// is seen when they are read, whatever a `PrivateKeyDer` says of itself.
///
/// [`PrivateKeyDer`] is not wiped when it is dropped. One that is handed over by value is wiped here; of one that is lent
/// nothing is left here, and the caller's own stays as it is: `Zeroizing::new(key)` wipes it (with the crate zeroize).
///
/// ```no_run
/// use clasp::Identity;
/// use clasp::pki_types::pem::PemObject;
/// use clasp::pki_types::{CertificateDer, PrivateKeyDer};
/// let chain = CertificateDer::pem_file_iter("cert.pem")?.collect::<Result<Vec<_>, _>>()?;
/// let identity = Identity::from_der(chain, PrivateKeyDer::from_pem_file("key.pem")?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AnyKeyDer<'a>(Held<'a>);

enum Held<'a> {
    Lent(&'a [u8]),
    Given(Zeroizing<PrivateKeyDer<'static>>),
}

impl AnyKeyDer<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Held::Lent(der) => der,
            Held::Given(key) => key.secret_der(),
        }
    }
}

impl<'a> From<&'a [u8]> for AnyKeyDer<'a> {
    fn from(der: &'a [u8]) -> Self {
        Self(Held::Lent(der))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for AnyKeyDer<'a> {
    fn from(der: &'a [u8; N]) -> Self {
        Self(Held::Lent(der))
    }
}

impl<'a> From<&'a Vec<u8>> for AnyKeyDer<'a> {
    fn from(der: &'a Vec<u8>) -> Self {
        Self(Held::Lent(der))
    }
}

impl<'a> From<&'a Zeroizing<Vec<u8>>> for AnyKeyDer<'a> {
    fn from(der: &'a Zeroizing<Vec<u8>>) -> Self {
        Self(Held::Lent(der))
    }
}

impl<'a> From<&'a PrivateKeyDer<'_>> for AnyKeyDer<'a> {
    fn from(key: &'a PrivateKeyDer<'_>) -> Self {
        Self(Held::Lent(key.secret_der()))
    }
}

impl From<PrivateKeyDer<'static>> for AnyKeyDer<'_> {
    fn from(key: PrivateKeyDer<'static>) -> Self {
        Self(Held::Given(Zeroizing::new(key)))
    }
}

impl From<PrivatePkcs8KeyDer<'static>> for AnyKeyDer<'_> {
    fn from(key: PrivatePkcs8KeyDer<'static>) -> Self {
        PrivateKeyDer::from(key).into()
    }
}

impl From<PrivatePkcs1KeyDer<'static>> for AnyKeyDer<'_> {
    fn from(key: PrivatePkcs1KeyDer<'static>) -> Self {
        PrivateKeyDer::from(key).into()
    }
}

impl From<PrivateSec1KeyDer<'static>> for AnyKeyDer<'_> {
    fn from(key: PrivateSec1KeyDer<'static>) -> Self {
        PrivateKeyDer::from(key).into()
    }
}

impl fmt::Debug for AnyKeyDer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyKeyDer([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::PrivateKey;
    use rcgen::PublicKeyData;

    #[test]
    fn a_key_is_read_from_whatever_has_its_bytes() {
        let made = rcgen::KeyPair::generate().unwrap();
        let (der, spki) = (made.serialize_der(), made.subject_public_key_info());
        let pkcs8 = || PrivatePkcs8KeyDer::from(der.clone());
        let given = || PrivateKeyDer::from(pkcs8());
        // What a key says it is does not matter, only what it is.
        let misnamed = || (PrivatePkcs1KeyDer::from(der.clone()), PrivateSec1KeyDer::from(der.clone()));
        let lent = given();
        let wiped = Zeroizing::new(der.clone());
        let slice = &der[..];
        let all: [AnyKeyDer<'_>; 8] = [
            slice.into(),
            (&der).into(),
            (&wiped).into(),
            (&lent).into(),
            given().into(),
            pkcs8().into(),
            misnamed().0.into(),
            misnamed().1.into(),
        ];
        for key in all {
            assert!(!format!("{key:?}").chars().any(|c| c.is_ascii_digit()), "{key:?}");
            assert_eq!(PrivateKey::from_der(key).unwrap().spki().unwrap(), spki);
        }
        assert!(PrivateKey::from_der(&[0x30, 0]).is_err());
        assert!(PrivateKey::from_der([slice, &[5, 0]].concat()[..].as_ref()).is_err(), "bytes behind a key");
    }
}
