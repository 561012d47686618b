//! The source keeps its size: functions that fit a screen, and no more arguments than a reader holds in mind.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Lines of a function, its signature and closing brace among them. The phases of the conversations keep to it too.
const LINES: usize = 70;
/// Arguments besides `self`.
const ARGUMENTS: usize = 5;

/// Functions with more arguments than that. The list only gets shorter.
const MORE_ARGUMENTS: [(&str, &str); 2] = [("crypto/aead.rs", "copy_and_seal"), ("keys/schedule13.rs", "import")];

#[derive(Debug, PartialEq, Eq)]
struct Function {
    name: String,
    lines: usize,
    arguments: usize,
}

/// The functions of a source as rustfmt lays it out: one begins with its own line, and its closing brace stands under its
/// beginning.
fn functions(source: &str) -> Vec<Function> {
    let lines: Vec<&str> = source.lines().collect();
    let begins = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| {
            ["pub", "const", "async", "unsafe", "extern", "\"C\"", "default"].contains(word) || word.starts_with("pub(")
        });
        let name = (words.next() == Some("fn")).then(|| words.next()).flatten()?;
        Some(name.split(['(', '<']).next().unwrap().to_owned())
    };
    let found = lines.iter().enumerate().filter_map(|(at, line)| Some((at, begins(line)?)));
    found.map(|(at, name)| measure(name, &lines[at..])).collect()
}

fn measure(name: String, lines: &[&str]) -> Function {
    let indent = lines[0].len() - lines[0].trim_start().len();
    let closing = format!("{}}}", " ".repeat(indent));
    let of_signature = lines.iter().position(|line| line.ends_with(['{', ';', '}'])).unwrap();
    let signature = lines[..=of_signature].join("\n");
    let count = if lines[of_signature].ends_with('{') {
        lines.iter().position(|line| *line == closing).unwrap() + 1
    } else {
        of_signature + 1
    };
    let behind_name = signature.split_once("fn ").unwrap().1.strip_prefix(name.as_str()).unwrap();
    Function { name, lines: count, arguments: arguments(behind_name) }
}

/// How many arguments a list has that may have generic parameters in front of it.
fn arguments(signature: &str) -> usize {
    let mut before = '\0';
    let (mut depth, mut angles) = (0_usize, 0_usize);
    let mut list = vec![String::new()];
    for c in signature.chars() {
        let closes_angle = c == '>' && before != '-';
        before = c;
        match c {
            '<' => angles += 1,
            '>' if closes_angle => angles -= 1,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 1 && angles == 0 => list.push(String::new()),
            c if depth > 0 && angles == 0 => list.last_mut().unwrap().push(c),
            _ => {}
        }
        if c == ')' && depth == 0 && angles == 0 {
            break;
        }
    }
    let is_self = |argument: &str| {
        let name = argument.split(':').next().unwrap();
        name.split_whitespace().last().is_some_and(|word| word.trim_start_matches('&') == "self")
    };
    list.iter().filter(|argument| !argument.trim().is_empty() && !is_self(argument)).count()
}

/// Each function of the crate, with its file's path below `src`.
fn of_the_crate() -> Vec<(String, Function)> {
    fn walk(path: &Path, out: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let of_file = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        functions(&std::fs::read_to_string(file).unwrap())
            .into_iter()
            .map(move |f| (path.clone(), f))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

#[test]
fn functions_are_measured_as_they_stand() {
    let source = "\
impl<'a> Thing<'a> {
    pub(crate) fn one(&'a mut self) -> u8 { 1 }

    pub async fn two<F: Fn(u8, u8) -> u8, const N: usize>(
        self: Box<Self>,
        (first, second): (u8, [u8; N]),
        map: HashMap<u8, u8>,
        f: F,
    ) -> u8 {
        fn inner(a: u8) -> u8 {
            a
        }
        inner(second)
    }

    fn three(self);
}
";
    let function = |name: &str, lines, arguments| Function { name: name.to_owned(), lines, arguments };
    let wanted = [function("one", 1, 0), function("two", 11, 3), function("inner", 3, 1), function("three", 1, 0)];
    assert_eq!(functions(source), wanted);
}

#[test]
fn functions_fit_a_screen() {
    let all = of_the_crate();
    assert!(all.len() > 1000, "{} functions", all.len());
    for (file, f) in all {
        assert!(f.lines <= LINES, "{file}: {} has {} lines; at most {LINES}", f.name, f.lines);
    }
}

#[test]
fn arguments_are_few() {
    let all = of_the_crate();
    let more = all.iter().filter(|(_, f)| f.arguments > ARGUMENTS).map(|(file, f)| (file.as_str(), f.name.as_str()));
    assert_eq!(more.collect::<Vec<_>>(), MORE_ARGUMENTS, "more than {ARGUMENTS} arguments, or a list that is too long");
}
