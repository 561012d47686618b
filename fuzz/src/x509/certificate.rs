//! The DER reader, by everything that reads with it.

use clasp_x509::{Certificate, CertificateRequest, Crl, Logs, OcspResponse, PublicKey, SctEntry, describe_private_key};
use rustls_pki_types::ServerName;

/// Reads the bytes as everything they may be, and looks at all of it.
pub fn run(data: &[u8]) {
    let host = ServerName::try_from("a.example.com").expect("a name");
    if let Ok(certificate) = Certificate::parse(data) {
        look(&certificate);
        let _either_way = certificate.is_for(&host);
    }
    if let Ok(request) = CertificateRequest::parse(data) {
        short(&request.subject());
        short(&request.signature_algorithm());
        short(&request.public_key().to_string());
        request.alt_names().for_each(|name| short(&name.to_string()));
        let _either_way = request.proof();
    }
    if let Ok(list) = Crl::parse(data) {
        assert_eq!(list.entries().count(), list.len());
        short(&list.issuer());
    }
    if let Ok(response) = OcspResponse::parse(data) {
        short(&response.responder());
        assert!(response.responses().count() <= data.len());
    }
    short(&PublicKey::parse(data).to_string());
    describe_private_key(data).iter().for_each(|text| short(text));
}

/// What is read of a certificate stands in it, and what is said of it is short.
pub(super) fn look(certificate: &Certificate<'_>) {
    let der = certificate.der();
    assert_eq!(Certificate::parse(der).map(|again| again.der()), Ok(der));
    let inside = |part: &[u8]| der.as_ptr_range().contains(&part.as_ptr()) || part.is_empty();
    assert!(inside(certificate.spki()) && inside(certificate.subject_der()) && inside(certificate.serial_der()));
    assert!(matches!(certificate.version(), 1..=3));
    short(&certificate.subject());
    short(&certificate.issuer());
    short(&certificate.signature_algorithm());
    short(&certificate.public_key().to_string());
    certificate.alt_names().for_each(|name| short(&name.to_string()));
    certificate.extended_key_usage().into_iter().flatten().for_each(|oid| short(&oid.to_string()));
    assert!(certificate.identifiers().len() <= der.len());
    let _addresses = (certificate.ocsp_addresses().count(), certificate.issuer_addresses().count());
    let _either_way = (certificate.must_staple(), certificate.is_authority(), certificate.path_length());
    if let Ok(timestamps) = certificate.timestamps() {
        for timestamp in timestamps {
            let entry = SctEntry::Embedded(certificate, certificate.spki());
            let _verdict = Logs::default().check(&timestamp, entry, 0);
        }
    }
}

/// Text for people that an attacker wrote is bounded, and fools no terminal.
pub(super) fn short(text: &str) {
    assert!(text.len() < 64 << 10, "{} bytes of text", text.len());
    assert!(!text.chars().any(char::is_control), "control characters in {text:?}");
}
