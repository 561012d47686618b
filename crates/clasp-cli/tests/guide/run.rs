//! A page's commands, run as a reader would paste them: one shell for the page, in an empty folder. A command in the background is a
//! server; what it says goes to a file, and nothing follows until that has something in it.

use crate::markdown::{Block, Page};
use clasp_interop::ports::Ports;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(240);

/// The ports that pages speak of. Each run has others.
const PORTS: [&str; 3] = ["4433", "4434", "8443"];

/// Before each page: what a failure is, how it is waited for servers, and that none stays.
const PRELUDE: &str = "\
trap 'failed=$?' ERR
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null' EXIT
there() { for _ in $(seq 400); do [ -s \"$1\" ] && return; sleep 0.05; done; echo \"$1 stays empty\"; }
";

/// What became of a block.
pub(crate) struct Ran {
    pub(crate) said: String,
    pub(crate) exit_code: i32,
}

pub(crate) fn is_run(block: &Block) -> bool {
    block.kind == "sh" && block.not_run.is_none()
}

/// Each block that runs, in order, and the figures that they have drawn: the files of these names.
pub(crate) fn run(page: &Page, docs: &Path, ports: &Ports) -> (Vec<Ran>, Vec<String>) {
    let blocks: Vec<&Block> = page.blocks.iter().filter(|block| is_run(block)).collect();
    if blocks.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let place = tempfile::tempdir().expect("a folder");
    let (home, out, bin) = (place.path().join("home"), place.path().join("out"), place.path().join("bin"));
    for folder in [&home, &out, &bin] {
        fs::create_dir(folder).expect("a folder");
    }
    put_clasp(&bin.join("clasp"));
    // As from a clone of the repository.
    std::os::unix::fs::symlink(docs, home.join("docs")).expect("a link");
    let free: Vec<String> = PORTS.iter().map(|_| ports.next().expect("a port").to_string()).collect();
    let mut script = format!("export GUIDE_PORT={}\n{PRELUDE}", PORTS[0]);
    for (n, block) in blocks.iter().enumerate() {
        script += &framed(block, &out.join(n.to_string()));
    }
    for (port, free) in PORTS.iter().zip(&free) {
        script = script.replace(port, free);
    }
    in_a_shell(&script, page, &home, &bin);
    let mut ran = Vec::new();
    for n in 0..blocks.len() {
        let read = |ending: &str| fs::read_to_string(out.join(format!("{n}{ending}"))).unwrap_or_default();
        let mut said = read("").replace(&*home.to_string_lossy(), "/home/you");
        for (port, free) in PORTS.iter().zip(&free) {
            said = said.replace(free, port);
        }
        ran.push(Ran { said, exit_code: read(".code").trim().parse().unwrap_or(-1) });
    }
    let drawn = |figure: &String| {
        fs::read_to_string(home.join(figure.rsplit('/').next().unwrap_or_default())).unwrap_or_default()
    };
    (ran, page.figures().iter().map(drawn).collect())
}

/// The program, with another port where the one that it takes by itself is meant: somebody else may be there.
fn put_clasp(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n*--listen*) ;;\nserve*|'trace serve'*) set -- \"$@\" --listen \"127.0.0.1:$GUIDE_PORT\" ;;\nesac\n\
         exec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_clasp")
    );
    fs::write(path, script).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// A block of the shell, with its words in a file and its exit code in another.
fn framed(block: &Block, out: &Path) -> String {
    let out = out.display();
    // A server writes its log after the client has gone.
    let first = if block.text.contains(".log") { "sleep 0.3\n" } else { "" };
    let mut framed = format!("failed=0\n{first}{{\n{}}} >{out} 2>&1\n", block.text);
    for line in block.text.lines().filter(|line| line.ends_with(" &")) {
        let (_, to) = line.split_once(" > ").expect("what a server says goes to a file");
        framed += &format!("there {}\n", to.split(' ').next().unwrap_or_default());
    }
    framed + &format!("echo $failed >{out}.code\n")
}

fn in_a_shell(script: &str, page: &Page, home: &Path, bin: &Path) {
    use std::os::unix::process::CommandExt;
    let chinese = page.path.components().any(|part| part.as_os_str() == "zh");
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(home).env_clear();
    command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
    command.env("HOME", home).env("NO_COLOR", "1");
    command.env("LANG", if chinese { "zh_CN.UTF-8" } else { "C.UTF-8" });
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut shell = command.spawn().expect("bash");
    let until = Instant::now() + LIMIT;
    while shell.try_wait().expect("a child").is_none() {
        if Instant::now() > until {
            let group = format!("kill -KILL -{}", shell.id());
            let _gone = Command::new("sh").args(["-c", &group]).status();
            panic!("{}: still running after {LIMIT:?}", page.path.display());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
