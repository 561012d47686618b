//! Signatures, above `spki` and `signed`: their algorithms, the face behind which they are checked, AWS-LC, which fills it unless
//! told otherwise, and the rule by which one counts.

pub(crate) mod algorithm;
mod aws_lc;
mod face;
mod rule;

pub use algorithm::{Curve, SignatureAlgorithm, SignatureHash};
pub use aws_lc::AwsLc;
pub use face::{PreparedKey, SignatureError, VerifySignature};
pub(crate) use rule::{Checker, Key, Ready};
pub use rule::{MAX_RSA_BITS, SignatureRefusal, verify_signature};
