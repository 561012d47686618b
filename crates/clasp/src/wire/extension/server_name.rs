//! server_name: RFC 6066 3.

use crate::code::{ExtensionType, NameType};
use crate::wire::decode::DecodeKind;
use crate::wire::{Extension, Parsed, Reader, Recorder, Writer};

/// server_name in a ClientHello. At most one host name; names of other types are passed over, since each begins
/// with its length, whatever it is.
///
/// # Errors
/// If the list is empty or has two host names, or the host name is empty, has a NUL or is longer than a name can be.
pub fn server_name<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<Option<&'a [u8]>> {
    let mut r = e.reader();
    let mut list = r.vec16("server_name_list")?.non_empty("server_name_list")?;
    r.finish("server_name")?;
    let mut host = None;
    while !list.is_empty() {
        let Some(name) = list.element("ServerName", one_name)? else { continue };
        if host.is_some() {
            return Err(name.error("server_name_list", DecodeKind::Duplicate(u32::from(NameType::HostName.0))));
        }
        if name.rest().contains(&0) {
            return Err(name.error("host_name", DecodeKind::IllegalValue(0)));
        }
        if name.rest().len() > 255 {
            return Err(name.error("host_name", DecodeKind::BadLength(name.rest().len())));
        }
        host = Some(name.text("host_name"));
    }
    Ok(host)
}

/// The next name, if it is a host's.
fn one_name<'a, R: Recorder>(list: &mut Reader<'a, R>) -> Parsed<Option<Reader<'a, R>>> {
    if list.code::<NameType, 1>("name_type")? == NameType::HostName {
        return list.vec16("host_name")?.non_empty("host_name").map(Some);
    }
    list.vec16("name").map(|_| None)
}

/// Writes server_name for a host.
pub fn write_server_name(host: &str, w: &mut Writer<'_>) {
    w.extension(ExtensionType::ServerName, |w| {
        w.vec16(|w| {
            w.u8(0);
            w.vec16(|w| w.bytes(host.as_bytes()));
        });
    });
}
