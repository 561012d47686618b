//! Data and its signature, as certificates, requests, lists and responses are: RFC 5280 4.1.1.

use crate::der::{self, Der, DerResult};

/// What is signed, by which algorithm, and the signature.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// A whole SEQUENCE.
    pub(crate) data: &'a [u8],
    /// A whole AlgorithmIdentifier.
    pub(crate) algorithm: &'a [u8],
    /// The content of the BIT STRING.
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads one that is all there is, by its name and that of its data.
    pub(crate) fn read(bytes: &'a [u8], whole: &'static str, data: &'static str) -> DerResult<Self> {
        let mut input = Der(bytes);
        let mut outer = input.take(der::SEQUENCE, whole)?;
        input.finish(whole)?;
        let signed = Self::take(&mut outer, data)?;
        outer.finish(whole)?;
        Ok(signed)
    }

    /// Reads the three parts, where more may follow.
    pub(crate) fn take(outer: &mut Der<'a>, data: &'static str) -> DerResult<Self> {
        let data = outer.whole(der::SEQUENCE, data)?;
        let algorithm = outer.whole(der::SEQUENCE, "signatureAlgorithm")?;
        Ok(Self { data, algorithm, signature: outer.bits("signatureValue")? })
    }

    /// Reads the algorithm where it stands a second time, within the data: it must say the same (RFC 5280 4.1.1.2, 5.1.1.2).
    pub(crate) fn read_again(&self, body: &mut Der<'_>) -> DerResult<()> {
        let start = *body;
        if body.whole(der::SEQUENCE, "signature")? == self.algorithm {
            return Ok(());
        }
        Err(start.wrong("signature", "the same as signatureAlgorithm"))
    }
}
