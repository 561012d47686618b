//! The file of settings: read, and what is wrong with it said with its line and the nearest name.

use super::settings::Settings;
use crate::failure::Failure;
use crate::input;
use std::path::Path;

/// More is no file of settings.
const MOST: usize = 4 << 20;

/// What a file says. Names of files in it are seen from its folder.
pub(super) fn read(path: &Path) -> Result<Settings, Failure> {
    let text = input::text(path)?;
    if text.len() > MOST {
        return Err(Failure::file(path, format_args!("{} bytes are too many for a file of settings", text.len())));
    }
    let mut settings: Settings = toml::from_str(&text).map_err(|error| explain(path, &text, &error))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in settings.files_mut() {
        *file = folder.join(&*file);
    }
    Ok(settings)
}

/// All of `error` in the words of this program.
fn explain(path: &Path, text: &str, error: &toml::de::Error) -> Failure {
    let line = error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count());
    let whole = error.message().lines().collect::<Vec<_>>().join(" ");
    let line = line.saturating_add(1);
    let Some(unknown) = whole.strip_prefix("unknown field ") else {
        return Failure::file(path, format_args!("line {line}: {whole}"));
    };
    // serde: unknown field `a`, expected one of `b`, `c`
    let mut names = unknown.split('`').skip(1).step_by(2);
    let name = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    let failure = Failure::file(path, format_args!("line {line}: there is no key {name} here"));
    match nearest(name, &known) {
        Some(near) => failure.hint(format_args!("perhaps {near}? Here may stand: {}", known.join(", "))),
        None => failure.hint(format_args!("here may stand: {}", known.join(", "))),
    }
}

/// The name that was meant, most likely.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let near = known.iter().map(|known| (strsim::jaro_winkler(&name, known), *known));
    near.filter(|(near, _)| *near > 0.7).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// A failure of a plan, of which a file and no options were told: where in it, and its names without dashes.
pub(super) fn in_file(failure: &Failure, place: &str) -> Failure {
    let plain = |text: &str| text.replace(" --", " ").trim_start_matches("--").to_owned();
    let inner = Failure::cannot(format_args!("{place}: {}", plain(failure.message())));
    match failure.hint_text() {
        Some(hint) => inner.hint(plain(hint)),
        None => inner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let known = ["listen", "route", "proxy-from", "idle-timeout", "to"];
        for (name, near) in [
            ("lisen", Some("listen")),
            ("routes", Some("route")),
            ("idle_timeout", Some("idle-timeout")),
            ("idletimeout", Some("idle-timeout")),
            ("xyzzy", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
    }
}
