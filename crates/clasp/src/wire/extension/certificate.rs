//! Extensions about certificates: compress_certificate (RFC 8879), certificate_authorities (RFC 9846 4.2.4), the
//! certificate types (RFC 7250), status_request and signed_certificate_timestamp inside a Certificate.

use crate::code::{CertificateType, CompressionAlgorithm, ExtensionType};
use crate::wire::decode::DecodeKind;
use crate::wire::{Codes, Extension, Parsed, Reader, Recorder, Writer};

/// The compression algorithms of a peer.
///
/// # Errors
/// If the list is empty or odd.
pub fn compression<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<Codes<'a>> {
    let mut r = e.reader();
    let list = Codes::read::<CompressionAlgorithm, _>(r.vec8("algorithms")?, "algorithms")?;
    r.finish("compress_certificate")?;
    for (n, code) in list.iter().enumerate() {
        if list.iter().take(n).any(|earlier| earlier == code) {
            return Err(e.reader().error("algorithms", DecodeKind::Duplicate(u32::from(code))));
        }
    }
    Ok(list)
}

/// Writes compress_certificate.
pub fn write_compression(algorithms: impl Iterator<Item = CompressionAlgorithm>, w: &mut Writer<'_>) {
    w.extension(ExtensionType::CompressCertificate, |w| w.vec8(|w| algorithms.for_each(|a| w.u16(a.0))));
}

/// Distinguished names (DER), checked to be framed.
#[derive(Clone, Copy, Debug)]
pub struct Authorities<'a>(Reader<'a>);

impl<'a> Authorities<'a> {
    /// The names in order.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let mut walk = self.0;
        core::iter::from_fn(move || walk.vec16("DistinguishedName").ok().map(|n| n.rest()))
    }
}

/// Reads certificate_authorities.
///
/// # Errors
/// If the list or a name is empty.
pub fn authorities<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<Authorities<'a>> {
    let mut r = e.reader();
    let list = r.vec16("authorities")?.non_empty("authorities")?;
    r.finish("certificate_authorities")?;
    let mut walk = list;
    while !walk.is_empty() {
        walk.element("DistinguishedName", |walk| walk.vec16("DistinguishedName")?.non_empty("DistinguishedName"))?;
    }
    Ok(Authorities(list.silent()))
}

/// Writes certificate_authorities.
pub fn write_authorities<N: AsRef<[u8]>>(names: &[N], w: &mut Writer<'_>) {
    w.extension(ExtensionType::CertificateAuthorities, |w| {
        w.vec16(|w| names.iter().for_each(|n| w.vec16(|w| w.bytes(n.as_ref()))));
    });
}

/// The certificate types a client offers.
///
/// # Errors
/// If the list is empty or not well framed.
pub fn types<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    super::vec8(e, "certificate_types")
}

/// The certificate type a server selected.
///
/// # Errors
/// If it is not exactly one.
pub fn selected_type<R: Recorder>(e: Extension<'_, R>) -> Parsed<CertificateType> {
    let mut r = e.reader();
    let selected = r.code("certificate_type")?;
    r.finish("certificate_type")?;
    Ok(selected)
}

/// Writes a client's list of certificate types.
pub fn write_types(typ: ExtensionType, types: &[CertificateType], w: &mut Writer<'_>) {
    w.extension(typ, |w| w.vec8(|w| types.iter().for_each(|t| w.u8(t.0))));
}

/// The OCSP response that stands in a CertificateEntry: a CertificateStatus body (RFC 9846 4.4.2.1).
///
/// # Errors
/// If it is not exactly an OCSP response.
pub fn status<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    use crate::wire::message::{CertificateStatus, Message};
    let mut r = e.reader();
    let status = CertificateStatus::parse(&mut r)?;
    r.finish("status_request")?;
    Ok(status.ocsp)
}

/// Writes it.
pub fn write_status(ocsp: &[u8], w: &mut Writer<'_>) {
    w.extension(ExtensionType::StatusRequest, |w| {
        crate::wire::message::CertificateStatusView { ocsp }.encode(w);
    });
}

/// The SignedCertificateTimestampList of a server (RFC 6962 3.3): checked to be framed, given whole.
///
/// # Errors
/// If the list or an element is empty.
pub fn timestamps<'a, R: Recorder>(e: Extension<'a, R>) -> Parsed<&'a [u8]> {
    let mut r = e.reader();
    let mut list = r.vec16("sct_list")?.non_empty("sct_list")?;
    r.finish("signed_certificate_timestamp")?;
    while !list.is_empty() {
        list.element("SerializedSCT", |list| list.vec16("SerializedSCT")?.non_empty("SerializedSCT"))?;
    }
    Ok(e.body)
}
