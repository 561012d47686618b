//! `-cipher`: the runner's way to name suites, as far as tests of Clasp use it.

use crate::failure::Failure;
use crate::flags::Flags;
use clasp::crypto::AeadId;
use clasp::suite::{Bulk, Kx, SUITES, SUITES13, Suite};
use clasp::wire::code::CipherSuite;

/// The suites of a connection, in tiers of equally good ones. The runner's library always has those of TLS 1.3, and
/// leaves the choice to the client unless it is told otherwise.
pub(crate) fn tiers(flags: &Flags) -> Result<Vec<Vec<CipherSuite>>, Failure> {
    let tls13: Vec<CipherSuite> = SUITES13.iter().map(|s| s.code).collect();
    let all = || SUITES.iter().filter(|s| s.kx != Kx::Dhe);
    let tls12 = match &flags.cipher {
        Some(text) => named(text)?,
        None if flags.server_preference => all().map(|s| vec![s.code]).collect(),
        None => vec![all().map(|s| s.code).collect()],
    };
    Ok(core::iter::once(tls13).chain(tls12).collect())
}

/// `A:[B|C]:D` is a tier of A, one of B and C, and one of D; `DEFAULT:!AES` is everything without AES.
fn named(text: &str) -> Result<Vec<Vec<CipherSuite>>, Failure> {
    if text == "DEFAULT:!AES" {
        let chacha = |s: &&Suite| s.kx != Kx::Dhe && s.bulk == Bulk::Aead(AeadId::ChaCha20Poly1305);
        return Ok(vec![SUITES.iter().filter(chacha).map(|s| s.code).collect()]);
    }
    let one = |name: &str| {
        let found = SUITES.iter().find(|s| s.code.name() == name);
        found.map(|s| s.code).ok_or_else(|| Failure::unimplemented(format!("-cipher {name}")))
    };
    text.split(':')
        .map(|tier| tier.trim_start_matches('[').trim_end_matches(']').split('|').map(one).collect())
        .collect()
}
