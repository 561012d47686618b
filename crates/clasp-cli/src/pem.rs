//! Loading certificates and keys from files, by the library's reader.

use crate::failure::Failure;
use crate::input;
use clasp::config::Profile;
use clasp::crypto::PrivateKey;
use clasp::{Identity, Roots};
use clasp_x509::kind::{self, Kind};
use clasp_x509::pem::{self, Section};
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The roots of a file, PEM or DER, or the system's.
pub(crate) fn roots(ca: Option<&Path>) -> Result<Arc<Roots>, Failure> {
    roots_of(ca.as_slice())
}

/// The roots of these files, PEM or DER, or the system's where there are none.
pub(crate) fn roots_of<P: AsRef<Path>>(files: &[P]) -> Result<Arc<Roots>, Failure> {
    if files.is_empty() {
        return Ok(Arc::new(Roots::native().map_err(Failure::cannot)?));
    }
    let mut roots = Roots::empty();
    for path in files.iter().map(AsRef::as_ref) {
        let bytes = input::bytes(path)?;
        let added = match kind::of(&bytes) {
            Some(Kind::Certificate) => roots.add_der(&bytes).map(|()| 1),
            _ => roots.add_pem(&bytes),
        };
        added.map_err(|e| Failure::file(path, e))?;
    }
    Ok(Arc::new(roots))
}

/// A profile by its name.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    Profile::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| {
        Failure::cannot(format_args!("there is no profile {name}")).hint("use web-pki, rfc5280 or legacy")
    })
}

/// What a file has of one kind, in PEM, or the whole of it as DER. Lists and responses among things of another kind would be passed
/// over, and whoever put them there believes that they count.
fn of_kind(path: &Path, wanted: Kind) -> Result<Vec<Section>, Failure> {
    let bytes = Zeroizing::new(input::bytes(path)?);
    let speaks =
        |section: &&Section| matches!(section.kind(), Kind::Crl | Kind::OcspResponse) && section.kind() != wanted;
    if let Some(section) = pem::read_on(&bytes).0.iter().find(speaks) {
        let (what, option) = match section.kind() {
            Kind::Crl => ("a revocation list", "--crl"),
            _ => ("an OCSP response", "--ocsp"),
        };
        let wanted = if wanted == Kind::Certificate { "certificates".into() } else { format!("{wanted} alone") };
        return Err(Failure::file(path, format_args!("line {}: found {what}; wanted {wanted}", section.line()))
            .hint(format_args!("give it apart: {option} FILE")));
    }
    pem::items_or_der(&bytes, wanted).map_err(|e| Failure::file(path, e))
}

/// The certificates of a file, PEM or DER.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(of_kind(path, Kind::Certificate)?.iter().map(|section| section.der().to_vec()).collect())
}

/// The revocation lists of a file, PEM or DER.
pub(crate) fn lists(path: &Path) -> Result<Vec<Section>, Failure> {
    of_kind(path, Kind::Crl)
}

/// The OCSP response that a file is.
pub(crate) fn response(path: &Path) -> Result<Section, Failure> {
    let mut found = of_kind(path, Kind::OcspResponse)?.into_iter();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Failure::file(path, "more than one OCSP response")),
    }
}

/// A certificate chain and its key, in PEM or both in one PKCS #12 archive; the password stands in a file of its own.
pub(crate) fn identity(chain: &Path, key: &Path, password: Option<&Path>) -> Result<Identity, Failure> {
    let private = Zeroizing::new(input::bytes(key)?);
    let password = password.map(line_of).transpose()?;
    let identity = if kind::of(&private) == Some(Kind::Pkcs12) {
        if chain != key {
            return Err(Failure::file(key, "a PKCS #12 archive, beside another --cert")
                .hint("an archive has the certificate too: name it for both, --cert FILE --key FILE"));
        }
        Identity::from_pkcs12(&private, password.as_ref().map_or("", |password| password))
    } else {
        match &password {
            Some(password) => Identity::from_pem_encrypted(&input::bytes(chain)?, &private, password),
            None => Identity::from_pem(&input::bytes(chain)?, &private),
        }
    };
    identity.map_err(|e| Failure::from(e).within(format_args!("{} with {}", chain.display(), key.display())))
}

/// The password of keys none of which is behind one was put there by somebody who believes that they are.
pub(crate) fn check_password<P: AsRef<Path>>(keys: &[P], password: Option<&Path>) -> Result<(), Failure> {
    let Some(password) = password else { return Ok(()) };
    let Some(first) = keys.first() else { return Ok(()) };
    for key in keys {
        let bytes = Zeroizing::new(input::bytes(key.as_ref())?);
        let is_locked = kind::of(&bytes) == Some(Kind::Pkcs12)
            || pem::read_on(&bytes).0.iter().any(|section| section.kind() == Kind::EncryptedKey);
        if is_locked {
            return Ok(());
        }
    }
    Err(Failure::file(
        first.as_ref(),
        format_args!("is behind no password, and {} would open nothing", password.display()),
    )
    .hint("leave --key-password-file out, or encrypt the key"))
}

/// A private key by itself, in PEM.
pub(crate) fn private_key(path: &Path) -> Result<Arc<PrivateKey>, Failure> {
    let bytes = Zeroizing::new(input::bytes(path)?);
    let section = pem::private_key(&bytes).map_err(|e| Failure::file(path, e))?;
    let key = PrivateKey::from_der(section.der())
        .map_err(|_| Failure::file(path, "a private key of a kind or size that is not supported"))?;
    Ok(Arc::new(key))
}

/// What a file says in its one line: the end of the line is none of it.
fn line_of(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = input::text(path)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}
