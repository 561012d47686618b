//! ROBOT: whether a server tells a good padding of RSA key transport from a bad one (Böck, Somorovsky, Young, 2018). Five
//! ClientKeyExchanges that are wrong in different ways must all be answered alike; whoever can tell them apart can decipher
//! what was sealed to the server's key, and sign with it.

use super::dial::{Dial, Next};
use super::hello::{Hello, TLS12, random};
use super::report::Verdict;
use clasp_x509::{Certificate, PublicKey};
use num_bigint::BigUint;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_millis(1500);

/// How a block is wrong. The first is right, but for the Finished behind it.
const KINDS: [Kind; 5] = [Kind::Right, Kind::WrongStart, Kind::NoZero, Kind::ZeroTooEarly, Kind::WrongVersion];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Right,
    WrongStart,
    NoZero,
    ZeroTooEarly,
    WrongVersion,
}

/// The block before encryption (RFC 8017 7.2.1): 00 02, padding without a zero, 00, and the premaster secret.
fn block(kind: Kind, length: usize, version: u16) -> Option<Vec<u8>> {
    let mut block = vec![0, 2];
    let noise: Vec<u8> = std::iter::repeat_with(random).flatten().filter(|byte| *byte != 0).take(length).collect();
    block.extend_from_slice(noise.get(..length.checked_sub(2 + 1 + 48)?)?);
    block.push(0);
    block.extend_from_slice(&version.to_be_bytes());
    block.extend_from_slice(noise.get(..46)?);
    let zero = length - 49;
    match kind {
        Kind::Right => {}
        Kind::WrongStart => block[..2].copy_from_slice(&[0x41, 0x17]),
        Kind::NoZero => block[zero] = 0x11,
        Kind::ZeroTooEarly => block[zero / 2] = 0,
        Kind::WrongVersion => block[zero + 1..zero + 3].copy_from_slice(&[2, 2]),
    }
    Some(block)
}

/// The RSA key of a certificate: modulus and exponent.
fn key(der: &[u8]) -> Option<(BigUint, BigUint, usize)> {
    let certificate = Certificate::parse(der).ok()?;
    let PublicKey::Rsa { key, .. } = certificate.public_key() else { return None };
    // RSAPublicKey (RFC 8017 A.1.1): a sequence of two integers.
    let (sequence, _) = value(0x30, key)?;
    let (modulus, rest) = value(2, sequence)?;
    let (exponent, _) = value(2, rest)?;
    let modulus = super::answer::without_zeros(modulus);
    Some((BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent), modulus.len()))
}

/// The body of a DER value with this tag, and what follows it: x509 has read it before.
fn value(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (bytes.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?, rest)
        }
    };
    if found == tag { rest.split_at_checked(length) } else { None }
}

/// Whether the five are answered alike, with a ChangeCipherSpec and a Finished behind them, and without.
pub(crate) async fn ask(dial: &Dial, version: u16, suites: &[u16]) -> (Verdict, String) {
    for whole in [true, false] {
        let Some(first) = round(dial, version, suites, whole).await else {
            return (Verdict::Unknown, "the server did not get as far as that".into());
        };
        if first.iter().all(|answer| first.first() == Some(answer)) {
            continue;
        }
        // A server that was busy once says the same the second time.
        match round(dial, version, suites, whole).await {
            Some(second) if second == first => {
                let words =
                    "answers differ with the padding of the premaster secret: what was sealed to its key can be opened";
                return (Verdict::Vulnerable, words.into());
            }
            _ => return (Verdict::Unknown, "answers differ, but not in the same way twice".into()),
        }
    }
    (Verdict::Safe, "answers every wrong padding alike".into())
}

async fn round(dial: &Dial, version: u16, suites: &[u16], whole: bool) -> Option<Vec<Next>> {
    let mut answers = Vec::new();
    for kind in KINDS {
        answers.push(one(dial, version, suites, (kind, whole)).await?);
    }
    Some(answers)
}

async fn one(dial: &Dial, version: u16, suites: &[u16], (kind, whole): (Kind, bool)) -> Option<Next> {
    let hello = Hello::old(version, suites.to_vec(), dial.server_name.as_deref());
    let (mut open, flight) = dial.begin(&hello).await?;
    let (modulus, exponent, length) = key(flight.certificates.first()?)?;
    let block = block(kind, length, version)?;
    let sealed = BigUint::from_bytes_be(&block).modpow(&exponent, &modulus).to_bytes_be();
    let mut body = vec![0; length.checked_sub(sealed.len())?];
    body.extend_from_slice(&sealed);
    let [high, low] = version.min(TLS12).to_be_bytes();
    let size = |count: usize| u16::try_from(count).unwrap_or_default().to_be_bytes();
    let mut wire = vec![22, high, low];
    wire.extend_from_slice(&size(body.len() + 6));
    wire.extend_from_slice(&[16, 0]);
    wire.extend_from_slice(&size(body.len() + 2));
    wire.extend_from_slice(&size(body.len()));
    wire.extend_from_slice(&body);
    if whole {
        wire.extend_from_slice(&[20, high, low, 0, 1, 1]);
        // A Finished that no keys have sealed.
        wire.extend_from_slice(&[22, high, low, 0, 64]);
        wire.extend_from_slice(&random());
        wire.extend_from_slice(&random());
    }
    open.tcp.write_all(&wire).await.ok()?;
    Some(open.next(PATIENCE).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_is_wrong_in_its_way_alone() {
        for (kind, good) in KINDS.into_iter().zip([true, false, false, false, true]) {
            let block = block(kind, 256, TLS12).unwrap();
            assert_eq!(block.len(), 256);
            let padded = block.starts_with(&[0, 2]) && block[2..].iter().position(|byte| *byte == 0) == Some(205);
            assert_eq!(padded, good, "{kind:?}");
            assert_eq!(block[208..210] == [3, 3], kind != Kind::WrongVersion, "{kind:?}");
        }
        assert_eq!(block(Kind::Right, 40, TLS12), None);
    }
}
