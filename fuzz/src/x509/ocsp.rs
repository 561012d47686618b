//! OCSP responses: as they come, and signed by the right issuer with what the fuzzer puts into them.

use super::certificate::short;
use super::made::{self, Key};
use crate::input::Input;
use clasp_x509::{
    CertStatus, Certificate, OcspResponse, Options, Profile, Revocation, Standing, UnsignedOcsp, Usage, standing,
};

/// The first byte says whether the rest is a response, or parts of one to be signed.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let profile = Profile::ALL[input.below(3)];
    match input.below(3) {
        0 => judge(input.0, profile),
        1 => judge(&signed(input.0, &[]), profile),
        _ => {
            let certificates = input.long();
            judge(&altered(&mut input, certificates), profile);
        }
    }
}

/// Any ResponseData, signed.
fn signed(data: &[u8], certificates: &[u8]) -> Vec<u8> {
    let by = Key::seeded(1);
    let certificates =
        if certificates.is_empty() { Vec::new() } else { made::tlv(0xa0, &made::tlv(0x30, certificates)) };
    let basic = made::seq(&[data, &by.algorithm(), &made::bit_string(&by.sign(data)), &certificates]);
    let typed = made::seq(&[&made::oid(&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]), &made::tlv(4, &basic)]);
    made::seq(&[&[10, 1, 0], &made::tlv(0xa0, &typed)])
}

/// A good response for the leaf, changed here and there, then signed.
fn altered(input: &mut Input<'_>, certificates: &[u8]) -> Vec<u8> {
    let (leaf, issuer) = (super::leaf(), super::authority());
    let certificate = Certificate::parse(&leaf.der).expect("our own certificate");
    let issuer = Certificate::parse(&issuer.der).expect("our own authority");
    let now = i64::try_from(made::NOW).expect("a date");
    let response = UnsignedOcsp::new(&certificate, &issuer, CertStatus::Good, now - 60, now + 3600);
    let mut data = response.to_be_signed().to_vec();
    while !input.is_empty() {
        let at = input.number() % data.len();
        data[at] = input.byte();
    }
    signed(&data, certificates)
}

fn judge(response: &[u8], profile: Profile) {
    if let Ok(parsed) = OcspResponse::parse(response) {
        short(&parsed.responder());
        short(&parsed.signature_algorithm());
        for single in parsed.responses() {
            let _looked_at = (single.serial(), single.status(), single.this_update(), single.next_update());
        }
    }
    let leaf = Certificate::parse(&super::leaf().der).expect("our own certificate");
    let issuer = [Certificate::parse(&super::authority().der).expect("our own authority")];
    let verdict = |nonce, responses: &[&[u8]]| {
        let revocation = Revocation { responses, nonce, ..Revocation::default() };
        let options = Options::new(made::at(made::NOW), Usage::Any).profile(profile).revocation(revocation);
        standing(&leaf, &issuer, &options)
    };
    let one = verdict(None, &[response]);
    // What settles nothing changes nothing; and a nonce can only take answers away.
    assert_eq!(one, verdict(None, &[b"no response", response]).settled_as(&one));
    assert!(
        matches!(one, Standing::Good | Standing::Revoked { .. }) || verdict(Some(b"nonce"), &[response]).is_unknown()
    );
    if let Standing::Unknown(why) = one {
        short(&why.to_string());
    }
}

trait Settled {
    fn settled_as(self, other: &Self) -> Self;
    fn is_unknown(&self) -> bool;
}

impl Settled for Standing {
    /// Itself, but for the reason why nothing is known.
    fn settled_as(self, other: &Self) -> Self {
        if self.is_unknown() && other.is_unknown() { other.clone() } else { self }
    }

    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}
