//! What has changed since another day: the differences of two reports, as paths into their JSON.

use crate::failure::Failure;
use serde_json::Value;
use std::path::Path;

/// What a scan has that no server decides.
const PASSING: [&str; 7] = ["seconds", "connections", "address", "days_left", "pem", "findings", "hsts_seconds"];

/// The reports of a file that `--json` wrote, by target.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>, Failure> {
    let bytes = crate::input::bytes(path)?;
    let no_report =
        || Failure::file(path, "no report of clasp scan").hint("write one with clasp scan HOST --json > FILE");
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| no_report())?;
    let is_ours = value.get("format").and_then(Value::as_str) == Some("clasp-scan")
        && value.get("version").and_then(Value::as_u64) == Some(u64::from(super::report::FORMAT));
    match value.get("reports").and_then(Value::as_array) {
        Some(reports) if is_ours => Ok(reports.clone()),
        _ => Err(no_report()),
    }
}

/// The differences of what was and what is, a line each.
pub(crate) fn differences(before: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", before, now, &mut found);
    found
}

fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let mut names: Vec<&String> =
                old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
            names.retain(|name| !PASSING.contains(&name.as_str()));
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, old.get(name).unwrap_or(&Value::Null), new.get(name).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(old), Value::Array(new)) => list(path, old, new, found),
        _ if before == now => {}
        _ => found.push(format!("{path}: {} -> {}", plain(before), plain(now))),
    }
}

/// Entries are told apart by what names them; those without a name are compared as they are.
fn list(path: &str, old: &[Value], new: &[Value], found: &mut Vec<String>) {
    for entry in old.iter().filter(|entry| !new.iter().any(|other| name(other) == name(entry))) {
        found.push(format!("{path}: - {}", name(entry)));
    }
    for entry in new {
        match old.iter().find(|other| name(other) == name(entry)) {
            None => found.push(format!("{path}: + {}", name(entry))),
            Some(other) => compare(&format!("{path}[{}]", name(entry)), other, entry, found),
        }
    }
    let both = |these: &[Value], those: &[Value]| -> Vec<String> {
        these.iter().map(name).filter(|name_| those.iter().any(|other| name(other) == *name_)).collect()
    };
    let (before, after) = (both(old, new), both(new, old));
    if before != after {
        found.push(format!("{path}: another order: {} -> {}", before.join(", "), after.join(", ")));
    }
}

fn name(entry: &Value) -> String {
    let named =
        ["name", "version", "by", "policy", "fingerprint", "target", "id"].iter().find_map(|key| entry.get(key));
    plain(named.unwrap_or(entry))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_the_server_decides_is_compared() {
        let before = json!({ "seconds": 1, "grade": "A", "versions": [{ "name": "TLS 1.3", "spoken": true }],
                             "alpn": ["h2", "http/1.1"], "chains": [{ "fingerprint": "aa", "days_left": 9 }] });
        let now = json!({ "seconds": 2, "grade": "B", "versions": [{ "name": "TLS 1.3", "spoken": false }],
                          "alpn": ["http/1.1", "h2", "x"], "chains": [{ "fingerprint": "bb", "days_left": 8 }] });
        assert_eq!(differences(&before, &before), Vec::<String>::new());
        assert_eq!(
            differences(&before, &now),
            [
                "alpn: + x",
                "alpn: another order: h2, http/1.1 -> http/1.1, h2",
                "chains: - aa",
                "chains: + bb",
                "grade: A -> B",
                "versions[TLS 1.3].spoken: true -> false",
            ]
        );
    }
}
