//! What a ClientHello says.

use crate::code::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::error::{Error, PeerError, Result};
use crate::wire::message::{Checked, ClientHello as Message, ClientHelloView};
use crate::wire::{Codes, Extension, Parsed, extension};
use core::fmt;

/// A ClientHello (RFC 9846 4.1.2, RFC 5246 7.4.1.2): what it says, as it says it. Nothing of it is authenticated.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientHello {
    message: Vec<u8>,
}

impl ClientHello {
    /// Reads a whole message, its header of four bytes included.
    ///
    /// # Errors
    /// If it is not well formed, or one of the extensions that are asked for here is not.
    pub fn parse(message: &[u8]) -> Result<Self> {
        let view = Checked::<Message>::read(message).map_err(|e| Error::from(e).in_message("ClientHello"))?;
        check(&view).map_err(|e| e.in_message("ClientHello"))?;
        Ok(Self { message: message.to_vec() })
    }

    /// A message that was read before, in whatever way its extensions were.
    pub(crate) fn of_read(message: &[u8]) -> Self {
        Self { message: message.to_vec() }
    }

    /// The message as it stood on the wire, its header included.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    #[expect(clippy::expect_used, reason = "the same bytes were read before, and nothing can change them")]
    fn view(&self) -> ClientHelloView<'_> {
        Checked::<Message>::read(&self.message).expect("read when it was made, and not changed since")
    }

    fn find(&self, typ: ExtensionType) -> Option<Extension<'_>> {
        self.view().extensions.find(typ)
    }

    /// What an extension holds; nothing where there is none.
    fn read<'a, T: Default>(&'a self, typ: ExtensionType, read: impl FnOnce(Extension<'a>) -> Parsed<T>) -> T {
        self.find(typ).and_then(|e| read(e).ok()).unwrap_or_default()
    }

    /// The server name that it asks for (RFC 6066 3), as it was written.
    pub fn server_name(&self) -> Option<&str> {
        self.read(ExtensionType::ServerName, extension::server_name).and_then(|name| core::str::from_utf8(name).ok())
    }

    /// The application protocols that it speaks, best first (RFC 7301).
    pub fn alpn(&self) -> impl Iterator<Item = &[u8]> {
        let names = self.find(ExtensionType::Alpn).and_then(|e| extension::alpn(e).ok());
        names.into_iter().flat_map(extension::Protocols::iter)
    }

    /// The versions that it speaks, in its order (RFC 9846 4.2.1); of a hello without that extension what
    /// [`legacy_version`](Self::legacy_version) says.
    pub fn versions(&self) -> impl Iterator<Item = ProtocolVersion> {
        let list = self.read(ExtensionType::SupportedVersions, extension::supported_versions);
        let old = list.is_empty().then(|| self.legacy_version());
        list.iter().map(ProtocolVersion).chain(old)
    }

    /// The version in the old place: TLS 1.2 in hellos of TLS 1.3.
    pub fn legacy_version(&self) -> ProtocolVersion {
        self.view().version
    }

    /// The cipher suites, in its order.
    pub fn suites(&self) -> impl Iterator<Item = CipherSuite> {
        self.view().suites.iter().map(CipherSuite)
    }

    /// The groups for the key exchange, in its order.
    pub fn groups(&self) -> impl Iterator<Item = NamedGroup> {
        self.codes(ExtensionType::SupportedGroups).iter().map(NamedGroup)
    }

    /// The signature schemes that it takes, in its order.
    pub fn schemes(&self) -> impl Iterator<Item = SignatureScheme> {
        self.codes(ExtensionType::SignatureAlgorithms).iter().map(SignatureScheme)
    }

    /// The formats of points on curves (RFC 8422 5.1.2).
    pub fn point_formats(&self) -> &[u8] {
        self.read(ExtensionType::EcPointFormats, |e| extension::vec8(e, "ec_point_formats"))
    }

    /// Which extensions there are, in its order.
    pub fn extensions(&self) -> impl Iterator<Item = ExtensionType> {
        self.view().extensions.iter().map(|e| e.typ)
    }

    /// The content of an extension.
    pub fn extension(&self, typ: ExtensionType) -> Option<&[u8]> {
        self.find(typ).map(|e| e.body)
    }

    fn codes(&self, typ: ExtensionType) -> Codes<'_> {
        self.read(typ, |e| extension::codes(e, "list"))
    }
}

/// Reads each extension that is asked for.
fn check(view: &ClientHelloView<'_>) -> Result<()> {
    for e in view.extensions.iter() {
        let read = match e.typ {
            ExtensionType::ServerName => extension::server_name(e)?.map_or(Ok(()), |name| host_name(name).map(drop)),
            ExtensionType::Alpn => Ok(extension::alpn(e).map(drop)?),
            ExtensionType::SupportedVersions => Ok(extension::supported_versions(e).map(drop)?),
            ExtensionType::SupportedGroups | ExtensionType::SignatureAlgorithms => {
                Ok(extension::codes(e, "list").map(drop)?)
            }
            ExtensionType::EcPointFormats => Ok(extension::vec8(e, "ec_point_formats").map(drop)?),
            _ => Ok(()),
        };
        read.map_err(|error: Error| error.in_extension(e.typ))?;
    }
    Ok(())
}

/// A name is a DNS name in ASCII. Who asks for something else is told that there is no such server; what is kept of a name
/// and told to applications is never longer than what came.
pub(crate) fn host_name(name: &[u8]) -> Result<&str> {
    let text = core::str::from_utf8(name).ok().filter(|text| text.bytes().all(|b| b.is_ascii_graphic()));
    text.ok_or_else(|| {
        let error = Error::from(PeerError::BadServerName).seen(format_args!("\"{}\"", name.escape_ascii()));
        error.wanted("a DNS name in ASCII")
    })
}

impl fmt::Debug for ClientHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello")
            .field("server_name", &self.server_name())
            .field("versions", &self.versions().collect::<Vec<_>>())
            .field("suites", &self.suites().collect::<Vec<_>>())
            .field("extensions", &self.extensions().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
