//! Writes the seed corpus anew, and takes away what is not of it: `cargo run --bin seeds`. With `greatest`, hellos as long as can
//! be, in `greatest/`; with `identities`, the certificates and keys that conversations are made with, which changes every seed
//! after that.

use clasp_fuzz::seeds::{self, Seed};
use clasp_testkit::{KeyKind, authority};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("identities") => identities(),
        Some("greatest") => write(seeds::greatest(), |target| clasp_fuzz::folder("greatest", target)),
        _ => write(seeds::all(), |target| clasp_fuzz::folder("corpus", target)),
    }
}

/// Each target's folder has its seeds and nothing else.
fn write(seeds: Vec<Seed>, folder: impl Fn(&str) -> PathBuf) -> io::Result<()> {
    let (mut total, mut names) = (0, BTreeMap::<_, BTreeSet<_>>::new());
    for (target, name, bytes) in seeds {
        fs::create_dir_all(folder(target))?;
        fs::write(folder(target).join(&name), &bytes)?;
        total += bytes.len();
        names.entry(target).or_default().insert(name);
    }
    for (target, names) in names {
        for file in fs::read_dir(folder(target))? {
            let file = file?;
            if !file.file_name().to_str().is_some_and(|name| names.contains(name)) {
                fs::remove_file(file.path())?;
            }
        }
    }
    println!("{total} bytes of seeds");
    Ok(())
}

fn identities() -> io::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    fs::write(data.join("ca.der"), authority().der())?;
    for (kind, name) in [(KeyKind::P256, "p256"), (KeyKind::Rsa, "rsa"), (KeyKind::Ed25519, "ed25519")] {
        let issued = authority().issue(kind, &["localhost"]);
        fs::write(data.join(format!("{name}.der")), &issued.chain[0])?;
        fs::write(data.join(format!("{name}.key")), &issued.key)?;
    }
    Ok(())
}
