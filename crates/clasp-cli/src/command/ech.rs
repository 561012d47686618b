//! `clasp ech`: keys for Encrypted Client Hello.

use crate::failure::Failure;
use crate::output;
use crate::terminal::note;
use clasp::code::{HpkeAead, HpkeKdf, HpkeKem};
use clasp::crypto::Provider;
use clasp::ech::{EchKey, EchParameters};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

const HELP: &str = "\
Examples:
  clasp ech keygen --public-name example.com --out ech.pem
  clasp inspect ech.pem
The file (RFC 9934) is readable by its owner alone, and none is ever overwritten.
Exit codes: 0 done; 2 could not do it";

/// Keys for Encrypted Client Hello (RFC 9849).
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a key and what to publish of it: prints the file, or with --out the value for the DNS record
    Keygen {
        /// The name that stands outside for all to see
        #[arg(long, value_name = "NAME")]
        public_name: String,
        /// KEM/KDF/AEAD, the one that is liked best first; the KEM is the same in all [default: x25519/sha256/aes-128-gcm and
        /// x25519/sha256/chacha20-poly1305]
        #[arg(long, value_name = "SUITE", value_parser = suite)]
        suite: Vec<(HpkeKem, HpkeKdf, HpkeAead)>,
        /// The longest name that is to be hidden: clients pad shorter ones to it
        #[arg(long, value_name = "LENGTH", default_value_t = 0)]
        max_name_length: u8,
        /// Where the key and the configuration go, instead of stdout
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

const KEMS: [(&str, HpkeKem); 4] = [
    ("x25519", HpkeKem::DhkemX25519HkdfSha256),
    ("p-256", HpkeKem::DhkemP256HkdfSha256),
    ("p-384", HpkeKem::DhkemP384HkdfSha384),
    ("p-521", HpkeKem::DhkemP521HkdfSha512),
];

const KDFS: [(&str, HpkeKdf); 3] =
    [("sha256", HpkeKdf::HkdfSha256), ("sha384", HpkeKdf::HkdfSha384), ("sha512", HpkeKdf::HkdfSha512)];

const AEADS: [(&str, HpkeAead); 3] = [
    ("aes-128-gcm", HpkeAead::Aes128Gcm),
    ("aes-256-gcm", HpkeAead::Aes256Gcm),
    ("chacha20-poly1305", HpkeAead::ChaCha20Poly1305),
];

fn suite(text: &str) -> Result<(HpkeKem, HpkeKdf, HpkeAead), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let [kem, kdf, aead] = parts[..] else { return Err("wanted KEM/KDF/AEAD".into()) };
    Ok((named(kem, &KEMS)?, named(kdf, &KDFS)?, named(aead, &AEADS)?))
}

fn named<T: Copy>(name: &str, known: &[(&str, T)]) -> Result<T, String> {
    known.iter().find(|(known, _)| *known == name).map(|(_, code)| *code).ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("{name} is not one of {}", known.join(", "))
    })
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Verb::Keygen { public_name, suite, max_name_length, out } = &arguments.verb;
    let mut parameters = EchParameters::new(public_name);
    parameters.max_name_length = *max_name_length;
    if let Some((kem, ..)) = suite.first() {
        if let Some((other, ..)) = suite.iter().find(|(other, ..)| other != kem) {
            let name = KEMS.iter().find(|(_, known)| known == other).map_or("another", |(name, _)| name);
            return Err(Failure::cannot(format_args!("--suite: a key is of one KEM, and {name} is another"))
                .hint("make a key for each, and give the server both"));
        }
        parameters.kem = *kem;
        parameters.suites = suite.iter().map(|(_, kdf, aead)| (*kdf, *aead)).collect();
    }
    let key = EchKey::generate(Provider::builtin(), &parameters).map_err(Failure::cannot)?;
    let pem = key.to_pem().map_err(Failure::cannot)?;
    let record = format!("ech={}", key.list().to_base64());
    match out {
        Some(path) => {
            create(path, pem.as_bytes())?;
            output::line(record)?;
        }
        None => {
            output::bytes(pem.as_bytes())?;
            note("the key and its configuration went to stdout; --out FILE keeps them");
            note(format_args!("for the DNS record: {record}"));
        }
    }
    note("publish it in the HTTPS record of each name that is hidden (RFC 9848), once the server has the key");
    Ok(())
}

fn create(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::file(path, "is there already and is not overwritten").hint("move it away, or name another")
        }
        _ => Failure::file(path, error),
    })
}
