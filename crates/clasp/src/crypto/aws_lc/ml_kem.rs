//! ML-KEM alone: draft-ietf-tls-mlkem, FIPS 203. Whoever must not use a curve any more (CNSA 2.0) asks for it; no named
//! policy does.

use crate::code::NamedGroup;
use crate::crypto::{CryptoError, CryptoResult, Group, KeyShare, SharedSecret};
use aws_lc_rs::kem::{self, AlgorithmId, Ciphertext, DecapsulationKey, EncapsulationKey};

pub(super) static GROUPS: [MlKem; 2] = [
    MlKem { group: NamedGroup::MlKem768, kem: &kem::ML_KEM_768, key_len: 1184, ciphertext_len: 1088 },
    MlKem { group: NamedGroup::MlKem1024, kem: &kem::ML_KEM_1024, key_len: 1568, ciphertext_len: 1568 },
];

pub(super) struct MlKem {
    group: NamedGroup,
    kem: &'static kem::Algorithm<AlgorithmId>,
    key_len: usize,
    ciphertext_len: usize,
}

impl Group for MlKem {
    fn id(&self) -> NamedGroup {
        self.group
    }

    fn start(&self) -> CryptoResult<Box<dyn KeyShare>> {
        let key = DecapsulationKey::generate(self.kem)?;
        let public = key.encapsulation_key()?.key_bytes()?.as_ref().to_vec();
        Ok(Box::new(Share { ciphertext_len: self.ciphertext_len, key, public }))
    }

    /// The server's half: encapsulates to the client's key.
    fn answer(&self, peer: &[u8], secret: &mut SharedSecret, public: &mut Vec<u8>) -> CryptoResult<()> {
        if peer.len() != self.key_len {
            return Err(CryptoError);
        }
        // AWS-LC checks the key's encoding (FIPS 203 7.2).
        let key = EncapsulationKey::new(self.kem, peer).map_err(|_| CryptoError)?;
        let (ciphertext, kem_secret) = key.encapsulate()?;
        keep(kem_secret.as_ref(), secret);
        public.extend_from_slice(ciphertext.as_ref());
        Ok(())
    }
}

struct Share {
    ciphertext_len: usize,
    key: DecapsulationKey<AlgorithmId>,
    public: Vec<u8>,
}

impl KeyShare for Share {
    fn public(&self) -> &[u8] {
        &self.public
    }

    fn finish(self: Box<Self>, peer: &[u8], secret: &mut SharedSecret) -> CryptoResult<()> {
        if peer.len() != self.ciphertext_len {
            return Err(CryptoError);
        }
        keep(self.key.decapsulate(Ciphertext::from(peer))?.as_ref(), secret);
        Ok(())
    }
}

fn keep(kem_secret: &[u8], secret: &mut SharedSecret) {
    secret.fill(kem_secret.len()).copy_from_slice(kem_secret);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_and_bad_values_are_refused() {
        for group in &GROUPS {
            let client = group.start().unwrap();
            let public = client.public().to_vec();
            let (mut ours, mut theirs) = (SharedSecret::default(), SharedSecret::default());
            let (mut answer, out) = (Vec::new(), &mut Vec::new());
            group.answer(&public, &mut theirs, &mut answer).unwrap();
            client.finish(&answer, &mut ours).unwrap();
            assert_eq!(ours.expose(), theirs.expose());
            assert_eq!(ours.expose().len(), 32, "FIPS 203 7");

            assert!(group.answer(&public[1..], &mut theirs, out).is_err(), "{} takes a short key", group.group);
            let mut unreduced = public.clone();
            unreduced[..3].fill(0xff);
            assert!(group.answer(&unreduced, &mut theirs, out).is_err(), "{} takes an unreduced key", group.group);
            let short = &answer[1..];
            assert!(group.start().unwrap().finish(short, &mut ours).is_err(), "{} takes a short answer", group.group);
        }
    }
}
