//! What the runner reads of a failure: the name of the error in Clasp's tables, and its alert. `config.json` maps the
//! runner's names onto these.

use clasp::Error;
use clasp::error::Cause;

/// `Family(Name) alert words`.
pub(crate) fn text(error: &Error) -> String {
    let name = match error.cause() {
        Cause::Decode(e) => format!("Decode({:?})", e.kind),
        Cause::Record(e) => format!("Record({e:?})"),
        Cause::Peer(e) => format!("Peer({e:?})"),
        Cause::Certificate(e) => format!("Certificate({e:?})"),
        Cause::Refused(alert) => format!("Refused({})", alert.name()),
        Cause::Alert(alert) => format!("PeerAlert({})", alert.name()),
        Cause::Misuse(e) => format!("Misuse({e:?})"),
        Cause::Outside(e) => format!("Outside({e:?})"),
        other => format!("{other:?}"),
    };
    format!("{name} alert={} {error}", error.alert().name())
}
