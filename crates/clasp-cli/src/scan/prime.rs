//! What a Diffie–Hellman modulus is: one that everybody knows, a prime of the server's own, or no prime at all. Whoever knows the factors
//! of a modulus takes the logarithm by each of them, and reads what was agreed.

use super::hello;
use clasp::crypto::{HashId, Provider};
use num_bigint::BigUint;

/// Longer ones are not looked at: the work grows with the third power of their length, and nobody has one.
const MOST_BITS: u64 = 8192;
/// A number that is no prime passes a round with a chance of a quarter at most, whoever has chosen it, for the bases are ours.
const ROUNDS: u32 = 20;
/// Whether a prime is a safe one is worth a note alone.
const ROUNDS_OF_HALF: u32 = 4;

/// What is known of a modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modulus {
    pub(crate) bits: usize,
    /// Whose prime it is, where that is known.
    pub(crate) whose: Option<&'static str>,
    /// Nothing where it is too long to be looked at.
    pub(crate) is_prime: Option<bool>,
    /// Whether half of what is below it is a prime as well, where it is one.
    pub(crate) is_safe: Option<bool>,
}

/// Looks at it: the work of seconds for the longest.
pub(crate) fn look(modulus: &[u8]) -> Modulus {
    let number = BigUint::from_bytes_be(modulus);
    let bits = usize::try_from(number.bits()).unwrap_or(usize::MAX);
    let digest = Provider::builtin().hash(HashId::Sha256).map(|hash| hash.digest(&[&number.to_bytes_be()]));
    let known = digest.ok().and_then(|digest| {
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        STANDARD.iter().find(|(known, ..)| *known == hex)
    });
    if let Some((_, whose, is_safe)) = known {
        return Modulus { bits, whose: Some(whose), is_prime: Some(true), is_safe: Some(*is_safe) };
    }
    if number.bits() > MOST_BITS {
        return Modulus { bits, whose: None, is_prime: None, is_safe: None };
    }
    let is_prime = is_prime(&number, ROUNDS);
    let is_safe = is_prime.then(|| is_prime_half(&number));
    let whose = COMMON.iter().find(|(start, _)| is_prime && modulus.starts_with(start)).map(|(_, name)| *name);
    Modulus { bits, whose, is_prime: Some(is_prime), is_safe }
}

/// The worst comes first: no prime, one that was not looked at, the shortest.
pub(crate) fn rank(is_prime: Option<bool>, bits: usize) -> (bool, bool, usize) {
    (is_prime != Some(false), is_prime.is_some(), bits)
}

fn is_prime_half(prime: &BigUint) -> bool {
    is_prime(&(prime >> 1_u32), ROUNDS_OF_HALF)
}

/// Miller and Rabin's test, with bases that nobody could foresee.
fn is_prime(number: &BigUint, rounds: u32) -> bool {
    let (one, two) = (BigUint::from(1_u32), BigUint::from(2_u32));
    if *number < two {
        return false;
    }
    // Most numbers that are no primes are found by a small factor.
    for small in (2_u32..2000).map(BigUint::from) {
        if number == &small {
            return true;
        }
        if number % small == BigUint::ZERO {
            return false;
        }
    }
    let below = number - &one;
    let twos = below.trailing_zeros().unwrap_or_default();
    let odd = &below >> twos;
    // The number is greater than 2000 by now: bases are 2 to what is two below it.
    let span = number - BigUint::from(3_u32);
    (0..rounds).all(|_round| {
        let mut power = (random(number.bits()) % &span + &two).modpow(&odd, number);
        if power == one || power == below {
            return true;
        }
        (1..twos).any(|_square| {
            power = &power * &power % number;
            power == below
        })
    })
}

/// So many bits, and some more, so that none of its remainders is rare.
fn random(bits: u64) -> BigUint {
    let bytes: Vec<u8> = (0..bits / 256 + 2).flat_map(|_part| hello::random()).collect();
    BigUint::from_bytes_be(&bytes)
}

/// Primes of standards by their SHA-256, and whether they are safe ones: a number that looks like one of them is another.
const STANDARD: [(&str, &str, bool); 16] = [
    ("9cd3b7f336872f46c09428d1bbc19877a4d440512cda8d1c1cf0cd6e33698966", RFC7919, true),
    ("0eaf67db3a839156d5013494a5318a772b5697d270d721f37f092efc69ea5a17", RFC7919, true),
    ("4648414224ac881b3d0dc59b466f96d06a558278776807797ecf1f66ff397b3e", RFC7919, true),
    ("227ac9066b3ddd9e193670cda2388fa884f65ba0cf98b742d1fe77a6687c79c7", RFC7919, true),
    ("770b14efaf6f049929c523113b3fa99a8d11dab1b18af3609590122075d19833", RFC7919, true),
    ("b52ba6a3026520a6c49d37e4587601801bee500123b3259b6bf03e7cecc3e63d", RFC3526, true),
    ("3f35a3f5f6c4376a744acad409bb22f8d897f949d2311d885adaa890981b67a0", RFC3526, true),
    ("64fcc83ec403930bf18393dbc883ccaa1fbb08ac876f77f7aa99748ca945019b", RFC3526, true),
    ("d66436f79bbd6b2e38c0ffbd079be904d2641415e2e67140e09448be9a60890e", RFC3526, true),
    ("48cf8b092fbce4359d9871abf74f98e25b6163379eaa15cd9087e800c6d1c55c", RFC3526, true),
    ("4ee95187682bcb230ad26a95205f6920e84708f6251b3894329b09ec23919e33", RFC3526, true),
    ("d1bfe6d0925ce7e4da262b62861514a7755e35831e429f343e7b864848657efd", RFC3526, true),
    ("39ab4feab950a3128fb71accb9fc3965d857012e081998a85996e3ea8b3c3bcf", RFC3526, true),
    ("44c55cfee5c075927cf682da5b681bdecbd5c3eb0784c14f5dce7610f0ef133d", RFC5114, false),
    ("bfe545862ca102ad1eeddb5fbfa5bf855ac4995c56a8b408ce3fe099dce93a9d", RFC5114, false),
    ("0b7835722cb619827610c2549fdda5587421686c4409a13865e76225522ddcc9", RFC5114, false),
];

const RFC7919: &str = "a prime of RFC 7919";
const RFC3526: &str = "a prime of RFC 2409 and RFC 3526";
const RFC5114: &str = "a prime of RFC 5114";

/// How primes begin that many servers share: what is computed for one opens them all.
const COMMON: [(&[u8], &str); 3] = [
    (&[0xd6, 0x7d, 0xe4, 0x40, 0xcb, 0xbb, 0xdc, 0x19], "the 1024-bit prime of Apache's mod_ssl"),
    (&[0xbb, 0xbc, 0x2d, 0xca, 0xd8, 0x46, 0x74, 0x90], "the 1024-bit prime of nginx"),
    (&[0xfd, 0x7f, 0x53, 0x81, 0x1d, 0x75, 0x12, 0x29], "a 1024-bit prime of Java"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_told_from_what_only_looks_like_them() {
        let primes: Vec<u32> = (0..2100_u32).filter(|n| *n > 1 && (2..*n).all(|d| !n.is_multiple_of(d))).collect();
        for n in 0..2100_u32 {
            assert_eq!(is_prime(&BigUint::from(n), ROUNDS), primes.contains(&n), "{n}");
        }
        // Two Mersenne primes, and what has no other factors.
        let [m107, m127] = [107_u32, 127].map(|bits| (BigUint::from(1_u32) << bits) - 1_u32);
        assert!(is_prime(&m107, ROUNDS) && is_prime(&m127, ROUNDS));
        assert!(!is_prime(&(&m107 * &m127), ROUNDS) && !is_prime(&(&m127 * &m127), ROUNDS));
        // Of Carmichael's, whose every power of Fermat's test is 1: (6k+1)(12k+1)(18k+1), the factors prime and above the small ones.
        let k = (400_u32..).find(|k| [6, 12, 18].iter().all(|f| is_prime(&BigUint::from(f * k + 1), ROUNDS))).unwrap();
        let carmichael = [6, 12, 18].iter().map(|f| BigUint::from(f * k + 1)).product::<BigUint>();
        assert_eq!(BigUint::from(2_u32).modpow(&(&carmichael - 1_u32), &carmichael), BigUint::from(1_u32));
        assert!(!is_prime(&carmichael, ROUNDS));
    }

    #[test]
    fn the_primes_of_standards_are_known_and_what_looks_like_them_is_looked_at() {
        // RFC 2409 6.1: 2^768 - 2^704 - 1 + 2^64 * (floor(2^638 pi) + 149686).
        let hex = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd\
                   3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620ffffffffffffffff";
        let mut prime = BigUint::parse_bytes(hex.as_bytes(), 16).unwrap().to_bytes_be();
        let known = Modulus { bits: 768, whose: Some(RFC3526), is_prime: Some(true), is_safe: Some(true) };
        assert_eq!(look(&prime), known);
        assert!(is_prime(&BigUint::from_bytes_be(&prime), ROUNDS) && is_prime_half(&BigUint::from_bytes_be(&prime)));
        prime[40] ^= 1;
        assert_eq!(look(&prime), Modulus { whose: None, is_prime: Some(false), is_safe: None, ..known });
        // A Mersenne prime, of which half of what is below is 2^520 - 1 and divisible by three.
        let own = look(&((BigUint::from(1_u32) << 521_u32) - 1_u32).to_bytes_be());
        assert_eq!(own, Modulus { bits: 521, whose: None, is_prime: Some(true), is_safe: Some(false) });
        let long = (BigUint::from(1_u32) << 8192_u32) + 1_u32;
        assert_eq!(look(&long.to_bytes_be()), Modulus { bits: 8193, whose: None, is_prime: None, is_safe: None });
        assert!(rank(Some(false), 2048) < rank(None, 9000) && rank(None, 9000) < rank(Some(true), 1024));
        assert_eq!(look(&[]), Modulus { bits: 0, whose: None, is_prime: Some(false), is_safe: None });
    }
}
