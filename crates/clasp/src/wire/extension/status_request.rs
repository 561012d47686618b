//! status_request of a client: RFC 6066 8.

use crate::code::{CertificateStatusType, ExtensionType};
use crate::wire::{Extension, Parsed, Recorder, Writer};

/// status_request in a ClientHello. True if it asks for OCSP.
///
/// # Errors
/// If an OCSP request is not well framed.
pub fn status_request<R: Recorder>(e: Extension<'_, R>) -> Parsed<bool> {
    let mut r = e.reader();
    if r.code::<CertificateStatusType, 1>("status_type")? != CertificateStatusType::Ocsp {
        return Ok(false);
    }
    let mut responders = r.vec16("responder_id_list")?;
    while !responders.is_empty() {
        responders.element("ResponderID", |list| list.vec16("ResponderID")?.non_empty("ResponderID"))?;
    }
    r.vec16("request_extensions")?;
    r.finish("status_request")?;
    Ok(true)
}

/// Writes a status_request for OCSP without responder preferences.
pub fn write_status_request(w: &mut Writer<'_>) {
    w.extension(ExtensionType::StatusRequest, |w| w.bytes(&[1, 0, 0, 0, 0]));
}
