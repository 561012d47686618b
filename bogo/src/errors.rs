//! What the runner reads of a failure: the name of the error in Clasp's tables, its alert, and the class it belongs to
//! where several of Clasp's errors are one of BoringSSL's. `config.json` maps the runner's names onto these.

use clasp::Error;
use clasp::error::{Cause, Outside, PeerError, RecordError};

/// `Family(Name) alert [class] words`.
pub(crate) fn text(error: &Error) -> String {
    let name = match error.cause() {
        Cause::Decode(e) => format!("Decode({:?})", e.kind),
        Cause::Record(e) => format!("Record({e:?})"),
        Cause::Peer(e) => format!("Peer({e:?})"),
        Cause::Certificate(e) => format!("Certificate({e:?})"),
        Cause::Alert(alert) => format!("PeerAlert({})", alert.name()),
        Cause::Misuse(e) => format!("Misuse({e:?})"),
        Cause::Outside(e) => format!("Outside({e:?})"),
        other => format!("{other:?}"),
    };
    let classes: Vec<String> = classes(error).into_iter().map(|c| format!("[{c}]")).collect();
    format!("{name} alert={} {} {error}", error.alert().name(), classes.join(" "))
}

fn classes(error: &Error) -> Vec<&'static str> {
    let mut all = Vec::new();
    if error.place().extension.is_some() {
        all.push("in an extension");
    }
    match error.cause() {
        Cause::Peer(e) => all.extend(peer(*e)),
        Cause::Decode(_) => all.push("decode"),
        Cause::Record(RecordError::Interleaved | RecordError::UnknownType(_) | RecordError::Unprotected(_)) => {
            all.push("unexpected record");
        }
        Cause::Record(RecordError::Empty) => all.push("unexpected message"),
        Cause::Record(RecordError::WrongVersion(_) | RecordError::NotTls | RecordError::Ssl2) => {
            all.push("wrong version")
        }
        Cause::Outside(Outside::OcspUnavailable) => all.push("status callback"),
        _ => {}
    }
    all
}

fn peer(error: PeerError) -> &'static [&'static str] {
    match error {
        PeerError::UnsolicitedExtension | PeerError::ExtensionNotAllowed => &["unexpected extension"],
        PeerError::UnexpectedMessage | PeerError::SecondHelloRetry => &["unexpected message"],
        PeerError::UnexpectedApplicationData | PeerError::UnexpectedChangeCipherSpec => &["unexpected record"],
        PeerError::BadOcspAnswer => &["status callback"],
        PeerError::BadFinished | PeerError::BadBinder => &["digest"],
        PeerError::NoCommonVersion | PeerError::LegacyVersionSelected | PeerError::WrongVersionSelected => &["version"],
        PeerError::WrongSuiteSelected | PeerError::SuiteChangedAfterRetry => &["wrong suite"],
        PeerError::MissingExtension | PeerError::MissingPskModes => &["missing extension", "missing key share"],
        PeerError::MissingKeyShare => &["missing key share"],
        PeerError::NoCertificate | PeerError::NoCertificateTls12 => &["no certificate"],
        PeerError::WrongCertificateType | PeerError::EmptyCertificate => &["decode"],
        PeerError::EarlyDataBadlyAccepted | PeerError::HelloChangedAfterRetry => &["early data"],
        _ => &[],
    }
}
