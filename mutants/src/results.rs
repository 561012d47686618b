//! What became of each mutant, written down as it is known, so that a run that was stopped can go on.

use crate::judge::Fate;
use crate::mutant::Mutant;
use crate::source::{self, Source};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const FILE: &str = "judged.txt";

/// The last fate of each mutant that was judged; the file is appended to.
pub(crate) struct Results {
    /// By the line without the fate.
    fates: HashMap<String, Fate>,
    hashes: HashMap<PathBuf, u64>,
    file: Mutex<File>,
}

impl Results {
    pub(crate) fn read(scratch: &Path, sources: &[Source]) -> io::Result<Self> {
        std::fs::create_dir_all(scratch)?;
        let text = std::fs::read_to_string(scratch.join(FILE)).unwrap_or_default();
        let file = File::options().append(true).create(true).open(scratch.join(FILE))?;
        Ok(Self {
            fates: text.lines().filter_map(parse).map(|(mutant, fate)| (mutant.to_owned(), fate)).collect(),
            hashes: sources.iter().map(|source| (source.path.clone(), source::hash(&source.text))).collect(),
            file: Mutex::new(file),
        })
    }

    /// What became of it, if its file is as it was then.
    pub(crate) fn fate(&self, mutant: &Mutant) -> Option<&Fate> {
        self.fates.get(&self.name(mutant))
    }

    /// The keys of those that lived when they were judged last, whatever their files have become.
    pub(crate) fn living(&self) -> HashSet<&str> {
        let alive = self.fates.iter().filter(|(_, fate)| fate.lives());
        alive.filter_map(|(name, _)| name.split_once(' ')).map(|(_, key)| key).collect()
    }

    /// A line that cannot be written costs no more than judging its mutant again.
    pub(crate) fn add(&self, mutant: &Mutant, fate: &Fate) {
        let line = format!("{}\t{}\n", self.name(mutant), words(fate));
        let _ = self.file.lock().expect("no worker panicked").write_all(line.as_bytes());
    }

    fn name(&self, mutant: &Mutant) -> String {
        format!("{:016x} {}", self.hashes.get(&mutant.file).copied().unwrap_or_default(), mutant.key)
    }
}

fn words(fate: &Fate) -> String {
    match fate {
        Fate::Killed(by) => format!("killed by {by}"),
        Fate::TimedOut => "timed out".into(),
        Fate::Survived => "survived".into(),
        Fate::Unreached => "unreached".into(),
        Fate::Unviable => "unviable".into(),
    }
}

fn parse(line: &str) -> Option<(&str, Fate)> {
    let (mutant, words) = line.rsplit_once('\t')?;
    let fate = match words {
        "timed out" => Fate::TimedOut,
        "survived" => Fate::Survived,
        "unreached" => Fate::Unreached,
        "unviable" => Fate::Unviable,
        other => Fate::Killed(other.strip_prefix("killed by ")?.to_owned()),
    };
    Some((mutant, fate))
}
