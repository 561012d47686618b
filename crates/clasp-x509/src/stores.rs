//! Roots of a store whose keeper decides what belongs in it: the system's, and Mozilla's as bundled with this build. Of
//! each a name, a key and name constraints count, as with [`Roots::add_vetted`].

use crate::roots::Roots;

/// Where the environment says that the roots are, as it does to OpenSSL.
#[cfg(feature = "native-roots")]
const FILE: &str = "SSL_CERT_FILE";

#[cfg(feature = "native-roots")]
impl Roots {
    /// Trusts what the system trusts, or what is in the file of the environment's `SSL_CERT_FILE`. A certificate of the store that
    /// cannot be read is one that is not trusted.
    ///
    /// # Errors
    /// If the store has none that can be read, or `SSL_CERT_FILE` names what is not there: that the system's were taken in its place would
    /// be lost without a word.
    pub fn native() -> Result<Self, crate::roots::RootsError> {
        if let Some(path) = std::env::var_os(FILE).filter(|path| !path.is_empty())
            && let Err(error) = std::fs::metadata(&path)
        {
            return Err(crate::roots::RootsError::NoStore(format!("{FILE} names {path:?}: {error}")));
        }
        let mut roots = Self::empty();
        let store = rustls_native_certs::load_native_certs();
        for certificate in &store.certs {
            let _unreadable = roots.add_vetted(certificate);
        }
        let why = || store.errors.first().map_or_else(|| "it is empty".into(), ToString::to_string);
        if roots.is_empty() { Err(crate::roots::RootsError::NoStore(why())) } else { Ok(roots) }
    }
}

#[cfg(feature = "bundled-roots")]
impl Roots {
    /// Trusts the roots of Mozilla's program for servers, as they were when this was built: for systems without a store of
    /// their own. They go stale with the program.
    pub fn bundled() -> Self {
        let mut roots = Self::empty();
        for anchor in webpki_roots::TLS_SERVER_ROOTS {
            // What is bundled was read when it was made.
            let _unreadable = roots.add_trust_anchor(anchor);
        }
        roots
    }
}

#[cfg(all(test, feature = "bundled-roots"))]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_root_can_be_read() {
        let roots = Roots::bundled();
        assert_eq!(roots.len(), webpki_roots::TLS_SERVER_ROOTS.len());
        assert!(roots.len() > 100, "{} roots", roots.len());
        assert!(roots.subjects().any(|name| crate::name::Name(name).to_string().contains("ISRG Root X1")));
    }
}
