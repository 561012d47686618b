//! Writes the seed corpus: `cargo run --bin seeds`; with `identities`, the certificates and keys that conversations are
//! made with, which changes every seed after that.

use clasp_testkit::{KeyKind, authority};
use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("identities") {
        return identities();
    }
    let mut total = 0;
    for (target, name, bytes) in clasp_fuzz::seeds::all() {
        let folder = clasp_fuzz::corpus(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), &bytes)?;
        total += bytes.len();
    }
    println!("{total} bytes of seeds");
    Ok(())
}

fn identities() -> std::io::Result<()> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    fs::write(data.join("ca.der"), authority().der())?;
    for (kind, name) in [(KeyKind::P256, "p256"), (KeyKind::Rsa, "rsa"), (KeyKind::Ed25519, "ed25519")] {
        let issued = authority().issue(kind, &["localhost"]);
        fs::write(data.join(format!("{name}.der")), &issued.chain[0])?;
        fs::write(data.join(format!("{name}.key")), &issued.key)?;
    }
    Ok(())
}
