//! The walker that names and locates the fields of any message.

use clasp::suite::Kx;
use clasp::wire::code::{CertificateType, ProtocolVersion};
use clasp::wire::fields::{self, Context};

/// Every field stands where it says, and every byte is in one that holds no other, whatever is known of the conversation.
pub fn run(data: &[u8]) {
    let data = &data[..data.len().min(1 << 16)];
    let versions = [None, Some(ProtocolVersion::Tls12), Some(ProtocolVersion::Tls13)];
    let exchanges = [None, Some(Kx::Rsa), Some(Kx::Ecdhe), Some(Kx::Dhe)];
    for (version, kx) in versions.into_iter().flat_map(|version| exchanges.map(|kx| (version, kx))) {
        for certificate in [CertificateType::X509, CertificateType::RawPublicKey] {
            let mut context = Context::default();
            (context.version, context.kx, context.certificate) = (version, kx, certificate);
            walk(data, &context);
        }
    }
}

fn walk(data: &[u8], context: &Context) {
    let mut at = 0;
    for field in fields::message(data, context).fields {
        assert_eq!(data.get(field.range.clone()), Some(field.bytes), "{} stands elsewhere", field.name);
        assert!(field.value.len() < 600, "{} is told at length", field.name);
        if field.leaf {
            assert_eq!(field.range.start, at, "{} does not stand behind the one before", field.name);
            at = field.range.end;
        }
    }
    assert_eq!(at, data.len(), "bytes are left out");
}
