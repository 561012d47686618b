//! Does the path tell a secret? callgrind counts the instructions of each class: where they are equal, no branch and no
//! loop hangs on what differs between the classes, however busy the machine is. What it does not see is time that
//! differs with the same instructions: that is what the measurements are for.

use crate::lucky13;
use std::process::Command;

/// Times that a record is opened in one count.
const TIMES: usize = 64;

/// Runs this program under callgrind once for each class; prints instructions for each record. True if those of a
/// cipher's bad records are equal, those of its good ones too, and the control is not.
pub(crate) fn run() -> bool {
    let mut all_equal = true;
    for (n, (name, _)) in lucky13::CIPHERS.iter().enumerate() {
        println!("{name}");
        let counts: Vec<u64> = (0..lucky13::CLASSES.len()).map(|class| count(n, class)).collect();
        for (class, (what, baseline, recipe)) in lucky13::CLASSES.iter().enumerate() {
            let (count, baseline) = (counts[class], counts[*baseline]);
            let is_control = recipe.is_control();
            let fits = (count == baseline) != is_control;
            let word = if fits { "" } else { "  <--" };
            println!("{what:<52} {count:>10} {:>+8}{word}", i128::from(count) - i128::from(baseline));
            all_equal &= fits;
        }
    }
    all_equal
}

/// One class: what the program does under callgrind.
pub(crate) fn one(cipher: &str, class: &str) -> bool {
    let [cipher, class] = [cipher, class].map(|n| n.parse().unwrap());
    lucky13::repeat(cipher, class, TIMES);
    true
}

fn count(cipher: usize, class: usize) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect=*{}*", lucky13::COUNTED))
        .arg(std::env::current_exe().unwrap())
        .args(["one", &cipher.to_string(), &class.to_string()])
        .output()
        .expect("valgrind cannot be run: the Debian package is `valgrind`");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let collected = said.lines().find_map(|line| line.split("Collected :").nth(1));
    let total: u64 = collected.expect("callgrind's count").trim().parse().unwrap();
    assert!(total > 0, "nothing was counted: {said}");
    total / u64::try_from(TIMES).unwrap()
}
