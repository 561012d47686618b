//! `clasp trace FILE.pcap`.

use super::output::Output;
use super::packets;
use super::streams::Streams;
use crate::failure::Failure;
use crate::input;
use crate::pem;
use crate::terminal::note;
use clasp::keys::log::Secrets;
use clasp::passive::ServerKeys;
use std::path::{Path, PathBuf};

/// The options of it.
#[derive(clap::Args)]
pub(crate) struct Capture {
    /// A capture, pcap or pcapng
    #[arg(value_name = "FILE.pcap")]
    file: Option<PathBuf>,
    /// The secrets of its conversations (SSLKEYLOGFILE format); without them, what is in the clear is shown
    #[arg(long, value_name = "FILE", requires = "file")]
    keylog: Option<PathBuf>,
    /// The server's private key (PEM): it opens RSA key transport, which has no forward secrecy, and no other key exchange
    #[arg(long, value_name = "FILE", requires = "file")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Capture) -> Result<(), Failure> {
    let Some(file) = &arguments.file else {
        return Err(Failure::cannot("nothing to trace")
            .hint("clasp trace connect HOST, clasp trace serve, or clasp trace FILE.pcap"));
    };
    let secrets = arguments.keylog.as_deref().map(secrets).transpose()?;
    let keys = arguments.key.iter().map(|path| pem::private_key(path)).collect::<Result<Vec<_>, _>>()?;
    let has_secrets = secrets.is_some() || !keys.is_empty();
    let mut streams = Streams::new(secrets.unwrap_or_default(), ServerKeys::new(keys));
    let ending = packets::read(file, |segment| streams.add(segment))?;
    if ending.cut {
        note("the capture ends within a packet: what comes before is shown");
    }
    if ending.unknown_links > 0 {
        note(format_args!(
            "{} of {} packets came over a link that is not known here",
            ending.unknown_links, ending.packets
        ));
    }
    if streams.left_out > 0 {
        note(format_args!("{} conversations more were not followed", streams.left_out));
    }
    let heard = streams.finish();
    if heard.is_empty() {
        return Err(Failure::no(format_args!(
            "{}: {} packets, and no TLS over TCP in them",
            file.display(),
            ending.packets
        )));
    }
    let lost: usize = heard.iter().map(|heard| heard.lost).sum();
    if lost > 0 {
        note(format_args!("packets are missing: {lost} bytes behind them cannot be read"));
    }
    let unopened: usize = heard.iter().map(|heard| heard.unopened).sum();
    let traces: Vec<_> = heard.into_iter().map(|heard| heard.trace).collect();
    for trace in &traces {
        arguments.output.print(trace)?;
    }
    arguments.output.finish(&traces)?;
    match (unopened, has_secrets) {
        (0, _) => Ok(()),
        (_, true) => {
            let (what, hint) = match &arguments.keylog {
                Some(_) => {
                    let hint = "it has to be of the same conversations, and from their beginning";
                    ("the key log has no secrets that open them", hint)
                }
                None => {
                    let hint = "their key exchange has forward secrecy, or the key is another server's: --keylog FILE opens all";
                    ("the server's key does not open them", hint)
                }
            };
            Err(Failure::no(format_args!("{unopened} records stay closed: {what}")).hint(hint))
        }
        (_, false) => {
            note(format_args!("{unopened} records stay closed: --keylog FILE opens them"));
            Ok(())
        }
    }
}

fn secrets(path: &Path) -> Result<Secrets, Failure> {
    Secrets::parse(&input::text(path)?).map_err(|e| Failure::file(path, e))
}
