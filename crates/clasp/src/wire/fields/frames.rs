//! What is no handshake message: records, alerts, ChangeCipherSpec.

use super::Decoded;
use super::notes::{Hearer, Notes};
use super::parsers::Block;
use crate::code::{AlertDescription, AlertLevel, ContentType, ProtocolVersion};
use crate::wire::{Parsed, Reader};

/// The fields of records, one behind the other as they stand on the wire: RFC 9846 5.1, 5.2, RFC 5246 6.2. What they hold comes
/// as bytes, enciphered if they are `protected`.
///
/// ```
/// use clasp::trace::fields::records;
/// let decoded = records(&[21, 3, 3, 0, 2, 2, 40], false);
/// let lines = decoded.fields.iter().filter(|f| f.leaf).map(|f| format!("{}: {}", f.name, f.value));
/// assert_eq!(lines.collect::<Vec<_>>(), ["type: alert", "legacy_record_version: TLS 1.2", "length: 2 bytes", "fragment: 0228"]);
/// ```
pub fn records(bytes: &[u8], protected: bool) -> Decoded<'_> {
    let (whole, content, fragment) = if protected {
        ("TLSCiphertext", "opaque_type", "encrypted_record")
    } else {
        ("TLSPlaintext", "type", "fragment")
    };
    decoded(bytes, |mut r| {
        while !r.is_empty() {
            r.element(whole, |r| {
                r.code::<ContentType, 1>(content)?;
                r.code::<ProtocolVersion, 2>("legacy_record_version")?;
                r.vec16(fragment).map(drop)
            })?;
        }
        Ok(())
    })
}

/// The fields of an alert: RFC 9846 6.
///
/// ```
/// let decoded = clasp::trace::fields::alert(&[1, 0]);
/// let lines = decoded.fields.iter().map(|f| format!("{}: {}", f.name, f.value));
/// assert_eq!(lines.collect::<Vec<_>>(), ["level: warning", "description: close_notify"]);
/// ```
pub fn alert(bytes: &[u8]) -> Decoded<'_> {
    decoded(bytes, |mut r| {
        r.code::<AlertLevel, 1>("level")?;
        r.code::<AlertDescription, 1>("description")?;
        r.finish("Alert")
    })
}

/// The field of a ChangeCipherSpec: RFC 5246 7.1.
pub fn change_cipher_spec(bytes: &[u8]) -> Decoded<'_> {
    decoded(bytes, |mut r| {
        r.u8("type")?;
        r.finish("ChangeCipherSpec")
    })
}

fn decoded<'a>(bytes: &'a [u8], read: impl FnOnce(Reader<'a, Hearer<'_>>) -> Parsed<()>) -> Decoded<'a> {
    let notes = Notes::default();
    let fault = read(Reader::heard(bytes, 0, Hearer::new(&notes, Block::None))).err();
    Decoded { fields: notes.fields(bytes), fault }
}
