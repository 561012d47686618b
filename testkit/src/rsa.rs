//! RSA without padding, for plaintexts that no library would encrypt.
#![allow(clippy::unwrap_used)]

/// Bytes of the modulus.
pub const MODULUS: usize = 256;

/// The modulus of an RSA key of 2048 bits, in a certificate or alone.
///
/// # Panics
/// If there is none.
pub fn modulus(certificate: &[u8]) -> [u8; MODULUS] {
    // INTEGER of 257 bytes, the first of them zero; then the exponent 65537.
    let begin = [2, 0x82, 1, 1, 0];
    let at = certificate.windows(begin.len()).position(|w| w == begin).expect("a key of 2048 bits") + begin.len();
    assert_eq!(certificate[at + MODULUS..][..5], [2, 3, 1, 0, 1], "the exponent 65537");
    certificate[at..at + MODULUS].try_into().unwrap()
}

const LIMBS: usize = MODULUS / 8;
type Number = [u64; LIMBS];

/// em ^ 65537 mod n, for an `em` below n. Slow and simple: it makes inputs.
pub fn encrypt(modulus: &[u8; MODULUS], em: &[u8; MODULUS]) -> [u8; MODULUS] {
    let (n, base) = (number(modulus), number(em));
    let mut power = base;
    for _ in 0..16 {
        power = multiply(&power, &power, &n);
    }
    power = multiply(&power, &base, &n);
    let mut out = [0; MODULUS];
    for (bytes, limb) in out.rchunks_exact_mut(8).zip(power) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    out
}

fn number(bytes: &[u8; MODULUS]) -> Number {
    let mut out = [0; LIMBS];
    for (limb, bytes) in out.iter_mut().zip(bytes.rchunks_exact(8)) {
        *limb = u64::from_be_bytes(bytes.try_into().unwrap());
    }
    out
}

/// a * b mod n by doubling and adding.
fn multiply(a: &Number, b: &Number, n: &Number) -> Number {
    let mut sum = [0; LIMBS];
    for bit in (0..64 * LIMBS).rev() {
        sum = add(&sum, &sum, n);
        if b[bit / 64] >> (bit % 64) & 1 == 1 {
            sum = add(&sum, a, n);
        }
    }
    sum
}

/// a + b mod n, both below n.
fn add(a: &Number, b: &Number, n: &Number) -> Number {
    let mut sum = [0; LIMBS];
    let mut carry = false;
    for i in 0..LIMBS {
        (sum[i], carry) = carrying(a[i], b[i], carry);
    }
    if carry || !sum.iter().rev().lt(n.iter().rev()) {
        let mut borrow = false;
        for i in 0..LIMBS {
            let (d, first) = sum[i].overflowing_sub(n[i]);
            let (d, second) = d.overflowing_sub(u64::from(borrow));
            (sum[i], borrow) = (d, first || second);
        }
    }
    sum
}

fn carrying(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (s, first) = a.overflowing_add(b);
    let (s, second) = s.overflowing_add(u64::from(carry));
    (s, first || second)
}
