//! Every handshake message: what is read is written again as it was.

use clasp::wire::message::{
    Certificate12, Certificate13, Certificate13View, CertificateRequest12, CertificateRequest13, CertificateStatus,
    CertificateVerify, Checked, ClientHello, ClientKeyExchange, CompressedCertificate, EncryptedExtensions,
    EndOfEarlyData, Finished, HelloRequest, KeyUpdate, Message, NewSessionTicket12, NewSessionTicket13, ServerHello,
    ServerHelloDone, ServerKeyExchange,
};
use clasp::wire::{Reader, Writer};

/// A whole message, header included, read as every kind there is.
pub fn run(data: &[u8]) {
    again::<ClientHello>(data, |view, w| view.encode(w));
    again::<ServerHello>(data, |view, w| view.encode(w));
    again::<Certificate12>(data, |view, w| {
        // A raw key is a single vector, a chain a list of them; the bytes are either.
        if let Ok(list) = view.list() {
            clasp::wire::message::CertificateView::encode(&list.iter().collect::<Vec<_>>(), w);
        } else {
            w.bytes(data.get(4..).unwrap_or_default());
        }
    });
    again::<CertificateRequest12>(data, |view, w| {
        let names: Vec<&[u8]> = view.authorities().collect();
        let schemes: Vec<u16> = view.schemes.iter().collect();
        clasp::wire::message::CertificateRequestView::encode(view.types, &schemes, &names, w);
    });
    again::<CertificateStatus>(data, |view, w| view.encode(w));
    again::<CertificateVerify>(data, |view, w| view.encode(w));
    again::<CompressedCertificate>(data, |view, w| view.encode(w));
    again::<NewSessionTicket12>(data, |view, w| view.encode(w));
    read::<NewSessionTicket13>(data, |view| {
        assert!(!view.ticket.is_empty() || view.nonce.len() < 256);
    });
    read::<EncryptedExtensions>(data, |extensions| assert!(extensions.bytes().len() + 6 == data.len()));
    read::<Certificate13>(data, |view| {
        let entries: Vec<&[u8]> = view.iter().map(|entry| entry.data).collect();
        let plain = view.iter().all(|entry| entry.extensions.bytes().is_empty());
        let mut written = Vec::new();
        Writer::write(&mut written, |w| Certificate13View::encode(view.context, &entries, |_| (), w))
            .expect("what was read fits what it was read from");
        if plain {
            assert_eq!(written, data[4..]);
        }
        Certificate13View::read(&data[4..]).expect("it was read a moment ago");
    });
    read::<CertificateRequest13>(data, |view| assert!(view.context.len() < data.len()));
    read::<ServerKeyExchange>(data, |view| {
        if let Ok(params) = view.ecdh() {
            assert!(params.public.len() < 256);
        }
        if let Ok(params) = view.dh() {
            assert!(!params.p.is_empty());
        }
    });
    read::<ClientKeyExchange>(data, |view| {
        let _either = (view.long("key").is_ok(), view.point().is_ok());
    });
    read::<Finished>(data, |verify| assert_eq!(verify, &data[4..]));
    read::<KeyUpdate>(data, |_| assert_eq!(data.len(), 5));
    for empty in [
        Checked::<ServerHelloDone>::new(data.to_vec()).is_ok(),
        Checked::<HelloRequest>::new(data.to_vec()).is_ok(),
        Checked::<EndOfEarlyData>::new(data.to_vec()).is_ok(),
    ] {
        assert!(!empty || data.len() == 4);
    }
}

fn read<M: Message>(data: &[u8], look: impl FnOnce(M::View<'_>)) {
    match Checked::<M>::new(data.to_vec()) {
        Ok(message) => {
            assert_eq!(message.bytes(), data);
            look(message.view());
        }
        Err(error) => {
            assert!(error.offset <= data.len(), "{} at {} of {}", error.what, error.offset, data.len());
            assert!(error.alert().is_known());
        }
    }
}

/// Reads a message, writes it, and compares.
fn again<M: Message>(data: &[u8], write: impl FnOnce(M::View<'_>, &mut Writer<'_>)) {
    read::<M>(data, |_| ());
    let mut body = Reader::new(data.get(4..).unwrap_or_default());
    let Ok(view) = M::parse(&mut body) else { return };
    if !body.is_empty() || data.len() < 4 {
        return;
    }
    let mut written = Vec::new();
    Writer::write(&mut written, |w| write(view, w)).expect("what was read fits what it was read from");
    // An absent block of extensions and an empty one are the same message in two forms; Clasp writes the shorter.
    let block_left_out = [&written[..], &[0, 0]].concat();
    assert!(written == data[4..] || block_left_out == data[4..], "{} is written as {written:02x?}", M::NAME);
}
