//! What a page shows, beside what a command says. Of what is another every time (a time, a size, a date, a digest, the port of
//! a client) only the kind is compared; a line `…` stands for any lines, and at the end of a line for the rest of it.

/// The lines of the page that were not said one behind the other, or `None` if all were.
pub(crate) fn missing(shown: &str, said: &str, exact_times: bool) -> Option<String> {
    let said: Vec<String> = said.trim_end().lines().map(|line| plain(line, exact_times)).collect();
    let shown: Vec<&str> = shown.lines().collect();
    let mut parts = shown.split(|line| line.trim() == "…").peekable();
    let mut at = 0;
    let mut first = true;
    while let Some(part) = parts.next() {
        let wanted: Vec<String> = part.iter().map(|line| plain(line, exact_times)).collect();
        let last = parts.peek().is_none();
        let mut places = match (first, last) {
            (true, _) => 0..1,
            // What the page ends with is what was said last.
            (false, true) => said.len().saturating_sub(wanted.len()).max(at)..said.len() + 1,
            (false, false) => at..said.len() + 1,
        };
        let fits = |&place: &usize| {
            let here = said.get(place..place + wanted.len());
            let to_the_end = !last || place + wanted.len() == said.len();
            to_the_end && here.is_some_and(|here| wanted.iter().zip(here).all(|(wanted, said)| is(wanted, said)))
        };
        match places.find(fits) {
            Some(place) => at = place + wanted.len(),
            None => return Some(part.join("\n")),
        }
        first = false;
    }
    None
}

/// A figure without the sizes of messages: certificates made anew differ by a byte or two.
pub(crate) fn drawing(svg: &str) -> String {
    let parts = svg.split(" B</text>").map(|part| part.trim_end_matches(|c: char| c.is_ascii_digit()));
    parts.collect::<Vec<_>>().join("SIZE</text>")
}

fn is(shown: &str, said: &str) -> bool {
    shown.strip_suffix('…').map_or(shown == said, |beginning| said.starts_with(beginning.trim_end()))
}

/// With nothing that is another every time.
fn plain(line: &str, exact_times: bool) -> String {
    if line.starts_with("date: ") {
        return "date: DATE".into();
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut out = Vec::new();
    for (n, word) in words.iter().enumerate() {
        out.push(token(word, words.get(n + 1).copied().unwrap_or_default(), exact_times));
    }
    out.join(" ")
}

fn token(word: &str, next: &str, exact_times: bool) -> String {
    let bare = word.trim_matches(|c: char| "(),;:[]'\"".contains(c));
    let unit = next.trim_end_matches([',', ';', '.', ')']);
    let number = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    let counted = match unit {
        "ms" => !exact_times,
        "s" | "B" | "days" | "connections" | "bytes" => true,
        _ => false,
    };
    let hexadecimal = bare.len() >= 8 && bare.chars().all(|c| c.is_ascii_hexdigit());
    let date = bare.len() == 10 && bare.matches('-').count() == 2;
    let time = bare.matches(':').count() == 2 && bare.chars().all(|c| c.is_ascii_digit() || c == ':');
    let kind = if number && counted {
        "NUMBER"
    } else if hexadecimal {
        "HEX"
    } else if bare.starts_with("sha256//") {
        "PIN"
    } else if date && bare.starts_with("20") {
        "DATE"
    } else if time {
        "TIME"
    } else if bare.strip_prefix("127.0.0.1:").is_some_and(|port| port.len() > 4) {
        "CLIENT"
    } else {
        return word.to_owned();
    };
    word.replace(bare, kind)
}

#[cfg(test)]
mod tests {
    use super::{drawing, missing};

    #[test]
    fn what_is_another_every_time_is_left_out_and_nothing_else() {
        let said = "  1.25 ms  client ── ClientHello 1498 B\nserial 55812ac08442059a96b5\nend\n";
        assert_eq!(missing("14.0 ms client ── ClientHello 7 B\nserial 0011223344556677\nend\n", said, false), None);
        assert_eq!(missing("…\nserial 0011223344556677\n…\n", said, false), None);
        assert_eq!(missing("1.25 ms client ── …\n…\n", said, true), None);
        assert!(missing("1.26 ms client ── ClientHello 7 B\n…\n", said, true).is_some());
        assert!(missing("…\nserial 0011223344556677\n", said, false).is_some(), "a page that ends too early");
        assert!(missing("…\nend\nserial 0011223344556677\n", said, false).is_some(), "another order");
        assert!(missing("1.25 ms client ── ServerHello 1498 B\n…\n", said, false).is_some());
        assert_eq!(drawing("<text>Certificate</text><text>637 B</text>"), "<text>Certificate</text><text>SIZE</text>");
        assert!(missing("TLS 1.2\n", "TLS 1.3\n", false).is_some());
    }
}
