//! What a page has: its blocks, its headlines, its links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Between ``` and ```.
#[derive(Debug)]
pub(crate) struct Block {
    /// The fence's first word: `sh`, `text`, `rust`, `toml`, `json`.
    pub(crate) kind: String,
    pub(crate) text: String,
    /// Where the text begins, counted from 0.
    pub(crate) line: usize,
    /// Why it is not run: `<!-- not run: REASON -->` on the line before.
    pub(crate) not_run: Option<String>,
    /// A program that not everybody has: `<!-- needs: PROGRAM -->`.
    pub(crate) needs: Option<String>,
    /// The exit code that the page speaks of: `<!-- exit code: N -->`.
    pub(crate) exit_code: i32,
    /// `<!-- times: exact -->`: the clock of a simulated link, the same every time.
    pub(crate) exact_times: bool,
}

#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Block>,
    /// How deep each headline is, in order.
    pub(crate) levels: Vec<usize>,
    pub(crate) anchors: BTreeSet<String>,
    pub(crate) links: Vec<String>,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut page = Self {
            path: path.to_owned(),
            blocks: Vec::new(),
            levels: Vec::new(),
            anchors: BTreeSet::new(),
            links: Vec::new(),
            text: String::new(),
        };
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        let mut said: Vec<&str> = Vec::new();
        while at < lines.len() {
            let line = lines[at];
            if let Some(fence) = line.strip_prefix("```") {
                let end = (at + 1..lines.len()).find(|&n| lines[n] == "```").expect("a fence that ends");
                page.blocks.push(block(fence, &lines[at + 1..end], at + 1, &said));
                at = end;
            } else if let Some(comment) = line.strip_prefix("<!-- ").and_then(|l| l.strip_suffix(" -->")) {
                said.push(comment);
                at += 1;
                continue;
            } else {
                page.prose(line);
            }
            said.clear();
            at += 1;
        }
        page.text = text;
        page
    }

    fn prose(&mut self, line: &str) {
        let level = line.chars().take_while(|&c| c == '#').count();
        if level > 0 && line[level..].starts_with(' ') {
            self.levels.push(level);
            self.anchors.insert(slug(&line[level + 1..]));
        }
        // What stands between backquotes is no link.
        let words: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for rest in words.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            self.links.push(target.to_owned());
        }
    }

    /// The files of the figures that it shows: `![words](../figures/FILE.svg)`, or in a folder of its language. Its commands draw them.
    pub(crate) fn figures(&self) -> Vec<String> {
        let figures = self.links.iter().filter(|link| link.contains("figures/"));
        figures.filter_map(|link| Some(link.split_once("figures/")?.1.to_owned())).collect()
    }

    /// The files and places that it speaks of and that are not there.
    pub(crate) fn dead_links(&self) -> Vec<String> {
        let folder = self.path.parent().expect("a page is in a folder");
        let mut dead = Vec::new();
        for link in self.links.iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { self.path.clone() } else { folder.join(file) };
            let there = target.exists() && (anchor.is_empty() || Self::read(&target).anchors.contains(anchor));
            if !there {
                dead.push(format!("{}: {link}", self.path.display()));
            }
        }
        dead
    }

    /// Files that it names and that do not stand in this folder.
    pub(crate) fn links_out_of(&self, book: &Path) -> Vec<String> {
        let folder = self.path.parent().expect("a page is in a folder");
        let is_out = |link: &&String| {
            let file = link.split('#').next().unwrap_or_default();
            !link.contains("://") && folder.join(file).canonicalize().is_ok_and(|path| !path.starts_with(book))
        };
        self.links.iter().filter(is_out).cloned().collect()
    }
}

fn block(fence: &str, lines: &[&str], line: usize, said: &[&str]) -> Block {
    let of = |name: &str| said.iter().find_map(|words| words.strip_prefix(name)).map(str::trim);
    Block {
        kind: fence.split([',', ' ']).next().unwrap_or_default().to_owned(),
        text: lines.iter().flat_map(|line| [line, "\n"]).collect(),
        line,
        not_run: of("not run:").map(str::to_owned),
        needs: of("needs:").map(str::to_owned),
        exit_code: of("exit code:").map_or(0, |code| code.parse().expect("a number")),
        exact_times: of("times:") == Some("exact"),
    }
}

/// A headline's anchor, as GitHub and mdBook make it.
fn slug(headline: &str) -> String {
    let kept = headline.trim().to_lowercase();
    kept.chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then_some(c),
        })
        .collect()
}

/// Every page below a folder, in order.
pub(crate) fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            out.extend(pages(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            out.push(path);
        }
    }
    out.sort();
    out
}
