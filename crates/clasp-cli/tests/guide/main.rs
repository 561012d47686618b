//! The guide (docs/guide) says what is true: every command in it runs, and says what the page shows; every block of Rust is compiled
//! (guide/ and applications/); both languages have the same pages and blocks; every link leads somewhere.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod compare;
mod markdown;
mod run;

use clasp_interop::ports::Ports;
use markdown::{Block, Page, pages};
use run::{is_run, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

/// The languages of the guide.
const LANGUAGES: [&str; 2] = ["en", "zh"];

/// The same page in each, and programs in it that are compiled.
const READMES: [&str; 2] = ["README.md", "README.zh.md"];

/// Blocks that cannot run here, by page. Each has its reason before it.
const NOT_RUN: &[(&str, usize)] = &[
    ("how/capture.md", 1),
    ("index.md", 1),
    ("library/axum.md", 1),
    ("library/hot-reload.md", 1),
    ("library/http2-client.md", 1),
    ("library/https-client.md", 1),
    ("library/mutual-tls.md", 2),
    ("library/private-ca.md", 1),
    ("library/reqwest.md", 1),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn of_language(language: &str) -> Vec<Page> {
    let folder = root().join("docs/guide").join(language);
    pages(&folder).iter().map(|path| Page::read(path)).collect()
}

fn name(page: &Page) -> String {
    page.path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn every_command_runs_and_says_what_the_page_shows() {
    let every: Vec<Page> = LANGUAGES.iter().flat_map(|language| of_language(language)).collect();
    let ports = Ports::new();
    let waiting = Mutex::new(every.iter());
    let wrong = Mutex::new(Vec::new());
    let next = || waiting.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(page) = next() {
                    let found = looked_at(page, &ports);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with a page's blocks of commands. With `CLASP_GUIDE=write` what a page shows is put right, but where it
/// leaves lines out.
fn looked_at(page: &Page, ports: &Ports) -> Vec<String> {
    if let Some(tool) = page.blocks.iter().filter_map(|block| block.needs.as_ref()).find(|tool| !installed(tool)) {
        assert!(std::env::var_os("CLASP_INTEROP").is_none_or(|how| how != "require"), "{tool} is missing");
        eprintln!("{} is passed over: {tool} is not installed", name(page));
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let (ran, drawn) = run(page, &root().join("docs"), ports);
    let mut ran = ran.into_iter();
    for (figure, drawn) in page.figures().iter().zip(drawn) {
        wrong.extend(another_figure(figure, &drawn).map(|why| format!("{}: {why}", name(page))));
    }
    let mut lines: Vec<String> = page.text.lines().map(str::to_owned).collect();
    let mut written = false;
    // From behind, so that what is written moves nothing that is still looked at.
    let mut pairs: Vec<(&Block, Option<&Block>, run::Ran)> = Vec::new();
    for (n, block) in page.blocks.iter().enumerate() {
        let shown = page.blocks.get(n + 1).filter(|next| next.kind == "text");
        if is_run(block) {
            pairs.push((block, shown, ran.next().unwrap()));
        }
    }
    for (block, shown, ran) in pairs.into_iter().rev() {
        let place = format!("{}:{}", name(page), block.line + 1);
        if ran.exit_code != block.exit_code {
            wrong.push(format!(
                "{place}: exit code {}, and the page says {}:\n{}",
                ran.exit_code, block.exit_code, ran.said
            ));
            continue;
        }
        let Some(shown) = shown else { continue };
        let Some(missing) = compare::missing(&shown.text, &ran.said, block.exact_times) else { continue };
        if is_writing() && !shown.text.contains('…') {
            let to = shown.line + shown.text.lines().count();
            lines.splice(shown.line..to, ran.said.lines().map(str::to_owned));
            written = true;
        } else {
            wrong.push(format!("{place}: the page shows\n{missing}\nand this is what was said:\n{}", ran.said));
        }
    }
    if written {
        fs::write(&page.path, lines.join("\n") + "\n").unwrap();
    }
    wrong
}

/// Whether a page's commands draw another figure than the one that is there. With `CLASP_GUIDE=write` it is put there.
fn another_figure(figure: &str, drawn: &str) -> Option<String> {
    let path = root().join("docs/guide/figures").join(figure);
    let there = fs::read_to_string(&path).unwrap_or_default();
    if drawn.is_empty() {
        return Some(format!("no command draws {figure}"));
    }
    if compare::drawing(drawn) == compare::drawing(&there) {
        return None;
    }
    if is_writing() {
        fs::write(path, drawn).unwrap();
        return None;
    }
    Some(format!("another {figure} is drawn: CLASP_GUIDE=write puts it into docs/guide/figures"))
}

fn is_writing() -> bool {
    std::env::var_os("CLASP_GUIDE").is_some_and(|how| how == "write")
}

fn installed(tool: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

#[test]
fn what_is_shown_stands_behind_its_command() {
    for page in LANGUAGES.iter().flat_map(|language| of_language(language)) {
        let mut before: Option<&Block> = None;
        for block in &page.blocks {
            let place = format!("{}:{}", name(&page), block.line);
            match &*block.kind {
                "text" => assert!(before.is_some_and(is_run), "{place}: shown by no command"),
                "sh" | "rust" | "toml" => {}
                kind => panic!("{place}: {kind:?} is no kind of block that is checked"),
            }
            before = Some(block);
        }
    }
}

#[test]
fn what_is_not_run_is_counted_and_says_why() {
    let known: BTreeSet<(String, usize)> = NOT_RUN.iter().map(|(page, n)| ((*page).to_owned(), *n)).collect();
    for language in LANGUAGES {
        assert_eq!(not_run(language), known, "{language}");
    }
}

fn not_run(language: &str) -> BTreeSet<(String, usize)> {
    let mut found = BTreeSet::new();
    let beginning = format!("docs/guide/{language}/");
    for page in of_language(language) {
        let reasons: Vec<&String> = page.blocks.iter().filter_map(|block| block.not_run.as_ref()).collect();
        assert!(reasons.iter().all(|reason| reason.len() > 10), "{reasons:?}");
        if !reasons.is_empty() {
            found.insert((name(&page).strip_prefix(&beginning).unwrap().to_owned(), reasons.len()));
        }
    }
    found
}

/// A reader of either language has the same: pages, the order of their parts, commands and programs. What is shown is in the reader's
/// language, and was said.
#[test]
fn both_languages_have_the_same() {
    for language in &LANGUAGES[1..] {
        let (here, there) = (of_language(LANGUAGES[0]), of_language(language));
        let relative = |page: &Page| name(page).splitn(4, '/').nth(3).unwrap().to_owned();
        let names = |pages: &[Page]| pages.iter().map(relative).collect::<Vec<_>>();
        assert_eq!(names(&here), names(&there));
        for (here, there) in here.iter().zip(&there) {
            assert_eq!(here.levels, there.levels, "headlines of {}", name(there));
            assert_eq!(blocks(here), blocks(there), "{}", name(there));
        }
    }
    let [here, there] = READMES.map(|file| Page::read(&root().join(file)));
    assert_eq!((&here.levels, blocks(&here)), (&there.levels, blocks(&there)), "README");
    assert!(
        here.blocks.iter().chain(&there.blocks).all(|block| !is_run(block)),
        "commands of README are not run: why not?"
    );
}

/// Its blocks, without what is said in them to a reader of one language.
fn blocks(page: &Page) -> Vec<(String, String)> {
    let bare = |block: &Block| {
        let sign = if block.kind == "rust" { "//" } else { "#" };
        let before = format!("{sign} ");
        let lines = block.text.lines().map(|line| line.split(&before).next().unwrap_or_default().trim_end());
        let text = if block.kind == "text" { String::new() } else { lines.collect::<Vec<_>>().join("\n") };
        (block.kind.clone(), text)
    };
    page.blocks.iter().map(bare).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut every = pages(&root().join("docs"));
    every.extend(
        ["README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md", "RELEASING.md"].map(|file| root().join(file)),
    );
    let dead: Vec<String> = every.iter().flat_map(|path| Page::read(path).dead_links()).collect();
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// `docs/` is a book: what is beside it is not in the book, and its first page, which stands at the root, is shown in its place.
#[test]
fn the_book_is_whole() {
    let docs = root().join("docs").canonicalize().unwrap();
    for path in pages(&docs) {
        let out: Vec<String> = Page::read(&path).links_out_of(&docs);
        assert!(out.is_empty(), "{}: {out:?} are not in the book: name them by their address", path.display());
    }
    let summary = Page::read(&docs.join("SUMMARY.md"));
    assert_eq!(
        summary.links.first().map(String::as_str),
        Some("README.md"),
        "mdBook shows the first page as index.html too"
    );
}

#[test]
fn the_summary_lists_every_page_once() {
    let docs = root().join("docs");
    let summary = Page::read(&docs.join("SUMMARY.md"));
    let mut listed: Vec<PathBuf> = summary.links.iter().map(|link| docs.join(link)).collect();
    listed.sort();
    let mut there = pages(&docs);
    there.retain(|path| !path.ends_with("SUMMARY.md"));
    assert_eq!(listed, there);
}

/// Each page with a block of Rust is compiled by one of these.
#[test]
fn every_block_of_rust_is_compiled() {
    let compiling =
        ["guide/src/lib.rs", "applications/src/lib.rs"].map(|file| fs::read_to_string(root().join(file)).unwrap());
    let mut blocks = 0;
    for page in LANGUAGES.iter().flat_map(|language| of_language(language)) {
        let own = page.blocks.iter().filter(|block| block.kind == "rust").count();
        let included = format!("include_str!(\"../../{}\")", name(&page));
        let by = compiling.iter().filter(|source| source.contains(&included)).count();
        assert_eq!(by, usize::from(own > 0), "{}", name(&page));
        blocks += own;
    }
    assert!(blocks > 6, "{blocks}");
}
