//! `clasp demo`: the handshake over real loopback TCP, what an attacker meets, and the round trips over a simulated
//! link.

mod attacks;
mod cast;
mod link;
mod loopback;
mod menu;

use crate::failure::Failure;
use crate::output;
use crate::terminal::{self, Style};
use crate::timeline::Conversation;
use crate::trace::Trace;
use crate::trace::explain::{self, Language};
use crate::trace::page::{self, Opening};
use crate::trace::svg;
use crate::trace::text::{self, Shown};
use cast::Cast;
use std::path::PathBuf;

const HELP: &str = "\
Examples:
  clasp demo                  timelines of seventeen conversations
  clasp demo --list           what there is
  clasp demo rsa              RSA key transport alone: each message explained, with the clocks of both sides
  clasp demo 4 12 --lang zh   two of them by their numbers, in Chinese
  clasp demo --html demo.html a page to explore: every byte, sliders for the network, a stolen key, a flipped byte
  clasp demo --svg demo.svg   the same as drawings, true to time
  clasp demo --json           the same for programs
  clasp demo --fields         with every field of what is said
Exit codes: 0 everything came out as it should; 1 something did not; 2 could not do it";

/// The whole story, with no set-up.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Show these alone, and explain them: numbers, or what they are about
    #[arg(value_name = "WHICH", conflicts_with = "list")]
    which: Vec<String>,
    /// Say what there is to see
    #[arg(long, conflicts_with_all = ["json", "fields", "svg", "html"])]
    list: bool,
    /// Print the timelines as JSON
    #[arg(long)]
    json: bool,
    /// Show the fields of every message, record and alert
    #[arg(long)]
    fields: bool,
    /// Draw the conversations into FILE
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the conversations as a page that shows every byte beside its field and needs no network, in English and Chinese
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// The language of titles and explanations [default: en; of drawings and of the explanations of WHICH, that of the system]
    #[arg(long, value_enum, value_name = "LANGUAGE", conflicts_with = "json")]
    lang: Option<Language>,
}

/// What the explorer of a page is made of.
pub(crate) struct Tour {
    pub(crate) traces: Vec<Trace>,
    pub(crate) explorer: serde_json::Value,
}

/// The seven handshakes over the link, and somebody in the middle: what the explorer shows, without the rest of the demonstration.
pub(crate) fn tour() -> Result<Tour, Failure> {
    let cast = Cast::new()?;
    let (mut link, mut middle) = (link::conversations(&cast)?, [loopback::middle(&cast)?]);
    menu::translate(&mut middle, 6);
    menu::translate(&mut link, 11);
    let traces: Vec<Trace> = link.into_iter().chain(middle).map(|conversation| conversation.trace).collect();
    let explorer = attacks::explorer(&cast, &traces, link::DELAY.as_millis())?;
    Ok(Tour { traces, explorer })
}

/// What was played.
struct Played {
    loopback: Vec<Conversation>,
    link: Vec<Conversation>,
}

impl Played {
    /// All of it, without what of the fields was not asked for.
    fn new(cast: &Cast, arguments: &Arguments) -> Result<Self, Failure> {
        let (mut loopback, mut link) = (loopback::conversations(cast)?, link::conversations(cast)?);
        menu::translate(&mut loopback, 1);
        menu::translate(&mut link, loopback.len() + 1);
        if !arguments.fields {
            let all = loopback.iter_mut().chain(&mut link).flat_map(|conversation| &mut conversation.events);
            all.for_each(|event| event.fields.clear());
        }
        Ok(Self { loopback, link })
    }

    fn all(&self) -> impl Iterator<Item = &Conversation> {
        self.loopback.iter().chain(&self.link)
    }

    /// Those that are wanted. Each is played, because a session is resumed from one that came before.
    fn keep(mut self, which: &[String]) -> Self {
        let mut number = 0;
        let mut wanted = |_: &Conversation| {
            number += 1;
            menu::is_wanted(which, number)
        };
        self.loopback.retain(&mut wanted);
        self.link.retain(&mut wanted);
        self
    }

    /// The link first, where time is what the story has.
    fn traces(&self) -> Vec<Trace> {
        self.link.iter().chain(&self.loopback).map(|conversation| conversation.trace.clone()).collect()
    }

    fn print(&self, arguments: &Arguments) -> Result<(), Failure> {
        if arguments.json {
            let value = serde_json::json!({ "loopback": self.loopback, "simulated_link_28_ms": self.link });
            return output::line(format_args!("{value:#}"));
        }
        let language = arguments.lang.unwrap_or_default();
        if !arguments.which.is_empty() {
            let shown = Shown { language: explain::language(arguments.lang), fields: arguments.fields };
            return self.all().try_for_each(|conversation| output::line(text::text(&conversation.trace, shown)));
        }
        let titles = match language {
            Language::En => [
                "== Over loopback TCP: times are of this machine ==",
                "== Over a simulated link, 28 ms one way: the round trips ==",
            ],
            Language::Zh => ["== 回环 TCP：时间是本机的 ==", "== 模拟链路，单程 28 毫秒：看往返 =="],
        };
        for (title, conversations) in titles.into_iter().zip([&self.loopback, &self.link]) {
            output::line(format_args!("{}\n", terminal::on_stdout(Style::Bold, title)))?;
            for conversation in conversations {
                output::line(conversation.text(language))?;
            }
        }
        Ok(())
    }

    fn write(&self, arguments: &Arguments, cast: &Cast) -> Result<(), Failure> {
        let traces = self.traces();
        if let Some(path) = &arguments.svg {
            std::fs::write(path, svg::svg(&traces, explain::language(arguments.lang)))
                .map_err(|e| Failure::file(path, e))?;
            terminal::note(format_args!("drawn into {}", path.display()));
        }
        if let Some(path) = &arguments.html {
            // In full, and resumed.
            let beside = (traces.len() > 1).then_some(1);
            let opening = Opening { language: arguments.lang, first: 0, beside };
            let page = if arguments.which.is_empty() {
                let explorer = attacks::explorer(cast, &traces, link::DELAY.as_millis())?;
                page::with_explorer(&traces, opening, &explorer)
            } else {
                page::page(&traces, opening)
            };
            std::fs::write(path, page).map_err(|e| Failure::file(path, e))?;
            terminal::note(format_args!("written into {}", path.display()));
        }
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    menu::check(&arguments.which)?;
    if !arguments.json && !arguments.list {
        terminal::note("making a CA and certificates in memory ...");
    }
    let cast = Cast::new()?;
    let played = Played::new(&cast, arguments)?;
    if arguments.list {
        let title = |conversation: &Conversation| {
            text::in_language(&conversation.trace, arguments.lang.unwrap_or_default()).0.to_owned()
        };
        return (1..).zip(played.all()).try_for_each(|(number, c)| output::line(menu::line(number, &title(c))));
    }
    let played = played.keep(&arguments.which);
    played.print(arguments)?;
    played.write(arguments, &cast)?;
    match played.all().find(|c| !c.as_expected) {
        None => Ok(()),
        Some(c) => Err(Failure::no(format_args!("{}: {}", c.title, c.outcome))),
    }
}
