//! One handshake for callgrind to count: everything one side does, and nothing else, happens below [`counted`].

use crate::credentials::Credentials;
use crate::drive;
use crate::meter::{Meter, Side};
use crate::peer::{Offer, Peer};
use crate::row;
use anyhow::{Context as _, Result, bail};

/// The name callgrind toggles its collection at.
pub const COUNTED: &str = "clasp_bench_counted";

/// Handshakes that are counted together: some primitives take a number of steps that depends on random values.
pub const HANDSHAKES: usize = 16;

struct Counted(Side);

impl Meter for Counted {
    fn on<R>(&mut self, side: Side, step: impl FnOnce() -> R) -> R {
        if side != self.0 {
            return step();
        }
        let mut step = Some(step);
        let mut result = None;
        counted(&mut || result = step.take().map(|step| step()));
        result.expect("a step that was run")
    }
}

#[unsafe(export_name = "clasp_bench_counted")]
#[inline(never)]
fn counted(step: &mut dyn FnMut()) {
    step();
}

/// The processor as the process sees it, by what primitives are chosen by. Valgrind has one of its own, with some traits
/// of the one it runs on. Nothing where it is not known how to ask.
pub fn processor() -> String {
    let mut features: Vec<&str> = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! note {
            ($($name:tt)*) => { $( if std::is_x86_feature_detected!($name) { features.push($name); } )* };
        }
        note!("aes" "pclmulqdq" "ssse3" "sse4.1" "avx" "avx2" "bmi2" "adx" "rdrand" "rdseed" "sha" "vaes" "vpclmulqdq" "avx512f");
    }
    features.insert(0, std::env::consts::ARCH);
    features.join(" ")
}

/// Does handshakes of a row, with one side's steps under [`COUNTED`].
pub(crate) fn run(peer: &dyn Peer, credentials: &Credentials, id: &str, client: bool) -> Result<()> {
    let (_, scenario) = row::handshakes().into_iter().find(|(name, _)| *name == id).context("no such row")?;
    let Offer::Has(sides) = peer.sides(&scenario, credentials)? else { bail!("{id}: not there") };
    drive::prepare(sides.as_ref(), &scenario, 1)?;
    let mut meter = Counted(if client { Side::Client } else { Side::Server });
    for _ in 0..HANDSHAKES {
        let pairs = drive::handshakes(sides.as_ref(), 1, &mut meter)?;
        drive::dissolve(pairs, &mut meter);
    }
    Ok(())
}
