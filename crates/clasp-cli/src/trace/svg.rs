//! A trace as a drawing that stands by itself.

use super::explain::Language;
use super::layout::{self, LINE, Layout};
use super::{Kind, Lane, Leg, Side, Trace, ms, text};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const CLIENT: f64 = 110.0;
const SERVER: f64 = WIDTH - 110.0;
const HEAD: f64 = 74.0;

/// Where a lane is drawn.
const fn x_of(lane: Lane) -> f64 {
    match lane {
        Lane::Client => CLIENT,
        Lane::Middle => f64::midpoint(CLIENT, SERVER),
        Lane::Server => SERVER,
    }
}

/// Where an event's sides are drawn, the client's first.
fn ends(trace: &Trace, leg: Leg) -> [f64; 2] {
    [Side::Client, Side::Server].map(|side| x_of(trace.lane(leg, side)))
}

/// The drawings of all traces, one below the other, in a language.
pub(crate) fn svg(traces: &[Trace], language: Language) -> String {
    let mut body = String::new();
    let mut y = 0.0;
    for trace in traces {
        let layout = layout::layout(trace);
        let _infallible = writeln!(body, "<g transform=\"translate(0 {y})\">{}</g>", one(trace, &layout, language));
        y += layout.height + HEAD + 70.0;
    }
    let names: Vec<&str> = traces.iter().map(|trace| text::in_language(trace, language).0).collect();
    let tag = if language == Language::Zh { " lang=\"zh\"" } else { "" };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\"{tag} role=\"img\" aria-labelledby=\"title\" width=\"{WIDTH}\" height=\"{y}\" \
         viewBox=\"0 0 {WIDTH} {y}\" font-family=\"system-ui,sans-serif\" font-size=\"13\">\n<title id=\"title\">{}</title>\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n",
        escape(&names.join("; "))
    )
}

/// Colours say which keys; so do the lines, for whoever sees no colours.
const STYLE: &str = "text{fill:#1c2430}.t{font-size:16px;font-weight:600}.w{font-weight:600;text-anchor:middle}\
.l{stroke:#98a3b3;stroke-width:2}.c{font-size:11px;fill:#5b6675;font-variant-numeric:tabular-nums}.b{fill:#fff;stroke:#d6dce5}\
.a{fill:none;stroke-width:1.6}.h{stroke:#98a3b3;stroke-dasharray:2 3;fill:none}.m{fill:#fff;stroke:#5b6675;stroke-width:1.5}\
.plain{stroke:#c2410c;stroke-dasharray:6 3}.early{stroke:#9333ea;stroke-dasharray:9 2 2 2}.handshake{stroke:#1d4ed8}\
.application{stroke:#15803d;stroke-width:2.4}.x{fill:#b91c1c;font-weight:600}.g{fill:#15803d;font-weight:600}";

fn one(trace: &Trace, layout: &Layout, language: Language) -> String {
    let (title, outcome) = text::in_language(trace, language);
    let mut out = String::new();
    let mut put = |text: String| out.push_str(&text);
    put(format!("<text class=\"t\" x=\"16\" y=\"26\">{}</text>\n", escape(title)));
    put(legend(language));
    for lane in trace.lanes() {
        let (x, name) = (x_of(*lane), head(*lane, language));
        let known = trace.observed.contains(lane);
        let name = match language {
            _ if known => name.to_owned(),
            Language::En => format!("{name} (its clock: estimated)"),
            Language::Zh => format!("{name}（时钟为估计值）"),
        };
        put(format!("<text class=\"w\" x=\"{x}\" y=\"{}\">{name}</text>\n", HEAD - 4.0));
        put(format!("<path class=\"l\" d=\"M{x} {}V{}\"/>\n", HEAD + 2.0, HEAD + layout.height));
    }
    for clock in &layout.clocks {
        let (x, anchor) = match clock.lane {
            Lane::Client => (CLIENT - 10.0, "end"),
            Lane::Middle => (x_of(Lane::Middle) + 5.0, "start"),
            Lane::Server => (SERVER + 10.0, "start"),
        };
        let about = if trace.observed.contains(&clock.lane) { "" } else { "\u{2248} " };
        put(format!(
            "<text class=\"c\" x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\">{about}{} ms</text>\n",
            HEAD + clock.y + 4.0,
            ms(clock.ms)
        ));
    }
    put(arrows(trace, layout));
    put(names(trace, layout));
    put(marks(trace, layout, language));
    let (class, mark) = if trace.good { ("g", "\u{2713}") } else { ("x", "\u{2717}") };
    let y = HEAD + layout.height + 24.0;
    put(format!("<text class=\"{class}\" x=\"16\" y=\"{y}\">{mark} {}</text>\n", escape(outcome)));
    out
}

const fn head(lane: Lane, language: Language) -> &'static str {
    match (lane, language) {
        (Lane::Middle, Language::En) => "man in the middle",
        _ => text::who(lane, language),
    }
}

fn legend(language: Language) -> String {
    let mut out = String::new();
    let keys = [
        ("plain", ["in the clear", "明文"]),
        ("early", ["0-RTT keys", "0-RTT 密钥"]),
        ("handshake", ["handshake keys", "握手密钥"]),
        ("application", ["session keys", "会话密钥"]),
    ];
    let keys = keys.map(|(level, [en, zh])| (level, if language == Language::Zh { zh } else { en }));
    for ((level, words), place) in keys.into_iter().zip(0_u8..) {
        let x = 16.0 + f64::from(place) * 150.0;
        let _infallible = writeln!(
            out,
            "<path class=\"a {level}\" d=\"M{x} 44h28\"/><text class=\"c\" x=\"{}\" y=\"48\">{words}</text>",
            x + 34.0
        );
    }
    out
}

fn arrows(trace: &Trace, layout: &Layout) -> String {
    let mut out = String::new();
    for arrow in &layout.arrows {
        let Some(event) = trace.events.get(arrow.event) else { continue };
        let [client, server] = ends(trace, event.leg);
        let (from, to, head) = if event.by == Side::Client { (client, server, -1.0) } else { (server, client, 1.0) };
        let (y, end) = (HEAD + arrow.from, HEAD + arrow.to);
        // An arrowhead of two strokes, in the arrow's own colour.
        let slope = (end - y) / (to - from).abs();
        let (back, lift) = (to + head * 9.0, end - slope * 9.0);
        let _infallible = writeln!(
            out,
            "<path class=\"a {}\" d=\"M{from} {y}L{to} {end}\"/><path class=\"a {}\" style=\"stroke-dasharray:none\" \
             d=\"M{back} {}L{to} {end}L{back} {}\"/>",
            event.level.unwrap_or("plain"),
            event.level.unwrap_or("plain"),
            lift - 4.5,
            lift + 4.5
        );
    }
    out
}

fn names(trace: &Trace, layout: &Layout) -> String {
    // Beside a middle lane stand its clock's times.
    let half = if trace.man_in_the_middle { 112.0 } else { 150.0 };
    let mut out = String::new();
    // Where names stand below their arrows; the boxes cover what is not between.
    for label in layout.labels.iter().filter(|label| label.middle < label.top) {
        let (at, top) = (HEAD + label.middle, HEAD + label.top);
        let middle = center(trace, label.leg);
        let _infallible = write!(out, "<path class=\"h\" d=\"M{middle} {at}V{top}\"/>");
    }
    for label in &layout.labels {
        let (top, middle) = (HEAD + label.top, center(trace, label.leg));
        let _infallible = writeln!(
            out,
            "<rect class=\"b\" x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{}\" rx=\"5\"/>",
            middle - half,
            2.0 * half,
            label.height
        );
        let mut y = top + 5.0 + LINE * 0.7;
        for event in label.events.iter().filter_map(|place| trace.events.get(*place)) {
            let _infallible = writeln!(
                out,
                "<path class=\"a {}\" d=\"M{} {}h22\"/><text x=\"{}\" y=\"{y}\">{}</text>\
                 <text class=\"c\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{} B</text>",
                event.level.unwrap_or("plain"),
                middle - half + 8.0,
                y - 4.0,
                middle - half + 36.0,
                escape(&event.name),
                middle + half - 8.0,
                event.length
            );
            y += LINE;
        }
    }
    out
}

/// The middle between two lanes; to the right of the times that stand beside a lane in the middle.
fn center(trace: &Trace, leg: Leg) -> f64 {
    let [client, server] = ends(trace, leg);
    f64::midpoint(client, server) + if leg == Leg::Far { 22.0 } else { 0.0 }
}

/// What one side did at a moment; the words show where the pointer rests.
fn marks(trace: &Trace, layout: &Layout, language: Language) -> String {
    let mut out = String::new();
    for mark in &layout.marks {
        let Some(event) = trace.events.get(mark.event).filter(|event| event.kind != Kind::Keys) else { continue };
        let x = x_of(trace.lane(event.leg, event.by));
        let words = text::fact(event, language);
        let _infallible = writeln!(
            out,
            "<circle class=\"m\" cx=\"{x}\" cy=\"{}\" r=\"3\"><title>{}</title></circle>",
            HEAD + mark.y,
            escape(&words)
        );
    }
    out
}

/// A text as it may stand in XML, in attributes too.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no other control characters.
            c if c.is_control() && c != '\n' => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_peer_says_is_markup() {
        assert_eq!(escape("<a b='c'>&\"\u{1b}"), "&lt;a b=&#39;c&#39;&gt;&amp;&quot;\\u{1b}");
    }
}
