//! Encrypted Client Hello, as `--ech` has it, and what became of it.

use crate::failure::Failure;
use crate::input;
use crate::report;
use clasp::Facts;
use clasp::ech::{EchConfigList, EchMode};
use clasp::error::{Cause, PeerError};
use serde_json::{Value, json};
use std::io;
use std::path::Path;

/// A list in a file, as the wire, PEM or a zone file has it; or itself in base64.
pub(super) fn mode(given: Option<&str>) -> Result<EchMode, Failure> {
    let list = match given {
        None | Some("off") => return Ok(EchMode::Off),
        Some("grease") => return Ok(EchMode::Grease),
        Some(text) => list(text)?,
    };
    Ok(EchMode::Offer(list))
}

fn list(text: &str) -> Result<EchConfigList, Failure> {
    let path = Path::new(text);
    if !path.exists() {
        let base64 = text.strip_prefix("ech=").unwrap_or(text);
        return EchConfigList::from_base64(base64).map_err(|error| {
            Failure::cannot(format_args!("--ech {text}: no such file, and {error}"))
                .hint("name a file, or what stands behind ech= in the server's HTTPS record; or grease, or off")
        });
    }
    let bytes = input::bytes(path)?;
    let published = str::from_utf8(&bytes).ok().map(|text| text.trim().trim_start_matches("ech="));
    let published = published.and_then(|text| EchConfigList::from_base64(text).ok());
    let list = published.or_else(|| EchConfigList::parse(&bytes).ok());
    list.map_or_else(|| EchConfigList::from_pem(&bytes).map_err(|error| Failure::file(path, error)), Ok)
}

/// The facts, with what they do not say: that what looked like a hidden hello was none.
pub(super) fn report(facts: &Facts, mode: &EchMode) -> Value {
    let mut whole = report::json(facts);
    if let (EchMode::Grease, Some(ech)) = (mode, whole.get_mut("ech")) {
        *ech = json!({ "accepted": false, "greased": true });
    }
    whole
}

/// What to do where the hidden hello was not heard.
pub(super) fn hint(error: &clasp::Error) -> String {
    match (error.cause(), error.ech_retry_configs()) {
        (Cause::Peer(PeerError::EchRejected), Some(list)) => {
            format!("the server has another key now: --ech {}", list.to_base64())
        }
        _ => "--ech off or --ech grease go on, and say for all to see whom you ask for".into(),
    }
}

/// The same for programs; of any other failure nothing is known.
pub(super) fn refused(error: &io::Error) -> Option<Value> {
    let error = clasp::Error::from_io(error)?;
    let Cause::Peer(PeerError::EchRejected | PeerError::EchDisabled) = error.cause() else { return None };
    let list = error.ech_retry_configs().map(EchConfigList::to_base64);
    Some(json!({ "connections": [], "ech": { "accepted": false, "retry_configs": list } }))
}
